/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fork-owner changes. When two files exchange the extents of their forks and
 * an extent btree with them, the blocks of the btree are told their new inode;
 * the log says only that this is to be done. It is done here once all else has
 * been replayed, on the btrees as they are then. A kernel that does it in the
 * middle looks at an inode that is only half made, and refuses the log.
 *
 * Only version 5 has owners in blocks. Where there are no owner changes, which
 * is the rule, nothing is read.
 */
#include <search.h>
#include <stdlib.h>

#include "libxfsfmt/crc32c.h"
#include "libxlog/dev/batch.h"
#include "libxlog/dev/unitset.h"
#include "libxlog/replay/fsread.h"

enum {
	LEVEL_OFF = 4,		/* in headers of blocks */
	NUMRECS_OFF = 6,
	LEFTSIB_OFF = 8,
	RIGHTSIB_OFF = 16,
};

/* A fork whose btree must be owned by its inode. */
struct owner {
	xfs_ino_t	ino;
	bool		attr;
};

/*
 * The windows of the disk tell of the same fork again and again. A fork is a
 * number: that of its inode, of which the top bit is never set, and a bit.
 */
struct owners {
	struct unitset	forks;
};

/* --- the set of forks --- */

int owner_remember(struct replay *r, xfs_ino_t ino, bool attr)
{
	if (!r->owners)
		r->owners = calloc(1, sizeof(*r->owners));
	if (!r->owners ||
	    unitset_add(&r->owners->forks, ino << 1 | attr, 1))
		return replay_no_memory(r);
	return replay_check_room(r, unitset_bytes(&r->owners->forks));
}

void owners_free(struct owners *owners)
{
	if (!owners)
		return;
	unitset_fini(&owners->forks);
	free(owners);
}

/* --- a btree --- */

/*
 * Blocks are met in the order of the tree, and each must be the sibling of the
 * one before on its level: so no block is met twice in a tree, and two trees
 * that share a block share their first leaf, which is refused. However the
 * trees are damaged, the walks end after as many blocks as there are.
 */
struct treewalk {
	struct replay	*r;
	struct owner	who;
	bool		write;
	uint64_t	done;		/* forks */
	void		*leaves;	/* tsearch(3) tree: first leaves */
	uint8_t		*blocks;	/* a block of each level */
	struct {
		xfs_fsblock_t	last, right;	/* met last; its sibling */
	} levels[XFS_BTREE_MAX_LEVELS];
};

static int bad_tree(const struct treewalk *w, const char *why)
{
	return replay_refuse(w->r, -EUCLEAN, "owner", XLOG_LSN_NONE,
			     "%s extents of inode %llu, whose owner changes: %s",
			     w->who.attr ? "attribute" : "data",
			     (unsigned long long)w->who.ino, why);
}

static int by_fsblock(const void *a, const void *b)
{
	xfs_fsblock_t x = *(const xfs_fsblock_t *)a;
	xfs_fsblock_t y = *(const xfs_fsblock_t *)b;

	return x < y ? -1 : x > y;
}

/* Leaf @fsb is the first of its tree: is it of no other? */
static int see_first_leaf(struct treewalk *w, xfs_fsblock_t fsb)
{
	xfs_fsblock_t *leaf = malloc(sizeof(*leaf));
	void *node;

	if (!leaf)
		return replay_no_memory(w->r);
	*leaf = fsb;
	node = tsearch(leaf, &w->leaves, by_fsblock);
	if (node && *(xfs_fsblock_t **)node == leaf)
		return 0;
	free(leaf);
	return node ? bad_tree(w, "blocks that another btree has too") :
	       replay_no_memory(w->r);
}

static int see_siblings(struct treewalk *w, const uint8_t *raw,
			xfs_fsblock_t fsb, unsigned int level)
{
	xfs_fsblock_t last = w->levels[level].last;
	int rc = 0;

	if (get_be64(raw + LEFTSIB_OFF) != last ||
	    (last != XFS_NULL_FSBLOCK && w->levels[level].right != fsb))
		return bad_tree(w, "neighbours that do not know each other");
	if (last == XFS_NULL_FSBLOCK && !level)
		rc = see_first_leaf(w, fsb);
	w->levels[level].last = fsb;
	w->levels[level].right = get_be64(raw + RIGHTSIB_OFF);
	return rc;
}

static uint32_t crc_of(const struct treewalk *w, const uint8_t *raw)
{
	return xfs_crc_final(xfs_crc32c(XFS_CRC_SEED, raw,
					w->r->geom.blocksize));
}

/* Before anything is written: count and tell of the change. */
static void tell_change(const struct treewalk *w, xfs_daddr_t daddr,
			uint32_t crc_before, uint32_t crc_after)
{
	const struct xlog_recover_options *opts = w->r->opts;
	uint32_t len_bb = w->r->geom.blocksize / BB_SIZE;

	/* what is a target has been counted with its window */
	if (targets_find(w->r->targets, daddr, len_bb) < 0)
		w->r->res->changed++;
	if (opts->change)
		opts->change(opts->ctx, &(struct xlog_change){
			.daddr = daddr, .len_bb = len_bb, .type = "bmbt",
			.ag = xfs_daddr_agno(&w->r->geom, daddr),
			.crc_before = crc_before, .crc_after = crc_after,
		});
}

static int change_block(struct treewalk *w, uint8_t *raw, xfs_daddr_t daddr)
{
	struct replay *r = w->r;
	uint32_t len = r->geom.blocksize, crc_before = crc_of(w, raw);
	struct dev_io io;
	int rc;

	put_be64(raw + XFS_BTREE_LONG_OWNER_OFF, w->who.ino);
	put_le32(raw + XFS_BTREE_LONG_CRC_OFF,
		 xfs_crc_block(raw, len, XFS_BTREE_LONG_CRC_OFF));
	if (!w->write) {
		tell_change(w, daddr, crc_before, crc_of(w, raw));
		return 0;
	}
	io = (struct dev_io){ daddr * BB_SIZE, raw, len };
	rc = replay_write(r, r->log->fs, &io, 1);
	if (!rc && r->opts->flags & XLOG_RECOVER_REREAD)
		rc = replay_settle(r, r->log->fs, &io, 1);
	return rc;
}

/* Read and check the block at @fsb, and give it its owner. */
static int see_block(struct treewalk *w, xfs_fsblock_t fsb,
		     unsigned int level, uint8_t *raw)
{
	const struct xfs_geom *g = &w->r->geom;
	uint32_t len_bb = g->blocksize / BB_SIZE;
	xfs_daddr_t daddr;
	const char *why;
	int rc;

	if (!xfs_fsb_ok(g, fsb, 1))
		return bad_tree(w, "a pointer out of the filesystem");
	daddr = xfs_fsb_to_daddr(g, fsb);
	if (replay_is_in_log(w->r, daddr, len_bb))
		return bad_tree(w, "a pointer into the log");
	rc = replay_read(w->r, daddr, len_bb, raw);
	if (rc)
		return rc;
	why = xfs_btree_verify(raw, g->blocksize, XFS_BTREE_BMAP, g, daddr);
	if (!why && get_be16(raw + LEVEL_OFF) != level)
		why = "a block of another level";
	if (why)
		return bad_tree(w, why);
	rc = see_siblings(w, raw, fsb, level);
	if (!rc && get_be64(raw + XFS_BTREE_LONG_OWNER_OFF) != w->who.ino)
		rc = change_block(w, raw, daddr);
	return rc;
}

/*
 * The subtree at @fsb. The depth of the recursion is that of the tree, at most
 * XFS_BTREE_MAX_LEVELS.
 */
static int walk_block(struct treewalk *w, xfs_fsblock_t fsb,
		      unsigned int level)
{
	uint32_t len = w->r->geom.blocksize;
	uint8_t *raw = w->blocks + (size_t)level * len;
	const uint8_t *ptr = raw + XFS_BTREE_LONG_CRC_BYTES +
			     xfs_btree_room(XFS_BTREE_BMAP, true, false, len) *
			     xfs_bmbt_key_size;
	int rc = see_block(w, fsb, level, raw);

	if (rc || !level)
		return rc;
	for (unsigned int n = get_be16(raw + NUMRECS_OFF); n && !rc; n--) {
		rc = walk_block(w, get_be64(ptr), level - 1);
		ptr += sizeof(xfs_fsblock_t);
	}
	return rc;
}

static int walk_root(struct treewalk *w, const uint8_t *fork,
		     size_t fork_bytes)
{
	const uint8_t *ptr = fork + XFS_BMDR_BYTES +
			     xfs_bmdr_room(XFS_BTREE_BMAP, false, fork_bytes) *
			     xfs_bmbt_key_size;
	const char *why = xfs_bmdr_verify(fork, XFS_BTREE_BMAP, fork_bytes);
	struct xfs_bmdr_block root;
	int rc = 0;

	if (why)
		return bad_tree(w, why);
	xfs_bmdr_block_decode(&root, fork, fork_bytes, XFS_BE);
	for (unsigned int i = 0; i < root.bb_level; i++)
		w->levels[i].last = w->levels[i].right = XFS_NULL_FSBLOCK;
	for (unsigned int n = root.bb_numrecs; n && !rc; n--) {
		rc = walk_block(w, get_be64(ptr), root.bb_level - 1u);
		ptr += sizeof(xfs_fsblock_t);
	}
	for (unsigned int i = 0; i < root.bb_level && !rc; i++)
		if (w->levels[i].right != XFS_NULL_FSBLOCK)
			rc = bad_tree(w, "a last block with a neighbour");
	return rc;
}

/* --- all of them --- */

/* The fork may have lost its btree, and the inode its life, since. */
static int walk_fork(struct treewalk *w)
{
	size_t inode_bytes = w->r->geom.inodesize;
	struct fsinode in;
	const uint8_t *fork;
	int rc = fsread_inode(w->r, w->who.ino, &in);

	if (rc || !in.di.di_mode)
		return rc;
	fork = in.raw + xfs_dinode_core_bytes(&in.di);
	if (!w->who.attr)
		return in.di.di_format != XFS_DINODE_FMT_BTREE ? 0 :
		       walk_root(w, fork, xfs_dinode_dfork_bytes(&in.di,
								 inode_bytes));
	if (!in.di.di_forkoff || in.di.di_aformat != XFS_DINODE_FMT_BTREE)
		return 0;
	return walk_root(w, fork + (size_t)in.di.di_forkoff * 8,
			 xfs_dinode_afork_bytes(&in.di, inode_bytes));
}

static int walk_one(void *ctx, uint64_t fork)
{
	struct treewalk *w = ctx;
	int rc;

	w->who = (struct owner){ fork >> 1, fork & 1 };
	rc = walk_fork(w);
	return rc ? rc : replay_progress(w->r, w->write ? XLOG_PHASE_WRITE :
					 XLOG_PHASE_CHECK, ++w->done,
					 w->r->owners->forks.count);
}

int owner_change(struct replay *r, bool write)
{
	struct treewalk w = { .r = r, .write = write };
	struct unitset_word *words;
	size_t count;
	int rc;

	if (!r->owners || !r->geom.v5)
		return 0;
	words = unitset_sorted(&r->owners->forks, &count);
	w.blocks = malloc(XFS_BTREE_MAX_LEVELS * (size_t)r->geom.blocksize);
	rc = words && w.blocks ? unitset_walk(words, count, walk_one, &w) :
				 replay_no_memory(r);
	tdestroy(w.leaves, free);
	free(w.blocks);
	free(words);
	return rc;
}
