/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a command and prints on stderr what it took: measure COMMAND...
 * Seconds, peak resident KiB, and bytes it read through system calls.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* From /proc while the process is a zombie: afterwards it is gone. */
static unsigned long long bytes_read(pid_t pid)
{
	unsigned long long n = 0;
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/io", (int)pid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "rchar: %llu", &n) == 1)
			break;
	fclose(f);
	return n;
}

int main(int argc, char **argv)
{
	struct timespec from, to;
	unsigned long long rchar;
	struct rusage usage;
	siginfo_t info;
	int status;
	pid_t pid;

	if (argc < 2)
		return 125;
	clock_gettime(CLOCK_MONOTONIC, &from);
	pid = fork();
	if (!pid) {
		execvp(argv[1], argv + 1);
		perror(argv[1]);
		_exit(127);
	}
	if (pid < 0 || waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT)) {
		perror("measure");
		return 125;
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	rchar = bytes_read(pid);
	if (wait4(pid, &status, 0, &usage) != pid)
		return 125;
	fprintf(stderr, "%.4f %ld %llu\n",
		(double)(to.tv_sec - from.tv_sec) +
		(double)(to.tv_nsec - from.tv_nsec) / 1e9,
		usage.ru_maxrss, rchar);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}
