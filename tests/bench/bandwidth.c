/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How fast the log engine writes a log into a file, against plain sequential
 * writes of the same size and depth to the same file: 256 KiB, 8 at a time.
 *
 *	bandwidth FILE [rounds]
 *
 * Threads commit objects of 4 KiB as fast as they can; the engine forms, copies
 * and checksums records of them, and keeps them in order with flushes. Plain
 * writes are flushed once at their end, or as often as the log was. All three
 * write the same bytes in turn; medians over the rounds, of the rates, of the
 * ratios of each round, and of the processor time that a GiB takes: where that
 * is more than there is, the processors are the limit and not the disk. FILE must
 * not exist.
 */
#include <sys/resource.h>

#include "libxlog/dev/dev_priv.h"
#include "tests/bench/objects.h"

enum {
	LOG_BYTES = 128 << 20,
	RUN_BYTES = 512 << 20,
	RECORD_BYTES = 256 << 10,
	DEPTH = LOG_MAX_ICLOGS,
	THREADS = 2,
	BODY_BYTES = 4096,
	OBJECTS = 65536,		/* more than the log holds */
	OBJECT_BYTES = (sizeof(struct object) + BODY_BYTES + 63) / 64 * 64,
	MAX_ROUNDS = 99,
	KINDS = 3,
};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bandwidth: %s\n", what);
	exit(1);
}

/* --- the file, and how often it is flushed --- */

static struct dev *file, counted;
static _Atomic unsigned int flushes;

static int counted_write(struct dev *dev, uint64_t off_bytes, const void *buf,
			 size_t len)
{
	(void)dev;
	return dev_write(file, off_bytes, buf, len);
}

static int counted_flush(struct dev *dev)
{
	(void)dev;
	atomic_fetch_add(&flushes, 1);
	return dev_flush(file);
}

static const struct dev_ops counted_ops = {
	.kind = "counted", .write = counted_write, .flush = counted_flush,
};

static double now_s(void)
{
	return (double)log_stat_clock() / 1e9;
}

static double cpu_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* What a run takes, of time and of processors. */
struct taken {
	double	time_s, cpu_s;
};

static struct taken now(void)
{
	return (struct taken){ now_s(), cpu_s() };
}

/* Bytes a second, and processor seconds a GiB. */
static double rate_of(uint64_t bytes, struct taken began, double *cpu)
{
	const struct taken ended = now();

	*cpu = (ended.cpu_s - began.cpu_s) / (double)bytes * (1 << 30);
	return (double)bytes / (ended.time_s - began.time_s);
}

/* --- the log --- */

static struct log *the_log;
static uint8_t *objects;
static _Alignas(64) _Atomic unsigned long next_object;
static _Atomic bool stop;

static void *commit(void *arg)
{
	(void)arg;
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		unsigned long i = atomic_fetch_add(&next_object, 1) % OBJECTS;

		object_change(the_log, (struct object *)(void *)
			      (objects + i * OBJECT_BYTES));
	}
	return NULL;
}

static uint64_t written(void)
{
	uint64_t sum[LOG_STATS];

	log_stats_read(the_log, sum);
	return sum[LOG_STAT_WRITTEN_BYTES];
}

static double log_rate(uint64_t *bytes, double *cpu)
{
	const struct log_config c = {
		.dev = &counted, .data = &counted, .internal = true,
		.head = xfs_lsn_make(1, 0), .prev_block = UINT32_MAX,
		.logbsize_bytes = RECORD_BYTES, .logbufs = DEPTH,
		.write_back = objects_write_back, .write_back_ctx = &the_log,
	};
	pthread_t thread[THREADS];
	struct taken began;
	double rate;

	must(!log_open(&c, &the_log), "no log");
	for (unsigned int i = 0; i < OBJECTS; i++)
		object_init((struct object *)(void *)
			    (objects + i * OBJECT_BYTES), BODY_BYTES);
	atomic_store(&stop, false);
	atomic_store(&flushes, 0);
	began = now();
	for (unsigned int i = 0; i < THREADS; i++)
		must(!pthread_create(&thread[i], NULL, commit, NULL),
		     "no threads");
	while (written() < RUN_BYTES)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	atomic_store(&stop, true);
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	must(!log_force(the_log, true), "the log died");
	*bytes = written();
	rate = rate_of(*bytes, began, cpu);
	log_close(the_log);
	for (unsigned int i = 0; i < OBJECTS; i++)
		object_fini((struct object *)(void *)
			    (objects + i * OBJECT_BYTES));
	return rate;
}

/* --- plain writes --- */

static _Atomic uint64_t plain_at;
static uint64_t plain_bytes, flush_every;

static void *write_plainly(void *arg)
{
	const uint8_t *buf = arg;

	for (;;) {
		uint64_t at = atomic_fetch_add(&plain_at, RECORD_BYTES);

		if (at >= plain_bytes)
			return NULL;
		must(!dev_write(file, at % LOG_BYTES, buf, RECORD_BYTES),
		     "cannot write");
		if ((at + RECORD_BYTES) / flush_every != at / flush_every)
			must(!dev_flush(file), "cannot flush");
	}
}

static double plain_rate(uint64_t bytes, unsigned int times_flushed,
			 double *cpu)
{
	static uint8_t buf[DEPTH][RECORD_BYTES];
	pthread_t thread[DEPTH];
	struct taken began = now();

	plain_bytes = bytes;
	flush_every = times_flushed ? bytes / times_flushed : UINT64_MAX;
	atomic_store(&plain_at, 0);
	for (unsigned int i = 0; i < DEPTH; i++) {
		memset(buf[i], (int)i + 1, RECORD_BYTES);
		must(!pthread_create(&thread[i], NULL, write_plainly, buf[i]),
		     "no threads");
	}
	for (unsigned int i = 0; i < DEPTH; i++)
		pthread_join(thread[i], NULL);
	must(!dev_flush(file), "cannot flush");
	return rate_of(bytes, began, cpu);
}

/* --- --- */

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(double *v, unsigned int n)
{
	qsort(v, n, sizeof(*v), compare);
	return v[n / 2];
}

int main(int argc, char **argv)
{
	static double rate[KINDS][MAX_ROUNDS], ratio[KINDS][MAX_ROUNDS];
	static double cpu[KINDS][MAX_ROUNDS], per_flush[MAX_ROUNDS];
	unsigned int rounds =
		argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 10) : 5;
	uint64_t bytes;

	if (argc < 2 || !rounds || rounds > MAX_ROUNDS)
		return 16;
	must(!dev_open_file(argv[1], DEV_WRITE | DEV_CREATE | DEV_EMPTY |
			    DEV_LOCK_NONE, NULL, &file), argv[1]);
	must(!dev_resize(file, LOG_BYTES), "cannot be made larger");
	dev_init(&counted, &counted_ops, NULL, "counted");
	counted.size_bytes = LOG_BYTES;
	counted.sector_bytes = DEV_SECTOR_BYTES;
	counted.writable = true;
	objects = aligned_alloc(64, (size_t)OBJECTS * OBJECT_BYTES);
	must(objects, "out of memory");
	memset(objects, 0, (size_t)OBJECTS * OBJECT_BYTES);
	plain_rate(LOG_BYTES, 0, cpu[0]);	/* no holes, for anybody */
	for (unsigned int r = 0; r < rounds; r++) {
		unsigned int n;

		rate[0][r] = log_rate(&bytes, &cpu[0][r]);
		n = atomic_load(&flushes);
		per_flush[r] = (double)bytes / n;
		rate[1][r] = plain_rate(bytes, n, &cpu[1][r]);
		rate[2][r] = plain_rate(bytes, 0, &cpu[2][r]);
		for (unsigned int k = 1; k < KINDS; k++)
			ratio[k][r] = rate[0][r] / rate[k][r];
	}
	printf("log, flushed every %.1f MiB: %.0f MiB/s, %.2f s of processor a GiB\n",
	       median(per_flush, rounds) / (1 << 20),
	       median(rate[0], rounds) / (1 << 20), median(cpu[0], rounds));
	for (unsigned int k = 1; k < KINDS; k++)
		printf("plain writes, flushed %s: %.0f MiB/s, %.2f s; the log has %.2f of it\n",
		       k == 1 ? "as often" : "once",
		       median(rate[k], rounds) / (1 << 20),
		       median(cpu[k], rounds), median(ratio[k], rounds));
	dev_close(file);
	free(objects);
	return 0;
}
