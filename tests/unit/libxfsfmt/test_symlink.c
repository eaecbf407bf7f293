/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Remote targets of symbolic links as Linux wrote them, and what "xfs_db -r -c
 * 'fsblock N' -c 'type symlink' -c print" prints of them.
 */
#include <criterion/criterion.h>

#include "libxfsfmt/geom.h"
#include "libxfsfmt/symlink.h"
#include "tests/lib/fixture.h"
#include "tests/lib/garbage.h"
#include "tests/lib/walktext.h"

static const struct xfs_geom v5 = { .v5 = true }, v4 = { .v5 = false };

static uint8_t block[4096];
static struct walktext out;

static void show(const char *name, const struct xfs_geom *geom,
		 const uint32_t *chunks)
{
	struct xfs_walk w = {
		.base = block, .len_bytes = sizeof(block), .chunks = chunks,
		.geom = geom, .ops = &walktext_ops, .ctx = &out,
	};

	fixture_load(name, block, sizeof(block));
	memset(&out, 0, sizeof(out));
	xfs_symlink_walk(&w);
}

Test(symlink_walk, shows_header_and_target)
{
	static const char hdr[] = "hdr{sl_magic=0x58534c4d sl_offset=0 "
		"sl_bytes=675 sl_crc=0x83c478ca "
		"sl_uuid=2bee5f1a889f46f7b929ee9d1da9b455 sl_owner=66139 "
		"sl_blkno=49672 sl_lsn=4294969233} target=ssss";

	show("symlink/v5.block", &v5, NULL);
	cr_assert_eq(strncmp(out.text, hdr, sizeof(hdr) - 1), 0, "%s",
		     out.text);
	cr_assert_eq(out.len, sizeof(hdr) - 1 - 4 + 675);
}

Test(symlink_walk, shows_a_bare_target)
{
	show("symlink/v4.block", &v4, NULL);
	/* core.size of its inode, 137, is 824 */
	cr_assert_eq(out.len, strlen("target=") + 824);
	cr_assert_eq(strspn(out.text + 7, "s"), 824);
}

Test(symlink_walk, shows_what_is_there)
{
	const uint32_t first_two = 3;

	show("symlink/v4.block", &v4, &first_two);
	cr_assert_eq(out.len, strlen("target=") + 256);
}

Test(symlink_walk, survives_garbage)
{
	fixture_load("symlink/v5.block", block, sizeof(block));
	garbage_all(xfs_symlink_walk, block, sizeof(block), &v5);
	garbage_all(xfs_symlink_walk, block, 1024, NULL);
	fixture_load("symlink/v4.block", block, sizeof(block));
	garbage_all(xfs_symlink_walk, block, sizeof(block), &v4);
}

static const char *why(size_t off, uint8_t value)
{
	fixture_load("symlink/v5.block", block, sizeof(block));
	block[off] = value;
	return xfs_symlink_verify(block, sizeof(block), &v5);
}

Test(symlink_verify, judges)
{
	cr_assert_null(why(12, 0));
	cr_assert_str_eq(why(0, 'Y'),
			 "bad magic number of a symbolic link block");
	cr_assert_str_eq(why(8, 1),
			 "symbolic link block with a bad length");
	cr_assert_str_eq(why(6, 4), "symbolic link target too long");
	cr_assert_str_eq(why(5, 1), "symbolic link target too long");
	cr_assert_str_eq(xfs_symlink_verify(block, 55, &v5),
			 "symbolic link block shorter than its header");
	memset(block + 32, 0, 8);
	block[5] = 0;
	cr_assert_str_eq(xfs_symlink_verify(block, sizeof(block), &v5),
			 "symbolic link block without an owner");
}

Test(symlink_verify, has_nothing_to_say_of_version_4)
{
	fixture_load("symlink/v4.block", block, sizeof(block));
	cr_assert_null(xfs_symlink_verify(block, sizeof(block), &v4));
}
