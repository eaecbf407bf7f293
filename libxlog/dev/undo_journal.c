/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing the undo journal: append, flush, name the new end in a slot, flush.
 * An error is final: what may then lie behind the end is never overwritten,
 * and never counts.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <zstd.h>

#include "libxlog/dev/newfile.h"
#include "libxlog/dev/undo_journal.h"

enum {
	/* Before-images are written in a hurry, and mostly zeros and names. */
	LEVEL = 1,
	TABLE_MAX = UNDO_EXTENTS_MAX * UNDO_EXTENT_BYTES,
};

struct journal {
	/* Constant. */
	struct newfile	file;
	uint8_t		id[UNDO_ID_BYTES];
	size_t		packed_max;

	struct xmutex	lock;		/* guards the rest */
	unsigned int	refs;
	int		failed;		/* negative errno: nothing more */
	uint64_t	end_bytes;	/* of what was added */
	uint64_t	generation;	/* of the newest slot */
	uint32_t	crc;		/* of the last record */
	bool		used;
	ZSTD_CCtx	*cctx;
	uint8_t		*raw;		/* the table ends, and the data begins,
					   at TABLE_MAX */
	uint8_t		*packed;	/* record head and packed data */
};

void journal_lock(struct journal *j)
{
	xmutex_lock(&j->lock);
}

void journal_unlock(struct journal *j)
{
	xmutex_unlock(&j->lock);
}

uint8_t *journal_data(struct journal *j)
{
	return j->raw + TABLE_MAX;
}

uint8_t *journal_scratch(struct journal *j)
{
	return j->packed;
}

bool journal_is_used(const struct journal *j)
{
	return j->used;
}

int journal_state(struct journal *j)
{
	if (!j->failed)
		return 0;
	return report(&j->file.io.sink, j->failed, "undo.failed", XLOG_LSN_NONE,
		      "nothing more can be saved, so nothing more is written");
}

int journal_fail(struct journal *j, int rc)
{
	j->failed = rc;
	return rc;
}

/* --- records --- */

int journal_add(struct journal *j, enum undo_kind kind, uint32_t device,
		const struct undo_extent *extents, uint32_t count,
		uint32_t data_bytes)
{
	uint32_t table = count * UNDO_EXTENT_BYTES;
	uint8_t *raw = j->raw + TABLE_MAX - table;
	uint8_t *data = j->packed + UNDO_RECORD_BYTES;
	struct undo_record rec = {
		.off_bytes = j->end_bytes, .kind = kind, .device = device,
		.extents = count, .raw_bytes = table + data_bytes,
	};
	size_t n;
	int rc;

	for (uint32_t i = 0; i < count; i++)
		undo_extent_encode(raw + (size_t)i * UNDO_EXTENT_BYTES,
				   &extents[i]);
	n = ZSTD_compress2(j->cctx, data, j->packed_max, raw, rec.raw_bytes);
	rec.packed = !ZSTD_isError(n) && n < rec.raw_bytes;
	if (!rec.packed) {
		n = rec.raw_bytes;
		memcpy(data, raw, n);
	}
	rec.packed_bytes = (uint32_t)n;
	j->crc = undo_record_encode(j->packed, &rec, data, j->crc);
	rc = newfile_write(&j->file, j->end_bytes, j->packed,
			   UNDO_RECORD_BYTES + n);
	if (rc)
		return journal_fail(j, rc);
	j->end_bytes += UNDO_RECORD_BYTES + n;
	return 0;
}

static int write_slot(struct journal *j)
{
	struct undo_slot slot = {
		.generation = j->generation, .end_bytes = j->end_bytes,
	};
	uint8_t raw[UNDO_SLOT_BYTES];

	memcpy(slot.id, j->id, sizeof(slot.id));
	undo_slot_encode(raw, &slot);
	return newfile_write(&j->file, UNDO_SLOT_OFF *
			     (1 + slot.generation % UNDO_SLOTS), raw,
			     sizeof(raw));
}

int journal_commit(struct journal *j)
{
	int rc;

	rc = newfile_flush(&j->file);
	if (rc)
		return journal_fail(j, rc);
	j->generation++;
	rc = write_slot(j);
	if (!rc)
		rc = newfile_flush(&j->file);
	if (rc)
		return journal_fail(j, rc);
	j->used = true;
	return 0;
}

/* --- making it --- */

static int no_memory(const struct sink *sink)
{
	return report(sink, -ENOMEM, "memory", XLOG_LSN_NONE, "out of memory");
}

static void journal_free(struct journal *j)
{
	ZSTD_freeCCtx(j->cctx);
	free(j->raw);
	free(j->packed);
	free(j);
}

static struct journal *journal_alloc(void)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->cctx = ZSTD_createCCtx();
	j->packed_max = ZSTD_compressBound(UNDO_RAW_MAX);
	j->raw = malloc(UNDO_RAW_MAX);
	j->packed = malloc(UNDO_RECORD_BYTES + j->packed_max);
	if (j->cctx && j->raw && j->packed &&
	    !ZSTD_isError(ZSTD_CCtx_setParameter(j->cctx,
						 ZSTD_c_compressionLevel,
						 LEVEL)))
		return j;
	journal_free(j);
	return NULL;
}

static int write_start(struct journal *j, struct undo_head *head)
{
	uint8_t raw[UNDO_HEAD_BYTES];
	int rc;

	if (getrandom(head->id, sizeof(head->id), 0) != sizeof(head->id))
		return report(&j->file.io.sink, -EIO, "undo.random", XLOG_LSN_NONE,
			      "no random bytes: %s", strerror(errno));
	memcpy(j->id, head->id, sizeof(j->id));
	undo_head_encode(raw, head);
	j->crc = head->crc;
	j->end_bytes = UNDO_START;
	rc = newfile_write(&j->file, 0, raw, sizeof(raw));
	/* The first record begins behind slots that are all there. */
	if (!rc)
		rc = newfile_resize(&j->file, UNDO_START);
	for (; !rc && j->generation < UNDO_SLOTS; j->generation++)
		rc = write_slot(j);
	j->generation--;
	if (!rc)
		rc = newfile_flush(&j->file);
	return rc ? rc : newfile_flush_name(&j->file);
}

/* Nobody reads it while it grows. */
static int lock_file(struct journal *j)
{
	return flock(j->file.fd, LOCK_EX | LOCK_NB) ?
	       report(&j->file.io.sink, -errno, "undo.lock", XLOG_LSN_NONE,
		      "cannot be locked: %s", strerror(errno)) : 0;
}

int journal_new(const char *path, struct undo_head *head,
		const struct sink *sink, struct journal **out)
{
	struct journal *j = journal_alloc();
	int rc;

	if (!j || xmutex_init(&j->lock)) {
		if (j)
			journal_free(j);
		return no_memory(sink);
	}
	j->refs = 1;
	rc = newfile_create(&j->file, path, sink);
	if (rc)
		goto free;
	rc = lock_file(j);
	for (uint32_t i = 0; i < head->count && !rc; i++)
		rc = newfile_check_place(&j->file, head->device[i].path);
	if (!rc)
		rc = write_start(j, head);
	if (rc)
		goto remove;
	*out = j;
	return 0;
remove:
	newfile_remove(&j->file);
	newfile_close(&j->file);
free:
	xmutex_fini(&j->lock);
	journal_free(j);
	return rc;
}

void journal_get(struct journal *j)
{
	journal_lock(j);
	j->refs++;
	journal_unlock(j);
}

void journal_put(struct journal *j)
{
	unsigned int refs;

	journal_lock(j);
	refs = --j->refs;
	journal_unlock(j);
	if (refs)
		return;
	if (!j->used)	/* a journal of nothing is only in the way */
		newfile_remove(&j->file);
	newfile_close(&j->file);
	xmutex_fini(&j->lock);
	journal_free(j);
}
