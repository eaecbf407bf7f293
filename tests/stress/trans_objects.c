/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Many threads change the same objects by transactions, with all threads of a
 * log that is too small for them: inodes that are got, changed and given back,
 * blocks that are made and freed, and wanted again before that is durable, and
 * chunks of inodes that go while others still have an inode of them. In the
 * end everything is written back as it was left. A plain program: also what
 * ThreadSanitizer is run on.
 *
 *	trans_objects [operations [threads [seed]]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxlog/meta/bench.h"
#include "libxlog/trans/counters.h"
#include "libxlog/trans/icreate_item.h"
#include "libxlog/trans/trans_buf.h"
#include "tests/lib/kinds_model.h"
#include "tests/lib/stack.h"

enum {
	MAX_THREADS = 64,
	BLOCKS = 16,
	CHUNKS = 3,
	CHUNK_INODES = 64,
	FILES = 16,
	MARK_OFF = 1024,		/* in a block: what was put there last */
};

static const uint64_t fs_bytes = 320 << 20, log_bytes = 20 << 20;

#define CHECK(what)							\
	do {								\
		if (!(what)) {						\
			fprintf(stderr, "%s:%d: %s\n", __FILE__,	\
				__LINE__, #what);			\
			exit(1);					\
		}							\
	} while (0)

/* A block or a chunk: whose turn it is with it, and what it is. */
struct place {
	struct xmutex	lock;
	xfs_agblock_t	agbno;
	bool		made;		/* (lock) */
	uint32_t	mark;		/* (lock) */
};

static struct xlog_bench *bench;
static struct xlog *reader;
static struct mount *m;
static struct kinds_model *space;
static struct place block[BLOCKS], chunk[CHUNKS];
static _Atomic uint32_t changes[FILES];
static xfs_ino_t first_file;
static unsigned long operations = 20000, seed = 1;
static unsigned int threads = 8;

static xfs_daddr_t daddr_of(const struct place *p)
{
	return xfs_agb_to_daddr(&m->fs.geom, space->agno, p->agbno);
}

static struct trans *begin(uint32_t blocks)
{
	struct trans *t;

	CHECK(!trans_alloc_blocks(&m->fs, XFS_TR_ITRUNCATE, blocks, false,
				  &t));
	return t;
}

static void commit(struct trans *t, uint64_t r)
{
	if (r % 32)
		CHECK(!trans_commit(t, NULL));
	else
		CHECK(!trans_commit_sync(t));
}

/* --- inodes --- */

static void change_file(uint64_t r)
{
	unsigned int i = (unsigned int)(r >> 8) % FILES;
	struct inode *ip;
	struct trans *t;

	CHECK(!inode_iget(&m->fs, first_file + i, 0, &ip));
	t = begin(0);
	inode_join(t, ip);
	ip->di.di_changecount++;
	inode_log(t, ip, XFS_ILOG_CORE);
	atomic_fetch_add(&changes[i], 1);
	if (r >> 16 & 1) {
		inode_hold(t, ip);
		CHECK(!trans_roll_held(&t));
		CHECK(!trans_commit(t, NULL));
		inode_unlock(ip);
	} else {
		commit(t, r >> 20);
	}
	inode_put(ip);
}

/* --- blocks --- */

static void change_block(uint64_t r)
{
	struct place *p = &block[(r >> 8) % BLOCKS];
	const struct xfs_geom *g = &m->fs.geom;
	const struct trans_buf_ops *ops = &trans_btree_ops[XFS_BTREE_BNO];
	uint32_t bb = g->blocksize / BB_SIZE;
	struct trans *t = begin(4);
	struct buf *b;

	xmutex_lock(&p->lock);
	if (!p->made) {
		CHECK(!trans_get_buf(t, daddr_of(p), bb, ops, &b));
		CHECK(!get_be32(b->data));
		kinds_make_block(b->data, g, space->agno, daddr_of(p));
		trans_log_buf(t, b, 0, g->blocksize);
		trans_mod_sb(t, TRANS_SB_FDBLOCKS, -1);
		p->made = true;
		p->mark = 0;
	} else {
		CHECK(!trans_read_buf(&m->fs, t, daddr_of(p), bb, ops, &b));
		CHECK(get_be32(b->data + MARK_OFF) == p->mark);
	}
	if (r >> 16 & 1) {
		put_be32(b->data + MARK_OFF, ++p->mark);
		trans_log_buf(t, b, MARK_OFF, 4);
	} else {
		trans_binval(t, b);
		trans_mod_sb(t, TRANS_SB_FDBLOCKS, 1);
		p->made = false;
	}
	commit(t, r >> 20);
	xmutex_unlock(&p->lock);
}

/* --- chunks --- */

static struct buf *cluster(struct trans *t, const struct place *p, uint32_t i)
{
	xfs_daddr_t daddr = daddr_of(p) + (uint64_t)i * m->fs.cluster_bb;
	struct buf *b;

	CHECK(!(p->made ?
		trans_read_buf(&m->fs, t, daddr, m->fs.cluster_bb,
			       &trans_inode_ops, &b) :
		trans_get_buf(t, daddr, m->fs.cluster_bb, &trans_inode_ops,
			      &b)));
	return b;
}

static uint32_t clusters(void)
{
	return CHUNK_INODES * m->fs.geom.inodesize /
	       (m->fs.cluster_bb * BB_SIZE);
}

static xfs_ino_t ino_of(const struct place *p, unsigned int i)
{
	const struct xfs_geom *g = &m->fs.geom;

	return xfs_ino_make(g, space->agno, (p->agbno << g->inopblog) + i);
}

static void make_chunk(struct trans *t, struct place *p)
{
	const struct xfs_geom *g = &m->fs.geom;
	xfs_ino_t ino = ino_of(p, 0);

	CHECK(!trans_icreate(t, space->agno, p->agbno, CHUNK_INODES,
			     g->inodesize, CHUNK_INODES / g->inopblock,
			     p->mark));
	for (uint32_t i = 0; i < clusters(); i++) {
		struct buf *b = cluster(t, p, i);

		for (uint32_t off = 0; off < b->len_bb * BB_SIZE;
		     off += g->inodesize)
			kinds_make_inode(b->data + off, g, ino++, p->mark);
		trans_inode_alloc_buf(t, b);
		trans_ordered_buf(t, b);
	}
	p->made = true;
}

static void free_chunk(struct trans *t, struct place *p)
{
	for (uint32_t i = 0; i < clusters(); i++)
		trans_stale_inode_buf(t, cluster(t, p, i));
	p->made = false;
	p->mark++;
}

/* One that somebody may have got before its chunk was freed. */
static struct inode *change_new_inode(struct place *p, uint64_t r)
{
	struct trans *t;
	struct inode *ip;

	CHECK(!inode_iget(&m->fs, ino_of(p, (r >> 20) % CHUNK_INODES),
			  INODE_GET_FREE, &ip));
	t = begin(0);
	inode_join(t, ip);
	CHECK(ip->di.di_gen == p->mark);
	ip->di.di_uid = (uint32_t)r;
	inode_log(t, ip, XFS_ILOG_CORE);
	commit(t, r >> 30);
	return ip;
}

static void change_chunk(uint64_t r)
{
	struct place *p = &chunk[(r >> 8) % CHUNKS];
	struct inode *ip = NULL;

	xmutex_lock(&p->lock);
	if (p->made && r >> 12 & 7) {
		ip = change_new_inode(p, r);
	} else {
		struct trans *t = begin(0);

		if (p->made)
			free_chunk(t, p);
		else
			make_chunk(t, p);
		commit(t, r >> 30);
	}
	xmutex_unlock(&p->lock);
	/* perhaps without its chunk by now */
	inode_put(ip);
}

/* --- threads --- */

static void *work(void *arg)
{
	uint64_t state = seed * 1000 + (uintptr_t)arg;

	for (unsigned long n = 0; n < operations / threads; n++) {
		uint64_t r = stack_random(&state);

		switch (r % 8) {
		case 0: case 1: case 2:
			change_file(r);
			break;
		case 3: case 4: case 5:
			change_block(r);
			break;
		case 6:
			change_chunk(r);
			break;
		default:
			CHECK(!log_force(m->fs.log, r >> 8 & 1));
		}
	}
	return NULL;
}

static int64_t made_blocks(void)
{
	int64_t n = 0;

	for (unsigned int i = 0; i < BLOCKS; i++)
		n += block[i].made;
	return n;
}

/* As they were left, on the device. */
static void judge(void)
{
	struct xlog_bounds b;
	uint8_t raw[4];

	CHECK(!xlog_find(reader, 0, &b));
	CHECK(b.state == XLOG_CLEAN);
	for (unsigned int i = 0; i < BLOCKS; i++) {
		if (!block[i].made)
			continue;
		CHECK(!dev_read(reader->fs, daddr_of(&block[i]) * BB_SIZE +
				MARK_OFF, raw, sizeof(raw)));
		CHECK(get_be32(raw) == block[i].mark);
	}
}

static void run(unsigned int flags)
{
	const struct mount_options opts = { .flags = flags,
					    .logbsize_bytes = 16 << 10 };
	pthread_t thread[MAX_THREADS];
	int64_t blocks;

	CHECK(!mount_open(reader, &opts, &m));
	blocks = counters_read(&m->fs, TRANS_SB_FDBLOCKS) + made_blocks();
	for (uintptr_t i = 0; i < threads; i++)
		CHECK(!pthread_create(&thread[i], NULL, work, (void *)i));
	for (unsigned int i = 0; i < threads; i++)
		CHECK(!pthread_join(thread[i], NULL));
	CHECK(counters_read(&m->fs, TRANS_SB_FDBLOCKS) ==
	      blocks - made_blocks());
	CHECK(!atomic_load(&m->fs.promised_blocks));
	for (unsigned int i = 0; i < FILES; i++) {
		struct inode *ip;

		CHECK(!inode_iget(&m->fs, first_file + i, 0, &ip));
		CHECK(ip->di.di_changecount == 1 + atomic_load(&changes[i]));
		inode_put(ip);
	}
	CHECK(!mount_unmount(m));
	judge();
	mount_close(m);
}

int main(int argc, char **argv)
{
	const struct xlog_bench_open what = {
		.memory_bytes = fs_bytes, .log_bytes = log_bytes,
	};
	uint32_t count;

	if (argc > 1)
		operations = strtoul(argv[1], NULL, 0);
	if (argc > 2)
		threads = (unsigned int)strtoul(argv[2], NULL, 0);
	if (argc > 3)
		seed = strtoul(argv[3], NULL, 0);
	CHECK(threads && threads <= MAX_THREADS);
	CHECK(!xlog_bench_open(&what, &bench));
	CHECK(!bench_reader(bench, &reader));
	first_file = bench_files(&reader->sb, &reader->geom, &count);
	CHECK(count >= FILES);
	space = model_new(reader, 256);
	CHECK(space);
	for (unsigned int i = 0; i < BLOCKS; i++) {
		block[i].agbno = space->agbno + i;
		CHECK(!xmutex_init(&block[i].lock));
	}
	for (unsigned int i = 0; i < CHUNKS; i++) {
		chunk[i].agbno = space->agbno + 64 + i * CHUNK_INODES;
		CHECK(!xmutex_init(&chunk[i].lock));
	}
	run(0);
	run(LOG_DIRECT);
	model_free(space);
	xlog_close(reader);
	xlog_bench_close(bench);
	printf("%lu operations\n", 2 * operations);
	return 0;
}
