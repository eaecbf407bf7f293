/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of xlog-recover, and what they share while it runs.
 *
 * recover_opts.c has the command line, recover_open.c begins and ends,
 * recover_replay.c is the replay and recover_show.c what is told of it;
 * recover_target.c makes the copy that --target replays, recover_back.c saves
 * logs, discards them, and puts back what was saved.
 */
#ifndef CMD_RECOVER_H
#define CMD_RECOVER_H

#include "cmd/json.h"
#include "cmd/opts.h"
#include "cmd/report.h"
#include "cmd/text.h"
#include "libxlog/xlog.h"

enum recover_job {
	JOB_REPLAY,
	JOB_ZERO_LOG,
	JOB_RESTORE_LOG,
	JOB_UNDO_APPLY,
};

/* --intents */
enum recover_intents { INTENTS_FINISH, INTENTS_REFUSE, INTENTS_SKIP };

struct recover_opts {
	struct io_opts	io;
	enum recover_job job;
	const char	*file;		/* JOB_RESTORE_LOG, JOB_UNDO_APPLY */
	bool		dry_run, explain;
	const char	*target;	/* NULL: in place */
	char		*undo;		/* owned; NULL: no undo file */
	const char	*save_log;	/* or NULL */
	xlog_lsn_t	stop_lsn;	/* --stop-at; XLOG_LSN_NONE, 0: not */
	uint64_t	stop_count;
	enum recover_intents intents;
	bool		leave_unlinked, reread;
	enum xlog_order	order;
	uint64_t	max_memory_bytes; /* 0: the library's default */
};

/*
 * The options of the command line. Ends the process where that is all there
 * is to do: --help, --version, and wrong usage.
 */
void recover_opts_parse(struct recover_opts *opts, int argc, char **argv);

/* Is only a part replayed? */
static inline bool recover_is_stopped(const struct recover_opts *o)
{
	return o->stop_count || o->stop_lsn != XLOG_LSN_NONE;
}

struct recover {
	struct recover_opts opts;
	struct xlog	*log;		/* NULL: not open, or not needed */
	const char	*path;		/* of what is replayed */
	const char	*logdev;	/* its external log, or NULL */
	char		*target_log;	/* owned: copy of an external log */
	bool		made_target, made_target_log;

	struct out	out;
	struct text	text;
	struct jl	json;
	struct progress	progress;
	struct reports	reports;

	bool		ran;		/* there is a result */
	bool		done;		/* and it is not that of a failure */
	struct xlog_recover_result res;
	bool		partly;		/* what was put back, or discarded, is
					   so in part only */
	bool		told;		/* the log has been told of */
	enum xlog_phase	phase;		/* that the progress is of */
	uint64_t	steps;		/* how head and tail were found */
	uint64_t	remainders;	/* messages about them, shown or not */
	struct recover_types *types;	/* what -n would change */
};

/* --- recover_open.c --- */

/* See that there is what the options name, take locks of readers. */
int recover_begin(struct recover *rec);

/* How the devices are opened for what the options ask. */
void recover_open_options(struct recover *rec, struct xlog_open_options *open);

/* Open rec->path with xlog_open(), then the output. */
int recover_open(struct recover *rec);

/* Open the output; @uuid is that of the header, or NULL. */
int recover_output(struct recover *rec, const uint8_t *uuid);

/*
 * End: the result, the output. Returns the exit code for @rc, which is 0 or a
 * negative errno that has been reported.
 */
int recover_close(struct recover *rec, int rc);

/* --- recover_target.c --- */

/* Make the copy, and let rec->path be it. */
int recover_copy(struct recover *rec);

/* Remove a copy that is not what was asked for. */
void recover_uncopy(struct recover *rec);

/* --- recover_show.c --- */

/* Of xlog_recover_options; the context is the struct recover. */
void recover_on_change(void *ctx, const struct xlog_change *change);
void recover_on_remainder(void *ctx, const struct xlog_remainder *rem);

/* There will be no more of them: tell how many were not shown. */
void recover_remainders_end(struct recover *rec);

/* All that is told after a replay that ended with @rc. */
void recover_show(struct recover *rec, int rc);

/* Have head and tail been found? */
bool recover_found(const struct recover *rec);

/*
 * Of what failed: has it written to the device that was named? What an overlay
 * held is gone, and a copy is removed.
 */
bool recover_is_partly(const struct recover *rec);

/* State of the log on the device that was named, or of the copy. */
enum xlog_state recover_state(const struct recover *rec);

/* --- recover_text.c --- */

void recover_log_line(struct recover *rec);
void recover_change_line(struct recover *rec, const struct xlog_change *c);

/* "35 buffers, 103 inodes; 0 intents pending; ..." */
void recover_counts(struct recover *rec);

/* What was done, and the state of the log now. */
void recover_text(struct recover *rec, int rc);

/* --- recover_json.c --- */

void recover_log_object(struct recover *rec);
void recover_change_object(struct recover *rec, const struct xlog_change *c);
void recover_remainder_object(struct recover *rec,
			      const struct xlog_remainder *rem);

/* The last one. */
void recover_result_object(struct recover *rec, int code);

/* --- recover_explain.c --- */

void recover_explain_begin(struct recover *rec);
void recover_explain(struct recover *rec, int rc);

/* --- the jobs --- */

int recover_replay(struct recover *rec);
int recover_zero_log(struct recover *rec);
int recover_restore_log(struct recover *rec);
int recover_undo_apply(struct recover *rec);

/* --save-log, of the log that is open. */
int recover_save_log(struct recover *rec);

#endif
