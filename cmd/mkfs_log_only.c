/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xlog-mkfs --log-only: a fresh log, for a filesystem that is there.
 */
#include <errno.h>
#include <inttypes.h>

#include "cmd/mkfs.h"

enum { BB_BYTES = 512, LOG_BYTES_LEAST = 64 << 20 };

static int output(struct mkfs *m)
{
	return mkfs_output(m, xlog_log_only_info(m->log_only)->uuid);
}

static int open_log(struct mkfs *m)
{
	const struct mkfs_opts *o = &m->opts;
	const struct xlog_log_only_open open = {
		.device = o->io.path, .fs = o->of,
		.uuid = subs_given(&o->subs, M_UUID) ? m->values.uuid : NULL,
		.log_bytes = m->values.log_bytes,
		.log_sunit_bytes = (uint32_t)m->values.log_sunit_bytes,
		.log_sector_bytes = m->values.log_sector_bytes,
		.undo = o->undo, .flags = mkfs_open_flags(o),
		.report = mkfs_on_report, .report_ctx = m,
	};
	int rc = xlog_log_only_open(&open, &m->log_only);

	cmd_catch_signals(false);
	if (rc)
		return rc == -EINVAL ? -ERANGE : rc;
	return o->io.json ? output(m) : 0;
}

/* A new one is as large as those of filesystems are. What there is stays. */
static int check_size(const struct mkfs *m)
{
	const struct mkfs_opts *o = &m->opts;
	uint64_t bytes = xlog_log_only_info(m->log_only)->log_bytes;

	if (!subs_given(&o->subs, M_UUID) || o->of || o->io.expert ||
	    bytes >= LOG_BYTES_LEAST)
		return 0;
	cmd_message("%s: a log of %" PRIu64 " bytes is too small, the minimum is 64m (-x allows it)",
		    o->io.path, bytes);
	return -ERANGE;
}

static uint32_t cycle(const struct mkfs *m)
{
	uint32_t next = xlog_log_only_info(m->log_only)->next_cycle;

	return m->values.log_cycle ? m->values.log_cycle : next;
}

/* Of the log that is there: may it go, and does it say how to go on? */
static int check_state(struct mkfs *m)
{
	const struct xlog_log_only_info *info = xlog_log_only_info(m->log_only);
	const char *path = m->opts.io.path;

	switch (info->state) {
	case XLOG_CLEAN:
		return 0;
	case XLOG_DIRTY:
		if (m->opts.force > 1)
			return 0;
		cmd_message("%s: the log is dirty: mount the filesystem, or run xlog-recover, first; use -ff to give up what is in it",
			    path);
		return -ENOTEMPTY;
	default:
		if (m->values.log_cycle)
			return 0;
		cmd_message("%s: there is no sound log to say with which cycle to go on: give -l cycle=N, %u at least",
			    path, info->next_cycle);
		return -ENOTEMPTY;
	}
}

static void log_lines(struct mkfs *m)
{
	const struct xlog_log_only_info *info = xlog_log_only_info(m->log_only);

	mkfs_line(m, "log      =%-22s bsize=%-6d blocks=%" PRIu64 ", version=%u",
		  info->internal ? "internal log" : m->opts.io.path, BB_BYTES,
		  info->log_bytes / BB_BYTES, info->log_version);
	mkfs_line(m, "         =%-22s sectsz=%-5u sunit=%u blks, cycle=%u", "",
		  info->log_sector_bytes, info->log_sunit_bytes / BB_BYTES,
		  cycle(m));
}

/* As other tools tell of a log; the state is that of the old one. */
static void log_object(struct mkfs *m)
{
	const struct xlog_log_only_info *info = xlog_log_only_info(m->log_only);
	struct jl *j = &m->json;

	jl_begin(j, "log");
	jl_bool(j, "internal", info->internal);
	jl_uint(j, "bbs", info->log_bytes / BB_BYTES);
	jl_uint(j, "logversion", info->log_version);
	jl_uint(j, "sectsize", info->log_sector_bytes);
	jl_uint(j, "sunit", info->log_sunit_bytes);
	jl_uint(j, "cycle", cycle(m));
	jl_str(j, "state", xlog_state_name(info->state));
	jl_end(j);
}

static int show(struct mkfs *m)
{
	int rc = output(m);

	if (rc)
		return rc;
	if (m->opts.io.json)
		log_object(m);
	else if (m->opts.dry_run || !m->opts.io.quiet)
		log_lines(m);
	mkfs_show_found(m);
	out_flush(&m->out);
	return -m->out.error;
}

static int write_log(struct mkfs *m)
{
	unsigned int flags = m->opts.force > 1 ? XLOG_LOG_ONLY_DIRTY : 0;
	int rc;

	if (cmd_cancelled())
		return -ECANCELED;
	rc = xlog_log_only_write(m->log_only, m->values.log_cycle, flags,
				 &m->head);
	m->wrote = xlog_log_only_wrote(m->log_only);
	if (!rc)
		memcpy(m->uuid, xlog_log_only_info(m->log_only)->uuid,
		       sizeof(m->uuid));
	return rc;
}

int mkfs_log_only(struct mkfs *m)
{
	int rc = open_log(m);

	if (!rc)
		rc = mkfs_check(m);
	if (!rc)
		rc = check_state(m);
	if (!rc)
		rc = check_size(m);
	if (!rc)
		rc = show(m);
	if (!rc && !m->opts.dry_run)
		rc = write_log(m);
	return rc;
}
