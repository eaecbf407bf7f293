/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command line of xlog-print. Values are checked here, so that nothing
 * behind the parser meets a bad one.
 */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/print_opts.h"
#include "cmd/print_type.h"

enum {
	KEY_CHECK = OPT_OWN,
	KEY_EXPLAIN,
	KEY_OVERWRITE,
	KEY_HEX_ORDER,
	KEY_FROM,
	KEY_TO,
	KEY_LIMIT,
	KEY_TYPE,
	KEY_INO,
	KEY_BLOCK,
	KEY_AG,
	KEY_TID,
	KEY_UTC,
	KEY_EPOCH,
	KEY_HISTORY,		/* later: refused by name */
	KEY_TIMELINE,
	KEY_OBFUSCATE,
};

static const struct argp_option options[] = {
	{ .doc = "What to show (default: every record, in physical order):",
	  .group = 1 },
	{ "transactions", 't', NULL, 0,
	  "checkpoints from tail to head, split records joined", 1 },
	{ "map", 'd', NULL, 0,
	  "one line for each record and each change of the cycle number", 1 },
	{ "check", KEY_CHECK, "full", OPTION_ARG_OPTIONAL,
	  "only a verdict: exit 0 clean, 4 dirty or corrupt; 'full' verifies "
	  "every record from tail to head", 1 },
	{ "superblock", 'S', NULL, 0,
	  "geometry and features of the log, head and tail", 1 },
	{ "explain", KEY_EXPLAIN, NULL, 0,
	  "how head and tail were found, and what recovery would need", 1 },
	{ "stats", 'z', "BY", OPTION_ARG_OPTIONAL,
	  "a table of items by 'type' (default), 'inode', 'ag' or 'record'", 1 },
	{ "copy", 'C', "FILE", 0,
	  "copy the log to FILE, which can then be printed alone", 1 },
	{ "history", KEY_HISTORY, NULL, OPTION_HIDDEN, NULL, 1 },
	{ "timeline", KEY_TIMELINE, NULL, OPTION_HIDDEN, NULL, 1 },

	{ .doc = "How much of it:", .group = 2 },
	{ "buffers", 'b', NULL, 0, "show buffers in detail, blocks by their heads", 2 },
	{ "inodes", 'i', NULL, 0, "show inodes in detail", 2 },
	{ "quotas", 'q', NULL, 0, "show quotas in detail", 2 },
	{ "all-detail", 'a', NULL, 0, "show every item in every detail", 2 },
	{ "hex", 'o', NULL, 0, "the data of buffers in hexadecimal too", 2 },
	{ "data-only", 'D', NULL, 0, "data in hexadecimal, not decoded", 2 },
	{ "no-decode", 'n', NULL, 0, "headers only", 2 },
	{ "overwrite", KEY_OVERWRITE, NULL, 0,
	  "also data whose record header has been overwritten", 2 },
	{ "hex-order", KEY_HEX_ORDER, "ORDER", 0,
	  "hexadecimal as 'bytes' (default) or as words: 'host', 'be', 'le'", 2 },
	{ "utc", KEY_UTC, NULL, 0, "times as UTC dates (default)", 2 },
	{ "epoch", KEY_EPOCH, NULL, 0, "times as seconds since 1970", 2 },
	{ "obfuscate", KEY_OBFUSCATE, NULL, OPTION_HIDDEN, NULL, 2 },

	{ .doc = "Which part of it:", .group = 3 },
	{ "type", KEY_TYPE, "LIST", 0,
	  "only items of these types; 'list' shows the names", 3 },
	{ "ino", KEY_INO, "INODE", 0, "only items about this inode", 3 },
	{ "block", KEY_BLOCK, "DADDR|AG/AGBNO", 0,
	  "only items that touch this block", 3 },
	{ "ag", KEY_AG, "AG", 0,
	  "only items that touch this allocation group", 3 },
	{ "tid", KEY_TID, "TID", 0, "only this transaction", 3 },
	{ "from", KEY_FROM, "LSN", 0, "begin at CYCLE:BLOCK, not at the tail", 3 },
	{ "to", KEY_TO, "LSN", 0, "stop before CYCLE:BLOCK, not at the head", 3 },
	{ "start", 's', "BLOCK", 0, "begin at this block of the log", 3 },
	{ "limit", KEY_LIMIT, "N", 0,
	  "stop after N records or checkpoints", 3 },
	{ "continue", 'c', NULL, 0,
	  "go on behind bad records (default)", 3 },
	{ "stop", 'e', NULL, 0, "stop at the first bad record", 3 },

	{ .doc = "Input and output:", .group = 4 },
	IO_OPTION_ROWS(4),
	{ "rtdev", 'r', "DEVICE", 0,
	  "the realtime device (never read: a log tells all)", 4 },
	{ "image-file", 'f', NULL, 0, "accepted; never needed", 4 },
	{ "lock", OPT_LOCK, "MODE", OPTION_ARG_OPTIONAL,
	  "take a shared lock on the device: 'yes', 'no' (default), "
	  "'nonblock'", 4 },
	{ "force", OPT_FORCE, "LIST", 0,
	  "what to do all the same: 'output' replaces files; 'uuid', "
	  "'features', 'crc' and 'mounted-ro' never stop a reader", 4 },
	{ "expert", 'x', NULL, 0, "accepted; a reader refuses nothing odd", 4 },
	{ "interval", OPT_INTERVAL, "TIME", 0,
	  "between progress lines (5s)", 4 },
	{ "verbose", 'v', NULL, 0,
	  "more on stderr; in the record view also --overwrite", 4 },
	{ "quiet", OPT_QUIET, NULL, 0, "only errors on stderr", 4 },
	{ .name = NULL },
};

static const char doc[] =
"Show the log of an XFS filesystem.\n\v"
"Numbers are decimal, 0x hexadecimal or 0 octal; sizes take s k m g t p e.\n"
"\n"
"Examples:\n"
"  xlog-print --check /dev/sdb1         is it clean? what would a mount do?\n"
"  xlog-print -t -i --ino 0x83 a.img    what the log holds of one inode\n"
"  xlog-print -z a.img.zst              what fills the log\n"
"  xlog-print -t -J a.img | jq -c 'select(.item==\"inode\")|.core.size'\n"
"\n"
"Exit status: 0 done (--check: clean), 4 damage found (--check: dirty or\n"
"damaged), 8 could not be read or written, 16 wrong usage, 32 interrupted.\n";

/* What the parser needs besides the result. */
struct parse {
	struct print_opts *opts;
	bool		view_given;
	bool		list_types;
};

static void set_view(struct parse *p, enum print_view view)
{
	if (p->view_given && p->opts->view != view)
		cmd_usage("-t, -d, -C, -S, -z, --check and --explain exclude "
			  "each other");
	p->opts->view = view;
	p->view_given = true;
}

static void parse_types(struct parse *p, char *arg)
{
	if (!strcmp(arg, "list")) {
		p->list_types = true;
		return;
	}
	for (char *w; (w = opt_next(&arg));) {
		int i = item_type_find(w);

		if (i < 0)
			cmd_usage("--type: unknown type: %s "
				  "(--type=list shows them)", w);
		p->opts->filter.types |= 1u << i;
	}
}

static void parse_block(struct print_filter *f, char *arg)
{
	char *slash = strchr(arg, '/');

	f->by_agblock = slash;
	f->by_block = !slash;
	if (!slash) {
		f->daddr = opt_number("--block", arg, INT64_MAX);
		f->block_bb = 1;
		return;
	}
	f->agbno = (uint32_t)opt_number("--block", slash + 1, UINT32_MAX);
	*slash = '\0';
	f->block_ag = (uint32_t)opt_number("--block", arg, UINT32_MAX);
}

/* Options that choose what is shown and how; false: none of them. */
static bool parse_view(struct parse *p, int key, char *arg)
{
	static const char *const stats[] = { "type", "inode", "ag", "record",
					     NULL };
	static const char *const orders[] = { "bytes", "host", "be", "le",
					      NULL };
	struct print_opts *o = p->opts;

	switch (key) {
	case 't':
		set_view(p, VIEW_TRANSACTIONS);
		break;
	case 'd':
		set_view(p, VIEW_MAP);
		break;
	case 'S':
		set_view(p, VIEW_SUPERBLOCK);
		break;
	case 'z':
		set_view(p, VIEW_STATS);
		if (arg)
			o->stats_by = (enum print_stats)
				      opt_word("--stats", arg, stats);
		break;
	case 'C':
		set_view(p, VIEW_COPY);
		o->copy_to = arg;
		break;
	case KEY_CHECK:
		set_view(p, VIEW_CHECK);
		if (arg && strcmp(arg, "full"))
			cmd_usage("--check: unknown value: %s", arg);
		o->check_full |= arg != NULL;
		break;
	case KEY_EXPLAIN:
		set_view(p, VIEW_EXPLAIN);
		break;
	case KEY_HISTORY:
		cmd_usage("--history is not supported yet");
	case KEY_TIMELINE:
		cmd_usage("--timeline is not supported yet");
	case KEY_OBFUSCATE:
		cmd_usage("--obfuscate is not supported yet");
	case 'b':
		o->detail |= DETAIL_BUF;
		break;
	case 'i':
		o->detail |= DETAIL_INODE;
		break;
	case 'q':
		o->detail |= DETAIL_QUOTA;
		break;
	case 'a':
		o->detail |= DETAIL_ALL;
		break;
	case 'o':
		o->hex = true;
		break;
	case 'D':
		o->data_only = true;
		break;
	case 'n':
		o->no_decode = true;
		break;
	case KEY_OVERWRITE:
		o->overwrite = true;
		break;
	case KEY_HEX_ORDER:
		o->hex_order = (enum print_hex_order)
			       opt_word("--hex-order", arg, orders);
		break;
	case KEY_UTC:
		o->epoch = false;
		break;
	case KEY_EPOCH:
		o->epoch = true;
		break;
	default:
		return false;
	}
	return true;
}

/* Options that choose a part of the log; false: none of them. */
static bool parse_range(struct parse *p, int key, char *arg)
{
	struct print_opts *o = p->opts;
	struct print_filter *f = &o->filter;

	switch (key) {
	case KEY_TYPE:
		parse_types(p, arg);
		break;
	case KEY_INO:
		f->ino = opt_number("--ino", arg, UINT64_MAX);
		f->by_ino = true;
		break;
	case KEY_BLOCK:
		parse_block(f, arg);
		break;
	case KEY_AG:
		f->ag = (uint32_t)opt_number("--ag", arg, UINT32_MAX);
		f->by_ag = true;
		break;
	case KEY_TID:
		f->tid = (uint32_t)opt_number("--tid", arg, UINT32_MAX);
		f->by_tid = true;
		break;
	case KEY_FROM:
		o->from = opt_lsn("--from", arg);
		break;
	case KEY_TO:
		o->to = opt_lsn("--to", arg);
		break;
	case 's':
		o->start = (uint32_t)opt_number("--start", arg, UINT32_MAX - 1);
		break;
	case KEY_LIMIT:
		o->limit = opt_number("--limit", arg, UINT64_MAX - 1);
		break;
	case 'c':
		o->stop = false;
		break;
	case 'e':
		o->stop = true;
		break;
	default:
		return false;
	}
	return true;
}

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct parse *p = state->input;

	return parse_view(p, key, arg) || parse_range(p, key, arg) ||
	       io_opts_parse(&p->opts->io, key, arg, state) ?
	       0 : ARGP_ERR_UNKNOWN;
}

void print_opts_parse(struct print_opts *opts, int argc, char **argv)
{
	static const struct argp argp = {
		.options = options, .parser = parse_opt,
		.args_doc = "DEVICE|IMAGE|LOGFILE", .doc = doc,
	};
	struct parse p = { .opts = opts };

	*opts = (struct print_opts){
		.start = UINT32_MAX, .from = XLOG_LSN_NONE,
		.to = XLOG_LSN_NONE, .limit = UINT64_MAX,
	};
	io_opts_init(&opts->io);
	opts_parse(&argp, argc, argv, &p);
	if (opts->io.version || p.list_types) {
		if (opts->io.version)
			cmd_version(opts->io.verbose);
		if (p.list_types || opts->io.verbose)
			item_type_list();
		exit(fclose(stdout) ? CMD_FAILED : CMD_OK);
	}
	if (!opts->io.path)
		cmd_usage("which device or image?");
	if (opts->start != UINT32_MAX && opts->from != XLOG_LSN_NONE)
		cmd_usage("--start and --from exclude each other");
}
