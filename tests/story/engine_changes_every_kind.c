/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Transactions over all kinds of objects: inodes with all of their forks,
 * blocks that are made, changed and freed, and become something else later;
 * chunks of new inodes, these inodes and their unlinked lists, and chunks that
 * are freed with inodes that are not yet written back. Power fails at some
 * point; recovery then finds all of the transactions up to one of them, no
 * earlier than the last that was forced, and nothing of what was freed.
 *
 *	engine_changes_every_kind [make IMAGE OUT SEED | judge IMAGE OUT]
 *
 * With arguments: leave what one power failure leaves of IMAGE in the file OUT,
 * and what is to be found there in OUT.model; and find it in IMAGE, in which
 * someone has recovered that, and tell how many of the transactions.
 *
 * What is made lies in free space of the filesystem, which stays as sound as
 * it was.
 *
 * CRASH_ALL=1	many more
 * XLOG_SEED	other points; the seed is printed
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/kinds.h"
#include "tests/lib/kinds_model.h"
#include "tests/lib/stack.h"

enum {
	CRASHES = 12,
	CRASHES_ALL = 300,
};

static void take_report(void *ctx, const struct xlog_report *r)
{
	struct kinds *s = ctx;

	if (r->severity == XLOG_ERROR)
		snprintf(s->said, sizeof(s->said), "%s: %s", r->code, r->text);
}

static int add_inode(void *ctx, xfs_ino_t ino)
{
	struct kinds *s = ctx;
	struct inode *ip;
	int rc;

	if (s->ninodes == KINDS_INODES)
		return 0;
	rc = inode_iget(&s->m->fs, ino, 0, &ip);
	if (rc)
		return rc;
	/* the kernel reads those that belong to the filesystem itself */
	if (ip->di.di_flags2 & XFS_DIFLAG2_METADATA ||
	    ino == s->reader->sb.sb_rbmino || ino == s->reader->sb.sb_rsumino) {
		inode_put(ip);
		return 0;
	}
	s->inode[s->ninodes++] = ip;
	return 0;
}

static void begin(struct kinds *s, unsigned int flags)
{
	const struct sink sink = { take_report, s };
	static const uint32_t sizes[] = { 16, 32, 64, 256 };
	const struct mount_options opts = {
		.flags = LOG_NO_THREADS | flags,
		.logbufs = 2 + (uint32_t)kinds_random(s, 7),
		.seed = 0x1000 + (uint32_t)kinds_random(s, 1000),
	};
	struct mount_options how = opts;
	struct dev *below;

	CHECK(s, !stack_overlay(s->base, &below));
	CHECK(s, !dev_open_fault(below, &s->fault));
	CHECK(s, !stack_open(s->fault, NULL, &sink, &s->reader));
	how.logbsize_bytes = sizes[kinds_random(s, s->reader->geom.log_v2 ? 4 : 2)]
			     << 10;
	CHECK(s, !mount_open(s->reader, &how, &s->m));
	s->ninodes = 0;
	CHECK(s, !mount_each_inode(s->m, add_inode, s));
	CHECK(s, s->ninodes);
	s->model = model_new(s->reader, kinds_blocks(&s->reader->geom));
	CHECK(s, s->model);
	memset(s->block, 0, sizeof(s->block));
	memset(s->chunk, 0, sizeof(s->chunk));
	memset(s->chunk_done, 0, sizeof(s->chunk_done));
	s->txn = s->forced = 0;
	s->model->counter = s->inode[0]->daddr * BB_SIZE +
			    s->inode[0]->offset_bytes + 12;	/* di_gid */
}

static void end(struct kinds *s)
{
	mount_close(s->m);
	model_free(s->model);
	xlog_close(s->reader);
	dev_close(s->fault);
}

static void copy_out(struct kinds *s, const char *out)
{
	uint8_t *buf = malloc(DEV_IO_BYTES);
	int fd = open(out, O_CREAT | O_TRUNC | O_WRONLY, 0666);
	char name[4096];

	CHECK(s, buf && fd >= 0);
	for (uint64_t at = 0; at < s->fault->size_bytes; at += DEV_IO_BYTES) {
		uint64_t left = s->fault->size_bytes - at;
		size_t len = left < DEV_IO_BYTES ? (size_t)left : DEV_IO_BYTES;

		CHECK(s, !dev_read(s->fault, at, buf, len));
		CHECK(s, pwrite(fd, buf, len, (off_t)at) == (ssize_t)len);
	}
	CHECK(s, !close(fd));
	free(buf);
	snprintf(name, sizeof(name), "%s.model", out);
	CHECK(s, !model_save(s->model, name));
}

static void crash(struct kinds *s, const char *out)
{
	static const enum fault_crash kinds[] = {
		FAULT_DROP, FAULT_KEEP, FAULT_REORDER, FAULT_TEAR,
	};
	const struct sink sink = { take_report, s };
	/* the kernel cannot tell that a block is torn which has its LSN */
	enum fault_crash how = kinds[kinds_random(s, out ? 3 : 4)];
	uint64_t seed = kinds_random(s, 1u << 30);
	struct xlog_recover_result res;
	const char *why;

	log_shutdown(s->m->fs.log, LOG_SHUTDOWN_NOFLUSH, NULL);
	CHECK(s, !fault_crash(s->fault, how, seed));
	s->model->forced = s->forced;
	s->model->all = s->txn;
	if (out) {
		copy_out(s, out);
		return;
	}
	CHECK(s, !stack_recover(s->fault, NULL, NULL, &sink, &res));
	why = model_judge(s->model, s->fault);
	if (why) {
		fprintf(stderr, "%s\n", why);
		exit(1);
	}
}

static void round_of(struct kinds *s, const char *out)
{
	uint64_t steps = 50 + kinds_random(s, 2000);

	begin(s, kinds_random(s, 4) ? 0 : LOG_DIRECT);
	if (kinds_random(s, 2))
		fault_stop(s->fault, FAULT_WRITE, kinds_random(s, 100));
	while (steps-- && !log_is_shutdown(s->m->fs.log))
		kinds_step(s);
	crash(s, out);
	end(s);
}

/* Unmounted in order: all of it is there, and nothing is to be recovered. */
static void in_order(struct kinds *s, unsigned int flags)
{
	struct xlog_bounds b;
	const char *why;

	begin(s, flags);
	for (unsigned int i = 0; i < 500; i++)
		kinds_step(s);
	s->model->forced = s->model->all = s->txn;
	CHECK(s, !mount_unmount(s->m));
	CHECK(s, !xlog_find(s->reader, 0, &b));
	CHECK(s, b.state == XLOG_CLEAN && !b.refused[0]);
	why = model_judge(s->model, s->fault);
	if (why) {
		fprintf(stderr, "%s\n", why);
		exit(1);
	}
	end(s);
}

static void open_base(struct kinds *s, const char *path)
{
	const struct sink sink = { take_report, s };
	const struct xlog_recover_options how = {
		.flags = XLOG_RECOVER_LEAVE_UNLINKED,
		.stop_lsn = XLOG_LSN_NONE,
	};
	struct xlog_recover_result res;

	CHECK(s, !dev_open_image(path, 0, 0, &sink, &s->image));
	CHECK(s, !stack_overlay(s->image, &s->base));
	CHECK(s, !stack_recover(s->base, NULL, &how, &sink, &res));
}

static void close_base(struct kinds *s)
{
	dev_close(s->base);
	dev_close(s->image);
}

static int judge(struct kinds *s, const char *image, const char *out)
{
	const struct sink sink = { take_report, s };
	struct kinds_model *model;
	struct dev *dev;
	char name[4096];
	const char *why;

	snprintf(name, sizeof(name), "%s.model", out);
	model = model_load(name);
	CHECK(s, model);
	CHECK(s, !dev_open_image(image, 0, 0, &sink, &dev));
	why = model_judge(model, dev);
	if (why)
		fprintf(stderr, "%s\n", why);
	else
		printf("%llu of %llu transactions\n",
		       (unsigned long long)model->last,
		       (unsigned long long)model->all);
	dev_close(dev);
	model_free(model);
	return why != NULL;
}

int main(int argc, char **argv)
{
	static const char *const images[] = { "linux618/xattrs",
					      "linux618/bs1k" };
	const char *seed = getenv("XLOG_SEED"), *dir = getenv("IMAGES");
	unsigned int rounds = getenv("CRASH_ALL") ? CRASHES_ALL : CRASHES;
	static struct kinds s;
	char path[4096];

	if (argc == 4 && !strcmp(argv[1], "judge"))
		return judge(&s, argv[2], argv[3]);
	s.seed = seed ? strtoull(seed, NULL, 0) : 1;
	if (argc == 5 && !strcmp(argv[1], "make")) {
		s.seed = strtoull(argv[4], NULL, 0);
		open_base(&s, argv[2]);
		round_of(&s, argv[3]);
		close_base(&s);
		return 0;
	}
	if (!dir) {
		fprintf(stderr, "IMAGES: where they are\n");
		return 1;
	}
	printf("XLOG_SEED=%llu\n", (unsigned long long)s.seed);
	for (size_t i = 0; i < sizeof(images) / sizeof(images[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s.img.zst", dir, images[i]);
		open_base(&s, path);
		in_order(&s, 0);
		in_order(&s, LOG_DIRECT);
		for (unsigned int n = 0; n < rounds; n++)
			round_of(&s, NULL);
		close_base(&s);
	}
	return 0;
}
