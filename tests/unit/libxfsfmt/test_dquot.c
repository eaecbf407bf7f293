/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Quota records as Linux wrote them: users 1000 to 1002 of a version 5
 * filesystem, whose values are what "xfs_db -r -c 'dquot -u 1001' -c print
 * IMAGE" prints.
 */
#include <criterion/criterion.h>

#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/dquot.h"
#include "tests/lib/fixture.h"
#include "tests/lib/walktext.h"

enum { SLOT = 136, SLOTS = 3, USER_1001 = SLOT };

static uint8_t raw[SLOTS * SLOT];
static struct xfs_geom geom;

static const uint8_t uuid[16] = {
	0x8c, 0xcf, 0xc1, 0x4d, 0x4c, 0xbb, 0x47, 0x43,
	0xbd, 0x8c, 0xd9, 0x01, 0x02, 0x00, 0xd2, 0x70,
};

static void load(void)
{
	fixture_load("dquot/v5.slots", raw, sizeof(raw));
	geom = (struct xfs_geom){ .v5 = true, .bigtime = true };
	memcpy(geom.meta_uuid, uuid, sizeof(uuid));
}

static struct xfs_disk_dquot user_1001(void)
{
	struct xfs_disk_dquot dq;

	load();
	xfs_disk_dquot_decode(&dq, raw + USER_1001, xfs_disk_dquot_size,
			      XFS_BE);
	return dq;
}

Test(disk_dquot_decode, gives_limits_and_counts)
{
	struct xfs_disk_dquot dq = user_1001();
	struct xfs_dqblk slot;

	cr_assert_eq(dq.d_magic, 0x4451);
	cr_assert_eq(dq.d_version, 1);
	cr_assert_eq(dq.d_type, XFS_DQTYPE_USER | XFS_DQTYPE_BIGTIME);
	cr_assert_eq(dq.d_id, 1001);
	cr_assert_eq(dq.d_blk_hardlimit, 51200);
	cr_assert_eq(dq.d_blk_softlimit, 25600);
	cr_assert_eq(dq.d_ino_hardlimit, 9000);
	cr_assert_eq(dq.d_ino_softlimit, 4000);
	cr_assert_eq(dq.d_bcount, 45);
	cr_assert_eq(dq.d_icount, 5);
	xfs_dqblk_decode(&slot, raw + USER_1001, SLOT, XFS_BE);
	cr_assert_eq(slot.dd_lsn, xfs_lsn_make(1, 0x6bc8));
	cr_assert_arr_eq(slot.dd_uuid, uuid, 16);
}

Test(dqblk_verify, accepts_what_linux_wrote)
{
	load();
	for (size_t off = 0; off < sizeof(raw); off += SLOT)
		cr_expect_null(xfs_dqblk_verify(raw + off, &geom));
}

Test(dqblk_verify, finds_every_flipped_bit_of_v5)
{
	load();
	for (unsigned int i = 0; i < SLOT; i++) {
		raw[i] ^= 0x80;
		cr_expect_not_null(xfs_dqblk_verify(raw, &geom), "byte %u", i);
		raw[i] ^= 0x80;
	}
	geom.meta_uuid[0] ^= 1;
	cr_expect_str_eq(xfs_dqblk_verify(raw, &geom),
			 "UUID of another filesystem");
}

Test(dqblk_verify, leaves_the_tail_of_v4_alone)
{
	load();
	geom.v5 = false;
	memset(raw + 104, 0xee, SLOT - 104);
	cr_expect_null(xfs_dqblk_verify(raw, &geom));
}

#define refuses(field, value, reason)					\
	do {								\
		struct xfs_disk_dquot dq_ = user_1001();		\
		const char *why_;					\
									\
		dq_.field = value;					\
		why_ = xfs_disk_dquot_verify(&dq_);			\
		cr_expect_not_null(why_, #field " = " #value);		\
		if (why_)						\
			cr_expect_str_eq(why_, reason);			\
	} while (0)

Test(disk_dquot_verify, refuses_what_cannot_be)
{
	refuses(d_magic, 0x4452, "bad quota record magic");
	refuses(d_version, 2, "unknown quota record version");
	refuses(d_type, 0x08, "unknown quota record type");
	refuses(d_type, 0x41, "unknown quota record type");
	refuses(d_type, 0, "quota record of no type or of several");
	refuses(d_type, 3, "quota record of no type or of several");
	refuses(d_type, 0x80, "quota record of no type or of several");
	refuses(d_id, 0, "bigtime in the quota record of id 0");
}

Test(disk_dquot_verify, wants_a_timer_where_a_soft_limit_is_exceeded)
{
	static const char why[] =
		"quota record over its soft limit without a timer";
	struct xfs_disk_dquot dq = user_1001();

	refuses(d_bcount, 25601, why);
	refuses(d_icount, 4001, why);
	dq.d_bcount = 25600;
	dq.d_icount = 4000;
	cr_expect_null(xfs_disk_dquot_verify(&dq));
	dq.d_rtb_softlimit = 1;
	dq.d_rtbcount = 2;
	cr_expect_str_eq(xfs_disk_dquot_verify(&dq), why);
	dq.d_rtbtimer = 1;
	dq.d_bcount = dq.d_icount = 100000;
	dq.d_btimer = dq.d_itimer = 1;
	cr_expect_null(xfs_disk_dquot_verify(&dq));
	/* that of id 0 has no timers that run */
	dq.d_btimer = dq.d_itimer = 0;
	dq.d_id = 0;
	dq.d_type = XFS_DQTYPE_USER;
	cr_expect_null(xfs_disk_dquot_verify(&dq));
}

Test(dqblk_verify, knows_bigtime_only_where_the_filesystem_does)
{
	load();
	geom.bigtime = false;
	cr_expect_str_eq(xfs_dqblk_verify(raw, &geom),
			 "bigtime quota record on a filesystem without that");
}

Test(dquot_block_verify, wants_ids_that_go_up_by_one)
{
	uint8_t block[512];

	load();
	memset(block, 0xee, sizeof(block));
	memcpy(block, raw, sizeof(raw));
	/* what follows the last slot is nothing */
	cr_expect_null(xfs_dquot_block_verify(block, sizeof(block), &geom));
	memcpy(block + SLOT, raw, SLOT);
	cr_expect_str_eq(xfs_dquot_block_verify(block, sizeof(block), &geom),
			 "quota records whose ids do not go up by one");
	block[2 * SLOT] ^= 1;
	memcpy(block + SLOT, raw + SLOT, SLOT);
	cr_expect_str_eq(xfs_dquot_block_verify(block, sizeof(block), &geom),
			 "wrong checksum");
}

/* --- walks --- */

static struct walktext text;

static struct xfs_walk walk(const uint32_t *chunks)
{
	memset(&text, 0, sizeof(text));
	return (struct xfs_walk){
		.base = raw, .len_bytes = sizeof(raw), .chunks = chunks,
		.geom = &geom, .ops = &walktext_ops, .ctx = &text,
	};
}

Test(disk_dquot_walk, shows_the_record_without_its_slot)
{
	struct xfs_walk w;

	load();
	w = walk(NULL);
	xfs_disk_dquot_walk(&w, USER_1001);
	cr_expect_eq(strncmp(text.text, "d_magic=0x4451 d_version=1 "
			     "d_type=user|bigtime d_id=1001 "
			     "d_blk_hardlimit=51200 ", 77), 0);
	cr_expect_null(strstr(text.text, "dd_"));
}

Test(dquot_block_walk, shows_every_slot)
{
	struct xfs_walk w;

	load();
	w = walk(NULL);
	xfs_dquot_block_walk(&w);
	cr_expect_eq(strncmp(text.text, "dq[0]{d_magic=0x4451 ", 21), 0);
	cr_expect_not_null(strstr(text.text, "} dq[1]{"));
	cr_expect_not_null(strstr(text.text, "} dq[2]{"));
	cr_expect_not_null(strstr(text.text, " dd_lsn="));
	cr_expect_eq(text.depth, 0);
	geom.v5 = false;
	w = walk(NULL);
	xfs_dquot_block_walk(&w);
	cr_expect_null(strstr(text.text, "dd_"));
}

/* The second chunk has the tail of slot 0 and most of slot 1. */
Test(dquot_block_walk, shows_slots_in_part)
{
	const uint32_t second[] = { 0x2 };
	struct xfs_walk w;

	load();
	w = walk(second);
	xfs_dquot_block_walk(&w);
	cr_expect_null(strstr(text.text, "d_id=1000"));
	cr_expect_not_null(strstr(text.text, "dq[1]{"));
	cr_expect_not_null(strstr(text.text, "d_id=1001"));
	cr_expect_null(strstr(text.text, "d_id=1002"));
	cr_expect_eq(text.depth, 0);
}
