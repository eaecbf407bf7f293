/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Power fails while a filesystem is made: at any write and at any flush, with
 * what was not flushed lost, kept, torn at sectors or half of it written in
 * another order. Whatever libblkid then calls an XFS, or the log of one, is all
 * there, byte for byte: the old one, untouched, or the new one, finished. What
 * it calls an ext2 is as it was.
 * Between the two there is nothing that anyone would mount: at most an internal
 * log, complete, that lies so near to the start of its device that libblkid
 * takes it for an external one.
 *
 * On disks that say they have flushed and have not, that cannot be had: there
 * the same search has to find what is wrong, or it looks at nothing.
 *
 *	format_survives_power_failure
 *
 * CRASH_ALL=1	every place, each with more seeds
 * XLOG_SEED	another sample; the seed is printed
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libxlog/base/list.h"
#include "libxlog/dev/dev_priv.h"
#include "libxlog/dev/fault.h"
#include "libxlog/dev/probe.h"
#include "libxlog/meta/meta.h"
#include "tests/lib/stack.h"

#define MIB(n)	((uint64_t)(n) << 20)

enum {
	DATA,				/* disks, and tags of what is watched */
	LOG,
	DISKS,
	CHUNK = 64 * 1024,
	SEEDS_ALL = 6,
	EVERY = 8,			/* place is tried, but for both ends */
	EXT_MAGIC_OFF = 1024 + 56,
	EXT_BYTES = 4096,		/* of contents, so far apart: */
	EXT_EVERY = 256 * 1024,
};

static const uint64_t disk_bytes[DISKS] = { MIB(64), MIB(10) };
static const uint8_t old_uuid[16] = { 1, 1, 1, 1 }, new_uuid[16] = { 2, 2, 2 };

/* What is there before. */
enum old { OLD_XFS, OLD_XFS_EXTERNAL, OLD_EXT, OLD_NOTHING };

static const struct scene {
	const char	*name;
	enum old	old;
	bool		external;	/* the new log */
	uint32_t	sector_bytes, agcount;
} scenes[] = {
	{ "over nothing", OLD_NOTHING, false, 512, 1 },
	{ "over an ext2", OLD_EXT, false, 512, 4 },
	{ "over an XFS", OLD_XFS, false, 512, 4 },
	{ "over an XFS, 4 KiB sectors", OLD_XFS, false, 4096, 3 },
	{ "external, over nothing", OLD_NOTHING, true, 512, 4 },
	{ "external, over ext2 on both", OLD_EXT, true, 512, 2 },
	{ "external, over an XFS", OLD_XFS_EXTERNAL, true, 512, 4 },
	{ "internal, over an XFS with an external log", OLD_XFS_EXTERNAL,
	  false, 512, 4 },
};

/* A file in memory, which libblkid can look at, and what is to be in it. */
struct disk {
	int		fd;
	struct dev	*dev;
	uint8_t		*old, *new;	/* all of it: before, in the end */
	bool		*used;		/* chunks of @old that are not zero */
};

struct story {
	const struct scene *scene;
	struct disk	disk[DISKS];
	uint64_t	log_off, log_end;	/* of the new one, if internal */
	struct stack_record events;	/* of a run that nothing stops */
	uint64_t	seed;
	bool		lying;		/* disks do not flush */
	unsigned long	crashes, nothing, violations;
	char		when[128];
};

static void die(const struct story *s, const char *what, int rc)
{
	fprintf(stderr, "%s: %s%s: %s\n", s->scene->name, s->when, what,
		rc < 0 ? strerror(-rc) : "not so");
	exit(1);
}

static void must(const struct story *s, int rc, const char *what)
{
	if (rc)
		die(s, what, rc);
}

/* --- a disk that may not flush --- */

/* Zeros come as writes, so that all kinds of disks count the same. */
struct liar {
	struct dev	dev;
	struct dev	*below;		/* owned */
	bool		lying;
};

static struct dev *behind(struct dev *dev)
{
	return container_of(dev, struct liar, dev)->below;
}

static int liar_read(struct dev *dev, uint64_t off, void *buf, size_t len)
{
	return dev_read(behind(dev), off, buf, len);
}

static int liar_write(struct dev *dev, uint64_t off, const void *buf,
		      size_t len)
{
	return dev_write(behind(dev), off, buf, len);
}

static int liar_flush(struct dev *dev)
{
	struct liar *liar = container_of(dev, struct liar, dev);

	return liar->lying ? 0 : dev_flush(liar->below);
}

static void liar_close(struct dev *dev)
{
	dev_close(behind(dev));
	free(container_of(dev, struct liar, dev));
}

static const struct dev_ops liar_ops = {
	.kind = "liar", .read = liar_read, .write = liar_write,
	.flush = liar_flush, .close = liar_close,
};

static struct dev *open_liar(const struct story *s, struct dev *below)
{
	struct liar *liar = calloc(1, sizeof(*liar));

	must(s, liar ? 0 : -ENOMEM, "memory");
	dev_init(&liar->dev, &liar_ops, &below->sink, below->name);
	liar->dev.size_bytes = below->size_bytes;
	liar->dev.sector_bytes = below->sector_bytes;
	liar->dev.writable = below->writable;
	liar->below = below;
	liar->lying = s->lying;
	return &liar->dev;
}

/* --- disks --- */

static void open_disk(struct story *s, struct disk *d, uint64_t size)
{
	char path[64];

	d->fd = memfd_create("disk", MFD_CLOEXEC);
	if (d->fd < 0 || ftruncate(d->fd, (off_t)size))
		die(s, "a file in memory", -errno);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", d->fd);
	must(s, dev_open_file(path, DEV_WRITE | DEV_LOCK_NONE, NULL, &d->dev),
	     "opening it");
	d->old = calloc(1, size);
	d->new = calloc(1, size);
	d->used = calloc(size / CHUNK, sizeof(*d->used));
	must(s, d->old && d->new && d->used ? 0 : -ENOMEM, "memory");
}

static void close_disk(struct disk *d)
{
	dev_close(d->dev);
	close(d->fd);
	free(d->old);
	free(d->new);
	free(d->used);
}

/* As it was in the beginning. */
static void reset(struct story *s, struct disk *d)
{
	size_t size = (size_t)d->dev->size_bytes;

	if (ftruncate(d->fd, 0) || ftruncate(d->fd, (off_t)size))
		die(s, "ftruncate", -errno);
	for (size_t off = 0; off < size; off += CHUNK)
		if (d->used[off / CHUNK] &&
		    pwrite(d->fd, d->old + off, CHUNK, (off_t)off) != CHUNK)
			die(s, "write", -EIO);
}

static void keep(struct story *s, struct disk *d, uint8_t *contents)
{
	must(s, dev_read(d->dev, 0, contents, (size_t)d->dev->size_bytes),
	     "read");
}

static bool has(struct story *s, struct disk *d, const uint8_t *contents,
		uint64_t off, uint64_t end)
{
	static uint8_t buf[CHUNK];

	for (uint64_t n; off < end; off += n) {
		n = end - off < CHUNK ? end - off : CHUNK;
		must(s, dev_read(d->dev, off, buf, (size_t)n), "read");
		if (memcmp(buf, contents + off, (size_t)n))
			return false;
	}
	return true;
}

static bool is_now(struct story *s, struct disk *d, const uint8_t *contents)
{
	return has(s, d, contents, 0, d->dev->size_bytes);
}

/* --- making filesystems --- */

static int format(struct story *s, struct dev *data, struct dev *log,
		  const struct xlog_format_options *opts, const uint8_t *uuid)
{
	struct xlog_format_device facts = {
		.size_bytes = disk_bytes[DATA],
		.sector_bytes = 512, .physical_bytes = opts->sector_bytes,
	}, log_facts = facts;
	const struct format_target t = { .data = data, .log = log };
	struct format_values v = { .now = { .sec = 1700000000 } };
	struct format_plan plan;

	log_facts.size_bytes = disk_bytes[LOG];
	memcpy(v.uuid, uuid, sizeof(v.uuid));
	must(s, format_plan_init(&plan, opts, &facts, log ? &log_facts : NULL),
	     "planning");
	s->log_off = xfs_fsb_to_daddr(&plan.geom, plan.sb.sb_logstart) *
		     BB_SIZE;
	s->log_end = s->log_off + ((uint64_t)plan.sb.sb_logblocks <<
				   plan.sb.sb_blocklog);
	return format_write(&plan, &v, &t);
}

static int format_new(struct story *s, struct dev *data, struct dev *log)
{
	const struct xlog_format_options opts = {
		.flags = XLOG_FORMAT_EXPERT,
		.sector_bytes = s->scene->sector_bytes,
		.agcount = s->scene->agcount,
		.parent = XLOG_YES,	/* a small log will do */
	};

	return format(s, data, s->scene->external ? log : NULL, &opts,
		      new_uuid);
}

/*
 * To libblkid the magic number is an ext2. The rest stands for its contents:
 * some are in the log of the new one, and at the start of each of its groups.
 */
static void make_ext(struct story *s, struct dev *dev)
{
	static const uint8_t contents[EXT_BYTES] = { [0] = 0xe2 };
	int rc = dev_write(dev, EXT_MAGIC_OFF, "\x53\xef", 2);

	for (uint64_t off = EXT_BYTES; off < dev->size_bytes && !rc;
	     off += EXT_EVERY)
		rc = dev_write(dev, off, contents, sizeof(contents));
	must(s, rc, "making the old one");
}

/* Smaller blocks, other groups: nothing of it is where the new one writes. */
static void make_old(struct story *s)
{
	const struct xlog_format_options opts = {
		.flags = XLOG_FORMAT_EXPERT, .block_bytes = 1024,
		.sector_bytes = 512, .agcount = 3, .parent = XLOG_YES,
	};
	enum old old = s->scene->old;

	if (old == OLD_XFS || old == OLD_XFS_EXTERNAL)
		must(s, format(s, s->disk[DATA].dev, old == OLD_XFS ? NULL :
			       s->disk[LOG].dev, &opts, old_uuid),
		     "making the old one");
	for (int i = 0; i < DISKS && old == OLD_EXT; i++)
		make_ext(s, s->disk[i].dev);
	for (int i = 0; i < DISKS; i++) {
		struct disk *d = &s->disk[i];

		keep(s, d, d->old);
		for (size_t off = 0; off < disk_bytes[i]; off += CHUNK)
			d->used[off / CHUNK] = !dev_is_zero(d->old + off,
							    CHUNK);
	}
}

static void make_new(struct story *s)
{
	struct dev *dev[DISKS];

	for (int i = 0; i < DISKS; i++)
		must(s, stack_watch(s->disk[i].dev, &s->events, i, &dev[i]),
		     "memory");
	must(s, format_new(s, dev[DATA], dev[LOG]), "making the new one");
	must(s, s->events.lost ? -ENOMEM : 0, "memory for a record");
	for (int i = 0; i < DISKS; i++) {
		keep(s, &s->disk[i], s->disk[i].new);
		dev_close(dev[i]);
	}
}

/* --- what is there --- */

struct seen {
	bool		fs, log, ext;	/* an XFS; the log of one; an ext2 */
	char		uuid[37];
};

static void see(void *ctx, const struct dev_found *found)
{
	struct seen *seen = ctx;

	seen->fs |= !strcmp(found->type, "xfs");
	seen->log |= !strcmp(found->type, "xfs_external_log");
	seen->ext |= !strcmp(found->type, "ext2");
	if (seen->fs || seen->log)
		snprintf(seen->uuid, sizeof(seen->uuid), "%s",
			 found->uuid ? found->uuid : "");
}

static bool is_complete(struct story *s, int which, const struct seen *seen)
{
	struct disk *d = &s->disk[which];

	if (seen->ext)
		return is_now(s, d, d->old);
	if (!seen->fs && which == DATA && !s->scene->external &&
	    has(s, d, d->new, s->log_off, s->log_end))
		return true;
	return is_now(s, d, d->old) || is_now(s, d, d->new);
}

/* Complete, if it is there at all. */
static void judge(struct story *s, int which)
{
	struct seen seen = { .fs = false };

	if (dev_probe(s->disk[which].dev, see, &seen) < 0)
		die(s, "probing", -EIO);
	if (!seen.fs && !seen.log && !seen.ext) {
		s->nothing++;
		return;
	}
	if (is_complete(s, which, &seen))
		return;
	s->violations++;
	if (!s->lying) {
		fprintf(stderr, "%s: %sthe %s device has an %s%s, UUID %s, that is not all there\n",
			s->scene->name, s->when, which == LOG ? "log" : "data",
			seen.ext ? "ext2" : "XFS", seen.log ? " log" : "",
			seen.uuid);
		exit(1);
	}
}

/* --- power failures --- */

static const char *const how_name[] = {
	[FAULT_DROP] = "lost", [FAULT_KEEP] = "kept",
	[FAULT_REORDER] = "reordered", [FAULT_TEAR] = "torn",
};

/* Event @at is the first that does not work. */
static void stop_at(const struct story *s, struct dev *fault[DISKS], size_t at)
{
	const struct stack_event *e = &s->events.event[at];
	uint64_t before = 0;

	for (size_t i = 0; i < at; i++)
		before += s->events.event[i].tag == e->tag &&
			  !s->events.event[i].len == !e->len;
	if (e->len)
		fault_stop(fault[e->tag], FAULT_WRITE, before);
	else
		fault_stop(fault[e->tag], FAULT_FLUSH, before + 1);
}

static void crash(struct story *s, size_t at, enum fault_crash how)
{
	struct dev *fault[DISKS], *dev[DISKS];
	uint64_t seed = stack_random(&s->seed);
	int rc;

	snprintf(s->when, sizeof(s->when), "%s %zu of %zu, not flushed: %s, seed %#llx: ",
		 s->events.event[at].len ? "write" : "flush", at,
		 s->events.count, how_name[how], (unsigned long long)seed);
	for (int i = 0; i < DISKS; i++) {
		reset(s, &s->disk[i]);
		must(s, stack_borrow(s->disk[i].dev, &dev[i]), "memory");
		must(s, dev_open_fault(dev[i], &fault[i]), "memory");
		dev[i] = open_liar(s, fault[i]);
	}
	stop_at(s, fault, at);
	rc = format_new(s, dev[DATA], dev[LOG]);
	/* what has been written before the last flush of a liar works */
	if (rc != -EIO && !(s->lying && !s->events.event[at].len))
		die(s, "only the power fails", rc);
	for (int i = 0; i < DISKS; i++)
		must(s, fault_crash(fault[i], how, seed), "crash");
	for (int i = 0; i < DISKS; i++) {
		judge(s, i);
		dev_close(dev[i]);
	}
	s->crashes++;
}

/* Nothing is held while nothing has been written; there all are the same. */
static void every_place(struct story *s, bool all)
{
	size_t n = s->events.count;

	for (size_t at = 0; at < n; at++) {
		/* one is enough to show that they are found */
		if (s->violations)
			return;
		/* the ends are where the superblocks are */
		if (!all && !s->lying && at > 3 && at + 5 < n &&
		    stack_random(&s->seed) % EVERY)
			continue;
		for (int how = FAULT_DROP; how <= FAULT_TEAR; how++)
			for (int i = 0; i < (all ? SEEDS_ALL : 1); i++)
				if (!i || how >= FAULT_REORDER)
					crash(s, at, (enum fault_crash)how);
	}
}

/* --- the story --- */

static unsigned long tell(const struct scene *scene, bool all, uint64_t seed)
{
	struct story s = { .scene = scene, .seed = seed };
	unsigned long crashes;

	for (int i = 0; i < DISKS; i++)
		open_disk(&s, &s.disk[i], disk_bytes[i]);
	make_old(&s);
	make_new(&s);
	every_place(&s, all);
	printf("%s: %zu writes and flushes, %lu crashes: %lu times there is nothing on a device, else all of it\n",
	       scene->name, s.events.count, s.crashes, s.nothing);
	fflush(stdout);
	crashes = s.crashes;
	s.lying = true;
	every_place(&s, all);
	if (!s.violations)
		die(&s, "disks that do not flush go unnoticed", 0);
	for (int i = 0; i < DISKS; i++)
		close_disk(&s.disk[i]);
	stack_record_fini(&s.events);
	return crashes;
}

int main(void)
{
	const char *all = getenv("CRASH_ALL"), *seed = getenv("XLOG_SEED");
	uint64_t first = seed ? strtoull(seed, NULL, 0) : 1;
	unsigned long crashes = 0;

	printf("XLOG_SEED=%llu\n", (unsigned long long)first);
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		crashes += tell(&scenes[i], all, first);
	printf("%lu crashes\n", crashes);
	return 0;
}
