/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agree DIRTY KERNEL [LOG KERNEL-LOG]: is the replay of DIRTY what its kernel
 * made of it? KERNEL is the image after that kernel's recovery, which goes on
 * after replay: it finishes intents, frees inodes, trims files. All of that is
 * in its log, behind the head of the dirty one. So DIRTY is replayed in memory,
 * then what the kernel logged later is replayed on top of it, and then every
 * sector outside the log must be that of KERNEL.
 *
 * But for what a kernel writes without logging it, counted by class:
 *   flushiter	di_flushiter, a count of writes (version 4)
 *   dquot	LSN and checksum of quota records that were written
 *   count	what a quota check counts anew, and writes unlogged
 *   unused	bytes that no field of the block covers
 *   freed	blocks that the kernel freed later
 * Prints the counts; exit status 1 if anything else differs.
 */
#include <stdio.h>
#include <stdlib.h>

#include "libxfsfmt/dquot.h"
#include "libxfsfmt/inode.h"
#include "libxlog/replay/plan.h"
#include "libxlog/replay/window.h"

enum class { CLASS_FLUSHITER, CLASS_DQUOT, CLASS_COUNT, CLASS_UNUSED,
	     CLASS_FREED, CLASS_WRONG, CLASSES };

static const char *const class_names[CLASSES] = {
	"flushiter", "dquot", "count", "unused", "freed", "WRONG",
};

static struct xlog *ours, *theirs;
static uint64_t counts[CLASSES];

static void die(const char *what, int rc)
{
	fprintf(stderr, "agree: %s: %d\n", what, rc);
	exit(2);
}

static void on_report(void *ctx, const struct xlog_report *r)
{
	(void)ctx;
	if (r->severity == XLOG_ERROR)
		fprintf(stderr, "agree: %s\n", r->text);
}

static struct xlog *open_image(const char *path, const char *logdev)
{
	const struct xlog_open_options options = {
		.logdev = logdev, .flags = XLOG_OPEN_OVERLAY,
		.report = on_report,
	};
	struct xlog *log;
	int rc = xlog_open(path, &options, &log);

	if (rc)
		die(path, rc);
	return log;
}

/* --- what a block says, all fields of it but stamps --- */

struct hash {
	uint64_t	h;
	const uint8_t	*block;
};

static void mix(struct hash *h, const void *p, size_t len)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < len; i++)
		h->h = (h->h ^ b[i]) * UINT64_C(0x100000001b3);
}

static bool is_stamp(const struct xfs_field *f)
{
	return f->kind == XFS_KIND_CRC || f->kind == XFS_KIND_PAD ||
	       !strcmp(f->name, "dd_lsn") || !strcmp(f->name, "di_flushiter");
}

static void on_enter(void *ctx, const char *name, long index)
{
	mix(ctx, name, strlen(name));
	mix(ctx, &index, sizeof(index));
}

static void on_leave(void *ctx)
{
	mix(ctx, "}", 1);
}

static void on_field(void *ctx, const struct xfs_field *f, const void *base,
		     enum xfs_order order)
{
	(void)order;
	mix(ctx, f->name, strlen(f->name));
	if (is_stamp(f))
		return;
	if (f->type == XFS_TYPE_bits) {
		uint64_t v = xfs_field_value(f, base, 0, order);

		mix(ctx, &v, sizeof(v));
		return;
	}
	mix(ctx, (const uint8_t *)base + f->off_bytes,
	    f->type == XFS_TYPE_bytes ? f->count :
	    f->count * xfs_field_width(f));
}

static void on_value(void *ctx, const char *name, enum xfs_field_kind kind,
		     uint64_t value)
{
	(void)kind;
	mix(ctx, name, strlen(name));
	mix(ctx, &value, sizeof(value));
}

static void on_bytes(void *ctx, const char *name, enum xfs_field_kind kind,
		     const void *data, size_t len_bytes)
{
	(void)kind;
	mix(ctx, name, strlen(name));
	mix(ctx, data, len_bytes);
}

static const struct xfs_walk_ops hash_ops = {
	.enter = on_enter, .leave = on_leave, .field = on_field,
	.value = on_value, .bytes = on_bytes,
};

/* 0: not a block with a magic number of ours. */
static uint64_t says(const uint8_t *block, size_t len)
{
	struct hash h = { .h = 14695981039346656037u, .block = block };
	struct xfs_walk w = {
		.base = block, .len_bytes = len, .order = XFS_BE,
		.geom = &ours->geom, .ops = &hash_ops, .ctx = &h,
	};
	const struct xfs_block_type *type;

	type = xfs_block_identify(&w, XFS_BLFT_UNKNOWN);
	if (!type || !type->magic_bytes)
		return 0;
	xfs_block_walk(&w, type);
	return h.h;
}

/* --- comparing --- */

static bool dquot_counts(size_t at)
{
	size_t off = at % xfs_dqblk_size;

	return (off >= 40 && off < 56) || (off >= 108 && off < 120);
}

/* The buffers of one target, of which some byte differs. */
static enum class classify(const uint8_t *a, const uint8_t *b, size_t len)
{
	bool dquots = get_be16(a) == XFS_DQUOT_MAGIC;
	uint64_t said = says(a, len);

	if (said && said == says(b, len)) {
		if (dquots)
			return CLASS_DQUOT;
		for (size_t i = 0; i < len; i++)
			if (a[i] != b[i] &&
			    (ours->geom.v5 || get_be16(a) != XFS_DINODE_MAGIC ||
			     (i % ours->geom.inodesize != 30 &&
			      i % ours->geom.inodesize != 31)))
				return CLASS_UNUSED;
		return CLASS_FLUSHITER;
	}
	for (size_t i = 0; dquots && i < len; i++)
		if (a[i] != b[i] && !dquot_counts(i))
			return CLASS_WRONG;
	return dquots ? CLASS_COUNT : CLASS_WRONG;
}

static void read_both(uint64_t daddr, uint8_t *a, uint8_t *b, size_t len)
{
	int rc = dev_read(ours->fs, daddr * BB_SIZE, a, len);

	if (!rc)
		rc = dev_read(theirs->fs, daddr * BB_SIZE, b, len);
	if (rc)
		die("read", rc);
}

/*
 * What one replay touched: classify, and make equal what may differ. @later:
 * what came after it.
 */
static void compare_targets(const struct target_table *tt,
			    const struct target_table *later)
{
	static uint8_t a[XFS_BUF_LOG_MAX_BYTES], b[XFS_BUF_LOG_MAX_BYTES];

	for (size_t i = 0; i < targets_count(tt); i++) {
		struct target_place at = targets_at(tt, i);
		size_t len = (size_t)at.len_bb * BB_SIZE;
		enum class class;
		int rc;

		read_both(at.daddr, a, b, len);
		if (!memcmp(a, b, len))
			continue;
		class = classify(a, b, len);
		if (class == CLASS_WRONG && later &&
		    targets_cancelled(later, at.daddr, at.len_bb, 1))
			class = CLASS_FREED;
		counts[class]++;
		if (class == CLASS_WRONG)
			printf("daddr %llu len %u\n",
			       (unsigned long long)at.daddr, at.len_bb);
		rc = dev_write(ours->fs, at.daddr * BB_SIZE, b, len);
		if (rc)
			die("write", rc);
	}
}

/* Everything else has to be the same. */
static void compare_rest(void)
{
	static uint8_t a[DEV_IO_BYTES], b[DEV_IO_BYTES];
	const struct xlog_info *info = &ours->info;
	uint64_t size = ours->fs->size_bytes, from = 0, to = 0;

	if (theirs->fs->size_bytes < size)
		size = theirs->fs->size_bytes;
	if (info->internal) {
		from = info->log_daddr;
		to = from + info->log_size_bb;
	}
	for (uint64_t at = 0; at < size; at += DEV_IO_BYTES) {
		size_t len = size - at < DEV_IO_BYTES ? (size_t)(size - at) :
			     DEV_IO_BYTES;

		read_both(at / BB_SIZE, a, b, len);
		for (size_t i = 0; i < len; i += BB_SIZE) {
			uint64_t daddr = (at + i) / BB_SIZE;

			if ((daddr >= from && daddr < to) ||
			    !memcmp(a + i, b + i, BB_SIZE))
				continue;
			printf("sector %llu, which replay does not touch\n",
			       (unsigned long long)daddr);
			counts[CLASS_WRONG]++;
		}
	}
}

/* --- replaying --- */

static void find(struct xlog *log, struct xlog_bounds *bounds)
{
	struct sink sink = log->sink;
	int rc;

	log->sink.report = NULL;
	rc = xlog_find(log, 0, bounds);
	log->sink = sink;
	if (rc)
		die("find", rc);
}

/* Returns what it touched, for targets_free(). */
static struct target_table *replay(const struct xlog_bounds *bounds)
{
	struct target_table *touched;
	struct xlog_recover_options options = { .stop_lsn = XLOG_LSN_NONE };
	struct xlog_recover_result res = { .bounds = *bounds };
	struct replay r = { .log = ours, .opts = &options, .res = &res };
	int rc;

	r.max_bytes = UINT64_MAX / 4;
	r.order = bounds->fmt == XLOG_FMT_LINUX_LE ? XFS_LE : XFS_BE;
	rc = replay_start(&r);
	if (!rc)
		rc = plan_make(&r);
	if (!rc)
		rc = window_load(&r, 0, targets_count(r.targets));
	if (!rc)
		rc = window_write(&r);
	if (rc)
		die("replay", rc);
	printf("%llu checkpoints, ", (unsigned long long)res.checkpoints);
	touched = r.targets;
	r.targets = NULL;
	replay_fini(&r);
	return touched;
}

/* The superblock as replayed is the one to go on with. */
static void take_superblock(void)
{
	size_t len = ours->geom.sectsize;
	int rc = dev_read(ours->fs, 0, ours->sb_raw, len);

	if (rc)
		die("superblock", rc);
	xfs_sb_decode(&ours->sb, ours->sb_raw, len, XFS_BE);
	xfs_geom_init(&ours->geom, &ours->sb);
}

static void take_log(void)
{
	static uint8_t buf[DEV_IO_BYTES];
	uint64_t size = (uint64_t)ours->nbb * BB_SIZE;

	for (uint64_t at = 0; at < size; at += DEV_IO_BYTES) {
		size_t len = size - at < DEV_IO_BYTES ? (size_t)(size - at) :
			     DEV_IO_BYTES;
		int rc = dev_read(theirs->dev, at, buf, len);

		if (!rc)
			rc = dev_write(ours->dev, at, buf, len);
		if (rc)
			die("log", rc);
	}
}

int main(int argc, char **argv)
{
	struct target_table *first, *second;
	struct xlog_bounds dirty, clean;

	if (argc != 3 && argc != 5)
		die("usage: agree DIRTY KERNEL [LOG KERNEL-LOG]", 0);
	ours = open_image(argv[1], argc == 5 ? argv[3] : NULL);
	theirs = open_image(argv[2], argc == 5 ? argv[4] : NULL);
	find(ours, &dirty);
	find(theirs, &clean);
	if (dirty.state != XLOG_DIRTY || clean.state != XLOG_CLEAN)
		die("not a dirty and a clean log", 0);
	first = replay(&dirty);
	take_superblock();
	take_log();
	clean.tail = dirty.head;
	clean.fmt = dirty.fmt;
	second = replay(&clean);
	compare_targets(first, second);
	compare_targets(second, NULL);
	compare_rest();
	for (unsigned int i = 0; i < CLASSES; i++)
		printf("%s %llu%s", class_names[i],
		       (unsigned long long)counts[i],
		       i + 1 < CLASSES ? ", " : "\n");
	targets_free(first);
	targets_free(second);
	xlog_close(ours);
	xlog_close(theirs);
	return counts[CLASS_WRONG] != 0;
}
