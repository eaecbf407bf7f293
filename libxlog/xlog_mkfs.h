/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxlog: making an empty filesystem. A part of xlog.h, which says what holds
 * for all functions.
 *
 * Options are those of mkfs.xfs, in bytes. What is zero is not given, and is
 * then chosen: sizes as mkfs.xfs would from the devices, features as
 * XLOG_DEFAULT says. What cannot be is refused with -EINVAL and the reason in
 * the words of mkfs.xfs.
 */
#ifndef LIBXLOG_XLOG_MKFS_H
#define LIBXLOG_XLOG_MKFS_H

#include "xlog.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum xlog_choice {
	XLOG_DEFAULT,
	XLOG_NO,
	XLOG_YES,
};

enum {
	/* What mkfs.xfs calls unsupported: small filesystems and logs, one
	   allocation group. */
	XLOG_FORMAT_EXPERT = 1,
	XLOG_FORMAT_NOALIGN = 2,	/* no stripe, whatever the device says */
	/* These numbers may be 0, and are given. */
	XLOG_FORMAT_IMAXPCT = 4,
	XLOG_FORMAT_LOG_AGNUM = 8,
	XLOG_FORMAT_TIME = 16,
	XLOG_FORMAT_GENERATION = 32,
	/* Give back what block devices hold, if they take it. */
	XLOG_FORMAT_DISCARD = 64,
};

/* What is known of a device before anything is chosen. */
struct xlog_format_device {
	uint64_t	size_bytes;
	uint32_t	sector_bytes;		/* logical; 0: 512 */
	uint32_t	physical_bytes;		/* sector; 0: sector_bytes */
	/* of the volume, 0: none; only of the data device */
	uint32_t	sunit_bytes, swidth_bytes;
};

struct xlog_format_options {
	unsigned int	flags;		/* XLOG_FORMAT_* */
	uint32_t	block_bytes;	/* 0: 4096 */
	uint32_t	sector_bytes;
	/* data */
	uint64_t	data_bytes;	/* 0: the device */
	uint64_t	agcount, agsize_bytes;	/* one of them */
	uint64_t	sunit_bytes, swidth_bytes;	/* both or none */
	/* inodes, directories */
	uint32_t	inode_bytes;	/* 0: 512 */
	uint32_t	imaxpct;	/* 0..100; 0 is "no limit" */
	uint32_t	dirblock_bytes;
	/* log */
	uint64_t	log_bytes;
	uint64_t	log_sunit_bytes;
	uint32_t	log_sector_bytes; /* external: 0: of its device */
	uint64_t	log_agnum;
	/* features; the default of the first seven is yes */
	enum xlog_choice finobt, inobtcount, rmapbt, reflink, sparse, bigtime,
			 nrext64, exchange, parent;
	char		label[12];	/* all bytes count, zeros at the end */
	/* Nothing of this has to do with the geometry. */
	uint8_t		uuid[16];	/* zeros: a random one */
	uint32_t	log_cycle;	/* of the new log; 0: 1 */
	int64_t		time_sec;	/* since 1970; else the time of day */
	uint32_t	time_nsec;	/* below 10^9 */
	uint32_t	generation;	/* of all inodes; else random ones */

	xlog_report_fn	report;		/* may be NULL */
	void		*report_ctx;
};

/* What was chosen. "Blocks" are blocks of the filesystem. */
struct xlog_geometry {
	uint32_t	block_bytes, sector_bytes, inode_bytes, dirblock_bytes;
	uint32_t	rtextent_bytes;
	uint64_t	blocks;
	uint32_t	agcount, ag_blocks;
	uint32_t	sunit_blocks, swidth_blocks;
	uint32_t	imaxpct;
	bool		finobt, inobtcount, rmapbt, reflink, sparse, bigtime,
			nrext64, exchange, parent;

	bool		log_internal;
	uint32_t	log_blocks;
	uint32_t	log_sector_bytes;
	uint32_t	log_sunit_blocks;
	uint32_t	log_agno, log_agbno;	/* internal: where */
	/* The least there could be, and of it what the kernel asks for. */
	uint32_t	log_min_blocks, log_need_blocks;
	const char	*log_need_name;	/* "tr_itruncate": the reservation */
	uint32_t	log_need_count;	/* that sets it, and how often */
};

/*
 * Choose a geometry for devices like @data and @log, NULL for an internal log.
 * Nothing is opened. Returns 0, or -EINVAL with @geo untouched.
 */
int xlog_format_plan(const struct xlog_format_options *opts,
		     const struct xlog_format_device *data,
		     const struct xlog_format_device *log,
		     struct xlog_geometry *geo);

/* --- devices --- */

struct xlog_format;	/* devices that are to be formatted */

struct xlog_format_open {
	const char	*data;		/* file or block device */
	const char	*logdev;	/* external log, NULL: internal */
	const char	*undo;		/* as in xlog_open_options */
	unsigned int	flags;		/* XLOG_OPEN_WRITE, XLOG_OPEN_LOCK_* */
	xlog_report_fn	report;		/* may be NULL */
	void		*report_ctx;
};

/*
 * Open the devices, for reading unless the flags say otherwise: -EBUSY, and
 * the user named, if one is in use then. Nothing is written. On success *@out
 * is the caller's, to be closed with xlog_format_close(). Also -EINVAL,
 * -EROFS, -EMEDIUMTYPE, -EEXIST, -ENOMEM and what open(2) says.
 */
int xlog_format_open(const struct xlog_format_open *what,
		     struct xlog_format **out);
void xlog_format_close(struct xlog_format *f);

/* What is known of them, for xlog_format_plan(). NULL: an internal log. */
const struct xlog_format_device *
xlog_format_data(const struct xlog_format *f);
const struct xlog_format_device *xlog_format_log(const struct xlog_format *f);

/* Something that formatting would destroy. Strings: during the call. */
struct xlog_found {
	const char	*device;	/* as it was named */
	const char	*type;		/* "ext4", "xfs", "gpt", ... */
	const char	*label, *uuid;	/* NULL: none */
	uint64_t	offset_bytes;
	bool		partitions;	/* a table of them */
	bool		dirty;		/* of XFS: changes are in the log only */
};

/*
 * Call @found for all that is on the devices. Returns how many there were, or
 * a negative errno if that cannot be found out: then there may be anything.
 */
int xlog_format_probe(struct xlog_format *f,
		      void (*found)(void *ctx, const struct xlog_found *what),
		      void *ctx);

/*
 * Make a filesystem on the devices, whatever they hold: to ask before is the
 * caller's. The old superblock goes first, durably, and the new one comes
 * last; in between there is no filesystem. @geo may be NULL; on success it is
 * what was made. Returns 0 with all durable; -EINVAL with nothing written;
 * -ENOMEM, -EIO, -ENOSPC, -EROFS: xlog_format_wrote() says whether the devices
 * are still as they were.
 */
int xlog_format(struct xlog_format *f, const struct xlog_format_options *opts,
		struct xlog_geometry *geo);
bool xlog_format_wrote(const struct xlog_format *f);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
