/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Error reports. A failure is put into words once, where the fact is known,
 * through the sink of the handle at hand; after that only its code travels.
 */
#ifndef LIBXLOG_BASE_ERR_H
#define LIBXLOG_BASE_ERR_H

#include "libxlog/xlog.h"

#define MUST_CHECK	__attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* Not every libc has it; a value no other error of ours uses. */
#include <errno.h>
#ifndef EMEDIUMTYPE
#define EMEDIUMTYPE	EILSEQ
#endif

struct sink {
	xlog_report_fn	report;	/* NULL: reports are dropped */
	void		*ctx;
};

/*
 * Report an error and give @rc back, so that callers write
 *	return report(sink, -EUCLEAN, "sb.magic", XLOG_LSN_NONE, "...");
 * The text is cut at 511 bytes.
 */
int report(const struct sink *sink, int rc, const char *code, xlog_lsn_t lsn,
	   const char *fmt, ...) PRINTF_LIKE(5, 6);

/* The same for what is no failure. */
void notice(const struct sink *sink, enum xlog_severity severity,
	    const char *code, xlog_lsn_t lsn, const char *fmt, ...)
	PRINTF_LIKE(5, 6);

/* Where there are several files, a report begins with the name of its own. */
struct named {
	struct sink	sink;
	const char	*name;
};

/* The sink that puts "name: " before what it passes on; @named is borrowed. */
struct sink named_sink(struct named *named);

#endif
