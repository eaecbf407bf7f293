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
