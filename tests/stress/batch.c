/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Batches by several threads on one file, read through threads and through
 * io_uring where there is one. Each thread has its own blocks, woven in with
 * those of the others, so that they meet in every page: it writes a random
 * choice of them in one batch, and reads another choice back, which must hold
 * what it wrote last. A plain program: also what ThreadSanitizer is run on.
 *
 *	batch [batches of each thread [first seed]]
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libxlog/dev/batch_priv.h"

enum {
	THREADS = 4,
	BLOCKS = 1500,			/* of each thread */
	BLOCK_BYTES = 512,
	FILE_BYTES = THREADS * BLOCKS * BLOCK_BYTES,
	OFFSET = 512,			/* of the window */
};

#define CHECK(what)							\
	do {								\
		if (!(what)) {						\
			fprintf(stderr, "%s:%d: %s\n", __FILE__,	\
				__LINE__, #what);			\
			exit(1);					\
		}							\
	} while (0)

struct worker {
	pthread_t	thread;
	uint64_t	number, state;
	uint32_t	version[BLOCKS];	/* 0: still zeros */
	uint32_t	data[BLOCKS][BLOCK_BYTES / sizeof(uint32_t)];
	struct dev_io	ios[BLOCKS];
};

static struct dev *dev;
static unsigned long batches = 100;
static unsigned long first_seed = 1;

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Some of the blocks: each alone, since a neighbour is another thread's. */
static size_t choose(struct worker *w)
{
	uint64_t chance = next_random(&w->state) % 16 + 1;
	size_t i, n = 0;

	for (i = 0; i < BLOCKS; i++)
		if (next_random(&w->state) % 16 < chance)
			w->ios[n++] = (struct dev_io){
				(i * THREADS + w->number) * BLOCK_BYTES,
				w->data[i], BLOCK_BYTES };
	return n;
}

static size_t block_of(const struct dev_io *io)
{
	return (size_t)(io->off_bytes / BLOCK_BYTES / THREADS);
}

static void set(struct worker *w, size_t block, uint32_t value)
{
	size_t i;

	for (i = 0; i < BLOCK_BYTES / sizeof(uint32_t); i++)
		w->data[block][i] = value ? value + (uint32_t)i : 0;
}

static bool holds(const struct worker *w, size_t block, uint32_t value)
{
	size_t i;

	for (i = 0; i < BLOCK_BYTES / sizeof(uint32_t); i++)
		if (w->data[block][i] != (value ? value + (uint32_t)i : 0))
			return false;
	return true;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	unsigned long i;
	size_t n, j;

	for (i = 0; i < batches; i++) {
		n = choose(w);
		for (j = 0; j < n; j++) {
			size_t block = block_of(&w->ios[j]);

			w->version[block] = (uint32_t)next_random(&w->state);
			set(w, block, w->version[block]);
		}
		CHECK(!dev_write_batch(dev, w->ios, n));
		n = choose(w);
		memset(w->data, 0xee, sizeof(w->data));
		CHECK(!dev_read_batch(dev, w->ios, n));
		for (j = 0; j < n; j++) {
			size_t block = block_of(&w->ios[j]);

			CHECK(holds(w, block, w->version[block]));
		}
	}
	return NULL;
}

static void open_dev(void)
{
	const char *tmp = getenv("TMPDIR");
	struct dev *file;
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/batch-XXXXXX",
		 tmp && tmp[0] ? tmp : "/tmp");
	fd = mkstemp(path);
	CHECK(fd >= 0);
	CHECK(!ftruncate(fd, OFFSET + FILE_BYTES));
	close(fd);
	CHECK(!dev_open_file(path, DEV_WRITE | DEV_LOCK_NONE, NULL, &file));
	CHECK(!unlink(path));
	CHECK(!dev_open_window(file, OFFSET, 0, &dev));
}

static void run(enum batch_engine engine, const char *name)
{
	struct worker *w = calloc(THREADS, sizeof(*w));
	uint64_t i;

	CHECK(w);
	batch_force(engine);
	open_dev();
	for (i = 0; i < THREADS; i++) {
		w[i].number = i;
		w[i].state = (first_seed + i) * 0x9e3779b97f4a7c15u;
		CHECK(!pthread_create(&w[i].thread, NULL, work, &w[i]));
	}
	for (i = 0; i < THREADS; i++)
		CHECK(!pthread_join(w[i].thread, NULL));
	printf("%s: %llu bytes written, %llu read\n", name,
	       (unsigned long long)dev->bytes_written,
	       (unsigned long long)dev->bytes_read);
	dev_close(dev);
	free(w);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		batches = strtoul(argv[1], NULL, 10);
	if (argc > 2)
		first_seed = strtoul(argv[2], NULL, 10);
	printf("%lu batches in each of %d threads, seed %lu\n", batches,
	       THREADS, first_seed);
	run(BATCH_THREADS, "threads");
	run(BATCH_ANY, "io_uring, if there is one");
	return 0;
}
