/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files beside copies of logs; see sidecar.h.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/sidecar.h"

enum {
	/* far more than the largest sector takes in hexadecimal */
	SIDECAR_MAX_BYTES = 1 << 20,
	SUPERBLOCK_MIN_BYTES = 512,
	SUPERBLOCK_MAX_BYTES = 65536,
};

void sidecar_write(struct jl *j, const struct xlog_info *info,
		   const char *device)
{
	jl_begin(j, "xlog-copy");
	jl_str(j, "schema", "xlog");
	jl_uint(j, "version", 1);
	jl_str(j, "toolversion", XLOG_VERSION);
	jl_str(j, "device", device);
	jl_uuid(j, "uuid", info->uuid);
	jl_uint(j, "sbversion", info->sb_version);
	jl_uint(j, "logversion", info->log_version);
	jl_bool(j, "internal", info->internal);
	jl_uint(j, "daddr", info->log_daddr);
	jl_uint(j, "bbs", info->log_size_bb);
	jl_uint(j, "blocksize", info->block_bytes);
	jl_uint(j, "logsectsize", info->log_sector_bytes);
	jl_uint(j, "logsunit", info->log_sunit_bytes);
	if (info->superblock)
		jl_dump(j, "superblock", info->superblock,
			  info->superblock_bytes);
	else
		jl_null(j, "superblock");
	jl_end(j);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* @len hexadecimal digits into @side. Returns NULL or why not. */
static const char *decode(struct sidecar *side, const char *hex, size_t len)
{
	size_t n = len / 2;

	if (len % 2 || n < SUPERBLOCK_MIN_BYTES || n > SUPERBLOCK_MAX_BYTES)
		return "superblock of an impossible length";
	side->superblock = malloc(n);
	if (!side->superblock)
		return "out of memory";
	side->superblock_bytes = n;
	for (size_t i = 0; i < n; i++) {
		int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return "superblock is not in hexadecimal";
		side->superblock[i] = (uint8_t)(high << 4 | low);
	}
	return NULL;
}

static const char *parse(struct sidecar *side, const char *text)
{
	struct json_object *top = json_tokener_parse(text), *v;
	const char *why = NULL;

	if (!top || !json_object_is_type(top, json_type_object))
		why = "not a JSON object";
	else if (!json_object_object_get_ex(top, "type", &v) ||
		 !json_object_is_type(v, json_type_string) ||
		 strcmp(json_object_get_string(v), "xlog-copy"))
		why = "not written by xlog-print";
	else if (!json_object_object_get_ex(top, "version", &v) ||
		 json_object_get_int64(v) != 1)
		why = "of an unknown version";
	else if (json_object_object_get_ex(top, "superblock", &v) &&
		 json_object_is_type(v, json_type_string))
		why = decode(side, json_object_get_string(v),
			     (size_t)json_object_get_string_len(v));
	json_object_put(top);
	return why;
}

/*
 * Is there no such file, by @error of opening it? A folder that may not be
 * searched hides the log as well: opening that has the better message.
 */
static bool is_absent(const char *name, int error)
{
	return error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG ||
	       (error == EACCES && access(name, F_OK));
}

/* 1: read, 0: no such file, or a negative errno that has been reported. */
static int read_file(const char *name, struct sidecar *side)
{
	const char *why;
	size_t n = 0;
	char *text;
	FILE *f;

	f = fopen(name, "re");
	if (!f && is_absent(name, errno))
		return 0;
	text = f ? malloc(SIDECAR_MAX_BYTES) : NULL;
	if (text)
		n = fread(text, 1, SIDECAR_MAX_BYTES, f);
	if (!text || ferror(f)) {
		int rc = -errno;

		cmd_message("%s: %s", name, strerror(errno));
		free(text);
		if (f)
			fclose(f);
		return rc;
	}
	fclose(f);
	if (n == SIDECAR_MAX_BYTES) {
		why = "too large";
	} else {
		text[n] = '\0';
		why = parse(side, text);
	}
	free(text);
	if (!why)
		return 1;
	cmd_message("%s: %s", name, why);
	sidecar_free(side);
	return -EUCLEAN;
}

int sidecar_read(const char *path, struct sidecar *side)
{
	size_t len = strlen(path), cut = len;
	char *name;
	int rc;

	*side = (struct sidecar){ .superblock = NULL };
	name = malloc(len + sizeof(SIDECAR_SUFFIX));
	if (!name)
		return -ENOMEM;
	memcpy(name, path, len);
	memcpy(name + len, SIDECAR_SUFFIX, sizeof(SIDECAR_SUFFIX));
	rc = read_file(name, side);
	if (len > 4 && !strcmp(path + len - 4, ".zst"))
		cut = len - 4;
	if (!rc && cut != len) {
		memcpy(name + cut, SIDECAR_SUFFIX, sizeof(SIDECAR_SUFFIX));
		rc = read_file(name, side);
	}
	free(name);
	return rc < 0 ? rc : 0;
}

void sidecar_free(struct sidecar *side)
{
	free(side->superblock);
	*side = (struct sidecar){ .superblock = NULL };
}
