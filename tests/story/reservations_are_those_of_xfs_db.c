/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Filesystems of many geometries, made by mkfs.xfs: every reservation is what
 * xfs_db says, and the smallest log what mkfs.xfs says. The geometries are a
 * sample, always the same.
 *
 * RESERVATIONS	how many; 40
 * MKFS_XFS, XFS_DB	others than those of the system
 *
 * What programs of different age disagree about, and nothing else, is allowed:
 *	- up to 6.1, another height for the rmapbt where there is reflink;
 *	- tr_remove had one sector less once;
 *	- with rmapbt and neither reflink nor parent pointers, tr_atomic_ioend,
 *	  since 6.16, makes the smallest log larger, or smaller, where ours is
 *	  the larger one.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libxfsfmt/btree.h"
#include "libxlog/trans/resv.h"

enum {
	OPTIONS = 512,
	BUF_OVERHEAD_BYTES = 128,
	LOG_MIN_BLOCKS = 512,		/* whatever the reservations */
	LOG_MIN_BYTES = 2 * 1024 * 1024,
};

static const char *mkfs_xfs, *xfs_db;
static unsigned int version;	/* of xfs_db: 601 is 6.1 */
static char folder[] = "/dev/shm/xlog-resv.XXXXXX";
static const char *image = "image";
static unsigned int bad, refused, rows;

/* --- the geometries --- */

static uint32_t state = 1;

static uint32_t pick(uint32_t n)
{
	state = state * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)state * n >> 32);
}

__attribute__((format(printf, 2, 3)))
static void add(char *to, const char *fmt, ...)
{
	size_t len = strlen(to);
	va_list args;

	va_start(args, fmt);
	vsnprintf(to + len, OPTIONS - len, fmt, args);
	va_end(args);
}

struct geometry {
	uint64_t	size_bytes;
	uint32_t	block_bytes;
	char		fs[OPTIONS], log[OPTIONS];	/* options */
};

/* Those with checksums; the others have none of these features. */
static void choose_features(struct geometry *g, uint32_t block_log)
{
	uint32_t finobt = pick(4) != 0;

	add(g->fs, " -m crc=1,finobt=%u,rmapbt=%u,reflink=%u,inobtcount=%u",
	    finobt, pick(2), pick(2), finobt && pick(2));
	add(g->fs, " -i size=%u,sparse=%u,nrext64=%u",
	    512u << pick(block_log > 11 ? 3 : block_log - 9), pick(2),
	    pick(2));
}

static void choose_log(struct geometry *g, bool v4)
{
	switch (pick(4)) {
	case 0:
		add(g->log, ",su=%u", g->block_bytes > 32768 ? 262144 :
		    32768u << pick(4));
		break;
	case 1:
		if (g->block_bytes >= 4096)
			add(g->log, ",su=%u", g->block_bytes);
		break;
	case 2:
		if (v4)
			add(g->log, ",version=1");
		break;
	}
}

static void choose(struct geometry *g)
{
	static const uint16_t groups[] = { 1, 2, 4, 7, 16, 64, 300 };
	uint32_t block_log = 10 + pick(7), dir_log, count;
	bool v4 = !pick(6);

	*g = (struct geometry){ .size_bytes = (uint64_t)300 << 20 };
	g->size_bytes <<= pick(16);
	if (v4 && !pick(3))
		block_log = 9;
	g->block_bytes = 1u << block_log;
	add(g->fs, "-b size=%u -s size=%u", g->block_bytes,
	    block_log > 11 && pick(2) ? 4096 : 512);
	if (v4)
		add(g->fs, " -m crc=0,finobt=0 -i size=%u",
		    256u << pick(block_log > 10 ? 3 : block_log - 8));
	else
		choose_features(g, block_log);
	dir_log = block_log < 12 ? 12 : block_log;
	add(g->fs, " -n size=%u", 1u << (dir_log + pick(17 - dir_log)));
	count = groups[pick(7)];
	if (g->size_bytes / count > (16 << 20) &&
	    g->size_bytes / count < (uint64_t)1 << 40)
		add(g->fs, " -d agcount=%u", count);
	choose_log(g, v4);
}

/* --- what the others say --- */

/* The first line of what a command prints that begins so, in @line. */
static int ask(const char *command, const char *prefix, char *line, int size)
{
	FILE *f = popen(command, "r");
	bool found = false;

	if (!f)
		return -1;
	line[0] = '\0';
	while (!found && fgets(line, size, f))
		found = !strncmp(line, prefix, strlen(prefix));
	while (fgetc(f) != EOF)		/* no SIGPIPE for it */
		;
	return pclose(f) == -1 || !found ? -1 : 0;
}

__attribute__((format(printf, 2, 3)))
static void complain(const struct geometry *g, const char *fmt, ...)
{
	va_list args;

	printf("%llu bytes, %s, -l %s: ", (unsigned long long)g->size_bytes,
	       g->fs, g->log);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	bad++;
}

static uint32_t floor_blocks(const struct geometry *g)
{
	return LOG_MIN_BYTES / g->block_bytes > LOG_MIN_BLOCKS ?
	       LOG_MIN_BYTES / g->block_bytes : LOG_MIN_BLOCKS;
}

/* The least log that mkfs.xfs makes; 0 if it makes no such filesystem. */
static uint32_t mkfs_minimum(const struct geometry *g)
{
	char command[3 * OPTIONS], line[OPTIONS];
	unsigned int given, blocks;

	snprintf(command, sizeof(command), "%s -N %s -l size=%ub%s %s 2>&1",
		 mkfs_xfs, g->fs, floor_blocks(g), g->log, image);
	if (!ask(command, "log size ", line, sizeof(line)) &&
	    sscanf(line, "log size %u blocks too small, minimum size is %u",
		   &given, &blocks) == 2)
		return blocks;
	return ask(command, "log  ", line, sizeof(line)) ? 0 : floor_blocks(g);
}

static int make(const struct geometry *g, uint32_t log_blocks)
{
	char command[3 * OPTIONS];

	snprintf(command, sizeof(command),
		 "%s -q -f -K %s -l size=%ub%s %s >/dev/null 2>&1", mkfs_xfs,
		 g->fs, log_blocks, g->log, image);
	return system(command);
}

static int read_super(struct xfs_sb *sb)
{
	static uint8_t raw[4096];
	FILE *f = fopen(image, "rb");
	size_t got;

	if (!f)
		return -1;
	got = fread(raw, 1, sizeof(raw), f);
	fclose(f);
	if (got != sizeof(raw))
		return -1;
	xfs_sb_decode(sb, raw, sizeof(raw), XFS_BE);
	return xfs_sb_verify(sb, raw, sizeof(raw)) ? -1 : 0;
}

/* --- the comparison --- */

/* As in 6.1: the root was taken to be half full, as all other blocks are. */
static uint8_t old_rmap_levels(const struct xfs_geom *g)
{
	uint64_t node = xfs_btree_room(XFS_BTREE_RMAP, true, false,
				       g->blocksize) / 2;
	uint64_t lowest = 1, used = 1;
	uint8_t levels = 0;

	for (; used < g->agblocks; levels++) {
		lowest *= node;
		used += lowest;
	}
	return levels;
}

static bool same(const struct xfs_sb *sb, enum xfs_tr tr, uint32_t ours,
		 uint32_t theirs)
{
	if (tr != XFS_TR_REMOVE || version >= 702 || theirs > ours)
		return ours == theirs;
	return ours - theirs <= (uint32_t)sb->sb_sectsize + BUF_OVERHEAD_BYTES;
}

static void compare_row(const struct geometry *g, const struct xfs_sb *sb,
			const struct xfs_trans_resv *resv, const char *line)
{
	unsigned int tr, logres, count, flags;

	if (sscanf(line, "type %u logres %u logcount %u flags %x", &tr,
		   &logres, &count, &flags) != 4 || tr >= XFS_TR_COUNT) {
		complain(g, "xfs_db says %s", line);
		return;
	}
	rows++;
	if (!same(sb, tr, resv->tr[tr].logres_bytes, logres) ||
	    count != resv->tr[tr].logcount ||
	    resv->tr[tr].permanent != (flags == 4))
		complain(g, "%s is %u x%u, but xfs_db says %s",
			 xfs_tr_names[tr], resv->tr[tr].logres_bytes,
			 resv->tr[tr].logcount, line);
}

static void compare_table(const struct geometry *g, const struct xfs_sb *sb)
{
	char command[2 * OPTIONS], line[OPTIONS];
	unsigned int before = rows;
	struct xfs_trans_resv resv;
	struct xfs_levels lv;
	struct xfs_geom geom;
	FILE *f;

	xfs_geom_init(&geom, sb);
	xfs_levels_init(&lv, &geom);
	if (version <= 601 && geom.rmapbt && geom.reflink)
		lv.rmap = old_rmap_levels(&geom);
	xfs_trans_resv_init(&resv, sb, &lv);
	snprintf(command, sizeof(command), "%s -r -c logres %s", xfs_db,
		 image);
	f = popen(command, "r");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "type ", 5))
			compare_row(g, sb, &resv, line);
	/* all, or all but the youngest */
	if (pclose(f) || rows - before < XFS_TR_ATOMIC_IOEND)
		complain(g, "xfs_db says %u reservations", rows - before);
}

static void compare_minimum(const struct geometry *g, const struct xfs_sb *sb,
			    uint32_t theirs)
{
	struct xlog_min_log min;
	uint32_t ours = xlog_min_log_blocks(sb, &min);
	struct xfs_geom geom;

	xfs_geom_init(&geom, sb);
	if (ours < floor_blocks(g))
		ours = floor_blocks(g);
	if (ours == theirs)
		return;
	if (ours > theirs && min.tr == (version < 616 ? XFS_TR_ATOMIC_IOEND :
							XFS_TR_ATTRSETM) &&
	    geom.rmapbt && !geom.reflink && !geom.parent)
		return;
	complain(g, "the smallest log is %u blocks by %s, but mkfs.xfs says %u",
		 ours, xfs_tr_names[min.tr], theirs);
}

static void compare(const struct geometry *g)
{
	uint32_t blocks, log_blocks;
	struct xfs_sb sb;

	unlink(image);
	fclose(fopen(image, "wb"));
	if (truncate(image, (off_t)g->size_bytes)) {
		refused++;
		return;
	}
	blocks = mkfs_minimum(g);
	/* not below what mkfs.xfs takes for granted on larger filesystems */
	log_blocks = (10u << 20) / g->block_bytes;
	if (log_blocks < blocks)
		log_blocks = blocks;
	if (!blocks || make(g, log_blocks)) {
		refused++;
		return;
	}
	if (read_super(&sb)) {
		complain(g, "no superblock");
		return;
	}
	compare_minimum(g, &sb, blocks);
	compare_table(g, &sb);
}

static unsigned int version_of(const char *program)
{
	char command[OPTIONS], line[OPTIONS];
	unsigned int major, minor;

	snprintf(command, sizeof(command), "%s -V 2>/dev/null", program);
	if (ask(command, "", line, sizeof(line)) ||
	    sscanf(line, "%*s version %u.%u", &major, &minor) != 2)
		return 0;
	return major * 100 + minor;
}

static const char *name_of(const char *variable, const char *program)
{
	const char *name = getenv(variable);

	return name && name[0] ? name : program;
}

/* Sparse files of terabytes: not every disk has them, memory has. */
static bool enter_folder(void)
{
	return mkdtemp(folder) && !chdir(folder);
}

int main(void)
{
	const char *wanted = getenv("RESERVATIONS");
	unsigned int n = wanted ? (unsigned int)strtoul(wanted, NULL, 10) : 40;
	struct geometry g;

	mkfs_xfs = name_of("MKFS_XFS", "mkfs.xfs");
	xfs_db = name_of("XFS_DB", "xfs_db");
	version = version_of(xfs_db);
	if (!version || version_of(mkfs_xfs) != version) {
		puts("needs mkfs.xfs and xfs_db of one version");
		return 77;
	}
	if (!enter_folder()) {
		puts("needs /dev/shm");
		return 77;
	}
	/* mkfs.xfs takes these for a test suite, which may have small logs */
	setenv("TEST_DIR", "1", 1);
	setenv("TEST_DEV", "1", 1);
	setenv("QA_CHECK_FS", "1", 1);
	for (unsigned int i = 0; i < n; i++) {
		choose(&g);
		compare(&g);
	}
	unlink(image);
	if (chdir("/") || rmdir(folder))
		puts("cannot clean up");
	printf("xfsprogs %u.%u: ", version / 100, version % 100);
	printf("%u geometries, %u reservations, %u wrong; %u refused\n",
	       n - refused, rows, bad, refused);
	return bad || !rows || refused > n / 4;
}
