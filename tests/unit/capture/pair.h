/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pair.h -- a veth pair, dw0 and dw1, in a network namespace of the test's own: what is sent out of
 * dw1 arrives at dw0. Takes root and the program ip; without them the test fails and says so.
 */
#ifndef TESTS_UNIT_CAPTURE_PAIR_H
#define TESTS_UNIT_CAPTURE_PAIR_H

#include "tests/support/frames.h"

/* The shell's commands for the pair; dw0 is still down. */
#define PAIR_ADD                                                                               \
	"ip link add dw0 type veth peer name dw1 && "                                          \
	"ip link set dw0 addrgenmode none && ip link set dw1 addrgenmode none && "             \
	"ip link set dw1 up"
#define PAIR_UP "ip link set dw0 up"

/* Enter a namespace and make the pair there. */
void pair_make(void);
/* A command of the shell, which must succeed. */
void pair_run(const char *command);
/* Send an Ethernet frame out of dw1. */
void pair_send(struct frame_spec spec);

#endif
