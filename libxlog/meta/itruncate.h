/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Truncation of a map: however many extents a file has, each transaction of
 * the chain removes two.
 */
#ifndef LIBXLOG_META_ITRUNCATE_H
#define LIBXLOG_META_ITRUNCATE_H

#include "libxlog/trans/trans.h"

struct inode;

/*
 * Unmap all from the block that begins at or behind byte @size on. @ip is
 * locked, in *@t (XFS_TR_ITRUNCATE, or XFS_TR_ATTRINVAL) and held; its size is
 * the caller's. *@t may be another transaction of the chain afterwards, in
 * which @ip was logged, also on error. @flags: BMAP_NODISCARD. 0 or a negative
 * errno, reported.
 */
int itruncate_extents(struct trans **t, struct inode *ip, int whichfork,
		      uint64_t size, unsigned int flags) MUST_CHECK;

/*
 * Unmap all of a fork whose blocks hold metadata, of which the log may still
 * have something to replay: they are invalidated in the transaction that unmaps
 * them. @unit: blocks of the file that are one buffer, as far as they lie in
 * one extent, 64 KiB at most. Else as itruncate_extents().
 */
int itruncate_metadata(struct trans **t, struct inode *ip, int whichfork,
		       uint32_t unit) MUST_CHECK;

#endif
