/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of a store share.
 */
#ifndef TESTS_LIB_STORE_PRIV_H
#define TESTS_LIB_STORE_PRIV_H

#include "tests/lib/store.h"

/* Where the object lies. */
uint64_t store_data_off(const struct store *s, uint32_t id);

/* The stamp of a body; false: it is of two. */
bool store_read_body(const uint8_t *at, uint32_t bytes, uint32_t id,
		     uint64_t *stamp);

/* The log as its reader sees it. */
struct xlog store_reader(struct store *s);

/* Write a clean log of cycle @cycle, and open it. */
int store_open_log(struct store *s, uint32_t cycle) MUST_CHECK;

#endif
