/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Commits per second through the log engine to a log in memory, by threads:
 *
 *	commits [-r rounds] [-c commits] [-n] THREADS...
 *
 * All together always make the same number of commits, of small objects, one
 * object after the other: few, which are relogged and never reach the log, so
 * that what is measured is the commit alone; or so many that the CIL is always
 * being pushed and the log wraps. The rates are medians over the rounds, in each of
 * which all thread counts run in turn; beside each is its share of the best, and
 * the processor time of a commit, all threads of the log included.
 * -n: nodelaylog.
 */
#include <sys/resource.h>
#include <unistd.h>

#include "tests/bench/objects.h"

enum {
	LOG_BYTES = 128 << 20,
	MAX_THREADS = 4096,
	MAX_COUNTS = 16,
	MAX_ROUNDS = 99,
	STACK_BYTES = 256 << 10,
	AT_ONCE = 32,			/* that a thread does before it asks */
	FEW = 4096,
	MANY = 128 * FEW,		/* as much as the log */
	OBJECT_BYTES = (sizeof(struct object) + OBJECT_LEAST_BODY + 63) / 64 * 64,
};

struct worker {
	pthread_t	thread;
	unsigned int	nobjects;
};

static struct log *the_log;
static uint8_t *objects;
static struct worker workers[MAX_THREADS];
static _Alignas(64) _Atomic unsigned long taken;	/* commits */
/* Who makes threads would wait for his turn behind those that are at work. */
static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;
static unsigned int log_flags;
static unsigned long commits = 1 << 21;
static unsigned int rounds = 5;

static struct object *object_at(unsigned long i)
{
	return (struct object *)(void *)(objects + i * OBJECT_BYTES);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	pthread_mutex_lock(&starting);
	pthread_mutex_unlock(&starting);
	for (;;) {
		unsigned long n = atomic_fetch_add(&taken, AT_ONCE);

		if (n >= commits)
			return NULL;
		for (unsigned long i = n; i < n + AT_ONCE; i++)
			object_change(the_log, object_at(i % w->nobjects));
	}
}

static void open_all(unsigned int nobjects)
{
	struct log_config c = { .flags = log_flags,
				.head = xfs_lsn_make(1, 0),
				.prev_block = UINT32_MAX, .internal = true,
				.write_back = objects_write_back,
				.write_back_ctx = &the_log };

	if (dev_open_overlay(NULL, LOG_BYTES, NULL, &c.dev))
		exit(1);
	c.data = c.dev;
	if (log_open(&c, &the_log))
		exit(1);
	for (unsigned int i = 0; i < nobjects; i++)
		object_init(object_at(i), OBJECT_LEAST_BODY);
}

static void close_all(unsigned int nobjects)
{
	struct dev *dev = the_log->config.dev;

	log_close(the_log);
	dev_close(dev);
	for (unsigned int i = 0; i < nobjects; i++)
		object_fini(object_at(i));
}

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

static double rate(unsigned int threads, unsigned int nobjects,
		   double *cpu_ns)
{
	pthread_attr_t attr;
	double began, cpu;

	open_all(nobjects);
	atomic_store(&taken, 0);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_mutex_lock(&starting);
	for (unsigned int i = 0; i < threads; i++) {
		struct worker *w = &workers[i];

		w->nobjects = nobjects;
		if (pthread_create(&w->thread, &attr, work, w)) {
			fputs("commits: no more threads\n", stderr);
			exit(1);
		}
	}
	cpu = cpu_s();
	began = now_s();
	pthread_mutex_unlock(&starting);
	for (unsigned int i = 0; i < threads; i++)
		pthread_join(workers[i].thread, NULL);
	began = now_s() - began;
	*cpu_ns = (cpu_s() - cpu) * 1e9 / (double)commits;
	pthread_attr_destroy(&attr);
	close_all(nobjects);
	return (double)commits / began;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void table(const char *what, const unsigned int *threads,
		  unsigned int counts, unsigned int nobjects)
{
	static double rates[MAX_COUNTS][MAX_ROUNDS];
	static double cpu[MAX_COUNTS][MAX_ROUNDS];
	double best = 0;

	for (unsigned int r = 0; r < rounds; r++)
		for (unsigned int i = 0; i < counts; i++)
			rates[i][r] = rate(threads[i], nobjects, &cpu[i][r]);
	for (unsigned int i = 0; i < counts; i++) {
		qsort(rates[i], rounds, sizeof(double), compare);
		qsort(cpu[i], rounds, sizeof(double), compare);
		if (rates[i][rounds / 2] > best)
			best = rates[i][rounds / 2];
	}
	printf("%s, %u objects of %d bytes:\n", what, nobjects,
	       2 * OP_BYTES + OBJECT_HEAD_BYTES + OBJECT_LEAST_BODY);
	for (unsigned int i = 0; i < counts; i++)
		printf("%5u threads: %8.0f commits/s  %.2f of the best, %4.0f ns each\n",
		       threads[i], rates[i][rounds / 2],
		       rates[i][rounds / 2] / best, cpu[i][rounds / 2]);
}

int main(int argc, char **argv)
{
	unsigned int threads[MAX_COUNTS], counts = 0;
	int c;

	while ((c = getopt(argc, argv, "r:c:n")) != -1) {
		if (c == 'r')
			rounds = (unsigned int)strtoul(optarg, NULL, 10);
		else if (c == 'c')
			commits = strtoul(optarg, NULL, 10);
		else if (c == 'n')
			log_flags = LOG_DIRECT;
		else
			return 16;
	}
	for (; optind < argc && counts < MAX_COUNTS; optind++) {
		threads[counts] = (unsigned int)strtoul(argv[optind], NULL, 10);
		if (!threads[counts] || threads[counts] > MAX_THREADS)
			return 16;
		counts++;
	}
	commits -= commits % AT_ONCE;
	if (!counts || !rounds || rounds > MAX_ROUNDS || !commits)
		return 16;
	objects = aligned_alloc(64, (size_t)MANY * OBJECT_BYTES);
	if (!objects) {
		fputs("commits: out of memory\n", stderr);
		return 1;
	}
	memset(objects, 0, (size_t)MANY * OBJECT_BYTES);
	if (!log_flags)
		table("commits that are relogged", threads, counts, FEW);
	table("commits that reach the log", threads, counts, MANY);
	free(objects);
	return 0;
}
