/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/stop.h"

#include <signal.h>
#include <unistd.h>

static struct source *volatile watched[STOP_SOURCES_MAX];
static volatile sig_atomic_t requested, hup;

static void on_stop(int signal_number)
{
	if (requested)
		_exit(128 + signal_number);
	requested = 1;
	for (size_t i = 0; i < STOP_SOURCES_MAX; i++)
		if (watched[i])
			source_interrupt(watched[i]);
}

static void on_hup(int signal_number)
{
	(void)signal_number;
	hup = 1;
}

static sigset_t stop_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	return set;
}

void stop_block(void)
{
	sigset_t set = stop_signals();
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void stop_install(void)
{
	sigset_t set = stop_signals();
	struct sigaction stop = { .sa_handler = on_stop }, reload = { .sa_handler = on_hup };
	sigemptyset(&stop.sa_mask);
	sigemptyset(&reload.sa_mask);
	reload.sa_flags = SA_RESTART;
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGHUP, &reload, NULL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* The handler must not see a source that is being closed. */
void stop_watch(size_t i, struct source *source)
{
	sigset_t set = stop_signals(), before;
	pthread_sigmask(SIG_BLOCK, &set, &before);
	watched[i] = source;
	if (source && requested)
		source_interrupt(source);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

bool stop_requested(void)
{
	return requested != 0;
}

bool stop_hup(void)
{
	if (!hup)
		return false;
	hup = 0;
	return true;
}
