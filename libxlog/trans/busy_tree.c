/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tree of busy blocks; see busy_tree.h.
 */
#include "libxlog/trans/busy_tree.h"

/* As good as random, and the same in every run: the mixer of MurmurHash3. */
static uint32_t weight_of(xfs_agblock_t agbno)
{
	uint32_t x = agbno + 0x9e3779b9u;

	x = (x ^ x >> 16) * 0x85ebca6bu;
	x = (x ^ x >> 13) * 0xc2b2ae35u;
	return x ^ x >> 16;
}

/* Two trees: what begins before @agbno, and the rest. */
static void split(struct busy_piece *t, xfs_agblock_t agbno,
		  struct busy_piece **low, struct busy_piece **high)
{
	while (t) {
		if (t->first < agbno) {
			*low = t;
			low = &t->right;
			t = t->right;
		} else {
			*high = t;
			high = &t->left;
			t = t->left;
		}
	}
	*low = *high = NULL;
}

/* All of @low comes before all of @high. */
static void join(struct busy_piece **at, struct busy_piece *low,
		 struct busy_piece *high)
{
	while (low && high) {
		if (low->weight >= high->weight) {
			*at = low;
			at = &low->right;
			low = low->right;
		} else {
			*at = high;
			at = &high->left;
			high = high->left;
		}
	}
	*at = low ? low : high;
}

void busy_tree_insert(struct busy_piece **root, struct busy_piece *p)
{
	p->weight = weight_of(p->first);
	while (*root && (*root)->weight >= p->weight)
		root = (*root)->first < p->first ? &(*root)->right :
						   &(*root)->left;
	split(*root, p->first, &p->left, &p->right);
	*root = p;
}

void busy_tree_remove(struct busy_piece **root, struct busy_piece *p)
{
	while (*root != p)
		root = (*root)->first < p->first ? &(*root)->right :
						   &(*root)->left;
	join(root, p->left, p->right);
}

struct busy_piece *busy_tree_find(struct busy_piece *t, xfs_agblock_t agbno)
{
	struct busy_piece *found = NULL;

	while (t) {
		if (t->end > agbno) {
			found = t;
			t = t->left;
		} else {
			t = t->right;
		}
	}
	return found;
}
