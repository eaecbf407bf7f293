/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The undo journal while it is being written: a file that records are appended
 * to, shared by the undo devices of one run.
 */
#ifndef LIBXLOG_DEV_UNDO_JOURNAL_H
#define LIBXLOG_DEV_UNDO_JOURNAL_H

#include "libxlog/base/sync.h"
#include "libxlog/dev/dev.h"
#include "libxlog/dev/undo_fmt.h"

struct journal;

/*
 * Make the file @path, which must not exist, with @head (its id is made here)
 * and no records; durable, its name too. On success *@out has one reference.
 */
int journal_new(const char *path, struct undo_head *head,
		const struct sink *sink, struct journal **out) MUST_CHECK;

/* One more user; and one less, the last of whom closes the file. */
void journal_get(struct journal *j);
void journal_put(struct journal *j);

/*
 * All that follows is done with the journal locked. The checker of locks does
 * not see one behind two functions.
 */
void journal_lock(struct journal *j) UNCHECKED_LOCKING;
void journal_unlock(struct journal *j) UNCHECKED_LOCKING;

/*
 * 0, or why nothing can be saved any more: reported then, and again here in
 * short.
 */
int journal_state(struct journal *j) MUST_CHECK;

/* Something else went wrong: from now on journal_state() is @rc, returned. */
int journal_fail(struct journal *j, int rc) MUST_CHECK;

/*
 * Where a record is put together: UNDO_DATA_MAX bytes of data, and what is
 * free for the caller between two calls of journal_add(), as many.
 */
uint8_t *journal_data(struct journal *j);
uint8_t *journal_scratch(struct journal *j);

/*
 * Append a record of @kind about device @device with @count extents and
 * @data_bytes of journal_data(). Not durable before journal_commit().
 */
int journal_add(struct journal *j, enum undo_kind kind, uint32_t device,
		const struct undo_extent *extents, uint32_t count,
		uint32_t data_bytes) MUST_CHECK;

/* What was added since the last time is durable, and counts. */
int journal_commit(struct journal *j) MUST_CHECK;

/* Something has been committed. */
bool journal_is_used(const struct journal *j);

#endif
