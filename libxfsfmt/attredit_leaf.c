/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attributes in a leaf; see attredit.h. Entries, sorted by hash, grow from the
 * header upwards; names with values lie anywhere behind them. Three free areas
 * are remembered; others are lost to the leaf until it is packed, which the
 * flag for holes says would help.
 */
#include "libxfsfmt/attredit.h"

enum {
	ENTRY = 8,			/* bytes of an entry */
	LOCAL = 3, REMOTE = 9,		/* in front of a name */
	REMOTE_SLACK = 2,		/* counted, but not used */
	MAPS = XFS_ATTR_LEAF_FREEMAPS,
	BLOCK_MAX_BYTES = 65536,

	/* in the header, from where the version 4 and 5 part ways */
	H_COUNT = 0, H_USED = 2, H_FIRST = 4, H_HOLES = 6, H_MAP = 8,
};

static uint32_t round4(uint32_t n)
{
	return (n + 3) & ~(uint32_t)3;
}

static uint32_t local_bytes(uint32_t name_bytes, uint32_t value_bytes)
{
	return round4(LOCAL + name_bytes + value_bytes);
}

static uint32_t remote_bytes(uint32_t name_bytes)
{
	return round4(REMOTE + REMOTE_SLACK + name_bytes);
}

uint32_t xfs_attr_leaf_bytes(const struct xfs_attr *a, uint32_t blocksize,
			     bool *local)
{
	uint32_t bytes = local_bytes(a->name_bytes, a->value_bytes);

	*local = bytes < blocksize / 2 + blocksize / 4;
	return *local ? bytes : remote_bytes(a->name_bytes);
}

/* --- header --- */

static uint8_t *header(const struct xfs_attr_leaf *leaf)
{
	return leaf->raw + (leaf->v5 ? XFS_DA3_INFO_BYTES : XFS_DA_INFO_BYTES);
}

static uint32_t table_end(const struct xfs_attr_leaf *leaf)
{
	return leaf->hdr_bytes + leaf->count * ENTRY;
}

static void load_header(struct xfs_attr_leaf *leaf, uint8_t *raw,
			const struct xfs_geom *g)
{
	const uint8_t *h;

	*leaf = (struct xfs_attr_leaf){
		.raw = raw, .len_bytes = g->blocksize, .v5 = g->v5,
		.hdr_bytes = g->v5 ? xfs_attr3_leaf_hdr_size :
				     xfs_attr_leaf_hdr_size,
	};
	h = header(leaf);
	leaf->count = get_be16(h + H_COUNT);
	leaf->usedbytes = get_be16(h + H_USED);
	leaf->firstused = get_be16(h + H_FIRST);
	/* 16 bits cannot say the end of a block of 64 KiB */
	if (!leaf->firstused)
		leaf->firstused = leaf->len_bytes;
	leaf->holes = h[H_HOLES];
	for (unsigned int i = 0; i < MAPS; i++) {
		leaf->map[i].base = get_be16(h + H_MAP + 4 * i);
		leaf->map[i].size = get_be16(h + H_MAP + 4 * i + 2);
	}
}

void xfs_attr_leaf_look(struct xfs_attr_leaf *leaf, const uint8_t *raw,
			const struct xfs_geom *g)
{
	load_header(leaf, (uint8_t *)(uintptr_t)raw, g);
}

void xfs_attr_leaf_store(struct xfs_attr_leaf *leaf)
{
	uint8_t *h = header(leaf);

	put_be16(h + H_COUNT, (uint16_t)leaf->count);
	put_be16(h + H_USED, (uint16_t)leaf->usedbytes);
	put_be16(h + H_FIRST, (uint16_t)leaf->firstused);
	h[H_HOLES] = leaf->holes;
	h[H_HOLES + 1] = 0;
	for (unsigned int i = 0; i < MAPS; i++) {
		put_be16(h + H_MAP + 4 * i, (uint16_t)leaf->map[i].base);
		put_be16(h + H_MAP + 4 * i + 2, (uint16_t)leaf->map[i].size);
	}
}

void xfs_attr_leaf_init(struct xfs_attr_leaf *leaf, uint8_t *raw,
			const struct xfs_geom *g, xfs_daddr_t daddr,
			xfs_ino_t owner)
{
	memset(raw, 0, g->blocksize);
	put_be16(raw + XFS_DA_MAGIC_OFF,
		 g->v5 ? XFS_ATTR3_LEAF_MAGIC : XFS_ATTR_LEAF_MAGIC);
	if (g->v5) {
		put_be64(raw + XFS_DA3_BLKNO_OFF, daddr);
		memcpy(raw + XFS_DA3_UUID_OFF, g->meta_uuid, 16);
		put_be64(raw + XFS_DA3_OWNER_OFF, owner);
	}
	load_header(leaf, raw, g);
	leaf->firstused = leaf->len_bytes;
	leaf->map[0].base = leaf->hdr_bytes;
	leaf->map[0].size = leaf->len_bytes - leaf->hdr_bytes;
	xfs_attr_leaf_store(leaf);
}

/* --- entries --- */

static uint8_t *entry_at(const struct xfs_attr_leaf *leaf, uint32_t index)
{
	return leaf->raw + leaf->hdr_bytes + (size_t)index * ENTRY;
}

void xfs_attr_leaf_entry(const struct xfs_attr_leaf *leaf, uint32_t index,
			 struct xfs_attr_entry *e)
{
	const uint8_t *p = entry_at(leaf, index), *n;

	*e = (struct xfs_attr_entry){
		.hash = get_be32(p), .off = get_be16(p + 4), .flags = p[6],
	};
	n = leaf->raw + e->off;
	if (e->flags & XFS_ATTR_LOCAL) {
		e->value_bytes = get_be16(n);
		e->name_bytes = n[2];
		e->name = n + LOCAL;
		e->value = e->name + e->name_bytes;
	} else {
		e->value_block = get_be32(n);
		e->value_bytes = get_be32(n + 4);
		e->name_bytes = n[8];
		e->name = n + REMOTE;
	}
}

static uint32_t bytes_of(const struct xfs_attr_entry *e)
{
	return e->flags & XFS_ATTR_LOCAL ?
	       local_bytes(e->name_bytes, e->value_bytes) :
	       remote_bytes(e->name_bytes);
}

static uint32_t bytes_at(const struct xfs_attr_leaf *leaf, uint32_t index)
{
	struct xfs_attr_entry e;

	xfs_attr_leaf_entry(leaf, index, &e);
	return bytes_of(&e);
}

/* Bytes may be in one name only: one bit for each four of them. */
static bool take(uint8_t *taken, uint32_t off, uint32_t bytes)
{
	for (uint32_t i = off / 4; i < (off + bytes) / 4; i++) {
		if (taken[i / 8] >> i % 8 & 1)
			return false;
		taken[i / 8] |= (uint8_t)(1 << i % 8);
	}
	return true;
}

const char *xfs_attr_leaf_load(struct xfs_attr_leaf *leaf, uint8_t *raw,
			       const struct xfs_geom *g)
{
	uint8_t taken[BLOCK_MAX_BYTES / 4 / 8] = { 0 };
	uint32_t used = 0;

	load_header(leaf, raw, g);
	for (uint32_t i = 0; i < leaf->count; i++) {
		struct xfs_attr_entry e;

		xfs_attr_leaf_entry(leaf, i, &e);
		used += bytes_of(&e);
		if (e.off & 3 || bytes_of(&e) > leaf->len_bytes - e.off)
			return "attribute name outside its leaf";
		if (!take(taken, e.off, bytes_of(&e)))
			return "attribute names that overlap";
	}
	if (used != leaf->usedbytes ||
	    used > leaf->len_bytes - leaf->firstused)
		return "names in an attribute leaf are not what it says";
	/* kernels have left some that reach into the entries: not to be used */
	for (unsigned int i = 0; i < MAPS; i++)
		if (leaf->map[i].size &&
		    (leaf->map[i].base < table_end(leaf) ||
		     !take(taken, leaf->map[i].base, leaf->map[i].size))) {
			leaf->map[i].base = leaf->map[i].size = 0;
			leaf->holes = true;
		}
	return NULL;
}

static bool is_it(const struct xfs_attr_entry *e, const struct xfs_attr *a,
		  bool incomplete)
{
	if ((e->flags & XFS_ATTR_NAMESPACES) != a->space ||
	    !(e->flags & XFS_ATTR_INCOMPLETE) == incomplete ||
	    e->name_bytes != a->name_bytes ||
	    memcmp(e->name, a->name, a->name_bytes))
		return false;
	return !(a->space & XFS_ATTR_PARENT) ||
	       (e->value && e->value_bytes == a->value_bytes &&
		!memcmp(e->value, a->value, a->value_bytes));
}

bool xfs_attr_leaf_find(const struct xfs_attr_leaf *leaf,
			const struct xfs_attr *a, uint32_t hash,
			bool incomplete, uint32_t *index)
{
	uint32_t low = 0, high = leaf->count;

	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (get_be32(entry_at(leaf, mid)) < hash)
			low = mid + 1;
		else
			high = mid;
	}
	for (*index = low; *index < leaf->count; ++*index) {
		struct xfs_attr_entry e;

		xfs_attr_leaf_entry(leaf, *index, &e);
		if (e.hash != hash)
			break;
		if (is_it(&e, a, incomplete))
			return true;
	}
	return false;
}

void xfs_attr_leaf_set(struct xfs_attr_leaf *leaf, uint32_t index,
		       uint8_t flags, uint32_t value_block,
		       uint32_t value_bytes)
{
	uint8_t *p = entry_at(leaf, index);

	p[6] = flags;
	if (flags & XFS_ATTR_LOCAL)
		return;
	p = leaf->raw + get_be16(p + 4);
	put_be32(p, value_block);
	put_be32(p + 4, value_bytes);
}

/* --- moving --- */

/* What entries @from and on point at, packed at the end of an empty leaf. */
void xfs_attr_leaf_move(struct xfs_attr_leaf *src, uint32_t from,
			struct xfs_attr_leaf *dst, uint32_t to,
			uint32_t count)
{
	uint8_t *at = entry_at(dst, to);

	memmove(at + (size_t)count * ENTRY, at,
		(size_t)(dst->count - to) * ENTRY);
	for (uint32_t i = 0; i < count; i++, at += ENTRY) {
		const uint8_t *e = entry_at(src, from + i);
		uint32_t off = get_be16(e + 4), bytes = bytes_at(src, from + i);

		memcpy(at, e, ENTRY);
		dst->firstused -= bytes;
		put_be16(at + 4, (uint16_t)dst->firstused);
		memcpy(dst->raw + dst->firstused, src->raw + off, bytes);
		memset(src->raw + off, 0, bytes);
		dst->usedbytes += bytes;
		src->usedbytes -= bytes;
	}
	dst->count += count;
	at = entry_at(src, from);
	memmove(at, at + (size_t)count * ENTRY,
		(size_t)(src->count - from - count) * ENTRY);
	src->count -= count;
	memset(entry_at(src, src->count), 0, (size_t)count * ENTRY);
	dst->map[0].base = table_end(dst);
	dst->map[0].size = dst->firstused - table_end(dst);
	for (unsigned int i = 1; i < MAPS; i++)
		dst->map[i].base = dst->map[i].size = 0;
	/* where the names were is not remembered */
	src->holes = true;
}

/* Pack the names at the end of the block, in the order of the entries. */
static void pack(struct xfs_attr_leaf *leaf)
{
	uint8_t copy[BLOCK_MAX_BYTES];
	struct xfs_attr_leaf old = *leaf;

	memcpy(copy, leaf->raw, leaf->len_bytes);
	old.raw = copy;
	memset(leaf->raw + leaf->hdr_bytes, 0,
	       leaf->len_bytes - leaf->hdr_bytes);
	leaf->count = leaf->usedbytes = 0;
	leaf->firstused = leaf->len_bytes;
	leaf->holes = false;
	xfs_attr_leaf_move(&old, 0, leaf, 0, old.count);
}

/* --- adding and removing --- */

static void put_name(uint8_t *at, const struct xfs_attr *a, bool local)
{
	if (local) {
		put_be16(at, (uint16_t)a->value_bytes);
		at[2] = (uint8_t)a->name_bytes;
		memcpy(at + LOCAL, a->name, a->name_bytes);
		if (a->value_bytes)
			memcpy(at + LOCAL + a->name_bytes, a->value,
			       a->value_bytes);
		return;
	}
	memset(at, 0, REMOTE);
	at[8] = (uint8_t)a->name_bytes;
	memcpy(at + REMOTE, a->name, a->name_bytes);
}

/* The free area @map, from its end, takes the name. */
static void add_in(struct xfs_attr_leaf *leaf, unsigned int map,
		   uint32_t index, const struct xfs_attr *a, uint32_t hash)
{
	uint32_t end = table_end(leaf), bytes, off;
	uint8_t *e = entry_at(leaf, index);
	bool local;

	bytes = xfs_attr_leaf_bytes(a, leaf->len_bytes, &local);
	memmove(e + ENTRY, e, (size_t)(leaf->count - index) * ENTRY);
	leaf->count++;
	leaf->map[map].size -= bytes;
	off = leaf->map[map].base + leaf->map[map].size;
	put_be32(e, hash);
	put_be16(e + 4, (uint16_t)off);
	e[6] = a->space | (local ? XFS_ATTR_LOCAL : XFS_ATTR_INCOMPLETE);
	e[7] = 0;
	memset(leaf->raw + off, 0, bytes);
	put_name(leaf->raw + off, a, local);
	if (off < leaf->firstused)
		leaf->firstused = off;
	leaf->usedbytes += bytes;
	/* the table has grown into what is free behind it */
	for (unsigned int i = 0; i < MAPS; i++) {
		uint32_t base = leaf->map[i].base, cut = end + ENTRY - base;

		if (base < end || base >= end + ENTRY)
			continue;
		leaf->map[i].base += cut;
		leaf->map[i].size -= leaf->map[i].size < cut ?
				     leaf->map[i].size : cut;
	}
}

bool xfs_attr_leaf_add(struct xfs_attr_leaf *leaf, uint32_t index,
		       const struct xfs_attr *a, uint32_t hash)
{
	uint32_t end = table_end(leaf) + ENTRY, bytes;
	bool local;

	bytes = xfs_attr_leaf_bytes(a, leaf->len_bytes, &local);
	for (unsigned int i = MAPS; i-- && end <= leaf->firstused;) {
		/* below the names is where the table grows */
		uint32_t need = bytes + (leaf->map[i].base < leaf->firstused ?
					 ENTRY : 0);

		if (leaf->map[i].size >= need) {
			add_in(leaf, i, index, a, hash);
			return true;
		}
	}
	/* packed, all that is free is one area */
	if (leaf->len_bytes - table_end(leaf) - leaf->usedbytes <
	    bytes + ENTRY)
		return false;
	pack(leaf);
	add_in(leaf, 0, index, a, hash);
	return true;
}

/* Remember that @bytes at @off are free, as well as three areas can. */
static void give_back(struct xfs_attr_leaf *leaf, uint32_t off, uint32_t bytes)
{
	uint32_t least = leaf->map[0].size, end = table_end(leaf);
	unsigned int smallest = MAPS - 1;
	int before = -1, after = -1;

	for (int i = 0; i < MAPS; i++) {
		/* the table will end one entry earlier */
		if (leaf->map[i].base == end) {
			leaf->map[i].base -= ENTRY;
			leaf->map[i].size += ENTRY;
		}
		if (leaf->map[i].base + leaf->map[i].size == off) {
			before = i;
		} else if (leaf->map[i].base == off + bytes) {
			after = i;
		} else if (leaf->map[i].size < least) {
			least = leaf->map[i].size;
			smallest = (unsigned int)i;
		}
	}
	if (before >= 0 && after >= 0) {
		leaf->map[before].size += bytes + leaf->map[after].size;
		leaf->map[after].base = leaf->map[after].size = 0;
	} else if (before >= 0) {
		leaf->map[before].size += bytes;
	} else if (after >= 0) {
		leaf->map[after].base = off;
		leaf->map[after].size += bytes;
	} else if (leaf->map[smallest].size < bytes) {
		leaf->map[smallest].base = off;
		leaf->map[smallest].size = bytes;
	}
}

void xfs_attr_leaf_remove(struct xfs_attr_leaf *leaf, uint32_t index)
{
	uint8_t *e = entry_at(leaf, index);
	uint32_t off = get_be16(e + 4), bytes = bytes_at(leaf, index);

	give_back(leaf, off, bytes);
	memset(leaf->raw + off, 0, bytes);
	leaf->usedbytes -= bytes;
	memmove(e, e + ENTRY, (size_t)(leaf->count - index - 1) * ENTRY);
	leaf->count--;
	memset(entry_at(leaf, leaf->count), 0, ENTRY);
	if (off != leaf->firstused) {
		leaf->holes = true;
		return;
	}
	leaf->firstused = leaf->len_bytes;
	for (uint32_t i = 0; i < leaf->count; i++) {
		off = get_be16(entry_at(leaf, i) + 4);
		if (off < leaf->firstused)
			leaf->firstused = off;
	}
}

/* --- splitting --- */

uint32_t xfs_attr_leaf_load_bytes(const struct xfs_attr_leaf *leaf)
{
	return leaf->count * ENTRY + leaf->usedbytes;
}

static uint32_t distance(uint32_t a, uint32_t b)
{
	return a > b ? a - b : b - a;
}

struct xfs_attr_split xfs_attr_leaf_balance(const struct xfs_attr_leaf *leaf,
					    uint32_t index,
					    uint32_t new_bytes)
{
	struct xfs_attr_split s = { 0 };
	uint32_t half, total = 0, delta = leaf->len_bytes, more;

	half = (xfs_attr_leaf_load_bytes(leaf) + ENTRY + new_bytes) / 2;
	/* as long as it comes closer to the half */
	while (s.count < leaf->count) {
		if (s.count == index && !s.stays) {
			more = ENTRY + new_bytes;
			if (distance(half, total + more) > delta)
				break;
			total += more;
			delta = distance(half, total);
			s.stays = true;
		}
		more = ENTRY + bytes_at(leaf, s.count);
		if (distance(half, total + more) > delta)
			break;
		total += more;
		delta = distance(half, total);
		s.count++;
	}
	return s;
}
