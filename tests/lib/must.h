/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For helpers that tests of Criterion and plain programs have in common: what
 * must be so, or the test ends here and says why.
 */
#ifndef TESTS_LIB_MUST_H
#define TESTS_LIB_MUST_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((noreturn, format(printf, 4, 5)))
static inline void must_fail(const char *file, int line, const char *what,
			     const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%d: not so: %s: ", file, line, what);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

/* must_say(condition, "format", ...); the text says more than the condition. */
#define must_say(cond, ...)						\
	((cond) ? (void)0 :						\
	 must_fail(__FILE__, __LINE__, #cond, __VA_ARGS__))
#define must(cond)	must_say(cond, "-")

#endif
