/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CRC32c from ISA-L where the build found it (XFSFMT_ISAL), else from tables
 * that consume eight bytes a step. The tables are constants in the source, so
 * that this library has neither globals to set up nor locks.
 */
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/endian.h"

#ifdef XFSFMT_ISAL
#include <isa-l/crc.h>

/* ISA-L takes an int length and a pointer that is not const. */
enum { CRC_STEP_MAX = 1 << 30 };

/* The address sanitizer does not see what assembly reads: show it the ends. */
static void show(const uint8_t *b, size_t len_bytes)
{
#ifdef __SANITIZE_ADDRESS__
	(void)*(const volatile uint8_t *)b;
	(void)*(const volatile uint8_t *)(b + len_bytes - 1);
#else
	(void)b;
	(void)len_bytes;
#endif
}

uint32_t xfs_crc32c(uint32_t crc, const void *p, size_t len_bytes)
{
	const uint8_t *b = p;

	while (len_bytes) {
		size_t n = len_bytes < CRC_STEP_MAX ? len_bytes : CRC_STEP_MAX;

		show(b, n);
		crc = crc32_iscsi((unsigned char *)(uintptr_t)b, (int)n, crc);
		b += n;
		len_bytes -= n;
	}
	return crc;
}
#else
#include "libxfsfmt/crc32c_table.h"

uint32_t xfs_crc32c(uint32_t crc, const void *p, size_t len_bytes)
{
	const uint8_t *b = p;

	for (; len_bytes >= 8; b += 8, len_bytes -= 8) {
		uint32_t lo = get_le32(b) ^ crc;
		uint32_t hi = get_le32(b + 4);

		crc = CRC_TABLE[7][lo & 0xff] ^ CRC_TABLE[6][lo >> 8 & 0xff] ^
		      CRC_TABLE[5][lo >> 16 & 0xff] ^ CRC_TABLE[4][lo >> 24] ^
		      CRC_TABLE[3][hi & 0xff] ^ CRC_TABLE[2][hi >> 8 & 0xff] ^
		      CRC_TABLE[1][hi >> 16 & 0xff] ^ CRC_TABLE[0][hi >> 24];
	}
	while (len_bytes--)
		crc = crc >> 8 ^ CRC_TABLE[0][(crc ^ *b++) & 0xff];
	return crc;
}
#endif

uint32_t xfs_crc_block(const void *p, size_t len_bytes, size_t crc_off)
{
	static const uint8_t zero[4];
	const uint8_t *b = p;
	uint32_t crc;

	crc = xfs_crc32c(XFS_CRC_SEED, b, crc_off);
	crc = xfs_crc32c(crc, zero, sizeof(zero));
	crc = xfs_crc32c(crc, b + crc_off + 4, len_bytes - crc_off - 4);
	return xfs_crc_final(crc);
}

bool xfs_crc_ok(const void *p, size_t len_bytes, size_t crc_off)
{
	return get_le32((const uint8_t *)p + crc_off) ==
	       xfs_crc_block(p, len_bytes, crc_off);
}
