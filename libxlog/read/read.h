/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log reader, inside. xlog.h is its public face; this header is for the
 * files of this folder and for the layers that stand on reading (replay).
 *
 * Blocks are numbered from the start of the log; arithmetic on them is modulo
 * the size of the log, see block_add().
 */
#ifndef LIBXLOG_READ_READ_H
#define LIBXLOG_READ_READ_H

#include "libxfsfmt/geom.h"
#include "libxfsfmt/logrec.h"
#include "libxfsfmt/sb.h"
#include "libxlog/dev/dev.h"

struct xlog {
	struct sink	sink;
	struct dev	*fs;		/* filesystem, or NULL: log alone. Below
					   @dev when the log is internal */
	struct dev	*dev;		/* the log, from its first block */
	struct dev	*logdev;	/* external: the device that @dev is, or
					   is a window of */
	struct xlog_info info;
	struct xfs_sb	sb;		/* zero without superblock */
	struct xfs_geom	geom;
	uint8_t		*sb_raw;	/* what info.superblock points to */
	char		*logdev_name;	/* of an external log */
	struct named	logdev_named;	/* for messages of its device */
	uint32_t	nbb;		/* info.log_size_bb */
	bool		logv2;		/* by the superblock, not by a record */
	uint64_t	max_open_bytes;	/* of open transactions; 0: as assemble.c
					   has it */
};

/*
 * As xlog_open(), of devices that are open. @logdev: of an external log, NULL:
 * there is none. Takes both, whatever it
 * returns.
 */
int reader_open(struct dev *fs, struct dev *logdev, const struct sink *sink,
		struct xlog **out) MUST_CHECK;

/*
 * Log writes that may be under way at one time reach this far behind the
 * head: 8 iclogs of the largest size the log version allows.
 */
static inline uint32_t log_outstanding_bb(const struct xlog *log)
{
	return XLOG_MAX_ICLOGS * (log->logv2 ? XLOG_MAX_RECORD_BYTES :
				  XLOG_HEADER_SPAN_BYTES) / BB_SIZE;
}

/* Blocks within which a record that ends at the head must begin. */
static inline uint32_t log_record_max_bb(const struct xlog *log)
{
	return log_outstanding_bb(log) / XLOG_MAX_ICLOGS;
}

/* @block + @n, wrapped. Needs @block < size and @n <= size. */
static inline uint32_t block_add(const struct xlog *log, uint32_t block,
				 uint32_t n)
{
	uint64_t b = (uint64_t)block + n;

	return (uint32_t)(b >= log->nbb ? b - log->nbb : b);
}

/* Blocks from @from forward to @to; 0 if they are the same. */
static inline uint32_t block_distance(const struct xlog *log, uint32_t from,
				      uint32_t to)
{
	return to >= from ? to - from : log->nbb - from + to;
}

/*
 * Read @bb blocks from @block, going on at block 0 behind the end of the log.
 * -EUCLEAN (reported) unless @block < size and @bb <= size.
 */
int log_read_wrapped(struct xlog *log, uint32_t block, uint32_t bb,
		     void *buf) MUST_CHECK;

/* --- view: random access to blocks with large reads behind it --- */

enum {
	VIEW_CHUNK_BB = 2048,		/* 1 MiB */
	VIEW_SLOTS = 8,
};

struct view {
	struct xlog	*log;
	uint8_t		*slot[VIEW_SLOTS];	/* allocated when first used */
	uint32_t	first[VIEW_SLOTS];	/* block; UINT32_MAX: unused */
	uint64_t	used[VIEW_SLOTS];	/* for LRU */
	uint64_t	clock;
	uint32_t	chunks_left;	/* budget; then -E2BIG, not reported */
	uint8_t		single[BB_SIZE];
};

void view_init(struct view *v, struct xlog *log, uint32_t max_chunks);
void view_fini(struct view *v);

/* Block @block, valid until the next call. Reads the chunk around it. */
int view_block(struct view *v, uint32_t block, const uint8_t **out) MUST_CHECK;

/* The same, reading just the one block if its chunk is not there. */
int view_probe(struct view *v, uint32_t block, const uint8_t **out) MUST_CHECK;

/* --- records --- */

/* Payload a record with header @h may have: see the size rules of logrec.h. */
uint32_t log_record_max_bytes(const struct xlog *log,
			      const struct xlog_rec_head *h);

static inline uint32_t log_header_bb(const struct xlog *log,
				     const struct xlog_rec_head *h)
{
	return xlog_rec_header_bb(h->version, h->size_bytes, log->logv2);
}

/*
 * Called before the cursor gives up the memory that earlier records lie in.
 * A negative return ends the walk with that error.
 */
typedef int (*cursor_release_fn)(void *ctx);

void cursor_on_release(struct xlog_cursor *cur, cursor_release_fn fn,
		       void *ctx);

/* Do not report what is not sound, only return it. */
void cursor_set_quiet(struct xlog_cursor *cur);

/* --- intents (pending.c) --- */

/* Keep copies of @bytes of intents, for those who do what they say. */
void pending_set_max_bytes(struct xlog_pending *p, size_t bytes);

/* --- torn heads and overwritten tails (verify.c) --- */

struct finder {
	struct xlog	*log;
	struct view	view;
	bool		quick;
	uint32_t	head, tail;	/* blocks */
	uint32_t	curr_cycle;	/* cycle of what is written at head */
	bool		clean;
	uint32_t	last;		/* block of the newest record header */
	struct xlog_rec_head last_head;
	struct xlog_bounds *out;
};

/*
 * The newest record header before @head, going back no further than @stop:
 * @count headers back, or as many as there are. Returns 1 and *@block (and
 * *@wrapped if it lies behind the physical end), 0 if there is none.
 */
int find_header_back(struct finder *f, uint32_t head, uint32_t stop,
		     unsigned int count, uint32_t *block, bool *wrapped)
	MUST_CHECK;

/* Cycle, tail and newest record, from the newest record before f->head. */
int find_position(struct finder *f) MUST_CHECK;

/*
 * Is that record one of one operation that says "unmount", as a clean log
 * ends? Then f->clean is set and the tail is the head.
 */
int find_unmount(struct finder *f) MUST_CHECK;

/*
 * Check the newest records of a dirty log and cut off a torn end; unless
 * f->quick, check everything from tail to head as well. Damage that a mount
 * would not accept goes into f->out->refused.
 */
int find_verify(struct finder *f) MUST_CHECK;

/*
 * Note why Linux would refuse, the first reason counts; also reported: as an
 * error if it is damage, as a warning if another machine would not mind.
 */
void find_refuse(struct finder *f, enum xlog_severity severity,
		 const char *code, xfs_lsn_t lsn, const char *fmt, ...)
	PRINTF_LIKE(5, 6);

#endif
