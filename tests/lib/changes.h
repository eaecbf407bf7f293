/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A real filesystem whose inodes are changed through the log engine, by one
 * thread that takes every step of it, and whose power fails: what is done
 * follows from a seed alone, so a program can do it once more to judge what
 * somebody else recovered. Transactions have numbers, and leave them in the
 * inodes that they change. What recovery finds has to be the state after one of
 * them, no earlier than the last that was forced: all before it, nothing
 * behind it, and so of a chain that rolls its first transactions and no others.
 *
 * Plain C. What goes wrong where nothing may ends the program, with a line that
 * says what.
 */
#ifndef TESTS_LIB_CHANGES_H
#define TESTS_LIB_CHANGES_H

#include "libxlog/meta/mount.h"
#include "libxlog/trans/inode_item.h"
#include "tests/lib/crash.h"

struct changes_txn {
	size_t		first, count;	/* it changed changed[first ..] */
	bool		goes_on;	/* the chain that it is of */
};

struct changes_inode {
	struct inode	*ip;		/* gone with the mount */
	xfs_ino_t	ino;
	uint64_t	off_bytes;	/* on the device */
	uint8_t		*before;	/* as it was when it was mounted */
	uint64_t	want;		/* for judging: its last transaction */
};

struct changes {
	uint64_t	seed;		/* of all that is random */
	struct dev	*medium, *fault;
	struct xlog	*reader;
	struct mount	*m;		/* NULL: not mounted */
	struct log	*log;		/* of that */
	uint32_t	sunit_bytes;	/* of the log */
	struct xfs_geom	geom;

	struct changes_inode *inode;
	size_t		ninodes, inodes_room;

	/* since it was mounted: transaction n is txn[n - 1] */
	uint64_t	first_stamp;	/* of the first one */
	struct changes_txn *txn;
	size_t		txns, txns_room;
	size_t		*changed, nchanged, changed_room;
	uint64_t	forced;		/* transactions that are durable */
	xfs_lsn_t	forced_end;
	unsigned int	in_flight;
	struct crash_facts facts;	/* of the last crash */
	bool		cut_chain;	/* it was between two of a chain */
	uint64_t	recovered;	/* transactions that it left */
	char		said[256];	/* the last error that was reported */
};

/* Ends the program unless @what, which is about @c. */
#define CHANGES_CHECK(c, what)						\
	changes_check((c), (what), __FILE__, __LINE__, #what)
void changes_check(const struct changes *c, bool ok, const char *file, int line,
		   const char *what);

/* 0 to @below - 1 */
uint64_t changes_random(struct changes *c, uint64_t below);

/*
 * The image at @path, recovered, in memory: *@out is for changes_new(), as
 * often as that is wanted.
 */
void changes_base(const char *path, struct dev **out);

struct changes_geometry {
	uint32_t	sector_bytes;
	uint32_t	log_sunit_bytes;	/* 0: none */
};

/* The same of a new one, with few files, which no directory names. */
void changes_base_new(const struct changes_geometry *geometry,
		      struct dev **out);

/* A filesystem over @base, which is only read, on a device that can fail. */
struct changes *changes_new(struct dev *base, uint64_t seed);
void changes_free(struct changes *c);

/* Mount it with any log buffers; @flags: LOG_DIRECT or 0. */
void changes_mount(struct changes *c, unsigned int flags);

/*
 * Do something: change inodes, in a transaction or a chain, force the log,
 * or some of the engine's own work. The log may die of it.
 */
void changes_step(struct changes *c);

/* Force the log, and remember what is durable now. As log_force(). */
int changes_force(struct changes *c) MUST_CHECK;

/* The rest of the engine's own work that there is. */
void changes_settle(struct changes *c);

/* It is not used any more; unmounted (with success) or not. */
void changes_unmount(struct changes *c, bool in_order);

/* Power fails; what is left is on c->medium, and c->facts are known. */
void changes_crash(struct changes *c, enum fault_crash how);

/* Recover what a crash left, as xlog-recover does. */
void changes_recover(struct changes *c);

/*
 * Is there on @dev, which was recovered, what has to be? Ends the program if
 * not. Inodes are compared to the last byte but for LSN and checksum.
 */
void changes_judge(struct changes *c, struct dev *dev);

#endif
