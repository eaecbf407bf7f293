/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Progress on stderr: a bar on a terminal, lines or JSON objects where asked
 * for. Cheap enough to be called for every record.
 */
#ifndef CMD_PROGRESS_H
#define CMD_PROGRESS_H

#include <stdbool.h>
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
};

/*
 * @interval_s between lines. @out_fd: where results go; a bar on a terminal
 * that shows them as well would be drawn over them.
 */
void progress_init(struct progress *p, enum progress_how how,
		   uint64_t interval_s, int out_fd);

/* @done of @total is done. */
void progress_step(struct progress *p, uint64_t done, uint64_t total);

/* Take the bar away. */
void progress_end(struct progress *p);

#endif
