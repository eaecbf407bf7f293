/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Formatting costs more than reading the log does, and items do not depend on
 * each other. A round is a number of slices of items; threads take the next
 * slice that nobody has, the calling thread among them, until none is left.
 * Then the round is written out, so that memory is bounded by a round.
 *
 * A worker has a copy of struct print with an output into memory, and never
 * reports: if there is something to report about a slice, its output is thrown
 * away and the calling thread does the slice again, in its turn.
 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/print_jobs.h"

enum {
	SLICE_ITEMS = 128,
	ROUND_SLICES = 32,
	WORKERS_MAX = 8,
	/* less is not worth waking a thread for */
	PARALLEL_MIN = 2 * SLICE_ITEMS,
};

struct slice {
	size_t		first, count;
	struct out_memory text;		/* what it looks like */
	bool		again;		/* there is something to report */
};

struct worker {
	struct print_jobs *jobs;
	struct print	pr;
	pthread_t	thread;
};

struct print_jobs {
	pthread_mutex_t	lock;
	pthread_cond_t	work;		/* a round has begun, or it is the end */
	pthread_cond_t	idle;		/* left == 0 */
	/* (lock) */
	uint64_t	round;
	unsigned int	next, left;	/* slices not taken, not finished */
	bool		end;
	/* constant during a round */
	unsigned int	nslices;
	const struct xlog_item *items;
	const struct item_place *place;
	struct slice	slices[ROUND_SLICES];
	/* constant */
	unsigned int	nworkers;	/* with a thread each, plus one without */
	struct worker	*workers[WORKERS_MAX];
};

static void print_slice(struct print *pr, const struct xlog_item *items,
			size_t n, const struct item_place *place)
{
	for (size_t i = 0; i < n && !pr->out.error; i++)
		if (print_item_wanted(pr, &items[i], place))
			print_item(pr, &items[i], place);
}

static void do_slice(struct worker *w, struct slice *s)
{
	struct print_jobs *jobs = w->jobs;

	s->text.used = 0;
	w->pr.reports.findings = 0;
	out_into(&w->pr.out, &s->text);
	print_slice(&w->pr, jobs->items + s->first, s->count, jobs->place);
	out_flush(&w->pr.out);
	s->again = w->pr.reports.findings || w->pr.out.error;
}

/* Take slices until there are none; called and left with the lock held. */
static void do_round(struct worker *w)
{
	struct print_jobs *jobs = w->jobs;

	while (jobs->next < jobs->nslices) {
		struct slice *s = &jobs->slices[jobs->next++];

		pthread_mutex_unlock(&jobs->lock);
		do_slice(w, s);
		pthread_mutex_lock(&jobs->lock);
		if (!--jobs->left)
			pthread_cond_signal(&jobs->idle);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct print_jobs *jobs = w->jobs;
	uint64_t seen = 0;

	pthread_mutex_lock(&jobs->lock);
	for (;;) {
		while (jobs->round == seen && !jobs->end)
			pthread_cond_wait(&jobs->work, &jobs->lock);
		if (jobs->end)
			break;
		seen = jobs->round;
		do_round(w);
	}
	pthread_mutex_unlock(&jobs->lock);
	return NULL;
}

static struct worker *worker_new(struct print_jobs *jobs,
				 const struct print *pr)
{
	struct worker *w = malloc(sizeof(*w));

	if (!w)
		return NULL;
	w->jobs = jobs;
	w->pr = *pr;
	w->pr.reports.quiet_worker = true;
	w->pr.text.out = &w->pr.out;
	w->pr.json.out = &w->pr.out;
	return w;
}

struct print_jobs *print_jobs_new(struct print *pr)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct print_jobs *jobs;
	unsigned int want = cpus < WORKERS_MAX ? (unsigned int)cpus :
			    WORKERS_MAX;

	/* debugging messages come in order */
	if (cpus < 2 || pr->reports.debug & DEBUG_ITEM)
		return NULL;
	jobs = calloc(1, sizeof(*jobs));
	if (!jobs)
		return NULL;
	pthread_mutex_init(&jobs->lock, NULL);
	pthread_cond_init(&jobs->work, NULL);
	pthread_cond_init(&jobs->idle, NULL);
	/* the first one is the calling thread's */
	for (unsigned int i = 0; i < want; i++) {
		struct worker *w = worker_new(jobs, pr);

		if (!w)
			break;
		if (i && pthread_create(&w->thread, NULL, work, w)) {
			free(w);
			break;
		}
		jobs->workers[jobs->nworkers++] = w;
	}
	if (jobs->nworkers < 2) {
		print_jobs_free(jobs);
		return NULL;
	}
	return jobs;
}

void print_jobs_free(struct print_jobs *jobs)
{
	if (!jobs)
		return;
	pthread_mutex_lock(&jobs->lock);
	jobs->end = true;
	pthread_cond_broadcast(&jobs->work);
	pthread_mutex_unlock(&jobs->lock);
	for (unsigned int i = 0; i < jobs->nworkers; i++) {
		if (i)
			pthread_join(jobs->workers[i]->thread, NULL);
		free(jobs->workers[i]);
	}
	for (unsigned int i = 0; i < ROUND_SLICES; i++)
		free(jobs->slices[i].text.data);
	pthread_cond_destroy(&jobs->idle);
	pthread_cond_destroy(&jobs->work);
	pthread_mutex_destroy(&jobs->lock);
	free(jobs);
}

/* Format the next slices of @n items from @first on; returns how many items. */
static size_t run_round(struct print_jobs *jobs, size_t first, size_t n)
{
	size_t at = first;

	pthread_mutex_lock(&jobs->lock);
	jobs->nslices = 0;
	while (at < n && jobs->nslices < ROUND_SLICES) {
		struct slice *s = &jobs->slices[jobs->nslices++];

		s->first = at;
		s->count = n - at < SLICE_ITEMS ? n - at : SLICE_ITEMS;
		at += s->count;
	}
	jobs->next = 0;
	jobs->left = jobs->nslices;
	jobs->round++;
	pthread_cond_broadcast(&jobs->work);
	do_round(jobs->workers[0]);
	while (jobs->left)
		pthread_cond_wait(&jobs->idle, &jobs->lock);
	pthread_mutex_unlock(&jobs->lock);
	return at;
}

static void write_round(struct print *pr, struct print_jobs *jobs)
{
	for (unsigned int i = 0; i < jobs->nslices; i++) {
		const struct slice *s = &jobs->slices[i];

		if (s->again)
			print_slice(pr, jobs->items + s->first, s->count,
				    jobs->place);
		else
			out_lines(&pr->out, s->text.data, s->text.used);
	}
}

void print_items(struct print *pr, struct print_jobs *jobs,
		 const struct xlog_item *items, size_t n,
		 const struct item_place *place)
{
	size_t done = 0;

	if (!jobs || n < PARALLEL_MIN) {
		print_slice(pr, items, n, place);
		return;
	}
	jobs->items = items;
	jobs->place = place;
	for (unsigned int i = 0; i < jobs->nworkers; i++)
		jobs->workers[i]->pr.geom = pr->geom;
	while (done < n && !pr->out.error) {
		done = run_round(jobs, done, n);
		write_round(pr, jobs);
	}
}
