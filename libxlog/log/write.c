/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stream of operations into iclogs. What fits is copied vector by vector, as
 * it was formatted; where a record ends, the region at hand is divided, and
 * goes on in the next record behind a header of its own, which the ticket pays
 * for. Regions themselves were paid for when they were put into the CIL.
 */
#include "libxlog/log/log_priv.h"

static int next_space(struct log_writer *w, unsigned int flags)
{
	uint32_t off;
	int rc = iclog_take(w->log, w->ticket, w->left_bytes,
			    flags | w->flags, &w->ic, &off, &w->room_bytes);

	if (rc) {
		w->ic = NULL;
		return rc;
	}
	w->at = w->ic->buf + w->log->hsize_bytes + off;
	return 0;
}

static void leave(struct log_writer *w)
{
	if (w->ic)
		iclog_put(w->log, w->ic, w->ticket, w->ops);
	w->ic = NULL;
	w->ops = 0;
}

static void copy(struct log_writer *w, const void *data, uint32_t bytes)
{
	assert(bytes <= w->room_bytes && bytes <= w->left_bytes);
	memcpy(w->at, data, bytes);
	w->at += bytes;
	w->room_bytes -= bytes;
	w->left_bytes -= bytes;
}

/* The header of a piece of a region. */
static void put_header(struct log_writer *w, const uint8_t *whole,
		       uint32_t len_bytes, unsigned int flags)
{
	uint8_t header[OP_BYTES];

	memcpy(header, whole, OP_BYTES);
	put_be32(header + 4, len_bytes);
	header[9] = (uint8_t)flags;
	copy(w, header, OP_BYTES);
	w->ops++;
}

/* On to the next record, with @more bytes that the division takes. */
static int go_on(struct log_writer *w, uint32_t more)
{
	/* too little for a header and something behind it: nobody's */
	memset(w->at, 0, w->room_bytes);
	w->ticket->left_bytes -= w->room_bytes + more;
	w->left_bytes += more;
	leave(w);
	return next_space(w, 0);
}

/* A region that does not fit: @op is its header and what follows. */
static int write_divided(struct log_writer *w, const uint8_t *op)
{
	uint32_t len = get_be32(op + 4), done = 0;
	int rc;

	while (done < len) {
		unsigned int flags = op[9];
		uint32_t piece;

		if (w->room_bytes <= OP_BYTES) {
			rc = go_on(w, done ? OP_BYTES : 0);
			if (rc)
				return rc;
		}
		piece = w->room_bytes - OP_BYTES;
		if (piece > len - done)
			piece = len - done;
		if (done)
			flags |= XLOG_WAS_CONT_TRANS;
		if (done + piece < len)
			flags |= XLOG_CONTINUE_TRANS;
		else if (done)
			flags |= XLOG_END_TRANS;
		put_header(w, op, piece, flags);
		copy(w, op + OP_BYTES + done, piece);
		done += piece;
	}
	return 0;
}

static int write_vec(struct log_writer *w, const struct log_vec *vec)
{
	const uint8_t *op = vec->data, *end = op + vec->used_bytes;
	int rc = 0;

	if (vec->used_bytes <= w->room_bytes) {
		copy(w, op, vec->used_bytes);
		w->ops += vec->nregions;
		return 0;
	}
	while (op < end && !rc) {
		uint32_t bytes = OP_BYTES + get_be32(op + 4);

		if (bytes <= w->room_bytes) {
			copy(w, op, bytes);
			w->ops++;
		} else {
			rc = write_divided(w, op);
		}
		op += bytes;
	}
	return rc;
}

int log_write_chain(struct log *log, struct checkpoint *cp,
		    const struct log_vec *chain, uint64_t bytes)
{
	struct log_writer w = {
		.log = log, .ticket = cp->ticket, .left_bytes = bytes,
	};
	unsigned int flags = ICLOG_FLUSH;
	int rc;

	if (log->config.flags & LOG_DIRECT)
		w.flags = ICLOG_FLUSH | ICLOG_FUA;
	if (log->breaks & LOG_BREAK_START_FLUSH)
		flags = 0;
	rc = next_space(&w, flags);

	if (rc)
		return rc;
	checkpoint_started(cp, w.ic->lsn);
	for (; chain && !rc; chain = chain->next) {
		if (!w.room_bytes && w.left_bytes)
			rc = go_on(&w, 0);
		if (!rc)
			rc = write_vec(&w, chain);
	}
	leave(&w);
	assert(rc || !w.left_bytes);
	return rc;
}

int log_write_op(struct log *log, struct ticket *tic, const uint8_t *op,
		 uint32_t bytes, unsigned int flags, struct iclog **ic)
{
	uint32_t off, room;
	int rc;

	/* no record with less room than this is begun in: it always fits */
	assert(bytes <= 2 * OP_BYTES);
	rc = iclog_take(log, tic, bytes, flags, ic, &off, &room);
	if (rc)
		return rc;
	assert(room == bytes);
	memcpy((*ic)->buf + log->hsize_bytes + off, op, bytes);
	return 0;
}
