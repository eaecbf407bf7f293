/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inodes and their forks as Linux wrote them, on disk and in logs of machines
 * of both byte orders; tests/fixtures/README.md says which. What is expected
 * of those on disk is what "xfs_db -r -c 'inode N' -c print" prints.
 */
#include <criterion/criterion.h>

#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/fork.h"
#include "libxfsfmt/geom.h"
#include "libxfsfmt/logitem_fmt.h"
#include "tests/lib/fixture.h"
#include "tests/lib/garbage.h"
#include "tests/lib/walktext.h"

/* Enough of the filesystems the inodes are from. */
static const struct xfs_geom i386_v5 = {
	.v5 = true, .ftype = true, .bigtime = true, .reflink = true,
	.blocksize = 4096, .inodesize = 512, .agcount = 4, .agblocks = 6144,
	.agblklog = 13, .inopblog = 3, .dblocks = 24576,
	.meta_uuid = { 0x2b, 0xee, 0x5f, 0x1a, 0x88, 0x9f, 0x46, 0xf7,
		       0xb9, 0x29, 0xee, 0x9d, 0x1d, 0xa9, 0xb4, 0x55 },
};
static const struct xfs_geom v4 = {
	.blocksize = 4096, .inodesize = 256, .agcount = 4, .agblocks = 4096,
	.agblklog = 12, .inopblog = 4, .dblocks = 16384,
};
static const struct xfs_geom v5 = { .v5 = true, .inodesize = 512 };

static uint8_t raw[512];
static struct walktext out;

static void inode_walk(const struct xfs_walk *w)
{
	xfs_dinode_walk(w, 0);
}

static void show(const char *name, const struct xfs_geom *geom,
		 const uint32_t *chunks)
{
	struct xfs_walk w = {
		.base = raw, .len_bytes = geom->inodesize, .chunks = chunks,
		.order = XFS_LE, .geom = geom, .ops = &walktext_ops,
		.ctx = &out,
	};

	fixture_load(name, raw, geom->inodesize);
	memset(&out, 0, sizeof(out));
	inode_walk(&w);
	cr_assert_eq(out.depth, 0);
}

#define has(part) \
	cr_assert_not_null(strstr(out.text, part), "%s: %s", part, out.text)
#define has_not(part) cr_assert_null(strstr(out.text, part), "%s", out.text)

/* --- on disk --- */

Test(dinode_walk, shows_all_of_a_version_3_inode)
{
	show("inode/v5_dir.inode", &i386_v5, NULL);
	cr_assert_str_eq(out.text, "core{di_magic=0x494e di_mode=040755 "
		"di_version=3 di_format=local di_uid=0 di_gid=0 di_nlink=4 "
		"di_projid_lo=0 di_projid_hi=0 di_atime=2147483648000000000 "
		"di_mtime=3942728827868000370 di_ctime=3942728827868000370 "
		"di_size=25 di_nblocks=0 di_extsize=0 di_nextents=0 "
		"di_anextents=0 di_forkoff=0 di_aformat=extents "
		"di_dmevmask=0x0 di_dmstate=0 di_flags=0x0 di_gen=0 "
		"di_next_unlinked=4294967295 di_crc=0xe04aac43 "
		"di_changecount=4 di_lsn=4294967298 di_flags2=bigtime "
		"di_cowextsize=0 di_crtime=3942728827428670000 di_ino=128 "
		"di_uuid=2bee5f1a889f46f7b929ee9d1da9b455} "
		"u{sfdir{hdr{count=2 i8count=0 parent=128} "
		"list[0]{namelen=2 offset=96 name=un ftype=dir inumber=131} "
		"list[1]{namelen=1 offset=112 name=a ftype=dir "
		"inumber=65664}}}");
}

Test(dinode_walk, shows_extents_and_attributes)
{
	show("inode/v5_reflink.inode", &i386_v5, NULL);
	has("di_nextents=1 di_anextents=0 di_forkoff=24 di_aformat=local");
	has("di_flags2=reflink|bigtime");
	has("u{bmx[0]{");
	has("br_startoff=5 br_startblock=8261 br_blockcount=1");
	has("a{sfattr{hdr{totsize=27 count=1} list[0]{namelen=12 valuelen=8 "
	    "flags=0x0 name=attr34_39304 value=75602c796d766560}}}");
}

Test(dinode_walk, shows_large_counters)
{
	show("inode/v5_nrext64.inode", &v5, NULL);
	has("di_projid_hi=0 di_big_nextents=0 di_atime=");
	has("di_extsize=0 di_big_anextents=0 di_forkoff=24");
	has("di_flags2=bigtime|nrext64");
	has_not("di_nextents");
	has_not(" u{");
}

Test(dinode_walk, shows_the_root_of_a_metadata_btree)
{
	show("inode/v5_rtrmap.inode", &v5, NULL);
	has("di_mode=0100000 di_version=3 di_format=meta_btree "
	    "di_metatype=rtrmap di_uid=0");
	has("di_flags=immutable|sync|noatime|nodump|nodefrag");
	has("di_flags2=bigtime|nrext64|metadata");
	has("u{rtrmapbt{bb_level=1 bb_numrecs=1 keys[1]{");
	has("name=0.rmap parent{p_ino=327808 p_gen=2226879990}}}}");
}

Test(dinode_walk, shows_device_numbers)
{
	show("inode/v5_chr.inode", &v5, NULL);
	has("di_mode=020600 di_version=3 di_format=dev");
	/* mkfs.xfs was told 5 1 */
	has("u{dev=0x140001 major=5 minor=1}");
}

Test(dinode_walk, knows_version_2)
{
	show("inode/v4_link.inode", &v4, NULL);
	has("di_mode=0120777 di_version=2 di_format=local di_uid=0 di_gid=0 "
	    "di_nlink=1 di_projid_lo=0 di_projid_hi=0 di_flushiter=1 "
	    "di_atime=7710513697858183214 ");
	has("di_next_unlinked=4294967295} u{symlink=sss");
	cr_assert_eq(strlen(strstr(out.text, "symlink=") + 8), 116 + 1);
}

Test(dinode_walk, shows_attribute_extents)
{
	show("inode/v4_attr.inode", &v4, NULL);
	has("di_nextents=3 di_anextents=1 di_forkoff=15 di_aformat=extents");
	has("bmx[2]{br_startoff=53 br_startblock=4797 br_blockcount=2");
	has("} a{bmx[0]{br_startoff=0 br_startblock=4231 br_blockcount=1");
}

Test(dinode_walk, shows_the_root_of_an_extent_btree)
{
	show("inode/v4_btree.inode", &v4, NULL);
	has("u{bmbt{bb_level=1 bb_numrecs=1 keys[1]{br_startoff=0} "
	    "ptrs[1]{");
}

Test(dinode_walk, shows_chunks_that_are_there)
{
	const uint32_t first = 1, second = 2;

	show("inode/v5_dir.inode", &i386_v5, &first);
	has("di_flags2=bigtime}");
	has_not("sfdir");
	show("inode/v5_dir.inode", &i386_v5, &second);
	has_not("di_mode");
	has("di_ino=128 di_uuid=2bee5f1a889f46f7b929ee9d1da9b455");
}

static void no_group(void *ctx, const char *name, long index)
{
	(void)ctx;
	(void)name;
	(void)index;
}

static void no_end(void *ctx)
{
	(void)ctx;
}

static void note_crtime(void *ctx, const struct xfs_field *f, const void *base,
			enum xfs_order order)
{
	enum xfs_field_kind *kind = ctx;

	(void)base;
	(void)order;
	if (!strcmp(f->name, "di_crtime"))
		*kind = (enum xfs_field_kind)f->kind;
}

/* Where the flag that says so is not there, the filesystem tells. */
Test(dinode_walk, shows_times_of_a_part_as_the_filesystem_keeps_them)
{
	const uint32_t second = 2;
	const struct xfs_walk_ops ops = {
		.enter = no_group, .leave = no_end, .field = note_crtime,
	};
	struct xfs_geom old = i386_v5;
	enum xfs_field_kind kind = XFS_KIND_UINT;
	struct xfs_walk w;

	show("inode/v5_dir.inode", &i386_v5, &second);
	w = (struct xfs_walk){
		.base = raw, .len_bytes = 512, .chunks = &second,
		.geom = &i386_v5, .ops = &ops, .ctx = &kind,
	};
	inode_walk(&w);
	cr_assert_eq(kind, XFS_KIND_BIGTIME);
	old.bigtime = false;
	w.geom = &old;
	inode_walk(&w);
	cr_assert_eq(kind, XFS_KIND_TIME);
}

Test(dinode_walk, survives_garbage)
{
	static const char *const large[] = {
		"inode/v5_dir.inode", "inode/v5_reflink.inode",
		"inode/v5_nrext64.inode", "inode/v5_rtrmap.inode",
		"inode/v5_chr.inode",
	};
	static const char *const small[] = {
		"inode/v4_link.inode", "inode/v4_attr.inode",
		"inode/v4_btree.inode",
	};

	for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++) {
		fixture_load(large[i], raw, 512);
		garbage_all(inode_walk, raw, 512, &v5);
		garbage_all(inode_walk, raw, 512, NULL);
	}
	for (size_t i = 0; i < sizeof(small) / sizeof(small[0]); i++) {
		fixture_load(small[i], raw, 256);
		garbage_all(inode_walk, raw, 256, &v4);
	}
}

Test(dinode_unlinked_walk, shows_that_only)
{
	struct xfs_walk w = { .base = raw, .len_bytes = sizeof(raw),
			      .order = XFS_LE, .ops = &walktext_ops,
			      .ctx = &out };

	fixture_load("inode/v4_link.inode", raw + 256, 256);
	memset(&out, 0, sizeof(out));
	xfs_dinode_unlinked_walk(&w, 256);
	cr_assert_str_eq(out.text, "di_next_unlinked=4294967295");
}

/* --- in the log --- */

enum { OP_HEADER = 12 };

static struct xfs_dinode core;

/* Show the core that @name begins with. */
static void show_core(const char *name, size_t len_bytes,
		      enum xfs_order order)
{
	struct xfs_walk w = {
		.base = raw, .len_bytes = len_bytes, .order = order,
		.ops = &walktext_ops, .ctx = &out,
	};

	fixture_load(name, raw, len_bytes);
	memset(&out, 0, sizeof(out));
	xfs_log_dinode_walk(&w);
	cr_assert_eq(out.depth, 0);
	xfs_dinode_decode(&core, raw, len_bytes, order);
}

/* Show the fork of @len_bytes at @off of @name. */
static void show_fork(const char *name, size_t off, size_t len_bytes,
		      uint32_t ilog_fields, bool attr)
{
	struct xfs_walk w = {
		.base = raw + off, .len_bytes = len_bytes, .order = XFS_LE,
		.ops = &walktext_ops, .ctx = &out,
	};

	fixture_load(name, raw, off + len_bytes);
	memset(&out, 0, sizeof(out));
	xfs_log_fork_walk(&w, ilog_fields, attr, &core);
	cr_assert_eq(out.depth, 0);
}

Test(log_dinode_walk, big_endian_version_3)
{
	show_core("inode/be_v3.log", XFS_LOG_DINODE_V3_BYTES, XFS_BE);
	has("core{di_magic=0x494e di_mode=0100644 di_version=3 ");
	has("di_big_nextents=1 di_atime=3942728221943147882 ");
	has("di_gen=2251354791 di_changecount=6 di_flags2=bigtime|nrext64 "
	    "di_cowextsize=0 di_crtime=3942728221943147882 di_ino=134 "
	    "di_uuid=9e776e8133164b919cffb9f151ca1d79}");
	has_not("di_next_unlinked");
	has_not("di_crc");
	has_not("di_lsn");
	show_fork("inode/be_v3.log", 176 + OP_HEADER, 16,
		  XFS_ILOG_DEXT | XFS_ILOG_ADATA, false);
	has("u{bmx[0]{br_startoff=0 br_startblock=14 br_blockcount=1 ");
	show_fork("inode/be_v3.log", 176 + OP_HEADER + 16 + OP_HEADER, 26,
		  XFS_ILOG_DEXT | XFS_ILOG_ADATA, true);
	cr_assert_str_eq(out.text, "a{sfattr{hdr{totsize=26 count=2} "
		"list[0]{namelen=2 valuelen=12 flags=parent name=u0 "
		"parent{p_ino=133 p_gen=1475059443}} "
		"list[1]{namelen=2 valuelen=0 flags=0x0 name=un value=}}}");
}

Test(log_dinode_walk, big_endian_version_2)
{
	show_core("inode/be_v2.log", XFS_LOG_DINODE_V2_BYTES, XFS_BE);
	has("di_mode=0100644 di_version=2 di_format=extents di_uid=1003 "
	    "di_gid=2000 di_nlink=1 ");
	has("di_flushiter=0 di_atime=7710514668402702288 ");
	has("di_nextents=1 di_anextents=1 di_forkoff=15 di_aformat=extents");
	has("di_gen=317223035}");
	has_not("di_uuid");
	show_fork("inode/be_v2.log", 96 + OP_HEADER, 16,
		  XFS_ILOG_DEXT | XFS_ILOG_AEXT, false);
	has("u{bmx[0]{br_startoff=31 br_startblock=7968 br_blockcount=4 ");
	show_fork("inode/be_v2.log", 96 + OP_HEADER + 16 + OP_HEADER, 16,
		  XFS_ILOG_DEXT | XFS_ILOG_AEXT, true);
	has("a{bmx[0]{br_startoff=0 br_startblock=4411 br_blockcount=1 ");
}

Test(log_dinode_walk, little_endian)
{
	show_core("inode/le_v3.log", XFS_LOG_DINODE_V3_BYTES, XFS_LE);
	has("di_mode=0120777 di_version=3 di_format=local");
	has("di_size=235 ");
	has("di_ctime=3942728827924000372");
	has("di_ino=65675 ");
	show_fork("inode/le_v3.log", 176 + OP_HEADER, 236, XFS_ILOG_DDATA,
		  false);
	has("u{symlink=sss");
	/* The 236th byte of the region is padding. */
	cr_assert_eq(out.len, strlen("u{symlink=}") + 235);
}

Test(log_fork_walk, shows_a_root_as_it_is_in_memory)
{
	show_core("inode/be_v2_broot.log", XFS_LOG_DINODE_V2_BYTES, XFS_BE);
	has("di_format=btree");
	show_fork("inode/be_v2_broot.log", 96 + OP_HEADER, 40,
		  XFS_ILOG_DBROOT, false);
	has("u{bmbt{hdr{bb_magic=0x424d4150 bb_level=1 bb_numrecs=1 "
	    "bb_leftsib=18446744073709551615 "
	    "bb_rightsib=18446744073709551615} keys[1]{br_startoff=11} "
	    "ptrs[1]{");
}

static void any_fork_walk(const struct xfs_walk *w)
{
	static const uint32_t fields[] = {
		XFS_ILOG_DDATA, XFS_ILOG_DEXT, XFS_ILOG_DBROOT,
		XFS_ILOG_ADATA, XFS_ILOG_AEXT, XFS_ILOG_ABROOT,
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		xfs_log_fork_walk(w, fields[i], i >= 3, &core);
		xfs_log_fork_walk(w, fields[i], i >= 3, NULL);
	}
}

Test(log_fork_walk, survives_garbage)
{
	show_core("inode/le_v3.log", XFS_LOG_DINODE_V3_BYTES, XFS_LE);
	fixture_load("inode/le_v3.log", raw, 424);
	garbage_all(any_fork_walk, raw + 188, 236, &v5);
	core.di_mode = XFS_MODE_DIR;
	core.di_size = UINT64_MAX;
	fixture_load("inode/be_v2_broot.log", raw, 148);
	garbage_all(any_fork_walk, raw + 108, 40, &v4);
	fixture_load("inode/le_v3.log", raw, 176);
	garbage_all(xfs_log_dinode_walk, raw, 176, NULL);
}

/* --- judging --- */

static const char *why(const char *name, const struct xfs_geom *geom,
		       xfs_ino_t ino, size_t off, uint8_t value)
{
	fixture_load(name, raw, geom->inodesize);
	raw[off] = value;
	return xfs_dinode_verify(raw, geom, ino);
}

Test(dinode_verify, accepts_what_linux_wrote)
{
	cr_assert_null(why("inode/v5_dir.inode", &i386_v5, 128, 0, 'I'));
	cr_assert_null(why("inode/v5_reflink.inode", &i386_v5, 845, 0, 'I'));
	cr_assert_null(why("inode/v4_link.inode", &v4, 186, 0, 'I'));
	cr_assert_null(why("inode/v4_btree.inode", &v4, 137, 0, 'I'));
	cr_assert_null(why("inode/v4_attr.inode", &v4, 65712, 0, 'I'));
}

Test(dinode_verify, knows_an_inode_by_checksum_number_and_uuid)
{
	struct xfs_geom other = i386_v5;

	cr_assert_str_eq(why("inode/v5_dir.inode", &i386_v5, 128, 300, 1),
			 "bad inode checksum");
	cr_assert_str_eq(why("inode/v5_dir.inode", &i386_v5, 129, 0, 'I'),
			 "inode number is not that of its place");
	other.meta_uuid[15] ^= 1;
	cr_assert_str_eq(why("inode/v5_dir.inode", &other, 128, 0, 'I'),
			 "inode of another filesystem (UUID)");
	cr_assert_str_eq(why("inode/v5_dir.inode", &i386_v5, 128, 0, 'J'),
			 "bad inode magic number");
	cr_assert_str_eq(why("inode/v4_link.inode", &v4, 186, 4, 3),
			 "inode version does not fit the filesystem");
	cr_assert_str_eq(why("inode/v4_link.inode", &v4, 186, 4, 0),
			 "inode version does not fit the filesystem");
}

Test(dinode_verify, wants_the_features_it_uses)
{
	struct xfs_geom none = i386_v5;

	none.bigtime = false;
	cr_assert_str_eq(why("inode/v5_dir.inode", &none, 128, 0, 'I'),
			 "bigtime inode on a filesystem without that");
	none = i386_v5;
	none.reflink = false;
	cr_assert_str_eq(why("inode/v5_reflink.inode", &none, 845, 0, 'I'),
			 "reflink inode on a filesystem without that");
}

/* The same with the checksum made right again. */
static const char *why_v3(const char *name, const struct xfs_geom *geom,
			  xfs_ino_t ino, size_t off, uint8_t value)
{
	fixture_load(name, raw, geom->inodesize);
	raw[off] = value;
	put_le32(raw + XFS_DINODE_CRC_OFF,
		 xfs_crc_block(raw, geom->inodesize, XFS_DINODE_CRC_OFF));
	return xfs_dinode_verify(raw, geom, ino);
}

Test(dinode_verify, judges_what_only_version_3_has)
{
	const char *dir = "inode/v5_dir.inode";
	const char *rtrmap = "inode/v5_rtrmap.inode";
	struct xfs_geom all = i386_v5;

	cr_assert_null(why_v3(dir, &i386_v5, 128, 0, 'I'));
	cr_assert_str_eq(why_v3(dir, &i386_v5, 128, 31, 1),
			 "padding before the times is not zero");
	cr_assert_str_eq(why_v3(dir, &i386_v5, 128, 63, 0),
			 "empty directory or symbolic link");
	cr_assert_str_eq(why_v3(dir, &i386_v5, 128, 127, 0x18),
			 "large extent counters on a filesystem without");
	cr_assert_str_eq(why_v3(dir, &i386_v5, 128, 127, 0x28),
			 "metadata inode on a filesystem without that");
	all.nrext64 = all.metadir = true;
	cr_assert_null(why_v3(dir, &all, 128, 127, 0x18));
	cr_assert_str_eq(why_v3(rtrmap, &all, 327811, 0, 'I'),
			 "inode of another filesystem (UUID)");
	memcpy(all.meta_uuid, raw + 160, 16);
	cr_assert_null(why_v3(rtrmap, &all, 327811, 0, 'I'));
	cr_assert_str_eq(why_v3(rtrmap, &all, 327811, 81, 1),
			 "padding of large extent counters is not zero");
	cr_assert_str_eq(why_v3(rtrmap, &all, 327811, 7, 9),
			 "unknown type of metadata inode");
	cr_assert_str_eq(why_v3(rtrmap, &all, 327811, 7, 5),
			 "metadata btree in a wrong inode");
}

/* Version 4 has no checksum in the way. */
Test(dinode_verify, judges_modes_sizes_and_forks)
{
	const char *link = "inode/v4_link.inode";
	const char *tree = "inode/v4_btree.inode";
	const char *attr = "inode/v4_attr.inode";

	cr_assert_str_eq(why(link, &v4, 186, 2, 0xb1), "unknown file type");
	cr_assert_str_eq(why(link, &v4, 186, 2, 0x01),
			 "mode without a file type");
	cr_assert_str_eq(why(link, &v4, 186, 2, 0x81),
			 "regular file with a local fork");
	cr_assert_str_eq(why(link, &v4, 186, 2, 0x21),
			 "device inode with a bad fork format");
	cr_assert_str_eq(why(link, &v4, 186, 56, 0x80), "negative file size");
	cr_assert_str_eq(why(link, &v4, 186, 62, 1),
			 "local fork longer than its room");
	cr_assert_str_eq(why(link, &v4, 186, 5, 4), "bad fork format");
	cr_assert_str_eq(why(link, &v4, 186, 5, 3),
			 "symbolic link with an extent btree");
	cr_assert_str_eq(why(link, &v4, 186, 79, 1),
			 "more extents than blocks");
	cr_assert_str_eq(why(link, &v4, 186, 83, 1),
			 "bad format of an absent attribute fork");
	cr_assert_str_eq(why(tree, &v4, 137, 5, 2),
			 "more extents than the fork holds");
	cr_assert_str_eq(why(tree, &v4, 137, 79, 1),
			 "extent btree where a list would do");
	cr_assert_str_eq(why(tree, &v4, 137, 5, 5),
			 "metadata btree in a wrong inode");
	cr_assert_str_eq(why(attr, &v4, 65712, 82, 0),
			 "attribute extents without an attribute fork");
	cr_assert_str_eq(why(attr, &v4, 65712, 82, 20),
			 "attribute fork begins outside the inode");
	cr_assert_str_eq(why(attr, &v4, 65712, 83, 0), "bad fork format");
}

Test(dinode_slot_verify, judges_unlinked_lists)
{
	fixture_load("inode/v4_link.inode", raw, 256);
	cr_assert_null(xfs_dinode_slot_verify(raw, &v4, 0));
	put_be32(raw + 96, 4095 << 4 | 15);
	cr_assert_null(xfs_dinode_slot_verify(raw, &v4, 3));
	cr_assert_str_eq(xfs_dinode_slot_verify(raw, &v4, 4),
			 "bad next inode in an unlinked list");
	put_be32(raw + 96, 4096 << 4);
	cr_assert_str_eq(xfs_dinode_slot_verify(raw, &v4, 0),
			 "bad next inode in an unlinked list");
	put_be32(raw + 96, 0);
	cr_assert_str_eq(xfs_dinode_slot_verify(raw, &v4, 0),
			 "bad next inode in an unlinked list");
	raw[1] = 0;
	cr_assert_str_eq(xfs_dinode_slot_verify(raw, &v4, 0),
			 "bad inode magic number");
}
