/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading and checking the undo journal; undo_fmt.h says what it is like and
 * what makes a damaged end different from one that was never written.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "libxlog/dev/dev_priv.h"
#include "libxlog/dev/undo_file.h"

struct place {
	uint64_t	off_bytes;	/* of the record in the file */
	uint32_t	crc;		/* of the record before */
};

struct undo_file {
	struct named	named;
	struct dev	dev;		/* to read with; nobody else sees it */
	char		*path;		/* owned */
	int		fd;
	struct undo_head head;
	struct undo_about about[UNDO_DEVICES];
	struct place	*records;
	size_t		count, room;
	ZSTD_DCtx	*dctx;
	uint8_t		*raw;		/* UNDO_RAW_MAX */
	uint8_t		*packed;	/* UNDO_RAW_MAX */
	struct undo_extent extent[UNDO_EXTENTS_MAX];
};

const struct undo_head *undo_file_head(const struct undo_file *f)
{
	return &f->head;
}

const struct undo_about *undo_file_about(const struct undo_file *f,
					 uint32_t device)
{
	return &f->about[device];
}

const struct sink *undo_file_sink(const struct undo_file *f)
{
	return &f->dev.sink;
}

size_t undo_file_count(const struct undo_file *f)
{
	return f->count;
}

static int no_memory(const struct sink *sink)
{
	return report(sink, -ENOMEM, "memory", XLOG_LSN_NONE, "out of memory");
}

static int damaged(struct undo_file *f, int rc, uint64_t off_bytes,
		   const char *why)
{
	return report(&f->dev.sink, rc, "undo.damaged", XLOG_LSN_NONE,
		      "damaged at byte %" PRIu64 ": %s", off_bytes, why);
}

/* --- one record --- */

/*
 * The record at @off_bytes into @view, its data not yet unpacked. Returns 1
 * and carries *@crc on, or 0 with *@why: there is no whole record.
 */
static int load(struct undo_file *f, uint64_t off_bytes,
		struct undo_view *view, uint32_t *crc, const char **why)
{
	uint8_t raw[UNDO_RECORD_BYTES];
	uint64_t left = f->dev.size_bytes - off_bytes;
	int rc;

	*why = "a record that is cut short";
	if (left < sizeof(raw))
		return 0;
	rc = dev_pread(&f->dev, f->fd, off_bytes, raw, sizeof(raw));
	if (rc)
		return rc;
	undo_record_decode(&view->rec, raw);
	*why = undo_record_verify(raw, &view->rec, &f->head, off_bytes,
				  left - sizeof(raw));
	if (*why)
		return 0;
	rc = dev_pread(&f->dev, f->fd, off_bytes + sizeof(raw), f->packed,
		       view->rec.packed_bytes);
	if (rc)
		return rc;
	*why = "a record with a wrong checksum";
	return undo_record_crc_ok(raw, &view->rec, f->packed, crc);
}

/* Whole granules of the device; the last one ends where the device does. */
static bool is_granules(const struct undo_extent *ext, uint64_t size_bytes)
{
	return ext->len && ext->off_bytes % UNDO_GRANULE == 0 &&
	       ext->off_bytes <= size_bytes &&
	       ext->len <= size_bytes - ext->off_bytes &&
	       (ext->len % UNDO_GRANULE == 0 ||
		ext->off_bytes + ext->len == size_bytes);
}

/* NULL, or why the data are not what its kind of record has. */
static const char *check_shape(const struct undo_file *f,
			       const struct undo_view *view)
{
	uint64_t size = f->head.device[view->rec.device].size_bytes;
	bool saved = view->rec.kind == UNDO_SAVED;
	uint64_t left = view->data_bytes;

	if (view->rec.kind == UNDO_IDENTITY)
		return view->rec.extents || left != UNDO_IDENTITY_BYTES ?
		       "a record of another length than an identity" : NULL;
	for (uint32_t i = 0; i < view->rec.extents; i++) {
		const struct undo_extent *ext = &view->extents[i];
		uint64_t bytes;

		if (!is_granules(ext, size))
			return "blocks that are not on the device";
		bytes = saved ? ext->len :
			undo_sectors(ext->len) * UNDO_CRC_BYTES;
		if (bytes > left)
			return "a record of another length than its blocks";
		left -= bytes;
	}
	return left ? "a record of another length than its blocks" : NULL;
}

/* NULL, or why not. */
static const char *unpack(struct undo_file *f, struct undo_view *view)
{
	const struct undo_record *rec = &view->rec;
	uint32_t table = rec->extents * UNDO_EXTENT_BYTES;
	const uint8_t *raw = f->packed;

	if (rec->packed) {
		if (ZSTD_decompressDCtx(f->dctx, f->raw, rec->raw_bytes,
					f->packed, rec->packed_bytes) !=
		    rec->raw_bytes)
			return "a record that cannot be unpacked";
		raw = f->raw;
	}
	for (uint32_t i = 0; i < rec->extents; i++)
		undo_extent_decode(&f->extent[i],
				   raw + (size_t)i * UNDO_EXTENT_BYTES);
	view->extents = f->extent;
	view->data = raw + table;
	view->data_bytes = rec->raw_bytes - table;
	return check_shape(f, view);
}

/* Checked anew: the file may have been written to. */
int undo_file_read(struct undo_file *f, size_t i, struct undo_view *view)
{
	uint32_t crc = f->records[i].crc;
	const char *why;
	int rc;

	rc = load(f, f->records[i].off_bytes, view, &crc, &why);
	if (rc < 0)
		return rc;
	why = rc ? unpack(f, view) : why;
	return why ? damaged(f, -EUCLEAN, f->records[i].off_bytes, why) : 0;
}

/* --- what a record may say --- */

static uint64_t granules(const struct undo_extent *ext)
{
	return ext->len / UNDO_GRANULE + (ext->len % UNDO_GRANULE != 0);
}

static int check_saved(struct undo_file *f, const struct undo_view *view,
		       const char **why)
{
	struct undo_about *about = &f->about[view->rec.device];

	for (uint32_t i = 0; i < view->rec.extents; i++) {
		const struct undo_extent *ext = &view->extents[i];
		uint64_t first = ext->off_bytes / UNDO_GRANULE;

		if (unitset_has_any(&about->saved, first, granules(ext)))
			*why = "a block that was saved twice";
		else if (unitset_add(&about->saved, first, granules(ext)))
			return no_memory(&f->dev.sink);
	}
	return 0;
}

static void check_after(struct undo_file *f, const struct undo_view *view,
			const char **why)
{
	struct undo_about *about = &f->about[view->rec.device];

	for (uint32_t i = 0; i < view->rec.extents; i++) {
		const struct undo_extent *ext = &view->extents[i];
		uint64_t first = ext->off_bytes / UNDO_GRANULE;
		uint64_t at = first;

		if (unitset_missing(&about->saved, &at,
				    first + granules(ext)))
			*why = "checksums of blocks that were not saved";
		about->after += granules(ext);
	}
}

static int add_identity(struct undo_about *about,
			const struct undo_identity *id)
{
	struct undo_identity *more;

	more = realloc(about->identity,
		       (about->identities + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	more[about->identities++] = *id;
	about->identity = more;
	return 0;
}

static int take_identity(struct undo_file *f, const struct undo_view *view)
{
	struct undo_identity id;

	undo_identity_decode(&id, view->data);
	return add_identity(&f->about[view->rec.device], &id) ?
	       no_memory(&f->dev.sink) : 0;
}

/* *@why is not NULL if the record may not be there. */
static int check_record(struct undo_file *f, const struct undo_view *view,
			const char **why)
{
	struct undo_about *about = &f->about[view->rec.device];

	if (about->sealed)
		*why = "a record behind the end of its device";
	if (*why)
		return 0;
	switch ((enum undo_kind)view->rec.kind) {
	case UNDO_SAVED:
		return check_saved(f, view, why);
	case UNDO_IDENTITY:
		return take_identity(f, view);
	case UNDO_AFTER:
		check_after(f, view, why);
		break;
	case UNDO_SEAL:
		if (about->after != about->saved.count)
			*why = "not all that was saved is told of";
		about->sealed = true;
		break;
	}
	return 0;
}

/* --- the file --- */

/*
 * Up to where the records are durable, and whether that is beyond doubt: a
 * slot that is not whole may have named a later place.
 */
static int read_slots(struct undo_file *f, uint64_t *end_bytes, bool *sure)
{
	unsigned int ok = 0;

	*end_bytes = 0;
	for (unsigned int i = 0; i < UNDO_SLOTS; i++) {
		uint8_t raw[UNDO_SLOT_BYTES];
		struct undo_slot slot;
		int rc;

		rc = dev_pread(&f->dev, f->fd, UNDO_SLOT_OFF * (1 + i), raw,
			       sizeof(raw));
		if (rc)
			return rc;
		undo_slot_decode(&slot, raw);
		if (!undo_slot_ok(raw, &slot, &f->head))
			continue;
		ok++;
		if (slot.end_bytes > *end_bytes)
			*end_bytes = slot.end_bytes;
	}
	if (!ok)
		return damaged(f, -EBADMSG, UNDO_SLOT_OFF,
			       "neither of its ends is whole");
	*sure = ok == UNDO_SLOTS;
	return 0;
}

static int keep_record(struct undo_file *f, uint64_t off_bytes, uint32_t crc)
{
	if (f->count == f->room) {
		size_t room = f->room ? 2 * f->room : 64;
		struct place *more;

		if (room > SIZE_MAX / sizeof(*more))
			return no_memory(&f->dev.sink);
		more = realloc(f->records, room * sizeof(*more));
		if (!more)
			return no_memory(&f->dev.sink);
		f->records = more;
		f->room = room;
	}
	f->records[f->count++] = (struct place){ off_bytes, crc };
	return 0;
}

/* One record at *@at, which moves on; 0: there is none. */
static int take_record(struct undo_file *f, uint64_t *at, uint32_t *crc,
		       const char **why)
{
	uint32_t before = *crc;
	struct undo_view view;
	int rc;

	rc = load(f, *at, &view, crc, why);
	if (rc <= 0)
		return rc;
	*why = unpack(f, &view);
	rc = *why ? 0 : check_record(f, &view, why);
	/* Its checksum is right: this is no torn end. */
	if (*why)
		rc = damaged(f, -EUCLEAN, *at, *why);
	if (!rc)
		rc = keep_record(f, *at, before);
	*at += UNDO_RECORD_BYTES + view.rec.packed_bytes;
	return rc ? rc : 1;
}

static int read_records(struct undo_file *f)
{
	uint64_t at = UNDO_START, end_bytes;
	uint32_t crc = f->head.crc;
	const char *why = NULL;
	bool sure;
	int rc;

	rc = read_slots(f, &end_bytes, &sure);
	if (rc)
		return rc;
	do {
		rc = at < f->dev.size_bytes ?
		     take_record(f, &at, &crc, &why) : 0;
	} while (rc > 0);
	if (rc)
		return rc;
	if (at < end_bytes)
		return damaged(f, -EBADMSG, at,
			       at < f->dev.size_bytes ? why : "cut short");
	if (at == f->dev.size_bytes)
		return 0;
	if (!sure)
		return damaged(f, -EBADMSG, at, why);
	notice(&f->dev.sink, XLOG_NOTICE, "undo.torn", XLOG_LSN_NONE,
	       "its last record was not finished, so what it was to save has not been overwritten");
	return 0;
}

static int read_head(struct undo_file *f)
{
	uint8_t raw[UNDO_HEAD_BYTES];
	uint32_t version;
	const char *why;
	int rc;

	if (f->dev.size_bytes < UNDO_START)
		return report(&f->dev.sink, -EMEDIUMTYPE, "undo.medium",
			      XLOG_LSN_NONE,
			      "not an undo file: too short for one");
	rc = dev_pread(&f->dev, f->fd, 0, raw, sizeof(raw));
	if (rc)
		return rc;
	undo_head_decode(&f->head, raw);
	why = undo_head_verify(raw, &f->head, &version);
	if (version != UNDO_VERSION)
		return report(&f->dev.sink, -EOPNOTSUPP, "undo.version",
			      XLOG_LSN_NONE, "an undo file of version %u",
			      version);
	if (why && !undo_is_head(raw))
		return report(&f->dev.sink, -EMEDIUMTYPE, "undo.medium",
			      XLOG_LSN_NONE, "%s", why);
	if (why)
		return damaged(f, -EBADMSG, 0, why);
	for (uint32_t i = 0; i < f->head.count; i++)
		if (add_identity(&f->about[i], &f->head.device[i].identity))
			return no_memory(&f->dev.sink);
	return 0;
}

static int open_fd(struct undo_file *f)
{
	const struct sink *sink = &f->dev.sink;
	struct stat st;

	f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (f->fd < 0 || fstat(f->fd, &st))
		return report(sink, -errno, "undo.open", XLOG_LSN_NONE,
			      "cannot be opened: %s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return report(sink, -EMEDIUMTYPE, "undo.medium",
			      XLOG_LSN_NONE, "not an undo file");
	if (flock(f->fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK)
		return report(sink, -EBUSY, "undo.busy", XLOG_LSN_NONE,
			      "is being written at this moment");
	f->dev.size_bytes = (uint64_t)st.st_size;
	return 0;
}

int undo_file_open(const char *path, const struct sink *sink,
		   struct undo_file **out)
{
	struct undo_file *f = calloc(1, sizeof(*f));
	struct sink named;
	int rc;

	if (!f)
		return no_memory(sink);
	f->fd = -1;
	f->path = strdup(path);
	f->raw = malloc(UNDO_RAW_MAX);
	f->packed = malloc(UNDO_RAW_MAX);
	f->dctx = ZSTD_createDCtx();
	if (!f->path || !f->raw || !f->packed || !f->dctx) {
		undo_file_close(f);
		return no_memory(sink);
	}
	f->named = (struct named){ .sink = *sink, .name = f->path };
	named = named_sink(&f->named);
	dev_init(&f->dev, NULL, &named, f->path);
	rc = open_fd(f);
	if (!rc)
		rc = read_head(f);
	if (!rc)
		rc = read_records(f);
	if (rc) {
		undo_file_close(f);
		return rc;
	}
	*out = f;
	return 0;
}

void undo_file_close(struct undo_file *f)
{
	if (!f)
		return;
	for (int i = 0; i < UNDO_DEVICES; i++) {
		unitset_fini(&f->about[i].saved);
		free(f->about[i].identity);
	}
	if (f->fd >= 0)
		close(f->fd);
	ZSTD_freeDCtx(f->dctx);
	free(f->records);
	free(f->raw);
	free(f->packed);
	free(f->path);
	free(f);
}
