/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lists are linked in one direction only. What is taken out of the middle
 * is found from the head; recovery always takes the head itself.
 */
#include "libxfsfmt/crc32c.h"
#include "libxlog/meta/iunlink.h"
#include "libxlog/meta/perag.h"
#include "libxlog/trans/trans_buf.h"

/* A list, while it is looked at or changed. */
struct unlinked {
	struct trans_fs	*fs;
	struct trans	*t;		/* NULL: only looks */
	struct perag	*pag;
	unsigned int	bucket;
};

/* An inode of it, by its cluster, and the next one. */
struct place {
	xfs_agino_t	agino, next;
	struct buf	*buf;
	uint32_t	off_bytes;	/* of the inode in the buffer */
};

static int bad_list(const struct unlinked *l, xfs_agino_t agino,
		    const char *why)
{
	return perag_corrupt(l->pag, "unlinked",
			     "unlinked list %u: inode %llu %s", l->bucket,
			     (unsigned long long)
			     xfs_ino_make(&l->fs->geom, l->pag->group.agno,
					  agino), why);
}

static const char *judge(const struct unlinked *l, xfs_agino_t agino)
{
	const struct xfs_geom *g = &l->fs->geom;
	xfs_ino_t ino = xfs_ino_make(g, l->pag->group.agno, agino);

	if (xfs_ino_agno(g, ino) != l->pag->group.agno ||
	    xfs_ino_agino(g, ino) != agino || !xfs_geom_ino_ok(g, ino))
		return "is none of this group";
	if (agino % XFS_AGI_BUCKETS != l->bucket)
		return "belongs in another list";
	return NULL;
}

/* Read the cluster of @agino into the transaction, or locked. */
static int place_get(const struct unlinked *l, xfs_agino_t agino,
		     struct place *p)
{
	const char *why = judge(l, agino);
	uint64_t daddr;
	int rc;

	if (why)
		return bad_list(l, agino, why);
	p->agino = agino;
	rc = inode_place(l->fs, l->t,
			 xfs_ino_make(&l->fs->geom, l->pag->group.agno, agino),
			 &daddr, &p->off_bytes);
	if (!rc)
		rc = trans_read_buf(l->fs, l->t, daddr, l->fs->cluster_bb,
				    &trans_inode_ops, &p->buf);
	if (rc)
		return rc;
	p->next = get_be32(p->buf->data + p->off_bytes +
			   XFS_DINODE_UNLINKED_OFF);
	why = p->next == XFS_NULL_AGINO ? NULL : judge(l, p->next);
	if (!why && p->next == agino)
		why = "comes after itself";
	if (!why)
		return 0;
	trans_brelse(l->t, p->buf);
	return bad_list(l, p->next, why);
}

static void place_put(const struct unlinked *l, struct place *p)
{
	trans_brelse(l->t, p->buf);
}

static void place_set_next(const struct unlinked *l, struct place *p,
			   xfs_agino_t next)
{
	uint8_t *raw = p->buf->data + p->off_bytes;
	uint32_t bytes = l->fs->geom.inodesize;

	put_be32(raw + XFS_DINODE_UNLINKED_OFF, next);
	if (l->fs->geom.v5)
		put_le32(raw + XFS_DINODE_CRC_OFF,
			 xfs_crc_block(raw, bytes, XFS_DINODE_CRC_OFF));
	trans_inode_buf(l->t, p->buf);
	trans_log_buf(l->t, p->buf, p->off_bytes + XFS_DINODE_UNLINKED_OFF, 4);
}

static struct unlinked list_of(struct trans_fs *fs, struct trans *t,
			       xfs_agnumber_t agno, unsigned int bucket)
{
	return (struct unlinked){
		.fs = fs, .t = t, .pag = perag_of(fs, agno), .bucket = bucket,
	};
}

static struct unlinked list_of_inode(struct trans *t, const struct inode *ip)
{
	const struct xfs_geom *g = &ip->fs->geom;

	return list_of(ip->fs, t, xfs_ino_agno(g, ip->ino),
		       xfs_ino_agino(g, ip->ino) % XFS_AGI_BUCKETS);
}

static void set_head(const struct unlinked *l, struct buf *agibuf,
		     struct xfs_agi *agi, xfs_agino_t agino)
{
	agi->agi_unlinked[l->bucket] = agino;
	ag_set_agi(l->t, agibuf, agi);
}

int iunlink_insert(struct trans *t, struct inode *ip)
{
	struct unlinked l = list_of_inode(t, ip);
	xfs_agino_t agino = xfs_ino_agino(&ip->fs->geom, ip->ino), head;
	struct buf *agibuf;
	struct xfs_agi agi;
	const char *why;
	struct place p;
	int rc = ag_read_agi(t, l.pag, &agibuf);

	if (rc)
		return rc;
	agi = ag_agi(agibuf);
	head = agi.agi_unlinked[l.bucket];
	why = head == XFS_NULL_AGINO ? NULL : judge(&l, head);
	if (why)
		return bad_list(&l, head, why);
	rc = place_get(&l, agino, &p);
	if (rc)
		return rc;
	if (head == agino || p.next != XFS_NULL_AGINO) {
		place_put(&l, &p);
		return bad_list(&l, agino, "is in it already");
	}
	if (head != XFS_NULL_AGINO)
		place_set_next(&l, &p, head);
	place_put(&l, &p);
	set_head(&l, agibuf, &agi, agino);
	return 0;
}

/*
 * *@p: the inode in front of @agino, in the list from @head. The inode @seen
 * is one that was passed, at distances that double: a list that runs in a
 * circle comes back to it.
 */
static int find_prev(const struct unlinked *l, xfs_agino_t head,
		     xfs_agino_t agino, struct place *p)
{
	xfs_agino_t seen = XFS_NULL_AGINO;
	uint64_t steps = 0, next_mark = 1;
	int rc;

	while (head != XFS_NULL_AGINO) {
		if (head == seen)
			return bad_list(l, head, "comes again and again");
		rc = place_get(l, head, p);
		if (rc || p->next == agino)
			return rc;
		if (++steps == next_mark) {
			seen = head;
			next_mark *= 2;
		}
		head = p->next;
		place_put(l, p);
	}
	return bad_list(l, agino, "is not in it");
}

int iunlink_remove(struct trans *t, struct inode *ip, bool stale)
{
	struct unlinked l = list_of_inode(t, ip);
	xfs_agino_t agino = xfs_ino_agino(&ip->fs->geom, ip->ino), head;
	struct place own, prev;
	struct buf *agibuf;
	struct xfs_agi agi;
	int rc = ag_read_agi(t, l.pag, &agibuf);

	if (!rc)
		rc = place_get(&l, agino, &own);
	if (rc)
		return rc;
	agi = ag_agi(agibuf);
	head = agi.agi_unlinked[l.bucket];
	if (head != agino) {
		rc = find_prev(&l, head, agino, &prev);
		if (rc)
			goto put_own;
		place_set_next(&l, &prev, own.next);
		place_put(&l, &prev);
	} else {
		set_head(&l, agibuf, &agi, own.next);
	}
	if (!stale && own.next != XFS_NULL_AGINO)
		place_set_next(&l, &own, XFS_NULL_AGINO);
put_own:
	place_put(&l, &own);
	return rc;
}

int iunlink_first(struct trans_fs *fs, xfs_agnumber_t agno,
		  unsigned int bucket, xfs_agino_t *agino)
{
	struct unlinked l = list_of(fs, NULL, agno, bucket);
	struct buf *agibuf;
	const char *why;
	int rc = ag_read_agi(NULL, l.pag, &agibuf);

	if (rc)
		return rc;
	*agino = ag_agi(agibuf).agi_unlinked[bucket];
	buf_release(agibuf);
	why = *agino == XFS_NULL_AGINO ? NULL : judge(&l, *agino);
	return why ? bad_list(&l, *agino, why) : 0;
}

int iunlink_next(struct trans_fs *fs, xfs_agnumber_t agno, unsigned int bucket,
		 xfs_agino_t agino, xfs_agino_t *next)
{
	struct unlinked l = list_of(fs, NULL, agno, bucket);
	struct place p;
	int rc = place_get(&l, agino, &p);

	if (rc)
		return rc;
	*next = p.next;
	place_put(&l, &p);
	return 0;
}

int iunlink_clear(struct trans_fs *fs, xfs_agnumber_t agno,
		  unsigned int bucket)
{
	struct buf *agibuf;
	struct unlinked l;
	struct xfs_agi agi;
	struct trans *t;
	int rc = trans_alloc(fs, XFS_TR_CLEARAGI, &t);

	if (rc)
		return rc;
	l = list_of(fs, t, agno, bucket);
	rc = ag_read_agi(t, l.pag, &agibuf);
	if (rc) {
		trans_cancel(t);
		return rc;
	}
	agi = ag_agi(agibuf);
	set_head(&l, agibuf, &agi, XFS_NULL_AGINO);
	return trans_commit(t, NULL);
}
