/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writes held in memory above another device, or above nothing but zeros. A
 * page that was written is copied whole and stands in front of what is below
 * from then on; pages are found through a tree with one level per 9 bits of
 * the page number, as high as the size needs. A dry run is the real run on
 * such a device, and most tests are.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "libxlog/base/list.h"
#include "libxlog/base/sync.h"
#include "libxlog/dev/dev_priv.h"

enum {
	PAGE_SHIFT = 12,
	PAGE_BYTES = 1 << PAGE_SHIFT,
	NODE_SHIFT = 9,
	NODE_SLOTS = 1 << NODE_SHIFT,
};

/* Stands for a page of zeros above a device that may hold something else. */
static uint8_t zero_page[PAGE_BYTES];

struct node {
	void		*slot[NODE_SLOTS];	/* struct node, or pages (height 1) */
};

struct overlay {
	struct dev	dev;
	struct dev	*below;		/* owned; NULL: zeros. Constant */
	unsigned int	height;		/* levels of the tree. Constant */
	/*
	 * Guards the tree. The bytes of a page are read and written under the
	 * read side: users order overlapping writes among themselves, and the
	 * write side is only for what changes the tree.
	 */
	struct xrwlock	lock;
	struct node	*root;		/* (lock) */
};

static struct overlay *to_overlay(struct dev *dev)
{
	return container_of(dev, struct overlay, dev);
}

/* --- the tree --- */

static unsigned int slot_of(uint64_t page, unsigned int level)
{
	return (unsigned int)(page >> (level - 1) * NODE_SHIFT) &
	       (NODE_SLOTS - 1);
}

/* (lock) The page numbered @page, or NULL if what is below shows through. */
static uint8_t *page_find(const struct overlay *ov, uint64_t page)
	REQUIRES_SHARED(ov->lock);

static uint8_t *page_find(const struct overlay *ov, uint64_t page)
{
	const struct node *node = ov->root;
	unsigned int level;

	for (level = ov->height; node && level > 1; level--)
		node = node->slot[slot_of(page, level)];
	return node ? node->slot[slot_of(page, 1)] : NULL;
}

/* (lock, write) The slot of @page, its nodes made; NULL: no memory. */
static void **page_slot(struct overlay *ov, uint64_t page)
	REQUIRES(ov->lock);

static void **page_slot(struct overlay *ov, uint64_t page)
{
	struct node *node = ov->root;
	unsigned int level;

	for (level = ov->height; level > 1; level--) {
		void **slot = &node->slot[slot_of(page, level)];

		if (!*slot)
			*slot = calloc(1, sizeof(struct node));
		if (!*slot)
			return NULL;
		node = *slot;
	}
	return &node->slot[slot_of(page, 1)];
}

static void page_free(uint8_t *page)
{
	if (page != zero_page)
		free(page);
}

/* As deep as the tree is high: six levels at most. */
static void node_free(struct node *node, unsigned int level)
{
	unsigned int i;

	if (!node)
		return;
	for (i = 0; i < NODE_SLOTS; i++) {
		if (level > 1)
			node_free(node->slot[i], level - 1);
		else
			page_free(node->slot[i]);
	}
	free(node);
}

/* --- reading --- */

static int read_below(struct overlay *ov, uint64_t off_bytes, uint8_t *buf,
		      size_t len)
{
	if (ov->below)
		return dev_read(ov->below, off_bytes, buf, len);
	memset(buf, 0, len);
	return 0;
}

/* Bytes from @off_bytes to the end of its page, at most @len. */
static size_t in_page(uint64_t off_bytes, uint64_t len)
{
	size_t room = PAGE_BYTES - (size_t)(off_bytes & (PAGE_BYTES - 1));

	return len < room ? (size_t)len : room;
}

/*
 * (lock) The longest run at @off_bytes, at most @len bytes, that comes from
 * below, so that it can be read in one go. 0: the first page is here.
 */
static size_t run_below(const struct overlay *ov, uint64_t off_bytes,
			size_t len) REQUIRES_SHARED(ov->lock);

static size_t run_below(const struct overlay *ov, uint64_t off_bytes,
			size_t len)
{
	size_t run = 0;

	while (run < len && !page_find(ov, (off_bytes + run) >> PAGE_SHIFT))
		run += in_page(off_bytes + run, len - run);
	return run;
}

static int overlay_read(struct dev *dev, uint64_t off_bytes, void *buf,
			size_t len)
{
	struct overlay *ov = to_overlay(dev);
	uint8_t *p = buf;
	int rc = 0;

	xrwlock_read(&ov->lock);
	while (len && !rc) {
		size_t n = run_below(ov, off_bytes, len);

		if (n) {
			rc = read_below(ov, off_bytes, p, n);
		} else {
			const uint8_t *page;

			n = in_page(off_bytes, len);
			page = page_find(ov, off_bytes >> PAGE_SHIFT);
			memcpy(p, page + (off_bytes & (PAGE_BYTES - 1)), n);
		}
		p += n;
		off_bytes += n;
		len -= n;
	}
	xrwlock_read_unlock(&ov->lock);
	return rc;
}

/* --- writing --- */

static int no_memory(struct overlay *ov)
{
	return report(&ov->dev.sink, -ENOMEM, "memory", XLOG_LSN_NONE,
		      "out of memory for an overlay page");
}

/* A page of our own with what is below; the last one may be cut short. */
static int page_copy(struct overlay *ov, uint64_t page, uint8_t **out)
{
	uint64_t start = page << PAGE_SHIFT;
	uint8_t *copy = calloc(1, PAGE_BYTES);
	int rc;

	if (!copy)
		return no_memory(ov);
	rc = ov->below ? dev_read(ov->below, start, copy,
				  in_page(start, ov->dev.size_bytes - start)) :
	     0;
	if (rc) {
		free(copy);
		return rc;
	}
	*out = copy;
	return 0;
}

/*
 * Give page number @page bytes of its own, unless it has some. The copy is
 * made before the lock is taken: another writer of the same page may then
 * have been faster, and ours is dropped.
 */
static int page_make(struct overlay *ov, uint64_t page)
{
	uint8_t *copy = NULL;
	void **slot;
	int rc;

	rc = page_copy(ov, page, &copy);
	if (rc)
		return rc;
	xrwlock_write(&ov->lock);
	slot = page_slot(ov, page);
	if (slot && !*slot) {
		*slot = copy;
		copy = NULL;
	} else if (slot && *slot == zero_page) {
		memset(copy, 0, PAGE_BYTES);
		*slot = copy;
		copy = NULL;
	}
	xrwlock_write_unlock(&ov->lock);
	free(copy);
	return slot ? 0 : no_memory(ov);
}

static int page_write(struct overlay *ov, uint64_t off_bytes,
		      const uint8_t *buf, size_t len)
{
	uint64_t number = off_bytes >> PAGE_SHIFT;
	uint8_t *page;
	int rc;

	for (;;) {
		xrwlock_read(&ov->lock);
		page = page_find(ov, number);
		if (page && page != zero_page)
			memcpy(page + (off_bytes & (PAGE_BYTES - 1)), buf,
			       len);
		xrwlock_read_unlock(&ov->lock);
		if (page && page != zero_page)
			return 0;
		rc = page_make(ov, number);
		if (rc)
			return rc;
	}
}

static int overlay_write(struct dev *dev, uint64_t off_bytes, const void *buf,
			 size_t len)
{
	struct overlay *ov = to_overlay(dev);
	const uint8_t *p = buf;
	int rc = 0;

	while (len && !rc) {
		size_t n = in_page(off_bytes, len);

		rc = page_write(ov, off_bytes, p, n);
		p += n;
		off_bytes += n;
		len -= n;
	}
	return rc;
}

/* Whole page @number reads as zeros; its memory is given back. */
static int page_zero(struct overlay *ov, uint64_t number)
{
	void **slot = NULL;
	int rc = 0;

	xrwlock_write(&ov->lock);
	/* Above nothing, a page that is not there is zero already. */
	if (ov->below || page_find(ov, number)) {
		slot = page_slot(ov, number);
		if (!slot)
			rc = -ENOMEM;
	}
	if (slot) {
		page_free(*slot);
		*slot = ov->below ? zero_page : NULL;
	}
	xrwlock_write_unlock(&ov->lock);
	return rc ? no_memory(ov) : 0;
}

/* Discard as well: memory is given back, and zeros are a fair answer. */
static int overlay_zero(struct dev *dev, uint64_t off_bytes, uint64_t len)
{
	struct overlay *ov = to_overlay(dev);
	int rc = 0;

	while (len && !rc) {
		size_t n = in_page(off_bytes, len);

		bool whole = !(off_bytes & (PAGE_BYTES - 1)) &&
			     (n == PAGE_BYTES ||
			      off_bytes + n == dev->size_bytes);

		rc = whole ? page_zero(ov, off_bytes >> PAGE_SHIFT) :
		     page_write(ov, off_bytes, zero_page, n);
		off_bytes += n;
		len -= n;
	}
	return rc;
}

/* Nothing here outlives the process: there is nothing to make durable. */
static int overlay_flush(struct dev *dev)
{
	(void)dev;
	return 0;
}

static void overlay_close(struct dev *dev)
{
	struct overlay *ov = to_overlay(dev);

	dev_close(ov->below);
	node_free(ov->root, ov->height);
	xrwlock_fini(&ov->lock);
	free(ov);
}

static const struct dev_ops overlay_ops = {
	.kind = "overlay",
	.read = overlay_read,
	.write = overlay_write,
	.flush = overlay_flush,
	.discard = overlay_zero,
	.zero = overlay_zero,
	.close = overlay_close,
};

int dev_open_overlay(struct dev *below, uint64_t size_bytes,
		     const struct sink *sink, struct dev **out)
{
	static const struct sink silent;
	struct overlay *ov = calloc(1, sizeof(*ov));
	struct node *root = calloc(1, sizeof(*root));
	uint64_t pages;

	if (below) {
		sink = &below->sink;
		size_bytes = below->size_bytes;
	}
	if (!sink)
		sink = &silent;
	if (!ov || !root || xrwlock_init(&ov->lock)) {
		free(root);
		free(ov);
		return report(sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	}
	dev_init(&ov->dev, &overlay_ops, sink, below ? below->name : "memory");
	ov->dev.size_bytes = size_bytes;
	ov->dev.writable = true;
	if (below)
		ov->dev.sector_bytes = below->sector_bytes;
	ov->below = below;
	ov->root = root;
	ov->height = 1;
	for (pages = size_bytes >> PAGE_SHIFT; pages >= NODE_SLOTS;
	     pages >>= NODE_SHIFT)
		ov->height++;
	*out = &ov->dev;
	return 0;
}
