/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log item of a new chunk of inodes; see icreate_item.h. It belongs to
 * nothing that lives on: it is gone when its checkpoint is.
 */
#include <stdlib.h>

#include "libxfsfmt/logitem.h"
#include "libxlog/trans/icreate_item.h"

struct icreate_item {
	struct log_item	item;
	struct xfs_icreate_log icl;
};

static struct icreate_item *item_of(struct log_item *item)
{
	return container_of(item, struct icreate_item, item);
}

static void item_size(struct log_item *item, uint32_t *nregions,
		      uint32_t *bytes)
{
	(void)item;
	*nregions = 1;
	*bytes = xfs_icreate_log_size;
}

static void item_format(struct log_item *item, struct log_formatter *f)
{
	xfs_icreate_log_encode(log_region(f, xfs_icreate_log_size),
			       &item_of(item)->icl, 0, XFS_HOST_ORDER);
}

static void item_free(struct log_item *item)
{
	struct icreate_item *ic = item_of(item);

	log_item_fini(item);
	free(ic);
}

/* Pins and locks are for objects; there is none. */
static void item_pin(struct log_item *item)
{
	(void)item;
}

static void item_committing(struct log_item *item, uint64_t seq)
{
	(void)item;
	(void)seq;
}

static void item_unpin(struct log_item *item, bool abort)
{
	(void)abort;
	item_free(item);
}

static void item_release(struct log_item *item, bool abort)
{
	(void)abort;
	item_free(item);
}

static uint64_t item_id(const struct log_item *item)
{
	return container_of(item, const struct icreate_item,
			    item)->icl.icl_agbno;
}

static const struct trans_item_ops icreate_item_ops = {
	.log = {
		.name = "icreate",
		.flags = LOG_OPS_RELEASE_COMMITTED,
		.size = item_size,
		.format = item_format,
		.pin = item_pin,
		.unpin = item_unpin,
		.committing = item_committing,
		.release = item_release,
		.id = item_id,
	},
};

int trans_icreate(struct trans *t, xfs_agnumber_t agno, xfs_agblock_t agbno,
		  uint32_t count, uint32_t inodesize, uint32_t len_blocks,
		  uint32_t gen)
{
	struct icreate_item *ic = calloc(1, sizeof(*ic));

	if (!ic)
		return report(&t->fs->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	log_item_init(&ic->item, &icreate_item_ops.log, XFS_LI_ICREATE);
	ic->icl = (struct xfs_icreate_log){
		.icl_type = XFS_LI_ICREATE,
		.icl_size = 1,
		.icl_ag = agno,
		.icl_agbno = agbno,
		.icl_count = count,
		.icl_isize = inodesize,
		.icl_length = len_blocks,
		.icl_gen = gen,
	};
	trans_join(t, &ic->item);
	trans_dirty(t, &ic->item);
	return 0;
}
