/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Progress; see progress.h.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/progress.h"

enum {
	BAR_COLUMNS = 40,
	BAR_INTERVAL_MS = 200,
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
	};
}

static void draw(unsigned int percent)
{
	char bar[BAR_COLUMNS + 1];
	unsigned int full = percent * BAR_COLUMNS / 100;

	memset(bar, '#', full);
	memset(bar + full, '.', BAR_COLUMNS - full);
	bar[BAR_COLUMNS] = '\0';
	fprintf(stderr, "\r[%s] %3u%%", bar, percent);
}

void progress_step(struct progress *p, uint64_t done, uint64_t total)
{
	unsigned int percent;
	uint64_t now;

	if (p->how == PROGRESS_NONE)
		return;
	now = now_ms();
	if (now - p->last_ms < p->interval_ms)
		return;
	p->last_ms = now;
	percent = total && done < total ? (unsigned int)(done * 100 / total) :
					  100;
	switch (p->how) {
	case PROGRESS_BAR:
		draw(percent);
		p->drawn = true;
		break;
	case PROGRESS_LINES:
		fprintf(stderr, "progress: block %llu of %llu (%u%%)\n",
			(unsigned long long)done, (unsigned long long)total,
			percent);
		break;
	default:
		fprintf(stderr, "{\"type\":\"progress\",\"done\":%llu,"
			"\"total\":%llu}\n", (unsigned long long)done,
			(unsigned long long)total);
		break;
	}
}

void progress_end(struct progress *p)
{
	if (p->drawn)
		fprintf(stderr, "\r%*s\r", BAR_COLUMNS + 8, "");
	p->drawn = false;
}
