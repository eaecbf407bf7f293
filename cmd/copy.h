/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Copies of images: sharing blocks where the filesystem below can, else with
 * holes where there are holes or zeros; what is compressed is unpacked.
 */
#ifndef CMD_COPY_H
#define CMD_COPY_H

#include "cmd/progress.h"

/* Is @from compressed, so that its copy is not? Errors: false. */
bool copy_unpacks(const char *from);

/*
 * Copy the file or block device @from into @fd, a new and empty file called
 * @to. Returns 0, -ECANCELED after a signal, or another negative errno; all
 * are reported. What has been copied by then stays.
 */
int copy_image(const char *from, int fd, const char *to,
	       struct progress *progress);

#endif
