/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Superblocks as mkfs.xfs and Linux wrote them; tests/fixtures/README.md says
 * which. What is in them is what "xfs_db -r -c 'sb N' -c print IMAGE" prints.
 * What Linux would not mount is made by changing one value of a sound one: the
 * checksum is looked at in the bytes, which stay as they are.
 */
#include <criterion/criterion.h>

#include "libxfsfmt/geom.h"
#include "tests/lib/fixture.h"
#include "tests/lib/walktext.h"

enum { SECTOR = 512 };

static uint8_t raw[SECTOR];

static struct xfs_sb load(const char *name)
{
	struct xfs_sb sb;

	fixture_load(name, raw, sizeof(raw));
	xfs_sb_decode(&sb, raw, sizeof(raw), XFS_BE);
	return sb;
}

static const char *v5 = "ag/v5.ag";		/* the superblock of AG 2 */
static const char *v4rt = "sb/v4rt.sb";	/* realtime, external log */
static const char *rtgroups = "sb/rtgroups.sb";

static const char *verify(const struct xfs_sb *sb)
{
	return xfs_sb_verify(sb, raw, sizeof(raw));
}

#define accepts(sb) cr_expect_null(verify(sb), "%s", verify(sb))

/* With @field set to @value, @sb is refused for @reason. */
#define refuses(sb, field, value, reason)				\
	do {								\
		struct xfs_sb bad_ = sb;				\
		const char *why_;					\
									\
		bad_.field = value;					\
		why_ = verify(&bad_);					\
		cr_expect_not_null(why_, #field " = " #value);		\
		if (why_)						\
			cr_expect_str_eq(why_, reason,			\
					 #field " = " #value ": %s",	\
					 why_);				\
	} while (0)

Test(sb_decode, v5)
{
	struct xfs_sb sb = load(v5);

	cr_assert_eq(sb.sb_magicnum, 0x58465342);
	cr_assert_eq(sb.sb_blocksize, 4096);
	cr_assert_eq(sb.sb_dblocks, 32768);
	cr_assert_eq(sb.sb_uuid[0], 0x4f);
	cr_assert_eq(sb.sb_logstart, 16391);
	cr_assert_eq(sb.sb_rootino, UINT64_MAX);
	cr_assert_eq(sb.sb_agblocks, 8192);
	cr_assert_eq(sb.sb_agcount, 4);
	cr_assert_eq(sb.sb_logblocks, 3075);
	cr_assert_eq(sb.sb_versionnum, 0xb4a5);
	cr_assert_eq(sb.sb_inodesize, 512);
	cr_assert_eq(sb.sb_agblklog, 13);
	cr_assert_eq(sb.sb_inprogress, 1);
	cr_assert_eq(sb.sb_imax_pct, 25);
	cr_assert_eq(sb.sb_fdblocks, 29665);
	cr_assert_eq(sb.sb_inoalignmt, 8);
	cr_assert_eq(sb.sb_logsunit, 1);
	cr_assert_eq(sb.sb_features2, 0x18a);
	cr_assert_eq(sb.sb_features_ro_compat, 0xf);
	cr_assert_eq(sb.sb_features_incompat, 0xb);
	/* xfs_db prints the bytes as they stand, and they stand low first */
	cr_assert_eq(sb.sb_crc, 0x443d54a0);
	cr_assert_eq(sb.sb_spino_align, 4);
	cr_assert_eq(xfs_sb_variant(&sb), XFS_SB_V5);
}

Test(sb_decode, v4_with_realtime_and_external_log)
{
	struct xfs_sb sb = load(v4rt);

	cr_assert_eq(sb.sb_rblocks, 12288);
	cr_assert_eq(sb.sb_rextents, 3072);
	cr_assert_eq(sb.sb_rextsize, 4);
	cr_assert_eq(sb.sb_rbmblocks, 1);
	cr_assert_eq(sb.sb_rextslog, 11);
	cr_assert_eq(sb.sb_logstart, 0);
	cr_assert_eq(sb.sb_versionnum, 0xb4a4);
	cr_assert_eq(sb.sb_inodesize, 256);
	cr_assert_eq(sb.sb_rsumino, 130);
	cr_assert_eq(xfs_sb_variant(&sb), 0);
}

/* Values by xfs_db of xfsprogs 7.2. */
Test(sb_decode, realtime_groups)
{
	struct xfs_sb sb = load(rtgroups);

	cr_assert_eq(sb.sb_features_incompat, 0x1eb);
	cr_assert_eq(sb.sb_metadirino, 129);
	cr_assert_eq(sb.sb_rgcount, 4);
	cr_assert_eq(sb.sb_rgextents, 8192);
	cr_assert_eq(sb.sb_rgblklog, 13);
	cr_assert_eq(sb.sb_frextents, 32767);
	cr_assert_eq(xfs_sb_variant(&sb), XFS_SB_V5 | XFS_SB_METADIR);
}

Test(sb_verify, accepts_what_kernels_and_mkfs_wrote)
{
	struct xfs_sb sb = load(v5);

	accepts(&sb);
	sb = load(v4rt);
	accepts(&sb);
	sb = load(rtgroups);
	accepts(&sb);
}

Test(sb_verify, checks_the_checksum_of_v5_only)
{
	struct xfs_sb sb = load(v5);

	raw[300] ^= 1;
	cr_assert_str_eq(verify(&sb), "wrong checksum");
	raw[300] ^= 1;
	/* all of the sector is needed for it */
	cr_assert_str_eq(xfs_sb_verify(&sb, raw, SECTOR - 1),
			 "wrong checksum");
	sb = load(v4rt);
	raw[300] ^= 1;
	accepts(&sb);
}

Test(sb_verify, refuses_other_magics_and_versions)
{
	struct xfs_sb sb = load(v4rt);

	refuses(sb, sb_magicnum, 0x58465343, "bad magic");
	refuses(sb, sb_versionnum, 0xb4a3, "version is neither 4 nor 5");
	refuses(sb, sb_versionnum, 0xb4a6, "version is neither 4 nor 5");
}

Test(sb_verify, refuses_absurd_sizes)
{
	struct xfs_sb sb = load(v4rt);
	const char *block = "block size out of range";
	const char *sector = "sector size out of range";
	const char *inode = "inode size out of range";
	const char *dir = "directory block size out of range";

	refuses(sb, sb_blocklog, 0, block);
	refuses(sb, sb_blocklog, 8, block);
	refuses(sb, sb_blocklog, 17, block);
	refuses(sb, sb_blocklog, 255, block);
	refuses(sb, sb_blocksize, 0, block);
	refuses(sb, sb_blocksize, 4097, block);
	refuses(sb, sb_blocksize, 8192, block);
	refuses(sb, sb_sectlog, 0, sector);
	refuses(sb, sb_sectlog, 16, sector);
	refuses(sb, sb_sectlog, 200, sector);
	refuses(sb, sb_sectsize, 0, sector);
	refuses(sb, sb_inodelog, 7, inode);
	refuses(sb, sb_inodelog, 12, inode);
	refuses(sb, sb_inodesize, 0, inode);
	refuses(sb, sb_inopblock, 15,
		"inodes in a block do not agree with the sizes");
	refuses(sb, sb_inopblog, 64,
		"inodes in a block do not agree with the sizes");
	refuses(sb, sb_dirblklog, 5, dir);
	refuses(sb, sb_dirblklog, 255, dir);
	refuses(sb, sb_logsectlog, 12, "log sector size out of range");
	refuses(sb, sb_logsectsize, 1, "log sector size out of range");
	/* a sector larger than the block */
	sb.sb_sectlog = 13;
	sb.sb_sectsize = 8192;
	cr_expect_str_eq(verify(&sb), sector);
}

Test(sb_verify, refuses_sizes_that_v5_cannot_have)
{
	struct xfs_sb sb = load(v5);

	sb.sb_inodelog = 8;
	sb.sb_inodesize = 256;
	sb.sb_inopblog = 4;
	sb.sb_inopblock = 16;
	cr_expect_str_eq(verify(&sb), "inode size too small for version 5");
	sb.sb_inodelog = 9;
	sb.sb_inodesize = 512;
	sb.sb_blocklog = 9;
	sb.sb_blocksize = 512;
	sb.sb_inopblog = 0;
	sb.sb_inopblock = 1;
	cr_expect_str_eq(verify(&sb), "block size too small for version 5");
	sb = load(v5);
	refuses(sb, sb_versionnum, 0xb0a5,
		"version 5 without a version 2 log");
}

Test(sb_verify, refuses_groups_that_do_not_add_up)
{
	struct xfs_sb sb = load(v5);
	const char *log = "size of the allocation groups does not agree with its logarithm";
	const char *sum = "blocks do not agree with the allocation groups";

	refuses(sb, sb_agcount, 0, "no allocation groups");
	refuses(sb, sb_agblocks, 0, "no allocation groups");
	refuses(sb, sb_agblocks, 63,
		"size of the allocation groups out of range");
	refuses(sb, sb_agblocks, UINT32_MAX,
		"size of the allocation groups out of range");
	refuses(sb, sb_agblocks, 8193, log);
	refuses(sb, sb_agblocks, 4096, log);
	refuses(sb, sb_agblklog, 12, log);
	refuses(sb, sb_agblklog, 14, log);
	refuses(sb, sb_agblklog, 64, log);
	refuses(sb, sb_agblklog, 255, log);
	refuses(sb, sb_agcount, 5, sum);
	refuses(sb, sb_agcount, UINT32_MAX, sum);
	refuses(sb, sb_dblocks, 32769, sum);
	refuses(sb, sb_dblocks, 3 * 8192 + 63, sum);
	refuses(sb, sb_dblocks, 0, sum);
	refuses(sb, sb_dblocks, UINT64_MAX, sum);
	/* a short last group is sound */
	sb.sb_dblocks = 3 * 8192 + 64;
	accepts(&sb);
}

Test(sb_verify, refuses_devices_whose_bytes_cannot_be_counted)
{
	struct xfs_sb sb = load(v4rt);

	/* 2^28 blocks of 4 KiB are 1 TiB; 2^32 such groups overflow 2^63 */
	sb.sb_agblocks = 1 << 28;
	sb.sb_agblklog = 28;
	sb.sb_agcount = UINT32_MAX;
	sb.sb_dblocks = (uint64_t)sb.sb_agcount << 28;
	cr_expect_str_eq(verify(&sb), "more blocks than bytes can be counted");
	sb.sb_agcount = 1 << 20;
	sb.sb_dblocks = (uint64_t)sb.sb_agcount << 28;
	accepts(&sb);
}

Test(sb_verify, refuses_logs_that_cannot_be)
{
	struct xfs_sb sb = load(v5);
	const char *outside = "log lies outside its allocation group";
	const char *unit = "log stripe unit out of range";

	refuses(sb, sb_logblocks, 0, "no log");
	refuses(sb, sb_logblocks, 524289, "log larger than 2 GiB");
	refuses(sb, sb_logblocks, UINT32_MAX, "log larger than 2 GiB");
	refuses(sb, sb_logblocks, 8192, outside);
	refuses(sb, sb_logstart, 4 * 8192, outside);
	refuses(sb, sb_logstart, UINT64_MAX, outside);
	refuses(sb, sb_logstart, 4 * 8192 - 1, outside);
	refuses(sb, sb_logsunit, 512, unit);
	refuses(sb, sb_logsunit, 4097, unit);
	refuses(sb, sb_logsunit, 512 * 1024, unit);
	refuses(sb, sb_logsunit, UINT32_MAX, unit);
	sb.sb_logsunit = 256 * 1024;
	accepts(&sb);
	/* the last group is short, and the log does not fit in it */
	sb.sb_dblocks = 3 * 8192 + 100;
	sb.sb_logstart = 3 * 8192 + 10;
	sb.sb_logblocks = 91;
	cr_expect_str_eq(verify(&sb), outside);
	sb.sb_logblocks = 90;
	accepts(&sb);
	/* version 1 logs have no stripe unit */
	sb = load(v4rt);
	sb.sb_versionnum &= (uint16_t)~XFS_SB_VERSION_LOGV2BIT;
	accepts(&sb);
	sb.sb_logsunit = 4096;
	cr_expect_str_eq(verify(&sb), "stripe unit of a version 1 log");
}

Test(sb_verify, refuses_realtime_devices_that_do_not_add_up)
{
	struct xfs_sb sb = load(v4rt);
	const char *extent = "realtime extent size out of range";
	const char *sum = "realtime extents do not agree with realtime blocks";

	refuses(sb, sb_rextsize, 0, extent);
	refuses(sb, sb_rextsize, 262145, extent);
	refuses(sb, sb_rextsize, UINT32_MAX, extent);
	refuses(sb, sb_rextents, 3071, sum);
	refuses(sb, sb_rblocks, 0, sum);
	refuses(sb, sb_rblocks, UINT64_MAX,
		"more realtime blocks than bytes can be counted");
	sb.sb_rblocks += 3;	/* less than one extent more */
	accepts(&sb);
}

Test(sb_verify, refuses_realtime_groups_that_do_not_add_up)
{
	struct xfs_sb sb = load(rtgroups);
	const char *size = "size of the realtime groups out of range";
	const char *log = "size of the realtime groups does not agree with its logarithm";
	const char *sum = "realtime extents do not agree with their groups";

	refuses(sb, sb_rgextents, 0, size);
	refuses(sb, sb_rgextents, UINT32_MAX, size);
	refuses(sb, sb_rgblklog, 12, log);
	refuses(sb, sb_rgblklog, 32, log);
	refuses(sb, sb_rgblklog, 255, log);
	refuses(sb, sb_rgcount, 0, sum);
	refuses(sb, sb_rgcount, 3, sum);
	refuses(sb, sb_rgcount, 5, sum);
	refuses(sb, sb_rgcount, UINT32_MAX, sum);
	/* no realtime device, no groups */
	sb.sb_rgcount = 0;
	sb.sb_rblocks = sb.sb_rextents = 0;
	sb.sb_rgextents = 0;
	accepts(&sb);
}

/* --- walks --- */

static struct walktext text;

static struct xfs_walk walk(const uint32_t *chunks,
			    const struct xfs_geom *geom)
{
	memset(&text, 0, sizeof(text));
	return (struct xfs_walk){
		.base = raw, .len_bytes = sizeof(raw), .chunks = chunks,
		.geom = geom, .ops = &walktext_ops, .ctx = &text,
	};
}

Test(sb_walk, shows_the_fields_of_the_version)
{
	struct xfs_walk w;

	load(v4rt);
	w = walk(NULL, NULL);
	xfs_sb_walk(&w);
	cr_expect_not_null(strstr(text.text, " sb_bad_features2="));
	cr_expect_null(strstr(text.text, "sb_features_compat"));
	cr_expect_null(strstr(text.text, "sb_meta_uuid"));
	cr_expect_null(strstr(text.text, "sb_rgcount"));
	load(v5);
	w = walk(NULL, NULL);
	xfs_sb_walk(&w);
	cr_expect_not_null(strstr(text.text, " sb_features_incompat=ftype|sparse|bigtime "));
	cr_expect_not_null(strstr(text.text, " sb_meta_uuid="));
	cr_expect_null(strstr(text.text, "sb_rgcount"));
	load(rtgroups);
	w = walk(NULL, NULL);
	xfs_sb_walk(&w);
	cr_expect_not_null(strstr(text.text, " sb_rgcount=4 sb_rgextents=8192 sb_rgblklog=13"));
	cr_expect_null(strstr(text.text, "sb_rtstart"));
}

/* Linux logs the second chunk alone where only counters have changed. */
Test(sb_walk, takes_the_variant_of_a_part_from_the_geometry)
{
	const uint32_t counters[] = { 0x2 };
	struct xfs_geom geom;
	struct xfs_walk w;
	struct xfs_sb sb = load(v5);

	xfs_geom_init(&geom, &sb);
	w = walk(counters, &geom);
	xfs_sb_walk(&w);
	cr_expect_eq(strncmp(text.text, "sb_icount=0 sb_ifree=0 sb_fdblocks=29665 ", 41), 0);
	cr_expect_not_null(strstr(text.text, " sb_pquotino=0 sb_lsn="));
	w = walk(counters, NULL);
	xfs_sb_walk(&w);
	cr_expect_null(strstr(text.text, "sb_pquotino"));
}

/* The last chunk has what only realtime groups and zones need. */
Test(sb_walk, shows_the_end_of_a_part_by_the_features_of_the_filesystem)
{
	const uint32_t third = 0x4;
	struct xfs_geom geom;
	struct xfs_walk w;
	struct xfs_sb sb = load(rtgroups);

	xfs_geom_init(&geom, &sb);
	w = walk(&third, &geom);
	xfs_sb_walk(&w);
	cr_expect_not_null(strstr(text.text, "sb_rgcount=4 sb_rgextents=8192 "));
	cr_expect_null(strstr(text.text, "sb_rtstart"));
	geom.zoned = true;
	w = walk(&third, &geom);
	xfs_sb_walk(&w);
	cr_expect_not_null(strstr(text.text, " sb_rtstart=0 sb_rtreserved=0"));
}
