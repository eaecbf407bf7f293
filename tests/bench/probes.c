/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a trace event costs that nobody wants, and one that somebody does:
 * nanoseconds, against the same loop without it.
 *
 *	probes [million events]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "libxlog/obs/trace.h"

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Something that a compiler does not see through. */
static inline void work(uint64_t *v)
{
	__asm__ volatile("" : "+r"(*v));
	*v = *v * 6364136223846793005u + 1442695040888963407u;
}

static double plain(uint64_t n)
{
	uint64_t v = 1, began = now_ns();

	for (uint64_t i = 0; i < n; i++)
		work(&v);
	return (double)(now_ns() - began) / (double)n;
}

static double traced(uint64_t n)
{
	uint64_t v = 1, began = now_ns();

	for (uint64_t i = 0; i < n; i++) {
		work(&v);
		TRACE(xfs_log_force, v, 1);
	}
	return (double)(now_ns() - began) / (double)n;
}

static void drop(void *ctx, const struct trace_record *r)
{
	(void)r;
	++*(uint64_t *)ctx;
}

/* The best of several: what else runs here only ever adds. */
static double best(double (*run)(uint64_t n), uint64_t n)
{
	double least = run(n);

	for (unsigned int i = 0; i < 4; i++) {
		double ns = run(n);

		least = ns < least ? ns : least;
	}
	return least;
}

int main(int argc, char **argv)
{
	uint64_t n = 1000000 * (argc > 1 ? strtoull(argv[1], NULL, 10) : 50);
	const bool wanted[TRACE_EVENTS] = { [TRACE_xfs_log_force] = true };
	double without = best(plain, n), off = best(traced, n), on;
	uint64_t taken = 0;

	if (!n || trace_start(wanted, drop, &taken))
		return 16;
	on = best(traced, n / 50);
	trace_stop();
	printf("trace event: off %.2f ns, on %.0f ns (%llu taken)\n",
	       off - without, on - without, (unsigned long long)taken);
	return taken == n / 50 * 5 ? 0 : 1;
}
