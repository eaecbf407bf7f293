/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside of cells: cells.c has the cells, cells_gift.c the deferred work,
 * cells_crash.c what reads the log.
 */
#ifndef TESTS_LIB_CELLS_PRIV_H
#define TESTS_LIB_CELLS_PRIV_H

#include "libxlog/read/read.h"
#include "tests/lib/cells.h"

struct xlog cells_reader(struct cells *c);

/* The log, as it was found, is opened; the cells keep their units only. */
void cells_open_log(struct cells *c, const struct xlog_bounds *b);
void cells_close_log(struct cells *c);

/* The units that the device has, and those of an item in the log. */
void cells_load(struct cells *c);
void cell_replay(struct cells *c, const struct xlog_item *item);
int cell_store(struct cell *cell) MUST_CHECK;

/* An intent in the log: its type and its works. */
const struct defer_type *gifts_decode(struct cells *c,
				      const struct xlog_item *item,
				      struct list *works);

#endif
