/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two files exchange what is mapped in a range of each, extent by extent: a
 * deferred operation (XMI, XMD) that defers the removal and the addition of
 * mappings in turn.
 *
 * Functions that return int return 0 or a negative errno, reported.
 */
#ifndef LIBXLOG_META_EXCHANGE_H
#define LIBXLOG_META_EXCHANGE_H

#include "libxlog/meta/bmap.h"

/* XMI and XMD. */
extern const struct defer_type defer_exchange;

struct exchange {
	struct inode	*ip[2];		/* two, held in the transaction */
	uint64_t	off[2];		/* blocks, where the ranges begin */
	uint64_t	blocks;		/* of each range */
	uint64_t	size[2];	/* SET_SIZES: of the files at the end */
	uint64_t	flags;		/* XFS_EXCHMAPS_* */
};

/* Exchange, by transactions of the chain of @t (XFS_TR_WRITE). */
int exchange_later(struct trans *t, const struct exchange *ex) MUST_CHECK;

/*
 * What an XMI that was found in the log wants: a work of defer_exchange, whose
 * inodes are not read yet. -EUCLEAN: it cannot be meant.
 */
int exchange_work_decode(struct trans_fs *fs,
			 const struct xfs_xmi_log_format *xmi,
			 struct defer_work **out) MUST_CHECK;

/*
 * The transaction that a recovered @work is begun in: its inodes are read,
 * locked, joined and held. Both of @ip are the caller's to unlock and to put
 * when the chain is over.
 */
int exchange_work_begin(struct trans_fs *fs, struct defer_work *work,
			struct trans **t, struct inode *ip[2]) MUST_CHECK;

#endif
