/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Quota records: items as kernels logged them, and the slots on disk before
 * and after the recovery by the same kernels. The block has three slots: that
 * of the item, moved to the last of them, behind those of two users.
 */
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/dquot.h"
#include "tests/lib/fixture.h"
#include "tests/lib/minireplay.h"

enum { SLOT = 136, DADDR = 384, LAST = 2 * SLOT };

/* v5-quota-efi-s1, image and recovered image: byte 1768 of block 48 */
static const char user_1003[] =
	"3d12 0200 eb030000 8001000000000000 01000000 10010000|"
	"4451 01 81 000003eb 000000000000c800 0000000000006400 0000000000002328"
	"0000000000000fa0 0000000000000015 0000000000000006 00000000 00000000"
	"0000 0000 00000000 0000000000000000 0000000000000000 0000000000000000"
	"00000000 0000 0000";
static const char user_1003_before[] =
	"4451 01 81 000003eb 000000000000c800 0000000000006400 0000000000002328"
	"0000000000000fa0 0000000000000004 0000000000000003 00000000 00000000"
	"0000 0000 00000000 0000000000000000 0000000000000000 0000000000000000"
	"00000000 0000 0000"
	"00000000 f6433b76 0000000100003221 8ccfc14d4cbb4743bd8cd9010200d270";
static const char user_1003_after[] =
	"4451 01 81 000003eb 000000000000c800 0000000000006400 0000000000002328"
	"0000000000000fa0 0000000000000015 0000000000000006 00000000 00000000"
	"0000 0000 00000000 0000000000000000 0000000000000000 0000000000000000"
	"00000000 0000 0000"
	"00000000 9dac9518 0000000100003221 8ccfc14d4cbb4743bd8cd9010200d270";

/* be612-v5-quota, a big-endian writer: byte 2720 of block 80 */
static const char group_2000[] =
	"123d 0002 000007d0 0000000000000180 00000001 00000110|"
	"4451 01 84 000007d0 0000000000000000 0000000000000000 0000000000000000"
	"0000000000000000 00000000000000d4 000000000000001c 00000000 00000000"
	"0000 0000 00000000 0000000000000000 0000000000000000 0000000000000000"
	"00000000 0000 0000";
static const char group_2000_before[] =
	"4451 01 84 000007d0 0000000000000000 0000000000000000 0000000000000000"
	"0000000000000000 0000000000000000 0000000000000000 00000000 00000000"
	"0000 0000 00000000 0000000000000000 0000000000000000 0000000000000000"
	"00000000 0000 0000"
	"00000000 8ebd25bf 0000000000000000 8d90d56eaa3d4f0fa2673ca9f2311730";
static const char group_2000_after[] =
	"4451 01 84 000007d0 0000000000000000 0000000000000000 0000000000000000"
	"0000000000000000 00000000000000d4 000000000000001c 00000000 00000000"
	"0000 0000 00000000 0000000000000000 0000000000000000 0000000000000000"
	"00000000 0000 0000"
	"00000000 c3ff1bd0 0000000000000000 8d90d56eaa3d4f0fa2673ca9f2311730";

static const xfs_lsn_t disk_lsn = (xfs_lsn_t)1 << 32 | 0x3221;

static struct minireplay *m;
static struct item *it;
static uint8_t block[BB_SIZE], after[SLOT];

static void hex_slot(uint8_t out[SLOT], const char *hex)
{
	struct item *bytes = item_new(XFS_BE, hex);

	cr_assert_eq(bytes->regions[0].len_bytes, SLOT);
	memcpy(out, bytes->data[0], SLOT);
	item_free(bytes);
}

/* A disk with such a block, and the item planned. */
static void begin(bool v5, enum xfs_order order, const char *item,
		  const char *before_hex, const char *after_hex)
{
	m = mini_new(v5, 9);
	m->r.dquot_types = XFS_DQTYPE_REC_MASK;
	fixture_load("dquot/v5.slots", block, 3 * SLOT);
	memmove(block, block + SLOT, 2 * SLOT);
	hex_slot(block + LAST, before_hex);
	hex_slot(after, after_hex);
	memcpy(m->r.geom.meta_uuid, block + LAST + 120, 16);
	it = item_new(order, item);
}

static void load(void)
{
	mini_write(m, DADDR, block, sizeof(block));
	cr_assert_eq(mini_plan(m, it, disk_lsn + 1, 1), 0, "%s", m->said.text);
	mini_load(m);
}

static void begin_user(void)
{
	begin(true, XFS_LE, user_1003, user_1003_before, user_1003_after);
}

static uint8_t *slot(void)
{
	return mini_target(m, DADDR)->data + LAST;
}

/* Nothing but the last slot was changed. */
static void assert_others_are_untouched(void)
{
	cr_assert_arr_eq(mini_target(m, DADDR)->data, block, LAST);
}

static void end(void)
{
	item_free(it);
	mini_free(m);
}

/* --- dquot --- */

Test(replay_dquot, gives_what_linux_makes_of_it)
{
	begin_user();
	load();
	cr_assert_eq(mini_apply(m, it, disk_lsn + 1, 1), 0);
	cr_assert_eq(mini_finish(m), 0, "%s", m->said.text);
	cr_assert(mini_target(m, DADDR)->dirty);
	cr_assert_arr_eq(slot(), after, SLOT);
	assert_others_are_untouched();
	cr_assert_eq(m->res.dquots, 1);
	assert_silent(&m->said);
	end();
}

Test(replay_dquot, of_a_big_endian_writer)
{
	begin(true, XFS_BE, group_2000, group_2000_before, group_2000_after);
	load();
	cr_assert_eq(mini_apply(m, it, disk_lsn, 1), 0);
	cr_assert_arr_eq(slot(), after, SLOT);
	assert_silent(&m->said);
	end();
}

Test(replay_dquot, leaves_the_end_of_a_version_4_slot_alone)
{
	begin(false, XFS_LE, user_1003, user_1003_before, user_1003_after);
	memset(block + LAST + 104, 0xee, SLOT - 104);
	memset(after + 104, 0xee, SLOT - 104);
	/* it has no bigtime */
	for (unsigned int i = 0; i < 3; i++)
		block[i * SLOT + 3] = XFS_DQTYPE_USER;
	it->data[1][3] = after[3] = XFS_DQTYPE_USER;
	load();
	/* there is no LSN to compare either */
	cr_assert_eq(mini_apply(m, it, 1, 1), 0);
	cr_assert_eq(mini_finish(m), 0);
	cr_assert_arr_eq(slot(), after, SLOT);
	end();
}

Test(replay_dquot, does_not_apply_to_a_record_that_is_as_new)
{
	begin_user();
	load();
	cr_assert_eq(mini_apply(m, it, disk_lsn, 1), 0);
	cr_assert_eq(mini_finish(m), 0);
	cr_assert_not(mini_target(m, DADDR)->dirty);
	cr_assert_arr_eq(slot(), block + LAST, SLOT);
	cr_assert_eq(m->res.newer, 1);
	cr_assert_eq(m->res.dquots, 0);
	assert_silent(&m->said);
	end();
}

Test(replay_dquot, an_lsn_of_all_ones_is_none)
{
	begin_user();
	memset(block + LAST + 112, 0xff, 8);
	put_le32(block + LAST + 108, xfs_crc_block(block + LAST, SLOT, 108));
	load();
	cr_assert_eq(mini_apply(m, it, 1, 1), 0);
	cr_assert(mini_target(m, DADDR)->dirty);
	end();
}

/* Whatever lies there: it may not even be quota any more. */
Test(replay_dquot, leaves_types_alone_that_are_not_counted)
{
	begin_user();
	m->r.dquot_types = XFS_DQTYPE_GROUP | XFS_DQTYPE_PROJ;
	memset(block, 0x5a, sizeof(block));
	load();
	cr_assert_eq(mini_apply(m, it, disk_lsn + 1, 1), 0);
	cr_assert_eq(mini_finish(m), 0);
	cr_assert_not(mini_target(m, DADDR)->dirty);
	assert_silent(&m->said);
	end();
}

Test(replay_dquot, refuses_a_block_of_something_else)
{
	begin_user();
	block[0] = 0;
	load();
	cr_assert_eq(mini_apply(m, it, disk_lsn + 1, 1), 0);
	cr_assert_eq(mini_finish(m), -EUCLEAN);
	assert_said(&m->said, "daddr 384");
	end();
}

Test(replay_dquot, refuses_the_slot_of_another_filesystem)
{
	begin_user();
	load();
	m->r.geom.meta_uuid[0] ^= 1;
	cr_assert_eq(mini_apply(m, it, disk_lsn + 1, 1), -EUCLEAN);
	assert_said(&m->said, "quota record 1003 in byte 272 of the block at daddr 384: UUID of another filesystem");
	cr_assert_str_eq(m->res.refused, "quota record 1003 in byte 272 of the block at daddr 384: UUID of another filesystem");
	end();
}

/* --- torn slots --- */

/* The beginning is that of the item, the rest with the LSN is old. */
Test(replay_dquot, replaces_a_record_whose_end_was_not_written)
{
	begin_user();
	memcpy(block + LAST, after, 60);
	load();
	cr_assert_eq(mini_apply(m, it, disk_lsn + 1, 1), 0);
	cr_assert_eq(mini_finish(m), 0);
	cr_assert_arr_eq(slot(), after, SLOT);
	cr_assert_eq(m->res.bad_crc, 1);
	cr_assert_eq(m->said.errors, 0);
	end();
}

/* The end has LSN and checksum of the item, the beginning is old. */
Test(replay_dquot, heals_a_record_whose_beginning_was_not_written)
{
	struct item *older;

	begin_user();
	memcpy(block + LAST + 60, after + 60, SLOT - 60);
	load();
	older = item_new(XFS_LE, user_1003);
	older->data[1][47]++;
	cr_assert_eq(mini_apply(m, older, disk_lsn - 1, 1), 0);
	cr_assert_eq(m->res.healed, 0);
	cr_assert_eq(mini_apply(m, it, disk_lsn, 2), 0);
	cr_assert_eq(m->res.healed, 1);
	cr_assert_eq(mini_finish(m), 0);
	cr_assert_arr_eq(slot(), after, SLOT);
	assert_others_are_untouched();
	item_free(older);
	end();
}

Test(replay_dquot, refuses_a_torn_record_that_the_log_does_not_explain)
{
	begin_user();
	memcpy(block + LAST + 60, after + 60, SLOT - 60);
	block[LAST + 130] ^= 1;		/* not in any log */
	memcpy(m->r.geom.meta_uuid, block + LAST + 120, 16);
	load();
	cr_assert_eq(mini_apply(m, it, disk_lsn, 1), 0);
	cr_assert_eq(m->res.healed, 0);
	cr_assert_eq(mini_finish(m), -EUCLEAN);
	end();
}

/* --- what is refused when the log is read --- */

static void assert_plan_refuses(const char *why)
{
	cr_assert_eq(mini_plan(m, it, disk_lsn + 1, 1), -EUCLEAN);
	assert_said(&m->said, why);
}

Test(replay_dquot, refuses_items_that_linux_would_not_take)
{
	begin_user();
	it->regions[1].len_bytes = 103;
	assert_plan_refuses("quota record too short");
	it->regions[1].len_bytes = 104;
	put_le32(it->data[0] + 4, 1004);
	assert_plan_refuses("quota record of another id");
	put_le32(it->data[0] + 4, 1003);
	put_le32(it->data[0] + 20, 3 * SLOT);
	assert_plan_refuses("quota record past the end of its block");
	put_le32(it->data[0] + 20, SLOT + 8);
	assert_plan_refuses("between two slots of the block");
	put_le32(it->data[0] + 20, SLOT);
	put_le64(it->data[0] + 8, UINT64_MAX);
	assert_plan_refuses("are not a buffer of the filesystem");
	end();
}

/* The device may say something else when the log is read again. */
Test(replay_dquot, checks_the_item_again_before_it_is_applied)
{
	begin_user();
	load();
	put_le32(it->data[0] + 20, 512 - 104);
	cr_assert_eq(mini_apply(m, it, disk_lsn + 1, 1), -EUCLEAN);
	end();
}

/* --- quotaoff --- */

static unsigned int types_off(enum xfs_order order, const char *hex)
{
	unsigned int types;

	m = mini_new(false, 12);
	it = item_new(order, hex);
	cr_assert_eq(mini_plan(m, it, 1, 1), 0);
	types = m->r.quotaoff_types;
	end();
	return types;
}

/* o510-v4-quotaoff2: 160 bytes, of which the first 8 are not zero */
Test(replay_quotaoff, turns_off_the_types_it_names)
{
	cr_assert_eq(types_off(XFS_LE, "3e12 0100 08000000"),
		     XFS_DQTYPE_PROJ);
	cr_assert_eq(types_off(XFS_BE, "123e 0001 00000008 0000000000000000"),
		     XFS_DQTYPE_PROJ);
	cr_assert_eq(types_off(XFS_LE, "3e12 0100 01000000"),
		     XFS_DQTYPE_USER);
	cr_assert_eq(types_off(XFS_LE, "3e12 0100 40000000"),
		     XFS_DQTYPE_GROUP);
	cr_assert_eq(types_off(XFS_LE, "3e12 0100 49000000"),
		     XFS_DQTYPE_USER | XFS_DQTYPE_PROJ | XFS_DQTYPE_GROUP);
	/* enforcement alone */
	cr_assert_eq(types_off(XFS_LE, "3e12 0100 02000000"), 0);
}

Test(replay_quotaoff, of_seven_bytes_is_refused)
{
	m = mini_new(false, 12);
	it = item_new(XFS_LE, "3e12 0100 080000");
	assert_plan_refuses("quotaoff");
	cr_assert_eq(m->r.quotaoff_types, 0);
	end();
}
