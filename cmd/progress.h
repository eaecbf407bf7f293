/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Progress on stderr: a bar on a terminal, lines or JSON objects where asked
 * for, with the rate and the time left. Cheap enough to be called for every
 * record.
 */
#ifndef CMD_PROGRESS_H
#define CMD_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum progress_how {
	PROGRESS_AUTO,		/* a bar, if that disturbs nothing */
	PROGRESS_BAR,
	PROGRESS_LINES,
	PROGRESS_NONE,
	PROGRESS_JSON,
};

struct progress {
	enum progress_how how;		/* after init never AUTO */
	uint64_t	interval_ms;
	uint64_t	last_ms;
	bool		drawn;		/* a bar stands on the terminal */
	/* of what is being done now */
	const char	*what;		/* "" or a word */
	bool		bytes;		/* counted in bytes, else in blocks */
	uint64_t	began_ms;	/* first step; UINT64_MAX: none yet */
	uint64_t	began_at;	/* what was done by then */
};

/*
 * @interval_s between lines. @out_fd: where results go meanwhile, or -1; a bar
 * on a terminal that shows them as well would be drawn over them.
 */
void progress_init(struct progress *p, enum progress_how how,
		   uint64_t interval_s, int out_fd);

/*
 * Something else begins, called @what (static): rate and time left count from
 * the next step on. Without it all is one thing, counted in blocks.
 */
void progress_begin(struct progress *p, const char *what, bool bytes);

/* @done of @total is done. */
void progress_step(struct progress *p, uint64_t done, uint64_t total);

/* Take the bar away: before a message, and at the end. */
void progress_end(struct progress *p);

enum { PROGRESS_TEXT_BYTES = 160 };

/* What is shown @elapsed_ms after the first step; for progress_step() and its test. */
void progress_text(const struct progress *p, uint64_t done, uint64_t total,
		   uint64_t elapsed_ms, char text[PROGRESS_TEXT_BYTES]);

#endif
