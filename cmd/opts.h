/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Options about input and output, which every tool has and means the same by,
 * and what parsers of command lines need for their own. Each tool has a table
 * of its own, since the words of the help differ; the rows that do not are
 * IO_OPTION_ROWS.
 */
#ifndef CMD_OPTS_H
#define CMD_OPTS_H

#include <argp.h>

#include "cmd/cmd.h"
#include "cmd/progress.h"

enum io_lock {
	LOCK_DEFAULT,		/* not said: by what the tool does */
	LOCK_NONE,
	LOCK_WAIT,
	LOCK_NONBLOCK,
};

/* --force */
enum {
	FORCE_MOUNTED_RO = 1,
	FORCE_UUID = 2,
	FORCE_OUTPUT = 4,
	FORCE_FEATURES = 8,
	FORCE_CRC = 16,
	FORCE_CHANGED = 32,
};

struct io_opts {
	const char	*path;		/* device or image */
	const char	*logdev, *rtdev;
	uint64_t	offset_bytes;
	const char	*output;	/* NULL: stdout */
	bool		json, quiet, expert;
	bool		version;	/* --version was given */
	unsigned int	verbose;
	unsigned int	force;		/* FORCE_* */
	enum cmd_when	colour;
	enum progress_how progress;
	uint64_t	interval_s;
	enum io_lock	lock;
};

/* Long options without a letter; those of a tool begin at OPT_OWN. */
enum {
	OPT_OFFSET = 256,
	OPT_OUTPUT,
	OPT_COLOUR,
	OPT_PROGRESS,
	OPT_INTERVAL,
	OPT_LOCK,
	OPT_FORCE,
	OPT_QUIET,
	OPT_USAGE,
	OPT_OWN,
};

#define IO_OPTION_ROWS(group) \
	{ "logdev", 'l', "DEVICE", 0, "the external log", group }, \
	OUTPUT_OPTION_ROWS(group)

/* The same for tools that name a log in another way. */
#define OUTPUT_OPTION_ROWS(group) \
	{ "offset", OPT_OFFSET, "SIZE", 0, \
	  "the filesystem begins here inside the device", group }, \
	{ "json", 'J', NULL, 0, "JSON, one object a line", group }, \
	{ "output", OPT_OUTPUT, "FILE", 0, \
	  "write to FILE, which must not exist", group }, \
	{ "color", OPT_COLOUR, "WHEN", OPTION_ARG_OPTIONAL, \
	  "'auto' (default), 'always', 'never'", group }, \
	{ "progress", OPT_PROGRESS, "HOW", 0, \
	  "'auto' (default), 'bar', 'lines', 'json', 'none'; on stderr", group }, \
	{ "help", 'h', NULL, 0, "this text", -1 }, \
	/* argp's own messages point to it */ \
	{ "usage", OPT_USAGE, NULL, OPTION_HIDDEN, NULL, -1 }, \
	{ "version", 'V', NULL, 0, \
	  "the version; with -v also what is known", -1 }

/* Defaults, and what the environment says. */
void io_opts_init(struct io_opts *o);

/*
 * Take @key if it is one of these options, or the argument that is no option;
 * false: it is another. --help ends the process, wrong values do.
 */
bool io_opts_parse(struct io_opts *o, int key, char *arg,
		   struct argp_state *state);

/* Outputs of this run are not to replace what is read: see cmd_guard(). */
void io_opts_guard(const struct io_opts *o);

/*
 * Parse the command line. Wrong usage ends the process; all messages begin
 * with the name of the tool.
 */
void opts_parse(const struct argp *argp, int argc, char **argv, void *input);

/* --- values: what is none ends the process with CMD_USAGE --- */

uint64_t opt_number(const char *what, const char *arg, uint64_t max);
xlog_lsn_t opt_lsn(const char *what, const char *arg);

/* Index in @names, which ends with NULL. */
int opt_word(const char *what, const char *arg, const char *const *names);

/*
 * The name of the undo file, owned by the caller: @arg, and for "" one in
 * $XLOG_UNDO_DIR that begins with the tool's name and ends with that of @path.
 * NULL if @arg is.
 */
char *opt_undo_name(const char *arg, const char *path);

/*
 * The next element of a comma-separated list, NULL at its end. The elements
 * are cut out of @*list, which is writable: argv belongs to the process.
 */
char *opt_next(char **list);

#endif
