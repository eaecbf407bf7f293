/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xlog-mkfs: make an XFS filesystem, or only its log. This file is the story of
 * the tool; mkfs.h has the map of the rest.
 */
#include "cmd/mkfs.h"

/* Not on the stack: it holds the output buffer. */
static struct mkfs mkfs;

static int make_filesystem(struct mkfs *m)
{
	int rc = mkfs_open(m);

	if (!rc)
		rc = mkfs_check(m);
	if (!rc)
		rc = mkfs_plan(m);
	if (!rc)
		rc = mkfs_show(m);
	if (!rc && !m->opts.dry_run)
		rc = mkfs_write(m);
	return rc;
}

int main(int argc, char **argv)
{
	int rc;

	cmd_init("xlog-mkfs");
	mkfs_opts_parse(&mkfs.opts, argc, argv);
	mkfs_values(&mkfs.opts, &mkfs.values);
	mkfs_begin(&mkfs);
	rc = mkfs.opts.log_only ? mkfs_log_only(&mkfs) :
				  make_filesystem(&mkfs);
	return mkfs_close(&mkfs, rc);
}
