/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Devices in files, an undo journal, and what the devices were like before:
 * for tests of saving and of putting back.
 */
#ifndef TESTS_LIB_UNDORIG_H
#define TESTS_LIB_UNDORIG_H

#include "libxlog/dev/batch.h"
#include "libxlog/dev/undo.h"
#include "libxlog/dev/undo_file.h"
#include "tests/lib/memdev.h"
#include "tests/lib/scratch.h"

enum {
	RIG_BYTES = 1 << 20,	/* of the first device */
	RIG_LOG_BYTES = 64 << 10,
	RIG_PATH = PATH_MAX + 256,
};

struct rig {
	struct scratch	dir;
	struct reports	said;
	struct sink	sink;
	char		undo[RIG_PATH];
	size_t		count;
	struct {
		char		path[RIG_PATH];
		size_t		len;
		uint8_t		*before;
		struct watch	*watch;	/* below the undo device */
		struct dev	*dev;	/* the undo device */
	} to[2];
};

static inline void rig_add(struct rig *r, const char *name, size_t len)
{
	uint8_t *bytes = malloc(len);
	size_t i = r->count++;

	cr_assert_not_null(bytes);
	pattern_fill(bytes, i, len);
	r->to[i].before = bytes;
	r->to[i].len = len;
	snprintf(r->to[i].path, RIG_PATH, "%s",
		 scratch_file(&r->dir, name, bytes, len));
}

/* One device, and with @log an external log. */
static inline void rig_init(struct rig *r, bool log)
{
	memset(r, 0, sizeof(*r));
	scratch_init(&r->dir);
	r->sink = reports_sink(&r->said);
	snprintf(r->undo, RIG_PATH, "%s", scratch_path(&r->dir, "undo"));
	rig_add(r, "fs", RIG_BYTES);
	if (log)
		rig_add(r, "log", RIG_LOG_BYTES);
}

static inline void rig_fini(struct rig *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->to[i].before);
	scratch_fini(&r->dir);
}

/* Open the devices with undo devices above them. */
static inline int rig_try_open(struct rig *r)
{
	struct dev_undo devs[2] = { { .dev = NULL } };
	int rc;

	for (size_t i = 0; i < r->count; i++) {
		struct dev *file;

		cr_assert_eq(dev_open_file(r->to[i].path, DEV_WRITE, &r->sink,
					   &file), 0, "%s", r->said.text);
		r->to[i].watch = watch_open(file);
		devs[i].dev = &r->to[i].watch->dev;
		devs[i].role = i ? UNDO_ROLE_LOG : UNDO_ROLE_DATA;
		if (i)
			devs[i].log_len = r->to[i].len;
	}
	rc = dev_open_undo(r->undo, devs, r->count, &r->sink);
	for (size_t i = 0; i < r->count; i++)
		r->to[i].dev = devs[i].dev;
	return rc;
}

static inline void rig_close(struct rig *r)
{
	for (size_t i = r->count; i; i--)
		dev_close(r->to[i - 1].dev);
}

static inline void rig_open(struct rig *r)
{
	cr_assert_eq(rig_try_open(r), 0, "%s", r->said.text);
	memset(&r->said, 0, sizeof(r->said));	/* of a tmpfs */
}

/* Write @len bytes of @byte. */
static inline void rig_write(struct rig *r, size_t i, uint64_t off,
			     uint8_t byte, size_t len)
{
	uint8_t *bytes = malloc(len);

	cr_assert_not_null(bytes);
	memset(bytes, byte, len);
	cr_assert_eq(dev_write(r->to[i].dev, off, bytes, len), 0, "%s",
		     r->said.text);
	free(bytes);
}

static inline uint8_t *rig_load(const char *path, size_t *len)
{
	struct stat st;
	uint8_t *bytes;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(fstat(fd, &st), 0);
	*len = (size_t)st.st_size;
	bytes = malloc(*len + 1);
	cr_assert_not_null(bytes);
	cr_assert_eq(pread(fd, bytes, *len, 0), (ssize_t)*len);
	close(fd);
	return bytes;
}

/* Is device @i as it was before? */
static inline bool rig_is_before(const struct rig *r, size_t i)
{
	size_t len;
	uint8_t *now = rig_load(r->to[i].path, &len);
	bool same = len == r->to[i].len && !memcmp(now, r->to[i].before, len);

	free(now);
	return same;
}

static inline int rig_apply_with(struct rig *r, unsigned int flags)
{
	struct xlog_open_options opts = {
		.logdev = r->count == 2 ? r->to[1].path : NULL,
		.report = reports_add, .report_ctx = &r->said, .flags = flags,
	};

	memset(&r->said, 0, sizeof(r->said));
	return xlog_undo_apply(r->undo, r->to[0].path, &opts);
}

static inline int rig_apply(struct rig *r)
{
	return rig_apply_with(r, 0);
}

/* Applied, and all is as before. */
static inline void rig_restores(struct rig *r)
{
	cr_assert_eq(rig_apply(r), 0, "%s", r->said.text);
	for (size_t i = 0; i < r->count; i++)
		cr_assert(rig_is_before(r, i), "device %zu", i);
}

#endif
