/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <sched.h>

#include "libxlog/base/sync.h"

static struct xmutex mutex;
static struct xcond changed;
static struct xrwlock rwlock;
static int turn;

static void *try_lock(void *arg)
{
	bool *got = arg;

	*got = xmutex_trylock(&mutex);
	if (*got)
		xmutex_unlock(&mutex);
	return NULL;
}

static bool another_thread_gets_it(void)
{
	pthread_t thread;
	bool got;

	cr_assert_eq(pthread_create(&thread, NULL, try_lock, &got), 0);
	pthread_join(thread, NULL);
	return got;
}

Test(xmutex, is_held_by_one)
{
	cr_assert_eq(xmutex_init(&mutex), 0);
	xmutex_lock(&mutex);
	cr_assert_not(another_thread_gets_it());
	xmutex_unlock(&mutex);
	cr_assert(another_thread_gets_it());
	xmutex_fini(&mutex);
}

static void *take_turns(void *arg)
{
	int mine = *(int *)arg, i;

	xmutex_lock(&mutex);
	for (i = 0; i < 1000; i++) {
		while (turn != mine)
			xcond_wait(&changed, &mutex);
		turn = !mine;
		xcond_wake_one(&changed);
	}
	xmutex_unlock(&mutex);
	return NULL;
}

Test(xcond, wakes_who_waits, .timeout = 60)
{
	int one = 1, zero = 0;
	pthread_t thread;

	cr_assert_eq(xmutex_init(&mutex), 0);
	cr_assert_eq(xcond_init(&changed), 0);
	cr_assert_eq(pthread_create(&thread, NULL, take_turns, &one), 0);
	take_turns(&zero);
	pthread_join(thread, NULL);
	cr_assert_eq(turn, 0);
	xcond_fini(&changed);
	xmutex_fini(&mutex);
}

static void *write_once(void *arg)
{
	xrwlock_write(&rwlock);
	*(int *)arg = 1;
	xrwlock_write_unlock(&rwlock);
	return NULL;
}

Test(xrwlock, lets_readers_in_together)
{
	cr_assert_eq(xrwlock_init(&rwlock), 0);
	xrwlock_read(&rwlock);
	cr_assert_eq(pthread_rwlock_tryrdlock(&rwlock.rw), 0);
	xrwlock_read_unlock(&rwlock);
	xrwlock_read_unlock(&rwlock);
	xrwlock_fini(&rwlock);
}

/* With the default kind the loop would not end: readers would go on. */
Test(xrwlock, lets_a_waiting_writer_go_before_new_readers, .timeout = 60)
{
	pthread_t thread;
	int written = 0;

	cr_assert_eq(xrwlock_init(&rwlock), 0);
	xrwlock_read(&rwlock);
	cr_assert_eq(pthread_create(&thread, NULL, write_once, &written), 0);
	while (!pthread_rwlock_tryrdlock(&rwlock.rw)) {
		xrwlock_read_unlock(&rwlock);
		sched_yield();
	}
	cr_assert_eq(written, 0);
	xrwlock_read_unlock(&rwlock);
	pthread_join(thread, NULL);
	cr_assert_eq(written, 1);
	xrwlock_fini(&rwlock);
}
