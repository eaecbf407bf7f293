/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>

#include "libxfsfmt/field.h"

#define DEMO_ROWS(X)				\
	X##_F(be16, d_short,	0,	UINT)	\
	X##_F(w32, d_writer,	4,	HEX)	\
	X##_V(be16, 2, d_pair,	8,	UINT)	\
	X##_A(4, d_bytes,	12,	BYTES)	\
	X##_B(3, 10, d_bits,	16,	UINT)
XFS_DECLARE(demo, DEMO_ROWS, 18);
XFS_DEFINE(demo, DEMO_ROWS)

static const uint8_t raw[] = { 1, 2, 0, 0, 1, 2, 3, 4, 0, 5, 0, 6, 'a', 'b', 'c', 'd',
			       0x1f, 0xf8 };

Test(decode, gives_host_values_in_both_orders)
{
	struct demo d;

	demo_decode(&d, raw, sizeof(raw), XFS_BE);
	cr_assert_eq(d.d_short, 0x0102);
	cr_assert_eq(d.d_writer, 0x01020304);
	cr_assert_eq(d.d_pair[1], 6);
	cr_assert_arr_eq(d.d_bytes, "abcd", 4);
	cr_assert_eq(d.d_bits, 0x3ff);
	demo_decode(&d, raw, sizeof(raw), XFS_LE);
	cr_assert_eq(d.d_short, 0x0102);
	cr_assert_eq(d.d_writer, 0x04030201);
}

Test(decode, leaves_fields_beyond_the_end_zero)
{
	struct demo d;

	demo_decode(&d, raw, 11, XFS_BE);
	cr_assert_eq(d.d_pair[0], 5);
	cr_assert_eq(d.d_pair[1], 0);
	cr_assert_eq(d.d_bytes[0], 0);
}

Test(field_value, agrees_with_decode)
{
	const struct xfs_field *f = demo_fields;

	cr_assert_eq(xfs_field_value(&f[0], raw, 0, XFS_BE), 0x0102);
	cr_assert_eq(xfs_field_value(&f[1], raw, 0, XFS_LE), 0x04030201);
	cr_assert_eq(xfs_field_value(&f[2], raw, 1, XFS_BE), 6);
	cr_assert_eq(xfs_field_value(&f[4], raw, 0, XFS_BE), 0x3ff);
	cr_assert_eq(xfs_field_end(&f[4]), 18);
	cr_assert_eq(xfs_field_end(&f[2]), 12);
	cr_assert_null(f[5].name);
}
