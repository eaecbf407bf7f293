/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log as a whole: opening and closing, its threads, and its death.
 */
#include <stdlib.h>
#include <sys/random.h>

#include "libxlog/log/log_priv.h"

enum {
	DEFAULT_LOGBUFS = 8,
	DEFAULT_LOGBSIZE = 32 << 10,
	MIN_LOGBSIZE = 16 << 10,
	MAX_LOGBSIZE = 256 << 10,
	DEFAULT_AIL_MS = 20,
	DEFAULT_WORKER_MS = 30000,	/* as xfs_syncd_centisecs */
};

static const char *check_config(const struct log_config *c)
{
	uint32_t size = c->logbsize_bytes;

	if (c->logbufs < 2 || c->logbufs > LOG_MAX_ICLOGS)
		return "log buffers: 2 to 8";
	if (size < MIN_LOGBSIZE || size > MAX_LOGBSIZE || (size & (size - 1)))
		return "size of a log buffer: 16 KiB to 256 KiB, a power of two";
	if (c->version_1 && size > XLOG_HEADER_SPAN_BYTES)
		return "size of a log buffer: 16 or 32 KiB in a log of version 1";
	if (c->tail > c->head)
		return "the log ends before it begins";
	if (size < c->sunit_bytes)
		return "a log buffer is smaller than the stripe unit of the log";
	if (c->dev->size_bytes / 8 < size)
		return "the log is too small for such log buffers";
	return NULL;
}

static void fill_in(struct log *log)
{
	struct log_config *c = &log->config;

	if (!c->logbufs)
		c->logbufs = DEFAULT_LOGBUFS;
	if (!c->logbsize_bytes)
		c->logbsize_bytes = c->sunit_bytes > DEFAULT_LOGBSIZE ?
				    c->sunit_bytes : DEFAULT_LOGBSIZE;
	if (!c->worker_ms)
		c->worker_ms = DEFAULT_WORKER_MS;
	if (!c->ail_ms)
		c->ail_ms = DEFAULT_AIL_MS;
	log->niclogs = c->logbufs;
	log->size_bytes = c->dev->size_bytes;
	log->form = (struct xlog_form){
		.version = c->version_1 ? XLOG_VERSION_1 : XLOG_VERSION_2,
		.fmt = XFS_HOST_ORDER == XFS_LE ? XLOG_FMT_LINUX_LE :
						  XLOG_FMT_LINUX_BE,
		.size_bytes = c->logbsize_bytes,
		.crc_bytes = XLOG_HEADER_CRC_BYTES,
		.roundoff_bytes = xlog_roundoff_bytes(!c->version_1,
						      c->sunit_bytes,
						      c->sector_bytes),
		.log_size_bb = (uint32_t)(c->dev->size_bytes / BB_SIZE),
		.logv2 = !c->version_1,
	};
	memcpy(log->form.uuid, c->uuid, sizeof(log->form.uuid));
	log->hsize_bytes = xlog_form_header_bb(&log->form) * BB_SIZE;
	log->room_bytes = c->logbsize_bytes - log->hsize_bytes;
}

/* --- threads: each does steps while there are any --- */

static void *io_thread(void *arg)
{
	struct log *log = arg;

	log_stat_own_thread();
	for (;;) {
		if (iclog_io_step(log))
			continue;
		xmutex_lock(&log->iclog_lock);
		if (list_is_empty(&log->io_queue)) {
			if (atomic_load(&log->ending)) {
				xmutex_unlock(&log->iclog_lock);
				return NULL;
			}
			xcond_wait(&log->io_wanted, &log->iclog_lock);
		}
		xmutex_unlock(&log->iclog_lock);
	}
}

static void *push_thread(void *arg)
{
	struct log *log = arg;
	struct cil *cil = &log->cil;

	log_stat_own_thread();
	while (!atomic_load(&log->ending)) {
		if (cil_push_step(log))
			continue;
		xmutex_lock(&cil->push_lock);
		while (cil->push_seq < atomic_load(&cil->seq) &&
		       !atomic_load(&log->ending) &&
		       (cil->aborted || !log_is_shutdown(log)))
			xcond_wait(&cil->push_wanted, &cil->push_lock);
		xmutex_unlock(&cil->push_lock);
	}
	return NULL;
}

/*
 * Something may be due that cannot be pushed now: look again after a nap. Also
 * after a force: while it lasts, the next one would make another checkpoint.
 */
static void *ail_thread(void *arg)
{
	struct log *log = arg;
	struct ail *ail = &log->ail;

	log_stat_own_thread();
	while (!atomic_load(&log->ending)) {
		if (ail_push_step(log) == AIL_PUSHED)
			continue;
		xmutex_lock(&ail->lock);
		if (!atomic_load(&log->ending))
			xcond_wait_ms(&ail->wanted, &ail->lock,
				      log->config.ail_ms);
		xmutex_unlock(&ail->lock);
	}
	return NULL;
}

static void *worker_thread(void *arg)
{
	struct log *log = arg;

	xmutex_lock(&log->iclog_lock);
	while (!atomic_load(&log->ending)) {
		xcond_wait_ms(&log->worker_wanted, &log->iclog_lock,
			      log->config.worker_ms);
		if (atomic_load(&log->ending))
			break;
		xmutex_unlock(&log->iclog_lock);
		log_worker_step(log);
		xmutex_lock(&log->iclog_lock);
	}
	xmutex_unlock(&log->iclog_lock);
	return NULL;
}

void log_sleep(struct log *log, struct xcond *cond, struct xmutex *mutex)
{
	uint64_t began_ns = log_stat_clock();
	bool stepped;

	if (!(log->config.flags & LOG_NO_THREADS)) {
		xcond_wait(cond, mutex);
		log_stat_slept(log, cond, began_ns);
		return;
	}
	xmutex_unlock(mutex);
	stepped = iclog_io_step(log);
	if (!stepped && !log->nested) {
		log->nested = true;
		stepped = cil_push_step(log) || ail_push_step(log);
		log->nested = false;
	}
	/*
	 * The only thread waits for what nobody does. That can be the fault of
	 * a log which was full of what cannot be finished.
	 */
	if (!stepped)
		log_shutdown(log, LOG_SHUTDOWN_ERROR,
			     "nothing is left that could make room in the log");
	log_stat_slept(log, cond, began_ns);
	xmutex_lock(mutex);
}

static int start_thread(struct log *log, void *(*fn)(void *))
{
	int rc = pthread_create(&log->threads[log->nthreads], NULL, fn, log);

	if (!rc)
		log->nthreads++;
	return -rc;
}

static int start_threads(struct log *log)
{
	int rc = start_thread(log, push_thread);

	if (!rc)
		rc = start_thread(log, ail_thread);
	if (!rc)
		rc = start_thread(log, worker_thread);
	for (unsigned int i = 0; i < log->niclogs && !rc; i++)
		rc = start_thread(log, io_thread);
	return rc;
}

static void stop_threads(struct log *log)
{
	atomic_store(&log->ending, true);
	xmutex_lock(&log->cil.push_lock);
	xcond_wake_all(&log->cil.push_wanted);
	xmutex_unlock(&log->cil.push_lock);
	xmutex_lock(&log->ail.lock);
	xcond_wake_all(&log->ail.wanted);
	xmutex_unlock(&log->ail.lock);
	xmutex_lock(&log->iclog_lock);
	xcond_wake_all(&log->io_wanted);
	xcond_wake_all(&log->worker_wanted);
	xmutex_unlock(&log->iclog_lock);
	for (unsigned int i = 0; i < log->nthreads; i++)
		sync_ok(pthread_join(log->threads[i], NULL));
	log->nthreads = 0;
}

/* --- open and close --- */

static int init(struct log *log)
{
	int rc = grant_head_init(&log->reserve);

	if (!rc)
		rc = grant_head_init(&log->write);
	if (!rc)
		rc = iclog_ring_init(log);
	if (!rc)
		rc = ail_init(log);
	return rc ? rc : cil_init(log);
}

int log_open(const struct log_config *config, struct log **out)
{
	struct log *log = aligned_alloc(CACHE_LINE, sizeof(*log));
	uint32_t tid = config->seed;
	const char *why;
	int rc;

	if (!log)
		return report(&config->sink, -ENOMEM, "memory", XLOG_LSN_NONE,
			      "out of memory");
	memset(log, 0, sizeof(*log));
	log->config = *config;
	fill_in(log);
	why = check_config(&log->config);
	if (why) {
		free(log);
		return report(&config->sink, -EINVAL, "log.config",
			      XLOG_LSN_NONE, "%s", why);
	}
	while (!tid)
		if (getrandom(&tid, sizeof(tid), 0) != sizeof(tid))
			tid = (uint32_t)(uintptr_t)log;
	atomic_init(&log->next_tid, tid);
	rc = init(log);
	if (!rc && !(config->flags & LOG_NO_THREADS))
		rc = start_threads(log);
	if (rc) {
		log_close(log);
		return report(&config->sink, rc, "log.config", XLOG_LSN_NONE,
			      "the log cannot be started");
	}
	*out = log;
	return 0;
}

/* What was committed and not forced is lost, as it would be in a crash. */
static void drop_all(struct log *log)
{
	log_shutdown(log, LOG_SHUTDOWN_NOFLUSH, NULL);
	/* NULL: it could not be started */
	if (log->cil.ctx)
		cil_abort(log);
	ail_abort(log);
}

void log_close(struct log *log)
{
	if (!log)
		return;
	log_shutdown(log, LOG_SHUTDOWN_NOFLUSH, NULL);
	stop_threads(log);
	while (iclog_io_step(log))
		;
	drop_all(log);
	cil_fini(log);
	ail_fini(log);
	iclog_ring_fini(log);
	grant_head_fini(&log->write);
	grant_head_fini(&log->reserve);
	free(log);
}

/* --- death --- */

bool log_is_shutdown(const struct log *log)
{
	return atomic_load_explicit(&log->dead, memory_order_acquire);
}

static void wake_everyone(struct log *log)
{
	xmutex_lock(&log->cil.push_lock);
	xcond_wake_all(&log->cil.push_wanted);
	xcond_wake_all(&log->cil.progress);
	for (unsigned int i = 0; i < CIL_WAITED; i++)
		xcond_wake_all(&log->cil.durable[i]);
	xcond_wake_all(&log->cil.switched);
	xmutex_unlock(&log->cil.push_lock);
	xmutex_lock(&log->iclog_lock);
	xcond_wake_all(&log->writable);
	xcond_wake_all(&log->done);
	xmutex_unlock(&log->iclog_lock);
	xmutex_lock(&log->ail.lock);
	xcond_wake_all(&log->ail.emptied);
	xcond_wake_all(&log->ail.wanted);
	xmutex_unlock(&log->ail.lock);
	grant_wake_all(log);
}

static const char *const shutdown_names[] = {
	[LOG_SHUTDOWN_FLUSH] = "flush", [LOG_SHUTDOWN_NOFLUSH] = "noflush",
	[LOG_SHUTDOWN_ERROR] = "error",
};

void log_shutdown(struct log *log, enum log_shutdown how, const char *why)
{
	if (how == LOG_SHUTDOWN_FLUSH && !log_is_shutdown(log) &&
	    log_force(log, true))
		how = LOG_SHUTDOWN_ERROR;
	if (atomic_exchange(&log->dead, true))
		return;
	if (why) {
		TRACE(xfs_force_shutdown, trace_str(shutdown_names[how]),
		      trace_str(why));
		report(&log->config.sink, -ESHUTDOWN, "log.shutdown",
		       XLOG_LSN_NONE, "%s: the log is shut down", why);
	}
	wake_everyone(log);
	iclog_abort_all(log);
}

xfs_lsn_t log_head_lsn(struct log *log)
{
	xfs_lsn_t lsn;

	xmutex_lock(&log->iclog_lock);
	lsn = log->next_lsn;
	xmutex_unlock(&log->iclog_lock);
	return lsn;
}
