/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Formatting of reports; see err.h.
 */
#include <stdarg.h>
#include <stdio.h>

#include "libxlog/base/err.h"

static void send(const struct sink *sink, enum xlog_severity severity,
		 const char *code, xlog_lsn_t lsn, const char *fmt, va_list ap)
	PRINTF_LIKE(5, 0);

static void send(const struct sink *sink, enum xlog_severity severity,
		 const char *code, xlog_lsn_t lsn, const char *fmt, va_list ap)
{
	char text[512];

	if (!sink->report)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	sink->report(sink->ctx, &(struct xlog_report){
		.severity = severity, .code = code, .lsn = lsn, .text = text });
}

int report(const struct sink *sink, int rc, const char *code, xlog_lsn_t lsn,
	   const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	send(sink, XLOG_ERROR, code, lsn, fmt, ap);
	va_end(ap);
	return rc;
}

void notice(const struct sink *sink, enum xlog_severity severity,
	    const char *code, xlog_lsn_t lsn, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	send(sink, severity, code, lsn, fmt, ap);
	va_end(ap);
}

static void send_named(void *ctx, const struct xlog_report *r)
{
	const struct named *named = ctx;
	struct xlog_report copy = *r;
	char text[1024];

	snprintf(text, sizeof(text), "%s: %s", named->name, r->text);
	copy.text = text;
	if (named->sink.report)
		named->sink.report(named->sink.ctx, &copy);
}

struct sink named_sink(struct named *named)
{
	return (struct sink){ .report = send_named, .ctx = named };
}
