/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command line of xlog-recover. What contradicts itself, or would be left
 * without an effect, is refused here, before anything is opened.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/recover.h"

enum {
	KEY_TARGET = OPT_OWN,
	KEY_UNDO_APPLY,
	KEY_SAVE_LOG,
	KEY_RESTORE_LOG,
	KEY_STOP_AT,
	KEY_INTENTS,
	KEY_IUNLINKS,
	KEY_ORDER,
	KEY_VERIFY,
	KEY_EXPLAIN,
	KEY_PATCH,		/* later: refused by name */
	KEY_PATCH_APPLY,
	KEY_CODES,
};

static const struct argp_option options[] = {
	{ .doc = "What to do (default: replay the log in place):", .group = 1 },
	{ "dry-run", 'n', NULL, 0,
	  "replay in memory only, and list what would change; exit 4 if the "
	  "log is dirty", 1 },
	{ "target", KEY_TARGET, "FILE", 0,
	  "replay a copy of the image, FILE, which must not exist", 1 },
	{ "explain", KEY_EXPLAIN, NULL, 0,
	  "say in words what there is to do, who can, and why not; writes "
	  "nothing but to a --target", 1 },
	{ "undo-apply", KEY_UNDO_APPLY, "FILE", 0,
	  "put back what an undo file holds", 1 },
	{ "zero-log", 'L', NULL, 0,
	  "discard the log and all that it holds; needs --save-log", 1 },
	{ "restore-log", KEY_RESTORE_LOG, "FILE", 0,
	  "put back a log that --save-log saved", 1 },
	{ "overlay", 'O', "FILE", OPTION_HIDDEN, NULL, 1 },
	{ "patch", KEY_PATCH, "FILE", OPTION_HIDDEN, NULL, 1 },
	{ "patch-apply", KEY_PATCH_APPLY, "FILE", OPTION_HIDDEN, NULL, 1 },

	{ .doc = "Before it:", .group = 2 },
	{ "undo", 'z', "FILE", 0,
	  "save what is overwritten in FILE first; \"\" is a file in "
	  "$XLOG_UNDO_DIR", 2 },
	{ "save-log", KEY_SAVE_LOG, "FILE", 0,
	  "save the log in FILE first, which must not exist", 2 },

	{ .doc = "How to replay:", .group = 3 },
	{ "stop-at", KEY_STOP_AT, "LSN|#N", 0,
	  "replay only the checkpoints up to the one at CYCLE:BLOCK, or N of "
	  "them; with -n or --target", 3 },
	{ "intents", KEY_INTENTS, "HOW", 0,
	  "pending intents: 'finish' (default), 'refuse', or 'skip' with -n or "
	  "--target", 3 },
	{ "iunlinks", KEY_IUNLINKS, "HOW", 0,
	  "unlinked inodes and leftover CoW extents: 'process' (default) or "
	  "'leave' to the next mount", 3 },
	{ "order", KEY_ORDER, "ORDER", 0,
	  "byte order of the log: 'auto' (default); 'le', 'be' with -x", 3 },
	{ "verify", KEY_VERIFY, "HOW", 0,
	  "each block as it is written: 'write' (default), and 'reread' it "
	  "from the device", 3 },
	{ "maxmem", 'm', "MIB", 0, "bound on memory (512)", 3 },

	{ .doc = "Input and output:", .group = 4 },
	IO_OPTION_ROWS(4),
	{ "rtdev", 'r', "DEVICE", 0,
	  "the realtime device (never written: replay does not touch it)", 4 },
	{ "image-file", 'f', NULL, 0, "accepted; never needed", 4 },
	{ NULL, 'a', NULL, 0, "accepted for fsck(8)", 4 },
	{ NULL, 'p', NULL, OPTION_ALIAS, NULL, 4 },
	{ NULL, 'y', NULL, OPTION_ALIAS, NULL, 4 },
	{ "lock", OPT_LOCK, "MODE", OPTION_ARG_OPTIONAL,
	  "lock the device: 'nonblock' (default where it is written), 'yes' "
	  "to wait for the lock, 'no'", 4 },
	{ "force", OPT_FORCE, "LIST", 0,
	  "what to do all the same: 'output' replaces files, 'uuid' takes the "
	  "log of another filesystem, 'features' unknown ones that only "
	  "reading is compatible with, 'changed' lets --undo-apply overwrite "
	  "what was written since", 4 },
	{ "expert", 'x', NULL, 0, "allow --order", 4 },
	{ "interval", 't', "TIME", 0, "between progress lines (5s)", 4 },
	{ "verbose", 'v', NULL, 0,
	  "more on stderr; each change and every remainder", 4 },
	{ "quiet", 'q', NULL, 0, "only errors", 4 },
	{ "exit-changed", 'e', NULL, OPTION_HIDDEN, NULL, 4 },
	{ "codes", KEY_CODES, "TABLE", OPTION_HIDDEN, NULL, 4 },
	{ "progress-fd", 'C', "FD", OPTION_ARG_OPTIONAL | OPTION_HIDDEN,
	  NULL, 4 },
	{ .name = NULL },
};

static const char doc[] =
"Replay the log of an XFS filesystem without mounting it.\n\v"
"Numbers are decimal, 0x hexadecimal or 0 octal; sizes take s k m g t p e.\n"
"\n"
"Examples:\n"
"  xlog-recover -n /dev/sdb1             what would a replay change?\n"
"  xlog-recover -z sdb1.undo /dev/sdb1   replay, and be able to go back\n"
"  xlog-recover --undo-apply=sdb1.undo /dev/sdb1\n"
"  xlog-recover --target=b.img a.img     replay a copy, leave a.img alone\n"
"\n"
"Exit status: 0 done, the log is clean; 4 left as it is: refused, in use, or\n"
"dirty (-n); 8 could not be read or written; 12 failed part-way through\n"
"writing, run it again; 16 wrong usage; 32 interrupted, nothing written.\n";

/* What the parser needs besides the result. */
struct parse {
	struct recover_opts *opts;
	const char	*undo;		/* as given */
	const char	*replaying;	/* an option that is only about replay */
};

static void set_job(struct parse *p, enum recover_job job, const char *file)
{
	if (p->opts->job != JOB_REPLAY && p->opts->job != job)
		cmd_usage("-L, --restore-log and --undo-apply exclude each "
			  "other");
	p->opts->job = job;
	p->opts->file = file;
}

static void parse_stop(struct recover_opts *o, const char *arg)
{
	o->stop_lsn = XLOG_LSN_NONE;
	o->stop_count = 0;
	if (arg[0] != '#') {
		o->stop_lsn = opt_lsn("--stop-at", arg);
		return;
	}
	o->stop_count = opt_number("--stop-at", arg + 1, UINT64_MAX);
	if (!o->stop_count)
		cmd_usage("--stop-at: there is no checkpoint #0");
}

static void parse_memory(struct recover_opts *o, const char *arg)
{
	uint64_t mib = opt_number("--maxmem", arg, UINT64_MAX >> 20);

	if (!mib)
		cmd_usage("--maxmem: not a valid number: %s", arg);
	o->max_memory_bytes = mib << 20;
}

/* Options that choose what is done; false: none of them. */
static bool parse_job(struct parse *p, int key, char *arg)
{
	struct recover_opts *o = p->opts;

	switch (key) {
	case 'n':
		o->dry_run = true;
		break;
	case KEY_EXPLAIN:
		o->explain = true;
		p->replaying = "--explain";
		break;
	case KEY_TARGET:
		o->target = arg;
		break;
	case 'L':
		set_job(p, JOB_ZERO_LOG, NULL);
		break;
	case KEY_RESTORE_LOG:
		set_job(p, JOB_RESTORE_LOG, arg);
		break;
	case KEY_UNDO_APPLY:
		set_job(p, JOB_UNDO_APPLY, arg);
		break;
	case 'z':
		p->undo = arg;
		break;
	case KEY_SAVE_LOG:
		o->save_log = arg;
		break;
	case 'O':
		cmd_usage("--overlay is not supported yet");
	case KEY_PATCH:
		cmd_usage("--patch is not supported yet");
	case KEY_PATCH_APPLY:
		cmd_usage("--patch-apply is not supported yet");
	case 'e':
		cmd_usage("--exit-changed is not supported yet");
	case KEY_CODES:
		cmd_usage("--codes is not supported yet");
	case 'C':
		cmd_usage("--progress-fd is not supported yet");
	default:
		return false;
	}
	return true;
}

/* Options about replay; false: none of them. */
static bool parse_replay(struct parse *p, int key, char *arg)
{
	static const char *const intents[] = { "finish", "refuse", "skip",
					       NULL };
	static const char *const iunlinks[] = { "process", "leave", NULL };
	static const char *const orders[] = { "auto", "le", "be", NULL };
	static const char *const verify[] = { "write", "reread", NULL };
	struct recover_opts *o = p->opts;

	switch (key) {
	case KEY_STOP_AT:
		parse_stop(o, arg);
		p->replaying = "--stop-at";
		break;
	case KEY_INTENTS:
		o->intents = (enum recover_intents)
			     opt_word("--intents", arg, intents);
		p->replaying = "--intents";
		break;
	case KEY_IUNLINKS:
		o->leave_unlinked = opt_word("--iunlinks", arg, iunlinks);
		p->replaying = "--iunlinks";
		break;
	case KEY_ORDER:
		o->order = (enum xlog_order)opt_word("--order", arg, orders);
		p->replaying = "--order";
		break;
	case KEY_VERIFY:
		o->reread = opt_word("--verify", arg, verify);
		p->replaying = "--verify";
		break;
	case 'm':
		parse_memory(o, arg);
		p->replaying = "--maxmem";
		break;
	default:
		return false;
	}
	return true;
}

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct parse *p = state->input;

	switch (key) {
	case 'a':
	case 'p':
	case 'y':
		return 0;
	case 't':
		key = OPT_INTERVAL;
		break;
	case 'q':
		key = OPT_QUIET;
		break;
	default:
		if (parse_job(p, key, arg) || parse_replay(p, key, arg))
			return 0;
		break;
	}
	return io_opts_parse(&p->opts->io, key, arg, state) ?
	       0 : ARGP_ERR_UNKNOWN;
}

/* --- what goes with what --- */

static void check_job(const struct parse *p)
{
	static const char *const names[] = {
		[JOB_ZERO_LOG] = "-L", [JOB_RESTORE_LOG] = "--restore-log",
		[JOB_UNDO_APPLY] = "--undo-apply",
	};
	const struct recover_opts *o = p->opts;

	if (o->job == JOB_REPLAY)
		return;
	if (o->dry_run)
		cmd_usage("%s and -n exclude each other", names[o->job]);
	if (o->target)
		cmd_usage("%s and --target exclude each other",
			  names[o->job]);
	if (p->replaying)
		cmd_usage("%s is about replay, and goes without %s",
			  p->replaying, names[o->job]);
	if (o->job == JOB_ZERO_LOG && !o->save_log)
		cmd_usage("-L discards what the log holds: save it with "
			  "--save-log=FILE");
	if (o->job != JOB_ZERO_LOG && o->save_log)
		cmd_usage("%s and --save-log exclude each other",
			  names[o->job]);
	if (o->job == JOB_UNDO_APPLY && p->undo)
		cmd_usage("--undo-apply and --undo exclude each other");
}

static void check_replay(const struct parse *p)
{
	const struct recover_opts *o = p->opts;
	bool aside = o->dry_run || o->target;	/* the device is left alone */

	if (o->dry_run && o->target)
		cmd_usage("-n and --target exclude each other");
	if (aside && p->undo)
		cmd_usage("--undo: %s leaves the device as it is",
			  o->target ? "--target" : o->explain ? "--explain" :
			  "-n");
	if (!aside && recover_is_stopped(o))
		cmd_usage("--stop-at: only with -n or --target");
	if (!aside && o->intents == INTENTS_SKIP)
		cmd_usage("--intents=skip: only with -n or --target");
	if (o->order != XLOG_ORDER_AUTO && !o->io.expert)
		cmd_usage("--order: only 'auto' without -x");
}

static void check_force(const struct io_opts *io)
{
	if (io->force & FORCE_MOUNTED_RO)
		cmd_usage("--force=mounted-ro is not supported yet");
	if (io->force & FORCE_CRC)
		cmd_usage("--force=crc is not supported yet");
}

void recover_opts_parse(struct recover_opts *opts, int argc, char **argv)
{
	static const struct argp argp = {
		.options = options, .parser = parse_opt,
		.args_doc = "DEVICE|IMAGE", .doc = doc,
	};
	struct parse p = { .opts = opts };

	*opts = (struct recover_opts){ .stop_lsn = XLOG_LSN_NONE };
	io_opts_init(&opts->io);
	opts_parse(&argp, argc, argv, &p);
	if (opts->io.version) {
		cmd_version(opts->io.verbose);
		exit(fclose(stdout) ? CMD_FAILED : CMD_OK);
	}
	if (!opts->io.path)
		cmd_usage("which device or image?");
	check_force(&opts->io);
	check_job(&p);
	/* to explain is to look */
	if (opts->explain && !opts->target)
		opts->dry_run = true;
	check_replay(&p);
	opts->undo = opt_undo_name(p.undo, opts->io.path);
}
