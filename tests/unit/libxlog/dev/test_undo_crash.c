/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Power fails while devices are written with an undo journal. The journal on
 * disk is then what it was at its last flush, and of what was written since,
 * some sectors; the device likewise. Whatever is left, putting back must make
 * the device what it was before.
 */
#include <errno.h>
#include <sys/syscall.h>

#include "tests/lib/undorig.h"

enum { SECTOR = 512, VARIANTS = 6 };

static struct rig rig;
static struct rig crashed;	/* what is left, in other files */
static uint8_t *durable;	/* the journal at its last flush */
static size_t durable_len;
static uint8_t *flushed;	/* the device at its last flush */
static uint64_t seed = 1;
static bool on;
static unsigned int crashes;

static uint64_t dice(void)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return seed >> 33;
}

/*
 * What was durable, and some sectors of what came later: none, all, or by
 * chance. The size is the new one or the old one, the rest zeros.
 */
static uint8_t *mix(const uint8_t *old, size_t old_len, const uint8_t *new,
		    size_t *len, unsigned int variant)
{
	size_t max = *len > old_len ? *len : old_len;
	uint8_t *out = calloc(1, max + 1);

	cr_assert_not_null(out);
	memcpy(out, old, old_len);
	for (size_t at = 0; at < *len; at += SECTOR) {
		size_t n = *len - at < SECTOR ? *len - at : SECTOR;

		if (variant == 1 || (variant > 1 && dice() % 2))
			memcpy(out + at, new + at, n);
	}
	if (!variant)
		*len = old_len;
	return out;
}

static void crash(void)
{
	size_t undo_len, fs_len;
	uint8_t *undo = rig_load(rig.undo, &undo_len);
	uint8_t *fs = rig_load(rig.to[0].path, &fs_len);

	for (unsigned int v = 0; v < VARIANTS * VARIANTS; v++) {
		size_t len = undo_len, dev_len = fs_len;
		uint8_t *j = mix(durable, durable_len, undo, &len,
				 v / VARIANTS);
		uint8_t *d = mix(flushed, fs_len, fs, &dev_len, v % VARIANTS);

		scratch_file(&crashed.dir, "undo", j, len);
		scratch_file(&crashed.dir, "fs", d, fs_len);
		cr_assert_eq(rig_apply(&crashed), 0, "%s", crashed.said.text);
		cr_assert(rig_is_before(&crashed, 0), "variant %u", v);
		crashes++;
		free(j);
		free(d);
	}
	free(undo);
	free(fs);
}

/* In front of libc's. */
int fdatasync(int fd)
{
	struct stat st, undo;
	int rc;

	cr_assert_eq(fstat(fd, &st), 0);
	if (!on || stat(rig.undo, &undo) || st.st_ino != undo.st_ino)
		return (int)syscall(SYS_fdatasync, fd);
	crash();
	rc = (int)syscall(SYS_fdatasync, fd);
	free(durable);
	durable = rig_load(rig.undo, &durable_len);
	crash();
	return rc;
}

static void begin(void)
{
	rig_init(&rig, false);
	rig_init(&crashed, false);
	for (int i = 0; i < 2; i++) {
		struct rig *r = i ? &crashed : &rig;

		free(r->to[0].before);
		r->count = 0;
		rig_add(r, "fs", 65536 + 100);
	}
	rig_open(&rig);
	durable = rig_load(rig.undo, &durable_len);
	flushed = rig_load(rig.to[0].path, &(size_t){ 0 });
	on = true;
}

static void end(void)
{
	rig_close(&rig);
	on = false;
	cr_assert_gt(crashes, 100);
	free(durable);
	free(flushed);
	rig_fini(&rig);
	rig_fini(&crashed);
}

TestSuite(undo_crash, .init = begin, .fini = end, .timeout = 120);

static void flush(void)
{
	cr_assert_eq(dev_flush(rig.to[0].dev), 0);
	free(flushed);
	flushed = rig_load(rig.to[0].path, &(size_t){ 0 });
}

Test(undo_crash, between_single_writes_is_undone)
{
	for (unsigned int i = 0; i < 12; i++) {
		size_t len = SECTOR << dice() % 5;
		uint64_t off = dice() % (65536 / SECTOR) * SECTOR;

		if (len > 65636 - off)
			len = 65636 - off;
		rig_write(&rig, 0, off, (uint8_t)(i + 1), len);
		crash();
		if (i % 4 == 3)
			flush();
	}
}

Test(undo_crash, of_a_superblock_rewritten_again_and_again_is_undone)
{
	for (unsigned int i = 0; i < 5; i++) {
		rig_write(&rig, 0, 0, (uint8_t)(i + 1), SECTOR);
		crash();
		flush();
	}
}

Test(undo_crash, of_a_batch_is_undone)
{
	uint8_t bytes[SECTOR] = { 7 };
	struct dev_io io[12];

	for (size_t i = 0; i < 12; i++)
		io[i] = (struct dev_io){ i * 5120, bytes, SECTOR };
	cr_assert_eq(dev_prepare(rig.to[0].dev, io, 12), 0);
	crash();
	cr_assert_eq(dev_write_batch(rig.to[0].dev, io, 12), 0);
	crash();
	flush();
	crash();
}
