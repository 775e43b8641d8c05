/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * thread.h -- a thread that no signal interrupts: they are for the threads that wait for them.
 *
 * Owner:    the caller joins it.
 * Threads:  from any; the caller's own signals are as before.
 */
#ifndef SENSOR_BASE_THREAD_H
#define SENSOR_BASE_THREAD_H

#include <pthread.h>

#include "sensor/base/attribute.h"

/* As pthread_create: 0, or an error number and no thread. */
NODISCARD int thread_start(pthread_t *thread, void *(*run)(void *), void *arg);

#endif
