/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All that a mounted filesystem shows: look DIR. A line an object:
 *	PATH INODE CTIME TYPE-AND-MODE LINKS UID GID SIZE MTIME TARGET CONTENTS
 *	ATTRIBUTES
 * the last two as hashes. Of contents only what is not zero counts, and where
 * it lies: where data begin and end may depend on what was read before.
 */
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	UNIT = 512,
	VALUE = 65536,		/* what the kernel gives at most */
};

/* FNV-1a */
static uint64_t hash(uint64_t h, const void *data, size_t len)
{
	for (const uint8_t *p = data; len; len--)
		h = (h ^ *p++) * 0x100000001b3u;
	return h;
}

static const uint64_t start = 0xcbf29ce484222325u;

static void fail(const char *path)
{
	fflush(stdout);
	perror(path);
	exit(1);
}

static uint64_t hash_units(uint64_t h, off_t at, const uint8_t *data, size_t len)
{
	static const uint8_t zeroes[UNIT];

	for (size_t i = 0; i < len; i += UNIT) {
		size_t n = len - i < UNIT ? len - i : UNIT;
		off_t where = at + (off_t)i;

		if (!memcmp(data + i, zeroes, n))
			continue;
		h = hash(h, &where, sizeof(where));
		h = hash(h, data + i, n);
	}
	return h;
}

static uint64_t contents(const char *path)
{
	static uint8_t data[256 * UNIT];
	int fd = open(path, O_RDONLY | O_NOATIME | O_NOFOLLOW);
	off_t from = 0, to;
	uint64_t h = start;
	ssize_t n;

	if (fd < 0)
		fail(path);
	while ((from = lseek(fd, from, SEEK_DATA)) >= 0) {
		to = lseek(fd, from, SEEK_HOLE);
		if (to < 0)
			fail(path);
		while (from < to) {
			size_t len = to - from < (off_t)sizeof(data) ?
				(size_t)(to - from) : sizeof(data);

			n = pread(fd, data, len, from);
			if (n <= 0)
				fail(path);
			h = hash_units(h, from, data, (size_t)n);
			from += n;
		}
	}
	close(fd);
	return h;
}

/* In whatever order they are listed */
static uint64_t attributes(const char *path)
{
	static char names[VALUE], value[VALUE];
	ssize_t room = llistxattr(path, names, sizeof(names)), n;
	uint64_t sum = 0;

	if (room < 0)
		fail(path);
	for (char *name = names; name < names + room; name += strlen(name) + 1) {
		n = lgetxattr(path, name, value, sizeof(value));
		if (n < 0)
			fail(path);
		sum += hash(hash(start, name, strlen(name)), value, (size_t)n);
	}
	return sum;
}

/* One word, whatever is in it */
static void put_name(const char *name)
{
	for (const uint8_t *p = (const uint8_t *)name; *p; p++)
		printf(*p > ' ' && *p < 0x7f && *p != '\\' ? "%c" : "\\%03o", *p);
}

static int show(const char *path, const struct stat *st, int type,
		struct FTW *at)
{
	char target[4096];
	ssize_t n;

	(void)type;
	(void)at;
	put_name(path);
	printf(" %ju %jd.%09ld %o %ju %u %u %jd %jd.%09ld ",
	       (uintmax_t)st->st_ino, (intmax_t)st->st_ctim.tv_sec,
	       st->st_ctim.tv_nsec, st->st_mode, (uintmax_t)st->st_nlink,
	       st->st_uid, st->st_gid,
	       S_ISDIR(st->st_mode) ? 0 : (intmax_t)st->st_size,
	       (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	putchar('>');
	if (S_ISLNK(st->st_mode)) {
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			fail(path);
		target[n] = '\0';
		put_name(target);
	}
	printf(" %016" PRIx64 " %016" PRIx64 "\n",
	       S_ISREG(st->st_mode) ? contents(path) : 0, attributes(path));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 2 || chdir(argv[1]) ||
	    nftw(".", show, 64, FTW_PHYS | FTW_MOUNT)) {
		perror("look");
		return 1;
	}
	return fflush(stdout) ? 1 : 0;
}
