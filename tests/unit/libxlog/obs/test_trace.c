/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trace events: who gets which, and as what. */
#include <criterion/criterion.h>
#include <pthread.h>

#include "libxlog/obs/trace.h"

static bool wanted[TRACE_EVENTS];
static struct trace_record seen[8];
static uint64_t first_arg[8];
static unsigned int nseen, nevaluated;

static void take(void *ctx, const struct trace_record *r)
{
	cr_assert_eq(ctx, &nseen);
	first_arg[nseen] = r->args[0];
	seen[nseen++] = *r;
}

static uint64_t argument(uint64_t v)
{
	nevaluated++;
	return v;
}

static void start(enum trace_event event)
{
	wanted[event] = true;
	cr_assert_eq(trace_start(wanted, take, &nseen), 0);
}

Test(trace, costs_nothing_that_nobody_wants)
{
	TRACE(xfs_log_force, argument(1), 1);
	start(TRACE_xfs_log_umount_write);
	TRACE(xfs_log_force, argument(1), 1);
	cr_assert_eq(nevaluated, 0);
	trace_stop();
	TRACE(xfs_log_umount_write, argument(1));
	cr_assert_eq(nevaluated, 0);
	cr_assert_eq(nseen, 0);
}

Test(trace, hands_over_what_is_wanted)
{
	start(TRACE_xfs_log_force);
	TRACE(xfs_log_force, argument(7), 1);
	TRACE(xfs_log_umount_write, argument(9));
	trace_stop();
	cr_assert_eq(nseen, 1);
	cr_assert_eq(nevaluated, 1);
	cr_assert_eq(seen[0].event, TRACE_xfs_log_force);
	cr_assert_eq(first_arg[0], 7);
}

Test(trace, has_one_reader_at_a_time)
{
	start(TRACE_xfs_log_force);
	cr_assert_eq(trace_start(wanted, take, &nseen), -EBUSY);
	cr_assert_eq(xlog_trace_start(wanted, NULL, NULL), -EBUSY);
	trace_stop();
	trace_stop();
	start(TRACE_xfs_log_force);
	TRACE(xfs_log_force, 1, 1);
	trace_stop();
	cr_assert_eq(nseen, 1);
	cr_assert_eq(atomic_load(&xlog_xfs_log_force_semaphore), 0);
}

/* As if a tracer outside had switched it on: its business, not ours. */
Test(trace, leaves_events_that_others_want_to_them)
{
	atomic_fetch_add(&xlog_xfs_log_force_semaphore, 1);
	TRACE(xfs_log_force, argument(1), 1);
	start(TRACE_xfs_log_umount_write);
	TRACE(xfs_log_force, argument(1), 1);
	trace_stop();
	cr_assert_eq(nevaluated, 2);
	cr_assert_eq(nseen, 0);
	cr_assert_eq(atomic_load(&xlog_xfs_log_force_semaphore), 1);
}

static void *force(void *unused)
{
	TRACE(xfs_log_force, 2, 1);
	TRACE(xfs_log_force, 2, 1);
	return unused;
}

Test(trace, counts_threads_as_they_come)
{
	static const unsigned int want[] = { 1, 2, 2, 1 };
	pthread_t thread;

	for (unsigned int round = 0; round < 2; round++) {
		start(TRACE_xfs_log_force);
		TRACE(xfs_log_force, 1, 1);
		cr_assert_eq(pthread_create(&thread, NULL, force, NULL), 0);
		cr_assert_eq(pthread_join(thread, NULL), 0);
		TRACE(xfs_log_force, 1, 1);
		trace_stop();
		cr_assert_eq(nseen, 4);
		for (unsigned int i = 0; i < 4; i++) {
			cr_assert_eq(seen[i].thread, want[i]);
			cr_assert(!i || seen[i].ns >= seen[i - 1].ns);
		}
		nseen = 0;
	}
}

static void reads_as(enum trace_event event, const uint64_t *args,
		     const char *want)
{
	const struct trace_record r = {
		.event = event, .thread = 3, .ns = 12000000345, .args = args,
	};
	char line[TRACE_LINE_BYTES];

	cr_assert_eq(trace_format(line, &r), strlen(want));
	cr_assert_str_eq(line, want);
}

Test(trace_format, each_kind_of_value)
{
	reads_as(TRACE_xfs_ail_move,
		 (const uint64_t[TRACE_MAX_ARGS]){
			 trace_str("inode"), 0x83, 0x100000002,
			 UINT64_MAX },
		 "12.000000345 3 xfs_ail_move type=inode id=0x83 old=1:2 "
		 "new=4294967295:4294967295\n");
	reads_as(TRACE_xfs_log_cil_wait,
		 (const uint64_t[TRACE_MAX_ARGS]){ UINT64_MAX, trace_int(-1) },
		 "12.000000345 3 xfs_log_cil_wait seq=18446744073709551615 used=-1\n");
	reads_as(TRACE_xfs_force_shutdown,
		 (const uint64_t[TRACE_MAX_ARGS]){
			 trace_str("error"), trace_str("no memory") },
		 "12.000000345 3 xfs_force_shutdown how=error why=\"no memory\"\n");
}

/* With all numbers as long as they can be. */
Test(trace_format, every_event_fits_into_a_line)
{
	char line[TRACE_LINE_BYTES];

	for (unsigned int e = 0; e < TRACE_EVENTS; e++) {
		struct trace_record r = { .event = e, .ns = UINT64_MAX };
		uint64_t args[TRACE_MAX_ARGS];
		const char *end;

		for (unsigned int i = 0; i < TRACE_MAX_ARGS; i++)
			args[i] = trace_str("a word that is as long as one can be");
		r.args = args;
		end = line + trace_format(line, &r);
		cr_assert_eq(end[-1], '\n');
		cr_assert_leq(end - line, TRACE_LINE_BYTES - 64);
	}
}

Test(xlog_trace_event, names_are_in_order_and_end)
{
	unsigned int n = 0;

	for (; xlog_trace_event(n); n++)
		cr_assert(!n || strcmp(xlog_trace_event(n - 1),
				       xlog_trace_event(n)) < 0,
			  "%s", xlog_trace_event(n));
	cr_assert_eq(n, TRACE_EVENTS);
}

static char text[256];

static void take_line(void *ctx, const char *line, size_t bytes)
{
	cr_assert_eq(ctx, text);
	cr_assert_lt(strlen(text) + bytes, sizeof(text));
	strncat(text, line, bytes);
}

Test(xlog_trace_start, hands_over_lines)
{
	const char *place;

	wanted[TRACE_xfs_log_force] = true;
	cr_assert_eq(xlog_trace_start(wanted, take_line, text), 0);
	TRACE(xfs_log_force, 5, 1);
	xlog_trace_stop();
	TRACE(xfs_log_force, 6, 1);
	place = strchr(text, ' ');
	cr_assert(place, "%s", text);
	cr_assert_str_eq(place, " 1 xfs_log_force seq=5 wait=1\n");
}
