/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CRC32c (Castagnoli), the checksum of XFS v5 metadata and of log records.
 * A running value starts at XFS_CRC_SEED and ends through xfs_crc_final().
 */
#ifndef LIBXFSFMT_CRC32C_H
#define LIBXFSFMT_CRC32C_H

#include "libxfsfmt/types.h"

#define XFS_CRC_SEED	0xffffffffu

/* The running value @crc carried on over @len_bytes at @p. */
uint32_t xfs_crc32c(uint32_t crc, const void *p, size_t len_bytes);

static inline uint32_t xfs_crc_final(uint32_t crc)
{
	return ~crc;
}

/*
 * Checksum of a structure of @len_bytes that holds its own checksum at
 * @crc_off, which counts as zero. Needs @crc_off + 4 <= @len_bytes.
 */
uint32_t xfs_crc_block(const void *p, size_t len_bytes, size_t crc_off);

/* True if the checksum stored (little-endian) at @crc_off is right. */
bool xfs_crc_ok(const void *p, size_t len_bytes, size_t crc_off);

#endif
