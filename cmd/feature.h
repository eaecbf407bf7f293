/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Features of a filesystem by the names that mkfs.xfs and xfs_info have for
 * them, and the first Linux release that can use such a filesystem.
 */
#ifndef CMD_FEATURE_H
#define CMD_FEATURE_H

#include "libxfsfmt/sb.h"

struct feature {
	const char	*name;
	uint16_t	linux_major, linux_minor; /* 0: any that has XFS */
};

/* Call @fn for every feature of @sb that is known. */
void feature_each(const struct xfs_sb *sb,
		  void (*fn)(void *ctx, const struct feature *f), void *ctx);

/* Bits of the incompatible, read-only and log words that have no name. */
struct feature_unknown {
	uint32_t	incompat, ro_compat, log_incompat;
};

struct feature_unknown feature_unknown(const struct xfs_sb *sb);

#endif
