/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Features and the kernels that know them; see feature.h.
 */
#include "cmd/feature.h"

enum word { VERSIONNUM, FEATURES2, RO_COMPAT, INCOMPAT, LOG_INCOMPAT };

struct row {
	enum word	word;
	uint32_t	bit;
	struct feature	feature;
};

/* Release: the first without a warning that the feature is experimental is
   of no interest here; it is the first that mounts the filesystem. */
static const struct row rows[] = {
	{ VERSIONNUM, XFS_SB_VERSION_ATTRBIT, { "attr", 0, 0 } },
	{ VERSIONNUM, XFS_SB_VERSION_NLINKBIT, { "nlink", 0, 0 } },
	{ VERSIONNUM, XFS_SB_VERSION_QUOTABIT, { "quota", 0, 0 } },
	{ VERSIONNUM, XFS_SB_VERSION_ALIGNBIT, { "align", 0, 0 } },
	{ VERSIONNUM, XFS_SB_VERSION_DALIGNBIT, { "dalign", 0, 0 } },
	{ VERSIONNUM, XFS_SB_VERSION_LOGV2BIT, { "logv2", 0, 0 } },
	{ VERSIONNUM, XFS_SB_VERSION_SECTORBIT, { "sector", 0, 0 } },
	{ VERSIONNUM, XFS_SB_VERSION_EXTFLGBIT, { "extflg", 0, 0 } },
	{ VERSIONNUM, XFS_SB_VERSION_DIRV2BIT, { "dirv2", 0, 0 } },
	{ VERSIONNUM, XFS_SB_VERSION_BORGBIT, { "ascii-ci", 2, 6 } },
	{ FEATURES2, XFS_SB_VERSION2_LAZYSBCOUNTBIT, { "lazy-count", 2, 6 } },
	{ FEATURES2, XFS_SB_VERSION2_ATTR2BIT, { "attr2", 2, 6 } },
	{ FEATURES2, XFS_SB_VERSION2_PROJID32BIT, { "projid32bit", 2, 6 } },
	{ FEATURES2, XFS_SB_VERSION2_FTYPE, { "ftype", 3, 13 } },
	{ INCOMPAT, XFS_SB_INCOMPAT_FTYPE, { "ftype", 3, 10 } },
	{ INCOMPAT, XFS_SB_INCOMPAT_SPINODES, { "sparse", 4, 2 } },
	{ INCOMPAT, XFS_SB_INCOMPAT_META_UUID, { "meta_uuid", 4, 3 } },
	{ RO_COMPAT, XFS_SB_RO_COMPAT_FINOBT, { "finobt", 3, 16 } },
	{ RO_COMPAT, XFS_SB_RO_COMPAT_RMAPBT, { "rmapbt", 4, 8 } },
	{ RO_COMPAT, XFS_SB_RO_COMPAT_REFLINK, { "reflink", 4, 9 } },
	{ RO_COMPAT, XFS_SB_RO_COMPAT_INOBTCNT, { "inobtcount", 5, 10 } },
	{ INCOMPAT, XFS_SB_INCOMPAT_BIGTIME, { "bigtime", 5, 10 } },
	{ INCOMPAT, XFS_SB_INCOMPAT_NEEDSREPAIR, { "needsrepair", 5, 11 } },
	{ INCOMPAT, XFS_SB_INCOMPAT_NREXT64, { "nrext64", 5, 19 } },
	{ INCOMPAT, XFS_SB_INCOMPAT_EXCHRANGE, { "exchange", 6, 10 } },
	{ INCOMPAT, XFS_SB_INCOMPAT_PARENT, { "parent", 6, 10 } },
	{ INCOMPAT, XFS_SB_INCOMPAT_METADIR, { "metadir", 6, 13 } },
	{ INCOMPAT, XFS_SB_INCOMPAT_ZONED, { "zoned", 6, 15 } },
	{ INCOMPAT, XFS_SB_INCOMPAT_ZONE_GAPS, { "zone-gaps", 6, 15 } },
	{ LOG_INCOMPAT, XFS_SB_LOG_INCOMPAT_XATTRS, { "log-xattrs", 5, 19 } },
};

static bool is_v5(const struct xfs_sb *sb)
{
	return (sb->sb_versionnum & XFS_SB_VERSION_MASK) == 5;
}

static uint32_t word_of(const struct xfs_sb *sb, enum word word)
{
	switch (word) {
	case VERSIONNUM:
		return sb->sb_versionnum;
	case FEATURES2:
		return sb->sb_versionnum & XFS_SB_VERSION_MOREBITSBIT ?
		       sb->sb_features2 : 0;
	case RO_COMPAT:
		return is_v5(sb) ? sb->sb_features_ro_compat : 0;
	case INCOMPAT:
		return is_v5(sb) ? sb->sb_features_incompat : 0;
	default:
		return is_v5(sb) ? sb->sb_features_log_incompat : 0;
	}
}

void feature_each(const struct xfs_sb *sb,
		  void (*fn)(void *ctx, const struct feature *f), void *ctx)
{
	static const struct feature crc = { "crc", 3, 10 };

	if (is_v5(sb))
		fn(ctx, &crc);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!(word_of(sb, rows[i].word) & rows[i].bit))
			continue;
		/* version 5 always has what version 4 came to have */
		if (is_v5(sb) && (rows[i].word == VERSIONNUM ||
				  rows[i].word == FEATURES2) &&
		    rows[i].bit != XFS_SB_VERSION_QUOTABIT &&
		    rows[i].bit != XFS_SB_VERSION_BORGBIT)
			continue;
		fn(ctx, &rows[i].feature);
	}
}

struct feature_unknown feature_unknown(const struct xfs_sb *sb)
{
	return (struct feature_unknown){
		.incompat = word_of(sb, INCOMPAT) &
			    ~(uint32_t)XFS_SB_INCOMPAT_ALL,
		.ro_compat = word_of(sb, RO_COMPAT) &
			     ~(uint32_t)XFS_SB_RO_COMPAT_ALL,
		.log_incompat = word_of(sb, LOG_INCOMPAT) &
				~(uint32_t)XFS_SB_LOG_INCOMPAT_ALL,
	};
}
