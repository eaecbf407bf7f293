/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One B+tree in a filesystem in memory that has little else: an AGF and AGI or
 * an inode, a log, and space that is handed out by a counter. Beside it stands
 * a model, a table of which records there have to be, and a checker that looks
 * at every block with nothing but the decoders of libxfsfmt. Plain C, for
 * programs without Criterion: what does not hold is printed, then abort().
 */
#ifndef TESTS_LIB_TREELAB_H
#define TESTS_LIB_TREELAB_H

#include "libxlog/meta/btree.h"

struct treelab_opts {
	enum xfs_btree_kind kind;
	int		whichfork;
	uint32_t	block_bytes;
	bool		v5;
	bool		sparse;		/* chunks of inodes; v5 */
	uint32_t	inode_bytes;	/* 0: 512, version 4: 256 */
	/* so many records there can be; in order of their keys */
	uint32_t	keys;
	uint64_t	seed;
	uint32_t	ops_per_commit;	/* 0: 8 */
};

enum treelab_pattern {
	TREELAB_RANDOM,
	TREELAB_UP,
	TREELAB_DOWN,
	TREELAB_CLUSTERS,
};

struct treelab {
	struct treelab_opts opts;
	char		reports[4096];
	struct dev	*dev, *logdev;
	struct xfs_sb	sb;
	struct trans_fs	fs;
	struct btree_group group;
	struct inode	*ip;
	uint64_t	random;

	struct trans	*t;		/* NULL: none is open */
	struct buf	*agbuf;
	struct btree_cur cur;		/* while one is open */
	uint32_t	ops_in_t;

	union btree_rec	*model;
	uint64_t	*present;	/* a bit for each key */
	uint32_t	count;
	enum treelab_pattern pattern;
	uint32_t	at;		/* of the pattern */

	/* blocks of the group: 0 never used, 1 in use, 2 freed */
	uint8_t		*space;
	uint32_t	next_block, blocks;
	uint32_t	fail_after;	/* allocations; 0: never */
	uint8_t		**logged;	/* what the log makes of each block */
	bool		abused;		/* the tree is not what it should be */
	unsigned int	nlevels, peak_levels; /* as treelab_check() saw them */
	uint64_t	ops;
};

/* An empty tree. */
struct treelab *treelab_new(const struct treelab_opts *opts);
void treelab_free(struct treelab *lab);

uint64_t treelab_random(struct treelab *lab);

/* Begin a transaction with lab->cur, if there is none; and end it. */
void treelab_begin(struct treelab *lab);
void treelab_commit(struct treelab *lab);

/* The record of key number @k, its other fields at random. */
void treelab_rec(struct treelab *lab, uint32_t k, union btree_rec *rec);
/* The first key in the model not below (or, the last not above) @k. */
bool treelab_first(const struct treelab *lab, uint32_t k, uint32_t *out);
bool treelab_last(const struct treelab *lab, uint32_t k, uint32_t *out);

void treelab_insert(struct treelab *lab, uint32_t k);
void treelab_delete(struct treelab *lab, uint32_t k);
void treelab_update(struct treelab *lab, uint32_t k);
/* Look around key @k: all directions, on and back. */
void treelab_look(struct treelab *lab, uint32_t k);
/* A range that begins at @k. */
void treelab_range(struct treelab *lab, uint32_t k);

/* One of these, by the pattern; @grow percent of changes are to insert. */
void treelab_op(struct treelab *lab, unsigned int grow);
/* @ops of them: the tree grows, shrinks, and so on, and is empty at the end. */
void treelab_run(struct treelab *lab, uint64_t ops);

/* Commit, and look at every block. */
void treelab_check(struct treelab *lab);
/* All written back; and the same tree again, read from the device. */
void treelab_reopen(struct treelab *lab);

/* --- damaged trees --- */

/* Nothing of it is in memory; lab->dev holds the tree. */
void treelab_close(struct treelab *lab);
/* A tree of several levels, closed. */
struct treelab *treelab_victim(enum xfs_btree_kind kind, bool v5);
/*
 * Damage, by the bytes at @data, what is on an overlay above lab->dev, and use
 * the tree: whatever happens, the functions return. Their first error.
 */
int treelab_abuse(struct treelab *lab, const uint8_t *data, size_t size);

#endif
