/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A workload for a filesystem that has files already: work DIR OPERATIONS SEED.
 * It changes what is there as well as what it makes: names, contents, holes,
 * attributes, links, clones, files without a name. Of the errors that the
 * kernel may answer those of damage end it with status 1. The same seed does
 * the same to the same filesystem.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	NAMES = 50000,		/* known at most, of each kind */
	SYNC_EVERY = 400,	/* operations, on average */
	UNIT = 65536,		/* a multiple of every block size */
	REACH = 2 << 20,	/* most writes begin below */
	PATH = 4096,
};

struct names {
	char		*name[NAMES];
	uint32_t	 n;
};

static struct names files, dirs;
static uint64_t state, made;
static unsigned long done, refused;

static uint32_t rnd(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((state >> 33) % n);
}

static void remember(struct names *in, const char *name)
{
	if (in->n == NAMES)
		return;
	in->name[in->n] = strdup(name);
	if (!in->name[in->n]) {
		perror("work");
		exit(1);
	}
	in->n++;
}

static void forget(struct names *in, uint32_t i)
{
	free(in->name[i]);
	in->name[i] = in->name[--in->n];
}

/* What an operation may answer on a sound filesystem; all else ends the work. */
static bool ok(int rc, const char *what, const char *name)
{
	if (rc >= 0) {
		done++;
		return true;
	}
	switch (errno) {
	case ENOENT: case EEXIST: case ENOTEMPTY: case ENOTDIR: case EISDIR:
	case EINVAL: case EMLINK: case ENOSPC: case EFBIG: case EOPNOTSUPP:
	case ENODATA: case ENAMETOOLONG: case EPERM: case EBUSY: case ELOOP:
	case ENXIO: case E2BIG: case EXDEV:
		refused++;
		return false;
	default:
		fprintf(stderr, "work: %s %s: %s\n", what, name,
			strerror(errno));
		exit(1);
	}
}

static const char *any(const struct names *in)
{
	return in->n ? in->name[rnd(in->n)] : ".";
}

/* Directories that only have room for short names, and others */
static void new_name(char *path)
{
	static const char filler[] =
		"-and-some-more-of-it-so-that-blocks-of-directories-fill-up-"
		"quickly-and-have-to-be-split-and-joined-when-names-come-and-go";
	int more = rnd(3) ? (int)rnd(20) : (int)rnd(sizeof(filler));

	snprintf(path, PATH, "%.3800s/w%llx%.*s", any(&dirs),
		 (unsigned long long)made++, more, filler);
}

static int open_any(int flags, const char **name)
{
	struct stat st;

	*name = any(&files);
	/* a pipe would be waited for */
	if (lstat(*name, &st) || !S_ISREG(st.st_mode))
		return -1;
	return open(*name, flags | O_NOFOLLOW);
}

static void write_some(int fd, off_t at)
{
	static uint8_t data[UNIT];
	size_t len = rnd(4) ? rnd(8192) + 1 : rnd(sizeof(data)) + 1;

	for (size_t i = 0; i < len; i += 64)
		data[i] = (uint8_t)rnd(256);
	ok((int)pwrite(fd, data, len, at), "write", "");
}

static off_t some_place(void)
{
	/* far away now and then, for extent maps with large offsets */
	return rnd(40) ? (off_t)rnd(REACH) : (off_t)rnd(1u << 30) * 16;
}

static off_t some_units(uint32_t n)
{
	return (off_t)rnd(n) * UNIT;
}

/* --- names --- */

static void create(void)
{
	char path[PATH];
	int fd;

	new_name(path);
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600 + rnd(64));
	if (!ok(fd, "create", path))
		return;
	if (rnd(2))
		write_some(fd, 0);
	close(fd);
	remember(&files, path);
}

static void make_dir(void)
{
	char path[PATH];

	new_name(path);
	if (ok(mkdir(path, 0700 + rnd(64)), "mkdir", path))
		remember(&dirs, path);
}

static void make_special(void)
{
	char path[PATH];

	new_name(path);
	if (ok(mknod(path, S_IFIFO | 0600, 0), "mknod", path))
		remember(&files, path);
}

static void make_symlink(void)
{
	char path[PATH], target[1024];
	uint32_t len = rnd(3) ? rnd(60) + 1 : rnd(1023) + 1;

	memset(target, 'a' + (int)rnd(26), len);
	target[len] = '\0';
	new_name(path);
	if (ok(symlink(target, path), "symlink", path))
		remember(&files, path);
}

static void make_link(void)
{
	const char *from = any(&files);
	char path[PATH];

	new_name(path);
	if (ok(link(from, path), "link", from))
		remember(&files, path);
}

static void remove_file(void)
{
	uint32_t i;

	if (!files.n)
		return;
	i = rnd(files.n);
	/* gone, or below a directory that has moved: no name any more */
	if (ok(unlink(files.name[i]), "unlink", files.name[i]) ||
	    errno == ENOENT)
		forget(&files, i);
}

static void remove_dir(void)
{
	uint32_t i = rnd(dirs.n);

	if (strcmp(dirs.name[i], ".") &&
	    (ok(rmdir(dirs.name[i]), "rmdir", dirs.name[i]) ||
	     errno == ENOENT))
		forget(&dirs, i);
}

static void move(void)
{
	struct names *in = rnd(12) ? &files : &dirs;
	const char *from = any(in), *to;
	char path[PATH];

	if (!rnd(4)) {
		to = any(in);
		ok(renameat2(AT_FDCWD, from, AT_FDCWD, to,
			     rnd(2) ? RENAME_EXCHANGE : 0), "rename", from);
		return;
	}
	new_name(path);
	if (strcmp(from, ".") && ok(rename(from, path), "rename", from))
		remember(in, path);
}

/* An inode on the list of the unlinked for a while */
static void nameless(void)
{
	const char *in = any(&dirs);
	int fd = open(in, O_TMPFILE | O_RDWR, 0600);
	char path[PATH], self[64];

	if (!ok(fd, "tmpfile", in))
		return;
	for (uint32_t n = rnd(8); n; n--)
		write_some(fd, some_units(64));
	if (rnd(2)) {
		new_name(path);
		snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
		if (ok(linkat(AT_FDCWD, self, AT_FDCWD, path,
			      AT_SYMLINK_FOLLOW), "linkat", path))
			remember(&files, path);
	}
	close(fd);
}

/* --- contents --- */

static void overwrite(void)
{
	const char *name;
	int fd = open_any(O_WRONLY, &name);

	if (fd < 0)
		return;
	for (uint32_t n = rnd(3) + 1; n; n--)
		write_some(fd, some_place());
	close(fd);
}

static void fragment(void)
{
	const char *name;
	int fd = open_any(O_WRONLY, &name);

	if (fd < 0)
		return;
	/* every second unit: extents that do not merge */
	for (uint32_t n = rnd(24) + 1; n; n--)
		write_some(fd, some_units(32) * 2);
	close(fd);
}

static void cut(void)
{
	const char *name = any(&files);
	struct stat st;

	if (lstat(name, &st) || !S_ISREG(st.st_mode))
		return;
	ok(truncate(name, rnd(2) ? st.st_size / 2 : some_place()), "truncate",
	   name);
}

static void punch(void)
{
	static const int modes[] = {
		FALLOC_FL_KEEP_SIZE, 0,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_ZERO_RANGE, FALLOC_FL_COLLAPSE_RANGE,
		FALLOC_FL_INSERT_RANGE, FALLOC_FL_UNSHARE_RANGE,
	};
	const char *name;
	int fd = open_any(O_WRONLY, &name);

	if (fd < 0)
		return;
	ok(fallocate(fd, modes[rnd(sizeof(modes) / sizeof(modes[0]))],
		     some_units(16), some_units(4) + UNIT), "fallocate", name);
	close(fd);
}

static void clone_file(void)
{
	const char *name;
	int from = open_any(O_RDONLY, &name), to;
	char path[PATH];

	if (from < 0)
		return;
	new_name(path);
	to = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);
	if (ok(to, "create", path)) {
		remember(&files, path);
		ok(ioctl(to, FICLONE, from), "clone", name);
		/* of what is shared a part, for copy on write */
		if (rnd(2))
			write_some(to, (off_t)rnd(UNIT));
		close(to);
	}
	close(from);
}

static void clone_range(void)
{
	const char *a, *b;
	int from = open_any(O_RDONLY, &a), to = open_any(O_WRONLY, &b);
	struct file_clone_range range = {
		.src_fd = from,
		.src_offset = (uint64_t)some_units(8),
		.src_length = UNIT,
		.dest_offset = (uint64_t)some_units(16),
	};

	if (from >= 0 && to >= 0)
		ok(ioctl(to, FICLONERANGE, &range), "clone a range", b);
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
}

/* --- attributes --- */

static void attribute(void)
{
	static const char *const names[] = {
		"user.a", "user.one", "user.with-a-longer-name-than-others",
		"trusted.two", "security.three", "user.large",
	};
	static char value[65536];
	const char *of = rnd(3) ? any(&files) : any(&dirs);
	const char *name = names[rnd(sizeof(names) / sizeof(names[0]))];
	size_t len = rnd(8) ? rnd(300) : rnd(sizeof(value));

	if (!rnd(3)) {
		ok(lremovexattr(of, name), "removexattr", of);
		return;
	}
	for (size_t i = 0; i < len; i += 32)
		value[i] = (char)rnd(256);
	ok(lsetxattr(of, name, value, len, 0), "setxattr", of);
}

static void change_inode(void)
{
	const char *of = rnd(3) ? any(&files) : any(&dirs);
	struct timespec t[2] = { { .tv_sec = rnd(1u << 30) },
				 { .tv_sec = rnd(1u << 30) } };

	switch (rnd(3)) {
	case 0:
		ok(fchmodat(AT_FDCWD, of, 0700 + rnd(64), 0), "chmod", of);
		return;
	case 1:
		ok(lchown(of, rnd(100), rnd(100)), "chown", of);
		return;
	default:
		ok(utimensat(AT_FDCWD, of, t, AT_SYMLINK_NOFOLLOW), "utimes", of);
	}
}

static void synchronize(void)
{
	const char *name;
	int fd = rnd(3) ? open_any(O_RDONLY, &name) :
		open(".", O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return;
	if (rnd(2))
		ok(syncfs(fd), "syncfs", "");
	else
		ok(fsync(fd), "fsync", "");
	close(fd);
}

static void (*const operations[])(void) = {
	create, create, create, create, create, make_dir, make_dir,
	make_special, make_symlink, make_link, make_link,
	remove_file, remove_file, remove_file, remove_file, remove_dir,
	move, move, nameless, overwrite, overwrite, overwrite, fragment,
	cut, cut, punch, punch, clone_file, clone_file, clone_range,
	attribute, attribute, attribute, change_inode, change_inode,
};

static int found(const char *path, const struct stat *st, int type,
		 struct FTW *at)
{
	(void)type;
	(void)at;
	remember(S_ISDIR(st->st_mode) ? &dirs : &files, path);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long n;

	if (argc != 4 || chdir(argv[1]) ||
	    nftw(".", found, 64, FTW_PHYS | FTW_MOUNT)) {
		perror("work");
		return 1;
	}
	n = strtoul(argv[2], NULL, 10);
	state = strtoul(argv[3], NULL, 10);
	while (n--) {
		operations[rnd(sizeof(operations) / sizeof(operations[0]))]();
		if (!rnd(SYNC_EVERY))
			synchronize();
	}
	printf("%lu done, %lu refused\n", done, refused);
	return 0;
}
