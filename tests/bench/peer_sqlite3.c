/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Durable commits of SQLite: its log (WAL), and synchronous=FULL. It has one
 * writer at a time, so threads share a connection and take turns: connections of
 * their own would find the database locked, and nap.
 */
#include <sqlite3.h>
#include <unistd.h>

#include "tests/bench/peer.h"

static sqlite3 *db;
static sqlite3_stmt *update;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static void want(bool ok)
{
	if (ok)
		return;
	fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(db));
	exit(1);
}

static void run(const char *sql)
{
	want(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
}

static void peer_open(const char *dir)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/sqlite.db", dir);
	unlink(path);
	want(sqlite3_open(path, &db) == SQLITE_OK);
	run("PRAGMA journal_mode=WAL");
	run("PRAGMA synchronous=FULL");
	run("CREATE TABLE record (key INTEGER PRIMARY KEY, value BLOB)");
	run("BEGIN");
	for (int i = 0; i < PEER_RECORDS; i++) {
		char sql[128];

		snprintf(sql, sizeof(sql),
			 "INSERT INTO record VALUES (%d, zeroblob(%d))", i,
			 PEER_VALUE_BYTES);
		run(sql);
	}
	run("COMMIT");
	run("PRAGMA wal_checkpoint(TRUNCATE)");
	want(sqlite3_prepare_v2(db, "UPDATE record SET value = ?1 WHERE key = ?2",
				-1, &update, NULL) == SQLITE_OK);
}

static void peer_change(uint64_t key, const uint8_t *value)
{
	pthread_mutex_lock(&turn);
	sqlite3_bind_blob(update, 1, value, PEER_VALUE_BYTES, SQLITE_STATIC);
	sqlite3_bind_int64(update, 2, (sqlite3_int64)key);
	want(sqlite3_step(update) == SQLITE_DONE);
	want(sqlite3_reset(update) == SQLITE_OK);
	pthread_mutex_unlock(&turn);
}

static void peer_close(void)
{
	sqlite3_finalize(update);
	sqlite3_close(db);
}
