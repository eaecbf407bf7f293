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

#include "libxlog/dev/probe.h"
#include "libxlog/dev/undo.h"
#include "libxlog/meta/meta.h"

struct opened {
	char		*name;		/* owned; NULL: there is none */
	struct named	named;
	struct dev	*dev;
	struct xlog_format_device facts;
};

struct xlog_format {
	struct sink	sink;
	struct opened	data, log;
	bool		writable, wrote;
};

static int no_memory(const struct sink *sink)
{
	return report(sink, -ENOMEM, "memory", XLOG_LSN_NONE,
		      "out of memory");
}

/* --- opening --- */

static void close_one(struct opened *o)
{
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

static int open_one(struct xlog_format *f, struct opened *o, const char *name,
		    unsigned int flags)
{
	unsigned int lock = (flags & XLOG_OPEN_LOCK_WAIT ? DEV_LOCK_WAIT : 0) |
			    (flags & XLOG_OPEN_LOCK_NONE ? DEV_LOCK_NONE : 0);
	struct sink sink;
	int rc;

	o->name = strdup(name);
	if (!o->name)
		return no_memory(&f->sink);
	o->named = (struct named){ f->sink, o->name };
	sink = named_sink(&o->named);
	rc = dev_open_file(name, flags & XLOG_OPEN_WRITE ? lock | DEV_WRITE :
							   0, &sink, &o->dev);
	if (!rc)
		note_facts(f, o);
	return rc;
}

static int open_all(struct xlog_format *f, const struct xlog_format_open *what)
{
	struct dev_undo undo[2];
	int rc = open_one(f, &f->data, what->data, what->flags);

	if (!rc && what->logdev)
		rc = open_one(f, &f->log, what->logdev, what->flags);
	if (rc || !what->undo)
		return rc;
	undo[0] = (struct dev_undo){ .dev = f->data.dev,
				     .role = UNDO_ROLE_DATA };
	undo[1] = (struct dev_undo){ .dev = f->log.dev,
				     .role = UNDO_ROLE_LOG };
	rc = dev_open_undo(what->undo, undo, what->logdev ? 2 : 1, &f->sink);
	if (rc)
		return rc;
	f->data.dev = undo[0].dev;
	if (what->logdev)
		f->log.dev = undo[1].dev;
	return 0;
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
	if (what->logdev && dev_is_same_file(what->data, what->logdev))
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
	f->writable = what->flags & XLOG_OPEN_WRITE;
	rc = open_all(f, what);
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
	close_one(&f->data);
	close_one(&f->log);
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
	void		(*found)(void *ctx, const struct xlog_found *what);
	void		*ctx;
};

/* Of an XFS, or an external log of one. What cannot be read is not dirty. */
static bool is_dirty(const char *name)
{
	struct xlog_bounds bounds;
	struct xlog *log;
	bool dirty;

	if (xlog_open(name, NULL, &log))
		return false;
	dirty = !xlog_find(log, XLOG_FIND_QUICK, &bounds) &&
		bounds.state == XLOG_DIRTY;
	xlog_close(log);
	return dirty;
}

struct xlog_found format_found(const char *name, const struct dev_found *found)
{
	bool xfs = !strcmp(found->type, "xfs") ||
		   !strcmp(found->type, "xfs_external_log");

	return (struct xlog_found){
		.device = name, .type = found->type,
		.label = found->label, .uuid = found->uuid,
		.offset_bytes = found->off_bytes,
		.partitions = found->partitions,
		.dirty = xfs && is_dirty(name),
	};
}

static void pass_on(void *ctx, const struct dev_found *found)
{
	const struct prober *p = ctx;
	const struct xlog_found what = format_found(p->on->name, found);

	p->found(p->ctx, &what);
}

int xlog_format_probe(struct xlog_format *f,
		      void (*found)(void *ctx, const struct xlog_found *what),
		      void *ctx)
{
	struct prober p = { .on = &f->data, .found = found, .ctx = ctx };
	int count = dev_probe(f->data.dev, pass_on, &p), more;

	if (count < 0 || !f->log.name)
		return count;
	p.on = &f->log;
	more = dev_probe(f->log.dev, pass_on, &p);
	return more < 0 ? more : count + more;
}

/* --- making it --- */

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
	const struct format_target target = {
		.data = f->data.dev, .log = f->log.dev, .sink = f->sink,
		.discard = opts->flags & XLOG_FORMAT_DISCARD,
	};
	struct format_values values;
	struct format_plan plan;
	int rc;

	if (!f->writable)
		return report(&f->sink, -EROFS, "dev.readonly", XLOG_LSN_NONE,
			      "%s: opened for reading only", f->data.name);
	rc = format_plan_init(&plan, opts, &f->data.facts,
			      xlog_format_log(f));
	if (!rc)
		rc = fill_values(f, &values, opts);
	if (rc)
		return rc;
	rc = format_write(&plan, &values, &target);
	f->wrote = f->data.dev->bytes_written ||
		   (f->log.dev && f->log.dev->bytes_written);
	if (!rc && geo) {
		format_geometry(geo, &plan);
		memcpy(geo->uuid, values.uuid, sizeof(geo->uuid));
	}
	return rc;
}
