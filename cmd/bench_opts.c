/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command line of xlog-bench. What contradicts itself, or would be left
 * without an effect, is refused here, before anything is opened.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/bench.h"

enum {
	KEY_SCRATCH = OPT_OWN,
	KEY_MEM,
	KEY_FSYNC_EVERY,
	KEY_CRASH_AFTER,
	KEY_CRASH,
	KEY_CRASH_EVERY,
	KEY_VERIFY,
	KEY_PERCENTILES,
	KEY_RESERVATIONS,
	KEY_TRACE,
	KEY_RATE,		/* later: refused by name */
	KEY_RECORD,
	KEY_COMPARE,
	KEY_TOLERANCE,

	DEFAULT_OPS = 100000,
	MAX_JOBS = 65536,
	MAX_AIL_MS = 60000,
};

const char *const bench_loads[] = {
	[XLOG_BENCH_SETATTR] = "setattr", [XLOG_BENCH_RELOG] = "relog",
	[XLOG_BENCH_BIGTX] = "bigtx", [XLOG_BENCH_FSYNC] = "fsync-probe",
	NULL
};

const char *const bench_crashes[] = {
	[XLOG_BENCH_CLEAN] = "clean", [XLOG_BENCH_TORN] = "torn",
	[XLOG_BENCH_DROP] = "drop", [XLOG_BENCH_REORDER] = "reorder", NULL
};

const char *const bench_syncs[] = {
	[XLOG_BENCH_FUA] = "fua", [XLOG_BENCH_FLUSH] = "flush",
	[XLOG_BENCH_DSYNC] = "dsync", [XLOG_BENCH_NOSYNC] = "none", NULL
};

static const struct argp_option options[] = {
	{ .doc = "The load:", .group = 1 },
	{ "workload", 'w', "NAME[,set=N]", 0,
	  "'setattr' (default), 'relog' of a hot set of inodes, 'bigtx', "
	  "'fsync-probe'; 'list' shows them", 1 },
	{ "jobs", 'j', "N", 0, "threads (the CPUs that are online)", 1 },
	{ "ops", 'n', "N", 0, "transactions (100000, or with -T no bound)", 1 },
	{ "runtime", 'T', "TIME", 0, "end after so long", 1 },
	{ "seed", 's', "N", 0,
	  "the same seed and -j1: the same bytes in the log (1)", 1 },
	{ "fsync-every", KEY_FSYNC_EVERY, "N", 0,
	  "each job makes every Nth transaction durable (0: none)", 1 },

	{ .doc = "The filesystem:", .group = 2 },
	{ "scratch", KEY_SCRATCH, NULL, 0,
	  "write to the device itself; else it is only read, and what is "
	  "written stays in memory", 2 },
	{ "mem", KEY_MEM, "SIZE", 0, "make one in memory, without a device",
	  2 },
	{ "log", 'l', "LIST", 0,
	  "logdev=DEVICE: the external log; with --mem size=N, su=BYTES or "
	  "sunit=N in 512 bytes", 2 },
	{ "options", 'o', "LIST", 0,
	  "delaylog, nodelaylog, logbufs=2..8 (8), logbsize=16k..256k (32k), "
	  "sync=fua (as flush), flush, dsync or none, ail=MS (20)", 2 },
	{ "reservations", KEY_RESERVATIONS, NULL, 0,
	  "show what each kind of transaction reserves; with -w, -n or -T also "
	  "what the load takes of it", 2 },

	{ .doc = "Power failure:", .group = 3 },
	{ "crash-after", KEY_CRASH_AFTER, "N", 0,
	  "Nops, Niclogs, Nbytes of log or Nms: stop as if power failed", 3 },
	{ "crash-every", KEY_CRASH_EVERY, "N", 0,
	  "again and again, after N transactions: compare, recover, go on", 3 },
	{ "crash", KEY_CRASH, "KIND", 0,
	  "what is left of writes that were not flushed: 'torn' (default), "
	  "'clean', 'drop', 'reorder'", 3 },
	{ "verify", KEY_VERIFY, NULL, 0,
	  "recover in memory and compare with what was done (default after a "
	  "crash)", 3 },

	{ .doc = "Input and output:", .group = 4 },
	{ "offset", OPT_OFFSET, "SIZE", 0,
	  "the filesystem begins here inside the device", 4 },
	{ "interval", OPT_INTERVAL, "TIME", 0, "a line so often", 4 },
	{ "percentiles", KEY_PERCENTILES, "LIST", 0,
	  "of latencies (50,90,99,99.9,100)", 4 },
	{ "trace", KEY_TRACE, "FILE[,EVENT...]", 0,
	  "write what the log engine does to FILE; events as 'xfs_ail_*'", 4 },
	{ "json", 'J', NULL, 0, "JSON, one object a line", 4 },
	{ "output", OPT_OUTPUT, "FILE", 0,
	  "write to FILE, which must not exist", 4 },
	{ "force", OPT_FORCE, "LIST", 0,
	  "what to do all the same: 'output' replaces files", 4 },
	{ "color", OPT_COLOUR, "WHEN", OPTION_ARG_OPTIONAL,
	  "'auto' (default), 'always', 'never'", 4 },
	{ "lock", OPT_LOCK, "MODE", OPTION_ARG_OPTIONAL,
	  "lock the device: 'nonblock' (default with --scratch), 'yes' to wait "
	  "for the lock, 'no'", 4 },
	{ "verbose", 'v', NULL, 0, "more on stderr", 4 },
	{ "quiet", 'q', NULL, 0, "no summary, only errors", 4 },
	{ "help", 'h', NULL, 0, "this text", -1 },
	{ "usage", OPT_USAGE, NULL, OPTION_HIDDEN, NULL, -1 },
	{ "version", 'V', NULL, 0,
	  "the version; with -v also what is known", -1 },

	{ "rate", KEY_RATE, "N", OPTION_HIDDEN, NULL, 4 },
	{ "record", KEY_RECORD, "FILE", OPTION_HIDDEN, NULL, 4 },
	{ "compare", KEY_COMPARE, "FILE", OPTION_HIDDEN, NULL, 4 },
	{ "tolerance", KEY_TOLERANCE, "N", OPTION_HIDDEN, NULL, 4 },
	{ "progress", OPT_PROGRESS, "HOW", OPTION_HIDDEN, NULL, 4 },
	{ "rtdev", 'r', "DEVICE", OPTION_HIDDEN, NULL, 4 },
	{ .name = NULL },
};

static const char doc[] =
"Drive the log engine on an XFS filesystem with a clean log, and measure.\n\v"
"Numbers are decimal, 0x hexadecimal or 0 octal; sizes take s k m g t p e.\n"
"\n"
"Examples:\n"
"  xlog-bench -w setattr -n 10000 disk.img     chmod -R, in memory\n"
"  xlog-bench -j4 -T 10s -o nodelaylog disk.img\n"
"  xlog-bench -w fsync-probe --scratch /dev/sdb1\n"
"  xlog-bench --mem=1g --crash-after=500iclogs --crash=reorder -s 7\n"
"  xlog-bench --reservations disk.img\n"
"\n"
"Exit status: 0 done; 4 refused, or recovery lost something; 8 could not be\n"
"read or written; 12 failed part-way through writing; 16 wrong usage; 32\n"
"interrupted.\n";

/* What the parser needs besides the result. */
struct parse {
	struct bench_opts *opts;
	bool		load_given, ops_given, crash_given, log_size_given;
};

/* --- lists --- */

/* "name=value" cut in two; @*value NULL: without one. */
static char *cut_value(char *word, char **value)
{
	*value = strchr(word, '=');
	if (*value)
		*(*value)++ = '\0';
	return word;
}

static uint64_t size_of(const char *what, const char *arg, uint64_t max)
{
	uint64_t v;

	if (!arg || !cmd_parse_size(arg, &v) || v > max)
		cmd_usage("%s: not a size: %s", what, arg ? arg : "");
	return v;
}

static const char *needed(const char *what, const char *arg)
{
	if (!arg || !*arg)
		cmd_usage("%s: needs a value", what);
	return arg;
}

static void list_loads(void)
{
	for (unsigned int i = 0; bench_loads[i]; i++)
		puts(bench_loads[i]);
	exit(fclose(stdout) ? CMD_FAILED : CMD_OK);
}

static void parse_load(struct bench_opts *o, char *arg)
{
	static const char *const later[] = {
		"create", "unlink", "rename", "truncate", "mixed", "fill",
		"craft", "replay", NULL
	};
	char *word = opt_next(&arg), *value;
	int load;

	cut_value(word, &value);
	if (!strcmp(word, "list"))
		list_loads();
	if (cmd_parse_word(word, later) >= 0)
		cmd_usage("-w %s is not supported yet", word);
	load = cmd_parse_word(word, bench_loads);
	if (load < 0 || value)
		cmd_usage("-w: unknown workload: %s", word);
	o->run.load = (enum xlog_bench_load)load;
	o->run.set = 0;
	while ((word = opt_next(&arg))) {
		cut_value(word, &value);
		if (strcmp(word, "set"))
			cmd_usage("-w: unknown parameter: %s", word);
		o->run.set = opt_number("-w set", needed("-w set", value),
					UINT32_MAX);
		if (!o->run.set)
			cmd_usage("-w set: not a valid number: 0");
	}
	if (o->run.set && (o->run.load == XLOG_BENCH_SETATTR ||
			   o->run.load == XLOG_BENCH_FSYNC))
		cmd_usage("-w set: only of relog and bigtx");
}

static void parse_option(struct bench_opts *o, const char *name,
			 const char *value)
{
	bool delayed = !strcmp(name, "delaylog");

	if (delayed || !strcmp(name, "nodelaylog")) {
		if (value)
			cmd_usage("-o %s: takes no value", name);
		o->run.flags &= ~(unsigned int)XLOG_BENCH_DIRECT;
		o->run.flags |= delayed ? 0 : XLOG_BENCH_DIRECT;
	} else if (!strcmp(name, "logbufs")) {
		o->run.logbufs = (uint32_t)opt_number("-o logbufs",
						      needed(name, value), 8);
		if (o->run.logbufs < 2)
			cmd_usage("-o logbufs: 2 to 8");
	} else if (!strcmp(name, "logbsize")) {
		o->run.logbsize_bytes = (uint32_t)size_of("-o logbsize", value,
							  256 << 10);
		if (o->run.logbsize_bytes < 16 << 10 ||
		    o->run.logbsize_bytes & (o->run.logbsize_bytes - 1))
			cmd_usage("-o logbsize: 16k to 256k, a power of two");
	} else if (!strcmp(name, "sync")) {
		o->run.sync = (enum xlog_bench_sync)
			      opt_word("-o sync", needed("-o sync", value),
				       bench_syncs);
	} else if (!strcmp(name, "ail")) {
		o->run.ail_ms = (uint32_t)opt_number("-o ail",
						     needed("-o ail", value),
						     MAX_AIL_MS);
		if (!o->run.ail_ms)
			cmd_usage("-o ail: not a valid number: 0");
	} else {
		cmd_usage("-o: unknown option: %s", name);
	}
}

static void parse_log(struct parse *p, const char *name, const char *value)
{
	struct bench_opts *o = p->opts;

	if (!strcmp(name, "logdev")) {
		o->io.logdev = needed("-l logdev", value);
		return;
	}
	p->log_size_given = true;
	if (!strcmp(name, "size"))
		o->log_bytes = size_of("-l size", value, UINT32_MAX);
	else if (!strcmp(name, "su"))
		o->log_sunit_bytes = (uint32_t)size_of("-l su", value,
						       256 << 10);
	else if (!strcmp(name, "sunit"))
		o->log_sunit_bytes = (uint32_t)
			opt_number("-l sunit", needed("-l sunit", value), 512) *
			512;
	else
		cmd_usage("-l: unknown option: %s", name);
}

/* "500iclogs" */
static void parse_crash_after(struct bench_opts *o, const char *arg)
{
	static const char *const units[] = { "ops", "iclogs", "bytes", "ms",
					     NULL };
	size_t digits = strspn(arg, "0123456789");
	char number[24];
	int unit = cmd_parse_word(arg + digits, units);

	if (!digits || digits >= sizeof(number) || unit < 0)
		cmd_usage("--crash-after: not Nops, Niclogs, Nbytes or Nms: %s",
			  arg);
	snprintf(number, sizeof(number), "%.*s", (int)digits, arg);
	o->run.crash_after = opt_number("--crash-after", number,
					UINT64_MAX / 1000000);
	o->run.crash_unit = (enum xlog_bench_unit)(XLOG_BENCH_OPS + unit);
}

static void parse_percentiles(struct bench_opts *o, char *arg)
{
	o->npercentiles = 0;
	for (char *w; (w = opt_next(&arg));) {
		struct bench_percentile *p;
		char *end;
		double v = strtod(w, &end);

		if (*end || strspn(w, "0123456789.") != strlen(w) ||
		    strlen(w) > 8 || v > 100)
			cmd_usage("--percentiles: not 0 to 100: %s", w);
		if (o->npercentiles == BENCH_PERCENTILES)
			cmd_usage("--percentiles: more than %d",
				  BENCH_PERCENTILES);
		p = &o->percentile[o->npercentiles++];
		p->percent = v;
		if (v >= 100)
			snprintf(p->name, sizeof(p->name), "max");
		else
			snprintf(p->name, sizeof(p->name), "p%s", w);
	}
}

/* --- options --- */

static void refuse_later(int key)
{
	static const struct {
		int	key;
		const char *name;
	} later[] = {
		{ KEY_RATE, "--rate" },
		{ KEY_RECORD, "--record" },
		{ KEY_COMPARE, "--compare" }, { KEY_TOLERANCE, "--tolerance" },
		{ OPT_PROGRESS, "--progress" }, { 'r', "--rtdev" },
	};

	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
		if (later[i].key == key)
			cmd_usage("%s is not supported yet", later[i].name);
}

/* Options about the load; false: none of them. */
static bool parse_run(struct parse *p, int key, char *arg)
{
	struct bench_opts *o = p->opts;
	struct xlog_bench_options *run = &o->run;

	switch (key) {
	case 'w':
		parse_load(o, arg);
		p->load_given = true;
		break;
	case 'j':
		run->jobs = (unsigned int)opt_number("-j", arg, MAX_JOBS);
		if (!run->jobs)
			cmd_usage("-j: not a valid number: 0");
		break;
	case 'n':
		run->ops = opt_number("-n", arg, UINT64_MAX);
		if (!run->ops)
			cmd_usage("-n: not a valid number: 0");
		p->ops_given = true;
		break;
	case 'T':
		if (!cmd_parse_seconds(arg, &run->runtime_ms))
			cmd_usage("-T: not a time: %s", arg);
		run->runtime_ms *= 1000;
		break;
	case 's':
		run->seed = opt_number("-s", arg, UINT64_MAX);
		break;
	case KEY_FSYNC_EVERY:
		run->force_every = opt_number("--fsync-every", arg,
					      UINT64_MAX);
		break;
	case KEY_CRASH_AFTER:
		parse_crash_after(o, arg);
		break;
	case KEY_CRASH_EVERY:
		o->crash_every = opt_number("--crash-every", arg, UINT64_MAX);
		if (!o->crash_every)
			cmd_usage("--crash-every: not a valid number: 0");
		break;
	case KEY_CRASH:
		run->crash = (enum xlog_bench_crash)
			     opt_word("--crash", arg, bench_crashes);
		p->crash_given = true;
		break;
	default:
		return false;
	}
	return true;
}

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct parse *p = state->input;
	struct bench_opts *o = p->opts;
	char *value;

	refuse_later(key);
	if (parse_run(p, key, arg))
		return 0;
	switch (key) {
	case 'o':
		for (char *w; (w = opt_next(&arg));) {
			cut_value(w, &value);
			parse_option(o, w, value);
		}
		return 0;
	case 'l':
		for (char *w; (w = opt_next(&arg));) {
			cut_value(w, &value);
			parse_log(p, w, value);
		}
		return 0;
	case KEY_SCRATCH:
		o->scratch = true;
		return 0;
	case KEY_MEM:
		o->memory_bytes = size_of("--mem", arg, INT64_MAX);
		if (!o->memory_bytes)
			cmd_usage("--mem: not a size: %s", arg);
		return 0;
	case KEY_VERIFY:
		o->verify = true;
		return 0;
	case KEY_PERCENTILES:
		parse_percentiles(o, arg);
		return 0;
	case KEY_TRACE:
		bench_trace_parse(o, arg);
		return 0;
	case KEY_RESERVATIONS:
		o->reservations = true;
		return 0;
	case OPT_INTERVAL:
		if (!cmd_parse_seconds(arg, &o->interval_s))
			cmd_usage("--interval: not a time: %s", arg);
		return 0;
	case 'q':
		key = OPT_QUIET;
		break;
	default:
		break;
	}
	return io_opts_parse(&o->io, key, arg, state) ? 0 : ARGP_ERR_UNKNOWN;
}

/* --- what goes with what --- */

static void check_filesystem(const struct parse *p)
{
	const struct bench_opts *o = p->opts;

	if (!o->io.path && !o->memory_bytes)
		cmd_usage("which device or image? Or --mem=SIZE");
	if (o->io.path && o->memory_bytes)
		cmd_usage("--mem: without a device, not also %s", o->io.path);
	if (o->memory_bytes && o->scratch)
		cmd_usage("--mem and --scratch exclude each other");
	if (o->memory_bytes && (o->io.logdev || o->io.offset_bytes))
		cmd_usage("-l logdev and --offset: not with --mem");
	if (!o->memory_bytes && p->log_size_given)
		cmd_usage("-l: the log is as it is; size, su and sunit only "
			  "with --mem");
	if (o->io.force & ~(unsigned int)FORCE_OUTPUT)
		cmd_usage("--force: only 'output' has a meaning here");
}

static void finish(struct parse *p)
{
	struct bench_opts *o = p->opts;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	check_filesystem(p);
	o->no_run = o->reservations && !p->load_given && !p->ops_given &&
		    !o->run.runtime_ms;
	if (o->no_run && o->trace)
		cmd_usage("--trace: of which load? -w, -n or -T says it");
	if (o->crash_every && (o->run.crash_unit || o->run.runtime_ms))
		cmd_usage("--crash-every goes with -n, and without -T and "
			  "--crash-after");
	if (o->crash_every) {
		o->run.crash_unit = XLOG_BENCH_OPS;
		o->run.crash_after = o->crash_every;
	}
	if (p->crash_given && !o->run.crash_unit)
		cmd_usage("--crash: when? --crash-after says it");
	if (!o->run.jobs)
		o->run.jobs = cpus > 0 ? (unsigned int)cpus : 1;
	if (!p->ops_given && !o->run.runtime_ms)
		o->run.ops = DEFAULT_OPS;
	if (o->run.crash_unit)
		o->verify = true;
	if (o->verify)
		o->run.flags |= XLOG_BENCH_MODEL;
}

void bench_opts_parse(struct bench_opts *opts, int argc, char **argv)
{
	static const struct argp argp = {
		.options = options, .parser = parse_opt,
		.args_doc = "[DEVICE|IMAGE]", .doc = doc,
	};
	char percentiles[] = "50,90,99,99.9,100";
	struct parse p = { .opts = opts };

	*opts = (struct bench_opts){
		.run = { .seed = 1, .crash = XLOG_BENCH_TORN },
	};
	io_opts_init(&opts->io);
	parse_percentiles(opts, percentiles);
	opts_parse(&argp, argc, argv, &p);
	if (opts->io.version) {
		cmd_version(opts->io.verbose);
		exit(fclose(stdout) ? CMD_FAILED : CMD_OK);
	}
	finish(&p);
}
