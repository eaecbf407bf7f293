/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Power fails under a store, and what recovery makes of it: see store.h.
 */
#include <stdlib.h>

#include "libxfsfmt/logitem.h"
#include "tests/lib/store_priv.h"

static int replay_trans(struct store *s, const struct xlog_trans *t)
{
	for (size_t i = 0; i < t->nitems; i++) {
		const struct xlog_item *item = &t->items[i];
		uint64_t stamp;
		uint32_t id;

		if (item->nregions != 2 || item->declared != 2)
			return -EUCLEAN;
		id = get_w32(item->regions[0].data + 4, XFS_HOST_ORDER);
		if (id >= s->config.objects ||
		    item->regions[1].len_bytes != s->objects[id].body_bytes ||
		    !store_read_body(item->regions[1].data,
			       item->regions[1].len_bytes, id, &stamp))
			return -EUCLEAN;
		atomic_store(&s->objects[id].stamp, stamp);
	}
	return 0;
}

static const char *replay(struct store *s, struct xlog *log,
			  const struct xlog_bounds *b,
			  struct store_report *rep)
{
	struct xlog_trans_iter *it;
	const struct xlog_trans *t;
	const char *why = NULL;
	int rc;

	if (xlog_trans_open(log, xlog_lsn_block(b->tail),
			    xlog_lsn_block(b->head), false, &it))
		return "the log cannot be read";
	while ((rc = xlog_trans_next(it, &t)) == 1 && !why) {
		if (!t->committed)
			continue;
		rep->checkpoints++;
		if (replay_trans(s, t))
			why = "a transaction that was never written";
	}
	xlog_trans_close(it);
	return rc < 0 ? "the log is damaged" : why;
}

/* Is it what all transactions up to the checkpoint @seq make? */
static const char *check_state(struct store *s, uint64_t seq)
{
	uint64_t *want = calloc(s->config.objects, sizeof(*want));
	const char *why = NULL;

	if (!want)
		abort();
	for (size_t n = 0; n < s->txns; n++) {
		const struct store_txn *t = &s->txn[n];

		for (size_t i = 0; i < t->count && t->seq <= seq; i++)
			want[s->changed[t->first + i]] = n + 1;
	}
	for (uint32_t i = 0; i < s->config.objects && !why; i++) {
		uint64_t have = atomic_load(&s->objects[i].stamp);

		if (have != want[i])
			why = "a transaction is there by half, or an earlier one is missing";
	}
	free(want);
	return why;
}

static const char *load_objects(struct store *s)
{
	for (uint32_t i = 0; i < s->config.objects; i++) {
		struct store_object *o = &s->objects[i];
		uint8_t body[STORE_MAX_BODY];
		uint64_t stamp;

		if (dev_read(s->data, store_data_off(s, i), body, o->body_bytes))
			return "an object cannot be read";
		/* torn: the log has to have it */
		if (!store_read_body(body, o->body_bytes, i, &stamp))
			stamp = get_le64(body) ? UINT64_MAX : 0;
		atomic_store(&o->stamp, stamp);
	}
	return NULL;
}

static const char *judge(struct store *s, struct store_report *rep)
{
	uint64_t newest = 0, seq = 0;

	for (uint32_t i = 0; i < s->config.objects; i++) {
		uint64_t stamp = atomic_load(&s->objects[i].stamp);

		if (stamp > s->txns)
			return "an object is torn and not in the log";
		if (stamp > newest)
			newest = stamp;
		if (!stamp)
			continue;
		if (s->txn[stamp - 1].seq == STORE_NO_SEQ)
			return "a transaction that was not committed is there";
		if (s->txn[stamp - 1].seq > seq)
			seq = s->txn[stamp - 1].seq;
	}
	rep->recovered = newest;
	if (seq < s->forced_seq)
		return "a transaction that was forced is gone";
	return check_state(s, seq);
}

/* All as it is now on the device, history ends here. */
static int settle(struct store *s)
{
	for (uint32_t i = 0; i < s->config.objects; i++) {
		struct store_object *o = &s->objects[i];
		uint8_t body[STORE_MAX_BODY] = { 0 };

		atomic_store(&o->stamp, 0);
		o->written_stamp = 0;
		if (dev_write(s->data, store_data_off(s, i), body, o->body_bytes))
			return -EIO;
	}
	s->committed = s->committed_seq = s->forced = s->forced_seq = 0;
	s->forced_end = 0;
	s->in_flight = 0;
	s->txns = s->nchanged = 0;
	return 0;
}

void store_look(struct store *s)
{
	if (!log_is_shutdown(s->log))
		s->in_flight = crash_in_flight(s->log);
}

const char *store_crash(struct store *s, enum fault_crash how, uint64_t seed)
{
	struct store_report rep = { 0 };
	struct xlog_bounds b;
	const char *why;
	struct xlog log;

	store_look(s);
	rep.facts.in_flight = s->in_flight > 1;
	rep.facts.direct = s->config.flags & LOG_DIRECT;
	log_close(s->log);
	s->log = NULL;
	if (fault_crash(s->fault, how, seed) ||
	    (s->data != s->fault && fault_crash(s->data, how, seed + 1)))
		return "the device itself failed";
	for (uint32_t i = 0; i < s->config.objects; i++)
		atomic_store(&s->objects[i].pins, 0);
	log = store_reader(s);
	if (xlog_find(&log, 0, &b) || b.state == XLOG_CORRUPT)
		return "no head and tail can be found";
	if (b.refused[0])
		return "the log is refused";
	crash_look(&log, &b, s->forced_end, &rep.facts);
	why = load_objects(s);
	if (!why && b.state == XLOG_DIRTY)
		why = replay(s, &log, &b, &rep);
	if (!why)
		why = judge(s, &rep);
	s->last = rep;
	if (!why && (settle(s) || store_open_log(s, xlog_lsn_cycle(b.head) + 1)))
		why = "the store cannot be opened again";
	return why;
}

void store_last_crash(const struct store *s, struct store_report *out)
{
	*out = s->last;
}
