/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One byte of a log is damaged, anywhere in a record header or its payload.
 * Recovery then gives the same result, or cuts that record off one end of the
 * log and says so, or refuses and writes nothing. It never crashes, and never
 * replays a record whose checksum does not fit.
 *
 *	recover_never_replays_a_bad_record [IMAGE...]
 *
 * CORRUPT_ALL=1 every byte of every live record header of the first image,
 *		and 10000 places in payloads; else a sample
 * XLOG_SEED	another sample; the seed is printed
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxfsfmt/logrec.h"
#include "tests/lib/stack.h"

enum {
	HEADERS = 60,			/* a sample, an image */
	PAYLOADS = 60,
	HEADERS_ALL = 2000,		/* of images but the first */
	PAYLOADS_ALL = 10000,		/* of all images together */
	CRC_AT = 32,			/* in a record header */
	HEADER_COVERED = 328,		/* bytes that the checksum is over */
	MORE_COVERED = 260,		/* of each further header block */
	SPAN = XLOG_HEADER_SPAN_BYTES,
};

/* Shipped images; the first has record headers of eight blocks. */
static const char *const images[] = {
	"linux618/wrap256k", "linux618/bs1k", "linux618/fsstress",
	"linux618/torn-garbage", "other/v4-swapext-bigdir",
	"other/be612-v5-256k",
};

enum { IMAGES = sizeof(images) / sizeof(*images) };

struct rec {
	xlog_lsn_t	lsn;
	uint32_t	block, header_bb, len_bytes;
};

struct story {
	const char	*name;
	struct dev	*fs;		/* as found */
	struct dev	*want_fs;	/* recovered */
	struct stack_record want;
	struct xlog_recover_result res;
	uint64_t	skip, skip_end;	/* the log */
	uint32_t	nbb;
	bool		v5;
	struct rec	*recs;		/* live ones, oldest first */
	size_t		nrecs;
	uint64_t	payload_bytes;	/* of all of them */
	uint64_t	seed;
	unsigned long	same, cut, refused;
	/* of one run */
	bool		told_torn, told_error;
	char		said[512];
};

static const struct xlog_recover_options options = {
	/* what is left is of no interest here */
	.flags = XLOG_RECOVER_LEAVE_UNLINKED,
	.stop_lsn = XLOG_LSN_NONE,
};

static void keep_report(void *ctx, const struct xlog_report *rep)
{
	struct story *s = ctx;

	s->told_error |= rep->severity == XLOG_ERROR;
	s->told_torn |= rep->severity <= XLOG_WARNING;
	if (rep->severity <= XLOG_WARNING)
		snprintf(s->said, sizeof(s->said), "%s", rep->text);
}

static void die(const struct story *s, const char *what, int rc)
{
	fprintf(stderr, "%s: %s: %s (%s)\n", s->name, what,
		rc < 0 ? strerror(-rc) : "not so", s->said);
	exit(1);
}

static void must(const struct story *s, int rc, const char *what)
{
	if (rc)
		die(s, what, rc);
}

/* --- the log as it is --- */

static void add_record(struct story *s, const struct xlog_record *rec)
{
	if ((s->nrecs & (s->nrecs + 1)) == 0) {
		s->recs = reallocarray(s->recs, 2 * s->nrecs + 2,
				       sizeof(*s->recs));
		if (!s->recs)
			die(s, "memory", -ENOMEM);
	}
	s->recs[s->nrecs++] = (struct rec){
		.lsn = rec->lsn, .block = rec->block,
		.header_bb = rec->header_bb, .len_bytes = rec->len_bytes,
	};
	s->payload_bytes += rec->len_bytes;
}

static void list_records(struct story *s)
{
	struct xlog_cursor *cur;
	struct xlog_bounds b;
	struct xlog_record rec;
	struct xlog *log;
	int rc;

	must(s, stack_open(s->fs, NULL, NULL, &log), "opening");
	stack_log_range(log, &s->skip, &s->skip_end);
	s->nbb = log->nbb;
	s->v5 = log->geom.v5;
	must(s, xlog_find(log, 0, &b), "finding the log");
	must(s, xlog_cursor_open(log, XLOG_WALK_LOG, xlog_lsn_block(b.tail),
				 xlog_lsn_block(b.head), &cur), "walking");
	while ((rc = xlog_cursor_next(cur, &rec)) == 1)
		add_record(s, &rec);
	must(s, rc, "walking");
	xlog_cursor_close(cur);
	xlog_close(log);
	if (!s->nrecs)
		die(s, "no records", 0);
}

/* Byte @at of the record, counted from its header, on the device. */
static uint64_t place(const struct story *s, const struct rec *r, uint64_t at)
{
	uint64_t block = (r->block + at / BB_SIZE) % s->nbb;

	return s->skip + block * BB_SIZE + at % BB_SIZE;
}

/* Is byte @at of the record one that its checksum is made of, or in it? */
static bool is_covered(const struct rec *r, uint64_t at)
{
	uint64_t bb = at / BB_SIZE, in = at % BB_SIZE;

	if (bb >= r->header_bb)
		return at - (uint64_t)r->header_bb * BB_SIZE < r->len_bytes;
	if (!bb)
		return in < HEADER_COVERED;
	return in < MORE_COVERED && bb * SPAN < r->len_bytes;
}

/* --- one run --- */

static int recover(struct story *s, struct dev *fs, struct stack_record *rec,
		   struct xlog_recover_result *res)
{
	struct sink sink = { keep_report, s };
	struct dev *watched;
	int rc;

	s->told_torn = s->told_error = false;
	must(s, stack_watch(fs, rec, 0, &watched), "memory");
	rc = stack_recover(watched, NULL, &options, &sink, res);
	dev_close(watched);
	return rc;
}

static bool is_same(struct story *s, struct dev *fs,
		    const struct stack_record *rec)
{
	const struct stack_record *recs[] = { &s->want, rec };
	uint64_t where;
	int rc = stack_differ(fs, s->want_fs, recs, 2, 0, s->skip, s->skip_end,
			      &where);

	if (rc < 0)
		die(s, "comparing", rc);
	return !rc;
}

/*
 * @lsn: of the record that is damaged, if its checksum says so, else 0. What
 * is replayed is what lies between tail and head.
 */
static void judge(struct story *s, struct dev *fs, xlog_lsn_t lsn)
{
	struct stack_record rec = { 0 };
	struct xlog_recover_result res;
	int rc = recover(s, fs, &rec, &res);

	if (rc) {
		if (rec.count || res.wrote)
			die(s, "refused after something was written", rc);
		if (!s->told_error && !res.refused[0])
			die(s, "refused without a reason", rc);
		if (rc != -EUCLEAN && rc != -EBADMSG && rc != -EOPNOTSUPP &&
		    rc != -ENOTEMPTY)
			die(s, "fails", rc);
		s->refused++;
	} else {
		if (lsn && res.bounds.state == XLOG_DIRTY &&
		    res.bounds.tail <= lsn && lsn < res.bounds.head)
			die(s, "a record whose checksum is wrong is replayed",
			    0);
		if (is_same(s, fs, &rec)) {
			s->same++;
		} else {
			if (!s->told_torn)
				die(s, "the log is cut off without a word", 0);
			if (res.bounds.head >= s->res.bounds.head &&
			    res.bounds.tail <= s->res.bounds.tail)
				die(s, "another result, but the same log", 0);
			s->cut++;
		}
	}
	stack_record_fini(&rec);
}

/* Byte @at of record @r gets other bits. */
static void damage(struct story *s, const struct rec *r, uint64_t at,
		   uint8_t bits)
{
	uint64_t off = place(s, r, at);
	struct dev *fs;
	uint8_t byte;

	must(s, stack_overlay(s->fs, &fs), "memory");
	must(s, dev_read(fs, off, &byte, 1), "read");
	byte ^= bits;
	must(s, dev_write(fs, off, &byte, 1), "write");
	snprintf(s->said, sizeof(s->said),
		 "byte %llu of the record at %u:%u, bits %#x",
		 (unsigned long long)at, xlog_lsn_cycle(r->lsn),
		 xlog_lsn_block(r->lsn), bits);
	judge(s, fs, is_covered(r, at) ? r->lsn : 0);
	dev_close(fs);
}

static uint8_t some_bits(struct story *s)
{
	return (uint8_t)(1 + stack_random(&s->seed) % 255);
}

static const struct rec *some_record(struct story *s)
{
	return &s->recs[stack_random(&s->seed) % s->nrecs];
}

static void every_header_byte(struct story *s)
{
	for (size_t i = 0; i < s->nrecs; i++)
		for (uint64_t at = 0;
		     at < (uint64_t)s->recs[i].header_bb * BB_SIZE; at++)
			damage(s, &s->recs[i], at, some_bits(s));
}

static void some_header_bytes(struct story *s, unsigned int n)
{
	while (n--) {
		const struct rec *r = some_record(s);
		/* half of them where the fields are */
		uint64_t room = n % 2 ? 44 : (uint64_t)r->header_bb * BB_SIZE;

		damage(s, r, stack_random(&s->seed) % room, some_bits(s));
	}
}

/* Places in payloads, each as likely as any other; one bit of them. */
static void some_payload_bytes(struct story *s, unsigned int n)
{
	while (n--) {
		uint64_t at = stack_random(&s->seed) % s->payload_bytes;
		const struct rec *r = s->recs;

		for (; at >= r->len_bytes; r++)
			at -= r->len_bytes;
		damage(s, r, (uint64_t)r->header_bb * BB_SIZE + at,
		       (uint8_t)(1u << stack_random(&s->seed) % 8));
	}
}

/*
 * A checksum of zero says nothing of the record. Version 5 still wants it to
 * fit, so the record is not replayed; version 4 has always taken it.
 */
static void no_checksum(struct story *s, const struct rec *r)
{
	static const uint8_t zero[4];
	struct dev *fs;

	must(s, stack_overlay(s->fs, &fs), "memory");
	must(s, dev_write(fs, place(s, r, CRC_AT), zero, sizeof(zero)),
	     "write");
	snprintf(s->said, sizeof(s->said), "no checksum at %u:%u",
		 xlog_lsn_cycle(r->lsn), xlog_lsn_block(r->lsn));
	judge(s, fs, s->v5 ? r->lsn : 0);
	dev_close(fs);
}

/* --- the story --- */

static unsigned long total(const struct story *s)
{
	return s->same + s->cut + s->refused;
}

static void print_counts(struct story *s, const char *what)
{
	printf("%s: %lu %s: %lu the same result, %lu cut off with a notice, %lu refused\n",
	       s->name, total(s), what, s->same, s->cut, s->refused);
	fflush(stdout);
	s->same = s->cut = s->refused = 0;
}

static void tell(const char *name, bool all, bool first, uint64_t seed)
{
	const char *folder = getenv("IMAGES");
	struct story s = { .name = name, .seed = seed };
	char path[4096];
	int rc;

	snprintf(path, sizeof(path), "%s/%s.img.zst",
		 folder ? folder : "tests/images", name);
	rc = dev_open_image(name[0] == '/' ? name : path, 0, 0, NULL, &s.fs);
	must(&s, rc, path);
	list_records(&s);
	must(&s, stack_overlay(s.fs, &s.want_fs), "memory");
	must(&s, recover(&s, s.want_fs, &s.want, &s.res), "recovery");

	if (all && first)
		every_header_byte(&s);
	else
		some_header_bytes(&s, all ? HEADERS_ALL : HEADERS);
	print_counts(&s, "bytes of record headers");
	some_payload_bytes(&s, all ? PAYLOADS_ALL / IMAGES + 1 : PAYLOADS);
	print_counts(&s, "bits of payloads");
	for (size_t i = 0; i < s.nrecs; i += all ? 1 : s.nrecs / 4 + 1)
		no_checksum(&s, &s.recs[i]);
	print_counts(&s, "checksums of zero");

	stack_record_fini(&s.want);
	free(s.recs);
	dev_close(s.want_fs);
	dev_close(s.fs);
}

int main(int argc, char **argv)
{
	const char *all = getenv("CORRUPT_ALL"), *seed = getenv("XLOG_SEED");
	uint64_t first = seed ? strtoull(seed, NULL, 0) : 1;

	printf("XLOG_SEED=%llu\n", (unsigned long long)first);
	for (int i = 1; i < argc; i++)
		tell(argv[i], all, i == 1, first);
	for (size_t i = 0; argc == 1 && i < IMAGES; i++)
		tell(images[i], all, i == 0, first);
	return 0;
}
