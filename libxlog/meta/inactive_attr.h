/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Removal of the attribute fork of an inode that goes; for inactive.c. */
#ifndef LIBXLOG_META_INACTIVE_ATTR_H
#define LIBXLOG_META_INACTIVE_ATTR_H

#include "libxlog/trans/inode_item.h"

/*
 * Remove the attribute fork of @ip, which has one, with all that is in it: a
 * chain of its own. @ip is not locked. 0 or a negative errno, reported.
 */
int inactive_attr(struct inode *ip) MUST_CHECK;

#endif
