/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reports of the library; see report.h.
 */
#include <stdlib.h>
#include <unistd.h>

#include "cmd/report.h"

static const char *const severity_names[] = {
	[XLOG_ERROR] = "error",
	[XLOG_WARNING] = "warning",
	[XLOG_NOTICE] = "notice",
	[XLOG_STEP] = "step",
};

/* What XLOG_DEBUG asks for. */
static unsigned int debug_wanted(void)
{
	static const char *const names[] = { "head", "item", "read" };
	const char *env = getenv("XLOG_DEBUG");
	unsigned int wanted = 0;

	while (env && *env) {
		size_t n = strcspn(env, ",");

		for (unsigned int i = 0; i < 3; i++)
			if ((n == 3 && !strncmp(env, "all", n)) ||
			    (n == strlen(names[i]) &&
			     !strncmp(env, names[i], n)))
				wanted |= 1u << i;
		env += n + (env[n] == ',');
	}
	return wanted;
}

void reports_init(struct reports *rs, const struct io_opts *io)
{
	*rs = (struct reports){ .io = io, .name = io->path,
				.debug = debug_wanted() };
}

/* Whether a report of this severity is worth a line on stderr. */
static bool is_wanted(const struct reports *rs, enum xlog_severity severity)
{
	switch (severity) {
	case XLOG_ERROR:
		return true;
	case XLOG_WARNING:
		return !rs->io->quiet;
	case XLOG_NOTICE:
		return rs->io->verbose && !rs->io->quiet;
	default:
		return rs->io->verbose > 1 || rs->debug & DEBUG_HEAD;
	}
}

static void message(struct reports *rs, const struct xlog_report *r)
{
	bool red = r->severity == XLOG_ERROR &&
		   cmd_want_colour(rs->io->colour, STDERR_FILENO);
	const char *on = red ? "\033[31m" : "", *off = red ? "\033[0m" : "";

	if (!rs->io->verbose && !rs->debug && rs->messages++ >= MESSAGES_MAX)
		return;
	if (rs->out)
		out_flush(rs->out);
	if (!rs->name)
		cmd_message("%s%s%s", on, r->text, off);
	else if (r->lsn == XLOG_LSN_NONE)
		cmd_message("%s: %s%s%s", rs->name, on, r->text, off);
	else
		cmd_message("%s: %u:%u: %s%s%s", rs->name,
			    xlog_lsn_cycle(r->lsn), xlog_lsn_block(r->lsn),
			    on, r->text, off);
}

static void finding_object(struct jl *j, const struct xlog_report *r)
{
	jl_begin(j, "finding");
	jl_str(j, "code", r->code);
	jl_str(j, "severity", severity_names[r->severity]);
	jl_lsn(j, "lsn", r->lsn);
	jl_str(j, "what", r->text);
	jl_end(j);
}

void reports_take(void *ctx, const struct xlog_report *r)
{
	struct reports *rs = ctx;

	if (rs->quiet_worker) {
		rs->findings++;
		return;
	}
	if (r->severity == XLOG_ERROR)
		rs->error_lsn = r->lsn;
	if (rs->mute)
		return;
	if (r->severity <= XLOG_WARNING && rs->out) {
		rs->findings++;
		rs->errors += r->severity == XLOG_ERROR;
		if (rs->json) {
			finding_object(rs->json, r);
			return;
		}
	}
	if (r->severity >= XLOG_NOTICE && rs->on_step)
		rs->on_step(rs->step_ctx, r);
	if (is_wanted(rs, r->severity))
		message(rs, r);
}

void reports_say(struct reports *rs, enum xlog_severity severity,
		 const char *code, xlog_lsn_t lsn, const char *text)
{
	reports_take(rs, &(struct xlog_report){ .severity = severity,
		     .code = code, .lsn = lsn, .text = text });
}

void reports_end(const struct reports *rs)
{
	if (rs->messages > MESSAGES_MAX)
		cmd_message("%s%sand %llu more; -v shows all",
			    rs->name ? rs->name : "", rs->name ? ": " : "",
			    (unsigned long long)(rs->messages - MESSAGES_MAX));
}
