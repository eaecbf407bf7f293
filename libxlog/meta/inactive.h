/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What becomes of an inode when its last user lets go of it. Without links it
 * is emptied (data, target, attributes) and freed, in several transactions, of
 * which each leaves it so that the rest can be done after a crash. With links
 * it only loses blocks set aside behind its end.
 */
#ifndef LIBXLOG_META_INACTIVE_H
#define LIBXLOG_META_INACTIVE_H

#include "libxlog/trans/inode_item.h"

/*
 * Inactivate @ip: referenced, not locked, in no transaction; without links it
 * is in its unlinked list. Damage that can be found by looking at the inode
 * and its maps is found before anything is changed: -EUCLEAN, reported, and
 * the log lives. Other errors, or those found later, may have shut it down.
 * -EOPNOTSUPP: realtime files.
 */
int inode_inactivate(struct inode *ip) MUST_CHECK;

#endif
