/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of reservations and the smallest log, against what xfsprogs 7.2
 * says of filesystems that it made:
 *	xfs_db -r -c logres IMAGE
 *	mkfs.xfs -N -l size=512b OPTIONS IMAGE
 * The tracepoint xfs_trans_resv_calc of Linux 6.18 prints the same tables, and
 * its refusal to mount a log too small the same sizes.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "libxlog/trans/resv.h"

enum {
	PLAIN,			/* defaults of mkfs.xfs 6.1 */
	LARGE_GROUPS,		/* of 1 TiB, with rmapbt and reflink */
	RMAPBT_ALONE,
	PARENT,
	V4_512,			/* version 4, blocks of 512 bytes */
	WIDE_DIRS,		/* blocks of 1 KiB, directory blocks of 64 */
	BLOCK_64K,
	REALTIME,
	RTGROUPS,
	SMALL_GROUPS,		/* of 20 MiB, in blocks of 16 KiB */
	V4_64K,			/* inodes of 256 bytes in blocks of 64 KiB */
	SHAPES,
};

struct shape {
	uint8_t		blocklog, sectlog, inodelog, dirblklog, agblklog;
	uint32_t	agblocks;
	uint16_t	versionnum;
	uint32_t	features2, ro_compat, incompat, rextsize, rblocks,
			logsunit;
	uint32_t	logres[XFS_TR_COUNT];
	uint8_t		count[XFS_TR_COUNT];
	uint32_t	min_blocks;	/* 0: fewer than mkfs.xfs ever takes */
	struct xlog_min_log min;
};

static const struct shape shapes[SHAPES] = {
	[PLAIN] = {
		.blocklog = 12, .sectlog = 9, .inodelog = 9, .dirblklog = 0,
		.agblklog = 16, .agblocks = 65536, .versionnum = 0xb4a5,
		.features2 = 0x18a, .ro_compat = 0xd, .incompat = 0x4b,
		.rextsize = 1, .rblocks = 0, .logsunit = 1,
		.logres = {
			75256, 107904, 308696, 187760, 171376, 194032, 192880,
			112512, 192880, 130808, 2168, 27264, 53496, 760,
			107136, 23288, 13312, 54656, 640, 48504, 4224, 6512,
			232, 79479, 640, 760, 107904
		},
		.count = {
			4, 4, 2, 2, 2, 3, 2, 2, 3, 2, 0, 2, 2, 0, 1, 3, 0, 3,
			0, 2, 0, 0, 1, 4, 1, 0, 4
		},
		.min_blocks = 1566,
		.min = { XFS_TR_ITRUNCATE, 192384, 8, 0 },
	},
	[LARGE_GROUPS] = {
		.blocklog = 12, .sectlog = 12, .inodelog = 9, .dirblklog = 0,
		.agblklog = 28, .agblocks = 268435455, .versionnum = 0xbca5,
		.features2 = 0x18a, .ro_compat = 0xf, .incompat = 0x6b,
		.rextsize = 1, .rblocks = 0, .logsunit = 4096,
		.logres = {
			254968, 461184, 426968, 250480, 253696, 365056, 363904,
			384512, 363904, 402808, 5752, 118272, 149368, 760,
			460416, 26872, 25344, 233088, 4224, 144376, 4224,
			10096, 232, 259191, 4224, 760, 461184
		},
		.count = {
			5, 5, 2, 2, 2, 3, 2, 2, 3, 2, 0, 2, 2, 0, 1, 3, 0, 3,
			0, 2, 0, 0, 1, 5, 1, 0, 5
		},
		.min_blocks = 4140,
		.min = { XFS_TR_ITRUNCATE, 680832, 8, 0 },
	},
	[RMAPBT_ALONE] = {
		.blocklog = 15, .sectlog = 12, .inodelog = 10, .dirblklog = 0,
		.agblklog = 25, .agblocks = 25165824, .versionnum = 0xbca5,
		.features2 = 0x18a, .ro_compat = 0xb, .incompat = 0x49,
		.rextsize = 1, .rblocks = 0, .logsunit = 32768,
		.logres = {
			1133176, 2012544, 1915096, 1027056, 1045760, 1692160,
			1691008, 1728000, 1691008, 1762424, 6264, 506112,
			668408, 1272, 2011776, 170744, 70016, 1008768, 4224,
			634744, 32896, 39792, 232, 1166071, 4224, 1272, 2012544
		},
		.count = {
			4, 4, 2, 2, 2, 3, 2, 2, 3, 2, 0, 2, 2, 0, 1, 3, 0, 3,
			0, 2, 0, 0, 1, 4, 1, 0, 4
		},
		.min_blocks = 783,
		.min = { XFS_TR_ATOMIC_IOEND, 2012544, 4, 0 },
	},
	[PARENT] = {
		.blocklog = 12, .sectlog = 9, .inodelog = 9, .dirblklog = 0,
		.agblklog = 21, .agblocks = 1310720, .versionnum = 0xb4b5,
		.features2 = 0x18a, .ro_compat = 0xf, .incompat = 0xeb,
		.rextsize = 1, .rblocks = 0, .logsunit = 1,
		.logres = {
			193528, 327552, 428160, 247204, 230820, 312612, 311460,
			285696, 311460, 303992, 2168, 82176, 116856, 760,
			326784, 23288, 21760, 164480, 640, 111864, 4224, 6512,
			232, 197751, 640, 760, 327552
		},
		.count = {
			5, 5, 5, 5, 5, 6, 5, 2, 6, 2, 0, 2, 2, 0, 1, 3, 0, 3,
			0, 2, 0, 0, 1, 5, 1, 0, 5
		},
		.min_blocks = 2001,
		.min = { XFS_TR_RENAME, 428160, 5, 0 },
	},
	[V4_512] = {
		.blocklog = 9, .sectlog = 9, .inodelog = 8, .dirblklog = 3,
		.agblklog = 29, .agblocks = 536870912, .versionnum = 0xb4a4,
		.features2 = 0x28a, .ro_compat = 0, .incompat = 0,
		.rextsize = 8, .rblocks = 0, .logsunit = 1,
		.logres = {
			41496, 73088, 138488, 86448, 78256, 71728, 70576,
			68992, 70576, 61336, 1816, 18560, 28440, 408, 72320,
			5016, 3200, 37248, 640, 23448, 640, 2224, 232, 42135,
			640, 408, 73088
		},
		.count = {
			2, 2, 2, 2, 2, 3, 2, 2, 3, 2, 0, 2, 2, 0, 1, 3, 0, 3,
			0, 2, 0, 0, 1, 2, 1, 0, 2
		},
		.min_blocks = 4806,
		.min = { XFS_TR_RENAME, 138488, 2, 0 },
	},
	[WIDE_DIRS] = {
		.blocklog = 10, .sectlog = 9, .inodelog = 9, .dirblklog = 6,
		.agblklog = 20, .agblocks = 1048576, .versionnum = 0xb4a5,
		.features2 = 0x18a, .ro_compat = 0x2, .incompat = 0x6b,
		.rextsize = 4, .rblocks = 0, .logsunit = 1,
		.logres = {
			72568, 121728, 1329368, 698096, 681712, 667504, 666352,
			80640, 666352, 102008, 2168, 30720, 119160, 760,
			120960, 7928, 8704, 61568, 640, 42360, 1152, 3440, 232,
			73719, 640, 760, 121728
		},
		.count = {
			4, 4, 2, 2, 2, 3, 2, 2, 3, 2, 0, 2, 2, 0, 1, 3, 0, 3,
			0, 2, 0, 0, 1, 4, 1, 0, 4
		},
		.min_blocks = 9501,
		.min = { XFS_TR_RENAME, 1329368, 2, 0 },
	},
	[BLOCK_64K] = {
		.blocklog = 16, .sectlog = 9, .inodelog = 11, .dirblklog = 0,
		.agblklog = 24, .agblocks = 16777215, .versionnum = 0xb4a5,
		.features2 = 0x18a, .ro_compat = 0xf, .incompat = 0x6b,
		.rextsize = 1, .rblocks = 0, .logsunit = 1,
		.logres = {
			2040568, 3421056, 4740056, 2500976, 2435440, 3487216,
			3486064, 3023616, 3486064, 3091832, 3704, 855552,
			1251960, 2296, 3420288, 332024, 197632, 1711232, 640,
			1185528, 65664, 71024, 232, 2106231, 640, 2296, 3421056
		},
		.count = {
			5, 5, 2, 2, 2, 3, 2, 2, 3, 2, 0, 2, 2, 0, 1, 3, 0, 3,
			0, 2, 0, 0, 1, 5, 1, 0, 5
		},
		.min_blocks = 2766,
		.min = { XFS_TR_ITRUNCATE, 7360896, 8, 0 },
	},
	[REALTIME] = {
		.blocklog = 12, .sectlog = 9, .inodelog = 9, .dirblklog = 0,
		.agblklog = 16, .agblocks = 65536, .versionnum = 0xb4a5,
		.features2 = 0x18a, .ro_compat = 0x9, .incompat = 0x4b,
		.rextsize = 1, .rblocks = 230400, .logsunit = 1,
		.logres = {
			324472, 603776, 308696, 187760, 171376, 194032, 192880,
			112512, 192880, 130808, 2168, 27264, 53496, 760,
			107136, 23288, 13312, 54656, 640, 48504, 4224, 6512,
			232, 328695, 640, 760, 603776
		},
		.count = {
			2, 2, 2, 2, 2, 3, 2, 2, 3, 2, 0, 2, 2, 0, 1, 3, 0, 3,
			0, 2, 0, 0, 1, 2, 1, 0, 2
		},
		.min_blocks = 1295,
		.min = { XFS_TR_ITRUNCATE, 603776, 2, 0 },
	},
	[RTGROUPS] = {
		.blocklog = 12, .sectlog = 9, .inodelog = 9, .dirblklog = 0,
		.agblklog = 16, .agblocks = 65536, .versionnum = 0xb4b5,
		.features2 = 0x18a, .ro_compat = 0xf, .incompat = 0x1eb,
		.rextsize = 1, .rblocks = 230400, .logsunit = 1,
		.logres = {
			366712, 671360, 428160, 247204, 230820, 283044, 281892,
			201216, 281892, 219512, 2168, 56832, 91512, 760,
			225408, 23288, 21760, 113792, 640, 86520, 4224, 6512,
			232, 370935, 640, 760, 671360
		},
		.count = {
			5, 5, 5, 5, 5, 6, 5, 2, 6, 2, 0, 2, 2, 0, 1, 3, 0, 3,
			0, 2, 0, 0, 1, 5, 1, 0, 5
		},
		.min_blocks = 2907,
		.min = { XFS_TR_ITRUNCATE, 671360, 5, 0 },
	},
	[SMALL_GROUPS] = {
		.blocklog = 14, .sectlog = 9, .inodelog = 9, .dirblklog = 0,
		.agblklog = 11, .agblocks = 1280, .versionnum = 0xb4a5,
		.features2 = 0x18a, .ro_compat = 0, .incompat = 0x6b,
		.rextsize = 1, .rblocks = 0, .logsunit = 1,
		.logres = {
			168568, 138624, 1424600, 745712, 729328, 730480,
			729328, 118656, 729328, 136184, 2168, 34944, 151416,
			760, 137856, 84728, 66688, 150392, 640, 134136, 16512,
			18800, 232, 185079, 640, 760, 138624
		},
		.count = {
			2, 2, 2, 2, 2, 3, 2, 2, 3, 2, 0, 2, 2, 0, 1, 3, 0, 3,
			0, 2, 0, 0, 1, 2, 1, 0, 2
		},
		.min_blocks = 2270,
		.min = { XFS_TR_ATTRSETM, 3885944, 3, 57 },
	},
	[V4_64K] = {
		.blocklog = 16, .sectlog = 9, .inodelog = 8, .dirblklog = 0,
		.agblklog = 18, .agblocks = 262144, .versionnum = 0xb4a4,
		.features2 = 0x28a, .ro_compat = 0, .incompat = 0,
		.rextsize = 1, .rblocks = 0, .logsunit = 1,
		.logres = {
			988056, 1582464, 2892024, 1577904, 1512368, 1513520,
			1512368, 1053696, 1512368, 1054232, 1816, 395904,
			659096, 408, 1581696, 330136, 131968, 791936, 640,
			592664, 65664, 67248, 232, 1053719, 640, 408, 1582464
		},
		.count = {
			2, 2, 2, 2, 2, 3, 2, 2, 3, 2, 0, 2, 2, 0, 1, 3, 0, 3,
			0, 2, 0, 0, 1, 2, 1, 0, 2
		},
		.min_blocks = 0,
		.min = { XFS_TR_RENAME, 2892024, 2, 0 },
	},
};

/* Which have the flag 0x4, in all of them. */
static const bool permanent[XFS_TR_COUNT] = {
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1, 0, 0, 0, 1,
	0, 0, 1,
};

static struct xfs_sb sb_of(const struct shape *s)
{
	return (struct xfs_sb){
		.sb_blocklog = s->blocklog, .sb_blocksize = 1u << s->blocklog,
		.sb_sectlog = s->sectlog,
		.sb_sectsize = (uint16_t)(1u << s->sectlog),
		.sb_inodelog = s->inodelog,
		.sb_inodesize = (uint16_t)(1u << s->inodelog),
		.sb_inopblog = (uint8_t)(s->blocklog - s->inodelog),
		.sb_inopblock = (uint16_t)(1u << (s->blocklog - s->inodelog)),
		.sb_dirblklog = s->dirblklog, .sb_agblklog = s->agblklog,
		.sb_agblocks = s->agblocks, .sb_agcount = 4,
		.sb_dblocks = 4 * (uint64_t)s->agblocks,
		.sb_versionnum = s->versionnum, .sb_features2 = s->features2,
		.sb_features_ro_compat = s->ro_compat,
		.sb_features_incompat = s->incompat,
		.sb_rextsize = s->rextsize, .sb_rblocks = s->rblocks,
		.sb_rextents = s->rblocks / s->rextsize,
		.sb_logsunit = s->logsunit,
	};
}

static struct xfs_levels levels_of(const struct xfs_sb *sb)
{
	struct xfs_levels lv;
	struct xfs_geom g;

	xfs_geom_init(&g, sb);
	xfs_levels_init(&lv, &g);
	return lv;
}

Test(trans_resv, is_what_xfs_db_prints)
{
	for (size_t i = 0; i < SHAPES; i++) {
		struct xfs_sb sb = sb_of(&shapes[i]);
		struct xfs_levels lv = levels_of(&sb);
		struct xfs_trans_resv resv;

		memset(&resv, 0xff, sizeof(resv));
		xfs_trans_resv_init(&resv, &sb, &lv);
		for (size_t t = 0; t < XFS_TR_COUNT; t++) {
			cr_expect_eq(resv.tr[t].logres_bytes,
				     shapes[i].logres[t], "shape %zu %s: %u",
				     i, xfs_tr_names[t],
				     resv.tr[t].logres_bytes);
			cr_expect_eq(resv.tr[t].logcount, shapes[i].count[t],
				     "shape %zu %s: %u times", i,
				     xfs_tr_names[t], resv.tr[t].logcount);
			cr_expect_eq(resv.tr[t].permanent, permanent[t],
				     "shape %zu %s", i, xfs_tr_names[t]);
		}
	}
}

/* Another kernel may have reckoned with other heights. */
Test(trans_resv, goes_by_the_levels_it_is_given)
{
	struct xfs_sb sb = sb_of(&shapes[LARGE_GROUPS]);
	struct xfs_levels lv = levels_of(&sb);
	struct xfs_trans_resv six, five;

	xfs_trans_resv_init(&six, &sb, &lv);
	lv.rmap--;
	xfs_trans_resv_init(&five, &sb, &lv);
	/* two blocks of 4 KiB fewer for each of four extents */
	cr_expect_eq(six.tr[XFS_TR_ITRUNCATE].logres_bytes -
		     five.tr[XFS_TR_ITRUNCATE].logres_bytes, 8 * (4096 + 128));
}

Test(tr_names, are_those_of_the_kernel)
{
	cr_assert_str_eq(xfs_tr_names[XFS_TR_WRITE], "tr_write");
	cr_assert_str_eq(xfs_tr_names[XFS_TR_QM_DQALLOC], "tr_qm_dqalloc");
	cr_assert_str_eq(xfs_tr_names[XFS_TR_ATOMIC_IOEND], "tr_atomic_ioend");
	for (size_t i = 0; i < XFS_TR_COUNT; i++) {
		cr_assert_not_null(xfs_tr_names[i], "%zu", i);
		for (size_t j = 0; j < i; j++)
			cr_assert_str_neq(xfs_tr_names[i], xfs_tr_names[j]);
	}
}

Test(min_log, is_what_mkfs_says)
{
	for (size_t i = 0; i < SHAPES; i++) {
		const struct xlog_min_log *want = &shapes[i].min;
		struct xfs_sb sb = sb_of(&shapes[i]);
		struct xlog_min_log min;
		uint32_t blocks = xlog_min_log_blocks(&sb, &min);

		if (shapes[i].min_blocks)
			cr_expect_eq(blocks, shapes[i].min_blocks,
				     "shape %zu: %u", i, blocks);
		else
			cr_expect_lt(blocks, 512, "shape %zu: %u", i, blocks);
		cr_expect_eq(min.tr, want->tr, "shape %zu: %s", i,
			     xfs_tr_names[min.tr]);
		cr_expect_eq(min.logres_bytes, want->logres_bytes,
			     "shape %zu: %u", i, min.logres_bytes);
		cr_expect_eq(min.logcount, want->logcount, "shape %zu", i);
		cr_expect_eq(min.attr_blocks, want->attr_blocks, "shape %zu",
			     i);
		cr_expect_eq(xlog_min_log_blocks(&sb, NULL), blocks);
	}
}

struct stripe {
	unsigned int	shape;
	uint32_t	su_bytes, min_blocks;
};

static const struct stripe stripes[] = {
	{ PLAIN, 4096, 1230 }, { PLAIN, 32768, 1608 },
	{ PLAIN, 65536, 2064 }, { PLAIN, 262144, 4800 },
	{ LARGE_GROUPS, 32768, 4536 }, { LARGE_GROUPS, 262144, 7680 },
	{ RMAPBT_ALONE, 65536, 816 }, { RMAPBT_ALONE, 262144, 1008 },
	{ PARENT, 4096, 1650 }, { PARENT, 262144, 4032 },
	{ V4_512, 65536, 4224 }, { V4_512, 262144, 12288 },
	{ WIDE_DIRS, 4096, 8040 }, { BLOCK_64K, 65536, 2796 },
	{ REALTIME, 32768, 1056 }, { RTGROUPS, 262144, 4992 },
	{ SMALL_GROUPS, 32768, 2226 }, { SMALL_GROUPS, 262144, 2592 },
};

/* -l su= */
Test(min_log, grows_with_the_stripe_unit)
{
	for (size_t i = 0; i < sizeof(stripes) / sizeof(stripes[0]); i++) {
		struct xfs_sb sb = sb_of(&shapes[stripes[i].shape]);

		sb.sb_logsunit = stripes[i].su_bytes;
		cr_expect_eq(xlog_min_log_blocks(&sb, NULL),
			     stripes[i].min_blocks, "%zu", i);
	}
}

/* -m crc=0 -l version=1: smaller records have smaller headers */
Test(min_log, of_version_1_has_records_of_32_kib)
{
	struct xfs_sb sb = sb_of(&shapes[V4_512]);

	sb.sb_versionnum &= (uint16_t)~XFS_SB_VERSION_LOGV2BIT;
	sb.sb_logsunit = 0;
	cr_assert_eq(xlog_min_log_blocks(&sb, NULL), 4746);
}

/* -m reflink=0 -i nrext64=1, without and with -n parent=1 */
Test(min_log, takes_bytes_for_blocks_but_with_parent_pointers)
{
	struct xfs_sb sb = sb_of(&shapes[PLAIN]);
	struct xlog_min_log min;

	sb.sb_features_ro_compat &= ~(uint32_t)XFS_SB_RO_COMPAT_REFLINK;
	sb.sb_features_incompat |= XFS_SB_INCOMPAT_NREXT64;
	cr_assert_eq(xlog_min_log_blocks(&sb, &min), 4049);
	cr_assert_eq(min.tr, XFS_TR_ATTRSETM);
	/* 23288 and 74 blocks of 21760 */
	cr_assert_eq(min.logres_bytes, 1633528);
	cr_assert_eq(min.attr_blocks, 74);
	sb.sb_features_incompat |= XFS_SB_INCOMPAT_PARENT;
	cr_assert_eq(xlog_min_log_blocks(&sb, &min), 2001);
	cr_assert_eq(min.tr, XFS_TR_RENAME);
	cr_assert_eq(min.attr_blocks, 0);
}

/*
 * -m rmapbt=1,reflink=0: mkfs.xfs 7.2 asks for 783 blocks in either case, 6.13
 * for 512, its least, and 2235. Linux 6.18 does not mount the first of these.
 */
Test(min_log, is_enough_before_and_since_atomic_writes)
{
	struct xfs_sb sb = sb_of(&shapes[RMAPBT_ALONE]);
	struct xlog_min_log min;

	cr_assert_eq(xlog_min_log_blocks(&sb, &min), 783);
	cr_assert_eq(min.tr, XFS_TR_ATOMIC_IOEND);
	sb.sb_features_incompat |= XFS_SB_INCOMPAT_NREXT64;
	cr_assert_eq(xlog_min_log_blocks(&sb, &min), 2235);
	cr_assert_eq(min.tr, XFS_TR_ATTRSETM);
}

/* Whatever xfs_sb_verify() passes: no overflow, and a log can be so large. */
Test(min_log, fits_in_a_log_whatever_the_geometry)
{
	static const uint32_t sunits[] = { 0, 65536, 262144 };

	for (uint32_t n = 0; n < 8 * 4 * 8 * 3 * 16; n++) {
		uint8_t blocklog = (uint8_t)(9 + n % 8);
		uint8_t inodelog = (uint8_t)(8 + n / 8 % 4);
		uint8_t aglog = (uint8_t)(40 - blocklog);
		uint32_t bits = n / (8 * 4 * 8 * 3), blocks;
		bool v5 = blocklog > 9 && inodelog > 8;
		struct shape s = {
			.blocklog = blocklog, .sectlog = 9,
			.inodelog = inodelog, .agblklog = aglog,
			.agblocks = ((uint32_t)1 << (aglog - 1)) + 64,
			.dirblklog = (uint8_t)(n / 32 % 8),
			.versionnum = v5 ? 0xb4a5 : 0xb4a4,
			.logsunit = sunits[n / 256 % 3],
			.ro_compat = v5 ? 1 + (bits & 6) : 0,
			.incompat = v5 ? 3u + (bits & 1 ? 0x20u : 0) +
				    (bits & 8 ? 0x80u : 0) : 0,
			.rextsize = 1, .rblocks = bits & 1 ? 1000000 : 0,
		};
		struct xfs_sb sb;

		if (inodelog > blocklog || s.dirblklog > 16 - blocklog)
			continue;
		sb = sb_of(&s);
		blocks = xlog_min_log_blocks(&sb, NULL);
		cr_assert_gt((uint64_t)blocks << blocklog, 1 << 20, "%u", n);
		cr_assert_lt((uint64_t)blocks << blocklog, 1u << 31, "%u", n);
	}
}
