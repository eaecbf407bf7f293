/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * spoil: lie in one place of an image, and nowhere else. Checksums are made
 * right again, so that what is tried is the check behind them.
 *
 *	spoil fields			names of the superblock's fields, bits each
 *	spoil sb IMAGE FIELD=VALUE...
 *	spoil record FILE START BLOCK CHANGE...
 *	spoil words FILE START BLOCK=VALUE...
 *
 * The log begins at sector START of FILE. A change of the record at BLOCK is
 * h_FIELD=VALUE in its header, OFFSET.oh_FIELD=VALUE in the operation at that
 * offset of its data, or OFFSET.le16=VALUE (le32, le64) in the data, where the
 * cycle numbers over the first words of blocks do not show. "words" sets the
 * first word of blocks as it lies there: their cycle number.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/logrec.h"
#include "libxfsfmt/sb.h"

enum {
	SB_MAX_BYTES = 32768,
	RECORD_MAX_BYTES = XLOG_MAX_RECORD_BYTES +
			   XLOG_MAX_RECORD_BYTES / XLOG_CYCLES_PER_HEADER,
	H_CYCLE_DATA = 44,
	XH_CYCLE_DATA = 4,
};

static const struct xfs_field raw_fields[] = {
	{ .name = "le16", .type = XFS_TYPE_w16, .count = 1 },
	{ .name = "le32", .type = XFS_TYPE_w32, .count = 1 },
	{ .name = "le64", .type = XFS_TYPE_w64, .count = 1 },
	{ .name = NULL },
};

static void fail(const char *why, const char *what)
{
	fprintf(stderr, "spoil: %s: %s\n", what, why);
	exit(1);
}

static uint64_t number(const char *text, const char **end)
{
	char *e;
	uint64_t v = strtoull(text, &e, 0);

	if (e == text || (end ? 0 : *e))
		fail("not a number", text);
	if (end)
		*end = e;
	return v;
}

static const struct xfs_field *field_of(const struct xfs_field *table,
					const char *name, size_t len)
{
	for (; table->name; table++)
		if (strlen(table->name) == len && !memcmp(table->name, name, len))
			return table;
	fail("no such field", name);
	return NULL;
}

/* NAME=VALUE of @table, in the structure at @p; items are little-endian. */
static void set(uint8_t *p, const struct xfs_field *table, const char *change)
{
	const char *eq = strchr(change, '=');
	const struct xfs_field *f;
	uint64_t v;

	if (!eq)
		fail("no value", change);
	f = field_of(table, change, (size_t)(eq - change));
	v = number(eq + 1, NULL);
	p += f->off_bytes;
	switch (f->type) {
	case XFS_TYPE_u8:
		*p = (uint8_t)v;
		break;
	case XFS_TYPE_be16:
		put_be16(p, (uint16_t)v);
		break;
	case XFS_TYPE_be32:
		put_be32(p, (uint32_t)v);
		break;
	case XFS_TYPE_be64:
		put_be64(p, v);
		break;
	case XFS_TYPE_w16:
		put_le16(p, (uint16_t)v);
		break;
	case XFS_TYPE_le32:
	case XFS_TYPE_w32:
		put_le32(p, (uint32_t)v);
		break;
	case XFS_TYPE_w64:
		put_le64(p, v);
		break;
	default:
		fail("not an integer", change);
	}
}

static int open_or_fail(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fail("cannot be opened", path);
	return fd;
}

static void write_or_fail(int fd, const void *buf, size_t len, off_t at)
{
	if (pwrite(fd, buf, len, at) != (ssize_t)len)
		fail("cannot be written", "image");
}

static void list_fields(void)
{
	for (const struct xfs_field *f = xfs_sb_fields; f->name; f++)
		if (f->type != XFS_TYPE_bytes)
			printf("%s %zu\n", f->name, xfs_field_width(f) * 8);
}

static void spoil_sb(const char *path, char **changes)
{
	static uint8_t raw[SB_MAX_BYTES];
	int fd = open_or_fail(path);
	struct xfs_sb sb;
	size_t len;

	if (pread(fd, raw, sizeof(raw), 0) != sizeof(raw))
		fail("too short", path);
	for (; *changes; changes++)
		set(raw, xfs_sb_fields, *changes);
	xfs_sb_decode(&sb, raw, sizeof(raw), XFS_BE);
	/* a reader can only take the checksum over what is said here */
	len = sb.sb_sectsize;
	if (len < BB_SIZE || len > sizeof(raw))
		len = BB_SIZE;
	put_le32(raw + 224, xfs_crc_block(raw, len, 224));
	write_or_fail(fd, raw, len, 0);
	close(fd);
}

/* Where the header keeps the first word of data block @i. */
static uint8_t *kept_word(uint8_t *header, uint32_t i)
{
	uint32_t n = i / XLOG_CYCLES_PER_HEADER;

	return header + n * BB_SIZE + (n ? XH_CYCLE_DATA : H_CYCLE_DATA) +
	       i % XLOG_CYCLES_PER_HEADER * 4;
}

static void change_record(uint8_t *header, uint8_t *data, uint32_t len,
			  const char *change)
{
	const char *name = change;
	uint64_t at;

	if (change[0] == 'h') {
		set(header, xlog_rec_header_fields, change);
		return;
	}
	at = number(change, &name);
	if (*name != '.' || at + 12 > len)
		fail("not in the record", change);
	name++;
	set(data + at, name[0] == 'o' ? xlog_op_header_fields : raw_fields,
	    name);
}

static void spoil_record(const char *path, off_t start, uint32_t block,
			 char **changes)
{
	static uint8_t buf[RECORD_MAX_BYTES];
	static uint8_t stamps[XLOG_MAX_RECORD_BYTES / BB_SIZE][4];
	off_t at = start + (off_t)block * BB_SIZE;
	uint32_t header_bb, data_bb, len;
	int fd = open_or_fail(path);
	struct xlog_rec_head head;
	uint8_t *data;

	if (pread(fd, buf, sizeof(buf), at) < BB_SIZE)
		fail("too short", path);
	xlog_rec_head_decode(&head, buf);
	if (!xlog_is_rec_header(buf) || head.len_bytes > XLOG_MAX_RECORD_BYTES)
		fail("no record there", path);
	header_bb = xlog_rec_header_bb(head.version, head.size_bytes, true);
	data_bb = (head.len_bytes + BB_SIZE - 1) / BB_SIZE;
	data = buf + (size_t)header_bb * BB_SIZE;

	for (uint32_t i = 0; i < data_bb; i++)
		memcpy(stamps[i], data + (size_t)i * BB_SIZE, 4);
	xlog_rec_unpack(buf, header_bb, data, head.len_bytes);
	for (; *changes; changes++)
		change_record(buf, data, head.len_bytes, *changes);
	for (uint32_t i = 0; i < data_bb; i++) {
		memcpy(kept_word(buf, i), data + (size_t)i * BB_SIZE, 4);
		memcpy(data + (size_t)i * BB_SIZE, stamps[i], 4);
	}

	/* as a reader will take it, who believes the header */
	xlog_rec_head_decode(&head, buf);
	header_bb = xlog_rec_header_bb(head.version, head.size_bytes, true);
	len = head.len_bytes;
	if (header_bb > XLOG_MAX_RECORD_BYTES / XLOG_HEADER_SPAN_BYTES)
		header_bb = XLOG_MAX_RECORD_BYTES / XLOG_HEADER_SPAN_BYTES;
	if (len > XLOG_MAX_RECORD_BYTES)
		len = XLOG_MAX_RECORD_BYTES;
	put_le32(buf + 32, xlog_rec_crc(buf, XLOG_HEADER_CRC_BYTES, header_bb,
					buf + (size_t)header_bb * BB_SIZE, len,
					true));
	write_or_fail(fd, buf, (size_t)(data - buf) + (size_t)data_bb * BB_SIZE,
		      at);
	close(fd);
}

static void spoil_words(const char *path, off_t start, char **changes)
{
	int fd = open_or_fail(path);

	for (; *changes; changes++) {
		const char *eq;
		uint64_t block = number(*changes, &eq);
		uint8_t word[4];

		if (*eq != '=')
			fail("no value", *changes);
		put_be32(word, (uint32_t)number(eq + 1, NULL));
		write_or_fail(fd, word, sizeof(word),
			      start + (off_t)block * BB_SIZE);
	}
	close(fd);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 2 && !strcmp(what, "fields")) {
		list_fields();
	} else if (argc > 3 && !strcmp(what, "sb")) {
		spoil_sb(argv[2], argv + 3);
	} else if (argc > 5 && !strcmp(what, "record")) {
		spoil_record(argv[2], (off_t)number(argv[3], NULL) * BB_SIZE,
			     (uint32_t)number(argv[4], NULL), argv + 5);
	} else if (argc > 4 && !strcmp(what, "words")) {
		spoil_words(argv[2], (off_t)number(argv[3], NULL) * BB_SIZE,
			    argv + 4);
	} else {
		fprintf(stderr, "usage: spoil fields|sb|record|words ...\n");
		return 1;
	}
	return 0;
}
