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
XFS_DECLARE_ENCODE(demo);
XFS_DEFINE_ENCODE(demo, DEMO_ROWS)

enum { OTHER = 1 };

/* A byte and two readings of the word behind it. */
#define FORMS_ROWS(X)						\
	X##_F(u8, f_byte,	0,	UINT)			\
	X##_W(be32, f_word,	1,	UINT, NULL, 0, OTHER)	\
	X##_T(u8, f_word,	4,	UINT, NULL, OTHER, 0)	\
	X##_C(3, f_text,	1,	CHARS, OTHER, 0)
XFS_DECLARE(forms, FORMS_ROWS, 5);
XFS_DEFINE(forms, FORMS_ROWS)
XFS_DECLARE_ENCODE(forms);
XFS_DEFINE_ENCODE(forms, FORMS_ROWS)

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

Test(encode, is_the_inverse_of_decode_in_both_orders)
{
	static const enum xfs_order orders[] = { XFS_BE, XFS_LE };
	struct demo d;

	for (size_t i = 0; i < 2; i++) {
		uint8_t out[sizeof(raw)] = { 0 };

		demo_decode(&d, raw, sizeof(raw), orders[i]);
		demo_encode(out, &d, 0, orders[i]);
		cr_assert_arr_eq(out, raw, sizeof(raw));
	}
}

Test(encode, leaves_bytes_of_no_field_alone)
{
	uint8_t out[sizeof(raw)];
	struct demo d = { 0 };

	memset(out, 0xff, sizeof(out));
	demo_encode(out, &d, 0, XFS_BE);
	cr_assert_eq(out[2], 0xff, "between fields");
	cr_assert_eq(out[16], 0xe0, "bits before a bit field");
	cr_assert_eq(out[17], 0x07, "bits behind it");
}

Test(encode, stores_the_rows_of_the_variant_only)
{
	struct forms f = { .f_byte = 1, .f_word = 0x0a0b0c0d, .f_text = "xyz" };
	uint8_t out[5];

	forms_encode(out, &f, 0, XFS_BE);
	cr_assert_arr_eq(out, "\1\x0a\x0b\x0c\x0d", 5);
	forms_encode(out, &f, OTHER, XFS_BE);
	cr_assert_arr_eq(out, "\1xyz\x0d", 5);
	forms_decode(&f, out, sizeof(out), XFS_BE);
	cr_assert_arr_eq(f.f_text, "xyz", 3);
	cr_assert_eq(xfs_field_end(&forms_fields[1]), 5);
}

Test(bits_put, is_the_inverse_of_bits_get)
{
	const uint64_t value = 0x123456789abcdef0;

	for (unsigned int first = 0; first < 16; first++) {
		for (unsigned int bits = 1; bits <= 64; bits++) {
			uint64_t want = value & UINT64_MAX >> (64 - bits);
			uint8_t ones[11], zeros[11] = { 0 };

			memset(ones, 0xff, sizeof(ones));
			xfs_bits_put(ones, first, bits, value);
			xfs_bits_put(zeros, first, bits, value);
			cr_assert_eq(xfs_bits_get(ones, first, bits), want);
			cr_assert_eq(xfs_bits_get(zeros, first, bits), want);
			/* nothing beside them has changed */
			xfs_bits_put(ones, first, bits, UINT64_MAX);
			xfs_bits_put(zeros, first, bits, 0);
			for (size_t i = 0; i < sizeof(ones); i++)
				cr_assert(ones[i] == 0xff && !zeros[i]);
		}
	}
}
