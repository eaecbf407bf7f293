/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a transaction costs the log: more than the bytes it logs, as these are
 * divided into records.
 */
#ifndef LIBXFSFMT_LOGSPACE_H
#define LIBXFSFMT_LOGSPACE_H

#include "libxfsfmt/types.h"

/*
 * Bytes of the log that a transaction takes at most which logs up to
 * @logres_bytes, headers of its operations included: with the operations that
 * begin and end it, the headers of all records that it reaches into if each is
 * of @record_bytes, and the padding of two records to @pad_bytes. *@records
 * says how many records its operations fill. @record_bytes, headers included,
 * is from 16 KiB to XLOG_MAX_RECORD_BYTES, @logres_bytes and @pad_bytes are
 * less than 2^30.
 */
uint32_t xlog_unit_bytes(uint32_t logres_bytes, uint32_t record_bytes,
			 uint32_t pad_bytes, uint32_t *records);

#endif
