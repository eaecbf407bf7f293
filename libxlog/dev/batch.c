/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Many reads or writes at once. They are cut into transfers: neighbours on the
 * device whose memory is contiguous too go together, what is very long is cut.
 * If every device of the stack passes its bytes on to one descriptor, an
 * engine keeps many transfers going on that; else they go through the stack
 * one after the other, so that each device of it sees them.
 */
#include "libxlog/dev/batch_priv.h"
#include "libxlog/dev/dev_priv.h"

/* Relaxed: tests set it before they start any thread. */
static _Atomic enum batch_engine forced = BATCH_ANY;

void batch_force(enum batch_engine engine)
{
	atomic_store_explicit(&forced, engine, memory_order_relaxed);
}

/* --- transfers --- */

static bool is_next_to(const struct dev_io *a, const struct dev_io *b)
{
	return a->off_bytes + a->len == b->off_bytes &&
	       (char *)a->buf + a->len == b->buf;
}

bool batch_next(struct batch *b, struct dev_io *out)
{
	const struct dev_io *io;
	size_t len;

	while (b->next < b->count && !b->ios[b->next].len)
		b->next++;
	if (b->next == b->count)
		return false;
	io = &b->ios[b->next];
	out->off_bytes = b->start_bytes + io->off_bytes + b->cut_bytes;
	out->buf = (char *)io->buf + b->cut_bytes;
	len = io->len - b->cut_bytes;
	if (len > DEV_IO_BYTES) {
		out->len = DEV_IO_BYTES;
		b->cut_bytes += DEV_IO_BYTES;
		return true;
	}
	b->cut_bytes = 0;
	/* What fits into one transfer is never cut: it may be one block. */
	while (++b->next < b->count && is_next_to(io, io + 1) &&
	       io[1].len <= DEV_IO_BYTES - len)
		len += (++io)->len;
	out->len = len;
	return true;
}

void batch_finish(struct batch *b, const struct dev_io *io)
{
	if (b->rc)
		return;
	b->rc = b->write ? dev_pwrite(b->bottom, b->fd, io->off_bytes,
				      io->buf, io->len) :
		dev_pread(b->bottom, b->fd, io->off_bytes, io->buf, io->len);
	if (!b->rc)
		b->done_bytes += io->len;
}

/* More than one transfer; nothing is taken. */
static bool is_many(const struct batch *b)
{
	struct batch copy = *b;
	struct dev_io io;

	return batch_next(&copy, &io) && batch_next(&copy, &io);
}

/* --- the stack --- */

static bool map_of(struct dev *dev, bool write, struct dev_map *map)
{
	return dev->ops->map && (!write || dev->writable) &&
	       dev->ops->map(dev, write, map);
}

/* Down to the descriptor. False: some device wants to see each I/O. */
static bool find_bottom(struct batch *b, struct dev *dev)
{
	struct dev_map map;
	uint64_t start_bytes = 0;

	while (map_of(dev, b->write, &map)) {
		start_bytes += map.start_bytes;
		if (!map.below) {
			b->bottom = dev;
			b->fd = map.fd;
			b->start_bytes = start_bytes;
			return true;
		}
		dev = map.below;
	}
	return false;
}

/* What dev_read() and dev_write() would have done at each level. */
static void count_bytes(const struct batch *b, struct dev *dev)
{
	struct dev_map map;

	while (dev) {
		atomic_fetch_add_explicit(b->write ? &dev->bytes_written :
					  &dev->bytes_read, b->done_bytes,
					  memory_order_relaxed);
		dev = map_of(dev, b->write, &map) ? map.below : NULL;
	}
}

/* --- doing them --- */

static int check(struct batch *b, struct dev *dev)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < b->count && !rc; i++) {
		const struct dev_io *io = &b->ios[i];

		rc = b->write ? dev_check_write(dev, io->off_bytes, io->len) :
		     dev_check_read(dev, io->off_bytes, io->len);
	}
	return rc;
}

/* Checked to lie inside the device: no sum wraps. */
static bool is_ascending(const struct batch *b)
{
	size_t i;

	for (i = 1; i < b->count; i++)
		if (b->ios[i].off_bytes <
		    b->ios[i - 1].off_bytes + b->ios[i - 1].len)
			return false;
	return true;
}

static int one_by_one(struct batch *b, struct dev *dev)
{
	struct dev_io io;
	int rc = 0;

	while (!rc && batch_next(b, &io))
		rc = b->write ?
		     dev_write(dev, io.off_bytes, io.buf, io.len) :
		     dev_read(dev, io.off_bytes, io.buf, io.len);
	return rc;
}

static int at_once(struct batch *b, struct dev *dev)
{
	enum batch_engine engine = atomic_load_explicit(&forced,
							memory_order_relaxed);
	bool uring = engine != BATCH_THREADS && !b->write;

	if (uring && !batch_uring(b) && engine == BATCH_URING)
		return -ENOSYS;
	if (!b->rc)
		batch_threads(b);	/* what is left */
	count_bytes(b, dev);
	return b->rc;
}

static int run(struct batch *b, struct dev *dev)
{
	int rc = check(b, dev);

	if (!rc && b->write)
		rc = dev_prepare(dev, b->ios, b->count);
	if (rc)
		return rc;
	/* Transfers under way at once have no order: overlaps need one. */
	return is_many(b) && is_ascending(b) && find_bottom(b, dev) ?
	       at_once(b, dev) : one_by_one(b, dev);
}

int dev_read_batch(struct dev *dev, const struct dev_io *ios, size_t count)
{
	return run(&(struct batch){ .ios = ios, .count = count }, dev);
}

int dev_write_batch(struct dev *dev, const struct dev_io *ios, size_t count)
{
	return run(&(struct batch){ .ios = ios, .count = count,
				    .write = true }, dev);
}
