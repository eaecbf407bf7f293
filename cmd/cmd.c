/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every tool does the same way; see cmd.h.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"

static const char *tool_name = "xlog";
static volatile sig_atomic_t cancelled;

/*
 * What is opened later must not become stdout or stderr, or messages would be
 * written to it. A descriptor that is missing stays one that cannot be used.
 */
static void occupy_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY :
						 O_RDONLY) != fd)
			_exit(CMD_FAILED);
}

void cmd_init(const char *name)
{
	tool_name = name;
	occupy_standard_streams();
	/* a file that would be too large is an error like others */
	signal(SIGXFSZ, SIG_IGN);
}

const char *cmd_name(void)
{
	return tool_name;
}

void cmd_version(bool verbose)
{
	printf("%s %s (libxlog 0.1, formats v4 v5, log v1 v2)\n", tool_name,
	       XLOG_VERSION);
	if (verbose)
		printf("log-incompat bits: xattrs (0x1)\n");
}

static void message(const char *fmt, va_list ap)
{
	fprintf(stderr, "%s: ", tool_name);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void cmd_message(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message(fmt, ap);
	va_end(ap);
}

void cmd_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message(fmt, ap);
	va_end(ap);
	fprintf(stderr, "Try '%s --help' for more information.\n", tool_name);
	exit(CMD_USAGE);
}

int cmd_exit_of(int rc)
{
	switch (rc) {
	case 0:
		return CMD_OK;
	case -EUCLEAN:
	case -EBADMSG:
	case -EOPNOTSUPP:
	case -EBUSY:
	case -EWOULDBLOCK:
	case -ENOTEMPTY:
	case -ESTALE:
	case -EXDEV:
		return CMD_FOUND;
	case -ERANGE:
		return CMD_USAGE;
	case -ECANCELED:
	case -EINTR:
		return CMD_CANCELLED;
	default:
		return CMD_FAILED;
	}
}

/* --- arguments --- */

/* The number @s begins with; *@end is what follows it. */
static bool parse_number(const char *s, uint64_t *out, const char **end)
{
	char *e;

	if (*s < '0' || *s > '9')	/* strtoull takes blanks and signs */
		return false;
	errno = 0;
	*out = strtoull(s, &e, 0);
	*end = e;
	return !errno && e != s;
}

bool cmd_parse_u64(const char *s, uint64_t *out)
{
	const char *end;
	uint64_t v;

	if (!parse_number(s, &v, &end) || *end)
		return false;
	*out = v;
	return true;
}

bool cmd_parse_size(const char *s, uint64_t *bytes)
{
	static const char units[] = "kmgtpe";
	const char *end, *unit;
	unsigned int shift = 0;
	uint64_t v;

	if (!parse_number(s, &v, &end))
		return false;
	if (*end) {
		char c = (char)(*end | 0x20);

		if (end[1])
			return false;
		unit = strchr(units, c);
		if (c == 's')
			shift = 9;
		else if (unit)
			shift = 10 * (unsigned int)(unit - units + 1);
		else
			return false;
	}
	if (v > UINT64_MAX >> shift)
		return false;
	*bytes = v << shift;
	return true;
}

bool cmd_parse_lsn(const char *s, xlog_lsn_t *out)
{
	const char *end;
	uint64_t cycle, block;

	if (!parse_number(s, &cycle, &end) || *end != ':' ||
	    !cmd_parse_u64(end + 1, &block) ||
	    cycle > UINT32_MAX || block > UINT32_MAX)
		return false;
	*out = xlog_lsn((uint32_t)cycle, (uint32_t)block);
	return true;
}

bool cmd_parse_seconds(const char *s, uint64_t *out)
{
	const char *end;
	uint64_t v, unit = 1;

	if (!parse_number(s, &v, &end) || (*end && end[1]))
		return false;
	if (*end == 'm')
		unit = 60;
	else if (*end && *end != 's')
		return false;
	if (!v || v > UINT32_MAX)
		return false;
	*out = v * unit;
	return true;
}

int cmd_parse_word(const char *s, const char *const *names)
{
	for (int i = 0; names[i]; i++)
		if (!strcmp(s, names[i]))
			return i;
	return -1;
}

/* --- the terminal --- */

bool cmd_want_colour(enum cmd_when when, int fd)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (when != CMD_AUTO)
		return when == CMD_ALWAYS;
	return isatty(fd) && !(no_color && *no_color) &&
	       term && strcmp(term, "dumb");
}

/* --- files --- */

/* More than any tool has options that name files. */
static const char *guarded[16];
static size_t nguarded;

void cmd_guard(const char *path)
{
	assert(nguarded < sizeof(guarded) / sizeof(guarded[0]));
	if (path)
		guarded[nguarded++] = path;
}

/* Is it one of the files that are not to be replaced? */
static bool is_guarded(const struct stat *st)
{
	struct stat other;

	for (size_t i = 0; i < nguarded; i++)
		if (!stat(guarded[i], &other) && other.st_dev == st->st_dev &&
		    other.st_ino == st->st_ino)
			return true;
	return false;
}

int cmd_create(const char *path, bool replace)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (replace ? 0 : O_EXCL);
	struct stat st;
	int fd, rc = 0;

	fd = open(path, flags, 0666);
	if (fd < 0) {
		rc = -errno;
		cmd_message("%s: %s%s", path, strerror(errno), rc == -EEXIST ?
			    "; --force=output replaces it" : "");
		return rc;
	}
	/* only now truncate: what is open is what has been looked at */
	if (fstat(fd, &st)) {
		rc = -errno;
		cmd_message("%s: %s", path, strerror(errno));
	} else if (S_ISBLK(st.st_mode)) {
		rc = -EINVAL;
		cmd_message("%s: is a block device", path);
	} else if (S_ISREG(st.st_mode) && is_guarded(&st)) {
		rc = -EINVAL;
		cmd_message("%s: is the input, or named for something else as well",
			    path);
	} else if (S_ISREG(st.st_mode) && ftruncate(fd, 0)) {
		rc = -errno;
		cmd_message("%s: %s", path, strerror(errno));
	}
	if (!rc) {
		cmd_guard(path);
		return fd;
	}
	close(fd);
	return rc;
}

int cmd_lock_shared(const char *path, bool wait)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0 || flock(fd, LOCK_SH | (wait ? 0 : LOCK_NB))) {
		rc = -errno;
		if (rc == -EWOULDBLOCK)
			cmd_message("%s: locked by another process", path);
		else
			cmd_message("%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	return rc;
}

/* --- signals --- */

static void on_signal(int sig)
{
	(void)sig;
	cancelled = 1;
}

void cmd_catch_signals(bool end_waits)
{
	/* one chance to stop in order; a second signal ends the process */
	struct sigaction sa = { .sa_handler = on_signal,
				.sa_flags = (int)SA_RESETHAND };

	if (cancelled)
		return;
	if (!end_waits)
		sa.sa_flags |= SA_RESTART;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

bool cmd_cancelled(void)
{
	return cancelled;
}
