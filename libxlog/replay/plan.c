/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The first walk: every item is checked, what the log changes and cancels is
 * collected, intents are matched with their dones, and the superblock is
 * followed, so that a log that grows the filesystem is judged by the size it
 * gives it.
 */
#include <string.h>

#include "libxlog/replay/plan.h"

enum { PENDING_BYTES = 96 };	/* what an intent that waits takes */

static const struct replay_type *const all_types[] = {
	&replay_buf, &replay_inode, &replay_dquot, &replay_quotaoff,
	&replay_icreate,
};

const struct replay_type *replay_type_of(uint16_t type)
{
	for (size_t i = 0; i < sizeof(all_types) / sizeof(all_types[0]); i++)
		if (all_types[i]->type == type)
			return all_types[i];
	return NULL;
}

static int table_error(struct replay *r, int rc)
{
	if (rc == -ENOMEM)
		return replay_no_memory(r);
	return rc ? replay_no_room(r) : 0;
}

bool replay_is_in_log(const struct replay *r, uint64_t daddr, uint64_t len_bb)
{
	const struct xlog_info *info = &r->log->info;

	return info->internal && daddr < info->log_daddr + info->log_size_bb &&
	       daddr + len_bb > info->log_daddr;
}

int plan_target(struct replay *r, const struct replay_item *it,
		uint64_t daddr, uint32_t len_bb)
{
	uint64_t end = r->geom.dblocks << (r->geom.blocklog - BB_SHIFT);
	const char *name = xfs_li_name(it->item->type);

	if (!len_bb || len_bb > XFS_BUF_LOG_MAX_BYTES / BB_SIZE ||
	    daddr >= end || len_bb > end - daddr)
		return replay_refuse(r, -EUCLEAN, "item.place", it->lsn,
				     "%s item: %u blocks at daddr %llu are not a buffer of the filesystem, which has %llu",
				     name, len_bb, (unsigned long long)daddr,
				     (unsigned long long)end);
	if (daddr + len_bb > r->log->fs->size_bytes / BB_SIZE)
		return replay_refuse(r, -EUCLEAN, "item.place", it->lsn,
				     "%s item: %u blocks at daddr %llu lie behind the end of the device",
				     name, len_bb, (unsigned long long)daddr);
	if (replay_is_in_log(r, daddr, len_bb))
		return replay_refuse(r, -EUCLEAN, "item.place", it->lsn,
				     "%s item: %u blocks at daddr %llu lie in the log",
				     name, len_bb, (unsigned long long)daddr);
	return table_error(r, targets_add(r->targets, daddr, len_bb,
					  it->seq));
}

int plan_cancel(struct replay *r, const struct replay_item *it,
		uint64_t daddr, uint32_t len_bb)
{
	if (!len_bb)
		return replay_refuse(r, -EUCLEAN, "item.place", it->lsn,
				     "buf item: cancels an empty buffer");
	return table_error(r, targets_cancel(r->targets, daddr, len_bb,
					     it->seq));
}

static int plan_item(struct replay *r, const struct replay_item *it)
{
	const struct replay_type *type = replay_type_of(it->item->type);
	const char *name = xfs_li_name(it->item->type), *why;
	int rc;

	if (!name)
		return replay_refuse(r, -EOPNOTSUPP, "item.type", it->lsn,
				     "an item of a type that is not known (0x%x)",
				     it->item->type);
	why = xfs_logitem_verify(&it->view);
	if (why)
		return replay_refuse(r, -EUCLEAN, "item", it->lsn,
				     "%s item: %s", name, why);
	rc = xlog_pending_item(r->pending, it->item, it->lsn,
			       it->view.order == XFS_BE);
	if (rc)
		return replay_no_memory(r);
	rc = replay_check_room(r, xlog_pending_count(r->pending) *
			       PENDING_BYTES);
	if (rc)
		return rc;
	return type && type->plan ? type->plan(r, it) : 0;
}

/* Types of quota that are counted by the superblock as replayed. */
static unsigned int accounted(const struct replay *r)
{
	unsigned int types = 0;

	if (r->sb.sb_qflags & XFS_UQUOTA_ACCT)
		types |= XFS_DQTYPE_USER;
	if (r->sb.sb_qflags & XFS_PQUOTA_ACCT)
		types |= XFS_DQTYPE_PROJ;
	if (r->sb.sb_qflags & XFS_GQUOTA_ACCT)
		types |= XFS_DQTYPE_GROUP;
	return types;
}

int plan_make(struct replay *r)
{
	struct replay_walk walk;
	int rc = replay_walk(r, XLOG_PHASE_PLAN, plan_item, &walk);

	if (rc)
		return rc;
	r->last_lsn = walk.last_lsn;
	r->res->records = walk.records;
	r->res->checkpoints = walk.checkpoints;
	r->res->items = walk.items;
	r->res->uncommitted = walk.uncommitted;
	r->dquot_types = accounted(r) & ~r->quotaoff_types;
	return table_error(r, targets_sort(r->targets));
}
