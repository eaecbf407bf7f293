/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loads and stores of integers at any address, in a named byte order. Nothing
 * else in the project looks at the bytes of an on-disk integer.
 */
#ifndef LIBXFSFMT_ENDIAN_H
#define LIBXFSFMT_ENDIAN_H

#include <stdint.h>
#include <string.h>

#include "libxfsfmt/types.h"

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define XFS_HOST_ORDER	XFS_LE
#define BE_SWAP(bits, v)	__builtin_bswap##bits(v)
#define LE_SWAP(bits, v)	(v)
#else
#define XFS_HOST_ORDER	XFS_BE
#define BE_SWAP(bits, v)	(v)
#define LE_SWAP(bits, v)	__builtin_bswap##bits(v)
#endif

#define DEFINE_ACCESS(order, ORDER, bits)				\
static inline uint##bits##_t get_##order##bits(const void *p)		\
{									\
	uint##bits##_t v;						\
									\
	memcpy(&v, p, sizeof(v));					\
	return ORDER##_SWAP(bits, v);					\
}									\
static inline void put_##order##bits(void *p, uint##bits##_t v)	\
{									\
	v = ORDER##_SWAP(bits, v);					\
	memcpy(p, &v, sizeof(v));					\
}

DEFINE_ACCESS(be, BE, 16)
DEFINE_ACCESS(be, BE, 32)
DEFINE_ACCESS(be, BE, 64)
DEFINE_ACCESS(le, LE, 16)
DEFINE_ACCESS(le, LE, 32)
DEFINE_ACCESS(le, LE, 64)

#undef DEFINE_ACCESS

/* In the order of the machine that wrote the log item ("w": writer). */
static inline uint16_t get_w16(const void *p, enum xfs_order order)
{
	return order == XFS_BE ? get_be16(p) : get_le16(p);
}

static inline uint32_t get_w32(const void *p, enum xfs_order order)
{
	return order == XFS_BE ? get_be32(p) : get_le32(p);
}

static inline uint64_t get_w64(const void *p, enum xfs_order order)
{
	return order == XFS_BE ? get_be64(p) : get_le64(p);
}

static inline void put_w16(void *p, uint16_t v, enum xfs_order order)
{
	if (order == XFS_BE)
		put_be16(p, v);
	else
		put_le16(p, v);
}

static inline void put_w32(void *p, uint32_t v, enum xfs_order order)
{
	if (order == XFS_BE)
		put_be32(p, v);
	else
		put_le32(p, v);
}

static inline void put_w64(void *p, uint64_t v, enum xfs_order order)
{
	if (order == XFS_BE)
		put_be64(p, v);
	else
		put_le64(p, v);
}

#endif
