/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * As much of Criterion's interface as the unit tests of libxfsfmt use, for
 * builds that cannot link Criterion itself (-m32: Debian has it for one word
 * size at a time). Tests register themselves before main() and run in the order
 * of the file; a failed cr_assert ends its test, a failed cr_expect does not.
 */
#ifndef MINI_CRITERION_H
#define MINI_CRITERION_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct mini_test {
	const char	*suite, *name;
	void		(*run)(void);
	void		(*init)(void), (*fini)(void);
	bool		disabled;
	struct mini_test *next;
};

static struct mini_test *mini_first, **mini_last = &mini_first;
static struct mini_test *mini_suites;
static jmp_buf mini_escape;
static bool mini_failed, mini_skipped;

__attribute__((unused, format(printf, 4, 5)))
static void mini_fail(const char *file, int line, bool fatal, const char *fmt, ...)
{
	va_list args;

	mini_failed = true;
	fprintf(stderr, "%s:%d: ", file, line);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	if (fatal)
		longjmp(mini_escape, 1);
}

#define Test(suite_, name_, ...)					\
	static void suite_##_##name_##_test(void);			\
	__attribute__((constructor))					\
	static void suite_##_##name_##_register(void)			\
	{								\
		static struct mini_test t = {				\
			.suite = #suite_, .name = #name_,		\
			.run = suite_##_##name_##_test,			\
			__VA_ARGS__					\
		};							\
		*mini_last = &t;					\
		mini_last = &t.next;					\
	}								\
	static void suite_##_##name_##_test(void)

/* What all tests of a suite have in common: .init and .fini. */
#define TestSuite(suite_, ...)						\
	__attribute__((constructor))					\
	static void suite_##_suite_register(void)			\
	{								\
		static struct mini_test t = {				\
			.suite = #suite_, __VA_ARGS__			\
		};							\
		t.next = mini_suites;					\
		mini_suites = &t;					\
	}								\
	struct mini_test

enum { MINI_PASS, MINI_FAIL, MINI_SKIP };

static int mini_body(const struct mini_test *t)
{
	const struct mini_test *s = mini_suites;

	while (s && strcmp(s->suite, t->suite))
		s = s->next;
	if (!setjmp(mini_escape)) {
		if (s && s->init)
			s->init();
		if (t->init)
			t->init();
		t->run();
		if (t->fini)
			t->fini();
		if (s && s->fini)
			s->fini();
	}
	return mini_failed ? MINI_FAIL : mini_skipped ? MINI_SKIP : MINI_PASS;
}

/* Every test has a process of its own: none sees what another left. */
static int mini_run(const struct mini_test *t)
{
	pid_t child;
	int status;

	fflush(NULL);
	child = fork();
	if (!child)
		exit(mini_body(t));
	if (child < 0 || waitpid(child, &status, 0) != child)
		return MINI_FAIL;
	if (WIFSIGNALED(status))
		fprintf(stderr, "signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : MINI_FAIL;
}

int main(void)
{
	unsigned int passed = 0, failed = 0;
	const struct mini_test *t;

	for (t = mini_first; t; t = t->next) {
		if (t->disabled)
			continue;
		switch (mini_run(t)) {
		case MINI_PASS:
			passed++;
			break;
		case MINI_SKIP:
			fprintf(stderr, "[SKIP] %s::%s\n", t->suite, t->name);
			break;
		default:
			fprintf(stderr, "%s::%s fails\n", t->suite, t->name);
			failed++;
			break;
		}
	}
	printf("Tested: %u | Passing: %u | Failing: %u | Crashing: 0\n",
	       passed + failed, passed, failed);
	return failed != 0;
}

#define MINI_CHECK(fatal, cond, what)					\
	do {								\
		if (!(cond))						\
			mini_fail(__FILE__, __LINE__, fatal, "%s", what); \
	} while (0)

#define cr_assert(cond, ...) \
	MINI_CHECK(true, cond, #cond)
#define cr_assert_not(cond, ...) \
	MINI_CHECK(true, !(cond), "not " #cond)
#define cr_assert_eq(a, b, ...) \
	MINI_CHECK(true, (a) == (b), #a " == " #b)
#define cr_assert_neq(a, b, ...) \
	MINI_CHECK(true, (a) != (b), #a " != " #b)
#define cr_assert_lt(a, b, ...) \
	MINI_CHECK(true, (a) < (b), #a " < " #b)
#define cr_assert_leq(a, b, ...) \
	MINI_CHECK(true, (a) <= (b), #a " <= " #b)
#define cr_assert_gt(a, b, ...) \
	MINI_CHECK(true, (a) > (b), #a " > " #b)
#define cr_assert_geq(a, b, ...) \
	MINI_CHECK(true, (a) >= (b), #a " >= " #b)
#define cr_assert_null(a, ...) \
	MINI_CHECK(true, (a) == NULL, #a " is null")
#define cr_assert_not_null(a, ...) \
	MINI_CHECK(true, (a) != NULL, #a " is not null")
#define cr_assert_str_eq(a, b, ...) \
	MINI_CHECK(true, !strcmp(a, b), #a " and " #b " are equal")
#define cr_assert_str_neq(a, b, ...) \
	MINI_CHECK(true, strcmp(a, b), #a " and " #b " differ")
#define cr_assert_str_empty(a, ...) \
	MINI_CHECK(true, !*(a), #a " is empty")
#define cr_assert_str_not_empty(a, ...) \
	MINI_CHECK(true, *(a), #a " is not empty")
#define cr_assert_arr_eq(a, b, n, ...) \
	MINI_CHECK(true, !memcmp(a, b, n), #a " and " #b " are equal")
#define cr_assert_arr_neq(a, b, n, ...) \
	MINI_CHECK(true, memcmp(a, b, n), #a " and " #b " differ")
#define cr_assert_fail(...) \
	MINI_CHECK(true, false, "reached")
#define cr_fatal(...) \
	MINI_CHECK(true, false, "reached")

#define cr_expect(cond, ...) \
	MINI_CHECK(false, cond, #cond)
#define cr_expect_not(cond, ...) \
	MINI_CHECK(false, !(cond), "not " #cond)
#define cr_expect_eq(a, b, ...) \
	MINI_CHECK(false, (a) == (b), #a " == " #b)
#define cr_expect_neq(a, b, ...) \
	MINI_CHECK(false, (a) != (b), #a " != " #b)
#define cr_expect_lt(a, b, ...) \
	MINI_CHECK(false, (a) < (b), #a " < " #b)
#define cr_expect_leq(a, b, ...) \
	MINI_CHECK(false, (a) <= (b), #a " <= " #b)
#define cr_expect_gt(a, b, ...) \
	MINI_CHECK(false, (a) > (b), #a " > " #b)
#define cr_expect_geq(a, b, ...) \
	MINI_CHECK(false, (a) >= (b), #a " >= " #b)
#define cr_expect_null(a, ...) \
	MINI_CHECK(false, (a) == NULL, #a " is null")
#define cr_expect_not_null(a, ...) \
	MINI_CHECK(false, (a) != NULL, #a " is not null")
#define cr_expect_str_eq(a, b, ...) \
	MINI_CHECK(false, !strcmp(a, b), #a " and " #b " are equal")
#define cr_expect_str_neq(a, b, ...) \
	MINI_CHECK(false, strcmp(a, b), #a " and " #b " differ")
#define cr_expect_str_empty(a, ...) \
	MINI_CHECK(false, !*(a), #a " is empty")
#define cr_expect_str_not_empty(a, ...) \
	MINI_CHECK(false, *(a), #a " is not empty")
#define cr_expect_arr_eq(a, b, n, ...) \
	MINI_CHECK(false, !memcmp(a, b, n), #a " and " #b " are equal")
#define cr_expect_arr_neq(a, b, n, ...) \
	MINI_CHECK(false, memcmp(a, b, n), #a " and " #b " differ")
#define cr_expect_fail(...) \
	MINI_CHECK(false, false, "reached")
#define cr_fail(...) \
	MINI_CHECK(false, false, "reached")

#define cr_skip_test(...)						\
	do {								\
		mini_skipped = true;					\
		longjmp(mini_escape, 1);				\
	} while (0)

#endif
