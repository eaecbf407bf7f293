/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A device that somebody else keeps: what stands on it can be closed, and it
 * is still there, for what is done with it next.
 */
#include <stdlib.h>

#include "libxlog/base/list.h"
#include "libxlog/dev/dev_priv.h"

struct borrowed {
	struct dev	dev;
	struct dev	*below;		/* not owned */
	bool		flush;
};

static struct borrowed *to_borrowed(struct dev *dev)
{
	return container_of(dev, struct borrowed, dev);
}

static int borrowed_read(struct dev *dev, uint64_t off_bytes, void *buf,
			 size_t len)
{
	return dev_read(to_borrowed(dev)->below, off_bytes, buf, len);
}

static int borrowed_write(struct dev *dev, uint64_t off_bytes, const void *buf,
			  size_t len)
{
	return dev_write(to_borrowed(dev)->below, off_bytes, buf, len);
}

static int borrowed_flush(struct dev *dev)
{
	const struct borrowed *b = to_borrowed(dev);

	return b->flush ? dev_flush(b->below) : 0;
}

static int borrowed_zero(struct dev *dev, uint64_t off_bytes, uint64_t len)
{
	return dev_zero(to_borrowed(dev)->below, off_bytes, len);
}

static int borrowed_discard(struct dev *dev, uint64_t off_bytes, uint64_t len)
{
	return dev_discard(to_borrowed(dev)->below, off_bytes, len);
}

static int borrowed_prepare(struct dev *dev, const struct dev_io *ios,
			    size_t count)
{
	return dev_prepare(to_borrowed(dev)->below, ios, count);
}

static bool borrowed_map(struct dev *dev, bool write, struct dev_map *map)
{
	(void)write;
	*map = (struct dev_map){ .fd = -1, .below = to_borrowed(dev)->below };
	return true;
}

static void borrowed_close(struct dev *dev)
{
	free(to_borrowed(dev));
}

static const struct dev_ops borrowed_ops = {
	.kind = "borrowed",
	.read = borrowed_read,
	.write = borrowed_write,
	.flush = borrowed_flush,
	.discard = borrowed_discard,
	.zero = borrowed_zero,
	.map = borrowed_map,
	.prepare = borrowed_prepare,
	.close = borrowed_close,
};

int dev_open_borrowed(struct dev *below, bool flush, struct dev **out)
{
	struct borrowed *b = calloc(1, sizeof(*b));

	if (!b)
		return report(&below->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	dev_init(&b->dev, &borrowed_ops, &below->sink, below->name);
	b->dev.size_bytes = below->size_bytes;
	b->dev.sector_bytes = below->sector_bytes;
	b->dev.writable = below->writable;
	b->below = below;
	b->flush = flush;
	*out = &b->dev;
	return 0;
}
