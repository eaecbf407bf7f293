/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Freeing of inodes. All that has to agree (both trees, the list, the group's
 * counters) is looked up before any of it is changed.
 */
#include "libxfsfmt/time.h"
#include "libxlog/meta/alloc.h"
#include "libxlog/meta/ialloc.h"
#include "libxlog/meta/iunlink.h"
#include "libxlog/meta/perag.h"
#include "libxlog/trans/counters.h"
#include "libxlog/trans/trans_buf.h"

enum {
	CHUNK_INODES = 64,
	INODES_PER_HOLE = 4,		/* that a bit of ir_holemask is for */
	HOLES = CHUNK_INODES / INODES_PER_HOLE,
	NSEC_PER_SEC = 1000000000,
};

/* An inode that is being freed, and its chunk. */
struct freeing {
	struct trans	*t;
	struct perag	*pag;
	struct buf	*agibuf;
	xfs_agino_t	agino;
	struct btree_cur inobt, finobt;
	bool		has_finobt;
	bool		in_finobt;	/* the chunk, before this */
	union btree_rec	rec;		/* as it will be */
	bool		all_free;	/* the chunk goes */
};

static int bad_chunk(const struct freeing *f, const struct btree_cur *cur,
		     const char *why)
{
	return perag_corrupt(f->pag, "inode.btree", "%s: inode %u: %s",
			     xfs_btree_name(cur->kind), f->agino, why);
}

/* --- records --- */

/* Inodes of the chunk that there are: sparse chunks have holes. */
static uint64_t present(const struct xfs_inobt_rec *rec)
{
	uint64_t mask = 0;

	for (unsigned int i = 0; i < HOLES; i++)
		if (!(rec->ir_holemask >> i & 1))
			mask |= (uint64_t)0xf << i * INODES_PER_HOLE;
	return mask;
}

/*
 * Why the inode cannot be marked free in @rec, or NULL: then it is. That the
 * record agrees with itself has been seen to when it was read.
 */
static const char *mark_free(const struct freeing *f,
			     struct xfs_inobt_rec *rec)
{
	uint64_t bit, there = present(rec);

	if (f->agino < rec->ir_startino ||
	    f->agino - rec->ir_startino >= CHUNK_INODES)
		return "is in no chunk";
	bit = (uint64_t)1 << (f->agino - rec->ir_startino);
	if (!(there & bit))
		return "is in a hole of its chunk";
	if (rec->ir_free & bit)
		return "is free already";
	rec->ir_free |= bit;
	rec->ir_freecount++;
	return NULL;
}

/*
 * Where a block has more inodes than a chunk, the others in it may be in use.
 */
static bool is_all_free(const struct freeing *f)
{
	return f->rec.ino.ir_free == UINT64_MAX &&
	       f->pag->group.fs->geom.inopblock <= CHUNK_INODES;
}

static int find_chunk(struct freeing *f)
{
	const union btree_rec key = { .ino = { .ir_startino = f->agino } };
	const struct xfs_agi agi = ag_agi(f->agibuf);
	const char *why = NULL;
	bool found;
	int rc = btree_lookup(&f->inobt, BTREE_LE, &key, &found);

	if (!rc && found)
		rc = btree_get(&f->inobt, &f->rec, &found);
	if (rc)
		return rc;
	why = found ? mark_free(f, &f->rec.ino) : "is in no chunk";
	if (!why && agi.agi_count < f->rec.ino.ir_count)
		why = "its group counts fewer inodes than the chunk has";
	if (!why && agi.agi_freecount + 1 < f->rec.ino.ir_freecount)
		why = "its group counts fewer free inodes than the chunk has";
	f->all_free = !why && is_all_free(f);
	return why ? bad_chunk(f, &f->inobt, why) : 0;
}

/* The finobt has the chunk if, before this, one of its inodes was free. */
static int find_in_finobt(struct freeing *f)
{
	const struct xfs_inobt_rec *want = &f->rec.ino;
	union btree_rec rec;
	const char *why = NULL;
	int rc = btree_lookup(&f->finobt, BTREE_EQ, &f->rec, &f->in_finobt);

	if (!rc && f->in_finobt)
		rc = btree_get(&f->finobt, &rec, &f->in_finobt);
	if (rc)
		return rc;
	if (!f->in_finobt) {
		if (want->ir_freecount != 1)
			why = "its chunk is missing";
	} else {
		why = mark_free(f, &rec.ino);
		if (!why && (rec.ino.ir_free != want->ir_free ||
			     rec.ino.ir_freecount != want->ir_freecount ||
			     rec.ino.ir_holemask != want->ir_holemask))
			why = "its chunk is another than in the inobt";
	}
	return why ? bad_chunk(f, &f->finobt, why) : 0;
}

/* --- changes --- */

static int no_space(const struct freeing *f)
{
	return report(&f->t->fs->sink, -ENOSPC, "space", XLOG_LSN_NONE,
		      "no space to note that an inode is free");
}

static int change_inobt(struct freeing *f)
{
	bool done = true;
	int rc = f->all_free ? btree_delete(&f->inobt, &done) :
			       btree_update(&f->inobt, &f->rec);

	assert(rc || done);
	return rc;
}

static int change_finobt(struct freeing *f)
{
	bool done = true;
	int rc = 0;

	if (!f->in_finobt) {
		/* a chunk of a single inode is not known to the trees */
		rc = btree_insert(&f->finobt, &f->rec, &done);
		return rc ? rc : done ? 0 : no_space(f);
	}
	rc = f->all_free ? btree_delete(&f->finobt, &done) :
			   btree_update(&f->finobt, &f->rec);
	assert(rc || done);
	return rc;
}

static void count(struct freeing *f)
{
	struct xfs_agi agi = ag_agi(f->agibuf);
	uint32_t gone = f->all_free ? f->rec.ino.ir_freecount : 0;

	agi.agi_count -= gone;
	agi.agi_freecount += 1 - gone;
	ag_set_agi(f->t, f->agibuf, &agi);
	trans_mod_sb(f->t, TRANS_SB_ICOUNT, -(int64_t)gone);
	trans_mod_sb(f->t, TRANS_SB_IFREE, 1 - (int64_t)gone);
}

/* --- a chunk goes --- */

/* The space of the inodes [@first, @end) of the chunk. */
static int free_inodes_later(struct freeing *f, unsigned int first,
			     unsigned int end)
{
	const struct xfs_geom *g = &f->t->fs->geom;
	const struct rmap_owner who = rmap_special(XFS_RMAP_OWN_INODES);
	xfs_agblock_t agbno = (f->rec.ino.ir_startino + first) >> g->inopblog;

	return free_extent_later(f->t, perag_fsb(f->pag, agbno),
				 (end - first) >> g->inopblog, &who, 0);
}

static int free_space(struct freeing *f)
{
	uint64_t there = present(&f->rec.ino);
	unsigned int i = 0, first;
	int rc = 0;

	while (i < CHUNK_INODES && !rc) {
		for (first = i; i < CHUNK_INODES && there >> i & 1; i++)
			;
		if (i > first)
			rc = free_inodes_later(f, first, i);
		else
			i++;
	}
	return rc;
}

/* Nothing the log has of the chunk may be replayed over what it becomes. */
static int forget_clusters(struct freeing *f)
{
	struct trans_fs *fs = f->t->fs;
	const struct xfs_geom *g = &fs->geom;
	uint64_t there = present(&f->rec.ino);
	uint32_t inodes = fs->cluster_bb * BB_SIZE >> g->inodelog;
	struct buf *buf;
	int rc = 0;

	for (unsigned int i = 0; i < CHUNK_INODES && !rc; i += inodes) {
		xfs_agblock_t agbno = (f->rec.ino.ir_startino + i) >>
				      g->inopblog;

		if (!(there >> i & 1))
			continue;
		rc = trans_get_buf(f->t, perag_daddr(f->pag, agbno),
				   fs->cluster_bb, &trans_inode_ops, &buf);
		if (!rc)
			trans_stale_inode_buf(f->t, buf);
	}
	return rc;
}

/* --- the inode --- */

/* New inodes of this filesystem have these; a free one, too. */
static uint64_t new_flags2(const struct xfs_geom *g)
{
	return (g->bigtime ? XFS_DIFLAG2_BIGTIME : 0) |
	       (g->nrext64 ? XFS_DIFLAG2_NREXT64 : 0);
}

static uint64_t as_bigtime(uint64_t value)
{
	struct xfs_time t = {
		.sec = (int32_t)(value >> 32), .nsec = (uint32_t)value,
	};

	if (t.nsec >= NSEC_PER_SEC)
		t.nsec = NSEC_PER_SEC - 1;
	return xfs_time_value(&t, true);
}

static void set_flags2(struct xfs_dinode *di, uint64_t flags2)
{
	if (flags2 & ~di->di_flags2 & XFS_DIFLAG2_BIGTIME) {
		di->di_atime = as_bigtime(di->di_atime);
		di->di_mtime = as_bigtime(di->di_mtime);
		di->di_ctime = as_bigtime(di->di_ctime);
		di->di_crtime = as_bigtime(di->di_crtime);
	}
	di->di_flags2 = flags2;
}

static void clear_inode(struct trans *t, struct inode *ip)
{
	struct xfs_dinode *di = &ip->di;

	di->di_mode = 0;
	di->di_flags = 0;
	di->di_forkoff = 0;
	di->di_format = XFS_DINODE_FMT_EXTENTS;
	di->di_aformat = XFS_DINODE_FMT_EXTENTS;
	if (di->di_version >= 3)
		set_flags2(di, new_flags2(&ip->fs->geom));
	inode_set_nextents(ip, XFS_DATA_FORK, 0);
	inode_set_nextents(ip, XFS_ATTR_FORK, 0);
	di->di_gen++;
	inode_log(t, ip, XFS_ILOG_CORE);
}

static int look(struct freeing *f)
{
	int rc = find_chunk(f);

	if (!rc && f->has_finobt)
		rc = find_in_finobt(f);
	return rc;
}

static int change(struct freeing *f)
{
	int rc = change_inobt(f);

	if (!rc && f->has_finobt)
		rc = change_finobt(f);
	if (!rc)
		count(f);
	if (!rc && f->all_free)
		rc = free_space(f);
	return rc;
}

int ialloc_free(struct trans *t, struct inode *ip)
{
	const struct xfs_geom *g = &t->fs->geom;
	struct freeing f = {
		.t = t,
		.pag = perag_of(t->fs, xfs_ino_agno(g, ip->ino)),
		.agino = xfs_ino_agino(g, ip->ino),
		.has_finobt = g->finobt,
	};
	int rc = ag_read_agi(t, f.pag, &f.agibuf);

	if (rc)
		return rc;
	btree_init_ag(&f.inobt, t, &f.pag->group, XFS_BTREE_INO, f.agibuf);
	if (f.has_finobt)
		btree_init_ag(&f.finobt, t, &f.pag->group, XFS_BTREE_FINO,
			      f.agibuf);
	rc = look(&f);
	if (!rc)
		rc = iunlink_remove(t, ip, f.all_free);
	if (!rc)
		rc = change(&f);
	btree_fini(&f.inobt);
	if (f.has_finobt)
		btree_fini(&f.finobt);
	if (rc)
		return rc;
	clear_inode(t, ip);
	return f.all_free ? forget_clusters(&f) : 0;
}
