/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A change of an attribute in steps of one transaction each. Which step is
 * next follows from what is there, but for an attribute whose value is still
 * to be written: a recovery begins at the beginning, and removes that first.
 * See attr_priv.h.
 */
#include <time.h>

#include "libxfsfmt/time.h"
#include "libxlog/meta/attr_work.h"

static struct attr_op op_of(struct trans *t, struct attr_work *w,
			    const struct xfs_attr *a)
{
	return (struct attr_op){
		.t = t, .ip = w->ip, .a = a,
		.hash = xfs_attr_hash(&w->ip->fs->geom, a),
		.total = attr_add_blocks(w->ip->fs, a),
	};
}

/* --- removing --- */

static void sf_remove(const struct attr_op *op, bool keep_fork)
{
	struct inode *ip = op->ip;
	uint8_t *sf = inode_fork(ip, XFS_ATTR_FORK, NULL);
	uint32_t off = 0;

	if (inode_format(ip, XFS_ATTR_FORK) == XFS_DINODE_FMT_LOCAL)
		off = xfs_attr_sf_find(sf, op->a);
	if (!off)
		return;
	xfs_attr_sf_remove(sf, off);
	attr_sf_trim(op, keep_fork);
}

/* The entry at the end of @path says so from now on. */
static int set_entry(const struct attr_op *op, const struct attr_path *path,
		     uint8_t flags, uint32_t value_block, uint32_t value_bytes)
{
	struct buf *b = path->at[path->depth - 1].buf;
	struct xfs_attr_leaf leaf;
	struct attr_edit e;
	int rc = attr_load_leaf(op, &leaf, b);

	if (!rc)
		rc = attr_edit_begin(&e, op, b);
	if (rc)
		return rc;
	xfs_attr_leaf_set(&leaf, path->index, flags, value_block, value_bytes);
	attr_edit_end(&e);
	return 0;
}

/* One whose value is being removed, or was not wholly written. */
static int remove_value(const struct attr_op *op, const struct attr_path *path,
			const struct xfs_attr_entry *e)
{
	bool left;
	int rc = attr_value_free(op, e->value_block, e->value_bytes, &left);

	return rc || left ? rc : set_entry(op, path, e->flags, 0, 0);
}

/*
 * Of what is in blocks. *@gone: nothing is left; where another one comes, not
 * even one that is not complete.
 */
static int tree_remove(const struct attr_op *op, bool keep_fork, bool *gone)
{
	struct xfs_attr_leaf leaf;
	struct xfs_attr_entry e;
	struct attr_path path;
	bool found;
	int rc = attr_path_find(op, false, &path, &found);

	if (!rc && !found)
		rc = attr_path_find(op, true, &path, &found);
	*gone = !found;
	if (rc || !found)
		return rc;
	xfs_attr_leaf_look(&leaf, path.at[path.depth - 1].buf->data,
			   attr_geom(op));
	xfs_attr_leaf_entry(&leaf, path.index, &e);
	if (e.flags & XFS_ATTR_LOCAL ||
	    (e.flags & XFS_ATTR_INCOMPLETE && !e.value_block)) {
		*gone = !keep_fork;
		return attr_tree_remove(op, &path, keep_fork);
	}
	if (e.flags & XFS_ATTR_INCOMPLETE)
		return remove_value(op, &path, &e);
	return set_entry(op, &path, e.flags | XFS_ATTR_INCOMPLETE,
			 e.value_block, e.value_bytes);
}

/* -EAGAIN until nothing of it is there. */
static int step_remove(struct trans *t, struct attr_work *w)
{
	const struct attr_op op = op_of(t, w, &w->old);
	bool gone;
	int rc;

	if (!attr_has_blocks(w->ip)) {
		sf_remove(&op, w->new.name);
		return 0;
	}
	rc = tree_remove(&op, w->new.name, &gone);
	return rc || gone ? rc : -EAGAIN;
}

/* --- adding --- */

/*
 * Who sets an attribute sees to the time of the change before that is
 * deferred; but Linux does it again where a shortform is done, so a recovery
 * shows.
 */
static void touch(struct trans *t, struct attr_work *w)
{
	struct inode *ip = w->ip;
	struct timespec now;

	if (!w->recovered || clock_gettime(CLOCK_REALTIME, &now))
		return;
	ip->di.di_ctime = xfs_time_value(&(struct xfs_time){
		.sec = now.tv_sec, .nsec = (uint32_t)now.tv_nsec,
	}, ip->di.di_version >= 3 && ip->di.di_flags2 & XFS_DIFLAG2_BIGTIME);
	inode_log(t, ip, XFS_ILOG_CORE);
}

static int step_add(struct trans *t, struct attr_work *w)
{
	const struct attr_op op = op_of(t, w, &w->new);
	struct attr_path path;
	bool local, done, found;
	int rc;

	if (!attr_has_blocks(w->ip)) {
		if (attr_sf_add_one(&op)) {
			touch(t, w);
			return 0;
		}
		rc = attr_sf_to_leaf(&op);
		return rc ? rc : -EAGAIN;
	}
	(void)xfs_attr_leaf_bytes(&w->new, attr_geom(&op)->blocksize, &local);
	rc = attr_path_find(&op, !local, &path, &found);
	if (!rc && found)
		rc = attr_bad(&op, "one that was removed is there");
	if (!rc)
		rc = attr_tree_add(&op, &path, &done);
	if (rc)
		return rc;
	if (!done)
		return -EAGAIN;
	if (local)
		return 0;
	w->left = attr_value_blocks(attr_geom(&op), w->new.value_bytes);
	rc = attr_find_hole(&op, w->left, &w->value_block);
	w->next_block = w->value_block;
	w->step = ATTR_VALUE;
	return rc ? rc : -EAGAIN;
}

/* Of the one that was added: where its value is, or will be. */
static int set_value(const struct attr_op *op, struct attr_work *w,
		     uint8_t flags)
{
	struct attr_path path;
	bool found;
	int rc = attr_path_find(op, true, &path, &found);

	if (!rc && !found)
		rc = attr_bad(op, "one that was added is not there");
	return rc ? rc : set_entry(op, &path, flags, w->value_block,
				   w->new.value_bytes);
}

static int step_value(struct trans *t, struct attr_work *w)
{
	const struct attr_op op = op_of(t, w, &w->new);
	int rc = 0;

	if (!w->left) {
		rc = attr_value_write(&op, w->value_block);
		return rc ? rc : set_value(&op, w, w->new.space);
	}
	/* whoever begins anew finds what there was */
	if (w->next_block == w->value_block)
		rc = set_value(&op, w, w->new.space | XFS_ATTR_INCOMPLETE);
	if (!rc)
		rc = attr_value_alloc(&op, &w->next_block, &w->left);
	return rc ? rc : -EAGAIN;
}

/* --- all --- */

int attr_work_step(struct trans *t, struct attr_work *w)
{
	int rc = 0;

	if (w->step == ATTR_REMOVE) {
		rc = step_remove(t, w);
		if (rc)
			return rc;
		w->step = ATTR_ADD;
	}
	if (!w->new.name)
		return 0;
	return w->step == ATTR_ADD ? step_add(t, w) : step_value(t, w);
}

int attr_find(struct trans *t, struct inode *ip, const struct xfs_attr *a,
	      bool *found)
{
	const struct attr_op op = {
		.t = t, .ip = ip, .a = a,
		.hash = xfs_attr_hash(&ip->fs->geom, a),
	};
	struct attr_path path;

	*found = false;
	if (attr_has_blocks(ip))
		return attr_path_find(&op, false, &path, found);
	if (ip->di.di_forkoff &&
	    inode_format(ip, XFS_ATTR_FORK) == XFS_DINODE_FMT_LOCAL)
		*found = xfs_attr_sf_find(inode_fork(ip, XFS_ATTR_FORK, NULL),
					  a);
	return 0;
}

static int each_in_leaf(const struct attr_op *op, const struct buf *b,
			int (*fn)(void *ctx, const struct xfs_attr *a),
			void *ctx)
{
	struct xfs_attr_leaf leaf;
	int rc = 0;

	xfs_attr_leaf_look(&leaf, b->data, attr_geom(op));
	for (uint32_t i = 0; i < leaf.count && !rc; i++) {
		struct xfs_attr_entry e;

		xfs_attr_leaf_entry(&leaf, i, &e);
		if (!(e.flags & XFS_ATTR_INCOMPLETE))
			rc = fn(ctx, &(struct xfs_attr){
				.name = e.name, .name_bytes = e.name_bytes,
				.value = e.value, .value_bytes = e.value_bytes,
				.space = e.flags & XFS_ATTR_NAMESPACES,
			});
	}
	return rc;
}

int attr_each(struct trans *t, struct inode *ip,
	      int (*fn)(void *ctx, const struct xfs_attr *a), void *ctx)
{
	const struct attr_op op = { .t = t, .ip = ip };
	struct attr_path path;
	struct xfs_attr a;
	uint32_t off = 0;
	bool moved = true;
	int rc = 0;

	if (attr_has_blocks(ip)) {
		rc = attr_path_first(&op, &path);
		while (!rc && moved) {
			rc = each_in_leaf(&op, path.at[path.depth - 1].buf, fn,
					  ctx);
			if (!rc)
				rc = attr_path_shift(&op, &path, path.depth,
						     true, &moved);
		}
	} else if (ip->di.di_forkoff &&
		   inode_format(ip, XFS_ATTR_FORK) == XFS_DINODE_FMT_LOCAL) {
		while (!rc && xfs_attr_sf_next(inode_fork(ip, XFS_ATTR_FORK,
							  NULL), &off, &a))
			rc = fn(ctx, &a);
	}
	return rc;
}
