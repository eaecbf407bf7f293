/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inodes in memory: the cache, and their forks; see inode_item.h. Who has a
 * reference is counted with those that hold pins, and with one for what was
 * logged and is not written back: an inode goes with the last of all these.
 */
#include <stdlib.h>

#include "libxfsfmt/inodelog.h"
#include "libxlog/trans/inode_priv.h"
#include "libxlog/trans/trans_buf.h"

enum {
	SHARDS = 64,
	BUCKETS = 256,		/* of a shard */
};

struct shard {
	struct xmutex	lock;
	struct list	bucket[BUCKETS];	/* (lock) */
	struct list	buried;		/* (lock) not found any more, but there */
};

struct inode_cache {
	struct trans_fs	*fs;
	struct shard	shard[SHARDS];
};

static uint64_t hash(xfs_ino_t ino)
{
	return ino * UINT64_C(0x9e3779b97f4a7c15);
}

static struct shard *shard_of(struct inode_cache *cache, xfs_ino_t ino)
{
	return &cache->shard[hash(ino) >> 58];
}

static struct list *bucket_of(struct shard *shard, xfs_ino_t ino)
{
	return &shard->bucket[hash(ino) >> 50 & (BUCKETS - 1)];
}

/* --- references --- */

void inode_hold_ref(struct inode *ip)
{
	atomic_fetch_add(&ip->refs, 1);
}

static void inode_free(struct inode *ip)
{
	log_item_fini(&ip->item);
	xmutex_fini(&ip->lock);
	free(ip->raw);
	free(ip);
}

void inode_put(struct inode *ip)
{
	unsigned int refs;
	struct shard *shard;
	bool last;

	if (!ip)
		return;
	refs = atomic_load(&ip->refs);
	while (refs > 1)
		if (atomic_compare_exchange_weak(&ip->refs, &refs, refs - 1))
			return;
	shard = shard_of(ip->fs->inodes, ip->ino);
	xmutex_lock(&shard->lock);
	last = atomic_fetch_sub(&ip->refs, 1) == 1;
	if (last)
		list_remove(&ip->hash_link);
	xmutex_unlock(&shard->lock);
	if (last)
		inode_free(ip);
}

void inode_cleaned(struct inode *ip)
{
	if (atomic_exchange(&ip->logged, false))
		inode_put(ip);
}

static struct inode *find_locked(struct shard *shard, xfs_ino_t ino)
	REQUIRES(shard->lock)
{
	struct list *bucket = bucket_of(shard, ino);

	for (struct list *l = list_first(bucket); l; l = list_next(l, bucket)) {
		struct inode *ip = container_of(l, struct inode, hash_link);

		if (ip->ino == ino) {
			atomic_fetch_add(&ip->refs, 1);
			return ip;
		}
	}
	return NULL;
}

static struct inode *find(struct inode_cache *cache, xfs_ino_t ino)
{
	struct shard *shard = shard_of(cache, ino);
	struct inode *ip;

	xmutex_lock(&shard->lock);
	ip = find_locked(shard, ino);
	xmutex_unlock(&shard->lock);
	return ip;
}

/* --- reading --- */

static int bad_inode(struct trans_fs *fs, xfs_ino_t ino, const char *why)
{
	return report(&fs->sink, -EUCLEAN, "inode", XLOG_LSN_NONE,
		      "inode %llu: %s", (unsigned long long)ino, why);
}

static int no_memory(struct trans_fs *fs)
{
	return report(&fs->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
		      "out of memory");
}

/* Clusters are counted from the start of a chunk. */
int inode_place(struct trans_fs *fs, struct trans *t, xfs_ino_t ino,
		uint64_t *daddr, uint32_t *offset_bytes)
{
	const struct xfs_geom *g = &fs->geom;
	uint32_t blocks = fs->cluster_bb * BB_SIZE >> g->blocklog;
	xfs_agblock_t agbno = xfs_ino_agbno(g, ino), first = 0;
	uint32_t behind;
	int rc = 0;

	if (fs->inode_align)
		first = agbno - agbno % fs->inode_align;
	else if (!fs->inode_chunk)
		rc = bad_inode(fs, ino, "its chunk cannot be found");
	else
		rc = fs->inode_chunk(fs, t, ino, &first);
	if (rc)
		return rc;
	behind = (agbno - first) % blocks;
	*daddr = xfs_agb_to_daddr(g, xfs_ino_agno(g, ino), agbno - behind);
	*offset_bytes = (behind << g->blocklog) +
			(xfs_ino_slot(g, ino) << g->inodelog);
	return 0;
}

/* The core as it lives in memory. */
static void decode(struct inode *ip)
{
	struct xfs_dinode *di = &ip->di;

	xfs_dinode_decode(di, ip->raw, ip->fs->geom.inodesize, XFS_BE);
	/* as every kernel that reads one: it will be written as version 2 */
	if (di->di_version == 1) {
		di->di_version = 2;
		di->di_nlink = di->di_onlink;
		di->di_projid_lo = di->di_projid_hi = 0;
	}
	if (di->di_version < 3)
		di->di_v2_pad = di->di_v2_pad2 = 0;
	di->di_pad3 = 0;
	memset(di->di_pad2, 0, sizeof(di->di_pad2));
}

/* What says how much of a fork is in use must not say more than there is. */
static const char *check_fork(const struct inode *ip, int whichfork)
{
	uint32_t room;
	const uint8_t *fork = inode_fork(ip, whichfork, &room);

	switch (inode_format(ip, whichfork)) {
	case XFS_DINODE_FMT_BTREE:
		return xfs_bmdr_verify(fork, XFS_BTREE_BMAP, room);
	case XFS_DINODE_FMT_META_BTREE:
		return xfs_bmdr_verify(fork, xfs_dinode_broot_kind(&ip->di),
				       room);
	default:
		if (inode_fork_used(ip, whichfork) > room)
			return "a fork longer than its room";
		return NULL;
	}
}

static const char *check(struct inode *ip)
{
	const char *why = xfs_dinode_verify(ip->raw, &ip->fs->geom, ip->ino);

	if (why)
		return why;
	decode(ip);
	atomic_store_explicit(&ip->is_free, !ip->di.di_mode,
			      memory_order_relaxed);
	if (!ip->di.di_mode)
		return NULL;
	why = check_fork(ip, XFS_DATA_FORK);
	if (!why && inode_has_fork(ip, XFS_ATTR_FORK))
		why = check_fork(ip, XFS_ATTR_FORK);
	return why;
}

static int read_inode(struct inode *ip, struct trans *t)
{
	struct trans_fs *fs = ip->fs;
	struct buf *buf;
	const char *why;
	int rc = inode_place(fs, t, ip->ino, &ip->daddr, &ip->offset_bytes);

	if (!rc)
		rc = trans_read_buf(fs, t, ip->daddr, fs->cluster_bb,
				    &trans_inode_ops, &buf);
	if (rc)
		return rc;
	memcpy(ip->raw, buf->data + ip->offset_bytes, fs->geom.inodesize);
	trans_brelse(t, buf);
	why = check(ip);
	return why ? bad_inode(fs, ip->ino, why) : 0;
}

static struct inode *inode_new(struct trans_fs *fs, xfs_ino_t ino)
{
	struct inode *ip = calloc(1, sizeof(*ip));

	if (!ip)
		return NULL;
	ip->raw = malloc(fs->geom.inodesize);
	if (!ip->raw || xmutex_init(&ip->lock)) {
		free(ip->raw);
		free(ip);
		return NULL;
	}
	ip->fs = fs;
	ip->ino = ino;
	atomic_init(&ip->refs, 1);
	list_init(&ip->hash_link);
	list_init(&ip->stale_link);
	inode_item_init(ip);
	return ip;
}

/*
 * Into the cache before it is read, and locked until it was: who finds it waits
 * for that, and does not read what another has changed meanwhile.
 */
static struct inode *insert(struct inode *fresh) UNCHECKED_LOCKING
{
	struct shard *shard = shard_of(fresh->fs->inodes, fresh->ino);
	struct inode *ip;

	xmutex_lock(&fresh->lock);
	xmutex_lock(&shard->lock);
	ip = find_locked(shard, fresh->ino);
	if (!ip)
		list_insert_first(&fresh->hash_link,
				  bucket_of(shard, fresh->ino));
	xmutex_unlock(&shard->lock);
	if (!ip)
		return fresh;
	xmutex_unlock(&fresh->lock);
	inode_free(fresh);
	return ip;
}

static int load(struct trans_fs *fs, struct trans *t, xfs_ino_t ino,
		struct inode **out)
	UNCHECKED_LOCKING
{
	struct inode *fresh = inode_new(fs, ino);
	int rc;

	if (!fresh)
		return no_memory(fs);
	*out = insert(fresh);
	if (*out != fresh)
		return 0;
	rc = fresh->error = read_inode(fresh, t);
	atomic_store_explicit(&fresh->loaded, true, memory_order_release);
	xmutex_unlock(&fresh->lock);
	return rc;
}

static int wait_until_read(struct inode *ip) UNCHECKED_LOCKING
{
	int rc;

	if (atomic_load_explicit(&ip->loaded, memory_order_acquire))
		return ip->error;
	xmutex_lock(&ip->lock);
	rc = ip->error;
	xmutex_unlock(&ip->lock);
	return rc;
}

static int iget(struct trans_fs *fs, struct trans *t, xfs_ino_t ino,
		unsigned int flags, struct inode **out)
{
	struct inode *ip;
	int rc;

	if (!xfs_geom_ino_ok(&fs->geom, ino))
		return bad_inode(fs, ino, "no such number in this filesystem");
	ip = find(fs->inodes, ino);
	rc = ip ? 0 : load(fs, t, ino, &ip);
	if (!ip)
		return rc;
	if (!rc)
		rc = wait_until_read(ip);
	if (!rc && atomic_load(&ip->stale))
		rc = bad_inode(fs, ino, "its chunk was freed");
	if (!rc && !(flags & INODE_GET_FREE) && atomic_load(&ip->is_free))
		rc = bad_inode(fs, ino, "is not in use");
	if (rc) {
		inode_put(ip);
		return rc;
	}
	*out = ip;
	return 0;
}

int inode_iget(struct trans_fs *fs, xfs_ino_t ino, unsigned int flags,
	       struct inode **out)
{
	return iget(fs, NULL, ino, flags, out);
}

int inode_iget_in(struct trans *t, xfs_ino_t ino, unsigned int flags,
		  struct inode **out)
{
	return iget(t->fs, t, ino, flags, out);
}

void inode_lock(struct inode *ip)
{
	xmutex_lock(&ip->lock);
}

void inode_unlock(struct inode *ip)
{
	xmutex_unlock(&ip->lock);
}

/* --- forks --- */

bool inode_has_fork(const struct inode *ip, int whichfork)
{
	return whichfork == XFS_DATA_FORK || ip->di.di_forkoff;
}

uint8_t *inode_fork(const struct inode *ip, int whichfork, uint32_t *bytes)
{
	size_t all = ip->fs->geom.inodesize;
	size_t data = xfs_dinode_dfork_bytes(&ip->di, all);
	uint8_t *fork = ip->raw + xfs_dinode_core_bytes(&ip->di);

	if (whichfork == XFS_ATTR_FORK) {
		fork += data;
		data = xfs_dinode_afork_bytes(&ip->di, all);
	}
	if (bytes)
		*bytes = (uint32_t)data;
	return fork;
}

unsigned int inode_format(const struct inode *ip, int whichfork)
{
	if (whichfork == XFS_DATA_FORK)
		return ip->di.di_format;
	return ip->di.di_forkoff ? ip->di.di_aformat : XFS_DINODE_FMT_EXTENTS;
}

uint64_t inode_nextents(const struct inode *ip, int whichfork)
{
	return whichfork == XFS_DATA_FORK ? xfs_dinode_nextents(&ip->di) :
					    xfs_dinode_anextents(&ip->di);
}

void inode_set_nextents(struct inode *ip, int whichfork, uint64_t nextents)
{
	struct xfs_dinode *di = &ip->di;
	bool large = xfs_dinode_variant(di) & XFS_DINODE_NREXT64;

	if (whichfork == XFS_DATA_FORK && large)
		di->di_big_nextents = nextents;
	else if (whichfork == XFS_DATA_FORK)
		di->di_nextents = (uint32_t)nextents;
	else if (large)
		di->di_big_anextents = (uint32_t)nextents;
	else
		di->di_anextents = (uint16_t)nextents;
}

uint32_t inode_fork_used(const struct inode *ip, int whichfork)
{
	uint32_t room;
	const uint8_t *fork = inode_fork(ip, whichfork, &room);

	switch (inode_format(ip, whichfork)) {
	case XFS_DINODE_FMT_DEV:
		return 4;
	case XFS_DINODE_FMT_LOCAL:
		if (whichfork == XFS_DATA_FORK)
			return ip->di.di_size > UINT32_MAX ? UINT32_MAX :
			       (uint32_t)ip->di.di_size;
		/* the size of all of them */
		return room >= 4 ? get_be16(fork) : UINT32_MAX;
	case XFS_DINODE_FMT_EXTENTS:
		return (uint32_t)(inode_nextents(ip, whichfork) *
				  xfs_bmbt_rec_size);
	default:
		return room;
	}
}

/* --- chunks that were freed --- */

static void make_stale(struct inode *ip, struct list *stale)
{
	if (atomic_exchange(&ip->stale, true)) {
		inode_put(ip);
		return;
	}
	list_insert_last(&ip->stale_link, stale);
}

void inodes_of_cluster_stale(struct buf *b, struct list *stale)
{
	struct trans_fs *fs = trans_buf_fs(b);
	const struct xfs_geom *g = &fs->geom;
	xfs_agino_t agino = xfs_daddr_agbno(g, b->daddr) << g->inopblog;
	xfs_ino_t first = xfs_ino_make(g, xfs_daddr_agno(g, b->daddr), agino);
	uint32_t count = b->len_bb * BB_SIZE >> g->inodelog;

	for (xfs_ino_t ino = first; ino < first + count; ino++) {
		struct inode *ip = find(fs->inodes, ino);

		if (ip)
			make_stale(ip, stale);
	}
}

/* A new inode may have its number from now on. */
static void unhash(struct inode *ip)
{
	struct shard *shard = shard_of(ip->fs->inodes, ip->ino);

	xmutex_lock(&shard->lock);
	list_remove(&ip->hash_link);
	list_insert_last(&ip->hash_link, &shard->buried);
	xmutex_unlock(&shard->lock);
}

void inodes_bury(struct list *stale)
{
	struct list *first;

	while ((first = list_first(stale))) {
		struct inode *ip = container_of(first, struct inode,
						stale_link);

		list_remove(first);
		unhash(ip);
		atomic_store(&ip->buried, true);
		log_item_clean(ip->fs->log, &ip->item);
		inode_cleaned(ip);
		inode_put(ip);
	}
}

/* --- the cache --- */

int inode_cache_new(struct trans_fs *fs, struct inode_cache **out)
{
	struct inode_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return no_memory(fs);
	cache->fs = fs;
	for (unsigned int i = 0; i < SHARDS; i++) {
		for (unsigned int j = 0; j < BUCKETS; j++)
			list_init(&cache->shard[i].bucket[j]);
		list_init(&cache->shard[i].buried);
		if (xmutex_init(&cache->shard[i].lock)) {
			while (i--)
				xmutex_fini(&cache->shard[i].lock);
			free(cache);
			return no_memory(fs);
		}
	}
	*out = cache;
	return 0;
}

static void free_all(struct list *inodes)
{
	struct list *first;

	while ((first = list_first(inodes))) {
		list_remove(first);
		inode_free(container_of(first, struct inode, hash_link));
	}
}

void inode_cache_free(struct inode_cache *cache)
{
	if (!cache)
		return;
	for (unsigned int i = 0; i < SHARDS; i++) {
		struct shard *shard = &cache->shard[i];

		for (unsigned int j = 0; j < BUCKETS; j++)
			free_all(&shard->bucket[j]);
		free_all(&shard->buried);
		xmutex_fini(&shard->lock);
	}
	free(cache);
}
