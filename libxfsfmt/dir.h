/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Directories: constants they share, and the shortform that lives inside an
 * inode. Directory blocks, which may be larger than filesystem blocks, are in
 * dirblock.h (names) and dirleaf.h (hashes, free space); interior nodes in
 * da.h.
 *
 * Source of the layouts: Linux fs/xfs/libxfs/xfs_da_format.h.
 */
#ifndef LIBXFSFMT_DIR_H
#define LIBXFSFMT_DIR_H

#include "libxfsfmt/walk.h"

enum {
	XFS_DIR_MAX_NAME_BYTES = 255,
	XFS_DIR_MAX_BLOCK_BYTES = 65536,
	XFS_DIR_DATA_ALIGN = 8,		/* of entries in directory blocks */
};

/* File type kept beside the inode number, where the filesystem has that. */
enum xfs_dir_ftype {
	XFS_DIR_FT_UNKNOWN,
	XFS_DIR_FT_REG_FILE,
	XFS_DIR_FT_DIR,
	XFS_DIR_FT_CHRDEV,
	XFS_DIR_FT_BLKDEV,
	XFS_DIR_FT_FIFO,
	XFS_DIR_FT_SOCK,
	XFS_DIR_FT_SYMLINK,
	XFS_DIR_FT_WHT,
	XFS_DIR_FT_MAX,
};

extern const struct xfs_name xfs_dir_ftype_names[];

/* --- pieces of entries, which lie behind names of any length --- */

#define XFS_DIR_FTYPE_ROWS(X)						\
	X##_N(u8, ftype,	0,	ENUM, xfs_dir_ftype_names)
XFS_DECLARE(xfs_dir_ftype_piece, XFS_DIR_FTYPE_ROWS, 1);

#define XFS_DIR_INO4_ROWS(X)						\
	X##_F(be32, inumber,	0,	INO)
XFS_DECLARE(xfs_dir_ino4_piece, XFS_DIR_INO4_ROWS, 4);

#define XFS_DIR_INO8_ROWS(X)						\
	X##_F(be64, inumber,	0,	INO)
XFS_DECLARE(xfs_dir_ino8_piece, XFS_DIR_INO8_ROWS, 8);

/* --- shortform --- */

/* Variant: some inode number needs 8 bytes, so all of them have 8. */
enum { XFS_DIR_SF_INO8 = 1 };

#define XFS_DIR_SF_HDR_ROWS(X)						\
	X##_F(u8, count,	0,	UINT)				\
	X##_F(u8, i8count,	1,	UINT)				\
	X##_W(be64, parent,	2,	INO, NULL, XFS_DIR_SF_INO8, 0)	\
	X##_T(be32, parent,	2,	INO, NULL, 0, XFS_DIR_SF_INO8)
XFS_DECLARE(xfs_dir_sf_hdr, XFS_DIR_SF_HDR_ROWS, 10);
XFS_DECLARE_ENCODE(xfs_dir_sf_hdr);

/* Name, file type (where there is one) and inode number follow. */
#define XFS_DIR_SF_ENTRY_ROWS(X)					\
	X##_F(u8, namelen,	0,	UINT)				\
	X##_F(be16, offset,	1,	UINT)
XFS_DECLARE(xfs_dir_sf_entry, XFS_DIR_SF_ENTRY_ROWS, 3);

/* One entry of a shortform directory, pointing into it. */
struct xfs_dir_sf_item {
	const uint8_t	*name;
	xfs_ino_t	ino;
	uint16_t	offset;		/* where it would be in a block */
	uint8_t		namelen;
	uint8_t		ftype;
	size_t		off_bytes;	/* of the entry */
	size_t		len_bytes;
};

/* Walks the entries. All members but those named here are private. */
struct xfs_dir_sf {
	xfs_ino_t	parent;
	uint8_t		count, i8count;
	const uint8_t	*raw;
	size_t		len_bytes, next_bytes;
	size_t		ino_bytes;
	bool		ftype;
	unsigned int	left;
};

/*
 * Begin with the shortform directory of @len_bytes at @raw. @ftype: the
 * filesystem keeps file types. False if not even the header is there; the
 * directory is then empty.
 */
bool xfs_dir_sf_init(struct xfs_dir_sf *sf, const void *raw,
		     size_t len_bytes, bool ftype);

/* The next entry; false at the end and where an entry does not fit. */
bool xfs_dir_sf_next(struct xfs_dir_sf *sf, struct xfs_dir_sf_item *item);

/* NULL, or why the @len_bytes at @raw are no shortform directory. */
const char *xfs_dir_sf_verify(const void *raw, size_t len_bytes,
			      const struct xfs_geom *geom);

/* Show the shortform directory at @off_bytes, @len_bytes long. */
void xfs_dir_sf_walk(const struct xfs_walk *w, size_t off_bytes,
		     size_t len_bytes, bool ftype);

#endif
