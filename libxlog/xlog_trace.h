/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxlog: trace events of the log engine. A part of xlog.h, which says what
 * holds for all functions.
 *
 * Where something happens that Linux has a tracepoint for, the event has that
 * one's name; a few more begin with "xlog_" as well (xlog-bench(8) lists them
 * all). An event that nobody wants costs one branch.
 *
 * The same events are static probes of the provider "xlog", for systemtap,
 * bpftrace, perf and gdb, if the library was built where sys/sdt.h was found.
 */
#ifndef LIBXLOG_XLOG_TRACE_H
#define LIBXLOG_XLOG_TRACE_H

#include "xlog.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* The name of the @index-th event, by name; NULL: there are no more. */
const char *xlog_trace_event(unsigned int index);

/*
 * Have all events of the process, of whatever handle, for which @wanted, by
 * index and as long as there are events, is true. @take gets each as a line:
 *
 *	0.000123456 2 xfs_ail_insert type=inode id=0x83 old=0:0 new=1:2
 *
 * seconds since the start, the thread (1 is the first that was seen), the
 * event, and what it is about: numbers decimal or 0x hexadecimal, LSNs as
 * cycle:block, words, "several words". @bytes is its length; it ends with a
 * newline and no NUL. @take is called by one thread at a time, in the order of
 * the lines, and must not call the library. -EBUSY: somebody has events
 * already.
 */
int xlog_trace_start(const bool *wanted,
		     void (*take)(void *ctx, const char *line, size_t bytes),
		     void *ctx);

/* No more events: when it returns, @take is not being called any more. */
void xlog_trace_stop(void);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
