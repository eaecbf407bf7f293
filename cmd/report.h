/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the library reports while a tool runs: lines on stderr, or findings in
 * the JSON that goes to stdout; counted in both cases.
 */
#ifndef CMD_REPORT_H
#define CMD_REPORT_H

#include "cmd/json.h"
#include "cmd/opts.h"
#include "libxlog/xlog.h"

/* XLOG_DEBUG: more on stderr, for those who look for faults. */
enum { DEBUG_HEAD = 1, DEBUG_ITEM = 2, DEBUG_READ = 4 };

/* One log can be bad in a thousand places: the rest is only counted. */
enum { MESSAGES_MAX = 16 };

struct reports {
	const struct io_opts *io;
	/* what messages are about: io->path; NULL: they say it themselves */
	const char	*name;
	/* once results are written: to here, and findings to @json or NULL */
	struct out	*out;
	struct jl	*json;
	unsigned int	debug;		/* DEBUG_* */

	bool		mute;		/* a second look: reported before */
	bool		quiet_worker;	/* reports are only counted */
	uint64_t	findings;	/* since there are results */
	uint64_t	errors;		/* of these, those that are errors */
	uint64_t	messages;	/* lines for stderr, shown or not */
	xlog_lsn_t	error_lsn;	/* of the last error, muted or not */
	/* who collects notices and steps, or NULL */
	void (*on_step)(void *ctx, const struct xlog_report *r);
	void		*step_ctx;
};

/* Begin, with what XLOG_DEBUG says. */
void reports_init(struct reports *rs, const struct io_opts *io);

/* An xlog_report_fn; the context is the struct reports. */
void reports_take(void *ctx, const struct xlog_report *r);

/* Report @text ourselves, as the library does. */
void reports_say(struct reports *rs, enum xlog_severity severity,
		 const char *code, xlog_lsn_t lsn, const char *text);

/* Tell how many messages were not shown. */
void reports_end(const struct reports *rs);

#endif
