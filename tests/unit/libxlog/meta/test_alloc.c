/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Space comes and goes, at random, in filesystems of every kind; what the
 * groups say of it is compared with what it should be.
 */
#include "libxlog/trans/counters.h"
#include "tests/lib/space.h"

enum { EXTENTS = 4096, FILE_INO = 131 };

struct extent {
	xfs_fsblock_t	fsb;
	uint32_t	len;
	struct rmap_owner who;
};

static struct madefs *f;
static struct space *s;
static struct extent *extents;
static unsigned int n;
static uint64_t next_off, rng;

static uint32_t below(uint32_t limit)
{
	rng = rng * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(rng >> 33) % limit;
}

static void begin(const struct madefs_want *want)
{
	f = madefs_new(want);
	s = space_new(f);
	extents = calloc(EXTENTS, sizeof(*extents));
	cr_assert_not_null(extents);
	n = 0;
	next_off = 0;
	rng = 1;
}

static void end(void)
{
	free(extents);
	space_free(s);
	madefs_free(f);
}

/* --- one change --- */

static struct trans *new_trans(void)
{
	struct trans *t;

	cr_assert_eq(trans_alloc(&f->m->fs, XFS_TR_ITRUNCATE, &t), 0, "%s",
		     f->said.text);
	return t;
}

static void commit(struct trans *t)
{
	cr_assert_eq(trans_commit(t, NULL), 0, "%s", f->said.text);
}

static void own(const struct extent *e)
{
	const struct space_owner who = {
		.owner = e->who.owner, .off = e->who.offset,
		.attr = e->who.attr_fork, .bmbt = e->who.bmbt_block,
	};

	space_add(s, e->fsb, e->len, &who);
}

/* A file, its attributes, or the tree of one of them. */
static struct rmap_owner any_owner(void)
{
	struct rmap_owner who = {
		.owner = FILE_INO + below(3), .attr_fork = !below(4),
		.bmbt_block = !below(8),
	};

	if (!who.bmbt_block)
		who.offset = next_off;
	return who;
}

/* False: there is no such space. */
static bool allocate(void)
{
	uint32_t agcount = s->g->agcount;
	xfs_agnumber_t agno = below(agcount);
	xfs_fsblock_t target = (uint64_t)agno << s->g->agblklog |
			       below(xfs_ag_blocks(s->g, agno));
	struct alloc_args a = {
		.t = new_trans(), .minlen = 1, .maxlen = 1 + below(40),
		.owner = any_owner(),
	};

	if (!below(3))
		a.alignment = 1u << below(5);
	if (!below(4))
		a.minlen = 1 + below(a.maxlen);
	a.userdata = below(2);
	switch (below(4)) {
	case 0:
		cr_assert_eq(alloc_this_ag(&a, agno), 0, "%s", f->said.text);
		break;
	case 1:
		a.alignment = 0;
		cr_assert_eq(alloc_exact(&a, target), 0, "%s", f->said.text);
		break;
	case 2:
		cr_assert_eq(alloc_near(&a, target), 0, "%s", f->said.text);
		break;
	default:
		cr_assert_eq(alloc_start_ag(&a, target), 0, "%s",
			     f->said.text);
	}
	commit(a.t);
	if (a.fsb == XFS_NULL_FSBLOCK)
		return false;
	cr_assert(a.len >= a.minlen && a.len <= a.maxlen);
	if (a.alignment > 1)
		cr_assert_eq(xfs_fsb_agbno(s->g, a.fsb) % a.alignment, 0);
	cr_assert_lt(n, EXTENTS);
	extents[n] = (struct extent){ a.fsb, a.len, a.owner };
	own(&extents[n++]);
	next_off += below(2) ? a.len : 1000;
	return true;
}

/* All of an extent, or a part, which may leave two. */
static void release(void)
{
	unsigned int i = below(n);
	struct extent *e = &extents[i], whole = *e;
	uint32_t skip = below(2) ? 0 : below(e->len);
	uint32_t len = below(2) ? e->len - skip : 1 + below(e->len - skip);
	struct trans *t = new_trans();
	struct rmap_owner who = e->who;
	int rc;

	if (!who.bmbt_block)
		who.offset += skip;
	if (below(2))
		rc = free_extent_later(t, e->fsb + skip, len, &who, 0);
	else
		rc = free_extent(t, perag_of(&f->m->fs, xfs_fsb_agno(s->g,
								     e->fsb)),
				 xfs_fsb_agbno(s->g, e->fsb) + skip, len,
				 &who, 0);
	cr_assert_eq(rc, 0, "%s", f->said.text);
	commit(t);
	space_remove(s, e->fsb + skip, len, who.owner);
	*e = extents[--n];
	if (skip)
		extents[n++] = (struct extent){ whole.fsb, skip, whole.who };
	if (skip + len < whole.len) {
		if (!who.bmbt_block)
			who.offset = whole.who.offset + skip + len;
		extents[n++] = (struct extent){
			whole.fsb + skip + len, whole.len - skip - len, who,
		};
	}
}

static void forget_busy(void)
{
	cr_assert_eq(log_force(f->m->fs.log, true), 0);
}

static void release_all(void)
{
	while (n)
		release();
}

/* --- loads --- */

static void come_and_go(unsigned int steps)
{
	for (unsigned int i = 0; i < steps; i++) {
		bool grow = (i / 400) % 2 == 0;

		if (!n || below(10) < (grow ? 7u : 3u))
			(void)allocate();
		else
			release();
		if (!below(50))
			forget_busy();
		if (i % 200 == 0)
			space_check(s);
	}
	space_check(s);
}

static void run(const struct madefs_want *want, unsigned int steps)
{
	int64_t free_before;

	begin(want);
	space_check(s);
	free_before = counters_read(&f->m->fs, TRANS_SB_FDBLOCKS);
	come_and_go(steps);
	release_all();
	space_check(s);
	cr_expect_eq(counters_read(&f->m->fs, TRANS_SB_FDBLOCKS), free_before);
	madefs_unmount(f);
	madefs_mount(f);
	space_check(s);
	end();
}

Test(alloc, keeps_trees_and_counters_of_all_features)
{
	run(&(struct madefs_want){ .bytes = 64 << 20 }, 1500);
}

Test(alloc, keeps_them_without_rmapbt)
{
	run(&(struct madefs_want){ .no_rmapbt = true }, 1500);
}

Test(alloc, keeps_them_of_version_4)
{
	run(&(struct madefs_want){ .v4 = true }, 1500);
}

Test(alloc, keeps_them_in_blocks_of_1k)
{
	run(&(struct madefs_want){ .block_bytes = 1024 }, 2500);
}

Test(alloc, keeps_them_in_blocks_of_64k)
{
	run(&(struct madefs_want){ .bytes = 512 << 20, .block_bytes = 65536 },
	    800);
}
