/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signatures and topology by libblkid, through the descriptor of the device
 * itself: what is probed is what was locked and will be written. And images
 * that are compressed, which libblkid does not know.
 */
#include <blkid/blkid.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libxlog/dev/hostfile.h"
#include "libxlog/dev/probe.h"

enum { FOUND_MAX = 64 };	/* far more than fit on top of each other */

static blkid_probe open_probe(struct dev *dev)
{
	blkid_probe pr;
	uint64_t start;
	int fd;

	if (!dev_find_file(dev, &fd, &start))
		return NULL;
	pr = blkid_new_probe();
	if (pr && blkid_probe_set_device(pr, fd, (blkid_loff_t)start,
					 (blkid_loff_t)dev->size_bytes)) {
		blkid_free_probe(pr);
		return NULL;
	}
	return pr;
}

/*
 * Two witnesses: some filesystems never say how many blocks there are, and
 * blocks that were zeroed a moment ago are a hole as well, but still there.
 */
bool dev_is_hole(struct dev *dev)
{
	uint64_t start;
	struct stat st;
	int fd;

	return dev_find_file(dev, &fd, &start) && !fstat(fd, &st) &&
	       S_ISREG(st.st_mode) && !st.st_blocks &&
	       lseek(fd, 0, SEEK_DATA) < 0 && errno == ENXIO;
}

bool dev_is_block(struct dev *dev)
{
	uint64_t start;
	struct stat st;
	int fd;

	return dev_find_file(dev, &fd, &start) && !fstat(fd, &st) &&
	       S_ISBLK(st.st_mode);
}

/* --- signatures --- */

static const char *value(blkid_probe pr, const char *name)
{
	const char *text = NULL;

	return blkid_probe_lookup_value(pr, name, &text, NULL) ? NULL : text;
}

/* Tell of the one that @pr stands on. */
static bool tell(blkid_probe pr, dev_found_fn fn, void *ctx)
{
	struct dev_found found = { .type = value(pr, "TYPE") };
	const char *off = value(pr, "SBMAGIC_OFFSET");

	if (!found.type) {
		found.type = value(pr, "PTTYPE");
		found.partitions = true;
		off = value(pr, "PTMAGIC_OFFSET");
	}
	if (!found.type)
		return false;
	found.label = value(pr, "LABEL");
	found.uuid = value(pr, found.partitions ? "PTUUID" : "UUID");
	/* of an external log or journal: that of its filesystem */
	if (!found.uuid)
		found.uuid = value(pr, "LOGUUID");
	found.off_bytes = off ? strtoull(off, NULL, 10) : 0;
	fn(ctx, &found);
	return true;
}

/* Whoever reads logs takes it for the device in it; libblkid knows none. */
static int tell_of_zstd(struct dev *dev, dev_found_fn fn, void *ctx)
{
	const struct dev_found found = { .type = "zstd" };

	if (!dev_is_zstd(dev))
		return 0;
	fn(ctx, &found);
	return 1;
}

int dev_probe(struct dev *dev, dev_found_fn fn, void *ctx)
{
	int count, rc = 0;
	blkid_probe pr;

	if (dev_is_hole(dev))
		return 0;
	pr = open_probe(dev);
	if (!pr)
		return report(&dev->sink, -EOPNOTSUPP, "dev.probe",
			      XLOG_LSN_NONE,
			      "probe failed, cannot detect existing filesystem");
	count = tell_of_zstd(dev, fn, ctx);
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_LABEL |
					  BLKID_SUBLKS_UUID |
					  BLKID_SUBLKS_TYPE |
					  BLKID_SUBLKS_MAGIC |
					  BLKID_SUBLKS_BADCSUM);
	blkid_probe_enable_partitions(pr, 1);
	blkid_probe_set_partitions_flags(pr, BLKID_PARTS_FORCE_GPT |
					 BLKID_PARTS_MAGIC);
	while (!rc && count < FOUND_MAX) {
		rc = blkid_do_probe(pr);
		if (!rc && tell(pr, fn, ctx))
			count++;
	}
	blkid_free_probe(pr);
	if (rc < 0)
		return report(&dev->sink, -EIO, "dev.probe", XLOG_LSN_NONE,
			      "probe failed, cannot detect existing filesystem");
	return count;
}

/* --- topology --- */

/*
 * A disk alone says that it is a volume whose unit is its sector; who knows
 * nothing says one or the other only.
 */
static void set_stripe(struct dev_topology *topo, unsigned long unit,
		       unsigned long width)
{
	if (!unit || !width || unit == topo->physical_bytes ||
	    width == topo->physical_bytes || unit == topo->sector_bytes ||
	    unit > UINT32_MAX || width > UINT32_MAX)
		return;
	topo->sunit_bytes = (uint32_t)unit;
	topo->swidth_bytes = (uint32_t)width;
}

static void set_topology(struct dev_topology *topo, blkid_topology tp)
{
	unsigned long sector = blkid_topology_get_logical_sector_size(tp);
	unsigned long physical = blkid_topology_get_physical_sector_size(tp);

	if (sector && sector <= UINT32_MAX)
		topo->sector_bytes = (uint32_t)sector;
	topo->physical_bytes = topo->sector_bytes;
	if (physical > sector && physical <= UINT32_MAX)
		topo->physical_bytes = (uint32_t)physical;
	topo->misaligned = blkid_topology_get_alignment_offset(tp) != 0;
	set_stripe(topo, blkid_topology_get_minimum_io_size(tp),
		   blkid_topology_get_optimal_io_size(tp));
}

/* Answer to the question of XFS what I/O past the page cache wants. */
struct dioattr {
	uint32_t	mem, miniosz, maxiosz;
};

#define DIOINFO	_IOR('X', 30, struct dioattr)

/* A file will have to be read in the sectors of the filesystem it is on. */
static void set_file(struct dev_topology *topo, int fd)
{
	struct dioattr dio;

	if (ioctl(fd, DIOINFO, &dio) || dio.miniosz < DEV_SECTOR_BYTES ||
	    dio.miniosz > 32768)
		return;
	topo->sector_bytes = dio.miniosz;
	topo->physical_bytes = dio.miniosz;
}

void dev_topology(struct dev *dev, struct dev_topology *topo)
{
	blkid_topology tp;
	uint64_t start;
	struct stat st;
	blkid_probe pr;
	int fd;

	*topo = (struct dev_topology){ .sector_bytes = dev->sector_bytes,
				       .physical_bytes = dev->sector_bytes };
	if (!dev_find_file(dev, &fd, &start) || fstat(fd, &st))
		return;
	if (S_ISREG(st.st_mode)) {
		set_file(topo, fd);
		return;
	}
	pr = open_probe(dev);
	tp = pr ? blkid_probe_get_topology(pr) : NULL;
	if (tp)
		set_topology(topo, tp);
	if (pr)
		blkid_free_probe(pr);
}
