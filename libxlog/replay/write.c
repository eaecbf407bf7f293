/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every write of a recovery has before and after it. Before: whoever saves
 * what is overwritten does it, or says that it cannot, while nothing has been
 * written yet. A dry run ends there. After: if that was asked for, what is on the medium is compared
 * with what should be.
 */
#include <stdlib.h>
#include <string.h>

#include "libxlog/dev/batch.h"
#include "libxlog/replay/replay.h"

bool replay_is_dry(const struct replay *r)
{
	return r->opts->flags & XLOG_RECOVER_DRY_RUN;
}

int replay_begin_write(struct replay *r, struct dev *dev,
		       const struct dev_io *ios, size_t count)
{
	bool dry = replay_is_dry(r);
	int rc = dry ? 0 : dev_prepare(dev, ios, count);

	for (size_t i = 0; i < count && !rc; i++) {
		uint64_t bb = ios[i].len / BB_SIZE;

		if (dry) {
			r->planned_bb += bb;
			continue;
		}
		r->res->wrote |= bb != 0;
		r->res->blocks_written += bb;
	}
	return rc;
}

int replay_write(struct replay *r, struct dev *dev, const struct dev_io *ios,
		 size_t count)
{
	int rc = replay_begin_write(r, dev, ios, count);

	return rc || replay_is_dry(r) ? rc : dev_write_batch(dev, ios, count);
}

static int compare(struct replay *r, struct dev *dev, const struct dev_io *io,
		   uint8_t *buf)
{
	for (size_t at = 0; at < io->len; at += DEV_IO_BYTES) {
		size_t len = io->len - at < DEV_IO_BYTES ? io->len - at :
							   DEV_IO_BYTES;
		int rc;

		dev_forget(dev, io->off_bytes + at, len);
		rc = dev_read(dev, io->off_bytes + at, buf, len);
		if (rc)
			return rc;
		if (memcmp(buf, (const uint8_t *)io->buf + at, len))
			return report(&r->log->sink, -EIO, "block.reread",
				      XLOG_LSN_NONE,
				      "what was written at block %llu of %s reads back as something else",
				      (unsigned long long)(io->off_bytes + at) /
				      BB_SIZE, dev == r->log->fs ?
				      "the device" : "the log");
	}
	return 0;
}

int replay_settle(struct replay *r, struct dev *dev, const struct dev_io *ios,
		  size_t count)
{
	uint8_t *buf;
	int rc;

	if (replay_is_dry(r))
		return 0;
	rc = dev_flush(dev);
	if (rc || !(r->opts->flags & XLOG_RECOVER_REREAD))
		return rc;
	buf = malloc(DEV_IO_BYTES);
	if (!buf)
		return replay_no_memory(r);
	for (size_t i = 0; i < count && !rc; i++)
		rc = compare(r, dev, &ios[i], buf);
	free(buf);
	return rc;
}
