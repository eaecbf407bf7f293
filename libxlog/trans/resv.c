/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of reservations, and the smallest log that follows from it; see
 * resv.h.
 *
 * A transaction is taken apart into the buffers and inodes that it can change
 * at worst: every btree on its way splits up to a new root. Where it rolls, the
 * largest of its steps counts. Many terms are larger than need be, and some are
 * mistakes that were kept: a log that was large enough must stay so. Do not
 * mend them.
 */
#include <string.h>

#include "libxfsfmt/btree.h"
#include "libxfsfmt/logitem_fmt.h"
#include "libxfsfmt/logrec.h"
#include "libxfsfmt/logspace.h"
#include "libxfsfmt/rt.h"
#include "libxfsfmt/symlink.h"
#include "libxlog/trans/resv.h"

enum {
	/* the log item of a buffer, its largest bitmap and their operations */
	BUF_OVERHEAD_BYTES = 128,
	/* operations of the item, the core and both forks */
	INODE_OVERHEAD_BYTES = 4 * xlog_op_header_size,
	DQUOT_BYTES = 104,	/* what of a dquot is logged */
	/* user, group, project; before and after a change of owner */
	DQUOTS = 6,
	DQUOTS_BYTES = DQUOTS * (DQUOT_BYTES + xfs_dq_logformat_size),

	INODES_PER_CHUNK = 64,
	CLUSTER_BYTES = 8192,	/* of inodes of the smallest size */
	DA_LEVELS = 5,		/* of the btree of a directory or attributes */
	/* two more: the data and the index of free room */
	DIR_BLOCKS = DA_LEVELS + 2,
	MAX_EXTENT_BLOCKS = (1 << 21) - 1,
	MAX_NAME_BYTES = 256,

	/* as reckoned before parent pointers */
	OLD_RMAP_LEVELS = 9,
	OLD_REFLINK_LOGCOUNT = 8,
	OLD_LOGCOUNT = 2,

	MIN_LOG_UNITS = 3,	/* the largest reservation so many times */
};

const char *const xfs_tr_names[XFS_TR_COUNT] = {
	[XFS_TR_WRITE] = "tr_write",
	[XFS_TR_ITRUNCATE] = "tr_itruncate",
	[XFS_TR_RENAME] = "tr_rename",
	[XFS_TR_LINK] = "tr_link",
	[XFS_TR_REMOVE] = "tr_remove",
	[XFS_TR_SYMLINK] = "tr_symlink",
	[XFS_TR_CREATE] = "tr_create",
	[XFS_TR_CREATE_TMPFILE] = "tr_create_tmpfile",
	[XFS_TR_MKDIR] = "tr_mkdir",
	[XFS_TR_IFREE] = "tr_ifree",
	[XFS_TR_ICHANGE] = "tr_ichange",
	[XFS_TR_GROWDATA] = "tr_growdata",
	[XFS_TR_ADDAFORK] = "tr_addafork",
	[XFS_TR_WRITEID] = "tr_writeid",
	[XFS_TR_ATTRINVAL] = "tr_attrinval",
	[XFS_TR_ATTRSETM] = "tr_attrsetm",
	[XFS_TR_ATTRSETRT] = "tr_attrsetrt",
	[XFS_TR_ATTRRM] = "tr_attrrm",
	[XFS_TR_CLEARAGI] = "tr_clearagi",
	[XFS_TR_GROWRTALLOC] = "tr_growrtalloc",
	[XFS_TR_GROWRTZERO] = "tr_growrtzero",
	[XFS_TR_GROWRTFREE] = "tr_growrtfree",
	[XFS_TR_QM_SETQLIM] = "tr_qm_setqlim",
	[XFS_TR_QM_DQALLOC] = "tr_qm_dqalloc",
	[XFS_TR_SB] = "tr_sb",
	[XFS_TR_FSYNCTS] = "tr_fsyncts",
	[XFS_TR_ATOMIC_IOEND] = "tr_atomic_ioend",
};

/* --- what transactions are made of; all in bytes of log, but for counts --- */

struct calc {
	const struct xfs_sb *sb;
	struct xfs_geom	g;
	struct xfs_levels lv;
	uint32_t	block, sect;
	struct xfs_trans_resv *resv;
};

static void calc_init(struct calc *c, const struct xfs_sb *sb,
		      struct xfs_trans_resv *resv)
{
	*c = (struct calc){ .sb = sb, .resv = resv };
	xfs_geom_init(&c->g, sb);
	c->block = c->g.blocksize;
	c->sect = c->g.sectsize;
	memset(resv, 0, sizeof(*resv));
}

static uint32_t ceil_div(uint32_t a, uint32_t b)
{
	return a / b + (a % b != 0);
}

static uint32_t max_of(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t bufs(uint32_t n, uint32_t len_bytes)
{
	return n * (len_bytes + BUF_OVERHEAD_BYTES);
}

/* Headers of sectors: superblock, AGF, AGI, AGFL. */
static uint32_t sectors(const struct calc *c, uint32_t n)
{
	return bufs(n, c->sect);
}

static uint32_t blocks(const struct calc *c, uint32_t n)
{
	return bufs(n, c->block);
}

/* In memory a root is larger than in the inode by the header of a block. */
static uint32_t inodes(const struct calc *c, uint32_t n)
{
	return n * (uint32_t)(INODE_OVERHEAD_BYTES +
			      xfs_inode_log_format_size + c->g.inodesize +
			      2 * xfs_btree_hdr_bytes(XFS_BTREE_BMAP, c->g.v5));
}

/* Blocks of the btrees of free space and owners when @n extents change. */
static uint32_t alloc_count(const struct calc *c, uint32_t n)
{
	uint32_t count = 2 * n * (2u * c->lv.alloc - 1);

	return c->g.rmapbt ? count + n * (2u * c->lv.rmap - 1) : count;
}

static uint32_t allocs(const struct calc *c, uint32_t n)
{
	return blocks(c, alloc_count(c, n));
}

/* Splits of the btree of reference counts when @n extents change. */
static uint32_t refc_splits(const struct calc *c, uint32_t n)
{
	return c->g.reflink ? blocks(c, n * (2u * c->lv.refc - 1)) : 0;
}

static uint32_t refcounts(const struct calc *c, uint32_t n)
{
	return c->g.reflink ? sectors(c, n) + refc_splits(c, n) : 0;
}

/* Bitmap of free realtime space, and its summary, when @n extents change. */
static uint32_t rt_bitmaps(const struct calc *c, uint32_t n)
{
	uint32_t bytes = MAX_EXTENT_BLOCKS / c->sb->sb_rextsize / 8;
	uint32_t room_bytes = c->block;

	if (c->g.metadir)
		room_bytes -= xfs_rtbuf_size;
	return blocks(c, (ceil_div(bytes, room_bytes) + 1) * n);
}

static bool has_rt(const struct calc *c)
{
	return c->g.rblocks != 0;
}

static uint32_t cluster_bytes(const struct calc *c)
{
	uint32_t bytes = CLUSTER_BYTES;

	if (c->g.v5)
		bytes = bytes / 256 * c->g.inodesize;
	return max_of(bytes, c->block);
}

static uint32_t chunk_blocks(const struct calc *c)
{
	return max_of(INODES_PER_CHUNK >> c->g.inopblog, 1);
}

static uint32_t inobt(const struct calc *c)
{
	return blocks(c, c->lv.ino) + allocs(c, 1);
}

static uint32_t finobt(const struct calc *c)
{
	return c->g.finobt ? inobt(c) : 0;
}

/* One inode more or fewer on the list of unlinked ones, which is a chain. */
static uint32_t unlinked_insert(const struct calc *c)
{
	return sectors(c, 1) + cluster_bytes(c);
}

static uint32_t unlinked_remove(const struct calc *c)
{
	return sectors(c, 1) + 2 * cluster_bytes(c);
}

/* New inodes are logged as one small item, but for version 4. */
static uint32_t chunk_alloc(const struct calc *c)
{
	uint32_t bytes = allocs(c, 1);

	return c->g.v5 ? bytes : bytes + blocks(c, chunk_blocks(c));
}

/* Their buffers are only cancelled. */
static uint32_t chunk_free(const struct calc *c)
{
	return allocs(c, 1) + bufs(chunk_blocks(c), 0);
}

/* --- names: directories, attributes --- */

/*
 * Blocks of the extent btree of a fork that change when @n blocks are added
 * one by one: a leaf for so many as it can take before it splits.
 */
static uint32_t extent_count(const struct calc *c, uint32_t n, uint32_t levels)
{
	size_t room = xfs_btree_room(XFS_BTREE_BNO, c->g.v5, true, c->block);

	return ceil_div(n, (uint32_t)(room - room / 2)) * (levels - 1);
}

static uint32_t dir_extents(const struct calc *c)
{
	return extent_count(c, c->g.dirblock_bytes / c->block,
			    c->lv.bmap_data);
}

/* A name more or fewer in a directory. */
static uint32_t dir_count(const struct calc *c)
{
	return DIR_BLOCKS * (c->g.dirblock_bytes / c->block + dir_extents(c)) +
	       1;
}

static uint32_t names(const struct calc *c, uint32_t n)
{
	return blocks(c, n * dir_count(c));
}

/* Intent of a parent pointer, with so many names of the largest size. */
static uint32_t parent_intent(uint32_t name_count)
{
	return xfs_attri_log_format_size +
	       name_count * (xlog_op_header_size + MAX_NAME_BYTES);
}

/* --- the table --- */

static uint32_t logres_of(const struct calc *c, enum xfs_tr tr)
{
	return c->resv->tr[tr].logres_bytes;
}

static void set(struct calc *c, enum xfs_tr tr, uint32_t logres_bytes,
		uint8_t logcount)
{
	c->resv->tr[tr] = (struct xfs_trans_res){
		.logres_bytes = logres_bytes, .logcount = logcount,
	};
}

static void set_permanent(struct calc *c, enum xfs_tr tr,
			  uint32_t logres_bytes, unsigned int logcount)
{
	set(c, tr, logres_bytes, (uint8_t)logcount);
	c->resv->tr[tr].permanent = true;
}

/*
 * Before changes of reference counts became steps of their own, @old, they were
 * part of the step that caused them.
 */
static uint32_t write_bytes(const struct calc *c, bool old)
{
	/* map the extent; free what the map no longer needs */
	uint32_t map = inodes(c, 1) + blocks(c, c->lv.bmap_data) +
		       sectors(c, 3) + allocs(c, 2);
	uint32_t rt_map = inodes(c, 1) + blocks(c, c->lv.bmap_data) +
			  sectors(c, 3) + rt_bitmaps(c, 1) + allocs(c, 1);
	uint32_t unmap = sectors(c, 5) + allocs(c, 2);
	uint32_t bytes;

	if (old) {
		map += refc_splits(c, 2);
		unmap += refc_splits(c, 2);
	}
	bytes = max_of(map, unmap);
	if (has_rt(c))
		bytes = max_of(bytes, rt_map);
	if (!old)
		bytes = max_of(bytes, refcounts(c, 1));
	return DQUOTS_BYTES + bytes;
}

static uint32_t itruncate_bytes(const struct calc *c, bool old)
{
	/* take extents from the map; free four of them */
	uint32_t unmap = inodes(c, 1) + blocks(c, c->lv.bmap_data + 1u);
	uint32_t free = sectors(c, 9) + allocs(c, 4);
	uint32_t rt_free = sectors(c, 5) + rt_bitmaps(c, 2) + allocs(c, 2);
	uint32_t bytes;

	if (old)
		free += refc_splits(c, 4);
	bytes = max_of(unmap, free);
	if (has_rt(c))
		bytes = max_of(bytes, rt_free);
	if (!old)
		bytes = max_of(bytes, refcounts(c, 2));
	return DQUOTS_BYTES + bytes;
}

static void set_space(struct calc *c, bool old, unsigned int logcount)
{
	uint32_t write = write_bytes(c, old);

	set_permanent(c, XFS_TR_WRITE, write, logcount);
	set_permanent(c, XFS_TR_ITRUNCATE, itruncate_bytes(c, old), logcount);
	/* a block less one byte: it was counted so once */
	set_permanent(c, XFS_TR_QM_DQALLOC, write + bufs(1, c->block - 1),
		      logcount);
}

static void set_attributes(struct calc *c)
{
	/* invalidate the blocks of the btree and its map; free four extents */
	uint32_t unmap = inodes(c, 1) + blocks(c, DA_LEVELS) +
			 c->lv.bmap_attr * c->block +
			 bufs(c->lv.bmap_data, 0);

	set_permanent(c, XFS_TR_ATTRINVAL,
		      max_of(inodes(c, 1) + blocks(c, c->lv.bmap_attr),
			     sectors(c, 9) + allocs(c, 4)), 1);
	set_permanent(c, XFS_TR_ATTRSETM, DQUOTS_BYTES + inodes(c, 1) +
		      sectors(c, 1) + blocks(c, DA_LEVELS), 3);
	set(c, XFS_TR_ATTRSETRT, sectors(c, 1) + blocks(c, c->lv.bmap_attr),
	    0);
	set_permanent(c, XFS_TR_ATTRRM, DQUOTS_BYTES +
		      max_of(unmap, sectors(c, 5) + allocs(c, 2)), 3);
	set_permanent(c, XFS_TR_ADDAFORK, DQUOTS_BYTES + inodes(c, 1) +
		      sectors(c, 2) + bufs(1, c->g.dirblock_bytes) +
		      blocks(c, dir_extents(c) + 1) + allocs(c, 1), 2);
}

/*
 * A transaction on names, of which @step_bytes is the largest step. With parent
 * pointers there are intents for @parent_bytes more, and the steps of a change
 * of attributes, @attr, one of which may be the largest.
 */
static void set_name(struct calc *c, enum xfs_tr tr, uint32_t fixed_bytes,
		     uint32_t step_bytes, unsigned int logcount,
		     uint32_t parent_bytes, enum xfs_tr attr)
{
	if (c->g.parent) {
		fixed_bytes += parent_bytes;
		step_bytes = max_of(step_bytes, logres_of(c, attr));
		logcount += c->resv->tr[attr].logcount;
	}
	set_permanent(c, tr, DQUOTS_BYTES + fixed_bytes + step_bytes,
		      logcount);
}

static void set_names(struct calc *c)
{
	uint32_t rename = max_of(inodes(c, 5) + names(c, 2),
				 sectors(c, 7) + allocs(c, 3));
	uint32_t link = max_of(inodes(c, 2) + names(c, 1),
			       sectors(c, 3) + allocs(c, 1));
	/* the fifth sector came after Linux 6.13 */
	uint32_t remove = max_of(inodes(c, 2) + names(c, 1),
				 sectors(c, 5) + allocs(c, 2));
	/* both counts of steps are the same, only the size can differ */
	enum xfs_tr attr = logres_of(c, XFS_TR_ATTRSETM) >
			   logres_of(c, XFS_TR_ATTRRM) ?
			   XFS_TR_ATTRSETM : XFS_TR_ATTRRM;

	/* one name of three is replaced, one is new, one goes */
	set_name(c, XFS_TR_RENAME, 0, rename, 2,
		 parent_intent(2) + 2 * parent_intent(1), attr);
	set_name(c, XFS_TR_LINK, unlinked_remove(c), link, 2,
		 parent_intent(1), XFS_TR_ATTRSETM);
	set_name(c, XFS_TR_REMOVE, unlinked_insert(c), remove, 2,
		 parent_intent(1), XFS_TR_ATTRRM);
}

static void set_inodes(struct calc *c)
{
	uint32_t alloc = sectors(c, 2) + c->sect + chunk_alloc(c) + inobt(c) +
			 finobt(c);
	/* an inode out of a chunk that is there, and its name */
	uint32_t modify = inodes(c, 2) + sectors(c, 1) + c->block +
			  names(c, 1) + finobt(c);
	uint32_t create = max_of(alloc, modify);

	set_name(c, XFS_TR_CREATE, 0, create, 2, parent_intent(1),
		 XFS_TR_ATTRSETM);
	set_name(c, XFS_TR_MKDIR, 0, create, 3, parent_intent(1),
		 XFS_TR_ATTRSETM);
	set_permanent(c, XFS_TR_SYMLINK, logres_of(c, XFS_TR_MKDIR) +
		      bufs(1, XFS_SYMLINK_MAX_BYTES),
		      c->resv->tr[XFS_TR_MKDIR].logcount);
	set_permanent(c, XFS_TR_CREATE_TMPFILE, DQUOTS_BYTES + alloc +
		      unlinked_insert(c), 2);
	set_permanent(c, XFS_TR_IFREE, DQUOTS_BYTES + inodes(c, 1) +
		      sectors(c, 3) + unlinked_remove(c) + chunk_free(c) +
		      inobt(c) + finobt(c), 2);
	set(c, XFS_TR_ICHANGE, DQUOTS_BYTES + inodes(c, 1) + sectors(c, 1), 0);
	set(c, XFS_TR_FSYNCTS, inodes(c, 1), 0);
	set(c, XFS_TR_WRITEID, inodes(c, 1), 0);
}

static void set_rest(struct calc *c)
{
	set(c, XFS_TR_SB, sectors(c, 1), 1);
	set(c, XFS_TR_CLEARAGI, sectors(c, 1), 0);
	set(c, XFS_TR_QM_SETQLIM, bufs(1, DQUOT_BYTES), 1);
	set_permanent(c, XFS_TR_GROWRTALLOC, sectors(c, 2) +
		      blocks(c, c->lv.bmap_data) + inodes(c, 1) +
		      allocs(c, 1), 2);
	set(c, XFS_TR_GROWRTZERO, blocks(c, 1), 0);
	/* the summary, whose size is not known yet when this is reckoned */
	set(c, XFS_TR_GROWRTFREE, sectors(c, 1) + inodes(c, 2) +
	    blocks(c, 1) + bufs(1, 0), 0);
}

static void table(struct calc *c)
{
	/* a step for each other btree that the change of space is told to */
	set_space(c, false, 2u + (c->g.reflink || c->g.rmapbt) +
			    c->g.reflink + c->g.rmapbt);
	c->resv->tr[XFS_TR_ATOMIC_IOEND] = c->resv->tr[XFS_TR_ITRUNCATE];
	set_permanent(c, XFS_TR_GROWDATA, sectors(c, 3) + allocs(c, 1), 2);
	set_attributes(c);	/* those on names may contain these */
	set_names(c);
	set_inodes(c);
	set_rest(c);
}

void xfs_trans_resv_init(struct xfs_trans_resv *resv, const struct xfs_sb *sb,
			 const struct xfs_levels *lv)
{
	struct calc c;

	calc_init(&c, sb, resv);
	c.lv = *lv;
	table(&c);
}

/* --- the smallest log --- */

/*
 * Old programs made logs, and old kernels ask for them, by an old reckoning:
 * only filesystems with parent pointers, which are younger, can do without.
 */
static void min_log_table(struct calc *c)
{
	bool old = !c->g.parent;

	if (old && c->g.rmapbt && c->g.reflink)
		c->lv.rmap = OLD_RMAP_LEVELS;
	table(c);
	if (old)
		set_space(c, true, c->g.reflink ? OLD_REFLINK_LOGCOUNT :
						  OLD_LOGCOUNT);
}

/* Blocks of an attribute that is as large as one beside its name can be. */
static uint32_t attr_count(const struct calc *c)
{
	uint32_t bytes = c->block / 2 + c->block / 4 - (MAX_NAME_BYTES + 1);
	uint32_t value = ceil_div(bytes, c->block);
	uint32_t levels = c->lv.bmap_attr;

	/* bytes, taken for blocks: kept where logs were made so */
	return DA_LEVELS + DA_LEVELS * extent_count(c, 1, levels) + value +
	       extent_count(c, c->g.parent ? value : bytes, levels);
}

/* What takes most: one of those before @end, or setting an attribute. */
static struct xlog_min_log largest(const struct calc *c, enum xfs_tr end)
{
	const struct xfs_trans_res *res = &c->resv->tr[XFS_TR_ATTRSETM];
	uint32_t count = attr_count(c), most = 0;
	struct xlog_min_log attr = {
		.tr = XFS_TR_ATTRSETM, .logcount = res->logcount,
		.logres_bytes = res->logres_bytes +
				count * logres_of(c, XFS_TR_ATTRSETRT),
		.attr_blocks = count,
	};
	struct xlog_min_log min = { .logcount = 0 };

	for (enum xfs_tr tr = 0; tr < end; tr++) {
		uint32_t all;

		res = &c->resv->tr[tr];
		all = res->logres_bytes * max_of(res->logcount, 1);
		if (all <= most)
			continue;
		most = all;
		min = (struct xlog_min_log){
			.tr = tr, .logres_bytes = res->logres_bytes,
			.logcount = res->logcount,
		};
	}
	/* once, as has always been compared, though it is then taken thrice */
	return attr.logres_bytes > most ? attr : min;
}

static uint32_t log_blocks(const struct calc *c, const struct xlog_min_log *min)
{
	uint32_t sunit_bytes = c->sb->sb_logsunit, records, sunit_bb;
	bool striped = c->g.log_v2 && sunit_bytes > 1;
	uint64_t bb;

	bb = bb_from_bytes((uint64_t)max_of(min->logcount, 1) *
			   xlog_unit_bytes(min->logres_bytes,
					   c->g.log_v2 ?
					   XLOG_MAX_RECORD_BYTES :
					   XLOG_HEADER_SPAN_BYTES,
					   striped ? sunit_bytes : BB_SIZE,
					   &records));
	if (striped) {
		sunit_bb = sunit_bytes / BB_SIZE;
		bb = (bb + sunit_bb - 1) / sunit_bb * sunit_bb + 2 * sunit_bb;
	} else {
		/* bytes, taken for basic blocks */
		bb += 2 * BB_SIZE;
	}
	return (uint32_t)((MIN_LOG_UNITS * bb * BB_SIZE + c->block - 1) >>
			  c->g.blocklog);
}

uint32_t xlog_min_log_blocks(const struct xfs_sb *sb, struct xlog_min_log *min)
{
	struct xlog_min_log young, old;
	uint32_t young_blocks, old_blocks;
	struct xfs_trans_resv resv;
	struct calc c;

	calc_init(&c, sb, &resv);
	xfs_levels_init(&c.lv, &c.g);
	min_log_table(&c);

	/*
	 * Since 6.16 there is one kind of transaction more. It has the numbers
	 * of the new reckoning, and can make the log larger, or, by outgrowing
	 * an attribute that is taken thrice, smaller.
	 */
	young = largest(&c, XFS_TR_COUNT);
	old = largest(&c, XFS_TR_ATOMIC_IOEND);
	young_blocks = log_blocks(&c, &young);
	old_blocks = log_blocks(&c, &old);
	if (min)
		*min = old_blocks < young_blocks ? young : old;
	return max_of(young_blocks, old_blocks);
}
