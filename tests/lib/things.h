/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A log engine above a device that can lose power, and things whose changes go
 * through it: of any size, intents and what is done with them. Without threads
 * a test takes each step itself. Everything asserts success, so that a test
 * reads as its behaviour.
 */
#ifndef TESTS_LIB_THINGS_H
#define TESTS_LIB_THINGS_H

#include "libxfsfmt/logitem.h"
#include "libxlog/dev/fault.h"
#include "libxlog/log/log_priv.h"
#include "tests/lib/memdev.h"

enum {
	THING_HEAD_BYTES = 16,	/* region 0: type, regions, id, contents */
	THING_REGIONS = 4,
	ENGINE_LOG_BB = 4096,
	ENGINE_DATA_BYTES = 1 << 20,	/* behind the log */
	SEEN_MAX = 64,
};

struct thing {
	struct log_item	item;
	struct list	queue_link;
	pthread_mutex_t	lock;
	uint32_t	id;
	unsigned int	nregions;	/* behind region 0; none at all if... */
	bool		ordered;	/* ... it has none of them */
	uint32_t	len[THING_REGIONS];
	uint32_t	contents;	/* changes that are in the log only */
	struct thing	*intent;	/* of what is done */
	/* what the engine did with it */
	_Atomic int	pins;
	unsigned int	pinned, unpinned, aborted, released, written;
	bool		fails;		/* cannot be written back */
	void		(*on_unpin)(struct thing *t);	/* may be NULL */
	uint64_t	seq;		/* of its last commit */
};

struct engine {
	struct reports	said;
	struct dev	*medium, *fault, *dev;
	struct log	*log;
	struct log_config config;
	unsigned int	busy, busy_aborted;	/* extents that are over */
	bool		keep;		/* write_back() leaves things as they are */
	struct list	kept;		/* ... here, and locked */
};

/* What the engine is opened with; 0: as usual. */
struct engine_options {
	unsigned int	flags;		/* LOG_*; LOG_NO_THREADS unless... */
	bool		threads;
	uint32_t	log_bb;
	uint32_t	logbsize_bytes, logbufs;
	uint32_t	sunit_bytes;
};

struct engine *engine_open(const struct engine_options *options);
void engine_close(struct engine *e);

/* One region of @bytes behind region 0. */
void thing_init(struct thing *t, uint32_t id, uint32_t bytes);
void intent_init(struct thing *t, uint32_t id, uint32_t bytes);
void done_init(struct thing *t, uint32_t id, struct thing *intent);
/* Gone when its checkpoint is durable. */
void passing_init(struct thing *t, uint32_t id);

/* Reserved for one transaction of @bytes. */
struct ticket *engine_reserve(struct engine *e, uint32_t bytes);

/* Lock these, change them (@contents is added to theirs) and commit. */
int engine_commit(struct engine *e, struct ticket *tic, bool roll,
		  uint32_t contents, struct thing *const *things,
		  unsigned int count) MUST_CHECK;

/* One thing in a transaction of its own. Returns the sequence. */
uint64_t engine_change(struct engine *e, struct thing *t, uint32_t contents);

/* Push the current checkpoint; with @stable its last record is sealed. */
void engine_push(struct engine *e, bool stable);

/* All I/O that waits. */
void engine_io(struct engine *e);

/* Write all back that can be. */
void engine_write_back(struct engine *e);

uint64_t engine_reserved(const struct engine *e);	/* of the reserve head */
uint64_t engine_granted(const struct engine *e);	/* of the write head */

/* From the tail to the place of the next record. */
uint64_t engine_in_log(const struct engine *e);

/* --- what is on the device --- */

struct seen_item {
	uint32_t	id, contents;
	unsigned int	regions;
};

struct seen_trans {
	xfs_lsn_t	start, commit;
	uint32_t	num_regions, tid;
	unsigned int	nitems;
	struct seen_item items[SEEN_MAX]; /* the first of them */
};

struct seen_record {
	xfs_lsn_t	lsn, tail_lsn;
	uint32_t	num_ops, len_bytes, cycle;
};

struct seen {
	xlog_lsn_t	head, tail;
	bool		clean;
	unsigned int	ntrans, nrecords;
	struct seen_trans trans[SEEN_MAX];
	struct seen_record records[SEEN_MAX];
};

/*
 * What recovery would read now, every region checked byte by byte. Free it.
 */
struct seen *engine_read(struct engine *e);

/*
 * The engine goes without a word, power fails, and this is what is left. Only
 * engine_close() may follow.
 */
struct seen *engine_crash(struct engine *e, enum fault_crash how);

#endif
