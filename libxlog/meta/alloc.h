/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Free space of allocation groups: the trees by block and by size, and the
 * free list (AGFL), from which the blocks of these trees and of the rmapbt
 * come. What is chosen is what Linux would choose.
 */
#ifndef LIBXLOG_META_ALLOC_H
#define LIBXLOG_META_ALLOC_H

#include "libxlog/meta/rmap.h"

/* --- to allocate --- */

struct alloc_args {
	/* what is wanted; zero is a good value for all without a remark */
	struct trans	*t;
	uint32_t	minlen, maxlen;	/* blocks; 1 or more */
	uint32_t	alignment;	/* of the start, 0: any */
	uint32_t	minalignslop;	/* more of it, for an exact start */
	uint32_t	prod, mod;	/* len % prod == mod, if it can be */
	uint32_t	minleft;	/* to be left free in the group */
	uint32_t	total;		/* that the transaction will take */
	/* where it may start, if it is near something; 0 and 0: anywhere */
	xfs_agblock_t	min_agbno, max_agbno;
	struct rmap_owner owner;
	bool		userdata;	/* contents of a file */
	bool		of_tree;	/* for refcountbt or finobt: what is
					   kept for these may be taken */
	bool		use_reserved;	/* what is kept for any tree, too */

	/* what was allocated; nothing: XFS_NULL_FSBLOCK, and 0 is returned */
	xfs_fsblock_t	fsb;
	uint32_t	len;
};

/*
 * Allocate: in group @agno what fits best; at @target or not at all; near
 * @target in its group; from that group on, there near @target (if that is not
 * block 0), in others by size. Counters, rmapbt and AGF are up to date
 * afterwards. If nothing is found, no more has happened than that a free list
 * may have been filled. -EUCLEAN, -EIO, -ENOMEM, -ESHUTDOWN, reported.
 */
int alloc_this_ag(struct alloc_args *a, xfs_agnumber_t agno) MUST_CHECK;
int alloc_exact(struct alloc_args *a, xfs_fsblock_t target) MUST_CHECK;
int alloc_near(struct alloc_args *a, xfs_fsblock_t target) MUST_CHECK;
int alloc_start_ag(struct alloc_args *a, xfs_fsblock_t target) MUST_CHECK;

/* --- to free --- */

enum { FREE_SKIP_DISCARD = 1 };		/* flags */

/*
 * Free @len blocks from @agbno of the group at once; they are busy until that
 * is durable. Not for more than one extent of a group in one transaction,
 * which has no space in the log for that: see free_extent_later().
 * -EUCLEAN, reported: some are free already, or @who does not own them.
 */
int free_extent(struct trans *t, struct perag *pag, xfs_agblock_t agbno,
		uint32_t len, const struct rmap_owner *who,
		unsigned int flags) MUST_CHECK;

/*
 * Deferred (EFI and EFD in the log): free @len blocks from @fsb, which lie in
 * one group. @who NULL: the rmapbt is not touched. -EUCLEAN: there are no such
 * blocks; -ENOMEM; reported.
 */
int free_extent_later(struct trans *t, xfs_fsblock_t fsb, uint32_t len,
		      const struct rmap_owner *who,
		      unsigned int flags) MUST_CHECK;

/* EFI and EFD: of extents, and of blocks that the free list has too many of. */
extern const struct defer_type defer_extent_free, defer_agfl_free;

/*
 * What an extent of an EFI that was found in the log wants: a work of
 * defer_extent_free, for whoever owns the blocks. -EUCLEAN: it cannot be
 * meant; -ENOMEM; reported.
 */
int extent_free_work_decode(struct trans_fs *fs, const struct xfs_extent *ext,
			    struct defer_work **out) MUST_CHECK;

/* --- the free list --- */

/*
 * Blocks that the free list has to have for any one change of the trees of
 * free space and owners. @agf: as they are now.
 */
uint32_t alloc_min_freelist(const struct perag *pag,
			    const struct xfs_agf *agf);

/*
 * Before a change that needs no space but for the trees: lock the AGF into @t
 * and see to it that the free list is long enough, as far as there is space.
 */
int alloc_fix_freelist_to_free(struct trans *t, struct perag *pag,
			       struct buf **agfbuf) MUST_CHECK;

/*
 * One block from the front of the list (XFS_NULL_AGBLOCK: it is empty), or
 * one more at its end. @btree: it is for, or from, a tree and is counted in
 * agf_btreeblks.
 */
int alloc_get_freelist(struct trans *t, struct perag *pag, struct buf *agfbuf,
		       bool btree, xfs_agblock_t *agbno) MUST_CHECK;
int alloc_put_freelist(struct trans *t, struct perag *pag, struct buf *agfbuf,
		       bool btree, xfs_agblock_t agbno) MUST_CHECK;

/* Space of the trees of a group, for struct btree_group. */
extern const struct btree_space_ops alloc_space_ops;

/*
 * Blocks that one transaction may log of free space for @extents extents to be
 * allocated or freed: bnobt, cntbt and rmapbt.
 */
uint32_t alloc_log_blocks(const struct perag *pag, uint32_t extents);

#endif
