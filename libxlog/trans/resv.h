/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Log reservations: for each kind of transaction the most it can log, which is
 * what it takes of the log before it begins. They follow from the geometry of
 * the filesystem alone, and so does the size that a log must have at least.
 *
 * Every writer of a filesystem has to reckon alike: Linux refuses to mount one
 * whose log is smaller than what it finds here.
 */
#ifndef LIBXLOG_TRANS_RESV_H
#define LIBXLOG_TRANS_RESV_H

#include "libxfsfmt/levels.h"

/* The order is that of "logres" of xfs_db, whose types are these numbers. */
enum xfs_tr {
	XFS_TR_WRITE,
	XFS_TR_ITRUNCATE,
	XFS_TR_RENAME,
	XFS_TR_LINK,
	XFS_TR_REMOVE,
	XFS_TR_SYMLINK,
	XFS_TR_CREATE,
	XFS_TR_CREATE_TMPFILE,
	XFS_TR_MKDIR,
	XFS_TR_IFREE,
	XFS_TR_ICHANGE,
	XFS_TR_GROWDATA,
	XFS_TR_ADDAFORK,
	XFS_TR_WRITEID,
	XFS_TR_ATTRINVAL,
	XFS_TR_ATTRSETM,
	XFS_TR_ATTRSETRT,	/* for each block of the attribute */
	XFS_TR_ATTRRM,
	XFS_TR_CLEARAGI,
	XFS_TR_GROWRTALLOC,
	XFS_TR_GROWRTZERO,
	XFS_TR_GROWRTFREE,
	XFS_TR_QM_SETQLIM,
	XFS_TR_QM_DQALLOC,
	XFS_TR_SB,
	XFS_TR_FSYNCTS,
	XFS_TR_ATOMIC_IOEND,
	XFS_TR_COUNT,
};

/* By enum xfs_tr: "tr_write", ... */
extern const char *const xfs_tr_names[XFS_TR_COUNT];

struct xfs_trans_res {
	uint32_t	logres_bytes;
	uint8_t		logcount;	/* times it is taken; 0 is 1 as well */
	bool		permanent;	/* may be rolled, and taken anew */
};

struct xfs_trans_resv {
	struct xfs_trans_res tr[XFS_TR_COUNT];
};

/*
 * The reservations of the filesystem @sb, which has passed xfs_sb_verify() or
 * would. @lv: what xfs_levels_init() makes of it.
 */
void xfs_trans_resv_init(struct xfs_trans_resv *resv, const struct xfs_sb *sb,
			 const struct xfs_levels *lv);

/* What sets the smallest size of a log. */
struct xlog_min_log {
	enum xfs_tr	tr;		/* that which takes most of the log */
	uint32_t	logres_bytes;	/* may be more than in the table */
	uint8_t		logcount;
	uint32_t	attr_blocks;	/* XFS_TR_ATTRSETRT in it, 0: none */
};

/*
 * Smallest log of the filesystem @sb, in blocks of the filesystem: no Linux
 * asks for more, unless it is mounted with logbsize=16k. That is what mkfs.xfs
 * asks for, or, with rmapbt and neither reflink nor parent pointers, the larger
 * of what mkfs.xfs before and since 6.16 do: kernels refuse what the other
 * made. sb_logblocks and sb_logstart are not looked at. *@min says why, unless
 * @min is NULL. Makers of filesystems have other limits besides.
 */
uint32_t xlog_min_log_blocks(const struct xfs_sb *sb,
			     struct xlog_min_log *min);

#endif
