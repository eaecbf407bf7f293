/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Allocation groups: their headers, AGF, AGI and AGFL, as transactions read
 * and change them. What is on the disk is not kept a second time: whoever
 * wants to know has the buffer of the header, locked.
 *
 * Groups are locked in ascending order, in each the AGI before the AGF and
 * that before the AGFL. Everything about the space of a group is changed with
 * its AGF locked by the transaction.
 */
#ifndef LIBXLOG_META_PERAG_H
#define LIBXLOG_META_PERAG_H

#include <assert.h>
#include <stdatomic.h>

#include "libxfsfmt/levels.h"
#include "libxlog/meta/btree.h"

struct perag {
	/* constant */
	struct btree_group group;	/* for the trees: fs, agno, space */
	uint32_t	blocks;		/* of the group */
	xfs_agblock_t	first;		/* behind the headers */
	uint32_t	max_usable;	/* blocks that could ever be taken */
	struct xfs_levels levels;	/* heights that trees can have */
	uint32_t	log_blocks;	/* of an internal log in the group */

	/* alloc_reserve.c: blocks that trees may have; known from the first
	   allocation on, and constant then */
	_Atomic bool	reserve_known;
	uint32_t	reserve_meta, reserve_rmap;
	_Atomic uint32_t fino_blocks;	/* of the finobt now */
};

/* One for each group of fs->geom, in fs->perags; -ENOMEM, reported. */
int perags_new(struct trans_fs *fs) MUST_CHECK;
void perags_free(struct trans_fs *fs);

/* @sb, which has passed xfs_sb_verify(), says where the log is. */
void perags_set_log(struct trans_fs *fs, const struct xfs_sb *sb);

/* Group @agno, which has to be below agcount. */
static inline struct perag *perag_of(struct trans_fs *fs, xfs_agnumber_t agno)
{
	assert(agno < fs->geom.agcount);
	return &fs->perags[agno];
}

static inline xfs_fsblock_t perag_fsb(const struct perag *pag,
				      xfs_agblock_t agbno)
{
	return (uint64_t)pag->group.agno << pag->group.fs->geom.agblklog |
	       agbno;
}

static inline xfs_daddr_t perag_daddr(const struct perag *pag,
				      xfs_agblock_t agbno)
{
	return xfs_agb_to_daddr(&pag->group.fs->geom, pag->group.agno, agbno);
}

/* True if the @len blocks from @agbno, not none, are of the group: no headers. */
static inline bool perag_has(const struct perag *pag, xfs_agblock_t agbno,
			     uint32_t len)
{
	return agbno >= pag->first && agbno < pag->blocks && len &&
	       len <= pag->blocks - agbno;
}

/* Report that group @pag is damaged: returns -EUCLEAN. */
int perag_corrupt(const struct perag *pag, const char *code,
		  const char *fmt, ...) PRINTF_LIKE(3, 4);

/* --- headers --- */

/*
 * The buffer of a header, locked and in @t, which keeps it until it ends; or
 * without @t, then to be given back with buf_release(). -EUCLEAN, -EBADMSG,
 * -EIO, -ENOMEM, reported.
 */
int ag_read_agf(struct trans *t, struct perag *pag,
		struct buf **out) MUST_CHECK;
int ag_read_agi(struct trans *t, struct perag *pag,
		struct buf **out) MUST_CHECK;
int ag_read_agfl(struct trans *t, struct perag *pag,
		 struct buf **out) MUST_CHECK;

/* What a header says. */
static inline struct xfs_agf ag_agf(const struct buf *agfbuf)
{
	struct xfs_agf agf;

	xfs_agf_decode(&agf, agfbuf->data, xfs_agf_size, XFS_BE);
	return agf;
}

static inline struct xfs_agi ag_agi(const struct buf *agibuf)
{
	struct xfs_agi agi;

	xfs_agi_decode(&agi, agibuf->data, xfs_agi_size, XFS_BE);
	return agi;
}

/* Make the header say so; logged is what differs. */
void ag_set_agf(struct trans *t, struct buf *agfbuf,
		const struct xfs_agf *agf);
void ag_set_agi(struct trans *t, struct buf *agibuf,
		const struct xfs_agi *agi);

#endif
