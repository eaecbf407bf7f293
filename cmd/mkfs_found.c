/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is on the devices already, and whether it may go. Of each device there
 * is one line that names all of it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/mkfs.h"
#include "cmd/utf8.h"

/* --- looking --- */

static char *copy(const char *text, bool *ok)
{
	char *c = text && *text ? strdup(text) : NULL;

	*ok &= c || !text || !*text;
	return c;
}

/* A failure shows in nfound, which is then not what the library counted. */
static void on_found(void *ctx, const struct xlog_found *what)
{
	struct mkfs *m = ctx;
	struct mkfs_found *more, *f;
	bool ok = true;

	more = realloc(m->found, (m->nfound + 1) * sizeof(*more));
	if (!more)
		return;
	m->found = more;
	f = &more[m->nfound];
	*f = (struct mkfs_found){
		.device = copy(what->device, &ok),
		.type = copy(what->type, &ok),
		.label = copy(what->label, &ok),
		.uuid = copy(what->uuid, &ok),
		.offset_bytes = what->offset_bytes,
		.partitions = what->partitions,
		.dirty = what->dirty, .unsure = what->unsure,
	};
	m->nfound += ok;
}

void mkfs_found_free(struct mkfs *m)
{
	for (size_t i = 0; i < m->nfound; i++) {
		free(m->found[i].device);
		free(m->found[i].type);
		free(m->found[i].label);
		free(m->found[i].uuid);
	}
	free(m->found);
}

/* --- judging --- */

/* A label is anyone's text, and not to talk to the terminal. */
static void clean(char *text)
{
	size_t len = strlen(text);
	unsigned int n;

	for (size_t i = 0; i < len; i += n) {
		const uint8_t *p = (const uint8_t *)text + i;
		/* control characters of one byte, and of two */
		bool control = p[0] < ' ' || p[0] == 0x7f ||
			       (p[0] == 0xc2 && p[1] < 0xa0);

		n = utf8_length(p, len - i);
		if (!n)
			n = 1;
		else if (!control)
			continue;
		memset(text + i, '?', n);
	}
}

/* "ext4 (label PRECIOUS)", behind what is in @text already. */
static void name_one(char *text, size_t size, const struct mkfs_found *f)
{
	size_t used = strlen(text);

	snprintf(text + used, size - used, "%s%s%s%s%s%s", used ? ", " : "",
		 f->type, f->partitions ? " (partition table)" : "",
		 f->label ? " (label " : "", f->label ? f->label : "",
		 f->label ? ")" : "");
	clean(text + used);
}

/* Judge what is on the device of @first: a line if it may not go. */
static bool may_go(struct mkfs *m, const struct mkfs_found *first)
{
	const struct mkfs_found *end = m->found + m->nfound;
	char text[384] = "";
	bool dirty = false, unsure = false;

	for (const struct mkfs_found *f = first; f < end; f++) {
		if (strcmp(f->device, first->device))
			break;
		dirty |= f->dirty;
		unsure |= f->unsure;
		name_one(text, sizeof(text), f);
	}
	if (m->opts.force > (dirty || unsure))
		return true;
	if (dirty)
		cmd_message("%s: contains %s whose log is dirty: mount it, or run xlog-recover, first; use -ff to overwrite",
			    first->device, text);
	else if (unsure)
		cmd_message("%s: contains %s, and whether its log is dirty cannot be seen; use -ff to overwrite",
			    first->device, text);
	else
		cmd_message("%s: contains %s; use -f to overwrite",
			    first->device, text);
	return false;
}

int mkfs_check(struct mkfs *m)
{
	int count = m->log_only ?
		    xlog_log_only_probe(m->log_only, on_found, m) :
		    xlog_format_probe(m->format, on_found, m);
	bool ok = true;

	if (count < 0)
		return count;
	if ((size_t)count != m->nfound) {
		cmd_message("out of memory");
		return -ENOMEM;
	}
	/* those of a device stand together */
	for (size_t i = 0; i < m->nfound; i++)
		if (!i || strcmp(m->found[i].device, m->found[i - 1].device))
			ok &= may_go(m, &m->found[i]);
	if (ok)
		return 0;
	mkfs_show_found(m);
	return -ENOTEMPTY;
}
