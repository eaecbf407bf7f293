/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Frames come from libzstd's compressor, or are put together by hand as
 * RFC 8878 describes them where no compressor would make such a thing.
 */
#include <dirent.h>
#include <zstd.h>

#include "tests/lib/memdev.h"
#include "tests/lib/scratch.h"

enum { MIB = 1 << 20, RLE_BYTES = 128 << 10 };

static struct reports said;

struct bytes {
	uint8_t		*p;
	size_t		len;
};

static void bytes_add(struct bytes *b, const void *more, size_t len)
{
	b->p = realloc(b->p, b->len + len);
	cr_assert_not_null(b->p);
	memcpy(b->p + b->len, more, len);
	b->len += len;
}

/* Append @len bytes at @src as one frame with a checksum. */
static void bytes_compress(struct bytes *b, const void *src, size_t len)
{
	size_t room = ZSTD_compressBound(len), n;
	ZSTD_CCtx *cctx = ZSTD_createCCtx();
	void *packed = malloc(room);

	ZSTD_CCtx_setParameter(cctx, ZSTD_c_checksumFlag, 1);
	n = ZSTD_compress2(cctx, packed, room, src, len);
	cr_assert_not(ZSTD_isError(n));
	bytes_add(b, packed, n);
	free(packed);
	ZSTD_freeCCtx(cctx);
}

/*
 * A frame of @count runs of RLE_BYTES times @byte, in four bytes each, with a
 * window of 2^@window_log; no sizes and no checksum in the header.
 */
static struct bytes rle_frame(unsigned int window_log, uint8_t byte,
			      unsigned int count)
{
	const uint8_t header[] = { 0x28, 0xb5, 0x2f, 0xfd, 0,
				   (uint8_t)((window_log - 10) << 3) };
	struct bytes b = { NULL, 0 };
	unsigned int i;

	bytes_add(&b, header, sizeof(header));
	for (i = 0; i < count; i++) {
		uint32_t block = (uint32_t)RLE_BYTES << 3 | 1 << 1 |
				 (i == count - 1);
		const uint8_t raw[] = { (uint8_t)block, (uint8_t)(block >> 8),
					(uint8_t)(block >> 16), byte };

		bytes_add(&b, raw, sizeof(raw));
	}
	return b;
}

static struct dev *bytes_dev(struct bytes *b)
{
	struct sink sink = reports_sink(&said);
	struct dev *dev = memdev_bytes(b->p, b->len, &sink);

	free(b->p);
	*b = (struct bytes){ NULL, 0 };
	return dev;
}

static struct dev *unpacked(struct bytes *b)
{
	struct dev *dev;

	cr_assert_eq(dev_open_zimage(bytes_dev(b), 0, &dev), 0);
	assert_silent(&said);
	return dev;
}

static void assert_contents(struct dev *dev, const void *want, size_t len)
{
	uint8_t *got = malloc(len);

	cr_assert_eq(dev->size_bytes, len);
	cr_assert_eq(dev_read(dev, 0, got, len), 0);
	cr_assert_eq(memcmp(got, want, len), 0);
	free(got);
}

static uint8_t *pattern(size_t len)
{
	uint8_t *p = malloc(len);

	cr_assert_not_null(p);
	pattern_fill(p, 0, len);
	return p;
}

Test(dev_is_zstd, knows_frames_by_their_magic)
{
	static const struct { const char *bytes; size_t len; bool is; } t[] = {
		{ "\x28\xb5\x2f\xfd", 4, true },
		{ "\x28\xb5\x2f\xfdmore", 8, true },
		{ "\x28\xb5\x2f", 3, false },
		{ "\x28\xb5\x2f\xfc", 4, false },
		{ "\x50\x2a\x4d\x18", 4, true },	/* skippable */
		{ "\x5f\x2a\x4d\x18", 4, true },
		{ "\x60\x2a\x4d\x18", 4, false },
		{ "XFSB\0\0\x10\0", 8, false },
		{ "\xfe\xed\xba\xbe", 4, false },
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct dev *dev = memdev_bytes(t[i].bytes, t[i].len, NULL);

		cr_assert_eq(dev_is_zstd(dev), t[i].is, "case %zu", i);
		dev_close(dev);
	}
}

Test(zimage, has_the_contents_for_all_sizes_around_its_buffers)
{
	static const size_t size[] = {
		1, 4095, 4096, 4097, RLE_BYTES - 1, RLE_BYTES, RLE_BYTES + 1,
		MIB - 1, MIB, MIB + 1, 2 * MIB, 3 * MIB + 5000,
	};
	uint8_t *bytes = pattern(3 * MIB + 5000);
	size_t i;

	for (i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		struct bytes b = { NULL, 0 };
		struct dev *dev;

		bytes_compress(&b, bytes, size[i]);
		dev = unpacked(&b);
		assert_contents(dev, bytes, size[i]);
		cr_assert_not(dev->writable);
		dev_close(dev);
	}
	free(bytes);
}

Test(zimage, joins_frames_and_skips_the_skippable)
{
	static const uint8_t skippable[] = { 0x53, 0x2a, 0x4d, 0x18, 3, 0, 0,
					     0, 'a', 'b', 'c' };
	uint8_t *bytes = pattern(3 * MIB);
	struct bytes b = { NULL, 0 };
	struct dev *dev;

	bytes_add(&b, skippable, sizeof(skippable));
	bytes_compress(&b, bytes, MIB);
	bytes_add(&b, skippable, sizeof(skippable));
	bytes_compress(&b, bytes + MIB, 4095);
	bytes_compress(&b, bytes, 0);
	bytes_compress(&b, bytes + MIB + 4095, 2 * MIB - 4095);
	dev = unpacked(&b);
	assert_contents(dev, bytes, 3 * MIB);
	dev_close(dev);
	free(bytes);
}

/* Bytes that the only memory file of this process takes. */
static uint64_t memory_file_bytes(void)
{
	char path[512], target[512];
	const struct dirent *entry;
	DIR *dir = opendir("/proc/self/fd");
	uint64_t bytes = 0;
	struct stat st;
	ssize_t n;

	cr_assert_not_null(dir);
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/self/fd/%s",
			 entry->d_name);
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		if (strstr(target, "memfd:xlog-image")) {
			cr_assert_eq(stat(path, &st), 0);
			bytes += (uint64_t)st.st_blocks * 512;
		}
	}
	closedir(dir);
	return bytes;
}

Test(zimage, leaves_pages_of_zeros_out_of_memory)
{
	const size_t size = 64 * MIB;
	uint8_t *bytes = calloc(1, size);
	struct bytes b = { NULL, 0 };
	struct dev *dev;

	pattern_fill(bytes + 5 * 4096, 0, 2 * 4096);
	bytes[40 * MIB] = 1;
	bytes_compress(&b, bytes, size);
	dev = unpacked(&b);
	assert_contents(dev, bytes, size);
	cr_assert_eq(memory_file_bytes(), 3 * 4096);
	dev_close(dev);
	cr_assert_eq(memory_file_bytes(), 0);
	free(bytes);
}

Test(zimage, is_bounded_in_size)
{
	struct bytes b = rle_frame(20, 0, 64);	/* 8 MiB */
	struct dev *below = bytes_dev(&b), *dev = NULL;

	cr_assert_eq(dev_open_zimage(below, 8 * MIB - 1, &dev), -EFBIG);
	assert_said(&said, "larger than the limit of 8388607 bytes");
	cr_assert_null(dev);
	cr_assert_eq(memory_file_bytes(), 0);
	cr_assert_eq(dev_open_zimage(below, 8 * MIB, &dev), 0);
	cr_assert_eq(dev->size_bytes, 8 * MIB);
	dev_close(dev);
}

/* 70000 bytes that would be 2 GiB, and 4 that would be 128 KiB. */
Test(zimage, is_bounded_in_what_it_keeps)
{
	struct bytes b = rle_frame(20, 'x', 17500);
	struct dev *below = bytes_dev(&b), *dev = NULL;

	cr_assert_eq(zimage_open(below, INT64_MAX, 3 * MIB, &dev), -EFBIG);
	assert_said(&said, "more than the limit of 3145728 bytes of data");
	cr_assert_null(dev);
	cr_assert_eq(memory_file_bytes(), 0);
	dev_close(below);

	b = rle_frame(20, 'x', 8);
	cr_assert_eq(zimage_open(bytes_dev(&b), INT64_MAX, MIB, &dev), 0);
	cr_assert_eq(memory_file_bytes(), MIB);
	dev_close(dev);
}

Test(zimage, of_huge_zeros_takes_no_memory)
{
	struct bytes b = rle_frame(20, 0, 8192);	/* 1 GiB */
	struct dev *dev;

	cr_assert_eq(zimage_open(bytes_dev(&b), INT64_MAX, 0, &dev), 0);
	cr_assert_eq(dev->size_bytes, 1024ull * MIB);
	cr_assert_eq(memory_file_bytes(), 0);
	dev_close(dev);
}

Test(zimage, takes_the_largest_window_of_zstd_long_31)
{
	struct bytes b = rle_frame(31, 'w', 2);
	struct dev *dev = unpacked(&b), *below;

	cr_assert_eq(dev->size_bytes, 2 * RLE_BYTES);
	dev_close(dev);

	b = rle_frame(32, 'w', 2);
	below = bytes_dev(&b);
	cr_assert_eq(dev_open_zimage(below, 0, &dev), -EFBIG);
	assert_said(&said, "larger window");
	dev_close(below);
}

/* A small image: compressible parts, zeros, and some that is neither. */
static struct bytes small_image(uint8_t *bytes, size_t len)
{
	struct bytes b = { NULL, 0 };
	size_t i;

	memset(bytes, 0, len);
	for (i = 0; i < len / 4; i++)
		bytes[i] = (uint8_t)"XAGFXAGI"[i % 8];
	pattern_fill(bytes + len / 2, 0, 64);
	bytes_compress(&b, bytes, len);
	return b;
}

Test(zimage, cut_short_anywhere_is_an_error)
{
	uint8_t bytes[20000];
	struct bytes b = small_image(bytes, sizeof(bytes));
	size_t len;

	for (len = 4; len < b.len; len++) {
		struct sink sink = reports_sink(&said);
		struct dev *below = memdev_bytes(b.p, len, &sink), *dev = NULL;

		cr_assert_eq(dev_open_zimage(below, 0, &dev), -EIO);
		assert_said(&said, "compressed image is truncated");
		cr_assert_null(dev);
		dev_close(below);
	}
	free(b.p);
}

Test(zimage, changed_anywhere_is_an_error_or_no_difference)
{
	uint8_t bytes[20000];
	struct bytes b = small_image(bytes, sizeof(bytes));
	size_t i, refused = 0;

	for (i = 4; i < b.len; i++) {
		struct sink sink = reports_sink(&said);
		struct dev *below, *dev;
		int rc;

		b.p[i] ^= 0x55;
		below = memdev_bytes(b.p, b.len, &sink);
		rc = dev_open_zimage(below, 0, &dev);
		b.p[i] ^= 0x55;
		if (!rc) {
			assert_contents(dev, bytes, sizeof(bytes));
			assert_silent(&said);
			dev_close(dev);
			continue;
		}
		refused++;
		cr_assert(rc == -EIO || rc == -EFBIG, "byte %zu: %d", i, rc);
		assert_said(&said, "compressed image");
		dev_close(below);
	}
	cr_assert_gt(refused, (b.len - 4) / 2);
	free(b.p);
}

Test(zimage, with_something_else_behind_its_frame_is_an_error)
{
	uint8_t bytes[20000];
	struct bytes b = small_image(bytes, sizeof(bytes));
	struct dev *below, *dev;

	bytes_add(&b, "garbage", 7);
	below = bytes_dev(&b);
	cr_assert_eq(dev_open_zimage(below, 0, &dev), -EIO);
	assert_said(&said, "corrupt near byte");
	dev_close(below);
}

Test(zimage, of_nothing_is_no_medium)
{
	struct bytes b = { NULL, 0 };
	struct dev *below, *dev;

	bytes_compress(&b, "", 0);
	below = bytes_dev(&b);
	cr_assert_eq(dev_open_zimage(below, 0, &dev), -EMEDIUMTYPE);
	assert_said(&said, "compressed image is empty");
	dev_close(below);
}

Test(zimage, that_cannot_be_read_gives_that_error)
{
	uint8_t bytes[20000];
	struct bytes b = small_image(bytes, sizeof(bytes));
	struct watch *w = watch_open(bytes_dev(&b));
	struct dev *dev;

	w->bad_read_end = 1;
	cr_assert_eq(dev_open_zimage(&w->dev, 0, &dev), -EIO);
	assert_said(&said, "bad sector");
	dev_close(&w->dev);
}

Test(dev_open_image, unpacks_first_and_takes_the_offset_then)
{
	struct sink sink = reports_sink(&said);
	uint8_t *bytes = pattern(MIB);
	struct bytes b = { NULL, 0 };
	struct scratch scratch;
	struct dev *dev;

	scratch_init(&scratch);
	bytes_compress(&b, bytes, MIB);
	scratch_file(&scratch, "image.zst", b.p, b.len);
	cr_assert_eq(dev_open_image(scratch.path, 4096, 0, &sink, &dev), 0);
	assert_contents(dev, bytes + 4096, MIB - 4096);
	cr_assert_str_eq(dev->name, scratch.path);
	dev_close(dev);

	cr_assert_eq(dev_open_image(scratch.path, 0, MIB - 1, &sink, &dev),
		     -EFBIG);
	assert_said(&said, "limit of 1048575");
	cr_assert_eq(dev_open_image(scratch.path, MIB, 0, &sink, &dev),
		     -EINVAL);
	assert_said(&said, "behind the end");
	scratch_fini(&scratch);
	free(bytes);
	free(b.p);
}
