/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Damaged trees: blocks whose checksums are right and whose contents are not.
 * What is damaged, and what is done with the tree then, is said by a string of
 * bytes, so that a fuzzer can say it. See treelab.h.
 */
#include "libxfsfmt/crc32c.h"
#include "tests/lib/stack.h"
#include "tests/lib/treelab_priv.h"

struct treelab *treelab_victim(enum xfs_btree_kind kind, bool v5)
{
	const struct treelab_opts o = {
		.kind = kind, .block_bytes = v5 ? 1024 : 512, .v5 = v5,
		.keys = 3000, .seed = 7,
	};
	struct treelab *lab = treelab_new(&o);

	for (uint32_t i = 0; i < 3 * o.keys; i++)
		treelab_op(lab, 90);
	treelab_check(lab);
	treelab_close(lab);
	return lab;
}

struct input {
	const uint8_t	*p, *end;
};

static uint32_t take(struct input *in, unsigned int bytes)
{
	uint32_t v = 0;

	while (bytes--)
		v = v << 8 | (in->p < in->end ? *in->p++ : 0);
	return v;
}

/* --- damage --- */

struct victim {
	struct treelab	*lab;
	struct dev	*dev;
	uint32_t	*block;		/* of the group: those of the tree */
	uint32_t	nblocks;
};

static void list_blocks(struct victim *v)
{
	struct treelab *lab = v->lab;

	v->block = malloc((lab->blocks + 1) * sizeof(*v->block));
	CHECK(lab, v->block);
	for (uint32_t i = 0; i < lab->sb.sb_agblocks &&
	     v->nblocks < lab->blocks; i++)
		if (lab->space[i] == 1)
			v->block[v->nblocks++] = i;
}

static void put_ptr(const struct victim *v, uint8_t *p, uint32_t agbno)
{
	if (xfs_btree_ops[v->lab->opts.kind].is_long)
		put_be64(p, (uint64_t)TREELAB_AGNO << v->lab->sb.sb_agblklog |
			    agbno);
	else
		put_be32(p, agbno);
}

/* Where a pointer of @raw is: a sibling, or one to a child. */
static size_t ptr_off(const struct victim *v, const uint8_t *raw,
		      uint32_t which)
{
	enum xfs_btree_kind kind = v->lab->opts.kind;
	size_t bytes = xfs_btree_ptr_bytes(kind);
	size_t room = xfs_btree_room(kind, v->lab->opts.v5, false,
				     v->lab->opts.block_bytes);
	uint32_t num = get_be16(raw + 6);

	if (!get_be16(raw + 4) || !num || which % 4 < 2)
		return 8 + which % 2 * bytes;
	return xfs_btree_hdr_bytes(kind, v->lab->opts.v5) +
	       room * xfs_btree_ops[kind].key_bytes +
	       which / 4 % (num < room ? num : room) * bytes;
}

/* One element over another. */
static void copy_elem(const struct victim *v, uint8_t *raw, uint32_t from,
		      uint32_t to)
{
	enum xfs_btree_kind kind = v->lab->opts.kind;
	const struct xfs_btree_ops *fmt = &xfs_btree_ops[kind];
	bool leaf = !get_be16(raw + 4);
	size_t bytes = leaf ? fmt->rec_bytes : fmt->key_bytes;
	size_t room = xfs_btree_room(kind, v->lab->opts.v5, leaf,
				     v->lab->opts.block_bytes);
	uint8_t *elems = raw + xfs_btree_hdr_bytes(kind, v->lab->opts.v5);

	memmove(elems + to % room * bytes, elems + from % room * bytes, bytes);
}

static void damage_block(struct victim *v, uint8_t *raw, struct input *in)
{
	uint32_t how = take(in, 1), a = take(in, 2), b = take(in, 2);
	uint32_t bytes = v->lab->opts.block_bytes;

	switch (how % 6) {
	case 0:
		raw[a % bytes] ^= (uint8_t)(1 + b % 255);
		break;
	case 1:
		put_ptr(v, raw + ptr_off(v, raw, a), v->block[b % v->nblocks]);
		break;
	case 2:
		put_be16(raw + 4, (uint16_t)(a % 4));
		break;
	case 3:
		put_be16(raw + 6, (uint16_t)(a % 128));
		break;
	case 4:
		copy_elem(v, raw, a, b);
		break;
	default:
		put_be32(raw + a % (bytes - 3), b % 2 ? UINT32_MAX : 0);
	}
}

static void fix_sum(const struct victim *v, uint8_t *raw, size_t bytes,
		    size_t crc_off)
{
	if (v->lab->opts.v5)
		put_le32(raw + crc_off, xfs_crc_block(raw, bytes, crc_off));
}

static void damage_one(struct victim *v, struct input *in)
{
	struct treelab *lab = v->lab;
	uint32_t bytes = lab->opts.block_bytes;
	uint32_t block = v->block[take(in, 2) % v->nblocks];
	uint64_t off = treelab_daddr(lab, block) * BB_SIZE;
	uint8_t *raw = malloc(bytes);

	if (treelab_in_fork(lab))
		off = treelab_daddr(lab, (uint64_t)TREELAB_AGNO <<
				    lab->sb.sb_agblklog | block) * BB_SIZE;
	CHECK(lab, raw && !dev_read(v->dev, off, raw, bytes));
	damage_block(v, raw, in);
	fix_sum(v, raw, bytes, xfs_btree_ops[lab->opts.kind].is_long ?
		XFS_BTREE_LONG_CRC_OFF : XFS_BTREE_SHORT_CRC_OFF);
	CHECK(lab, !dev_write(v->dev, off, raw, bytes));
	free(raw);
}

/* The header of the group: the root, or its level. */
static void damage_root(struct victim *v, struct input *in)
{
	struct treelab *lab = v->lab;
	const struct treelab_ag *ag = &treelab_ags[lab->opts.kind];
	uint64_t off = treelab_ag_daddr(lab) * BB_SIZE;
	uint32_t a = take(in, 1);
	uint8_t raw[BB_SIZE];

	if (!ag->root)
		return;
	CHECK(lab, !dev_read(v->dev, off, raw, sizeof(raw)));
	if (a % 2)
		put_be32(raw + ag->level, a / 2 % 21);
	else
		put_be32(raw + ag->root, v->block[a / 2 % v->nblocks]);
	fix_sum(v, raw, sizeof(raw), ag->in_agi ? XFS_AGI_CRC_OFF :
						  XFS_AGF_CRC_OFF);
	CHECK(lab, !dev_write(v->dev, off, raw, sizeof(raw)));
}

/* --- use --- */

static int count(struct btree_cur *cur, const union btree_rec *rec, void *ctx)
{
	(void)cur;
	(void)rec;
	++*(uint64_t *)ctx;
	return 0;
}

static int count_block(struct btree_cur *cur, unsigned int level,
		       uint64_t block, struct buf *buf, void *ctx)
{
	(void)cur;
	(void)level;
	(void)block;
	(void)buf;
	++*(uint64_t *)ctx;
	return 0;
}

static int walk(struct treelab *lab, uint32_t n)
{
	bool found = true;
	int rc = 0;

	for (uint32_t i = 0; !rc && found && i < n % 256; i++)
		rc = n & 256 ? btree_next(&lab->cur, &found) :
			       btree_prev(&lab->cur, &found);
	return rc;
}

static int change(struct treelab *lab, uint32_t how, const union btree_rec *rec,
		  bool found)
{
	bool done;

	if (how % 3 == 0 && !found)
		return btree_insert(&lab->cur, rec, &done);
	if (how % 3 == 1)
		return btree_delete(&lab->cur, &done);
	return found ? btree_update(&lab->cur, rec) : 0;
}

static int use_once(struct treelab *lab, struct input *in)
{
	uint32_t how = take(in, 1), k = take(in, 2) % lab->opts.keys;
	uint64_t n = 0;
	union btree_rec rec, high, other;
	bool found;
	int rc;

	treelab_rec(lab, k, &rec);
	treelab_rec(lab, k + (lab->opts.keys - 1 - k) / 2, &high);
	switch (how % 8) {
	case 0:
		return btree_query_all(&lab->cur, count, &n);
	case 1:
		return btree_query_range(&lab->cur, &rec, &high, count, &n);
	case 2:
		return btree_each_block(&lab->cur, count_block, &n);
	case 3:
		rc = btree_lookup(&lab->cur, how / 8 % 2 ? BTREE_LE : BTREE_GE,
				  &rec, &found);
		if (!rc)
			rc = btree_get(&lab->cur, &other, &found);
		return rc ? rc : walk(lab, take(in, 2));
	default:
		rc = btree_lookup(&lab->cur, BTREE_EQ, &rec, &found);
		return rc ? rc : change(lab, how / 8, &rec, found);
	}
}

/*
 * Without a transaction, too: then a lock taken twice would show. *@header: the
 * header of the group is not even what it could be.
 */
static int look(struct treelab *lab, bool *header)
{
	struct btree_cur cur;
	struct buf *buf = NULL;
	uint64_t n = 0;
	int rc;

	if (lab->ip) {
		btree_init_fork(&cur, NULL, lab->ip, lab->opts.whichfork, NULL);
	} else {
		const struct trans_buf_ops *ops =
			treelab_ags[lab->opts.kind].in_agi ? &trans_agi_ops :
							     &trans_agf_ops;

		rc = trans_read_buf(&lab->fs, NULL, treelab_ag_daddr(lab), 1,
				    ops, &buf);
		*header = rc;
		if (rc)
			return rc;
		btree_init_ag(&cur, NULL, &lab->group, lab->opts.kind, buf);
	}
	rc = btree_query_all(&cur, count, &n);
	btree_fini(&cur);
	if (buf)
		buf_release(buf);
	return rc;
}

static int use(struct treelab *lab, struct input *in)
{
	bool header = false;
	int rc = look(lab, &header);

	CHECK(lab, !rc || rc == -EUCLEAN);
	if (header)
		return rc;
	rc = 0;
	treelab_begin(lab);
	while (!rc && in->p < in->end)
		rc = use_once(lab, in);
	btree_fini(&lab->cur);
	trans_cancel(lab->t);
	lab->t = NULL;
	return rc;
}

int treelab_abuse(struct treelab *lab, const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	struct victim v = { .lab = lab };
	uint32_t blocks = lab->next_block;
	unsigned int how;
	int rc;

	CHECK(lab, !stack_overlay(lab->dev, &v.dev));
	list_blocks(&v);
	how = take(&in, 1);
	for (unsigned int i = 0; v.nblocks && i < how % 4; i++)
		damage_one(&v, &in);
	if (how / 4 % 16 == 0)
		damage_root(&v, &in);
	lab->abused = true;
	lab->reports[0] = 0;
	treelab_open_fs(lab, v.dev);
	rc = treelab_get_inode(lab);
	if (!rc)
		rc = use(lab, &in);
	CHECK(lab, !rc || rc == -EUCLEAN);
	treelab_close_fs(lab);
	lab->abused = false;
	lab->next_block = blocks;
	free(v.block);
	dev_close(v.dev);
	return rc;
}
