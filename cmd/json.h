/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON lines ("jl"): one object a line, and the receiver that puts a walk over a
 * structure into the object that is open. Keys are constants of ours and are
 * not escaped. Integers are written exactly; log sequence numbers, magic
 * numbers, checksums and UUIDs are strings; what is no value is null. Bytes
 * that are not UTF-8 go, in base64, to a key with "_b64" behind its name.
 */
#ifndef CMD_JSON_H
#define CMD_JSON_H

#include "cmd/out.h"
#include "libxfsfmt/walk.h"

enum { JL_DEPTH = 32 };	/* of groups; deeper ones are left out */

struct jl {
	struct out	*out;
	bool		comma;		/* something stands before the next key */
	unsigned int	depth;
	unsigned int	deeper;		/* groups around that are left out */
	bool		heads_only;	/* elements of walks are left out */
	/* by depth: the array that elements of a walk are being added to */
	const char	*array[JL_DEPTH];
	bool		epoch;		/* times as seconds */
};

void jl_init(struct jl *j, struct out *out, bool epoch);

/* The line {"type":"TYPE", and its end. */
void jl_begin(struct jl *j, const char *type);
void jl_end(struct jl *j);

void jl_str(struct jl *j, const char *key, const char *value);
void jl_bytes(struct jl *j, const char *key, const void *p,
		size_t len_bytes);
void jl_uint(struct jl *j, const char *key, uint64_t value);
/* @ns nanoseconds as seconds: 1.2345 */
void jl_seconds(struct jl *j, const char *key, uint64_t ns);
void jl_bool(struct jl *j, const char *key, bool value);
void jl_null(struct jl *j, const char *key);
void jl_lsn(struct jl *j, const char *key, uint64_t lsn);
void jl_uuid(struct jl *j, const char *key, const uint8_t uuid[16]);
/* "0x1f", with at least @digits digits */
void jl_hex(struct jl *j, const char *key, uint64_t value,
	      unsigned int digits);
/* bytes in hexadecimal, as a string */
void jl_dump(struct jl *j, const char *key, const void *p,
	       size_t len_bytes);
void jl_base64(struct jl *j, const char *key, const void *p,
		 size_t len_bytes);

/* Bits of @value by name; those without one as "0x..". */
void jl_flags(struct jl *j, const char *key, const struct xfs_name *names,
		uint64_t value);

/* @key NULL: an element of an array. */
void jl_open(struct jl *j, const char *key, char bracket);
void jl_close(struct jl *j, char bracket);
/* An element of an array. */
void jl_element(struct jl *j, uint64_t value);
void jl_element_str(struct jl *j, const char *value);

/* Receives a walk; the context is the struct jl. */
extern const struct xfs_walk_ops jl_walk_ops;

#endif
