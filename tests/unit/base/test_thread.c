/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread that no signal interrupts. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdbool.h>

#include "sensor/base/thread.h"

static void *read_mask(void *arg)
{
	pthread_sigmask(SIG_SETMASK, NULL, arg);
	return arg;
}

Test(thread, it_has_its_signals_blocked_and_the_caller_has_what_it_had)
{
	sigset_t mine, its;
	pthread_t thread;
	void *result;

	sigemptyset(&mine);
	sigaddset(&mine, SIGUSR1);
	pthread_sigmask(SIG_SETMASK, &mine, NULL);
	cr_assert_eq(thread_start(&thread, read_mask, &its), 0);
	cr_assert_eq(pthread_join(thread, &result), 0);
	cr_assert_eq(result, &its);
	cr_expect(sigismember(&its, SIGTERM) && sigismember(&its, SIGPIPE));
	pthread_sigmask(SIG_SETMASK, NULL, &mine);
	cr_expect(sigismember(&mine, SIGUSR1) && !sigismember(&mine, SIGTERM));
}
