/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See crash.h.
 */
#include <stdio.h>

#include "tests/lib/crash.h"

enum {
	RECENT_BYTES = 1 << 20,
	/* behind the head, as far as records can be on their way */
	LOOK_BB = XLOG_MAX_ICLOGS * XLOG_MAX_RECORD_BYTES / BB_SIZE,
};

unsigned int crash_in_flight(struct log *log)
{
	unsigned int n = 0;

	if (!(log->config.flags & LOG_DIRECT)) {
		xmutex_lock(&log->cil.push_lock);
		n = log->cil.ncommitting;
		xmutex_unlock(&log->cil.push_lock);
		return n;
	}
	xmutex_lock(&log->iclog_lock);
	for (unsigned int i = 0; i < log->niclogs; i++) {
		const struct list *head = &log->iclogs[i].checkpoints;

		for (struct list *l = list_first(head); l;
		     l = list_next(l, head))
			n++;
	}
	xmutex_unlock(&log->iclog_lock);
	return n;
}

/* Is there, in blocks @from up to @to, part of a record of cycle @cycle? */
static bool is_torn_in(struct xlog *log, uint32_t from, uint32_t to,
		       uint32_t cycle)
{
	struct xlog_cursor *cur;
	struct xlog_record r;
	bool torn = false;

	if (from >= to ||
	    xlog_cursor_open(log, XLOG_WALK_PHYSICAL, from, log->nbb, &cur))
		return false;
	while (!torn && xlog_cursor_next(cur, &r) == 1 && r.block < to)
		torn = r.cycle == cycle &&
		       (r.extent == XLOG_PARTIAL || r.extent == XLOG_STRAY ||
			(r.extent == XLOG_RECORD && r.crc == XLOG_CRC_BAD));
	xlog_cursor_close(cur);
	return torn;
}

static bool is_torn(struct xlog *log, const struct xlog_bounds *b)
{
	uint32_t head = xlog_lsn_block(b->head), cycle = xlog_lsn_cycle(b->head);
	uint32_t end = head + LOOK_BB;

	if (b->torn_block != UINT32_MAX)
		return true;
	if (end <= log->nbb)
		return is_torn_in(log, head, end, cycle);
	return is_torn_in(log, head, log->nbb, cycle) ||
	       is_torn_in(log, 0, end - log->nbb, cycle + 1);
}

static bool is_recent(const struct xlog *log, xlog_lsn_t from, xlog_lsn_t head)
{
	uint64_t bb = xlog_lsn_block(head);

	if (!from || from > head)
		return false;
	bb += (uint64_t)(xlog_lsn_cycle(head) - xlog_lsn_cycle(from)) *
	      log->nbb;
	return (bb - xlog_lsn_block(from)) * BB_SIZE <= RECENT_BYTES;
}

void crash_look(struct xlog *log, const struct xlog_bounds *b,
		xfs_lsn_t forced_end, struct crash_facts *facts)
{
	facts->dirty = b->state == XLOG_DIRTY;
	facts->torn = is_torn(log, b);
	facts->recent = is_recent(log, forced_end, b->head);
	facts->wrapped = facts->dirty &&
			 xlog_lsn_block(b->tail) > xlog_lsn_block(b->head);
}

void crash_count(struct crash_counts *c, const struct crash_facts *f)
{
	c->crashes++;
	c->dirty += f->dirty;
	c->torn += f->torn;
	c->recent += f->recent;
	c->wrapped += f->wrapped;
	c->in_flight += f->in_flight;
	c->direct += f->direct;
}

bool crash_counts_are_enough(const struct crash_counts *c,
			     unsigned int percent)
{
	const struct {
		const char	*what;
		unsigned long	count;
	} kinds[] = {
		{ "with a torn record", c->torn },
		{ "forced in the last 1 MiB", c->recent },
		{ "over the end of the log", c->wrapped },
		{ "with several checkpoints in flight", c->in_flight },
		{ "nodelaylog", c->direct },
		{ "delaylog", c->crashes - c->direct },
	};
	bool enough = true;

	printf("%lu crashes: %lu with something to replay\n", c->crashes,
	       c->dirty);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		bool few = c->crashes >= CRASH_FEW &&
			   (!kinds[i].count ||
			    kinds[i].count * 100 < c->crashes * percent);

		printf("%6lu %5.1f %% %s%s\n", kinds[i].count,
		       100.0 * (double)kinds[i].count / (double)c->crashes,
		       kinds[i].what, few ? ": too few" : "");
		enough &= !few;
	}
	return enough;
}

enum fault_crash crash_kind(uint64_t random)
{
	static const enum fault_crash kinds[] = {
		FAULT_DROP, FAULT_KEEP, FAULT_REORDER, FAULT_TEAR, FAULT_TEAR,
	};

	return kinds[random % (sizeof(kinds) / sizeof(kinds[0]))];
}
