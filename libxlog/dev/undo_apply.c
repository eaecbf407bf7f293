/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Putting back what an undo journal saved. All is checked before the first
 * write: the journal, byte for byte; that these are its devices; and, if it
 * was finished, that each block holds what it held before or what it was
 * given then, and nothing that was written later. All of that stays true
 * while blocks are put back, so that a run that was cut off is done again.
 *
 * A file that grew gets its old length last of all: if it has that, it has
 * been put back.
 *
 * The log goes first: as soon as it is what it was, and dirty, nobody takes
 * the rest for a sound filesystem. Other blocks follow, newest first, which
 * leads back the way that led here.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/endian.h"
#include "libxlog/dev/dev_priv.h"
#include "libxlog/dev/undo_file.h"

struct applied {
	struct dev	*dev;
	struct sink	sink;		/* with its name, if there are two */
	struct named	named;
	bool		done;		/* by another run */
	/* sectors that do not hold what a sealed journal says of the end */
	struct unitset	other;
};

struct apply {
	struct undo_file *file;
	struct sink	sink;
	const struct xlog_open_options *opts;
	struct applied	to[UNDO_DEVICES];
	uint8_t		*buf;		/* UNDO_DATA_MAX */
	uint64_t	changed;	/* sectors written by someone else */
	uint64_t	first_changed;	/* byte, on the device it is on */
	uint64_t	bytes;		/* put back */
};

static int no_memory(const struct apply *ap)
{
	return report(&ap->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
		      "out of memory");
}

/* --- are these the devices? --- */

static bool is_zeros(const uint8_t *id)
{
	return dev_is_zero(id, UNDO_ID_BYTES);
}

static int changed(struct apply *ap, uint32_t i, const char *what)
{
	const char *path = undo_file_head(ap->file)->device[i].path;
	bool force = ap->opts->flags & XLOG_OPEN_FORCE_CHANGED;

	if (!force)
		return report(&ap->to[i].sink, -ESTALE, "undo.changed",
			      XLOG_LSN_NONE,
			      "has been written to since the undo file was made: %s",
			      what);
	notice(&ap->to[i].sink, XLOG_WARNING, "undo.changed", XLOG_LSN_NONE,
	       "has been written to since the undo file was made for %s: %s",
	       path, what);
	return 0;
}

/*
 * The first sector is one of those the journal knows. If it is not, the UUID
 * in it tells whether it is the right device all the same.
 */
static int check_identity(struct apply *ap, uint32_t i)
{
	const struct undo_about *about = undo_file_about(ap->file, i);
	struct applied *to = &ap->to[i];
	size_t len = undo_identity_len(to->dev->size_bytes);
	uint8_t sector[UNDO_SECTOR];
	struct undo_identity is;
	bool same_uuid = false;
	int rc;

	rc = dev_read(to->dev, 0, sector, len);
	if (rc)
		return rc;
	undo_identity_of(&is, sector, len);
	for (size_t n = 0; n < about->identities; n++) {
		const struct undo_identity *known = &about->identity[n];

		if (known->crc == is.crc)
			return 0;
		same_uuid |= !is_zeros(is.uuid) &&
			     !memcmp(known->uuid, is.uuid, sizeof(is.uuid));
	}
	if (same_uuid)
		return changed(ap, i, "its first sector is another");
	return report(&to->sink, -EXDEV, "undo.device", XLOG_LSN_NONE,
		      "is not what the undo file was made for, which was %s",
		      undo_file_head(ap->file)->device[i].path);
}

static int check_device(struct apply *ap, uint32_t i)
{
	const struct undo_device *head = &undo_file_head(ap->file)->device[i];
	struct applied *to = &ap->to[i];

	to->done = head->grown && to->dev->size_bytes == head->was_bytes;
	if (to->done)
		return 0;
	if (to->dev->size_bytes != head->size_bytes)
		return report(&to->sink, -EXDEV, "undo.device", XLOG_LSN_NONE,
			      "has %" PRIu64 " bytes, and the undo file is for one of %"
			      PRIu64 ": %s", to->dev->size_bytes,
			      head->size_bytes, head->path);
	return check_identity(ap, i);
}

/* --- has anyone written later? --- */

static uint32_t sector_len(uint64_t at, uint64_t end)
{
	return end - at < UNDO_SECTOR ? (uint32_t)(end - at) : UNDO_SECTOR;
}

static uint32_t crc_of(const uint8_t *p, uint32_t len)
{
	return xfs_crc_final(xfs_crc32c(XFS_CRC_SEED, p, len));
}

/* Note the sectors of the record that are not as it says. */
static int compare_after(struct apply *ap, const struct undo_view *view)
{
	struct applied *to = &ap->to[view->rec.device];
	const uint8_t *crc = view->data;
	int rc;

	for (uint32_t i = 0; i < view->rec.extents; i++) {
		uint64_t at = view->extents[i].off_bytes;
		uint64_t end = at + view->extents[i].len;

		while (at < end) {
			uint32_t n = end - at < UNDO_DATA_MAX ?
				     (uint32_t)(end - at) : UNDO_DATA_MAX;

			rc = dev_read(to->dev, at, ap->buf, n);
			if (rc)
				return rc;
			for (uint32_t off = 0; off < n; off += UNDO_SECTOR) {
				bool same = get_le32(crc) ==
					    crc_of(ap->buf + off,
						   sector_len(off, n));

				crc += UNDO_CRC_BYTES;
				if (!same &&
				    unitset_add(&to->other,
						(at + off) / UNDO_SECTOR, 1))
					return no_memory(ap);
			}
			at += n;
		}
	}
	return 0;
}

/* Of the sectors noted, those that are not as they were before, either. */
static int compare_before(struct apply *ap, const struct undo_view *view)
{
	struct applied *to = &ap->to[view->rec.device];
	const uint8_t *before = view->data;
	int rc;

	for (uint32_t i = 0; i < view->rec.extents; i++) {
		uint64_t off = view->extents[i].off_bytes;
		uint32_t len = (uint32_t)view->extents[i].len;

		if (!unitset_has_any(&to->other, off / UNDO_SECTOR,
				     undo_sectors(len))) {
			before += len;
			continue;
		}
		rc = dev_read(to->dev, off, ap->buf, len);
		if (rc)
			return rc;
		for (uint32_t at = 0; at < len; at += UNDO_SECTOR) {
			if (!unitset_has(&to->other,
					 (off + at) / UNDO_SECTOR) ||
			    !memcmp(ap->buf + at, before + at,
				    sector_len(at, len)))
				continue;
			if (!ap->changed++)
				ap->first_changed = off + at;
		}
		before += len;
	}
	return 0;
}

static int each_record(struct apply *ap, uint32_t device, uint32_t kind,
		       int (*fn)(struct apply *ap,
				 const struct undo_view *view))
{
	int rc = 0;

	for (size_t i = 0; i < undo_file_count(ap->file) && !rc; i++) {
		struct undo_view view;

		rc = undo_file_read(ap->file, i, &view);
		if (!rc && view.rec.kind == kind && view.rec.device == device)
			rc = fn(ap, &view);
	}
	return rc;
}

static int check_contents(struct apply *ap, uint32_t i)
{
	char what[128];
	int rc;

	if (!undo_file_about(ap->file, i)->sealed || ap->to[i].done)
		return 0;
	rc = each_record(ap, i, UNDO_AFTER, compare_after);
	if (!rc && ap->to[i].other.count) {
		ap->changed = 0;
		rc = each_record(ap, i, UNDO_SAVED, compare_before);
		if (!rc && ap->changed) {
			snprintf(what, sizeof(what), "%" PRIu64
				 " sectors, the first at byte %" PRIu64,
				 ap->changed, ap->first_changed);
			rc = changed(ap, i, what);
		}
	}
	unitset_fini(&ap->to[i].other);
	return rc;
}

/* --- putting back --- */

static int put(struct apply *ap, struct applied *to, uint64_t off_bytes,
	       const uint8_t *data, uint64_t len)
{
	ap->bytes += len;
	return dev_write(to->dev, off_bytes, data, (size_t)len);
}

/* The part of the extent that lies in the log, or the parts that do not. */
static int put_extent(struct apply *ap, uint32_t device,
		      const struct undo_extent *ext, const uint8_t *data,
		      bool log)
{
	const struct undo_device *head =
		&undo_file_head(ap->file)->device[device];
	struct applied *to = &ap->to[device];
	uint64_t end = ext->off_bytes + ext->len;
	uint64_t log_end = head->log_off_bytes + head->log_len;
	uint64_t from = head->log_off_bytes, till = log_end;
	int rc = 0;

	/* [from, till): what of the log is in the extent, if anything */
	if (from < ext->off_bytes)
		from = ext->off_bytes;
	if (till > end)
		till = end;
	if (from >= till)
		from = till = end;
	if (log)
		return put(ap, to, from, data + (from - ext->off_bytes),
			   till - from);
	rc = put(ap, to, till, data + (till - ext->off_bytes), end - till);
	return rc ? rc : put(ap, to, ext->off_bytes, data,
			     from - ext->off_bytes);
}

/* Extents from the last to the first, as the records themselves. */
static int put_record(struct apply *ap, const struct undo_view *view, bool log)
{
	const uint8_t *data = view->data + view->data_bytes;
	int rc = 0;

	for (uint32_t i = view->rec.extents; i && !rc; i--) {
		data -= view->extents[i - 1].len;
		rc = put_extent(ap, view->rec.device, &view->extents[i - 1],
				data, log);
	}
	return rc;
}

static int put_all(struct apply *ap, bool log)
{
	uint32_t devices = undo_file_head(ap->file)->count;
	int rc = 0;

	for (size_t i = undo_file_count(ap->file); i && !rc; i--) {
		struct undo_view view;

		rc = undo_file_read(ap->file, i - 1, &view);
		if (!rc && view.rec.kind == UNDO_SAVED &&
		    !ap->to[view.rec.device].done)
			rc = put_record(ap, &view, log);
	}
	for (uint32_t i = 0; i < devices && !rc; i++)
		rc = dev_flush(ap->to[i].dev);
	return rc;
}

/* What a file grew by. */
static int cut_off(struct apply *ap, uint32_t i)
{
	const struct undo_device *head = &undo_file_head(ap->file)->device[i];
	struct dev *dev = ap->to[i].dev;
	int rc;

	if (!head->grown || ap->to[i].done)
		return 0;
	rc = dev_resize(dev, head->was_bytes);
	return rc ? rc : dev_flush(dev);
}

static int apply_checked(struct apply *ap)
{
	uint32_t devices = undo_file_head(ap->file)->count;
	int rc = 0;

	for (uint32_t i = 0; i < devices && !rc; i++)
		rc = check_device(ap, i);
	for (uint32_t i = 0; i < devices && !rc; i++)
		rc = check_contents(ap, i);
	if (rc)
		return rc;
	rc = put_all(ap, true);
	if (!rc)
		rc = put_all(ap, false);
	for (uint32_t i = 0; i < devices && !rc; i++)
		rc = cut_off(ap, i);
	if (rc)
		notice(&ap->sink, XLOG_WARNING, XLOG_CODE_PARTLY,
		       XLOG_LSN_NONE,
		       "blocks may be put back in part only: do it again");
	else
		notice(undo_file_sink(ap->file), XLOG_NOTICE, "undo.done",
		       XLOG_LSN_NONE, "%" PRIu64 " bytes put back",
		       ap->bytes);
	return rc;
}

/* --- opening --- */

static int open_device(struct apply *ap, uint32_t i, const char *device)
{
	const struct xlog_open_options *opts = ap->opts;
	struct applied *to = &ap->to[i];
	bool log = undo_file_head(ap->file)->device[i].role == UNDO_ROLE_LOG;
	const char *path = log ? opts->logdev : device;
	unsigned int how = 0;

	if (!path)
		return report(&ap->sink, -EINVAL, "log.device", XLOG_LSN_NONE,
			      "the undo file is for an external log as well: name it with --logdev");
	to->sink = ap->sink;
	if (log) {
		to->named = (struct named){ ap->sink, path };
		to->sink = named_sink(&to->named);
	}
	if (opts->flags & XLOG_OPEN_LOCK_WAIT)
		how |= DEV_LOCK_WAIT;
	if (opts->flags & XLOG_OPEN_LOCK_NONE)
		how |= DEV_LOCK_NONE;
	return dev_open_writable(path, log ? 0 : opts->offset_bytes, how,
				 &to->sink, &to->dev);
}

static int check_options(const struct apply *ap)
{
	if (!ap->opts->undo && !ap->opts->superblock &&
	    !(ap->opts->flags & XLOG_OPEN_OVERLAY))
		return 0;
	return report(&ap->sink, -EINVAL, "options", XLOG_LSN_NONE,
		      "blocks are put back on the devices themselves");
}

static int open_devices(struct apply *ap, const char *device)
{
	const struct undo_head *head = undo_file_head(ap->file);
	bool has_log = false;
	int rc = 0;

	for (uint32_t i = 0; i < head->count; i++)
		has_log |= head->device[i].role == UNDO_ROLE_LOG;
	if (ap->opts->logdev && !has_log)
		return report(&ap->sink, -EINVAL, "log.device", XLOG_LSN_NONE,
			      "%s: the undo file is not for an external log",
			      ap->opts->logdev);
	for (uint32_t i = 0; i < head->count && !rc; i++)
		rc = open_device(ap, i, device);
	return rc;
}

int xlog_undo_apply(const char *undo, const char *device,
		    const struct xlog_open_options *opts)
{
	static const struct xlog_open_options defaults;
	struct apply ap = { .opts = opts ? opts : &defaults };
	int rc;

	ap.sink = (struct sink){ ap.opts->report, ap.opts->report_ctx };
	rc = check_options(&ap);
	if (rc)
		return rc;
	ap.buf = malloc(UNDO_DATA_MAX);
	if (!ap.buf)
		return no_memory(&ap);
	rc = undo_file_open(undo, &ap.sink, &ap.file);
	if (!rc)
		rc = open_devices(&ap, device);
	if (!rc)
		rc = apply_checked(&ap);
	for (int i = 0; i < UNDO_DEVICES; i++) {
		dev_close(ap.to[i].dev);
		unitset_fini(&ap.to[i].other);
	}
	undo_file_close(ap.file);
	free(ap.buf);
	return rc;
}
