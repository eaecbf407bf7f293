/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Intents that wait for their done. The first item is an EFI of Linux 6.18, as
 *	xlog-print -t -D --type=efi rmap-intents.img.zst
 * dumps it; its EFD differs in the type only.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "libxfsfmt/logitem.h"
#include "libxlog/xlog.h"

static uint8_t efi[32] = {
	0x36, 0x12, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00,
	0xe0, 0x50, 0x45, 0x75, 0x81, 0x88, 0xff, 0xff,
	0x4b, 0x73, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

static struct xlog_pending *p;

static void setup(void)
{
	p = xlog_pending_new();
	cr_assert(p);
}

static void teardown(void)
{
	xlog_pending_free(p);
}

TestSuite(xlog_pending_item, .init = setup, .fini = teardown);

/* An item of @type with @id, from checkpoint 1:@block. */
static void log_item(uint16_t type, uint32_t id, uint32_t block)
{
	uint8_t raw[32];
	struct xlog_region region = { raw, sizeof(raw) };
	struct xlog_item item = { .type = type, .declared = 1, .nregions = 1,
				  .regions = &region };

	memcpy(raw, efi, sizeof(raw));
	raw[0] = (uint8_t)type;
	raw[8] = (uint8_t)id;
	raw[9] = (uint8_t)(id >> 8);
	raw[10] = (uint8_t)(id >> 16);
	cr_assert_eq(xlog_pending_item(p, &item, xlog_lsn(1, block), false), 0);
}

Test(xlog_pending_item, done_ends_its_intent)
{
	log_item(XFS_LI_EFI, 1, 2);
	log_item(XFS_LI_EFI, 2, 2);
	cr_expect_eq(xlog_pending_count(p), 2);
	log_item(XFS_LI_EFD, 1, 3);
	cr_assert_eq(xlog_pending_count(p), 1);
	cr_expect_eq(xlog_pending_next(p, NULL)->id & 0xff, 2);
}

Test(xlog_pending_item, types_are_told_apart)
{
	log_item(XFS_LI_EFI, 1, 2);
	log_item(XFS_LI_RUI, 1, 2);
	log_item(XFS_LI_RUD, 1, 3);
	cr_assert_eq(xlog_pending_count(p), 1);
	cr_expect_eq(xlog_pending_next(p, NULL)->type, XFS_LI_EFI);
}

Test(xlog_pending_item, done_without_intent_is_nothing)
{
	log_item(XFS_LI_EFD, 1, 2);
	log_item(XFS_LI_EFI, 1, 3);
	cr_expect_eq(xlog_pending_count(p), 1, "a done ends what came before it");
}

Test(xlog_pending_item, ids_are_used_again)
{
	log_item(XFS_LI_EFI, 1, 2);
	log_item(XFS_LI_EFD, 1, 3);
	log_item(XFS_LI_EFI, 1, 4);
	cr_assert_eq(xlog_pending_count(p), 1);
	cr_expect_eq(xlog_pending_next(p, NULL)->lsn, xlog_lsn(1, 4));
}

Test(xlog_pending_item, done_ends_the_oldest_of_an_id)
{
	log_item(XFS_LI_EFI, 1, 2);
	log_item(XFS_LI_EFI, 1, 4);
	log_item(XFS_LI_EFD, 1, 5);
	cr_assert_eq(xlog_pending_count(p), 1);
	cr_expect_eq(xlog_pending_next(p, NULL)->lsn, xlog_lsn(1, 4));
}

Test(xlog_pending_item, keeps_a_copy_of_the_item)
{
	const struct xlog_pending_intent *i;

	log_item(XFS_LI_EFI, 0x4550e0, 2);
	i = xlog_pending_next(p, NULL);
	cr_assert_eq(i->item.nregions, 1);
	cr_assert_eq(i->item.regions[0].len_bytes, sizeof(efi));
	cr_expect_eq(memcmp(i->item.regions[0].data, efi, sizeof(efi)), 0);
}

Test(xlog_pending_item, others_and_damaged_ones_are_passed_over)
{
	struct xlog_region region = { efi, 15 };
	struct xlog_item item = { .type = XFS_LI_EFI, .nregions = 1,
				  .regions = &region };

	cr_expect_eq(xlog_pending_item(p, &item, 0, false), 0);
	item.nregions = 0;
	cr_expect_eq(xlog_pending_item(p, &item, 0, false), 0);
	log_item(XFS_LI_INODE, 1, 2);
	cr_expect_eq(xlog_pending_count(p), 0);
}

Test(xlog_pending_item, order_is_that_of_the_log)
{
	uint32_t block = 0;

	for (uint8_t id = 200; id; id--)
		log_item(XFS_LI_EFI, id, ++block);
	for (uint8_t id = 2; id < 200; id += 2)
		log_item(XFS_LI_EFD, id, 1000);
	block = 0;
	for (const struct xlog_pending_intent *i = xlog_pending_next(p, NULL); i;
	     i = xlog_pending_next(p, i)) {
		cr_expect_gt(xlog_lsn_block(i->lsn), block);
		block = xlog_lsn_block(i->lsn);
	}
	cr_expect_eq(xlog_pending_count(p), 101);
}

/* Far more than the table begins with, and each is still found. */
Test(xlog_pending_item, many)
{
	const struct xlog_pending_intent *i = NULL;
	uint32_t n = 20000;

	for (uint32_t id = 0; id < n; id++)
		log_item(XFS_LI_EFI, id, id + 1);
	cr_assert_eq(xlog_pending_count(p), n);
	for (uint32_t id = 0; id < n; id++)
		if (id % 1000)
			log_item(XFS_LI_EFD, id, n + 1);
	cr_assert_eq(xlog_pending_count(p), n / 1000);
	for (uint32_t id = 0; id < n; id += 1000) {
		i = xlog_pending_next(p, i);
		cr_assert(i);
		cr_expect_eq(xlog_lsn_block(i->lsn), id + 1);
	}
}

/* What there is no room to copy is still counted. */
Test(xlog_pending_item, copies_are_bounded)
{
	const struct xlog_pending_intent *i = NULL;
	uint32_t n = 40000, copies = 0;

	for (uint32_t id = 0; id < n; id++)
		log_item(XFS_LI_EFI, id, 1);
	cr_assert_eq(xlog_pending_count(p), n);
	while ((i = xlog_pending_next(p, i))) {
		cr_assert_eq(i->type, XFS_LI_EFI);
		copies += i->item.nregions;
		n--;
	}
	cr_expect_eq(n, 0);
	cr_expect_gt(copies, 1000);
	cr_expect_lt(copies, 40000);
}
