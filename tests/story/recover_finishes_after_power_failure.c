/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Power fails while a recovery finishes what replay left: intents, unlinked
 * inodes, extents of copy on write. What it did is in the log, so the next
 * recovery goes on, and in the end everything can be seen to be the same as if
 * nothing had happened: files, attributes, counters, and no block is lost.
 *
 *	recover_finishes_after_power_failure [IMAGE...]
 *
 * CRASH_ALL=1	every write of every image instead of a sample of them
 * XLOG_SEED	another sample; the seed is printed
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxlog/dev/fault.h"
#include "tests/lib/fslook.h"
#include "tests/lib/stack.h"

enum { SAMPLE = 16 };

/* One of a big-endian writer, one of i386, and of all kinds of intents. */
static const char *const images[] = {
	"other/be612-live-s3", "other/i386-v5", "linux618/rmap-intents",
	"linux618/exchange",
};

struct story {
	const char	*name;
	struct dev	*fs;		/* as it was found */
	char		*want;		/* what can be seen in the end */
	uint64_t	writes;
	uint64_t	seed;
	unsigned long	crashes, again;
	char		when[96];	/* power fails */
	char		said[512];	/* last error */
};

static void keep_report(void *ctx, const struct xlog_report *rep)
{
	struct story *s = ctx;

	if (rep->severity == XLOG_ERROR)
		snprintf(s->said, sizeof(s->said), "%s", rep->text);
}

static void must(const struct story *s, int rc, const char *what)
{
	if (!rc)
		return;
	fprintf(stderr, "%s: %s%s: %s (%s)\n", s->name, s->when, what,
		strerror(-rc), s->said);
	exit(1);
}

static int recover(struct story *s, struct dev *fs)
{
	const struct xlog_recover_options opts = {
		.stop_lsn = XLOG_LSN_NONE,
	};
	struct sink sink = { keep_report, s };
	struct xlog_recover_result res;
	int rc = stack_recover(fs, NULL, &opts, &sink, &res);

	if (!rc && res.state != XLOG_CLEAN) {
		fprintf(stderr, "%s: the log is not clean\n", s->name);
		exit(1);
	}
	return rc;
}

/* An attribute that is set again in shortform is a change of now. */
static char *look(struct dev *fs)
{
	char *text = fslook_text(fs), *at = text;

	while ((at = strstr(at, " ctime ")))
		for (at += 7; *at && *at != ' '; at++)
			*at = '*';
	return text;
}

static void in_one_go(struct story *s)
{
	struct fault_counts counts;
	struct dev *disk, *dev;

	must(s, stack_overlay(s->fs, &disk), "memory");
	must(s, dev_open_fault(disk, &dev), "memory");
	must(s, recover(s, dev), "recovery");
	fault_counts(dev, &counts);
	s->writes = counts.writes;
	s->want = look(dev);
	dev_close(dev);
}

/* Power fails behind @nth writes, and perhaps again in the next recovery. */
static void crash(struct story *s, uint64_t nth, enum fault_crash how,
		  bool twice)
{
	struct dev *disk, *dev;
	char *got;
	int rc;

	snprintf(s->when, sizeof(s->when), "write %llu, kind %d%s: ",
		 (unsigned long long)nth, (int)how, twice ? ", and again" : "");
	must(s, stack_overlay(s->fs, &disk), "memory");
	must(s, dev_open_fault(disk, &dev), "memory");
	for (int i = 0; i <= twice; i++) {
		fault_stop(dev, FAULT_WRITE, i ?
			   stack_random(&s->seed) % s->writes : nth);
		rc = recover(s, dev);
		if (rc && rc != -EIO && rc != -ESHUTDOWN)
			must(s, rc, "only the power fails");
		s->crashes += rc != 0;
		s->again += i && rc;
		must(s, fault_crash(dev, how, stack_random(&s->seed)), "crash");
	}
	s->said[0] = '\0';
	must(s, recover(s, dev), "recovery after a crash");
	must(s, fault_crash(dev, FAULT_DROP, 0), "crash");
	got = look(dev);
	if (strcmp(got, s->want)) {
		fprintf(stderr, "%s: %ssomething else is seen\n", s->name,
			s->when);
		exit(1);
	}
	free(got);
	dev_close(dev);
}

static unsigned long tell(const char *name, bool all, uint64_t seed)
{
	const char *folder = getenv("UNPACKED");
	struct story s = { .name = name, .seed = seed };
	char path[4096];

	snprintf(path, sizeof(path), "%s%s%s",
		 name[0] == '/' ? "" : folder ? folder : "build/images",
		 name[0] == '/' ? "" : "/", name);
	if (name[0] != '/')
		strncat(path, ".img", sizeof(path) - strlen(path) - 1);
	must(&s, dev_open_image(path, 0, 0, NULL, &s.fs), path);
	in_one_go(&s);
	if (all) {
		for (uint64_t n = 0; n < s.writes; n++)
			crash(&s, n, (enum fault_crash)(n % 4), n % 8 > 3);
	} else {
		for (int i = 0; i < SAMPLE; i++)
			crash(&s, stack_random(&s.seed) % s.writes,
			      (enum fault_crash)(i % 4), i % 8 > 3);
	}
	printf("%s: %llu writes; %lu crashes, %lu of them in the recovery after a crash: the same is seen\n",
	       name, (unsigned long long)s.writes, s.crashes, s.again);
	fflush(stdout);
	free(s.want);
	dev_close(s.fs);
	return s.crashes;
}

int main(int argc, char **argv)
{
	const char *all = getenv("CRASH_ALL"), *seed = getenv("XLOG_SEED");
	uint64_t first = seed ? strtoull(seed, NULL, 0) : 1;
	unsigned long crashes = 0;

	printf("XLOG_SEED=%llu\n", (unsigned long long)first);
	for (int i = 1; i < argc; i++)
		crashes += tell(argv[i], all, first);
	for (size_t i = 0; argc == 1 && i < sizeof(images) / sizeof(*images);
	     i++)
		crashes += tell(images[i], all, first);
	printf("%lu crashes\n", crashes);
	return 0;
}
