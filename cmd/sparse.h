/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing to a new file with holes where there are zeros.
 */
#ifndef CMD_SPARSE_H
#define CMD_SPARSE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Write @len_bytes at @at, but for pages of zeros (counted from @at): there
 * the file must be a hole. Returns 0 or a negative errno, not reported. The
 * file is not made longer by a hole at its end.
 */
int sparse_write(int fd, const void *buf, size_t len_bytes, off_t at);

#endif
