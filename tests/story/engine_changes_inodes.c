/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Transactions on real filesystems: inodes are changed through the log engine
 * until power fails, in both policies, with all sizes of log buffers, stripe
 * units, sectors of 512 and 4096 bytes, in logs that wrap again and again.
 * Recovery then finds the state after one of the transactions, no earlier than
 * the last that was forced, and of a chain no more than its beginning.
 * Unmounted in order, a filesystem has them all, and a clean log.
 *
 *	engine_changes_inodes
 *	engine_changes_inodes make IMAGE OUT SEED
 *	engine_changes_inodes judge IMAGE OUT SEED
 *
 * "make" leaves what power failures leave of IMAGE in the file OUT, for others
 * to recover; "judge" looks at what they have made of it.
 *
 * CRASHES=N	so many; of each kind there have to be enough then
 * XLOG_SEED	other points; the seed is printed
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/lib/changes.h"

/* One thread has nothing to show ThreadSanitizer, and takes minutes under it. */
#ifdef __SANITIZE_THREAD__
enum { CRASHES = 2 };
#else
enum { CRASHES = 24 };
#endif

enum {
	SHARE_PERCENT = 10,
	PER_WORLD = 6,
	ZEROS = 4096,
};

static const char *const images[] = {
	"chmod-only", "bs1k", "isize1024", "xattrs",
};
static const struct changes_geometry geometries[] = {
	{ 512, 0 }, { 512, 16 << 10 }, { 4096, 0 }, { 4096, 32 << 10 },
};

enum {
	IMAGES = sizeof(images) / sizeof(images[0]),
	BASES = IMAGES + sizeof(geometries) / sizeof(geometries[0]),
};

static void take_steps(struct changes *c, uint64_t steps)
{
	while (steps-- && !log_is_shutdown(c->log))
		changes_step(c);
}

/* Until the log goes on at its beginning. */
static void wrap(struct changes *c)
{
	uint32_t cycle = xfs_lsn_cycle(log_head_lsn(c->log));

	while (xfs_lsn_cycle(log_head_lsn(c->log)) == cycle)
		changes_step(c);
}

/* Some time; most often in the middle of something, or just before a flush. */
static void run_until_power_fails(struct changes *c)
{
	struct fault_counts now;

	changes_mount(c, changes_random(c, 4) ? 0 : LOG_DIRECT);
	take_steps(c, changes_random(c, 2000));
	if (!changes_random(c, 4))
		wrap(c);
	fault_counts(c->fault, &now);
	switch (changes_random(c, 8)) {
	case 0:
	case 1:
		fault_stop(c->fault, FAULT_WRITE,
			   now.writes + changes_random(c, 100));
		break;
	case 2:
		break;
	default:
		fault_stop(c->fault, FAULT_FLUSH,
			   now.flushes + 1 + changes_random(c, 20));
	}
	take_steps(c, 500);
	changes_crash(c, crash_kind(changes_random(c, 1u << 30)));
}

static void in_order(struct dev *base, unsigned int flags)
{
	struct changes *c = changes_new(base, 1);

	changes_mount(c, flags);
	for (unsigned int i = 0; i < 500; i++)
		changes_step(c);
	changes_unmount(c, true);
	changes_judge(c, c->fault);
	CHANGES_CHECK(c, c->recovered == c->txns);
	/* and nothing of that has to be recovered */
	changes_mount(c, flags);
	changes_unmount(c, false);
	changes_free(c);
}

/* --- for others to recover --- */

static void copy_out(struct changes *c, struct dev *from, const char *name)
{
	int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0666);
	static uint8_t buf[ZEROS], zeros[ZEROS];

	CHANGES_CHECK(c, fd >= 0);
	CHANGES_CHECK(c, !ftruncate(fd, (off_t)from->size_bytes));
	for (uint64_t at = 0; at < from->size_bytes; at += ZEROS) {
		uint64_t left = from->size_bytes - at;
		size_t len = left < ZEROS ? (size_t)left : ZEROS;

		CHANGES_CHECK(c, !dev_read(from, at, buf, len));
		if (memcmp(buf, zeros, len))
			CHANGES_CHECK(c, pwrite(fd, buf, len, (off_t)at) ==
				      (ssize_t)len);
	}
	CHANGES_CHECK(c, !close(fd));
}

static void for_others(bool judge, const char *image, const char *file,
		       uint64_t seed)
{
	struct dev *base, *dev;
	struct changes *c;
	uint64_t rounds;

	changes_base(image, &base);
	c = changes_new(base, seed);
	rounds = 1 + changes_random(c, PER_WORLD);
	while (--rounds) {
		run_until_power_fails(c);
		changes_recover(c);
		changes_judge(c, c->fault);
	}
	run_until_power_fails(c);
	if (judge) {
		CHANGES_CHECK(c, !dev_open_image(file, 0, 0, NULL, &dev));
		changes_judge(c, dev);
		dev_close(dev);
	} else {
		copy_out(c, c->medium, file);
	}
	printf("transactions=%zu forced=%llu dirty=%d torn=%d recent=%d wrapped=%d in_flight=%d direct=%d\n",
	       c->txns, (unsigned long long)c->forced, c->facts.dirty,
	       c->facts.torn, c->facts.recent, c->facts.wrapped,
	       c->facts.in_flight, c->facts.direct);
	changes_free(c);
	dev_close(base);
}

/* --- many --- */

static bool crash_all(struct dev *const *bases, uint64_t seed,
		      unsigned long crashes, unsigned int percent)
{
	struct crash_counts counts = { .crashes = 0 };
	unsigned long cut = 0;

	for (unsigned long world = 0; counts.crashes < crashes; world++) {
		struct changes *c = changes_new(bases[world % BASES],
						seed + world);

		for (int i = 0; i < PER_WORLD && counts.crashes < crashes;
		     i++) {
			run_until_power_fails(c);
			changes_recover(c);
			changes_judge(c, c->fault);
			crash_count(&counts, &c->facts);
			cut += c->cut_chain;
		}
		changes_free(c);
	}
	printf("seed %llu, %lu between two transactions of a chain: ",
	       (unsigned long long)seed, cut);
	return crash_counts_are_enough(&counts, percent) &&
	       (cut || crashes < CRASH_FEW);
}

int main(int argc, char **argv)
{
	const char *dir = getenv("IMAGES"), *text = getenv("XLOG_SEED");
	const char *many = getenv("CRASHES");
	struct dev *bases[BASES];
	bool good;

	if (argc == 5) {
		for_others(!strcmp(argv[1], "judge"), argv[2], argv[3],
			   strtoull(argv[4], NULL, 0));
		return 0;
	}
	if (!dir) {
		printf("IMAGES: where they are\n");
		return 77;
	}
	for (unsigned int i = 0; i < IMAGES; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/linux618/%s.img.zst", dir,
			 images[i]);
		changes_base(path, &bases[i]);
	}
	for (unsigned int i = IMAGES; i < BASES; i++)
		changes_base_new(&geometries[i - IMAGES], &bases[i]);
	in_order(bases[0], 0);
	in_order(bases[0], LOG_DIRECT);
	good = crash_all(bases, text ? strtoull(text, NULL, 0) : 1,
			 many ? strtoul(many, NULL, 0) : CRASHES,
			 many ? SHARE_PERCENT : 0);
	for (unsigned int i = 0; i < BASES; i++)
		dev_close(bases[i]);
	return !good;
}
