/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command line of xlog-mkfs: the options of mkfs.xfs, each of which takes
 * a list of sub-options, and those that all tools have.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/mkfs.h"

enum {
	KEY_LOG_ONLY = OPT_OWN,
	KEY_FOR,
	LABEL_BYTES = 12,
};

static const struct argp_option options[] = {
	{ .doc = "What it is like (lists: NAME=VALUE,...):", .group = 1 },
	{ "block", 'b', "LIST", 0, "size=N: 1k to 64k (4k)", 1 },
	{ "sector", 's', "LIST", 0, "size=N or sectsize=N (the device's)", 1 },
	{ "data", 'd', "LIST", 0,
	  "size=N, of a file: made or grown to it; agcount=N or agsize=N; "
	  "su=BYTES,sw=N or sunit=N,swidth=N in 512 bytes, or noalign; "
	  "name=FILE, file", 1 },
	{ "inode", 'i', "LIST", 0,
	  "size=N (512), maxpct=N, sparse, nrext64 (1), exchange (0)", 1 },
	{ "naming", 'n', "LIST", 0, "size=N, ftype, parent (0)", 1 },
	{ "metadata", 'm', "LIST", 0,
	  "uuid=UUID, crc, finobt, inobtcount, rmapbt, reflink, bigtime (1)",
	  1 },
	{ "log", 'l', "LIST", 0,
	  "size=N; logdev=DEVICE or name=FILE,file; internal, agnum=N; "
	  "su=BYTES or sunit=N in 512 bytes; sectsize=N, cycle=N, version, "
	  "lazy-count", 1 },
	{ "label", 'L', "LABEL", 0, "at most 12 bytes", 1 },
	{ "config", 'c', "LIST", OPTION_HIDDEN, NULL, 1 },
	{ "realtime", 'r', "LIST", OPTION_HIDDEN, NULL, 1 },
	{ "rtdev", 'r', NULL, OPTION_ALIAS | OPTION_HIDDEN, NULL, 1 },
	{ "proto", 'p', "FILE", OPTION_HIDDEN, NULL, 1 },

	{ .doc = "How it is made:", .group = 2 },
	{ "dry-run", 'N', NULL, 0,
	  "show what would be made, and what sets the size of the log; write "
	  "nothing", 2 },
	{ "log-only", KEY_LOG_ONLY, NULL, 0,
	  "make a fresh, clean log: that inside of the filesystem on DEVICE, "
	  "or an external log", 2 },
	{ "for", KEY_FOR, "FSDEVICE", 0,
	  "the filesystem of an external log, if not -m uuid= says which", 2 },
	{ "force-overwrite", 'f', NULL, 0,
	  "overwrite what is there; twice: even a dirty log of an XFS", 2 },
	{ "nodiscard", 'K', NULL, 0,
	  "do not first give back the blocks of the device", 2 },
	{ "undo", 'z', "FILE", 0,
	  "save what is overwritten in FILE first, with -K; \"\" is a file in "
	  "$XLOG_UNDO_DIR", 2 },
	{ "expert", 'x', NULL, 0,
	  "also filesystems below 300m, logs below 64m, one group", 2 },
	{ "lock", OPT_LOCK, "MODE", OPTION_ARG_OPTIONAL,
	  "lock the devices: 'nonblock' (default), 'yes' to wait for the lock, "
	  "'no'", 2 },

	{ .doc = "Input and output:", .group = 3 },
	OUTPUT_OPTION_ROWS(3),
	{ "force", OPT_FORCE, "LIST", 0,
	  "what to do all the same: 'output' replaces files", 3 },
	{ "interval", OPT_INTERVAL, "TIME", 0, "between progress lines (5s)",
	  3 },
	{ "verbose", 'v', NULL, 0, "more on stderr", 3 },
	{ "quiet", 'q', NULL, 0, "no geometry, no warnings", 3 },
	{ .name = NULL },
};

static const char doc[] =
"Make an XFS filesystem, or only its log.\n\v"
"Numbers are decimal, 0x hexadecimal or 0 octal. Sizes take k m g t p e, s for\n"
"sectors and b for blocks. What is given alone is 1; numbers in parentheses\n"
"are defaults.\n"
"\n"
"Examples:\n"
"  xlog-mkfs /dev/sdb1                    a filesystem\n"
"  xlog-mkfs -N -d size=1t disk.img       what would it be like?\n"
"  xlog-mkfs -d size=1g disk.img          in a new file\n"
"  xlog-mkfs -l logdev=/dev/sdc1 /dev/sdb1\n"
"  xlog-mkfs --log-only --for=/dev/sdb1 /dev/sdc1\n"
"  xlog-mkfs -f -z sdb1.undo /dev/sdb1    and be able to go back, by\n"
"  xlog-recover --undo-apply=sdb1.undo /dev/sdb1\n"
"\n"
"Exit status: 0 done; 4 left as it is: in use, or something is on it; 8 could\n"
"not be read or written; 12 failed part-way through writing; 16 wrong usage,\n"
"or no such filesystem is possible; 32 interrupted, nothing written.\n";

/* What the parser needs besides the result. */
struct parse {
	struct mkfs_opts *opts;
	const char	*undo;		/* as given */
};

static void take_label(struct mkfs_opts *o, const char *arg)
{
	if (o->label)
		cmd_usage("-L option respecified");
	if (strlen(arg) > LABEL_BYTES)
		cmd_usage("Invalid value %s for -L option", arg);
	o->label = arg;
}

/* What mkfs.xfs has and we have not. */
static void refuse_later(int key)
{
	switch (key) {
	case 'c':
		cmd_usage("-c is not supported yet");
	case 'p':
		cmd_usage("-p is not supported: the filesystem is empty");
	case 'r':
		cmd_usage("-r is not supported: no realtime section is made");
	default:
		break;
	}
}

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct parse *p = state->input;
	struct mkfs_opts *o = p->opts;

	refuse_later(key);
	switch (key) {
	case 'b':
	case 's':
	case 'd':
	case 'i':
	case 'n':
	case 'm':
	case 'l':
		subs_take(&o->subs, (char)key, arg);
		return 0;
	case 'L':
		take_label(o, arg);
		return 0;
	case KEY_LOG_ONLY:
		o->log_only = true;
		return 0;
	case KEY_FOR:
		o->of = arg;
		return 0;
	case 'N':
		o->dry_run = true;
		return 0;
	case 'K':
		o->keep = true;
		return 0;
	case 'f':
		o->force++;
		return 0;
	case 'z':
		p->undo = arg;
		return 0;
	case 'q':
		key = OPT_QUIET;
		break;
	default:
		break;
	}
	return io_opts_parse(&o->io, key, arg, state) ? 0 : ARGP_ERR_UNKNOWN;
}

/* --- devices --- */

static void find_devices(struct mkfs_opts *o)
{
	const struct mkfs_subs *s = &o->subs;

	if (o->io.path && subs_given(s, D_NAME))
		cmd_usage("-d name option respecified");
	if (subs_given(s, D_NAME))
		o->io.path = s->text[D_NAME];
	o->io.logdev = subs_given(s, L_NAME) ? s->text[L_NAME] :
					       s->text[L_LOGDEV];
	if (!o->io.path)
		cmd_usage("which device or file?");
	if (s->number[D_FILE] && !subs_given(s, D_SIZE))
		cmd_usage("if -d file then -d size is required");
	if (o->io.logdev)
		return;
	if (subs_given(s, L_INTERNAL) && !s->number[L_INTERNAL])
		cmd_usage("-l internal=0: no log device is named");
	if (s->number[L_FILE])
		cmd_usage("-l file: no log device is named");
}

static void check_log_only(const struct mkfs_opts *o)
{
	static const enum mkfs_sub allowed[] = {
		M_UUID, M_CRC, L_SIZE, L_SUNIT, L_SU, L_SECTSIZE, L_CYCLE,
		L_VERSION, SUBS
	};

	if (!o->log_only && o->of)
		cmd_usage("--for: only with --log-only");
	if (!o->log_only)
		return;
	subs_allow(&o->subs, allowed, "--log-only");
	if (o->label)
		cmd_usage("-L has no meaning with --log-only");
	if (o->io.offset_bytes)
		cmd_usage("--offset has no meaning with --log-only");
}

static void check(const struct parse *p)
{
	const struct mkfs_opts *o = p->opts;

	if (o->dry_run && p->undo)
		cmd_usage("--undo: -N leaves the device as it is");
	if (o->io.force & ~(unsigned int)FORCE_OUTPUT)
		cmd_usage("--force: only 'output' has a meaning here");
}

void mkfs_opts_parse(struct mkfs_opts *opts, int argc, char **argv)
{
	static const struct argp argp = {
		.options = options, .parser = parse_opt,
		.args_doc = "DEVICE|FILE", .doc = doc,
	};
	struct parse p = { .opts = opts };

	*opts = (struct mkfs_opts){ .dry_run = false };
	io_opts_init(&opts->io);
	opts_parse(&argp, argc, argv, &p);
	if (opts->io.version) {
		cmd_version(opts->io.verbose);
		exit(fclose(stdout) ? CMD_FAILED : CMD_OK);
	}
	subs_finish(&opts->subs);
	check_log_only(opts);
	find_devices(opts);
	check(&p);
	opts->undo = opt_undo_name(p.undo, opts->io.path);
}
