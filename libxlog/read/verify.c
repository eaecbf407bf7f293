/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the checksums say of a dirty log. Two places may be torn by a crash
 * and still belong to a sound log: the newest records, whose writes had not
 * ended (the head moves back before the first bad one), and, when the head had
 * caught up with it, the oldest blocks behind the tail (the tail moves past
 * them). Damage anywhere else is real, and a mount refuses it.
 *
 * Rules: Linux fs/xfs/xfs_log_recover.c, xlog_verify_head and
 * xlog_verify_tail, observed on kernel 6.18.
 */
#include "libxlog/read/read.h"

/* What one pass over records found. */
struct pass {
	bool		bad;
	uint32_t	first_bad;	/* block of the first record not sound */
	bool		foreign_order;	/* fmt of the first such record: */
	uint32_t	foreign_fmt;
	bool		any;
	uint32_t	fmt;		/* of the first record */
	bool		no_crc;		/* a record without checksum, here: */
	xfs_lsn_t	no_crc_lsn;
	bool		foreign_uuid;	/* one of another filesystem, here: */
	xfs_lsn_t	foreign_lsn;
};

/* What the replay of @rec would stumble upon, finding heads does not. */
static void note_record(const struct xlog *log, struct pass *pass,
			const struct xlog_record *rec)
{
	uint32_t own = XFS_HOST_ORDER == XFS_LE ? XLOG_FMT_LINUX_LE :
		       XLOG_FMT_LINUX_BE;

	if (!pass->any)
		pass->fmt = rec->fmt;
	pass->any = true;
	if (rec->fmt != own && !pass->foreign_order) {
		pass->foreign_order = true;
		pass->foreign_fmt = rec->fmt;
	}
	if (rec->crc == XLOG_CRC_ABSENT && !pass->no_crc) {
		pass->no_crc = true;
		pass->no_crc_lsn = rec->lsn;
	}
	/* none at all, as IRIX wrote, is good for the newest record only */
	if (memcmp(rec->header + 304, log->info.uuid, 16) &&
	    !pass->foreign_uuid) {
		pass->foreign_uuid = true;
		pass->foreign_lsn = rec->lsn;
	}
}

/* A sound log that Linux on this machine does not replay all the same. */
static void refuse_replay(struct finder *f, const struct pass *pass)
{
	const char *name = xfs_name_of(xlog_fmt_names, pass->foreign_fmt);

	if (pass->foreign_order)
		find_refuse(f, XLOG_WARNING, "log.order", XLOG_LSN_NONE,
			    "written in another byte order (%s) than this machine's",
			    name ? name : "unknown");
	/* a mount that replays insists on checksums from version 5 on */
	if (pass->no_crc && f->log->info.sb_version == 5)
		find_refuse(f, XLOG_ERROR, "log.crc", pass->no_crc_lsn,
			    "record without a checksum at %u:%u",
			    xfs_lsn_cycle(pass->no_crc_lsn),
			    xfs_lsn_block(pass->no_crc_lsn));
	if (pass->foreign_uuid)
		find_refuse(f, XLOG_ERROR, "log.uuid", pass->foreign_lsn,
			    "record of another filesystem (UUID) at %u:%u",
			    xfs_lsn_cycle(pass->foreign_lsn),
			    xfs_lsn_block(pass->foreign_lsn));
}

/* All records from @from to @to, or just the first if @one. */
static int check_records(struct finder *f, uint32_t from, uint32_t to,
			 bool one, struct pass *pass)
{
	struct xlog_cursor *cur;
	struct xlog_record rec;
	int rc;

	memset(pass, 0, sizeof(*pass));
	rc = xlog_cursor_open(f->log, XLOG_WALK_LOG, from, to, &cur);
	if (rc)
		return rc;
	cursor_set_quiet(cur);
	while ((rc = xlog_cursor_next(cur, &rec)) == 1) {
		note_record(f->log, pass, &rec);
		if (one) {
			rc = 0;
			break;
		}
	}
	if (rc == -EUCLEAN || rc == -EBADMSG) {
		pass->bad = true;
		pass->first_bad = rec.block;
		rc = 0;
	}
	xlog_cursor_close(cur);
	return rc;
}

/*
 * Walk back over the newest records and cut the log before a bad one. Returns
 * 1, or 0: refused.
 */
static int verify_head(struct finder *f)
{
	struct xlog *log = f->log;
	uint32_t limit = log_outstanding_bb(log) +
			 XLOG_MAX_ICLOGS * XLOG_MAX_ICLOGS;
	uint32_t from, block;
	struct pass pass;
	bool wrapped;
	int rc;

	rc = find_header_back(f, f->head, f->tail, XLOG_MAX_ICLOGS, &from,
			      &wrapped);
	if (!rc) {
		find_refuse(f, XLOG_ERROR, "log.head", XLOG_LSN_NONE,
			    "no record between tail and head");
		return 0;
	}
	/* headers further apart than 8 full records: not the newest writes */
	if (rc > 0 && f->quick && block_distance(log, from, f->head) > limit)
		return -E2BIG;
	if (rc > 0)
		rc = check_records(f, from, f->head, false, &pass);
	if (rc || !pass.bad)
		return rc ? rc : 1;

	notice(&log->sink, XLOG_WARNING, "log.torn", f->out->last_record,
	       "torn write at block %u: the log ends there, not at %u",
	       pass.first_bad, f->head);
	f->out->torn_block = pass.first_bad;
	rc = find_header_back(f, pass.first_bad, f->tail, 1, &block, &wrapped);
	if (rc < 0)
		return rc;
	if (!rc) {
		find_refuse(f, XLOG_ERROR, "log.head", f->out->last_record,
			    "no sound record between tail and head");
		return 0;
	}
	if (!pass.first_bad)
		find_refuse(f, XLOG_WARNING, "log.torn", f->out->last_record,
			    "torn write at block 0, where Linux does not cut a log");
	f->head = pass.first_bad;
	rc = find_position(f);
	return rc ? rc : 1;
}

/* Block of the @count-th header at or after @from, before the head. */
static int find_header_forward(struct finder *f, uint32_t from,
			       unsigned int count, uint32_t *out)
{
	uint32_t left = block_distance(f->log, from, f->head);
	bool first = true;

	for (; left; left--, from = block_add(f->log, from, 1)) {
		const uint8_t *b;
		int rc;

		/* the first is nearly always it: no need to read around it */
		rc = first ? view_probe(&f->view, from, &b) :
			     view_block(&f->view, from, &b);
		first = false;
		if (rc)
			return rc;
		if (!xlog_is_rec_header(b) || --count)
			continue;
		*out = from;
		return 1;
	}
	return 0;
}

static void refuse_record(struct finder *f, uint32_t block)
{
	xfs_lsn_t lsn = xfs_lsn_make(f->curr_cycle - (block >= f->head), block);

	f->out->damaged = lsn;
	find_refuse(f, XLOG_ERROR, "log.record", lsn,
		    "damaged record at %u:%u, between tail and head",
		    xfs_lsn_cycle(lsn), block);
}

/* From @tail to the head; in quick mode its first record stands for the rest. */
static int check_live(struct finder *f, uint32_t tail, struct pass *pass)
{
	uint32_t all = block_distance(f->log, tail, f->head);
	/* room for one record, so that no more than that is read */
	uint32_t first = 2 * log_record_max_bb(f->log);

	if (!f->quick)
		return check_records(f, tail, f->head, false, pass);
	return check_records(f, tail, block_add(f->log, tail, first < all ?
						first : all), true, pass);
}

/*
 * Everything from tail to head; a tail that was being overwritten moves.
 * Returns 1, or 0: refused.
 */
static int verify_tail(struct finder *f, struct pass *pass)
{
	uint32_t tail = f->tail;
	uint64_t reach;
	int rc;

	rc = find_header_forward(f, tail, 1, &tail);
	if (!rc)
		find_refuse(f, XLOG_ERROR, "log.tail", XLOG_LSN_NONE,
			    "no record at the tail, block %u", f->tail);
	if (rc <= 0)
		return rc;
	/* how far 8 records of that size reach ahead of the head */
	reach = XLOG_MAX_ICLOGS *
		bb_from_bytes(f->last_head.size_bytes ?
			      f->last_head.size_bytes : XLOG_HEADER_SPAN_BYTES);
	/* what is overwritten next lies right ahead; Linux looks anywhere */
	if (tail != f->tail &&
	    block_distance(f->log, f->head, f->tail) > reach) {
		report(&f->log->sink, 0, "log.tail", XLOG_LSN_NONE,
		       "no record at the tail, block %u: a mount begins at %u",
		       f->tail, tail);
		f->tail = tail;
	}
	for (;;) {
		rc = check_live(f, tail, pass);
		if (rc)
			return rc;
		if (!pass->bad)
			break;
		if (block_distance(f->log, f->head, pass->first_bad) > reach ||
		    !pass->first_bad) {
			refuse_record(f, pass->first_bad);
			return 0;
		}
		/* reading a record costs its part of what quick mode may read */
		if (f->quick && !f->view.chunks_left)
			return -E2BIG;
		if (f->quick)
			f->view.chunks_left--;
		rc = find_header_forward(f, pass->first_bad, 2, &tail);
		if (!rc)
			refuse_record(f, pass->first_bad);
		if (rc <= 0)
			return rc;
	}
	if (tail != f->tail)
		notice(&f->log->sink, XLOG_WARNING, "log.tail-overwritten",
		       XLOG_LSN_NONE,
		       "the record at tail %u was being overwritten; tail is %u",
		       f->tail, tail);
	f->tail = tail;
	return 1;
}

int find_verify(struct finder *f)
{
	uint32_t head = f->head;
	struct pass pass = { 0 };
	int sound, rc;

	rc = verify_head(f);
	if (rc <= 0)
		return rc;
	sound = f->tail == f->head ? 0 : verify_tail(f, &pass);
	if (sound < 0)
		return sound;
	/* what was torn may have followed an unmount */
	rc = f->head != head ? find_unmount(f) : 0;
	/* of a damaged log, what comes before the damage can be replayed */
	if (!rc && (sound || pass.any) && !f->clean) {
		f->out->fmt = pass.fmt;
		refuse_replay(f, &pass);
	}
	return rc;
}
