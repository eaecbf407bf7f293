/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text: lines with colours, and the receiver that shows a walk over a
 * structure as indented lines. A group is one line, "name  field value ...",
 * folded where it gets too long.
 */
#ifndef CMD_TEXT_H
#define CMD_TEXT_H

#include "cmd/out.h"
#include "libxfsfmt/walk.h"

enum text_colour {
	TEXT_PLAIN,
	TEXT_RED,		/* errors */
	TEXT_YELLOW,		/* dirty */
	TEXT_CYAN,		/* log sequence numbers */
	TEXT_BOLD,
};

enum {
	TEXT_NAMES = 2048,	/* a power of two */
	TEXT_DEPTH = 16,	/* of groups without a field between them */
};

/* How the name of a field is shown. */
struct text_name {
	const char	*name;		/* as in its table; static */
	size_t		len;
	char		text[48];	/* two blanks before it */
};

struct text {
	struct out	*out;
	bool		colour;
	bool		epoch;		/* times as seconds */
	unsigned int	indent;		/* columns, of the outermost group */
	unsigned int	depth;
	bool		open;		/* a line of the walk is unfinished */
	uint8_t		ag_shift;	/* block bits of a filesystem block
					   number; 0: not known */
	bool		heads_only;	/* without elements of arrays */
	unsigned int	skipped;	/* groups around that are left out */
	/* groups that were entered and not shown: perhaps they are empty */
	struct {
		const char *name;
		long	index;
	} wait[TEXT_DEPTH];
	unsigned int	waiting;
	struct text_name names[TEXT_NAMES];
};

void text_init(struct text *t, struct out *out, bool colour, bool epoch);

/* Switch colour; TEXT_PLAIN ends it. Takes no column. */
void text_colour(struct text *t, enum text_colour colour);
void text_lsn(struct text *t, uint64_t lsn);

/* Bits of @value by name, "core,ddata"; others in hexadecimal; "-": none. */
void text_flags(struct text *t, const struct xfs_name *names, uint64_t value);

/*
 * Bytes as a name in quotes: UTF-8 as it is, control characters and others as
 * \n or \x1b.
 */
void text_quoted(struct text *t, const void *p, size_t len_bytes);

/* @len_bytes bytes in hexadecimal, 16 a line, indented by @indent columns. */
void text_dump(struct text *t, const void *p, size_t len_bytes,
	       uint64_t first_offset, unsigned int indent,
	       enum xfs_order order, bool words);

/*
 * Begin to receive a walk at @indent, perhaps without the elements of arrays;
 * end the last line.
 */
void text_walk_begin(struct text *t, unsigned int indent, bool heads_only);
void text_walk_end(struct text *t);

/* Receives a walk; the context is the struct text. */
extern const struct xfs_walk_ops text_walk_ops;

#endif
