/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cells, each with a number of units, above a log engine without threads and a
 * device that can lose power; and deferred work that moves units between them.
 * What is on its way is in an intent, so nothing is ever lost or made: after a
 * crash, recovery and all that was pending, a chain has happened or has not.
 * Everything asserts success, so that a test reads as its behaviour.
 */
#ifndef TESTS_LIB_CELLS_H
#define TESTS_LIB_CELLS_H

#include "libxlog/dev/fault.h"
#include "libxlog/log/log_priv.h"
#include "libxlog/trans/busy.h"
#include "libxlog/trans/defer.h"
#include "tests/lib/memdev.h"

enum { CELLS = 16, CELL_BYTES = 512, CELLS_TEXT = 16384, CELLS_AGCOUNT = 4 };

struct cell {
	struct log_item	item;
	struct cells	*all;
	uint32_t	id;
	bool		locked, held;	/* there is one thread */
	unsigned int	refs, pins;
	unsigned int	relogged;	/* times, only since it was held */
	int64_t		units;		/* (locked) */
};

struct cells {
	struct reports	said;
	struct trans_fs	fs;
	struct dev	*medium, *fault, *log_dev;
	struct dev	*discard;
	struct log_config config;
	struct cell	cell[CELLS];
	char		steps[CELLS_TEXT]; /* tags of works, as they are done */
	unsigned int	works;		/* that are not freed */
	const char	*fails;		/* tags of works that fail */
};

/* What they are opened with; 0: as usual. */
struct cells_options {
	unsigned int	flags;		/* LOG_*, LOG_NO_THREADS besides */
	uint32_t	log_bb;
	uint32_t	logres_bytes;	/* of a transaction */
	struct dev	*discard;	/* for busy extents; NULL: none are */
};

/* All cells are 0. */
struct cells *cells_open(const struct cells_options *o);
void cells_close(struct cells *c);

/* Write all back that can be; and until nothing is left to be done. */
void cells_write_back(struct cells *c);

/* --- transactions --- */

/* One that can roll. */
struct trans *cells_begin(struct cells *c);

/* Lock @cell and join it, unless @t has it; add units. */
void cell_add(struct trans *t, struct cell *cell, int64_t units);
/* It has joined: hold it. */
void cell_hold(struct cell *cell);
/* It was held. */
void cell_unlock(struct cell *cell);

/* --- deferred work: units for a cell --- */

struct gift {
	char		tag;		/* for cells.steps */
	uint32_t	to;
	uint32_t	units;
	uint32_t	step;		/* at most so many at one time; 0: all */
	uint32_t	hops;		/* the next cell passes it on, so often */
};

/* As RUI and RUD, three in an intent; the same sorted by cell; EFI and EFD. */
extern const struct defer_type gift_type, gift_sorted_type, gift_efi_type;
/* Of several regions. */
extern const struct defer_type gift_attri_type;

void gift_defer(struct trans *t, const struct defer_type *type,
		const struct gift *gift);

/* A work of it, for defer_recovered(). */
struct defer_work *gift_new(struct cells *c, const struct gift *gift);

/* --- what the log has --- */

/* Every item of committed checkpoints; NULL behind each of these. */
void cells_each_item(struct cells *c, void *ctx,
		     void (*fn)(void *ctx, xfs_lsn_t lsn,
				const struct xlog_item *item));

/*
 * All committed checkpoints, as text: "c0 I1 | c0 c3 D1": cells by number,
 * intents by the order of their ids, dones. Valid until the next call.
 */
const char *cells_log(struct cells *c);

/*
 * Power fails. Afterwards the cells are what recovery makes of them, the
 * intents that were pending are recovered again (@pending, in order), and the
 * log is open behind what it has.
 */
void cells_crash(struct cells *c, enum fault_crash how, uint64_t seed,
		 struct list *pending);

/* Finish these, as recovery does. 0, or the error. */
int cells_recover(struct cells *c, struct list *pending) MUST_CHECK;

int64_t cells_sum(const struct cells *c);

#endif
