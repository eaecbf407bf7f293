/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inodes are allocated in chunks of 64, each with a record in the inobt and,
 * as long as one of them is free, in the finobt. A chunk of which all are free
 * is given back.
 */
#ifndef LIBXLOG_META_IALLOC_H
#define LIBXLOG_META_IALLOC_H

#include "libxlog/trans/inode_item.h"

/*
 * Free @ip, locked and in @t (XFS_TR_IFREE), whose forks are empty and that is
 * in its unlinked list: it leaves that and is marked free in the B+trees and
 * by itself, and has another generation. The last inode of a chunk takes the
 * chunk with it: the buffers are invalidated, the space freed later. 0, or
 * -EUCLEAN (what is found does not agree), -EIO, -ENOMEM, -ENOSPC; reported.
 */
int ialloc_free(struct trans *t, struct inode *ip) MUST_CHECK;

#endif
