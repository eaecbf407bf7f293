/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A store of objects whose changes go through the log engine, and nothing of a
 * filesystem: numbered objects, each with a stamp, the number of the last
 * transaction that changed it. The device can lose power; what recovery then
 * makes of log and objects must be the state after some checkpoint, no earlier
 * than the last that was forced: all transactions up to it, no other.
 *
 * Recovery here is a few lines over the log reader: it finds head and tail as
 * ever and puts back what the transactions say. Plain C. Many threads may
 * change and force; what opens, ends or loses power is one thread's.
 */
#ifndef TESTS_LIB_STORE_H
#define TESTS_LIB_STORE_H

#include <semaphore.h>

#include "libxlog/dev/fault.h"
#include "libxlog/log/log_priv.h"
#include "libxlog/read/read.h"
#include "tests/lib/crash.h"

enum {
	STORE_MAX_OBJECTS = 4096,	/* of one transaction, too */
	STORE_OBJECT_BYTES = 4096,	/* room of each on the device */
	STORE_MAX_BODY = 4000,
};

struct store_config {
	uint32_t	log_bb;
	uint32_t	sunit_bytes, sector_bytes;
	uint32_t	logbufs, logbsize_bytes;
	unsigned int	flags;		/* LOG_* */
	unsigned int	breaks;		/* LOG_BREAK_* */
	unsigned int	objects;
	uint32_t	body_bytes;	/* at most, logged of each; 0: 64 */
	bool		hold;		/* chains keep their objects locked */
	bool		external;	/* the log has a device of its own */
	unsigned int	spare;		/* reserved so many times more than is
					   logged */
};

/* What the last crash was like. */
struct store_report {
	uint64_t	recovered;	/* the newest transaction there */
	uint64_t	checkpoints;	/* replayed */
	struct crash_facts facts;
};

struct store_object {
	struct log_item	item;
	struct list	queue_link;
	struct store	*store;
	/* not a mutex: ThreadSanitizer knows 64 of those held at a time */
	sem_t		lock;
	uint32_t	id;
	uint32_t	body_bytes;
	_Atomic uint64_t stamp;		/* (lock) to change */
	_Atomic int	pins;
	bool		held;		/* (lock) over the next commit, too */
	uint64_t	written_stamp;	/* (lock) of what is on the device */
	xfs_lsn_t	written_lsn;	/* (lock) and where it was in the AIL */
};

#define STORE_NO_SEQ	UINT64_MAX

struct store_txn {
	size_t		first, count;	/* it changed changed[first ..] */
	uint64_t	seq;		/* of its checkpoint, or none */
};

struct store {
	struct store_config config;
	struct sink	sink;
	pthread_mutex_t	said_lock;
	char		said[512];	/* (said_lock) the last report */
	struct dev	*medium, *fault, *log_dev; /* of the log */
	/* of the objects: @fault, or their own */
	struct dev	*data_medium, *data;
	struct log	*log;
	struct store_object *objects;
	uint32_t	logres_bytes;	/* per object */
	_Atomic uint64_t writes;	/* objects written back */
	/* (history_lock) what happened: transaction n is txn[n - 1] */
	pthread_mutex_t	history_lock;
	uint32_t	*changed;
	size_t		nchanged, changed_room;
	struct store_txn *txn;
	size_t		txns, txns_room;
	uint64_t	committed;	/* the newest that was */
	uint64_t	committed_seq;	/* the last checkpoint with one */
	uint64_t	forced;		/* and was made durable */
	uint64_t	forced_seq;
	xfs_lsn_t	forced_end;	/* of the log, when that was over */
	unsigned int	in_flight;	/* (one thread) see store_look() */
	struct store_report last;	/* crash */
};

/* A new store with a clean log, or NULL: no memory. */
struct store *store_new(const struct store_config *config);

/* Power off, if it was on, and no more store. */
void store_free(struct store *s);

/*
 * Change @count objects of these numbers (no two the same, ascending) in a
 * transaction. *@seq may be NULL. As log_commit().
 */
int store_change(struct store *s, const uint32_t *ids, unsigned int count,
		 uint64_t *seq) MUST_CHECK;

/* The same objects in a chain of @links transactions that rolls. */
int store_chain(struct store *s, const uint32_t *ids, unsigned int count,
		unsigned int links, uint64_t *seq) MUST_CHECK;

/* Reserve, lock them and change nothing. */
int store_cancel(struct store *s, const uint32_t *ids, unsigned int count)
	MUST_CHECK;

/* All committed so far becomes durable. */
int store_force(struct store *s) MUST_CHECK;

/*
 * Between two steps of the only thread: remember what is under way, which is
 * gone when the log dies of what the next one does.
 */
void store_look(struct store *s);

/*
 * Numbers of objects for one of these, at most @max of the @room numbers from
 * @first on: ascending, returns how many. *@state, not 0, is what they depend
 * on, and is another afterwards.
 */
unsigned int store_any_ids(uint64_t *state, uint32_t first, uint32_t room,
			   uint32_t *ids, unsigned int max);
uint64_t store_random(uint64_t *state);

/*
 * Nobody uses the store: bring its log to rest. NULL, or what is wrong then: all
 * is durable and written back, nothing is pinned, and what both grant heads
 * count is what lies between the tail and the place of the next record, the
 * last checkpoint, to the byte.
 */
const char *store_rest(struct store *s);

/*
 * Power fails: the log goes without a word, and of the writes not flushed @how
 * decides. Then recover, and say what is wrong with the result, or NULL; the
 * log is clean and open again, and history begins with this state.
 */
const char *store_crash(struct store *s, enum fault_crash how, uint64_t seed);

void store_last_crash(const struct store *s, struct store_report *out);

#endif
