/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the options and the environment of xlog-mkfs come to.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/mkfs.h"

enum {
	/* mkfs.xfs makes these of DETERMINISTIC_SEED: "SEED" */
	SEED_GENERATION = 0x53454544,
	SUNIT_BYTES = 512,
};

/* Of inodes: 1901-12-13 to 2038-01-19, or with bigtime to 2486-07-02. */
#define TIME_MIN	INT32_MIN
#define TIME_MAX	INT32_MAX
#define TIME_MAX_BIG	16299260424

/* --- UUIDs --- */

static bool parse_digits(const char *text, uint8_t *byte)
{
	unsigned int v = 0;

	for (int i = 0; i < 2; i++) {
		char c = (char)(text[i] | 0x20);

		if (text[i] >= '0' && text[i] <= '9')
			v = v << 4 | (unsigned int)(text[i] - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (unsigned int)(c - 'a' + 10);
		else
			return false;
	}
	*byte = (uint8_t)v;
	return true;
}

/* 8-4-4-4-12 digits; zeros are no UUID. */
static bool parse_uuid(const char *text, uint8_t uuid[16])
{
	uint8_t any = 0;

	if (strlen(text) != 36)
		return false;
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			if (*text++ != '-')
				return false;
		if (!parse_digits(text, &uuid[i]))
			return false;
		any |= uuid[i];
		text += 2;
	}
	return any;
}

/* --- what is the same each time --- */

static bool has_env(const char *name, const char **value)
{
	*value = getenv(name);
	return *value && **value;
}

static void fill_time(struct xlog_format_options *v)
{
	int64_t max = v->bigtime == XLOG_NO ? TIME_MAX : TIME_MAX_BIG;
	const char *text;
	char *end;

	if (!has_env("SOURCE_DATE_EPOCH", &text))
		return;
	errno = 0;
	v->time_sec = strtoll(text, &end, 10);
	if (errno || *end || end == text)
		cmd_usage("SOURCE_DATE_EPOCH: not a valid number: %s", text);
	if (v->time_sec < TIME_MIN || v->time_sec > max)
		cmd_usage("SOURCE_DATE_EPOCH: no time of an inode: %s", text);
	v->flags |= XLOG_FORMAT_TIME;
}

/* Fowler, Noll, Vo: a number of 64 bits for a text. */
static uint64_t hash(uint64_t h, const char *text)
{
	for (; *text; text++)
		h = (h ^ (uint8_t)*text) * 0x100000001b3;
	return h;
}

/*
 * Version 8 of RFC 9562, of what tells one filesystem from another: two that
 * have the same UUID cannot be mounted side by side. Not of the name of a
 * file, which may be a temporary one.
 */
void mkfs_seed_uuid(struct xlog_format_options *v,
		    const struct xlog_geometry *geo)
{
	static const uint8_t none[16];
	uint64_t h = 0xcbf29ce484222325;
	char text[256];

	if (!(v->flags & XLOG_FORMAT_GENERATION) ||
	    memcmp(v->uuid, none, sizeof(none)))
		return;
	snprintf(text, sizeof(text), "%.12s %" PRId64 " %" PRIu64 " %u %u %u",
		 v->label, v->time_sec, geo->blocks, geo->block_bytes,
		 geo->agcount, geo->log_blocks);
	for (int i = 0; i < 16; i++) {
		h = hash(h, text);
		v->uuid[i] = (uint8_t)(h >> 56);
	}
	v->uuid[6] = (uint8_t)(0x80 | (v->uuid[6] & 0x0f));
	v->uuid[8] = (uint8_t)(0x80 | (v->uuid[8] & 0x3f));
}

static void fill_seed(struct xlog_format_options *v)
{
	const char *text;

	if (!has_env("DETERMINISTIC_SEED", &text) || !strcmp(text, "0"))
		return;
	if (strcmp(text, "1"))
		cmd_usage("DETERMINISTIC_SEED: only 1 is supported: %s", text);
	v->generation = SEED_GENERATION;
	v->flags |= XLOG_FORMAT_GENERATION;
}

/* --- options --- */

static enum xlog_choice choice(const struct mkfs_subs *s, enum mkfs_sub sub)
{
	if (!subs_given(s, sub))
		return XLOG_DEFAULT;
	return s->number[sub] ? XLOG_YES : XLOG_NO;
}

static void fill_features(struct xlog_format_options *v,
			  const struct mkfs_subs *s)
{
	v->finobt = choice(s, M_FINOBT);
	v->inobtcount = choice(s, M_INOBTCOUNT);
	v->rmapbt = choice(s, M_RMAPBT);
	v->reflink = choice(s, M_REFLINK);
	v->bigtime = choice(s, M_BIGTIME);
	v->sparse = choice(s, I_SPARSE);
	v->nrext64 = choice(s, I_NREXT64);
	v->exchange = choice(s, I_EXCHANGE);
	v->parent = choice(s, N_PARENT);
}

/* In all of these, 0 is "not given". */
static void fill_sizes(struct xlog_format_options *v,
		       const struct mkfs_subs *s)
{
	const uint64_t *n = s->number;

	v->block_bytes = (uint32_t)n[B_SIZE];
	v->sector_bytes = (uint32_t)(n[S_SIZE] ? n[S_SIZE] : n[S_SECTSIZE]);
	v->data_bytes = n[D_SIZE];
	v->agcount = n[D_AGCOUNT];
	v->agsize_bytes = n[D_AGSIZE];
	v->sunit_bytes = n[D_SU] ? n[D_SU] : n[D_SUNIT] * SUNIT_BYTES;
	v->swidth_bytes = n[D_SU] ? n[D_SU] * n[D_SW] :
				    n[D_SWIDTH] * SUNIT_BYTES;
	v->inode_bytes = (uint32_t)n[I_SIZE];
	v->dirblock_bytes = (uint32_t)n[N_SIZE];
	v->log_bytes = n[L_SIZE];
	v->log_sunit_bytes = n[L_SU] ? n[L_SU] : n[L_SUNIT] * SUNIT_BYTES;
	v->log_sector_bytes = (uint32_t)n[L_SECTSIZE];
	v->log_cycle = (uint32_t)n[L_CYCLE];
}

static void fill_flags(struct xlog_format_options *v,
		       const struct mkfs_opts *o)
{
	const struct mkfs_subs *s = &o->subs;

	if (o->io.expert)
		v->flags |= XLOG_FORMAT_EXPERT;
	if (!o->keep && !o->undo)
		v->flags |= XLOG_FORMAT_DISCARD;
	if (s->number[D_NOALIGN])
		v->flags |= XLOG_FORMAT_NOALIGN;
	if (subs_given(s, I_MAXPCT))
		v->flags |= XLOG_FORMAT_IMAXPCT;
	v->imaxpct = (uint32_t)s->number[I_MAXPCT];
	if (subs_given(s, L_AGNUM))
		v->flags |= XLOG_FORMAT_LOG_AGNUM;
	v->log_agnum = s->number[L_AGNUM];
}

void mkfs_values(const struct mkfs_opts *opts,
		 struct xlog_format_options *values)
{
	const char *uuid = opts->subs.text[M_UUID];

	*values = (struct xlog_format_options){ .flags = 0 };
	fill_sizes(values, &opts->subs);
	fill_features(values, &opts->subs);
	fill_flags(values, opts);
	if (opts->label)
		memcpy(values->label, opts->label, strlen(opts->label));
	if (uuid && !parse_uuid(uuid, values->uuid))
		cmd_usage("Invalid value %s for -m uuid option", uuid);
	fill_time(values);
	fill_seed(values);
}
