/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two files have exchanged their extents, and the blocks of their btrees were
 * written, all but the owner: as a recovery by the kernel leaves them, which
 * refuses such a log half way. Recovery must end with the same filesystem as
 * one of the log as it was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxfsfmt/btree.h"
#include "libxfsfmt/crc32c.h"
#include "libxlog/read/read.h"

/* Of truth-swapext: the items with DOWNER are for these. */
static const xfs_ino_t inodes[] = { 65785, 65786 };

static int bad;

static void expect(const char *what, uint64_t got, uint64_t want)
{
	if (got == want)
		return;
	printf("%s: %llu, not %llu\n", what, (unsigned long long)got,
	       (unsigned long long)want);
	bad = 1;
}

static struct xlog *open_image(void)
{
	const struct xlog_open_options opts = { .flags = XLOG_OPEN_OVERLAY };
	const char *images = getenv("IMAGES");
	struct xlog *log;
	char path[1024];

	snprintf(path, sizeof(path), "%s/linux618/truth-swapext.img.zst",
		 images ? images : "tests/images");
	if (xlog_open(path, &opts, &log)) {
		printf("cannot open %s\n", path);
		exit(1);
	}
	return log;
}

static void recover(struct xlog *log, struct xlog_recover_result *res)
{
	expect("recovery returns", (uint64_t)-xlog_recover(log, NULL, res), 0);
	expect("log is clean", res->state, XLOG_CLEAN);
}

/* All of the data device. */
static uint8_t *read_all(struct xlog *log)
{
	uint8_t *all = malloc(log->fs->size_bytes);

	if (!all || dev_read(log->fs, 0, all, log->fs->size_bytes)) {
		printf("cannot read the image\n");
		exit(1);
	}
	return all;
}

static bool is_in_log(const struct xlog *log, uint64_t off)
{
	uint64_t begin = log->info.log_daddr * BB_SIZE;

	return off >= begin &&
	       off < begin + (uint64_t)log->info.log_size_bb * BB_SIZE;
}

static bool is_of(const uint8_t *block, xfs_ino_t ino)
{
	return get_be32(block) == XFS_BMAP_CRC_MAGIC &&
	       get_be64(block + XFS_BTREE_LONG_OWNER_OFF) == ino;
}

/* Blocks of @ino become those of @other, on the disk before recovery. */
static unsigned int spoil(struct xlog *log, const uint8_t *good,
			  xfs_ino_t ino, xfs_ino_t other)
{
	size_t len = log->geom.blocksize;
	uint8_t *block = malloc(len);
	unsigned int n = 0;

	for (uint64_t off = 0; block && off < log->fs->size_bytes; off += len) {
		if (is_in_log(log, off) || !is_of(good + off, ino))
			continue;
		memcpy(block, good + off, len);
		put_be64(block + XFS_BTREE_LONG_OWNER_OFF, other);
		put_le32(block + XFS_BTREE_LONG_CRC_OFF,
			 xfs_crc_block(block, len, XFS_BTREE_LONG_CRC_OFF));
		expect("writing returns",
		       (uint64_t)-dev_write(log->fs, off, block, len), 0);
		n++;
	}
	free(block);
	return n;
}

static void compare(const struct xlog *log, const uint8_t *good,
		    const uint8_t *other)
{
	uint64_t differ = 0;

	for (uint64_t off = 0; off < log->fs->size_bytes; off += BB_SIZE)
		differ += !is_in_log(log, off) &&
			  memcmp(good + off, other + off, BB_SIZE);
	expect("sectors differ", differ, 0);
}

int main(void)
{
	struct xlog *log = open_image();
	struct xlog_recover_result res, again;
	uint8_t *good, *healed;

	recover(log, &res);
	good = read_all(log);
	xlog_close(log);
	log = open_image();
	for (unsigned int i = 0; i < 2; i++)
		expect("blocks have another owner",
		       spoil(log, good, inodes[i], inodes[!i]) > 0, true);
	recover(log, &again);
	healed = read_all(log);
	compare(log, good, healed);
	/* they are as new as the log, and changed all the same */
	expect("newer than the log", again.newer > res.newer, true);
	xlog_close(log);
	free(healed);
	free(good);
	return bad;
}
