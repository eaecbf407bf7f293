/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Btree blocks of real filesystems; tests/fixtures/README.md says whose they
 * are and how they were cut out. What they hold is what
 *	xfs_db -r -c 'fsblock N' -c 'type T' -c print IMAGE
 * says, but that it shows the four bytes of a checksum backwards. Realtime
 * trees it does not know: for those see also test_btree_root.c.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxfsfmt/btree.h"
#include "libxfsfmt/geom.h"
#include "tests/lib/fixture.h"
#include "tests/lib/walktext.h"

enum { ELEMS_MAX = 11 };

/* A block, where it lies, and elements of it; the last one has no successor. */
struct golden {
	const char	*file;
	enum xfs_btree_kind kind;
	const struct xfs_geom *geom;
	xfs_daddr_t	daddr;
	const char	*hdr;
	const char	*elems[ELEMS_MAX];
};

/* --- the filesystems --- */

#define GEOM(log, agblklog_, agblocks_, agcount_, ...)			\
	{ .blocklog = log, .blocksize = 1u << (log),			\
	  .agblklog = agblklog_, .agblocks = agblocks_,			\
	  .agcount = agcount_,						\
	  .dblocks = (uint64_t)(agblocks_) * (agcount_), __VA_ARGS__ }
#define V4	.v5 = false
#define UUID(...)	.v5 = true, .sparse = true, .meta_uuid = { __VA_ARGS__ }

static const struct xfs_geom quota_v4 = GEOM(12, 12, 4096, 4, V4);
static const struct xfs_geom swapext_v4 = GEOM(12, 13, 6144, 4, V4);
static const struct xfs_geom mkfs_v4 = GEOM(9, 19, 327680, 2, V4);
static const struct xfs_geom bs2k = GEOM(11, 14, 12288, 4,
	UUID(0x2d, 0x86, 0x7e, 0xce, 0x74, 0x5d, 0x4d, 0x09,
	     0x80, 0xc6, 0xfd, 0x96, 0x46, 0x4f, 0xce, 0x47));
static const struct xfs_geom sparse_v5 = GEOM(12, 13, 6144, 4,
	UUID(0x04, 0xbf, 0x37, 0x1c, 0xce, 0xd4, 0x40, 0x5f,
	     0xb6, 0x88, 0x6e, 0x48, 0x1d, 0xf6, 0xbc, 0x61));
static const struct xfs_geom mkfs_v5 = GEOM(10, 18, 163840, 2,
	UUID(0xfa, 0x49, 0xb9, 0xd1, 0x34, 0x8d, 0x40, 0x6a,
	     0xa7, 0xa2, 0xbc, 0xa4, 0x1a, 0x51, 0xb6, 0x48));
static const struct xfs_geom clean = GEOM(12, 12, 4096, 4,
	UUID(0xe3, 0x20, 0xd9, 0xa5, 0x8a, 0xa2, 0x48, 0x22,
	     0x8c, 0xac, 0xf0, 0x6d, 0x88, 0x93, 0x59, 0x98));
static const struct xfs_geom rmap_intents = GEOM(12, 13, 8192, 4,
	UUID(0x4f, 0x23, 0xbb, 0x77, 0xed, 0xfa, 0x46, 0x61,
	     0x94, 0xb7, 0xcb, 0x37, 0x29, 0x9a, 0x95, 0xb2));
static const struct xfs_geom quota_efi = GEOM(12, 13, 8192, 4,
	UUID(0x8c, 0xcf, 0xc1, 0x4d, 0x4c, 0xbb, 0x47, 0x43,
	     0xbd, 0x8c, 0xd9, 0x01, 0x02, 0x00, 0xd2, 0x70));
static const struct xfs_geom rtgroups = GEOM(12, 14, 16384, 4,
	UUID(0xd1, 0x49, 0x80, 0x1d, 0x9f, 0x12, 0x42, 0x5a,
	     0x94, 0x48, 0xd0, 0x04, 0xae, 0x6e, 0xcf, 0x52));

#define NULL32	"4294967295"
#define NULL64	"18446744073709551615"
#define ALONE32	" bb_leftsib=" NULL32 " bb_rightsib=" NULL32
#define ALONE64	" bb_leftsib=" NULL64 " bb_rightsib=" NULL64
#define BS2K	" bb_uuid=2d867ece745d4d0980c6fd96464fce47"
#define MKFS_V5	" bb_uuid=fa49b9d1348d406aa7a2bca41a51b648"
#define QUOTA_EFI " bb_uuid=8ccfc14d4cbb4743bd8cd9010200d270"
#define RTGROUPS " bb_uuid=d149801d9f12425a9448d004ae6ecf52"
#define NO_FLAGS " rm_attr_fork=0 rm_bmbt_block=0"
#define NO_FLAGS_HI " rm_attr_fork_hi=0 rm_bmbt_block_hi=0"

static const struct golden blocks[] = {
	{ "bnobt_v4_leaf", XFS_BTREE_BNO, &quota_v4, 32776,
	  "hdr{bb_magic=0x41425442 bb_level=0 bb_numrecs=117" ALONE32 "}",
	  { "recs[1]{ar_startblock=28 ar_blockcount=1}",
	    "recs[2]{ar_startblock=276 ar_blockcount=2}",
	    "recs[117]{ar_startblock=4088 ar_blockcount=8}" } },
	{ "bnobt_v4_node", XFS_BTREE_BNO, &swapext_v4, 40,
	  "hdr{bb_magic=0x41425442 bb_level=1 bb_numrecs=5" ALONE32 "}",
	  { "keys[1]{ar_startblock=153 ar_blockcount=1}",
	    "keys[2]{ar_startblock=1047 ar_blockcount=1}",
	    "keys[3]{ar_startblock=2075 ar_blockcount=1}",
	    "keys[4]{ar_startblock=3105 ar_blockcount=1}",
	    "keys[5]{ar_startblock=3621 ar_blockcount=1}",
	    "ptrs[1]{ptr=1}", "ptrs[2]{ptr=4}", "ptrs[3]{ptr=1422}",
	    "ptrs[4]{ptr=1424}", "ptrs[5]{ptr=2130}" } },
	{ "cntbt_v4_leaf", XFS_BTREE_CNT, &quota_v4, 32784,
	  "hdr{bb_magic=0x41425443 bb_level=0 bb_numrecs=117" ALONE32 "}",
	  { "recs[1]{ar_startblock=28 ar_blockcount=1}",
	    "recs[117]{ar_startblock=3708 ar_blockcount=20}" } },
	{ "cntbt_v4_node", XFS_BTREE_CNT, &swapext_v4, 56,
	  "hdr{bb_magic=0x41425443 bb_level=1 bb_numrecs=5" ALONE32 "}",
	  { "keys[1]{ar_startblock=153 ar_blockcount=1}",
	    "keys[5]{ar_startblock=3621 ar_blockcount=1}",
	    "ptrs[1]{ptr=2}", "ptrs[5]{ptr=2131}" } },
	{ "inobt_v4_leaf", XFS_BTREE_INO, &quota_v4, 32792,
	  "hdr{bb_magic=0x49414254 bb_level=0 bb_numrecs=13" ALONE32 "}",
	  { "recs[1]{ir_startino=128 ir_freecount=2 ir_free=0x40080000}",
	    "recs[3]{ir_startino=704 ir_freecount=0 ir_free=0x0}",
	    "recs[5]{ir_startino=2368 ir_freecount=8 ir_free=0x11000202040d0000}",
	    "recs[13]{ir_startino=16448 ir_freecount=5 ir_free=0x3000888000000000}" } },
	{ "inobt_v4_node", XFS_BTREE_INO, &mkfs_v4, 458764,
	  "hdr{bb_magic=0x49414254 bb_level=1 bb_numrecs=11" ALONE32 "}",
	  { "keys[1]{ir_startino=262176}", "keys[11]{ir_startino=302368}",
	    "ptrs[1]{ptr=6}", "ptrs[11]{ptr=131662}" } },
	{ "bmbt_v4_leaf", XFS_BTREE_BMAP, &quota_v4, 36776,
	  "hdr{bb_magic=0x424d4150 bb_level=0 bb_numrecs=10" ALONE64 "}",
	  { "recs[1]{br_startoff=32 br_startblock=7458 br_blockcount=3 br_state=0}",
	    "recs[3]{br_startoff=36 br_startblock=5457 br_blockcount=1 br_state=1}",
	    "recs[10]{br_startoff=93 br_startblock=5596 br_blockcount=3 br_state=1}" } },
	{ "bmbt_v4_node", XFS_BTREE_BMAP, &mkfs_v4, 471817,
	  "hdr{bb_magic=0x424d4150 bb_level=1 bb_numrecs=15" ALONE64 "}",
	  { "keys[1]{br_startoff=0}", "keys[2]{br_startoff=832}",
	    "keys[15]{br_startoff=67109064}",
	    "ptrs[1]{ptr=655896}", "ptrs[15]{ptr=668424}" } },
	{ "bnobt_v5_leaf", XFS_BTREE_BNO, &bs2k, 147460,
	  "hdr{bb_magic=0x41423342 bb_level=0 bb_numrecs=171"
	  " bb_leftsib=" NULL32 " bb_rightsib=6 bb_blkno=147460"
	  " bb_lsn=4294971958" BS2K " bb_owner=3 bb_crc=0x5892f543}",
	  { "recs[1]{ar_startblock=120 ar_blockcount=1}",
	    "recs[171]{ar_startblock=589 ar_blockcount=1}" } },
	{ "bnobt_v5_node", XFS_BTREE_BNO, &bs2k, 147484,
	  "hdr{bb_magic=0x41423342 bb_level=1 bb_numrecs=10" ALONE32
	  " bb_blkno=147484 bb_lsn=4294971481" BS2K
	  " bb_owner=3 bb_crc=0x5b8fd0eb}",
	  { "keys[1]{ar_startblock=120 ar_blockcount=1}",
	    "keys[10]{ar_startblock=4827 ar_blockcount=1}",
	    "ptrs[1]{ptr=1}", "ptrs[10]{ptr=5075}" } },
	{ "cntbt_v5_leaf", XFS_BTREE_CNT, &bs2k, 147464,
	  "hdr{bb_magic=0x41423343 bb_level=0 bb_numrecs=171"
	  " bb_leftsib=" NULL32 " bb_rightsib=8 bb_blkno=147464"
	  " bb_lsn=4294971958" BS2K " bb_owner=3 bb_crc=0x13d5bdb6}",
	  { "recs[1]{ar_startblock=120 ar_blockcount=1}",
	    "recs[171]{ar_startblock=597 ar_blockcount=1}" } },
	{ "cntbt_v5_node", XFS_BTREE_CNT, &bs2k, 147492,
	  "hdr{bb_magic=0x41423343 bb_level=1 bb_numrecs=10" ALONE32
	  " bb_blkno=147492 bb_lsn=4294973203" BS2K
	  " bb_owner=3 bb_crc=0xdae6a003}",
	  { "keys[1]{ar_startblock=120 ar_blockcount=1}",
	    "keys[10]{ar_startblock=4825 ar_blockcount=1}",
	    "ptrs[1]{ptr=2}", "ptrs[10]{ptr=5072}" } },
	{ "bmbt_v5_leaf", XFS_BTREE_BMAP, &bs2k, 115044,
	  "hdr{bb_magic=0x424d4133 bb_level=0 bb_numrecs=5" ALONE64
	  " bb_blkno=115044 bb_lsn=4294975296" BS2K
	  " bb_owner=147921 bb_crc=0xea79ea62}",
	  { "recs[1]{br_startoff=0 br_startblock=37017 br_blockcount=9 br_state=0}",
	    "recs[2]{br_startoff=24 br_startblock=36935 br_blockcount=13 br_state=0}",
	    "recs[5]{br_startoff=148 br_startblock=37066 br_blockcount=4 br_state=0}" } },
	{ "bmbt_v5_node", XFS_BTREE_BMAP, &bs2k, 147924,
	  "hdr{bb_magic=0x424d4133 bb_level=1 bb_numrecs=14" ALONE64
	  " bb_blkno=147924 bb_lsn=4294968210" BS2K
	  " bb_owner=196879 bb_crc=0xcb2a3c46}",
	  { "keys[1]{br_startoff=0}", "keys[14]{br_startoff=2890}",
	    "ptrs[1]{ptr=49245}", "ptrs[14]{ptr=49271}" } },
	{ "inobt_v5_leaf", XFS_BTREE_INO, &sparse_v5, 49176,
	  "hdr{bb_magic=0x49414233 bb_level=0 bb_numrecs=24" ALONE32
	  " bb_blkno=49176 bb_lsn=12884918855"
	  " bb_uuid=04bf371cced4405fb6886e481df6bc61"
	  " bb_owner=1 bb_crc=0xd8abb56d}",
	  { "recs[1]{ir_startino=128 ir_holemask=0x0 ir_count=64"
	    " ir_freecount=21 ir_free=0x122685143671d00}",
	    "recs[11]{ir_startino=8448 ir_holemask=0xff00 ir_count=32"
	    " ir_freecount=0 ir_free=0xffffffff00000000}",
	    "recs[20]{ir_startino=19456 ir_holemask=0xff ir_count=32"
	    " ir_freecount=0 ir_free=0xffffffff}",
	    "recs[24]{ir_startino=40768 ir_holemask=0x0 ir_count=64"
	    " ir_freecount=3 ir_free=0xc00000000200000}" } },
	{ "inobt_v5_node", XFS_BTREE_INO, &mkfs_v5, 461054,
	  "hdr{bb_magic=0x49414233 bb_level=1 bb_numrecs=2" ALONE32
	  " bb_blkno=461054 bb_lsn=0" MKFS_V5 " bb_owner=1 bb_crc=0x2cb0c429}",
	  { "keys[1]{ir_startino=131136}", "keys[2]{ir_startino=133888}",
	    "ptrs[1]{ptr=66685}", "ptrs[2]{ptr=66686}" } },
	{ "finobt_leaf", XFS_BTREE_FINO, &clean, 32800,
	  "hdr{bb_magic=0x46494233 bb_level=0 bb_numrecs=3" ALONE32
	  " bb_blkno=32800 bb_lsn=4294968824"
	  " bb_uuid=e320d9a58aa248228cacf06d88935998"
	  " bb_owner=1 bb_crc=0xca6ecf92}",
	  { "recs[1]{ir_startino=192 ir_holemask=0x0 ir_count=64"
	    " ir_freecount=1 ir_free=0x800000000000000}",
	    "recs[2]{ir_startino=320 ir_holemask=0x0 ir_count=64"
	    " ir_freecount=3 ir_free=0x400100000800000}",
	    "recs[3]{ir_startino=1344 ir_holemask=0x0 ir_count=64"
	    " ir_freecount=58 ir_free=0xffffffffffffffc0}" } },
	{ "finobt_node", XFS_BTREE_FINO, &mkfs_v5, 463484,
	  "hdr{bb_magic=0x46494233 bb_level=1 bb_numrecs=2" ALONE32
	  " bb_blkno=463484 bb_lsn=0" MKFS_V5 " bb_owner=1 bb_crc=0xbc40ee31}",
	  { "keys[1]{ir_startino=131136}", "keys[2]{ir_startino=133888}",
	    "ptrs[1]{ptr=67900}", "ptrs[2]{ptr=67901}" } },
	{ "rmapbt_leaf", XFS_BTREE_RMAP, &quota_efi, 65576,
	  "hdr{bb_magic=0x524d4233 bb_level=0 bb_numrecs=96"
	  " bb_leftsib=" NULL32 " bb_rightsib=797"
	  " bb_blkno=65576 bb_lsn=8589954097" QUOTA_EFI
	  " bb_owner=1 bb_crc=0x4fa707d6}",
	  { "recs[1]{rm_startblock=0 rm_blockcount=1 rm_owner=fs"
	    " rm_offset=0" NO_FLAGS " rm_unwritten=0}",
	    "recs[14]{rm_startblock=26 rm_blockcount=1 rm_owner=6546"
	    " rm_offset=0 rm_attr_fork=1 rm_bmbt_block=0 rm_unwritten=0}",
	    "recs[25]{rm_startblock=38 rm_blockcount=1 rm_owner=875"
	    " rm_offset=0 rm_attr_fork=0 rm_bmbt_block=1 rm_unwritten=0}",
	    "recs[96]{rm_startblock=224 rm_blockcount=4 rm_owner=65688"
	    " rm_offset=48" NO_FLAGS " rm_unwritten=0}" } },
	{ "rmapbt_leaf_unwritten", XFS_BTREE_RMAP, &quota_efi, 65760,
	  "hdr{bb_magic=0x524d4233 bb_level=0 bb_numrecs=84"
	  " bb_leftsib=9 bb_rightsib=10"
	  " bb_blkno=65760 bb_lsn=8589954798" QUOTA_EFI
	  " bb_owner=1 bb_crc=0x258112ee}",
	  { "recs[47]{rm_startblock=986 rm_blockcount=20 rm_owner=136"
	    " rm_offset=300" NO_FLAGS " rm_unwritten=1}",
	    "recs[84]{rm_startblock=1393 rm_blockcount=1 rm_owner=191"
	    " rm_offset=0" NO_FLAGS " rm_unwritten=0}" } },
	/* xfs_db leaves out that the second key has the unwritten bit */
	{ "rmapbt_node", XFS_BTREE_RMAP, &quota_efi, 65592,
	  "hdr{bb_magic=0x524d4233 bb_level=1 bb_numrecs=6" ALONE32
	  " bb_blkno=65592 bb_lsn=8589954798" QUOTA_EFI
	  " bb_owner=1 bb_crc=0x983df045}",
	  { "keys[1]{rm_startblock=0 rm_owner=fs rm_offset=0" NO_FLAGS
	    " rm_startblock_hi=227 rm_owner_hi=65688 rm_offset_hi=51"
	    NO_FLAGS_HI "}",
	    "keys[2]{rm_startblock=230 rm_owner=67079 rm_offset=12" NO_FLAGS
	    " rm_unwritten=0x1 rm_startblock_hi=563 rm_owner_hi=69592"
	    " rm_offset_hi=18" NO_FLAGS_HI "}",
	    "keys[6]{rm_startblock=1831 rm_owner=875 rm_offset=132" NO_FLAGS
	    " rm_startblock_hi=2322 rm_owner_hi=191 rm_offset_hi=191"
	    NO_FLAGS_HI "}",
	    "ptrs[1]{ptr=5}", "ptrs[6]{ptr=8}" } },
	{ "rmapbt_node_owners", XFS_BTREE_RMAP, &rmap_intents, 155752,
	  "hdr{bb_magic=0x524d4233 bb_level=1 bb_numrecs=12" ALONE32
	  " bb_blkno=155752 bb_lsn=4294983716"
	  " bb_uuid=4f23bb77edfa466194b7cb37299a95b2"
	  " bb_owner=2 bb_crc=0x3140735a}",
	  { "keys[1]{rm_startblock=0 rm_owner=fs rm_offset=0" NO_FLAGS
	    " rm_startblock_hi=3179 rm_owner_hi=cow rm_offset_hi=0"
	    NO_FLAGS_HI "}",
	    "keys[4]{rm_startblock=3640 rm_owner=159749 rm_offset=289"
	    NO_FLAGS " rm_startblock_hi=5535 rm_owner_hi=ag rm_offset_hi=0"
	    NO_FLAGS_HI "}",
	    "ptrs[1]{ptr=5}", "ptrs[12]{ptr=3087}" } },
	{ "refcountbt_leaf", XFS_BTREE_REFC, &rmap_intents, 48,
	  "hdr{bb_magic=0x52334643 bb_level=0 bb_numrecs=74" ALONE32
	  " bb_blkno=48 bb_lsn=4294989222"
	  " bb_uuid=4f23bb77edfa466194b7cb37299a95b2"
	  " bb_owner=0 bb_crc=0x548c16cc}",
	  { "recs[1]{rc_cow=1 rc_startblock=49 rc_blockcount=1 rc_refcount=1}",
	    "recs[74]{rc_cow=1 rc_startblock=195 rc_blockcount=1"
	    " rc_refcount=1}" } },
	{ "refcountbt_node", XFS_BTREE_REFC, &rmap_intents, 203544,
	  "hdr{bb_magic=0x52334643 bb_level=1 bb_numrecs=2" ALONE32
	  " bb_blkno=203544 bb_lsn=4294991474"
	  " bb_uuid=4f23bb77edfa466194b7cb37299a95b2"
	  " bb_owner=3 bb_crc=0xc8d783ad}",
	  { "keys[1]{rc_cow=0 rc_startblock=33}",
	    "keys[2]{rc_cow=0 rc_startblock=536}",
	    "ptrs[1]{ptr=6}", "ptrs[2]{ptr=866}" } },
	{ "rtrmapbt_leaf", XFS_BTREE_RTRMAP, &rtgroups, 327960,
	  "hdr{bb_magic=0x4d415052 bb_level=0 bb_numrecs=91"
	  " bb_leftsib=40990 bb_rightsib=" NULL64
	  " bb_blkno=327960 bb_lsn=4294972108" RTGROUPS
	  " bb_owner=327819 bb_crc=0x694eea76}",
	  { "recs[1]{rm_startblock=270 rm_blockcount=1 rm_owner=135"
	    " rm_offset=24" NO_FLAGS " rm_unwritten=0}",
	    "recs[91]{rm_startblock=330 rm_blockcount=1 rm_owner=135"
	    " rm_offset=148" NO_FLAGS " rm_unwritten=0}" } },
	{ "rtrefcountbt_leaf", XFS_BTREE_RTREFC, &rtgroups, 327936,
	  "hdr{bb_magic=0x52434e54 bb_level=0 bb_numrecs=74" ALONE64
	  " bb_blkno=327936 bb_lsn=4294972164" RTGROUPS
	  " bb_owner=327820 bb_crc=0x153c017f}",
	  { "recs[1]{rc_cow=0 rc_startblock=32 rc_blockcount=1 rc_refcount=3}",
	    "recs[74]{rc_cow=0 rc_startblock=330 rc_blockcount=1"
	    " rc_refcount=3}" } },
};

enum { BLOCKS = sizeof(blocks) / sizeof(blocks[0]) };

/* --- helpers --- */

static struct walktext text;

static uint8_t *load(const char *name, size_t *len_bytes)
{
	char path[64];

	snprintf(path, sizeof(path), "btree/%s.block", name);
	return fixture_new(path, len_bytes);
}

static struct xfs_walk walk_of(const uint8_t *data, size_t len_bytes,
			       const uint32_t *chunks,
			       const struct xfs_geom *geom)
{
	memset(&text, 0, sizeof(text));
	return (struct xfs_walk){
		.base = data, .len_bytes = len_bytes, .chunks = chunks,
		.geom = geom, .ops = &walktext_ops, .ctx = &text,
	};
}

static const struct golden *golden(const char *file)
{
	for (unsigned int i = 0; i < BLOCKS; i++)
		if (!strcmp(blocks[i].file, file))
			return &blocks[i];
	cr_assert_fail("no such block");
	return NULL;
}

static size_t occurrences(const char *what)
{
	size_t n = 0;

	for (const char *p = text.text; (p = strstr(p, what)); p++)
		n++;
	return n;
}

static void expect_shown(const char *file, const char *what)
{
	(void)file;	/* where the messages of checks are left out */
	cr_expect(strstr(text.text, what), "%s: no %s in: %.2000s", file, what,
		  text.text);
}

/* As many elements as the header says, no more: recs, or keys and ptrs. */
static void expect_counts(const char *file, size_t recs, size_t nodes)
{
	(void)file;
	cr_expect_eq(text.depth, 0);
	cr_expect_lt(text.len, sizeof(text.text) - 1);
	cr_expect_eq(occurrences("recs["), recs, "%s", file);
	cr_expect_eq(occurrences("keys["), nodes, "%s", file);
	cr_expect_eq(occurrences("ptrs["), nodes, "%s", file);
}

/* --- kinds --- */

Test(btree_kind_of, knows_every_magic)
{
	static const struct {
		const char *magic, *name;
		bool v5;
	} all[] = {
		{ "ABTB", "bnobt", false }, { "AB3B", "bnobt", true },
		{ "ABTC", "cntbt", false }, { "AB3C", "cntbt", true },
		{ "IABT", "inobt", false }, { "IAB3", "inobt", true },
		{ "FIBT", "finobt", false }, { "FIB3", "finobt", true },
		{ "RMB3", "rmapbt", true }, { "R3FC", "refcountbt", true },
		{ "BMAP", "bmbt", false }, { "BMA3", "bmbt", true },
		{ "MAPR", "rtrmapbt", true }, { "RCNT", "rtrefcountbt", true },
	};

	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		enum xfs_btree_kind kind;
		bool v5;

		cr_assert(xfs_btree_kind_of(get_be32(all[i].magic), &kind,
					    &v5));
		cr_expect_str_eq(xfs_btree_name(kind), all[i].name);
		cr_expect_eq(v5, all[i].v5);
	}
}

Test(btree_kind_of, refuses_others)
{
	enum xfs_btree_kind kind;
	bool v5;

	/* zero stands in the table where version 4 has no such tree */
	cr_expect(!xfs_btree_kind_of(0, &kind, &v5));
	cr_expect(!xfs_btree_kind_of(0x58414746, &kind, &v5));
	cr_expect(!xfs_btree_kind_of(0x42335242, &kind, &v5));
}

Test(btree_room, is_what_the_size_of_a_block_gives)
{
	/* (4096 - 56) / 8 and so on; records, then keys with pointers */
	cr_expect_eq(xfs_btree_room(XFS_BTREE_BNO, true, true, 4096), 505);
	cr_expect_eq(xfs_btree_room(XFS_BTREE_BNO, false, true, 4096), 510);
	cr_expect_eq(xfs_btree_room(XFS_BTREE_CNT, true, false, 4096), 336);
	cr_expect_eq(xfs_btree_room(XFS_BTREE_INO, true, true, 4096), 252);
	cr_expect_eq(xfs_btree_room(XFS_BTREE_FINO, true, false, 4096), 505);
	cr_expect_eq(xfs_btree_room(XFS_BTREE_RMAP, true, true, 4096), 168);
	cr_expect_eq(xfs_btree_room(XFS_BTREE_RMAP, true, false, 4096), 91);
	cr_expect_eq(xfs_btree_room(XFS_BTREE_REFC, true, true, 4096), 336);
	cr_expect_eq(xfs_btree_room(XFS_BTREE_REFC, true, false, 4096), 505);
	cr_expect_eq(xfs_btree_room(XFS_BTREE_BMAP, true, true, 4096), 251);
	cr_expect_eq(xfs_btree_room(XFS_BTREE_BMAP, false, false, 512), 30);
	cr_expect_eq(xfs_btree_room(XFS_BTREE_RTRMAP, true, false, 4096), 83);
	cr_expect_eq(xfs_btree_room(XFS_BTREE_RTREFC, true, false, 4096), 335);
	cr_expect_eq(xfs_btree_room(XFS_BTREE_BMAP, true, true, 71), 0);
}

Test(bmdr_room, of_rtrefcount_counts_a_second_key)
{
	cr_expect_eq(xfs_bmdr_room(XFS_BTREE_BMAP, false, 192), 11);
	cr_expect_eq(xfs_bmdr_room(XFS_BTREE_RTRMAP, true, 192), 7);
	cr_expect_eq(xfs_bmdr_room(XFS_BTREE_RTRMAP, false, 192), 3);
	cr_expect_eq(xfs_bmdr_room(XFS_BTREE_RTREFC, true, 192), 15);
	cr_expect_eq(xfs_bmdr_room(XFS_BTREE_RTREFC, false, 192), 11);
	cr_expect_eq(xfs_bmdr_room(XFS_BTREE_BMAP, false, 3), 0);
}

/* --- whole blocks --- */

Test(btree_walk, shows_blocks_of_kernels)
{
	for (unsigned int i = 0; i < BLOCKS; i++) {
		const struct golden *g = &blocks[i];
		size_t len_bytes, n;
		uint8_t *data = load(g->file, &len_bytes);
		struct xfs_walk w = walk_of(data, len_bytes, NULL, g->geom);

		xfs_btree_walk(&w, g->kind);
		expect_shown(g->file, g->hdr);
		for (unsigned int e = 0; e < ELEMS_MAX && g->elems[e]; e++)
			expect_shown(g->file, g->elems[e]);
		n = get_be16(data + 6);
		if (get_be16(data + 4))
			expect_counts(g->file, 0, n);
		else
			expect_counts(g->file, n, 0);
		free(data);
	}
}

Test(btree_verify, passes_blocks_of_kernels)
{
	for (unsigned int i = 0; i < BLOCKS; i++) {
		const struct golden *g = &blocks[i];
		size_t len_bytes;
		uint8_t *data = load(g->file, &len_bytes);
		const char *why = xfs_btree_verify(data, len_bytes, g->kind,
						   g->geom, g->daddr);

		cr_expect_null(why, "%s: %s", g->file, why);
		free(data);
	}
}

static void encode_again(enum xfs_btree_kind kind, const uint8_t *raw,
			 uint8_t *out)
{
	struct xfs_refcount_rec refc;
	struct xfs_bmbt_rec bmbt;

	if (kind == XFS_BTREE_REFC) {
		xfs_refcount_rec_decode(&refc, raw, sizeof(refc), XFS_BE);
		xfs_refcount_rec_encode(out, &refc, 0, XFS_BE);
	} else {
		xfs_bmbt_rec_decode(&bmbt, raw, sizeof(bmbt), XFS_BE);
		xfs_bmbt_rec_encode(out, &bmbt, 0, XFS_BE);
	}
}

Test(btree_rec, are_encoded_as_kernels_do)
{
	for (unsigned int i = 0; i < BLOCKS; i++) {
		const struct golden *g = &blocks[i];
		size_t bytes = xfs_btree_ops[g->kind].rec_bytes;
		size_t len_bytes, hdr;
		uint8_t *data = load(g->file, &len_bytes), out[16] = { 0 };

		hdr = xfs_btree_hdr_bytes(g->kind, g->geom->v5);
		if ((g->kind == XFS_BTREE_REFC || g->kind == XFS_BTREE_BMAP) &&
		    !get_be16(data + 4))
			for (size_t r = 0; r < get_be16(data + 6); r++) {
				encode_again(g->kind, data + hdr + r * bytes,
					     out);
				cr_assert_arr_eq(out, data + hdr + r * bytes,
						 bytes, "%s", g->file);
			}
		free(data);
	}
}

Test(btree_long, is_encoded_as_kernels_do)
{
	size_t len_bytes;
	uint8_t *data = load("bmbt_v5_leaf", &len_bytes);
	uint8_t out[XFS_BTREE_LONG_CRC_BYTES] = { 0 };
	struct xfs_btree_long h;

	xfs_btree_long_decode(&h, data, sizeof(out), XFS_BE);
	xfs_btree_long_encode(out, &h, XFS_BTREE_V5, XFS_BE);
	cr_expect_arr_eq(out, data, sizeof(out));
	free(data);
}

/* Shows block @file of which only the chunks in @bitmap are there. */
static void walk_part(const char *file, uint32_t bitmap)
{
	const struct golden *g = golden(file);
	size_t len_bytes;
	uint8_t *whole = load(file, &len_bytes);
	struct xfs_walk w = walk_of(whole, len_bytes, &bitmap, g->geom);

	/* what is not there must not be looked at either */
	for (size_t c = 0; c * XFS_CHUNK_BYTES < len_bytes; c++)
		if (!(bitmap >> c & 1))
			memset(whole + c * XFS_CHUNK_BYTES, 0xa5,
			       XFS_CHUNK_BYTES);
	xfs_btree_walk(&w, g->kind);
	free(whole);
}

Test(btree_walk, shows_the_records_that_are_there)
{
	/* header of 56, then records of 24: the fourth is cut at 128 */
	walk_part("rmapbt_leaf", 0x1);
	expect_shown("chunk 0", "bb_numrecs=96");
	expect_shown("chunk 0", "recs[3]{");
	cr_expect_eq(occurrences("rm_unwritten="), 3);
	cr_expect_eq(occurrences("recs[5]"), 0);

	/* bytes 256..383: the tail of 9, 10 to 13, the head of 14 */
	walk_part("rmapbt_leaf", 0x5);
	expect_shown("chunk 2", "recs[3]{");
	cr_expect_eq(occurrences("recs[7]"), 0);
	expect_shown("chunk 2", "recs[13]{");
	cr_expect_eq(occurrences("recs[15]"), 0);
	cr_expect_eq(occurrences("a5"), 0);
	cr_expect_eq(text.depth, 0);
}

Test(btree_walk, finds_pointers_behind_room_for_all_keys)
{
	/*
	 * 4096 bytes, header 56, room for 91 keys of 40: pointers begin at
	 * 3696, four of them in the 29th chunk, which ends at 3712.
	 */
	walk_part("rmapbt_node", 1u << 28 | 1);
	expect_shown("pointers", "keys[1]{");
	cr_expect_eq(occurrences("keys[3]"), 0);
	expect_shown("pointers", "ptrs[1]{ptr=5}");
	expect_shown("pointers", "ptrs[4]{ptr=28}");
	cr_expect_eq(occurrences("ptrs["), 4);
}

Test(btree_walk, shows_nothing_where_the_header_is_not_there)
{
	walk_part("rmapbt_leaf", 0x2);
	cr_expect_str_eq(text.text, "");
	walk_part("bmbt_v5_node", 0xfffe);
	cr_expect_str_eq(text.text, "");
}

Test(btree_walk, believes_no_count_past_the_end_of_the_block)
{
	size_t len_bytes;
	uint8_t *data = load("inobt_v4_node", &len_bytes);
	struct xfs_walk w = walk_of(data, len_bytes, NULL, &mkfs_v4);

	put_be16(data + 6, 0xffff);
	xfs_btree_walk(&w, XFS_BTREE_INO);
	expect_counts("node", 0, (512 - 16) / 8);
	free(data);
}

Test(btree_walk, takes_the_version_from_the_magic)
{
	size_t len_bytes;
	uint8_t *data = load("bnobt_v4_leaf", &len_bytes);
	struct xfs_walk w = walk_of(data, len_bytes, NULL, NULL);

	xfs_btree_walk(&w, XFS_BTREE_BNO);
	expect_shown("no geometry", golden("bnobt_v4_leaf")->hdr);
	expect_shown("no geometry", "recs[1]{ar_startblock=28 ");
	free(data);
}
