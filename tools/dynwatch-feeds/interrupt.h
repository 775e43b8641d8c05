/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * interrupt.h -- SIGINT, SIGTERM and SIGHUP end an update in order: what is under way is given up,
 * nothing half-done stays. A second one ends it at once.
 */
#ifndef TOOLS_DYNWATCH_FEEDS_INTERRUPT_H
#define TOOLS_DYNWATCH_FEEDS_INTERRUPT_H

#include <stdbool.h>

void interrupt_install(void);
bool interrupt_requested(void);

#endif
