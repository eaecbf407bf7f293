/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a mount would go on with after replay: of every image the intents and
 * the unlinked inodes that its manifest names, and each of them is told of.
 * The recovery leaves them, and is in memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libxlog/xlog.h"

/*
 * The manifest counts unlinked inodes by the log alone, and nothing of CoW.
 * These are from xfs_db and from a reader of the btrees that is not ours.
 */
static const struct known {
	const char	*name;
	uint64_t	unlinked, cow;
} known[] = {
	{ "rmap-intents", 3, 354 },	/* lists that the log does not touch */
	{ "interrupted-intents", 3, 354 },
	{ "rmap-bui-snap", 2, 1082 },
	{ "cow-cui-bui", 1, 3133 },	/* btrees of two levels */
	{ "orphans", 144, 0 },
	{ "def61-mixed", 12, 3 },
	{ "bs2k", 18, 48 },
	{ "bs16k", 0, 8 },
	{ "manyag", 72, 4 },
	{ "freeze", 44, 2 },
	{ "sect4k", 0, 3 },
};

enum { NAME, PENDING = 15, UNLINKED, OUTCOME, COLUMNS };

struct seen {
	uint64_t	n[3];		/* of enum xlog_remainder_kind */
	unsigned int	untold;
};

static int bad;

static void see(void *ctx, const struct xlog_remainder *rem)
{
	struct seen *seen = ctx;

	seen->n[rem->kind]++;
	if (!rem->text || !rem->text[0] ||
	    (rem->kind == XLOG_REMAINDER_INTENT && !rem->type) ||
	    (rem->kind == XLOG_REMAINDER_UNLINKED && !rem->ino) ||
	    (rem->kind == XLOG_REMAINDER_COW && !rem->blocks))
		seen->untold++;
}

/* "EFI=4 RUI=3" */
static uint64_t sum(const char *list)
{
	uint64_t n = 0;

	while ((list = strchr(list, '=')))
		n += strtoull(++list, NULL, 10);
	return n;
}

static void expect(const char *name, const char *what, uint64_t got,
		   uint64_t want)
{
	if (got == want)
		return;
	printf("%s: %llu %s, not %llu\n", name, (unsigned long long)got, what,
	       (unsigned long long)want);
	bad = 1;
}

static void check(const char *dir, char **col)
{
	const struct known *k = NULL;
	struct xlog_open_options open = { .flags = XLOG_OPEN_OVERLAY };
	struct seen seen = { .untold = 0 };
	struct xlog_recover_options opts = {
		.flags = XLOG_RECOVER_LEAVE_UNLINKED |
			 XLOG_RECOVER_SKIP_INTENTS,
		.stop_lsn = XLOG_LSN_NONE,
		.remainder = see,
		.ctx = &seen,
	};
	struct xlog_recover_result res;
	char path[1024], logdev[1024];
	struct xlog *log;
	int rc;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(known[i].name, col[NAME]))
			k = &known[i];
	snprintf(path, sizeof(path), "%s/%s.img.zst", dir, col[NAME]);
	snprintf(logdev, sizeof(logdev), "%s/%s.img.logdev.zst", dir,
		 col[NAME]);
	if (!access(logdev, R_OK))
		open.logdev = logdev;
	rc = xlog_open(path, &open, &log);
	if (rc) {
		expect(col[NAME], "is what opening returned", (uint64_t)-rc, 0);
		return;
	}
	rc = xlog_recover(log, &opts, &res);
	expect(col[NAME], "is what the recovery returned", (uint64_t)-rc, 0);
	expect(col[NAME], "intents", res.intents, sum(col[PENDING]));
	expect(col[NAME], "unlinked inodes", res.unlinked,
	       k ? k->unlinked : strtoull(col[UNLINKED], NULL, 10));
	if (k)
		expect(col[NAME], "CoW extents", res.cow_extents, k->cow);
	expect(col[NAME], "intents were told of",
	       seen.n[XLOG_REMAINDER_INTENT], res.intents);
	expect(col[NAME], "unlinked inodes were told of",
	       seen.n[XLOG_REMAINDER_UNLINKED], res.unlinked);
	expect(col[NAME], "CoW extents were told of",
	       seen.n[XLOG_REMAINDER_COW], res.cow_extents);
	expect(col[NAME], "remainders without words", seen.untold, 0);
	xlog_close(log);
}

int main(void)
{
	const char *images = getenv("IMAGES");
	char dir[512], path[600], line[16384];
	unsigned int n = 0;
	FILE *f;

	snprintf(dir, sizeof(dir), "%s/linux618", images ? images : ".");
	snprintf(path, sizeof(path), "%s/MANIFEST.tsv", dir);
	f = fopen(path, "r");
	if (!f) {
		printf("no %s\n", path);
		return 1;
	}
	while (fgets(line, sizeof(line), f)) {
		char *col[COLUMNS], *p = line;
		unsigned int c = 0;

		while (c < COLUMNS && p)
			col[c++] = strsep(&p, "\t");
		/* of what Linux refuses there is nothing to compare with */
		if (c < COLUMNS || strcmp(col[OUTCOME], "ok"))
			continue;
		check(dir, col);
		n++;
	}
	fclose(f);
	printf("%u images\n", n);
	return bad || n < 40;
}
