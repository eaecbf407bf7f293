/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The types of log items as the command line, the statistics and the one-line
 * views name them.
 */
#ifndef CMD_PRINT_TYPE_H
#define CMD_PRINT_TYPE_H

#include <stdint.h>

struct item_type {
	uint16_t	type;		/* XFS_LI_* */
	unsigned int	detail;		/* DETAIL_* that expands it */
	const char	*name;		/* option values, JSON */
	const char	*title;		/* head of a line */
	const char	*meaning;	/* one line for --type=list */
};

/* Ends with a NULL name; fewer than 32. */
extern const struct item_type item_types[];

/* Index of @type in item_types, or -1. */
int item_type_index(uint16_t type);

/* Index of the type called @name, or -1. */
int item_type_find(const char *name);

/* The list, on stdout. */
void item_type_list(void);

#endif
