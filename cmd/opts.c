/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Options that every tool has; see opts.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/opts.h"

/* --- values --- */

uint64_t opt_number(const char *what, const char *arg, uint64_t max)
{
	uint64_t v;

	if (!cmd_parse_u64(arg, &v) || v > max)
		cmd_usage("%s: not a valid number: %s", what, arg);
	return v;
}

xlog_lsn_t opt_lsn(const char *what, const char *arg)
{
	xlog_lsn_t v;

	if (!cmd_parse_lsn(arg, &v))
		cmd_usage("%s: not CYCLE:BLOCK: %s", what, arg);
	return v;
}

int opt_word(const char *what, const char *arg, const char *const *names)
{
	int i = cmd_parse_word(arg, names);

	if (i < 0)
		cmd_usage("%s: unknown value: %s", what, arg);
	return i;
}

char *opt_next(char **list)
{
	char *w = strsep(list, ",");

	if (w && !*w)
		cmd_usage("empty element in a list");
	return w;
}

char *opt_undo_name(const char *arg, const char *path)
{
	const char *dir = getenv("XLOG_UNDO_DIR"), *base;
	char *name = NULL;

	if (!arg)
		return NULL;
	if (*arg) {
		name = strdup(arg);
	} else if (!dir || !*dir) {
		cmd_usage("--undo: which file? XLOG_UNDO_DIR is not set");
	} else {
		base = strrchr(path, '/');
		base = base ? base + 1 : path;
		if (asprintf(&name, "%s/%s-%s.undo", dir, cmd_name(), base) < 0)
			name = NULL;
	}
	if (!name) {
		cmd_message("out of memory");
		exit(CMD_FAILED);
	}
	return name;
}

/* --- the options --- */

static void parse_force(struct io_opts *o, char *arg)
{
	static const char *const names[] = { "mounted-ro", "uuid", "output",
					     "features", "crc", "changed",
					     NULL };

	for (char *w; (w = opt_next(&arg));)
		o->force |= 1u << opt_word("--force", w, names);
}

static enum io_lock lock_mode(const char *what, const char *arg)
{
	static const char *const names[] = { "no", "yes", "nonblock", "0", "1",
					     NULL };
	static const enum io_lock modes[] = { LOCK_NONE, LOCK_WAIT,
					      LOCK_NONBLOCK, LOCK_NONE,
					      LOCK_WAIT };

	return modes[opt_word(what, arg, names)];
}

void io_opts_init(struct io_opts *o)
{
	const char *lock = getenv("LOCK_BLOCK_DEVICE");

	*o = (struct io_opts){ .interval_s = 5 };
	if (lock && *lock)
		o->lock = lock_mode("LOCK_BLOCK_DEVICE", lock);
}

_Noreturn static void help(struct argp_state *state, unsigned int what)
{
	argp_state_help(state, stdout, what);
	exit(fclose(stdout) ? CMD_FAILED : CMD_OK);
}

static void take_path(struct io_opts *o, const char *arg)
{
	if (o->path)
		cmd_usage("one device or image a run, not also %s", arg);
	o->path = arg;
}

bool io_opts_parse(struct io_opts *o, int key, char *arg,
		   struct argp_state *state)
{
	static const char *const when[] = { "auto", "always", "never", NULL };
	static const char *const how[] = { "auto", "bar", "lines", "none",
					   "json", NULL };

	switch (key) {
	case ARGP_KEY_ARG:
		take_path(o, arg);
		break;
	case 'l':
		o->logdev = arg;
		break;
	case 'r':
		o->rtdev = arg;
		break;
	case 'f':	/* files are recognised without it */
		break;
	case 'J':
		o->json = true;
		break;
	case 'x':
		o->expert = true;
		break;
	case 'v':
		o->verbose++;
		break;
	case OPT_QUIET:
		o->quiet = true;
		break;
	case OPT_OFFSET:
		if (!cmd_parse_size(arg, &o->offset_bytes))
			cmd_usage("--offset: not a size: %s", arg);
		break;
	case OPT_OUTPUT:
		o->output = arg;
		break;
	case OPT_LOCK:
		o->lock = arg ? lock_mode("--lock", arg) : LOCK_WAIT;
		break;
	case OPT_FORCE:
		parse_force(o, arg);
		break;
	case OPT_COLOUR:
		o->colour = CMD_ALWAYS;
		if (arg)
			o->colour = (enum cmd_when)
				    opt_word("--color", arg, when);
		break;
	case OPT_PROGRESS:
		o->progress = (enum progress_how)
			      opt_word("--progress", arg, how);
		break;
	case OPT_INTERVAL:
		if (!cmd_parse_seconds(arg, &o->interval_s))
			cmd_usage("--interval: not a time: %s", arg);
		break;
	case 'h':
		help(state, ARGP_HELP_SHORT_USAGE | ARGP_HELP_DOC |
			    ARGP_HELP_LONG);
	case OPT_USAGE:
		help(state, ARGP_HELP_USAGE);
	case 'V':
		o->version = true;
		break;
	default:
		return false;
	}
	return true;
}

void io_opts_guard(const struct io_opts *o)
{
	cmd_guard(o->path);
	cmd_guard(o->logdev);
	cmd_guard(o->rtdev);
}

void opts_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	static char name[32];

	/* argp takes it from there, and so with the path that was typed */
	snprintf(name, sizeof(name), "%s", cmd_name());
	argv[0] = name;
	argp_err_exit_status = CMD_USAGE;
	argp_parse(argp, argc, argv, ARGP_NO_HELP, NULL, input);
}
