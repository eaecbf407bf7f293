/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One log item. First byte: its type, which overwrites the first word of
 * region 0; second: bit 0 big-endian, the rest a geometry; third: regions,
 * each 16 bits of length and as many bytes.
 */
#include "libxfsfmt/block.h"
#include "libxfsfmt/fork.h"
#include "libxfsfmt/logitem.h"
#include "tests/fuzz/fuzz.h"

enum { LI_FIRST = 0x1236 };

static void touch_thing(void *ctx, const struct xfs_touch *thing)
{
	struct touch *t = ctx;

	if (!thing->count || thing->first + (thing->count - 1) < thing->first)
		abort();
	t->sum += thing->first + thing->count;
}

static void show_buffer(const struct xfs_logitem_view *v, struct touch *t)
{
	uint8_t *buf = malloc(XFS_BUF_LOG_MAX_BYTES);
	const struct xfs_block_type *type;
	struct xfs_buf_image image;
	struct xfs_walk w;

	if (!buf)
		return;
	xfs_logitem_buf_image(v, buf, XFS_BUF_LOG_MAX_BYTES, &image);
	w = (struct xfs_walk){ .base = buf, .len_bytes = image.len_bytes,
		.chunks = image.chunks, .order = v->order, .geom = v->geom,
		.ops = &touch_ops, .ctx = t };
	type = xfs_block_identify_item(&w, image.blf.blf_flags);
	t->sum += xfs_block_summarize(&w, type).lsn;
	xfs_block_walk(&w, type);
	free(buf);
}

static void show_inode(const struct xfs_logitem_view *v, struct touch *t)
{
	struct xfs_logitem_inode inode;
	struct xfs_dinode di;
	struct xfs_walk w = { .order = v->order, .geom = v->geom,
			      .ops = &touch_ops, .ctx = t };

	if (xfs_logitem_inode(v, &inode))
		return;
	if (inode.core) {
		w.base = inode.core->data;
		w.len_bytes = inode.core->len_bytes;
		xfs_log_dinode_walk(&w);
		xfs_dinode_decode(&di, w.base, w.len_bytes, v->order);
	}
	w.order = XFS_BE;
	if (inode.dfork) {
		w.base = inode.dfork->data;
		w.len_bytes = inode.dfork_bytes;
		xfs_log_fork_walk(&w, inode.ilf.ilf_fields, false,
				  inode.core ? &di : NULL);
	}
	if (inode.afork) {
		w.base = inode.afork->data;
		w.len_bytes = inode.afork_bytes;
		xfs_log_fork_walk(&w, inode.ilf.ilf_fields, true,
				  inode.core ? &di : NULL);
	}
}

static void show(const struct xfs_logitem_view *v, struct touch *t)
{
	struct xfs_logitem_attri attri;
	struct xfs_intent intent;

	xfs_logitem_verify(v);
	xfs_logitem_walk(v, &touch_ops, t);
	xfs_logitem_touches(v, touch_thing, t);
	if (xfs_logitem_intent(v, &intent))
		t->sum += intent.id;
	switch (xfs_logitem_type(v)) {
	case XFS_LI_BUF:
		show_buffer(v, t);
		break;
	case XFS_LI_INODE:
		show_inode(v, t);
		break;
	case XFS_LI_ATTRI:
		if (xfs_logitem_attri(v, &attri))
			break;
		touch_bytes(t, attri.name, attri.name_bytes);
		touch_bytes(t, attri.new_name, attri.new_name_bytes);
		touch_bytes(t, attri.value, attri.value_bytes);
		touch_bytes(t, attri.new_value, attri.new_value_bytes);
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xfs_log_region regions[XFS_LOGITEM_MAX_REGIONS];
	uint8_t *copy[XFS_LOGITEM_MAX_REGIONS];
	struct xfs_logitem_view v = { .regions = regions };
	struct touch t = { .sum = 0 };
	unsigned int type, want;

	if (size < 3)
		return 0;
	type = LI_FIRST + data[0] % 26u;	/* one beyond the last */
	v.order = data[1] & 1 ? XFS_BE : XFS_LE;
	v.geom = fuzz_geom(data[1] >> 1);
	want = data[2] + 1u;
	data += 3;
	size -= 3;
	while (v.nregions < want && size >= 2) {
		size_t len = get_be16(data);
		uint8_t *p;

		data += 2;
		size -= 2;
		if (len > size)
			len = size;
		p = malloc(len ? len : 1);
		if (!p)
			break;
		memcpy(p, data, len);
		if (!v.nregions && len >= 2) {
			if (v.order == XFS_BE)
				put_be16(p, (uint16_t)type);
			else
				put_le16(p, (uint16_t)type);
		}
		copy[v.nregions] = p;
		regions[v.nregions++] = (struct xfs_log_region){
			.data = p, .len_bytes = (uint32_t)len };
		data += len;
		size -= len;
	}
	if (v.nregions)
		show(&v, &t);
	for (unsigned int i = 0; i < v.nregions; i++)
		free(copy[i]);
	return touched(&t);
}
