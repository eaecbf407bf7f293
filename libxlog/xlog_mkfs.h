/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxlog: making an empty filesystem, or only a log. A part of xlog.h, which
 * says what holds for all functions.
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

/* What takes time while a filesystem is made. */
enum xlog_format_phase {
	XLOG_FORMAT_DISCARDING,
	XLOG_FORMAT_WRITING,
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

	/*
	 * Called now and then with bytes of the devices that are done, and all
	 * of them. Other than 0 ends it with -ECANCELED, and no filesystem.
	 * May be NULL.
	 */
	int		(*progress)(void *ctx, enum xlog_format_phase phase,
				    uint64_t done, uint64_t total);
	void		*progress_ctx;

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

	uint8_t		uuid[16];	/* once it is made; before: zeros */
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
	uint64_t	offset_bytes;	/* on @data, the filesystem begins here */
	/*
	 * A file is to be so long at least: one that is shorter grows, one
	 * that is missing is made. 0: neither. With an offset, none grows: this
	 * is how much of @data will be taken then, 0: all that follows.
	 */
	uint64_t	data_bytes, log_bytes;
	const char	*undo;		/* as in xlog_open_options */
	unsigned int	flags;		/* XLOG_OPEN_WRITE, XLOG_OPEN_LOCK_* */
	xlog_report_fn	report;		/* may be NULL */
	void		*report_ctx;
};

/*
 * Open the devices, for reading unless the flags say otherwise: -EBUSY, and
 * the user named, if one is in use then. Nothing is written; a file is only
 * taken for as long as it will be. On success *@out is the caller's, to be
 * closed with xlog_format_close(). Also -EINVAL, -EROFS, -EMEDIUMTYPE, -ENOMEM
 * and what open(2) says.
 */
int xlog_format_open(const struct xlog_format_open *what,
		     struct xlog_format **out);

/*
 * Without a filesystem made, a file that grew is as long again as it was,
 * unless what it held is overwritten, and one that was made is removed.
 */
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
	uint64_t	offset_bytes;	/* on @device */
	bool		partitions;	/* a table of them */
	bool		dirty;		/* of XFS: changes are in the log only */
	bool		unsure;		/* of XFS: that cannot be told */
};

/*
 * Call @found for all that is on the devices. Returns how many there were, or
 * a negative errno if that cannot be found out: then there may be anything.
 */
int xlog_format_probe(struct xlog_format *f,
		      void (*found)(void *ctx, const struct xlog_found *what),
		      void *ctx);

/*
 * The last before something is overwritten: make files that are missing, let
 * others grow, make the undo file. xlog_format() does it if it was not done.
 * -EEXIST: there is such an undo file, or by now a file that was missing; -EBUSY:
 * a file has another length than when it was opened; -EFBIG, -EROFS, -ENOMEM and
 * what open(2) says.
 */
int xlog_format_prepare(struct xlog_format *f);

/*
 * Make a filesystem on the devices, whatever they hold: to ask before is the
 * caller's. The old superblock goes first, durably, and the new one comes
 * last; in between there is no filesystem. @geo may be NULL; on success it is
 * what was made. Returns 0 with all durable; -EINVAL with nothing written;
 * -ENOMEM, -EIO, -ENOSPC, -EROFS, -ECANCELED: xlog_format_wrote() says whether
 * the devices are still as they were.
 */
int xlog_format(struct xlog_format *f, const struct xlog_format_options *opts,
		struct xlog_geometry *geo);
bool xlog_format_wrote(const struct xlog_format *f);

/*
 * Of one that failed: all was written before, and it is not known whether what
 * came last, the superblock, is on the device, or will be after a power cut.
 */
bool xlog_format_may_last(const struct xlog_format *f);

/* --- only a log --- */

struct xlog_log_only;	/* a log that is to be made anew */

/*
 * With neither @fs nor @uuid, the log is the internal one of the filesystem on
 * @device. Else @device is an external log, or will be one: of the filesystem
 * on @fs, or of one that is not at hand.
 */
struct xlog_log_only_open {
	const char	*device;
	const char	*fs;
	const uint8_t	*uuid;		/* 16 bytes; of @fs it has to be that */
	/* Where a superblock says the same, they have to agree unless 0. */
	uint64_t	log_bytes;	/* 0: all of @device */
	uint32_t	log_sunit_bytes;	/* 0: none */
	uint32_t	log_sector_bytes;	/* 0: that of @device */
	const char	*undo;		/* as in xlog_open_options */
	unsigned int	flags;		/* XLOG_OPEN_WRITE, XLOG_OPEN_LOCK_* */
	xlog_report_fn	report;		/* may be NULL */
	void		*report_ctx;
};

/*
 * Open the devices as xlog_format_open() does, a filesystem too, and look at
 * the log that is there. Nothing is written. On success *@out is the caller's,
 * to be closed with xlog_log_only_close(). -EINVAL: what is given does not
 * fit, or there is not enough of it; -EUCLEAN, -EOPNOTSUPP: a filesystem that
 * is damaged or not known; others as xlog_format_open().
 */
int xlog_log_only_open(const struct xlog_log_only_open *what,
		       struct xlog_log_only **out);
void xlog_log_only_close(struct xlog_log_only *l);

struct xlog_log_only_info {
	uint8_t		uuid[16];
	bool		internal;
	uint32_t	log_version;	/* 1 or 2 */
	uint64_t	log_bytes;
	uint32_t	log_sunit_bytes, log_sector_bytes;	/* 0: none */
	/*
	 * The log that is there: CORRUPT also if there is none, or that of
	 * another filesystem.
	 */
	enum xlog_state	state;
	/*
	 * The first cycle that neither that log nor the superblock nor the
	 * headers of allocation groups have seen. Only of a clean or dirty log
	 * is it certain that all other metadata has not, either.
	 */
	uint32_t	next_cycle;
};

/* Valid until xlog_log_only_close(). */
const struct xlog_log_only_info *
xlog_log_only_info(const struct xlog_log_only *l);

/*
 * Call @found for all that is on an external log device but the log of this
 * filesystem: see xlog_format_probe(). Of an internal log: 0.
 */
int xlog_log_only_probe(struct xlog_log_only *l,
			void (*found)(void *ctx, const struct xlog_found *what),
			void *ctx);

enum {
	/*
	 * Give up what is only in the log. The counters of the superblock are
	 * made anew from the allocation groups; xfs_repair has to do the rest.
	 */
	XLOG_LOG_ONLY_DIRTY = 1,
};

/*
 * Make the log: clean, in its cycle @cycle, or next_cycle if that is 0; to ask
 * what else is on the device is the caller's. Cut off at any point, there is
 * either the old log, or none that a mount would replay, until all of the new
 * one is there. Returns 0 with all durable, and the head of the new log in
 * *@head unless that is NULL. Refused with nothing written: -ENOTEMPTY, the log
 * is dirty; -EUCLEAN, a log neither clean nor dirty, and no @cycle given;
 * -ERANGE, @cycle is below next_cycle, or too high. Also -EUCLEAN if groups
 * are damaged that have to be counted; -EROFS, -ENOMEM, -EIO, where
 * xlog_log_only_wrote() says whether something has been written.
 */
int xlog_log_only_write(struct xlog_log_only *l, uint32_t cycle,
			unsigned int flags, xlog_lsn_t *head);
bool xlog_log_only_wrote(const struct xlog_log_only *l);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
