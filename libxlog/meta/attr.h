/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Extended attributes, parent pointers among them. They lie in the attribute
 * fork: in shortform inside the inode, in one leaf, or in a tree of leaves;
 * values that are too long for a leaf in blocks of their own. The form follows
 * from what there is, as in Linux.
 *
 * A change is a deferred operation (ATTRI, ATTRD) of several transactions: the
 * old attribute, if any, goes first, then the new one comes. After a crash
 * recovery does all of it again, which is why nothing has to be there half.
 *
 * Functions that return int return 0 or a negative errno, reported: -EUCLEAN,
 * -EIO, -ENOMEM, -ENOSPC.
 */
#ifndef LIBXLOG_META_ATTR_H
#define LIBXLOG_META_ATTR_H

#include "libxfsfmt/attredit.h"
#include "libxlog/trans/defer.h"
#include "libxlog/trans/inode_item.h"

/*
 * Is @a in inode @ip, which is locked? Of parent pointers the value counts as
 * well. Attributes that are not complete are not there. The blocks that are
 * looked at stay with @t until it ends.
 */
int attr_find(struct trans *t, struct inode *ip, const struct xfs_attr *a,
	      bool *found) MUST_CHECK;

/*
 * Call @fn for every attribute of @ip, which is locked; nonzero ends it and is
 * returned. Of values that are not in a leaf only the length is told, the
 * value is NULL.
 */
int attr_each(struct trans *t, struct inode *ip,
	      int (*fn)(void *ctx, const struct xfs_attr *a),
	      void *ctx) MUST_CHECK;

/* ATTRI and ATTRD. */
extern const struct defer_type defer_attr;

/*
 * Set @a (whether or not there is one of its name), remove it, or put @new in
 * the place of @old, by transactions of the chain of @t in which @ip is held.
 * All bytes are copied. @ip has an attribute fork.
 */
int attr_set_later(struct trans *t, struct inode *ip,
		   const struct xfs_attr *a) MUST_CHECK;
int attr_remove_later(struct trans *t, struct inode *ip,
		      const struct xfs_attr *a) MUST_CHECK;
int attr_replace_later(struct trans *t, struct inode *ip,
		       const struct xfs_attr *old,
		       const struct xfs_attr *new) MUST_CHECK;

/* The transaction for them: with space for @a, or for removing one (NULL). */
int attr_trans_alloc(struct trans_fs *fs, const struct xfs_attr *a,
		     bool use_reserve, struct trans **t) MUST_CHECK;

/*
 * What an ATTRI that was found in the log wants: a work of defer_attr, whose
 * inode is not read yet. -EUCLEAN: it cannot be meant.
 */
int attr_work_decode(struct trans_fs *fs,
		     const struct xfs_logitem_attri *attri,
		     struct defer_work **out) MUST_CHECK;

/*
 * The transaction that a recovered @work is begun in: its inode is read,
 * locked, joined and held. *@ip is the caller's to unlock and to put when the
 * chain is over.
 */
int attr_work_begin(struct trans_fs *fs, struct defer_work *work,
		    struct trans **t, struct inode **ip) MUST_CHECK;

#endif
