/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The format structures of log items, row by row. They lie in the log in the
 * byte order of the machine that wrote them, and ILF and EFI also in the word
 * size of one; decoding gives one host form for all. How they hang together
 * is in logitem.h.
 *
 * Source of the layouts: Linux fs/xfs/libxfs/xfs_log_format.h, checked against
 * logs of kernels 5.10 to 7.2 on x86-64, i386 and s390x.
 */
#ifndef LIBXFSFMT_LOGITEM_FMT_H
#define LIBXFSFMT_LOGITEM_FMT_H

#include "libxfsfmt/field.h"

/* The type codes of items, with the names users know: "buf", "efi_rt". */
extern const struct xfs_name xfs_li_names[];

/* What a transaction starts with, before its first item. */
enum {
	XFS_TRANS_HEADER_MAGIC = 0x5452414e,	/* "TRAN" */
	XFS_TRANS_CHECKPOINT = 40,
};

#define XFS_TRANS_HEADER_ROWS(X)					\
	X##_F(w32, th_magic,		0,	MAGIC)			\
	X##_F(w32, th_type,		4,	UINT)			\
	X##_F(w32, th_tid,		8,	HEX)			\
	X##_F(w32, th_num_items,	12,	UINT)
XFS_DECLARE(xfs_trans_header, XFS_TRANS_HEADER_ROWS, 16);

/* --- buffers --- */

enum {
	XFS_BLF_INODE_BUF = 0x01,	/* replay only di_next_unlinked */
	XFS_BLF_CANCEL = 0x02,		/* the buffer was freed */
	XFS_BLF_UDQUOT_BUF = 0x04,
	XFS_BLF_PDQUOT_BUF = 0x08,
	XFS_BLF_GDQUOT_BUF = 0x10,
	XFS_BLF_TYPE_SHIFT = 11,	/* the top five bits: XFS_BLFT_* */
};

enum {
	XFS_BLFT_UNKNOWN,
	XFS_BLFT_UDQUOT,
	XFS_BLFT_PDQUOT,
	XFS_BLFT_GDQUOT,
	XFS_BLFT_BTREE,
	XFS_BLFT_AGF,
	XFS_BLFT_AGFL,
	XFS_BLFT_AGI,
	XFS_BLFT_DINO,
	XFS_BLFT_SYMLINK,
	XFS_BLFT_DIR_BLOCK,
	XFS_BLFT_DIR_DATA,
	XFS_BLFT_DIR_FREE,
	XFS_BLFT_DIR_LEAF1,
	XFS_BLFT_DIR_LEAFN,
	XFS_BLFT_DA_NODE,
	XFS_BLFT_ATTR_LEAF,
	XFS_BLFT_ATTR_RMT,
	XFS_BLFT_SB,
	XFS_BLFT_RTBITMAP,
	XFS_BLFT_RTSUMMARY,
};

extern const struct xfs_name xfs_blf_flag_names[];
extern const struct xfs_name xfs_blft_names[];

/* blf_map_size words of bitmap follow. */
#define XFS_BUF_LOG_FORMAT_ROWS(X)					\
	X##_N(w16, blf_type,		0,	ENUM, xfs_li_names)	\
	X##_F(w16, blf_size,		2,	UINT)			\
	X##_F(w16, blf_flags,		4,	HEX)			\
	X##_F(w16, blf_len,		6,	UINT)			\
	X##_F(w64, blf_blkno,		8,	DADDR)			\
	X##_F(w32, blf_map_size,	16,	UINT)
XFS_DECLARE(xfs_buf_log_format, XFS_BUF_LOG_FORMAT_ROWS, 20);
XFS_DECLARE_ENCODE(xfs_buf_log_format);

static inline unsigned int xfs_blf_content(uint16_t blf_flags)
{
	return (unsigned int)blf_flags >> XFS_BLF_TYPE_SHIFT;
}

/* --- inodes --- */

enum {
	XFS_ILOG_CORE = 0x001,
	XFS_ILOG_DDATA = 0x002,
	XFS_ILOG_DEXT = 0x004,
	XFS_ILOG_DBROOT = 0x008,
	XFS_ILOG_DEV = 0x010,
	XFS_ILOG_UUID = 0x020,
	XFS_ILOG_ADATA = 0x040,
	XFS_ILOG_AEXT = 0x080,
	XFS_ILOG_ABROOT = 0x100,
	XFS_ILOG_DOWNER = 0x200,
	XFS_ILOG_AOWNER = 0x400,
	XFS_ILOG_TIMESTAMP = 0x4000,	/* in memory only, like the next */
	XFS_ILOG_IVERSION = 0x8000,
	XFS_ILOG_DFORK = XFS_ILOG_DDATA | XFS_ILOG_DEXT | XFS_ILOG_DBROOT,
	XFS_ILOG_AFORK = XFS_ILOG_ADATA | XFS_ILOG_AEXT | XFS_ILOG_ABROOT,
};

extern const struct xfs_name xfs_ilog_names[];

/* Variant of an inode log format: ilf_fields has XFS_ILOG_DEV. */
enum { XFS_ILF_HAS_DEV = 1 };

#define XFS_ILF_HEAD_ROWS(X)						\
	X##_N(w16, ilf_type,		0,	ENUM, xfs_li_names)	\
	X##_F(w16, ilf_size,		2,	UINT)			\
	X##_N(w32, ilf_fields,		4,	FLAGS, xfs_ilog_names)	\
	X##_F(w16, ilf_asize,		8,	UINT)			\
	X##_F(w16, ilf_dsize,		10,	UINT)
#define XFS_ILF_TAIL_ROWS(X, at)					\
	X##_F(w64, ilf_ino,		(at),	INO)			\
	X##_W(w32, ilf_rdev,		(at) + 8, HEX, NULL,		\
	      XFS_ILF_HAS_DEV, 0)					\
	X##_F(w64, ilf_blkno,		(at) + 24, DADDR)		\
	X##_F(w32, ilf_len,		(at) + 32, UINT)		\
	X##_F(w32, ilf_boffset,		(at) + 36, UINT)

/* What every kernel writes, 32-bit ones included. */
#define XFS_INODE_LOG_FORMAT_ROWS(X)					\
	XFS_ILF_HEAD_ROWS(X)						\
	X##_F(w32, ilf_pad,		12,	PAD)			\
	XFS_ILF_TAIL_ROWS(X, 16)
XFS_DECLARE(xfs_inode_log_format, XFS_INODE_LOG_FORMAT_ROWS, 56);
XFS_DECLARE_ENCODE(xfs_inode_log_format);

/* Packed by old 32-bit writers: no pad, the rest four bytes earlier. */
#define XFS_INODE_LOG_FORMAT_32_ROWS(X)					\
	XFS_ILF_HEAD_ROWS(X)						\
	XFS_ILF_TAIL_ROWS(X, 12)
XFS_DECLARE(xfs_inode_log_format_32, XFS_INODE_LOG_FORMAT_32_ROWS, 52);

/* --- quota, inode chunks --- */

#define XFS_DQ_LOGFORMAT_ROWS(X)					\
	X##_N(w16, qlf_type,		0,	ENUM, xfs_li_names)	\
	X##_F(w16, qlf_size,		2,	UINT)			\
	X##_F(w32, qlf_id,		4,	UINT)			\
	X##_F(w64, qlf_blkno,		8,	DADDR)			\
	X##_F(w32, qlf_len,		16,	UINT)			\
	X##_F(w32, qlf_boffset,		20,	UINT)
XFS_DECLARE(xfs_dq_logformat, XFS_DQ_LOGFORMAT_ROWS, 24);

enum {
	XFS_QOFF_USER = 0x1,
	XFS_QOFF_PROJECT = 0x8,
	XFS_QOFF_GROUP = 0x40,
};

extern const struct xfs_name xfs_qoff_flag_names[];

/* Only this much counts; writers log up to 160 bytes. */
#define XFS_QOFF_LOGFORMAT_ROWS(X)					\
	X##_N(w16, qf_type,		0,	ENUM, xfs_li_names)	\
	X##_F(w16, qf_size,		2,	UINT)			\
	X##_N(w32, qf_flags,		4,	FLAGS, xfs_qoff_flag_names)
XFS_DECLARE(xfs_qoff_logformat, XFS_QOFF_LOGFORMAT_ROWS, 8);

/* The one item whose body is big-endian whoever wrote it. */
#define XFS_ICREATE_LOG_ROWS(X)						\
	X##_N(w16, icl_type,		0,	ENUM, xfs_li_names)	\
	X##_F(w16, icl_size,		2,	UINT)			\
	X##_F(be32, icl_ag,		4,	UINT)			\
	X##_F(be32, icl_agbno,		8,	AGBLOCK)		\
	X##_F(be32, icl_count,		12,	UINT)			\
	X##_F(be32, icl_isize,		16,	UINT)			\
	X##_F(be32, icl_length,		20,	UINT)			\
	X##_F(be32, icl_gen,		24,	HEX)
XFS_DECLARE(xfs_icreate_log, XFS_ICREATE_LOG_ROWS, 28);
XFS_DECLARE_ENCODE(xfs_icreate_log);

/* --- intents of extents, and their dones --- */

#define XFS_EFI_LOG_FORMAT_ROWS(X)					\
	X##_N(w16, efi_type,		0,	ENUM, xfs_li_names)	\
	X##_F(w16, efi_size,		2,	UINT)			\
	X##_F(w32, efi_nextents,	4,	UINT)			\
	X##_F(w64, efi_id,		8,	HEX)
XFS_DECLARE(xfs_efi_log_format, XFS_EFI_LOG_FORMAT_ROWS, 16);
XFS_DECLARE_ENCODE(xfs_efi_log_format);

#define XFS_EFD_LOG_FORMAT_ROWS(X)					\
	X##_N(w16, efd_type,		0,	ENUM, xfs_li_names)	\
	X##_F(w16, efd_size,		2,	UINT)			\
	X##_F(w32, efd_nextents,	4,	UINT)			\
	X##_F(w64, efd_efi_id,		8,	HEX)
XFS_DECLARE(xfs_efd_log_format, XFS_EFD_LOG_FORMAT_ROWS, 16);

/*
 * Variants of the extents below: on the realtime device; the owner is no
 * inode but one of xfs_rmap_owner_names.
 */
enum {
	XFS_EXTENT_RT = 1,
	XFS_EXTENT_SPECIAL_OWNER = 2,
};

extern const struct xfs_name xfs_rmap_owner_names[];

/* Of an EFI: 16 bytes, or 12 where the writer aligns u64 to four. */
enum { XFS_EXTENT_BYTES_64 = 16, XFS_EXTENT_BYTES_32 = 12 };

#define XFS_EXTENT_ROWS(X)						\
	X##_W(w64, ext_start,		0,	FSBLOCK, NULL,		\
	      0, XFS_EXTENT_RT)						\
	X##_T(w64, ext_start,		0,	UINT, NULL,		\
	      XFS_EXTENT_RT, 0)						\
	X##_F(w32, ext_len,		8,	UINT)
XFS_DECLARE(xfs_extent, XFS_EXTENT_ROWS, XFS_EXTENT_BYTES_64);
XFS_DECLARE_ENCODE(xfs_extent);

#define XFS_RUI_LOG_FORMAT_ROWS(X)					\
	X##_N(w16, rui_type,		0,	ENUM, xfs_li_names)	\
	X##_F(w16, rui_size,		2,	UINT)			\
	X##_F(w32, rui_nextents,	4,	UINT)			\
	X##_F(w64, rui_id,		8,	HEX)
XFS_DECLARE(xfs_rui_log_format, XFS_RUI_LOG_FORMAT_ROWS, 16);
XFS_DECLARE_ENCODE(xfs_rui_log_format);

#define XFS_RUD_LOG_FORMAT_ROWS(X)					\
	X##_N(w16, rud_type,		0,	ENUM, xfs_li_names)	\
	X##_F(w16, rud_size,		2,	UINT)			\
	X##_F(w32, rud_pad,		4,	PAD)			\
	X##_F(w64, rud_rui_id,		8,	HEX)
XFS_DECLARE(xfs_rud_log_format, XFS_RUD_LOG_FORMAT_ROWS, 16);

/* Shared by RUI and BUI, which read me_flags differently: see below. */
#define XFS_MAP_EXTENT_ROWS(X)						\
	X##_W(w64, me_owner,		0,	INO, NULL,		\
	      0, XFS_EXTENT_SPECIAL_OWNER)				\
	X##_T(w64, me_owner,		0,	ENUM, xfs_rmap_owner_names, \
	      XFS_EXTENT_SPECIAL_OWNER, 0)				\
	X##_W(w64, me_startblock,	8,	FSBLOCK, NULL,		\
	      0, XFS_EXTENT_RT)						\
	X##_T(w64, me_startblock,	8,	UINT, NULL,		\
	      XFS_EXTENT_RT, 0)						\
	X##_F(w64, me_startoff,		16,	UINT)			\
	X##_F(w32, me_len,		24,	UINT)			\
	X##_F(w32, me_flags,		28,	HEX)
XFS_DECLARE(xfs_map_extent, XFS_MAP_EXTENT_ROWS, 32);
XFS_DECLARE_ENCODE(xfs_map_extent);

/* Owners of space that are no inodes, counted down from 2^64. */
#define XFS_RMAP_OWN_NULL	((uint64_t)-1)
#define XFS_RMAP_OWN_UNKNOWN	((uint64_t)-2)
#define XFS_RMAP_OWN_FS		((uint64_t)-3)
#define XFS_RMAP_OWN_LOG	((uint64_t)-4)
#define XFS_RMAP_OWN_AG		((uint64_t)-5)
#define XFS_RMAP_OWN_INOBT	((uint64_t)-6)
#define XFS_RMAP_OWN_INODES	((uint64_t)-7)
#define XFS_RMAP_OWN_REFC	((uint64_t)-8)
#define XFS_RMAP_OWN_COW	((uint64_t)-9)	/* the lowest of them */

/* The low byte of me_flags and pe_flags is the operation. */
enum { XFS_EXTENT_OP_MASK = 0xff };

enum {
	XFS_RMAP_EXTENT_MAP = 1,
	XFS_RMAP_EXTENT_MAP_SHARED,
	XFS_RMAP_EXTENT_UNMAP,
	XFS_RMAP_EXTENT_UNMAP_SHARED,
	XFS_RMAP_EXTENT_CONVERT,
	XFS_RMAP_EXTENT_CONVERT_SHARED,
	XFS_RMAP_EXTENT_ALLOC,
	XFS_RMAP_EXTENT_FREE,
};

#define XFS_RMAP_EXTENT_ATTR_FORK	(1u << 31)
#define XFS_RMAP_EXTENT_BMBT_BLOCK	(1u << 30)
#define XFS_RMAP_EXTENT_UNWRITTEN	(1u << 29)

enum {
	XFS_BMAP_EXTENT_MAP = 1,
	XFS_BMAP_EXTENT_UNMAP,
};

#define XFS_BMAP_EXTENT_ATTR_FORK	(1u << 31)
#define XFS_BMAP_EXTENT_UNWRITTEN	(1u << 30)
#define XFS_BMAP_EXTENT_REALTIME	(1u << 29)

#define XFS_CUI_LOG_FORMAT_ROWS(X)					\
	X##_N(w16, cui_type,		0,	ENUM, xfs_li_names)	\
	X##_F(w16, cui_size,		2,	UINT)			\
	X##_F(w32, cui_nextents,	4,	UINT)			\
	X##_F(w64, cui_id,		8,	HEX)
XFS_DECLARE(xfs_cui_log_format, XFS_CUI_LOG_FORMAT_ROWS, 16);
XFS_DECLARE_ENCODE(xfs_cui_log_format);

#define XFS_CUD_LOG_FORMAT_ROWS(X)					\
	X##_N(w16, cud_type,		0,	ENUM, xfs_li_names)	\
	X##_F(w16, cud_size,		2,	UINT)			\
	X##_F(w32, cud_pad,		4,	PAD)			\
	X##_F(w64, cud_cui_id,		8,	HEX)
XFS_DECLARE(xfs_cud_log_format, XFS_CUD_LOG_FORMAT_ROWS, 16);

#define XFS_PHYS_EXTENT_ROWS(X)						\
	X##_W(w64, pe_startblock,	0,	FSBLOCK, NULL,		\
	      0, XFS_EXTENT_RT)						\
	X##_T(w64, pe_startblock,	0,	UINT, NULL,		\
	      XFS_EXTENT_RT, 0)						\
	X##_F(w32, pe_len,		8,	UINT)			\
	X##_F(w32, pe_flags,		12,	HEX)
XFS_DECLARE(xfs_phys_extent, XFS_PHYS_EXTENT_ROWS, 16);
XFS_DECLARE_ENCODE(xfs_phys_extent);

enum {
	XFS_REFCOUNT_INCREASE = 1,
	XFS_REFCOUNT_DECREASE,
	XFS_REFCOUNT_ALLOC_COW,
	XFS_REFCOUNT_FREE_COW,
};

#define XFS_BUI_LOG_FORMAT_ROWS(X)					\
	X##_N(w16, bui_type,		0,	ENUM, xfs_li_names)	\
	X##_F(w16, bui_size,		2,	UINT)			\
	X##_F(w32, bui_nextents,	4,	UINT)			\
	X##_F(w64, bui_id,		8,	HEX)
XFS_DECLARE(xfs_bui_log_format, XFS_BUI_LOG_FORMAT_ROWS, 16);
XFS_DECLARE_ENCODE(xfs_bui_log_format);

#define XFS_BUD_LOG_FORMAT_ROWS(X)					\
	X##_N(w16, bud_type,		0,	ENUM, xfs_li_names)	\
	X##_F(w16, bud_size,		2,	UINT)			\
	X##_F(w32, bud_pad,		4,	PAD)			\
	X##_F(w64, bud_bui_id,		8,	HEX)
XFS_DECLARE(xfs_bud_log_format, XFS_BUD_LOG_FORMAT_ROWS, 16);

extern const struct xfs_name xfs_rmap_op_names[];
extern const struct xfs_name xfs_bmap_op_names[];
extern const struct xfs_name xfs_refcount_op_names[];

/* --- intents of extended attributes and of exchanged mappings --- */

enum {
	XFS_ATTRI_SET = 1,
	XFS_ATTRI_REMOVE,
	XFS_ATTRI_REPLACE,
	XFS_ATTRI_PPTR_SET,		/* parent pointers */
	XFS_ATTRI_PPTR_REMOVE,
	XFS_ATTRI_PPTR_REPLACE,
	XFS_ATTRI_FILTER_ROOT = 0x02,
	XFS_ATTRI_FILTER_SECURE = 0x04,
	XFS_ATTRI_FILTER_PARENT = 0x08,
	XFS_ATTRI_FILTER_INCOMPLETE = 0x80,
	XFS_ATTRI_NAME_MAX = 255,
	XFS_ATTRI_VALUE_MAX = 65536,
};

extern const struct xfs_name xfs_attri_op_names[];
extern const struct xfs_name xfs_attri_filter_names[];

/* Variant: XFS_ATTRI_PPTR_REPLACE, which has two names. */
enum { XFS_ATTRI_TWO_NAMES = 1 };

#define XFS_ATTRI_LOG_FORMAT_ROWS(X)					\
	X##_N(w16, alfi_type,		0,	ENUM, xfs_li_names)	\
	X##_F(w16, alfi_size,		2,	UINT)			\
	X##_F(w32, alfi_igen,		4,	HEX)			\
	X##_F(w64, alfi_id,		8,	HEX)			\
	X##_F(w64, alfi_ino,		16,	INO)			\
	X##_N(w32, alfi_op_flags,	24,	ENUM, xfs_attri_op_names) \
	X##_W(w32, alfi_name_len,	28,	UINT, NULL,		\
	      0, XFS_ATTRI_TWO_NAMES)					\
	X##_W(w16, alfi_old_name_len,	28,	UINT, NULL,		\
	      XFS_ATTRI_TWO_NAMES, 0)					\
	X##_W(w16, alfi_new_name_len,	30,	UINT, NULL,		\
	      XFS_ATTRI_TWO_NAMES, 0)					\
	X##_F(w32, alfi_value_len,	32,	UINT)			\
	X##_N(w32, alfi_attr_filter,	36,	FLAGS, xfs_attri_filter_names)
XFS_DECLARE(xfs_attri_log_format, XFS_ATTRI_LOG_FORMAT_ROWS, 40);
XFS_DECLARE_ENCODE(xfs_attri_log_format);

#define XFS_ATTRD_LOG_FORMAT_ROWS(X)					\
	X##_N(w16, alfd_type,		0,	ENUM, xfs_li_names)	\
	X##_F(w16, alfd_size,		2,	UINT)			\
	X##_F(w32, alfd_pad,		4,	PAD)			\
	X##_F(w64, alfd_alf_id,		8,	HEX)
XFS_DECLARE(xfs_attrd_log_format, XFS_ATTRD_LOG_FORMAT_ROWS, 16);

enum {
	XFS_EXCHMAPS_ATTR_FORK = 0x01,
	XFS_EXCHMAPS_SET_SIZES = 0x02,
	XFS_EXCHMAPS_INO1_WRITTEN = 0x04,
	XFS_EXCHMAPS_CLEAR_INO1_REFLINK = 0x08,
	XFS_EXCHMAPS_CLEAR_INO2_REFLINK = 0x10,
};

extern const struct xfs_name xfs_exchmaps_flag_names[];

#define XFS_XMI_LOG_FORMAT_ROWS(X)					\
	X##_N(w16, xmi_type,		0,	ENUM, xfs_li_names)	\
	X##_F(w16, xmi_size,		2,	UINT)			\
	X##_F(w32, xmi_pad,		4,	PAD)			\
	X##_F(w64, xmi_id,		8,	HEX)			\
	X##_F(w64, xmi_inode1,		16,	INO)			\
	X##_F(w64, xmi_inode2,		24,	INO)			\
	X##_F(w32, xmi_igen1,		32,	HEX)			\
	X##_F(w32, xmi_igen2,		36,	HEX)			\
	X##_F(w64, xmi_startoff1,	40,	UINT)			\
	X##_F(w64, xmi_startoff2,	48,	UINT)			\
	X##_F(w64, xmi_blockcount,	56,	UINT)			\
	X##_N(w64, xmi_flags,		64,	FLAGS, xfs_exchmaps_flag_names) \
	X##_F(w64, xmi_isize1,		72,	UINT)			\
	X##_F(w64, xmi_isize2,		80,	UINT)
XFS_DECLARE(xfs_xmi_log_format, XFS_XMI_LOG_FORMAT_ROWS, 88);
XFS_DECLARE_ENCODE(xfs_xmi_log_format);

#define XFS_XMD_LOG_FORMAT_ROWS(X)					\
	X##_N(w16, xmd_type,		0,	ENUM, xfs_li_names)	\
	X##_F(w16, xmd_size,		2,	UINT)			\
	X##_F(w32, xmd_pad,		4,	PAD)			\
	X##_F(w64, xmd_xmi_id,		8,	HEX)
XFS_DECLARE(xfs_xmd_log_format, XFS_XMD_LOG_FORMAT_ROWS, 16);

#endif
