/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Replay, inside: from a dirty log to the blocks as a mount would leave them.
 *
 * The log is walked twice. The first walk (plan.c) checks every item, and
 * collects which buffers the log cancels and which it changes: the targets
 * (target.c). The second walk (window.c) has the targets in memory and applies
 * each item to its target, in the order of the log, so that a block is read
 * once and written once, in the order of the disk. If the targets do not fit
 * into memory, the second walk is made for one window of the disk after the
 * other: all of them once to check, then all of them again to write.
 *
 * After the first write nothing of this can fail but the devices: what cannot
 * be replayed is refused before it. What a mount would go on with (remain.c) is
 * found, and then finished by somebody else (struct replay_finisher), who looks
 * at more than the log names: damage there ends that, and the log stays dirty.
 *
 * One file for each type of item: replay_buf.c, replay_inode.c, ...
 */
#ifndef LIBXLOG_REPLAY_REPLAY_H
#define LIBXLOG_REPLAY_REPLAY_H

#include <sys/types.h>

#include "libxfsfmt/block.h"
#include "libxfsfmt/logitem.h"
#include "libxlog/read/read.h"

enum {
	REPLAY_SB_MAX_BYTES = 32768,	/* largest sector */
};

struct replay;

/* --- targets (target.c) --- */

/*
 * A buffer that items of the log name, by its first block and its length:
 * another length is another buffer, as for the kernel.
 *
 * Checkpoints are numbered from 1 in the order of their COMMITs. An item of
 * checkpoint @seq is live unless its buffer was cancelled in that checkpoint
 * or a later one. Live targets are numbered in the order of the disk.
 */
struct target_table;

/* What a target is: all that is kept of it while it is not in memory. */
struct target_place {
	uint64_t	daddr;
	uint32_t	len_bb;
};

/* NULL: out of memory. @max_bytes bounds what the table itself takes. */
struct target_table *targets_new(uint64_t max_bytes);
void targets_free(struct target_table *tt);

/*
 * An item of checkpoint @seq changes, or cancels, the buffer. Checkpoints come
 * in ascending order. Returns 0, -ENOMEM or -E2BIG (the table would take more
 * than it may), not reported.
 */
int targets_add(struct target_table *tt, uint64_t daddr, uint32_t len_bb,
		uint32_t seq) MUST_CHECK;
int targets_cancel(struct target_table *tt, uint64_t daddr, uint32_t len_bb,
		   uint32_t seq) MUST_CHECK;

/* Does an item of checkpoint @seq on this buffer not count? */
bool targets_cancelled(const struct target_table *tt, uint64_t daddr,
		       uint32_t len_bb, uint32_t seq);

/*
 * The plan is complete: number the live targets. After this nothing may be
 * added. Returns 0, -ENOMEM or -E2BIG.
 */
int targets_sort(struct target_table *tt) MUST_CHECK;

/* Live targets; where number @i of them lies. */
size_t targets_count(const struct target_table *tt);
struct target_place targets_at(const struct target_table *tt, size_t i);

/* The number of the live target of exactly these blocks, or -1. */
ssize_t targets_find(const struct target_table *tt, uint64_t daddr,
		     uint32_t len_bb);

/*
 * The number of the first live target that ends behind block @daddr: the first
 * that can overlap what begins there. Targets overlap each other only in
 * damaged or odd logs.
 */
size_t targets_from(const struct target_table *tt, uint64_t daddr);

/* Bytes the table takes. */
uint64_t targets_bytes(const struct target_table *tt);

/* A target with its contents in memory. */
struct target {
	struct target_place at;
	uint8_t		*data;
	bool		dirty;		/* the contents were changed */
	bool		inodes;		/* holds inodes: no stamp of its own */
	bool		dquots;		/* holds dquots: no stamp of its own */
	/* how plain buffers stand to the disk: see replay_buf.c */
	bool		has_lsn;	/* @disk_lsn decides what is applied */
	bool		skipped;	/* an item was not applied: disk is newer */
	bool		header_first;	/* see window.c */
	bool		bad_crc;	/* before this recovery */
	bool		torn, healed;
	uint16_t	blf_flags;	/* of the last BUF item */
	uint32_t	disk_crc;	/* as stored in the block */
	uint32_t	*logged;	/* torn: bits of the chunks that items have */
	uint32_t	crc_before;	/* of all of it, if changes are reported */
	xfs_lsn_t	disk_lsn;	/* before this recovery */
	xfs_lsn_t	applied_lsn;	/* highest applied, or 0 */
};

/* --- items --- */

struct replay_item {
	const struct xlog_item *item;
	struct xfs_logitem_view view;
	xfs_lsn_t	lsn;	/* of the record with START: this is stamped */
	uint32_t	seq;	/* of its checkpoint */
};

/*
 * What replay does with one type of item. Both functions report what is wrong
 * (replay_refuse()) and return a negative errno, which ends the recovery.
 */
struct replay_type {
	uint16_t	type;
	/* First walk: check it, say which targets it has. */
	int (*plan)(struct replay *r, const struct replay_item *it);
	/* Second walk: change those of its targets that are in memory. */
	int (*apply)(struct replay *r, const struct replay_item *it);
};

extern const struct replay_type replay_buf, replay_inode, replay_dquot,
				replay_quotaoff, replay_icreate;

/* NULL: nothing is done with items of that type but to track intents. */
const struct replay_type *replay_type_of(uint16_t type);

/*
 * For plan: the item changes, or frees, these blocks. -EUCLEAN if they are not
 * a buffer inside the filesystem. Errors are reported.
 */
int plan_target(struct replay *r, const struct replay_item *it,
		uint64_t daddr, uint32_t len_bb) MUST_CHECK;
int plan_cancel(struct replay *r, const struct replay_item *it,
		uint64_t daddr, uint32_t len_bb) MUST_CHECK;

/*
 * For apply: the target, with its contents in memory, or NULL if it is not in
 * the window or cancelled: then there is nothing to do.
 */
struct target *apply_target(struct replay *r, const struct replay_item *it,
			    uint64_t daddr, uint32_t len_bb);

/* --- the recovery --- */

/* Where replay ends: who finishes what it leaves, by transactions. */
struct replay_finisher {
	/*
	 * Before the first write, in a dry run too: can all that is left be
	 * finished, with @sb_raw as finish() will have it? Errors are reported,
	 * and the result says what is refused.
	 */
	int (*check)(struct replay *r, const uint8_t *sb_raw);
	/*
	 * All is replayed and durable, the blocks ahead of the head are
	 * cleared. Finish, and end the log: with an unmount record, unless
	 * something is left on purpose. @sb_raw: the superblock as
	 * cleanend_write() would have it. Sets sb_lsn and unmount_lsn of the
	 * result. Errors are reported.
	 */
	int (*finish)(struct replay *r, const uint8_t *sb_raw);
};

struct replay {
	struct xlog	*log;
	const struct xlog_recover_options *opts;
	struct xlog_recover_result *res;
	/*
	 * The superblock as far as the log has been walked. The first walk
	 * ends with it as replayed; before it, and at the start of each
	 * later walk, it is that of the disk.
	 */
	uint8_t		sb_raw[REPLAY_SB_MAX_BYTES];
	struct xfs_sb	sb;
	struct xfs_geom	geom;
	xfs_lsn_t	sb_disk_lsn;	/* of the superblock on disk, or 0 */
	uint32_t	cluster_bb;	/* buffers of inodes, as ICREATE makes */
	/*
	 * XFS_DQTYPE_* bits: quota types whose dquots are replayed. Known
	 * after the first walk: accounted by the superblock as replayed, and
	 * not turned off anywhere in the log.
	 */
	unsigned int	dquot_types;
	unsigned int	quotaoff_types;
	enum xfs_order	order;		/* of the record at the tail */
	struct target_table *targets;
	struct xlog_pending *pending;	/* intents without a done */
	struct window	*window;	/* what is in memory, see window.h */
	struct kept	*kept;		/* copies of blocks, see kept.c */
	struct owners	*owners;	/* see owner.c */
	struct pieces	*pieces;	/* see pieces.c */
	struct later	*later;		/* see stop.c */
	xfs_lsn_t	last_lsn;	/* of the last checkpoint planned, or 0 */
	uint64_t	max_bytes;	/* memory for targets and tables */
	bool		counting;	/* applied items are counted: first sweep */
	bool		written;	/* the disk has it all */
	uint64_t	planned_bb;	/* what a dry run would write */
	const struct replay_finisher *finisher;	/* NULL: there is none */
	bool		realtime_left;	/* what is left is on realtime space */
};

/* xlog_recover(), with somebody to finish what is left, or NULL. */
int replay_recover(struct xlog *log, const struct xlog_recover_options *opts,
		   const struct replay_finisher *finisher,
		   struct xlog_recover_result *res) MUST_CHECK;

/*
 * Is there anything to finish, by what was found and what the caller of the
 * recovery wants? To be asked once the remainder is known.
 */
bool replay_has_to_finish(const struct replay *r);

/*
 * Is something left on purpose, by the same? Then the log must not be marked
 * clean: that is never finished by anyone again.
 */
bool replay_is_something_left(const struct replay *r);

/*
 * Make a recovery of r->log ready, with r->opts and r->res set by the caller
 * and all else zero but r->max_bytes, perhaps. -ENOMEM, reported; either way
 * replay_fini() follows, which leaves those three alone.
 */
int replay_start(struct replay *r) MUST_CHECK;
void replay_fini(struct replay *r);

/*
 * Refuse to recover: report @fmt with the place in the log, keep the text in
 * the result, and return @rc.
 */
int replay_refuse(struct replay *r, int rc, const char *code, xfs_lsn_t lsn,
		  const char *fmt, ...) PRINTF_LIKE(5, 6);

/*
 * Tell the caller of the recovery how far it is; -ECANCELED, reported, if it
 * is to end here.
 */
int replay_progress(struct replay *r, enum xlog_phase phase, uint64_t done,
		    uint64_t total) MUST_CHECK;

/* -ENOMEM, reported. */
int replay_no_memory(struct replay *r);

/* The log names more than there is memory to keep track of: -ENOMEM. */
int replay_no_room(struct replay *r);

/*
 * Lists of what the log has some of, as a rule not many, may take a share of
 * the memory: 0, or replay_no_room() if @bytes are too many.
 */
int replay_check_room(struct replay *r, uint64_t bytes) MUST_CHECK;

/* --- writing (write.c) --- */

/* In a dry run, what would be written is counted, and nothing is written. */
bool replay_is_dry(const struct replay *r);

/*
 * All @count of @ios are about to be written to @dev: have what they overwrite
 * saved, and count them. On error nothing is to be written.
 */
int replay_begin_write(struct replay *r, struct dev *dev,
		       const struct dev_io *ios, size_t count) MUST_CHECK;

/* The same, and write them. */
int replay_write(struct replay *r, struct dev *dev, const struct dev_io *ios,
		 size_t count) MUST_CHECK;

/*
 * Flush @dev. If the caller of the recovery wants that, read back all @count of
 * @ios, which were written, from the medium if possible, and compare: -EIO,
 * reported, if something else is there.
 */
int replay_settle(struct replay *r, struct dev *dev, const struct dev_io *ios,
		  size_t count) MUST_CHECK;

/* Do these blocks overlap an internal log, to which replay never writes? */
bool replay_is_in_log(const struct replay *r, uint64_t daddr, uint64_t len_bb);

/* --- the filesystem as replay leaves it --- */

/*
 * @len_bb blocks of the data device from @daddr as they will be, or are, after
 * replay, with what the superblock checkpoint changes not yet in them. Valid
 * once all windows have been checked. Errors are reported.
 */
int replay_read(struct replay *r, uint64_t daddr, uint32_t len_bb,
		void *buf) MUST_CHECK;

/* --- what is left (remain.c) --- */

/*
 * Find every pending intent, unlinked inode and CoW staging extent, count them
 * in the result and tell of each through opts->remainder. Returns 0, or an
 * error for what stands in the way of finding them (reported).
 */
int replay_remainder(struct replay *r) MUST_CHECK;

/* --- the superblock at the end (counters.c) --- */

/*
 * Make @raw (the sector as replayed) what a mount and unmount make of it:
 * counters from the groups where they are not kept up (lazy counters), free
 * realtime extents, log features that are not in use any more, quota inodes
 * that never were. LSN and checksum are left for the stamp. -EUCLEAN: the
 * groups do not agree with the filesystem; reported.
 */
int replay_superblock(struct replay *r, uint8_t *raw) MUST_CHECK;

/* --- fork-owner changes (owner.c) --- */

/*
 * Inode @ino, which an item of the log changed with DOWNER (@attr false) or
 * AOWNER, must own the blocks of its fork's btree: remember it. No inode of any
 * filesystem is 2^63 or more. -ENOMEM, reported.
 */
int owner_remember(struct replay *r, xfs_ino_t ino, bool attr) MUST_CHECK;

/* NULL is allowed. */
void owners_free(struct owners *owners);

/*
 * Walk these btrees as replay leaves them, and check them; with @write, write
 * those blocks whose owner is another.
 */
int owner_change(struct replay *r, bool write) MUST_CHECK;

/* --- a part of the log (stop.c) --- */

/*
 * Replay was told to stop at a checkpoint: count the blocks and inodes on disk
 * that are from later ones, into the result. Before anything is written.
 */
int stop_count_newer(struct replay *r) MUST_CHECK;

/* --- the end of the log (cleanend.c) --- */

/*
 * Clear what torn writes may have left ahead of the head, as a mount does
 * before anything else. Nothing is flushed. -EUCLEAN or -ENOSPC, and nothing
 * written: the log could not be ended with cleanend_write().
 */
int cleanend_clear_ahead(struct replay *r) MUST_CHECK;

/*
 * End the log as an unmount does. What replay wrote is flushed first; then
 * come a superblock checkpoint with @sb_raw (stamped here), its tail the last
 * record replayed, the superblock itself, and, if @unmount, the unmount
 * record; each flushed before the next. A checkpoint that a recovery wrote
 * before it was cut off here is not written again. Sets sb_lsn and
 * unmount_lsn of the result to what has been done.
 */
int cleanend_write(struct replay *r, const uint8_t *sb_raw, bool unmount)
	MUST_CHECK;

#endif
