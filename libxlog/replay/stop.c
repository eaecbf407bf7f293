/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Replay of a part of the log shows a state that the filesystem need never
 * have had: what later checkpoints changed may be on disk already. Here these
 * places are looked up, and counted by the LSN that they have.
 */
#include <stdlib.h>

#include "libxfsfmt/inode.h"
#include "libxlog/replay/walk.h"
#include "libxlog/replay/window.h"

/* A table of its own: what later checkpoints change. */
struct later {
	struct target_table *targets;
	xfs_lsn_t	stop;		/* last checkpoint replayed */
};

static int collect(struct replay *r, const struct replay_item *it)
{
	struct target_table *tt = r->later->targets;
	struct xfs_logitem_inode in;
	struct xfs_buf_runs runs;
	struct target_place at = { 0 };
	uint64_t end = r->log->fs->size_bytes / BB_SIZE;

	if (it->item->type == XFS_LI_INODE &&
	    !xfs_logitem_inode(&it->view, &in))
		at = (struct target_place){ in.ilf.ilf_blkno, in.ilf.ilf_len };
	else if (it->item->type == XFS_LI_BUF &&
		 !xfs_buf_runs_init(&runs, &it->view))
		at = (struct target_place){ runs.blf.blf_blkno,
					    runs.blf.blf_len };
	/* what is no buffer would be refused when its turn comes */
	if (!at.len_bb || at.len_bb > XFS_BUF_LOG_MAX_BYTES / BB_SIZE ||
	    at.daddr >= end || at.len_bb > end - at.daddr)
		return 0;
	/* all are of the same: they come behind what was replayed, if any */
	return targets_add(tt, at.daddr, at.len_bb, it->seq + 1) ?
	       replay_no_memory(r) : 0;
}

static void count_target(struct replay *r, struct target *t)
{
	size_t len = (size_t)t->at.len_bb * BB_SIZE;
	size_t step = r->geom.inodesize;

	if (get_be16(t->data) != XFS_DINODE_MAGIC) {
		target_start(r, t);
		r->res->beyond += t->has_lsn && t->disk_lsn > r->later->stop;
		return;
	}
	for (size_t off = 0; off + step <= len; off += step) {
		xfs_lsn_t lsn = get_be64(t->data + off + XFS_DINODE_LSN_OFF);

		r->res->beyond += get_be16(t->data + off) ==
				  XFS_DINODE_MAGIC &&
				  lsn != XLOG_LSN_NONE && lsn > r->later->stop;
	}
}

static int count_all(struct replay *r)
{
	struct target_table *tt = r->later->targets;
	uint8_t *buf = malloc(XFS_BUF_LOG_MAX_BYTES);
	int rc = 0;

	if (!buf)
		return replay_no_memory(r);
	for (size_t i = 0; i < targets_count(tt) && !rc; i++) {
		struct target t = { .at = targets_at(tt, i), .data = buf };

		rc = dev_read(r->log->fs, t.at.daddr * BB_SIZE, buf,
			      (size_t)t.at.len_bb * BB_SIZE);
		if (!rc)
			count_target(r, &t);
	}
	free(buf);
	return rc;
}

int stop_count_newer(struct replay *r)
{
	struct later later = { .stop = r->last_lsn };
	int rc;

	r->res->beyond = UINT64_MAX;
	if (!r->geom.v5)
		return 0;
	r->res->beyond = 0;
	later.targets = targets_new(r->max_bytes / 2);
	if (!later.targets)
		return replay_no_memory(r);
	r->later = &later;
	rc = replay_walk_beyond(r, collect);
	if (!rc && targets_sort(later.targets))
		rc = replay_no_memory(r);
	if (!rc)
		rc = count_all(r);
	r->later = NULL;
	targets_free(later.targets);
	/* what a damaged log would change, nobody knows */
	r->res->consistent = !rc && !r->res->beyond &&
			     r->res->bounds.damaged == XLOG_LSN_NONE;
	return rc;
}
