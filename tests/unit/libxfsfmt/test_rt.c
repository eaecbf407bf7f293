/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Realtime headers as Linux 7.2 and mkfs.xfs wrote them: the superblock of a
 * realtime device and a block of the free-space bitmap of its first group.
 * What is in them is what "xfs_db -r -R RTDEV -c rtsb -c print IMAGE" and "-c
 * 'path -m /rtgroups/0.bitmap' -c 'dblock 0' -c print" of xfsprogs 7.2 print.
 */
#include <criterion/criterion.h>

#include "libxfsfmt/rt.h"
#include "tests/lib/fixture.h"
#include "tests/lib/walktext.h"

enum { BLOCK = 4096, BITMAP_DADDR = 327800 };

static uint8_t raw[BLOCK];
static struct xfs_geom geom;

static void load(const char *name)
{
	static uint8_t sector[512];
	struct xfs_sb sb;

	fixture_load("sb/rtgroups.sb", sector, sizeof(sector));
	xfs_sb_decode(&sb, sector, sizeof(sector), XFS_BE);
	xfs_geom_init(&geom, &sb);
	fixture_load(name, raw, sizeof(raw));
}

Test(rtsb, is_that_of_the_filesystem)
{
	struct xfs_rtsb sb;

	load("rt/rtsb.block");
	cr_expect_null(xfs_rtsb_verify(raw, BLOCK, &geom));
	xfs_rtsb_decode(&sb, raw, BLOCK, XFS_BE);
	cr_expect_eq(sb.rsb_magicnum, 0x46726f67);
	/* xfs_db prints the bytes as they stand: 0xd62a9eec */
	cr_expect_eq(sb.rsb_crc, 0xec9e2ad6);
	cr_expect_arr_eq(sb.rsb_meta_uuid, geom.meta_uuid, 16);
	geom.meta_uuid[9] ^= 4;
	cr_expect_str_eq(xfs_rtsb_verify(raw, BLOCK, &geom),
			 "UUID of another filesystem");
}

Test(rtsb_verify, finds_damage)
{
	load("rt/rtsb.block");
	raw[1000] ^= 1;
	cr_expect_str_eq(xfs_rtsb_verify(raw, BLOCK, &geom), "wrong checksum");
	raw[0] ^= 1;
	cr_expect_str_eq(xfs_rtsb_verify(raw, BLOCK, &geom), "bad magic");
	cr_expect_str_eq(xfs_rtsb_verify(raw, 55, &geom), "too short");
}

Test(rtbuf, is_that_of_the_place)
{
	struct xfs_rtbuf h;

	load("rt/rgbitmap.block");
	cr_expect_null(xfs_rtbuf_verify(raw, BLOCK, &geom, BITMAP_DADDR));
	cr_expect_str_eq(xfs_rtbuf_verify(raw, BLOCK, &geom, BITMAP_DADDR + 8),
			 "number of another block");
	xfs_rtbuf_decode(&h, raw, BLOCK, XFS_BE);
	cr_expect_eq(h.rt_magic, 0x424d505a);
	cr_expect_eq(h.rt_owner, 327809);
	cr_expect_eq(h.rt_blkno, BITMAP_DADDR);
	geom.meta_uuid[0] ^= 1;
	cr_expect_str_eq(xfs_rtbuf_verify(raw, BLOCK, &geom, BITMAP_DADDR),
			 "UUID of another filesystem");
}

Test(rtbuf_verify, finds_damage)
{
	load("rt/rgbitmap.block");
	raw[BLOCK - 1] ^= 1;
	cr_expect_str_eq(xfs_rtbuf_verify(raw, BLOCK, &geom, BITMAP_DADDR),
			 "wrong checksum");
	raw[3] ^= 1;
	cr_expect_str_eq(xfs_rtbuf_verify(raw, BLOCK, &geom, BITMAP_DADDR),
			 "bad magic");
	cr_expect_str_eq(xfs_rtbuf_verify(raw, 47, &geom, BITMAP_DADDR),
			 "too short");
}

/* --- walks --- */

static struct walktext text;

static struct xfs_walk walk(const uint32_t *chunks, enum xfs_order order)
{
	memset(&text, 0, sizeof(text));
	return (struct xfs_walk){
		.base = raw, .len_bytes = BLOCK, .chunks = chunks,
		.order = order, .geom = &geom, .ops = &walktext_ops,
		.ctx = &text,
	};
}

Test(rtsb_walk, shows_all_of_it)
{
	struct xfs_walk w;

	load("rt/rtsb.block");
	w = walk(NULL, XFS_LE);
	xfs_rtsb_walk(&w);
	cr_expect_str_eq(text.text, "rsb_magicnum=0x46726f67 "
		"rsb_crc=0xec9e2ad6 rsb_fname= "
		"rsb_uuid=d149801d9f12425a9448d004ae6ecf52 "
		"rsb_meta_uuid=d149801d9f12425a9448d004ae6ecf52");
}

/* The words behind a header are big-endian, whoever wrote them. */
Test(rtbuf_walk, shows_header_and_words)
{
	const uint32_t first[] = { 0x1 };
	struct xfs_walk w;

	load("rt/rgbitmap.block");
	w = walk(first, XFS_LE);
	xfs_rtbuf_walk(&w);
	cr_expect_eq(strncmp(text.text, "rt_magic=0x424d505a ", 20), 0);
	cr_expect_not_null(strstr(text.text, " rt_owner=327809 "));
	cr_expect_not_null(strstr(text.text, "=0xfffffffe,0xffffffff,"));
	cr_expect_eq(text.depth, 0);
}

/* Behind no header they are in the order of the writer. */
Test(rtbuf_walk, takes_headerless_words_in_the_order_of_the_writer)
{
	const uint32_t third[] = { 0x4 };
	struct xfs_walk w;

	load("rt/rgbitmap.block");
	memset(raw, 0, BLOCK);
	raw[256] = 0x12;
	geom.metadir = false;
	w = walk(third, XFS_LE);
	xfs_rtbuf_walk(&w);
	cr_expect_eq(strncmp(text.text, "words[64]{rt_word=0x12,0x0,", 27), 0);
	w = walk(third, XFS_BE);
	xfs_rtbuf_walk(&w);
	cr_expect_eq(strncmp(text.text, "words[64]{rt_word=0x12000000,", 29),
		     0);
	cr_expect_eq(text.depth, 0);
}
