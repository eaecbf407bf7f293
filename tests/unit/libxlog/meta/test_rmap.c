/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owners of space that is not shared: files whose maps come, go and change.
 */
#include <criterion/criterion.h>

#include "tests/lib/spaceload.h"

enum { STEPS = 3000, MAX_LEN = 30, FILES = 3 };

static struct spaceload *l;

static void start(const struct madefs_want *want)
{
	l = spaceload_new(want, 1);
}

static struct space_block *block(xfs_fsblock_t fsb)
{
	return space_at(l->s, fsb);
}

/* A part of a record that begins at a block, if that has an owner. */
static uint32_t any_part(xfs_fsblock_t fsb)
{
	const struct space_owner *o = &block(fsb)->own[0];
	uint32_t max = xfs_ag_blocks(l->s->g, xfs_fsb_agno(l->s->g, fsb)) -
		       xfs_fsb_agbno(l->s->g, fsb), len = 1;

	for (; len < max && len < MAX_LEN && block(fsb + len)->n; len++) {
		const struct space_owner *p = &block(fsb + len)->own[0];

		if (p->owner != o->owner || p->off != o->off + len ||
		    p->attr != o->attr || p->unwritten != o->unwritten)
			break;
	}
	return 1 + spaceload_below(l, len);
}

static struct xfs_bmbt_rec extent(xfs_fsblock_t fsb, uint32_t len)
{
	const struct space_owner *o = &block(fsb)->own[0];

	return (struct xfs_bmbt_rec){
		.br_startoff = o->off, .br_startblock = fsb,
		.br_blockcount = len, .br_state = o->unwritten,
	};
}

static void map(struct trans *t, xfs_fsblock_t target)
{
	struct alloc_args a = {
		.t = t, .minlen = 1, .maxlen = 1 + spaceload_below(l, MAX_LEN),
		.owner = rmap_special(XFS_RMAP_OWN_NULL), .userdata = true,
	};
	struct space_owner who = {
		.owner = SPACELOAD_INO + spaceload_below(l, FILES),
		.attr = !spaceload_below(l, 5),
	};
	struct xfs_bmbt_rec ext;

	cr_assert_eq(alloc_near(&a, target), 0, "%s", l->f->said);
	if (a.fsb == XFS_NULL_FSBLOCK)
		return;
	who.unwritten = !who.attr && spaceload_below(l, 2);
	/* at an offset that follows from the block, records can join */
	who.off = spaceload_below(l, 3) ? a.fsb : l->next_off;
	l->next_off += a.len + 1;
	space_add(l->s, a.fsb, a.len, &who);
	ext = extent(a.fsb, a.len);
	cr_assert_eq(rmap_map_later(t, who.owner, who.attr, false, &ext), 0);
}

static void unmap(struct trans *t, xfs_fsblock_t fsb)
{
	const struct space_owner who = block(fsb)->own[0];
	uint32_t len = any_part(fsb);
	struct xfs_bmbt_rec ext = extent(fsb, len);

	cr_assert_eq(rmap_unmap_later(t, who.owner, who.attr, false, &ext), 0);
	cr_assert_eq(free_extent_later(t, fsb, len, NULL, 0), 0);
	space_remove(l->s, fsb, len, who.owner);
}

static void convert(struct trans *t, xfs_fsblock_t fsb)
{
	const struct space_owner who = block(fsb)->own[0];
	uint32_t len = any_part(fsb);
	struct xfs_bmbt_rec ext;

	for (uint32_t i = 0; i < len; i++)
		block(fsb + i)->own[0].unwritten = !who.unwritten;
	ext = extent(fsb, len);
	cr_assert_eq(rmap_convert_later(t, who.owner, who.attr, false, &ext),
		     0);
}

static void step(void)
{
	struct trans *t = spaceload_trans(l, XFS_TR_ITRUNCATE);
	uint32_t kind = spaceload_below(l, 10);
	xfs_fsblock_t fsb = 0;

	for (unsigned int i = 0; i < 500; i++) {
		xfs_agnumber_t agno = spaceload_below(l, l->s->g->agcount);

		fsb = (uint64_t)agno << l->s->g->agblklog |
		      spaceload_below(l, xfs_ag_blocks(l->s->g, agno));
		if (kind < 4 || block(fsb)->n)
			break;
	}
	if (kind < 4 || !block(fsb)->n)
		map(t, fsb);
	else if (kind < 8 && !block(fsb)->own[0].attr)
		convert(t, fsb);
	else
		unmap(t, fsb);
	spaceload_commit(l, t);
}

static void run(void)
{
	for (unsigned int i = 0; i < STEPS; i++) {
		step();
		if (i % 100 == 0)
			space_check(l->s);
	}
	madefs_unmount(l->f);
	madefs_mount(l->f);
	space_check(l->s);
	spaceload_free(l);
}

Test(rmap, of_files_at_random)
{
	start(&(struct madefs_want){ .no_reflink = true });
	run();
}

Test(rmap, of_files_at_random_in_blocks_of_1k)
{
	start(&(struct madefs_want){ .block_bytes = 1024 });
	run();
}
