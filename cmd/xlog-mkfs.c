/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xlog-mkfs: make an XFS filesystem. This file is the story of the tool;
 * mkfs.h has the map of the rest.
 */
#include "cmd/mkfs.h"

/* Not on the stack: it holds the output buffer. */
static struct mkfs mkfs;

int main(int argc, char **argv)
{
	int rc;

	cmd_init("xlog-mkfs");
	mkfs_opts_parse(&mkfs.opts, argc, argv);
	mkfs_values(&mkfs.opts, &mkfs.values);
	rc = mkfs_open(&mkfs);
	if (!rc)
		rc = mkfs_check(&mkfs);
	if (!rc)
		rc = mkfs_plan(&mkfs);
	if (!rc)
		rc = mkfs_show(&mkfs);
	if (!rc && !mkfs.opts.dry_run)
		rc = mkfs_write(&mkfs);
	return mkfs_close(&mkfs, rc);
}
