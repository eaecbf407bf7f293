/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BUF items: a bitmap of the 128-byte chunks of a buffer that changed, and
 * the chunks. Runs of set bits and regions go side by side: each run is one
 * region, unless the writer's buffer was not contiguous in its memory and the
 * run was cut at a page; then the next region goes on with it.
 */
#include "libxfsfmt/geom.h"
#include "libxfsfmt/inode.h"
#include "libxfsfmt/logitem_priv.h"

XFS_DEFINE(xfs_buf_log_format, XFS_BUF_LOG_FORMAT_ROWS)
XFS_DEFINE_ENCODE(xfs_buf_log_format, XFS_BUF_LOG_FORMAT_ROWS)

const struct xfs_name xfs_blf_flag_names[] = {
	{ XFS_BLF_INODE_BUF, "inode_buf" },
	{ XFS_BLF_CANCEL, "cancel" },
	{ XFS_BLF_UDQUOT_BUF, "udquot_buf" },
	{ XFS_BLF_PDQUOT_BUF, "pdquot_buf" },
	{ XFS_BLF_GDQUOT_BUF, "gdquot_buf" },
	{ .name = NULL },
};

const struct xfs_name xfs_blft_names[] = {
	{ XFS_BLFT_UNKNOWN, "unknown" },
	{ XFS_BLFT_UDQUOT, "udquot" },
	{ XFS_BLFT_PDQUOT, "pdquot" },
	{ XFS_BLFT_GDQUOT, "gdquot" },
	{ XFS_BLFT_BTREE, "btree" },
	{ XFS_BLFT_AGF, "agf" },
	{ XFS_BLFT_AGFL, "agfl" },
	{ XFS_BLFT_AGI, "agi" },
	{ XFS_BLFT_DINO, "dino" },
	{ XFS_BLFT_SYMLINK, "symlink" },
	{ XFS_BLFT_DIR_BLOCK, "dir_block" },
	{ XFS_BLFT_DIR_DATA, "dir_data" },
	{ XFS_BLFT_DIR_FREE, "dir_free" },
	{ XFS_BLFT_DIR_LEAF1, "dir_leaf1" },
	{ XFS_BLFT_DIR_LEAFN, "dir_leafn" },
	{ XFS_BLFT_DA_NODE, "da_node" },
	{ XFS_BLFT_ATTR_LEAF, "attr_leaf" },
	{ XFS_BLFT_ATTR_RMT, "attr_rmt" },
	{ XFS_BLFT_SB, "sb" },
	{ XFS_BLFT_RTBITMAP, "rtbitmap" },
	{ XFS_BLFT_RTSUMMARY, "rtsummary" },
	{ .name = NULL },
};

/*
 * The two parts of blf_flags (offset 4), each in one byte of it: which one
 * is a matter of the writer's order. Bits 5 to 10 have no meaning.
 */
static const struct xfs_field flag_parts[2][3] = {
	[XFS_BE] = {
		XFS_TABLE_ROW("flags", xfs_blf_flag_names, 5, 1, bits, FLAGS,
			      3, 5, 0, 0)
		XFS_TABLE_ROW("content", xfs_blft_names, 4, 1, bits, ENUM,
			      0, 5, 0, 0)
		{ .name = NULL },
	},
	[XFS_LE] = {
		XFS_TABLE_ROW("flags", xfs_blf_flag_names, 4, 1, bits, FLAGS,
			      3, 5, 0, 0)
		XFS_TABLE_ROW("content", xfs_blft_names, 5, 1, bits, ENUM,
			      0, 5, 0, 0)
		{ .name = NULL },
	},
};

static const struct xfs_field map_field = {
	.name = "blf_data_map",
	.off_bytes = xfs_buf_log_format_size,
	.type = XFS_TYPE_w32,
	.kind = XFS_KIND_HEX,
};

const char *xfs_buf_runs_init(struct xfs_buf_runs *it,
			      const struct xfs_logitem_view *v)
{
	uint32_t bytes = logitem_fmt_bytes(v);

	*it = (struct xfs_buf_runs){ .v = v, .region = 1 };
	if (bytes < xfs_buf_log_format_size)
		return it->why = "buffer format too short";
	xfs_buf_log_format_decode(&it->blf, v->regions[0].data, bytes,
				  v->order);
	if (it->blf.blf_map_size > (bytes - xfs_buf_log_format_size) / 4)
		return it->why = "bitmap longer than its region";
	if (!it->blf.blf_len ||
	    it->blf.blf_len > XFS_BUF_LOG_MAX_BYTES / BB_SIZE)
		return it->why = "buffer length out of range";
	it->map_bits = it->blf.blf_map_size;
	if (it->map_bits > UINT32_MAX / 32)
		return it->why = "bitmap out of range";
	it->map_bits *= 32;
	return NULL;
}

/* Bits of the bitmap from @bit to the end of its word, @bit as the lowest. */
static uint32_t map_rest(const struct xfs_buf_runs *it, uint32_t bit)
{
	const uint8_t *map = it->v->regions[0].data + xfs_buf_log_format_size;

	return get_w32(map + bit / 32 * 4, it->v->order) >> bit % 32;
}

static uint32_t find_set(const struct xfs_buf_runs *it, uint32_t bit)
{
	while (bit < it->map_bits) {
		uint32_t rest = map_rest(it, bit);

		if (rest)
			return bit + (uint32_t)__builtin_ctz(rest);
		bit += 32 - bit % 32;
	}
	return it->map_bits;
}

static uint32_t find_clear(const struct xfs_buf_runs *it, uint32_t bit)
{
	while (bit < it->map_bits) {
		/* the bits shifted in are clear: ask for those that are there */
		uint32_t room = 32 - bit % 32;
		uint32_t clear = ~map_rest(it, bit);
		uint32_t n = clear ? (uint32_t)__builtin_ctz(clear) : 32;

		if (n < room)
			return bit + n;
		bit += room;
	}
	return it->map_bits;
}

bool xfs_buf_runs_next(struct xfs_buf_runs *it, struct xfs_buf_run *run)
{
	const struct xfs_log_region *r;
	uint32_t first, chunks;

	if (it->why)
		return false;
	first = find_set(it, it->bit);
	if (first == it->map_bits) {
		it->bit = first;
		return false;
	}
	chunks = find_clear(it, first) - first;
	if (first + chunks > it->blf.blf_len * (BB_SIZE / XFS_CHUNK_BYTES)) {
		it->why = "bitmap reaches past the end of the buffer";
		return false;
	}
	r = logitem_region(it->v, it->region);
	if (!r) {
		it->why = "bitmap has more chunks than there are regions";
		return false;
	}
	if (!r->len_bytes || r->len_bytes % XFS_CHUNK_BYTES) {
		it->why = "region does not hold whole chunks";
		return false;
	}
	if (r->len_bytes / XFS_CHUNK_BYTES > chunks) {
		it->why = "region longer than its run in the bitmap";
		return false;
	}
	*run = (struct xfs_buf_run){
		.off_bytes = first * XFS_CHUNK_BYTES,
		.len_bytes = r->len_bytes,
		.data = r->data,
		.region = it->region,
	};
	it->bit = first + r->len_bytes / XFS_CHUNK_BYTES;
	it->region++;
	return true;
}

const char *xfs_buf_runs_why(const struct xfs_buf_runs *it)
{
	if (it->why)
		return it->why;
	return it->region < it->v->nregions ?
	       "more regions than chunks in the bitmap" : NULL;
}

static void image_add(struct xfs_buf_image *image, uint8_t *buf,
		      const struct xfs_buf_run *run)
{
	uint32_t first = run->off_bytes / XFS_CHUNK_BYTES;
	uint32_t end = first + run->len_bytes / XFS_CHUNK_BYTES;

	memcpy(buf + run->off_bytes, run->data, run->len_bytes);
	for (uint32_t c = first; c < end; c++)
		image->chunks[c / 32] |= 1u << c % 32;
}

const char *xfs_logitem_buf_image(const struct xfs_logitem_view *v, void *buf,
				  size_t room_bytes,
				  struct xfs_buf_image *image)
{
	struct xfs_buf_runs it;
	struct xfs_buf_run run;
	const char *why = xfs_buf_runs_init(&it, v);
	uint32_t len_bytes = (uint32_t)it.blf.blf_len * BB_SIZE;

	*image = (struct xfs_buf_image){ .blf = it.blf };
	if (why)
		return why;
	if (len_bytes > room_bytes)
		return "no room for the buffer";
	memset(buf, 0, len_bytes);
	image->len_bytes = len_bytes;
	if (it.blf.blf_flags & XFS_BLF_CANCEL)
		return NULL;
	while (xfs_buf_runs_next(&it, &run))
		image_add(image, buf, &run);
	return xfs_buf_runs_why(&it);
}

/* Of an inode buffer only these words are replayed; 0 is no list's end. */
static const char *check_unlinked(const struct xfs_buf_run *run,
				  uint32_t inodesize)
{
	uint32_t end = run->off_bytes + run->len_bytes;
	uint32_t off = run->off_bytes / inodesize * inodesize +
		       XFS_DINODE_UNLINKED_OFF;

	for (; off + 4 <= end; off += inodesize)
		if (off >= run->off_bytes &&
		    !get_be32(run->data + (off - run->off_bytes)))
			return "unlinked list of an inode leads to inode 0";
	return NULL;
}

static const char *buf_verify(const struct xfs_logitem_view *v)
{
	struct xfs_buf_runs it;
	struct xfs_buf_run run;
	const char *why = xfs_buf_runs_init(&it, v);
	bool inodes = v->geom && it.blf.blf_flags & XFS_BLF_INODE_BUF;

	if (why || it.blf.blf_flags & XFS_BLF_CANCEL)
		return why;
	while (!why && xfs_buf_runs_next(&it, &run))
		if (inodes)
			why = check_unlinked(&run, v->geom->inodesize);
	return why ? why : xfs_buf_runs_why(&it);
}

static void buf_walk(const struct xfs_logitem_view *v,
		     const struct xfs_walk *w)
{
	struct xfs_field map = map_field;
	uint32_t words, room;

	xfs_walk_fields(w, xfs_buf_log_format_fields, 0, 0);
	if (w->len_bytes < xfs_buf_log_format_size)
		return;
	xfs_walk_fields(w, flag_parts[v->order], 0, 0);
	words = get_w32(w->base + 16, v->order);
	room = (uint32_t)(w->len_bytes - xfs_buf_log_format_size) / 4;
	if (words > room)
		words = room;
	/* no buffer has more: what would follow is no bitmap */
	map.count = (uint16_t)(words < XFS_BUF_LOG_MAP_WORDS ?
			       words : XFS_BUF_LOG_MAP_WORDS);
	if (map.count)
		w->ops->field(w->ctx, &map, w->base, v->order);
}

/* Name the inodes of a buffer that the item logs something of. */
static void touch_logged_inodes(struct xfs_buf_runs *it,
				const struct touch_sink *sink)
{
	const struct xfs_geom *g = sink->geom;
	uint64_t fsb = it->blf.blf_blkno >> (g->blocklog - BB_SHIFT);
	uint64_t agno = fsb / g->agblocks;
	xfs_ino_t base;
	struct xfs_buf_run run;

	if (agno >= UINT32_MAX)
		return;
	base = xfs_ino_make(g, (xfs_agnumber_t)agno,
			    (xfs_agino_t)(fsb % g->agblocks) << g->inopblog);
	while (xfs_buf_runs_next(it, &run)) {
		uint32_t first = run.off_bytes / g->inodesize;
		uint32_t last = (run.off_bytes + run.len_bytes - 1) /
				g->inodesize;

		xfs_touch_inodes(sink, base + first, last - first + 1);
	}
}

static void buf_touches(const struct xfs_logitem_view *v,
			const struct touch_sink *sink)
{
	struct xfs_buf_runs it;

	if (xfs_buf_runs_init(&it, v))
		return;
	xfs_touch_daddr(sink, it.blf.blf_blkno, it.blf.blf_len);
	if (sink->geom && !(it.blf.blf_flags & XFS_BLF_CANCEL) &&
	    xfs_blf_content(it.blf.blf_flags) == XFS_BLFT_DINO)
		touch_logged_inodes(&it, sink);
}

const struct xfs_logitem_ops xfs_logitem_buf_ops = {
	1, XFS_LOGITEM_MAX_REGIONS, buf_verify, buf_walk, buf_touches,
};
