/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Free realtime extents: the bits that are set in the bitmap, which is the
 * file sb_rbmino, or one file for each realtime group. Without groups it is
 * bare words in the byte order of the machine that wrote them; with groups
 * each block has a header and its words are big-endian.
 */
#include <stdlib.h>

#include "libxfsfmt/rt.h"
#include "libxlog/replay/counters.h"
#include "libxlog/replay/fsread.h"

enum { WORD_BITS = 32 };

static const uint32_t READ_BYTES = 1 << 18;	/* at once, without groups */

struct bitmap {
	struct replay	*r;
	const struct fsinode *in;
	bool		has_header;
	enum xfs_order	order;
	uint64_t	bits_left;	/* extents not yet seen */
	uint64_t	next_block;	/* of the file */
	uint64_t	set;
	uint8_t		*buf;		/* READ_BYTES, or a block if larger */
};

static int bad_bitmap(const struct bitmap *b, const char *why)
{
	return replay_refuse(b->r, -EUCLEAN, "fs.rtbitmap", XLOG_LSN_NONE,
			     "realtime bitmap, inode %llu: %s",
			     (unsigned long long)b->in->ino, why);
}

/* The first extent of a word is its lowest bit. */
static void count_words(struct bitmap *b, const uint8_t *p, size_t len_bytes)
{
	for (; len_bytes && b->bits_left; p += 4, len_bytes -= 4) {
		uint32_t word = get_w32(p, b->order);

		if (b->bits_left < WORD_BITS) {
			word &= ((uint32_t)1 << b->bits_left) - 1;
			b->bits_left = 0;
		} else {
			b->bits_left -= WORD_BITS;
		}
		b->set += (uint64_t)__builtin_popcount(word);
	}
}

static int count_blocks(struct bitmap *b, xfs_daddr_t daddr, uint32_t blocks)
{
	const struct xfs_geom *g = &b->r->geom;
	size_t len = (size_t)blocks << g->blocklog;
	const char *why;
	int rc;

	rc = replay_read(b->r, daddr, (uint32_t)(len / BB_SIZE), b->buf);
	if (rc)
		return rc;
	if (!b->has_header) {
		count_words(b, b->buf, len);
		return 0;
	}
	why = xfs_rtbuf_verify(b->buf, len, g, daddr);
	if (!why && get_be32(b->buf) != XFS_RTBITMAP_MAGIC)
		why = "bad magic";
	if (why)
		return bad_bitmap(b, why);
	count_words(b, b->buf + xfs_rtbuf_size, len - xfs_rtbuf_size);
	return 0;
}

static int count_extent(void *ctx, const struct xfs_bmbt_rec *extent)
{
	struct bitmap *b = ctx;
	const struct xfs_geom *g = &b->r->geom;
	uint32_t left = (uint32_t)extent->br_blockcount, n;
	/* each block with a header is looked at by itself */
	uint32_t max = b->has_header ? 1 : READ_BYTES >> g->blocklog;
	xfs_fsblock_t fsb = extent->br_startblock;
	int rc = 0;

	/* the file may be longer than the bitmap */
	if (!b->bits_left)
		return 0;
	if (extent->br_startoff != b->next_block)
		return bad_bitmap(b, "has a hole");
	b->next_block += left;
	for (; left && b->bits_left && !rc; left -= n, fsb += n) {
		n = left < max ? left : max;
		rc = count_blocks(b, xfs_fsb_to_daddr(g, fsb), n);
	}
	return rc;
}

static int count_file(struct bitmap *b)
{
	int rc;

	b->buf = malloc(READ_BYTES);
	if (!b->buf)
		return replay_no_memory(b->r);
	rc = fsread_extents(b->r, b->in, count_extent, b);
	if (!rc && b->bits_left)
		rc = bad_bitmap(b, "too short");
	free(b->buf);
	return rc;
}

static int count_group(struct replay *r, void *ctx, uint32_t rgno,
		       const struct fsinode *in)
{
	uint64_t *sum = ctx;
	struct bitmap b = {
		.r = r,
		.in = in,
		.has_header = true,
		.order = XFS_BE,
		.bits_left = rtgroup_blocks(&r->geom, rgno) /
			     r->sb.sb_rextsize,
	};
	int rc = count_file(&b);

	*sum += b.set;
	return rc;
}

/* Of the machine that wrote the log, which used the filesystem last. */
static int writers_order(struct replay *r, enum xfs_order *order)
{
	uint32_t block = xlog_lsn_block(r->res->bounds.last_record);
	uint8_t raw[BB_SIZE];
	struct xlog_rec_head h;
	int rc;

	if (r->opts->order != XLOG_ORDER_AUTO) {
		*order = r->opts->order == XLOG_ORDER_BE ? XFS_BE : XFS_LE;
		return 0;
	}
	rc = log_read_wrapped(r->log, block, 1, raw);
	if (rc)
		return rc;
	xlog_rec_head_decode(&h, raw);
	*order = h.fmt == XLOG_FMT_LINUX_LE ? XFS_LE : XFS_BE;
	return 0;
}

int counters_realtime(struct replay *r, uint64_t *out)
{
	struct bitmap b = { .r = r, .bits_left = r->sb.sb_rextents };
	struct fsinode *in;
	int rc;

	*out = 0;
	if (r->geom.metadir)
		return rtgroup_each(r, "bitmap", XFS_METAFILE_RTBITMAP,
				    count_group, out);
	rc = writers_order(r, &b.order);
	if (rc)
		return rc;
	in = malloc(sizeof(*in));
	if (!in)
		return replay_no_memory(r);
	b.in = in;
	rc = fsread_inode(r, r->sb.sb_rbmino, in);
	if (!rc)
		rc = count_file(&b);
	*out = b.set;
	free(in);
	return rc;
}
