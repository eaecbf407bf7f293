/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Space is allocated, shared and freed until trees have grown and shrunk, and
 * then all of it is free again. After an unmount, xfs_repair finds nothing: trees of
 * free space, their owners, free lists and counters are as they should be.
 */
#include <sys/wait.h>

#include "tests/lib/spaceshare.h"

static const struct {
	const char *name;
	struct madefs_want want;
} filesystems[] = {
	{ "all features", { .bytes = 0 } },
	{ "no rmapbt", { .no_rmapbt = true } },
	{ "no reflink", { .no_reflink = true } },
	{ "no finobt", { .no_finobt = true } },
	{ "blocks of 1 KiB", { .block_bytes = 1024 } },
	{ "sectors of 4 KiB", { .sector_bytes = 4096 } },
	{ "version 4", { .v4 = true } },
	{ "version 4, blocks of 1 KiB", { .v4 = true, .block_bytes = 1024 } },
};

static int repair_finds(const char *path)
{
	char command[128];

	snprintf(command, sizeof(command), "xfs_repair -n -f %s >%s.out 2>&1",
		 path, path);
	return WEXITSTATUS(system(command));
}

static int try_one(const struct madefs_want *want, uint64_t seed)
{
	struct spaceload *l = spaceload_new(want, seed);
	int rc;

	spaceload_fill(l, 1, 1);
	spaceload_steps(l, 2000);
	spaceload_comb(l, 1);
	spaceload_release_all(l);
	if (l->s->g->reflink) {
		spaceshare_steps(l, 1000);
		spaceshare_release_all(l);
	}
	madefs_unmount(l->f);
	madefs_save(l->f, "image");
	rc = repair_finds("image");
	spaceload_free(l);
	return rc;
}

int main(void)
{
	int failed = 0;

	if (system("xfs_repair -V >/dev/null 2>&1")) {
		puts("xfs_repair is not there");
		return 77;
	}
	for (size_t i = 0; i < sizeof(filesystems) / sizeof(filesystems[0]);
	     i++) {
		if (!try_one(&filesystems[i].want, i + 1))
			continue;
		failed = 1;
		printf("%s: xfs_repair -n has something to say:\n",
		       filesystems[i].name);
		fflush(stdout);
		(void)!system("cat image.out");
	}
	return failed;
}
