/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What --explain of every tool says of a log and its filesystem.
 */
#ifndef CMD_EXPLAIN_H
#define CMD_EXPLAIN_H

#include "cmd/json.h"
#include "cmd/text.h"
#include "libxfsfmt/sb.h"
#include "libxlog/xlog.h"

/* How head and tail were found, one step of it. @first: with a heading. */
void explain_step(struct out *o, const struct xlog_report *r, bool first);
void explain_step_object(struct jl *j, const struct xlog_report *r);

/* A heading, with an empty line before it; a line. */
void explain_heading(struct text *t, const char *text);
void explain_line(struct text *t, const char *text);

/*
 * Behind the name of the state: tail and head, what the state means, and why
 * Linux would refuse the log.
 */
void explain_bounds(struct text *t, const struct xlog_bounds *bounds);

/*
 * Below the heading of who can do it: features of the filesystem and the
 * kernels that know them; @sb may be NULL. The machines that read its log:
 * @order is "le", "be" or NULL.
 */
void explain_who(struct text *t, const struct xfs_sb *sb, const char *order);

/* The array "features" of the object that is open. */
void explain_features(struct jl *j, const struct xfs_sb *sb);

#endif
