/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Are trees that grew and shrank here those that Linux makes of the same?
 *
 *	frees truncate DIR COUNT SEED	in a mounted filesystem: make COUNT of
 *					the files of DIR empty, each durably;
 *					of each, its inode and block to stdout
 *	frees free IMAGE		free those on stdin by our transactions
 *	frees punch FILE COUNT SEED	make holes of COUNT single blocks, each
 *					durably; inode and offset to stdout
 *	frees unmap IMAGE		unmap those on stdin by our transactions
 *	frees compare IMAGE KERNELS [INO]  all trees of all groups, and that of
 *					the data of an inode, block by block
 *
 * Each of the files to truncate has one block. Exit status 1: something
 * differs.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libxfsfmt/logitem.h"
#include "libxlog/meta/alloc.h"
#include "libxlog/meta/bmap.h"
#include "libxlog/meta/mount.h"
#include "libxlog/trans/counters.h"
#include "libxlog/trans/trans_buf.h"
#include "tests/lib/stack.h"

static void say(void *ctx, const struct xlog_report *r)
{
	(void)ctx;
	if (r->severity == XLOG_ERROR)
		fprintf(stderr, "frees: %s\n", r->text);
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "frees: %s does not work\n", what);
	exit(2);
}

/* --- Linux --- */

static int is_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The @i first of @all are chosen: one more. */
static void choose(void **all, int i, int n, uint64_t *seed)
{
	int j = i + (int)(stack_random(seed) % (unsigned int)(n - i));
	void *swap = all[j];

	all[j] = all[i];
	all[i] = swap;
}

static void truncate_one(int dir, const char *name)
{
	int block = 0, fd = openat(dir, name, O_WRONLY | O_CLOEXEC);
	struct stat st;

	must(fd >= 0 && !fstat(fd, &st) && !ioctl(fd, FIBMAP, &block) && block,
	     "FIBMAP");
	printf("%llu %d\n", (unsigned long long)st.st_ino, block);
	/* one after the other: what was freed can be taken at once */
	must(!ftruncate(fd, 0) && !syncfs(fd), "ftruncate");
	close(fd);
}

static int do_truncate(const char *path, int count, uint64_t seed)
{
	struct dirent **all;
	int n = scandir(path, &all, is_file, alphasort);
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	must(n >= count && dir >= 0, "scandir");
	for (int i = 0; i < count; i++) {
		choose((void **)all, i, n, &seed);
		truncate_one(dir, all[i]->d_name);
	}
	for (int i = 0; i < n; i++)
		free(all[i]);
	free(all);
	close(dir);
	return 0;
}

static int do_punch(const char *path, int count, uint64_t seed)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	struct stat st;
	void **all;
	int n, bytes = 0;

	must(fd >= 0 && !fstat(fd, &st) && !ioctl(fd, FIGETBSZ, &bytes),
	     "FIGETBSZ");
	n = (int)(st.st_size / bytes);
	all = calloc((size_t)n, sizeof(*all));
	must(all && n >= count, "the file");
	for (int i = 0; i < n; i++)
		all[i] = (void *)(intptr_t)i;
	for (int i = 0; i < count; i++) {
		choose(all, i, n, &seed);
		printf("%llu %ld\n", (unsigned long long)st.st_ino,
		       (long)(intptr_t)all[i]);
		must(!fallocate(fd, FALLOC_FL_PUNCH_HOLE |
				FALLOC_FL_KEEP_SIZE,
				(intptr_t)all[i] * bytes, bytes) &&
		     !syncfs(fd), "fallocate");
	}
	free(all);
	close(fd);
	return 0;
}

/* --- we --- */

static struct xlog *open_image(const char *path, unsigned int flags)
{
	const struct xlog_open_options opts = { .flags = flags,
						.report = say };
	struct xlog *log;

	must(!xlog_open(path, &opts, &log), path);
	return log;
}

/* As a truncation does it: owners and space are deferred. */
static void free_one(struct trans_fs *fs, uint64_t ino, uint64_t block)
{
	const struct xfs_geom *g = &fs->geom;
	struct xfs_bmbt_rec ext = {
		.br_startblock = block / g->agblocks << g->agblklog |
				 block % g->agblocks,
		.br_blockcount = 1,
	};
	struct trans *t;

	must(!trans_alloc(fs, XFS_TR_ITRUNCATE, &t), "trans_alloc");
	if (g->rmapbt)
		must(!rmap_unmap_later(t, ino, XFS_DATA_FORK, false, &ext),
		     "rmap_unmap_later");
	must(!free_extent_later(t, ext.br_startblock, 1, NULL, 0),
	     "free_extent_later");
	must(!trans_commit_sync(t), "trans_commit_sync");
}

enum { UNMAP_BLOCKS = 20 };	/* one for each level, and then some */

static void unmap_one(struct trans_fs *fs, uint64_t ino, uint64_t off)
	UNCHECKED_LOCKING
{
	uint64_t len = 1;
	struct inode *ip;
	struct trans *t;

	must(!inode_iget(fs, ino, 0, &ip), "inode_iget");
	must(!trans_alloc_blocks(fs, XFS_TR_WRITE, UNMAP_BLOCKS, false, &t),
	     "trans_alloc_blocks");
	inode_join(t, ip);
	must(!bmap_unmap(t, ip, XFS_DATA_FORK, off, &len, 0, 2) && !len,
	     "bmap_unmap");
	must(!trans_commit_sync(t), "trans_commit_sync");
	inode_put(ip);
}

static int do_each(const char *path,
		   void (*one)(struct trans_fs *fs, uint64_t a, uint64_t b))
{
	const struct mount_options opts = { .flags = LOG_NO_THREADS };
	struct xlog *log = open_image(path, XLOG_OPEN_WRITE);
	unsigned long long ino, block;
	struct mount *m;

	must(!mount_open(log, &opts, &m), "mount_open");
	while (scanf("%llu %llu", &ino, &block) == 2)
		one(&m->fs, ino, block);
	must(!mount_unmount(m), "mount_unmount");
	mount_close(m);
	xlog_close(log);
	return 0;
}

/* --- what came of it --- */

struct side {
	struct xlog	*log;
	struct trans_fs	fs;
	struct perag	*pag;
	struct buf	*agf, *agi, *agfl;
	struct btree_cur cur;
};

struct listing {
	uint64_t	*block;
	size_t		count;
};

static int add_block(struct btree_cur *cur, unsigned int level, uint64_t block,
		     struct buf *buf, void *ctx)
{
	struct listing *l = ctx;

	(void)cur;
	(void)level;
	(void)buf;
	l->block = realloc(l->block, (l->count + 1) * sizeof(*l->block));
	must(l->block, "realloc");
	l->block[l->count++] = block;
	return 0;
}

static void open_side(struct side *s, const char *path)
{
	static const struct sink sink = { say, NULL };

	s->log = open_image(path, 0);
	must(!trans_fs_init(&s->fs, &s->log->sb, s->log->fs, 0, &sink),
	     "trans_fs_init");
	must(s->fs.perags || !perags_new(&s->fs), "perags_new");
}

static void open_group(struct side *s, xfs_agnumber_t agno)
{
	s->pag = perag_of(&s->fs, agno);
	must(!ag_read_agf(NULL, s->pag, &s->agf) &&
	     !ag_read_agi(NULL, s->pag, &s->agi) &&
	     !ag_read_agfl(NULL, s->pag, &s->agfl), "headers of a group");
}

static void close_group(struct side *s)
{
	buf_release(s->agf);
	buf_release(s->agi);
	buf_release(s->agfl);
}

/* Records, or keys and pointers: those that are in use. */
static bool same_contents(const struct side *s, enum xfs_btree_kind kind,
			  const uint8_t *a, const uint8_t *b)
{
	const struct xfs_btree_ops *fmt = &xfs_btree_ops[kind];
	bool v5 = s->fs.geom.v5, leaf = !get_be16(a + 4);
	size_t num = get_be16(a + 6), hdr = xfs_btree_hdr_bytes(kind, v5);
	size_t room = xfs_btree_room(kind, v5, leaf, s->fs.geom.blocksize);
	size_t ptrs = hdr + room * fmt->key_bytes;
	size_t ptr_bytes = xfs_btree_ptr_bytes(kind);

	/* magic, level, number of records, siblings */
	return !memcmp(a, b, 8 + 2 * ptr_bytes) &&
	       !memcmp(a + hdr, b + hdr,
		       num * (leaf ? fmt->rec_bytes : fmt->key_bytes)) &&
	       (leaf || !memcmp(a + ptrs, b + ptrs, num * ptr_bytes));
}

static bool same_root(const struct inode *p, const struct inode *q)
{
	uint32_t bytes;
	const uint8_t *a = inode_fork(p, XFS_DATA_FORK, &bytes);
	const uint8_t *b = inode_fork(q, XFS_DATA_FORK, NULL);
	size_t num = get_be16(a + 2);
	size_t ptrs = XFS_BMDR_BYTES +
		      8 * xfs_bmdr_room(XFS_BTREE_BMAP, false, bytes);

	return !memcmp(a, b, XFS_BMDR_BYTES + 8 * num) &&
	       !memcmp(a + ptrs, b + ptrs, 8 * num);
}

static bool same_block(struct side *a, struct side *b,
		       enum xfs_btree_kind kind, uint64_t block)
{
	xfs_daddr_t daddr;
	struct buf *x, *y = NULL;
	bool same;

	daddr = kind == XFS_BTREE_BMAP ? xfs_fsb_to_daddr(&a->fs.geom, block) :
		perag_daddr(a->pag, (xfs_agblock_t)block);
	must(!trans_read_buf(&a->fs, NULL, daddr,
			     a->fs.geom.blocksize / BB_SIZE,
			     &trans_btree_ops[kind], &x) &&
	     !trans_read_buf(&b->fs, NULL, daddr,
			     b->fs.geom.blocksize / BB_SIZE,
			     &trans_btree_ops[kind], &y), "a block");
	same = same_contents(a, kind, x->data, y->data);
	buf_release(x);
	buf_release(y);
	return same;
}

static void list_tree(struct side *s, enum xfs_btree_kind kind,
		      struct listing *l)
{
	bool in_agi = kind == XFS_BTREE_INO || kind == XFS_BTREE_FINO;

	btree_init_ag(&s->cur, NULL, &s->pag->group, kind,
		      in_agi ? s->agi : s->agf);
	must(!btree_each_block(&s->cur, add_block, l), xfs_btree_name(kind));
	btree_fini(&s->cur);
}

/* Takes the listings. */
static unsigned int compare_blocks(struct side *a, struct side *b,
				   enum xfs_btree_kind kind,
				   struct listing *x, struct listing *y)
{
	unsigned int differ = x->count != y->count;

	for (size_t i = 0; !differ && i < x->count; i++)
		differ = x->block[i] != y->block[i] ||
			 !same_block(a, b, kind, x->block[i]);
	printf("%s: %zu blocks%s\n", xfs_btree_name(kind), x->count,
	       differ ? ", DIFFERENT" : "");
	free(x->block);
	free(y->block);
	return differ;
}

static unsigned int compare_tree(struct side *a, struct side *b,
				 enum xfs_btree_kind kind)
{
	struct listing x = { .count = 0 }, y = { .count = 0 };

	list_tree(a, kind, &x);
	list_tree(b, kind, &y);
	printf("AG %u ", a->pag->group.agno);
	return compare_blocks(a, b, kind, &x, &y);
}

static void list_fork(struct side *s, struct inode *ip, struct listing *l)
{
	if (inode_format(ip, XFS_DATA_FORK) != XFS_DINODE_FMT_BTREE)
		return;
	btree_init_fork(&s->cur, NULL, ip, XFS_DATA_FORK, NULL);
	must(!btree_each_block(&s->cur, add_block, l), "bmbt");
	btree_fini(&s->cur);
}

/* The map of an inode: its root, and the blocks below. */
static unsigned int compare_fork(struct side *a, struct side *b, uint64_t ino)
{
	struct listing x = { .count = 0 }, y = { .count = 0 };
	struct inode *p, *q = NULL;
	unsigned int differ;

	must(!inode_iget(&a->fs, ino, 0, &p) && !inode_iget(&b->fs, ino, 0, &q),
	     "inode_iget");
	list_fork(a, p, &x);
	list_fork(b, q, &y);
	differ = p->di.di_format != q->di.di_format ||
		 p->di.di_nblocks != q->di.di_nblocks ||
		 xfs_dinode_nextents(&p->di) != xfs_dinode_nextents(&q->di);
	if (!differ && x.count)
		differ = !same_root(p, q);
	if (differ)
		printf("inode, DIFFERENT\n");
	inode_put(p);
	inode_put(q);
	return differ + compare_blocks(a, b, XFS_BTREE_BMAP, &x, &y);
}

/* The AGF but for LSN and checksum, and the blocks of the free list in use. */
static unsigned int compare_headers(struct side *a, struct side *b)
{
	struct xfs_agf agf = ag_agf(a->agf);
	uint32_t entries = xfs_agfl_entries(&a->fs.geom);
	size_t off = a->fs.geom.v5 ? xfs_agfl_size : 0;
	unsigned int differ = !!memcmp(a->agf->data, b->agf->data, 208);

	for (uint32_t i = 0; i < agf.agf_flcount; i++) {
		size_t at = off + (agf.agf_flfirst + i) % entries * 4;

		differ |= !!memcmp(a->agfl->data + at, b->agfl->data + at, 4);
	}
	if (differ)
		printf("AG %u: AGF or AGFL, DIFFERENT\n", a->pag->group.agno);
	return differ;
}

static int do_compare(const char *ours, const char *kernels, uint64_t ino)
{
	static struct side a, b;
	unsigned int differ = 0;

	open_side(&a, ours);
	open_side(&b, kernels);
	for (xfs_agnumber_t agno = 0; agno < a.fs.geom.agcount; agno++) {
		const struct xfs_geom *g = &a.fs.geom;

		open_group(&a, agno);
		open_group(&b, agno);
		differ += compare_headers(&a, &b);
		differ += compare_tree(&a, &b, XFS_BTREE_BNO);
		differ += compare_tree(&a, &b, XFS_BTREE_CNT);
		if (g->rmapbt)
			differ += compare_tree(&a, &b, XFS_BTREE_RMAP);
		close_group(&a);
		close_group(&b);
	}
	if (ino)
		differ += compare_fork(&a, &b, ino);
	trans_fs_fini(&a.fs);
	trans_fs_fini(&b.fs);
	xlog_close(a.log);
	xlog_close(b.log);
	return differ != 0;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";

	if (argc == 5 && !strcmp(how, "truncate"))
		return do_truncate(argv[2], (int)strtol(argv[3], NULL, 10),
				   strtoull(argv[4], NULL, 0));
	if (argc == 5 && !strcmp(how, "punch"))
		return do_punch(argv[2], (int)strtol(argv[3], NULL, 10),
				strtoull(argv[4], NULL, 0));
	if (argc == 3 && !strcmp(how, "free"))
		return do_each(argv[2], free_one);
	if (argc == 3 && !strcmp(how, "unmap"))
		return do_each(argv[2], unmap_one);
	if ((argc == 4 || argc == 5) && !strcmp(how, "compare"))
		return do_compare(argv[2], argv[3], argc == 5 ?
				  strtoull(argv[4], NULL, 0) : 0);
	fputs("usage: see tests/agree/frees.c\n", stderr);
	return 2;
}
