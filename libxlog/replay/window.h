/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A window: as many targets, in the order of the disk, as memory has room for,
 * with their contents.
 */
#ifndef LIBXLOG_REPLAY_WINDOW_H
#define LIBXLOG_REPLAY_WINDOW_H

#include "libxlog/replay/replay.h"

/* An inode whose checksum was wrong before this recovery; see torn.c. */
struct torn_inode {
	uint8_t		*raw;
	xfs_ino_t	ino;		/* as it says, or as the log does */
	xfs_lsn_t	disk_lsn, applied_lsn;
	uint32_t	disk_crc;
	bool		torn, healed;
};

struct window {
	size_t		first, count;	/* numbers of its targets */
	struct target	*targets;
	uint8_t		*arena;		/* their contents, in disk order */
	size_t		arena_bytes;
	void		*torn;		/* tsearch(3) tree of struct torn_inode */
	uint64_t	ntorn;
};

/*
 * The memory that a window may take: the same for all of them, whatever has
 * been kept by then (kept.h), so that what was checked can be written.
 */
uint64_t window_budget(const struct replay *r);

/*
 * How many targets from number @first fit into @max_bytes, at least those that
 * overlap the first. 0: not even these.
 */
size_t window_fit(const struct replay *r, size_t first, uint64_t max_bytes);

/*
 * Read @count targets from number @first, walk the log and apply to them, and
 * check and stamp what came out. Replaces the window that was there. Errors
 * are reported.
 */
int window_load(struct replay *r, size_t first, size_t count) MUST_CHECK;

/*
 * What window_write() would write: a device that saves it first does so now,
 * and says if it cannot.
 */
int window_announce(struct replay *r) MUST_CHECK;

/* Write what was changed, in the order of the disk. Not flushed. */
int window_write(struct replay *r) MUST_CHECK;

/*
 * Flush what window_write() wrote, read it back, from the medium if possible,
 * and compare. -EIO, reported, if something else is there.
 */
int window_reread(struct replay *r) MUST_CHECK;

/* NULL is allowed. */
void window_free(struct window *w);

/*
 * The block of @t, which may be torn, has had all items applied up to the LSN
 * of its header: has it that checksum now?
 */
bool window_is_healed(struct replay *r, struct target *t);

/*
 * To be called before the inode at @raw is changed: remember it if its
 * checksum is wrong. Version 5 only.
 */
int torn_inode_see(struct replay *r, uint8_t *raw) MUST_CHECK;

/*
 * An item of @lsn is at hand for the inode; @newer: the disk says that it is
 * newer. *@apply: apply it all the same, or as ever. Errors are reported.
 */
int torn_inode_item(struct replay *r, uint8_t *raw, xfs_ino_t ino,
		    xfs_lsn_t lsn, bool newer, bool *apply) MUST_CHECK;

/* All items have been applied: judge what is left. */
int torn_inodes_finish(struct replay *r) MUST_CHECK;

/* Check the target, stamp it with its LSN and checksum (stamp.c). */
int target_finish(struct replay *r, struct target *t) MUST_CHECK;

/* What the target holds now: "agf", "inode"; static. */
const char *target_type_name(const struct replay *r, const struct target *t);

/* Look at what has been read for the target (stamp.c). */
void target_start(struct replay *r, struct target *t);

#endif
