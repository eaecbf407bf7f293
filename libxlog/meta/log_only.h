/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of --log-only share: log_only_open.c finds out, log_only.c
 * writes.
 */
#ifndef LIBXLOG_META_LOG_ONLY_H
#define LIBXLOG_META_LOG_ONLY_H

#include "libxlog/meta/meta.h"
#include "libxlog/read/read.h"

struct xlog_log_only {
	struct sink	sink;		/* says which device */
	struct named	named;
	struct named	fs_named;	/* for the filesystem of an external log */
	char		*device, *fs;	/* owned; @fs: or NULL */
	struct xlog	*log;		/* with the filesystem, if it is here */
	struct xlog_bounds bounds;	/* of the old log */
	const char	*why;		/* it is neither clean nor dirty */
	struct xlog_log_only_info info;
	bool		writable, wrote;
};

#endif
