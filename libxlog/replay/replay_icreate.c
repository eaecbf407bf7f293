/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ICREATE items: a chunk of new inodes, which version 5 logs as one item of a
 * few bytes. Whatever lies there becomes free inodes: no LSN is asked, since
 * all that was done with these inodes later is in the log behind the item, and
 * applies to inodes whose LSN is 0.
 *
 * The chunk is made of the buffers in which Linux keeps inodes. If one of them
 * is cancelled later, none is made: the chunk was freed.
 */
#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/inode.h"
#include "libxlog/replay/window.h"

enum {
	/* offsets in an inode */
	VERSION_OFF = 4,
	GEN_OFF = 92,
	INO_OFF = 152,
	UUID_OFF = 160,
};

struct chunk {
	xfs_daddr_t	daddr;
	xfs_ino_t	ino;		/* of its first inode */
	uint32_t	gen;
	uint32_t	clusters;	/* buffers it is made of */
};

static int bad_chunk(struct replay *r, const struct replay_item *it,
		     const char *why)
{
	return replay_refuse(r, -EUCLEAN, "item.icreate", it->lsn,
			     "icreate item: %s", why);
}

static int parse(struct replay *r, const struct replay_item *it,
		 struct chunk *c)
{
	const char *why = xfs_logitem_verify(&it->view);
	const struct xfs_geom *g = &r->geom;
	struct xfs_icreate_log icl;
	uint32_t ag_blocks, len_bb;

	if (why)
		return bad_chunk(r, it, why);
	xfs_icreate_log_decode(&icl, it->view.regions[0].data,
			       xfs_icreate_log_size, it->view.order);
	ag_blocks = xfs_ag_blocks(g, icl.icl_ag);
	if (icl.icl_agbno >= ag_blocks ||
	    icl.icl_length > ag_blocks - icl.icl_agbno)
		return bad_chunk(r, it, "inode chunk past the end of its group");
	len_bb = icl.icl_length << (g->blocklog - BB_SHIFT);
	if (len_bb % r->cluster_bb)
		return bad_chunk(r, it, "inode chunk of a part of a buffer");
	*c = (struct chunk){
		.daddr = xfs_agb_to_daddr(g, icl.icl_ag, icl.icl_agbno),
		.ino = xfs_ino_make(g, icl.icl_ag,
				    icl.icl_agbno << g->inopblog),
		.gen = icl.icl_gen,
		.clusters = len_bb / r->cluster_bb,
	};
	return 0;
}

static xfs_daddr_t cluster_daddr(const struct replay *r,
				 const struct chunk *c, uint32_t i)
{
	return c->daddr + (uint64_t)i * r->cluster_bb;
}

static int plan_icreate(struct replay *r, const struct replay_item *it)
{
	struct chunk c;
	int rc = parse(r, it, &c);

	for (uint32_t i = 0; !rc && i < c.clusters; i++)
		rc = plan_target(r, it, cluster_daddr(r, &c, i),
				 r->cluster_bb);
	return rc;
}

static void make_inode(const struct replay *r, uint8_t *raw, xfs_ino_t ino,
		       uint32_t gen)
{
	const struct xfs_geom *g = &r->geom;

	memset(raw, 0, g->inodesize);
	put_be16(raw, XFS_DINODE_MAGIC);
	raw[VERSION_OFF] = g->v5 ? 3 : 2;
	put_be32(raw + GEN_OFF, gen);
	put_be32(raw + XFS_DINODE_UNLINKED_OFF, XFS_NULL_AGINO);
	if (!g->v5)
		return;
	put_be64(raw + INO_OFF, ino);
	memcpy(raw + UUID_OFF, g->meta_uuid, sizeof(g->meta_uuid));
	put_le32(raw + XFS_DINODE_CRC_OFF,
		 xfs_crc_block(raw, g->inodesize, XFS_DINODE_CRC_OFF));
}

static void make_cluster(const struct replay *r, struct target *t,
			 const struct chunk *c, uint32_t i)
{
	uint32_t count = r->cluster_bb * BB_SIZE / r->geom.inodesize;
	xfs_ino_t ino = c->ino + (uint64_t)i * count;

	for (uint32_t n = 0; n < count; n++)
		make_inode(r, t->data + (size_t)n * r->geom.inodesize,
			   ino + n, c->gen);
	t->inodes = true;
	t->dirty = true;
}

/* How many of the buffers are cancelled here or later. */
static uint32_t cancelled(const struct replay *r, const struct replay_item *it,
			  const struct chunk *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->clusters; i++)
		n += targets_cancelled(r->targets, cluster_daddr(r, c, i),
				       r->cluster_bb, it->seq);
	return n;
}

/* @n of the buffers are cancelled: say so, but only in the first window. */
static void skip(struct replay *r, const struct replay_item *it,
		 const struct chunk *c, uint32_t n)
{
	if (!r->counting || r->window->first)
		return;
	r->res->cancelled++;
	if (n < c->clusters)
		notice(&r->log->sink, XLOG_WARNING, "icreate.cancelled",
		       it->lsn, "%u of the %u buffers of a new inode chunk at daddr %llu were freed later; left out",
		       n, c->clusters, (unsigned long long)c->daddr);
}

static int apply_icreate(struct replay *r, const struct replay_item *it)
{
	struct chunk c;
	int rc = parse(r, it, &c);
	uint32_t n;

	if (rc)
		return rc;
	n = cancelled(r, it, &c);
	if (n) {
		skip(r, it, &c, n);
		return 0;
	}
	for (uint32_t i = 0; i < c.clusters; i++) {
		struct target *t = apply_target(r, it, cluster_daddr(r, &c, i),
						r->cluster_bb);

		if (!t)
			continue;
		make_cluster(r, t, &c, i);
		/* each lies in one window: once per item */
		if (!i && r->counting)
			r->res->icreates++;
	}
	return 0;
}

const struct replay_type replay_icreate = {
	.type = XFS_LI_ICREATE,
	.plan = plan_icreate,
	.apply = apply_icreate,
};
