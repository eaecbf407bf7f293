/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Progress; see progress.h.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/format.h"
#include "cmd/progress.h"

enum {
	BAR_COLUMNS = 30,
	BAR_INTERVAL_MS = 200,
	RATE_MIN_MS = 1000,	/* a rate over less is noise */
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void progress_init(struct progress *p, enum progress_how how,
		   uint64_t interval_s, int out_fd)
{
	if (how == PROGRESS_AUTO)
		how = isatty(STDERR_FILENO) && !isatty(out_fd) ?
		      PROGRESS_BAR : PROGRESS_NONE;
	*p = (struct progress){
		.how = how,
		.interval_ms = how == PROGRESS_BAR ? BAR_INTERVAL_MS :
						     interval_s * 1000,
		.last_ms = now_ms(),
		.what = "",
		.began_ms = UINT64_MAX,
	};
}

void progress_begin(struct progress *p, const char *what, bool bytes)
{
	p->what = what;
	p->bytes = bytes;
	p->began_ms = UINT64_MAX;
}

/* --- words --- */

/* Joins pieces of text, as much as there is room for. */
struct join {
	char	*text;
	size_t	used;
};

static void add(struct join *j, const char *s)
{
	size_t n = strlen(s);

	if (n > PROGRESS_TEXT_BYTES - 1 - j->used)
		n = PROGRESS_TEXT_BYTES - 1 - j->used;
	memcpy(j->text + j->used, s, n);
	j->used += n;
	j->text[j->used] = '\0';
}

static void add_uint(struct join *j, uint64_t v)
{
	char buf[FORMAT_BYTES];

	*format_uint(buf, v) = '\0';
	add(j, buf);
}

static void add_amount(struct join *j, const struct progress *p, uint64_t v)
{
	char buf[FORMAT_BYTES];

	if (!p->bytes) {
		add_uint(j, v);
		return;
	}
	*format_size(buf, v) = '\0';
	add(j, buf);
}

/* "1:02:03 left" */
static void add_time(struct join *j, uint64_t s)
{
	char buf[32];

	if (s >= 3600)
		snprintf(buf, sizeof(buf), "%llu:%02u:%02u left",
			 (unsigned long long)(s / 3600),
			 (unsigned int)(s / 60 % 60), (unsigned int)(s % 60));
	else
		snprintf(buf, sizeof(buf), "%u:%02u left",
			 (unsigned int)(s / 60), (unsigned int)(s % 60));
	add(j, buf);
}

static unsigned int percent_of(uint64_t done, uint64_t total)
{
	/* in doubles: bytes of a large device times 100 may overflow */
	return total && done < total ?
	       (unsigned int)((double)done * 100 / (double)total) : 100;
}

static void add_bar(struct join *j, unsigned int percent)
{
	char bar[BAR_COLUMNS + 1];
	unsigned int full = percent * BAR_COLUMNS / 100;

	memset(bar, '#', full);
	memset(bar + full, '.', BAR_COLUMNS - full);
	bar[BAR_COLUMNS] = '\0';
	add(j, "[");
	add(j, bar);
	add(j, "] ");
}

/* What has been done a second, and how long the rest takes at that. */
static void add_rate(struct join *j, const struct progress *p, uint64_t done,
		     uint64_t total, uint64_t elapsed_ms)
{
	double rate;

	if (elapsed_ms < RATE_MIN_MS || done <= p->began_at)
		return;
	rate = (double)(done - p->began_at) * 1000 / (double)elapsed_ms;
	add(j, ", ");
	add_amount(j, p, (uint64_t)rate);
	add(j, p->bytes ? "/s" : " blocks/s");
	if (done < total) {
		add(j, ", ");
		add_time(j, (uint64_t)((double)(total - done) / rate + 0.5));
	}
}

void progress_text(const struct progress *p, uint64_t done, uint64_t total,
		   uint64_t elapsed_ms, char text[PROGRESS_TEXT_BYTES])
{
	unsigned int percent = percent_of(done, total);
	struct join j = { .text = text };

	text[0] = '\0';
	if (*p->what) {
		add(&j, p->what);
		add(&j, p->how == PROGRESS_BAR ? " " : ": ");
	}
	if (p->how == PROGRESS_BAR) {
		add_bar(&j, percent);
	} else {
		add_amount(&j, p, done);
		add(&j, " of ");
		add_amount(&j, p, total);
		add(&j, p->bytes ? ", " : " blocks, ");
	}
	add_uint(&j, percent);
	add(&j, "%");
	add_rate(&j, p, done, total, elapsed_ms);
}

/* --- on the terminal --- */

static void json_object(const struct progress *p, uint64_t done,
			uint64_t total)
{
	fprintf(stderr, "{\"type\":\"progress\",\"phase\":\"%s\",\"done\":%llu,"
		"\"total\":%llu}\n", p->what, (unsigned long long)done,
		(unsigned long long)total);
}

void progress_step(struct progress *p, uint64_t done, uint64_t total)
{
	char text[PROGRESS_TEXT_BYTES];
	uint64_t now;

	if (p->how == PROGRESS_NONE)
		return;
	now = now_ms();
	if (p->began_ms == UINT64_MAX) {
		p->began_ms = now;
		p->began_at = done;
	}
	if (now - p->last_ms < p->interval_ms)
		return;
	p->last_ms = now;
	if (p->how == PROGRESS_JSON) {
		json_object(p, done, total);
		return;
	}
	progress_text(p, done, total, now - p->began_ms, text);
	if (p->how == PROGRESS_LINES) {
		fprintf(stderr, "progress: %s\n", text);
		return;
	}
	/* behind it, clear what an earlier, longer text left of itself */
	fprintf(stderr, "\r%s\033[K", text);
	p->drawn = true;
}

void progress_end(struct progress *p)
{
	if (p->drawn)
		fprintf(stderr, "\r\033[K");
	p->drawn = false;
}
