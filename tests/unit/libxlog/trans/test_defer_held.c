/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Chains that hold an inode and a buffer of a real filesystem.
 */
#include "libxlog/trans/defer.h"
#include "libxlog/trans/trans_buf.h"
#include "tests/lib/mounted.h"
#include "tests/lib/testfs.h"

static struct mounted *f;
static struct inode *ip;
static struct buf *b;

static void begin_all(void)
{
	f = mounted_new("linux618/chmod-only");
	ip = f->inodes[5];
}

static void end_all(void)
{
	mounted_free(f);
}

TestSuite(defer_held, .init = begin_all, .fini = end_all);

/* --- the work: the inode's generation goes up by one, @left times --- */

struct step {
	struct defer_work w;
	uint32_t	left;
};

static uint32_t left_of(const struct list *works)
{
	return container_of(list_first(works), struct step, w.link)->left;
}

static unsigned int regions_of(const struct list *works,
			       uint32_t len_bytes[DEFER_MAX_REGIONS])
{
	(void)works;
	len_bytes[0] = xfs_bui_log_format_size + xfs_map_extent_size;
	return 1;
}

static void encode(const struct list *works,
		   uint8_t *const regions[DEFER_MAX_REGIONS])
{
	put_w32(regions[0] + 4, 1, XFS_HOST_ORDER);
	xfs_map_extent_encode(regions[0] + xfs_bui_log_format_size,
			      &(struct xfs_map_extent){
				      .me_owner = ip->ino, .me_startblock = 1,
				      .me_startoff = 1,
				      .me_len = left_of(works),
				      .me_flags = XFS_BMAP_EXTENT_MAP },
			      0, XFS_HOST_ORDER);
}

/* Both are held by the chain, and so are part of @t. */
static int finish(struct trans *t, struct defer_work *w,
		  struct defer_state *st)
{
	struct step *s = container_of(w, struct step, w);

	(void)st;
	ip->di.di_gen++;
	inode_log(t, ip, XFS_ILOG_CORE);
	trans_log_buf(t, b, 0, 4);
	return --s->left ? -EAGAIN : 0;
}

static void free_step(struct defer_work *w)
{
	free(container_of(w, struct step, w));
}

static const struct defer_type step_type = {
	.name = "step", .intent_type = XFS_LI_BUI, .done_type = XFS_LI_BUD,
	.max_items = 1, .intent_regions = regions_of, .intent_encode = encode,
	.finish = finish, .free_work = free_step,
};

static struct defer_work *steps(uint32_t n)
{
	struct step *s = calloc(1, sizeof(*s));

	cr_assert(s);
	s->left = n;
	list_init(&s->w.link);
	return &s->w;
}

static struct trans *begin_holding(void)
{
	struct trans *t;

	cr_assert_eq(trans_alloc(&f->m->fs, XFS_TR_ITRUNCATE, &t), 0);
	inode_join(t, ip);
	inode_hold(t, ip);
	cr_assert_eq(trans_read_buf(&f->m->fs, t,
				    f->m->fs.geom.sectsize / BB_SIZE,
				    f->m->fs.geom.sectsize / BB_SIZE,
				    &trans_agf_ops, &b), 0);
	trans_bhold(t, b);
	return t;
}

static bool is_locked(void)
{
	if (!xmutex_trylock(&ip->lock))
		return true;
	xmutex_unlock(&ip->lock);
	return false;
}

static void end_holding(void)
{
	cr_assert(is_locked());
	inode_unlock(ip);
	trans_brelse(NULL, b);
}

Test(defer_held, are_held_from_the_first_to_the_last_transaction)
{
	uint32_t before = ip->di.di_gen;
	struct trans *t = begin_holding();

	inode_log(t, ip, XFS_ILOG_CORE);
	cr_assert_eq(defer_add(t, &step_type, steps(5)), 0);
	cr_assert_eq(trans_commit_sync(t), 0, "%s", f->fs->reports);
	cr_assert_eq(ip->di.di_gen, before + 5);
	end_holding();
	cr_assert_eq(log_quiesce(f->m->fs.log), 0);
}

Test(defer_held, are_locked_again_where_a_captured_chain_goes_on)
{
	uint32_t before = ip->di.di_gen;
	struct defer_recovered *r;
	struct list works, captures;
	struct trans *t;

	list_init(&works);
	list_init(&captures);
	list_insert_last(&steps(5)->link, &works);
	cr_assert_eq(defer_recovered(&f->m->fs, &step_type, 1, &works,
				     log_head_lsn(f->m->fs.log), &r), 0);
	f->m->fs.recovering = true;
	t = begin_holding();
	cr_assert_eq(defer_finish_recovered(t, r, &captures), 0);
	end_holding();
	cr_assert_eq(ip->di.di_gen, before + 1);
	cr_assert_not(list_is_empty(&captures));
	cr_assert_not(is_locked());
	cr_assert_eq(defer_captures_finish(&f->m->fs, &captures), 0, "%s",
		     f->fs->reports);
	cr_assert_eq(ip->di.di_gen, before + 5);
	cr_assert_not(is_locked());
	cr_assert_eq(log_quiesce(f->m->fs.log), 0);
}

/* The log dies in the middle: they are the caller's, as they would be. */
Test(defer_held, are_the_callers_when_the_chain_cannot_go_on)
{
	struct trans *t = begin_holding();

	inode_log(t, ip, XFS_ILOG_CORE);
	cr_assert_eq(defer_add(t, &step_type, steps(5)), 0);
	f->m->fs.hooks.stop_at = 3;
	cr_assert_eq(trans_commit(t, NULL), -ESHUTDOWN);
	end_holding();
}

Test(defer_held, can_be_given_up_where_a_chain_was_captured)
{
	struct defer_recovered *r;
	struct list works, captures;

	list_init(&works);
	list_init(&captures);
	list_insert_last(&steps(5)->link, &works);
	cr_assert_eq(defer_recovered(&f->m->fs, &step_type, 1, &works,
				     log_head_lsn(f->m->fs.log), &r), 0);
	cr_assert_eq(defer_finish_recovered(begin_holding(), r, &captures), 0);
	end_holding();
	log_shutdown(f->m->fs.log, LOG_SHUTDOWN_NOFLUSH, NULL);
	cr_assert_eq(defer_captures_finish(&f->m->fs, &captures),
		     -ESHUTDOWN);
	cr_assert(list_is_empty(&captures));
	cr_assert_not(is_locked());
}
