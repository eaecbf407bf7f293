/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Annotated locks: pthread's, with attributes by which clang's
 * -Wthread-safety checks at compile time which function needs, takes and
 * leaves which lock. In C it checks functions, not fields: every field says
 * in a comment what guards it. For other compilers the macros are empty.
 */
#ifndef LIBXLOG_BASE_SYNC_H
#define LIBXLOG_BASE_SYNC_H

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#if defined(__clang__)
#define THREAD_ATTR(x)	__attribute__((x))
#else
#define THREAD_ATTR(x)
#endif

#define LOCKABLE(name)		THREAD_ATTR(capability(name))
/* The caller holds these locks, or does not. */
#define REQUIRES(...)		THREAD_ATTR(requires_capability(__VA_ARGS__))
#define REQUIRES_SHARED(...) \
	THREAD_ATTR(requires_shared_capability(__VA_ARGS__))
#define EXCLUDES(...)		THREAD_ATTR(locks_excluded(__VA_ARGS__))
/* Held on return, not before; and the other way round. */
#define ACQUIRES(...)		THREAD_ATTR(acquire_capability(__VA_ARGS__))
#define ACQUIRES_SHARED(...) \
	THREAD_ATTR(acquire_shared_capability(__VA_ARGS__))
#define RELEASES(...)		THREAD_ATTR(release_capability(__VA_ARGS__))
#define RELEASES_SHARED(...) \
	THREAD_ATTR(release_shared_capability(__VA_ARGS__))
/* TRY_ACQUIRES(true, lock): held if the function returned true. */
#define TRY_ACQUIRES(...)	THREAD_ATTR(try_acquire_capability(__VA_ARGS__))
/* For what the analysis cannot follow; say why beside it. */
#define UNCHECKED_LOCKING	THREAD_ATTR(no_thread_safety_analysis)

/*
 * None of the calls below fails unless it is used wrongly (not initialised,
 * unlocked by another thread): the program's fault, hence asserts.
 */
static inline void sync_ok(int rc)
{
	assert(rc == 0);
	(void)rc;
}

/* --- mutex --- */

struct LOCKABLE("mutex") xmutex {
	pthread_mutex_t	m;
};

/* Returns 0 or a negative errno. */
static inline int xmutex_init(struct xmutex *mutex)
{
	return -pthread_mutex_init(&mutex->m, NULL);
}

static inline void xmutex_fini(struct xmutex *mutex)
{
	sync_ok(pthread_mutex_destroy(&mutex->m));
}

/* Bodies unchecked: what pthread does is what the attributes say. */
static inline void xmutex_lock(struct xmutex *mutex)
	ACQUIRES(mutex) UNCHECKED_LOCKING;
static inline bool xmutex_trylock(struct xmutex *mutex)
	TRY_ACQUIRES(true, mutex) UNCHECKED_LOCKING;
static inline void xmutex_unlock(struct xmutex *mutex)
	RELEASES(mutex) UNCHECKED_LOCKING;

static inline void xmutex_lock(struct xmutex *mutex)
{
	sync_ok(pthread_mutex_lock(&mutex->m));
}

static inline bool xmutex_trylock(struct xmutex *mutex)
{
	return pthread_mutex_trylock(&mutex->m) == 0;
}

static inline void xmutex_unlock(struct xmutex *mutex)
{
	sync_ok(pthread_mutex_unlock(&mutex->m));
}

/* --- condition --- */

/* Its one predicate is written where it is declared. */
struct xcond {
	pthread_cond_t	c;
};

static inline int xcond_init(struct xcond *cond)
{
	pthread_condattr_t attr;
	int rc = pthread_condattr_init(&attr);

	if (rc)
		return -rc;
	/* Waits with an end must not care for a clock that is set. */
	rc = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (!rc)
		rc = pthread_cond_init(&cond->c, &attr);
	pthread_condattr_destroy(&attr);
	return -rc;
}

static inline void xcond_fini(struct xcond *cond)
{
	sync_ok(pthread_cond_destroy(&cond->c));
}

/* Returns with @mutex held, possibly for no reason: wait in a loop. */
static inline void xcond_wait(struct xcond *cond, struct xmutex *mutex)
	REQUIRES(mutex);

static inline void xcond_wait(struct xcond *cond, struct xmutex *mutex)
{
	sync_ok(pthread_cond_wait(&cond->c, &mutex->m));
}

/* The same, for @ms milliseconds at most. */
static inline void xcond_wait_ms(struct xcond *cond, struct xmutex *mutex,
				 unsigned int ms) REQUIRES(mutex);

static inline void xcond_wait_ms(struct xcond *cond, struct xmutex *mutex,
				 unsigned int ms)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += ms / 1000;
	end.tv_nsec += (long)(ms % 1000) * 1000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	(void)pthread_cond_timedwait(&cond->c, &mutex->m, &end);
}

static inline void xcond_wake_one(struct xcond *cond)
{
	sync_ok(pthread_cond_signal(&cond->c));
}

static inline void xcond_wake_all(struct xcond *cond)
{
	sync_ok(pthread_cond_broadcast(&cond->c));
}

/* --- readers and one writer --- */

struct LOCKABLE("rwlock") xrwlock {
	pthread_rwlock_t rw;
};

/*
 * A waiting writer goes before new readers: with glibc's default, readers
 * that overlap starve it. For that, a reader may not lock again.
 */
static inline int xrwlock_init(struct xrwlock *lock)
{
	pthread_rwlockattr_t attr;
	int rc = pthread_rwlockattr_init(&attr);

	if (rc)
		return -rc;
#ifdef __GLIBC__
	rc = pthread_rwlockattr_setkind_np(&attr,
			PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
	if (!rc)
		rc = pthread_rwlock_init(&lock->rw, &attr);
	pthread_rwlockattr_destroy(&attr);
	return -rc;
}

static inline void xrwlock_fini(struct xrwlock *lock)
{
	sync_ok(pthread_rwlock_destroy(&lock->rw));
}

static inline void xrwlock_read(struct xrwlock *lock)
	ACQUIRES_SHARED(lock) UNCHECKED_LOCKING;
static inline void xrwlock_read_unlock(struct xrwlock *lock)
	RELEASES_SHARED(lock) UNCHECKED_LOCKING;
static inline void xrwlock_write(struct xrwlock *lock)
	ACQUIRES(lock) UNCHECKED_LOCKING;
static inline void xrwlock_write_unlock(struct xrwlock *lock)
	RELEASES(lock) UNCHECKED_LOCKING;

static inline void xrwlock_read(struct xrwlock *lock)
{
	sync_ok(pthread_rwlock_rdlock(&lock->rw));
}

static inline void xrwlock_read_unlock(struct xrwlock *lock)
{
	sync_ok(pthread_rwlock_unlock(&lock->rw));
}

static inline void xrwlock_write(struct xrwlock *lock)
{
	sync_ok(pthread_rwlock_wrlock(&lock->rw));
}

static inline void xrwlock_write_unlock(struct xrwlock *lock)
{
	sync_ok(pthread_rwlock_unlock(&lock->rw));
}

#endif
