/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of xlog-mkfs, and what they share while it runs.
 *
 * mkfs_opts.c has the command line, mkfs_subs.c the lists of sub-options and
 * mkfs_values.c what they come to; mkfs_open.c begins and ends, mkfs_found.c
 * sees what is on the devices, mkfs_show.c tells of the geometry;
 * mkfs_log_only.c makes only a log.
 */
#ifndef CMD_MKFS_H
#define CMD_MKFS_H

#include "cmd/json.h"
#include "cmd/mkfs_subs.h"
#include "cmd/opts.h"
#include "cmd/report.h"
#include "libxlog/xlog.h"

struct mkfs_opts {
	struct io_opts	io;		/* path, logdev: also by sub-options */
	struct mkfs_subs subs;
	const char	*label;		/* or NULL */
	bool		log_only;
	const char	*of;		/* --for: the filesystem; or NULL */
	bool		dry_run, keep;	/* -K: no discard */
	unsigned int	force;		/* how often -f */
	char		*undo;		/* owned; NULL: no undo file */
};

/*
 * The options of the command line. Ends the process where that is all there
 * is to do: --help, --version, and wrong usage.
 */
void mkfs_opts_parse(struct mkfs_opts *opts, int argc, char **argv);

/*
 * What the options and the environment come to: sizes in bytes, choices. Wrong
 * ones end the process. Reports are not set.
 */
void mkfs_values(const struct mkfs_opts *opts,
		 struct xlog_format_options *values);

/* With DETERMINISTIC_SEED, and no UUID given: one made of the rest. */
void mkfs_seed_uuid(struct xlog_format_options *values,
		    const struct xlog_geometry *geo);

/* Something that is on a device, as it is told. */
struct mkfs_found {
	char		*device, *type, *label, *uuid;	/* owned; NULL: none */
	uint64_t	offset_bytes;
	bool		partitions, dirty, unsure;
};

struct mkfs {
	struct mkfs_opts opts;
	struct xlog_format_options values;
	struct xlog_format *format;	/* NULL: not open */
	struct xlog_log_only *log_only;	/* the same; either of them */
	struct xlog_geometry geo;
	bool		planned;	/* there is a geometry */
	uint8_t		uuid[16];	/* of what was made; zeros: nothing */
	xlog_lsn_t	head;		/* of a log that was made alone */
	bool		wrote;		/* the devices are not as they were */

	struct mkfs_found *found;
	size_t		nfound;

	struct out	out;
	struct jl	json;
	struct progress	progress;
	const char	*phase;		/* that it is of */
	struct reports	reports;
};

/* --- mkfs_open.c --- */

/* Before the devices are opened. */
void mkfs_begin(struct mkfs *m);

/*
 * Open the output, if it is not open: as soon as there is something to write.
 * @uuid is that of the header.
 */
int mkfs_output(struct mkfs *m, const uint8_t uuid[16]);

/* For the devices: how to lock them, if they are locked. */
unsigned int mkfs_open_flags(const struct mkfs_opts *o);

/* A report of the library; the context is the struct mkfs. */
void mkfs_on_report(void *ctx, const struct xlog_report *r);

/* Open the devices. */
int mkfs_open(struct mkfs *m);

/*
 * Choose the geometry, and have all ready to write. Wrong options are reported
 * as -ERANGE.
 */
int mkfs_plan(struct mkfs *m);

/* Make the filesystem. */
int mkfs_write(struct mkfs *m);

/*
 * End: the result, the output. Returns the exit code for @rc, which is 0 or a
 * negative errno that has been reported.
 */
int mkfs_close(struct mkfs *m, int rc);

/* --- mkfs_log_only.c --- */

/* All of it. */
int mkfs_log_only(struct mkfs *m);

/* --- mkfs_found.c --- */

/*
 * Look for what would be overwritten. Returns 0 if there is nothing or the
 * options allow it, -ENOTEMPTY if not, reported with a line for each device;
 * also if it cannot be found out.
 */
int mkfs_check(struct mkfs *m);
void mkfs_found_free(struct mkfs *m);

/* --- mkfs_show.c --- */

/*
 * The geometry, unless nobody wants to see it. Returns 0, or the negative
 * errno of the output, which is reported at the end.
 */
int mkfs_show(struct mkfs *m);

/* A line of output. */
void mkfs_line(struct mkfs *m, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* What was found, as JSON; in text, only what stands in the way is told. */
void mkfs_show_found(struct mkfs *m);
/* The last object. */
void mkfs_result_object(struct mkfs *m, int code);

/* How to go back. */
void mkfs_undo_line(struct mkfs *m);

#endif
