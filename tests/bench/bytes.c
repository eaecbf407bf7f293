/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the time of a byte of log goes: formatting it, copying it into an iclog,
 * making a record with its checksum, and what memcpy() takes for the same bytes.
 *
 *	bytes [rounds]
 *
 * One thread, a log in memory without threads, all of it smaller than what its
 * iclogs hold, so that nobody waits. Inodes are real ones; objects have a header
 * and a body that is copied. Medians over the rounds.
 */
#include "libxlog/meta/bench.h"
#include "tests/bench/objects.h"

enum {
	RECORD_BYTES = 256 << 10,
	SET_BYTES = 3 << 19,		/* formatted at one time */
	LOG_BYTES = 64 << 20,
	MAX_ROUNDS = 999,
	TID = 1,
};

static unsigned int rounds = 21;

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bytes: %s\n", what);
	exit(1);
}

static void *room(size_t bytes)
{
	void *p = malloc(bytes);

	must(p, "out of memory");
	memset(p, 1, bytes);
	return p;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The median of what @work takes, per KiB of the bytes that it returns. */
static double ns_per_kib(uint64_t (*work)(void *), void *arg)
{
	static double took[MAX_ROUNDS];

	for (unsigned int r = 0; r < rounds; r++) {
		uint64_t began = log_stat_clock(), bytes = work(arg);

		took[r] = (double)(log_stat_clock() - began) * 1024 /
			  (double)bytes;
	}
	qsort(took, rounds, sizeof(double), compare);
	return took[rounds / 2];
}

/* --- memcpy(), and a record --- */

struct buffers {
	uint8_t	*from, *to;
};

static uint64_t copy(void *arg)
{
	struct buffers *b = arg;

	memcpy(b->to, b->from, SET_BYTES);
	__asm__ volatile("" : : "r"(b->to) : "memory");
	return SET_BYTES;
}

static uint64_t encode(void *arg)
{
	const struct xlog_form form = {
		.version = XLOG_VERSION_2, .fmt = XLOG_FMT_LINUX_LE,
		.size_bytes = RECORD_BYTES,
		.crc_bytes = XLOG_HEADER_CRC_BYTES, .roundoff_bytes = 512,
		.log_size_bb = LOG_BYTES / BB_SIZE, .logv2 = true,
	};
	const struct xlog_place place = { .lsn = xfs_lsn_make(1, 0) };
	struct buffers *b = arg;
	uint32_t used = RECORD_BYTES - xlog_form_header_bb(&form) * BB_SIZE;
	uint64_t bytes = 0;

	for (uint32_t at = 0; at < SET_BYTES; at += RECORD_BYTES)
		bytes += (uint64_t)xlog_rec_encode(&form, &place, 1,
						   b->to + at, used) * BB_SIZE;
	return bytes;
}

/* --- formatting --- */

struct set {
	struct log_item	**item;
	struct log_vec	**vec;
	size_t		n;
	uint64_t	bytes;		/* formatted */
};

static struct set set_of(struct log_item **item, size_t n)
{
	struct set s = { item, calloc(n, sizeof(*s.vec)), n, 0 };

	must(s.vec, "out of memory");
	for (size_t i = 0; i < n; i++) {
		uint32_t nregions, bytes;

		item[i]->ops->size(item[i], &nregions, &bytes);
		bytes += nregions * OP_BYTES;
		s.vec[i] = room(sizeof(struct log_vec) + bytes);
		s.vec[i]->room_bytes = bytes;
	}
	return s;
}

static uint64_t format(void *arg)
{
	struct set *s = arg;

	s->bytes = 0;
	for (size_t i = 0; i < s->n; i++) {
		struct log_formatter f = { .vec = s->vec[i],
					   .tid = TID };

		f.vec->used_bytes = f.vec->nregions = 0;
		s->item[i]->ops->format(s->item[i], &f);
		s->bytes += f.vec->used_bytes;
	}
	return s->bytes;
}

static void set_fini(struct set *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->vec[i]);
	free(s->vec);
	free(s->item);
}

static void of_inodes(double reference)
{
	const struct xlog_bench_open what = { .memory_bytes = 300 << 20 };
	const struct mount_options opts = { .flags = LOG_NO_THREADS,
					    .seed = 1 };
	struct xlog_bench *b;
	struct inode **ip;
	struct xlog *reader;
	struct mount *m;
	struct set s;
	uint32_t n;
	xfs_ino_t first;
	double took;

	must(!xlog_bench_open(&what, &b), "no filesystem");
	must(!bench_reader(b, &reader), "no filesystem");
	must(!mount_open(reader, &opts, &m), "no mount");
	first = bench_files(&reader->sb, &m->fs.geom, &n);
	ip = calloc(n, sizeof(struct inode *));
	must(ip, "out of memory");
	s.item = calloc(n, sizeof(struct log_item *));
	must(s.item, "out of memory");
	for (uint32_t i = 0; i < n; i++) {
		must(!inode_iget(&m->fs, first + i, 0, &ip[i]), "no inode");
		ip[i]->fields = XFS_ILOG_CORE;
		s.item[i] = &ip[i]->item;
	}
	s = set_of(s.item, n);
	took = ns_per_kib(format, &s);
	printf("  formatting inodes of %llu bytes: %.0f ns a KiB, %.1f of memcpy\n",
	       (unsigned long long)(s.bytes / n), took, took / reference);
	set_fini(&s);
	for (uint32_t i = 0; i < n; i++) {
		ip[i]->fields = 0;
		inode_put(ip[i]);
	}
	free(ip);
	mount_close(m);
	xlog_close(reader);
	xlog_bench_close(b);
}

/* --- copying: what a push does --- */

static struct log *the_log;

static uint64_t push(void *arg)
{
	struct set *s = arg;

	must(!cil_push(the_log, atomic_load(&the_log->cil.seq), true),
	     "the log died");
	return s->bytes;
}

static double push_ns_per_kib(struct set *s)
{
	struct log_config c = {
		.flags = LOG_NO_THREADS, .internal = true,
		.head = xfs_lsn_make(1, 0), .prev_block = UINT32_MAX,
		.logbufs = LOG_MAX_ICLOGS, .logbsize_bytes = RECORD_BYTES,
		.write_back = objects_write_back, .write_back_ctx = &the_log,
	};
	static double took[MAX_ROUNDS];

	must(!dev_open_overlay(NULL, LOG_BYTES, NULL, &c.dev), "no memory");
	c.data = c.dev;
	must(!log_open(&c, &the_log), "no log");
	for (unsigned int r = 0; r < rounds; r++) {
		uint64_t began;

		for (size_t i = 0; i < s->n; i++)
			object_change(the_log, object_of(s->item[i]));
		began = log_stat_clock();
		push(s);
		took[r] = (double)(log_stat_clock() - began) * 1024 /
			  (double)s->bytes;
		while (log_step(the_log))
			;
	}
	log_close(the_log);
	dev_close(c.dev);
	qsort(took, rounds, sizeof(double), compare);
	return took[rounds / 2];
}

static void of_objects(uint32_t body_bytes, double reference)
{
	size_t n = SET_BYTES / (body_bytes + OBJECT_HEAD_BYTES + 2 * OP_BYTES);
	struct log_item **item = calloc(n, sizeof(struct log_item *));
	struct set s;
	double took;

	must(item, "out of memory");
	for (size_t i = 0; i < n; i++) {
		struct object *o = room(sizeof(*o) + body_bytes);

		object_init(o, body_bytes);
		item[i] = &o->item;
	}
	s = set_of(item, n);
	took = ns_per_kib(format, &s);
	printf("  objects of %llu bytes: formatting %.0f ns a KiB, %.1f of memcpy;",
	       (unsigned long long)(s.bytes / n), took, took / reference);
	took = push_ns_per_kib(&s);
	printf(" copying %.0f, %.1f\n", took, took / reference);
	for (size_t i = 0; i < n; i++) {
		object_fini(object_of(item[i]));
		free(object_of(item[i]));
	}
	set_fini(&s);
}

int main(int argc, char **argv)
{
	struct buffers b = { room(SET_BYTES), room(SET_BYTES) };
	double reference, took;

	if (argc > 1)
		rounds = (unsigned int)strtoul(argv[1], NULL, 10);
	if (!rounds || rounds > MAX_ROUNDS)
		return 16;
	reference = ns_per_kib(copy, &b);
	printf("time of a byte of log: memcpy() %.0f ns a KiB\n", reference);
	of_inodes(reference);
	of_objects(OBJECT_LEAST_BODY, reference);
	of_objects(4096, reference);
	took = ns_per_kib(encode, &b);
	printf("  stamping and checksumming records of 256 KiB: %.0f ns a KiB, %.1f of memcpy\n",
	       took, took / reference);
	free(b.from);
	free(b.to);
	return 0;
}
