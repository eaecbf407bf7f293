/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A filesystem in memory for tests of replay: an image of tests/images with
 * writes held in memory, and a writer that appends checkpoints to its log as a
 * kernel would, of either byte order. What tests need of metadata is made here
 * from scratch, by offset: nothing of the code under test is asked for it but
 * checksums and the encoding of records, which are shown right elsewhere on
 * bytes written by kernels.
 */
#ifndef TESTS_LIB_TESTFS_H
#define TESTS_LIB_TESTFS_H

#include <criterion/criterion.h>

#include "libxfsfmt/block.h"
#include "libxfsfmt/btree.h"
#include "libxfsfmt/inode.h"
#include "libxfsfmt/logenc.h"
#include "libxfsfmt/logitem.h"
#include "libxlog/read/read.h"

struct testfs {
	struct xlog	*log;
	char		reports[16384];	/* "severity code text\n" each */
	/* may be set before the first record */
	enum xfs_order	order;		/* of items; XFS_LE */
	uint32_t	size_bytes;	/* h_size; 32 KiB */
	/* of the record that is being filled */
	xfs_lsn_t	lsn;		/* where it will lie */
	xfs_lsn_t	tail;		/* h_tail_lsn: the first appended */
	uint32_t	prev_block;
	uint8_t		*record;	/* header blocks, then operations */
	uint32_t	used_bytes, ops;
	uint32_t	next_tid;
	uint32_t	log_blocks;	/* written to the log */
	bool		forked;		/* stands on another testfs */
	/* what the device was like before replay, see testfs_untouched() */
	uint32_t	digest;
	uint64_t	written;
};

/*
 * The image tests/images/@name.img.zst, with an external log if there is one.
 * Its log must be clean, or testfs_erase_log() is next.
 */
struct testfs *testfs_open(const char *name);
void testfs_close(struct testfs *fs);

/*
 * The same filesystem once more, on top of @fs, which is not changed and must
 * outlive it; both with an internal log. With @fault, what is written goes
 * through a fault device (libxlog/dev/fault.h), and that is *@fault.
 */
struct testfs *testfs_fork(struct testfs *fs, struct dev **fault);

/*
 * Make the log a clean one of one unmount record, in the cycle behind that of
 * its head: for images that come with a dirty log.
 */
void testfs_erase_log(struct testfs *fs);

/* True if a report contains @text. */
bool testfs_said(const struct testfs *fs, const char *text);

/* --- blocks --- */

void testfs_peek(struct testfs *fs, xfs_daddr_t daddr, void *buf, size_t len);
void testfs_poke(struct testfs *fs, xfs_daddr_t daddr, const void *buf,
		 size_t len);

/* After a poke to the superblock: take over what it says. */
void testfs_reload(struct testfs *fs);

/*
 * A block of the btree of free space, for @daddr: a leaf without records, the
 * room for them full of @fill. Sound in every way for that place. @lsn goes
 * into it on version 5.
 */
void testfs_block(struct testfs *fs, void *buf, xfs_daddr_t daddr,
		  xfs_lsn_t lsn, uint8_t fill);

/* What such a block has: LSN (version 5), and the byte at @off. */
xfs_lsn_t testfs_block_lsn(struct testfs *fs, xfs_daddr_t daddr);
uint8_t testfs_byte(struct testfs *fs, xfs_daddr_t daddr, size_t off);
/* Is its checksum right? */
bool testfs_block_sound(struct testfs *fs, xfs_daddr_t daddr);

/* A free block of the filesystem, number @n (from 0) of many. */
xfs_daddr_t testfs_free(const struct testfs *fs, unsigned int n);

/* CRC of all of the data device, and of a log of its own. */
uint32_t testfs_digest(struct testfs *fs);

/*
 * CRC of the data device but for what depends on how the log has ended: an
 * internal log, LSN and checksum of the superblock.
 */
uint32_t testfs_digest_meta(struct testfs *fs);

/* --- inodes --- */

/* Where inode @ino lies: its cluster, and its byte in there. */
struct testfs_inode {
	xfs_ino_t	ino;
	xfs_daddr_t	daddr;
	uint32_t	len_bb;
	uint32_t	boffset;
};

struct testfs_inode testfs_inode(const struct testfs *fs, xfs_ino_t ino);
void testfs_inode_peek(struct testfs *fs, xfs_ino_t ino, void *raw);
void testfs_inode_poke(struct testfs *fs, xfs_ino_t ino, const void *raw);

/* A regular file without blocks, of @size bytes in @raw; checksum made. */
void testfs_file(struct testfs *fs, void *raw, xfs_ino_t ino, xfs_lsn_t lsn,
		 uint64_t size);
void testfs_inode_sum(struct testfs *fs, void *raw);

/* --- the log --- */

/*
 * One checkpoint: a list of regions. testcp_write() and testcp_drop() free it.
 */
struct testcp {
	struct testfs	*fs;
	uint32_t	tid;
	struct xfs_log_region *regions;
	size_t		nregions;
};

struct testcp *testcp_new(struct testfs *fs);

/* A region: a copy of @len bytes. */
void testcp_region(struct testcp *cp, const void *data, size_t len);

struct testbuf {
	xfs_daddr_t	daddr;
	uint32_t	len_bb;
	uint16_t	flags;		/* blf_flags; 0: a btree block */
	const void	*image;		/* the whole buffer */
	uint32_t	first, chunks;	/* of 128 bytes; 0 and 0: all of it */
};

/* A BUF item with one run of chunks. */
void testcp_buf(struct testcp *cp, const struct testbuf *b);
/* The buffer was freed. */
void testcp_cancel(struct testcp *cp, xfs_daddr_t daddr, uint32_t len_bb);
/* A BUF item with any bitmap, one region of @len bytes for @data, or none. */
void testcp_buf_raw(struct testcp *cp, const struct testbuf *b,
		    const uint32_t *map, uint32_t words, const void *data,
		    size_t len);

struct testinode {
	xfs_ino_t	ino;
	uint32_t	fields;		/* XFS_ILOG_*, without CORE */
	const void	*raw;		/* as on disk: the core is taken of it */
	const void	*dfork, *afork;	/* NULL: none */
	uint32_t	dfork_bytes, afork_bytes;
	uint32_t	rdev;
	/* 0: where the inode lies */
	uint32_t	len_bb;
};

void testcp_inode(struct testcp *cp, const struct testinode *in);

/* Other items, by the words of their format in the order of the writer. */
void testcp_icreate(struct testcp *cp, uint32_t agno, uint32_t agbno,
		    uint32_t count, uint32_t length_fsb, uint32_t gen);
void testcp_type(struct testcp *cp, uint16_t type, size_t len);
void testcp_efi(struct testcp *cp, uint64_t id, bool done, uint64_t fsb,
		uint32_t len_fsb);

/*
 * Write it: START, header and regions, COMMIT, in a record of its own or as
 * many as it takes. Returns its LSN, that of the record with START.
 */
xfs_lsn_t testcp_write(struct testcp *cp);

/* The same by hand: operations go into the record that is being filled. */
void testcp_start(struct testcp *cp);
void testcp_body(struct testcp *cp);
void testcp_commit(struct testcp *cp);	/* frees @cp */
void testcp_drop(struct testcp *cp);	/* no COMMIT; frees @cp */

/* One operation, as it is. */
void testfs_op(struct testfs *fs, uint32_t tid, uint8_t flags,
	       const void *data, uint32_t len);

/* Write the record that is being filled. Returns its LSN. */
xfs_lsn_t testfs_record(struct testfs *fs);

/* Words in the order of the writer. */
void testfs_put16(const struct testfs *fs, uint8_t *at, uint16_t v);
void testfs_put32(const struct testfs *fs, uint8_t *at, uint32_t v);
void testfs_put64(const struct testfs *fs, uint8_t *at, uint64_t v);

/* --- replay --- */

/*
 * Replay all of the log and leave it as it is; asserts success. @opts may be
 * NULL.
 */
void testfs_replay(struct testfs *fs, const struct xlog_recover_options *opts,
		   struct xlog_recover_result *res);

/*
 * Assert that replay, and the whole recovery as well, fail with @rc and a
 * report that has @text, and write nothing.
 */
void testfs_refuses(struct testfs *fs, int rc, const char *text);

/* Nothing has been written to any device since testfs_mark(). */
void testfs_mark(struct testfs *fs);
bool testfs_untouched(struct testfs *fs);

#endif
