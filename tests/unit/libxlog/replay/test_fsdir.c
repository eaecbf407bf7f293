/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names in directories of each form. Directory blocks are two blocks of 4 KiB.
 */
#include "libxfsfmt/dirblock.h"
#include "libxlog/replay/fsread.h"
#include "tests/lib/minifs.h"

enum { DIR = 600, BYTES = 8192 };

static struct minireplay *m;
static struct fsinode in;
static char got[1024];

static void setup(void)
{
	m = mini_new(true, 12);
	m->r.geom.dirblock_bytes = BYTES;
	m->r.geom.ftype = true;
}

static void teardown(void)
{
	mini_free(m);
}

static int note(void *ctx, const uint8_t *name, size_t len, xfs_ino_t ino)
{
	size_t used = strlen(got);

	snprintf(got + used, sizeof(got) - used, "%.*s=%u ", (int)len, name,
		 (unsigned int)ino);
	return ctx && used ? 7 : 0;
}

static void names(const char *want)
{
	got[0] = 0;
	cr_assert_eq(fsread_inode(&m->r, DIR, &in), 0);
	cr_assert_eq(fsread_names(&m->r, &in, note, NULL), 0, "%s",
		     m->said.text);
	cr_expect_str_eq(got, want);
}

static void refuses(const char *why)
{
	cr_assert_eq(fsread_inode(&m->r, DIR, &in), 0);
	cr_expect_eq(fsread_names(&m->r, &in, note, NULL), -EUCLEAN);
	assert_said(&m->said, why);
}

/* A data block with one name, "one"; its halves lie at @first and @second. */
static void data_block(uint32_t magic, uint64_t owner, const char *name,
		       uint32_t ino, uint32_t first, uint32_t second)
{
	uint8_t *p = minifs_raw;
	size_t len = strlen(name), entry = xfs_dir_data_entry_bytes(len, true);

	memset(p, 0, BYTES);
	put_be32(p, magic);
	put_be64(p + XFS_DIR3_BLKNO_OFF, first * 8);
	fs_copy_uuid(m, p + XFS_DIR3_UUID_OFF);
	put_be64(p + XFS_DIR3_OWNER_OFF, owner);
	put_be16(p + 48, (uint16_t)(64 + entry));
	put_be16(p + 50, (uint16_t)(BYTES - 64 - entry));
	put_be64(p + 64, ino);
	p[72] = (uint8_t)len;
	memcpy(p + 73, name, len);
	p[73 + len] = XFS_DIR_FT_REG_FILE;
	put_be16(p + 64 + entry - 2, 64);
	put_be16(p + 64 + entry, 0xffff);
	put_be16(p + 66 + entry, (uint16_t)(BYTES - 64 - entry));
	put_be16(p + BYTES - 2, (uint16_t)(64 + entry));
	put_le32(p + XFS_DIR3_CRC_OFF,
		 xfs_crc_block(p, BYTES, XFS_DIR3_CRC_OFF));
	mini_write(m, first * 8, p, BYTES / 2);
	mini_write(m, second * 8, p + BYTES / 2, BYTES / 2);
}

/* The directory: blocks 50 and 60, then a hole, 52 and 53; behind it hashes. */
static void data_dir(void)
{
	data_block(XFS_DIR3_DATA_MAGIC, DIR, "first", 11, 50, 60);
	data_block(XFS_DIR3_DATA_MAGIC, DIR, "second", 12, 52, 53);
	fs_inode(m, DIR, 0040755);
	put_be64(minifs_raw + 56, 4 * BYTES);
	fs_extent(m, 0, 0, 50, 1);
	fs_extent(m, 1, 1, 60, 1);
	fs_extent(m, 2, 6, 52, 2);
	fs_extent(m, 3, (uint64_t)1 << (35 - 12), 70, 2);
	fs_put_inode(m, DIR);
}

TestSuite(fsread_names, .init = setup, .fini = teardown);

Test(fsread_names, short_form)
{
	static const uint8_t sf[] = {
		2, 0, 0, 0, 2, 0x58,
		3, 0, 0x60, 'a', 'b', 'c', 1, 0, 0, 0, 5,
		1, 0, 0x70, 'z', 2, 0, 0, 1, 0,
	};

	fs_inode(m, DIR, 0040755);
	minifs_raw[5] = XFS_DINODE_FMT_LOCAL;
	put_be64(minifs_raw + 56, sizeof(sf));
	memcpy(minifs_raw + 176, sf, sizeof(sf));
	fs_put_inode(m, DIR);
	names("abc=5 z=256 ");
	put_be64(minifs_raw + 56, sizeof(sf) - 1);
	fs_put_inode(m, DIR);
	cr_assert_eq(fsread_inode(&m->r, DIR, &in), 0);
	cr_expect_eq(fsread_names(&m->r, &in, note, NULL), -EUCLEAN);
	cr_expect_eq(m->said.errors, 1);
}

Test(fsread_names, data_blocks)
{
	data_dir();
	names("first=11 second=12 ");
	got[0] = 0;
	cr_expect_eq(fsread_names(&m->r, &in, note, m), 7);
}

Test(fsread_names, half_a_block)
{
	data_dir();
	fs_inode(m, DIR, 0040755);
	put_be64(minifs_raw + 56, BYTES);
	fs_extent(m, 0, 0, 50, 1);
	fs_put_inode(m, DIR);
	refuses("directory 600: a hole in a block");
	fs_extent(m, 1, 3, 60, 1);
	fs_put_inode(m, DIR);
	refuses("a hole in a block");
}

Test(fsread_names, bad_blocks)
{
	data_dir();
	data_block(XFS_DIR3_DATA_MAGIC, DIR + 1, "first", 11, 50, 60);
	refuses("directory 600: block of another directory");
	data_block(0x12345678, DIR, "first", 11, 50, 60);
	refuses("bad magic number of a block");
	data_block(XFS_DIR3_DATA_MAGIC, DIR, "first", 11, 50, 60);
	memset(minifs_raw, 1, 512);
	mini_write(m, 60 * 8, minifs_raw, 512);
	refuses("bad checksum");
}

Test(fsread_names, not_a_directory)
{
	fs_inode(m, DIR, 0100600);
	fs_put_inode(m, DIR);
	refuses("not a directory");
}

/* The same block again and again, by a file of one extent a block. */
Test(fsread_names, absurdly_large)
{
	unsigned int n = 0;

	m->r.geom.agcount = 1;
	m->r.geom.agblklog = 20;
	m->r.geom.agblocks = 1 << 20;
	m->r.geom.dblocks = 1 << 20;
	m->r.geom.blocklog = 16;
	m->r.geom.blocksize = m->r.geom.dirblock_bytes = 65536;
	fs_inode(m, DIR, 0040755);
	put_be64(minifs_raw + 56, (uint64_t)1 << 30);
	for (n = 0; n < 20; n++)
		fs_extent(m, n, 100 * n, 2, 100);
	memcpy(in.raw, minifs_raw, 512);
	in.ino = DIR;
	xfs_dinode_decode(&in.di, in.raw, 512, XFS_BE);
	for (n = 0; n < 100; n++) {
		uint8_t *p = minifs_raw;

		memset(p, 0, 65536);
		put_be32(p, XFS_DIR3_DATA_MAGIC);
		put_be64(p + XFS_DIR3_BLKNO_OFF, (n + 2) * 128);
		fs_copy_uuid(m, p + XFS_DIR3_UUID_OFF);
		put_be64(p + XFS_DIR3_OWNER_OFF, DIR);
		put_be16(p + 48, 64);
		put_be16(p + 50, 65536 - 64);
		put_be16(p + 64, 0xffff);
		put_be16(p + 66, 65536 - 64);
		put_be16(p + 65534, 64);
		put_le32(p + XFS_DIR3_CRC_OFF,
			 xfs_crc_block(p, 65536, XFS_DIR3_CRC_OFF));
		mini_write(m, (n + 2) * 128, p, 65536);
	}
	cr_expect_eq(fsread_names(&m->r, &in, note, NULL), -EUCLEAN);
	assert_said(&m->said, "too large to be one of metadata files");
}
