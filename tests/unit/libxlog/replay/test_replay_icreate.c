/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * New inode chunks: an item as a kernel logged it, and two inodes of the chunk
 * that nobody used before the same kernel recovered it: the last of the first
 * buffer and the first of the second.
 */
#include "libxfsfmt/inode.h"
#include "tests/lib/fixture.h"
#include "tests/lib/minireplay.h"

enum {
	INODE = 512,
	CLUSTER_BB = 32,
	CLUSTER_INODES = 32,
	DADDR = (6144 + 1000) * 8,	/* group 1, block 1000 */
	FIRST_INO = (8192 + 1000) * 8,
};

/* i386-v5, record 1:4989 */
static const char chunk_le[] =
	"3f12 0100 00000001 000003e8 00000040 00000200 00000008 f9622851";
static const char chunk_be[] =
	"123f 0001 00000001 000003e8 00000040 00000200 00000008 f9622851";

static struct minireplay *m;
static struct item *it;
static uint8_t made[2 * INODE];

/* The geometry of i386-v5. */
static void begin(enum xfs_order order, const char *item)
{
	struct xfs_geom *g;

	m = mini_new(true, 12);
	g = &m->r.geom;
	g->agblklog = 13;
	g->agblocks = 6144;
	g->dblocks = 4 * 6144;
	g->sparse_blocks = 4;
	dev_close(m->log.fs);
	m->log.fs = memdev_zeros(g->dblocks << g->blocklog, &m->sink);
	fixture_load("inode/v5_new.inodes", made, sizeof(made));
	memcpy(g->meta_uuid, made + 160, 16);
	it = item_new(order, item);
}

static void end(void)
{
	item_free(it);
	mini_free(m);
}

static void plan_and_load(uint32_t seq)
{
	cr_assert_eq(mini_plan(m, it, 1, seq), 0, "%s", m->said.text);
	mini_load(m);
}

/* Is it the buffer of new inodes from number @first_ino? */
static void assert_new(const struct target *t, xfs_ino_t first_ino)
{
	uint32_t count = t->at.len_bb * BB_SIZE / INODE;

	cr_assert(t->dirty && t->inodes);
	for (uint32_t i = 0; i < count; i++)
		cr_assert_null(xfs_dinode_verify(t->data + i * INODE,
						 &m->r.geom, first_ino + i),
			       "inode %u", i);
}

static void assert_made(void)
{
	const struct target *t = mini_target(m, DADDR);

	cr_assert_eq(m->r.window->count, 2);
	assert_new(t, FIRST_INO);
	cr_assert_arr_eq(t->data + 31 * INODE, made, INODE);
	t = mini_target(m, DADDR + CLUSTER_BB);
	assert_new(t, FIRST_INO + CLUSTER_INODES);
	cr_assert_arr_eq(t->data, made + INODE, INODE);
	cr_assert_eq(mini_finish(m), 0, "%s", m->said.text);
	cr_assert_eq(m->res.icreates, 1);
	assert_silent(&m->said);
}

Test(replay_icreate, gives_what_linux_makes_of_it)
{
	begin(XFS_LE, chunk_le);
	plan_and_load(1);
	cr_assert_eq(mini_apply(m, it, 1, 1), 0);
	assert_made();
	end();
}

Test(replay_icreate, of_a_big_endian_writer)
{
	begin(XFS_BE, chunk_be);
	plan_and_load(1);
	cr_assert_eq(mini_apply(m, it, 1, 1), 0);
	assert_made();
	end();
}

/* Not even inodes with a later LSN stay. */
Test(replay_icreate, makes_new_whatever_was_there)
{
	uint8_t block[CLUSTER_BB * BB_SIZE];

	begin(XFS_LE, chunk_le);
	memset(block, 0xa5, sizeof(block));
	memcpy(block, made, INODE);
	put_be64(block + XFS_DINODE_LSN_OFF, 100);
	mini_write(m, DADDR, block, sizeof(block));
	plan_and_load(1);
	cr_assert_eq(mini_apply(m, it, 1, 1), 0);
	assert_made();
	end();
}

Test(replay_icreate, of_a_part_of_a_chunk)
{
	begin(XFS_LE, chunk_le);
	put_be32(it->data[0] + 12, 32);
	put_be32(it->data[0] + 20, 4);
	plan_and_load(1);
	cr_assert_eq(m->r.window->count, 1);
	cr_assert_eq(mini_apply(m, it, 1, 1), 0);
	assert_new(mini_target(m, DADDR), FIRST_INO);
	end();
}

/* A block of 64 KiB is a buffer and holds more than a chunk. */
Test(replay_icreate, in_blocks_that_hold_more_than_a_chunk)
{
	m = mini_new(true, 16);
	m->r.cluster_bb = 128;
	it = item_new(XFS_LE, "3f12 0100 00000002 00000005 00000080 00000200"
		      "00000001 f9622851");
	plan_and_load(1);
	cr_assert_eq(mini_apply(m, it, 1, 1), 0);
	assert_new(mini_target(m, (2 * 1024 + 5) * 128),
		   ((xfs_ino_t)2 << 17) + 5 * 128);
	end();
}

Test(replay_icreate, makes_version_2_inodes_on_version_4)
{
	const uint8_t *raw;

	begin(XFS_LE, chunk_le);
	m->r.geom.v5 = false;
	plan_and_load(1);
	cr_assert_eq(mini_apply(m, it, 1, 1), 0);
	cr_assert_eq(mini_finish(m), 0);
	raw = mini_target(m, DADDR)->data;
	for (unsigned int i = 0; i < 100; i++)
		cr_expect_eq(raw[i], i == 4 ? 2 : made[i], "byte %u", i);
	for (unsigned int i = 100; i < INODE; i++)
		cr_expect_eq(raw[i], 0, "byte %u", i);
	end();
}

/* --- cancelled chunks --- */

static void cancel(uint64_t daddr, uint32_t seq)
{
	cr_assert_eq(targets_cancel(m->r.targets, daddr, CLUSTER_BB, seq), 0);
}

Test(replay_icreate, of_a_chunk_that_is_freed_later_makes_nothing)
{
	begin(XFS_LE, chunk_le);
	cancel(DADDR, 4);
	cancel(DADDR + CLUSTER_BB, 4);
	plan_and_load(4);
	cr_assert_eq(m->r.window->count, 0);
	cr_assert_eq(mini_apply(m, it, 1, 4), 0);
	cr_assert_eq(m->res.icreates, 0);
	cr_assert_eq(m->res.cancelled, 1);
	assert_silent(&m->said);
	end();
}

Test(replay_icreate, counts_if_the_chunk_was_freed_before)
{
	begin(XFS_LE, chunk_le);
	cancel(DADDR, 3);
	cancel(DADDR + CLUSTER_BB, 3);
	plan_and_load(4);
	cr_assert_eq(mini_apply(m, it, 1, 4), 0);
	assert_made();
	end();
}

/* As Linux does. */
Test(replay_icreate, of_a_chunk_freed_in_part_makes_nothing)
{
	begin(XFS_LE, chunk_le);
	cancel(DADDR + CLUSTER_BB, 5);
	plan_and_load(4);
	cr_assert_eq(m->r.window->count, 1);
	cr_assert_eq(mini_apply(m, it, 1, 4), 0);
	cr_assert_not(mini_target(m, DADDR)->dirty);
	cr_assert_eq(mini_finish(m), 0);
	cr_assert_eq(m->said.errors, 0);
	cr_assert(strstr(m->said.text, "1 of the 2 buffers"), "%s",
		  m->said.text);
	cr_assert_eq(m->res.cancelled, 1);
	end();
}

/* --- windows --- */

Test(replay_icreate, changes_and_counts_what_is_in_the_window)
{
	begin(XFS_LE, chunk_le);
	cr_assert_eq(mini_plan(m, it, 1, 1), 0);
	cr_assert_eq(targets_sort(m->r.targets), 0);
	mini_load_some(m, 0, 1);
	cr_assert_eq(mini_apply(m, it, 1, 1), 0);
	assert_new(mini_target(m, DADDR), FIRST_INO);
	mini_load_some(m, 1, 1);
	cr_assert_eq(mini_apply(m, it, 1, 1), 0);
	assert_new(mini_target(m, DADDR + CLUSTER_BB),
		   FIRST_INO + CLUSTER_INODES);
	cr_assert_eq(m->res.icreates, 1);
	end();
}

Test(replay_icreate, tells_of_a_cancelled_chunk_once)
{
	begin(XFS_LE, chunk_le);
	cancel(DADDR, 5);
	cr_assert_eq(mini_plan(m, it, 1, 1), 0);
	cr_assert_eq(targets_add(m->r.targets, 8, 8, 1), 0);
	cr_assert_eq(targets_sort(m->r.targets), 0);
	for (size_t i = 0; i < 2; i++) {
		mini_load_some(m, i, 1);
		cr_assert_eq(mini_apply(m, it, 1, 1), 0);
	}
	cr_assert_eq(m->res.cancelled, 1);
	cr_assert_eq(m->said.count, 1);
	end();
}

/* --- what is refused --- */

static void refuses(unsigned int off, uint32_t value, const char *why)
{
	uint32_t was = get_be32(it->data[0] + off);

	put_be32(it->data[0] + off, value);
	cr_expect_eq(mini_plan(m, it, 1, 1), -EUCLEAN);
	assert_said(&m->said, why);
	cr_expect_eq(mini_apply(m, it, 1, 1), -EUCLEAN);
	assert_said(&m->said, why);
	put_be32(it->data[0] + off, was);
}

Test(replay_icreate, refuses_chunks_that_cannot_be)
{
	begin(XFS_LE, chunk_le);
	refuses(4, 4, "outside the filesystem");
	refuses(8, 0, "impossible block");
	refuses(8, 6144, "outside the filesystem");
	refuses(8, 6144 - 4, "past the end of its group");
	refuses(12, 0, "of no size");
	refuses(12, 32, "do not agree");
	refuses(16, 256, "another size of inodes");
	refuses(20, 7, "impossible length");
	m->r.cluster_bb = 48;
	refuses(8, 1000, "a part of a buffer");
	end();
}

Test(replay_icreate, refuses_a_chunk_behind_a_short_last_group)
{
	begin(XFS_LE, chunk_le);
	m->r.geom.dblocks = 3 * 6144 + 1004;
	refuses(4, 3, "past the end of its group");
	end();
}
