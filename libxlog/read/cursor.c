/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The record cursor: one pass over a range of the log with large reads.
 *
 * The blocks at hand lie in one buffer ("slab"). When a record is not wholly
 * in it, what is left moves to the front and the next megabyte is read behind
 * it; a record that wraps the end of the log is thus one piece in memory. The
 * checksum is taken of the blocks as they are on disk, then the words that the
 * cycle stamps replaced are put back in place: nothing is copied.
 */
#include <stdlib.h>

#include "libxlog/read/read.h"

enum {
	READ_BB = 2048,			/* 1 MiB a read */
	/* a record of the largest payload with all its headers, and slack */
	RECORD_MAX_BB = (XLOG_MAX_RECORD_BYTES + XLOG_MAX_RECORD_BYTES) / BB_SIZE,
	SLAB_BB = READ_BB + RECORD_MAX_BB,
};

struct xlog_cursor {
	struct xlog	*log;
	enum xlog_walk	walk;
	uint32_t	block;		/* where the next record is looked for */
	uint32_t	left_bb;	/* from there to the end of the range */
	uint8_t		*slab;
	uint32_t	start_bb;	/* of @block in the slab */
	uint32_t	have_bb;	/* blocks there from @start_bb on */
	bool		quiet;
	bool		over;
	bool		resync;		/* look for the next header first */
	cursor_release_fn release;
	void		*release_ctx;
};

uint32_t log_record_max_bytes(const struct xlog *log,
			      const struct xlog_rec_head *h)
{
	if (!log->logv2)
		return XLOG_HEADER_SPAN_BYTES;
	/*
	 * mkfs writes its one record longer than the buffer size it names when
	 * the stripe unit is odd.
	 */
	if (h->num_ops == 1 || h->size_bytes > XLOG_MAX_RECORD_BYTES)
		return XLOG_MAX_RECORD_BYTES;
	return h->size_bytes;
}

int xlog_cursor_open(struct xlog *log, enum xlog_walk walk, uint32_t from,
		     uint32_t to, struct xlog_cursor **out)
{
	struct xlog_cursor *cur;

	if (from >= log->nbb || to > log->nbb ||
	    (walk == XLOG_WALK_PHYSICAL && to < from))
		return report(&log->sink, -EINVAL, "log.range", XLOG_LSN_NONE,
			      "blocks %u to %u: the log has %u", from, to,
			      log->nbb);
	cur = calloc(1, sizeof(*cur));
	if (cur)
		cur->slab = malloc((size_t)SLAB_BB * BB_SIZE);
	if (!cur || !cur->slab) {
		free(cur);
		return report(&log->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	}
	cur->log = log;
	cur->walk = walk;
	cur->block = from;
	cur->left_bb = walk == XLOG_WALK_PHYSICAL ? to - from :
		       block_distance(log, from, to == log->nbb ? 0 : to);
	*out = cur;
	return 0;
}

void xlog_cursor_close(struct xlog_cursor *cur)
{
	if (!cur)
		return;
	free(cur->slab);
	free(cur);
}

void cursor_on_release(struct xlog_cursor *cur, cursor_release_fn fn, void *ctx)
{
	cur->release = fn;
	cur->release_ctx = ctx;
}

void cursor_set_quiet(struct xlog_cursor *cur)
{
	cur->quiet = true;
}

/* Blocks that may be read from @cur->block on. */
static uint32_t readable_bb(const struct xlog_cursor *cur)
{
	/* the last record of a physical walk may wrap to the start */
	return cur->walk == XLOG_WALK_PHYSICAL ? cur->log->nbb : cur->left_bb;
}

/* Have @bb blocks (at most RECORD_MAX_BB and readable_bb) in the slab. */
static int cursor_need(struct xlog_cursor *cur, uint32_t bb)
{
	uint32_t more;
	int rc;

	if (bb <= cur->have_bb)
		return 0;
	rc = cur->release ? cur->release(cur->release_ctx) : 0;
	if (rc)
		return rc;
	memmove(cur->slab, cur->slab + (size_t)cur->start_bb * BB_SIZE,
		(size_t)cur->have_bb * BB_SIZE);
	cur->start_bb = 0;
	more = readable_bb(cur) - cur->have_bb;
	if (more > READ_BB)
		more = READ_BB;
	/* behind the range, no more than the record needs */
	if (cur->walk == XLOG_WALK_PHYSICAL &&
	    cur->have_bb + more > cur->left_bb)
		more = (bb > cur->left_bb ? bb : cur->left_bb) - cur->have_bb;
	rc = log_read_wrapped(cur->log,
			      block_add(cur->log, cur->block, cur->have_bb),
			      more, cur->slab + (size_t)cur->have_bb * BB_SIZE);
	if (!rc)
		cur->have_bb += more;
	return rc;
}

static uint8_t *cursor_at(const struct xlog_cursor *cur, uint32_t bb)
{
	return cur->slab + (size_t)(cur->start_bb + bb) * BB_SIZE;
}

static void cursor_skip(struct xlog_cursor *cur, uint32_t bb)
{
	cur->block = block_add(cur->log, cur->block, bb);
	cur->left_bb = cur->left_bb > bb ? cur->left_bb - bb : 0;
	cur->start_bb += bb;
	cur->have_bb -= bb;
}

static void take_header(struct xlog_record *rec, const struct xlog_rec_head *h,
			const uint8_t *raw)
{
	rec->cycle = h->cycle;
	rec->lsn = h->lsn;
	rec->tail_lsn = h->tail_lsn;
	rec->header = raw;
	rec->len_bytes = h->len_bytes;
	rec->num_ops = h->num_ops;
	rec->fmt = h->fmt;
	rec->crc_stored = h->crc;
}

static void check_crc(const struct xlog *log, struct xlog_record *rec,
		      const uint8_t *data)
{
	rec->crc_expected = xlog_rec_crc(rec->header, XLOG_HEADER_CRC_BYTES,
					 rec->header_bb, data, rec->len_bytes,
					 log->logv2);
	if (rec->crc_expected == rec->crc_stored)
		rec->crc = XLOG_CRC_OK;
	else if (!rec->crc_stored)
		rec->crc = XLOG_CRC_ABSENT;
	else if (xlog_rec_crc(rec->header, XLOG_HEADER_CRC_BYTES_I386,
			      rec->header_bb, data, rec->len_bytes,
			      log->logv2) == rec->crc_stored)
		rec->crc = XLOG_CRC_OTHER_SIZE;
	else
		rec->crc = XLOG_CRC_BAD;
}

/*
 * The record whose header is at the cursor and has been found sound: read the
 * rest, check it, put its words back.
 */
static int take_record(struct xlog_cursor *cur, const struct xlog_rec_head *h,
		       struct xlog_record *rec)
{
	const struct xlog *log = cur->log;
	uint8_t *data;
	int rc;

	rec->header_bb = log_header_bb(log, h);
	rec->bb = rec->header_bb + (uint32_t)bb_from_bytes(h->len_bytes);
	rc = cursor_need(cur, rec->bb);
	if (rc)
		return rc;
	rec->header = cursor_at(cur, 0);
	data = cursor_at(cur, rec->header_bb);
	check_crc(log, rec, data);
	xlog_rec_unpack(rec->header, rec->header_bb, data, rec->len_bytes);
	rec->data = data;
	return 0;
}

/* --- log order --- */

static void report_unsound(struct xlog_cursor *cur,
			   const struct xlog_record *rec, int rc,
			   const char *code, const char *what)
{
	if (!cur->quiet)
		report(&cur->log->sink, rc, code,
		       xfs_lsn_make(rec->cycle, rec->block),
		       "block %u: %s", rec->block, what);
}

static int unsound(struct xlog_cursor *cur, struct xlog_record *rec, int rc,
		   const char *code, const char *what)
{
	report_unsound(cur, rec, rc, code, what);
	rec->extent = XLOG_PARTIAL;
	rec->data = NULL;
	if (cur->walk == XLOG_WALK_LOG_RESYNC)
		cur->resync = true;
	else
		cur->over = true;
	return rc;
}

/* Move on to the next block that looks like a header of this log. */
static int find_next_header(struct xlog_cursor *cur)
{
	int rc = 0;

	cursor_skip(cur, 1);
	while (cur->left_bb) {
		struct xlog_rec_head h;
		const uint8_t *b;

		rc = cursor_need(cur, 1);
		if (rc)
			break;
		b = cursor_at(cur, 0);
		xlog_rec_head_decode(&h, b);
		if (xlog_is_rec_header(b) && h.len_bytes)
			break;
		cursor_skip(cur, 1);
	}
	cur->resync = false;
	return rc;
}

/* Linux takes the LSN from the header as it stands there. */
static void check_place(struct xlog_cursor *cur, const struct xlog_record *rec,
			const struct xlog_rec_head *h)
{
	xfs_lsn_t place = xfs_lsn_make(h->cycle, rec->block);

	if (h->lsn != place && !cur->quiet)
		report(&cur->log->sink, 0, "log.lsn", place,
		       "block %u: the record there says that it is %u:%u",
		       rec->block, xfs_lsn_cycle(h->lsn), xfs_lsn_block(h->lsn));
}

static int next_in_log(struct xlog_cursor *cur, struct xlog_record *rec)
{
	const struct xlog *log = cur->log;
	struct xlog_rec_head h;
	const char *why;
	uint8_t *b;
	int rc;

	rc = cur->resync ? find_next_header(cur) : 0;
	if (rc || !cur->left_bb)
		return rc;
	rc = cursor_need(cur, 1);
	if (rc)
		return rc;
	b = cursor_at(cur, 0);
	rec->block = cur->block;
	rec->cycle = xlog_block_cycle(b);
	rec->lsn = xfs_lsn_make(rec->cycle, rec->block);
	if (!xlog_is_rec_header(b))
		return unsound(cur, rec, -EUCLEAN, "log.header",
			       "no record header");
	xlog_rec_head_decode(&h, b);
	take_header(rec, &h, b);
	why = xlog_rec_head_verify(&h, log->logv2, cur->block, log->nbb,
				   log_record_max_bytes(log, &h));
	if (!why && log_header_bb(log, &h) + bb_from_bytes(h.len_bytes) >
	    cur->left_bb)
		why = "record runs past the head";
	if (why)
		return unsound(cur, rec, -EUCLEAN, "log.header", why);
	rec->extent = XLOG_RECORD;
	rc = take_record(cur, &h, rec);
	if (rc)
		return rc;
	check_place(cur, rec, &h);
	if (rec->crc != XLOG_CRC_BAD)
		return 1;
	if (cur->walk == XLOG_WALK_LOG)
		return unsound(cur, rec, -EBADMSG, "log.crc",
			       "wrong record checksum");
	/* its lengths are sane: whoever wants what is left may look at it */
	report_unsound(cur, rec, -EBADMSG, "log.crc", "wrong record checksum");
	return 1;
}

/* --- physical order --- */

static bool all_zero(const uint8_t *block)
{
	static const uint8_t zero[BB_SIZE];

	return !memcmp(block, zero, BB_SIZE);
}

static bool is_filler(const uint8_t *block)
{
	struct xlog_rec_head h;

	if (!xlog_is_rec_header(block))
		return false;
	xlog_rec_head_decode(&h, block);
	return !h.len_bytes;
}

/* Is the block @bb behind the cursor of the record that starts there? */
static bool of_record(const struct xlog_cursor *cur, uint32_t bb,
		      uint32_t cycle)
{
	const uint8_t *b = cursor_at(cur, bb);

	if (cur->block + (uint64_t)bb >= cur->log->nbb) {
		/* stamped one higher, but never as a header */
		cycle++;
		if (cycle == XLOG_MAGIC)
			cycle++;
	}
	return !xlog_is_rec_header(b) && get_be32(b) == cycle;
}

/* A header with payload: a record if all its blocks are of it. */
static int take_physical(struct xlog_cursor *cur, struct xlog_record *rec)
{
	const struct xlog *log = cur->log;
	struct xlog_rec_head h;
	uint32_t bb = 0, whole;
	const uint8_t *raw = cursor_at(cur, 0);
	int rc;

	xlog_rec_head_decode(&h, raw);
	take_header(rec, &h, raw);
	rec->header_bb = 1;
	rec->bb = 1;
	rec->extent = XLOG_PARTIAL;
	if (xlog_rec_head_verify(&h, log->logv2, cur->block, log->nbb,
				 log_record_max_bytes(log, &h)))
		return 1;
	whole = log_header_bb(log, &h) + (uint32_t)bb_from_bytes(h.len_bytes);
	rc = cursor_need(cur, whole);
	if (rc)
		return rc;
	for (bb = 1; bb < whole && of_record(cur, bb, h.cycle); bb++)
		;
	rec->header = cursor_at(cur, 0);
	rec->bb = bb;
	if (bb < whole)
		return 1;
	rec->extent = XLOG_RECORD;
	rc = take_record(cur, &h, rec);
	return rc ? rc : 1;
}

/* Count the run of blocks like the first one; the cursor stands on it. */
static int take_run(struct xlog_cursor *cur, struct xlog_record *rec)
{
	uint32_t bb = 0;
	int rc = 0;

	while (bb < cur->left_bb) {
		const uint8_t *b;
		bool zero;

		/* a run may be longer than the slab: let go of what is done */
		if (bb == cur->have_bb) {
			cursor_skip(cur, bb);
			rec->bb += bb;
			bb = 0;
			rc = cursor_need(cur, 1);
			if (rc)
				return rc;
		}
		b = cursor_at(cur, bb);
		zero = all_zero(b);
		if (rec->extent == XLOG_ZERO ? !zero :
		    rec->extent == XLOG_FILLER ?
		    !is_filler(b) || xlog_block_cycle(b) != rec->cycle :
		    zero || xlog_is_rec_header(b) ||
		    xlog_block_cycle(b) != rec->cycle)
			break;
		bb++;
	}
	cursor_skip(cur, bb);
	rec->bb += bb;
	return 1;
}

static int next_physical(struct xlog_cursor *cur, struct xlog_record *rec)
{
	const uint8_t *b;
	int rc;

	if (!cur->left_bb)
		return 0;
	rc = cursor_need(cur, 1);
	if (rc)
		return rc;
	b = cursor_at(cur, 0);
	rec->block = cur->block;
	rec->cycle = xlog_block_cycle(b);
	rec->lsn = xfs_lsn_make(rec->cycle, rec->block);
	if (xlog_is_rec_header(b) && !is_filler(b))
		return take_physical(cur, rec);
	if (xlog_is_rec_header(b)) {
		struct xlog_rec_head h;

		xlog_rec_head_decode(&h, b);
		take_header(rec, &h, NULL);	/* the run may outlive it */
		rec->extent = XLOG_FILLER;
	} else {
		rec->extent = all_zero(b) ? XLOG_ZERO : XLOG_STRAY;
	}
	return take_run(cur, rec);
}

int xlog_cursor_next(struct xlog_cursor *cur, struct xlog_record *rec)
{
	int rc;

	memset(rec, 0, sizeof(*rec));
	if (cur->over)
		return 0;
	rc = cur->walk == XLOG_WALK_PHYSICAL ? next_physical(cur, rec) :
	     next_in_log(cur, rec);
	if (rc == 1 && rec->header)
		cursor_skip(cur, rec->bb);
	else if (rc < 0 && !cur->resync)
		cur->over = true;
	return rc;
}
