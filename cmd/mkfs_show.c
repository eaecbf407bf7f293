/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is told of the geometry: in the lines of mkfs.xfs, so that who reads
 * those with a program can read these, and as JSON objects.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include "cmd/mkfs.h"

#define LOG_FLOOR_BYTES	((uint64_t)64 << 20)	/* without -x */

/* --- text --- */

void mkfs_line(struct mkfs *m, const char *fmt, ...)
{
	char text[PATH_MAX + 128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	out_str(&m->out, text);
	out_newline(&m->out);
}

static void feature_lines(struct mkfs *m)
{
	const struct xlog_geometry *g = &m->geo;

	mkfs_line(m, "         =%-22s crc=%-8d finobt=%d, sparse=%d, rmapbt=%d", "",
	     1, g->finobt, g->sparse, g->rmapbt);
	mkfs_line(m, "         =%-22s reflink=%-4d bigtime=%d inobtcount=%d nrext64=%d",
	     "", g->reflink, g->bigtime, g->inobtcount, g->nrext64);
	/* what mkfs.xfs has shown for a shorter time, only if it is there */
	if (g->exchange)
		mkfs_line(m, "         =%-22s exchange=%-3d metadir=%d", "", 1, 0);
}

static void log_lines(struct mkfs *m)
{
	const struct xlog_geometry *g = &m->geo;

	mkfs_line(m, "log      =%-22s bsize=%-6u blocks=%u, version=%d",
	     g->log_internal ? "internal log" : m->opts.io.logdev,
	     g->block_bytes, g->log_blocks, 2);
	mkfs_line(m, "         =%-22s sectsz=%-5u sunit=%u blks, lazy-count=%d", "",
	     g->log_sector_bytes, g->log_sunit_blocks, 1);
}

/* The smallest log that there could be, and whose fault that is. */
static uint64_t minimum_blocks(const struct mkfs *m, bool *floor)
{
	uint64_t least = LOG_FLOOR_BYTES / m->geo.block_bytes;

	*floor = !m->opts.io.expert && least > m->geo.log_min_blocks;
	return *floor ? least : m->geo.log_min_blocks;
}

static void minimum_line(struct mkfs *m)
{
	const struct xlog_geometry *g = &m->geo;
	bool floor;
	uint64_t min = minimum_blocks(m, &floor);

	mkfs_line(m, "         =%-22s minimum=%" PRIu64 " blks%s, need=%u blks from %s x%u",
	     "", min, floor ? " (floor 64 MiB)" : "", g->log_need_blocks,
	     g->log_need_name, g->log_need_count);
}

static void geometry_lines(struct mkfs *m)
{
	const struct xlog_geometry *g = &m->geo;

	mkfs_line(m, "meta-data=%-22s isize=%-6u agcount=%u, agsize=%u blks",
	     m->opts.io.path, g->inode_bytes, g->agcount, g->ag_blocks);
	mkfs_line(m, "         =%-22s sectsz=%-5u attr=%d, projid32bit=%d", "",
	     g->sector_bytes, 2, 1);
	feature_lines(m);
	mkfs_line(m, "data     =%-22s bsize=%-6u blocks=%" PRIu64 ", imaxpct=%u", "",
	     g->block_bytes, g->blocks, g->imaxpct);
	mkfs_line(m, "         =%-22s sunit=%-6u swidth=%u blks", "",
	     g->sunit_blocks, g->swidth_blocks);
	mkfs_line(m, "naming   =version %-14d bsize=%-6u ascii-ci=%d, ftype=%d%s", 2,
	     g->dirblock_bytes, 0, 1, g->parent ? ", parent=1" : "");
	log_lines(m);
	mkfs_line(m, "realtime =%-22s extsz=%-6u blocks=%d, rtextents=%d", "none",
	     g->rtextent_bytes, 0, 0);
	if (m->opts.dry_run)
		minimum_line(m);
}

void mkfs_undo_line(struct mkfs *m)
{
	const struct mkfs_opts *o = &m->opts;
	const char *fs = o->io.path, *log = o->io.logdev;

	if (!o->undo || o->io.quiet)
		return;
	if (o->of)
		fs = o->of, log = o->io.path;
	mkfs_line(m, "to undo: xlog-recover --undo-apply=%s%s%s %s", o->undo,
		  log ? " -l " : "", log ? log : "", fs);
}

/* --- JSON --- */

static void feature_keys(struct jl *j, const struct xlog_geometry *g)
{
	const struct {
		const char *name;
		bool	on;
	} features[] = {
		{ "crc", true }, { "finobt", g->finobt },
		{ "inobtcount", g->inobtcount }, { "rmapbt", g->rmapbt },
		{ "reflink", g->reflink }, { "sparse", g->sparse },
		{ "bigtime", g->bigtime }, { "nrext64", g->nrext64 },
		{ "exchange", g->exchange }, { "parent", g->parent },
	};

	jl_open(j, "features", '[');
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		if (features[i].on)
			jl_element_str(j, features[i].name);
	jl_close(j, ']');
}

static void log_keys(struct mkfs *m)
{
	const struct xlog_geometry *g = &m->geo;
	struct jl *j = &m->json;
	bool floor;

	jl_open(j, "log", '{');
	jl_bool(j, "internal", g->log_internal);
	jl_uint(j, "blocks", g->log_blocks);
	jl_uint(j, "sectsize", g->log_sector_bytes);
	jl_uint(j, "sunit", g->log_sunit_blocks);
	if (g->log_internal) {
		jl_uint(j, "ag", g->log_agno);
		jl_uint(j, "agbno", g->log_agbno);
	} else {
		jl_null(j, "ag");
		jl_null(j, "agbno");
	}
	jl_uint(j, "minimum", minimum_blocks(m, &floor));
	jl_uint(j, "need", g->log_need_blocks);
	jl_str(j, "reservation", g->log_need_name);
	jl_uint(j, "logcount", g->log_need_count);
	jl_close(j, '}');
}

static void geometry_object(struct mkfs *m)
{
	const struct xlog_geometry *g = &m->geo;
	struct jl *j = &m->json;

	jl_begin(j, "geometry");
	jl_uint(j, "bsize", g->block_bytes);
	jl_uint(j, "sectsize", g->sector_bytes);
	jl_uint(j, "isize", g->inode_bytes);
	jl_uint(j, "dirbsize", g->dirblock_bytes);
	jl_uint(j, "blocks", g->blocks);
	jl_uint(j, "agcount", g->agcount);
	jl_uint(j, "agsize", g->ag_blocks);
	jl_uint(j, "sunit", g->sunit_blocks);
	jl_uint(j, "swidth", g->swidth_blocks);
	jl_uint(j, "imaxpct", g->imaxpct);
	feature_keys(j, g);
	log_keys(m);
	jl_end(j);
}

static void text_or_null(struct jl *j, const char *key, const char *text)
{
	if (text)
		jl_str(j, key, text);
	else
		jl_null(j, key);
}

static void probe_object(struct jl *j, const struct mkfs_found *f)
{
	jl_begin(j, "probe");
	jl_str(j, "device", f->device);
	jl_str(j, "contains", f->type);
	jl_uint(j, "offset", f->offset_bytes);
	text_or_null(j, "uuid", f->uuid);
	text_or_null(j, "label", f->label);
	jl_bool(j, "partitions", f->partitions);
	if (f->unsure)
		jl_null(j, "dirty");
	else
		jl_bool(j, "dirty", f->dirty);
	jl_end(j);
}

void mkfs_result_object(struct mkfs *m, int code)
{
	static const uint8_t none[16];
	struct jl *j = &m->json;

	jl_begin(j, "result");
	if (memcmp(m->uuid, none, sizeof(none)))
		jl_uuid(j, "uuid", m->uuid);
	else
		jl_null(j, "uuid");
	if (m->opts.log_only)
		jl_lsn(j, "head", m->head);
	jl_bool(j, "wrote", m->wrote);
	text_or_null(j, "undo", m->wrote ? m->opts.undo : NULL);
	jl_uint(j, "findings", m->reports.findings);
	jl_uint(j, "exit", (uint64_t)code);
	jl_end(j);
}

/* --- both --- */

void mkfs_show_found(struct mkfs *m)
{
	for (size_t i = 0; m->opts.io.json && i < m->nfound; i++)
		probe_object(&m->json, &m->found[i]);
}

int mkfs_show(struct mkfs *m)
{
	int rc = mkfs_output(m, m->values.uuid);

	if (rc)
		return rc;
	if (m->opts.io.json)
		geometry_object(m);
	else if (m->opts.dry_run || !m->opts.io.quiet)
		geometry_lines(m);
	mkfs_show_found(m);
	/* who waits for it has it before the first write; who cannot be told
	   is not left with a filesystem he knows nothing of */
	out_flush(&m->out);
	return -m->out.error;
}
