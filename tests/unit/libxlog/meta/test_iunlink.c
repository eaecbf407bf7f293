/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Unlinked lists against lists in memory: inodes go in at the front and out
 * from anywhere, of both versions. Damaged lists are left as they are.
 */
#include "libxfsfmt/crc32c.h"
#include "libxlog/meta/iunlink.h"
#include "libxlog/trans/inode_item.h"
#include "tests/lib/newfs.h"
#include "tests/lib/stack.h"

enum { MAX_INODES = 512 };

struct lists {
	struct newfs	*n;
	uint64_t	seed;
	unsigned int	count;		/* inodes of group 1 */
	/* agino of the first, and of the one behind each */
	xfs_agino_t	head[XFS_AGI_BUCKETS], next[MAX_INODES];
	bool		in[MAX_INODES];
};

static xfs_agino_t agino_of(const struct lists *l, unsigned int i)
{
	return xfs_ino_agino(&l->n->fs.geom, newfs_ino(l->n, 1, i));
}

static unsigned int index_of(const struct lists *l, xfs_agino_t agino)
{
	unsigned int i = 0;

	while (agino_of(l, i) != agino)
		i++;
	return i;
}

static struct lists *lists_new(const struct newfs_options *o)
{
	struct lists *l = calloc(1, sizeof(*l));

	cr_assert_not_null(l);
	l->n = newfs_new(o);
	l->seed = 7;
	l->count = newfs_inodes(l->n);
	cr_assert_leq(l->count, MAX_INODES);
	memset(l->head, 0xff, sizeof(l->head));
	memset(l->next, 0xff, sizeof(l->next));
	return l;
}

static void lists_free(struct lists *l)
{
	newfs_free(l->n);
	free(l);
}

static int change(struct lists *l, unsigned int i, bool insert)
{
	struct inode *ip;
	struct trans *t;
	int rc;

	cr_assert_eq(inode_iget(&l->n->fs, newfs_ino(l->n, 1, i), 0, &ip), 0,
		     "%s", l->n->said.text);
	cr_assert_eq(trans_alloc(&l->n->fs, XFS_TR_IFREE, &t), 0);
	inode_join(t, ip);
	rc = insert ? iunlink_insert(t, ip) : iunlink_remove(t, ip, false);
	if (rc) {
		/* nothing was changed: the log lives on */
		cr_assert_not(t->dirty);
		trans_cancel(t);
	} else {
		cr_assert_eq(trans_commit(t, NULL), 0);
	}
	inode_put(ip);
	return rc;
}

static void insert(struct lists *l, unsigned int i)
{
	xfs_agino_t *head = &l->head[agino_of(l, i) % XFS_AGI_BUCKETS];

	cr_assert_eq(change(l, i, true), 0, "%s", l->n->said.text);
	l->next[i] = *head;
	*head = agino_of(l, i);
	l->in[i] = true;
}

static void remove_one(struct lists *l, unsigned int i)
{
	xfs_agino_t *at = &l->head[agino_of(l, i) % XFS_AGI_BUCKETS];

	cr_assert_eq(change(l, i, false), 0, "%s", l->n->said.text);
	while (*at != agino_of(l, i))
		at = &l->next[index_of(l, *at)];
	*at = l->next[i];
	l->next[i] = XFS_NULL_AGINO;
	l->in[i] = false;
}

static void compare(struct lists *l)
{
	for (unsigned int b = 0; b < XFS_AGI_BUCKETS; b++) {
		xfs_agino_t agino, want = l->head[b];

		cr_assert_eq(iunlink_first(&l->n->fs, 1, b, &agino), 0);
		while (want != XFS_NULL_AGINO) {
			cr_assert_eq(agino, want);
			want = l->next[index_of(l, want)];
			cr_assert_eq(iunlink_next(&l->n->fs, 1, b, agino,
						  &agino), 0, "%s",
				     l->n->said.text);
		}
		cr_assert_eq(agino, XFS_NULL_AGINO);
	}
}

static void random_lists(const struct newfs_options *o)
{
	struct lists *l = lists_new(o);

	for (unsigned int step = 0; step < 2000; step++) {
		unsigned int i = (unsigned int)(stack_random(&l->seed) %
						l->count);

		if (l->in[i])
			remove_one(l, i);
		else
			insert(l, i);
		if (step % 100 == 0)
			compare(l);
	}
	newfs_settle(l->n);
	compare(l);
	assert_silent(&l->n->said);
	lists_free(l);
}

static const struct newfs_options v4 = { .v4 = true, .chunks = 6 };
static const struct newfs_options v5 = { .chunks = 6 };

Test(iunlink, random_lists_v4)
{
	random_lists(&v4);
}

Test(iunlink, random_lists_v5)
{
	random_lists(&v5);
}

Test(iunlink, random_lists_v4_512)
{
	const struct newfs_options o = {
		.v4 = true, .blocklog = 9, .chunks = 6,
	};

	random_lists(&o);
}

Test(iunlink, random_lists_v5_64k)
{
	const struct newfs_options o = { .blocklog = 16, .chunks = 4 };

	random_lists(&o);
}

Test(iunlink, what_is_in_a_list_is_not_put_in_again)
{
	struct lists *l = lists_new(&v5);

	insert(l, 0);
	cr_assert_eq(change(l, 0, true), -EUCLEAN);
	assert_said(&l->n->said, "is in it already");
	/* nor is what has others behind it */
	insert(l, 64);
	cr_assert_eq(change(l, 64, true), -EUCLEAN);
	assert_said(&l->n->said, "is in it already");
	compare(l);
	lists_free(l);
}

Test(iunlink, what_is_in_no_list_is_not_taken_out)
{
	struct lists *l = lists_new(&v5);

	insert(l, 0);
	cr_assert_eq(change(l, 64, false), -EUCLEAN);
	assert_said(&l->n->said, "is not in it");
	cr_assert_eq(change(l, 1, false), -EUCLEAN);
	assert_said(&l->n->said, "is not in it");
	compare(l);
	lists_free(l);
}

/* Make inode @i say on the device that @agino comes behind it. */
static void damage(struct lists *l, unsigned int i, xfs_agino_t agino)
{
	const struct xfs_geom *g = &l->n->fs.geom;
	uint64_t at = (xfs_agb_to_daddr(g, 1, 0) * BB_SIZE) +
		      ((uint64_t)agino_of(l, i) << g->inodelog);
	uint8_t raw[XFS_DINODE_MAX_BYTES];

	newfs_settle(l->n);
	cr_assert_eq(dev_read(l->n->data, at, raw, g->inodesize), 0);
	put_be32(raw + XFS_DINODE_UNLINKED_OFF, agino);
	put_le32(raw + XFS_DINODE_CRC_OFF,
		 xfs_crc_block(raw, g->inodesize, XFS_DINODE_CRC_OFF));
	cr_assert_eq(dev_write(l->n->data, at, raw, g->inodesize), 0);
	newfs_forget(l->n);
}

Test(iunlink, a_list_in_a_circle_is_found)
{
	struct lists *l = lists_new(&v5);

	for (unsigned int c = 0; c < 4; c++)
		insert(l, 64 * c);
	/* 3, 2, 1, 0, 2, 1, 0, ...: 4 is not in it */
	damage(l, 0, agino_of(l, 128));
	cr_assert_eq(change(l, 256, false), -EUCLEAN);
	assert_said(&l->n->said, "comes again and again");
	lists_free(l);
}

Test(iunlink, a_next_inode_that_cannot_be_is_found)
{
	struct lists *l = lists_new(&v5);
	xfs_agino_t agino;

	insert(l, 0);
	damage(l, 0, agino_of(l, 1));
	cr_assert_eq(change(l, 0, false), -EUCLEAN);
	assert_said(&l->n->said, "belongs in another list");
	cr_assert_eq(iunlink_next(&l->n->fs, 1, agino_of(l, 0) %
				  XFS_AGI_BUCKETS, agino_of(l, 0), &agino),
		     -EUCLEAN);
	assert_said(&l->n->said, "belongs in another list");
	damage(l, 0, agino_of(l, 0));
	cr_assert_eq(change(l, 0, false), -EUCLEAN);
	assert_said(&l->n->said, "comes after itself");
	lists_free(l);
}

Test(iunlink, a_list_can_be_cut_off)
{
	struct lists *l = lists_new(&v5);
	unsigned int bucket;

	insert(l, 3);
	insert(l, 4);
	bucket = agino_of(l, 3) % XFS_AGI_BUCKETS;
	cr_assert_eq(iunlink_clear(&l->n->fs, 1, bucket), 0);
	l->head[bucket] = XFS_NULL_AGINO;
	newfs_settle(l->n);
	compare(l);
	lists_free(l);
}
