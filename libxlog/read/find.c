/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Head and tail of a log, as a mount finds them.
 *
 * Every block of the log begins with the number of the lap ("cycle") in which
 * it was written, so the head is where that number drops. Around it nothing
 * is in order: up to 8 writes were under way when the machine stopped, and any
 * subset of them may have reached the disk, each in part. So the search is
 * three steps: bisection for the place where the cycle changes, a scan of the
 * window of outstanding writes for the first block of the lap before, and a
 * look at the last record, which is dropped if it is not all there. What the
 * checksums say comes after that, in verify.c.
 *
 * The rules are those of Linux fs/xfs/xfs_log_recover.c (xlog_find_head and
 * what it calls), observed on kernels 5.10 to 7.2.
 */
#include <stdarg.h>
#include <stdio.h>

#include "libxlog/read/read.h"

const char *xlog_state_name(enum xlog_state state)
{
	static const char *const names[] = {
		[XLOG_EMPTY] = "empty",
		[XLOG_CLEAN] = "clean",
		[XLOG_DIRTY] = "dirty",
		[XLOG_CORRUPT] = "corrupt",
	};

	return state <= XLOG_CORRUPT ? names[state] : "unknown";
}

void find_refuse(struct finder *f, enum xlog_severity severity,
		 const char *code, xfs_lsn_t lsn, const char *fmt, ...)
{
	char text[sizeof(f->out->refused)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	notice(&f->log->sink, severity, code, lsn, "%s", text);
	f->out->reasons |= !strcmp(code, "log.order") ? XLOG_REFUSED_ORDER :
			   !strcmp(code, "log.uuid") ? XLOG_REFUSED_UUID :
			   !strcmp(code, "log.record") ? XLOG_REFUSED_RECORD :
						       XLOG_REFUSED_OTHER;
	if (!f->out->refused[0])
		memcpy(f->out->refused, text, sizeof(text));
}

static void explain(struct finder *f, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void explain(struct finder *f, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (!f->log->sink.report)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	notice(&f->log->sink, XLOG_STEP, "find", XLOG_LSN_NONE, "%s", text);
}

/* No head: the log is corrupt. The search ends with this. */
static int corrupt(struct finder *f, const char *what)
{
	find_refuse(f, XLOG_ERROR, "log.head", XLOG_LSN_NONE, "%s", what);
	return -EUCLEAN;
}

static int cycle_at(struct finder *f, uint32_t block, uint32_t *cycle)
{
	const uint8_t *b;
	int rc;

	rc = view_probe(&f->view, block, &b);
	if (!rc)
		*cycle = xlog_block_cycle(b);
	return rc;
}

/*
 * Bisect [@first, @last] for the first block of cycle @cycle, given that
 * @first is not of that cycle and @last is.
 */
static int bisect_cycle(struct finder *f, uint32_t first, uint32_t last,
			uint32_t cycle, uint32_t *out)
{
	while (last - first > 1) {
		uint32_t mid = first + (last - first) / 2;
		uint32_t c;
		int rc;

		rc = cycle_at(f, mid, &c);
		if (rc)
			return rc;
		if (c == cycle)
			last = mid;
		else
			first = mid;
	}
	*out = last;
	return 0;
}

/* First block of cycle @cycle in [@from, @to): 1 and *@out, or 0. */
static int scan_cycle(struct finder *f, uint32_t from, uint32_t to,
		      uint32_t cycle, uint32_t *out)
{
	for (uint32_t block = from; block < to; block++) {
		const uint8_t *b;
		int rc;

		rc = view_block(&f->view, block, &b);
		if (rc)
			return rc;
		if (xlog_block_cycle(b) == cycle) {
			*out = block;
			return 1;
		}
	}
	return 0;
}

static bool foreign_uuid(const struct xlog *log, const uint8_t *header)
{
	static const uint8_t null[16];
	const uint8_t *uuid = header + 304;

	/* IRIX wrote none; such logs are accepted */
	return memcmp(uuid, null, 16) && memcmp(uuid, log->info.uuid, 16);
}

/*
 * Does the last record before *@last fill the blocks up to there? Look back
 * for its header, no further than @from. If the record is longer or shorter
 * than the blocks there are (@wrapped_bb of them behind the physical end), it
 * is not all there: *@last becomes its header. Returns 1 if block 0 was
 * reached without a header.
 */
static int trim_partial_record(struct finder *f, uint32_t from, uint32_t *last,
			       uint32_t wrapped_bb)
{
	struct xlog *log = f->log;
	uint32_t block = *last;
	struct xlog_rec_head h;
	const uint8_t *b;
	uint64_t need;
	int rc;

	for (;;) {
		if (!block)
			return 1;
		if (block == from)
			return corrupt(f, "no record header where the newest record should begin");
		rc = view_block(&f->view, --block, &b);
		if (rc)
			return rc;
		if (xlog_is_rec_header(b))
			break;
	}
	if (foreign_uuid(log, b) && !f->out->refused[0])
		find_refuse(f, XLOG_ERROR, "log.uuid",
			    xfs_lsn_make(get_be32(b + 4), block),
			    "the log belongs to another filesystem (UUID)");
	xlog_rec_head_decode(&h, b);
	need = bb_from_bytes(h.len_bytes) + log_header_bb(log, &h);
	if (*last - block + (uint64_t)wrapped_bb != need) {
		/* as after a crash in its write; said here, as nobody sees it later */
		notice(&log->sink, XLOG_WARNING, "log.torn",
		       xfs_lsn_make(h.cycle, block),
		       "torn write: the newest record, at block %u, should take %llu blocks, not %llu: the log ends before it",
		       block, (unsigned long long)need,
		       (unsigned long long)*last - block + wrapped_bb);
		*last = block;
	}
	return 0;
}

/* Blocks of an earlier lap among the newest: what came after them is lost. */
static void tell_hole(struct finder *f, uint32_t before)
{
	if (f->head != before)
		notice(&f->log->sink, XLOG_WARNING, "log.hole", XLOG_LSN_NONE,
		       "a hole in the newest writes: the log ends at block %u, not at %u",
		       f->head, before);
}

/* Part of the log has never been written: it ends at the first zero block. */
static int find_head_unfilled(struct finder *f)
{
	struct xlog *log = f->log;
	uint32_t window = log_outstanding_bb(log);
	uint32_t head, from, before;
	int rc;

	rc = bisect_cycle(f, 0, log->nbb - 1, 0, &head);
	if (rc)
		return rc;
	explain(f, "the log is in its first lap; first unwritten block %u",
		head);
	from = head > window ? head - window : 0;
	before = head;
	/* writes may have completed out of order: 1 1 0 1 | 0 0 */
	rc = scan_cycle(f, from, head, 0, &head);
	if (rc < 0)
		return rc;
	f->head = head;
	tell_hole(f, before);
	rc = trim_partial_record(f, from, &head, 0);
	if (rc == 1)
		return corrupt(f, "the log does not begin with a record");
	f->head = head;
	return rc;
}

/* The window before the physical end and the one before the head, for holes. */
static int scan_outstanding(struct finder *f, uint32_t stop_cycle)
{
	uint32_t nbb = f->log->nbb;
	uint32_t window = log_outstanding_bb(f->log);
	uint32_t before = f->head;
	int rc;

	if (window > nbb)
		window = nbb;
	if (f->head >= window) {
		rc = scan_cycle(f, f->head - window, f->head, stop_cycle,
				&f->head);
	} else {
		/*
		 * The window wraps. Behind the physical end the lap before the
		 * head's is one earlier: a block of it there is a hole. (Blocks
		 * of the lap *after* stop_cycle are those of a small log.)
		 */
		rc = scan_cycle(f, nbb - (window - f->head), nbb,
				stop_cycle - 1, &f->head);
		if (!rc)
			rc = scan_cycle(f, 0, f->head, stop_cycle, &f->head);
	}
	if (rc >= 0)
		tell_hole(f, before);
	return rc < 0 ? rc : 0;
}

static int trim_at_head(struct finder *f)
{
	uint32_t nbb = f->log->nbb;
	uint32_t reach = log_record_max_bb(f->log);
	uint32_t end = nbb;
	int rc;

	if (f->head >= reach) {
		rc = trim_partial_record(f, f->head - reach, &f->head, 0);
	} else {
		rc = trim_partial_record(f, 0, &f->head, 0);
		if (rc != 1)
			return rc;
		/* no header since block 0: the record wraps the end */
		if (reach - f->head > nbb)
			return corrupt(f, "no record header in the whole log");
		rc = trim_partial_record(f, nbb - (reach - f->head), &end,
					 f->head);
		if (!rc && end != nbb)
			f->head = end;
	}
	if (rc == 1)
		return corrupt(f, "no record header before the head");
	return rc;
}

static int find_head_full(struct finder *f, uint32_t first, uint32_t last)
{
	uint32_t nbb = f->log->nbb;
	uint32_t stop_cycle = last;
	int rc;

	if (first == last) {
		f->head = nbb;
		stop_cycle = last - 1;
		explain(f, "all laps end together: cycle %u in the first and the last block",
			first);
	} else {
		rc = bisect_cycle(f, 0, nbb - 1, last, &f->head);
		if (rc)
			return rc;
		explain(f, "cycle %u at the start, %u at the end, changing at block %u",
			first, last, f->head);
	}
	rc = scan_outstanding(f, stop_cycle);
	if (!rc)
		rc = trim_at_head(f);
	if (!rc && f->head == nbb)
		f->head = 0;
	return rc;
}

/*
 * A first block that was never written makes a log empty, whatever follows.
 * Look a little further: as far as one record reaches, and at the end.
 */
static int check_empty(struct finder *f, uint32_t last)
{
	uint32_t reach = log_record_max_bb(f->log);
	uint32_t cycle = last, block;

	for (block = 1; block < reach && block < f->log->nbb && !cycle;
	     block++) {
		const uint8_t *b;
		int rc = view_block(&f->view, block, &b);

		if (rc)
			return rc;
		cycle = xlog_block_cycle(b);
	}
	if (cycle)
		report(&f->log->sink, 0, "log.head", XLOG_LSN_NONE,
		       "the first block was never written, but others were: a mount takes the log for empty");
	return 0;
}

static int find_head(struct finder *f)
{
	uint32_t first, last;
	int rc;

	rc = cycle_at(f, 0, &first);
	if (!rc)
		rc = cycle_at(f, f->log->nbb - 1, &last);
	if (rc)
		return rc;
	if (!first) {
		f->head = 0;
		return check_empty(f, last);
	}
	rc = last ? find_head_full(f, first, last) : find_head_unfilled(f);
	if (!rc)
		explain(f, "head at block %u", f->head);
	return rc;
}

int find_header_back(struct finder *f, uint32_t head, uint32_t stop,
		     unsigned int count, uint32_t *block, bool *wrapped)
{
	uint32_t left = block_distance(f->log, stop, head);
	uint32_t at = head;
	bool behind = false;
	int found = 0;

	/* head == stop: the whole log */
	if (!left)
		left = f->log->nbb;
	while (left-- && count) {
		const uint8_t *b;
		int rc;

		if (!at) {
			at = f->log->nbb;
			behind = true;
		}
		rc = view_block(&f->view, --at, &b);
		if (rc)
			return rc;
		if (!xlog_is_rec_header(b))
			continue;
		*block = at;
		*wrapped = behind;
		found = 1;
		count--;
	}
	return found;
}

int find_unmount(struct finder *f)
{
	struct xlog *log = f->log;
	const struct xlog_rec_head *h = &f->last_head;
	uint32_t hbb = log_header_bb(log, h);
	uint64_t bb = hbb + bb_from_bytes(h->len_bytes);
	const uint8_t *b;
	int rc;

	f->clean = false;
	if (h->num_ops != 1 || bb > log->nbb ||
	    block_add(log, f->last, (uint32_t)bb) != f->head)
		return 0;
	rc = view_block(&f->view, block_add(log, f->last, hbb), &b);
	if (rc)
		return rc;
	/* the flags of the operation; cycle stamps do not reach them */
	if (b[9] & XLOG_UNMOUNT_TRANS) {
		f->clean = true;
		f->tail = f->head;
		explain(f, "the newest record, at %u, is an unmount record: clean",
			f->last);
	}
	return 0;
}

int find_position(struct finder *f)
{
	struct xlog *log = f->log;
	const uint8_t *b;
	bool wrapped;
	int rc;

	rc = find_header_back(f, f->head, f->head, 1, &f->last, &wrapped);
	if (!rc)
		return corrupt(f, "no record header in the log");
	if (rc > 0)
		rc = view_block(&f->view, f->last, &b);
	if (rc)
		return rc;
	xlog_rec_head_decode(&f->last_head, b);
	f->curr_cycle = f->last_head.cycle + wrapped;
	f->tail = xfs_lsn_block(f->last_head.tail_lsn);
	f->out->last_record = xfs_lsn_make(f->last_head.cycle, f->last);
	f->out->last_size_bytes = f->last_head.size_bytes;
	explain(f, "newest record at %u:%u, its tail %u:%u",
		f->last_head.cycle, f->last,
		xfs_lsn_cycle(f->last_head.tail_lsn), f->tail);
	if (f->tail >= log->nbb)
		return corrupt(f, "the tail of the newest record lies outside the log");
	return 0;
}

/*
 * The tail that the newest record names must lie behind the head by less than
 * a lap, or the space between them makes no sense.
 */
static void check_tail_lap(struct finder *f)
{
	xfs_lsn_t tail = f->last_head.tail_lsn;
	uint32_t cycle = xfs_lsn_cycle(tail);
	uint32_t block = xfs_lsn_block(tail);

	if (cycle == f->curr_cycle ? f->head >= block :
	    cycle + 1 == f->curr_cycle && f->head < block) {
		/* Linux believes it: a tail at the head makes a log clean */
		if (tail > f->out->last_record)
			report(&f->log->sink, 0, "log.tail",
			       f->out->last_record,
			       "tail %u:%u of the newest record lies behind that record",
			       cycle, block);
		return;
	}
	find_refuse(f, XLOG_ERROR, "log.tail", f->out->last_record,
		    "tail %u:%u of the newest record does not fit head %u:%u",
		    cycle, block, f->curr_cycle, f->head);
}

static int find_bounds(struct finder *f)
{
	const uint8_t *b;
	int rc;

	rc = find_head(f);
	if (rc)
		return rc;
	if (!f->head) {
		rc = view_block(&f->view, 0, &b);
		if (rc)
			return rc;
		if (!xlog_block_cycle(b)) {
			explain(f, "the first block has never been written: an empty log");
			f->out->state = XLOG_EMPTY;
			f->out->head = f->out->tail = xfs_lsn_make(1, 0);
			return 0;
		}
	}
	rc = find_position(f);
	if (!rc)
		rc = find_unmount(f);
	if (!rc && !f->clean && f->tail != f->head)
		rc = find_verify(f);
	if (rc)
		return rc;
	check_tail_lap(f);
	/* the tail lies in the lap of the head, or in the one before */
	f->out->head = xfs_lsn_make(f->curr_cycle, f->head);
	f->out->tail = xfs_lsn_make(f->curr_cycle - (f->tail > f->head),
				    f->tail);
	f->out->state = f->head == f->tail ? XLOG_CLEAN : XLOG_DIRTY;
	return 0;
}

/* Gates of recovery that the superblock decides, after head and tail. */
static void check_gates(struct finder *f)
{
	const struct xfs_sb *sb = &f->log->sb;
	bool v5 = f->log->info.sb_version == 5;
	uint32_t bits;

	if (v5 && sb->sb_lsn != XFS_NULL_LSN && sb->sb_lsn > f->out->head)
		find_refuse(f, XLOG_ERROR, "sb.lsn", sb->sb_lsn,
			    "the superblock is newer (LSN %u:%u) than the log",
			    xfs_lsn_cycle(sb->sb_lsn),
			    xfs_lsn_block(sb->sb_lsn));
	if (f->out->state != XLOG_DIRTY)
		return;
	if (f->log->info.sb_version && sb->sb_inprogress)
		find_refuse(f, XLOG_ERROR, "sb.inprogress", XLOG_LSN_NONE,
			    "the filesystem is marked as being made or copied");
	if (!v5)
		return;
	if (sb->sb_features_incompat & XFS_SB_INCOMPAT_NEEDSREPAIR)
		find_refuse(f, XLOG_ERROR, "sb.needsrepair", XLOG_LSN_NONE,
			    "the filesystem is marked as needing repair");
	bits = sb->sb_features_incompat & ~(uint32_t)XFS_SB_INCOMPAT_ALL;
	if (bits)
		find_refuse(f, XLOG_ERROR, "sb.incompat", XLOG_LSN_NONE,
			    "unknown incompatible features 0x%x", bits);
	bits = sb->sb_features_log_incompat &
	       ~(uint32_t)XFS_SB_LOG_INCOMPAT_ALL;
	if (bits)
		find_refuse(f, XLOG_ERROR, "sb.log-incompat", XLOG_LSN_NONE,
			    "unknown incompatible log features 0x%x", bits);
}

int xlog_find(struct xlog *log, unsigned int flags, struct xlog_bounds *out)
{
	struct finder f = { .log = log, .out = out };
	int rc;

	f.quick = flags & XLOG_FIND_QUICK;
	/* the window, wrapped or not, and 8 records lie in at most 5 chunks */
	view_init(&f.view, log, f.quick ? 5 : UINT32_MAX);
	memset(out, 0, sizeof(*out));
	out->state = XLOG_CORRUPT;
	out->head = out->tail = out->last_record = XLOG_LSN_NONE;
	out->damaged = XLOG_LSN_NONE;
	out->torn_block = UINT32_MAX;
	rc = find_bounds(&f);
	view_fini(&f.view);
	if (rc == -E2BIG) {
		corrupt(&f, "no sound end of the log near its newest block");
		rc = -EUCLEAN;
	}
	if (!rc)
		check_gates(&f);
	return rc == -EUCLEAN ? 0 : rc;
}
