/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signatures on files, made by hand as far as libblkid looks at them.
 */
#include "libxfsfmt/endian.h"
#include "libxlog/dev/probe.h"
#include "tests/lib/memdev.h"
#include "tests/lib/scratch.h"

enum { SIZE = 4 << 20, EXT_MAGIC_OFF = 1024 + 56, EXT_LABEL_OFF = 1024 + 120 };

static struct scratch dir;
static struct reports said;
static uint8_t image[SIZE];
static char seen[512];

static void begin(void)
{
	scratch_init(&dir);
}

static void end(void)
{
	scratch_fini(&dir);
}

TestSuite(dev_probe, .init = begin, .fini = end);

static void put_ext2(uint8_t *at)
{
	at[EXT_MAGIC_OFF] = 0x53;
	at[EXT_MAGIC_OFF + 1] = 0xef;
	memcpy(at + EXT_LABEL_OFF, "PRECIOUS", 8);
}

/* One partition, from sector 2048. */
static void put_partitions(uint8_t *at)
{
	at[446 + 4] = 0x83;
	put_le32(at + 446 + 8, 2048);
	put_le32(at + 446 + 12, 4096);
	put_le16(at + 510, 0xaa55);
}

static struct dev *open_image(void)
{
	struct sink sink = reports_sink(&said);
	const char *path = scratch_file(&dir, "image", image, sizeof(image));
	struct dev *dev;

	cr_assert_eq(dev_open_file(path, 0, &sink, &dev), 0, "%s", said.text);
	return dev;
}

static void see(void *ctx, const struct dev_found *found)
{
	size_t used = strlen(seen);

	cr_assert_eq(ctx, &dir);
	snprintf(seen + used, sizeof(seen) - used, "%s %s %llu %d;",
		 found->type, found->label ? found->label : "-",
		 (unsigned long long)found->off_bytes, found->partitions);
}

Test(dev_probe, finds_nothing_on_zeros)
{
	struct dev *dev = open_image();

	cr_assert_eq(dev_probe(dev, see, &dir), 0);
	cr_assert_str_eq(seen, "");
	dev_close(dev);
}

Test(dev_probe, tells_of_filesystem_and_partitions)
{
	struct dev *dev;

	put_ext2(image);
	dev = open_image();
	cr_assert_eq(dev_probe(dev, see, &dir), 1);
	cr_assert_str_eq(seen, "ext2 PRECIOUS 1080 0;");
	dev_close(dev);
	memset(image, 0, 4096);
	seen[0] = 0;
	put_partitions(image);
	dev = open_image();
	cr_assert_eq(dev_probe(dev, see, &dir), 1);
	cr_assert_str_eq(seen, "dos - 510 1;");
	dev_close(dev);
}

/* Other tools read one as a device: libblkid does not know it. */
Test(dev_probe, tells_of_a_compressed_image)
{
	static const uint8_t magic[] = { 0x28, 0xb5, 0x2f, 0xfd };
	struct dev *dev;

	memcpy(image + SIZE / 2, magic, sizeof(magic));
	dev = open_image();
	cr_assert_eq(dev_probe(dev, see, &dir), 0);
	cr_assert_eq(dev_open_window(dev, SIZE / 2, 0, &dev), 0);
	cr_assert_eq(dev_probe(dev, see, &dir), 1);
	cr_assert_str_eq(seen, "zstd - 0 0;");
	dev_close(dev);
	/* a file all the same that may have more on it */
	seen[0] = 0;
	memcpy(image, magic, sizeof(magic));
	put_ext2(image);
	dev = open_image();
	cr_assert_eq(dev_probe(dev, see, &dir), 2);
	cr_assert_str_eq(seen, "zstd - 0 0;ext2 PRECIOUS 1080 0;");
	dev_close(dev);
}

Test(dev_probe, looks_through_a_window)
{
	struct dev *dev;

	put_ext2(image + SIZE / 2);
	dev = open_image();
	cr_assert_eq(dev_probe(dev, see, &dir), 0);
	cr_assert_eq(dev_open_window(dev, SIZE / 2, 0, &dev), 0);
	cr_assert_eq(dev_probe(dev, see, &dir), 1);
	cr_assert_str_eq(seen, "ext2 PRECIOUS 1080 0;");
	dev_close(dev);
}

Test(dev_probe, refuses_what_is_no_file)
{
	struct sink sink = reports_sink(&said);
	struct dev *dev = memdev_zeros(SIZE, &sink);

	cr_assert_eq(dev_probe(dev, see, &dir), -EOPNOTSUPP);
	assert_said(&said, "cannot detect existing filesystem");
	dev_close(dev);
}

Test(dev_topology, of_memory_is_that_of_a_plain_disk)
{
	struct dev *dev = memdev_zeros(SIZE, NULL);
	struct dev_topology topo;

	dev_topology(dev, &topo);
	cr_assert(topo.sector_bytes == 512 && topo.physical_bytes == 512);
	cr_assert(!topo.sunit_bytes && !topo.swidth_bytes && !topo.misaligned);
	dev_close(dev);
}

static bool is_hole(const char *path)
{
	struct dev *dev, *part;
	bool hole;

	cr_assert_eq(dev_open_file(path, 0, NULL, &dev), 0);
	cr_assert_eq(dev_open_window(dev, 4096, 0, &part), 0);
	hole = dev_is_hole(part);
	dev_close(part);
	return hole;
}

Test(dev_is_hole, is_a_file_without_blocks)
{
	const char *path;
	int fd;

	scratch_init(&dir);
	path = scratch_file(&dir, "sparse", "", 0);
	cr_assert_eq(truncate(path, SIZE), 0);
	cr_expect(is_hole(path));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	cr_assert_eq(pwrite(fd, "x", 1, SIZE - 1), 1);
	cr_expect_not(is_hole(path));
	close(fd);
	scratch_fini(&dir);
}

Test(dev_is_hole, is_not_what_was_only_zeroed)
{
	const char *path;
	int fd;

	scratch_init(&dir);
	path = scratch_file(&dir, "zeroed", image, sizeof(image));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (!fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, SIZE))
		cr_expect_not(is_hole(path));
	close(fd);
	scratch_fini(&dir);
}

Test(dev_is_hole, is_not_known_of_memory)
{
	struct dev *dev = memdev_zeros(SIZE, NULL);

	cr_expect_not(dev_is_hole(dev));
	dev_close(dev);
}
