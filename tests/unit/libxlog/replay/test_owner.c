/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fork-owner changes, on small btrees made here: blocks of 1 KiB, inode INO
 * with a root over two nodes of two leaves each. That real ones come out right
 * is seen where whole images are recovered.
 */
#include "libxfsfmt/btree.h"
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/inode.h"
#include "tests/lib/minireplay.h"

enum {
	BLOCK = 1024, INODE = 512,
	INO = 1 << 11 | 20,		/* group 1, block 10, slot 0 */
	OTHER = 1 << 11 | 22,
	/* blocks of the tree, in group 2 */
	NODE1 = 2048 + 1, NODE2 = 2048 + 2,
	LEAF1 = 2048 + 11, LEAF2, LEAF3, LEAF4,
	LSN = 0x1234,
	LEFT_OFF = 8, RIGHT_OFF = 16, OWNER_OFF = 56, LSN_OFF = 32,
	NODE_PTRS = 72 + 59 * 8,	/* a node has room for 59 keys */
};

#define NONE	XFS_NULL_FSBLOCK

static const uint8_t uuid[16] = "uuid of the test";
static struct minireplay *m;

static uint64_t daddr_of(xfs_fsblock_t fsb)
{
	return xfs_fsb_to_daddr(&m->r.geom, fsb);
}

static void seal_block(uint8_t raw[BLOCK])
{
	put_le32(raw + XFS_BTREE_LONG_CRC_OFF,
		 xfs_crc_block(raw, BLOCK, XFS_BTREE_LONG_CRC_OFF));
}

/* A block of the tree with two elements; a node has these pointers. */
static void make_block(uint8_t raw[BLOCK], xfs_fsblock_t fsb, uint16_t level,
		       xfs_fsblock_t left, xfs_fsblock_t right,
		       xfs_fsblock_t ptr1, xfs_fsblock_t ptr2)
{
	memset(raw, 0, BLOCK);
	put_be32(raw, XFS_BMAP_CRC_MAGIC);
	put_be16(raw + 4, level);
	put_be16(raw + 6, 2);
	put_be64(raw + LEFT_OFF, left);
	put_be64(raw + RIGHT_OFF, right);
	put_be64(raw + 24, daddr_of(fsb));
	put_be64(raw + LSN_OFF, LSN);
	memcpy(raw + 40, uuid, 16);
	put_be64(raw + OWNER_OFF, OTHER);
	if (level) {
		put_be64(raw + NODE_PTRS, ptr1);
		put_be64(raw + NODE_PTRS + 8, ptr2);
	}
	seal_block(raw);
}

static void put_block(xfs_fsblock_t fsb, uint16_t level, xfs_fsblock_t left,
		      xfs_fsblock_t right, xfs_fsblock_t ptr1,
		      xfs_fsblock_t ptr2)
{
	uint8_t raw[BLOCK];

	make_block(raw, fsb, level, left, right, ptr1, ptr2);
	mini_write(m, daddr_of(fsb), raw, BLOCK);
}

static void get_block(xfs_fsblock_t fsb, uint8_t raw[BLOCK])
{
	cr_assert_eq(dev_read(m->log.fs, daddr_of(fsb) * BB_SIZE, raw, BLOCK),
		     0);
}

/* Change some bytes of a block, with the right checksum. */
static void poke(xfs_fsblock_t fsb, unsigned int off, uint64_t value,
		 unsigned int bytes)
{
	uint8_t raw[BLOCK];

	get_block(fsb, raw);
	if (bytes == 2)
		put_be16(raw + off, (uint16_t)value);
	else
		put_be64(raw + off, value);
	seal_block(raw);
	mini_write(m, daddr_of(fsb), raw, BLOCK);
}

static void seal_inode(uint8_t raw[INODE], xfs_ino_t ino)
{
	put_le32(raw + XFS_DINODE_CRC_OFF,
		 xfs_crc_block(raw, INODE, XFS_DINODE_CRC_OFF));
	mini_write(m, daddr_of(ino >> 1) + (ino & 1), raw, INODE);
}

static void make_root(uint8_t *fork, size_t fork_bytes, xfs_fsblock_t ptr1,
		      xfs_fsblock_t ptr2)
{
	size_t room = (fork_bytes - 4) / 16;

	put_be16(fork, 2);
	put_be16(fork + 2, 2);
	put_be64(fork + 4 + room * 8, ptr1);
	put_be64(fork + 4 + room * 8 + 8, ptr2);
}

/* A file whose extents are a btree of two levels and its root. */
static void make_inode(uint8_t raw[INODE], xfs_ino_t ino)
{
	memset(raw, 0, INODE);
	put_be16(raw, XFS_DINODE_MAGIC);
	put_be16(raw + 2, XFS_MODE_REG | 0600);
	raw[4] = 3;
	raw[5] = XFS_DINODE_FMT_BTREE;
	put_be32(raw + 16, 1);
	put_be64(raw + 56, 1 << 20);
	put_be64(raw + 64, 200);
	put_be32(raw + 76, 100);
	raw[83] = XFS_DINODE_FMT_EXTENTS;
	put_be32(raw + 96, XFS_NULL_AGINO);
	put_be64(raw + 152, ino);
	memcpy(raw + 160, uuid, 16);
	make_root(raw + 176, INODE - 176, NODE1, NODE2);
}

static void put_inode(xfs_ino_t ino)
{
	uint8_t raw[INODE];

	make_inode(raw, ino);
	seal_inode(raw, ino);
}

/* Nothing is remembered yet. */
static void make_disk(void)
{
	m = mini_new(true, 10);
	memcpy(m->r.geom.meta_uuid, uuid, 16);
	put_inode(INO);
	put_block(NODE1, 1, NONE, NODE2, LEAF1, LEAF2);
	put_block(NODE2, 1, NODE1, NONE, LEAF3, LEAF4);
	put_block(LEAF1, 0, NONE, LEAF2, 0, 0);
	put_block(LEAF2, 0, LEAF1, LEAF3, 0, 0);
	put_block(LEAF3, 0, LEAF2, LEAF4, 0, 0);
	put_block(LEAF4, 0, LEAF3, NONE, 0, 0);
}

static void remember(xfs_ino_t ino, bool attr)
{
	cr_assert_eq(owner_remember(&m->r, ino, attr), 0);
}

static void begin(void)
{
	make_disk();
	mini_load(m);
	remember(INO, false);
}

static void end(void)
{
	mini_free(m);
}

static const xfs_fsblock_t tree[] = {
	NODE1, NODE2, LEAF1, LEAF2, LEAF3, LEAF4,
};

enum { TREE_BLOCKS = 6 };

static void assert_owners(xfs_ino_t ino)
{
	uint8_t raw[BLOCK];

	for (unsigned int i = 0; i < TREE_BLOCKS; i++) {
		get_block(tree[i], raw);
		cr_assert_eq(get_be64(raw + OWNER_OFF), ino, "block %u", i);
		cr_assert_eq(get_be64(raw + LSN_OFF), LSN);
		cr_assert_null(xfs_btree_verify(raw, BLOCK, XFS_BTREE_BMAP,
						&m->r.geom,
						daddr_of(tree[i])));
	}
}

static void assert_refused(const char *why)
{
	cr_assert_eq(owner_change(&m->r, false), -EUCLEAN);
	assert_said(&m->said, why);
}

/* --- what is changed --- */

struct told {
	uint64_t	changes, daddr;
	uint32_t	crc_before, crc_after;
};

static void tell(void *ctx, const struct xlog_change *c)
{
	struct told *told = ctx;

	cr_assert_eq(c->len_bb, BLOCK / BB_SIZE);
	cr_assert_eq(c->ag, 2);
	cr_assert_str_eq(c->type, "bmbt");
	if (c->daddr == told->daddr) {
		told->crc_before = c->crc_before;
		told->crc_after = c->crc_after;
	}
	told->changes++;
}

static uint32_t crc_on_disk(xfs_fsblock_t fsb)
{
	uint8_t raw[BLOCK];

	get_block(fsb, raw);
	return xfs_crc_final(xfs_crc32c(XFS_CRC_SEED, raw, BLOCK));
}

Test(owner_change, only_looks_and_tells_at_first)
{
	struct told told = { 0 };

	begin();
	told.daddr = daddr_of(LEAF2);
	m->opts.change = tell;
	m->opts.ctx = &told;
	poke(NODE1, OWNER_OFF, INO, 8);
	cr_assert_eq(owner_change(&m->r, false), 0, "%s", m->said.text);
	poke(NODE1, OWNER_OFF, OTHER, 8);
	assert_owners(OTHER);
	cr_assert_not(m->res.wrote);
	cr_assert_eq(told.changes, TREE_BLOCKS - 1);
	cr_assert_eq(m->res.changed, TREE_BLOCKS - 1);
	cr_assert_eq(told.crc_before, crc_on_disk(LEAF2));
	cr_assert_eq(owner_change(&m->r, true), 0);
	cr_assert_eq(told.crc_after, crc_on_disk(LEAF2));
	cr_assert_eq(m->res.changed, TREE_BLOCKS - 1);
	assert_silent(&m->said);
	end();
}

Test(owner_change, gives_all_blocks_of_the_tree_their_owner)
{
	begin();
	cr_assert_eq(owner_change(&m->r, false), 0);
	cr_assert_eq(owner_change(&m->r, true), 0);
	assert_owners(INO);
	cr_assert(m->res.wrote);
	cr_assert_eq(m->res.blocks_written, TREE_BLOCKS * BLOCK / BB_SIZE);
	assert_silent(&m->said);
	/* once more: nothing to do */
	cr_assert_eq(owner_change(&m->r, true), 0);
	cr_assert_eq(m->res.blocks_written, TREE_BLOCKS * BLOCK / BB_SIZE);
	end();
}

/* A device that loses one of the writes. */
static int lossy_write(struct dev *dev, uint64_t off_bytes, const void *buf,
		       size_t len)
{
	return off_bytes == daddr_of(LEAF3) * BB_SIZE ? 0 :
	       watch_write(dev, off_bytes, buf, len);
}

Test(owner_change, reads_back_what_it_wrote_if_asked)
{
	struct dev_ops lossy = watch_ops;
	struct watch *w;

	begin();
	w = watch_open(m->log.fs);
	m->log.fs = &w->dev;
	cr_assert_eq(owner_change(&m->r, false), 0);
	lossy.write = lossy_write;
	w->dev.ops = &lossy;
	cr_assert_eq(owner_change(&m->r, true), 0);
	m->opts.flags = XLOG_RECOVER_REREAD;
	cr_assert_eq(owner_change(&m->r, true), -EIO);
	assert_said(&m->said, "reads back as something else");
	w->dev.ops = &watch_ops;
	cr_assert_eq(owner_change(&m->r, true), 0);
	assert_owners(INO);
	end();
}

/* The attributes of OTHER lie in that tree. */
Test(owner_change, of_an_attribute_fork)
{
	uint8_t raw[INODE];

	make_disk();
	mini_load(m);
	make_inode(raw, OTHER);
	raw[5] = XFS_DINODE_FMT_EXTENTS;
	memset(raw + 176, 0, INODE - 176);
	put_be32(raw + 76, 0);
	put_be16(raw + 80, 100);
	raw[82] = 20;
	raw[83] = XFS_DINODE_FMT_BTREE;
	make_root(raw + 176 + 160, INODE - 176 - 160, NODE1, NODE2);
	seal_inode(raw, OTHER);
	poke(LEAF2, OWNER_OFF, INO, 8);
	poke(NODE1, OWNER_OFF, INO, 8);
	remember(OTHER, false);		/* has no btree there */
	remember(OTHER, true);
	cr_assert_eq(owner_change(&m->r, true), 0, "%s", m->said.text);
	assert_owners(OTHER);
	cr_assert_eq(m->res.blocks_written, 2 * BLOCK / BB_SIZE);
	end();
}

Test(owner_change, leaves_forks_alone_that_have_no_btree_any_more)
{
	uint8_t raw[INODE];

	begin();
	remember(INO, true);
	make_inode(raw, INO);
	raw[5] = XFS_DINODE_FMT_EXTENTS;
	put_be32(raw + 76, 0);
	seal_inode(raw, INO);
	cr_assert_eq(owner_change(&m->r, true), 0, "%s", m->said.text);
	/* or that are gone */
	make_inode(raw, INO);
	put_be16(raw + 2, 0);
	seal_inode(raw, INO);
	cr_assert_eq(owner_change(&m->r, true), 0, "%s", m->said.text);
	assert_owners(OTHER);
	cr_assert_not(m->res.wrote);
	end();
}

Test(owner_change, does_nothing_on_version_4_or_without_any)
{
	make_disk();
	cr_assert_eq(owner_change(&m->r, true), 0);
	remember(INO, false);
	m->r.geom.v5 = false;
	cr_assert_eq(owner_change(&m->r, true), 0);
	cr_assert_not(m->res.wrote);
	end();
}

/* A leaf is sound only as replay leaves it. */
Test(owner_change, looks_at_the_tree_as_replay_leaves_it)
{
	uint8_t raw[BLOCK];

	make_disk();
	get_block(LEAF2, raw);
	mini_write(m, daddr_of(LEAF2), uuid, sizeof(uuid));
	cr_assert_eq(targets_add(m->r.targets, daddr_of(LEAF2),
				 BLOCK / BB_SIZE, 1), 0);
	mini_load(m);
	remember(INO, false);
	memcpy(mini_target(m, daddr_of(LEAF2))->data, raw, BLOCK);
	cr_assert_eq(owner_change(&m->r, false), 0, "%s", m->said.text);
	cr_assert_eq(owner_change(&m->r, true), 0, "%s", m->said.text);
	assert_owners(INO);
	end();
}

/* --- what is remembered --- */

struct seen {
	uint64_t	calls, total;
};

static int see(void *ctx, enum xlog_phase phase, uint64_t done, uint64_t total)
{
	struct seen *seen = ctx;

	(void)phase;
	seen->calls++;
	seen->total = total;
	return done >= 500;
}

/* Each fork once, however often and in which order it comes. */
Test(owner_remember, keeps_a_set)
{
	struct seen seen = { 0, 0 };
	uint8_t raw[INODE];

	make_disk();
	mini_load(m);
	/* 2 * 200 free inodes */
	for (xfs_ino_t ino = 100; ino < 300; ino++) {
		make_inode(raw, ino);
		put_be16(raw + 2, 0);
		seal_inode(raw, ino);
	}
	m->opts.progress = see;
	m->opts.ctx = &seen;
	for (unsigned int i = 0; i < 5000; i++)
		remember(100 + i * 7919u % 200, i % 3 == 0);
	cr_assert_eq(owner_change(&m->r, false), 0, "%s", m->said.text);
	cr_assert_eq(seen.total, 400);
	cr_assert_eq(seen.calls, 400);
	/* another window tells the same */
	for (unsigned int i = 0; i < 5000; i++)
		remember(100 + i % 200, i % 3 == 0);
	cr_assert_eq(owner_change(&m->r, true), 0);
	cr_assert_eq(seen.total, 400);
	/* a new one */
	remember(INO, false);
	cr_assert_eq(owner_change(&m->r, true), 0);
	cr_assert_eq(seen.total, 401);
	assert_owners(INO);
	end();
}

Test(owner_remember, is_bounded)
{
	xfs_ino_t ino = 0;
	int rc = 0;

	make_disk();
	m->r.max_bytes = 1 << 20;
	/* far from each other, they take a word each */
	for (; !rc && ino < 10000 * 64; ino += 64)
		rc = owner_remember(&m->r, ino, false);
	cr_assert_eq(rc, -ENOMEM);
	assert_said(&m->said, "can keep track of");
	cr_assert_gt(ino, 1000 * 64);
	mini_free(m);
}

Test(owner_change, can_be_cancelled)
{
	struct seen seen = { 0, 0 };

	begin();
	for (unsigned int i = 0; i < 600; i++) {
		uint8_t raw[INODE];

		make_inode(raw, 100 + i);
		put_be16(raw + 2, 0);
		seal_inode(raw, 100 + i);
		remember(100 + i, false);
	}
	m->opts.progress = see;
	m->opts.ctx = &seen;
	cr_assert_eq(owner_change(&m->r, false), -ECANCELED);
	cr_assert_eq(seen.calls, 500);
	end();
}

/* --- what is refused, all of it before the first write --- */

Test(owner_change, refuses_damaged_blocks)
{
	uint8_t raw[BLOCK];

	begin();
	poke(LEAF3, 4, 1, 2);
	assert_refused("data extents of inode 2068, whose owner changes: a block of another level");
	poke(LEAF3, 4, 0, 2);
	poke(NODE2, 6, 60, 2);
	assert_refused("more records than it has room for");
	poke(NODE2, 6, 2, 2);
	get_block(LEAF3, raw);
	raw[500] ^= 1;
	mini_write(m, daddr_of(LEAF3), raw, BLOCK);
	assert_refused("wrong checksum");
	end();
}

Test(owner_change, refuses_pointers_out_of_the_filesystem)
{
	begin();
	poke(NODE1, NODE_PTRS, (xfs_fsblock_t)4 << 10, 8);
	assert_refused("a pointer out of the filesystem");
	poke(NODE1, NODE_PTRS, UINT64_MAX, 8);
	assert_refused("a pointer out of the filesystem");
	end();
}

Test(owner_change, refuses_pointers_into_the_log)
{
	begin();
	m->log.info.internal = true;
	m->log.info.log_daddr = daddr_of(LEAF4) + 1;
	m->log.info.log_size_bb = 100;
	assert_refused("a pointer into the log");
	m->log.info.log_daddr = daddr_of(LEAF4) + 2;
	cr_assert_eq(owner_change(&m->r, false), 0);
	m->log.info.log_daddr = daddr_of(NODE1) - 8;
	m->log.info.log_size_bb = 8;
	cr_assert_eq(owner_change(&m->r, false), 0);
	m->log.info.internal = false;
	m->log.info.log_daddr = 0;
	m->log.info.log_size_bb = UINT32_MAX;
	cr_assert_eq(owner_change(&m->r, false), 0);
	end();
}

Test(owner_change, refuses_blocks_met_twice)
{
	begin();
	poke(NODE2, NODE_PTRS, LEAF2, 8);
	assert_refused("neighbours that do not know each other");
	poke(NODE2, NODE_PTRS, LEAF3, 8);
	/* a node cannot be below itself */
	poke(NODE2, NODE_PTRS, NODE2, 8);
	assert_refused("a block of another level");
	end();
}

Test(owner_change, refuses_neighbours_that_are_none)
{
	begin();
	poke(LEAF2, RIGHT_OFF, NONE, 8);
	assert_refused("neighbours that do not know each other");
	poke(LEAF2, RIGHT_OFF, LEAF3, 8);
	poke(LEAF1, LEFT_OFF, LEAF4, 8);
	assert_refused("neighbours that do not know each other");
	poke(LEAF1, LEFT_OFF, NONE, 8);
	poke(LEAF4, RIGHT_OFF, LEAF1, 8);
	assert_refused("a last block with a neighbour");
	end();
}

Test(owner_change, refuses_two_trees_with_the_same_blocks)
{
	begin();
	put_inode(OTHER);
	remember(OTHER, false);
	assert_refused("data extents of inode 2070, whose owner changes: blocks that another btree has too");
	end();
}

Test(owner_change, refuses_damaged_inodes)
{
	uint8_t raw[INODE];

	begin();
	make_inode(raw, INO);
	put_be16(raw + 176, 0);
	seal_inode(raw, INO);
	assert_refused("root of an extent btree without levels");
	mini_write(m, daddr_of(INO >> 1), uuid, sizeof(uuid));
	assert_refused("inode 2068");
	remember(INT64_MAX, false);
	put_inode(INO);
	assert_refused("inode 9223372036854775807");
	end();
}
