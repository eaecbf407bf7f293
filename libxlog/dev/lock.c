/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Advisory locks on a file or block device, and who holds them. Two kinds:
 * flock(2), which util-linux, udev and xlog itself take, and an open file
 * description lock over the whole length, which meets the byte locks of qemu
 * and the POSIX locks of others.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "libxlog/dev/dev_priv.h"

/* --- who holds it --- */

/* A lock that could not be taken. */
struct wanted {
	struct stat	st;		/* of the file */
	bool		bsd;		/* flock(2), else POSIX or OFD */
};

/*
 * Is @line, as in /proc/locks ("1: FLOCK  ADVISORY  WRITE 123 fe:00:45 0 EOF"),
 * a lock of that kind? @pid is -1 for OFD locks.
 */
static bool is_lock(const char *line, const struct wanted *want, long *pid)
{
	char kind[16];

	/* One that is waited for has "->" behind its number: no match. */
	return sscanf(line, "%*d: %15[A-Z] %*s %*s %ld", kind, pid) == 2 &&
	       !strcmp(kind, "FLOCK") == want->bsd;
}

/*
 * And is it on that file? Not known where stat(2) gives other numbers than
 * the kernel has inside, as on btrfs.
 */
static bool is_on_file(const char *line, const struct wanted *want)
{
	unsigned int major_no, minor_no;
	uintmax_t ino;

	return sscanf(line, "%*d: %*s %*s %*s %*d %x:%x:%ju", &major_no,
		      &minor_no, &ino) == 3 &&
	       major_no == major(want->st.st_dev) &&
	       minor_no == minor(want->st.st_dev) && ino == want->st.st_ino;
}

/* The process that has the lock in /proc/locks; 0 none, -1 unnamed. */
static long find_in_locks(const struct wanted *want)
{
	FILE *file = fopen("/proc/locks", "re");
	long pid, found = 0;
	char *line = NULL;
	size_t size = 0;

	if (!file)
		return 0;
	while (found <= 0 && getline(&line, &size, file) > 0)
		if (is_lock(line, want, &pid) && is_on_file(line, want))
			found = pid;
	free(line);
	fclose(file);
	return found;
}

/* Is there such a lock among those of one descriptor? */
static bool is_in_fdinfo(const char *path, const struct wanted *want)
{
	static const char prefix[] = "lock:\t";
	FILE *file = fopen(path, "re");
	bool found = false;
	char *line = NULL;
	size_t size = 0;
	long pid;

	if (!file)
		return false;
	while (!found && getline(&line, &size, file) > 0)
		found = !strncmp(line, prefix, sizeof(prefix) - 1) &&
			is_lock(line + sizeof(prefix) - 1, want, &pid);
	free(line);
	fclose(file);
	return found;
}

/* Has process @pid a descriptor of the file that holds a lock on it? */
static bool process_holds(const char *pid, const struct wanted *want)
{
	char path[2 * NAME_MAX + 32];
	const struct dirent *entry;
	bool holds = false;
	struct stat fd_st;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!holds && (entry = readdir(dir))) {
		if (fstatat(dirfd(dir), entry->d_name, &fd_st, 0) ||
		    fd_st.st_dev != want->st.st_dev ||
		    fd_st.st_ino != want->st.st_ino)
			continue;
		snprintf(path, sizeof(path), "/proc/%s/fdinfo/%s", pid,
			 entry->d_name);
		holds = is_in_fdinfo(path, want);
	}
	closedir(dir);
	return holds;
}

/* OFD locks have no process in /proc/locks: look through all descriptors. */
static long search_processes(const struct wanted *want)
{
	const struct dirent *entry;
	DIR *dir = opendir("/proc");
	long pid = 0;

	if (!dir)
		return 0;
	while (!pid && (entry = readdir(dir))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		if (process_holds(entry->d_name, want))
			pid = strtol(entry->d_name, NULL, 10);
	}
	closedir(dir);
	return pid;
}

/* "process 123 (qemu-system-x86)", as far as it can be known. */
static void name_holder(int fd, bool bsd, char *text, size_t size)
{
	char path[64], comm[64] = "";
	struct wanted want = { .bsd = bsd };
	long pid = 0;
	FILE *file;

	if (!fstat(fd, &want.st)) {
		pid = find_in_locks(&want);
		if (pid <= 0)
			pid = search_processes(&want);
	}
	if (pid <= 0) {
		snprintf(text, size, "another process");
		return;
	}
	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	file = fopen(path, "re");
	if (file) {
		if (fgets(comm, sizeof(comm), file))
			comm[strcspn(comm, "\n")] = '\0';
		fclose(file);
	}
	snprintf(text, size, comm[0] ? "process %ld (%s)" : "process %ld", pid,
		 comm);
}

/* --- taking them --- */

static int try_bsd(int fd, bool wait)
{
	return flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) ? -errno : 0;
}

static int try_shared(int fd, bool wait)
{
	return flock(fd, LOCK_SH | (wait ? 0 : LOCK_NB)) ? -errno : 0;
}

static int try_ofd(int fd, bool wait)
{
	/* l_len 0: to the end, wherever that is; l_pid must be 0. */
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &all) ? -errno : 0;
}

/* Is there none? To wait for that is to have it for a moment. */
static int try_no_ofd(int fd, bool wait)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int rc;

	if (!wait) {
		if (fcntl(fd, F_OFD_GETLK, &all))
			return -errno;
		return all.l_type == F_UNLCK ? 0 : -EWOULDBLOCK;
	}
	rc = try_ofd(fd, true);
	all.l_type = F_UNLCK;
	if (!rc && fcntl(fd, F_OFD_SETLK, &all))
		rc = -errno;
	return rc;
}

/* @of is what the file is to the device: "its backing file, ", or "". */
static int take(const struct sink *sink, int fd, unsigned int flags,
		int (*try_lock)(int fd, bool wait), const char *of)
{
	bool bsd = try_lock == try_bsd || try_lock == try_shared;
	int rc = try_lock(fd, false);
	char holder[128];

	if (rc == -EWOULDBLOCK || rc == -EACCES) {
		name_holder(fd, bsd, holder, sizeof(holder));
		if (!(flags & DEV_LOCK_WAIT))
			return report(sink, -EBUSY, "dev.locked",
				      XLOG_LSN_NONE, "in use: %slocked by %s",
				      of, holder);
		notice(sink, XLOG_NOTICE, "dev.locked", XLOG_LSN_NONE,
		       "waiting for the lock of %s", holder);
		rc = try_lock(fd, true);
	}
	if (rc)
		return report(sink, rc, "dev.lock", XLOG_LSN_NONE,
			      "cannot be locked: %s", strerror(-rc));
	return 0;
}

int lock_bsd(const struct sink *sink, int fd, unsigned int flags)
{
	return take(sink, fd, flags, try_bsd, "");
}

int lock_ofd(const struct sink *sink, int fd, unsigned int flags)
{
	return take(sink, fd, flags, try_ofd, "");
}

int lock_backing(const struct sink *sink, int fd, unsigned int flags)
{
	static const char of[] = "its backing file, ";
	int rc = take(sink, fd, flags, try_shared, of);

	return rc ? rc : take(sink, fd, flags, try_no_ofd, of);
}
