/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See kinds_model.h. To judge, changes are gone through from the last that has
 * to be there to the first, each compared where no later one was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxfsfmt/crc32c.h"
#include "libxlog/replay/fsread.h"
#include "tests/lib/kinds_model.h"

enum { ALIGN_BLOCKS = 64, UNIT_BYTES = 256 };

struct model_change {
	uint64_t	txn, off;
	uint32_t	len, kind;
	bool		forgotten;
	size_t		data;		/* in kinds_model.data */
};

/* --- free space --- */

struct search {
	struct kinds_model *m;
	uint32_t	blocks;
};

static int one_extent(void *ctx, const uint8_t *raw)
{
	const struct search *s = ctx;
	uint32_t start = get_be32(raw), len = get_be32(raw + 4);
	uint32_t at = (start + ALIGN_BLOCKS - 1) & ~(uint32_t)(ALIGN_BLOCKS - 1);

	if (at - start + s->blocks > len)
		return 0;
	s->m->agbno = at;
	return 1;
}

static bool find_space(struct kinds_model *m, struct xlog *log,
		       uint32_t blocks)
{
	struct xlog_recover_result res = { 0 };
	const struct xlog_recover_options opts = {
		.stop_lsn = XLOG_LSN_NONE,
	};
	struct replay r = {
		.log = log, .opts = &opts, .res = &res, .geom = log->geom,
		.written = true,
	};
	struct search s = { m, blocks };

	/* the last group is used last */
	for (m->agno = log->geom.agcount; m->agno--; ) {
		struct fstree tree = {
			.kind = XFS_BTREE_BNO, .owner = m->agno,
			.record = one_extent, .ctx = &s,
		};
		struct xfs_agf agf;

		if (!fsread_agf(&r, m->agno, &agf) &&
		    fstree_walk(&r, &tree, agf.agf_bnoroot,
				agf.agf_bnolevel) == 1)
			return true;
	}
	return false;
}

struct kinds_model *model_new(struct xlog *log, uint32_t blocks)
{
	struct kinds_model *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->inodesize = log->geom.inodesize;
	m->blocksize = log->geom.blocksize;
	m->v5 = log->geom.v5;
	if (find_space(m, log, blocks))
		return m;
	free(m);
	return NULL;
}

void model_free(struct kinds_model *m)
{
	if (!m)
		return;
	free(m->change);
	free(m->data);
	free(m);
}

/* --- changes --- */

static void *grown(void *p, size_t *room, size_t want, size_t size)
{
	if (want <= *room)
		return p;
	*room = want * 2 + 1024;
	p = realloc(p, *room * size);
	if (!p)
		abort();
	return p;
}

static struct model_change *add(struct kinds_model *m, uint64_t txn,
				uint64_t off, uint32_t len)
{
	struct model_change *c;

	m->change = grown(m->change, &m->room, m->nchanges + 1,
			  sizeof(*m->change));
	c = &m->change[m->nchanges++];
	memset(c, 0, sizeof(*c));
	c->txn = txn;
	c->off = off;
	c->len = len;
	c->data = m->data_bytes;
	return c;
}

void model_set(struct kinds_model *m, uint64_t txn, enum model_kind kind,
	       uint64_t off, const void *data, uint32_t len)
{
	struct model_change *c = add(m, txn, off, len);

	c->kind = kind;
	m->data = grown(m->data, &m->data_room, m->data_bytes + len, 1);
	memcpy(m->data + m->data_bytes, data, len);
	m->data_bytes += len;
}

void model_forget(struct kinds_model *m, uint64_t txn, uint64_t off,
		  uint32_t len)
{
	add(m, txn, off, len)->forgotten = true;
}

/* --- judging --- */

static bool is_stamp(const struct kinds_model *m, uint32_t kind, uint64_t off)
{
	uint32_t at = (uint32_t)(off % (kind == MODEL_BLOCK ? m->blocksize :
							      m->inodesize));

	if (!m->v5)		/* di_flushiter */
		return kind == MODEL_INODE && (at == 30 || at == 31);
	if (kind == MODEL_BLOCK)
		return (at >= 24 && at < 32) || (at >= 52 && at < 56);
	return (at >= 100 && at < 104) || (at >= 112 && at < 120);
}

/* Which bytes later changes have covered. */
struct unit {
	uint64_t	number;		/* + 1; 0: none */
	uint8_t		seen[UNIT_BYTES / 8];
};

struct cover {
	struct unit	*unit;
	size_t		count;		/* a power of two */
};

static bool is_first(struct cover *c, uint64_t off)
{
	uint64_t number = off / UNIT_BYTES + 1, bit = off % UNIT_BYTES;
	size_t i = (size_t)(number * 0x9e3779b97f4a7c15u >> 20);
	struct unit *u;
	bool first;

	for (;; i++) {
		u = &c->unit[i & (c->count - 1)];
		if (!u->number || u->number == number)
			break;
	}
	u->number = number;
	first = !(u->seen[bit / 8] >> bit % 8 & 1);
	u->seen[bit / 8] |= (uint8_t)(1u << bit % 8);
	return first;
}

static const char *compare(struct kinds_model *m, struct cover *cover,
			   const struct model_change *c, struct dev *dev)
{
	uint8_t *have = malloc(c->len);
	const uint8_t *want = m->data + c->data;
	const char *why = NULL;

	if (!have || dev_read(dev, c->off, have, c->len))
		why = "it cannot be read";
	for (uint32_t i = 0; i < c->len && !why; i++) {
		if (!is_first(cover, c->off + i) || c->forgotten ||
		    is_stamp(m, c->kind, c->off + i) || have[i] == want[i])
			continue;
		snprintf(m->said, sizeof(m->said), "transaction %llu: byte %llu is 0x%02x, not 0x%02x",
			 (unsigned long long)c->txn,
			 (unsigned long long)(c->off + i), have[i], want[i]);
		why = m->said;
	}
	free(have);
	return why;
}

static const char *judge_at(struct kinds_model *m, struct dev *dev)
{
	struct cover cover = { .count = 1 };
	const char *why = NULL;
	uint64_t bytes = 0;

	for (size_t i = 0; i < m->nchanges; i++)
		bytes += m->change[i].len + 2 * UNIT_BYTES;
	while (cover.count * UNIT_BYTES < 2 * bytes)
		cover.count *= 2;
	cover.unit = calloc(cover.count, sizeof(*cover.unit));
	if (!cover.unit)
		return "no memory";
	for (size_t i = m->nchanges; i-- && !why; )
		if (m->change[i].txn <= m->last)
			why = compare(m, &cover, &m->change[i], dev);
	free(cover.unit);
	return why;
}

const char *model_judge(struct kinds_model *m, struct dev *dev)
{
	uint8_t raw[4];

	if (dev_read(dev, m->counter, raw, sizeof(raw)))
		return "it cannot be read";
	m->last = get_be32(raw);
	if (m->last >= m->forced && m->last <= m->all)
		return judge_at(m, dev);
	snprintf(m->said, sizeof(m->said),
		 "of %llu transactions %llu were forced, and %llu are there",
		 (unsigned long long)m->all, (unsigned long long)m->forced,
		 (unsigned long long)m->last);
	return m->said;
}

/* --- for another day --- */

int model_save(const struct kinds_model *m, const char *path)
{
	FILE *f = fopen(path, "w");
	bool good;

	if (!f)
		return -EIO;
	good = fwrite(m, sizeof(*m), 1, f) == 1 &&
	       fwrite(m->change, sizeof(*m->change), m->nchanges, f) ==
	       m->nchanges &&
	       fwrite(m->data, 1, m->data_bytes, f) == m->data_bytes;
	return fclose(f) || !good ? -EIO : 0;
}

struct kinds_model *model_load(const char *path)
{
	struct kinds_model *m = calloc(1, sizeof(*m));
	FILE *f = fopen(path, "r");

	if (!m || !f || fread(m, sizeof(*m), 1, f) != 1)
		return NULL;
	m->change = calloc(m->nchanges + 1, sizeof(*m->change));
	m->data = malloc(m->data_bytes + 1);
	if (!m->change || !m->data ||
	    fread(m->change, sizeof(*m->change), m->nchanges, f) !=
	    m->nchanges ||
	    fread(m->data, 1, m->data_bytes, f) != m->data_bytes)
		return NULL;
	fclose(f);
	return m;
}

/* --- what is made there --- */

void kinds_make_block(uint8_t *raw, const struct xfs_geom *g,
		      xfs_agnumber_t agno, xfs_daddr_t daddr)
{
	memset(raw, 0, g->blocksize);
	put_be32(raw, g->v5 ? XFS_ABTB_CRC_MAGIC : XFS_ABTB_MAGIC);
	put_be32(raw + 8, XFS_NULL_AGBLOCK);
	put_be32(raw + 12, XFS_NULL_AGBLOCK);
	if (!g->v5)
		return;
	put_be64(raw + 16, daddr);
	memcpy(raw + 32, g->meta_uuid, sizeof(g->meta_uuid));
	put_be32(raw + 48, agno);
}

void kinds_sum_inode(uint8_t *raw, const struct xfs_geom *g)
{
	if (g->v5)
		put_le32(raw + XFS_DINODE_CRC_OFF,
			 xfs_crc_block(raw, g->inodesize, XFS_DINODE_CRC_OFF));
}

void kinds_make_inode(uint8_t *raw, const struct xfs_geom *g, xfs_ino_t ino,
		      uint32_t gen)
{
	memset(raw, 0, g->inodesize);
	put_be16(raw, XFS_DINODE_MAGIC);
	raw[4] = g->v5 ? 3 : 2;
	put_be32(raw + 92, gen);
	put_be32(raw + XFS_DINODE_UNLINKED_OFF, XFS_NULL_AGINO);
	if (g->v5) {
		put_be64(raw + 152, ino);
		memcpy(raw + 160, g->meta_uuid, sizeof(g->meta_uuid));
	}
	kinds_sum_inode(raw, g);
}
