/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A filesystem in memory, made by our own formatter, in use: its log without
 * threads. For tests of Criterion and plain programs. Also one of version 4,
 * which the formatter does not make: what it makes is changed into one.
 */
#ifndef TESTS_LIB_MADEFS_H
#define TESTS_LIB_MADEFS_H

#include <fcntl.h>
#include <unistd.h>

#include "libxfsfmt/ag.h"
#include "libxfsfmt/crc32c.h"
#include "libxlog/meta/meta.h"
#include "libxlog/meta/mount.h"
#include "libxlog/dev/dev_priv.h"
#include "libxlog/dev/fault.h"
#include "tests/lib/must.h"
#include "tests/lib/stack.h"

enum { MADEFS_SECTOR_MAX = 32768 };

struct madefs {
	char		said[8192];	/* "code: text\n" each */
	struct sink	sink;
	struct dev	*dev;		/* all of it, in memory; if it was
					   wanted, one of fault.h */
	struct xlog	*log;
	struct mount	*m;		/* NULL: not in use */
};

struct madefs_want {
	uint64_t	bytes;		/* 0: 64 MiB */
	uint64_t	agcount;	/* 0: 4 */
	uint32_t	block_bytes, sector_bytes;
	uint64_t	log_bytes;
	bool		v4;
	bool		no_finobt, no_rmapbt, no_reflink;
	bool		fault;		/* its power can fail */
};

static inline void madefs_said(void *ctx, const struct xlog_report *rep)
{
	struct madefs *f = ctx;
	size_t used = strlen(f->said);

	if (rep->severity == XLOG_ERROR || rep->severity == XLOG_WARNING)
		snprintf(f->said + used, sizeof(f->said) - used, "%s: %s\n",
			 rep->code, rep->text);
}

/* --- version 4 --- */

static inline void madefs_read(struct madefs *f, uint64_t daddr, void *buf,
			       size_t len)
{
	must(dev_read(f->dev, daddr * BB_SIZE, buf, len) == 0);
}

static inline void madefs_write(struct madefs *f, uint64_t daddr,
				const void *buf, size_t len)
{
	must(dev_write(f->dev, daddr * BB_SIZE, buf, len) == 0);
}

static inline void madefs_sb_v4(struct madefs *f, const struct format_plan *p)
{
	uint8_t raw[MADEFS_SECTOR_MAX] = { 0 };
	struct xfs_sb sb = p->sb;

	sb.sb_versionnum = (uint16_t)((sb.sb_versionnum &
				       ~XFS_SB_VERSION_MASK) | 4);
	sb.sb_features2 &= ~(uint32_t)XFS_SB_VERSION2_CRCBIT;
	sb.sb_features2 |= XFS_SB_VERSION2_FTYPE;
	sb.sb_bad_features2 = sb.sb_features2;
	/* clusters of inodes have one size, however large those are */
	sb.sb_inoalignmt = 8192u >> sb.sb_blocklog;
	xfs_sb_encode(raw, &sb, 0, XFS_BE);
	for (uint32_t ag = 0; ag < p->geom.agcount; ag++)
		madefs_write(f, xfs_agb_to_daddr(&p->geom, ag, 0), raw,
			     p->geom.sectsize);
}

static inline void madefs_headers_v4(struct madefs *f,
				     const struct format_plan *p, uint32_t ag)
{
	const struct xfs_geom *g = &p->geom;
	uint64_t at = xfs_agb_to_daddr(g, ag, 0), sect = g->sectsize / BB_SIZE;
	uint8_t raw[MADEFS_SECTOR_MAX];

	madefs_read(f, at + sect, raw, g->sectsize);
	memset(raw + 64, 0, g->sectsize - 64);
	memset(raw + 24, 0, 4);
	memset(raw + 36, 0, 4);
	madefs_write(f, at + sect, raw, g->sectsize);
	madefs_read(f, at + 2 * sect, raw, g->sectsize);
	memset(raw + 296, 0, g->sectsize - 296);
	madefs_write(f, at + 2 * sect, raw, g->sectsize);
	madefs_read(f, at + 3 * sect, raw, g->sectsize);
	memmove(raw, raw + xfs_agfl_size, g->sectsize - xfs_agfl_size);
	madefs_write(f, at + 3 * sect, raw, g->sectsize);
}

static inline void madefs_root_v4(struct madefs *f, const struct xfs_geom *g,
				  uint32_t ag, enum xfs_btree_kind kind)
{
	uint64_t at = xfs_agb_to_daddr(g, ag, ag_first_root(g, kind));
	uint8_t *raw = malloc(g->blocksize);

	must(raw);
	madefs_read(f, at, raw, g->blocksize);
	put_be32(raw, xfs_btree_ops[kind].magic);
	memmove(raw + XFS_BTREE_SHORT_BYTES, raw + XFS_BTREE_SHORT_CRC_BYTES,
		g->blocksize - XFS_BTREE_SHORT_CRC_BYTES);
	madefs_write(f, at, raw, g->blocksize);
	free(raw);
}

/* The fork of an inode begins behind a smaller core. */
static inline void madefs_inodes_v4(struct madefs *f,
				    const struct format_plan *p)
{
	enum { CORE_V3 = 176, CORE_V2 = 100 };
	const struct xfs_geom *g = &p->geom;
	uint64_t at = xfs_agb_to_daddr(g, 0, xfs_ino_agbno(g,
							   p->sb.sb_rootino));
	uint8_t raw[2048];

	for (uint32_t i = 0; i < ag_chunk_inodes(g); i++) {
		uint64_t ino = at + i * (g->inodesize / BB_SIZE);

		madefs_read(f, ino, raw, g->inodesize);
		raw[4] = 2;
		memmove(raw + CORE_V2, raw + CORE_V3, g->inodesize - CORE_V3);
		madefs_write(f, ino, raw, g->inodesize);
	}
}

static inline void madefs_make_v4(struct madefs *f, const struct format_plan *p)
{
	for (uint32_t ag = 0; ag < p->geom.agcount; ag++) {
		madefs_headers_v4(f, p, ag);
		for (int k = XFS_BTREE_BNO; k <= XFS_BTREE_INO; k++)
			madefs_root_v4(f, &p->geom, ag,
				       (enum xfs_btree_kind)k);
	}
	madefs_inodes_v4(f, p);
	madefs_sb_v4(f, p);
}

/* --- making it --- */

static inline void madefs_format(struct madefs *f,
				 const struct madefs_want *want)
{
	static const struct format_values values = {
		.uuid = { 1, 2, 3, 4, 5, 6, 0x40, 8, 0x80, 10, 11, 12, 13 },
		.now = { .sec = 1700000000 },
		.gen = { 1, 1, 1 },
	};
	enum xlog_choice no = want->v4 ? XLOG_NO : XLOG_DEFAULT;
	const struct xlog_format_options opts = {
		.flags = XLOG_FORMAT_EXPERT,
		.block_bytes = want->block_bytes,
		.sector_bytes = want->sector_bytes,
		.agcount = want->agcount ? want->agcount : 4,
		.log_bytes = want->log_bytes,
		.finobt = want->v4 || want->no_finobt ? XLOG_NO : XLOG_YES,
		.inobtcount = want->v4 || want->no_finobt ? XLOG_NO : XLOG_YES,
		.rmapbt = want->v4 || want->no_rmapbt ? XLOG_NO : XLOG_YES,
		.reflink = want->v4 || want->no_reflink ? XLOG_NO : XLOG_YES,
		.sparse = no, .bigtime = no, .nrext64 = no, .exchange = no,
		.parent = no,
		.report = f->sink.report, .report_ctx = f->sink.ctx,
	};
	const struct xlog_format_device facts = {
		.size_bytes = f->dev->size_bytes,
		.sector_bytes = BB_SIZE,
	};
	const struct format_target target = {
		.data = f->dev, .sink = f->sink,
	};
	struct format_plan plan;

	must_say(format_plan_init(&plan, &opts, &facts, NULL) == 0, "%s",
		 f->said);
	must_say(format_write(&plan, &values, &target) == 0, "%s", f->said);
	if (want->v4)
		madefs_make_v4(f, &plan);
}

/* Use it, again perhaps. */
static inline void madefs_mount(struct madefs *f)
{
	const struct mount_options opts = { .flags = LOG_NO_THREADS,
					    .seed = 1 };

	must_say(stack_open(f->dev, NULL, &f->sink, &f->log) == 0, "%s",
		 f->said);
	must_say(mount_open(f->log, &opts, &f->m) == 0, "%s", f->said);
}

/* Power fails, or it was unmounted before. */
static inline void madefs_stop(struct madefs *f)
{
	mount_close(f->m);
	f->m = NULL;
	xlog_close(f->log);
	f->log = NULL;
}

/* Recover it, and use it again. */
static inline void madefs_recover(struct madefs *f)
{
	struct xlog_recover_result res;

	must(stack_open(f->dev, NULL, &f->sink, &f->log) == 0);
	f->said[0] = 0;
	must_say(xlog_recover(f->log, NULL, &res) == 0, "%s", f->said);
	xlog_close(f->log);
	madefs_mount(f);
}

static inline void madefs_unmount(struct madefs *f)
{
	must_say(mount_unmount(f->m) == 0, "%s", f->said);
	madefs_stop(f);
}

static inline struct madefs *madefs_new(const struct madefs_want *want)
{
	struct madefs *f = calloc(1, sizeof(*f));

	must(f);
	f->sink = (struct sink){ madefs_said, f };
	must(dev_open_overlay(NULL, want->bytes ? want->bytes : 64 << 20,
			      &f->sink, &f->dev) == 0);
	madefs_format(f, want);
	if (want->fault) {
		struct dev *fault;

		must(dev_open_fault(f->dev, &fault) == 0);
		f->dev = fault;
	}
	madefs_mount(f);
	return f;
}

static inline void madefs_free(struct madefs *f)
{
	if (f->m)
		madefs_stop(f);
	dev_close(f->dev);
	free(f);
}

/* Put the filesystem, which is not in use, into a file. */
static inline void madefs_save(struct madefs *f, const char *path)
{
	enum { PIECE = 1 << 20 };
	static uint8_t buf[PIECE];
	int fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);

	must(fd >= 0);
	for (uint64_t off = 0; off < f->dev->size_bytes; off += PIECE) {
		must(dev_read(f->dev, off, buf, PIECE) == 0);
		must(pwrite(fd, buf, PIECE, (off_t)off) == PIECE);
	}
	must(close(fd) == 0);
}

#endif
