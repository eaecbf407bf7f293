/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A log made in memory for tests of the reader: records are laid down block by
 * block, and damaged afterwards. The checksum is computed by the code under
 * test; that it is right is shown elsewhere, on records written by kernels.
 */
#ifndef TESTS_LIB_TESTLOG_H
#define TESTS_LIB_TESTLOG_H

#include "libxlog/read/read.h"

struct testlog {
	struct xlog	log;
	char		reports[4096];	/* "severity code text\n" each */
	/* where testlog_append() goes on */
	uint32_t	cycle, block;
	uint32_t	prev;
	uint32_t	size_bytes;	/* h_size of records appended */
};

/* A log of @nbb blocks, all zero; @version 1 or 2. */
void testlog_init(struct testlog *t, uint32_t nbb, uint32_t version);
void testlog_fini(struct testlog *t);

struct testrec {
	uint32_t	cycle, block;
	uint32_t	len_bytes;	/* payload */
	const void	*payload;	/* NULL: bytes that depend on the place */
	xfs_lsn_t	tail;
	uint32_t	num_ops;
	uint32_t	fmt;		/* 0: little-endian */
	bool		foreign_uuid, no_crc;
};

/* Write a record as the kernel does: stamps, wrap, checksum. Blocks used. */
uint32_t testlog_put(struct testlog *t, const struct testrec *r);

/*
 * Append a record of @data_bb blocks of payload and tail @tail; returns its
 * LSN and moves on, into the next lap where the log ends.
 */
xfs_lsn_t testlog_append(struct testlog *t, uint32_t data_bb, xfs_lsn_t tail);

/* Append an unmount record. */
xfs_lsn_t testlog_unmount(struct testlog *t, xfs_lsn_t tail);

/* Empty headers as a mount writes them: @bb blocks from @block. */
void testlog_fillers(struct testlog *t, uint32_t cycle, uint32_t block,
		     uint32_t bb, xfs_lsn_t tail);

/* Bytes of block @block, writable in place through poke. */
void testlog_poke(struct testlog *t, uint32_t block, uint32_t off,
		  const void *bytes, uint32_t len);
void testlog_peek(struct testlog *t, uint32_t block, void *buf, uint32_t bb);

/* True if a report contains @text. */
bool testlog_said(const struct testlog *t, const char *text);

#endif
