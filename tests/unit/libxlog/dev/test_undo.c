/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The undo device: what goes into the journal, when, and when it is durable.
 */
#include <errno.h>

#include "tests/lib/undorig.h"

static struct rig rig;
static unsigned int flushes;	/* of the journal */

/* In front of libc's: who flushes what is what this file is about. */
int fdatasync(int fd)
{
	flushes++;
	return fsync(fd);
}

static void begin(void)
{
	rig_init(&rig, false);
}

static void end(void)
{
	rig_fini(&rig);
}

TestSuite(undo_dev, .init = begin, .fini = end);

/* Granules in the journal. */
static uint64_t saved(uint32_t device)
{
	struct undo_file *f;
	uint64_t n;

	cr_assert_eq(undo_file_open(rig.undo, &rig.sink, &f), 0, "%s",
		     rig.said.text);
	n = undo_file_about(f, device)->saved.count;
	undo_file_close(f);
	return n;
}

Test(undo_dev, passes_reads_and_writes_on)
{
	uint8_t byte;

	rig_open(&rig);
	cr_assert_eq(rig.to[0].dev->size_bytes, RIG_BYTES);
	rig_write(&rig, 0, 8192, 0xee, 512);
	cr_assert_eq(dev_read(rig.to[0].dev, 8192, &byte, 1), 0);
	cr_assert_eq(byte, 0xee);
	cr_assert_eq(dev_read(rig.to[0].dev, 8192 + 512, &byte, 1), 0);
	cr_assert_eq(byte, pattern_at(8192 + 512));
	cr_assert_eq(dev_flush(rig.to[0].dev), 0);
	cr_assert_eq(rig.to[0].watch->flushes, 1);
	rig_close(&rig);
	assert_silent(&rig.said);
}

Test(undo_dev, saves_a_block_once)
{
	rig_open(&rig);
	for (int i = 0; i < 10; i++)
		rig_write(&rig, 0, 8192, (uint8_t)i, 512);
	rig_write(&rig, 0, 8192 + 3584, 1, 512);
	rig_close(&rig);
	cr_assert_eq(saved(0), 1);
}

Test(undo_dev, makes_the_old_contents_durable_before_the_write)
{
	rig_open(&rig);
	flushes = 0;
	rig.to[0].watch->bad_write_start = 8192;
	rig.to[0].watch->bad_write_end = 8192 + 512;
	cr_assert_eq(dev_write(rig.to[0].dev, 8192, "x", 1), -EIO);
	/* the data, and the slot that counts them */
	cr_assert_eq(flushes, 2);
	assert_said(&rig.said, "bad sector");
	rig_close(&rig);
	cr_assert_eq(saved(0), 1);
}

Test(undo_dev, flushes_once_for_all_that_is_announced)
{
	struct dev_io io[100];
	uint8_t sector[512] = { 0 };

	for (size_t i = 0; i < 100; i++)
		io[i] = (struct dev_io){ 8192 * (i + 1), NULL, 512 };
	rig_open(&rig);
	flushes = 0;
	cr_assert_eq(dev_prepare(rig.to[0].dev, io, 100), 0);
	cr_assert_eq(flushes, 2);
	for (size_t i = 0; i < 100; i++)
		cr_assert_eq(dev_write(rig.to[0].dev, io[i].off_bytes, sector,
				       512), 0);
	cr_assert_eq(flushes, 2);
	rig_close(&rig);
	cr_assert_eq(saved(0), 100);
	rig_restores(&rig);
}

Test(undo_dev, flushes_once_for_a_batch_which_then_goes_below_at_once)
{
	uint8_t bytes[20][512];
	struct dev_io io[20];

	for (size_t i = 0; i < 20; i++) {
		memset(bytes[i], (int)i, 512);
		io[i] = (struct dev_io){ 8192 * i, bytes[i], 512 };
	}
	rig_open(&rig);
	flushes = 0;
	cr_assert_eq(dev_write_batch(rig.to[0].dev, io, 20), 0);
	cr_assert_eq(flushes, 2);
	rig_close(&rig);
	cr_assert_not(rig_is_before(&rig, 0));
	cr_assert_eq(saved(0), 20);
	rig_restores(&rig);
}

Test(undo_dev, refuses_to_prepare_what_is_not_on_the_device)
{
	struct dev_io io = { RIG_BYTES - 256, NULL, 512 };

	rig_open(&rig);
	cr_assert_eq(dev_prepare(rig.to[0].dev, &io, 1), -EINVAL);
	rig_close(&rig);
}

Test(undo_dev, is_told_through_a_window)
{
	struct dev_io io = { 512, NULL, 512 };
	struct dev *win;

	rig_open(&rig);
	cr_assert_eq(dev_open_window(rig.to[0].dev, 65536, 8192, &win), 0);
	rig.to[0].dev = win;
	cr_assert_eq(dev_prepare(win, &io, 1), 0);
	flushes = 0;
	rig_write(&rig, 0, 512, 7, 512);
	cr_assert_eq(flushes, 0);
	rig_close(&rig);
	cr_assert_eq(saved(0), 1);
	rig_restores(&rig);
}

Test(undo_dev, saves_what_is_zeroed)
{
	rig_open(&rig);
	cr_assert_eq(dev_zero(rig.to[0].dev, 512, RIG_BYTES / 2), 0);
	rig_close(&rig);
	cr_assert_not(rig_is_before(&rig, 0));
	cr_assert_eq(saved(0), RIG_BYTES / 2 / UNDO_GRANULE + 1);
	rig_restores(&rig);
}

Test(undo_dev, has_no_discard)
{
	rig_open(&rig);
	cr_assert_eq(dev_discard(rig.to[0].dev, 0, 65536), -EOPNOTSUPP);
	rig_close(&rig);
	assert_silent(&rig.said);
}

Test(undo_dev, writes_nothing_any_more_when_it_cannot_save)
{
	rig_open(&rig);
	rig.to[0].watch->bad_read_start = 65536;
	rig.to[0].watch->bad_read_end = 65536 + 512;
	cr_assert_eq(dev_write(rig.to[0].dev, 65536 + 512, "x", 1), -EIO);
	assert_said(&rig.said, "bad sector");
	cr_assert_eq(dev_write(rig.to[0].dev, 4096, "x", 1), -EIO);
	assert_said(&rig.said, "nothing more is written");
	cr_assert_eq(rig.to[0].watch->writes, 0);
	rig_close(&rig);
	cr_assert(rig_is_before(&rig, 0));
}

Test(undo_dev, leaves_no_journal_of_nothing)
{
	rig_open(&rig);
	rig_close(&rig);
	cr_assert_neq(access(rig.undo, F_OK), 0);
	assert_silent(&rig.said);
}

Test(undo_dev, never_overwrites_a_file)
{
	scratch_file(&rig.dir, "undo", "precious", 8);
	cr_assert_eq(rig_try_open(&rig), -EEXIST);
	assert_said(&rig.said, "undo: is there already");
	cr_assert(rig.to[0].dev == &rig.to[0].watch->dev);
	rig_close(&rig);
	cr_assert_eq(access(rig.undo, F_OK), 0);
	unlink(rig.undo);
	cr_assert_eq(symlink("elsewhere", rig.undo), 0);
	cr_assert_eq(rig_try_open(&rig), -EEXIST);
	rig_close(&rig);
}

Test(undo_dev, says_where_it_cannot_be_made)
{
	strncat(rig.undo, "/none", sizeof(rig.undo) - strlen(rig.undo) - 1);
	cr_assert_eq(rig_try_open(&rig), -ENOENT);
	assert_said(&rig.said, "none: cannot be made");
	rig_close(&rig);
}

Test(undo_dev, is_for_its_owner_only)
{
	struct stat st;

	rig_open(&rig);
	rig_write(&rig, 0, 0, 1, 512);
	rig_close(&rig);
	cr_assert_eq(stat(rig.undo, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
}

Test(undo_dev, tells_what_each_device_was)
{
	const struct undo_device *dev;
	struct undo_file *f;
	char *real;

	rig_fini(&rig);
	rig_init(&rig, true);
	rig_open(&rig);
	rig_write(&rig, 0, 0, 1, 512);
	rig_write(&rig, 1, 0, 1, 512);
	rig_close(&rig);
	cr_assert_eq(undo_file_open(rig.undo, &rig.sink, &f), 0);
	cr_assert_eq(undo_file_head(f)->count, 2);
	for (size_t i = 0; i < 2; i++) {
		dev = &undo_file_head(f)->device[i];
		cr_assert_eq(dev->size_bytes, rig.to[i].len);
		cr_assert_eq(dev->role, i ? UNDO_ROLE_LOG : UNDO_ROLE_DATA);
		cr_assert_eq(dev->log_len, i ? rig.to[i].len : 0);
		real = realpath(rig.to[i].path, NULL);
		cr_assert_str_eq(dev->path, real);
		free(real);
		cr_assert(undo_file_about(f, (uint32_t)i)->sealed);
		cr_assert_eq(undo_file_about(f, (uint32_t)i)->identities, 2);
	}
	undo_file_close(f);
	rig_restores(&rig);
}

/* A write to the first sector that makes nothing new of it costs no flush. */
Test(undo_dev, notes_each_look_of_the_first_sector_once)
{
	rig_open(&rig);
	rig_write(&rig, 0, 0, 1, 512);
	flushes = 0;
	rig_write(&rig, 0, 0, 1, 512);
	cr_assert_eq(flushes, 0);
	rig_write(&rig, 0, 0, 2, 4096);
	cr_assert_eq(flushes, 2);
	rig_write(&rig, 0, 0, 1, 100);
	cr_assert_eq(flushes, 4);
	rig_close(&rig);
	rig_restores(&rig);
}

struct writer {
	pthread_t	thread;
	unsigned int	number;
};

enum { WRITERS = 4 };

static void *write_much(void *arg)
{
	const struct writer *w = arg;
	uint8_t sector[512];

	memset(sector, (int)w->number + 1, sizeof(sector));
	/* each its own sectors, all of them in every granule */
	for (uint64_t off = w->number * 512; off < RIG_BYTES;
	     off += WRITERS * 512)
		cr_assert_eq(dev_write(rig.to[0].dev, off, sector, 512), 0);
	return NULL;
}

Test(undo_dev, serves_many_threads)
{
	struct writer w[WRITERS];

	rig_open(&rig);
	for (unsigned int i = 0; i < WRITERS; i++) {
		w[i].number = i;
		cr_assert_eq(pthread_create(&w[i].thread, NULL, write_much,
					    &w[i]), 0);
	}
	for (unsigned int i = 0; i < WRITERS; i++)
		pthread_join(w[i].thread, NULL);
	rig_close(&rig);
	cr_assert_eq(saved(0), RIG_BYTES / UNDO_GRANULE);
	rig_restores(&rig);
}

/* More than one record takes, in one go and with gaps; the end is no page. */
Test(undo_dev, saves_large_and_odd_ranges)
{
	const size_t len = (5 << 20) + 700;
	struct dev_io *io = calloc(2000, sizeof(*io));

	cr_assert_not_null(io);
	rig_add(&rig, "large", len);
	free(rig.to[0].before);
	rig.to[0] = rig.to[1];
	rig.count = 1;
	rig_open(&rig);
	for (size_t i = 0; i < 600; i++)
		io[i] = (struct dev_io){ i * 8192 + 100, NULL, 10 };
	cr_assert_eq(dev_prepare(rig.to[0].dev, io, 600), 0);
	rig_write(&rig, 0, 0, 0x55, len);
	rig_close(&rig);
	cr_assert_eq(saved(0), len / UNDO_GRANULE + 1);
	rig_restores(&rig);
	free(io);
}

Test(undo_dev, works_on_devices_smaller_than_a_sector)
{
	rig_add(&rig, "tiny", 100);
	free(rig.to[0].before);
	rig.to[0] = rig.to[1];
	rig.count = 1;
	rig_open(&rig);
	rig_write(&rig, 0, 50, 1, 50);
	rig_close(&rig);
	rig_restores(&rig);
}
