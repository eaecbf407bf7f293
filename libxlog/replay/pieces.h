/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Directory blocks that are not contiguous on disk. Each piece is logged, and
 * replayed, as a buffer of its own, and only the directory's extents tell what
 * belongs together; the first piece has the LSN and the checksum of all.
 *
 * Linux, up to the 6.18 that was tried, treats each piece as a block: it
 * refuses the log, or leaves wrong checksums behind.
 */
#ifndef LIBXLOG_REPLAY_PIECES_H
#define LIBXLOG_REPLAY_PIECES_H

#include "libxlog/replay/replay.h"

struct pieces;

/* NULL is allowed. */
void pieces_free(struct pieces *pieces);

/*
 * The target at @daddr was changed up to @lsn and is a piece of a directory
 * block, or, with @perhaps, either that or a whole block of attributes. May be
 * said again. 0 or -ENOMEM, reported.
 */
int pieces_add(struct replay *r, uint64_t daddr, xfs_lsn_t lsn, bool perhaps)
	MUST_CHECK;

/*
 * Find the directory blocks of all pieces and check them as replay leaves
 * them; with @write, write the headers that the pieces ask for. Without, this
 * is to be done before anything is written. -EUCLEAN: a piece that no
 * directory of the log has, or a block that is not sound. Errors are reported.
 */
int pieces_finish(struct replay *r, bool write) MUST_CHECK;

#endif
