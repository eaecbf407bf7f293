/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What options and environment come to.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/mkfs.h"

static struct mkfs_opts opts;
static struct xlog_format_options v;

static void begin(void)
{
	unsetenv("SOURCE_DATE_EPOCH");
	unsetenv("DETERMINISTIC_SEED");
}

TestSuite(mkfs_values, .init = begin);
TestSuite(mkfs_seed_uuid, .init = begin);

static void give(enum mkfs_sub sub, uint64_t number)
{
	opts.subs.text[sub] = "given";
	opts.subs.number[sub] = number;
}

Test(mkfs_values, of_nothing_are_the_defaults)
{
	static const struct xlog_format_options none = {
		.flags = XLOG_FORMAT_DISCARD,
	};

	mkfs_values(&opts, &v);
	cr_assert_eq(memcmp(&v, &none, sizeof(v)), 0);
}

Test(mkfs_values, tell_off_from_not_given)
{
	give(M_RMAPBT, 0);
	give(N_PARENT, 1);
	give(I_MAXPCT, 0);
	give(L_AGNUM, 0);
	mkfs_values(&opts, &v);
	cr_assert_eq(v.rmapbt, XLOG_NO);
	cr_assert_eq(v.parent, XLOG_YES);
	cr_assert_eq(v.reflink, XLOG_DEFAULT);
	cr_assert_eq(v.flags, XLOG_FORMAT_DISCARD | XLOG_FORMAT_IMAXPCT |
			      XLOG_FORMAT_LOG_AGNUM);
}

Test(mkfs_values, have_stripes_in_bytes)
{
	give(D_SU, 65536);
	give(D_SW, 3);
	mkfs_values(&opts, &v);
	cr_assert_eq(v.sunit_bytes, 65536);
	cr_assert_eq(v.swidth_bytes, 3 * 65536);
	memset(&opts, 0, sizeof(opts));
	give(D_SUNIT, 128);
	give(D_SWIDTH, 4294967295);
	give(L_SUNIT, 64);
	mkfs_values(&opts, &v);
	cr_assert_eq(v.sunit_bytes, 65536);
	cr_assert_eq(v.swidth_bytes, 4294967295 * UINT64_C(512));
	cr_assert_eq(v.log_sunit_bytes, 32768);
}

Test(mkfs_values, discard_nothing_that_has_to_be_put_back)
{
	char undo[] = "undo";

	opts.undo = undo;
	mkfs_values(&opts, &v);
	cr_assert_eq(v.flags, 0);
	opts.undo = NULL;
	opts.keep = true;
	mkfs_values(&opts, &v);
	cr_assert_eq(v.flags, 0);
}

Test(mkfs_values, have_labels_of_all_their_bytes)
{
	opts.label = "twelve bytes";
	mkfs_values(&opts, &v);
	cr_assert_eq(memcmp(v.label, "twelve bytes", 12), 0);
}

Test(mkfs_values, have_uuids_in_either_case)
{
	static const uint8_t uuid[16] = { 0xc6, 0x8a, 0xb2, 0x22, 0, 0, 0x11,
		0x11, 0x22, 0x22, 0x33, 0x33, 0x44, 0x44, 0xfe, 0xdc };

	opts.subs.text[M_UUID] = "C68ab222-0000-1111-2222-33334444FEDC";
	mkfs_values(&opts, &v);
	cr_assert_arr_eq(v.uuid, uuid, 16);
}

Test(mkfs_values, take_times_from_the_environment)
{
	setenv("SOURCE_DATE_EPOCH", "-2147483648", 1);
	mkfs_values(&opts, &v);
	cr_assert_eq(v.time_sec, INT32_MIN);
	cr_assert_eq(v.time_nsec, 0);
	cr_assert(v.flags & XLOG_FORMAT_TIME);
	setenv("SOURCE_DATE_EPOCH", "16299260424", 1);
	mkfs_values(&opts, &v);
	cr_assert_eq(v.time_sec, 16299260424);
	give(M_BIGTIME, 0);
	setenv("SOURCE_DATE_EPOCH", "2147483647", 1);
	mkfs_values(&opts, &v);
	cr_assert_eq(v.time_sec, INT32_MAX);
	setenv("SOURCE_DATE_EPOCH", "", 1);
	mkfs_values(&opts, &v);
	cr_assert_not(v.flags & XLOG_FORMAT_TIME);
}

Test(mkfs_values, refuse_times_that_cannot_be, .exit_code = CMD_USAGE)
{
	give(M_BIGTIME, 0);
	setenv("SOURCE_DATE_EPOCH", "2147483648", 1);
	mkfs_values(&opts, &v);
}

static void seed(struct xlog_geometry *geo)
{
	setenv("DETERMINISTIC_SEED", "1", 1);
	mkfs_values(&opts, &v);
	mkfs_seed_uuid(&v, geo);
	cr_assert_eq(v.generation, 0x53454544);
	cr_assert(v.flags & XLOG_FORMAT_GENERATION);
}

Test(mkfs_seed_uuid, gives_one_that_follows_from_the_rest)
{
	struct xlog_geometry geo = { .blocks = 102400, .block_bytes = 4096,
				     .agcount = 4, .log_blocks = 16384 };
	uint8_t first[16];

	seed(&geo);
	memcpy(first, v.uuid, 16);
	cr_assert_eq(first[6] >> 4, 8);
	cr_assert_eq(first[8] >> 6, 2);
	seed(&geo);
	cr_assert_arr_eq(v.uuid, first, 16);
	opts.label = "another";
	seed(&geo);
	cr_assert(memcmp(v.uuid, first, 16));
	opts.label = NULL;
	geo.blocks++;
	seed(&geo);
	cr_assert(memcmp(v.uuid, first, 16));
}

Test(mkfs_seed_uuid, leaves_one_that_was_given)
{
	struct xlog_geometry geo = { .blocks = 102400 };

	opts.subs.text[M_UUID] = "c68ab222-0000-1111-2222-333344445555";
	seed(&geo);
	cr_assert_eq(v.uuid[0], 0xc6);
}

Test(mkfs_seed_uuid, leaves_it_to_chance_without_a_seed)
{
	struct xlog_geometry geo = { .blocks = 102400 };
	static const uint8_t none[16];

	mkfs_values(&opts, &v);
	mkfs_seed_uuid(&v, &geo);
	cr_assert_arr_eq(v.uuid, none, 16);
}
