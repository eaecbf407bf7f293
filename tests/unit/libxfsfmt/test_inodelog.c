/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From the logged inode to the inode on disk: real items, the inode before and
 * what the kernel made of it, and what is refused.
 */
#include "libxfsfmt/geom.h"
#include "libxfsfmt/inodelog.h"
#include "libxfsfmt/logitem.h"
#include "tests/lib/fixture.h"

enum {
	OP_BYTES = 12,
	CRC_OFF = 100,
	LSN_OFF = 112,
	FLUSHITER_OFF = 30,
	ROOT_INODE_BYTES = 512,		/* in a root fixture, before the root */
	V5_HEADER_BYTES = 72,
};

/* A fixture: the inode before, the inode after, the operations of the item. */
enum { LONG_CRC_OFF = 64 };	/* of a block of a btree */

struct sample {
	uint8_t		*bytes;
	size_t		inode_bytes;
	const uint8_t	*after;
	uint8_t		*disk;		/* a copy of the inode before */
	struct xfs_log_region regions[4];
	struct xfs_logitem_view v;
	struct xfs_logitem_inode in;
	struct xfs_dinode di;
};

static void sample_open(struct sample *s, const char *name,
			size_t inode_bytes, enum xfs_order order)
{
	size_t len, off = 2 * inode_bytes;

	memset(s, 0, sizeof(*s));
	s->bytes = fixture_new(name, &len);
	s->inode_bytes = inode_bytes;
	s->after = s->bytes + inode_bytes;
	s->disk = malloc(inode_bytes);
	cr_assert_not_null(s->disk);
	memcpy(s->disk, s->bytes, inode_bytes);
	for (; off < len; s->v.nregions++) {
		uint32_t n = get_be32(s->bytes + off + 4);

		cr_assert_lt(s->v.nregions, 4);
		cr_assert_leq(off + OP_BYTES + n, len);
		s->regions[s->v.nregions] = (struct xfs_log_region){
			s->bytes + off + OP_BYTES, n
		};
		off += OP_BYTES + n;
	}
	s->v.regions = s->regions;
	s->v.order = order;
	cr_assert_null(xfs_logitem_inode(&s->v, &s->in));
	xfs_dinode_decode(&s->di, s->in.core->data, s->in.core->len_bytes,
			  order);
}

static void sample_close(struct sample *s)
{
	free(s->bytes);
	free(s->disk);
}

static void put_fork(const struct sample *s, bool attr)
{
	const struct xfs_log_region *r = attr ? s->in.afork : s->in.dfork;
	uint32_t root = attr ? XFS_ILOG_ABROOT : XFS_ILOG_DBROOT;
	uint8_t *fork = s->disk + xfs_dinode_core_bytes(&s->di);
	size_t room = attr ? xfs_dinode_afork_bytes(&s->di, s->inode_bytes) :
			     xfs_dinode_dfork_bytes(&s->di, s->inode_bytes);

	if (!r)
		return;
	if (attr)
		fork += (size_t)s->di.di_forkoff * 8;
	cr_assert_leq(fork + room, s->disk + s->inode_bytes);
	if (s->in.ilf.ilf_fields & root) {
		cr_assert_null(xfs_broot_to_disk(fork, room, r->data,
						 r->len_bytes,
						 xfs_dinode_broot_kind(&s->di),
						 s->di.di_version == 3));
		return;
	}
	cr_assert_leq(r->len_bytes, room);
	memcpy(fork, r->data, r->len_bytes);
}

/* What the kernel made of the inode is what comes out here. */
static void agrees(const char *name, size_t inode_bytes, enum xfs_order order)
{
	struct sample s;

	sample_open(&s, name, inode_bytes, order);
	xfs_log_dinode_to_disk(s.disk, s.in.core->data, s.in.core->len_bytes,
			       &s.di, order);
	if (s.in.ilf.ilf_fields & XFS_ILOG_DEV)
		put_be32(s.disk + xfs_dinode_core_bytes(&s.di),
			 s.in.ilf.ilf_rdev);
	put_fork(&s, false);
	put_fork(&s, true);
	/* these are not of the item */
	if (s.di.di_version == 3) {
		memcpy(s.disk + CRC_OFF, s.after + CRC_OFF, 4);
		memcpy(s.disk + LSN_OFF, s.after + LSN_OFF, 8);
	} else {
		cr_expect_eq(get_be16(s.disk + FLUSHITER_OFF), 0);
		memcpy(s.disk + FLUSHITER_OFF, s.after + FLUSHITER_OFF, 2);
	}
	cr_expect_arr_eq(s.disk, s.after, inode_bytes, "%s", name);
	sample_close(&s);
}

Test(xfs_log_dinode_to_disk, agrees_with_linux)
{
	agrees("inodelog/local.item", 1024, XFS_LE);
	agrees("inodelog/extents.item", 512, XFS_LE);
	agrees("inodelog/dev.item", 512, XFS_LE);
	agrees("inodelog/broot.item", 512, XFS_LE);
	agrees("inodelog/broot_attrs.item", 512, XFS_LE);
	agrees("inodelog/local_attrs.item", 512, XFS_LE);
}

Test(xfs_log_dinode_to_disk, agrees_with_linux_on_big_endian_machines)
{
	agrees("inodelog/be_dev.item", 512, XFS_BE);
	agrees("inodelog/be_broot.item", 512, XFS_BE);
}

Test(xfs_log_dinode_to_disk, agrees_with_linux_on_version_4)
{
	agrees("inodelog/v4_attrs.item", 256, XFS_LE);
	agrees("inodelog/v4_attr_broot.item", 256, XFS_LE);
	agrees("inodelog/be_v4_extents.item", 256, XFS_BE);
	agrees("inodelog/be_v4_broot.item", 256, XFS_BE);
}

/* --- what is not taken from the log --- */

static uint8_t disk[176], logged[176];

static void convert(void)
{
	struct xfs_dinode di;

	xfs_dinode_decode(&di, logged, sizeof(logged), XFS_LE);
	xfs_log_dinode_to_disk(disk, logged,
			       di.di_version == 3 ? XFS_LOG_DINODE_V3_BYTES :
						    XFS_LOG_DINODE_V2_BYTES,
			       &di, XFS_LE);
}

static void begin(uint8_t version, uint64_t flags2)
{
	memset(disk, 0xdd, sizeof(disk));
	memset(logged, 0x11, sizeof(logged));
	logged[4] = version;
	put_le64(logged + 120, flags2);
}

Test(xfs_log_dinode_to_disk, keeps_list_lsn_and_checksum)
{
	begin(3, 0);
	convert();
	cr_expect_eq(get_be32(disk + 96), 0xdddddddd);
	cr_expect_eq(get_be32(disk + 100), 0xdddddddd);
	cr_expect_eq(get_be64(disk + 112), 0xdddddddddddddddd);
	cr_expect_eq(get_be64(disk + 104), 0x1111111111111111);
	cr_expect_eq(get_be64(disk + 168), 0x1111111111111111);
}

Test(xfs_log_dinode_to_disk, padding_is_zero)
{
	begin(3, 0);
	convert();
	cr_expect_eq(get_be16(disk + 6), 0);
	cr_expect_eq(get_be64(disk + 24), 0);
	for (size_t i = 132; i < 144; i++)
		cr_expect_eq(disk[i], 0);
	begin(3, XFS_DIFLAG2_NREXT64);
	convert();
	cr_expect_eq(get_be64(disk + 24), 0x1111111111111111);
	cr_expect_eq(get_be32(disk + 76), 0x11111111);
	cr_expect_eq(get_be16(disk + 80), 0);
}

Test(xfs_log_dinode_to_disk, the_kind_of_metadata_only_of_metadata)
{
	begin(3, XFS_DIFLAG2_METADATA);
	put_le16(logged + 6, XFS_METAFILE_RTRMAP);
	convert();
	cr_expect_eq(get_be16(disk + 6), XFS_METAFILE_RTRMAP);
}

Test(xfs_log_dinode_to_disk, times_are_one_word_or_two)
{
	static const uint8_t at[] = { 32, 40, 48, 144 };

	for (int big = 0; big < 2; big++) {
		begin(3, big ? XFS_DIFLAG2_BIGTIME : 0);
		for (size_t i = 0; i < sizeof(at); i++) {
			put_le32(logged + at[i], 0xfffffff0);
			put_le32(logged + at[i] + 4, 0x01020304);
		}
		convert();
		for (size_t i = 0; i < sizeof(at); i++)
			cr_expect_eq(get_be64(disk + at[i]), big ?
				     0x01020304fffffff0 : 0xfffffff001020304);
	}
}

Test(xfs_log_dinode_to_disk, version_2_ends_with_its_core)
{
	begin(2, 0);
	convert();
	for (size_t i = 96; i < sizeof(disk); i++)
		cr_expect_eq(disk[i], 0xdd);
	cr_expect_eq(get_be64(disk + 24), 0);	/* padding, flush counter */
	cr_expect_eq(get_be16(disk + 6), 0);
	cr_expect_eq(get_be32(disk + 92), 0x11111111);
}

/* --- roots --- */

/* A root of a realtime btree, and the inode the kernel put it into. */
static void root_agrees(const char *name, enum xfs_btree_kind kind)
{
	const struct xfs_btree_ops *ops = &xfs_btree_ops[kind];
	uint8_t fork[ROOT_INODE_BYTES - XFS_DINODE_V3_CORE_BYTES];
	struct xfs_dinode di;
	const uint8_t *want;
	size_t len, room, n, fork_bytes;
	uint8_t *bytes;
	bool leaf;

	bytes = fixture_new(name, &len);
	want = bytes + XFS_DINODE_V3_CORE_BYTES;
	xfs_dinode_decode(&di, bytes, ROOT_INODE_BYTES, XFS_BE);
	cr_expect_eq(xfs_dinode_broot_kind(&di), kind);
	fork_bytes = xfs_dinode_dfork_bytes(&di, ROOT_INODE_BYTES);
	memset(fork, 0xdd, sizeof(fork));
	cr_assert_null(xfs_broot_to_disk(fork, fork_bytes,
					 bytes + ROOT_INODE_BYTES,
					 len - ROOT_INODE_BYTES, kind, true));
	n = get_be16(want + 2);
	leaf = !get_be16(want);
	room = xfs_bmdr_room(kind, leaf, fork_bytes);
	cr_assert_gt(n, 0);
	cr_expect_arr_eq(fork, want, 4 + n * (leaf ? ops->rec_bytes :
						     ops->key_bytes));
	if (!leaf)
		cr_expect_arr_eq(fork + 4 + room * ops->key_bytes,
				 want + 4 + room * ops->key_bytes, n * 8);
	/* nothing else is touched */
	cr_expect_eq(fork[4 + n * (leaf ? ops->rec_bytes : ops->key_bytes)],
		     0xdd);
	cr_expect_eq(fork[sizeof(fork) - 1], 0xdd);
	free(bytes);
}

Test(xfs_broot_to_disk, agrees_with_linux_on_realtime_btrees)
{
	root_agrees("inodelog/rtrmap_leaf.root", XFS_BTREE_RTRMAP);
	root_agrees("inodelog/rtrmap_node.root", XFS_BTREE_RTRMAP);
	root_agrees("inodelog/rtrefc_node.root", XFS_BTREE_RTREFC);
}

/* A root of extents as it is logged, of @n records in room for @room. */
static uint8_t *make_root(uint16_t level, uint16_t n, size_t room,
			  size_t *len)
{
	uint8_t *p;

	*len = V5_HEADER_BYTES + room * 16;
	p = calloc(1, *len);
	cr_assert_not_null(p);
	put_be32(p, XFS_BMAP_CRC_MAGIC);
	put_be16(p + 4, level);
	put_be16(p + 6, n);
	for (size_t i = 0; i < room; i++) {
		put_be64(p + V5_HEADER_BYTES + 8 * i, 100 + i);
		put_be64(p + V5_HEADER_BYTES + 8 * (room + i), 200 + i);
	}
	return p;
}

static const char *convert_root(uint16_t level, uint16_t n, size_t room,
				uint8_t *fork, size_t fork_bytes)
{
	size_t len;
	uint8_t *p = make_root(level, n, room, &len);
	const char *why = xfs_broot_to_disk(fork, fork_bytes, p, len,
					    XFS_BTREE_BMAP, true);

	free(p);
	return why;
}

Test(xfs_broot_to_disk, pointers_go_behind_the_room_for_keys)
{
	uint8_t *fork = malloc(4 + 5 * 16);

	cr_assert_not_null(fork);
	memset(fork, 0xdd, 4 + 5 * 16);
	/* logged with room for 3, of which 2 are there; on disk for 5 */
	cr_assert_null(convert_root(1, 2, 3, fork, 4 + 5 * 16));
	cr_expect_eq(get_be16(fork), 1);
	cr_expect_eq(get_be16(fork + 2), 2);
	cr_expect_eq(get_be64(fork + 4), 100);
	cr_expect_eq(get_be64(fork + 12), 101);
	cr_expect_eq(fork[20], 0xdd);
	cr_expect_eq(get_be64(fork + 4 + 40), 200);
	cr_expect_eq(get_be64(fork + 4 + 48), 201);
	cr_expect_eq(fork[4 + 56], 0xdd);
	free(fork);
}

Test(xfs_broot_to_disk, fills_a_fork_to_the_last_byte)
{
	uint8_t *fork = malloc(4 + 3 * 16);

	cr_assert_not_null(fork);
	cr_assert_null(convert_root(1, 3, 3, fork, 4 + 3 * 16));
	cr_expect_eq(get_be64(fork + 4 + 40), 202);
	free(fork);
}

Test(xfs_broot_to_disk, refuses_what_does_not_fit_and_changes_nothing)
{
	uint8_t fork[4 + 3 * 16], *p;
	size_t len;

	memset(fork, 0xdd, sizeof(fork));
	cr_expect_str_eq(convert_root(1, 4, 4, fork, sizeof(fork)),
			 "btree root too large for its fork");
	cr_expect_str_eq(convert_root(1, 4, 3, fork, sizeof(fork)),
			 "btree root with more records than there are");
	cr_expect_str_eq(convert_root(1, 0xffff, 3, fork, sizeof(fork)),
			 "btree root with more records than there are");
	cr_expect_str_eq(convert_root(1, 1, 1, fork, 3),
			 "btree root too short");
	p = make_root(1, 1, 1, &len);
	cr_expect_str_eq(xfs_broot_to_disk(fork, sizeof(fork), p,
					   V5_HEADER_BYTES - 1,
					   XFS_BTREE_BMAP, true),
			 "btree root too short");
	free(p);
	for (size_t i = 0; i < sizeof(fork); i++)
		cr_expect_eq(fork[i], 0xdd);
}

Test(xfs_dinode_broot_kind, is_that_of_extents_but_for_metadata)
{
	struct xfs_dinode di = { .di_format = XFS_DINODE_FMT_BTREE,
				 .di_metatype = XFS_METAFILE_RTRMAP };

	cr_expect_eq(xfs_dinode_broot_kind(&di), XFS_BTREE_BMAP);
	di.di_format = XFS_DINODE_FMT_META_BTREE;
	cr_expect_eq(xfs_dinode_broot_kind(&di), XFS_BTREE_RTRMAP);
	di.di_metatype = XFS_METAFILE_RTREFCOUNT;
	cr_expect_eq(xfs_dinode_broot_kind(&di), XFS_BTREE_RTREFC);
}

/* --- from the inode to the log --- */

/* What a kernel logged of it, but for the LSN that memory had then. */
static void is_logged_as_the_kernel_does(const char *name, size_t inode_bytes,
					 enum xfs_order order)
{
	uint8_t want[XFS_LOG_DINODE_V3_BYTES], have[XFS_LOG_DINODE_V3_BYTES];
	struct sample s;

	sample_open(&s, name, inode_bytes, order);
	cr_assert_eq(s.in.core->len_bytes, sizeof(want));
	memcpy(want, s.in.core->data, sizeof(want));
	memset(want + LSN_OFF, 0, 8);
	memset(have, 0x5a, sizeof(have));
	xfs_dinode_decode(&s.di, s.after, inode_bytes, XFS_BE);
	xfs_dinode_to_log(have, &s.di, order);
	for (size_t i = 0; i < sizeof(want); i++)
		cr_expect_eq(have[i], want[i], "%s: byte %zu is 0x%02x, not 0x%02x",
			     name, i, have[i], want[i]);
	sample_close(&s);
}

Test(dinode_to_log, is_what_kernels_log)
{
	is_logged_as_the_kernel_does("inodelog/extents.item", 512, XFS_LE);
	is_logged_as_the_kernel_does("inodelog/local_attrs.item", 512, XFS_LE);
	is_logged_as_the_kernel_does("inodelog/local.item", 1024, XFS_LE);
	is_logged_as_the_kernel_does("inodelog/dev.item", 512, XFS_LE);
	is_logged_as_the_kernel_does("inodelog/broot.item", 512, XFS_LE);
	is_logged_as_the_kernel_does("inodelog/be_dev.item", 512, XFS_BE);
	is_logged_as_the_kernel_does("inodelog/be_broot.item", 512, XFS_BE);
}

/*
 * The root that a kernel logged, made of the one on disk: but for the place of
 * a checksum, where memory has anything.
 */
static void root_is_logged(const char *name, size_t inode_bytes,
			   enum xfs_order order)
{
	struct xfs_geom g = { .v5 = true };
	const struct xfs_log_region *r;
	enum xfs_btree_kind kind;
	struct sample s;
	const uint8_t *fork;
	uint8_t *have;
	size_t room;

	sample_open(&s, name, inode_bytes, order);
	r = s.in.dfork;
	cr_assert_not_null(r);
	kind = xfs_dinode_broot_kind(&s.di);
	g.v5 = s.di.di_version == 3;
	memcpy(g.meta_uuid, s.di.di_uuid, sizeof(g.meta_uuid));
	room = xfs_dinode_dfork_bytes(&s.di, inode_bytes);
	fork = s.after + xfs_dinode_core_bytes(&s.di);
	cr_expect_eq(xfs_broot_log_bytes(fork, kind, g.v5),
		     s.in.ilf.ilf_dsize);
	have = malloc(r->len_bytes);
	cr_assert_not_null(have);
	memset(have, 0x5a, r->len_bytes);
	xfs_broot_to_log(have, fork, room, kind, &g, s.in.ilf.ilf_ino);
	for (size_t i = 0; i < r->len_bytes; i++)
		cr_expect(have[i] == r->data[i] || i / 4 == LONG_CRC_OFF / 4, "%s: byte %zu is 0x%02x, not 0x%02x",
			     name, i, have[i], r->data[i]);
	free(have);
	sample_close(&s);
}

Test(broot_to_log, is_what_kernels_log)
{
	root_is_logged("inodelog/broot.item", 512, XFS_LE);
	root_is_logged("inodelog/be_broot.item", 512, XFS_BE);
}
