/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exchanging what two files have mapped; see exchange.h. A step takes the
 * longest stretch that is one extent, or one hole, in both, and says where it
 * goes on: what is left of the range is the next intent.
 */
#include <stdlib.h>

#include "libxfsfmt/levels.h"
#include "libxlog/meta/exchange.h"
#include "libxlog/trans/counters.h"

struct exchange_work {
	struct defer_work work;		/* first */
	struct exchange	ex;		/* what is left */
	struct trans_fs	*fs;
	xfs_ino_t	ino[2];
	uint32_t	gen[2];
};

static struct exchange_work *work_of(const struct defer_work *w)
{
	return container_of(w, struct exchange_work, work);
}

static int fork_of(const struct exchange *ex)
{
	return ex->flags & XFS_EXCHMAPS_ATTR_FORK ? XFS_ATTR_FORK :
						    XFS_DATA_FORK;
}

/* --- one step --- */

/* A stretch of a file: an extent, or (without @mapped) a hole. */
struct stretch {
	struct xfs_bmbt_rec rec;
	bool		mapped;
};

/* What file @i has at the beginning of its range, up to its end. */
static int look(struct trans *t, const struct exchange *ex, int i,
		struct stretch *s)
{
	uint64_t off = ex->off[i], cut;
	bool found;
	int rc = bmap_find(t, ex->ip[i], fork_of(ex), off, &s->rec, &found);

	if (rc)
		return rc;
	s->mapped = found && s->rec.br_startoff <= off;
	if (s->mapped) {
		cut = off - s->rec.br_startoff;
		s->rec.br_startblock += cut;
		s->rec.br_blockcount -= cut;
	} else {
		s->rec.br_blockcount = found ? s->rec.br_startoff - off :
					       ex->blocks;
	}
	s->rec.br_startoff = off;
	if (s->rec.br_blockcount > ex->blocks)
		s->rec.br_blockcount = ex->blocks;
	return 0;
}

static void advance(struct exchange *ex, uint64_t blocks)
{
	ex->off[0] += blocks;
	ex->off[1] += blocks;
	ex->blocks -= blocks;
}

static bool is_needed(const struct exchange *ex, const struct stretch s[2])
{
	/* where the first has nothing written, both stay as they are */
	if (ex->flags & XFS_EXCHMAPS_INO1_WRITTEN &&
	    (!s[0].mapped || s[0].rec.br_state))
		return false;
	if (!s[0].mapped && !s[1].mapped)
		return false;
	return !s[0].mapped || !s[1].mapped ||
	       s[0].rec.br_startblock != s[1].rec.br_startblock;
}

/* The next stretch that is to be exchanged; none if ex->blocks gets 0. */
static int find_stretch(struct trans *t, struct exchange *ex,
			struct stretch s[2])
{
	while (ex->blocks) {
		int rc = look(t, ex, 0, &s[0]);
		uint64_t least;

		if (!rc)
			rc = look(t, ex, 1, &s[1]);
		if (rc)
			return rc;
		least = s[0].rec.br_blockcount < s[1].rec.br_blockcount ?
			s[0].rec.br_blockcount : s[1].rec.br_blockcount;
		s[0].rec.br_blockcount = s[1].rec.br_blockcount = least;
		if (is_needed(ex, s))
			return 0;
		advance(ex, least);
	}
	return 0;
}

/* The file ends no earlier than what it has got now. */
static void grow_size(struct trans *t, const struct exchange *ex, int i,
		      const struct xfs_bmbt_rec *rec)
{
	struct inode *ip = ex->ip[i];
	uint64_t size = (rec->br_startoff + rec->br_blockcount) <<
			ip->fs->geom.blocklog;

	if (!(ex->flags & XFS_EXCHMAPS_SET_SIZES))
		return;
	if (size > ex->size[i])
		size = ex->size[i];
	if (size <= ip->di.di_size)
		return;
	ip->di.di_size = size;
	inode_log(t, ip, XFS_ILOG_CORE);
}

static int exchange_stretch(struct trans *t, struct exchange *ex,
			    const struct stretch s[2])
{
	int fork = fork_of(ex), rc = 0;

	for (int i = 0; i < 2 && !rc; i++)
		if (s[i].mapped)
			rc = bmap_unmap_later(t, ex->ip[i], fork, &s[i].rec);
	for (int i = 0; i < 2 && !rc; i++) {
		struct xfs_bmbt_rec rec = s[1 - i].rec;

		rec.br_startoff = s[i].rec.br_startoff;
		if (s[1 - i].mapped)
			rc = bmap_map_later(t, ex->ip[i], fork, &rec);
		if (!rc)
			grow_size(t, ex, i, &rec);
	}
	if (!rc)
		advance(ex, s[0].rec.br_blockcount);
	return rc;
}

/* All is exchanged: what else was asked for. */
static void end(struct trans *t, const struct exchange *ex)
{
	static const unsigned int clear[2] = {
		XFS_EXCHMAPS_CLEAR_INO1_REFLINK,
		XFS_EXCHMAPS_CLEAR_INO2_REFLINK,
	};

	for (int i = 0; i < 2; i++) {
		struct inode *ip = ex->ip[i];

		if (ex->flags & XFS_EXCHMAPS_SET_SIZES)
			ip->di.di_size = ex->size[i];
		if (ex->flags & clear[i])
			ip->di.di_flags2 &= ~(uint64_t)XFS_DIFLAG2_REFLINK;
		if (ex->flags & (XFS_EXCHMAPS_SET_SIZES | clear[i]))
			inode_log(t, ip, XFS_ILOG_CORE);
	}
}

static int finish(struct trans *t, struct defer_work *w,
		  struct defer_state *st)
{
	struct exchange *ex = &work_of(w)->ex;
	struct stretch s[2];
	int rc = find_stretch(t, ex, s);

	(void)st;
	if (rc)
		return rc;
	if (!ex->blocks) {
		end(t, ex);
		return 0;
	}
	rc = exchange_stretch(t, ex, s);
	if (rc)
		return rc;
	if (ex->blocks)
		return -EAGAIN;
	/* now: an intent to exchange no blocks is none that anyone takes */
	end(t, ex);
	return 0;
}

/* --- in the log --- */

static unsigned int intent_regions(const struct list *works,
				   uint32_t len_bytes[DEFER_MAX_REGIONS])
{
	(void)works;
	len_bytes[0] = xfs_xmi_log_format_size;
	return 1;
}

static void intent_encode(const struct list *works,
			  uint8_t *const regions[DEFER_MAX_REGIONS])
{
	const struct exchange_work *w =
		work_of(container_of(list_first(works), struct defer_work,
				     link));
	const struct xfs_xmi_log_format f = {
		.xmi_inode1 = w->ino[0], .xmi_inode2 = w->ino[1],
		.xmi_igen1 = w->gen[0], .xmi_igen2 = w->gen[1],
		.xmi_startoff1 = w->ex.off[0], .xmi_startoff2 = w->ex.off[1],
		.xmi_blockcount = w->ex.blocks,
		.xmi_flags = w->ex.flags,
		.xmi_isize1 = w->ex.size[0], .xmi_isize2 = w->ex.size[1],
	};

	xfs_xmi_log_format_encode(regions[0], &f, 0, XFS_HOST_ORDER);
}

static void free_work(struct defer_work *w)
{
	free(work_of(w));
}

const struct defer_type defer_exchange = {
	.name = "exchange of extents",
	.intent_type = XFS_LI_XMI,
	.done_type = XFS_LI_XMD,
	.max_items = 1,
	.intent_regions = intent_regions,
	.intent_encode = intent_encode,
	.finish = finish,
	.free_work = free_work,
};

static struct exchange_work *work_new(struct trans_fs *fs)
{
	struct exchange_work *w = calloc(1, sizeof(*w));

	if (!w)
		(void)report(&fs->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			     "out of memory");
	else
		w->fs = fs;
	return w;
}

int exchange_later(struct trans *t, const struct exchange *ex)
{
	struct exchange_work *w = work_new(t->fs);

	if (!w)
		return -ENOMEM;
	w->ex = *ex;
	for (int i = 0; i < 2; i++) {
		w->ino[i] = ex->ip[i]->ino;
		w->gen[i] = ex->ip[i]->di.di_gen;
	}
	return defer_add(t, &defer_exchange, &w->work);
}

/* --- recovery --- */

static int bad_intent(struct trans_fs *fs, uint64_t ino, const char *why)
{
	return report(&fs->sink, -EUCLEAN, "intent.xmi", XLOG_LSN_NONE,
		      "xmi item of inode %llu: %s", (unsigned long long)ino,
		      why);
}

int exchange_work_decode(struct trans_fs *fs,
			 const struct xfs_xmi_log_format *xmi,
			 struct defer_work **out)
{
	struct exchange_work *w;

	if (!fs->geom.exchange)
		return bad_intent(fs, xmi->xmi_inode1,
				  "a filesystem without such a feature");
	if (!xfs_geom_ino_ok(&fs->geom, xmi->xmi_inode1) ||
	    !xfs_geom_ino_ok(&fs->geom, xmi->xmi_inode2))
		return bad_intent(fs, xmi->xmi_inode1, "no such number");
	if (!xmi->xmi_blockcount || xmi->xmi_blockcount > BMAP_MAX_OFF ||
	    xmi->xmi_startoff1 > BMAP_MAX_OFF - xmi->xmi_blockcount ||
	    xmi->xmi_startoff2 > BMAP_MAX_OFF - xmi->xmi_blockcount ||
	    xmi->xmi_isize1 > INT64_MAX || xmi->xmi_isize2 > INT64_MAX)
		return bad_intent(fs, xmi->xmi_inode1,
				  "a range that no file has");
	w = work_new(fs);
	if (!w)
		return -ENOMEM;
	w->ino[0] = xmi->xmi_inode1;
	w->ino[1] = xmi->xmi_inode2;
	w->gen[0] = xmi->xmi_igen1;
	w->gen[1] = xmi->xmi_igen2;
	w->ex = (struct exchange){
		.off = { xmi->xmi_startoff1, xmi->xmi_startoff2 },
		.blocks = xmi->xmi_blockcount, .flags = xmi->xmi_flags,
		.size = { xmi->xmi_isize1, xmi->xmi_isize2 },
	};
	*out = &w->work;
	return 0;
}

/* Blocks that trees of extents may need for all of it. */
static uint32_t estimate(const struct exchange_work *w)
{
	const struct xfs_geom *g = &w->fs->geom;
	uint32_t room = (uint32_t)xfs_btree_room(XFS_BTREE_BMAP, g->v5, true,
						 g->blocksize) / 2;
	uint64_t extents = inode_nextents(w->ex.ip[0], fork_of(&w->ex)) +
			   inode_nextents(w->ex.ip[1], fork_of(&w->ex)) + 2;
	struct xfs_levels lv;

	xfs_levels_init(&lv, g);
	if (extents > w->ex.blocks * 2 + 2)
		extents = w->ex.blocks * 2 + 2;
	return (uint32_t)(2 * (extents / room + 1) *
			  (uint64_t)(lv.bmap_data + lv.rmap));
}

/* Both are fit to be changed, and are those that were meant. */
static int check_inode(const struct exchange_work *w, int i)
{
	struct inode *ip = w->ex.ip[i];
	unsigned int format;
	int rc = 0;

	inode_lock(ip);
	format = inode_format(ip, fork_of(&w->ex));
	if (ip->di.di_gen != w->gen[i])
		rc = bad_intent(w->fs, ip->ino,
				"the inode has become another");
	else if (format != XFS_DINODE_FMT_EXTENTS &&
		 format != XFS_DINODE_FMT_BTREE)
		rc = bad_intent(w->fs, ip->ino, "it has no extents");
	else if (fork_of(&w->ex) == XFS_DATA_FORK &&
		 ip->di.di_flags & XFS_DIFLAG_REALTIME)
		rc = report(&w->fs->sink, -EOPNOTSUPP, "intent.realtime",
			    XLOG_LSN_NONE, "inode %llu: a realtime file",
			    (unsigned long long)ip->ino);
	if (!rc)
		rc = bmap_check(ip);
	inode_unlock(ip);
	return rc;
}

/* In the order of their numbers; one is locked once. */
static void join(struct trans *t, struct inode *ip[2]) UNCHECKED_LOCKING
{
	struct inode *first = ip[0]->ino < ip[1]->ino ? ip[0] : ip[1];
	struct inode *second = first == ip[0] ? ip[1] : ip[0];

	inode_join(t, first);
	inode_hold(t, first);
	if (second == first)
		return;
	inode_join(t, second);
	inode_hold(t, second);
}

int exchange_work_begin(struct trans_fs *fs, struct defer_work *work,
			struct trans **t, struct inode *ip[2])
{
	struct exchange_work *w = work_of(work);
	int rc = inode_iget(fs, w->ino[0], 0, &ip[0]);

	if (rc)
		return rc;
	rc = inode_iget(fs, w->ino[1], 0, &ip[1]);
	if (rc)
		goto put_first;
	for (int i = 0; i < 2; i++)
		w->ex.ip[i] = ip[i];
	for (int i = 0; i < 2 && !rc; i++)
		rc = check_inode(w, i);
	if (!rc)
		rc = trans_alloc_blocks(fs, XFS_TR_WRITE, estimate(w), true, t);
	if (rc)
		goto put_both;
	join(*t, ip);
	return 0;
put_both:
	inode_put(ip[1]);
put_first:
	inode_put(ip[0]);
	return rc;
}
