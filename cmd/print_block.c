/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Logged buffers; see print_block.h.
 */
#include "cmd/print_block.h"
#include "libxfsfmt/btree.h"

void print_block_load(struct print *pr, const struct xfs_logitem_view *v)
{
	struct print_block *b = &pr->block;

	/* what can be had is shown; verifying the item says what is wrong */
	(void)xfs_logitem_buf_image(v, pr->image, sizeof(pr->image),
				    &b->image);
	b->walk = (struct xfs_walk){
		.base = pr->image, .len_bytes = b->image.len_bytes,
		.chunks = b->image.chunks, .order = v->order,
		.geom = v->geom,
	};
	b->type = NULL;
	if (!(b->image.blf.blf_flags & XFS_BLF_CANCEL))
		b->type = xfs_block_identify_item(&b->walk,
						  b->image.blf.blf_flags);
	b->summary = xfs_block_summarize(&b->walk, b->type);
}

void print_block_place(struct print *pr, const struct xfs_geom *geom,
		       xfs_daddr_t daddr)
{
	xfs_agnumber_t agno = xfs_daddr_agno(geom, daddr);
	struct out *o = &pr->out;

	if (agno == UINT32_MAX) {
		out_str(o, "behind the filesystem");
		return;
	}
	out_str(o, "ag");
	out_uint(o, agno);
	out_char(o, '/');
	out_uint(o, xfs_daddr_agbno(geom, daddr));
}

/* The kind of block; if its bytes do not tell, what the item says. */
static const char *kind_of(const struct print_block *b)
{
	const char *name;

	if (b->type)
		return b->type->name;
	name = xfs_name_of(xfs_blft_names,
			   xfs_blf_content(b->image.blf.blf_flags));
	return name ? name : "unknown";
}

/* Trees of inodes have their root in the inode, never in a block. */
static bool is_root(const struct print_block *b)
{
	return b->summary.has_level && b->summary.alone && b->type &&
	       b->type->btree >= 0 &&
	       !xfs_btree_ops[b->type->btree].is_long;
}

void print_block_brief(struct print *pr, const struct xfs_logitem_view *v)
{
	const struct print_block *b = &pr->block;
	const struct xfs_block_summary *s = &b->summary;
	struct out *o = &pr->out;

	out_str(o, kind_of(b));
	if (v->geom) {
		out_char(o, ' ');
		print_block_place(pr, v->geom, b->image.blf.blf_blkno);
	}
	if (s->has_level && !is_root(b)) {
		out_str(o, " level ");
		out_uint(o, s->level);
	} else if (s->has_level) {
		out_str(o, s->level ? " root level " : " root");
		if (s->level)
			out_uint(o, s->level);
	}
	if (s->has_owner && !s->owner_is_ag) {
		out_str(o, "  owner ");
		out_hex(o, s->owner, 0);
	}
	if (s->has_lsn) {
		out_str(o, "  lsn ");
		text_lsn(&pr->text, s->lsn);
	}
}

void print_block_keys(struct print *pr, const struct xfs_logitem_view *v)
{
	const struct print_block *b = &pr->block;
	const struct xfs_block_summary *s = &b->summary;
	const struct xfs_buf_log_format *blf = &b->image.blf;
	const struct xfs_name *f = xfs_blf_flag_names;
	xfs_agnumber_t agno;
	struct jl *j = &pr->json;

	jl_open(j, "flags", '[');
	if (!(blf->blf_flags & XFS_BLF_CANCEL))
		jl_element_str(j, kind_of(b));
	for (; f->name; f++)
		if (blf->blf_flags & f->value)
			jl_element_str(j, f->name);
	jl_close(j, ']');
	if (v->geom) {
		agno = xfs_daddr_agno(v->geom, blf->blf_blkno);
		if (agno == UINT32_MAX) {
			jl_null(j, "ag");
			jl_null(j, "agbno");
		} else {
			jl_uint(j, "ag", agno);
			jl_uint(j, "agbno", xfs_daddr_agbno(v->geom,
							    blf->blf_blkno));
		}
	}
	if (s->has_level)
		jl_uint(j, "level", s->level);
	if (s->has_owner)
		jl_uint(j, "owner", s->owner);
	if (s->has_lsn)
		jl_lsn(j, "lsn", s->lsn);
}

/* Blocks that are one structure; others have a head and elements. */
static bool is_plain(const struct print_block *b)
{
	return b->type->blft == XFS_BLFT_SB || b->type->blft == XFS_BLFT_AGF ||
	       b->type->blft == XFS_BLFT_AGI;
}

void print_block_walk(struct print *pr, const struct xfs_walk_ops *ops,
		      void *ctx)
{
	struct print_block *b = &pr->block;
	struct xfs_walk w = b->walk;

	if (!b->type)
		return;
	w.ops = ops;
	w.ctx = ctx;
	if (w.heads_only && !is_plain(b) && w.len_bytes > XFS_CHUNK_BYTES)
		w.len_bytes = XFS_CHUNK_BYTES;
	ops->enter(ctx, b->type->name, -1);
	xfs_block_walk(&w, b->type);
	ops->leave(ctx);
}
