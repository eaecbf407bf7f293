/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What transactions cost: t_unit_res of the kernel's tracepoint xfs_log_reserve
 * (Linux 6.18) for reservations that it had printed before, on filesystems with
 * these sizes of log buffers and log stripe units.
 */
#include <criterion/criterion.h>

#include "libxfsfmt/logrec.h"
#include "libxfsfmt/logspace.h"

struct cost {
	uint32_t	logres_bytes, record_bytes, pad_bytes, unit_bytes,
			records;
};

static const struct cost costs[] = {
	/* the unmount record, tr_sb, tr_fsyncts */
	{ 600, 32768, 512, 2700, 1 },
	{ 640, 32768, 512, 2740, 1 },
	{ 640, 262144, 512, 9908, 1 },
	{ 640, 32768, 32768, 67252, 1 },
	{ 640, 262144, 262144, 533172, 1 },
	{ 760, 32768, 512, 2860, 1 },
	/* tr_create, tr_rename */
	{ 281584, 32768, 512, 287876, 9 },
	{ 281584, 262144, 512, 294960, 2 },
	{ 281584, 32768, 32768, 352388, 9 },
	{ 281584, 262144, 262144, 818224, 2 },
	{ 426968, 32768, 512, 435880, 14 },
	/* tr_attrsetm with 25 blocks of tr_attrsetrt */
	{ 567288, 32768, 512, 578296, 18 },
	{ 567288, 262144, 262144, 1108036, 3 },
};

Test(unit_bytes, are_what_a_kernel_takes)
{
	for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
		const struct cost *c = &costs[i];
		uint32_t records = 0;

		cr_expect_eq(xlog_unit_bytes(c->logres_bytes, c->record_bytes,
					     c->pad_bytes, &records),
			     c->unit_bytes, "%zu", i);
		cr_expect_eq(records, c->records, "%zu: %u", i, records);
	}
}

/*
 * Room for 32256 bytes: with 40 before and an operation header each, so many
 * fit in one record, and in two; a byte more needs a record more, which is
 * another operation and another header.
 */
Test(unit_bytes, count_the_record_that_a_split_adds)
{
	uint32_t one = 32256 - 40 - 12, two = 2 * 32256 - 40 - 2 * 12;
	uint32_t records, bytes;

	bytes = xlog_unit_bytes(one, 32768, 512, &records);
	cr_expect_eq(records, 1);
	cr_expect_eq(bytes, 32256 + 2 * 512 + 2 * 512);
	bytes = xlog_unit_bytes(one + 1, 32768, 512, &records);
	cr_expect_eq(records, 2);
	cr_expect_eq(bytes, 32256 + 1 + 12 + 3 * 512 + 2 * 512);
	xlog_unit_bytes(two, 32768, 512, &records);
	cr_expect_eq(records, 2);
	xlog_unit_bytes(two + 1, 32768, 512, &records);
	cr_expect_eq(records, 3);
}

Test(unit_bytes, do_not_overflow)
{
	uint32_t records, bytes, most = (1u << 30) - 1;

	bytes = xlog_unit_bytes(most, 16384, most, &records);
	cr_expect_gt(bytes, 3 * (uint64_t)most);
	cr_expect_gt(records, most / 16384);
	bytes = xlog_unit_bytes(most, XLOG_MAX_RECORD_BYTES, most, &records);
	cr_expect_gt(bytes, 3 * (uint64_t)most);
}
