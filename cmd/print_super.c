/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * -S: the filesystem and its log as the superblock has them, head and tail.
 */
#include "cmd/print.h"
#include "cmd/feature.h"

static void label(struct print *pr, const char *name)
{
	out_str(&pr->out, name);
	out_pad(&pr->out, 12, 1);
}

static void number(struct print *pr, const char *name, uint64_t v)
{
	out_str(&pr->out, "  ");
	out_str(&pr->out, name);
	out_char(&pr->out, ' ');
	out_uint(&pr->out, v);
}

static void put_feature(void *ctx, const struct feature *f)
{
	struct print *pr = ctx;

	out_char(&pr->out, ' ');
	out_str(&pr->out, f->name);
}

static void filesystem_lines(struct print *pr)
{
	const struct xfs_sb *sb = &pr->sb;
	struct out *o = &pr->out;

	label(pr, "filesystem");
	out_uuid(o, sb->sb_uuid);
	if (sb->sb_fname[0]) {
		out_str(o, "  label ");
		text_quoted(&pr->text, sb->sb_fname,
			    strnlen((const char *)sb->sb_fname,
				    sizeof(sb->sb_fname)));
	}
	out_newline(o);
	label(pr, "");
	out_str(o, "version ");
	out_uint(o, pr->info->sb_version);
	number(pr, "block", sb->sb_blocksize);
	number(pr, "sector", sb->sb_sectsize);
	number(pr, "inode", sb->sb_inodesize);
	number(pr, "agcount", sb->sb_agcount);
	number(pr, "agblocks", sb->sb_agblocks);
	number(pr, "dblocks", sb->sb_dblocks);
	out_newline(o);
	out_str(o, "features");
	/* each brings a blank of its own */
	out_pad(o, 11, 0);
	feature_each(sb, put_feature, pr);
	out_newline(o);
}

static void log_lines(struct print *pr)
{
	const struct xlog_info *info = pr->info;
	const char *order = print_order(pr);
	struct out *o = &pr->out;

	label(pr, "log");
	out_str(o, info->internal ? "internal, daddr " : "external");
	if (info->internal)
		out_uint(o, info->log_daddr);
	out_str(o, ", ");
	out_uint(o, info->log_size_bb);
	out_str(o, " blocks of 512 (");
	out_size(o, (uint64_t)info->log_size_bb * BB_SIZE);
	out_char(o, ')');
	out_newline(o);
	label(pr, "");
	out_str(o, "version ");
	out_uint(o, info->log_version);
	number(pr, "sector", info->log_sector_bytes);
	if (info->log_sunit_bytes > 1)
		number(pr, "stripe unit", info->log_sunit_bytes);
	out_str(o, "  byte order ");
	out_str(o, order ? order : "unknown");
	out_newline(o);
	label(pr, "state");
	print_state(pr);
	out_newline(o);
	label(pr, "head");
	text_lsn(&pr->text, pr->bounds.head);
	out_newline(o);
	label(pr, "tail");
	text_lsn(&pr->text, pr->bounds.tail);
	out_newline(o);
	label(pr, "last record");
	text_lsn(&pr->text, pr->bounds.last_record);
	out_newline(o);
	if (pr->bounds.refused[0]) {
		label(pr, "refused");
		out_str(o, pr->bounds.refused);
		out_newline(o);
	}
}

static void element(void *ctx, const struct feature *f)
{
	jl_element_str(ctx, f->name);
}

static void superblock_object(struct print *pr)
{
	const struct xlog_info *info = pr->info;
	struct jl *j = &pr->json;

	jl_begin(j, "superblock");
	jl_uint(j, "sbversion", info->sb_version);
	jl_uint(j, "logsectsize", info->log_sector_bytes);
	jl_uint(j, "logsunit", info->log_sunit_bytes);
	jl_lsn(j, "last_record", pr->bounds.last_record);
	jl_open(j, "features", '[');
	feature_each(&pr->sb, element, j);
	jl_close(j, ']');
	jl_open(j, "sb", '{');
	xfs_sb_walk(&(struct xfs_walk){
		.base = info->superblock, .len_bytes = info->superblock_bytes,
		.order = XFS_BE, .geom = &pr->geom,
		.ops = &jl_walk_ops, .ctx = j });
	jl_close(j, '}');
	jl_end(j);
}

int print_superblock(struct print *pr)
{
	if (pr->opts.io.json) {
		if (pr->has_geom)
			superblock_object(pr);
		return 0;
	}
	if (pr->has_geom)
		filesystem_lines(pr);
	log_lines(pr);
	if (pr->has_geom && pr->opts.detail) {
		text_walk_begin(&pr->text, 0, false);
		text_walk_ops.enter(&pr->text, "superblock", -1);
		xfs_sb_walk(&(struct xfs_walk){
			.base = pr->info->superblock,
			.len_bytes = pr->info->superblock_bytes,
			.order = XFS_BE, .geom = &pr->geom,
			.ops = &text_walk_ops, .ctx = &pr->text });
		text_walk_ops.leave(&pr->text);
		text_walk_end(&pr->text);
	}
	return 0;
}
