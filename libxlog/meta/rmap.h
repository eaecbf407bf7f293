/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reverse mappings: who owns which space. Of a filesystem without rmapbt,
 * everything here does nothing, and succeeds.
 *
 * What a file owns is changed by deferred operations (RUI and RUD in the log),
 * what belongs to the metadata of a group at once.
 */
#ifndef LIBXLOG_META_RMAP_H
#define LIBXLOG_META_RMAP_H

#include "libxfsfmt/logitem.h"
#include "libxlog/meta/perag.h"
#include "libxlog/trans/defer.h"

/* Who owns space, or is to. */
struct rmap_owner {
	/*
	 * An inode, or XFS_RMAP_OWN_*. OWN_NULL: the rmapbt is not to be
	 * touched, someone else does that. OWN_UNKNOWN: to be freed, whoever
	 * owns it.
	 */
	uint64_t	owner;
	uint64_t	offset;		/* of inodes: block of the file */
	bool		attr_fork;
	bool		bmbt_block;	/* of the tree of a fork: no offset */
};

static inline struct rmap_owner rmap_special(uint64_t own)
{
	return (struct rmap_owner){ .owner = own };
}

/* A block of the extent tree of a fork. */
static inline struct rmap_owner rmap_bmbt(xfs_ino_t ino, int whichfork)
{
	return (struct rmap_owner){
		.owner = ino, .attr_fork = whichfork != 0, .bmbt_block = true,
	};
}

/*
 * The @len blocks from @agbno begin to be, or cease to be, owned by @who: at
 * once. The free list is long enough, see alloc_fix_freelist().
 * -EUCLEAN, reported: they are owned by somebody, or by somebody else.
 */
int rmap_alloc(struct trans *t, struct perag *pag, struct buf *agfbuf,
	       xfs_agblock_t agbno, uint32_t len,
	       const struct rmap_owner *who) MUST_CHECK;
int rmap_free(struct trans *t, struct perag *pag, struct buf *agfbuf,
	      xfs_agblock_t agbno, uint32_t len,
	      const struct rmap_owner *who) MUST_CHECK;

/*
 * Deferred: extent @ext of fork @whichfork of inode @ino was mapped, unmapped,
 * or converted to the state that @ext has now. @shared: other files may have
 * the same blocks (the inode is one with DIFLAG2_REFLINK, and it is the data
 * fork). -ENOMEM, reported.
 */
int rmap_map_later(struct trans *t, xfs_ino_t ino, int whichfork, bool shared,
		   const struct xfs_bmbt_rec *ext) MUST_CHECK;
int rmap_unmap_later(struct trans *t, xfs_ino_t ino, int whichfork,
		     bool shared, const struct xfs_bmbt_rec *ext) MUST_CHECK;
int rmap_convert_later(struct trans *t, xfs_ino_t ino, int whichfork,
		       bool shared, const struct xfs_bmbt_rec *ext) MUST_CHECK;

/* Deferred: @len blocks from @fsb, in one group, for XFS_RMAP_OWN_*. */
int rmap_alloc_later(struct trans *t, xfs_fsblock_t fsb, uint32_t len,
		     uint64_t own) MUST_CHECK;
int rmap_free_later(struct trans *t, xfs_fsblock_t fsb, uint32_t len,
		    uint64_t own) MUST_CHECK;

/* RUI and RUD. */
extern const struct defer_type defer_rmap;

/*
 * What an extent of a RUI that was found in the log wants: a work of
 * defer_rmap. -EUCLEAN: it cannot be meant; -ENOMEM; reported.
 */
int rmap_work_decode(struct trans_fs *fs, const struct xfs_map_extent *me,
		     struct defer_work **out) MUST_CHECK;

#endif
