/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libblkid knows of a device: what is on it already, and how it is built.
 */
#ifndef LIBXLOG_DEV_PROBE_H
#define LIBXLOG_DEV_PROBE_H

#include "libxlog/dev/dev.h"

/* A signature of a filesystem, a RAID, a partition table, ... */
struct dev_found {
	const char	*type;		/* "ext4", "gpt", "zstd": an image */
	const char	*label, *uuid;	/* NULL: none */
	uint64_t	off_bytes;	/* where its magic number is */
	bool		partitions;	/* a table of them */
};

typedef void (*dev_found_fn)(void *ctx, const struct dev_found *found);

/*
 * Call @fn for each signature on @dev, a file or block device or a window of
 * one. Strings are valid during the call. Returns how many, or -EOPNOTSUPP for
 * another kind of device, -ENOMEM, -EIO if libblkid gives up; all reported.
 * May sleep.
 */
int dev_probe(struct dev *dev, dev_found_fn fn, void *ctx) MUST_CHECK;

/*
 * Does @dev lie in a regular file without a single block? Then nothing is there
 * that could be found, or be overwritten in part: what is written goes to
 * blocks that this file does not have yet. False where that is not known.
 */
bool dev_is_hole(struct dev *dev);

/* Does @dev lie on a block device, and not in a file? */
bool dev_is_block(struct dev *dev);

/* Of a volume of disks: 0 where there is none or it does not say. */
struct dev_topology {
	uint32_t	sector_bytes, physical_bytes;	/* never 0 */
	uint32_t	sunit_bytes, swidth_bytes;
	bool		misaligned;	/* starts inside a physical sector */
};

/*
 * Never fails: what is not known is as of a disk with sectors of
 * dev->sector_bytes. May sleep.
 */
void dev_topology(struct dev *dev, struct dev_topology *topo);

#endif
