/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An undo journal that is read. It is checked from front to back when it is
 * opened: what is found wrong later can only be an I/O error.
 */
#ifndef LIBXLOG_DEV_UNDO_FILE_H
#define LIBXLOG_DEV_UNDO_FILE_H

#include "libxlog/base/err.h"
#include "libxlog/dev/undo_fmt.h"
#include "libxlog/dev/unitset.h"

/* What the journal as a whole says of one device. */
struct undo_about {
	struct unitset	saved;		/* granules */
	/* how the first sector may look, the state before first */
	struct undo_identity *identity;
	size_t		identities;
	uint64_t	after;		/* granules that AFTER tells of */
	bool		sealed;
};

struct undo_file;

/*
 * Open and check the journal @path. -EMEDIUMTYPE: it is none; -EOPNOTSUPP: of
 * a later version; -EBADMSG, -EUCLEAN: it is damaged; -EBUSY: it is being
 * written. All are reported, with the name before the text.
 */
int undo_file_open(const char *path, const struct sink *sink,
		   struct undo_file **out) MUST_CHECK;
void undo_file_close(struct undo_file *f);

const struct undo_head *undo_file_head(const struct undo_file *f);
const struct undo_about *undo_file_about(const struct undo_file *f,
					 uint32_t device);
const struct sink *undo_file_sink(const struct undo_file *f);

/* Records that count. */
size_t undo_file_count(const struct undo_file *f);

/* A record, unpacked. */
struct undo_view {
	struct undo_record rec;
	const struct undo_extent *extents;	/* rec.extents of them */
	const uint8_t	*data;			/* behind the table */
	uint32_t	data_bytes;
};

/* Record number @i, valid until the next call. Errors are reported. */
int undo_file_read(struct undo_file *f, size_t i, struct undo_view *view)
	MUST_CHECK;

#endif
