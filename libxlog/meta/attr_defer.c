/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes of attributes as deferred operations: what of them is logged, and
 * what a log wants to have done. See attr.h.
 */
#include <stdlib.h>

#include "libxfsfmt/levels.h"
#include "libxlog/meta/attr_work.h"
#include "libxlog/trans/counters.h"

static struct attr_work *work_of(const struct defer_work *w)
{
	return container_of(w, struct attr_work, work);
}

static uint32_t padded(uint32_t len_bytes)
{
	return (len_bytes + 3) & ~(uint32_t)3;
}

/* --- works --- */

static bool replaces_parent(uint32_t op)
{
	return op == XFS_ATTRI_PPTR_REPLACE;
}

static bool removes(uint32_t op)
{
	return op == XFS_ATTRI_REMOVE || op == XFS_ATTRI_PPTR_REMOVE;
}

static uint8_t *copy(uint8_t *at, const uint8_t **p, uint32_t len_bytes)
{
	if (len_bytes)
		memcpy(at, *p, len_bytes);
	*p = at;
	return at + len_bytes;
}

/* Of the strings behind it @w has copies of its own. NULL: reported. */
static struct attr_work *work_new(struct trans_fs *fs, uint32_t op,
				  const struct xfs_attr *old,
				  const struct xfs_attr *new)
{
	size_t bytes = (size_t)old->name_bytes + old->value_bytes;
	struct attr_work *w;
	uint8_t *at;

	if (new)
		bytes += (size_t)new->name_bytes + new->value_bytes;
	w = calloc(1, sizeof(*w) + bytes);
	if (!w) {
		(void)report(&fs->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			     "out of memory");
		return NULL;
	}
	at = (uint8_t *)(w + 1);
	w->op = op;
	w->old = *old;
	at = copy(at, &w->old.name, old->name_bytes);
	at = copy(at, &w->old.value, old->value_bytes);
	if (!new)
		return w;
	w->new = *new;
	at = copy(at, &w->new.name, new->name_bytes);
	copy(at, &w->new.value, new->value_bytes);
	return w;
}

static int add_work(struct trans *t, struct inode *ip, uint32_t op,
		    const struct xfs_attr *old, const struct xfs_attr *new)
{
	struct attr_work *w = work_new(ip->fs, op, old, new);

	if (!w)
		return -ENOMEM;
	w->ip = ip;
	w->ino = ip->ino;
	w->igen = ip->di.di_gen;
	return defer_add(t, &defer_attr, &w->work);
}

int attr_set_later(struct trans *t, struct inode *ip,
		   const struct xfs_attr *a)
{
	return add_work(t, ip, a->space & XFS_ATTR_PARENT ?
			XFS_ATTRI_PPTR_SET : XFS_ATTRI_SET, a, a);
}

int attr_remove_later(struct trans *t, struct inode *ip,
		      const struct xfs_attr *a)
{
	return add_work(t, ip, a->space & XFS_ATTR_PARENT ?
			XFS_ATTRI_PPTR_REMOVE : XFS_ATTRI_REMOVE, a, NULL);
}

int attr_replace_later(struct trans *t, struct inode *ip,
		       const struct xfs_attr *old, const struct xfs_attr *new)
{
	return add_work(t, ip, new->space & XFS_ATTR_PARENT ?
			XFS_ATTRI_PPTR_REPLACE : XFS_ATTRI_REPLACE, old, new);
}

/* --- in the log --- */

struct strings {
	const uint8_t	*data[4];
	uint32_t	len_bytes[4];
	unsigned int	count;
};

static void add_string(struct strings *s, const uint8_t *data,
		       uint32_t len_bytes)
{
	if (!len_bytes)
		return;
	s->data[s->count] = data;
	s->len_bytes[s->count++] = len_bytes;
}

/* A removal names what goes; parent pointers are named by their value, too. */
static struct strings strings_of(const struct attr_work *w)
{
	const struct xfs_attr *a = w->new.name ? &w->new : &w->old;
	struct strings s = { .count = 0 };

	if (replaces_parent(w->op)) {
		add_string(&s, w->old.name, w->old.name_bytes);
		add_string(&s, w->new.name, w->new.name_bytes);
		add_string(&s, w->old.value, w->old.value_bytes);
		add_string(&s, w->new.value, w->new.value_bytes);
		return s;
	}
	add_string(&s, a->name, a->name_bytes);
	if (w->op != XFS_ATTRI_REMOVE)
		add_string(&s, a->value, a->value_bytes);
	return s;
}

static const struct attr_work *first_of(const struct list *works)
{
	return work_of(container_of(list_first(works), struct defer_work,
				    link));
}

static unsigned int intent_regions(const struct list *works,
				   uint32_t len_bytes[DEFER_MAX_REGIONS])
{
	struct strings s = strings_of(first_of(works));

	len_bytes[0] = xfs_attri_log_format_size;
	for (unsigned int i = 0; i < s.count; i++)
		len_bytes[1 + i] = padded(s.len_bytes[i]);
	return 1 + s.count;
}

static void intent_encode(const struct list *works,
			  uint8_t *const regions[DEFER_MAX_REGIONS])
{
	const struct attr_work *w = first_of(works);
	const struct xfs_attr *a = w->new.name ? &w->new : &w->old;
	struct strings s = strings_of(w);
	struct xfs_attri_log_format f = {
		.alfi_ino = w->ino,
		.alfi_op_flags = w->op,
		.alfi_name_len = a->name_bytes,
		.alfi_value_len = w->op == XFS_ATTRI_REMOVE ? 0 :
				  a->value_bytes,
		.alfi_attr_filter = a->space,
	};

	if (a->space & XFS_ATTR_PARENT)
		f.alfi_igen = w->igen;
	if (replaces_parent(w->op)) {
		f.alfi_old_name_len = (uint16_t)w->old.name_bytes;
		f.alfi_new_name_len = (uint16_t)w->new.name_bytes;
	}
	xfs_attri_log_format_encode(regions[0], &f, replaces_parent(w->op) ?
				    XFS_ATTRI_TWO_NAMES : 0, XFS_HOST_ORDER);
	for (unsigned int i = 0; i < s.count; i++)
		memcpy(regions[1 + i], s.data[i], s.len_bytes[i]);
}

static int finish(struct trans *t, struct defer_work *w,
		  struct defer_state *st)
{
	(void)st;
	return attr_work_step(t, work_of(w));
}

static void free_work(struct defer_work *w)
{
	free(work_of(w));
}

const struct defer_type defer_attr = {
	.name = "attribute",
	.intent_type = XFS_LI_ATTRI,
	.done_type = XFS_LI_ATTRD,
	.max_items = 1,
	.intent_regions = intent_regions,
	.intent_encode = intent_encode,
	.finish = finish,
	.free_work = free_work,
};

/* --- space --- */

enum { DA_LEVELS = XFS_DA_MAX_DEPTH };

/* Blocks of trees of extents that @blocks more of them may need. */
static uint32_t map_blocks(const struct trans_fs *fs, uint32_t blocks)
{
	const struct xfs_geom *g = &fs->geom;
	/* what a leaf of such a tree can take up before it is divided */
	uint32_t room = (uint32_t)xfs_btree_room(XFS_BTREE_BMAP, g->v5, true,
						 g->blocksize);
	uint32_t contiguous = room - room / 2;
	struct xfs_levels lv;

	xfs_levels_init(&lv, g);
	return (blocks + contiguous - 1) / contiguous * (lv.bmap_attr - 1u);
}

uint32_t attr_add_blocks(const struct trans_fs *fs, const struct xfs_attr *a)
{
	const struct xfs_geom *g = &fs->geom;
	uint32_t blocks = DA_LEVELS * (1 + map_blocks(fs, 1)), more;
	bool local;

	if (xfs_attr_leaf_bytes(a, g->blocksize, &local) > g->blocksize / 2)
		return 2 * blocks;
	if (local)
		return blocks;
	more = attr_value_blocks(g, a->value_bytes);
	return blocks + more + map_blocks(fs, more);
}

int attr_trans_alloc(struct trans_fs *fs, const struct xfs_attr *a,
		     bool use_reserve, struct trans **t)
{
	uint32_t blocks;

	if (!a)
		return trans_alloc_blocks(fs, XFS_TR_ATTRRM, DA_LEVELS *
					  map_blocks(fs, 1), use_reserve, t);
	blocks = attr_add_blocks(fs, a);
	return trans_alloc_more_blocks(fs, XFS_TR_ATTRSETM, blocks *
				fs->resv.tr[XFS_TR_ATTRSETRT].logres_bytes,
				blocks, use_reserve, t);
}

/* --- recovery --- */

static int bad_intent(struct trans_fs *fs, uint64_t ino, const char *why)
{
	return report(&fs->sink, -EUCLEAN, "intent.attri", XLOG_LSN_NONE,
		      "attri item of inode %llu: %s",
		      (unsigned long long)ino, why);
}

int attr_work_decode(struct trans_fs *fs,
		     const struct xfs_logitem_attri *attri,
		     struct defer_work **out)
{
	const struct xfs_attri_log_format *f = &attri->fmt;
	uint32_t op = f->alfi_op_flags & XFS_EXTENT_OP_MASK;
	struct xfs_attr a = {
		.name = attri->name, .name_bytes = attri->name_bytes,
		.value = attri->value, .value_bytes = attri->value_bytes,
		.space = f->alfi_attr_filter & XFS_ATTR_NAMESPACES,
	}, b = a;
	struct attr_work *w;

	if (!xfs_geom_ino_ok(&fs->geom, f->alfi_ino))
		return bad_intent(fs, f->alfi_ino, "no such number");
	if (a.space & XFS_ATTR_PARENT && !fs->geom.parent)
		return bad_intent(fs, f->alfi_ino,
				  "a parent pointer in a filesystem without");
	if (replaces_parent(op)) {
		b.name = attri->new_name;
		b.name_bytes = attri->new_name_bytes;
		b.value = attri->new_value;
		b.value_bytes = attri->new_value_bytes;
	}
	w = work_new(fs, op, &a, removes(op) ? NULL : &b);
	if (!w)
		return -ENOMEM;
	w->ino = f->alfi_ino;
	w->igen = f->alfi_igen;
	*out = &w->work;
	return 0;
}

static void join(struct trans *t, struct inode *ip) UNCHECKED_LOCKING
{
	inode_join(t, ip);
	inode_hold(t, ip);
}

int attr_work_begin(struct trans_fs *fs, struct defer_work *work,
		    struct trans **t, struct inode **ip)
{
	struct attr_work *w = work_of(work);
	int rc = inode_iget(fs, w->ino, 0, ip);

	if (rc)
		return rc;
	inode_lock(*ip);
	if (w->old.space & XFS_ATTR_PARENT && (*ip)->di.di_gen != w->igen)
		rc = bad_intent(fs, w->ino, "the inode has become another");
	if (!rc && !(*ip)->di.di_forkoff && w->new.name)
		rc = bad_intent(fs, w->ino, "it has no attribute fork");
	if (!rc)
		rc = bmap_check(*ip);
	inode_unlock(*ip);
	if (!rc)
		rc = attr_trans_alloc(fs, w->new.name ? &w->new : NULL, true,
				      t);
	if (rc) {
		inode_put(*ip);
		return rc;
	}
	w->ip = *ip;
	w->recovered = true;
	join(*t, *ip);
	return 0;
}
