/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inodes that do not go when their last user lets go of them: those with
 * links, which only lose what lies behind their end, and those with damage,
 * which is found before anything is changed.
 */
#include "tests/lib/newfs.h"
#include "tests/lib/victim.h"

/* --- with links --- */

static void link_it(struct victim *v)
{
	struct trans *t = victim_begin(v->ip, 0);

	v->ip->di.di_nlink = 1;
	inode_log(t, v->ip, XFS_ILOG_CORE);
	victim_end(v->n, v->ip, t);
}

Test(inode_inactivate, what_has_links_loses_blocks_behind_its_end)
{
	EACH_KIND(o) {
		struct victim v = victim_new(o);

		victim_extents(&v, XFS_DATA_FORK, 3, 2);
		link_it(&v);
		/* it ends in the second block of six */
		victim_set(&v, XFS_MODE_REG, v.n->sb.sb_blocksize + 1);
		victim_unlink(&v);
		cr_assert_eq(inode_inactivate(v.ip), 0, "%s",
			     v.n->said.text);
		cr_assert_eq(v.ip->di.di_nblocks, 2);
		cr_assert_eq(v.ip->di.di_size, v.n->sb.sb_blocksize + 1);
		cr_assert_eq(v.ip->di.di_mode, XFS_MODE_REG | 0600);
		inode_put(v.ip);
		newfs_free(v.n);
	}
}

Test(inode_inactivate, what_was_set_aside_on_purpose_stays)
{
	const struct newfs_options o = { .finobt = true };
	struct victim v = victim_new(&o);

	victim_extents(&v, XFS_DATA_FORK, 3, 2);
	link_it(&v);
	v.ip->di.di_flags |= XFS_DIFLAG_PREALLOC;
	victim_set(&v, XFS_MODE_REG, 1);
	cr_assert_eq(inode_inactivate(v.ip), 0);
	cr_assert_eq(v.ip->di.di_nblocks, 6);
	inode_put(v.ip);
	newfs_free(v.n);
}

/* --- damage: found before anything is changed --- */

static void refuses(struct victim *v, int rc, const char *text)
{
	struct xfs_dinode di = v->ip->di;

	victim_unlink(v);
	cr_assert_eq(inode_inactivate(v->ip), rc);
	assert_said(&v->n->said, text);
	cr_assert_eq(memcmp(&di, &v->ip->di, sizeof(di)), 0);
	newfs_settle(v->n);
	inode_put(v->ip);
	newfs_free(v->n);
}

static struct victim damaged(void (*spoil)(struct xfs_bmbt_rec *rec))
{
	const struct newfs_options o = { .finobt = true };
	struct victim v = victim_new(&o);
	struct xfs_bmbt_rec rec;
	struct trans *t;
	uint8_t *raw;

	victim_extents(&v, XFS_DATA_FORK, 4, 2);
	raw = inode_fork(v.ip, XFS_DATA_FORK, NULL) + 2 * xfs_bmbt_rec_size;
	xfs_bmbt_rec_decode(&rec, raw, xfs_bmbt_rec_size, XFS_BE);
	spoil(&rec);
	t = victim_begin(v.ip, 0);
	xfs_bmbt_rec_encode(raw, &rec, 0, XFS_BE);
	inode_log(t, v.ip, XFS_ILOG_CORE | XFS_ILOG_DEXT);
	victim_end(v.n, v.ip, t);
	return v;
}

static void spoil_block(struct xfs_bmbt_rec *rec)
{
	rec->br_startblock = 1u << 30;
}

static void spoil_header(struct xfs_bmbt_rec *rec)
{
	rec->br_startblock = 0;
}

static void spoil_end(struct xfs_bmbt_rec *rec)
{
	rec->br_blockcount = 8000;
}

static void spoil_order(struct xfs_bmbt_rec *rec)
{
	rec->br_startoff = 1;
}

static void spoil_length(struct xfs_bmbt_rec *rec)
{
	rec->br_blockcount = 1;
}

static void spoil_nothing(struct xfs_bmbt_rec *rec)
{
	rec->br_blockcount = 0;
}

Test(inode_inactivate, damaged_extents_are_refused)
{
	static const struct {
		void (*spoil)(struct xfs_bmbt_rec *rec);
		const char *text;
	} cases[] = {
		{ spoil_block, "outside the space of files" },
		{ spoil_header, "outside the space of files" },
		{ spoil_end, "outside the space of files" },
		{ spoil_order, "overlaps" },
		{ spoil_length, "has 7 blocks, but counts 8" },
		{ spoil_nothing, "is no part of a file" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct victim v = damaged(cases[i].spoil);

		refuses(&v, -EUCLEAN, cases[i].text);
	}
}

Test(inode_inactivate, realtime_files_are_refused)
{
	const struct newfs_options o = { .finobt = true };
	struct victim v = victim_new(&o);

	victim_extents(&v, XFS_DATA_FORK, 4, 2);
	v.ip->di.di_flags |= XFS_DIFLAG_REALTIME;
	refuses(&v, -EOPNOTSUPP, "realtime");
}

Test(inode_inactivate, what_is_free_is_refused)
{
	const struct newfs_options o = { .finobt = true };
	struct victim v = victim_new(&o);

	v.ip->di.di_mode = 0;
	refuses(&v, -EUCLEAN, "is free");
}

Test(inode_inactivate, links_of_impossible_length_are_refused)
{
	static const uint64_t sizes[] = { 0, 1025, (uint64_t)1 << 40 };
	const struct newfs_options o = { .finobt = true };

	for (unsigned int i = 0; i < 3; i++) {
		struct victim v = victim_new(&o);

		victim_extents(&v, XFS_DATA_FORK, 1, 200);
		victim_set(&v, XFS_MODE_LNK, sizes[i]);
		refuses(&v, -EUCLEAN, "impossible length");
	}
}

/* It has more blocks than its target needs: they go all the same. */
Test(inode_inactivate, links_with_many_blocks)
{
	EACH_KIND(o) {
		struct victim v = victim_new(o);

		victim_extents(&v, XFS_DATA_FORK, 2, 200);
		victim_set(&v, XFS_MODE_LNK, 1024);
		victim_inactivate(&v);
	}
}

