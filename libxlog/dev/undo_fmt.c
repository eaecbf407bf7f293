/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes of the undo journal; see undo_fmt.h.
 */
#include <string.h>

#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/endian.h"
#include "libxfsfmt/logrec.h"
#include "libxfsfmt/sb.h"
#include "libxlog/dev/undo_fmt.h"

static const char HEAD_MAGIC[8] = "xlogundo";
static const char SLOT_MAGIC[8] = "xlogundc";

enum {
	RECORD_MAGIC = 0x58554e44,	/* XUND */

	/* head */
	HEAD_VERSION = 8,
	HEAD_COUNT = 12,
	HEAD_ID = 16,
	HEAD_DEVICE = 64,		/* the first */
	HEAD_CRC = UNDO_HEAD_BYTES - 4,

	/* device */
	DEVICE_ROLE = 0,
	DEVICE_GROWN = 4,
	DEVICE_SIZE = 8,
	DEVICE_LOG_OFF = 16,
	DEVICE_LOG_LEN = 24,
	DEVICE_IDENTITY = 32,
	DEVICE_WAS = DEVICE_IDENTITY + UNDO_IDENTITY_BYTES,
	DEVICE_PATH = 64,
	DEVICE_BYTES = DEVICE_PATH + UNDO_PATH_BYTES,

	/* slot */
	SLOT_ID = 8,
	SLOT_GENERATION = 24,
	SLOT_END = 32,
	SLOT_CRC = UNDO_SLOT_BYTES - 4,

	/* record */
	RECORD_CRC = 4,
	RECORD_OFF = 8,
	RECORD_KIND = 16,
	RECORD_DEVICE = 20,
	RECORD_EXTENTS = 24,
	RECORD_RAW = 28,
	RECORD_PACKED = 32,
	RECORD_FLAGS = 36,
	FLAG_ZSTD = 1,

	IDENTITY_CRC = 0,
	IDENTITY_UUID = 8,

	/* where to find the UUID in the first sector */
	SB_UUID = 32,
	LOG_UUID = 304,
};

_Static_assert(HEAD_DEVICE + UNDO_DEVICES * DEVICE_BYTES <= HEAD_CRC,
	       "devices fit into the head");
_Static_assert(IDENTITY_UUID + UNDO_ID_BYTES == UNDO_IDENTITY_BYTES,
	       "an identity is 24 bytes");

/* --- identity --- */

void undo_identity_of(struct undo_identity *id, const uint8_t *sector,
		      size_t len)
{
	const uint8_t *uuid = NULL;

	*id = (struct undo_identity){
		.crc = xfs_crc_final(xfs_crc32c(XFS_CRC_SEED, sector, len)),
	};
	if (len < UNDO_SECTOR)
		return;
	if (get_be32(sector) == XFS_SB_MAGIC)
		uuid = sector + SB_UUID;
	else if (get_be32(sector) == XLOG_MAGIC)
		uuid = sector + LOG_UUID;
	if (uuid)
		memcpy(id->uuid, uuid, sizeof(id->uuid));
}

void undo_identity_encode(uint8_t *raw, const struct undo_identity *id)
{
	memset(raw, 0, UNDO_IDENTITY_BYTES);
	put_le32(raw + IDENTITY_CRC, id->crc);
	memcpy(raw + IDENTITY_UUID, id->uuid, sizeof(id->uuid));
}

void undo_identity_decode(struct undo_identity *id, const uint8_t *raw)
{
	id->crc = get_le32(raw + IDENTITY_CRC);
	memcpy(id->uuid, raw + IDENTITY_UUID, sizeof(id->uuid));
}

/* --- head --- */

static void device_encode(uint8_t *raw, const struct undo_device *dev)
{
	put_be32(raw + DEVICE_ROLE, dev->role);
	put_be64(raw + DEVICE_SIZE, dev->size_bytes);
	put_be64(raw + DEVICE_LOG_OFF, dev->log_off_bytes);
	put_be64(raw + DEVICE_LOG_LEN, dev->log_len);
	put_be32(raw + DEVICE_GROWN, dev->grown);
	put_be64(raw + DEVICE_WAS, dev->was_bytes);
	undo_identity_encode(raw + DEVICE_IDENTITY, &dev->identity);
	memcpy(raw + DEVICE_PATH, dev->path, sizeof(dev->path));
}

static void device_decode(struct undo_device *dev, const uint8_t *raw)
{
	dev->role = get_be32(raw + DEVICE_ROLE);
	dev->size_bytes = get_be64(raw + DEVICE_SIZE);
	dev->log_off_bytes = get_be64(raw + DEVICE_LOG_OFF);
	dev->log_len = get_be64(raw + DEVICE_LOG_LEN);
	dev->grown = get_be32(raw + DEVICE_GROWN);
	dev->was_bytes = get_be64(raw + DEVICE_WAS);
	undo_identity_decode(&dev->identity, raw + DEVICE_IDENTITY);
	memcpy(dev->path, raw + DEVICE_PATH, sizeof(dev->path));
	dev->path[sizeof(dev->path) - 1] = '\0';
}

void undo_head_encode(uint8_t *raw, struct undo_head *head)
{
	memset(raw, 0, UNDO_HEAD_BYTES);
	memcpy(raw, HEAD_MAGIC, sizeof(HEAD_MAGIC));
	put_be32(raw + HEAD_VERSION, UNDO_VERSION);
	put_be32(raw + HEAD_COUNT, head->count);
	memcpy(raw + HEAD_ID, head->id, sizeof(head->id));
	for (uint32_t i = 0; i < head->count && i < UNDO_DEVICES; i++)
		device_encode(raw + HEAD_DEVICE + i * DEVICE_BYTES,
			      &head->device[i]);
	head->crc = xfs_crc_block(raw, UNDO_HEAD_BYTES, HEAD_CRC);
	put_le32(raw + HEAD_CRC, head->crc);
}

void undo_head_decode(struct undo_head *head, const uint8_t *raw)
{
	head->count = get_be32(raw + HEAD_COUNT);
	memcpy(head->id, raw + HEAD_ID, sizeof(head->id));
	for (uint32_t i = 0; i < UNDO_DEVICES; i++)
		device_decode(&head->device[i],
			      raw + HEAD_DEVICE + i * DEVICE_BYTES);
	head->crc = get_le32(raw + HEAD_CRC);
}

static const char *device_verify(const struct undo_device *dev)
{
	if (dev->role != UNDO_ROLE_DATA && dev->role != UNDO_ROLE_LOG)
		return "a device of an unknown role";
	if (!dev->size_bytes || dev->size_bytes > INT64_MAX)
		return "a device of an impossible size";
	if (dev->log_off_bytes > dev->size_bytes ||
	    dev->log_len > dev->size_bytes - dev->log_off_bytes)
		return "a log that does not lie on its device";
	if (dev->grown && dev->was_bytes >= dev->size_bytes)
		return "a file that did not grow";
	return NULL;
}

bool undo_is_head(const uint8_t *raw)
{
	return !memcmp(raw, HEAD_MAGIC, sizeof(HEAD_MAGIC));
}

const char *undo_head_verify(const uint8_t *raw, const struct undo_head *head,
			     uint32_t *version)
{
	const char *why = NULL;

	*version = UNDO_VERSION;
	if (!undo_is_head(raw))
		return "not an undo file";
	if (!xfs_crc_ok(raw, UNDO_HEAD_BYTES, HEAD_CRC))
		return "its head has a wrong checksum";
	*version = get_be32(raw + HEAD_VERSION);
	if (*version != UNDO_VERSION)
		return "of an unknown version";
	if (!head->count || head->count > UNDO_DEVICES)
		return "of an impossible number of devices";
	for (uint32_t i = 0; i < head->count && !why; i++)
		why = device_verify(&head->device[i]);
	if (!why && head->count == 2 &&
	    head->device[0].role == head->device[1].role)
		why = "two devices of the same role";
	return why;
}

/* --- slots --- */

void undo_slot_encode(uint8_t *raw, const struct undo_slot *slot)
{
	memset(raw, 0, UNDO_SLOT_BYTES);
	memcpy(raw, SLOT_MAGIC, sizeof(SLOT_MAGIC));
	memcpy(raw + SLOT_ID, slot->id, sizeof(slot->id));
	put_be64(raw + SLOT_GENERATION, slot->generation);
	put_be64(raw + SLOT_END, slot->end_bytes);
	put_le32(raw + SLOT_CRC, xfs_crc_block(raw, UNDO_SLOT_BYTES,
					       SLOT_CRC));
}

void undo_slot_decode(struct undo_slot *slot, const uint8_t *raw)
{
	memcpy(slot->id, raw + SLOT_ID, sizeof(slot->id));
	slot->generation = get_be64(raw + SLOT_GENERATION);
	slot->end_bytes = get_be64(raw + SLOT_END);
}

bool undo_slot_ok(const uint8_t *raw, const struct undo_slot *slot,
		  const struct undo_head *head)
{
	return !memcmp(raw, SLOT_MAGIC, sizeof(SLOT_MAGIC)) &&
	       xfs_crc_ok(raw, UNDO_SLOT_BYTES, SLOT_CRC) &&
	       !memcmp(slot->id, head->id, sizeof(slot->id)) &&
	       slot->end_bytes >= UNDO_START && slot->end_bytes <= INT64_MAX;
}

/* --- records --- */

static uint32_t record_crc(const uint8_t *raw, const void *data, size_t len,
			   uint32_t crc)
{
	static const uint8_t zero[4];

	crc = xfs_crc32c(~crc, raw, RECORD_CRC);
	crc = xfs_crc32c(crc, zero, sizeof(zero));
	crc = xfs_crc32c(crc, raw + RECORD_OFF, UNDO_RECORD_BYTES - RECORD_OFF);
	return xfs_crc_final(xfs_crc32c(crc, data, len));
}

uint32_t undo_record_encode(uint8_t *raw, const struct undo_record *rec,
			    const void *data, uint32_t crc)
{
	memset(raw, 0, UNDO_RECORD_BYTES);
	put_be32(raw, RECORD_MAGIC);
	put_be64(raw + RECORD_OFF, rec->off_bytes);
	put_be32(raw + RECORD_KIND, rec->kind);
	put_be32(raw + RECORD_DEVICE, rec->device);
	put_be32(raw + RECORD_EXTENTS, rec->extents);
	put_be32(raw + RECORD_RAW, rec->raw_bytes);
	put_be32(raw + RECORD_PACKED, rec->packed_bytes);
	put_be32(raw + RECORD_FLAGS, rec->packed ? FLAG_ZSTD : 0);
	crc = record_crc(raw, data, rec->packed_bytes, crc);
	put_le32(raw + RECORD_CRC, crc);
	return crc;
}

void undo_record_decode(struct undo_record *rec, const uint8_t *raw)
{
	rec->off_bytes = get_be64(raw + RECORD_OFF);
	rec->kind = get_be32(raw + RECORD_KIND);
	rec->device = get_be32(raw + RECORD_DEVICE);
	rec->extents = get_be32(raw + RECORD_EXTENTS);
	rec->raw_bytes = get_be32(raw + RECORD_RAW);
	rec->packed_bytes = get_be32(raw + RECORD_PACKED);
	rec->packed = get_be32(raw + RECORD_FLAGS) & FLAG_ZSTD;
}

const char *undo_record_verify(const uint8_t *raw,
			       const struct undo_record *rec,
			       const struct undo_head *head,
			       uint64_t off_bytes, uint64_t room_bytes)
{
	if (get_be32(raw) != RECORD_MAGIC || rec->off_bytes != off_bytes)
		return "no record";
	if (rec->packed_bytes > room_bytes)
		return "a record that is cut short";
	if (rec->kind < UNDO_SAVED || rec->kind > UNDO_SEAL)
		return "a record of an unknown kind";
	if (get_be32(raw + RECORD_FLAGS) & ~(uint32_t)FLAG_ZSTD)
		return "a record with an unknown flag";
	if (rec->device >= head->count)
		return "a record of no device";
	if (rec->extents > UNDO_EXTENTS_MAX || rec->raw_bytes > UNDO_RAW_MAX ||
	    rec->extents * UNDO_EXTENT_BYTES > rec->raw_bytes ||
	    rec->packed_bytes > UNDO_RAW_MAX ||
	    (!rec->packed && rec->packed_bytes != rec->raw_bytes))
		return "a record of an impossible size";
	return NULL;
}

bool undo_record_crc_ok(const uint8_t *raw, const struct undo_record *rec,
			const void *data, uint32_t *crc)
{
	uint32_t is = record_crc(raw, data, rec->packed_bytes, *crc);

	if (is != get_le32(raw + RECORD_CRC))
		return false;
	*crc = is;
	return true;
}

void undo_extent_encode(uint8_t *raw, const struct undo_extent *ext)
{
	put_be64(raw, ext->off_bytes);
	put_be64(raw + 8, ext->len);
}

void undo_extent_decode(struct undo_extent *ext, const uint8_t *raw)
{
	ext->off_bytes = get_be64(raw);
	ext->len = get_be64(raw + 8);
}
