/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Jars of units, poured into each other by chains of deferred work, by many
 * threads and through a log engine with threads: what is on its way is in an
 * intent, so that the sum of all is 0 at any time, and after a crash as well.
 * Plain C, for programs that ThreadSanitizer is run on. What should not be
 * ends the program.
 */
#ifndef TESTS_LIB_JARS_H
#define TESTS_LIB_JARS_H

#include <stdio.h>
#include <stdlib.h>

#include "libxlog/dev/fault.h"
#include "libxlog/log/log_priv.h"
#include "libxlog/trans/busy.h"
#include "libxlog/trans/defer.h"

#define CHECK(what)							\
	do {								\
		if (!(what)) {						\
			fprintf(stderr, "%s:%d: %s\n", __FILE__,	\
				__LINE__, #what);			\
			exit(1);					\
		}							\
	} while (0)

enum {
	JARS_SHARED = 32,		/* jars that anyone pours into */
	JARS_OWN = 16,			/* and one of each thread */
	JARS = JARS_SHARED + JARS_OWN,
	JARS_GROUPS = 3,
	JARS_GROUP_BLOCKS = 64,
	JARS_LOG_BB = 1024,		/* so small that it wraps all the time */
};

struct jar {
	struct log_item	item;
	struct jars	*all;
	pthread_mutex_t	lock;
	uint32_t	id;
	bool		held;		/* (lock) */
	_Atomic int	pins;
	int64_t		units;		/* (lock) */
};

struct jars {
	struct trans_fs	fs;
	struct dev	*medium, *fault, *log_dev;
	struct jar	jar[JARS];
};

struct jars *jars_open(unsigned int log_flags);
void jars_close(struct jars *j);

/* A transaction that can roll, or NULL: the log is dead. */
struct trans *jars_begin(struct jars *j);

/* Lock it and join it: @t does not have it yet. */
void jar_join(struct trans *t, struct jar *jar);

/*
 * Out of @own, the thread's own jar, into some, as @state has it. 0, or
 * -ESHUTDOWN.
 */
int jars_chain(struct jars *j, struct jar *own, uint64_t *state) MUST_CHECK;

/* A number below @n. */
uint32_t jars_random(uint64_t *state, uint32_t n);

/* Of all jars, whose threads have ended. */
int64_t jars_sum(const struct jars *j);

/*
 * The threads have ended: power fails. The sum of what recovery finds in jars
 * and in intents; *@pending: how many of these. Only jars_close() may follow.
 */
int64_t jars_crash(struct jars *j, enum fault_crash how, uint64_t seed,
		   unsigned int *pending);

#endif
