/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What files hold; see fslook.h.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "libxfsfmt/attredit.h"
#include "libxfsfmt/btree.h"
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/da.h"
#include "libxfsfmt/dir.h"
#include "libxfsfmt/symlink.h"
#include "tests/lib/fslook_priv.h"

int look_bad(struct look *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(l->why, sizeof(l->why), fmt, ap);
	va_end(ap);
	return -1;
}

int look_get(struct look *l, uint64_t daddr, void *buf, size_t len)
{
	if (dev_read(l->fs, daddr * BB_SIZE, buf, len))
		return look_bad(l, "cannot read %" PRIu64, daddr);
	return 0;
}

static int get_fsb(struct look *l, uint64_t fsb, void *buf)
{
	if (!xfs_fsb_ok(&l->g, fsb, 1))
		return look_bad(l, "no block %" PRIu64, fsb);
	return look_get(l, xfs_fsb_to_daddr(&l->g, fsb), buf, l->g.blocksize);
}

uint32_t look_crc(const void *p, size_t len)
{
	return xfs_crc_final(xfs_crc32c(XFS_CRC_SEED, p, len));
}

/* --- lines --- */

static void add_line(struct look *l, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void add_line(struct look *l, const char *fmt, ...)
{
	char *line;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&line, fmt, ap) < 0)
		abort();
	va_end(ap);
	if (l->nlines == l->lines_room) {
		l->lines_room = l->lines_room ? 2 * l->lines_room : 64;
		l->lines = realloc(l->lines, l->lines_room * sizeof(char *));
		if (!l->lines)
			abort();
	}
	l->lines[l->nlines++] = line;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void flush_lines(struct look *l)
{
	if (l->nlines)
		qsort(l->lines, l->nlines, sizeof(char *), by_text);
	for (size_t i = 0; i < l->nlines; i++) {
		fputs(l->lines[i], l->out);
		free(l->lines[i]);
	}
	l->nlines = 0;
}

static char *quoted(const uint8_t *name, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	static char text[3 * 256 + 1];
	char *p = text;

	for (size_t i = 0; i < len; i++) {
		if (name[i] > ' ' && name[i] < 0x7f && name[i] != '\\') {
			*p++ = (char)name[i];
			continue;
		}
		*p++ = '\\';
		*p++ = hex[name[i] >> 4];
		*p++ = hex[name[i] & 15];
	}
	*p = '\0';
	return text;
}

/* --- extents --- */

static void add_extent(struct look *l, const uint8_t *rec)
{
	struct xfs_bmbt_rec r;

	xfs_bmbt_rec_decode(&r, rec, xfs_bmbt_rec_size, XFS_BE);
	if (l->next == l->room) {
		l->room = l->room ? 2 * l->room : 64;
		l->ext = realloc(l->ext, l->room * sizeof(*l->ext));
		if (!l->ext)
			abort();
	}
	/* pieces of one extent are one, however they are kept */
	if (l->next) {
		struct extent *e = &l->ext[l->next - 1];

		if (e->off + e->len == r.br_startoff &&
		    e->block + e->len == r.br_startblock &&
		    e->unwritten == (r.br_state != 0)) {
			e->len += r.br_blockcount;
			return;
		}
	}
	l->ext[l->next++] = (struct extent){
		r.br_startoff, r.br_startblock, r.br_blockcount,
		r.br_state != 0,
	};
}

static int walk_map(struct look *l, uint64_t fsb, unsigned int level)
{
	size_t hdr = xfs_btree_hdr_bytes(XFS_BTREE_BMAP, l->g.v5), max;
	uint8_t *b = malloc(l->g.blocksize);
	int rc;

	if (!b)
		abort();
	rc = get_fsb(l, fsb, b);
	l->map_blocks++;
	if (!rc && (get_be16(b + 4) != level || level > DEEP))
		rc = look_bad(l, "extent tree at %" PRIu64, fsb);
	max = xfs_btree_room(XFS_BTREE_BMAP, l->g.v5, !level, l->g.blocksize);
	if (!rc && get_be16(b + 6) > max)
		rc = look_bad(l, "extent tree at %" PRIu64, fsb);
	for (size_t i = 0; !rc && i < get_be16(b + 6); i++) {
		if (!level)
			add_extent(l, b + hdr + 16 * i);
		else
			rc = walk_map(l, get_be64(b + hdr + 8 * max + 8 * i),
				      level - 1);
	}
	free(b);
	return rc;
}

int look_map(struct look *l, unsigned int format, const uint8_t *fork,
		    size_t bytes, uint64_t count)
{
	int rc = 0;

	l->next = 0;
	if (format == XFS_DINODE_FMT_EXTENTS) {
		if (count > bytes / 16)
			return look_bad(l, "more extents than room");
		while (count--) {
			add_extent(l, fork);
			fork += 16;
		}
	} else if (format == XFS_DINODE_FMT_BTREE) {
		size_t max = xfs_bmdr_room(XFS_BTREE_BMAP, false, bytes);
		unsigned int level = get_be16(fork);

		if (get_be16(fork + 2) > max || !level || level > DEEP)
			return look_bad(l, "root of an extent tree");
		for (size_t i = 0; !rc && i < get_be16(fork + 2); i++)
			rc = walk_map(l, get_be64(fork + 4 + 8 * max + 8 * i),
				      level - 1);
	}
	return rc;
}

/* --- contents --- */

int look_data(struct look *l)
{
	uint32_t crc = XFS_CRC_SEED;
	uint8_t *b = malloc(l->g.blocksize);
	int rc = 0;

	if (!b)
		abort();
	for (size_t i = 0; i < l->next && !rc; i++) {
		const struct extent *e = &l->ext[i];

		fprintf(l->out, "  ext %" PRIu64 " %" PRIu64 " %" PRIu64 "%s\n",
			e->off, e->block, e->len, e->unwritten ? " u" : "");
		for (uint64_t n = 0; n < e->len && !rc && !e->unwritten; n++) {
			rc = get_fsb(l, e->block + n, b);
			if (!rc)
				crc = xfs_crc32c(crc, b, l->g.blocksize);
		}
	}
	fprintf(l->out, "  data %08x\n", crc);
	free(b);
	return rc;
}

static int look_dir_block(struct look *l, const uint8_t *b, size_t len)
{
	uint32_t magic = get_be32(b);
	bool v5 = magic == 0x58444233 || magic == 0x58444433;
	bool block = magic == 0x58443242 || magic == 0x58444233;
	size_t at = v5 ? 64 : 16, end = len;

	if (!v5 && magic != 0x58443242 && magic != 0x58443244)
		return look_bad(l, "directory block %08x", magic);
	if (block)
		end -= 8 + 8 * (size_t)get_be32(b + len - 8);
	while (at < end) {
		size_t name, bytes;

		if (get_be16(b + at) == 0xffff) {
			bytes = get_be16(b + at + 2);
		} else if (end - at < 16) {
			return look_bad(l, "entry of a directory");
		} else {
			name = b[at + 8];
			bytes = (8 + 1 + name + l->g.ftype + 2 + 7) & ~(size_t)7;
			if (bytes > end - at)
				return look_bad(l, "entry of a directory");
			add_line(l, "  entry %s %" PRIu64 " %u\n",
				 quoted(b + at + 9, name), get_be64(b + at),
				 l->g.ftype ? b[at + 9 + name] : 0);
		}
		if (!bytes || bytes > end - at)
			return look_bad(l, "entry of a directory");
		at += bytes;
	}
	return 0;
}

static const struct extent *extent_of(const struct look *l, uint64_t off)
{
	for (size_t i = 0; i < l->next; i++)
		if (off - l->ext[i].off < l->ext[i].len)
			return &l->ext[i];
	return NULL;
}

int look_dir(struct look *l)
{
	uint64_t per = l->g.dirblock_bytes / l->g.blocksize;
	uint64_t end = (UINT64_C(1) << LEAF_OFFSET_LOG) >> l->g.blocklog;
	uint8_t *b = malloc(l->g.dirblock_bytes);
	uint64_t last = 0;
	int rc = 0;

	if (!b)
		abort();
	for (size_t i = 0; i < l->next; i++)
		if (l->ext[i].off < end)
			last = l->ext[i].off + l->ext[i].len;
	for (uint64_t off = 0; off < last && !rc; off += per) {
		bool there = true;

		for (uint64_t n = 0; n < per && !rc && there; n++) {
			const struct extent *e = extent_of(l, off + n);

			there = e;
			if (e)
				rc = get_fsb(l, e->block + off + n - e->off,
					     b + n * l->g.blocksize);
		}
		if (!rc && there)
			rc = look_dir_block(l, b, l->g.dirblock_bytes);
	}
	free(b);
	flush_lines(l);
	return rc;
}

int look_sf_dir(struct look *l, const uint8_t *fork, size_t len)
{
	struct xfs_dir_sf_item item;
	struct xfs_dir_sf sf;

	if (!xfs_dir_sf_init(&sf, fork, len, l->g.ftype))
		return look_bad(l, "shortform directory");
	fprintf(l->out, "  parent %" PRIu64 "\n", sf.parent);
	while (xfs_dir_sf_next(&sf, &item))
		add_line(l, "  entry %s %" PRIu64 " %u\n",
			 quoted(item.name, item.namelen), item.ino,
			 item.ftype);
	flush_lines(l);
	return 0;
}

int look_symlink(struct look *l, uint64_t size)
{
	uint8_t *b = malloc(l->g.blocksize);
	uint32_t crc = XFS_CRC_SEED;
	size_t hdr = l->g.v5 ? xfs_symlink_hdr_size : 0;
	int rc = 0;

	if (!b)
		abort();
	for (size_t i = 0; i < l->next && !rc; i++)
		for (uint64_t n = 0; n < l->ext[i].len && !rc && size; n++) {
			size_t bytes = l->g.blocksize - hdr;

			rc = get_fsb(l, l->ext[i].block + n, b);
			if (bytes > size)
				bytes = size;
			crc = xfs_crc32c(crc, b + hdr, bytes);
			size -= bytes;
		}
	fprintf(l->out, "  data %08x\n", crc);
	free(b);
	return rc;
}

/* --- attributes --- */

static void add_attr(struct look *l, uint8_t flags, const uint8_t *name,
		     size_t name_bytes, uint32_t crc, uint32_t bytes)
{
	add_line(l, "  attr %02x %s %u %08x\n", flags & ~XFS_ATTR_LOCAL,
		 quoted(name, name_bytes), bytes, crc);
}

static int remote_value(struct look *l, const struct xfs_attr_entry *e,
			uint32_t *crc)
{
	uint32_t left = e->value_bytes, block = e->value_block;
	size_t hdr = l->g.v5 ? xfs_attr3_rmt_hdr_size : 0;
	uint8_t *b = malloc(l->g.blocksize);
	int rc = 0;

	if (!b)
		abort();
	for (*crc = XFS_CRC_SEED; left && !rc; block++) {
		const struct extent *x = extent_of(l, block);
		uint32_t bytes = (uint32_t)(l->g.blocksize - hdr);

		if (bytes > left)
			bytes = left;
		rc = x ? get_fsb(l, x->block + block - x->off, b) :
			 look_bad(l, "value of an attribute");
		if (!rc && l->g.v5 && get_be32(b) != XFS_ATTR3_RMT_MAGIC)
			rc = look_bad(l, "block of a value");
		if (!rc)
			*crc = xfs_crc32c(*crc, b + hdr, bytes);
		left -= bytes;
	}
	*crc = xfs_crc_final(*crc);
	free(b);
	return rc;
}

static int look_leaf(struct look *l, const uint8_t *b)
{
	struct xfs_attr_leaf leaf;
	int rc = 0;

	if (xfs_attr_leaf_verify(b, l->g.blocksize, &l->g))
		return look_bad(l, "leaf of attributes");
	xfs_attr_leaf_look(&leaf, b, &l->g);
	for (uint32_t i = 0; i < leaf.count && !rc; i++) {
		struct xfs_attr_entry e;
		uint32_t crc = 0;

		xfs_attr_leaf_entry(&leaf, i, &e);
		if (e.flags & XFS_ATTR_LOCAL)
			crc = look_crc(e.value, e.value_bytes);
		else if (!(e.flags & XFS_ATTR_INCOMPLETE))
			rc = remote_value(l, &e, &crc);
		add_attr(l, e.flags, e.name, e.name_bytes, crc, e.value_bytes);
	}
	return rc;
}

int look_attrs(struct look *l, const struct xfs_dinode *di,
		      const uint8_t *fork, size_t bytes)
{
	uint16_t want = l->g.v5 ? XFS_ATTR3_LEAF_MAGIC : XFS_ATTR_LEAF_MAGIC;
	uint32_t off = 0;
	struct xfs_attr a;
	uint8_t *b;
	int rc;

	if (di->di_aformat == XFS_DINODE_FMT_LOCAL) {
		if (xfs_attr_sf_verify(fork, bytes))
			return look_bad(l, "shortform attributes");
		while (xfs_attr_sf_next(fork, &off, &a))
			add_attr(l, a.space, a.name, a.name_bytes,
				 look_crc(a.value, a.value_bytes),
				 a.value_bytes);
		flush_lines(l);
		return 0;
	}
	rc = look_map(l, di->di_aformat, fork, bytes, xfs_dinode_anextents(di));
	b = malloc(l->g.blocksize);
	if (!b)
		abort();
	for (size_t i = 0; i < l->next && !rc; i++)
		for (uint64_t n = 0; n < l->ext[i].len && !rc; n++) {
			rc = get_fsb(l, l->ext[i].block + n, b);
			/* values may look like anything, but hold a header */
			if (!rc && get_be16(b + XFS_DA_MAGIC_OFF) == want &&
			    !get_be16(b + XFS_DA_MAGIC_OFF + 2) &&
			    (!l->g.v5 || get_be32(b) != XFS_ATTR3_RMT_MAGIC))
				rc = look_leaf(l, b);
		}
	free(b);
	flush_lines(l);
	return rc;
}
