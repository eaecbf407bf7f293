/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The essentials of an item: what its line in text shows behind the title, and
 * the keys that stand first in its JSON object.
 */
#include "cmd/print.h"
#include "cmd/print_block.h"
#include "libxfsfmt/dquot.h"
#include "libxfsfmt/inode.h"
#include "libxfsfmt/time.h"

enum {
	/* columns behind the place where the essentials begin */
	FIELDS_AT = 13,
	TYPE_AT = 27,
	NLINK_AT = 32,
	LEN_AT = 18,
	KIND_AT = 26,
	SHOWN_EXTENTS = 3,
};

static void put_agblock(struct print *pr, uint32_t agno, uint64_t agbno)
{
	struct out *o = &pr->out;

	out_str(o, "ag");
	out_uint(o, agno);
	out_char(o, '/');
	out_uint(o, agbno);
}

/* "ag0/12+5", or "fsb 1234+5" where the geometry is not known. */
static void put_extent(struct print *pr, const struct xfs_logitem_view *v,
		       bool rt, uint64_t fsb, uint64_t len)
{
	struct out *o = &pr->out;

	if (rt) {
		out_str(o, "rt ");
		out_uint(o, fsb);
	} else if (v->geom) {
		put_agblock(pr, xfs_fsb_agno(v->geom, fsb),
			    xfs_fsb_agbno(v->geom, fsb));
	} else {
		out_str(o, "fsb ");
		out_uint(o, fsb);
	}
	out_char(o, '+');
	out_uint(o, len);
}

/* A name of @names for @value, or the number. */
static void put_name_of(struct out *o, const struct xfs_name *names,
			uint64_t value)
{
	const char *name = xfs_name_of(names, value);

	if (name)
		out_str(o, name);
	else
		out_uint(o, value);
}

/* --- inodes --- */

static const char *file_type(const struct xfs_dinode *di)
{
	switch (di->di_mode & XFS_MODE_FMT) {
	case XFS_MODE_FIFO:
		return "fifo";
	case XFS_MODE_CHR:
		return "chr";
	case XFS_MODE_DIR:
		return "dir";
	case XFS_MODE_BLK:
		return "blk";
	case XFS_MODE_REG:
		return "file";
	case XFS_MODE_LNK:
		return "link";
	case XFS_MODE_SOCK:
		return "sock";
	default:
		return di->di_mode ? "?" : "free";
	}
}

static struct xfs_time mtime_of(const struct xfs_dinode *di,
				enum xfs_order order)
{
	uint8_t raw[8];

	if (xfs_dinode_variant(di) & XFS_DINODE_BIGTIME)
		return xfs_time_bigtime(di->di_mtime);
	/* two words, which the decoder took for one of 64 bits */
	if (order == XFS_BE)
		put_be64(raw, di->di_mtime);
	else
		put_le64(raw, di->di_mtime);
	return xfs_time_legacy(raw, order);
}

static void brief_inode(struct print *pr, const struct xfs_logitem_view *v)
{
	struct xfs_logitem_inode inode;
	struct out *o = &pr->out;
	struct xfs_dinode di;
	struct xfs_time mtime;

	if (xfs_logitem_inode(v, &inode))
		return;
	out_hex(o, inode.ilf.ilf_ino, 0);
	out_pad(o, pr->brief_column + FIELDS_AT, 2);
	text_flags(&pr->text, xfs_ilog_names, inode.ilf.ilf_fields);
	if (!inode.core || inode.core->len_bytes < XFS_LOG_DINODE_V2_BYTES)
		return;
	xfs_dinode_decode(&di, inode.core->data, inode.core->len_bytes,
			  v->order);
	out_pad(o, pr->brief_column + TYPE_AT, 2);
	out_str(o, file_type(&di));
	out_pad(o, pr->brief_column + NLINK_AT, 2);
	out_str(o, "nlink ");
	out_uint(o, xfs_dinode_nlink(&di));
	out_str(o, "  size ");
	out_uint(o, di.di_size);
	out_str(o, "  mtime ");
	mtime = mtime_of(&di, v->order);
	out_time(o, mtime.sec, mtime.nsec, pr->text.epoch);
}

/* --- buffers --- */

static uint64_t logged_bytes(const struct xfs_logitem_view *v)
{
	uint64_t n = 0;

	for (unsigned int i = 1; i < v->nregions; i++)
		n += v->regions[i].len_bytes;
	return n;
}

static void brief_buf(struct print *pr, const struct xfs_logitem_view *v)
{
	const struct xfs_buf_log_format *blf = &pr->block.image.blf;
	struct out *o = &pr->out;

	out_str(o, "daddr ");
	out_hex(o, blf->blf_blkno, 0);
	out_pad(o, pr->brief_column + LEN_AT, 2);
	out_str(o, "len ");
	out_uint(o, blf->blf_len);
	out_pad(o, pr->brief_column + KIND_AT, 2);
	if (blf->blf_flags & XFS_BLF_CANCEL) {
		out_str(o, "cancelled");
		if (v->geom) {
			out_char(o, ' ');
			print_block_place(pr, v->geom, blf->blf_blkno);
		}
		return;
	}
	print_block_brief(pr, v);
	out_str(o, "  regions ");
	out_uint(o, v->nregions - 1);
	out_str(o, " (");
	out_size(o, logged_bytes(v));
	out_char(o, ')');
}

/* --- quota and inode chunks --- */

static void brief_dquot(struct print *pr, const struct xfs_logitem_view *v)
{
	struct xfs_dq_logformat fmt;
	struct xfs_disk_dquot dq;
	struct out *o = &pr->out;

	xfs_dq_logformat_decode(&fmt, v->regions[0].data,
				v->regions[0].len_bytes, v->order);
	xfs_disk_dquot_decode(&dq, v->regions[1].data,
			      v->regions[1].len_bytes, XFS_BE);
	put_name_of(o, xfs_dqtype_names, dq.d_type & XFS_DQTYPE_REC_MASK);
	out_char(o, ' ');
	out_uint(o, fmt.qlf_id);
	out_pad(o, pr->brief_column + FIELDS_AT, 2);
	out_str(o, "daddr ");
	out_hex(o, fmt.qlf_blkno, 0);
	out_char(o, '+');
	out_uint(o, fmt.qlf_boffset);
	out_str(o, "  blocks ");
	out_uint(o, dq.d_bcount);
	out_str(o, "  inodes ");
	out_uint(o, dq.d_icount);
}

static void brief_quotaoff(struct print *pr, const struct xfs_logitem_view *v)
{
	struct xfs_qoff_logformat fmt;

	xfs_qoff_logformat_decode(&fmt, v->regions[0].data,
				  v->regions[0].len_bytes, v->order);
	text_flags(&pr->text, xfs_qoff_flag_names, fmt.qf_flags);
}

static void brief_icreate(struct print *pr, const struct xfs_logitem_view *v)
{
	struct xfs_icreate_log icl;
	struct out *o = &pr->out;

	xfs_icreate_log_decode(&icl, v->regions[0].data,
			       v->regions[0].len_bytes, v->order);
	put_agblock(pr, icl.icl_ag, icl.icl_agbno);
	out_char(o, '+');
	out_uint(o, icl.icl_length);
	out_pad(o, pr->brief_column + FIELDS_AT, 2);
	out_uint(o, icl.icl_count);
	out_str(o, " inodes of ");
	out_uint(o, icl.icl_isize);
	out_str(o, " bytes  gen ");
	out_hex(o, icl.icl_gen, 8);
}

/* --- intents --- */

static void put_owner(struct print *pr, uint64_t owner)
{
	const char *name = xfs_name_of(xfs_rmap_owner_names, owner);

	if (name)
		out_str(&pr->out, name);
	else
		out_hex(&pr->out, owner, 0);
}

static bool is_rt(uint16_t type)
{
	return type >= XFS_LI_EFI_RT && type <= XFS_LI_CUD_RT;
}

static void put_map_extent(struct print *pr, const struct xfs_logitem_view *v,
			   uint16_t type, uint32_t i)
{
	bool bmap = type == XFS_LI_BUI;
	struct xfs_map_extent e;
	struct out *o = &pr->out;

	xfs_map_intent_extent(v, i, &e);
	put_name_of(o, bmap ? xfs_bmap_op_names : xfs_rmap_op_names,
		    e.me_flags & XFS_EXTENT_OP_MASK);
	out_char(o, ' ');
	put_owner(pr, e.me_owner);
	out_str(o, " off ");
	out_uint(o, e.me_startoff);
	out_char(o, ' ');
	put_extent(pr, v, is_rt(type) || (bmap && e.me_flags &
		   XFS_BMAP_EXTENT_REALTIME), e.me_startblock, e.me_len);
	if (e.me_flags & XFS_RMAP_EXTENT_ATTR_FORK)	/* the same in BUI */
		out_str(o, " attr");
}

static void put_one_extent(struct print *pr, const struct xfs_logitem_view *v,
			   uint16_t type, uint32_t i)
{
	struct xfs_phys_extent phys;
	struct xfs_extent ext;

	switch (type) {
	case XFS_LI_RUI:
	case XFS_LI_RUI_RT:
	case XFS_LI_BUI:
		put_map_extent(pr, v, type, i);
		break;
	case XFS_LI_CUI:
	case XFS_LI_CUI_RT:
		xfs_cui_extent(v, i, &phys);
		put_name_of(&pr->out, xfs_refcount_op_names,
			    phys.pe_flags & XFS_EXTENT_OP_MASK);
		out_char(&pr->out, ' ');
		put_extent(pr, v, is_rt(type), phys.pe_startblock,
			   phys.pe_len);
		break;
	default:
		xfs_efi_extent(v, i, &ext);
		put_extent(pr, v, is_rt(type), ext.ext_start, ext.ext_len);
		break;
	}
}

static void brief_attri(struct print *pr, const struct xfs_logitem_view *v)
{
	struct xfs_logitem_attri a;
	struct out *o = &pr->out;

	if (xfs_logitem_attri(v, &a))
		return;
	put_name_of(o, xfs_attri_op_names,
		    a.fmt.alfi_op_flags & XFS_EXTENT_OP_MASK);
	out_char(o, ' ');
	out_hex(o, a.fmt.alfi_ino, 0);
	out_char(o, ' ');
	text_quoted(&pr->text, a.name, a.name_bytes);
	if (a.new_name) {
		out_str(o, " to ");
		text_quoted(&pr->text, a.new_name, a.new_name_bytes);
	}
	if (a.value) {
		out_str(o, " value ");
		out_uint(o, a.value_bytes);
		out_str(o, " bytes");
	}
}

static void brief_xmi(struct print *pr, const struct xfs_logitem_view *v)
{
	struct xfs_xmi_log_format x;
	struct out *o = &pr->out;

	xfs_xmi_log_format_decode(&x, v->regions[0].data,
				  v->regions[0].len_bytes, v->order);
	out_hex(o, x.xmi_inode1, 0);
	out_str(o, " off ");
	out_uint(o, x.xmi_startoff1);
	out_str(o, " with ");
	out_hex(o, x.xmi_inode2, 0);
	out_str(o, " off ");
	out_uint(o, x.xmi_startoff2);
	out_str(o, ", ");
	out_uint(o, x.xmi_blockcount);
	out_str(o, " blocks");
}

static void brief_intent(struct print *pr, const struct xfs_logitem_view *v,
			 uint16_t type)
{
	struct xfs_intent intent;
	struct out *o = &pr->out;
	uint32_t n;

	if (!xfs_logitem_intent(v, &intent))
		return;
	out_str(o, "id ");
	out_hex(o, intent.id, 0);
	if (type == XFS_LI_ATTRI || type == XFS_LI_XMI) {
		out_str(o, "  ");
		(type == XFS_LI_XMI ? brief_xmi : brief_attri)(pr, v);
		return;
	}
	n = xfs_logitem_extents(v);
	for (uint32_t i = 0; i < n && i < SHOWN_EXTENTS; i++) {
		out_str(o, i ? ", " : "  ");
		put_one_extent(pr, v, type, i);
	}
	if (n > SHOWN_EXTENTS) {
		out_str(o, " and ");
		out_uint(o, n - SHOWN_EXTENTS);
		out_str(o, " more");
	}
}

void brief_item(struct print *pr, const struct xfs_logitem_view *v)
{
	uint16_t type = xfs_logitem_type(v);

	pr->brief_column = out_column(&pr->out);
	switch (type) {
	case XFS_LI_INODE:
		brief_inode(pr, v);
		break;
	case XFS_LI_BUF:
		brief_buf(pr, v);
		break;
	case XFS_LI_DQUOT:
		brief_dquot(pr, v);
		break;
	case XFS_LI_QUOTAOFF:
		brief_quotaoff(pr, v);
		break;
	case XFS_LI_ICREATE:
		brief_icreate(pr, v);
		break;
	default:
		brief_intent(pr, v, type);
		break;
	}
}

/* --- JSON --- */

static void keys_of_buf(struct print *pr, const struct xfs_logitem_view *v)
{
	struct xfs_buf_runs it;
	struct xfs_buf_run run;
	struct jl *j = &pr->json;

	jl_uint(j, "daddr", pr->block.image.blf.blf_blkno);
	jl_uint(j, "bbs", pr->block.image.blf.blf_len);
	print_block_keys(pr, v);
	jl_open(j, "regions", '[');
	if (!xfs_buf_runs_init(&it, v))
		while (xfs_buf_runs_next(&it, &run)) {
			jl_open(j, NULL, '[');
			jl_element(j, run.off_bytes);
			jl_element(j, run.len_bytes);
			jl_close(j, ']');
		}
	jl_close(j, ']');
}

void brief_keys(struct print *pr, const struct xfs_logitem_view *v)
{
	struct xfs_logitem_inode inode;
	struct xfs_dq_logformat dq;
	struct xfs_icreate_log icl;
	struct xfs_intent intent;
	struct jl *j = &pr->json;

	switch (xfs_logitem_type(v)) {
	case XFS_LI_INODE:
		if (xfs_logitem_inode(v, &inode))
			return;
		jl_uint(j, "ino", inode.ilf.ilf_ino);
		jl_flags(j, "fields", xfs_ilog_names, inode.ilf.ilf_fields);
		break;
	case XFS_LI_BUF:
		keys_of_buf(pr, v);
		break;
	case XFS_LI_DQUOT:
		xfs_dq_logformat_decode(&dq, v->regions[0].data,
					v->regions[0].len_bytes, v->order);
		jl_uint(j, "id", dq.qlf_id);
		jl_uint(j, "daddr", dq.qlf_blkno);
		break;
	case XFS_LI_ICREATE:
		xfs_icreate_log_decode(&icl, v->regions[0].data,
				       v->regions[0].len_bytes, v->order);
		jl_uint(j, "ag", icl.icl_ag);
		jl_uint(j, "agbno", icl.icl_agbno);
		jl_uint(j, "count", icl.icl_count);
		break;
	default:
		if (xfs_logitem_intent(v, &intent))
			jl_uint(j, "id", intent.id);
		break;
	}
}
