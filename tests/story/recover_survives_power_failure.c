/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Power fails while a filesystem is recovered: after any write, before any
 * flush, with what was not flushed lost, torn at sectors or half of it written
 * in another order. Recovery runs again, and the same bytes are there as if
 * nothing had happened. Sometimes it fails a second time.
 *
 * A block of several sectors must not be torn so that its first one, with LSN
 * and checksum, is old and others are new, where its LSN makes replay leave out
 * items: nothing would prove then that it is not damaged. Such headers are
 * written, and flushed, before all else.
 *
 *	recover_survives_power_failure [IMAGE...]
 *
 * CRASH_ALL=1	every write of every image instead of a sample of them
 * XLOG_SEED	another sample; the seed is printed
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libxlog/dev/fault.h"
#include "tests/lib/stack.h"

enum {
	SAMPLE = 24,		/* places to stop, an image */
	SEEDS_ALL = 2,		/* crashes of each kind at each place */
	SB_CRC = 224,		/* in the superblock, with sb_lsn */
	SB_LSN = 240,
	FS = 0,			/* tags of what is watched */
	LOG = 1,
};

/* Shipped images; those with something left behind replay are recovered so. */
static const struct image {
	const char	*name;
	unsigned int	flags;		/* XLOG_RECOVER_* */
} images[] = {
	{ "linux618/dir8k", 0 },
	{ "linux618/bs1k", 0 },
	{ "linux618/wrap256k", 0 },
	{ "linux618/extlog", XLOG_RECOVER_LEAVE_UNLINKED },
	{ "other/be612-v5-256k", XLOG_RECOVER_LEAVE_UNLINKED },
	{ "other/v4-swapext-bigdir", 0 },
};

struct story {
	const char	*name;
	struct xlog_recover_options opts;
	struct dev	*fs, *log;	/* as they were found; log: or NULL */
	struct dev	*want_fs;	/* recovered in one go */
	struct stack_record want;	/* what that wrote */
	struct xlog_recover_result res;
	uint64_t	skip, skip_end;	/* the log inside @fs */
	uint64_t	writes, flushes;
	uint64_t	checkpoint;	/* its place among writes and flushes */
	bool		v5;
	uint64_t	seed;
	unsigned long	stops, crashes, restamped;
	char		when[128];	/* power fails */
	char		said[512];	/* last error */
};

static void keep_report(void *ctx, const struct xlog_report *rep)
{
	struct story *s = ctx;

	if (rep->severity == XLOG_ERROR)
		snprintf(s->said, sizeof(s->said), "%s", rep->text);
}

static void die(const struct story *s, const char *what, int rc)
{
	fprintf(stderr, "%s: %s%s: %s (%s)\n", s->name, s->when, what,
		rc < 0 ? strerror(-rc) : "not so", s->said);
	exit(1);
}

static void must(const struct story *s, int rc, const char *what)
{
	if (rc)
		die(s, what, rc);
}

static void expect(const struct story *s, bool so, const char *what)
{
	if (!so)
		die(s, what, 0);
}

/* --- order: nothing may depend on what is not durable yet --- */

/* The writes of one run, walked in order. */
struct walk {
	const struct story *s;
	size_t		at;
};

static const struct stack_event *event(const struct walk *w)
{
	expect(w->s, w->at < w->s->want.count, "writes end too early");
	return &w->s->want.event[w->at];
}

static bool is_log(const struct story *s, const struct stack_event *e)
{
	return e->tag == LOG || (e->tag == FS && e->len &&
				 e->off_bytes >= s->skip &&
				 e->off_bytes + e->len <= s->skip_end);
}

/* Does it write from the place of the record at @lsn? */
static bool is_record(const struct story *s, const struct stack_event *e,
		      xlog_lsn_t lsn)
{
	uint64_t off = s->skip + (uint64_t)xlog_lsn_block(lsn) * BB_SIZE;

	return is_log(s, e) && e->len && e->off_bytes == off;
}

static void take_flushes(struct walk *w, int tag, const char *before)
{
	bool flushed = false;

	while (w->at < w->s->want.count && !w->s->want.event[w->at].len)
		flushed |= w->s->want.event[w->at++].tag == tag;
	expect(w->s, flushed, before);
}

/* The log is flushed as the device it lies on. */
static int log_tag(const struct story *s)
{
	return s->log ? LOG : FS;
}

/* The rest of a record that wraps. */
static void take_record(struct walk *w)
{
	w->at++;
	while (w->at < w->s->want.count && event(w)->len &&
	       is_log(w->s, event(w)))
		w->at++;
}

/* The checkpoint: what was there before has been cleared, in the beginning. */
static size_t find_checkpoint(const struct story *s)
{
	size_t found = s->want.count;

	for (size_t i = 0; i < s->want.count; i++)
		if (is_record(s, &s->want.event[i], s->res.sb_lsn))
			found = i;
	expect(s, found < s->want.count, "a checkpoint is written");
	return found;
}

/* Blocks of the filesystem, each once; then the end of the log. */
static void check_order(struct story *s)
{
	struct walk w = { .s = s };
	bool flushed = true, headers = true;
	uint64_t end = 0;

	for (s->checkpoint = find_checkpoint(s); w.at < s->checkpoint;
	     w.at++) {
		const struct stack_event *e = event(&w);

		if (e->len && !is_log(s, e)) {
			/* a flush in between: what came before were headers */
			if (flushed && end) {
				expect(s, headers, "only headers come first");
				headers = false;
				end = 0;
			}
			expect(s, e->off_bytes >= end,
			       "blocks are written in the order of the disk, each once");
			end = e->off_bytes + e->len;
			headers &= e->len == BB_SIZE;
			flushed = false;
		} else if (!e->len && e->tag == FS) {
			flushed = true;
		}
	}
	expect(s, flushed, "data is flushed before the checkpoint is written");
	take_record(&w);
	take_flushes(&w, log_tag(s),
		     "the checkpoint is flushed before the superblock is written");
	expect(s, event(&w)->tag == FS && event(&w)->off_bytes == 0 &&
	       event(&w)->len, "the superblock follows its checkpoint");
	w.at++;
	take_flushes(&w, FS, "the superblock is flushed");
	if (s->res.unmount_lsn != XLOG_LSN_NONE) {
		expect(s, is_record(s, event(&w), s->res.unmount_lsn),
		       "the unmount record comes last");
		take_record(&w);
		take_flushes(&w, log_tag(s), "the unmount record is flushed");
	}
	expect(s, w.at == s->want.count, "nothing is written after the end");
}

/* --- runs --- */

/* Recover on @fs and @log, noting what is written. */
static int recover(struct story *s, struct dev *fs, struct dev *log,
		   struct stack_record *rec, struct xlog_recover_result *res)
{
	struct sink sink = { keep_report, s };
	struct dev *wfs, *wlog = NULL;
	int rc;

	must(s, stack_watch(fs, rec, FS, &wfs), "memory");
	if (log)
		must(s, stack_watch(log, rec, LOG, &wlog), "memory");
	rc = stack_recover(wfs, wlog, &s->opts, &sink, res);
	dev_close(wlog);
	dev_close(wfs);
	expect(s, !rec->lost, "memory for a record");
	return rc;
}

static void assert_end_of_log(struct story *s, struct dev *fs, struct dev *log)
{
	struct sink sink = { keep_report, s };
	struct xlog_bounds b;
	struct xlog *x;

	must(s, stack_open(fs, log, &sink, &x), "opening again");
	must(s, xlog_find(x, 0, &b), "finding the end again");
	expect(s, b.state == s->res.state &&
	       !(b.reasons & ~(unsigned)XLOG_REFUSED_ORDER),
	       "the log ends as it should");
	xlog_close(x);
}

/* Another checkpoint gives the superblock another LSN, and only that. */
static bool is_restamped(struct story *s, struct dev *fs)
{
	uint8_t a[BB_SIZE], b[BB_SIZE];

	must(s, dev_read(fs, 0, a, sizeof(a)), "read");
	must(s, dev_read(s->want_fs, 0, b, sizeof(b)), "read");
	memcpy(a + SB_CRC, b + SB_CRC, 4);
	memcpy(a + SB_LSN, b + SB_LSN, 8);
	return s->v5 && !memcmp(a, b, sizeof(a));
}

/*
 * The bytes that any run wrote are as they are to be. @again: a checkpoint may
 * have been written before, so that the superblock has been stamped twice.
 */
static void assert_same(struct story *s, struct dev *fs,
			const struct stack_record *rec, bool again)
{
	const struct stack_record *recs[] = { &s->want, rec };
	uint64_t where = 0;
	int rc = stack_differ(fs, s->want_fs, recs, 2, FS, s->skip,
			      s->skip_end, &where);

	if (rc < 0)
		die(s, "comparing", rc);
	if (rc && where < BB_SIZE && again && is_restamped(s, fs)) {
		uint8_t sb[BB_SIZE];

		s->restamped++;
		must(s, dev_read(s->want_fs, 0, sb, sizeof(sb)), "read");
		must(s, dev_write(fs, 0, sb, sizeof(sb)), "write");
		rc = stack_differ(fs, s->want_fs, recs, 2, FS, s->skip,
				  s->skip_end, &where);
	}
	if (rc) {
		fprintf(stderr, "%s: %sbyte %llu differs\n", s->name, s->when,
			(unsigned long long)where);
		exit(1);
	}
}

/* Where power fails, and what it leaves. */
struct crash {
	enum fault_op	op;
	uint64_t	nth;
	enum fault_crash how;
	uint64_t	seed;
};

static const char *const how_name[] = {
	[FAULT_DROP] = "lost", [FAULT_KEEP] = "kept",
	[FAULT_REORDER] = "reordered", [FAULT_TEAR] = "torn",
};

/* One device with both in it, so that power fails for both at once. */
static struct dev *part(struct story *s, struct dev *all, uint64_t off,
			uint64_t len)
{
	struct dev *borrowed, *out;

	must(s, stack_borrow(all, &borrowed), "memory");
	must(s, dev_open_window(borrowed, off, len, &out), "memory");
	return out;
}

static void copy(struct story *s, struct dev *to, uint64_t at, struct dev *from)
{
	static uint8_t buf[DEV_IO_BYTES];

	for (uint64_t off = 0, n; off < from->size_bytes; off += n) {
		n = from->size_bytes - off;
		if (n > sizeof(buf))
			n = sizeof(buf);
		must(s, dev_read(from, off, buf, (size_t)n), "read");
		must(s, dev_write(to, at + off, buf, (size_t)n), "write");
	}
}

/* The devices as found, in one; with an external log behind the filesystem. */
static struct dev *together(struct story *s)
{
	struct dev *out;

	if (!s->log) {
		must(s, stack_overlay(s->fs, &out), "memory");
		return out;
	}
	must(s, dev_open_overlay(NULL, s->fs->size_bytes + s->log->size_bytes,
				 NULL, &out), "memory");
	copy(s, out, 0, s->fs);
	copy(s, out, s->fs->size_bytes, s->log);
	return out;
}

static void crash_twice(struct story *s, const struct crash *c, size_t n)
{
	struct stack_record rec = { 0 };
	struct xlog_recover_result res;
	struct dev *disk = together(s), *dev, *fs, *log = NULL;
	bool again = false;
	int rc;

	s->stops++;

	must(s, dev_open_fault(disk, &dev), "memory");
	fs = part(s, dev, 0, s->fs->size_bytes);
	if (s->log)
		log = part(s, dev, s->fs->size_bytes, s->log->size_bytes);
	for (size_t i = 0; i < n; i++) {
		fault_stop(dev, c[i].op, c[i].nth);
		rc = recover(s, fs, log, &rec, &res);
		s->crashes += rc != 0;
		expect(s, rc == 0 || rc == -EIO, "only the power fails");
		again |= res.sb_lsn != XLOG_LSN_NONE || !rc;
		must(s, fault_crash(dev, c[i].how, c[i].seed), "crash");
	}
	s->said[0] = '\0';
	rc = recover(s, fs, log, &rec, &res);
	must(s, rc, "recovery after a crash");
	/* what it has not flushed is lost */
	must(s, fault_crash(dev, FAULT_DROP, 0), "crash");
	assert_end_of_log(s, fs, log);
	/* the checkpoint may have been on its way when its flush failed */
	assert_same(s, fs, &rec, again || c[0].nth >= s->checkpoint ||
		    c[0].op == FAULT_FLUSH || n > 1);
	stack_record_fini(&rec);
	dev_close(log);
	dev_close(fs);
	dev_close(dev);
}

static void crash(struct story *s, enum fault_op op, uint64_t nth,
		  enum fault_crash how, bool twice)
{
	struct crash c[2] = {
		{ op, nth, how, stack_random(&s->seed) },
		{ FAULT_WRITE, stack_random(&s->seed) % (s->writes + 1),
		  stack_random(&s->seed) % 4, stack_random(&s->seed) },
	};

	snprintf(s->when, sizeof(s->when),
		 "%s %llu, not flushed: %s, seed %#llx%s: ",
		 op == FAULT_WRITE ? "write" : "flush",
		 (unsigned long long)nth, how_name[how],
		 (unsigned long long)c[0].seed,
		 twice ? ", and again" : "");
	crash_twice(s, c, twice ? 2 : 1);
}

/* --- the story --- */

static void recover_in_one_go(struct story *s)
{
	struct dev *log = NULL;
	struct xlog *x;

	must(s, stack_open(s->fs, s->log, NULL, &x), "opening");
	stack_log_range(x, &s->skip, &s->skip_end);
	s->v5 = x->geom.v5;
	xlog_close(x);
	must(s, stack_overlay(s->fs, &s->want_fs), "memory");
	if (s->log)
		must(s, stack_overlay(s->log, &log), "memory");
	must(s, recover(s, s->want_fs, log, &s->want, &s->res), "recovery");
	for (size_t i = 0; i < s->want.count; i++) {
		s->writes += s->want.event[i].len != 0;
		s->flushes += s->want.event[i].len == 0;
	}
	check_order(s);
	assert_end_of_log(s, s->want_fs, log);
	dev_close(log);
}

static void every_stop(struct story *s)
{
	for (uint64_t n = 0; n <= s->writes; n++)
		for (int how = FAULT_DROP; how <= FAULT_TEAR; how++)
			for (int i = 0; i < SEEDS_ALL; i++)
				if (!i || how >= FAULT_REORDER)
					crash(s, FAULT_WRITE, n,
					      (enum fault_crash)how, i);
	for (uint64_t n = 1; n <= s->flushes; n++)
		for (int how = FAULT_DROP; how <= FAULT_TEAR; how++)
			crash(s, FAULT_FLUSH, n, (enum fault_crash)how, false);
}

/* The end of the log, where order matters, and a few of what is before it. */
static void some_stops(struct story *s)
{
	for (uint64_t n = 1; n <= s->flushes; n++)
		crash(s, FAULT_FLUSH, n, stack_random(&s->seed) % 4, false);
	for (int i = 0; i < SAMPLE; i++)
		crash(s, FAULT_WRITE, i < 4 ? s->writes - (uint64_t)i :
		      stack_random(&s->seed) % s->writes,
		      stack_random(&s->seed) % 4, i % 4 == 3);
}

static struct dev *load(const struct story *s, const char *path)
{
	struct dev *dev;
	int rc = dev_open_image(path, 0, 0, NULL, &dev);

	if (rc)
		die(s, path, rc);
	return dev;
}

static unsigned long tell(const struct image *image, bool all, uint64_t seed)
{
	const char *folder = getenv("IMAGES");
	struct story s = {
		.name = image->name,
		.opts = { .flags = image->flags, .stop_lsn = XLOG_LSN_NONE },
		.seed = seed,
	};
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.img.zst",
		 folder ? folder : "tests/images", image->name);
	s.fs = load(&s, image->name[0] == '/' ? image->name : path);
	snprintf(path, sizeof(path), "%s/%s.img.logdev.zst",
		 folder ? folder : "tests/images", image->name);
	if (!access(path, R_OK))
		s.log = load(&s, path);
	recover_in_one_go(&s);
	if (all)
		every_stop(&s);
	else
		some_stops(&s);
	printf("%s: %llu writes, %llu flushes; %lu stops (%lu crashes): the same bytes (superblock stamped anew %lu times)\n",
	       s.name, (unsigned long long)s.writes,
	       (unsigned long long)s.flushes, s.stops, s.crashes,
	       s.restamped);
	fflush(stdout);
	stack_record_fini(&s.want);
	dev_close(s.want_fs);
	dev_close(s.log);
	dev_close(s.fs);
	return s.stops;
}

int main(int argc, char **argv)
{
	const char *all = getenv("CRASH_ALL"), *seed = getenv("XLOG_SEED");
	uint64_t first = seed ? strtoull(seed, NULL, 0) : 1;
	unsigned long stops = 0;

	printf("XLOG_SEED=%llu\n", (unsigned long long)first);
	for (int i = 1; i < argc; i++) {
		struct image image = { .name = argv[i],
				       XLOG_RECOVER_LEAVE_UNLINKED };

		stops += tell(&image, all, first);
	}
	for (size_t i = 0; argc == 1 && i < sizeof(images) / sizeof(*images);
	     i++)
		stops += tell(&images[i], all, first);
	printf("%lu stops\n", stops);
	return 0;
}
