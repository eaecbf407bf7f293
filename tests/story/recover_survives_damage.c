/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Metadata that finishing reads is damaged behind the back of replay, with
 * right checksums: group headers, btrees, inodes, attributes. Recovery then
 * gives a filesystem, or an error with a reason; it never crashes, never runs
 * on and on, never writes over headers of groups, and what it leaves can be
 * given to it again.
 *
 * The log is replayed first, and nothing finished: the blocks of version 5
 * have the LSN of what was replayed then, so that nothing is replayed over the
 * damage. Of version 4 only what is not in the log keeps it.
 *
 *	recover_survives_damage [IMAGE...]
 *
 * DAMAGES	cases of each image; 6
 * XLOG_SEED	of the first case; the seed is printed. The others count on
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libxfsfmt/ag.h"
#include "libxfsfmt/btree.h"
#include "libxlog/dev/dev_priv.h"
#include "tests/lib/fixcrc.h"
#include "tests/lib/stack.h"

enum {
	DAMAGES = 6,
	SECONDS = 20,			/* for one case; they take less than one */
	BLOCK_MAX = 65536,
	KINDS_MAX = 64,
	TRIES = 50,
};

static const char *const images[] = {
	"linux618/rmap-intents", "linux618/cow-cui-bui", "linux618/orphans",
	"linux618/parent-attri", "linux618/exchange", "linux618/nofinobt",
	"linux618/rmap-orphans", "linux618/xattrs",
	"linux618/efi-trunc", "other/be612-intents-s3", "other/v4-noflush",
	"other/be612-v4-v1log-quota",
};

/* How a case ended: the exit status of its process. */
enum outcome {
	DONE = 10,
	REFUSED,			/* nothing was written */
	FAILED,				/* on the way */
	OUTCOMES,
};

/* A block of metadata that a recovery read. */
struct place {
	uint64_t	off_bytes;
	uint32_t	len;
	uint16_t	kind;
};

struct story {
	const char	*name;
	struct dev	*found;		/* as it was */
	struct dev	*fs;		/* replayed */
	struct xfs_geom	geom;
	uint64_t	log_start, log_end;	/* bytes */
	struct place	*places;
	size_t		nplaces;
	const char	*kinds[KINDS_MAX];
	uint16_t	nkinds;
	uint64_t	seed;
	unsigned long	counts[OUTCOMES];
	unsigned long	bad;
	char		what[1024];	/* was damaged */
	char		said[512];	/* first error */
};

static void keep_report(void *ctx, const struct xlog_report *rep)
{
	struct story *s = ctx;

	if (rep->severity == XLOG_ERROR && !s->said[0])
		snprintf(s->said, sizeof(s->said), "%s", rep->text);
}

static void die(const struct story *s, const char *what)
{
	fprintf(stderr, "%s: %s (%s)\n", s->name, what, s->said);
	exit(1);
}

static void must(const struct story *s, int rc, const char *what)
{
	if (rc)
		die(s, what);
}

static int recover(struct story *s, struct dev *fs, unsigned int flags,
		   struct xlog_recover_result *res)
{
	const struct xlog_recover_options opts = {
		.flags = flags,
		.stop_lsn = XLOG_LSN_NONE,
	};
	struct sink sink = { keep_report, s };

	s->said[0] = 0;
	fs->sink = sink;
	return stack_recover(fs, NULL, &opts, &sink, res);
}

/* --- what is read --- */

struct reads {
	struct dev	dev;
	struct dev	*below;
	uint8_t		*seen;		/* a byte for each sector */
};

static int reads_read(struct dev *dev, uint64_t off_bytes, void *buf,
		      size_t len)
{
	struct reads *r = (struct reads *)dev;

	memset(r->seen + off_bytes / BB_SIZE, 1, len / BB_SIZE);
	return dev_read(r->below, off_bytes, buf, len);
}

static int reads_write(struct dev *dev, uint64_t off_bytes, const void *buf,
		       size_t len)
{
	return dev_write(((struct reads *)dev)->below, off_bytes, buf, len);
}

static int reads_flush(struct dev *dev)
{
	(void)dev;
	return 0;
}

static void reads_close(struct dev *dev)
{
	(void)dev;
}

static const struct dev_ops reads_ops = {
	.kind = "reads",
	.read = reads_read,
	.write = reads_write,
	.flush = reads_flush,
	.close = reads_close,
};

static uint16_t kind_of(struct story *s, const char *name)
{
	uint16_t k = 0;

	while (k < s->nkinds && strcmp(s->kinds[k], name))
		k++;
	if (k == KINDS_MAX)
		die(s, "too many kinds of blocks");
	if (k == s->nkinds)
		s->kinds[s->nkinds++] = name;
	return k;
}

static void add_place(struct story *s, uint64_t off, uint32_t len,
		      const char *kind)
{
	if ((s->nplaces & (s->nplaces + 1)) == 0) {
		s->places = reallocarray(s->places, 2 * s->nplaces + 2,
					 sizeof(*s->places));
		if (!s->places)
			die(s, "out of memory");
	}
	s->places[s->nplaces++] = (struct place){ off, len,
						  kind_of(s, kind) };
}

/* What begins at @off is metadata? Returns its bytes, or 0. */
static uint32_t take_place(struct story *s, struct dev *fs, uint64_t off)
{
	uint8_t raw[BB_SIZE];		/* its magic */
	const struct xfs_block_type *t;

	if (!off || off + BLOCK_MAX > fs->size_bytes ||
	    (off >= s->log_start && off < s->log_end))
		return 0;
	must(s, dev_read(fs, off, raw, sizeof(raw)), "reading");
	if (get_be16(raw) == XFS_DINODE_MAGIC) {
		add_place(s, off, s->geom.inodesize, "inode");
		return s->geom.inodesize;
	}
	t = fixcrc_type(raw, &s->geom);
	if (!t)
		return 0;
	add_place(s, off, fixcrc_bytes(t, &s->geom), t->name);
	return fixcrc_bytes(t, &s->geom);
}

/* Recover once with nothing damaged, and see what for. */
static void find_places(struct story *s)
{
	uint64_t end = s->fs->size_bytes / BB_SIZE;
	struct reads r = { .below = NULL };
	struct xlog_recover_result res;
	struct dev *fs;

	must(s, stack_overlay(s->fs, &fs), "memory");
	dev_init(&r.dev, &reads_ops, NULL, "reads");
	r.dev.size_bytes = fs->size_bytes;
	r.dev.writable = true;
	r.below = fs;
	r.seen = calloc(1, end);
	if (!r.seen)
		die(s, "out of memory");
	must(s, recover(s, &r.dev, 0, &res), "recovery");
	dev_close(fs);
	for (uint64_t bb = 0, n; bb < end; bb += n) {
		n = r.seen[bb] ? take_place(s, s->fs, bb * BB_SIZE) : 0;
		n = n > BB_SIZE ? n / BB_SIZE : 1;
	}
	free(r.seen);
	if (!s->nplaces)
		die(s, "no metadata is read");
}

static void open_story(struct story *s)
{
	const char *folder = getenv("UNPACKED"), *packed = getenv("IMAGES");
	struct xlog_recover_result res;
	struct xlog *log;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.img", folder ? folder : "",
		 s->name);
	if (!folder || !*folder || access(path, R_OK))
		snprintf(path, sizeof(path), "%s/%s.img.zst",
			 packed ? packed : "tests/images", s->name);
	must(s, dev_open_image(s->name[0] == '/' ? s->name : path, 0, 0, NULL,
			       &s->found), path);
	must(s, stack_overlay(s->found, &s->fs), "memory");
	must(s, stack_open(s->fs, NULL, NULL, &log), "opening");
	s->geom = log->geom;
	stack_log_range(log, &s->log_start, &s->log_end);
	xlog_close(log);
	must(s, recover(s, s->fs, XLOG_RECOVER_SKIP_INTENTS |
			XLOG_RECOVER_LEAVE_UNLINKED, &res), "replay");
	find_places(s);
}

/* --- damage --- */

static uint64_t some(struct story *s, uint64_t n)
{
	return stack_random(&s->seed) % n;
}

static void tell(struct story *s, const char *fmt, ...)
{
	size_t at = strlen(s->what);
	va_list args;

	va_start(args, fmt);
	vsnprintf(s->what + at, sizeof(s->what) - at, fmt, args);
	va_end(args);
}

/* One of any kind: the rare ones are as likely as the others. */
static const struct place *some_place(struct story *s)
{
	uint16_t kind = (uint16_t)some(s, s->nkinds);
	size_t at = (size_t)some(s, s->nplaces);

	while (s->places[at].kind != kind)
		at = at + 1 < s->nplaces ? at + 1 : 0;
	return &s->places[at];
}

/* The block of a group, or of the filesystem (@wide), at @off_bytes. */
static uint64_t block_at(const struct story *s, uint64_t off_bytes, bool wide)
{
	const struct xfs_geom *g = &s->geom;
	uint64_t fsb = off_bytes >> g->blocklog;
	uint64_t agno = fsb / g->agblocks, agbno = fsb % g->agblocks;

	return wide ? agno << g->agblklog | agbno : agbno;
}

/* A number that may mean something where it is put. */
static uint64_t some_number(struct story *s, const struct place *p, bool wide)
{
	uint64_t n = some(s, 16);

	switch (n) {
	case 0: case 1: case 2: case 3:
		return n;
	case 4:
		return UINT64_MAX;
	case 5:
		return UINT64_MAX >> 1;
	case 6:
		return INT32_MAX;
	case 7:
		return s->geom.agblocks - some(s, 2);
	case 8: case 9:			/* itself */
		return block_at(s, p->off_bytes, wide);
	case 10:
		return block_at(s, s->log_start, wide);
	case 11: case 12:		/* another, of the same kind or any */
		return block_at(s, some_place(s)->off_bytes, wide);
	case 13:
		return some(s, 64) << 16 | some(s, 64);
	case 14:
		return some(s, 4096);
	default:
		return stack_random(&s->seed);
	}
}

static uint64_t get_at(const uint8_t *p, uint32_t bytes)
{
	return bytes == 8 ? get_be64(p) : bytes == 4 ? get_be32(p) :
	       bytes == 2 ? get_be16(p) : *p;
}

static void put_at(uint8_t *p, uint32_t bytes, uint64_t v)
{
	if (bytes == 8)
		put_be64(p, v);
	else if (bytes == 4)
		put_be32(p, (uint32_t)v);
	else if (bytes == 2)
		put_be16(p, (uint16_t)v);
	else
		*p = (uint8_t)v;
}

/* Half of them where headers are, the others where there is anything. */
static uint32_t some_offset(struct story *s, const struct place *p,
			    const uint8_t *raw, uint32_t step)
{
	uint32_t head = p->len < 192 ? p->len : 192, off = 0;

	for (unsigned int i = 0; i < TRIES; i++) {
		off = (uint32_t)some(s, (i % 2 ? p->len : head) / step) * step;
		if (get_at(raw + off, step))
			break;
	}
	return off;
}

static void change_number(struct story *s, const struct place *p, uint8_t *raw)
{
	uint32_t bytes = 1u << some(s, 4);
	uint32_t off = some_offset(s, p, raw, bytes);
	uint64_t was = get_at(raw + off, bytes), now;

	switch (some(s, 4)) {
	case 0:
		now = was + 1 - 2 * some(s, 2);
		break;
	case 1:
		now = was ^ UINT64_C(1) << some(s, 8 * bytes);
		break;
	default:
		now = some_number(s, p, bytes == 8);
	}
	put_at(raw + off, bytes, now);
	tell(s, " %u:%u=%llx(%llx)", off, bytes,
	     (unsigned long long)get_at(raw + off, bytes),
	     (unsigned long long)was);
}

/* Two records that overlap, are the same, or out of order. */
static void change_order(struct story *s, const struct place *p, uint8_t *raw)
{
	static const uint32_t sizes[] = { 4, 8, 12, 16, 24 };
	uint32_t size = sizes[some(s, 5)], room = p->len / size;
	uint32_t a = (uint32_t)some(s, room) * size;
	uint32_t b = (uint32_t)some(s, room < 24 ? room : 24) * size;
	bool swap = some(s, 2);
	uint8_t tmp[24];

	memcpy(tmp, raw + a, size);
	memcpy(raw + a, raw + b, size);
	if (swap)
		memcpy(raw + b, tmp, size);
	tell(s, " %u%s%u*%u", a, swap ? "<>" : "<", b, size);
}

/* What another block has, under its own name. */
static void change_contents(struct story *s, const struct place *p,
			    uint8_t *raw)
{
	static uint8_t other[BLOCK_MAX];
	const struct xfs_block_type *t = fixcrc_type(raw, &s->geom);
	const struct place *from;
	unsigned int tries = 0;

	do
		from = some_place(s);
	while (from->kind != p->kind && ++tries < TRIES);
	if (!t || from->len != p->len || !s->geom.v5)
		return;
	must(s, dev_read(s->fs, from->off_bytes, other, p->len), "reading");
	if (t->blkno_off)
		memcpy(other + t->blkno_off, raw + t->blkno_off, 8);
	if (t->owner_bytes)
		memcpy(other + t->owner_off, raw + t->owner_off,
		       t->owner_bytes);
	memcpy(raw, other, p->len);
	tell(s, " as %llu", (unsigned long long)from->off_bytes / BB_SIZE);
}

static void damage(struct story *s, struct dev *fs)
{
	static uint8_t raw[BLOCK_MAX];
	const struct place *p = some_place(s);
	unsigned int n = (unsigned int)some(s, 3);

	must(s, dev_read(fs, p->off_bytes, raw, sizeof(raw)), "reading");
	tell(s, " %s at %llu:", s->kinds[p->kind],
	     (unsigned long long)p->off_bytes / BB_SIZE);
	do {
		switch (some(s, 8)) {
		case 0:
			change_contents(s, p, raw);
			break;
		case 1:
			change_order(s, p, raw);
			break;
		default:
			change_number(s, p, raw);
		}
	} while (n--);
	/* an inode is alone here */
	if (s->geom.v5 && get_be16(raw) == XFS_DINODE_MAGIC)
		put_le32(raw + XFS_DINODE_CRC_OFF,
			 xfs_crc_block(raw, s->geom.inodesize,
				       XFS_DINODE_CRC_OFF));
	else if (s->geom.v5)
		fixcrc_block(raw, &s->geom);
	must(s, dev_write(fs, p->off_bytes, raw, p->len), "writing");
}

/* --- one case --- */

/*
 * Headers of groups keep their magic, whatever anything else says; one that
 * was damaged may be put right by replay.
 */
static void check_headers(struct story *s, struct dev *damaged,
			  struct dev *after)
{
	const struct xfs_geom *g = &s->geom;
	uint8_t good[4], was[4], is[4];

	for (uint32_t ag = 0; ag < g->agcount; ag++) {
		for (unsigned int i = 0; i < 4; i++) {
			uint64_t off = (uint64_t)ag * g->agblocks *
				       g->blocksize + (uint64_t)i * g->sectsize;

			must(s, dev_read(s->fs, off, good, 4), "reading");
			must(s, dev_read(damaged, off, was, 4), "reading");
			must(s, dev_read(after, off, is, 4), "reading");
			if (memcmp(was, is, 4) && memcmp(good, is, 4))
				die(s, "the header of a group is overwritten");
		}
	}
}

static enum outcome judge(struct story *s, struct dev *damaged)
{
	struct stack_record rec = { 0 };
	struct xlog_recover_result res;
	struct dev *fs, *watched;
	bool failed;
	int rc;

	must(s, stack_overlay(damaged, &fs), "memory");
	must(s, stack_watch(fs, &rec, 0, &watched), "memory");
	rc = recover(s, watched, 0, &res);
	if (rc && !s->said[0] && !res.refused[0])
		die(s, rc == -EUCLEAN ? "damaged, without a reason" :
		    "fails without a reason");
	if (rc && !res.wrote && rec.count)
		die(s, "has written, and says that it has not");
	check_headers(s, damaged, fs);
	if (!rc) {
		rc = recover(s, fs, 0, &res);
		if (rc || res.bounds.state != XLOG_CLEAN)
			die(s, "the log is not clean");
		return DONE;
	}
	failed = rec.count;
	if (getenv("VERBOSE"))
		fprintf(stderr, "%s: %d %s\n", s->what, rc,
			s->said[0] ? s->said : res.refused);
	if (rc == -EINVAL || rc == -ESHUTDOWN || rc == -EDEADLK)
		die(s, "fails in another way than by damage");
	/* what it says again is its own affair */
	if (failed)
		rc = recover(s, fs, 0, &res);
	check_headers(s, damaged, fs);
	stack_record_fini(&rec);
	dev_close(watched);
	dev_close(fs);
	return failed ? FAILED : REFUSED;
}

static void run_case(struct story *s, uint64_t seed)
{
	struct dev *fs;
	int status;
	pid_t pid;

	s->seed = seed;
	s->what[0] = 0;
	must(s, stack_overlay(s->fs, &fs), "memory");
	for (uint64_t n = some(s, 3) / 2; n != UINT64_MAX; n--)
		damage(s, fs);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		alarm(SECONDS);
		_exit(judge(s, fs));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die(s, "no process");
	dev_close(fs);
	if (WIFEXITED(status) && WEXITSTATUS(status) >= DONE &&
	    WEXITSTATUS(status) < OUTCOMES) {
		s->counts[WEXITSTATUS(status)]++;
		return;
	}
	s->bad++;
	printf("BAD %s XLOG_SEED=%llu:%s: %s %d\n", s->name,
	       (unsigned long long)seed, s->what,
	       WIFSIGNALED(status) ? "signal" : "status",
	       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static unsigned long tell_image(const char *name, uint64_t seed,
				unsigned long cases)
{
	struct story s = { .name = name };

	open_story(&s);
	for (unsigned long i = 0; i < cases; i++)
		run_case(&s, seed + i);
	printf("%s: %lu damages of %zu blocks of %u kinds: %lu recovered, %lu refused, %lu failed later, %lu BAD\n",
	       name, cases, s.nplaces, s.nkinds, s.counts[DONE],
	       s.counts[REFUSED], s.counts[FAILED], s.bad);
	fflush(stdout);
	free(s.places);
	dev_close(s.fs);
	dev_close(s.found);
	return s.bad;
}

int main(int argc, char **argv)
{
	const char *cases = getenv("DAMAGES"), *seed = getenv("XLOG_SEED");
	unsigned long n = cases ? strtoul(cases, NULL, 0) : DAMAGES, bad = 0;
	uint64_t first = seed ? strtoull(seed, NULL, 0) : 1;

	printf("XLOG_SEED=%llu\n", (unsigned long long)first);
	for (int i = 1; i < argc; i++)
		bad += tell_image(argv[i], first, n);
	for (size_t i = 0; argc == 1 && i < sizeof(images) / sizeof(*images);
	     i++)
		bad += tell_image(images[i], first, n);
	return bad != 0;
}
