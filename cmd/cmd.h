/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every tool does the same way: exit codes, messages, arguments, colour,
 * output files, signals. One process is one tool, so the tool's name and the
 * device it works on are kept here and need not travel.
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/out.h"
#include "libxlog/xlog.h"

/* Exit codes: those of fsck(8). */
enum {
	CMD_OK = 0,
	CMD_CHANGED = 1,	/* as 0, and something was changed */
	CMD_FOUND = 4,		/* a condition was found and left */
	CMD_FAILED = 8,		/* open, I/O, memory, output */
	CMD_PARTLY = 12,	/* failed part-way through writing */
	CMD_USAGE = 16,
	CMD_CANCELLED = 32,	/* by a signal, at a safe point */
};

/* Must come first. @name is static; it starts every message. */
void cmd_init(const char *name);
const char *cmd_name(void);

/* "NAME 0.1.0 (libxlog 0.1, formats v4 v5, log v1 v2)" on stdout. */
void cmd_version(bool verbose);

/* --- messages on stderr --- */

/* "NAME: text" */
void cmd_message(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same, then exit with CMD_USAGE. */
_Noreturn void cmd_usage(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

/*
 * Exit code for an error, which has been reported. -ERANGE is an argument that
 * the input shows to be wrong.
 */
int cmd_exit_of(int rc);

/* --- arguments: each returns false if @s is no such thing --- */

/* Decimal, 0x hexadecimal or 0 octal, nothing behind it. */
bool cmd_parse_u64(const char *s, uint64_t *out);

/* The same and a suffix: s (sectors of 512), k m g t p e. In bytes. */
bool cmd_parse_size(const char *s, uint64_t *bytes);

/* "cycle:block" */
bool cmd_parse_lsn(const char *s, xlog_lsn_t *out);

/* A duration in seconds: "30", "30s", "5m". Not 0. */
bool cmd_parse_seconds(const char *s, uint64_t *out);

/* Index of @s in @names, which ends with NULL, or -1. */
int cmd_parse_word(const char *s, const char *const *names);

/* --- the terminal --- */

enum cmd_when { CMD_AUTO, CMD_ALWAYS, CMD_NEVER };

/* Whether to colour what goes to @fd. */
bool cmd_want_colour(enum cmd_when when, int fd);

/* --- files --- */

/*
 * No output of this run may replace @path, which stays the caller's, and need
 * not exist yet. NULL is allowed.
 */
void cmd_guard(const char *path);

/*
 * Create @path for output, and guard it. A file that exists is replaced with
 * @replace only, and never if it is guarded or a block device. Returns a
 * descriptor, or a negative errno that has been reported.
 */
int cmd_create(const char *path, bool replace);

/*
 * Take a shared BSD lock on @path, waiting or not. Returns 0, -EWOULDBLOCK
 * or another negative errno, reported. Held until the process ends.
 */
int cmd_lock_shared(const char *path, bool wait);

/* --- signals --- */

/*
 * From now on SIGINT and SIGTERM ask for a stop at the next safe point; with
 * @end_waits they also end the wait for a lock, which fails with -EINTR. May
 * be called again.
 */
void cmd_catch_signals(bool end_waits);

/* True once one of them came. */
bool cmd_cancelled(void);

#endif
