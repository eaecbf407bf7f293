/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which log it is, what it is like, and what is there now: see log_only.c.
 */
#include <stdlib.h>

#include "libxlog/dev/probe.h"
#include "libxlog/dev/undo.h"
#include "libxlog/meta/format_priv.h"
#include "libxlog/meta/log_only.h"
#include "libxlog/replay/newlog.h"

enum {
	REC_UUID_OFF = 304,
	LOG_SUNIT_MAX = 256 * 1024,
	/* A log whose filesystem is not at hand is whole blocks of these. */
	BLOCK_BYTES = 4096,
};

#define LOG_BYTES_MIN	KIB(512)
#define LOG_BYTES_MAX	(GIB(2) - MIB(10))

#define bad_option(l, ...) \
	report(&(l)->sink, -EINVAL, "options", XLOG_LSN_NONE, __VA_ARGS__)

static int no_memory(const struct sink *sink)
{
	return report(sink, -ENOMEM, "memory", XLOG_LSN_NONE,
		      "out of memory");
}

/* --- the log of a filesystem --- */

/*
 * Opening says what is wrong with a filesystem, but not what is missing here:
 * is there one on the device, with a log inside?
 */
static int look_for_internal(struct xlog_log_only *l)
{
	uint8_t raw[SECTOR_MAX];
	struct xfs_sb sb = { 0 };
	struct dev *dev;
	size_t len;
	int rc = dev_open_file(l->device, 0, &l->sink, &dev);

	if (rc)
		return rc;
	len = dev->size_bytes < sizeof(raw) ? (size_t)dev->size_bytes :
					      sizeof(raw);
	rc = dev_read(dev, 0, raw, len);
	if (!rc)
		xfs_sb_decode(&sb, raw, len, XFS_BE);
	dev_close(dev);
	if (rc)
		return rc;
	if (sb.sb_magicnum != XFS_SB_MAGIC)
		return bad_option(l, "no XFS filesystem here: for an external log its filesystem has to be named, or the UUID of that");
	if (!sb.sb_logstart)
		return bad_option(l, "the log of this filesystem is on another device, which has to be named, and this one as its filesystem");
	return 0;
}

static int check_filesystem(const struct xlog_log_only *l)
{
	const struct xfs_sb *sb = &l->log->sb;
	uint32_t bits = sb->sb_features_incompat &
			~(uint32_t)XFS_SB_INCOMPAT_ALL;

	if (sb->sb_inprogress)
		return report(&l->log->sink, -EUCLEAN, "sb.inprogress",
			      XLOG_LSN_NONE,
			      "the filesystem is marked as being made or copied");
	if (l->log->geom.v5 && bits)
		return report(&l->log->sink, -EOPNOTSUPP, "sb.incompat",
			      XLOG_LSN_NONE,
			      "unknown incompatible features 0x%x", bits);
	return 0;
}

/* What is given and what the superblock says. */
static int check_same(const struct xlog_log_only *l,
		      const struct xlog_log_only_open *what)
{
	const struct xlog_info *info = &l->log->info;
	const struct {
		const char *name;
		uint64_t given, is;
	} sizes[] = {
		{ "size", what->log_bytes,
		  (uint64_t)info->log_size_bb * BB_SIZE },
		{ "stripe unit", what->log_sunit_bytes,
		  info->log_sunit_bytes },
		{ "sector size", what->log_sector_bytes,
		  info->log_sector_bytes },
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (sizes[i].given && sizes[i].given != sizes[i].is)
			return bad_option(l, "log %s of %llu bytes, but the filesystem says %llu",
					  sizes[i].name,
					  (unsigned long long)sizes[i].given,
					  (unsigned long long)sizes[i].is);
	if (what->uuid && memcmp(what->uuid, info->uuid, sizeof(info->uuid)))
		return bad_option(l, "the filesystem has another UUID");
	return 0;
}

/* The reader names an external log itself, but not its filesystem. */
static void report_of_fs(void *ctx, const struct xlog_report *rep)
{
	struct xlog_log_only *l = ctx;
	size_t len = strlen(l->device);
	bool of_log = !strncmp(rep->text, l->device, len) &&
		      rep->text[len] == ':';
	struct sink sink = of_log ? l->named.sink : named_sink(&l->fs_named);

	if (sink.report)
		sink.report(sink.ctx, rep);
}

static int open_with_fs(struct xlog_log_only *l,
			const struct xlog_log_only_open *what)
{
	const struct xlog_open_options opts = {
		.logdev = what->fs ? what->device : NULL,
		.flags = what->flags, .undo = what->undo,
		.report = what->fs ? report_of_fs : l->sink.report,
		.report_ctx = what->fs ? l : l->sink.ctx,
	};
	int rc = what->fs ? 0 : look_for_internal(l);

	if (!rc)
		rc = xlog_open(what->fs ? what->fs : what->device, &opts,
			       &l->log);
	if (!rc && !l->log->info.superblock)
		rc = bad_option(l, "no XFS filesystem here");
	if (!rc)
		rc = check_filesystem(l);
	return rc ? rc : check_same(l, what);
}

/* --- the log of a filesystem that is not here --- */

static int check_sizes(const struct xlog_log_only *l, uint64_t bytes,
		       uint32_t sunit, uint32_t sector)
{
	uint64_t device = l->log->logdev->size_bytes;

	if (!is_power_of_2(sector) || sector < SECTOR_MIN ||
	    sector > SECTOR_MAX)
		return bad_option(l, "illegal log sector size %u", sector);
	if (sunit > LOG_SUNIT_MAX)
		return bad_option(l, "log stripe unit (%u bytes) is too large (maximum is 256KiB)",
				  sunit);
	if (sunit % sector)
		return bad_option(l, "log stripe unit (%u) must be a multiple of the sector size (%u)",
				  sunit, sector);
	if (bytes % (sunit ? sunit : sector))
		return bad_option(l, "log size %llu is not a multiple of the log stripe unit or sector size",
				  (unsigned long long)bytes);
	if (bytes > device)
		return bad_option(l, "log size %llu bytes too large, the device has %llu",
				  (unsigned long long)bytes,
				  (unsigned long long)device);
	if (bytes < LOG_BYTES_MIN)
		return bad_option(l, "log size %llu bytes too small, minimum size is %llu bytes",
				  (unsigned long long)bytes,
				  (unsigned long long)LOG_BYTES_MIN);
	if (bytes > LOG_BYTES_MAX)
		return bad_option(l, "log size %llu bytes too large, maximum size is %llu bytes",
				  (unsigned long long)bytes,
				  (unsigned long long)LOG_BYTES_MAX);
	return 0;
}

/* All of the device, as far as a log goes. */
static uint64_t default_size(const struct dev *dev, uint32_t sunit)
{
	uint64_t unit = sunit > BLOCK_BYTES ? sunit : BLOCK_BYTES;
	uint64_t bytes = dev->size_bytes < LOG_BYTES_MAX ? dev->size_bytes :
							   LOG_BYTES_MAX;

	return bytes / unit * unit;
}

static int fill_info(struct xlog_log_only *l,
		     const struct xlog_log_only_open *what)
{
	struct xlog *log = l->log;
	struct xlog_info *info = &log->info;
	uint32_t sunit = what->log_sunit_bytes;
	uint32_t sector = what->log_sector_bytes;
	uint64_t bytes = what->log_bytes;
	int rc;

	if (!sector)
		sector = log->logdev->sector_bytes;
	if (!sunit && sector > SECTOR_MIN)
		sunit = sector > BLOCK_BYTES ? sector : BLOCK_BYTES;
	if (!bytes)
		bytes = default_size(log->logdev, sunit);
	rc = check_sizes(l, bytes, sunit, sector);
	if (rc)
		return rc;
	memcpy(info->uuid, what->uuid, sizeof(info->uuid));
	info->log_version = 2;
	info->log_sector_bytes = sector;
	info->log_sunit_bytes = sunit ? sunit : 1;
	info->log_size_bb = log->nbb = (uint32_t)(bytes / BB_SIZE);
	log->logv2 = true;
	return 0;
}

/* With the log on it, of which only the bounds are known yet. */
static int add_undo(struct xlog_log_only *l, const char *path)
{
	struct dev_undo undo = {
		.dev = l->log->dev, .role = UNDO_ROLE_LOG,
		.log_len = (uint64_t)l->log->nbb * BB_SIZE,
	};
	int rc = dev_open_undo(path, &undo, 1, &l->sink);

	if (!rc)
		l->log->dev = l->log->logdev = undo.dev;
	return rc;
}

/* As xlog_open() would, but for a superblock, which nothing here asks for. */
static int open_alone(struct xlog_log_only *l,
		      const struct xlog_log_only_open *what)
{
	unsigned int flags = what->flags;
	unsigned int lock = (flags & XLOG_OPEN_LOCK_WAIT ? DEV_LOCK_WAIT : 0) |
			    (flags & XLOG_OPEN_LOCK_NONE ? DEV_LOCK_NONE : 0);
	struct xlog *log = calloc(1, sizeof(*log));
	uint64_t len;
	int rc;

	if (!log)
		return no_memory(&l->sink);
	l->log = log;
	log->sink = l->sink;
	rc = dev_open_file(what->device, flags & XLOG_OPEN_WRITE ?
			   lock | DEV_WRITE : 0, &l->sink, &log->dev);
	log->logdev = log->dev;
	if (!rc)
		rc = fill_info(l, what);
	if (!rc && what->undo)
		rc = add_undo(l, what->undo);
	len = (uint64_t)log->nbb * BB_SIZE;
	/* what lies behind the log is not part of it */
	if (!rc && log->dev->size_bytes > len)
		rc = dev_open_window(log->dev, 0, len, &log->dev);
	return rc;
}

/* --- what is there --- */

static void not_sound(struct xlog_log_only *l, const char *why)
{
	l->info.state = XLOG_CORRUPT;
	l->why = why;
}

/* Only the records themselves say whose log they are. */
static int check_owner(struct xlog_log_only *l)
{
	uint32_t block = xlog_lsn_block(l->bounds.last_record);
	uint8_t raw[BB_SIZE];
	int rc = log_read_wrapped(l->log, block, 1, raw);

	if (!rc && memcmp(raw + REC_UUID_OFF, l->log->info.uuid, 16))
		not_sound(l, "that of another filesystem");
	return rc;
}

static int judge(struct xlog_log_only *l)
{
	const struct xlog_bounds *b = &l->bounds;

	l->info.state = b->state;
	if (b->state == XLOG_EMPTY) {
		l->why = "empty, or cut off when it was made";
	} else if (b->state == XLOG_CORRUPT ||
		   b->reasons & ~(unsigned)XLOG_REFUSED_ORDER) {
		not_sound(l, b->refused[0] ? b->refused : "damaged");
	} else {
		return check_owner(l);
	}
	return 0;
}

static int find_cycle(struct xlog_log_only *l)
{
	xlog_lsn_t head = l->bounds.head;
	uint32_t cycle;
	int rc = newlog_next_cycle(l->log, &cycle);

	/* records that do not say whose they are have not been seen there */
	if (!rc && l->info.state != XLOG_CORRUPT && xlog_lsn_block(head) &&
	    xlog_lsn_cycle(head) >= cycle)
		cycle = xlog_cycle_next(xlog_lsn_cycle(head));
	if (!rc)
		l->info.next_cycle = cycle;
	return rc;
}

/* What is wrong with the old log is no failure: it goes. */
static int look(struct xlog_log_only *l)
{
	const struct xlog_info *info = &l->log->info;
	struct sink sink = l->log->sink;
	int rc;

	l->info = (struct xlog_log_only_info){
		.internal = info->internal,
		.log_version = info->log_version,
		.log_bytes = (uint64_t)info->log_size_bb * BB_SIZE,
		/* 1 is none, too */
		.log_sunit_bytes = info->log_sunit_bytes == 1 ? 0 :
				   info->log_sunit_bytes,
		.log_sector_bytes = info->log_sector_bytes,
	};
	memcpy(l->info.uuid, info->uuid, sizeof(l->info.uuid));
	l->log->sink = (struct sink){ 0 };
	rc = xlog_find(l->log, 0, &l->bounds);
	l->log->sink = sink;
	if (!rc)
		rc = judge(l);
	return rc ? rc : find_cycle(l);
}

/* --- the interface --- */

static int check_options(const struct xlog_log_only_open *what,
			 const struct sink *sink)
{
	const char *why = NULL;

	if (what->flags & XLOG_OPEN_OVERLAY)
		why = "a log is not made in memory";
	else if (what->undo && !(what->flags & XLOG_OPEN_WRITE))
		why = "nothing is written that could be undone";
	else if (what->fs && dev_is_same_file(what->device, what->fs))
		why = "this is the filesystem itself, not its log";
	return why ? report(sink, -EINVAL, "options", XLOG_LSN_NONE, "%s: %s",
			    what->device, why) : 0;
}

int xlog_log_only_open(const struct xlog_log_only_open *what,
		       struct xlog_log_only **out)
{
	const struct sink sink = { what->report, what->report_ctx };
	struct xlog_log_only *l;
	int rc = check_options(what, &sink);

	if (rc)
		return rc;
	l = calloc(1, sizeof(*l));
	if (!l)
		return no_memory(&sink);
	l->device = strdup(what->device);
	l->fs = what->fs ? strdup(what->fs) : NULL;
	l->named = (struct named){ sink, l->device };
	l->fs_named = (struct named){ sink, l->fs };
	l->sink = named_sink(&l->named);
	l->writable = what->flags & XLOG_OPEN_WRITE;
	if (!l->device || (what->fs && !l->fs))
		rc = no_memory(&sink);
	else
		rc = what->uuid && !what->fs ? open_alone(l, what) :
					       open_with_fs(l, what);
	if (!rc)
		rc = look(l);
	if (rc) {
		xlog_log_only_close(l);
		return rc;
	}
	*out = l;
	return 0;
}

void xlog_log_only_close(struct xlog_log_only *l)
{
	if (!l)
		return;
	xlog_close(l->log);
	free(l->device);
	free(l->fs);
	free(l);
}

const struct xlog_log_only_info *
xlog_log_only_info(const struct xlog_log_only *l)
{
	return &l->info;
}

/* --- what else is there --- */

struct prober {
	struct xlog_log_only *l;
	void		(*found)(void *ctx, const struct xlog_found *what);
	void		*ctx;
	int		own;
};

/* In the words of libblkid. */
static void uuid_text(char text[37], const uint8_t uuid[16])
{
	static const char digits[] = "0123456789abcdef";
	char *p = text;

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = digits[uuid[i] >> 4];
		*p++ = digits[uuid[i] & 15];
	}
	*p = '\0';
}

static void pass_on(void *ctx, const struct dev_found *found)
{
	struct prober *p = ctx;
	struct xlog_found what;
	char own[37];

	uuid_text(own, p->l->info.uuid);
	if (!strcmp(found->type, "xfs_external_log") && found->uuid &&
	    !strcmp(found->uuid, own)) {
		p->own++;
		return;
	}
	what = format_found(p->l->device, NULL, found);
	p->found(p->ctx, &what);
}

int xlog_log_only_probe(struct xlog_log_only *l,
			void (*found)(void *ctx, const struct xlog_found *what),
			void *ctx)
{
	struct prober p = { .l = l, .found = found, .ctx = ctx };
	int count;

	if (!l->log->logdev)
		return 0;
	count = dev_probe(l->log->logdev, pass_on, &p);
	return count < 0 ? count : count - p.own;
}
