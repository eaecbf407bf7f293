/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The first walk over the log; see plan.c. */
#ifndef LIBXLOG_REPLAY_PLAN_H
#define LIBXLOG_REPLAY_PLAN_H

#include "libxfsfmt/dquot.h"
#include "libxlog/replay/walk.h"

/* sb_qflags: this type of quota is accounted. */
enum {
	XFS_UQUOTA_ACCT = 0x0001,
	XFS_GQUOTA_ACCT = 0x0040,
	XFS_PQUOTA_ACCT = 0x0008,
};

/*
 * Check all of the log and find its targets. Needs the geometry of the disk;
 * leaves that of the superblock as replayed. Errors are reported.
 */
int plan_make(struct replay *r) MUST_CHECK;

#endif
