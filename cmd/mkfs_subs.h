/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sub-options of xlog-mkfs: "-d size=1g,agcount=4". Names, units and what
 * excludes each other are those of mkfs.xfs, and so are the words in which a
 * wrong one is refused. What ends the process here does so with CMD_USAGE.
 */
#ifndef CMD_MKFS_SUBS_H
#define CMD_MKFS_SUBS_H

#include <stdbool.h>
#include <stdint.h>

enum mkfs_sub {
	B_SIZE,
	S_SIZE,
	S_SECTSIZE,
	D_SIZE,
	D_AGCOUNT,
	D_AGSIZE,
	D_SU,
	D_SW,
	D_SUNIT,
	D_SWIDTH,
	D_NOALIGN,
	D_FILE,
	D_NAME,
	I_SIZE,
	I_MAXPCT,
	I_SPARSE,
	I_NREXT64,
	I_EXCHANGE,
	N_SIZE,
	N_FTYPE,
	N_PARENT,
	M_CRC,
	M_FINOBT,
	M_RMAPBT,
	M_REFLINK,
	M_BIGTIME,
	M_INOBTCOUNT,
	M_UUID,
	L_SIZE,
	L_VERSION,
	L_SUNIT,
	L_SU,
	L_LOGDEV,
	L_INTERNAL,
	L_FILE,
	L_NAME,
	L_SECTSIZE,
	L_AGNUM,
	L_LAZY_COUNT,
	L_CYCLE,
	SUBS
};

struct mkfs_subs {
	const char	*text[SUBS];	/* as given; "": by name alone */
	/* of what is a number; sizes in bytes. 0: not given, or 0 */
	uint64_t	number[SUBS];
};

static inline bool subs_given(const struct mkfs_subs *s, enum mkfs_sub sub)
{
	return s->text[sub];
}

/*
 * Take the list @list of sub-options of -@section, which is cut into pieces
 * and has to last as long as @s.
 */
void subs_take(struct mkfs_subs *s, char section, char *list);

/*
 * Refuse all that is given and not in the list @allowed, which ends with SUBS,
 * as having no meaning with the option @with.
 */
void subs_allow(const struct mkfs_subs *s, const enum mkfs_sub *allowed,
		const char *with);

/* That was all: find the numbers, see what excludes each other. */
void subs_finish(struct mkfs_subs *s);

#endif
