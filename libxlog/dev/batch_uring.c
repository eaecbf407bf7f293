/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The reads of a batch through io_uring: one thread, many under way. A ring is
 * made for each batch; that takes some 30 microseconds, less than one read
 * from a disk. The memory belongs to the caller, hence nothing returns before
 * the last transfer the kernel has taken is done.
 *
 * Not for writes: they go into the page cache, which disks and most
 * filesystems do not offer to io_uring without waiting, so that the kernel
 * hands each to a thread of its own; that took twice as long as pwrite().
 */
#include "libxlog/dev/batch_priv.h"

#ifdef XLOG_URING

#include <assert.h>
#include <liburing.h>
#include <time.h>

/* What disks and their controllers take in one queue, and no more memory. */
enum { DEPTH = 64 };

struct ring {
	struct io_uring	ring;
	struct batch	*b;
	struct dev_io	slot[DEPTH];	/* what remains; len 0: free */
	unsigned int	busy;		/* slots that are not free */
};

/* There is room: as many slots as entries of the queue, one entry each. */
static void queue(struct ring *r, struct dev_io *slot)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&r->ring);

	assert(sqe);
	io_uring_prep_read(sqe, r->b->fd, slot->buf, (unsigned int)slot->len,
			   slot->off_bytes);
	io_uring_sqe_set_data(sqe, slot);
}

static void free_slot(struct ring *r, struct dev_io *slot)
{
	slot->len = 0;
	r->busy--;
}

static void fill(struct ring *r)
{
	unsigned int i;

	for (i = 0; i < DEPTH && !r->b->rc; i++) {
		struct dev_io *slot = &r->slot[i];

		if (slot->len)
			continue;
		if (!batch_next(r->b, slot)) {
			slot->len = 0;
			return;
		}
		r->busy++;
		queue(r, slot);
	}
}

/* @res bytes of @slot are done, or it is an error, or 0: no more to be had. */
static void complete(struct ring *r, struct dev_io *slot, int res)
{
	size_t n = res > 0 ? (size_t)res : 0;

	assert(n <= slot->len);
	r->b->done_bytes += n;
	slot->off_bytes += n;
	slot->buf = (char *)slot->buf + n;
	slot->len -= n;
	if (n && slot->len && !r->b->rc) {
		queue(r, slot);
		return;
	}
	if (slot->len)
		batch_finish(r->b, slot);
	free_slot(r, slot);
}

/* Returns how many were done. */
static unsigned int reap(struct ring *r)
{
	struct io_uring_cqe *cqe;
	unsigned int n = 0;

	while (!io_uring_peek_cqe(&r->ring, &cqe)) {
		struct dev_io *slot = io_uring_cqe_get_data(cqe);
		int res = cqe->res;

		io_uring_cqe_seen(&r->ring, cqe);
		complete(r, slot, res);
		n++;
	}
	return n;
}

/*
 * The kernel takes nothing more, and has nothing of ours: what is in the queue
 * is done here.
 */
static void give_up(struct ring *r)
{
	unsigned int i;

	for (i = 0; i < DEPTH; i++) {
		if (!r->slot[i].len)
			continue;
		batch_finish(r->b, &r->slot[i]);
		free_slot(r, &r->slot[i]);
	}
}

/*
 * The kernel did not take what is queued. If it has others of ours it may just
 * have no room; that it does not even let us wait for them is no reason to
 * leave while it writes to the caller's memory.
 */
static bool is_over(struct ring *r)
{
	static const struct timespec moment = { .tv_nsec = 1000000 };

	if (reap(r))
		return false;
	if (r->busy == io_uring_sq_ready(&r->ring))
		return true;
	nanosleep(&moment, NULL);
	return false;
}

static void run(struct ring *r)
{
	int rc;

	for (fill(r); r->busy; fill(r)) {
		rc = io_uring_submit_and_wait(&r->ring, 1);
		if (rc >= 0 || rc == -EINTR) {
			reap(r);
		} else if (is_over(r)) {
			give_up(r);
			return;
		}
	}
}

bool batch_uring(struct batch *b)
{
	struct ring r = { .b = b };

	if (io_uring_queue_init(DEPTH, &r.ring, 0))
		return false;
	run(&r);
	io_uring_queue_exit(&r.ring);
	return true;
}

#endif
