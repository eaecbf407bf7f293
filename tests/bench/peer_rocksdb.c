/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Durable commits of RocksDB: sync writes, as it comes; threads that write at
 * one time it joins by itself. Its log is used again, which spares it growing
 * the file.
 */
#include <rocksdb/c.h>

#include "tests/bench/peer.h"

static rocksdb_t *db;
static rocksdb_options_t *options;
static rocksdb_writeoptions_t *each, *load;

static void want(char *error)
{
	if (!error)
		return;
	fprintf(stderr, "rocksdb: %s\n", error);
	exit(1);
}

static void put(const rocksdb_writeoptions_t *how, uint64_t number,
		const uint8_t *value)
{
	char *error = NULL;
	char key[8];

	for (unsigned int i = 0; i < 8; i++)
		key[i] = (char)(number >> (56 - 8 * i));
	rocksdb_put(db, how, key, sizeof(key), (const char *)value,
		    PEER_VALUE_BYTES, &error);
	want(error);
}

static void peer_open(const char *dir)
{
	const uint8_t zeros[PEER_VALUE_BYTES] = { 0 };
	char *error = NULL;
	char path[4096];

	snprintf(path, sizeof(path), "%s/rocksdb", dir);
	options = rocksdb_options_create();
	rocksdb_options_set_create_if_missing(options, 1);
	rocksdb_options_set_recycle_log_file_num(options, 2);
	each = rocksdb_writeoptions_create();
	rocksdb_writeoptions_set_sync(each, 1);
	load = rocksdb_writeoptions_create();
	db = rocksdb_open(options, path, &error);
	want(error);
	for (uint64_t i = 0; i < PEER_RECORDS; i++)
		put(load, i, zeros);
}

static void peer_change(uint64_t key, const uint8_t *value)
{
	put(each, key, value);
}

static void peer_close(void)
{
	rocksdb_close(db);
	rocksdb_writeoptions_destroy(load);
	rocksdb_writeoptions_destroy(each);
	rocksdb_options_destroy(options);
}
