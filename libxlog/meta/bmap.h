/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The map of a fork: which blocks of the filesystem a file's blocks lie in, as
 * a list of extents in the inode or as a B+tree whose root is there. Extents
 * are struct xfs_bmbt_rec. The format follows from the number of extents alone
 * and changes as they come and go.
 *
 * Whoever changes a map has the inode locked and in the transaction, which is
 * one of a chain. What follows from a change (reverse mappings, reference
 * counts, space to be freed) is deferred, and done by defer_finish() or the
 * commit. Realtime files have no business here.
 *
 * Functions that return int return 0 or a negative errno, reported: -EUCLEAN
 * what is damaged, -EIO, -ENOMEM, -ENOSPC. What one call changes is checked
 * before it changes anything.
 */
#ifndef LIBXLOG_META_BMAP_H
#define LIBXLOG_META_BMAP_H

#include "libxfsfmt/btree.h"
#include "libxlog/trans/defer.h"
#include "libxlog/trans/inode_item.h"

enum { BMAP_MAX_BLOCKS = (1 << 21) - 1 };	/* of an extent */

#define BMAP_MAX_OFF	(((uint64_t)1 << 54) - 1) /* of a block in a file */

/* --- to look; @t may be NULL --- */

/*
 * The extent that has block @off of the fork, or the first behind it. *@found
 * false: there is none. Changes nothing.
 */
int bmap_find(struct trans *t, struct inode *ip, int whichfork, uint64_t off,
	      struct xfs_bmbt_rec *out, bool *found) MUST_CHECK;

/* The last extent that begins at or in front of block @off. */
int bmap_find_last(struct trans *t, struct inode *ip, int whichfork,
		   uint64_t off, struct xfs_bmbt_rec *out,
		   bool *found) MUST_CHECK;

/*
 * Call @fn for each extent, ascending; nonzero ends the walk and is returned.
 * Each has been checked: it lies in one group of the filesystem and behind the
 * extent before it.
 */
int bmap_each(struct trans *t, struct inode *ip, int whichfork,
	      int (*fn)(void *ctx, const struct xfs_bmbt_rec *rec),
	      void *ctx) MUST_CHECK;

/*
 * Is the whole inode fit to be changed? Both forks are walked: extents in
 * order, inside the filesystem and as many as the inode says, trees whole and
 * owned by it, and di_nblocks all of them together. -EUCLEAN says what is not.
 */
int bmap_check(struct inode *ip) MUST_CHECK;

/* --- to change --- */

enum {
	/*
	 * The blocks go elsewhere: neither freed nor, if shared, counted less.
	 */
	BMAP_REMAP = 1,
	BMAP_NODISCARD = 2,	/* they are freed, and not discarded then */
	BMAP_CONTIGUOUS = 4,	/* bmap_write(): one extent or nothing */
};

/*
 * Up to @more extents will be added to the fork. Where the counter has no room
 * for them, it is made larger if the filesystem has larger ones; else -EFBIG.
 */
int bmap_count_extend(struct trans *t, struct inode *ip, int whichfork,
		      uint64_t more) MUST_CHECK;

/*
 * Map @rec, whose blocks are the caller's to give, into a hole of the fork.
 * -EUCLEAN: there is no hole. -ENOSPC: no block for the tree; nothing changed,
 * or the transaction is dirty and cannot go on.
 */
int bmap_map(struct trans *t, struct inode *ip, int whichfork,
	     const struct xfs_bmbt_rec *rec) MUST_CHECK;

/*
 * Remove what is mapped of the *@len blocks from @off, from the end, at most
 * @extents extents (or parts of one). *@len is what is left to be looked at
 * then: 0 if nothing in the range is mapped any more. A map that is split in
 * the middle may need a block: -ENOSPC as above.
 */
int bmap_unmap(struct trans *t, struct inode *ip, int whichfork, uint64_t off,
	       uint64_t *len, unsigned int flags,
	       unsigned int extents) MUST_CHECK;

/*
 * Allocate up to @len blocks for the hole at block @off of the fork, close to
 * what is mapped in front of it, and map them. *@out: what was mapped, from
 * @off and not more than @len; less only without BMAP_CONTIGUOUS. @total:
 * blocks this transaction may still need, these included. -ENOSPC.
 */
int bmap_write(struct trans *t, struct inode *ip, int whichfork, uint64_t off,
	       uint32_t len, unsigned int flags, uint32_t total,
	       struct xfs_bmbt_rec *out) MUST_CHECK;

/* --- deferred --- */

/* BUI and BUD. */
extern const struct defer_type defer_bmap;

/*
 * bmap_map(), or bmap_unmap() with BMAP_REMAP, of @rec, by a transaction of
 * the chain of @t in which @ip is held. -ENOMEM.
 */
int bmap_map_later(struct trans *t, struct inode *ip, int whichfork,
		   const struct xfs_bmbt_rec *rec) MUST_CHECK;
int bmap_unmap_later(struct trans *t, struct inode *ip, int whichfork,
		     const struct xfs_bmbt_rec *rec) MUST_CHECK;

/*
 * What a BUI that was found in the log wants: a work of defer_bmap, whose inode
 * is not read yet. -EUCLEAN: it cannot be meant.
 */
int bmap_work_decode(struct trans_fs *fs, const struct xfs_map_extent *me,
		     struct defer_work **out) MUST_CHECK;

/*
 * The transaction that a recovered @work is begun in: its inode is read,
 * locked, joined and held. *@ip is the caller's to unlock and to put when the
 * chain is over.
 */
int bmap_work_begin(struct trans_fs *fs, struct defer_work *work,
		    struct trans **t, struct inode **ip) MUST_CHECK;

#endif
