/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * differ [-s] A B [FIRST COUNT]: where two images are not the same. Holes that
 * both have are passed over, which is most of an image: cmp(1) reads them.
 *
 * A line for every sector of 512 bytes that differs: its number, the offset of
 * its first byte that does, and that byte in A and in B, in octal. The COUNT
 * sectors from FIRST on are left out. With -s nothing is printed, and the first
 * difference is enough. Exit status 1 if there is any, 2 on trouble.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SECTOR = 512,
	CHUNK = 128 * SECTOR,
};

struct file {
	const char	*path;
	int		fd;
	off_t		size;
	uint8_t		buf[CHUNK];
};

static void die(const char *path)
{
	perror(path);
	exit(2);
}

static void open_file(struct file *f, const char *path)
{
	struct stat st;

	f->path = path;
	f->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (f->fd < 0 || fstat(f->fd, &st))
		die(path);
	f->size = st.st_size;
}

/* The first byte from @off on that is in no hole; the end, if there is none. */
static off_t data_from(const struct file *f, off_t off)
{
	off_t at = lseek(f->fd, off, SEEK_DATA);

	return at < 0 ? f->size : at;
}

static void read_chunk(struct file *f, off_t off, size_t len)
{
	for (size_t done = 0; done < len; ) {
		ssize_t n = pread(f->fd, f->buf + done, len - done,
				  off + (off_t)done);

		if (n <= 0)
			die(f->path);
		done += (size_t)n;
	}
}

static bool same_sector(const struct file *a, const struct file *b, off_t off,
			size_t at, size_t len, bool silent)
{
	size_t i = at;

	if (!memcmp(a->buf + at, b->buf + at, len))
		return true;
	while (a->buf[i] == b->buf[i])
		i++;
	if (!silent)
		printf("%llu %llu %o %o\n",
		       (unsigned long long)off / SECTOR + at / SECTOR,
		       (unsigned long long)off + i, a->buf[i], b->buf[i]);
	return false;
}

static bool same(struct file *a, struct file *b, off_t out, off_t out_end,
		 bool silent)
{
	bool so = true;
	off_t off = 0;

	while (off < a->size && (so || !silent)) {
		off_t next = data_from(a, off), other = data_from(b, off);
		size_t len = CHUNK;

		off = (next < other ? next : other) / SECTOR * SECTOR;
		if ((off_t)len > a->size - off)
			len = (size_t)(a->size - off);
		read_chunk(a, off, len);
		read_chunk(b, off, len);
		for (size_t at = 0; at < len; at += SECTOR)
			if (off + (off_t)at < out || off + (off_t)at >= out_end)
				so &= same_sector(a, b, off, at,
						  len - at < SECTOR ?
						  len - at : SECTOR, silent);
		off += (off_t)len;
	}
	return so;
}

int main(int argc, char **argv)
{
	static struct file a, b;
	bool silent = argc > 1 && !strcmp(argv[1], "-s");
	off_t out = 0, out_end = 0;

	argv += 1 + silent;
	argc -= 1 + silent;
	if (argc != 2 && argc != 4) {
		fprintf(stderr, "usage: differ [-s] A B [FIRST COUNT]\n");
		return 2;
	}
	open_file(&a, argv[0]);
	open_file(&b, argv[1]);
	if (argc == 4) {
		out = strtoll(argv[2], NULL, 10) * SECTOR;
		out_end = out + strtoll(argv[3], NULL, 10) * SECTOR;
	}
	if (a.size != b.size) {
		fprintf(stderr, "%s and %s are not of one size\n", a.path,
			b.path);
		return 1;
	}
	return same(&a, &b, out, out_end, silent) ? 0 : 1;
}
