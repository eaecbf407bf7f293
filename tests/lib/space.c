/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "libxlog/trans/counters.h"
#include "tests/lib/space.h"

struct space *space_new(struct madefs *f)
{
	struct space *s = calloc(1, sizeof(*s));

	must(s);
	s->f = f;
	s->geom = f->m->fs.geom;
	s->g = &s->geom;
	s->ag = calloc(s->g->agcount, sizeof(*s->ag));
	must(s->ag);
	for (uint32_t i = 0; i < s->g->agcount; i++) {
		s->ag[i] = calloc(s->g->agblocks, sizeof(**s->ag));
		must(s->ag[i]);
	}
	return s;
}

void space_free(struct space *s)
{
	for (uint32_t i = 0; i < s->g->agcount; i++)
		free(s->ag[i]);
	free(s->ag);
	free(s);
}

struct space_block *space_at(struct space *s, xfs_fsblock_t fsb)
{
	return &s->ag[xfs_fsb_agno(s->g, fsb)][xfs_fsb_agbno(s->g, fsb)];
}

void space_add(struct space *s, xfs_fsblock_t fsb, uint32_t len,
	       const struct space_owner *who)
{
	for (uint32_t i = 0; i < len; i++) {
		struct space_block *b = space_at(s, fsb + i);

		must(b->n < SPACE_OWNERS);
		s->owned += !b->n;
		b->own[b->n] = *who;
		if (who->owner < XFS_RMAP_OWN_COW && !who->bmbt)
			b->own[b->n].off += i;
		b->n++;
	}
}

void space_remove(struct space *s, xfs_fsblock_t fsb, uint32_t len,
		  uint64_t owner)
{
	for (uint32_t i = 0; i < len; i++) {
		struct space_block *b = space_at(s, fsb + i);
		unsigned int k = 0;

		while (k < b->n && b->own[k].owner != owner)
			k++;
		must(k < b->n);
		b->own[k] = b->own[--b->n];
		s->owned -= !b->n;
	}
}

/* --- what there is --- */

struct list_of {
	union btree_rec	*rec;
	size_t		n, room;
};

static void add(struct list_of *l, const union btree_rec *rec)
{
	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 256;
		l->rec = realloc(l->rec, l->room * sizeof(*l->rec));
		must(l->rec);
	}
	l->rec[l->n++] = *rec;
}

static int collect(struct btree_cur *cur, const union btree_rec *rec, void *ctx)
{
	(void)cur;
	add(ctx, rec);
	return 0;
}

/* Of one group, while it is looked at. */
struct group {
	struct space	*s;
	struct perag	*pag;
	struct buf	*agfbuf, *agibuf;
	struct xfs_agf	agf;
	struct xfs_agi	agi;
	uint64_t	*what;		/* of each block: XFS_RMAP_OWN_*, FREE */
	uint32_t	*free_from;	/* lengths of free extents */
	uint32_t	blocks[XFS_BTREE_REFC + 1];
	enum xfs_btree_kind kind;
	uint64_t	owner;
};

#define NOTHING	0u
#define FREE	1u
#define TESTS	2u

static void claim(struct group *g, uint64_t agbno, uint32_t len, uint64_t what)
{
	must_say(agbno < g->pag->blocks, "AG %u block %u: 0x%llx",
		 g->pag->group.agno, (uint32_t)agbno, (unsigned long long)what);
	must(len <= g->pag->blocks - agbno);
	for (uint32_t i = 0; i < len; i++) {
		must_say(g->what[agbno + i] == NOTHING,
			 "AG %u block %u: is 0x%llx and 0x%llx",
			 g->pag->group.agno, (uint32_t)agbno + i,
			 (unsigned long long)g->what[agbno + i],
			 (unsigned long long)what);
		g->what[agbno + i] = what;
	}
}

static int claim_block(struct btree_cur *cur, unsigned int level,
		       uint64_t block, struct buf *buf, void *ctx)
{
	struct group *g = ctx;

	(void)cur;
	(void)level;
	(void)buf;
	claim(g, block, 1, g->owner);
	g->blocks[g->kind]++;
	return 0;
}

static bool in_agi(enum xfs_btree_kind kind)
{
	return kind == XFS_BTREE_INO || kind == XFS_BTREE_FINO;
}

static struct list_of read_tree(struct group *g, enum xfs_btree_kind kind,
				uint64_t owner)
{
	struct list_of l = { 0 };
	struct btree_cur cur;

	btree_init_ag(&cur, NULL, &g->pag->group, kind,
		      in_agi(kind) ? g->agibuf : g->agfbuf);
	must_say(btree_query_all(&cur, collect, &l) == 0, "%s", g->s->f->said);
	g->kind = kind;
	g->owner = owner;
	must(btree_each_block(&cur, claim_block, g) == 0);
	btree_fini(&cur);
	return l;
}

/* --- free space --- */

static void check_bno(struct group *g)
{
	struct list_of l = read_tree(g, XFS_BTREE_BNO, XFS_RMAP_OWN_AG);
	uint32_t total = 0, longest = 0;
	uint64_t end = 0;

	for (size_t i = 0; i < l.n; i++) {
		const struct xfs_alloc_rec *r = &l.rec[i].alloc;

		must_say(r->ar_startblock > end, "not joined, or order");
		claim(g, r->ar_startblock, r->ar_blockcount, FREE);
		g->free_from[r->ar_startblock] = r->ar_blockcount;
		end = r->ar_startblock + r->ar_blockcount;
		total += r->ar_blockcount;
		if (r->ar_blockcount > longest)
			longest = r->ar_blockcount;
	}
	must(g->agf.agf_freeblks == total);
	must(g->agf.agf_longest == longest);
	free(l.rec);
}

static void check_cnt(struct group *g)
{
	struct list_of l = read_tree(g, XFS_BTREE_CNT, XFS_RMAP_OWN_AG);
	uint32_t total = 0;

	for (size_t i = 0; i < l.n; i++) {
		const struct xfs_alloc_rec *r = &l.rec[i].alloc;

		must_say(g->free_from[r->ar_startblock] == r->ar_blockcount,
			 "cntbt: %u from %u", r->ar_blockcount,
			 r->ar_startblock);
		total += r->ar_blockcount;
		if (i)
			must(r[0].ar_blockcount > l.rec[i - 1].alloc
				  .ar_blockcount || r->ar_startblock >
				  l.rec[i - 1].alloc.ar_startblock);
	}
	must(g->agf.agf_freeblks == total);
	free(l.rec);
}

static void check_agfl(struct group *g)
{
	uint32_t entries = xfs_agfl_entries(g->s->g), slot = g->agf.agf_flfirst;
	struct buf *agfl;

	must(ag_read_agfl(NULL, g->pag, &agfl) == 0);
	for (uint32_t i = 0; i < g->agf.agf_flcount; i++) {
		claim(g, get_be32(agfl->data + (g->s->g->v5 ? xfs_agfl_size :
						0) + 4 * slot), 1,
		      XFS_RMAP_OWN_AG);
		if (i + 1 == g->agf.agf_flcount)
			must(slot == g->agf.agf_fllast);
		slot = (slot + 1) % entries;
	}
	buf_release(agfl);
}

/* --- owners --- */

static struct xfs_rmap_rec rmap_of(uint32_t start, const struct space_owner *o)
{
	return (struct xfs_rmap_rec){
		.rm_startblock = start, .rm_blockcount = 1,
		.rm_owner = o->owner, .rm_offset = o->off,
		.rm_attr_fork = o->attr, .rm_bmbt_block = o->bmbt,
		.rm_unwritten = o->unwritten,
	};
}

static bool joins(const struct xfs_rmap_rec *a, const struct xfs_rmap_rec *b)
{
	bool offsets = a->rm_owner < XFS_RMAP_OWN_COW && !a->rm_bmbt_block;

	return a->rm_owner == b->rm_owner &&
	       a->rm_startblock + a->rm_blockcount == b->rm_startblock &&
	       a->rm_attr_fork == b->rm_attr_fork &&
	       a->rm_bmbt_block == b->rm_bmbt_block &&
	       a->rm_unwritten == b->rm_unwritten &&
	       (!offsets || a->rm_offset + a->rm_blockcount == b->rm_offset);
}

static int by_owner(const void *x, const void *y)
{
	const struct xfs_rmap_rec *a = &((const union btree_rec *)x)->rmap;
	const struct xfs_rmap_rec *b = &((const union btree_rec *)y)->rmap;

	if (a->rm_owner != b->rm_owner)
		return a->rm_owner < b->rm_owner ? -1 : 1;
	if (a->rm_attr_fork != b->rm_attr_fork)
		return a->rm_attr_fork < b->rm_attr_fork ? -1 : 1;
	if (a->rm_bmbt_block != b->rm_bmbt_block)
		return a->rm_bmbt_block < b->rm_bmbt_block ? -1 : 1;
	return a->rm_startblock < b->rm_startblock ? -1 : 1;
}

static int by_start(const void *x, const void *y)
{
	const struct xfs_rmap_rec *a = &((const union btree_rec *)x)->rmap;
	const struct xfs_rmap_rec *b = &((const union btree_rec *)y)->rmap;

	if (a->rm_startblock != b->rm_startblock)
		return a->rm_startblock < b->rm_startblock ? -1 : 1;
	if (a->rm_owner != b->rm_owner)
		return a->rm_owner < b->rm_owner ? -1 : 1;
	return a->rm_offset < b->rm_offset ? -1 : 1;
}

/* All owners of all blocks, each as one record as long as can be. */
static struct list_of expected_owners(struct group *g)
{
	struct list_of one = { 0 }, all = { 0 };

	for (uint32_t i = 0; i < g->pag->blocks; i++) {
		const struct space_block *b =
			&g->s->ag[g->pag->group.agno][i];
		const struct space_owner meta = { .owner = g->what[i] };
		union btree_rec r;

		if (g->what[i] == FREE)
			continue;
		if (g->what[i] != TESTS) {
			r.rmap = rmap_of(i, &meta);
			add(&one, &r);
		}
		for (unsigned int k = 0; k < b->n; k++) {
			r.rmap = rmap_of(i, &b->own[k]);
			add(&one, &r);
		}
	}
	qsort(one.rec, one.n, sizeof(*one.rec), by_owner);
	for (size_t i = 0; i < one.n; i++) {
		struct xfs_rmap_rec *last = all.n ? &all.rec[all.n - 1].rmap :
					    NULL;

		if (last && joins(last, &one.rec[i].rmap))
			last->rm_blockcount++;
		else
			add(&all, &one.rec[i]);
	}
	qsort(all.rec, all.n, sizeof(*all.rec), by_start);
	free(one.rec);
	return all;
}

static void check_rmap(struct group *g, const struct list_of *have)
{
	struct list_of want = expected_owners(g);

	for (size_t i = 0; i < want.n && i < have->n; i++) {
		const struct xfs_rmap_rec *w = &want.rec[i].rmap;
		const struct xfs_rmap_rec *h = &have->rec[i].rmap;

		must_say(w->rm_startblock == h->rm_startblock &&
			  w->rm_blockcount == h->rm_blockcount &&
			  w->rm_owner == h->rm_owner &&
			  w->rm_offset == h->rm_offset &&
			  w->rm_attr_fork == h->rm_attr_fork &&
			  w->rm_bmbt_block == h->rm_bmbt_block &&
			  w->rm_unwritten == h->rm_unwritten,
			  "AG %u: wants %u+%u of %llx at %llu, has %u+%u of %llx at %llu",
			  g->pag->group.agno, w->rm_startblock,
			  w->rm_blockcount, (unsigned long long)w->rm_owner,
			  (unsigned long long)w->rm_offset, h->rm_startblock,
			  h->rm_blockcount, (unsigned long long)h->rm_owner,
			  (unsigned long long)h->rm_offset);
	}
	must(want.n == have->n);
	free(want.rec);
}

/* --- reference counts --- */

static void add_count(struct list_of *l, uint32_t block, uint32_t count,
		      bool cow)
{
	struct xfs_refcount_rec *last = l->n ? &l->rec[l->n - 1].refc : NULL;
	const union btree_rec r = { .refc = {
		.rc_cow = cow, .rc_startblock = block, .rc_blockcount = 1,
		.rc_refcount = count,
	} };

	if (last && last->rc_cow == cow && last->rc_refcount == count &&
	    last->rc_startblock + last->rc_blockcount == block)
		last->rc_blockcount++;
	else
		add(l, &r);
}

static void check_refcount(struct group *g, const struct list_of *have)
{
	const struct space_block *b = g->s->ag[g->pag->group.agno];
	struct list_of want = { 0 };

	for (uint32_t i = 0; i < g->pag->blocks; i++)
		if (b[i].n > 1 && !b[i].cow)
			add_count(&want, i, b[i].n, false);
	for (uint32_t i = 0; i < g->pag->blocks; i++)
		if (b[i].cow)
			add_count(&want, i, 1, true);
	for (size_t i = 0; i < want.n && i < have->n; i++) {
		const struct xfs_refcount_rec *w = &want.rec[i].refc;
		const struct xfs_refcount_rec *h = &have->rec[i].refc;

		must_say(w->rc_cow == h->rc_cow &&
			  w->rc_startblock == h->rc_startblock &&
			  w->rc_blockcount == h->rc_blockcount &&
			  w->rc_refcount == h->rc_refcount,
			  "AG %u: wants count %u of %u+%u, has %u of %u+%u",
			  g->pag->group.agno, w->rc_refcount,
			  (uint32_t)w->rc_startblock, w->rc_blockcount,
			  h->rc_refcount, (uint32_t)h->rc_startblock,
			  h->rc_blockcount);
	}
	must_say(want.n == have->n, "refcountbt: %zu records, wants %zu",
		 have->n, want.n);
	free(want.rec);
}

/* --- a group --- */

static void claim_fixed(struct group *g)
{
	const struct xfs_geom *geom = g->s->g;
	const struct xfs_sb *sb = &g->s->f->log->sb;
	xfs_agnumber_t agno = g->pag->group.agno;

	claim(g, 0, g->pag->first, XFS_RMAP_OWN_FS);
	if (xfs_fsb_agno(geom, sb->sb_logstart) == agno)
		claim(g, xfs_fsb_agbno(geom, sb->sb_logstart),
		      sb->sb_logblocks, XFS_RMAP_OWN_LOG);
	if (xfs_ino_agno(geom, sb->sb_rootino) == agno)
		claim(g, xfs_ino_agbno(geom, sb->sb_rootino),
		      ag_chunk_inodes(geom) / geom->inopblock,
		      XFS_RMAP_OWN_INODES);
	for (uint32_t i = 0; i < g->pag->blocks; i++)
		if (g->s->ag[agno][i].n)
			claim(g, i, 1, TESTS);
}

static void check_counts(struct group *g)
{
	const struct xfs_geom *geom = g->s->g;
	const uint32_t *n = g->blocks;

	must(g->agf.agf_btreeblks == n[XFS_BTREE_BNO] - 1 + n[XFS_BTREE_CNT] - 1 +
		     (geom->rmapbt ? n[XFS_BTREE_RMAP] - 1 : 0));
	if (geom->rmapbt)
		must(g->agf.agf_rmap_blocks == n[XFS_BTREE_RMAP]);
	if (geom->reflink)
		must(g->agf.agf_refcount_blocks == n[XFS_BTREE_REFC]);
	if (geom->inobtcount) {
		must(g->agi.agi_iblocks == n[XFS_BTREE_INO]);
		must(g->agi.agi_fblocks == n[XFS_BTREE_FINO]);
	}
}

/* Returns what counts as free of it. */
static uint64_t check_group(struct space *s, xfs_agnumber_t agno)
{
	struct group g = { .s = s, .pag = perag_of(&s->f->m->fs, agno) };
	struct list_of owners = { 0 }, counts = { 0 }, inodes;

	g.what = calloc(g.pag->blocks, sizeof(*g.what));
	g.free_from = calloc(g.pag->blocks, sizeof(*g.free_from));
	must(g.what && g.free_from);
	must(ag_read_agi(NULL, g.pag, &g.agibuf) == 0);
	must_say(ag_read_agf(NULL, g.pag, &g.agfbuf) == 0, "%s", s->f->said);
	g.agf = ag_agf(g.agfbuf);
	g.agi = ag_agi(g.agibuf);
	claim_fixed(&g);
	check_bno(&g);
	check_cnt(&g);
	check_agfl(&g);
	inodes = read_tree(&g, XFS_BTREE_INO, XFS_RMAP_OWN_INOBT);
	free(inodes.rec);
	if (s->g->finobt) {
		inodes = read_tree(&g, XFS_BTREE_FINO, XFS_RMAP_OWN_INOBT);
		free(inodes.rec);
	}
	if (s->g->rmapbt)
		owners = read_tree(&g, XFS_BTREE_RMAP, XFS_RMAP_OWN_AG);
	if (s->g->reflink)
		counts = read_tree(&g, XFS_BTREE_REFC, XFS_RMAP_OWN_REFC);
	for (uint32_t i = 0; i < g.pag->blocks; i++)
		must_say(g.what[i] != NOTHING, "AG %u block %u is lost", agno,
			 i);
	if (s->g->rmapbt)
		check_rmap(&g, &owners);
	if (s->g->reflink)
		check_refcount(&g, &counts);
	check_counts(&g);
	buf_release(g.agfbuf);
	buf_release(g.agibuf);
	free(owners.rec);
	free(counts.rec);
	free(g.free_from);
	free(g.what);
	return (uint64_t)g.agf.agf_freeblks + g.agf.agf_flcount +
	       g.agf.agf_btreeblks;
}

void space_check(struct space *s)
{
	uint64_t fdblocks = 0;

	for (xfs_agnumber_t i = 0; i < s->g->agcount; i++)
		fdblocks += check_group(s, i);
	must_say(counters_read(&s->f->m->fs, TRANS_SB_FDBLOCKS) == (int64_t)fdblocks,
		 "fdblocks %lld, groups have %lld",
		 (long long)counters_read(&s->f->m->fs,
					      TRANS_SB_FDBLOCKS), (long long)fdblocks);
}

/* --- models of what is there --- */

static int take_owner(struct btree_cur *cur, const union btree_rec *rec,
		      void *ctx)
{
	const struct xfs_rmap_rec *r = &rec->rmap;
	struct space *s = ctx;
	const struct space_owner who = {
		.owner = r->rm_owner, .off = r->rm_offset,
		.attr = r->rm_attr_fork, .bmbt = r->rm_bmbt_block,
		.unwritten = r->rm_unwritten,
	};
	xfs_fsblock_t fsb = perag_fsb(perag_of(cur->fs, cur->group->agno),
				      r->rm_startblock);

	if (r->rm_owner > XFS_RMAP_OWN_COW)
		return 0;
	space_add(s, fsb, r->rm_blockcount, &who);
	for (uint32_t i = 0; i < r->rm_blockcount; i++)
		space_at(s, fsb + i)->cow = r->rm_owner == XFS_RMAP_OWN_COW;
	return 0;
}

struct space *space_read(struct madefs *f)
{
	struct space *s = space_new(f);

	for (xfs_agnumber_t i = 0; i < s->g->agcount; i++) {
		struct perag *pag = perag_of(&f->m->fs, i);
		struct btree_cur cur;
		struct buf *b;

		must_say(ag_read_agf(NULL, pag, &b) == 0, "%s", f->said);
		btree_init_ag(&cur, NULL, &pag->group, XFS_BTREE_RMAP, b);
		must_say(btree_query_all(&cur, take_owner, s) == 0, "%s",
			 f->said);
		btree_fini(&cur);
		buf_release(b);
	}
	return s;
}

void space_forget_cow(struct space *s)
{
	for (xfs_agnumber_t a = 0; a < s->g->agcount; a++)
		for (uint32_t i = 0; i < xfs_ag_blocks(s->g, a); i++) {
			struct space_block *b = &s->ag[a][i];

			if (!b->cow)
				continue;
			memset(b, 0, sizeof(*b));
			s->owned--;
		}
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 29;
}

uint64_t space_digest(const struct space *s)
{
	uint64_t sum = 0;

	for (xfs_agnumber_t a = 0; a < s->g->agcount; a++)
		for (uint32_t i = 0; i < xfs_ag_blocks(s->g, a); i++) {
			const struct space_block *b = &s->ag[a][i];

			/* in whatever order owners are in the model */
			for (unsigned int k = 0; k < b->n && !b->cow; k++) {
				const struct space_owner *o = &b->own[k];
				uint64_t h = mix(mix(a, i), o->owner);

				h = mix(h, o->off);
				sum += mix(h, o->attr + 2u * o->bmbt +
					   4u * o->unwritten);
			}
		}
	return sum;
}
