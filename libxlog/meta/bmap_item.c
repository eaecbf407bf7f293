/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Deferred changes of maps: BUI and BUD. Each intent has one mapping, and the
 * inode stays locked from the transaction that defers it to the end of the
 * chain. What is unmapped here goes elsewhere: what becomes of the blocks is
 * somebody else's intent.
 */
#include <stdlib.h>

#include "libxfsfmt/levels.h"
#include "libxlog/meta/bmap.h"
#include "libxlog/trans/counters.h"

struct bmap_work {
	struct defer_work work;
	struct inode	*ip;		/* NULL: recovered, not read yet */
	xfs_ino_t	ino;
	unsigned int	op;		/* XFS_BMAP_EXTENT_MAP, UNMAP */
	int		whichfork;
	bool		realtime;
	struct xfs_bmbt_rec rec;
};

static struct bmap_work *work_of(const struct defer_work *w)
{
	return container_of(w, struct bmap_work, work);
}

static int no_memory(const struct trans_fs *fs)
{
	return report(&fs->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
		      "out of memory");
}

/* --- intents --- */

static unsigned int intent_regions(const struct list *works,
				   uint32_t len_bytes[DEFER_MAX_REGIONS])
{
	(void)works;
	len_bytes[0] = xfs_bui_log_format_size + xfs_map_extent_size;
	return 1;
}

static void intent_encode(const struct list *works,
			  uint8_t *const regions[DEFER_MAX_REGIONS])
{
	const struct bmap_work *bw =
		work_of(container_of(list_first(works), struct defer_work,
				     link));
	const struct xfs_bui_log_format bui = {
		.bui_type = XFS_LI_BUI, .bui_size = 1, .bui_nextents = 1,
	};
	struct xfs_map_extent me = {
		.me_owner = bw->ino,
		.me_startblock = bw->rec.br_startblock,
		.me_startoff = bw->rec.br_startoff,
		.me_len = (uint32_t)bw->rec.br_blockcount,
		.me_flags = bw->op,
	};

	if (bw->rec.br_state)
		me.me_flags |= XFS_BMAP_EXTENT_UNWRITTEN;
	if (bw->whichfork == XFS_ATTR_FORK)
		me.me_flags |= XFS_BMAP_EXTENT_ATTR_FORK;
	xfs_bui_log_format_encode(regions[0], &bui, 0, XFS_HOST_ORDER);
	xfs_map_extent_encode(regions[0] + xfs_bui_log_format_size, &me, 0,
			      XFS_HOST_ORDER);
}

static int finish(struct trans *t, struct defer_work *w,
		  struct defer_state *st)
{
	struct bmap_work *bw = work_of(w);
	uint64_t left = bw->rec.br_blockcount;
	int rc;

	(void)st;
	if (bw->op == XFS_BMAP_EXTENT_MAP)
		return bmap_map(t, bw->ip, bw->whichfork, &bw->rec);
	rc = bmap_unmap(t, bw->ip, bw->whichfork, bw->rec.br_startoff, &left,
			BMAP_REMAP, 1);
	if (rc || !left)
		return rc;
	bw->rec.br_blockcount = left;
	return -EAGAIN;
}

static void free_work(struct defer_work *w)
{
	free(work_of(w));
}

const struct defer_type defer_bmap = {
	.name = "bmap",
	.intent_type = XFS_LI_BUI,
	.done_type = XFS_LI_BUD,
	.max_items = 1,
	.intent_regions = intent_regions,
	.intent_encode = intent_encode,
	.finish = finish,
	.free_work = free_work,
};

/* --- to defer --- */

static int later(struct trans *t, struct inode *ip, int whichfork,
		 unsigned int op, const struct xfs_bmbt_rec *rec)
{
	struct bmap_work *bw = calloc(1, sizeof(*bw));

	if (!bw)
		return no_memory(t->fs);
	bw->ip = ip;
	bw->ino = ip->ino;
	bw->op = op;
	bw->whichfork = whichfork;
	bw->rec = *rec;
	return defer_add(t, &defer_bmap, &bw->work);
}

int bmap_map_later(struct trans *t, struct inode *ip, int whichfork,
		   const struct xfs_bmbt_rec *rec)
{
	return later(t, ip, whichfork, XFS_BMAP_EXTENT_MAP, rec);
}

int bmap_unmap_later(struct trans *t, struct inode *ip, int whichfork,
		     const struct xfs_bmbt_rec *rec)
{
	return later(t, ip, whichfork, XFS_BMAP_EXTENT_UNMAP, rec);
}

/* --- recovery --- */

static const char *judge(const struct trans_fs *fs,
			 const struct xfs_map_extent *me)
{
	unsigned int op = me->me_flags & XFS_EXTENT_OP_MASK;

	if (me->me_flags & ~(XFS_EXTENT_OP_MASK | XFS_BMAP_EXTENT_ATTR_FORK |
			     XFS_BMAP_EXTENT_UNWRITTEN |
			     XFS_BMAP_EXTENT_REALTIME) ||
	    (op != XFS_BMAP_EXTENT_MAP && op != XFS_BMAP_EXTENT_UNMAP))
		return "an operation that is not known";
	if (!fs->geom.rmapbt && !fs->geom.reflink)
		return "the filesystem has no such intents";
	if (!xfs_geom_ino_ok(&fs->geom, me->me_owner))
		return "there is no such inode";
	if (!me->me_len || me->me_len > BMAP_MAX_BLOCKS ||
	    me->me_startoff > BMAP_MAX_OFF ||
	    me->me_len - 1 > BMAP_MAX_OFF - me->me_startoff)
		return "there are no such blocks in a file";
	if (me->me_flags & XFS_BMAP_EXTENT_REALTIME)
		return NULL;
	return xfs_fsb_ok(&fs->geom, me->me_startblock, me->me_len) ? NULL :
	       "there are no such blocks";
}

int bmap_work_decode(struct trans_fs *fs, const struct xfs_map_extent *me,
		     struct defer_work **out)
{
	const char *why = judge(fs, me);
	struct bmap_work *bw;

	if (why)
		return report(&fs->sink, -EUCLEAN, "bui", XLOG_LSN_NONE,
			      "intent to change the map of inode %llu: %s",
			      (unsigned long long)me->me_owner, why);
	bw = calloc(1, sizeof(*bw));
	if (!bw)
		return no_memory(fs);
	bw->ino = me->me_owner;
	bw->op = me->me_flags & XFS_EXTENT_OP_MASK;
	bw->whichfork = me->me_flags & XFS_BMAP_EXTENT_ATTR_FORK ?
			XFS_ATTR_FORK : XFS_DATA_FORK;
	bw->realtime = me->me_flags & XFS_BMAP_EXTENT_REALTIME;
	bw->rec = (struct xfs_bmbt_rec){
		.br_startoff = me->me_startoff,
		.br_startblock = me->me_startblock,
		.br_blockcount = me->me_len,
		.br_state = !!(me->me_flags & XFS_BMAP_EXTENT_UNWRITTEN),
	};
	list_init(&bw->work.link);
	*out = &bw->work;
	return 0;
}

/* What one extent more can take: a split on each level below the root. */
static uint32_t split_blocks(const struct trans_fs *fs)
{
	struct xfs_levels lv;

	xfs_levels_init(&lv, &fs->geom);
	return lv.bmap_data - 1u;
}

/* Realtime files have realtime blocks; neither are dealt with here. */
static int check_device(const struct bmap_work *bw)
{
	const struct trans_fs *fs = bw->ip->fs;
	bool realtime = bw->whichfork == XFS_DATA_FORK &&
			bw->ip->di.di_flags & XFS_DIFLAG_REALTIME;

	if (realtime != bw->realtime)
		return report(&fs->sink, -EUCLEAN, "bui", XLOG_LSN_NONE,
			      "intent to change the map of inode %llu: it is on another device",
			      (unsigned long long)bw->ino);
	return realtime ? report(&fs->sink, -EOPNOTSUPP, "realtime",
				 XLOG_LSN_NONE,
				 "inode %llu: is a realtime file, whose space is not dealt with",
				 (unsigned long long)bw->ino) : 0;
}

/* What changes a map trusts its order. */
static int check_map(struct inode *ip)
{
	int rc;

	inode_lock(ip);
	rc = bmap_check(ip);
	inode_unlock(ip);
	return rc;
}

int bmap_work_begin(struct trans_fs *fs, struct defer_work *work,
		    struct trans **t, struct inode **ip) UNCHECKED_LOCKING
{
	struct bmap_work *bw = work_of(work);
	int rc = inode_iget(fs, bw->ino, 0, &bw->ip);

	if (rc)
		return rc;
	rc = check_map(bw->ip);
	if (rc)
		goto put_inode;
	rc = trans_alloc_blocks(fs, XFS_TR_ITRUNCATE, split_blocks(fs), true,
				t);
	if (rc)
		goto put_inode;
	inode_join(*t, bw->ip);
	inode_hold(*t, bw->ip);
	rc = check_device(bw);
	/* a mapping, or a hole in the middle of one: one more at most */
	if (!rc)
		rc = bmap_count_extend(*t, bw->ip, bw->whichfork, 1);
	if (rc)
		goto cancel;
	*ip = bw->ip;
	return 0;
cancel:
	trans_cancel(*t);
	inode_unlock(bw->ip);
put_inode:
	inode_put(bw->ip);
	bw->ip = NULL;
	return rc;
}
