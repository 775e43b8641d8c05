/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fanout.h -- one interface shared by several sockets (PACKET_FANOUT): each packet goes to one of
 * them, chosen by a hash of the flow.
 *
 * The kernel's hash is the same for both directions of a flow, looks behind VLAN tags and into GRE
 * and IP in IP, and with the defragmentation flag IPv4 datagrams in pieces are put together before
 * they are hashed. So a client and its server are read by one thread. Two kinds of traffic are
 * exceptions, since the kernel sees less of them:
 *
 *	UDP tunnels (VXLAN, GENEVE, GTP-U, TZSP): hashed by their outer ports, and most senders choose
 *	the source port by the inner flow, so that the two directions may go to two sockets
 *	IPv6 fragments: hashed by the addresses alone; all of one datagram go to one socket, which
 *	need not be the one of the query that they answer
 *
 * That costs no order: records of several inputs are judged by their time of capture.
 *
 * Owner:    fanout_new/fanout_free; it outlives the sources that have it in their options.
 * Threads:  any; joining is rare and takes a lock.
 * Limits:   the group's number is chosen by the kernel, so that no other process shares it.
 */
#ifndef SENSOR_CAPTURE_FANOUT_H
#define SENSOR_CAPTURE_FANOUT_H

#include "sensor/base/attribute.h"
#include "sensor/base/error.h"

/* One group, of one interface. */
struct fanout;

/* NULL when out of memory. */
struct fanout *fanout_new(void);
void fanout_free(struct fanout *f);

/*
 * Let a packet socket, bound already, join the group; the first to join makes it. When all have
 * left, as they do when the interface goes away, the next one makes it again.
 */
NODISCARD enum err fanout_join(
	struct fanout *f, int fd, const char *interface, struct err_ctx *why);

#endif
