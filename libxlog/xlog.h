/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxlog: the XFS journal in user space.
 *
 * Open an image, find the head and tail of its log, walk its records and its
 * checkpoints. Functions return 0 or a negative errno: -EUCLEAN is a damaged
 * structure, -EBADMSG a wrong checksum, -EMEDIUMTYPE something that is not
 * XFS at all, -EOPNOTSUPP a feature that is not known, -EIO the device, -EBUSY
 * a device in use. Every failure has been reported once, in words, through
 * xlog_open_options.report before it is returned.
 *
 * A handle and what was made from it belong to one thread at a time; two
 * handles are independent. All functions may sleep on I/O.
 */
#ifndef LIBXLOG_XLOG_H
#define LIBXLOG_XLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define XLOG_VERSION	"0.1.0"

/* Log sequence number: cycle << 32 | block, in 512-byte units of the log. */
typedef uint64_t xlog_lsn_t;

#define XLOG_LSN_NONE	((xlog_lsn_t)-1)

static inline xlog_lsn_t xlog_lsn(uint32_t cycle, uint32_t block)
{
	return (xlog_lsn_t)cycle << 32 | block;
}

static inline uint32_t xlog_lsn_cycle(xlog_lsn_t lsn)
{
	return (uint32_t)(lsn >> 32);
}

static inline uint32_t xlog_lsn_block(xlog_lsn_t lsn)
{
	return (uint32_t)lsn;
}

/* --- reports --- */

enum xlog_severity {
	XLOG_ERROR,		/* the reason of a failure, or damage found */
	XLOG_WARNING,		/* odd, and dealt with */
	XLOG_NOTICE,		/* worth knowing */
	XLOG_STEP,		/* how head and tail were found (--explain) */
};

struct xlog_report {
	enum xlog_severity severity;
	const char	*code;	/* stable name: "log.crc", "sb.geometry" */
	xlog_lsn_t	lsn;	/* where in the log, or XLOG_LSN_NONE */
	const char	*text;	/* one line, no newline; valid during the call */
};

typedef void (*xlog_report_fn)(void *ctx, const struct xlog_report *report);

/* --- opening --- */

struct xlog_open_options {
	const char	*logdev;	/* external log, or NULL */
	uint64_t	offset_bytes;	/* where the filesystem starts */
	/*
	 * A raw log on its own: @path is the log, and these sectors are a copy
	 * of the superblock of its filesystem. NULL otherwise.
	 */
	const void	*superblock;
	size_t		superblock_bytes;
	uint64_t	unpack_max_bytes; /* bound on a compressed image; 0: 64 GiB */
	xlog_report_fn	report;		/* may be NULL */
	void		*report_ctx;
	unsigned int	flags;		/* XLOG_OPEN_*; 0: for reading */
	/*
	 * With XLOG_OPEN_WRITE: save what is overwritten, on any device, in
	 * this new file first; -EEXIST if it is there. NULL: do not. If
	 * nothing is written, xlog_close() removes it.
	 */
	const char	*undo;
};

enum {
	/*
	 * For writing: refused with -EBUSY, and the user named, if a device is
	 * in use; a lock is held until xlog_close(). A compressed image is
	 * -EROFS, a log alone -EINVAL.
	 */
	XLOG_OPEN_WRITE = 1,
	/*
	 * Writes are taken and seen by later reads, but stay in memory: the
	 * devices are opened for reading only. Excludes XLOG_OPEN_WRITE.
	 */
	XLOG_OPEN_OVERLAY = 2,
	XLOG_OPEN_LOCK_WAIT = 4,	/* wait for the lock */
	XLOG_OPEN_LOCK_NONE = 8,	/* take no lock */
	/* xlog_undo_apply(): though the device was written to meanwhile. */
	XLOG_OPEN_FORCE_CHANGED = 16,
};

struct xlog;

/*
 * Open the image, block device or compressed image (zstd) at @path, for
 * reading unless @opts say otherwise, or the log alone: see @superblock; a raw
 * log with neither is taken for what its own records say. @opts may be NULL.
 * On success *@out is the caller's, to be closed with xlog_close().
 */
int xlog_open(const char *path, const struct xlog_open_options *opts,
	      struct xlog **out);
void xlog_close(struct xlog *log);

/* What the superblock says of the log. Valid until xlog_close(). */
struct xlog_info {
	uint8_t		uuid[16];	/* sb_uuid, the one in record headers */
	uint32_t	sb_version;	/* 4 or 5; 0: a log without superblock */
	uint32_t	log_version;	/* 1 or 2 */
	uint32_t	block_bytes;	/* filesystem block */
	uint32_t	log_sector_bytes;
	uint32_t	log_sunit_bytes; /* as sb_logsunit: 0 or 1 is none */
	uint32_t	log_size_bb;
	uint64_t	log_daddr;	/* internal: place on the data device */
	bool		internal;
	const void	*superblock;	/* on-disk bytes, or NULL */
	size_t		superblock_bytes;
};

const struct xlog_info *xlog_info(const struct xlog *log);

/* Bytes read from devices through this handle so far. */
uint64_t xlog_bytes_read(const struct xlog *log);

/*
 * Raw read of @bb basic blocks of the log from block @block, without wrap:
 * @block + @bb <= log_size_bb. -EINVAL otherwise.
 */
int xlog_read_raw(struct xlog *log, uint32_t block, uint32_t bb, void *buf);

/* --- head and tail --- */

enum xlog_state {
	XLOG_EMPTY,		/* never written: all blocks have cycle 0 */
	XLOG_CLEAN,		/* ends with an unmount record */
	XLOG_DIRTY,		/* checkpoints between tail and head */
	XLOG_CORRUPT,		/* no head and tail that a mount would accept */
};

/* "empty", "clean", "dirty", "corrupt" */
const char *xlog_state_name(enum xlog_state state);

struct xlog_bounds {
	enum xlog_state	state;
	xlog_lsn_t	head;		/* where the next record will be written */
	xlog_lsn_t	tail;		/* first record to replay; clean: = head */
	xlog_lsn_t	last_record;	/* newest record header, or NONE */
	uint32_t	torn_block;	/* first block cut off by a bad checksum,
					   or UINT32_MAX */
	xlog_lsn_t	damaged;	/* first record between tail and head
					   that is not sound, or NONE */
	/*
	 * Why Linux would refuse to recover this log, or empty. A dirty log
	 * in another machine's byte order is refused by Linux, not corrupt.
	 */
	char		refused[128];
	unsigned int	reasons;	/* all of them: XLOG_REFUSED_* */
	/* of a dirty log that was read whole: h_fmt of the record at the tail */
	uint32_t	fmt;
	uint32_t	last_size_bytes; /* h_size of the newest record, or 0 */
};

/* Why Linux would refuse a log. */
enum {
	XLOG_REFUSED_ORDER = 1,		/* the byte order of another machine */
	XLOG_REFUSED_UUID = 2,		/* records of another filesystem */
	XLOG_REFUSED_OTHER = 4,
	XLOG_REFUSED_RECORD = 8,	/* a damaged record */
};

enum {
	/*
	 * Verify the newest records only, reading at most 8 MiB; else every
	 * record from tail to head, as a mount does.
	 */
	XLOG_FIND_QUICK = 1,
};

/*
 * Find head and tail as a mount would. Damage is a result, not a failure:
 * it is reported, @out->state is XLOG_CORRUPT and 0 is returned; head and
 * tail are then the best that could be found, or XLOG_LSN_NONE.
 */
int xlog_find(struct xlog *log, unsigned int flags, struct xlog_bounds *out);

/* --- records --- */

enum xlog_crc {
	XLOG_CRC_OK,
	XLOG_CRC_ABSENT,	/* stored as zero: mkfs, or a very old kernel */
	XLOG_CRC_OTHER_SIZE,	/* right for the other header size (i386) */
	XLOG_CRC_BAD,
};

/* What lies at one place of the physical log. */
enum xlog_extent {
	XLOG_RECORD,		/* a record, whole */
	XLOG_PARTIAL,		/* a header whose record is not all there */
	XLOG_FILLER,		/* empty headers, as a mount writes past the head */
	XLOG_ZERO,		/* blocks of zeros */
	XLOG_STRAY,		/* blocks whose header has been overwritten */
};

struct xlog_record {
	enum xlog_extent extent;
	uint32_t	block;		/* first block in the log */
	uint32_t	bb;		/* blocks in all; filler, zero, stray: run */
	uint32_t	cycle;		/* of the first block */
	/* the rest for RECORD and PARTIAL (header only) and FILLER (of the
	   first, without the bytes at .header) */
	xlog_lsn_t	lsn;		/* h_lsn */
	xlog_lsn_t	tail_lsn;	/* h_tail_lsn */
	const uint8_t	*header;	/* header_bb blocks, as on disk */
	uint32_t	header_bb;
	const uint8_t	*data;		/* RECORD: blocks with their own first
					   words put back; else NULL */
	uint32_t	len_bytes;	/* h_len */
	uint32_t	num_ops;	/* h_num_logops */
	uint32_t	fmt;		/* h_fmt: 1 little-endian, 2 big-endian */
	enum xlog_crc	crc;
	uint32_t	crc_stored, crc_expected;
};

/* Which records a cursor gives. */
enum xlog_walk {
	/* Physical order from block @from up to @to: everything, see above. */
	XLOG_WALK_PHYSICAL,
	/* Log order from the record at block @from to @to, wrapping: only
	   records; the first that is not sound ends the walk. */
	XLOG_WALK_LOG,
	/* The same, but go on at the next header behind what is not sound; a
	   record with nothing wrong but its checksum is given all the same
	   (reported, .crc is XLOG_CRC_BAD). */
	XLOG_WALK_LOG_RESYNC,
};

struct xlog_cursor;

/* Blocks @from .. @to (exclusive). On success *@out is the caller's. */
int xlog_cursor_open(struct xlog *log, enum xlog_walk walk, uint32_t from,
		     uint32_t to, struct xlog_cursor **out);

/*
 * The next one into *@rec, valid until the next call. Returns 1, or 0 at the
 * end. -EUCLEAN or -EBADMSG: what stands there is no sound record (LOG: the
 * end of the walk; RESYNC: the following call goes on behind it); it has been
 * reported, and @rec->block and @rec->lsn say where. -EIO: the walk is over.
 */
int xlog_cursor_next(struct xlog_cursor *cur, struct xlog_record *rec);
void xlog_cursor_close(struct xlog_cursor *cur);

/* --- operations, items, checkpoints --- */

struct xlog_region {
	const uint8_t	*data;
	uint32_t	len_bytes;
};

/* A log item: region 0 is its format structure, in the writer's byte order. */
struct xlog_item {
	uint16_t	type;		/* 0x123b inode, 0x123c buffer, ... */
	uint16_t	declared;	/* regions its format structure says */
	uint16_t	nregions;	/* regions that are there */
	const struct xlog_region *regions;
};

/* What an operation is, in its transaction. */
enum xlog_op_role {
	XLOG_OP_START,
	XLOG_OP_TRANS_HEADER,
	XLOG_OP_REGION,		/* region (or its first piece) of an item */
	XLOG_OP_CONTINUATION,	/* further piece of the region before */
	XLOG_OP_COMMIT,
	XLOG_OP_UNMOUNT,
	XLOG_OP_ORPHAN,		/* its transaction started before what was read */
	XLOG_OP_BAD,		/* breaks the rules; reported */
};

struct xlog_op {
	uint32_t	tid;
	uint32_t	len_bytes;	/* as its header says */
	uint8_t		clientid, flags;
	uint32_t	offset;		/* of its header in the record's data */
	const uint8_t	*data;		/* payload; NULL if its header is bad */
	enum xlog_op_role role;
	uint16_t	item_type;	/* REGION, CONTINUATION, else 0 */
	uint16_t	region;		/* index in the item */
	uint16_t	regions;	/* of the item in all */
	/* the item, if this operation completed it; valid until the next call */
	const struct xlog_item *item;
};

/* One transaction of the log; since delayed logging, one checkpoint. */
struct xlog_trans {
	uint32_t	tid;
	bool		committed;
	bool		big_endian;	/* byte order of its items */
	bool		order_lies;	/* a record of it says another */
	uint32_t	type;		/* th_type */
	uint32_t	num_regions;	/* th_num_items: regions announced */
	xlog_lsn_t	start;		/* record that holds its START */
	xlog_lsn_t	commit;		/* record that holds its COMMIT, or the
					   last record seen of it */
	xlog_lsn_t	end;		/* behind that record */
	uint32_t	commit_offset;	/* of the COMMIT in the record's data */
	uint64_t	bytes;		/* of all regions */
	const struct xlog_item *items;
	size_t		nitems;
};

/*
 * Puts operations together into items and transactions, record by record.
 * Memory is bounded by the transactions open at one time. Regions point into
 * the record until xlog_assembly_detach().
 */
struct xlog_assembly;

int xlog_assembly_open(struct xlog *log, struct xlog_assembly **out);
void xlog_assembly_close(struct xlog_assembly *as);

/* Begin with @rec, which must outlive the operations taken from it. */
void xlog_assembly_record(struct xlog_assembly *as,
			  const struct xlog_record *rec);

/*
 * The next operation of the record. Returns 1, 0 at the end of the record,
 * or -EUCLEAN: it breaks the rules (reported; a bad length ends the record,
 * anything else only ends its transaction). When an operation ends a
 * transaction (COMMIT), *@trans is that transaction, valid until the next
 * call, else NULL.
 */
int xlog_assembly_op(struct xlog_assembly *as, struct xlog_op *op,
		     const struct xlog_trans **trans);

/* Copy what open transactions still hold of the record, which goes away. */
int xlog_assembly_detach(struct xlog_assembly *as);

/*
 * The transaction that is open and started after @prev, one of them; the
 * oldest if @prev is NULL. NULL: there is none. Between these calls nothing
 * else may be done with @as.
 */
const struct xlog_trans *
xlog_assembly_unfinished(struct xlog_assembly *as,
			 const struct xlog_trans *prev);

struct xlog_trans_iter;

/*
 * Walk the transactions whose records lie in blocks @from .. @to, in the order
 * of their COMMITs. @resync as XLOG_WALK_LOG_RESYNC.
 */
int xlog_trans_open(struct xlog *log, uint32_t from, uint32_t to, bool resync,
		    struct xlog_trans_iter **out);

/*
 * The next transaction, valid until the next call. Returns 1, or 0 when there
 * are no more; the transactions that never committed come last. A negative
 * errno as in xlog_cursor_next() and xlog_assembly_op(): the following call
 * goes on if @resync.
 */
int xlog_trans_next(struct xlog_trans_iter *it, const struct xlog_trans **out);

/* Records read so far. */
uint64_t xlog_trans_records(const struct xlog_trans_iter *it);
void xlog_trans_close(struct xlog_trans_iter *it);

/* --- intents --- */

/*
 * Intents that wait for their done. Ids are used again as soon as an intent is
 * done, so a done ends the oldest intent of its type and id that was logged
 * before it, and items must be shown in log order.
 */
struct xlog_pending;

struct xlog_pending_intent {
	uint16_t	type;		/* of the item */
	uint64_t	id;
	xlog_lsn_t	lsn;		/* its checkpoint */
	bool		big_endian;
	struct xlog_item item;		/* a copy; no regions if there was no
					   room for one */
};

/* NULL: out of memory. */
struct xlog_pending *xlog_pending_new(void);
void xlog_pending_free(struct xlog_pending *p);

/*
 * Account for @item of the checkpoint that started at @lsn, if it is an intent
 * or a done. Returns 0 or -ENOMEM, which is not reported.
 */
int xlog_pending_item(struct xlog_pending *p, const struct xlog_item *item,
		      xlog_lsn_t lsn, bool big_endian);

/* Intents that wait. */
size_t xlog_pending_count(const struct xlog_pending *p);

/*
 * Those logged after @prev, one a call; the oldest if @prev is NULL; NULL at
 * the end. Valid until the next xlog_pending_item().
 */
const struct xlog_pending_intent *
xlog_pending_next(const struct xlog_pending *p,
		  const struct xlog_pending_intent *prev);

/* --- recovery --- */

enum xlog_order {
	XLOG_ORDER_AUTO,	/* that of the records */
	XLOG_ORDER_LE,
	XLOG_ORDER_BE,
};

enum {
	/* Replay though the records name another filesystem. */
	XLOG_RECOVER_FORCE_UUID = 1,
	/* Replay though a read-only compatible feature is not known. */
	XLOG_RECOVER_FORCE_FEATURES = 2,
	/*
	 * Leave unlinked inodes and leftover CoW extents: the log then ends
	 * with a superblock checkpoint and stays dirty, as a freeze leaves it.
	 */
	XLOG_RECOVER_LEAVE_UNLINKED = 4,
	/* Replay though intents are pending, which are dropped. */
	XLOG_RECOVER_SKIP_INTENTS = 8,
	/*
	 * Read back what replay wrote, past the page cache, and compare; not
	 * what finishing writes.
	 */
	XLOG_RECOVER_REREAD = 16,
	/*
	 * Write nothing: the callbacks and the result say what would be done,
	 * and how much would be written.
	 */
	XLOG_RECOVER_DRY_RUN = 32,
	/* Pending intents are a reason not to recover. */
	XLOG_RECOVER_REFUSE_INTENTS = 64,
};

enum xlog_phase {
	XLOG_PHASE_FIND,	/* looking for head and tail */
	XLOG_PHASE_PLAN,	/* bytes of log */
	XLOG_PHASE_CHECK,	/* blocks replayed in memory */
	XLOG_PHASE_WRITE,	/* blocks written */
	XLOG_PHASE_FINISH,
};

/* A run of blocks that replay changed. */
struct xlog_change {
	uint64_t	daddr;		/* of the data device, 512-byte units */
	uint32_t	len_bb;
	const char	*type;		/* "agf", "dir_data", "inodes", ... */
	uint32_t	ag;
	uint32_t	crc_before, crc_after;	/* CRC-32C of all of it */
};

enum xlog_remainder_kind {
	XLOG_REMAINDER_INTENT,
	XLOG_REMAINDER_UNLINKED,	/* inode that nothing links to */
	XLOG_REMAINDER_COW,		/* CoW staging extent */
};

/* What a mount would finish after replay. */
struct xlog_remainder {
	enum xlog_remainder_kind kind;
	xlog_lsn_t	lsn;		/* INTENT: its checkpoint; else NONE */
	const char	*type;		/* INTENT: "efi", "bui", ... */
	uint64_t	id;		/* INTENT */
	uint64_t	ino;		/* UNLINKED; of an intent, or 0 */
	uint32_t	ag;		/* UNLINKED, COW; of the first extent */
	uint32_t	agbno, blocks;	/* COW; of the first extent, or 0 */
	bool		realtime;	/* not of the data device */
	const char	*text;		/* one line that says all of it */
};

struct xlog_recover_options {
	unsigned int	flags;		/* XLOG_RECOVER_* */
	enum xlog_order	order;
	uint64_t	max_memory_bytes; /* 0: 512 MiB */
	/*
	 * Replay the checkpoints up to and including the one that starts at
	 * this LSN (or NONE), or this many (0: all) and those that have the
	 * LSN of the last. The log is then left as it is, dirty. For overlays
	 * and copies. A log with a damaged record can be replayed up to there.
	 */
	xlog_lsn_t	stop_lsn;
	uint64_t	stop_count;
	/*
	 * All may be NULL. @progress is called now and then, also where
	 * nothing has been written yet; a nonzero answer ends the recovery at
	 * that point with -ECANCELED.
	 */
	int (*progress)(void *ctx, enum xlog_phase phase, uint64_t done,
			uint64_t total);
	void (*change)(void *ctx, const struct xlog_change *change);
	void (*remainder)(void *ctx, const struct xlog_remainder *rem);
	void		*ctx;
};

struct xlog_recover_result {
	struct xlog_bounds bounds;	/* as found; refused: why Linux would */
	uint64_t	records, checkpoints, items;	/* replayed */
	uint64_t	uncommitted;	/* transactions without COMMIT */
	/* items: applied; not, because the disk is newer; cancelled */
	uint64_t	buffers, inodes, dquots, icreates;
	uint64_t	newer, cancelled;
	uint64_t	intents, unlinked, cow_extents;	/* remainders found */
	uint64_t	healed;		/* blocks torn by a write before */
	uint64_t	bad_crc;	/* blocks whose checksum was wrong */
	uint64_t	changed;	/* buffers changed */
	uint64_t	blocks_written;	/* 512-byte units, log included */
	uint64_t	windows;	/* 1: everything fitted into memory */
	uint64_t	peak_bytes;	/* of targets and tables in memory */
	bool		wrote;		/* something has been written; never
					   by a dry run */
	/* with stop_*: blocks and inodes on disk that later checkpoints
	   changed; version 4 does not say, UINT64_MAX then; and is it none */
	uint64_t	beyond;
	bool		consistent;
	enum xlog_state	state;		/* of the log now, or after no dry run */
	xlog_lsn_t	sb_lsn;		/* superblock checkpoint, or NONE */
	xlog_lsn_t	unmount_lsn;	/* unmount record, or NONE */
	char		refused[256];	/* why it was, or empty */
};

/*
 * Recover the filesystem of @log, opened with XLOG_OPEN_WRITE or
 * XLOG_OPEN_OVERLAY, or for a dry run in any way: do what a mount would do. On a clean log nothing is
 * written. Everything is read, checked and replayed in memory before the first
 * write; until then a failure leaves the devices untouched (@res->wrote).
 * Finishing what replay leaves is checked as far as its intents say; damage
 * that it meets later ends it, and the log stays dirty. A recovery that was cut off is done by running it again.
 * @opts may be NULL. @res is filled in as far as things went.
 * Returns 0, or: -EUCLEAN, -EBADMSG: something is damaged; -EOPNOTSUPP: a
 * feature or item that is not known; -ENOTEMPTY: a remainder that cannot be
 * finished; -EBUSY: the log is written elsewhere; -ECANCELED, -ENOMEM, -EIO.
 */
int xlog_recover(struct xlog *log, const struct xlog_recover_options *opts,
		 struct xlog_recover_result *res);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#include "xlog_bench.h"
#include "xlog_mkfs.h"
#include "xlog_save.h"
#include "xlog_trace.h"

#endif
