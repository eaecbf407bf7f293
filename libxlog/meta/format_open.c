/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The devices of a filesystem that is to be made: opened, asked what is on
 * them, formatted. What is asked is answered by the descriptors that are
 * locked and will be written.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "libxlog/dev/hostfile.h"
#include "libxlog/dev/probe.h"
#include "libxlog/dev/undo.h"
#include "libxlog/meta/meta.h"

struct opened {
	char		*name;		/* owned; NULL: there is none */
	struct named	named;
	struct dev	*file;		/* below @dev, all of it */
	struct dev	*dev;		/* NULL: a file that is still missing */
	bool		created, grown;
	uint64_t	was_bytes;	/* of a file that has grown */
	struct xlog_format_device facts; /* of a file as it will be */
};

struct xlog_format {
	struct sink	sink;
	struct opened	data, log;
	uint64_t	offset_bytes;
	uint64_t	part_bytes;	/* from there on; 0: up to the end */
	char		*undo;		/* owned; NULL: none */
	unsigned int	how;		/* DEV_* */
	enum format_reached reached;
	bool		prepared, wrote, made;
};

static int no_memory(const struct sink *sink)
{
	return report(sink, -ENOMEM, "memory", XLOG_LSN_NONE,
		      "out of memory");
}

/* --- opening --- */

/* Nothing of what was there has been overwritten. */
static bool is_intact(const struct xlog_format *f, const struct opened *o)
{
	return !o->dev || f->reached == FORMAT_UNTOUCHED ||
	       (o->grown && !o->was_bytes);
}

/* By the descriptor, and before the lock is gone: it is our file until then. */
static void put_back(struct opened *o)
{
	if (o->created)
		dev_unlink(o->file);
	else if (o->grown && dev_resize(o->file, o->was_bytes))
		notice(&o->file->sink, XLOG_WARNING, "dev.resize",
		       XLOG_LSN_NONE, "is longer than it was");
}

static void close_one(struct xlog_format *f, struct opened *o)
{
	if (!f->made && is_intact(f, o))
		put_back(o);
	dev_close(o->dev);
	free(o->name);
}

/* Sizes and sectors, and of the data device its stripe. */
static void note_facts(struct xlog_format *f, struct opened *o)
{
	struct dev_topology topo;

	dev_topology(o->dev, &topo);
	o->facts = (struct xlog_format_device){
		.size_bytes = o->dev->size_bytes,
		.sector_bytes = topo.sector_bytes,
		.physical_bytes = topo.physical_bytes,
	};
	if (o != &f->data)
		return;
	o->facts.sunit_bytes = topo.sunit_bytes;
	o->facts.swidth_bytes = topo.swidth_bytes;
	if (topo.misaligned)
		notice(&o->dev->sink, XLOG_WARNING, "dev.misaligned",
		       XLOG_LSN_NONE, "is not aligned to its sectors");
}

static int open_file(struct xlog_format *f, struct opened *o,
		     unsigned int flags)
{
	struct sink sink = named_sink(&o->named);
	int rc = dev_open_file(o->name, f->how | flags, &sink, &o->file);

	if (!rc)
		o->dev = o->file;
	return rc;
}

/* At least @bytes long, if it is a file and they are not 0. */
static int open_one(struct xlog_format *f, struct opened *o, const char *name,
		    uint64_t bytes)
{
	struct stat st;
	int rc;

	o->name = strdup(name);
	if (!o->name)
		return no_memory(&f->sink);
	o->named = (struct named){ f->sink, o->name };
	if (bytes && stat(name, &st) && errno == ENOENT) {
		o->facts.size_bytes = bytes;
		return 0;
	}
	rc = open_file(f, o, bytes ? DEV_EMPTY : 0);
	if (rc)
		return rc;
	note_facts(f, o);
	/* as it is now that it is open: its name tells of any time before */
	if (!dev_is_block(o->dev) && o->dev->size_bytes < bytes)
		o->facts.size_bytes = bytes;
	return 0;
}

/* The filesystem begins somewhere inside. */
static int open_window(struct xlog_format *f)
{
	struct opened *o = &f->data;
	struct dev *window;
	int rc;

	if (f->offset_bytes % o->facts.sector_bytes)
		return report(&o->dev->sink, -EINVAL, "options", XLOG_LSN_NONE,
			      "the offset is not a multiple of its sectors, %u bytes",
			      o->facts.sector_bytes);
	rc = dev_open_window(o->dev, f->offset_bytes, 0, &window);
	if (rc)
		return rc;
	o->dev = window;
	o->facts.size_bytes = window->size_bytes;
	return 0;
}

static int open_all(struct xlog_format *f, const struct xlog_format_open *what)
{
	uint64_t bytes = what->offset_bytes ? 0 : what->data_bytes;
	int rc = open_one(f, &f->data, what->data, bytes);

	if (!rc && what->offset_bytes)
		rc = open_window(f);
	if (!rc && what->logdev)
		rc = open_one(f, &f->log, what->logdev, what->log_bytes);
	return rc;
}

int xlog_format_open(const struct xlog_format_open *what,
		     struct xlog_format **out)
{
	const struct sink sink = { what->report, what->report_ctx };
	struct xlog_format *f;
	int rc;

	if (what->undo && !(what->flags & XLOG_OPEN_WRITE))
		return report(&sink, -EINVAL, "options", XLOG_LSN_NONE,
			      "nothing is written that could be undone");
	if (what->logdev && (!strcmp(what->data, what->logdev) ||
			     dev_is_same_file(what->data, what->logdev)))
		return report(&sink, -EINVAL, "options", XLOG_LSN_NONE,
			      "%s: this is the data device, not its log",
			      what->logdev);
	if (what->flags & XLOG_OPEN_OVERLAY)
		return report(&sink, -EINVAL, "options", XLOG_LSN_NONE,
			      "a filesystem is not made in memory");
	f = calloc(1, sizeof(*f));
	if (!f)
		return no_memory(&sink);
	f->sink = sink;
	f->how = (what->flags & XLOG_OPEN_LOCK_WAIT ? DEV_LOCK_WAIT : 0) |
		 (what->flags & XLOG_OPEN_LOCK_NONE ? DEV_LOCK_NONE : 0) |
		 (what->flags & XLOG_OPEN_WRITE ? DEV_WRITE : 0);
	f->offset_bytes = what->offset_bytes;
	f->part_bytes = what->offset_bytes ? what->data_bytes : 0;
	f->undo = what->undo ? strdup(what->undo) : NULL;
	rc = what->undo && !f->undo ? no_memory(&sink) : open_all(f, what);
	if (rc) {
		xlog_format_close(f);
		return rc;
	}
	*out = f;
	return 0;
}

void xlog_format_close(struct xlog_format *f)
{
	if (!f)
		return;
	close_one(f, &f->data);
	close_one(f, &f->log);
	free(f->undo);
	free(f);
}

const struct xlog_format_device *xlog_format_data(const struct xlog_format *f)
{
	return &f->data.facts;
}

const struct xlog_format_device *xlog_format_log(const struct xlog_format *f)
{
	return f->log.name ? &f->log.facts : NULL;
}

bool xlog_format_wrote(const struct xlog_format *f)
{
	return f->wrote;
}

bool xlog_format_may_last(const struct xlog_format *f)
{
	return f->wrote && f->reached == FORMAT_LAST;
}

/* --- what is there --- */

struct prober {
	const char	*name;
	struct dev	*dev;
	struct xlog_open_options how;	/* to look at the log of an XFS */
	void		(*found)(void *ctx, const struct xlog_found *what);
	void		*ctx;
};

/* Of an XFS, or an external log of one. */
static void judge_log(const char *name, const struct xlog_open_options *how,
		      struct xlog_found *what)
{
	struct xlog_bounds bounds;
	struct xlog *log;

	what->unsure = true;
	if (xlog_open(name, how, &log))
		return;
	if (!xlog_find(log, XLOG_FIND_QUICK, &bounds)) {
		what->dirty = bounds.state == XLOG_DIRTY;
		what->unsure = bounds.state == XLOG_CORRUPT;
	}
	xlog_close(log);
}

struct xlog_found format_found(const char *name,
			       const struct xlog_open_options *how,
			       const struct dev_found *found)
{
	struct xlog_found what = {
		.device = name, .type = found->type,
		.label = found->label, .uuid = found->uuid,
		.offset_bytes = found->off_bytes + (how ? how->offset_bytes : 0),
		.partitions = found->partitions,
	};

	if (!strcmp(found->type, "xfs") ||
	    !strcmp(found->type, "xfs_external_log"))
		judge_log(name, how, &what);
	return what;
}

/* Does the superblock of the XFS on @dev say so? */
static bool is_log_external(struct dev *dev)
{
	uint8_t raw[DEV_SECTOR_BYTES];
	struct xfs_sb sb;

	if (dev_read(dev, 0, raw, sizeof(raw)))
		return false;
	xfs_sb_decode(&sb, raw, sizeof(raw), XFS_BE);
	return !sb.sb_logstart;
}

static void pass_on(void *ctx, const struct dev_found *found)
{
	const struct prober *p = ctx;
	struct xlog_open_options how = p->how;
	struct xlog_found what;

	/* the new log is not that of the old one just because it is named */
	if (!is_log_external(p->dev))
		how.logdev = NULL;
	what = format_found(p->name, &how, found);
	p->found(p->ctx, &what);
}

static int probe(struct prober *p, struct dev *dev, uint64_t offset_bytes)
{
	p->dev = dev;
	p->how.offset_bytes = offset_bytes;
	return dev && dev->size_bytes ? dev_probe(dev, pass_on, p) : 0;
}

/* @len bytes of the data device, or as many as there are; 0: these. */
static int open_part(struct xlog_format *f, uint64_t len, struct dev **out)
{
	struct dev *data = f->data.dev, *all;
	int rc = dev_open_borrowed(data, true, &all);

	if (rc)
		return rc;
	rc = dev_open_window(all, 0, len < data->size_bytes ? len : 0, out);
	if (rc)
		dev_close(all);
	return rc;
}

/* What lies around a part of a device is looked for on the whole. */
static int probe_data(struct prober *p, struct xlog_format *f)
{
	struct dev *part;
	int count, more;

	if (!f->offset_bytes)
		return probe(p, f->data.dev, 0);
	count = probe(p, f->data.file, 0);
	if (count < 0)
		return count;
	more = open_part(f, f->part_bytes, &part);
	if (more)
		return more;
	more = probe(p, part, f->offset_bytes);
	dev_close(part);
	return more < 0 ? more : count + more;
}

int xlog_format_probe(struct xlog_format *f,
		      void (*found)(void *ctx, const struct xlog_found *what),
		      void *ctx)
{
	struct prober p = {
		.found = found, .ctx = ctx, .name = f->data.name,
		.how.logdev = f->log.dev ? f->log.name : NULL,
	};
	int count = probe_data(&p, f), more;

	if (count < 0)
		return count;
	p.name = f->log.name;
	p.how.logdev = NULL;
	more = probe(&p, f->log.dev, 0);
	return more < 0 ? more : count + more;
}

/* --- making it --- */

static int create(struct xlog_format *f, struct opened *o)
{
	int rc = open_file(f, o, DEV_EMPTY | DEV_CREATE);

	o->created = !rc;
	return rc;
}

/* What has been looked at is not cut off: nor is what came behind it since. */
static int lengthen(struct xlog_format *f, struct opened *o)
{
	uint64_t was_bytes;
	int rc = 0;

	if (o->name && !o->dev)
		rc = create(f, o);
	if (rc || !o->name)
		return rc;
	if (!dev_is_as_long(o->dev))
		return report(&o->dev->sink, -EBUSY, "dev.busy", XLOG_LSN_NONE,
			      "in use: its length is another than when it was opened");
	was_bytes = o->dev->size_bytes;
	if (was_bytes == o->facts.size_bytes)
		return 0;
	rc = dev_resize(o->dev, o->facts.size_bytes);
	if (rc)
		return rc;
	o->grown = true;
	o->was_bytes = was_bytes;
	return 0;
}

static int open_undo(struct xlog_format *f)
{
	struct opened *const o[] = { &f->data, &f->log };
	size_t count = f->log.name ? 2 : 1;
	struct dev_undo undo[2];
	int rc;

	for (size_t i = 0; i < count; i++)
		undo[i] = (struct dev_undo){
			.dev = o[i]->dev,
			.role = i ? UNDO_ROLE_LOG : UNDO_ROLE_DATA,
			.grown = o[i]->grown, .was_bytes = o[i]->was_bytes,
		};
	rc = dev_open_undo(f->undo, undo, count, &f->sink);
	for (size_t i = 0; i < count && !rc; i++)
		o[i]->dev = undo[i].dev;
	return rc;
}

int xlog_format_prepare(struct xlog_format *f)
{
	int rc;

	if (!(f->how & DEV_WRITE))
		return report(&f->sink, -EROFS, "dev.readonly", XLOG_LSN_NONE,
			      "%s: opened for reading only", f->data.name);
	if (f->prepared)
		return 0;
	rc = lengthen(f, &f->data);
	if (!rc)
		rc = lengthen(f, &f->log);
	if (!rc && f->undo)
		rc = open_undo(f);
	f->prepared = !rc;
	return rc;
}

static int fill_random(struct xlog_format *f, void *buf, size_t len)
{
	if (getrandom(buf, len, 0) == (ssize_t)len)
		return 0;
	return report(&f->sink, -EIO, "random", XLOG_LSN_NONE,
		      "no random numbers to be had");
}

/* Version 4 of RFC 9562. */
static int fill_uuid(struct xlog_format *f, uint8_t uuid[16])
{
	int rc = fill_random(f, uuid, 16);

	uuid[6] = (uint8_t)(0x40 | (uuid[6] & 0x0f));
	uuid[8] = (uint8_t)(0x80 | (uuid[8] & 0x3f));
	return rc;
}

static int fill_values(struct xlog_format *f, struct format_values *v,
		       const struct xlog_format_options *o)
{
	struct timespec now;
	int rc = 0;

	*v = (struct format_values){
		.now = { .sec = o->time_sec, .nsec = o->time_nsec },
		.gen = { o->generation, o->generation, o->generation },
		.cycle = o->log_cycle,
	};
	if (!(o->flags & XLOG_FORMAT_TIME)) {
		clock_gettime(CLOCK_REALTIME, &now);
		v->now.sec = now.tv_sec;
		v->now.nsec = (uint32_t)now.tv_nsec;
	} else if (o->time_nsec >= 1000000000) {
		return report(&f->sink, -EINVAL, "options", XLOG_LSN_NONE,
			      "%u nanoseconds are more than a second",
			      o->time_nsec);
	}
	memcpy(v->uuid, o->uuid, sizeof(v->uuid));
	if (!memcmp(v->uuid, (uint8_t[16]){ 0 }, sizeof(v->uuid)))
		rc = fill_uuid(f, v->uuid);
	if (!rc && !(o->flags & XLOG_FORMAT_GENERATION))
		rc = fill_random(f, v->gen, sizeof(v->gen));
	return rc;
}

/*
 * A part that was asked for ends with its filesystem: what is behind it, even
 * its last bytes, belongs to others.
 */
static int write_part(struct xlog_format *f, uint64_t len,
		      const struct format_plan *p,
		      const struct format_values *v,
		      struct format_target *target)
{
	struct dev *part;
	int rc = open_part(f, len, &part);

	if (rc)
		return rc;
	target->data = part;
	rc = format_write(p, v, target);
	dev_close(part);
	return rc;
}

int xlog_format(struct xlog_format *f, const struct xlog_format_options *opts,
		struct xlog_geometry *geo)
{
	struct format_target target = {
		.sink = f->sink, .reached = &f->reached,
		.discard = opts->flags & XLOG_FORMAT_DISCARD,
		.progress = opts->progress, .progress_ctx = opts->progress_ctx,
	};
	struct format_values values;
	struct format_plan plan;
	uint64_t len;
	int rc;

	rc = format_plan_init(&plan, opts, &f->data.facts,
			      xlog_format_log(f));
	if (!rc)
		rc = fill_values(f, &values, opts);
	if (!rc)
		rc = xlog_format_prepare(f);
	if (rc)
		return rc;
	target.log = f->log.dev;
	len = f->offset_bytes && opts->data_bytes ?
	      plan.sb.sb_dblocks << plan.sb.sb_blocklog : 0;
	rc = write_part(f, len, &plan, &values, &target);
	f->made = !rc;
	f->wrote = f->made || !is_intact(f, &f->data) ||
		   !is_intact(f, &f->log);
	if (!rc && geo) {
		format_geometry(geo, &plan);
		memcpy(geo->uuid, values.uuid, sizeof(geo->uuid));
	}
	return rc;
}
