/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The undo device: a write waits until what it overwrites is in the journal
 * (undo_journal.c), then goes on. Blocks are saved by the page: most of what
 * shares one is written soon after. When the device is closed, checksums of
 * what has become of the saved pages end its part of the journal.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/endian.h"
#include "libxlog/base/list.h"
#include "libxlog/dev/batch.h"
#include "libxlog/dev/dev_priv.h"
#include "libxlog/dev/undo.h"
#include "libxlog/dev/undo_journal.h"
#include "libxlog/dev/unitset.h"

struct undo_dev {
	struct dev	dev;
	struct dev	*below;		/* owned. Constant */
	struct journal	*journal;	/* Constant */
	uint32_t	index;		/* in the journal. Constant */
	/* What follows is guarded by the lock of the journal. */
	struct unitset	saved;		/* granules */
	struct undo_identity *identity;	/* noted, that before among them */
	size_t		identities;
	/* the record that is being put together */
	uint32_t	extents;
	uint32_t	data_bytes;
	struct undo_extent extent[UNDO_EXTENTS_MAX];
	struct dev_io	io[UNDO_EXTENTS_MAX];
};

static struct undo_dev *to_undo(struct dev *dev)
{
	return container_of(dev, struct undo_dev, dev);
}

static int no_memory(struct undo_dev *ud)
{
	return report(&ud->dev.sink, -ENOMEM, "memory", XLOG_LSN_NONE,
		      "out of memory");
}

/* --- saving --- */

/* Read what the record is to hold, and add it. */
static int emit_saved(struct undo_dev *ud)
{
	int rc;

	if (!ud->extents)
		return 0;
	rc = dev_read_batch(ud->below, ud->io, ud->extents);
	if (!rc)
		rc = journal_add(ud->journal, UNDO_SAVED, ud->index,
				 ud->extent, ud->extents, ud->data_bytes);
	ud->extents = 0;
	ud->data_bytes = 0;
	return rc;
}

/* Bytes [@off_bytes, + @len) of the device, a run of whole granules. */
static int gather(struct undo_dev *ud, uint64_t off_bytes, uint64_t len)
{
	int rc;

	while (len) {
		uint32_t n = UNDO_DATA_MAX - ud->data_bytes;

		if (n > len)
			n = (uint32_t)len;
		else
			n -= n % UNDO_GRANULE;
		if (!n || ud->extents == UNDO_EXTENTS_MAX) {
			rc = emit_saved(ud);
			if (rc)
				return rc;
			continue;
		}
		ud->extent[ud->extents] = (struct undo_extent){ off_bytes, n };
		ud->io[ud->extents++] = (struct dev_io){
			off_bytes, journal_data(ud->journal) + ud->data_bytes,
			n
		};
		ud->data_bytes += n;
		off_bytes += n;
		len -= n;
	}
	return 0;
}

/* Gather what is not saved yet of the granules of this range. */
static int gather_missing(struct undo_dev *ud, uint64_t off_bytes,
			  uint64_t len)
{
	uint64_t at = off_bytes / UNDO_GRANULE, n;
	uint64_t end = (off_bytes + len - 1) / UNDO_GRANULE + 1;
	int rc;

	for (; (n = unitset_missing(&ud->saved, &at, end)); at += n) {
		uint64_t from = at * UNDO_GRANULE;
		uint64_t bytes = n * UNDO_GRANULE;

		if (bytes > ud->dev.size_bytes - from)
			bytes = ud->dev.size_bytes - from;
		/* At once, so that no granule is gathered twice. */
		if (unitset_add(&ud->saved, at, n))
			return no_memory(ud);
		rc = gather(ud, from, bytes);
		if (rc)
			return rc;
	}
	return 0;
}

/* --- the first sector, by which the device will be known --- */

static bool is_known(const struct undo_dev *ud, uint32_t crc)
{
	for (size_t i = 0; i < ud->identities; i++)
		if (ud->identity[i].crc == crc)
			return true;
	return false;
}

static int remember(struct undo_dev *ud, const struct undo_identity *id)
{
	struct undo_identity *more;

	more = realloc(ud->identity, (ud->identities + 1) * sizeof(*more));
	if (!more)
		return no_memory(ud);
	more[ud->identities++] = *id;
	ud->identity = more;
	return 0;
}

/* Note how the first sector will look, unless that is known. */
static int note_identity(struct undo_dev *ud, const uint8_t *sector,
			 bool *noted)
{
	struct undo_identity id;
	int rc;

	undo_identity_of(&id, sector, undo_identity_len(ud->dev.size_bytes));
	if (is_known(ud, id.crc))
		return 0;
	undo_identity_encode(journal_data(ud->journal), &id);
	rc = journal_add(ud->journal, UNDO_IDENTITY, ud->index, NULL, 0,
			 UNDO_IDENTITY_BYTES);
	if (rc)
		return rc;
	*noted = true;
	return remember(ud, &id);
}

/* Those of @ios that change the first sector, one after the other. */
static int note_identities(struct undo_dev *ud, const struct dev_io *ios,
			   size_t count, bool *noted)
{
	size_t len = undo_identity_len(ud->dev.size_bytes);
	uint8_t sector[UNDO_SECTOR];
	bool have = false;
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++) {
		const struct dev_io *io = &ios[i];
		size_t n;

		if (io->off_bytes >= len || !io->len || !io->buf)
			continue;
		if (!have)
			rc = dev_read(ud->below, 0, sector, len);
		if (rc)
			break;
		have = true;
		n = len - (size_t)io->off_bytes;
		memcpy(sector + io->off_bytes, io->buf,
		       n < io->len ? n : io->len);
		rc = note_identity(ud, sector, noted);
	}
	return rc;
}

/* --- the device --- */

static int save_locked(struct undo_dev *ud, const struct dev_io *ios,
		       size_t count)
{
	uint64_t before = ud->saved.count;
	bool noted = false;
	int rc;

	rc = journal_state(ud->journal);
	if (rc)
		return rc;
	for (size_t i = 0; i < count && !rc; i++)
		if (ios[i].len)
			rc = gather_missing(ud, ios[i].off_bytes, ios[i].len);
	if (!rc)
		rc = emit_saved(ud);
	if (!rc)
		rc = note_identities(ud, ios, count, &noted);
	if (!rc && (noted || ud->saved.count != before))
		rc = journal_commit(ud->journal);
	return rc ? journal_fail(ud->journal, rc) : 0;
}

/* What @ios (of which a buffer may be NULL) overwrite is in the journal. */
static int save(struct undo_dev *ud, const struct dev_io *ios, size_t count)
{
	int rc;

	journal_lock(ud->journal);
	rc = save_locked(ud, ios, count);
	journal_unlock(ud->journal);
	return rc;
}

static int undo_read(struct dev *dev, uint64_t off_bytes, void *buf,
		     size_t len)
{
	return dev_read(to_undo(dev)->below, off_bytes, buf, len);
}

static int undo_write(struct dev *dev, uint64_t off_bytes, const void *buf,
		      size_t len)
{
	struct undo_dev *ud = to_undo(dev);
	/* a device only reads what is written */
	struct dev_io io = { off_bytes, (void *)(uintptr_t)buf, len };
	int rc = save(ud, &io, 1);

	return rc ? rc : dev_write(ud->below, off_bytes, buf, len);
}

static int undo_zero(struct dev *dev, uint64_t off_bytes, uint64_t len)
{
	static uint8_t zeros[UNDO_SECTOR];
	struct undo_dev *ud = to_undo(dev);
	uint64_t end = off_bytes + len;
	struct dev_io io[2] = {
		{ off_bytes, zeros, len < UNDO_SECTOR ? (size_t)len :
				    UNDO_SECTOR },
	};
	int rc;

	rc = save(ud, io, 1);
	/* A length of 64 bits, by I/O whose lengths may have 32. */
	for (uint64_t at = off_bytes; !rc && at < end; ) {
		size_t n = end - at < SIZE_MAX / 2 ? (size_t)(end - at) :
			   SIZE_MAX / 2 / UNDO_GRANULE * UNDO_GRANULE;

		rc = save(ud, &(struct dev_io){ .off_bytes = at, .len = n },
			  1);
		at += n;
	}
	return rc ? rc : dev_zero(ud->below, off_bytes, len);
}

static int undo_flush(struct dev *dev)
{
	return dev_flush(to_undo(dev)->below);
}

static int undo_prepare(struct dev *dev, const struct dev_io *ios,
			size_t count)
{
	return save(to_undo(dev), ios, count);
}

/* --- the end --- */

/* Add a record of extents and the checksums of their sectors. */
static int emit_after(struct undo_dev *ud)
{
	uint32_t extents = ud->extents, data_bytes = ud->data_bytes;

	ud->extents = 0;
	ud->data_bytes = 0;
	return extents ? journal_add(ud->journal, UNDO_AFTER, ud->index,
				     ud->extent, extents, data_bytes) : 0;
}

static int after_piece(struct undo_dev *ud, uint64_t off_bytes, uint32_t len)
{
	uint8_t *buf = journal_scratch(ud->journal);
	uint8_t *crc;
	int rc = 0;

	if (ud->extents == UNDO_EXTENTS_MAX || ud->data_bytes +
	    undo_sectors(len) * UNDO_CRC_BYTES > UNDO_DATA_MAX)
		rc = emit_after(ud);
	if (!rc)
		rc = dev_read(ud->below, off_bytes, buf, len);
	if (rc)
		return rc;
	crc = journal_data(ud->journal) + ud->data_bytes;
	for (uint32_t at = 0; at < len; at += UNDO_SECTOR) {
		uint32_t n = len - at < UNDO_SECTOR ? len - at : UNDO_SECTOR;

		put_le32(crc, xfs_crc_final(xfs_crc32c(XFS_CRC_SEED, buf + at,
						       n)));
		crc += UNDO_CRC_BYTES;
	}
	ud->extent[ud->extents++] = (struct undo_extent){ off_bytes, len };
	ud->data_bytes += (uint32_t)undo_sectors(len) * UNDO_CRC_BYTES;
	return 0;
}

/* A run of @count granules from @granule. */
static int after_run(struct undo_dev *ud, uint64_t granule, uint64_t count)
{
	uint64_t off = granule * UNDO_GRANULE, len = count * UNDO_GRANULE;
	int rc = 0;

	if (len > ud->dev.size_bytes - off)
		len = ud->dev.size_bytes - off;
	while (len && !rc) {
		uint32_t n = len < UNDO_DATA_MAX ? (uint32_t)len :
			     UNDO_DATA_MAX;

		rc = after_piece(ud, off, n);
		off += n;
		len -= n;
	}
	return rc;
}

/* Neighbours go together. */
struct run {
	struct undo_dev	*ud;
	uint64_t	first, n;	/* the run so far */
};

static int after_granule(void *ctx, uint64_t granule)
{
	struct run *run = ctx;
	int rc = 0;

	if (run->n && granule != run->first + run->n) {
		rc = after_run(run->ud, run->first, run->n);
		run->n = 0;
	}
	if (!run->n++)
		run->first = granule;
	return rc;
}

static int after_all(struct undo_dev *ud)
{
	struct run run = { .ud = ud };
	struct unitset_word *words;
	size_t count;
	int rc;

	words = unitset_sorted(&ud->saved, &count);
	if (!words)
		return no_memory(ud);
	rc = unitset_walk(words, count, after_granule, &run);
	free(words);
	if (!rc && run.n)
		rc = after_run(ud, run.first, run.n);
	return rc ? rc : emit_after(ud);
}

/*
 * Tell what has become of the saved blocks. What is only in the page cache
 * may never become so: flush first.
 */
static int seal(struct undo_dev *ud)
{
	int rc;

	if (!ud->saved.count)
		return 0;
	rc = journal_state(ud->journal);
	if (!rc)
		rc = dev_flush(ud->below);
	if (!rc)
		rc = after_all(ud);
	if (!rc)
		rc = journal_add(ud->journal, UNDO_SEAL, ud->index, NULL, 0,
				 0);
	return rc ? rc : journal_commit(ud->journal);
}

static void undo_close(struct dev *dev)
{
	struct undo_dev *ud = to_undo(dev);

	journal_lock(ud->journal);
	if (seal(ud))
		notice(&dev->sink, XLOG_WARNING, "undo.seal", XLOG_LSN_NONE,
		       "the undo file cannot tell later writes from these");
	journal_unlock(ud->journal);
	journal_put(ud->journal);
	dev_close(ud->below);
	unitset_fini(&ud->saved);
	free(ud->identity);
	free(ud);
}


/* Batches are announced before they are mapped: see dev.h. */
static bool undo_map(struct dev *dev, bool write, struct dev_map *map)
{
	(void)write;
	*map = (struct dev_map){ .fd = -1, .below = to_undo(dev)->below };
	return true;
}

/* No discard: what it leaves behind is not said, and all of it to be saved. */
static const struct dev_ops undo_ops = {
	.kind = "undo",
	.read = undo_read,
	.write = undo_write,
	.flush = undo_flush,
	.zero = undo_zero,
	.map = undo_map,
	.prepare = undo_prepare,
	.close = undo_close,
};

/* --- opening --- */

static struct undo_dev *undo_new(const struct dev_undo *du, uint32_t index)
{
	struct undo_dev *ud = calloc(1, sizeof(*ud));

	if (!ud)
		return NULL;
	dev_init(&ud->dev, &undo_ops, &du->dev->sink, du->dev->name);
	ud->dev.size_bytes = du->dev->size_bytes;
	ud->dev.sector_bytes = du->dev->sector_bytes;
	ud->dev.writable = true;
	ud->below = du->dev;
	ud->index = index;
	return ud;
}

static int describe(struct undo_device *head, const struct dev_undo *du)
{
	size_t len = undo_identity_len(du->dev->size_bytes);
	uint8_t sector[UNDO_SECTOR];
	char *path;
	int rc;

	rc = dev_read(du->dev, 0, sector, len);
	if (rc)
		return rc;
	undo_identity_of(&head->identity, sector, len);
	head->role = du->role;
	head->size_bytes = du->dev->size_bytes;
	head->log_off_bytes = du->log_off_bytes;
	head->log_len = du->log_len;
	head->grown = du->grown;
	head->was_bytes = du->was_bytes;
	path = realpath(du->dev->name, NULL);
	/* only for people to read, who see that it was cut */
	strncpy(head->path, path ? path : du->dev->name,
		sizeof(head->path) - 1);
	free(path);
	return 0;
}

int dev_open_undo(const char *path, struct dev_undo *devs, size_t count,
		  const struct sink *sink)
{
	struct undo_head head = { .count = (uint32_t)count };
	struct undo_dev *ud[UNDO_DEVICES] = { NULL };
	struct journal *journal;
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++) {
		ud[i] = undo_new(&devs[i], (uint32_t)i);
		rc = ud[i] ? describe(&head.device[i], &devs[i]) :
		     report(sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			    "out of memory");
		if (!rc)
			rc = remember(ud[i], &head.device[i].identity);
	}
	if (!rc)
		rc = journal_new(path, &head, sink, &journal);
	if (rc)
		goto free;
	for (size_t i = 0; i < count; i++) {
		if (i)
			journal_get(journal);
		ud[i]->journal = journal;
		devs[i].dev = &ud[i]->dev;
	}
	return 0;
free:
	for (size_t i = 0; i < count; i++) {
		if (ud[i])
			free(ud[i]->identity);
		free(ud[i]);
	}
	return rc;
}
