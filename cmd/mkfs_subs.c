/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sub-options of xlog-mkfs; see mkfs_subs.h. Numbers are found when all of
 * them are known: a unit may be the block size, which is given behind it.
 */
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/mkfs_subs.h"

enum {
	FLAG = 1,		/* 0 or 1; by its name alone 1 */
	TEXT = 2,		/* no number */
	SIZE = 4,		/* may have a unit */
	FIXED = 8,		/* but not a block or sector: it is one */
	POWER = 16,		/* of 2 */
	SECTOR_DEFAULT = 512,
	BLOCK_DEFAULT = 4096,
};

#define KIB(n)	((uint64_t)(n) << 10)
#define MIB(n)	((uint64_t)(n) << 20)
#define GIB(n)	((uint64_t)(n) << 30)

struct sub {
	char		section;
	const char	*name;
	unsigned int	kind;
	uint64_t	min, max;
};

/* What is too small or too large for other reasons, the library says. */
static const struct sub subs[SUBS] = {
	[B_SIZE]	= { 'b', "size", SIZE | FIXED | POWER, 512, KIB(64) },
	[S_SIZE]	= { 's', "size", SIZE | FIXED | POWER, 512, KIB(32) },
	[S_SECTSIZE]	= { 's', "sectsize", SIZE | FIXED | POWER, 512,
			    KIB(32) },
	[D_SIZE]	= { 'd', "size", SIZE, MIB(16), INT64_MAX },
	[D_AGCOUNT]	= { 'd', "agcount", 0, 1, UINT32_MAX - 1 },
	[D_AGSIZE]	= { 'd', "agsize", SIZE, MIB(16), GIB(1024) },
	[D_SU]		= { 'd', "su", SIZE, 0, UINT32_MAX },
	[D_SW]		= { 'd', "sw", 0, 0, UINT32_MAX },
	[D_SUNIT]	= { 'd', "sunit", 0, 0, UINT32_MAX },
	[D_SWIDTH]	= { 'd', "swidth", 0, 0, UINT32_MAX },
	[D_NOALIGN]	= { 'd', "noalign", FLAG, 0, 1 },
	[D_FILE]	= { 'd', "file", FLAG, 0, 1 },
	[D_NAME]	= { 'd', "name", TEXT, 0, 0 },
	[I_SIZE]	= { 'i', "size", POWER, 256, KIB(2) },
	[I_MAXPCT]	= { 'i', "maxpct", 0, 0, 100 },
	[I_SPARSE]	= { 'i', "sparse", FLAG, 0, 1 },
	[I_NREXT64]	= { 'i', "nrext64", FLAG, 0, 1 },
	[I_EXCHANGE]	= { 'i', "exchange", FLAG, 0, 1 },
	[N_SIZE]	= { 'n', "size", SIZE | POWER, KIB(4), KIB(64) },
	[N_FTYPE]	= { 'n', "ftype", FLAG, 0, 1 },
	[N_PARENT]	= { 'n', "parent", FLAG, 0, 1 },
	[M_CRC]		= { 'm', "crc", FLAG, 0, 1 },
	[M_FINOBT]	= { 'm', "finobt", FLAG, 0, 1 },
	[M_RMAPBT]	= { 'm', "rmapbt", FLAG, 0, 1 },
	[M_REFLINK]	= { 'm', "reflink", FLAG, 0, 1 },
	[M_BIGTIME]	= { 'm', "bigtime", FLAG, 0, 1 },
	[M_INOBTCOUNT]	= { 'm', "inobtcount", FLAG, 0, 1 },
	[M_UUID]	= { 'm', "uuid", TEXT, 0, 0 },
	[L_SIZE]	= { 'l', "size", SIZE, MIB(2), GIB(2) - MIB(10) },
	[L_VERSION]	= { 'l', "version", 0, 1, 2 },
	[L_SUNIT]	= { 'l', "sunit", 0, 1, 512 },
	[L_SU]		= { 'l', "su", SIZE, 512, KIB(256) },
	[L_LOGDEV]	= { 'l', "logdev", TEXT, 0, 0 },
	[L_INTERNAL]	= { 'l', "internal", FLAG, 0, 1 },
	[L_FILE]	= { 'l', "file", FLAG, 0, 1 },
	[L_NAME]	= { 'l', "name", TEXT, 0, 0 },
	[L_SECTSIZE]	= { 'l', "sectsize", SIZE | FIXED | POWER, 512,
			    KIB(32) },
	[L_AGNUM]	= { 'l', "agnum", 0, 0, UINT32_MAX - 1 },
	[L_LAZY_COUNT]	= { 'l', "lazy-count", FLAG, 0, 1 },
	[L_CYCLE]	= { 'l', "cycle", 0, 1, INT32_MAX },
};

/* Names that mkfs.xfs knows as well: refused by name, never ignored. */
static const struct {
	char		section;
	const char	*names;
	bool		later;
} unsupported[] = {
	{ 'b', "log", false },
	{ 'd', "sectsize sectlog unwritten rtinherit projinherit extszinherit "
	       "cowextsize daxinherit concurrency", false },
	{ 'i', "align attr log perblock projid32bit max_atomic_write", false },
	{ 'l', "sectlog", false },
	{ 'l', "concurrency order", true },
	{ 'm', "autofsck metadir uquota gquota pquota uqnoenforce gqnoenforce "
	       "pqnoenforce", false },
	{ 'n', "log version", false },
	{ 's', "log sectlog", false },
};

static const struct {
	enum mkfs_sub	a, b;
} conflicts[] = {
	{ S_SIZE, S_SECTSIZE },
	{ D_AGCOUNT, D_AGSIZE },
	{ D_SU, D_SUNIT },
	{ D_SU, D_SWIDTH },
	{ D_SW, D_SUNIT },
	{ D_SW, D_SWIDTH },
	{ D_NOALIGN, D_SU },
	{ D_NOALIGN, D_SW },
	{ D_NOALIGN, D_SUNIT },
	{ D_NOALIGN, D_SWIDTH },
	{ L_SU, L_SUNIT },
	{ L_LOGDEV, L_NAME },
	{ L_LOGDEV, L_AGNUM },
	{ L_LOGDEV, L_INTERNAL },
	{ L_NAME, L_AGNUM },
	{ L_NAME, L_INTERNAL },
	{ L_FILE, L_INTERNAL },
	{ L_SECTSIZE, L_INTERNAL },
};

/* What version 4 alone leaves open: there is one value, or none at all. */
static const struct {
	enum mkfs_sub	sub;
	uint64_t	only;
	const char	*why;
} settled[] = {
	{ M_CRC, 1, "-m crc=0 is not supported: version 4 is not made" },
	{ N_FTYPE, 1,
	  "Directory ftype field always enabled on CRC enabled filesystems" },
	{ L_VERSION, 2, "V2 logs always enabled for CRC enabled filesystems" },
	{ L_LAZY_COUNT, 1,
	  "Lazy superblock counters always enabled for CRC enabled "
	  "filesystems" },
};

/* --- names --- */

/* Is @name one of the words of @list? */
static bool is_in(const char *list, const char *name)
{
	size_t len;

	for (const char *word = list; *word; word += len) {
		word += strspn(word, " ");
		len = strcspn(word, " ");
		if (len == strlen(name) && !strncmp(word, name, len))
			return true;
	}
	return false;
}

static enum mkfs_sub find_sub(char section, const char *name)
{
	for (enum mkfs_sub i = 0; i < SUBS; i++)
		if (subs[i].section == section && !strcmp(subs[i].name, name))
			return i;
	for (size_t i = 0; i < sizeof(unsupported) / sizeof(unsupported[0]);
	     i++)
		if (unsupported[i].section == section &&
		    is_in(unsupported[i].names, name))
			cmd_usage("-%c %s is not supported%s", section, name,
				  unsupported[i].later ? " yet" : "");
	cmd_usage("unknown option -%c %s", section, name);
}

void subs_take(struct mkfs_subs *s, char section, char *list)
{
	for (char *name; (name = strsep(&list, ","));) {
		char *value = strchr(name, '=');
		enum mkfs_sub i;

		if (value)
			*value++ = '\0';
		i = find_sub(section, name);
		if (s->text[i])
			cmd_usage("-%c %s option respecified", section, name);
		if (!(subs[i].kind & FLAG) && (!value || !*value))
			cmd_usage("-%c %s option requires a value", section,
				  name);
		s->text[i] = value ? value : "";
	}
}

/* --- values --- */

_Noreturn static void invalid(const struct mkfs_subs *s, enum mkfs_sub i,
			      const char *why)
{
	cmd_usage("Invalid value %s for -%c %s option. %s", s->text[i],
		  subs[i].section, subs[i].name, why);
}

/* A number and the unit that is its last letter: @scale bytes. */
static bool parse_scaled(const char *text, uint64_t scale, uint64_t *bytes)
{
	char digits[32];
	size_t len = strlen(text) - 1;
	uint64_t n;

	if (len >= sizeof(digits))
		return false;
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (!scale || !cmd_parse_u64(digits, &n) || n > UINT64_MAX / scale)
		return false;
	*bytes = n * scale;
	return true;
}

/* @block, @sector: bytes of these units, 0: there are none. */
static bool parse_size(const char *text, uint64_t block, uint64_t sector,
		       uint64_t *bytes)
{
	size_t len = strlen(text);

	/* first without: the last digit of 0x1b is no unit */
	if (!len || cmd_parse_u64(text, bytes))
		return len;
	switch (text[len - 1]) {
	case 'b':
	case 'B':
		return parse_scaled(text, block, bytes);
	case 's':
	case 'S':
		return parse_scaled(text, sector, bytes);
	default:
		return cmd_parse_size(text, bytes);
	}
}

static uint64_t sector_bytes(const struct mkfs_subs *s)
{
	if (s->number[S_SIZE])
		return s->number[S_SIZE];
	return s->number[S_SECTSIZE] ? s->number[S_SECTSIZE] : SECTOR_DEFAULT;
}

static void find_number(struct mkfs_subs *s, enum mkfs_sub i)
{
	const struct sub *sub = &subs[i];
	bool fixed = sub->kind & FIXED;
	uint64_t block = s->number[B_SIZE] ? s->number[B_SIZE] : BLOCK_DEFAULT;
	const char *text = s->text[i];
	uint64_t n;

	if (!text || sub->kind & TEXT)
		return;
	if (sub->kind & FLAG && !*text)
		text = "1";
	if (!parse_size(text, fixed ? 0 : block, fixed ? 0 : sector_bytes(s),
			&n))
		invalid(s, i, "Not a valid value or illegal suffix");
	if (!(sub->kind & SIZE) && !cmd_parse_u64(text, &n))
		invalid(s, i, "Unit suffixes are not allowed.");
	if (n < sub->min)
		invalid(s, i, "Value is too small.");
	if (n > sub->max)
		invalid(s, i, "Value is too large.");
	if (sub->kind & POWER && n & (n - 1))
		invalid(s, i, "Value must be a power of 2.");
	s->number[i] = n;
}

/* --- what goes with what --- */

static void check_conflicts(const struct mkfs_subs *s)
{
	for (size_t i = 0; i < sizeof(conflicts) / sizeof(conflicts[0]); i++) {
		const struct sub *a = &subs[conflicts[i].a];
		const struct sub *b = &subs[conflicts[i].b];

		if (subs_given(s, conflicts[i].a) &&
		    subs_given(s, conflicts[i].b))
			cmd_usage("Cannot specify both -%c %s and -%c %s",
				  a->section, a->name, b->section, b->name);
	}
	if (subs_given(s, D_SU) != subs_given(s, D_SW))
		cmd_usage("both data su and data sw options must be specified");
	if (subs_given(s, D_SUNIT) != subs_given(s, D_SWIDTH))
		cmd_usage("both data sunit and data swidth options must be "
			  "specified");
}

static void check_settled(const struct mkfs_subs *s)
{
	for (size_t i = 0; i < sizeof(settled) / sizeof(settled[0]); i++)
		if (subs_given(s, settled[i].sub) &&
		    s->number[settled[i].sub] != settled[i].only)
			cmd_usage("%s", settled[i].why);
}

void subs_allow(const struct mkfs_subs *s, const enum mkfs_sub *allowed,
		const char *with)
{
	for (enum mkfs_sub i = 0; i < SUBS; i++) {
		const enum mkfs_sub *a = allowed;

		while (*a != SUBS && *a != i)
			a++;
		if (*a == SUBS && subs_given(s, i))
			cmd_usage("-%c %s has no meaning with %s",
				  subs[i].section, subs[i].name, with);
	}
}

void subs_finish(struct mkfs_subs *s)
{
	check_conflicts(s);
	/* in the order of enum mkfs_sub: units come first */
	for (enum mkfs_sub i = 0; i < SUBS; i++)
		find_number(s, i);
	check_settled(s);
}
