/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A main() for a fuzz target, which gives it every file of a folder once: the
 * stored inputs of tests/fixtures/fuzz/ become an ordinary test under any
 * compiler. The folder is the argument, or the one named like the program.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	size_t size = 0, room = 0, n;

	if (!f)
		return -1;
	do {
		if (size == room) {
			uint8_t *more;

			room = room ? room * 2 : 4096;
			more = realloc(data, room);
			if (!more) {
				n = 0;
				break;
			}
			data = more;
		}
		n = fread(data + size, 1, room - size, f);
		size += n;
	} while (n);
	if (!ferror(f) && feof(f)) {
		/* exactly as large as the input: reading past it is caught */
		uint8_t *exact = malloc(size ? size : 1);

		if (exact) {
			memcpy(exact, data, size);
			LLVMFuzzerTestOneInput(exact, size);
			free(exact);
			free(data);
			fclose(f);
			return 0;
		}
	}
	free(data);
	fclose(f);
	return -1;
}

int main(int argc, char **argv)
{
	const char *base = strrchr(argv[0], '/');
	const char *root = getenv("ROOT");
	struct dirent *entry;
	char dir[4096], path[sizeof(dir) + 300];
	int inputs = 0;
	DIR *d;

	base = base ? base + 1 : argv[0];
	if (!strncmp(base, "fuzz_", 5))
		base += 5;
	if (argc > 1)
		snprintf(dir, sizeof(dir), "%s", argv[1]);
	else
		snprintf(dir, sizeof(dir), "%s/tests/fixtures/fuzz/%.*s",
			 root ? root : ".", (int)strcspn(base, "."), base);
	d = opendir(dir);
	if (!d) {
		perror(dir);
		return 1;
	}
	while ((entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (replay(path)) {
			perror(path);
			return 1;
		}
		inputs++;
	}
	closedir(d);
	printf("%d inputs\n", inputs);
	return inputs ? 0 : 1;
}
