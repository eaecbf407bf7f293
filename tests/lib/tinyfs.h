/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files that open as a filesystem: a superblock, a log of zeros, and holes.
 */
#ifndef TESTS_LIB_TINYFS_H
#define TESTS_LIB_TINYFS_H

#include "tests/lib/fixture.h"
#include "tests/lib/scratch.h"

enum {
	TINYFS_SECTOR = 512,
	TINYFS_BYTES = 64 << 20,	/* 4 groups of 4096 blocks of 4 KiB */
	TINYFS_LOG_BYTES = 8 << 20,
	/* of an internal log: block 64 of group 1 */
	TINYFS_LOG_OFF = (4096 + 64) * 4096,
	TINYFS_UUID_OFF = 32,		/* in the superblock */
};

/* A version 4 superblock, which has no checksum. */
static inline void tinyfs_sb(uint8_t raw[TINYFS_SECTOR], bool internal)
{
	fixture_load("sb/v4rt.sb", raw, TINYFS_SECTOR);
	if (internal) {
		raw[54] = 0x10;		/* sb_logstart 0x1040 */
		raw[55] = 0x40;
	}
}

/* Make, or cut, the file @name to @size bytes, all but @head a hole. */
static inline const char *tinyfs_sparse(struct scratch *s, const char *name,
					const void *head, size_t len,
					off_t size)
{
	const char *path = scratch_file(s, name, head, len);

	cr_assert_eq(truncate(path, size), 0);
	return path;
}

/* The filesystem @name; its path is valid until the next scratch_path(). */
static inline const char *tinyfs_make(struct scratch *s, const char *name,
				      bool internal)
{
	uint8_t raw[TINYFS_SECTOR];

	tinyfs_sb(raw, internal);
	return tinyfs_sparse(s, name, raw, sizeof(raw), TINYFS_BYTES);
}

/* A file of zeros to be its external log. */
static inline const char *tinyfs_logdev(struct scratch *s, const char *name)
{
	return tinyfs_sparse(s, name, "", 0, TINYFS_LOG_BYTES);
}

#endif
