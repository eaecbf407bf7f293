/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Intents in words. The items are from logs of Linux 6.1 to 7.2; where nothing
 * is said, from be612-live-s3, a big-endian machine.
 */
#include "libxlog/replay/remain.h"
#include "tests/lib/minifs.h"

static struct minireplay *m;
static struct told told;

static void setup(void)
{
	m = mini_new(true, 12);
	m->r.geom.agblklog = 13;
	m->r.pending = xlog_pending_new();
	cr_assert(m->r.pending);
	fs_listen(m, &told);
}

static void teardown(void)
{
	xlog_pending_free(m->r.pending);
	mini_free(m);
}

static void log_item(const char *hex, uint32_t block)
{
	enum xfs_order order = hex[0] == '1' ? XFS_BE : XFS_LE;
	struct item *it = item_new(order, hex);
	struct xlog_region regions[8];
	struct xlog_item item = {
		.type = xfs_logitem_type(&it->v),
		.declared = (uint16_t)it->v.nregions,
		.nregions = (uint16_t)it->v.nregions,
		.regions = regions,
	};

	for (unsigned int i = 0; i < it->v.nregions; i++)
		regions[i] = (struct xlog_region){ it->regions[i].data,
						   it->regions[i].len_bytes };
	cr_assert_eq(xlog_pending_item(m->r.pending, &item,
				       xlog_lsn(1, block), order == XFS_BE), 0);
	item_free(it);
}

static void says(const char *hex, const char *text)
{
	log_item(hex, 5);
	remain_intents(&m->r);
	cr_expect_str_eq(told.text, text);
}

TestSuite(remain_intents, .init = setup, .fini = teardown);

Test(remain_intents, in_log_order)
{
	log_item("1236 0001 00000001 00000000028757a0"
		 "000000000000005d 00000001 00000000", 7);
	log_item("1240 0001 00000001 0000000002fceb00"
		 "000000000002089f 00000000000041a5 0000000000000000 00000001 80000001",
		 9);
	/* and the end of the first */
	log_item("1237 0001 00000000 00000000028757a0", 10);
	log_item("1236 0001 00000001 00000000028757a0"
		 "000000000000405d 00000007 00000000", 11);
	remain_intents(&m->r);
	cr_expect_eq(m->res.intents, 2);
	cr_expect_str_eq(told.text,
		"rui 0x2fceb00: map inode 133279 off 0 ag2/421+1 attr\n"
		"efi 0x28757a0: free ag2/93+7\n");
	cr_expect_eq(told.last.kind, XLOG_REMAINDER_INTENT);
	cr_expect_eq(told.last.lsn, xlog_lsn(1, 11));
	cr_expect_str_eq(told.last.type, "efi");
	cr_expect_eq(told.last.id, 0x28757a0);
	cr_expect_eq(told.last.ino, 0);
	cr_expect_eq(told.last.ag, 2);
	cr_expect_eq(told.last.agbno, 93);
	cr_expect_eq(told.last.blocks, 7);
	cr_expect_not(told.last.realtime);
}

Test(remain_intents, nobody_needs_to_listen)
{
	m->opts.remainder = NULL;
	log_item("1236 0001 00000001 00000000028757a0"
		 "000000000000005d 00000001 00000000", 7);
	remain_intents(&m->r);
	cr_expect_eq(m->res.intents, 1);
}

/* i386-intents-s1, whose extents have 12 bytes; the others are made up */
Test(remain_intents, many_extents)
{
	says("3612 0100 04000000 30f144c200000000"
	     "d700000000000000 01000000 d800000000000000 01000000"
	     "d700000000000000 01000000 d800000000000000 01000000",
	     "efi 0xc244f130: free ag0/215+1, ag0/216+1, ag0/215+1, and 1 more\n");
}

/* rmap-intents, Linux 6.18 */
Test(remain_intents, reference_counts)
{
	says("4212 0100 02000000 704856758188ffff"
	     "9460000000000000 01000000 02000000 7362000000000000 01000000 01000000",
	     "cui 0xffff888175564870: decrease ag3/148+1, increase ag3/627+1\n");
	cr_expect_eq(told.last.ag, 3);
	cr_expect_eq(told.last.agbno, 148);
}

Test(remain_intents, owner_that_is_no_inode)
{
	says("1240 0001 00000001 00000000376182b0"
	     "fffffffffffffff7 00000000000044e8 0000000000000000 00000001 00000008",
	     "rui 0x376182b0: free cow ag2/1256+1\n");
	cr_expect_eq(told.last.ino, 0);
}

Test(remain_intents, mapping)
{
	says("1244 0001 00000001 0000000002b884e0"
	     "00000000000000ad 0000000000000206 00000000000000b0 00000001 40000001",
	     "bui 0x2b884e0: map inode 173 off 176 ag0/518+1\n");
	cr_expect_eq(told.last.ino, 173);
}

/* n72-rtg-flight-s1, Linux 7.2: realtime groups of 8192 blocks */
Test(remain_intents, realtime)
{
	m->r.geom.rgblocks = 8192;
	m->r.geom.rgblklog = 13;
	log_item("4e12 0100 01000000 00e09d016c272aff"
		 "2640000000000000 01000000 02000000", 3);
	log_item("4412 0100 01000000 301c05046c272aff"
		 "8500000000000000 2660000000000000 2600000000000000 01000000 01000020",
		 3);
	log_item("4c12 0100 01000000 002b44056c272aff"
		 "8900000000000000 4a00000000000000 4100000000000000 01000000 03000000",
		 3);
	log_item("4a12 0100 01000000 f0159e016c272aff"
		 "4a00000000000000 01000000 00000000", 3);
	remain_intents(&m->r);
	cr_expect_str_eq(told.text,
		"cui_rt 0xff2a276c019de000: decrease rtg2/38+1\n"
		"bui 0xff2a276c04051c30: map inode 133 off 38 rtg3/38+1\n"
		"rui_rt 0xff2a276c05442b00: unmap inode 137 off 65 rtg0/74+1\n"
		"efi_rt 0xff2a276c019e15f0: free rtg0/74+1\n");
	cr_expect(told.last.realtime);
}

Test(remain_intents, realtime_without_groups)
{
	says("4412 0100 01000000 301c05046c272aff"
	     "8500000000000000 2660000000000000 2600000000000000 01000000 01000020",
	     "bui 0xff2a276c04051c30: map inode 133 off 38 rt0/24614+1\n");
	cr_expect_eq(told.last.agbno, 24614);
}

Test(remain_intents, attributes)
{
	says("1246 0005 4636ecf9 000000003825fdd0 00000000000000a5 00000006"
	     "0003 0003 0000000c 00000008|66320a00|66343900|"
	     "0000000000000092 6d741e41|0000000000000092 6d741e41",
	     "attri 0x3825fdd0: pptr_replace inode 165 \"f2?\" to \"f49\"\n");
	cr_expect_eq(told.last.ino, 165);
}

/* n72-xmi-s1 */
Test(remain_intents, exchanged_mappings)
{
	says("4812 0100 00000000 f860553750401eff 8300000000000000 8500000000000000"
	     "fafb113b 893e72b8 0700000000000000 0700000000000000 f901000000000000"
	     "0200000000000000 0000001c00000000 0000200000000000",
	     "xmi 0xff1e4050375560f8: exchange inode 131 off 7 with inode 133 off 7, 505 blocks\n");
	cr_expect_eq(told.last.ino, 131);
}

Test(remain_intents, unknown_operation)
{
	says("1242 0001 00000001 0000000037a09b00"
	     "0000000000004093 00000003 00000077",
	     "cui 0x37a09b00: operation 119 ag2/147+3\n");
}

/* A start of "quota off" without its end is nothing to be finished. */
Test(remain_intents, quotaoff_is_none)
{
	log_item("123e 0001 00000008 00000000 00000000", 4);
	remain_intents(&m->r);
	cr_expect_eq(m->res.intents, 0);
}

/* All are counted and told of, if not with all they say. */
Test(remain_intents, more_than_are_copied)
{
	for (uint32_t i = 0; i < 40000; i++)
		log_item("1236 0001 00000001 00000000028757a0"
			 "000000000000005d 00000001 00000000", i);
	remain_intents(&m->r);
	cr_expect_eq(m->res.intents, 40000);
	cr_expect_eq(told.count, 40000);
	cr_expect_eq(told.last.lsn, xlog_lsn(1, 39999));
	cr_expect_str_eq(told.last_text,
			 "efi 0x28757a0: one of too many to keep what each says");
}
