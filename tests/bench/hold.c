/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Unlinked files that are held open: hold DIR FILES EXTENTS COMMAND... makes
 * FILES files of EXTENTS single blocks each, none beside another of the same
 * file, unlinks all of them, and runs the command with all of them open.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCK = 4096 };

static int die(const char *what)
{
	perror(what);
	return 1;
}

int main(int argc, char **argv)
{
	uint32_t files, extents;
	struct rlimit limit;
	char name[32];
	int status;
	pid_t pid;
	int *fd;

	if (argc < 5) {
		fprintf(stderr, "usage: hold DIR FILES EXTENTS COMMAND...\n");
		return 1;
	}
	files = (uint32_t)strtoul(argv[2], NULL, 10);
	extents = (uint32_t)strtoul(argv[3], NULL, 10);
	limit.rlim_cur = limit.rlim_max = files + 100;
	fd = calloc(files, sizeof(*fd));
	if (!fd || setrlimit(RLIMIT_NOFILE, &limit) || chdir(argv[1]))
		return die("hold");
	for (uint32_t i = 0; i < files; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		fd[i] = open(name, O_CREAT | O_RDWR, 0600);
		if (fd[i] < 0)
			return die(name);
	}
	/* file by file the blocks of one would lie together */
	for (uint32_t e = 0; e < extents; e++)
		for (uint32_t i = 0; i < files; i++)
			if ((errno = posix_fallocate(fd[i], (off_t)e * 2 * BLOCK,
						     BLOCK)))
				return die("fallocate");
	for (uint32_t i = 0; i < files; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		if (unlink(name))
			return die(name);
	}
	pid = fork();
	if (!pid) {
		execvp(argv[4], argv + 4);
		perror(argv[4]);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return die("hold");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}
