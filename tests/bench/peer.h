/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What programs have in common that measure how many records others make
 * durable in a second: PEER THREADS MS DIR. Each thread changes one record after
 * another of its own, each in a transaction that is durable when it returns.
 * Prints the rate.
 */
#ifndef TESTS_BENCH_PEER_H
#define TESTS_BENCH_PEER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	PEER_RECORDS = 10000,
	/* with its number 232 bytes, as what is logged of an inode's core */
	PEER_VALUE_BYTES = 224,
	PEER_MAX_THREADS = 512,
};

/* What it is about; both end the program if they fail. */
static void peer_open(const char *dir);
static void peer_change(uint64_t key, const uint8_t *value);
static void peer_close(void);

static struct {
	pthread_t	thread;
	unsigned int	index;
	unsigned long	changes;
} peer_jobs[PEER_MAX_THREADS];

static unsigned int peer_threads;
static _Atomic bool peer_stop;

static void *peer_job(void *arg)
{
	uint8_t value[PEER_VALUE_BYTES];
	unsigned int me = *(unsigned int *)arg;
	uint64_t key = me;

	while (!atomic_load_explicit(&peer_stop, memory_order_relaxed)) {
		memset(value, (int)peer_jobs[me].changes, sizeof(value));
		peer_change(key, value);
		peer_jobs[me].changes++;
		key += peer_threads;
		if (key >= PEER_RECORDS)
			key = me;
	}
	return NULL;
}

static double peer_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	unsigned long ms, changes = 0;
	double began;

	if (argc != 4)
		return 16;
	peer_threads = (unsigned int)strtoul(argv[1], NULL, 10);
	ms = strtoul(argv[2], NULL, 10);
	if (!peer_threads || peer_threads > PEER_MAX_THREADS || !ms)
		return 16;
	peer_open(argv[3]);
	began = peer_seconds();
	for (unsigned int i = 0; i < peer_threads; i++) {
		peer_jobs[i].index = i;
		if (pthread_create(&peer_jobs[i].thread, NULL, peer_job,
				   &peer_jobs[i].index))
			return 1;
	}
	nanosleep(&(struct timespec){ .tv_sec = (time_t)(ms / 1000),
				      .tv_nsec = (long)(ms % 1000) * 1000000 },
		  NULL);
	atomic_store(&peer_stop, true);
	for (unsigned int i = 0; i < peer_threads; i++) {
		pthread_join(peer_jobs[i].thread, NULL);
		changes += peer_jobs[i].changes;
	}
	printf("%.0f\n", (double)changes / (peer_seconds() - began));
	peer_close();
	return 0;
}

#endif
