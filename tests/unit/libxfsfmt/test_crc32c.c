/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checksums: the test vectors of RFC 3720, appendix B.4, and the polynomial
 * itself, bit by bit, for every length and alignment that the fast ways treat
 * apart. That blocks carry the same sum is shown on blocks of Linux elsewhere.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/endian.h"

static uint32_t crc(const void *p, size_t len_bytes)
{
	return xfs_crc_final(xfs_crc32c(XFS_CRC_SEED, p, len_bytes));
}

static uint32_t crc_by_bits(const uint8_t *p, size_t len_bytes)
{
	uint32_t v = UINT32_MAX;

	while (len_bytes--) {
		v ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			v = v >> 1 ^ (v & 1 ? 0x82f63b78 : 0);
	}
	return ~v;
}

static void fill(uint8_t *p, size_t len_bytes)
{
	uint32_t v = 1;

	for (size_t i = 0; i < len_bytes; i++) {
		v = v * 1103515245 + 12345;
		p[i] = (uint8_t)(v >> 16);
	}
}

Test(crc32c, rfc_3720)
{
	uint8_t b[32];

	memset(b, 0, sizeof(b));
	cr_expect_eq(crc(b, sizeof(b)), 0x8a9136aa);
	memset(b, 0xff, sizeof(b));
	cr_expect_eq(crc(b, sizeof(b)), 0x62a8ab43);
	for (unsigned int i = 0; i < sizeof(b); i++)
		b[i] = (uint8_t)i;
	cr_expect_eq(crc(b, sizeof(b)), 0x46dd794e);
	for (unsigned int i = 0; i < sizeof(b); i++)
		b[i] = (uint8_t)(31 - i);
	cr_expect_eq(crc(b, sizeof(b)), 0x113fdb5c);
	cr_expect_eq(crc("123456789", 9), 0xe3069283);
	cr_expect_eq(crc("", 0), 0);
}

Test(crc32c, every_length_and_alignment)
{
	uint8_t b[320];

	fill(b, sizeof(b));
	for (size_t at = 0; at < 16; at++)
		for (size_t len = 0; len <= sizeof(b) - at; len++)
			cr_assert_eq(crc(b + at, len),
				     crc_by_bits(b + at, len),
				     "%zu bytes at %zu", len, at);
}

Test(crc32c, goes_on_where_it_stopped)
{
	uint8_t b[4096];

	fill(b, sizeof(b));
	for (size_t cut = 0; cut <= sizeof(b); cut += 37) {
		uint32_t v = xfs_crc32c(XFS_CRC_SEED, b, cut);

		v = xfs_crc32c(v, b + cut, sizeof(b) - cut);
		cr_assert_eq(xfs_crc_final(v), crc(b, sizeof(b)));
	}
}

Test(crc_block, takes_its_own_place_as_zero)
{
	uint8_t b[512], zeroed[512];

	for (size_t off = 0; off <= sizeof(b) - 4; off += 4) {
		fill(b, sizeof(b));
		memcpy(zeroed, b, sizeof(b));
		memset(zeroed + off, 0, 4);
		cr_assert_eq(xfs_crc_block(b, sizeof(b), off),
			     crc(zeroed, sizeof(b)));
	}
}

Test(crc_ok, reads_it_low_byte_first)
{
	uint8_t b[512];
	uint32_t v;

	fill(b, sizeof(b));
	v = xfs_crc_block(b, sizeof(b), 32);
	put_le32(b + 32, v);
	cr_expect(xfs_crc_ok(b, sizeof(b), 32));
	put_be32(b + 32, v);
	cr_expect(!xfs_crc_ok(b, sizeof(b), 32));
	put_le32(b + 32, v ^ 1);
	cr_expect(!xfs_crc_ok(b, sizeof(b), 32));
}
