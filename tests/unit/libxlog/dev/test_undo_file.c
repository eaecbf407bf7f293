/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Undo journals that are damaged, cut off or no journals: either what they
 * restore is right, or nothing is written.
 */
#include <errno.h>
#include <sys/wait.h>

#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/endian.h"
#include "tests/lib/undorig.h"

static struct rig rig;
static uint8_t *journal, *after;
static size_t journal_len, after_len;

static void make(bool die)
{
	pid_t pid = die ? fork() : 0;
	int status;

	cr_assert_geq(pid, 0);
	if (!pid) {
		rig_open(&rig);
		rig_write(&rig, 0, 0, 0xaa, 512);
		rig_write(&rig, 0, 8192, 0xbb, 8192);
		rig_write(&rig, 0, 40960, 0xcc, 512);
		if (die)
			_exit(0);
		rig_close(&rig);
	} else {
		cr_assert_eq(waitpid(pid, &status, 0), pid);
	}
	journal = rig_load(rig.undo, &journal_len);
	after = rig_load(rig.to[0].path, &after_len);
}

static void begin(void)
{
	rig_init(&rig, false);
	/* small, since it is compared often */
	free(rig.to[0].before);
	rig.count = 0;
	rig_add(&rig, "fs", 49152);
}

static void end(void)
{
	free(journal);
	free(after);
	rig_fini(&rig);
}

TestSuite(undo_file, .init = begin, .fini = end);

static int try_bytes(const uint8_t *bytes, size_t len)
{
	scratch_file(&rig.dir, "undo", bytes, len);
	scratch_file(&rig.dir, "fs", after, after_len);
	return rig_apply(&rig);
}

/* Right, or nothing: returns if it was right. */
static bool is_right(const uint8_t *bytes, size_t len, size_t at)
{
	int rc = try_bytes(bytes, len);
	uint8_t *now;

	if (!rc) {
		cr_assert(rig_is_before(&rig, 0), "byte %zu: wrong", at);
		return true;
	}
	cr_assert_eq(rig.said.errors, 1, "byte %zu: %s", at, rig.said.text);
	cr_assert(rc == -EBADMSG || rc == -EUCLEAN || rc == -EMEDIUMTYPE,
		  "byte %zu: %d", at, rc);
	now = rig_load(rig.to[0].path, &len);
	cr_assert_eq(memcmp(now, after, len), 0, "byte %zu: written", at);
	free(now);
	return false;
}

static void sweep(void)
{
	for (size_t at = 0; at < journal_len; at++) {
		bool right;

		/* Room between head, slots and records: all alike. */
		if ((at > 2700 && at < 4090) ||
		    (at > 4096 + 520 && at < 8190) ||
		    (at > 8192 + 520 && at < 12280))
			continue;
		journal[at] ^= at % 2 ? 0x01 : 0xff;
		right = is_right(journal, journal_len, at);
		journal[at] ^= at % 2 ? 0x01 : 0xff;
		/* A head or a record cannot be wrong and right. */
		if (at < 4096 || at >= 12288)
			cr_assert_not(right, "byte %zu: not noticed", at);
	}
}

Test(undo_file, with_any_byte_changed_is_noticed)
{
	make(false);
	sweep();
}

Test(undo_file, of_a_killed_program_with_any_byte_changed_is_noticed)
{
	make(true);
	sweep();
}

Test(undo_file, cut_short_anywhere_is_noticed)
{
	make(true);
	for (size_t len = 0; len < journal_len; len += len < 12288 ? 512 : 1)
		cr_assert_not(is_right(journal, len, len), "%zu bytes", len);
}

/* One slot lost is no loss, if all records are there. */
Test(undo_file, needs_one_slot_and_all_records_or_two_slots)
{
	uint8_t *torn;

	make(true);
	torn = calloc(1, journal_len + 100);
	cr_assert_not_null(torn);
	memcpy(torn, journal, journal_len);
	cr_assert(is_right(torn, journal_len + 100, 0));
	cr_assert(strstr(rig.said.text, "was not finished"));
	for (int slot = 0; slot < 2; slot++) {
		memcpy(torn, journal, journal_len);
		memset(torn + 4096 * (1 + slot), 0, 512);
		cr_assert(is_right(torn, journal_len, 0));
		cr_assert_eq(rig.said.errors, 0);
		cr_assert_not(is_right(torn, journal_len + 100, 0));
	}
	memset(torn + 4096, 0, 8192);
	cr_assert_eq(try_bytes(torn, journal_len), -EBADMSG);
	assert_said(&rig.said, "neither of its ends");
	free(torn);
}

Test(undo_file, of_something_else_is_refused)
{
	static const char text[] = "# not an undo file\n";
	uint8_t *zeros = calloc(1, 65536);

	cr_assert_not_null(zeros);
	make(false);
	cr_assert_eq(try_bytes((const uint8_t *)text, sizeof(text)),
		     -EMEDIUMTYPE);
	assert_said(&rig.said, "undo: not an undo file");
	cr_assert_eq(try_bytes(zeros, 65536), -EMEDIUMTYPE);
	assert_said(&rig.said, "not an undo file");
	unlink(rig.undo);
	cr_assert_eq(rig_apply(&rig), -ENOENT);
	assert_said(&rig.said, "cannot be opened");
	cr_assert_eq(mkdir(rig.undo, 0755), 0);
	cr_assert_eq(rig_apply(&rig), -EMEDIUMTYPE);
	assert_said(&rig.said, "not an undo file");
	free(zeros);
}

Test(undo_file, of_a_later_version_is_refused_by_name)
{
	make(false);
	journal[11] = 2;
	put_le32(journal + 4092, xfs_crc_block(journal, 4096, 4092));
	cr_assert_eq(try_bytes(journal, journal_len), -EOPNOTSUPP);
	assert_said(&rig.said, "version 2");
}

Test(undo_file, that_is_being_written_is_busy)
{
	rig_open(&rig);
	rig_write(&rig, 0, 0, 1, 512);
	cr_assert_eq(rig_apply_with(&rig, XLOG_OPEN_LOCK_NONE), -EBUSY);
	assert_said(&rig.said, "at this moment");
	rig_close(&rig);
}

/* --- journals with right checksums that say impossible things --- */

struct forged {
	uint8_t		*bytes;		/* 1 MiB */
	size_t		len;
	uint32_t	crc;
};

static void forge(struct forged *fg)
{
	struct undo_slot slot = { .end_bytes = UNDO_START };
	struct undo_head head = { .count = 1 };

	fg->bytes = calloc(1, 1 << 20);
	cr_assert_not_null(fg->bytes);
	head.device[0].role = UNDO_ROLE_DATA;
	head.device[0].size_bytes = 49152;
	undo_identity_of(&head.device[0].identity, rig.to[0].before, 512);
	undo_head_encode(fg->bytes, &head);
	undo_slot_encode(fg->bytes + 4096, &slot);
	undo_slot_encode(fg->bytes + 8192, &slot);
	fg->len = UNDO_START;
	fg->crc = head.crc;
}

static void forge_record(struct forged *fg, struct undo_record rec,
			 const struct undo_extent *ext, size_t data_bytes)
{
	uint8_t *raw = fg->bytes + fg->len;
	uint8_t *data = raw + UNDO_RECORD_BYTES;

	rec.off_bytes = fg->len;
	if (!rec.raw_bytes)
		rec.raw_bytes = (uint32_t)(rec.extents * UNDO_EXTENT_BYTES +
					   data_bytes);
	if (!rec.packed_bytes)
		rec.packed_bytes = rec.raw_bytes;
	for (uint32_t i = 0; i < rec.extents; i++)
		undo_extent_encode(data + i * UNDO_EXTENT_BYTES, &ext[i]);
	fg->crc = undo_record_encode(raw, &rec, data, fg->crc);
	fg->len += UNDO_RECORD_BYTES + rec.packed_bytes;
}

/* One record is refused, with @what. */
static void refuses(struct undo_record rec, const struct undo_extent *ext,
		    size_t data_bytes, const char *what)
{
	struct forged fg;

	if (!after)
		after = rig_load(rig.to[0].path, &after_len);
	forge(&fg);
	forge_record(&fg, rec, ext, data_bytes);
	cr_assert_eq(try_bytes(fg.bytes, fg.len), -EUCLEAN, "not: %s", what);
	assert_said(&rig.said, what);
	cr_assert(rig_is_before(&rig, 0));
	free(fg.bytes);
}

Test(undo_file, that_is_made_up_is_read_if_all_is_right)
{
	struct undo_extent ext = { 8192, 4096 };
	struct forged fg;

	after = rig_load(rig.to[0].path, &after_len);
	forge(&fg);
	forge_record(&fg, (struct undo_record){ .kind = UNDO_SAVED,
						.extents = 1 }, &ext, 4096);
	cr_assert_eq(try_bytes(fg.bytes, fg.len), 0, "%s", rig.said.text);
	cr_assert_not(rig_is_before(&rig, 0));
	free(fg.bytes);
}

Test(undo_file, may_not_tell_of_blocks_that_are_not_there)
{
	static const struct undo_extent bad[] = {
		{ 49152, 4096 }, { 45056, 8192 }, { 512, 4096 },
		{ 0, 512 }, { 0, 0 }, { UINT64_MAX - 4095, 4096 },
		{ 0, UINT64_MAX }, { 4096, UINT64_MAX - 4095 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		refuses((struct undo_record){ .kind = UNDO_SAVED,
					      .extents = 1 },
			&bad[i], 4096, "not on the device");
		refuses((struct undo_record){ .kind = UNDO_AFTER,
					      .extents = 1 },
			&bad[i], 32, "not on the device");
	}
}

Test(undo_file, may_not_have_records_of_wrong_lengths)
{
	static const struct undo_extent one = { 4096, 4096 };

	for (uint32_t kind = UNDO_SAVED; kind <= UNDO_SEAL; kind++)
		refuses((struct undo_record){ .kind = kind, .extents = 1 },
			&one, 100, "of another length");
	refuses((struct undo_record){ .kind = UNDO_IDENTITY }, NULL, 23,
		"of another length");
	refuses((struct undo_record){ .kind = UNDO_SEAL }, NULL, 1,
		"of another length");
	refuses((struct undo_record){ .kind = UNDO_SAVED, .raw_bytes = 100,
				      .packed_bytes = 60, .packed = true },
		NULL, 0, "cannot be unpacked");
}

Test(undo_file, may_not_save_a_block_twice)
{
	static const struct undo_extent two[] = { { 4096, 8192 },
						  { 8192, 4096 } };

	refuses((struct undo_record){ .kind = UNDO_SAVED, .extents = 2 }, two,
		12288, "saved twice");
}

Test(undo_file, may_not_tell_what_became_of_what_was_not_saved)
{
	static const struct undo_extent one = { 4096, 4096 };

	refuses((struct undo_record){ .kind = UNDO_AFTER, .extents = 1 },
		&one, 32, "not saved");
}

Test(undo_file, may_not_go_on_behind_its_seal)
{
	static const struct undo_extent one = { 4096, 4096 };
	struct forged fg;

	after = rig_load(rig.to[0].path, &after_len);
	forge(&fg);
	forge_record(&fg, (struct undo_record){ .kind = UNDO_SEAL }, NULL, 0);
	forge_record(&fg, (struct undo_record){ .kind = UNDO_SAVED,
						.extents = 1 }, &one, 4096);
	cr_assert_eq(try_bytes(fg.bytes, fg.len), -EUCLEAN);
	assert_said(&rig.said, "behind the end");
	free(fg.bytes);
}

Test(undo_file, may_not_be_sealed_with_blocks_left_out)
{
	static const struct undo_extent one = { 4096, 4096 };
	struct forged fg;

	after = rig_load(rig.to[0].path, &after_len);
	forge(&fg);
	forge_record(&fg, (struct undo_record){ .kind = UNDO_SAVED,
						.extents = 1 }, &one, 4096);
	forge_record(&fg, (struct undo_record){ .kind = UNDO_SEAL }, NULL, 0);
	cr_assert_eq(try_bytes(fg.bytes, fg.len), -EUCLEAN);
	assert_said(&rig.said, "not all that was saved");
	free(fg.bytes);
}

/* What cannot be a record at all is the torn end of the file. */
Test(undo_file, takes_what_is_no_record_for_a_torn_end)
{
	static const struct undo_record odd[] = {
		{ .kind = 0 }, { .kind = UNDO_SEAL + 1 },
		{ .kind = UNDO_SAVED, .device = 1 },
		{ .kind = UNDO_SAVED, .raw_bytes = UNDO_RAW_MAX + 1,
		  .packed_bytes = 16 },
		{ .kind = UNDO_SAVED, .raw_bytes = 16, .packed_bytes = 17 },
	};

	after = rig_load(rig.to[0].path, &after_len);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct forged fg;

		forge(&fg);
		forge_record(&fg, odd[i], NULL, 8);
		cr_assert_eq(try_bytes(fg.bytes, fg.len), 0, "%zu: %s", i,
			     rig.said.text);
		cr_assert(strstr(rig.said.text, "was not finished"));
		free(fg.bytes);
	}
}
