/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bytes of an undo journal, written out by hand: files that exist must
 * stay readable. Checksums are those of xfs_crc32c(), judged elsewhere.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/endian.h"
#include "libxlog/dev/undo_fmt.h"

static const char *hex(const uint8_t *p, size_t len)
{
	static char text[256];

	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 * i, sizeof(text) - 2 * i, "%02x", p[i]);
	return text;
}

static struct undo_head some_head(void)
{
	struct undo_head head = { .count = 2 };

	memcpy(head.id, "0123456789abcdef", 16);
	head.device[0] = (struct undo_device){
		.role = UNDO_ROLE_DATA, .size_bytes = 0x1122334455,
		.log_off_bytes = 0x10000, .log_len = 0x20000,
		.identity = { .crc = 0xaabbccdd, .uuid = "fs uuid" },
		.path = "/dev/fs",
	};
	head.device[1] = (struct undo_device){
		.role = UNDO_ROLE_LOG, .size_bytes = 0x40000,
		.log_len = 0x40000, .grown = true, .was_bytes = 0x1234,
		.path = "/dev/log",
	};
	return head;
}

Test(undo_head, has_these_bytes)
{
	struct undo_head head = some_head();
	uint8_t raw[UNDO_HEAD_BYTES];

	undo_head_encode(raw, &head);
	cr_assert_str_eq(hex(raw, 40),
			 "786c6f67756e646f" "00000001" "00000002"
			 "30313233343536373839616263646566"
			 "0000000000000000");
	cr_assert_str_eq(hex(raw + 64, 72),
			 "00000001" "00000000" "0000001122334455"
			 "0000000000010000" "0000000000020000"
			 "ddccbbaa" "00000000"
			 "66732075756964000000000000000000"
			 "0000000000000000" "2f6465762f667300");
	cr_assert_str_eq(hex(raw + 64 + 1088, 64),
			 "00000002" "00000001" "0000000000040000"
			 "0000000000000000" "0000000000040000"
			 "00000000" "00000000"
			 "00000000000000000000000000000000"
			 "0000000000001234");
	cr_assert_eq(get_le32(raw + 4092), xfs_crc_block(raw, 4096, 4092));
}

Test(undo_head, comes_back)
{
	struct undo_head head = some_head(), back;
	uint8_t raw[UNDO_HEAD_BYTES], again[UNDO_HEAD_BYTES];
	uint32_t version;

	undo_head_encode(raw, &head);
	undo_head_decode(&back, raw);
	cr_assert_null(undo_head_verify(raw, &back, &version));
	undo_head_encode(again, &back);
	cr_assert_eq(memcmp(raw, again, sizeof(raw)), 0);
}

static const char *wrong(const struct undo_head *head)
{
	struct undo_head copy = *head;
	uint8_t raw[UNDO_HEAD_BYTES];
	uint32_t version;

	undo_head_encode(raw, &copy);
	undo_head_decode(&copy, raw);
	return undo_head_verify(raw, &copy, &version);
}

Test(undo_head, may_not_say_what_cannot_be)
{
	struct undo_head head = some_head();

	head.count = 3;
	cr_assert_str_eq(wrong(&head), "of an impossible number of devices");
	head.count = 0;
	cr_assert_str_eq(wrong(&head), "of an impossible number of devices");
	head = some_head();
	head.device[1].role = UNDO_ROLE_DATA;
	cr_assert_str_eq(wrong(&head), "two devices of the same role");
	head.device[1].role = 3;
	cr_assert_str_eq(wrong(&head), "a device of an unknown role");
	head = some_head();
	head.device[0].size_bytes = 0;
	cr_assert_str_eq(wrong(&head), "a device of an impossible size");
	head.device[0].size_bytes = UINT64_MAX;
	cr_assert_str_eq(wrong(&head), "a device of an impossible size");
	head = some_head();
	head.device[1].was_bytes = head.device[1].size_bytes;
	cr_assert_str_eq(wrong(&head), "a file that did not grow");
	head = some_head();
	head.device[1].log_len++;
	cr_assert_str_eq(wrong(&head),
			 "a log that does not lie on its device");
	head.device[1].log_off_bytes = UINT64_MAX;
	cr_assert_str_eq(wrong(&head),
			 "a log that does not lie on its device");
}

/* What is not a path any more is not run out of. */
Test(undo_head, ends_its_paths)
{
	struct undo_head head = some_head();
	uint8_t raw[UNDO_HEAD_BYTES];

	undo_head_encode(raw, &head);
	memset(raw + 64 + 64, 'x', UNDO_PATH_BYTES);
	undo_head_decode(&head, raw);
	cr_assert_eq(strlen(head.device[0].path), UNDO_PATH_BYTES - 1);
}

Test(undo_slot, has_these_bytes)
{
	struct undo_head head = some_head();
	struct undo_slot slot = { .generation = 7, .end_bytes = 0x12345 };
	struct undo_slot back;
	uint8_t raw[UNDO_SLOT_BYTES];

	memcpy(slot.id, head.id, sizeof(slot.id));
	undo_slot_encode(raw, &slot);
	cr_assert_str_eq(hex(raw, 48),
			 "786c6f67756e6463"
			 "30313233343536373839616263646566"
			 "0000000000000007" "0000000000012345"
			 "0000000000000000");
	undo_slot_decode(&back, raw);
	cr_assert(undo_slot_ok(raw, &back, &head));
	cr_assert_eq(back.generation, 7);
	cr_assert_eq(back.end_bytes, 0x12345);
	head.id[3]++;
	cr_assert_not(undo_slot_ok(raw, &back, &head), "of another journal");
}

Test(undo_record, has_these_bytes)
{
	struct undo_record rec = {
		.off_bytes = 12288, .kind = UNDO_SAVED, .device = 1,
		.extents = 2, .raw_bytes = 8224, .packed_bytes = 3,
		.packed = true,
	}, back;
	struct undo_head head = some_head();
	uint8_t raw[UNDO_RECORD_BYTES], again[UNDO_RECORD_BYTES];
	uint32_t crc, before = 0x5eed;

	crc = undo_record_encode(raw, &rec, "abc", before);
	cr_assert_eq(get_le32(raw + 4), crc);
	put_le32(raw + 4, 0);
	cr_assert_str_eq(hex(raw, 48),
			 "58554e44" "00000000" "0000000000003000"
			 "00000001" "00000001" "00000002" "00002020"
			 "00000003" "00000001" "0000000000000000");
	/* the checksum goes on from the one before, over head and data */
	cr_assert_eq(crc, xfs_crc_final(xfs_crc32c(xfs_crc32c(
			     ~before, raw, sizeof(raw)), "abc", 3)));
	put_le32(raw + 4, crc);
	undo_record_decode(&back, raw);
	undo_record_encode(again, &back, "abc", before);
	cr_assert_eq(memcmp(raw, again, sizeof(raw)), 0);
	cr_assert_null(undo_record_verify(raw, &back, &head, 12288, 3));
	cr_assert(undo_record_crc_ok(raw, &back, "abc", &before));
	cr_assert_eq(before, crc);
	cr_assert_not(undo_record_crc_ok(raw, &back, "abc", &before),
		      "behind another record");
	cr_assert_str_eq(undo_record_verify(raw, &back, &head, 12289, 3),
			 "no record");
	cr_assert_str_eq(undo_record_verify(raw, &back, &head, 12288, 2),
			 "a record that is cut short");
}

Test(undo_extent, has_these_bytes)
{
	struct undo_extent ext = { 0x1000, 0x2000 }, back;
	uint8_t raw[UNDO_EXTENT_BYTES];

	undo_extent_encode(raw, &ext);
	cr_assert_str_eq(hex(raw, sizeof(raw)),
			 "0000000000001000" "0000000000002000");
	undo_extent_decode(&back, raw);
	cr_assert_eq(back.off_bytes, 0x1000);
	cr_assert_eq(back.len, 0x2000);
}

Test(undo_identity, knows_the_uuid_of_superblocks_and_log_records)
{
	uint8_t sector[UNDO_SECTOR] = { 0 }, raw[UNDO_IDENTITY_BYTES];
	struct undo_identity id, back;

	undo_identity_of(&id, sector, sizeof(sector));
	cr_assert_eq(id.uuid[0], 0);
	memcpy(sector + 32, "of superblock...", 16);
	memcpy(sector + 304, "of log record...", 16);
	memcpy(sector, "XFSB", 4);
	undo_identity_of(&id, sector, sizeof(sector));
	cr_assert_eq(memcmp(id.uuid, "of superblock...", 16), 0);
	memcpy(sector, "\xfe\xed\xba\xbe", 4);
	undo_identity_of(&id, sector, sizeof(sector));
	cr_assert_eq(memcmp(id.uuid, "of log record...", 16), 0);
	/* the checksum of it all, as anyone would take it */
	cr_assert_eq(id.crc, xfs_crc_final(xfs_crc32c(XFS_CRC_SEED, sector,
						       sizeof(sector))));
	undo_identity_encode(raw, &id);
	cr_assert_eq(get_le32(raw), id.crc);
	cr_assert_eq(memcmp(raw + 8, id.uuid, 16), 0);
	undo_identity_decode(&back, raw);
	cr_assert_eq(memcmp(&back, &id, sizeof(id)), 0);
	/* too short to have one */
	undo_identity_of(&id, sector, 400);
	cr_assert_eq(id.uuid[0], 0);
}
