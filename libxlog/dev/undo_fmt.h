/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The undo journal as it lies in its file. Numbers are big-endian, checksums
 * little-endian, as in XFS.
 *
 *	0	head: which devices, and how they began
 *	4096	commit slot 0
 *	8192	commit slot 1
 *	12288	records, one behind the other
 *
 * A batch of records is appended and flushed, then the older of the two slots
 * is overwritten with the place where the records end, and flushed; only then
 * may what the records save be overwritten. So what lies before the end that a
 * slot names is durable: if it is not whole, it has been damaged since. What
 * lies behind it is the remains of a batch that was cut off, and nothing that
 * it would have saved has been overwritten. A slot is one sector; the other
 * one is there for disks that write a sector by halves.
 *
 * The checksum of a record goes on from that of the record before, and that of
 * the first from the head's: no record counts without all that came before it.
 */
#ifndef LIBXLOG_DEV_UNDO_FMT_H
#define LIBXLOG_DEV_UNDO_FMT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	UNDO_VERSION = 1,
	UNDO_HEAD_BYTES = 4096,
	UNDO_SLOTS = 2,
	UNDO_SLOT_BYTES = 512,
	UNDO_SLOT_OFF = 4096,	/* of the first, and between them */
	UNDO_START = 12288,	/* of the first record */
	UNDO_DEVICES = 2,
	UNDO_ID_BYTES = 16,
	UNDO_PATH_BYTES = 1024,

	/* Saved as a whole: a page, and the largest sector of disks. */
	UNDO_GRANULE = 4096,
	UNDO_SECTOR = 512,

	UNDO_RECORD_BYTES = 48,	/* its head */
	UNDO_EXTENT_BYTES = 16,
	UNDO_IDENTITY_BYTES = 24,
	UNDO_CRC_BYTES = 4,	/* of a sector, in UNDO_AFTER */
	UNDO_EXTENTS_MAX = 1024,	/* of a record */
	UNDO_DATA_MAX = 1 << 20,	/* of a record, unpacked */
	UNDO_RAW_MAX = UNDO_DATA_MAX + UNDO_EXTENTS_MAX * UNDO_EXTENT_BYTES,
};

enum undo_role {
	UNDO_ROLE_DATA = 1,	/* has the filesystem */
	UNDO_ROLE_LOG,		/* an external log */
};

/*
 * What a device looks like to someone who asks if it is the right one: its
 * first sector (or all of it, if it is shorter).
 */
struct undo_identity {
	uint32_t	crc;		/* CRC-32C of the sector */
	/* of the superblock or log record there; zeros: neither */
	uint8_t		uuid[UNDO_ID_BYTES];
};

struct undo_device {
	uint32_t	role;		/* enum undo_role */
	uint64_t	size_bytes;
	/* The log on it, which is put back first; length 0: none. */
	uint64_t	log_off_bytes, log_len;
	/* A file that grew to @size_bytes before it was written. */
	bool		grown;
	uint64_t	was_bytes;
	struct undo_identity identity;	/* before anything was written */
	char		path[UNDO_PATH_BYTES];	/* for people */
};

struct undo_head {
	uint8_t		id[UNDO_ID_BYTES];	/* random */
	uint32_t	count;			/* devices, 1 or 2 */
	struct undo_device device[UNDO_DEVICES];
	uint32_t	crc;		/* of the head; decoded only */
};

struct undo_slot {
	uint8_t		id[UNDO_ID_BYTES];	/* that of the head */
	uint64_t	generation;	/* the newer slot has the higher one */
	uint64_t	end_bytes;	/* of the records */
};

enum undo_kind {
	/* extents and what was there: together they never overlap */
	UNDO_SAVED = 1,
	/*
	 * The first sector is going to look like this: struct undo_identity
	 * instead of extents.
	 */
	UNDO_IDENTITY,
	/*
	 * At the end: extents (all of UNDO_SAVED, in any pieces), and for each
	 * sector of them, from its device's start, the CRC-32C of what has
	 * become of it.
	 */
	UNDO_AFTER,
	/*
	 * There is all of it, and that was durable: no data. Nothing about
	 * this device comes behind it.
	 */
	UNDO_SEAL,
};

struct undo_record {
	uint64_t	off_bytes;	/* of this record in the file */
	uint32_t	kind;		/* enum undo_kind */
	uint32_t	device;
	uint32_t	extents;	/* in the table at the start of the data */
	uint32_t	raw_bytes;	/* table and data, unpacked */
	uint32_t	packed_bytes;	/* in the file behind the head */
	bool		packed;		/* by zstd, else raw_bytes as they are */
};

struct undo_extent {
	uint64_t	off_bytes, len;
};

/* Decoders never judge; they read and write the sizes above. */
void undo_head_encode(uint8_t *raw, struct undo_head *head);
void undo_head_decode(struct undo_head *head, const uint8_t *raw);

/* True if it begins as one, which then may be damaged. */
bool undo_is_head(const uint8_t *raw);

/* NULL, or why these bytes are no head. *@version: a head, but of that one. */
const char *undo_head_verify(const uint8_t *raw, const struct undo_head *head,
			     uint32_t *version);

void undo_slot_encode(uint8_t *raw, const struct undo_slot *slot);
void undo_slot_decode(struct undo_slot *slot, const uint8_t *raw);
bool undo_slot_ok(const uint8_t *raw, const struct undo_slot *slot,
		  const struct undo_head *head);

/*
 * The head of a record at @raw, and its checksum, that of its data at @data,
 * carried on from @crc; returns the checksum.
 */
uint32_t undo_record_encode(uint8_t *raw, const struct undo_record *rec,
			    const void *data, uint32_t crc);
void undo_record_decode(struct undo_record *rec, const uint8_t *raw);

/*
 * NULL, or why this cannot be a record at byte @off_bytes with @room_bytes
 * behind its head: after that its data may be read.
 */
const char *undo_record_verify(const uint8_t *raw,
			       const struct undo_record *rec,
			       const struct undo_head *head,
			       uint64_t off_bytes, uint64_t room_bytes);

/* True if the checksum is right; then it goes into *@crc, too. */
bool undo_record_crc_ok(const uint8_t *raw, const struct undo_record *rec,
			const void *data, uint32_t *crc);

void undo_extent_encode(uint8_t *raw, const struct undo_extent *ext);
void undo_extent_decode(struct undo_extent *ext, const uint8_t *raw);

void undo_identity_encode(uint8_t *raw, const struct undo_identity *id);
void undo_identity_decode(struct undo_identity *id, const uint8_t *raw);

/* The identity of a device that begins with @len bytes at @sector. */
void undo_identity_of(struct undo_identity *id, const uint8_t *sector,
		      size_t len);

/* Length of what is the identity of a device: a sector, or less. */
static inline size_t undo_identity_len(uint64_t size_bytes)
{
	return size_bytes < UNDO_SECTOR ? (size_t)size_bytes : UNDO_SECTOR;
}

/* Sectors of a device, of @len bytes, the last of which may be cut short. */
static inline uint64_t undo_sectors(uint64_t len)
{
	return len / UNDO_SECTOR + (len % UNDO_SECTOR != 0);
}

#endif
