/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A part of a device as a device of its own: a filesystem at an offset, the
 * log inside its filesystem. Only an offset is added; the range was checked
 * against the window by dev.c, and the window lies inside what is below.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "libxlog/base/list.h"
#include "libxlog/dev/batch.h"
#include "libxlog/dev/dev_priv.h"

struct window {
	struct dev	dev;
	struct dev	*below;		/* owned */
	uint64_t	start_bytes;	/* in @below */
};

static struct window *to_window(struct dev *dev)
{
	return container_of(dev, struct window, dev);
}

static int window_read(struct dev *dev, uint64_t off_bytes, void *buf,
		       size_t len)
{
	struct window *win = to_window(dev);

	return dev_read(win->below, win->start_bytes + off_bytes, buf, len);
}

static int window_write(struct dev *dev, uint64_t off_bytes, const void *buf,
			size_t len)
{
	struct window *win = to_window(dev);

	return dev_write(win->below, win->start_bytes + off_bytes, buf, len);
}

static int window_flush(struct dev *dev)
{
	return dev_flush(to_window(dev)->below);
}

static int window_discard(struct dev *dev, uint64_t off_bytes, uint64_t len)
{
	struct window *win = to_window(dev);

	return dev_discard(win->below, win->start_bytes + off_bytes, len);
}

static int window_zero(struct dev *dev, uint64_t off_bytes, uint64_t len)
{
	struct window *win = to_window(dev);

	return dev_zero(win->below, win->start_bytes + off_bytes, len);
}

static bool window_map(struct dev *dev, bool write, struct dev_map *map)
{
	struct window *win = to_window(dev);

	(void)write;
	*map = (struct dev_map){ .fd = -1, .below = win->below,
				 .start_bytes = win->start_bytes };
	return true;
}

static int window_prepare(struct dev *dev, const struct dev_io *ios,
			  size_t count)
{
	struct window *win = to_window(dev);
	struct dev_io *below;
	int rc;

	if (!win->below->ops->prepare || !count)
		return 0;
	below = calloc(count, sizeof(*below));
	if (!below)
		return report(&dev->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	for (size_t i = 0; i < count; i++) {
		below[i] = ios[i];
		below[i].off_bytes += win->start_bytes;
	}
	rc = dev_prepare(win->below, below, count);
	free(below);
	return rc;
}

static void window_close(struct dev *dev)
{
	struct window *win = to_window(dev);

	dev_close(win->below);
	free(win);
}

static const struct dev_ops window_ops = {
	.kind = "window",
	.read = window_read,
	.write = window_write,
	.flush = window_flush,
	.discard = window_discard,
	.zero = window_zero,
	.map = window_map,
	.prepare = window_prepare,
	.close = window_close,
};

int dev_open_window(struct dev *below, uint64_t off_bytes, uint64_t len,
		    struct dev **out)
{
	struct window *win;

	if (off_bytes >= below->size_bytes)
		return report(&below->sink, -EINVAL, "dev.range",
			      XLOG_LSN_NONE, "byte %" PRIu64
			      " lies behind the end: there are only %" PRIu64,
			      off_bytes, below->size_bytes);
	if (!len)
		len = below->size_bytes - off_bytes;
	if (len > below->size_bytes - off_bytes)
		return report(&below->sink, -EINVAL, "dev.range",
			      XLOG_LSN_NONE, "%" PRIu64 " bytes from byte %"
			      PRIu64 ": there are only %" PRIu64, len,
			      off_bytes, below->size_bytes);
	win = malloc(sizeof(*win));
	if (!win)
		return report(&below->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	dev_init(&win->dev, &window_ops, &below->sink, below->name);
	win->dev.size_bytes = len;
	win->dev.sector_bytes = below->sector_bytes;
	win->dev.writable = below->writable;
	win->below = below;
	win->start_bytes = off_bytes;
	*out = &win->dev;
	return 0;
}
