/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON lines: strings of any bytes, groups and arrays of a walk.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/json.h"

static struct out out;
static struct out_memory memory;
static struct jl j;

static void setup(void)
{
	out_into(&out, &memory);
	jl_init(&j, &out, false);
	jl_begin(&j, "t");
}

/* The line is {"type":"t" and @rest. */
static void says(const char *rest)
{
	char want[1024], got[1024];

	jl_end(&j);
	out_flush(&out);
	snprintf(want, sizeof(want), "{\"type\":\"t\"%s}\n", rest);
	snprintf(got, sizeof(got), "%.*s", (int)memory.used, memory.data);
	cr_expect_str_eq(got, want);
	free(memory.data);
}

TestSuite(jl_bytes, .init = setup);
TestSuite(jl_walk, .init = setup);
TestSuite(jl_flags, .init = setup);

Test(jl_bytes, escapes_what_must_be)
{
	jl_bytes(&j, "k", "a\"\\\n\t\x01\x7f/", 8);
	says(",\"k\":\"a\\\"\\\\\\n\\t\\u0001\\u007f/\"");
}

Test(jl_bytes, keeps_a_zero_byte)
{
	jl_bytes(&j, "k", "a\0b", 3);
	says(",\"k\":\"a\\u0000b\"");
}

Test(jl_bytes, leaves_utf8_alone)
{
	jl_bytes(&j, "k", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9);
	says(",\"k\":\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

Test(jl_bytes, names_other_bytes_in_base64)
{
	jl_bytes(&j, "k", "\xff\xfe", 2);
	jl_bytes(&j, "l", "a\x80" "b", 3);	/* a lonely continuation */
	jl_bytes(&j, "m", "\xc0\xaf", 2);	/* overlong */
	jl_bytes(&j, "n", "\xed\xa0\x80", 3);	/* a surrogate */
	jl_bytes(&j, "o", "\xf4\x90\x80\x80", 4); /* above U+10FFFF */
	jl_bytes(&j, "p", "\xe2\x82", 2);	/* cut short */
	says(",\"k_b64\":\"//4=\",\"l_b64\":\"YYBi\",\"m_b64\":\"wK8=\""
	     ",\"n_b64\":\"7aCA\",\"o_b64\":\"9JCAgA==\",\"p_b64\":\"4oI=\"");
}

Test(jl_flags, names_the_bits_and_shows_the_others)
{
	static const struct xfs_name names[] = {
		{ 1, "one" }, { 4, "four" }, { .name = NULL },
	};

	jl_flags(&j, "none", names, 0);
	jl_flags(&j, "known", names, 5);
	jl_flags(&j, "other", names, 0x1004);
	says(",\"none\":[],\"known\":[\"one\",\"four\"],"
	     "\"other\":[\"four\",\"0x1000\"]");
}

Test(jl_walk, makes_objects_of_groups_and_arrays_of_elements)
{
	static const char recs[] = "recs", keys[] = "keys";
	const struct xfs_walk_ops *ops = &jl_walk_ops;

	ops->enter(&j, "hdr", -1);
	ops->value(&j, "level", XFS_KIND_UINT, 0);
	ops->leave(&j);
	for (long i = 1; i < 4; i += 2) {
		ops->enter(&j, recs, i);
		ops->value(&j, "v", XFS_KIND_UINT, (uint64_t)i);
		ops->leave(&j);
	}
	ops->enter(&j, keys, 0);
	ops->leave(&j);
	ops->value(&j, "last", XFS_KIND_LSN, UINT64_MAX);
	says(",\"hdr\":{\"level\":0},\"recs\":[{\"index\":1,\"v\":1},"
	     "{\"index\":3,\"v\":3}],\"keys\":[{\"index\":0}],\"last\":null");
}

Test(jl_walk, leaves_elements_out_where_only_heads_are_wanted)
{
	const struct xfs_walk_ops *ops = &jl_walk_ops;

	j.heads_only = true;
	ops->enter(&j, "recs", 1);
	ops->enter(&j, "inner", -1);
	ops->value(&j, "v", XFS_KIND_UINT, 1);
	ops->leave(&j);
	ops->leave(&j);
	ops->value(&j, "w", XFS_KIND_UINT, 2);
	says(",\"w\":2");
}

Test(jl_walk, shows_values_by_their_kind)
{
	const struct xfs_walk_ops *ops = &jl_walk_ops;

	ops->value(&j, "crc", XFS_KIND_CRC, 0x1f);
	ops->value(&j, "lsn", XFS_KIND_LSN, UINT64_C(3) << 32 | 128);
	ops->value(&j, "ino", XFS_KIND_INO, UINT64_MAX);
	ops->value(&j, "agino", XFS_KIND_AGINO, UINT32_MAX);
	ops->value(&j, "big", XFS_KIND_UINT, UINT64_MAX);
	ops->value(&j, "small", XFS_KIND_SINT, (uint64_t)-5);
	ops->value(&j, "yes", XFS_KIND_BOOL, 1);
	ops->value(&j, "time", XFS_KIND_BIGTIME, 0);
	ops->bytes(&j, "raw", XFS_KIND_BYTES, "\x00\x01", 2);
	says(",\"crc\":\"0x000000000000001f\",\"lsn\":\"3:128\",\"ino\":null,"
	     "\"agino\":null,\"big\":18446744073709551615,\"small\":-5,"
	     "\"yes\":true,\"time\":\"1901-12-13T20:45:52.000000000Z\","
	     "\"raw_b64\":\"AAE=\"");
}
