/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inodes larger than a sector can be torn by a write that was cut off, like
 * any block of several sectors: the core is new and says so, the end of the
 * forks is old, and the checksum is wrong. They get the rule of replay_buf.c:
 * all items apply, and where the LSN of the header is reached the checksum of
 * the header must come out, or there are later items. On a sound disk there are
 * none.
 */
#include <search.h>
#include <stdlib.h>

#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/inode.h"
#include "libxlog/replay/window.h"

enum {
	DINODE_INO_OFF = 152,
	TORN_BYTES = 112,	/* of a struct torn_inode with its node */
};

static int by_place(const void *a, const void *b)
{
	const struct torn_inode *s = a, *t = b;

	return s->raw < t->raw ? -1 : s->raw > t->raw;
}

static struct torn_inode *find(struct window *w, uint8_t *raw)
{
	const struct torn_inode key = { .raw = raw };
	void *const *node = w->torn ? tfind(&key, &w->torn, by_place) : NULL;

	return node ? *node : NULL;
}

static bool is_sound(const struct replay *r, const uint8_t *raw)
{
	return !r->geom.v5 || get_be16(raw) != XFS_DINODE_MAGIC ||
	       xfs_crc_ok(raw, r->geom.inodesize, XFS_DINODE_CRC_OFF);
}

/*
 * Is it what the checksum on disk is of? That state can be reached by an item,
 * or by a change of the list pointer after it, which leaves the LSN alone.
 */
static bool is_explained(const struct replay *r, const struct torn_inode *ti)
{
	return ti->applied_lsn == ti->disk_lsn &&
	       xfs_crc_block(ti->raw, r->geom.inodesize,
			     XFS_DINODE_CRC_OFF) == ti->disk_crc;
}

static void set_healed(struct replay *r, struct torn_inode *ti)
{
	ti->healed = true;
	if (!r->counting)
		return;
	r->res->healed++;
	notice(&r->log->sink, XLOG_WARNING, "inode.torn", ti->disk_lsn,
	       "inode %llu was torn by a write: healed",
	       (unsigned long long)ti->ino);
}

int torn_inode_see(struct replay *r, uint8_t *raw)
{
	struct torn_inode *ti = find(r->window, raw);

	if (ti) {
		if (ti->torn && !ti->healed && is_explained(r, ti))
			set_healed(r, ti);
		return 0;
	}
	if (is_sound(r, raw))
		return 0;
	ti = malloc(sizeof(*ti));
	if (!ti)
		return replay_no_memory(r);
	*ti = (struct torn_inode){
		.raw = raw,
		.ino = get_be64(raw + DINODE_INO_OFF),
		.disk_lsn = get_be64(raw + XFS_DINODE_LSN_OFF),
		.disk_crc = get_le32(raw + XFS_DINODE_CRC_OFF),
	};
	if (!tsearch(ti, &r->window->torn, by_place)) {
		free(ti);
		return replay_no_memory(r);
	}
	return replay_check_room(r, ++r->window->ntorn * TORN_BYTES);
}

static int heal(struct replay *r, struct torn_inode *ti)
{
	if (!is_explained(r, ti))
		return replay_refuse(r, -EBADMSG, "inode", ti->disk_lsn,
				     "inode %llu: wrong checksum, and the log does not explain it",
				     (unsigned long long)ti->ino);
	set_healed(r, ti);
	return 0;
}

int torn_inode_item(struct replay *r, uint8_t *raw, xfs_ino_t ino,
		    xfs_lsn_t lsn, bool newer, bool *apply)
{
	struct torn_inode *ti;
	int rc = torn_inode_see(r, raw);

	*apply = !newer;
	if (rc)
		return rc;
	ti = find(r->window, raw);
	if (!ti)
		return 0;
	ti->ino = ino;
	/* the LSN may be that of the last item applied: ask the first one */
	if (lsn <= ti->disk_lsn) {
		ti->torn = true;
		*apply = true;
	} else if (ti->torn && !ti->healed &&
		   ti->applied_lsn == ti->disk_lsn) {
		/* or the core is older than the forks, which are logged again */
		ti->torn = is_explained(r, ti);
		if (ti->torn)
			set_healed(r, ti);
	}
	ti->applied_lsn = lsn;
	return 0;
}

struct finishing {
	struct replay	*r;
	int		rc;
};

static void finish(const void *node, VISIT visit, void *ctx)
{
	struct torn_inode *ti = *(struct torn_inode *const *)node;
	struct finishing *f = ctx;

	if ((visit != postorder && visit != leaf) || f->rc)
		return;
	if (ti->torn && !ti->healed) {
		f->rc = heal(f->r, ti);
	} else if (!ti->torn && f->r->counting) {
		f->r->res->bad_crc++;
		notice(&f->r->log->sink, XLOG_WARNING, "inode.crc",
		       XLOG_LSN_NONE,
		       "inode %llu had a wrong checksum; replayed as Linux does",
		       (unsigned long long)ti->ino);
	}
}

int torn_inodes_finish(struct replay *r)
{
	struct finishing f = { .r = r };

	if (r->window->torn)
		twalk_r(r->window->torn, finish, &f);
	return f.rc;
}
