/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A metadata workload for a mounted filesystem: load DIR OPERATIONS [SEED].
 * Creates, links, renames, chmods, attributes, symlinks, small and fragmented
 * files, and removal of half of it, with an fsync now and then so that the log
 * is written in checkpoints of all sizes. The same seed does the same.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	DIRS = 256,
	FILES = 4000,		/* names in use in one directory at most */
	FSYNC_EVERY = 2000,
};

static uint64_t state;

static uint32_t rnd(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((state >> 33) % n);
}

static void name(char *buf, size_t room)
{
	snprintf(buf, room, "d%03u/file-with-a-name-%05u", rnd(DIRS),
		 rnd(FILES));
}

static void write_some(int fd)
{
	static const char data[4096];
	uint32_t n = rnd(6);

	/* every second block: extents that do not merge */
	while (n--)
		if (pwrite(fd, data, sizeof(data),
			   (off_t)rnd(200) * 2 * (off_t)sizeof(data)) < 0)
			break;
}

/* Failures are part of it: names that are there, or are not. */
static void one(void)
{
	char a[64], b[64], value[200];
	int fd;

	name(a, sizeof(a));
	name(b, sizeof(b));
	switch (rnd(16)) {
	case 0: case 1: case 2: case 3: case 4: case 5:
		fd = open(a, O_CREAT | O_WRONLY, 0644);
		if (fd < 0)
			return;
		if (!rnd(4))
			write_some(fd);
		close(fd);
		return;
	case 6: case 7: case 8:
		(void)!unlink(a);
		return;
	case 9: case 10:
		(void)!rename(a, b);
		return;
	case 11:
		(void)!link(a, b);
		return;
	case 12: case 13:
		(void)!chmod(a, 0600 + rnd(64));
		return;
	case 14:
		(void)!symlink("a/target/that/is/somewhat/longer/than/usual", a);
		return;
	default:
		snprintf(value, sizeof(value), "%0*u", (int)rnd(180) + 1,
			 rnd(1000));
		(void)!setxattr(a, rnd(2) ? "user.one" : "user.other", value,
				rnd(150) + 1, 0);
		return;
	}
}

int main(int argc, char **argv)
{
	unsigned long ops;
	char dir[64];

	if (argc < 3 || chdir(argv[1])) {
		perror("load");
		return 1;
	}
	ops = strtoul(argv[2], NULL, 10);
	state = argc > 3 ? strtoul(argv[3], NULL, 10) : 1;
	for (unsigned int i = 0; i < DIRS; i++) {
		snprintf(dir, sizeof(dir), "d%03u", i);
		mkdir(dir, 0755);
	}
	for (unsigned long i = 0; i < ops; i++) {
		one();
		if (!rnd(FSYNC_EVERY)) {
			int fd;

			/* of something that has just changed, or nothing is written */
			snprintf(dir, sizeof(dir), "d%03u", rnd(DIRS));
			fd = open(dir, O_RDONLY);

			if (fd < 0 || fsync(fd)) {
				perror("load: fsync");
				return 1;
			}
			close(fd);
		}
	}
	return 0;
}
