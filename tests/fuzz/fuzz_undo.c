/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Undo journals, with checksums that are made right beforehand: else nothing
 * would come past them. The input is a journal; what records say of
 * themselves is left as it is but for their place.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/endian.h"
#include "libxlog/dev/undo_file.h"
#include "tests/fuzz/fuzz.h"

enum {
	FUZZ_MAX_BYTES = 1 << 20,
	HEAD_CRC = UNDO_HEAD_BYTES - 4,
	SLOT_CRC = UNDO_SLOT_BYTES - 4,
};

static void mend_block(uint8_t *raw, const char *magic, size_t len,
		       size_t crc_off)
{
	memcpy(raw, magic, 8);
	put_le32(raw + crc_off, xfs_crc_block(raw, len, crc_off));
}

/* Each record in its place, behind the one before it. */
static void mend(uint8_t *raw, size_t size)
{
	uint32_t crc;

	put_be32(raw + 8, UNDO_VERSION);
	mend_block(raw, "xlogundo", UNDO_HEAD_BYTES, HEAD_CRC);
	crc = get_le32(raw + HEAD_CRC);
	for (int i = 1; i <= UNDO_SLOTS; i++) {
		uint8_t *slot = raw + (size_t)i * UNDO_SLOT_OFF;

		memcpy(slot + 8, raw + 16, UNDO_ID_BYTES);
		mend_block(slot, "xlogundc", UNDO_SLOT_BYTES, SLOT_CRC);
	}
	for (size_t at = UNDO_START; at + UNDO_RECORD_BYTES <= size; ) {
		uint8_t *data = raw + at + UNDO_RECORD_BYTES;
		size_t room = size - at - UNDO_RECORD_BYTES;
		struct undo_record rec;

		undo_record_decode(&rec, raw + at);
		rec.off_bytes = at;
		if (rec.packed_bytes > room)
			break;
		crc = undo_record_encode(raw + at, &rec, data, crc);
		at += UNDO_RECORD_BYTES + rec.packed_bytes;
	}
}

static void read_all(struct undo_file *f)
{
	struct touch touch = { .sum = 0 };

	for (size_t i = 0; i < undo_file_count(f); i++) {
		struct undo_view view;

		/* what has been checked can be read */
		if (undo_file_read(f, i, &view))
			abort();
		for (uint32_t e = 0; e < view.rec.extents; e++)
			touch.sum += view.extents[e].off_bytes;
		touch_bytes(&touch, view.data, view.data_bytes);
	}
	touched(&touch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sink silent;
	struct undo_file *f;
	uint8_t *raw;
	char path[64];
	int fd;

	if (size < UNDO_START || size > FUZZ_MAX_BYTES)
		return 0;
	raw = malloc(size);
	fd = memfd_create("undo", MFD_CLOEXEC);
	if (raw && fd >= 0) {
		memcpy(raw, data, size);
		mend(raw, size);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (write(fd, raw, size) == (ssize_t)size &&
		    !undo_file_open(path, &silent, &f)) {
			read_all(f);
			undo_file_close(f);
		}
	}
	if (fd >= 0)
		close(fd);
	free(raw);
	return 0;
}
