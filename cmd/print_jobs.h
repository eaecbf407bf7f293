/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Items of a large transaction, formatted by several threads. The output is
 * the same as of one: each slice of items goes to memory of its own, and the
 * slices are written in order.
 */
#ifndef CMD_PRINT_JOBS_H
#define CMD_PRINT_JOBS_H

#include "cmd/print.h"

struct print_jobs;

/*
 * Threads for what @pr prints, as many as there are processors. NULL if one
 * is enough, or if there is no memory for more: print_items() then does all
 * by itself. Ends with print_jobs_free(), which accepts NULL.
 */
struct print_jobs *print_jobs_new(struct print *pr);
void print_jobs_free(struct print_jobs *jobs);

/* Print those of the @n items at @items that are wanted. @jobs may be NULL. */
void print_items(struct print *pr, struct print_jobs *jobs,
		 const struct xlog_item *items, size_t n,
		 const struct item_place *place);

#endif
