/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A whole filesystem image, recovered in memory: gates, plan, replay, what is
 * left, write, finishing, end of the log. The input is described in image.h.
 * Checked besides what the sanitizers see: a refusal has written nothing,
 * nothing but a refusal fails where nothing is to be finished, and a second
 * recovery finds nothing to do.
 */
#include "libxfsfmt/block.h"
#include "libxfsfmt/crc32c.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/image.h"
#include "tests/lib/fixcrc.h"
#include "tests/lib/stack.h"

enum {
	INPUT_MAX_BYTES = 1 << 20,
	LOG_FIX_BB = 8192,		/* of the start of the log */
};

static const uint64_t DEVICE_BYTES = (uint64_t)512 << 20;

/* --- from input to image --- */

struct input {
	const uint8_t	*p, *end;
};

static bool next_piece(struct input *in, uint32_t *bb, uint32_t *count,
		       const uint8_t **data)
{
	size_t len;

	if (in->end - in->p < PIECE_HEAD_BYTES)
		return false;
	*bb = get_be32(in->p);
	*count = get_be16(in->p + 4);
	in->p += PIECE_HEAD_BYTES;
	len = *count & PIECE_FILL ? (size_t)PIECE_FILL_BYTES :
	      (size_t)*count * BB_SIZE;
	if ((size_t)(in->end - in->p) < len)
		return false;
	*data = in->p;
	in->p += len;
	return true;
}

/* What lies behind the device is dropped. */
static bool put_piece(struct dev *dev, uint32_t bb, uint32_t count,
		      const uint8_t *data)
{
	uint32_t n = count & PIECE_MAX_BB, step = BB_SIZE;
	uint8_t fill[BB_SIZE] = { 0 };

	if (count & PIECE_FILL) {
		memcpy(fill, data, PIECE_FILL_BYTES);
		data = fill;
		step = 0;
	}
	for (; n && (uint64_t)bb * BB_SIZE < dev->size_bytes; n--, bb++) {
		if (dev_write(dev, (uint64_t)bb * BB_SIZE, data, BB_SIZE))
			return false;
		data += step;
	}
	return true;
}

static bool put_image(struct dev *dev, const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	uint32_t bb, count;

	while (next_piece(&in, &bb, &count, &data))
		if (!put_piece(dev, bb, count, data))
			return false;
	return true;
}

/* --- checksums, which no mutation finds by itself --- */

static bool fix_superblock(struct dev *dev, struct xfs_geom *geom)
{
	static uint8_t raw[32768];
	struct xfs_sb sb;

	if (dev_read(dev, 0, raw, sizeof(raw)) ||
	    get_be32(raw) != XFS_SB_MAGIC)
		return false;
	xfs_sb_decode(&sb, raw, sizeof(raw), XFS_BE);
	if (sb.sb_sectsize < BB_SIZE || sb.sb_sectsize > sizeof(raw))
		return false;
	put_le32(raw + 224, xfs_crc_block(raw, sb.sb_sectsize, 224));
	xfs_sb_decode(&sb, raw, sizeof(raw), XFS_BE);
	if (xfs_sb_verify(&sb, raw, sizeof(raw)))
		return false;
	xfs_geom_init(geom, &sb);
	return !geom->v5 || !dev_write(dev, 0, raw, sb.sb_sectsize);
}

static void fix_blocks(struct dev *dev, const struct xfs_geom *geom,
		       const uint8_t *data, size_t size)
{
	static uint8_t raw[65536];
	struct input in = { data, data + size };
	uint32_t bb, count;

	while (next_piece(&in, &bb, &count, &data)) {
		uint64_t off = (uint64_t)bb * BB_SIZE;

		/* pieces begin where blocks do, or they are not fixed */
		for (uint32_t n = count & PIECE_FILL ? 0 : count; n;) {
			uint32_t step = off % geom->blocksize ?
					geom->sectsize : geom->blocksize;

			if (off && off + sizeof(raw) <= dev->size_bytes &&
			    !dev_read(dev, off, raw, sizeof(raw))) {
				fixcrc_block(raw, geom);
				if (dev_write(dev, off, raw, sizeof(raw)))
					return;
			}
			off += step;
			n -= n < step / BB_SIZE ? n : step / BB_SIZE;
		}
	}
}

static void fix_records(struct dev *dev, const struct xfs_geom *geom)
{
	static uint8_t raw[(LOG_FIX_BB + 600) * BB_SIZE];
	struct xlog_rec_head head;
	struct xlog *log;
	uint64_t start, end;
	uint32_t nbb, hbb;

	if (stack_open(dev, NULL, NULL, &log))
		return;
	stack_log_range(log, &start, &end);
	nbb = log->nbb < LOG_FIX_BB ? log->nbb : LOG_FIX_BB;
	xlog_close(log);
	if (!end || dev_read(dev, start, raw, (size_t)nbb * BB_SIZE))
		return;
	for (uint32_t b = 0; b < nbb; b++) {
		uint8_t *h = raw + (size_t)b * BB_SIZE;

		if (!xlog_is_rec_header(h))
			continue;
		xlog_rec_head_decode(&head, h);
		if (xlog_rec_head_verify(&head, geom->log_v2, 0, nbb - b,
					 XLOG_MAX_RECORD_BYTES))
			continue;
		hbb = xlog_rec_header_bb(head.version, head.size_bytes,
					 geom->log_v2);
		if (b + hbb + (head.len_bytes + BB_SIZE - 1) / BB_SIZE > nbb)
			continue;
		put_le32(h + 32, xlog_rec_crc(h, XLOG_HEADER_CRC_BYTES, hbb,
					      h + (size_t)hbb * BB_SIZE,
					      head.len_bytes, geom->log_v2));
		if (dev_write(dev, start + (uint64_t)b * BB_SIZE, h, BB_SIZE))
			return;
	}
}

/* --- recovery --- */

static struct xlog_recover_options options_of(uint8_t how)
{
	struct xlog_recover_options opts = { .stop_lsn = XLOG_LSN_NONE };

	if (how & IMAGE_LEAVE)
		opts.flags |= XLOG_RECOVER_LEAVE_UNLINKED;
	if (how & IMAGE_SKIP)
		opts.flags |= XLOG_RECOVER_SKIP_INTENTS;
	if (how & IMAGE_UUID)
		opts.flags |= XLOG_RECOVER_FORCE_UUID;
	if (how & IMAGE_FEATURES)
		opts.flags |= XLOG_RECOVER_FORCE_FEATURES;
	opts.max_memory_bytes = how & IMAGE_WINDOWS ? 1 : 64 << 20;
	opts.stop_count = how & IMAGE_STOP ? 1 : 0;
	return opts;
}

static size_t writes(const struct stack_record *rec)
{
	size_t n = 0;

	for (size_t i = 0; i < rec->count; i++)
		n += rec->event[i].len != 0;
	return n;
}

/* What is finished is not all looked at before the first write. */
static bool may_fail(const struct xlog_recover_options *opts,
		     const struct xlog_recover_result *res)
{
	bool intents = !(opts->flags & XLOG_RECOVER_SKIP_INTENTS);
	bool inodes = !(opts->flags & XLOG_RECOVER_LEAVE_UNLINKED);

	return (intents && res->intents) ||
	       (inodes && (res->unlinked || res->cow_extents));
}

static int recover(struct dev *dev, const struct xlog_recover_options *opts,
		   struct xlog_recover_result *res, size_t *written)
{
	struct stack_record rec = { 0 };
	struct dev *watched;
	int rc;

	if (stack_watch(dev, &rec, 0, &watched))
		return -ENOMEM;
	rc = stack_recover(watched, NULL, opts, NULL, res);
	*written = writes(&rec);
	/* after the first write only devices may fail, and this one does not */
	if (rc && rc != -ENOMEM && (*written || res->wrote) &&
	    !may_fail(opts, res))
		abort();
	stack_record_fini(&rec);
	dev_close(watched);
	return rc;
}

static void recover_twice(struct dev *dev, uint8_t how)
{
	struct xlog_recover_options opts = options_of(how);
	struct xlog_recover_result res;
	size_t written;

	int rc = recover(dev, &opts, &res, &written);

	/* what a failure leaves can be given to it again, and may fail again */
	if (rc && written)
		rc = recover(dev, &opts, &res, &written);
	if (rc || opts.stop_count)
		return;
	if (res.state == XLOG_CLEAN) {
		if (recover(dev, &opts, &res, &written) || written ||
		    res.state != XLOG_CLEAN)
			abort();
	} else if (recover(dev, &opts, &res, &written) &&
		   !may_fail(&opts, &res)) {
		abort();	/* what it left for later must be left again */
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xfs_geom geom;
	struct dev *dev;

	if (size < 1 + PIECE_HEAD_BYTES || size > INPUT_MAX_BYTES)
		return 0;
	if (dev_open_overlay(NULL, DEVICE_BYTES, NULL, &dev))
		return 0;
	if (put_image(dev, data + 1, size - 1) && fix_superblock(dev, &geom)) {
		if (data[0] & IMAGE_FIX_BLOCKS && geom.v5)
			fix_blocks(dev, &geom, data + 1, size - 1);
		if (data[0] & IMAGE_FIX_RECORDS)
			fix_records(dev, &geom);
		recover_twice(dev, data[0]);
	}
	dev_close(dev);
	return 0;
}

/* --- mutation --- */

/* The @nth sector that the input has data for; NULL: not so many. */
static uint8_t *sector_of(uint8_t *data, size_t size, uint64_t nth,
			  uint32_t *bb)
{
	struct input in = { data + 1, data + size };
	const uint8_t *piece;
	uint32_t first, count;

	while (next_piece(&in, &first, &count, &piece)) {
		if (count & PIECE_FILL)
			continue;
		if (nth < count) {
			*bb = first + (uint32_t)nth;
			return data + (piece - data) + nth * BB_SIZE;
		}
		nth -= count;
	}
	return NULL;
}

static uint64_t some_number(uint64_t *state, uint64_t was, uint64_t near,
			    uint32_t bb)
{
	switch (stack_random(state) % 8) {
	case 0:
		return was + 1 - stack_random(state) % 3;
	case 1:
		return was ^ UINT64_C(1) << stack_random(state) % 64;
	case 2:
		return near;
	case 3:
		return bb / 8;		/* itself, as often as not */
	case 4:
		return stack_random(state) % 8;
	case 5:
		return UINT64_MAX >> stack_random(state) % 64;
	case 6:
		return stack_random(state) % 4096;
	default:
		return stack_random(state);
	}
}

/* One number, where structures have numbers: more often at their beginning. */
static void change_number(uint8_t *sector, uint32_t bb, uint64_t *state)
{
	uint32_t bytes = 1u << stack_random(state) % 4;
	uint32_t room = stack_random(state) % 2 ? 128 : BB_SIZE;
	uint8_t *at = sector + stack_random(state) % (room / bytes) * bytes;
	uint8_t *other = sector + stack_random(state) % (BB_SIZE / 8) * 8;
	uint8_t raw[8] = { 0 };

	memcpy(raw + 8 - bytes, at, bytes);
	put_be64(raw, some_number(state, get_be64(raw), get_be64(other), bb));
	memcpy(at, raw + 8 - bytes, bytes);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned int seed)
{
	uint64_t state = seed;
	uint8_t *sector;
	uint32_t bb;

	if (stack_random(&state) % 8 && size > 1 + PIECE_HEAD_BYTES) {
		sector = sector_of(data, size,
				   stack_random(&state) % (size / BB_SIZE + 1),
				   &bb);
		if (sector) {
			change_number(sector, bb, &state);
			return size;
		}
	}
	return LLVMFuzzerMutate(data, size, max_size);
}
