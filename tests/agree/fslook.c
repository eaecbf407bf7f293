/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fslook IMAGE: print all that can be seen of the filesystem. See
 * tests/lib/fslook.h.
 */
#include "tests/lib/fslook.h"

int main(int argc, char **argv)
{
	const struct sink sink = { 0 };
	struct dev *fs;
	int rc;

	if (argc != 2 || dev_open_image(argv[1], 0, UINT64_MAX, &sink, &fs)) {
		fprintf(stderr, "usage: fslook IMAGE\n");
		return 2;
	}
	rc = fslook(fs, stdout);
	dev_close(fs);
	return rc || fflush(stdout) ? 1 : 0;
}
