/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attributes of one inode that come, change and go at random, against a list
 * of those that are there, from shortform to trees of several levels and back,
 * for both versions and small and large blocks.
 */
#include "libxlog/meta/attr_work.h"
#include "libxlog/trans/counters.h"
#include "tests/lib/newfs.h"
#include "tests/lib/stack.h"

enum { NAMES = 1500, VALUE_MAX = 9000 };

struct known {
	bool		there;
	char		name[80];
	uint8_t		fill;
	uint32_t	value_bytes;
};

struct model {
	struct newfs	*n;
	struct inode	*ip;
	struct known	known[NAMES];
	uint8_t		value[VALUE_MAX];
	uint64_t	seed;
	unsigned int	seen;
	unsigned int	depth;		/* highest tree so far */
	uint64_t	free_blocks;	/* without any attribute */
};

static uint32_t any(struct model *m, uint32_t below)
{
	return (uint32_t)(stack_random(&m->seed) % below);
}

static struct xfs_attr attr_of(struct model *m, unsigned int i)
{
	struct known *k = &m->known[i];

	memset(m->value, k->fill, k->value_bytes);
	return (struct xfs_attr){
		.name = (uint8_t *)k->name,
		.name_bytes = (uint32_t)strlen(k->name),
		.value = m->value, .value_bytes = k->value_bytes,
		.space = i % 3 ? 0 : XFS_ATTR_ROOT,
	};
}

static void get_inode(struct model *m)
{
	cr_assert_eq(inode_iget(&m->n->fs, newfs_ino(m->n, 0, 5), 0, &m->ip),
		     0, "%s", m->n->said.text);
}

static struct model *model_new(const struct newfs_options *o)
{
	struct model *m = calloc(1, sizeof(*m));
	struct trans *t;

	cr_assert_not_null(m);
	m->n = newfs_new(o);
	m->seed = (uint64_t)o->blocklog * 2 + o->v4;
	for (unsigned int i = 0; i < NAMES; i++)
		snprintf(m->known[i].name, sizeof(m->known[i].name), "%u_%.*s",
			 i, (int)any(m, 60),
			 "-a-name-that-fills-some-more-of-a-leaf-than-numbers-alone-do-x");
	get_inode(m);
	m->free_blocks = (uint64_t)counters_read(&m->n->fs,
						 TRANS_SB_FDBLOCKS);
	cr_assert_eq(trans_alloc(&m->n->fs, XFS_TR_ITRUNCATE, &t), 0);
	inode_join(t, m->ip);
	m->ip->di.di_forkoff = (uint8_t)((m->n->fs.geom.inodesize -
				xfs_dinode_core_bytes(&m->ip->di)) / 2 / 8);
	m->ip->di.di_aformat = XFS_DINODE_FMT_EXTENTS;
	inode_log(t, m->ip, XFS_ILOG_CORE);
	cr_assert_eq(trans_commit(t, NULL), 0);
	return m;
}

static void model_free(struct model *m)
{
	inode_put(m->ip);
	newfs_free(m->n);
	free(m);
}

static void change(struct model *m, const struct xfs_attr *a,
		   int (*later)(struct trans *t, struct inode *ip,
				const struct xfs_attr *a))
{
	struct trans *t;

	cr_assert_eq(attr_trans_alloc(&m->n->fs, later == attr_remove_later ?
				      NULL : a, true, &t), 0, "%s",
		     m->n->said.text);
	inode_join(t, m->ip);
	inode_hold(t, m->ip);
	cr_assert_eq(later(t, m->ip, a), 0);
	cr_assert_eq(trans_commit(t, NULL), 0, "%s", m->n->said.text);
	inode_unlock(m->ip);
}

static void step(struct model *m, uint32_t value_max)
{
	unsigned int i = any(m, NAMES);
	struct known *k = &m->known[i];
	struct xfs_attr a;

	if (k->there && any(m, 2)) {
		a = attr_of(m, i);
		change(m, &a, attr_remove_later);
		k->there = false;
		return;
	}
	/* a new one, or another value */
	k->fill = (uint8_t)any(m, 256);
	k->value_bytes = any(m, any(m, 20) ? value_max : VALUE_MAX);
	a = attr_of(m, i);
	change(m, &a, attr_set_later);
	k->there = true;
}

static int one_seen(void *ctx, const struct xfs_attr *a)
{
	struct model *m = ctx;
	unsigned long i = strtoul((const char *)a->name, NULL, 10);
	const struct known *k = &m->known[i];

	cr_assert_lt(i, NAMES);
	cr_assert(k->there, "%lu", i);
	cr_assert_eq(a->value_bytes, k->value_bytes, "%lu", i);
	if (a->value && a->value_bytes) {
		cr_assert_eq(a->value[0], k->fill);
		cr_assert_eq(a->value[a->value_bytes - 1], k->fill);
	}
	m->seen++;
	return 0;
}

static void check(struct model *m)
{
	unsigned int there = 0;
	struct trans *t;

	cr_assert_eq(trans_alloc(&m->n->fs, XFS_TR_ICHANGE, &t), 0);
	inode_join(t, m->ip);
	for (unsigned int i = 0; i < NAMES; i++) {
		struct xfs_attr a = attr_of(m, i);
		bool found;

		there += m->known[i].there;
		cr_assert_eq(attr_find(t, m->ip, &a, &found), 0, "%s",
			     m->n->said.text);
		cr_assert_eq(found, m->known[i].there, "%u", i);
	}
	m->seen = 0;
	cr_assert_eq(attr_each(t, m->ip, one_seen, m), 0);
	cr_assert_eq(m->seen, there);
	if (attr_has_blocks(m->ip)) {
		struct attr_op op = { .t = t, .ip = m->ip };
		struct attr_path path;

		cr_assert_eq(attr_path_first(&op, &path), 0);
		if (path.depth > m->depth)
			m->depth = path.depth;
	}
	trans_cancel(t);
	inode_lock(m->ip);
	cr_assert_eq(bmap_check(m->ip), 0, "%s", m->n->said.text);
	inode_unlock(m->ip);
}

static void remove_all(struct model *m)
{
	for (unsigned int i = 0; i < NAMES; i++) {
		struct xfs_attr a = attr_of(m, i);

		if (!m->known[i].there)
			continue;
		change(m, &a, attr_remove_later);
		m->known[i].there = false;
	}
	check(m);
	cr_expect_not(attr_has_blocks(m->ip));
	cr_expect_eq((uint64_t)counters_read(&m->n->fs, TRANS_SB_FDBLOCKS),
		     m->free_blocks);
}

static void random_attrs(const struct newfs_options *o, uint32_t value_max,
			 unsigned int steps, unsigned int depth)
{
	struct model *m = model_new(o);

	for (unsigned int i = 0; i < steps; i++) {
		step(m, value_max);
		if (i % 256 == 0)
			check(m);
	}
	check(m);
	cr_expect_geq(m->depth, depth);
	/* and all the same when it is read from the disk */
	inode_put(m->ip);
	newfs_forget(m->n);
	get_inode(m);
	check(m);
	remove_all(m);
	model_free(m);
}

Test(attr, come_and_go_in_blocks_of_4096)
{
	random_attrs(&(struct newfs_options){
		.blocklog = 12, .agblocks = 16384, .rmapbt = true,
	}, 100, 3000, 2);
}

Test(attr, come_and_go_in_small_blocks)
{
	random_attrs(&(struct newfs_options){
		.blocklog = 10, .agblocks = 65536, .finobt = true,
	}, 200, 3000, 2);
}

Test(attr, come_and_go_on_version_4)
{
	random_attrs(&(struct newfs_options){
		.v4 = true, .blocklog = 9, .agblocks = 65536,
	}, 100, 2000, 3);
}

Test(attr, come_and_go_in_blocks_of_64_kib)
{
	random_attrs(&(struct newfs_options){
		.blocklog = 16, .agblocks = 2048,
	}, 3000, 1500, 2);
}

Test(attr, stay_in_the_inode_while_they_can)
{
	struct model *m = model_new(&(struct newfs_options){ .blocklog = 12 });

	for (unsigned int i = 0; i < 3; i++) {
		struct xfs_attr a;

		m->known[i].value_bytes = 20;
		m->known[i].there = true;
		a = attr_of(m, i);
		change(m, &a, attr_set_later);
		check(m);
	}
	cr_expect_not(attr_has_blocks(m->ip));
	cr_expect_eq(inode_format(m->ip, XFS_ATTR_FORK),
		     XFS_DINODE_FMT_LOCAL);
	remove_all(m);
	model_free(m);
}

/*
 * The value of an attribute gets its blocks, and then nothing more happens, as
 * if power had failed: who sets it again loses none of them.
 */
Test(attr, a_value_that_was_begun_is_begun_anew)
{
	struct model *m = model_new(&(struct newfs_options){ .blocklog = 12 });
	struct xfs_attr a;
	struct attr_work w;
	int rc = -EAGAIN;

	m->known[0].value_bytes = VALUE_MAX;
	a = attr_of(m, 0);
	w = (struct attr_work){ .ip = m->ip, .ino = m->ip->ino, .old = a,
				.new = a };
	while (rc && !(w.step == ATTR_VALUE && !w.left)) {
		struct trans *t;

		cr_assert_eq(attr_trans_alloc(&m->n->fs, &a, true, &t), 0);
		inode_join(t, m->ip);
		rc = attr_work_step(t, &w);
		cr_assert_eq(rc, -EAGAIN);
		cr_assert_eq(trans_commit(t, NULL), 0);
	}
	change(m, &a, attr_set_later);
	m->known[0].there = true;
	check(m);
	remove_all(m);
	model_free(m);
}
