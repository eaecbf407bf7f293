/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * format_same OURS THEIRS [OUR-LOG THEIR-LOG]: are two empty filesystems of the
 * same geometry and UUID the same, byte for byte? Fields that may differ are in
 * a table; the checksum of what has one must be right all the same. All of both
 * files is compared, what is free included, and holes are zeros.
 *
 * Prints how many blocks, sectors and inodes there are of metadata, and how
 * often which field differed. Exit status 1 if anything else does.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libxfsfmt/ag.h"
#include "libxfsfmt/btree.h"
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/endian.h"
#include "libxfsfmt/inode.h"
#include "libxfsfmt/sb.h"

enum {
	CHUNK = 65536,
	CHUNK_INODES = 64,
	NO_CRC = 0,
	NUMRECS_OFF = 6,		/* in a btree block */
	BTREE_CRC_OFF = 52,
	RECORDS_OFF = 56,
	FREE_RECORD_BYTES = 8,		/* of free space */
	BEHIND_RECORDS = -1,		/* where, in the table below */
};

/* FREE_BTREE: of free space, by block and by size. */
enum kind { SB, AGF, AGI, AGFL, FREE_BTREE, BTREE, INODE, LOG, FREE };

static const struct {
	const char	*name;
	size_t		crc_off;
} kinds[] = {
	[SB] = { "superblock", XFS_SB_CRC_OFF },
	[AGF] = { "AGF", XFS_AGF_CRC_OFF },
	[AGI] = { "AGI", XFS_AGI_CRC_OFF },
	[AGFL] = { "AGFL", XFS_AGFL_CRC_OFF },
	[FREE_BTREE] = { "btree block of free space", BTREE_CRC_OFF },
	[BTREE] = { "btree block", BTREE_CRC_OFF },
	[INODE] = { "inode", XFS_DINODE_CRC_OFF },
	[LOG] = { "log", NO_CRC },
	[FREE] = { "free block", NO_CRC },
};

/* What may differ, and why. */
static const struct row {
	enum kind	kind;
	int		off;
	size_t		len;
	const char	*field, *why;
} rows[] = {
	{ INODE, 32, 8, "di_atime", "mkfs.xfs 6.1 leaves it at 1970" },
	{ INODE, 40, 8, "di_mtime", "the time of day" },
	{ INODE, 48, 8, "di_ctime", "the time of day" },
	{ INODE, 92, 4, "di_gen", "random here, 0 there" },
	{ INODE, 100, 4, "di_crc", "follows from the others" },
	{ INODE, 144, 8, "di_crtime", "the time of day" },
	{ FREE_BTREE, BEHIND_RECORDS, FREE_RECORD_BYTES, "one-unused-record",
	  "mkfs.xfs took away from free space, here it is zeros" },
	{ FREE_BTREE, BTREE_CRC_OFF, 4, "bb_crc", "follows from that" },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
_Static_assert(ROWS <= 12, "the same, but for a few fields");

static struct {
	const char	*name;
	int		fd;
} ours, theirs;

static struct xfs_sb sb;
static struct xfs_geom geom;
static bool external_log;	/* these files are: all of them is log */
static unsigned long used[ROWS], differ;

static void fail(const char *why, const char *what)
{
	fprintf(stderr, "format_same: %s: %s\n", what, why);
	exit(2);
}

static void *memory(size_t len)
{
	void *p = calloc(1, len);

	if (!p)
		fail("out of memory", "here");
	return p;
}

/* --- what lies where --- */

struct thing {
	enum kind	kind;
	uint64_t	off;		/* in bytes, and how many */
	size_t		len;
};

static void read_at(int fd, uint64_t off, void *buf, size_t len)
{
	memset(buf, 0, len);
	/* a short read: the file ends there */
	if (pread(fd, buf, len, (off_t)off) < 0)
		fail("cannot be read", ours.name);
}

/* Of a block that is no inode: is it the root of a btree, as our headers say? */
static enum kind root_kind(uint64_t ag_off, uint32_t agbno)
{
	uint32_t len = geom.sectsize;
	uint8_t *raw = memory(4 * (size_t)len);
	struct xfs_agf agf;
	struct xfs_agi agi;

	read_at(ours.fd, ag_off, raw, 4 * (size_t)len);
	xfs_agf_decode(&agf, raw + len, len, XFS_BE);
	xfs_agi_decode(&agi, raw + 2 * len, len, XFS_BE);
	free(raw);
	if (agbno == agf.agf_bnoroot || agbno == agf.agf_cntroot)
		return FREE_BTREE;
	if ((geom.rmapbt && agbno == agf.agf_rmaproot) ||
	    (geom.reflink && agbno == agf.agf_refcount_root) ||
	    agbno == agi.agi_root ||
	    (geom.finobt && agbno == agi.agi_free_root))
		return BTREE;
	return FREE;
}

static bool is_inode(uint32_t agno, uint32_t agbno)
{
	uint32_t first = xfs_ino_agbno(&geom, sb.sb_rootino);
	uint32_t blocks = CHUNK_INODES * geom.inodesize >> geom.blocklog;

	return !agno && agbno >= first && agbno < first + (blocks ? blocks : 1);
}

static bool is_log(uint64_t off)
{
	uint64_t start = xfs_fsb_to_daddr(&geom, sb.sb_logstart) * 512;

	return sb.sb_logstart && off >= start &&
	       off < start + ((uint64_t)sb.sb_logblocks << geom.blocklog);
}

static struct thing thing_at(uint64_t off)
{
	uint64_t ag_bytes = (uint64_t)sb.sb_agblocks << geom.blocklog;
	uint32_t agno = (uint32_t)(off / ag_bytes);
	uint64_t in_ag = off % ag_bytes;
	uint32_t agbno = (uint32_t)(in_ag >> geom.blocklog);
	struct thing t = { FREE, off / 512 * 512, 512 };

	if (external_log || is_log(off)) {
		t.kind = LOG;
	} else if (agno >= sb.sb_agcount) {
		return t;
	} else if (in_ag < 4 * (uint64_t)geom.sectsize) {
		t.kind = (enum kind)(SB + in_ag / geom.sectsize);
		t.len = geom.sectsize;
	} else if (is_inode(agno, agbno)) {
		t.kind = INODE;
		t.len = geom.inodesize;
	} else {
		t.kind = root_kind(off - in_ag, agbno);
		t.len = t.kind == FREE ? t.len : geom.blocksize;
	}
	t.off = off / t.len * t.len;
	return t;
}

/* --- comparing --- */

static void tell(const struct thing *t, size_t at, const char *what)
{
	/* one line is enough of each, and not of thousands */
	if (differ++ < 20)
		printf("%s at byte %llu: %s%s%.0zu\n", kinds[t->kind].name,
		       (unsigned long long)t->off, what,
		       at ? " " : "", at);
}

/* Make what may differ in @a as it is in @b. */
static void allow(const struct thing *t, uint8_t *a, const uint8_t *b)
{
	for (unsigned int i = 0; i < ROWS; i++) {
		size_t off = (size_t)rows[i].off;

		if (rows[i].kind != t->kind)
			continue;
		if (rows[i].off == BEHIND_RECORDS)
			off = RECORDS_OFF + FREE_RECORD_BYTES *
			      (size_t)get_be16(b + NUMRECS_OFF);
		if (off + rows[i].len > t->len)
			continue;
		used[i] += memcmp(a + off, b + off, rows[i].len) != 0;
		memcpy(a + off, b + off, rows[i].len);
	}
}

static void compare_thing(const struct thing *t)
{
	uint8_t *a = memory(t->len), *b = memory(t->len);
	size_t crc = kinds[t->kind].crc_off;

	read_at(ours.fd, t->off, a, t->len);
	read_at(theirs.fd, t->off, b, t->len);
	if (crc && !(xfs_crc_ok(a, t->len, crc) && xfs_crc_ok(b, t->len, crc)))
		tell(t, 0, "wrong checksum");
	allow(t, a, b);
	for (size_t i = 0; i < t->len; i++) {
		if (a[i] == b[i])
			continue;
		tell(t, i, "differs from byte");
		break;
	}
	free(a);
	free(b);
}

/* @len bytes from @off, things that differ one by one. */
static void compare_range(uint64_t off, const uint8_t *a, const uint8_t *b,
			  size_t len)
{
	for (size_t i = 0; i < len; ) {
		struct thing t;

		if (a[i] == b[i]) {
			i++;
			continue;
		}
		/* none goes across the border of a range */
		t = thing_at(off + i);
		compare_thing(&t);
		i = (size_t)(t.off + t.len - off);
	}
}

/* The first byte from @off on that is not in a hole, or the end. */
static uint64_t next_data(int fd, uint64_t off, uint64_t size)
{
	off_t at = lseek(fd, (off_t)off, SEEK_DATA);

	return at < 0 ? size : (uint64_t)at;
}

static void compare(void)
{
	uint64_t size = (uint64_t)lseek(ours.fd, 0, SEEK_END);
	uint8_t *a = memory(CHUNK), *b = memory(CHUNK);

	if ((uint64_t)lseek(theirs.fd, 0, SEEK_END) != size)
		fail("not of the same size", theirs.name);
	for (uint64_t off = 0; off < size; off += CHUNK) {
		uint64_t x = next_data(ours.fd, off, size);
		uint64_t y = next_data(theirs.fd, off, size);

		off = (x < y ? x : y) / CHUNK * CHUNK;
		if (off >= size)
			break;
		read_at(ours.fd, off, a, CHUNK);
		read_at(theirs.fd, off, b, CHUNK);
		if (memcmp(a, b, CHUNK))
			compare_range(off, a, b, CHUNK);
	}
	free(a);
	free(b);
}

static void open_both(const char *our_name, const char *their_name)
{
	ours.name = our_name;
	theirs.name = their_name;
	ours.fd = open(our_name, O_RDONLY | O_CLOEXEC);
	theirs.fd = open(their_name, O_RDONLY | O_CLOEXEC);
	if (ours.fd < 0 || theirs.fd < 0)
		fail("cannot be opened", ours.fd < 0 ? our_name : their_name);
}

/* Of metadata, the log aside: what is written is what is compared. */
static unsigned long things(void)
{
	unsigned long roots = 3;
	unsigned long inodes = geom.blocksize / geom.inodesize;

	roots += geom.finobt;
	roots += geom.rmapbt;
	roots += geom.reflink;
	if (inodes < CHUNK_INODES)
		inodes = CHUNK_INODES;
	return sb.sb_agcount * (4 + roots) + inodes;
}

int main(int argc, char **argv)
{
	uint8_t raw[32768];
	const char *why;
	unsigned long n;

	if (argc != 3 && argc != 5)
		fail("usage: format_same OURS THEIRS [OUR-LOG THEIR-LOG]", "");
	open_both(argv[1], argv[2]);
	read_at(ours.fd, 0, raw, sizeof(raw));
	xfs_sb_decode(&sb, raw, sizeof(raw), XFS_BE);
	why = xfs_sb_verify(&sb, raw, sizeof(raw));
	if (why)
		fail(why, argv[1]);
	xfs_geom_init(&geom, &sb);
	n = things();
	compare();
	if (argc == 5) {
		external_log = true;
		open_both(argv[3], argv[4]);
		compare();
	}
	printf("things %lu\n", n);
	for (unsigned int i = 0; i < ROWS; i++)
		if (used[i])
			printf("allowed %s %lu\n", rows[i].field, used[i]);
	return differ != 0;
}
