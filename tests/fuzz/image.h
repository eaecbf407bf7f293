/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A filesystem image as a fuzzer takes it: only the sectors that count. One
 * byte of options, then pieces; what none of them names is zero.
 *
 *	be32	first sector
 *	be16	number of sectors, and PIECE_FILL
 *	data	that many sectors; or with PIECE_FILL 4 bytes, with which each
 *		of them begins, the rest being zero
 */
#ifndef TESTS_FUZZ_IMAGE_H
#define TESTS_FUZZ_IMAGE_H

enum {
	PIECE_HEAD_BYTES = 6,
	PIECE_FILL = 0x8000,
	PIECE_FILL_BYTES = 4,
	PIECE_MAX_BB = 0x7fff,
};

/* The first byte of an input. */
enum {
	IMAGE_FIX_RECORDS = 1,	/* put wrong checksums of records right */
	IMAGE_FIX_BLOCKS = 2,	/* and those of metadata */
	IMAGE_LEAVE = 4,	/* XLOG_RECOVER_LEAVE_UNLINKED */
	IMAGE_SKIP = 8,		/* XLOG_RECOVER_SKIP_INTENTS */
	IMAGE_WINDOWS = 16,	/* as little memory as can be asked for */
	IMAGE_UUID = 32,	/* XLOG_RECOVER_FORCE_UUID */
	IMAGE_FEATURES = 64,	/* XLOG_RECOVER_FORCE_FEATURES */
	IMAGE_STOP = 128,	/* after the first checkpoint */
};

#endif
