/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * apply_delta DATA [LOG] <DELTA: change images as a kernel's recovery did.
 *
 * The delta is a sequence of runs: device (a byte: 0 DATA, 1 LOG), first
 * sector (64 bits), length in bytes (32 bits), data; little-endian.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libxfsfmt/endian.h"

enum { RUN_BYTES = 13 };

static void fail(const char *why)
{
	fprintf(stderr, "apply_delta: %s\n", why);
	exit(1);
}

int main(int argc, char **argv)
{
	uint8_t head[RUN_BYTES], buf[65536];
	int fd[2] = { -1, -1 };

	if (argc < 2 || argc > 3)
		fail("usage: apply_delta DATA [LOG] <DELTA");
	for (int i = 1; i < argc; i++) {
		fd[i - 1] = open(argv[i], O_WRONLY | O_CLOEXEC);
		if (fd[i - 1] < 0)
			fail("cannot open an image");
	}
	while (fread(head, sizeof(head), 1, stdin) == 1) {
		off_t at = (off_t)get_le64(head + 1) * BB_SIZE;
		size_t left = get_le32(head + 9), n;

		if (head[0] > 1 || fd[head[0]] < 0)
			fail("a run for a device that was not named");
		for (; left; left -= n, at += (off_t)n) {
			n = left < sizeof(buf) ? left : sizeof(buf);
			if (fread(buf, n, 1, stdin) != 1)
				fail("the delta ends inside a run");
			if (pwrite(fd[head[0]], buf, n, at) != (ssize_t)n)
				fail("cannot write");
		}
	}
	if (!feof(stdin))
		fail("the delta ends inside a run");
	return 0;
}
