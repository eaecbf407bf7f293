/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The file beside a copy of a log: LOG.xlog.json holds the superblock of the
 * filesystem, without which a raw log does not tell its geometry.
 */
#ifndef CMD_SIDECAR_H
#define CMD_SIDECAR_H

#include "cmd/json.h"
#include "libxlog/xlog.h"

#define SIDECAR_SUFFIX	".xlog.json"

struct sidecar {
	uint8_t		*superblock;	/* NULL: there is none */
	size_t		superblock_bytes;
};

/*
 * Read what lies beside the log at @path, or at @path without its ".zst". No
 * such file: success and no superblock. A file that is there and damaged is
 * an error: -EUCLEAN, reported. sidecar_free() is the caller's to call.
 */
int sidecar_read(const char *path, struct sidecar *side);
void sidecar_free(struct sidecar *side);

/* Its one line, for the log with @info of @device. */
void sidecar_write(struct jl *j, const struct xlog_info *info,
		   const char *device);

#endif
