/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Groups with a few wrong bytes, of which no checksum tells: whatever is made
 * of them, it ends, and nothing outside of them is touched.
 */
#include <criterion/criterion.h>

#include "tests/lib/spaceload.h"

enum { AG = 1, ROUNDS = 150, LEN = 40, FIRST = 100, BLOCKS = 6 };

static struct spaceload *l;

/* Blocks of the group that may be damaged; the checksum of each. */
static uint64_t place(unsigned int which, uint32_t *len, uint32_t *crc_off)
{
	static const enum xfs_btree_kind kinds[BLOCKS] = {
		[2] = XFS_BTREE_BNO, [3] = XFS_BTREE_CNT,
		[4] = XFS_BTREE_RMAP, [5] = XFS_BTREE_REFC,
	};
	const struct xfs_geom *g = l->s->g;
	uint64_t at = xfs_agb_to_daddr(g, AG, 0);

	*len = g->sectsize;
	*crc_off = which ? XFS_AGFL_CRC_OFF : XFS_AGF_CRC_OFF;
	if (which < 2)
		return at + (which ? 3 : 1) * (g->sectsize / BB_SIZE);
	*len = g->blocksize;
	*crc_off = XFS_BTREE_SHORT_CRC_OFF;
	return xfs_agb_to_daddr(g, AG, ag_first_root(g, kinds[which]));
}

static void damage(void)
{
	const struct xfs_geom *g = l->s->g;
	static const uint8_t bytes[] = { 0, 1, 0x7f, 0x80, 0xff };
	unsigned int n = 1 + spaceload_below(l, 3);
	static uint8_t raw[4096];
	uint32_t len, crc_off, off;
	uint64_t daddr = place(spaceload_below(l, g->v5 ? BLOCKS : 4), &len,
			       &crc_off);

	madefs_read(l->f, daddr, raw, len);
	while (n--) {
		/* where there is something */
		off = 4 + spaceload_below(l, 140);
		raw[off] = bytes[spaceload_below(l, sizeof(bytes))];
	}
	if (g->v5)
		put_le32(raw + crc_off, xfs_crc_block(raw, len, crc_off));
	madefs_write(l->f, daddr, raw, len);
}

static void end(struct trans *t, int rc)
{
	if (rc)
		trans_cancel(t);
	else
		rc = trans_commit(t, NULL);
	cr_expect(rc == 0 || rc == -EUCLEAN || rc == -ESHUTDOWN ||
		  rc == -EBADMSG || rc == -ENOSPC, "%d: %s", rc, l->f->said);
}

static bool begin(struct trans **t)
{
	return !trans_alloc(&l->f->m->fs, XFS_TR_ITRUNCATE, t);
}

/* Each only if the log is still alive. */
static void use(void)
{
	struct perag *pag = perag_of(&l->f->m->fs, AG);
	struct xfs_bmbt_rec ext = {
		.br_startblock = perag_fsb(pag, FIRST + 4), .br_blockcount = 9,
		.br_startoff = 11,
	};
	const struct rmap_owner who = { .owner = SPACELOAD_INO, .offset = 7 };
	struct alloc_args a = {
		.minlen = 1, .maxlen = 300, .alignment = 4, .owner = who,
	};
	struct trans *t;
	int rc;

	if (begin(&t)) {
		rc = refcount_increase_later(t, ext.br_startblock, 9);
		if (!rc)
			rc = rmap_map_later(t, SPACELOAD_INO + 1, 0, true,
					    &ext);
		end(t, rc);
	}
	if (begin(&a.t))
		end(a.t, alloc_near(&a, perag_fsb(pag, FIRST + 500)));
	if (begin(&a.t))
		end(a.t, alloc_this_ag(&a, AG));
	if (begin(&t))
		end(t, free_extent(t, pag, FIRST, 4, &who, 0));
	if (begin(&t)) {
		rc = rmap_unmap_later(t, SPACELOAD_INO + 1, 0, true, &ext);
		if (!rc)
			rc = refcount_decrease_later(t, ext.br_startblock, 9);
		end(t, rc);
	}
}

static void round_of(uint64_t seed, bool v4)
{
	struct alloc_args a = {
		.minlen = LEN, .maxlen = LEN,
		.owner = { .owner = SPACELOAD_INO, .offset = 7 },
	};

	l = spaceload_new(&(struct madefs_want){ .v4 = v4 }, seed);
	a.t = spaceload_trans(l, XFS_TR_ITRUNCATE);
	cr_assert_eq(alloc_exact(&a, (uint64_t)AG << l->s->g->agblklog |
				     FIRST), 0);
	spaceload_commit(l, a.t);
	space_add(l->s, a.fsb, LEN, &(struct space_owner){
		.owner = SPACELOAD_INO, .off = 7,
	});
	spaceload_steps(l, 40);
	madefs_unmount(l->f);
	damage();
	madefs_mount(l->f);
	use();
	spaceload_free(l);
}

Test(alloc_garbage, of_version_5_comes_to_an_end)
{
	for (uint64_t seed = 1; seed <= ROUNDS; seed++)
		round_of(seed, false);
}

Test(alloc_garbage, of_version_4_comes_to_an_end)
{
	for (uint64_t seed = 1; seed <= ROUNDS; seed++)
		round_of(seed, true);
}
