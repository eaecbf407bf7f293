/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Buffers and their log items: what is logged of a buffer are the runs of
 * 128-byte chunks that changed since it was written back.
 */
#ifndef LIBXLOG_TRANS_BUF_ITEM_H
#define LIBXLOG_TRANS_BUF_ITEM_H

#include "libxfsfmt/logitem.h"
#include "libxlog/trans/trans.h"

enum {
	BUF_ITEM_MAX_BYTES = 65536,
	BUF_ITEM_WORDS = BUF_ITEM_MAX_BYTES / 128 / 32,
};

/*
 * What a kind of block wants done when it is written back: @lsn and then the
 * checksum go into it.
 */
struct buf_item_ops {
	uint16_t	blf_flags;	/* XFS_BLF_*, and the XFS_BLFT_* */
	size_t		lsn_off, crc_off;	/* crc_off 0: neither */
};

struct buf_item {
	struct log_item	item;
	struct trans_fs	*fs;
	struct buf	*buf;		/* referenced */
	const struct buf_item_ops *ops;
	_Atomic unsigned int pins;
	uint32_t	map[BUF_ITEM_WORDS]; /* (buffer lock) chunks that
						changed */
};

/*
 * A log item for @buf, of which the caller has a reference; the item takes one
 * of its own. One buffer has no two items. NULL, reported: no memory.
 */
struct buf_item *buf_item_new(struct trans_fs *fs, struct buf *buf,
			      const struct buf_item_ops *ops);

/* Nothing of it may be in a transaction or the log. NULL is allowed. */
void buf_item_free(struct buf_item *bi);

/* Lock the buffer and join it; the end of the transaction unlocks it. */
void buf_item_join(struct trans *t, struct buf_item *bi);

/* Joined: these bytes of the buffer were changed. */
void buf_item_log(struct trans *t, struct buf_item *bi, uint32_t off_bytes,
		  uint32_t len_bytes);

#endif
