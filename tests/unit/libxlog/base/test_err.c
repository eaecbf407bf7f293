/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/lib/memdev.h"

static void copy_report(void *ctx, const struct xlog_report *rep)
{
	struct xlog_report *copy = ctx;

	*copy = *rep;
	copy->text = strdup(rep->text);
}

Test(report, passes_all_of_it_and_returns_its_code)
{
	struct xlog_report got = { 0 };
	struct sink sink = { copy_report, &got };

	cr_assert_eq(report(&sink, -EUCLEAN, "x.y", 7, "AG %u: %s", 3, "bad"),
		     -EUCLEAN);
	cr_assert_eq(got.severity, XLOG_ERROR);
	cr_assert_str_eq(got.code, "x.y");
	cr_assert_eq(got.lsn, 7);
	cr_assert_str_eq(got.text, "AG 3: bad");
	free((char *)got.text);
}

Test(report, cuts_what_is_too_long)
{
	struct xlog_report got = { 0 };
	struct sink sink = { copy_report, &got };

	cr_assert_eq(report(&sink, -EIO, "x", 0, "%600s", "end"), -EIO);
	cr_assert_eq(strlen(got.text), 511);
	free((char *)got.text);
}

Test(notice, carries_its_severity)
{
	struct xlog_report got = { 0 };
	struct sink sink = { copy_report, &got };

	notice(&sink, XLOG_STEP, "x", XLOG_LSN_NONE, "step");
	cr_assert_eq(got.severity, XLOG_STEP);
	free((char *)got.text);
}

Test(report, works_without_a_receiver)
{
	struct sink sink = { NULL, NULL };

	cr_assert_eq(report(&sink, -EIO, "x", 0, "unheard"), -EIO);
}

Test(named_sink, puts_the_name_before_the_text)
{
	struct xlog_report got = { 0 };
	struct named named = { { copy_report, &got }, "log.img" };
	struct sink sink = named_sink(&named);

	cr_assert_eq(report(&sink, -EIO, "x.y", 7, "bad"), -EIO);
	cr_assert_eq(got.severity, XLOG_ERROR);
	cr_assert_str_eq(got.code, "x.y");
	cr_assert_eq(got.lsn, 7);
	cr_assert_str_eq(got.text, "log.img: bad");
	free((char *)got.text);
	named.sink.report = NULL;
	cr_assert_eq(report(&sink, -EIO, "x", 0, "unheard"), -EIO);
}
