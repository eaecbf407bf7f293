/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The filesystem itself: opening, blocks, inodes, replay. See testfs.h; the
 * log is in testfs_log.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libxfsfmt/crc32c.h"
#include "libxlog/base/list.h"
#include "libxlog/dev/dev_priv.h"
#include "libxlog/dev/fault.h"
#include "tests/lib/testfs.h"

enum {
	BLOCK_AG = 3,			/* where testfs_free() is */
	BLOCK_AGBNO = 1000,
	SHORT_V5_BYTES = 56,		/* header of a btree block */
	SHORT_V4_BYTES = 16,
	SHORT_LSN_OFF = 24,
	SHORT_CRC_OFF = 52,
};

static void take_report(void *ctx, const struct xlog_report *r)
{
	struct testfs *fs = ctx;
	size_t used = strlen(fs->reports);

	if (r->severity != XLOG_STEP)
		snprintf(fs->reports + used, sizeof(fs->reports) - used,
			 "%d %s %s\n", (int)r->severity, r->code, r->text);
}

/*
 * tests/images/@name@suffix, or what make has unpacked of it; NULL if there is
 * no such file.
 */
static const char *image_path(char *buf, size_t room, const char *name,
			      const char *suffix)
{
	const char *dir = getenv("IMAGES"), *unpacked = getenv("UNPACKED");

	if (unpacked && *unpacked) {
		snprintf(buf, room, "%s/%s%s", unpacked, name, suffix);
		if (!access(buf, R_OK))
			return buf;
	}
	snprintf(buf, room, "%s/%s%s.zst", dir ? dir : "tests/images", name,
		 suffix);
	return access(buf, R_OK) ? NULL : buf;
}

struct testfs *testfs_open(const char *name)
{
	char path[512], logpath[512];
	const char *logdev = image_path(logpath, sizeof(logpath), name,
					".img.logdev");
	struct testfs *fs = calloc(1, sizeof(*fs));
	struct xlog_open_options opts = {
		.flags = XLOG_OPEN_OVERLAY,
		.logdev = logdev,
		.report = take_report,
		.report_ctx = fs,
	};

	cr_assert_not_null(fs);
	cr_assert_not_null(image_path(path, sizeof(path), name, ".img"),
			   "no image %s", name);
	cr_assert_eq(xlog_open(path, &opts, &fs->log), 0, "%s", fs->reports);
	fs->order = XFS_LE;
	fs->size_bytes = XLOG_HEADER_SPAN_BYTES;
	fs->next_tid = 0x11110000;
	fs->prev_block = UINT32_MAX;
	return fs;
}

/* --- a device that stands on another, and does not own it --- */

struct borrow {
	struct dev	dev;
	struct dev	*below;
};

static int borrow_read(struct dev *dev, uint64_t off_bytes, void *buf,
		       size_t len)
{
	struct borrow *b = container_of(dev, struct borrow, dev);

	return dev_read(b->below, off_bytes, buf, len);
}

static void borrow_close(struct dev *dev)
{
	free(container_of(dev, struct borrow, dev));
}

static const struct dev_ops borrow_ops = {
	.kind = "borrow",
	.read = borrow_read,
	.close = borrow_close,
};

static struct dev *borrow(struct dev *below, const struct sink *sink)
{
	struct borrow *b = calloc(1, sizeof(*b));

	cr_assert_not_null(b);
	dev_init(&b->dev, &borrow_ops, sink, below->name);
	b->dev.size_bytes = below->size_bytes;
	b->dev.sector_bytes = below->sector_bytes;
	b->below = below;
	return &b->dev;
}

struct testfs *testfs_fork(struct testfs *fs, struct dev **fault)
{
	struct testfs *twin = calloc(1, sizeof(*twin));
	struct xlog *log = malloc(sizeof(*log));
	struct dev *dev;

	cr_assert(twin && log);
	cr_assert(fs->log->info.internal);
	*twin = (struct testfs){ .log = log, .order = fs->order,
				 .size_bytes = fs->size_bytes,
				 .forked = true };
	*log = *fs->log;
	log->sink = (struct sink){ take_report, twin };
	cr_assert_eq(dev_open_overlay(borrow(fs->log->fs, &log->sink), 0,
				      NULL, &dev), 0);
	if (fault) {
		cr_assert_eq(dev_open_fault(dev, fault), 0);
		dev = *fault;
	}
	log->fs = dev;
	cr_assert_eq(dev_open_window(dev, log->info.log_daddr * BB_SIZE,
				     (uint64_t)log->nbb * BB_SIZE,
				     &log->dev), 0);
	return twin;
}

void testfs_close(struct testfs *fs)
{
	if (fs->forked) {
		dev_close(fs->log->dev);
		free(fs->log);
	} else {
		xlog_close(fs->log);
	}
	free(fs->record);
	free(fs);
}

bool testfs_said(const struct testfs *fs, const char *text)
{
	return strstr(fs->reports, text);
}

/* --- blocks --- */

void testfs_peek(struct testfs *fs, xfs_daddr_t daddr, void *buf, size_t len)
{
	cr_assert_eq(dev_read(fs->log->fs, daddr * BB_SIZE, buf, len), 0);
}

void testfs_poke(struct testfs *fs, xfs_daddr_t daddr, const void *buf,
		 size_t len)
{
	cr_assert_eq(dev_write(fs->log->fs, daddr * BB_SIZE, buf, len), 0);
}

void testfs_reload(struct testfs *fs)
{
	struct xlog *log = fs->log;
	size_t len = log->geom.sectsize;

	testfs_peek(fs, 0, log->sb_raw, len);
	xfs_sb_decode(&log->sb, log->sb_raw, len, XFS_BE);
	xfs_geom_init(&log->geom, &log->sb);
}

void testfs_block(struct testfs *fs, void *buf, xfs_daddr_t daddr,
		  xfs_lsn_t lsn, uint8_t fill)
{
	const struct xfs_geom *g = &fs->log->geom;
	uint8_t *p = buf;

	memset(p, fill, g->blocksize);
	memset(p, 0, g->v5 ? SHORT_V5_BYTES : SHORT_V4_BYTES);
	put_be32(p, g->v5 ? XFS_ABTB_CRC_MAGIC : XFS_ABTB_MAGIC);
	put_be64(p + 8, UINT64_MAX);		/* both siblings */
	if (!g->v5)
		return;
	put_be64(p + 16, daddr);
	put_be64(p + SHORT_LSN_OFF, lsn);
	memcpy(p + 32, g->meta_uuid, 16);
	put_be32(p + 48, xfs_daddr_agno(g, daddr));
	put_le32(p + SHORT_CRC_OFF, xfs_crc_block(p, g->blocksize,
						  SHORT_CRC_OFF));
}

xfs_lsn_t testfs_block_lsn(struct testfs *fs, xfs_daddr_t daddr)
{
	uint8_t sector[BB_SIZE];

	testfs_peek(fs, daddr, sector, sizeof(sector));
	return get_be64(sector + SHORT_LSN_OFF);
}

uint8_t testfs_byte(struct testfs *fs, xfs_daddr_t daddr, size_t off)
{
	uint8_t sector[BB_SIZE];

	testfs_peek(fs, daddr + off / BB_SIZE, sector, sizeof(sector));
	return sector[off % BB_SIZE];
}

bool testfs_block_sound(struct testfs *fs, xfs_daddr_t daddr)
{
	uint32_t len = fs->log->geom.blocksize;
	uint8_t *p = malloc(len);
	bool sound;

	cr_assert_not_null(p);
	testfs_peek(fs, daddr, p, len);
	sound = xfs_crc_ok(p, len, SHORT_CRC_OFF);
	free(p);
	return sound;
}

xfs_daddr_t testfs_free(const struct testfs *fs, unsigned int n)
{
	return xfs_agb_to_daddr(&fs->log->geom, BLOCK_AG, BLOCK_AGBNO + n);
}

static uint32_t dev_digest(struct dev *dev, uint64_t off, uint64_t left,
			   uint32_t crc)
{
	uint8_t *buf = malloc(DEV_IO_BYTES);

	cr_assert_not_null(buf);
	while (left) {
		size_t n = left < DEV_IO_BYTES ? (size_t)left : DEV_IO_BYTES;

		cr_assert_eq(dev_read(dev, off, buf, n), 0);
		crc = xfs_crc32c(crc, buf, n);
		off += n;
		left -= n;
	}
	free(buf);
	return crc;
}

uint32_t testfs_digest(struct testfs *fs)
{
	const struct xlog *log = fs->log;
	uint32_t crc = dev_digest(log->fs, 0, log->fs->size_bytes,
				  XFS_CRC_SEED);

	if (!log->info.internal)
		crc = dev_digest(log->dev, 0, log->dev->size_bytes, crc);
	return crc;
}

uint32_t testfs_digest_meta(struct testfs *fs)
{
	const struct xlog *log = fs->log;
	uint64_t size = log->fs->size_bytes;
	uint64_t start = log->info.internal ? log->info.log_daddr * BB_SIZE :
			 size;
	uint64_t end = log->info.internal ?
		       start + (uint64_t)log->nbb * BB_SIZE : size;
	uint8_t raw[BB_SIZE];
	uint32_t crc;

	testfs_peek(fs, 0, raw, sizeof(raw));
	memset(raw + XFS_SB_CRC_OFF, 0, 4);
	memset(raw + XFS_SB_LSN_OFF, 0, 8);
	crc = xfs_crc32c(XFS_CRC_SEED, raw, sizeof(raw));
	crc = dev_digest(log->fs, BB_SIZE, start - BB_SIZE, crc);
	return dev_digest(log->fs, end, size - end, crc);
}

/* --- inodes --- */

/* As mkfs.xfs and the kernel size them: 8 KiB for each 256 bytes of inode. */
static uint32_t cluster_bytes(const struct xfs_geom *g)
{
	uint32_t bytes = g->v5 ? 8192 * (g->inodesize / 256) : 8192;

	return bytes < g->blocksize ? g->blocksize : bytes;
}

struct testfs_inode testfs_inode(const struct testfs *fs, xfs_ino_t ino)
{
	const struct xfs_geom *g = &fs->log->geom;
	uint32_t len = cluster_bytes(g);
	uint64_t byte = (ino & (((uint64_t)1 << g->inopblog) - 1)) *
			g->inodesize;
	/* chunks begin at whole clusters here */
	uint32_t agbno = xfs_ino_agbno(g, ino);
	uint32_t in = agbno % (len / g->blocksize);

	return (struct testfs_inode){
		.ino = ino,
		.daddr = xfs_agb_to_daddr(g, xfs_ino_agno(g, ino), agbno - in),
		.len_bb = len / BB_SIZE,
		.boffset = (uint32_t)(byte + (uint64_t)in * g->blocksize),
	};
}

void testfs_inode_peek(struct testfs *fs, xfs_ino_t ino, void *raw)
{
	struct testfs_inode at = testfs_inode(fs, ino);
	uint8_t *p = malloc((size_t)at.len_bb * BB_SIZE);

	cr_assert_not_null(p);
	testfs_peek(fs, at.daddr, p, (size_t)at.len_bb * BB_SIZE);
	memcpy(raw, p + at.boffset, fs->log->geom.inodesize);
	free(p);
}

void testfs_inode_poke(struct testfs *fs, xfs_ino_t ino, const void *raw)
{
	struct testfs_inode at = testfs_inode(fs, ino);
	uint8_t *p = malloc((size_t)at.len_bb * BB_SIZE);

	cr_assert_not_null(p);
	testfs_peek(fs, at.daddr, p, (size_t)at.len_bb * BB_SIZE);
	memcpy(p + at.boffset, raw, fs->log->geom.inodesize);
	testfs_poke(fs, at.daddr, p, (size_t)at.len_bb * BB_SIZE);
	free(p);
}

void testfs_inode_sum(struct testfs *fs, void *raw)
{
	const struct xfs_geom *g = &fs->log->geom;

	if (g->v5)
		put_le32((uint8_t *)raw + 100,
			 xfs_crc_block(raw, g->inodesize, 100));
}

void testfs_file(struct testfs *fs, void *raw, xfs_ino_t ino, xfs_lsn_t lsn,
		 uint64_t size)
{
	const struct xfs_geom *g = &fs->log->geom;
	uint8_t *p = raw;

	memset(p, 0, g->inodesize);
	put_be16(p, 0x494e);
	put_be16(p + 2, 0100644);
	p[4] = g->v5 ? 3 : 2;
	p[5] = XFS_DINODE_FMT_EXTENTS;
	put_be32(p + 16, 1);			/* links */
	put_be64(p + 56, size);
	p[83] = XFS_DINODE_FMT_EXTENTS;
	put_be32(p + 96, UINT32_MAX);
	if (!g->v5)
		return;
	put_be64(p + 112, lsn);
	put_be64(p + 120, g->bigtime ? 8 : 0);
	put_be64(p + 152, ino);
	memcpy(p + 160, g->meta_uuid, 16);
	testfs_inode_sum(fs, p);
}

/* --- replay --- */

void testfs_mark(struct testfs *fs)
{
	fs->digest = testfs_digest(fs);
	fs->written = fs->log->fs->bytes_written +
		      fs->log->dev->bytes_written;
}

bool testfs_untouched(struct testfs *fs)
{
	return fs->written == fs->log->fs->bytes_written +
			      fs->log->dev->bytes_written &&
	       fs->digest == testfs_digest(fs);
}

void testfs_replay(struct testfs *fs, const struct xlog_recover_options *opts,
		   struct xlog_recover_result *res)
{
	struct xlog_recover_options o = { .stop_lsn = XLOG_LSN_NONE };
	struct xlog_recover_result dropped;

	if (opts)
		o = *opts;
	/* all of it, and nothing of what comes after replay */
	if (!o.stop_count && o.stop_lsn == XLOG_LSN_NONE)
		o.stop_count = UINT64_MAX;
	cr_assert_eq(xlog_recover(fs->log, &o, res ? res : &dropped), 0,
		     "%s", fs->reports);
}

static void refuses(struct testfs *fs,
		    const struct xlog_recover_options *opts, int rc,
		    const char *text)
{
	struct xlog_recover_result res;

	fs->reports[0] = '\0';
	testfs_mark(fs);
	cr_assert_eq(xlog_recover(fs->log, opts, &res), rc, "reports:\n%s",
		     fs->reports);
	cr_assert(testfs_said(fs, text), "not \"%s\":\n%s", text, fs->reports);
	cr_assert_not(res.wrote);
	cr_assert(testfs_untouched(fs));
}

void testfs_refuses(struct testfs *fs, int rc, const char *text)
{
	struct xlog_recover_options all = {
		.stop_lsn = XLOG_LSN_NONE,
		.stop_count = UINT64_MAX,
	};

	refuses(fs, &all, rc, text);
	refuses(fs, NULL, rc, text);
}
