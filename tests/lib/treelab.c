/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The laboratory's filesystem: superblock, headers of the group, inode, log,
 * and the space that trees take their blocks from. See treelab.h.
 */
#include "libxfsfmt/crc32c.h"
#include "libxlog/trans/buf_item.h"
#include "tests/lib/stack.h"
#include "tests/lib/treelab_priv.h"

enum {
	AGCOUNT = 2,
	AG_LOG = 20,			/* blocks of a group, as a power of two */
	LOG_BYTES = 32 << 20,
	FIRST_BLOCK = 64,		/* that trees may have */
	INODE_BLOCK = 32,
	SECTOR = 512,
	AGI_SECTOR = 2,
	CHUNK_INODES = 64,
};

const struct treelab_ag treelab_ags[XFS_BTREE_KINDS] = {
	[XFS_BTREE_BNO] = { 16, 28, 0, false },
	[XFS_BTREE_CNT] = { 20, 32, 0, false },
	[XFS_BTREE_INO] = { 20, 24, 336, true },
	[XFS_BTREE_FINO] = { 328, 332, 340, true },
	[XFS_BTREE_RMAP] = { 24, 36, 80, false },
	[XFS_BTREE_REFC] = { 88, 92, 84, false },
};

uint64_t treelab_random(struct treelab *lab)
{
	return stack_random(&lab->random);
}

static void add_report(void *ctx, const struct xlog_report *rep)
{
	struct treelab *lab = ctx;
	size_t used = strlen(lab->reports);

	snprintf(lab->reports + used, sizeof(lab->reports) - used, "%s: %s\n",
		 rep->code, rep->text);
}

static struct sink sink_of(struct treelab *lab)
{
	return (struct sink){ add_report, lab };
}

xfs_daddr_t treelab_ag_daddr(const struct treelab *lab)
{
	return xfs_agb_to_daddr(&lab->fs.geom, TREELAB_AGNO, 0) +
	       (treelab_ags[lab->opts.kind].in_agi ? AGI_SECTOR : 1);
}

xfs_daddr_t treelab_daddr(const struct treelab *lab, uint64_t block)
{
	const struct xfs_geom *g = &lab->fs.geom;

	return treelab_in_fork(lab) ? xfs_fsb_to_daddr(g, block) :
	       xfs_agb_to_daddr(g, TREELAB_AGNO, (xfs_agblock_t)block);
}

/* --- space --- */

static uint64_t as_block(const struct treelab *lab, uint32_t agbno)
{
	return treelab_in_fork(lab) ?
	       (uint64_t)TREELAB_AGNO << AG_LOG | agbno : agbno;
}

static int alloc_block(struct btree_cur *cur, uint64_t near, uint64_t *block)
{
	struct treelab *lab = cur->ctx;

	(void)near;
	*block = XFS_NULL_FSBLOCK;
	if (lab->fail_after && !--lab->fail_after)
		return 0;
	if (lab->abused) {
		*block = as_block(lab, lab->next_block++);
		return 0;
	}
	/* all others first: what was freed may still be on its way */
	while (lab->space[lab->next_block] == 1 ||
	       lab->next_block < FIRST_BLOCK)
		lab->next_block = (lab->next_block + 1) % (1u << AG_LOG);
	*block = as_block(lab, lab->next_block);
	lab->space[lab->next_block] = 1;
	free(lab->logged[lab->next_block]);
	lab->logged[lab->next_block] = malloc(lab->opts.block_bytes);
	CHECK(lab, lab->logged[lab->next_block]);
	memset(lab->logged[lab->next_block], 0xee, lab->opts.block_bytes);
	lab->next_block = (lab->next_block + 1) % (1u << AG_LOG);
	lab->blocks++;
	if (lab->ip)
		lab->ip->di.di_nblocks++;
	return 0;
}

static int free_block(struct btree_cur *cur, uint64_t block)
{
	struct treelab *lab = cur->ctx;
	uint32_t agbno = (uint32_t)block & ((1u << AG_LOG) - 1);

	if (lab->abused)
		return 0;
	CHECK(lab, block == as_block(lab, agbno) && lab->space[agbno] == 1);
	lab->space[agbno] = 2;
	lab->blocks--;
	if (lab->ip)
		lab->ip->di.di_nblocks--;
	return 0;
}

const struct btree_space_ops treelab_space = { alloc_block, free_block };

/* --- what lies there before there is a tree --- */

static uint8_t log2_of(uint32_t n)
{
	return (uint8_t)__builtin_ctz(n);
}

static void make_sb(struct treelab *lab)
{
	const struct treelab_opts *o = &lab->opts;
	struct xfs_sb *sb = &lab->sb;

	*sb = (struct xfs_sb){
		.sb_magicnum = XFS_SB_MAGIC,
		.sb_blocksize = o->block_bytes,
		.sb_dblocks = (uint64_t)AGCOUNT << AG_LOG,
		.sb_agblocks = 1 << AG_LOG,
		.sb_agcount = AGCOUNT,
		.sb_logblocks = LOG_BYTES / o->block_bytes,
		.sb_versionnum = (uint16_t)((o->v5 ? 5 : 4) |
				 XFS_SB_VERSION_LOGV2BIT |
				 XFS_SB_VERSION_MOREBITSBIT),
		.sb_features2 = XFS_SB_VERSION2_LAZYSBCOUNTBIT,
		.sb_sectsize = SECTOR,
		.sb_sectlog = log2_of(SECTOR),
		.sb_inodesize = (uint16_t)o->inode_bytes,
		.sb_inodelog = log2_of(o->inode_bytes),
		.sb_inopblock = (uint16_t)(o->block_bytes / o->inode_bytes),
		.sb_inopblog = log2_of(o->block_bytes / o->inode_bytes),
		.sb_blocklog = log2_of(o->block_bytes),
		.sb_agblklog = AG_LOG,
		.sb_logsunit = 1,
		.sb_rextsize = 1,
		.sb_inoalignmt = INODE_BLOCK,
	};
	memset(sb->sb_uuid, 0x5a, sizeof(sb->sb_uuid));
	if (!o->v5)
		return;
	sb->sb_features_ro_compat = XFS_SB_RO_COMPAT_FINOBT |
		XFS_SB_RO_COMPAT_RMAPBT | XFS_SB_RO_COMPAT_REFLINK |
		XFS_SB_RO_COMPAT_INOBTCNT;
	sb->sb_features_incompat = XFS_SB_INCOMPAT_FTYPE |
		(o->sparse ? XFS_SB_INCOMPAT_SPINODES : 0);
}

static void write_out(struct treelab *lab, uint64_t off, uint8_t *raw,
		      size_t len, size_t crc_off)
{
	if (lab->opts.v5)
		put_le32(raw + crc_off, xfs_crc_block(raw, len, crc_off));
	CHECK(lab, !dev_write(lab->dev, off, raw, len));
}

static void write_headers(struct treelab *lab, uint32_t root)
{
	xfs_daddr_t daddr = xfs_agb_to_daddr(&lab->fs.geom, TREELAB_AGNO, 0);
	unsigned int variant = lab->opts.v5 ? XFS_AG_V5 : 0;
	uint8_t raw[SECTOR] = { 0 };
	struct xfs_agf agf = {
		.agf_magicnum = XFS_AGF_MAGIC, .agf_versionnum = 1,
		.agf_seqno = TREELAB_AGNO, .agf_length = 1 << AG_LOG,
		.agf_bnoroot = root, .agf_cntroot = root, .agf_rmaproot = root,
		.agf_bnolevel = 1, .agf_cntlevel = 1, .agf_rmaplevel = 1,
		.agf_freeblks = 1 << AG_LOG, .agf_rmap_blocks = 1,
		.agf_refcount_blocks = 1, .agf_refcount_root = root,
		.agf_refcount_level = 1,
	};
	struct xfs_agi agi = {
		.agi_magicnum = XFS_AGI_MAGIC, .agi_versionnum = 1,
		.agi_seqno = TREELAB_AGNO, .agi_length = 1 << AG_LOG,
		.agi_root = root, .agi_level = 1, .agi_free_root = root,
		.agi_free_level = 1, .agi_iblocks = 1, .agi_fblocks = 1,
	};

	memcpy(agf.agf_uuid, lab->sb.sb_uuid, sizeof(agf.agf_uuid));
	xfs_agf_encode(raw, &agf, variant, XFS_BE);
	write_out(lab, (daddr + 1) * BB_SIZE, raw, SECTOR, XFS_AGF_CRC_OFF);

	memset(raw, 0, sizeof(raw));
	memset(agi.agi_unlinked, 0xff, sizeof(agi.agi_unlinked));
	memcpy(agi.agi_uuid, lab->sb.sb_uuid, sizeof(agi.agi_uuid));
	xfs_agi_encode(raw, &agi, variant, XFS_BE);
	write_out(lab, (daddr + AGI_SECTOR) * BB_SIZE, raw, SECTOR,
		  XFS_AGI_CRC_OFF);
}

/* The empty leaf that is the root of every tree of a group. */
static void write_root(struct treelab *lab, uint32_t root)
{
	const struct xfs_btree_ops *fmt = &xfs_btree_ops[lab->opts.kind];
	uint8_t *raw = calloc(1, lab->opts.block_bytes);
	struct xfs_btree_short h = {
		.bb_magic = lab->opts.v5 ? fmt->crc_magic : fmt->magic,
		.bb_leftsib = XFS_NULL_AGBLOCK,
		.bb_rightsib = XFS_NULL_AGBLOCK,
		.bb_blkno = treelab_daddr(lab, root),
		.bb_owner = TREELAB_AGNO,
	};

	CHECK(lab, raw);
	memcpy(h.bb_uuid, lab->sb.sb_uuid, sizeof(h.bb_uuid));
	xfs_btree_short_encode(raw, &h, lab->opts.v5 ? XFS_BTREE_V5 : 0,
			       XFS_BE);
	write_out(lab, treelab_daddr(lab, root) * BB_SIZE, raw,
		  lab->opts.block_bytes, XFS_BTREE_SHORT_CRC_OFF);
	free(raw);
	lab->space[root] = 1;
	lab->blocks = 1;
	lab->next_block = root + 1;
}

static xfs_ino_t first_ino(const struct treelab *lab)
{
	return xfs_ino_make(&lab->fs.geom, TREELAB_AGNO,
			    INODE_BLOCK << lab->fs.geom.inopblog);
}

static void write_inode(struct treelab *lab, xfs_ino_t ino)
{
	const struct xfs_geom *g = &lab->fs.geom;
	bool attr = lab->opts.whichfork == XFS_ATTR_FORK;
	uint8_t *raw = calloc(1, g->inodesize);
	struct xfs_dinode di = {
		.di_magic = XFS_DINODE_MAGIC,
		.di_version = lab->opts.v5 ? 3 : 2,
		.di_mode = XFS_MODE_REG | 0644, .di_nlink = 1,
		.di_format = XFS_DINODE_FMT_EXTENTS,
		.di_aformat = XFS_DINODE_FMT_EXTENTS,
		.di_forkoff = attr ? 8 : 0,
		.di_next_unlinked = XFS_NULL_AGINO,
		.di_ino = ino,
		/* the blocks that the extents would be of */
		.di_nblocks = (uint64_t)1 << 40,
	};

	CHECK(lab, raw);
	memcpy(di.di_uuid, lab->sb.sb_uuid, sizeof(di.di_uuid));
	xfs_dinode_encode(raw, &di, xfs_dinode_variant(&di), XFS_BE);
	write_out(lab, xfs_agb_to_daddr(g, TREELAB_AGNO,
					xfs_ino_agbno(g, ino)) * BB_SIZE +
		  ((uint64_t)xfs_ino_slot(g, ino) << g->inodelog),
		  raw, g->inodesize, XFS_DINODE_CRC_OFF);
	free(raw);
}

/* All inodes of the cluster: they are read and written together. */
static void write_inodes(struct treelab *lab)
{
	xfs_ino_t ino = first_ino(lab);
	uint32_t count = lab->fs.geom.inopblock;

	if (count < CHUNK_INODES)
		count = CHUNK_INODES;
	for (uint32_t i = 0; i < count; i++)
		write_inode(lab, ino + i);
}

/* --- in use --- */

void treelab_open_fs(struct treelab *lab, struct dev *dev)
{
	struct sink sink = sink_of(lab);
	struct log_config c = {
		.flags = LOG_NO_THREADS,
		.data = dev,
		.sector_bytes = SECTOR,
		.sunit_bytes = 1,
		.head = xfs_lsn_make(1, 0),
		.prev_block = UINT32_MAX,
		.seed = 1,
		.write_back = trans_write_back,
		.write_back_ctx = &lab->fs,
		.sink = sink,
	};

	CHECK(lab, !dev_open_overlay(NULL, LOG_BYTES, &sink, &lab->logdev));
	c.dev = lab->logdev;
	memcpy(c.uuid, lab->sb.sb_uuid, sizeof(c.uuid));
	CHECK(lab, !trans_fs_init(&lab->fs, &lab->sb, dev, 0, &sink));
	CHECK(lab, !log_open(&c, &lab->fs.log));
	lab->group = (struct btree_group){
		.fs = &lab->fs, .agno = TREELAB_AGNO, .space = &treelab_space,
	};
}

void treelab_close_fs(struct treelab *lab)
{
	inode_put(lab->ip);
	lab->ip = NULL;
	log_close(lab->fs.log);
	lab->fs.log = NULL;
	trans_fs_fini(&lab->fs);
	dev_close(lab->logdev);
}

int treelab_get_inode(struct treelab *lab)
{
	return treelab_in_fork(lab) ?
	       inode_iget(&lab->fs, first_ino(lab), 0, &lab->ip) : 0;
}

struct treelab *treelab_new(const struct treelab_opts *opts)
{
	struct treelab *lab = calloc(1, sizeof(*lab));
	struct sink sink;

	if (!lab)
		abort();
	lab->opts = *opts;
	if (!lab->opts.inode_bytes)
		lab->opts.inode_bytes = opts->v5 ? 512 : 256;
	if (!lab->opts.ops_per_commit)
		lab->opts.ops_per_commit = 8;
	lab->random = opts->seed;
	lab->model = calloc(opts->keys, sizeof(*lab->model));
	lab->present = calloc(opts->keys / 64 + 1, sizeof(*lab->present));
	lab->space = calloc(1, 1 << AG_LOG);
	lab->logged = calloc(1 << AG_LOG, sizeof(*lab->logged));
	CHECK(lab, lab->model && lab->present && lab->space && lab->logged);
	sink = sink_of(lab);
	make_sb(lab);
	xfs_geom_init(&lab->fs.geom, &lab->sb);
	CHECK(lab, !dev_open_overlay(NULL, lab->sb.sb_dblocks *
				     opts->block_bytes, &sink, &lab->dev));
	write_headers(lab, FIRST_BLOCK);
	if (treelab_in_fork(lab)) {
		lab->next_block = FIRST_BLOCK;
		write_inodes(lab);
	} else {
		write_root(lab, FIRST_BLOCK);
	}
	treelab_open_fs(lab, lab->dev);
	CHECK(lab, !treelab_get_inode(lab));
	return lab;
}

static void forget_logged(struct treelab *lab)
{
	for (uint32_t i = 0; i < 1u << AG_LOG; i++) {
		free(lab->logged[i]);
		lab->logged[i] = NULL;
	}
}

void treelab_close(struct treelab *lab)
{
	treelab_commit(lab);
	CHECK(lab, !log_quiesce(lab->fs.log));
	treelab_close_fs(lab);
	forget_logged(lab);
}

void treelab_reopen(struct treelab *lab)
{
	treelab_close(lab);
	treelab_open_fs(lab, lab->dev);
	CHECK(lab, !treelab_get_inode(lab));
}

void treelab_free(struct treelab *lab)
{
	if (lab->t)
		treelab_commit(lab);
	if (lab->fs.log)
		treelab_close_fs(lab);
	forget_logged(lab);
	dev_close(lab->dev);
	free(lab->logged);
	free(lab->space);
	free(lab->present);
	free(lab->model);
	free(lab);
}

/* --- transactions --- */

void treelab_begin(struct treelab *lab) UNCHECKED_LOCKING
{
	const struct trans_buf_ops *ops =
		treelab_ags[lab->opts.kind].in_agi ? &trans_agi_ops :
						     &trans_agf_ops;

	if (lab->t)
		return;
	CHECK(lab, !trans_alloc(&lab->fs, XFS_TR_ITRUNCATE, &lab->t));
	if (treelab_in_fork(lab)) {
		inode_join(lab->t, lab->ip);
		btree_init_fork(&lab->cur, lab->t, lab->ip,
				lab->opts.whichfork, &treelab_space);
	} else {
		CHECK(lab, !trans_read_buf(&lab->fs, lab->t,
					   treelab_ag_daddr(lab), 1, ops,
					   &lab->agbuf));
		btree_init_ag(&lab->cur, lab->t, &lab->group, lab->opts.kind,
			      lab->agbuf);
	}
	lab->cur.ctx = lab;
	lab->ops_in_t = 0;
}

/* Of what is in use of a block: has all that changed been logged? */
static void check_used(struct treelab *lab, const uint8_t *raw,
		       const uint8_t *logged)
{
	enum xfs_btree_kind kind = lab->opts.kind;
	const struct xfs_btree_ops *fmt = &xfs_btree_ops[kind];
	bool leaf = !get_be16(raw + 4);
	size_t num = get_be16(raw + 6);
	size_t hdr = xfs_btree_hdr_bytes(kind, lab->opts.v5);
	size_t elem = leaf ? fmt->rec_bytes : fmt->key_bytes;
	size_t ptrs = hdr + elem * xfs_btree_room(kind, lab->opts.v5, leaf,
						  lab->opts.block_bytes);

	CHECK(lab, !memcmp(raw, logged, hdr + num * elem));
	if (!leaf)
		CHECK(lab, !memcmp(raw + ptrs, logged + ptrs,
				   num * xfs_btree_ptr_bytes(kind)));
}

static void log_block(struct treelab *lab, const struct buf_item *bi)
{
	uint64_t first = treelab_daddr(lab, as_block(lab, 0));
	size_t bytes = lab->opts.block_bytes;
	uint64_t agbno = (bi->buf->daddr - first) * BB_SIZE / bytes;
	uint8_t **logged = &lab->logged[agbno];

	if (buf_item_is(bi, BUF_ITEM_STALE)) {
		free(*logged);
		*logged = NULL;
		return;
	}
	/* older than this: what it was before is not known */
	if (!*logged) {
		*logged = malloc(bytes);
		CHECK(lab, *logged);
		memcpy(*logged, bi->buf->data, bytes);
	}
	for (uint32_t i = 0; i < bytes / XFS_CHUNK_BYTES; i++)
		if (bi->map[i / 32] >> i % 32 & 1)
			memcpy(*logged + i * XFS_CHUNK_BYTES,
			       bi->buf->data + i * XFS_CHUNK_BYTES,
			       XFS_CHUNK_BYTES);
	check_used(lab, bi->buf->data, *logged);
}

static void check_logged(struct treelab *lab)
{
	struct list *all = &lab->t->items;

	for (struct list *l = list_first(all); l; l = list_next(l, all)) {
		struct log_item *item = container_of(l, struct log_item,
						     trans_link);
		struct buf_item *bi = container_of(item, struct buf_item,
						   item);

		if (item->type == XFS_LI_BUF &&
		    bi->buf->len_bb * BB_SIZE == lab->opts.block_bytes &&
		    bi->buf->ops == &trans_btree_ops[lab->opts.kind].buf &&
		    atomic_load(&item->flags) & LOG_ITEM_DIRTY)
			log_block(lab, bi);
	}
}

void treelab_commit(struct treelab *lab)
{
	if (!lab->t)
		return;
	btree_fini(&lab->cur);
	check_logged(lab);
	CHECK(lab, !trans_commit(lab->t, NULL));
	lab->t = NULL;
}
