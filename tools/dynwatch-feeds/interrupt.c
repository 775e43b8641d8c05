/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/dynwatch-feeds/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "sensor/base/attribute.h"

static volatile sig_atomic_t requested;

static void on_signal(int number)
{
	if (requested)
		_exit(128 + number);
	requested = 1;
}

void interrupt_install(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal };

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		sigaction(numbers[i], &action, NULL);
}

bool interrupt_requested(void)
{
	return requested != 0;
}
