/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The devices of a filesystem that is to be made: opened, asked what is on
 * them, formatted. What is asked is answered by the descriptors that are
 * locked and will be written.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libxlog/dev/probe.h"
#include "libxlog/dev/undo.h"
#include "libxlog/meta/meta.h"

struct opened {
	char		*name;		/* owned; NULL: there is none */
	struct named	named;
	struct dev	*dev;		/* NULL: a file that is still missing */
	bool		created, grown;
	uint64_t	was_bytes;	/* of a file that has grown */
	struct xlog_format_device facts; /* of a file as it will be */
};

struct xlog_format {
	struct sink	sink;
	struct opened	data, log;
	uint64_t	offset_bytes;
	char		*undo;		/* owned; NULL: none */
	unsigned int	how;		/* DEV_* */
	bool		prepared, wrote, made;
};

static int no_memory(const struct sink *sink)
{
	return report(sink, -ENOMEM, "memory", XLOG_LSN_NONE,
		      "out of memory");
}

/* --- opening --- */

/* Nothing of what was there has been overwritten. */
static bool is_intact(const struct opened *o)
{
	return !o->dev || !o->dev->bytes_written ||
	       (o->grown && !o->was_bytes);
}

/* Without the locks, which the device takes along: it may still be needed. */
static void close_one(struct xlog_format *f, struct opened *o)
{
	bool back = !f->made && is_intact(o);

	dev_close(o->dev);
	if (back && o->created)
		unlink(o->name);
	else if (back && o->grown && truncate(o->name, (off_t)o->was_bytes))
		notice(&f->sink, XLOG_WARNING, "dev.resize", XLOG_LSN_NONE,
		       "%s: is longer than it was: %s", o->name,
		       strerror(errno));
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

	return dev_open_file(o->name, f->how | flags, &sink, &o->dev);
}

/* At least @bytes long, if it is a file and they are not 0. */
static int open_one(struct xlog_format *f, struct opened *o, const char *name,
		    uint64_t bytes)
{
	struct stat st;
	bool exists, grows;
	int rc;

	o->name = strdup(name);
	if (!o->name)
		return no_memory(&f->sink);
	o->named = (struct named){ f->sink, o->name };
	exists = !stat(name, &st);
	if (!exists && errno == ENOENT && bytes) {
		o->facts.size_bytes = bytes;
		return 0;
	}
	grows = exists && S_ISREG(st.st_mode) && (uint64_t)st.st_size < bytes;
	rc = open_file(f, o, grows ? DEV_EMPTY : 0);
	if (rc)
		return rc;
	note_facts(f, o);
	if (grows)
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

/* --- what is there --- */

struct prober {
	struct opened	*on;
	struct xlog_open_options how;	/* to look at the log of an XFS */
	void		(*found)(void *ctx, const struct xlog_found *what);
	void		*ctx;
};

/* Of an XFS, or an external log of one. What cannot be read is not dirty. */
static bool is_dirty(const char *name, const struct xlog_open_options *how)
{
	struct xlog_bounds bounds;
	struct xlog *log;
	bool dirty;

	if (xlog_open(name, how, &log))
		return false;
	dirty = !xlog_find(log, XLOG_FIND_QUICK, &bounds) &&
		bounds.state == XLOG_DIRTY;
	xlog_close(log);
	return dirty;
}

struct xlog_found format_found(const char *name,
			       const struct xlog_open_options *how,
			       const struct dev_found *found)
{
	bool xfs = !strcmp(found->type, "xfs") ||
		   !strcmp(found->type, "xfs_external_log");

	return (struct xlog_found){
		.device = name, .type = found->type,
		.label = found->label, .uuid = found->uuid,
		.offset_bytes = found->off_bytes,
		.partitions = found->partitions,
		.dirty = xfs && is_dirty(name, how),
	};
}

static void pass_on(void *ctx, const struct dev_found *found)
{
	const struct prober *p = ctx;
	const struct xlog_found what = format_found(p->on->name, &p->how,
						    found);

	p->found(p->ctx, &what);
}

static int probe(struct prober *p, struct opened *on)
{
	p->on = on;
	return on->dev && on->dev->size_bytes ? dev_probe(on->dev, pass_on, p) :
						0;
}

int xlog_format_probe(struct xlog_format *f,
		      void (*found)(void *ctx, const struct xlog_found *what),
		      void *ctx)
{
	struct prober p = {
		.found = found, .ctx = ctx,
		.how = { .offset_bytes = f->offset_bytes,
			 .logdev = f->log.dev ? f->log.name : NULL },
	};
	int count = probe(&p, &f->data), more;

	if (count < 0)
		return count;
	p.how = (struct xlog_open_options){ .logdev = NULL };
	more = probe(&p, &f->log);
	return more < 0 ? more : count + more;
}

/* --- making it --- */

static int create(struct xlog_format *f, struct opened *o)
{
	int fd = open(o->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (fd < 0)
		return report(&f->sink, -errno, "dev.open", XLOG_LSN_NONE,
			      "%s: cannot be made: %s", o->name,
			      strerror(errno));
	close(fd);
	o->created = true;
	return open_file(f, o, DEV_EMPTY);
}

static int lengthen(struct xlog_format *f, struct opened *o)
{
	uint64_t was_bytes;
	int rc = 0;

	if (o->name && !o->dev)
		rc = create(f, o);
	if (rc || !o->name || o->dev->size_bytes == o->facts.size_bytes)
		return rc;
	was_bytes = o->dev->size_bytes;
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

int xlog_format(struct xlog_format *f, const struct xlog_format_options *opts,
		struct xlog_geometry *geo)
{
	struct format_target target = {
		.sink = f->sink,
		.discard = opts->flags & XLOG_FORMAT_DISCARD,
		.progress = opts->progress, .progress_ctx = opts->progress_ctx,
	};
	struct format_values values;
	struct format_plan plan;
	int rc;

	rc = format_plan_init(&plan, opts, &f->data.facts,
			      xlog_format_log(f));
	if (!rc)
		rc = fill_values(f, &values, opts);
	if (!rc)
		rc = xlog_format_prepare(f);
	if (rc)
		return rc;
	target.data = f->data.dev;
	target.log = f->log.dev;
	rc = format_write(&plan, &values, &target);
	f->made = !rc;
	f->wrote = f->made || !is_intact(&f->data) || !is_intact(&f->log);
	if (!rc && geo) {
		format_geometry(geo, &plan);
		memcpy(geo->uuid, values.uuid, sizeof(geo->uuid));
	}
	return rc;
}
