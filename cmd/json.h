/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON lines: one object a line, and the receiver that puts a walk over a
 * structure into the object that is open. Keys are constants of ours and are
 * not escaped. Integers are written exactly; log sequence numbers, magic
 * numbers, checksums and UUIDs are strings; what is no value is null. Bytes
 * that are not UTF-8 go, in base64, to a key with "_b64" behind its name.
 */
#ifndef CMD_JSON_H
#define CMD_JSON_H

#include "cmd/out.h"
#include "libxfsfmt/walk.h"

enum { JSON_DEPTH = 32 };	/* of groups; deeper ones are left out */

struct json {
	struct out	*out;
	bool		comma;		/* something stands before the next key */
	unsigned int	depth;
	unsigned int	deeper;		/* groups that are left out */
	/* by depth: the array that elements of a walk are being added to */
	const char	*array[JSON_DEPTH];
	bool		epoch;		/* times as seconds */
};

void json_init(struct json *j, struct out *out, bool epoch);

/* The line {"type":"TYPE", and its end. */
void json_begin(struct json *j, const char *type);
void json_end(struct json *j);

void json_str(struct json *j, const char *key, const char *value);
void json_bytes(struct json *j, const char *key, const void *p,
		size_t len_bytes);
void json_uint(struct json *j, const char *key, uint64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);
void json_lsn(struct json *j, const char *key, uint64_t lsn);
void json_uuid(struct json *j, const char *key, const uint8_t uuid[16]);
/* "0x1f", with at least @digits digits */
void json_hex(struct json *j, const char *key, uint64_t value,
	      unsigned int digits);
/* bytes in hexadecimal, as a string */
void json_dump(struct json *j, const char *key, const void *p,
	       size_t len_bytes);
void json_base64(struct json *j, const char *key, const void *p,
		 size_t len_bytes);

/* Bits of @value by name; those without one as "0x..". */
void json_flags(struct json *j, const char *key, const struct xfs_name *names,
		uint64_t value);

/* @key NULL: an element of an array. */
void json_open(struct json *j, const char *key, char bracket);
void json_close(struct json *j, char bracket);
/* An element of an array. */
void json_element(struct json *j, uint64_t value);
void json_element_str(struct json *j, const char *value);

/* Receives a walk; the context is the struct json. */
extern const struct xfs_walk_ops json_walk_ops;

#endif
