/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A zstd-compressed image read as a device. It is unpacked once, front to
 * back, into a memory file; a page of zeros is left a hole there, so that an
 * image costs about what it holds and not what it measures. Both are bounded,
 * since the input may be made to unpack into anything.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "libxlog/base/list.h"
#include "libxlog/dev/dev_priv.h"

enum { PAGE_BYTES = 4096 };

#define SIZE_MAX_BYTES	(UINT64_C(64) << 30)	/* if the caller has no view */
#define DATA_MAX_BYTES	(UINT64_C(4) << 30)

struct zimage {
	struct dev	dev;
	char		*name;		/* owned */
	int		fd;		/* memory file */
};

static struct zimage *to_zimage(struct dev *dev)
{
	return container_of(dev, struct zimage, dev);
}

static int zimage_read(struct dev *dev, uint64_t off_bytes, void *buf,
		       size_t len)
{
	return dev_pread(dev, to_zimage(dev)->fd, off_bytes, buf, len);
}

static void zimage_close(struct dev *dev)
{
	struct zimage *zim = to_zimage(dev);

	close(zim->fd);
	free(zim->name);
	free(zim);
}

/* Never writable, so that dev.c lets no write or flush through. */
static const struct dev_ops zimage_ops = {
	.kind = "zstd image",
	.read = zimage_read,
	.close = zimage_close,
};

/* --- unpacking --- */

struct unpack {
	struct dev	*below;
	struct zimage	*zim;
	ZSTD_DCtx	*dctx;
	uint8_t		*in;		/* DEV_IO_BYTES of compressed input */
	uint8_t		*out;		/* DEV_IO_BYTES, from size_bytes on */
	uint64_t	size_bytes;	/* unpacked and stored so far */
	uint64_t	data_bytes;	/* of these, not in holes */
	uint64_t	max_size_bytes;
	uint64_t	max_data_bytes;
};

/* Half of the machine's memory is what a tmpfs takes by default, too. */
static uint64_t data_bound(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	uint64_t half;

	if (pages <= 0 || page <= 0)
		return DATA_MAX_BYTES;
	half = (uint64_t)pages * (uint64_t)page / 2;
	return half < DATA_MAX_BYTES ? half : DATA_MAX_BYTES;
}

static int unpack_init(struct unpack *u)
{
	ZSTD_bounds window = ZSTD_dParam_getBounds(ZSTD_d_windowLogMax);

	u->dctx = ZSTD_createDCtx();
	u->in = malloc(DEV_IO_BYTES);
	u->out = malloc(DEV_IO_BYTES);
	/* Images are packed with --long; the default stops at 27. */
	if (!u->dctx || !u->in || !u->out ||
	    ZSTD_isError(window.error) ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(u->dctx, ZSTD_d_windowLogMax,
						window.upperBound)))
		return report(&u->below->sink, -ENOMEM, "memory",
			      XLOG_LSN_NONE, "out of memory");
	return 0;
}

static void unpack_fini(struct unpack *u)
{
	ZSTD_freeDCtx(u->dctx);
	free(u->in);
	free(u->out);
}

/*
 * Store what is in the output buffer, leaving out pages of zeros. The buffer
 * was full each time before, so that its pages are pages of the file.
 */
static int unpack_store(struct unpack *u, size_t len)
{
	const struct sink *sink = &u->below->sink;
	size_t start = 0, pos;

	if (len > u->max_size_bytes - u->size_bytes)
		return report(sink, -EFBIG, "zimage.size", XLOG_LSN_NONE,
			      "compressed image is larger than the limit of %"
			      PRIu64 " bytes unpacked", u->max_size_bytes);
	for (pos = 0; pos < len; pos += PAGE_BYTES) {
		size_t n = len - pos < PAGE_BYTES ? len - pos : PAGE_BYTES;
		size_t end = pos + n;
		bool zero = dev_is_zero(u->out + pos, n);
		int rc;

		if (!zero && end < len)
			continue;
		if (zero)
			end = pos;
		if (end - start > u->max_data_bytes - u->data_bytes)
			return report(sink, -EFBIG, "zimage.data",
				      XLOG_LSN_NONE,
				      "compressed image holds more than the "
				      "limit of %" PRIu64 " bytes of data",
				      u->max_data_bytes);
		rc = dev_pwrite(&u->zim->dev, u->zim->fd,
				u->size_bytes + start, u->out + start,
				end - start);
		if (rc)
			return rc;
		u->data_bytes += end - start;
		start = pos + n;
	}
	u->size_bytes += len;
	return 0;
}

static int unpack_corrupt(struct unpack *u, size_t code, uint64_t at)
{
	const struct sink *sink = &u->below->sink;

	if (ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation)
		return report(sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory for the window of the compressed "
			      "image");
	if (ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge)
		return report(sink, -EFBIG, "zimage.window", XLOG_LSN_NONE,
			      "compressed image wants a larger window than "
			      "zstd can make");
	return report(sink, -EIO, "zimage.corrupt", XLOG_LSN_NONE,
		      "compressed image is corrupt near byte %" PRIu64 ": %s",
		      at, ZSTD_getErrorName(code));
}

/* Frames one behind another, as zstd(1) takes them. */
static int unpack_frames(struct unpack *u)
{
	ZSTD_outBuffer out = { u->out, DEV_IO_BYTES, 0 };
	uint64_t packed = u->below->size_bytes, off;
	size_t more = 1;		/* 0: at the end of a frame */
	int rc;

	for (off = 0; off < packed; ) {
		ZSTD_inBuffer in = { u->in, DEV_IO_BYTES, 0 };

		if (in.size > packed - off)
			in.size = (size_t)(packed - off);
		rc = dev_read(u->below, off, u->in, in.size);
		if (rc)
			return rc;
		/* A full output buffer may leave output behind in zstd. */
		while (in.pos < in.size || out.pos == out.size) {
			if (out.pos == out.size) {
				rc = unpack_store(u, out.pos);
				if (rc)
					return rc;
				out.pos = 0;
				if (in.pos == in.size && !more)
					break;
			}
			more = ZSTD_decompressStream(u->dctx, &out, &in);
			if (ZSTD_isError(more))
				return unpack_corrupt(u, more, off + in.pos);
		}
		off += in.size;
	}
	if (more)
		return report(&u->below->sink, -EIO, "zimage.truncated",
			      XLOG_LSN_NONE, "compressed image is truncated: "
			      "its last frame does not end in %" PRIu64
			      " bytes", packed);
	return unpack_store(u, out.pos);
}

/* A hole at the end is there only once the size is said. */
static int unpack_finish(struct unpack *u)
{
	const struct sink *sink = &u->below->sink;

	if (!u->size_bytes)
		return report(sink, -EMEDIUMTYPE, "dev.empty", XLOG_LSN_NONE,
			      "compressed image is empty");
	if (ftruncate(u->zim->fd, (off_t)u->size_bytes))
		return report(sink, -errno, "zimage.memory", XLOG_LSN_NONE,
			      "cannot size the memory file: %s",
			      strerror(errno));
	u->zim->dev.size_bytes = u->size_bytes;
	return 0;
}

static int zimage_unpack(struct zimage *zim, struct dev *below,
			 uint64_t max_bytes, uint64_t max_data_bytes)
{
	struct unpack u = { .below = below, .zim = zim,
			    .max_size_bytes = max_bytes,
			    .max_data_bytes = max_data_bytes };
	int rc = unpack_init(&u);

	if (!rc)
		rc = unpack_frames(&u);
	if (!rc)
		rc = unpack_finish(&u);
	unpack_fini(&u);
	return rc;
}

int zimage_open(struct dev *below, uint64_t max_bytes, uint64_t max_data_bytes,
		struct dev **out)
{
	struct zimage *zim = calloc(1, sizeof(*zim));
	int rc;

	if (!zim || !(zim->name = strdup(below->name))) {
		free(zim);
		return report(&below->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	}
	dev_init(&zim->dev, &zimage_ops, &below->sink, zim->name);
	zim->fd = memfd_create("xlog-image", MFD_CLOEXEC);
	if (zim->fd < 0) {
		rc = report(&below->sink, -errno, "zimage.memory",
			    XLOG_LSN_NONE, "cannot make a memory file: %s",
			    strerror(errno));
		goto free;
	}
	rc = zimage_unpack(zim, below, max_bytes, max_data_bytes);
	if (rc)
		goto close;
	dev_close(below);
	*out = &zim->dev;
	return 0;
close:
	close(zim->fd);
free:
	free(zim->name);
	free(zim);
	return rc;
}

int dev_open_zimage(struct dev *below, uint64_t max_bytes, struct dev **out)
{
	if (!max_bytes)
		max_bytes = SIZE_MAX_BYTES;
	if (max_bytes > INT64_MAX)	/* no file is larger */
		max_bytes = INT64_MAX;
	return zimage_open(below, max_bytes, data_bound(), out);
}

bool dev_is_zstd(struct dev *dev)
{
	uint8_t raw[4];
	uint32_t magic;

	if (dev->size_bytes < sizeof(raw) ||
	    dev_read(dev, 0, raw, sizeof(raw)))
		return false;
	magic = (uint32_t)raw[0] | (uint32_t)raw[1] << 8 |
		(uint32_t)raw[2] << 16 | (uint32_t)raw[3] << 24;
	/* pzstd(1) begins with a skippable frame. */
	return magic == ZSTD_MAGICNUMBER ||
	       (magic & ZSTD_MAGIC_SKIPPABLE_MASK) ==
	       ZSTD_MAGIC_SKIPPABLE_START;
}
