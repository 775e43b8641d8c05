/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frame.h -- messages in Ethernet frames.
 *
 * Tenant t has the t-th network of 10.0.0.0/8, a /16 or, when there are more than 256 tenants, as
 * much smaller as it takes, and fd00:0:t::/48. Its resolver is host 53, its clients begin at
 * host FRAME_HOST_FIRST.
 */
#ifndef TOOLS_MKPCAP_FRAME_H
#define TOOLS_MKPCAP_FRAME_H

#include "tools/mkpcap/exchange.h"
#include "tools/mkpcap/wire.h"

#define FRAME_TENANTS_MAX 65536
#define FRAME_HOST_FIRST  64

struct frame_layout {
	bool vlans;         /* tag each tenant's frames with VLAN 100 + tenant */
	unsigned host_bits; /* of a tenant's IPv4 network */
};

enum frame_tcp_flag {
	FRAME_TCP_FIN = 0x01,
	FRAME_TCP_SYN = 0x02,
	FRAME_TCP_PUSH = 0x08,
	FRAME_TCP_ACK = 0x10,
};

/* How many low bits of 10.0.0.0/8 are left to each tenant for its hosts. */
unsigned frame_host_bits(uint64_t tenants);

void frame_put_udp(struct wire *f, const struct frame_layout *layout, const struct exchange *x,
	const struct wire *message, bool from_server);

/* One segment of the exchange's connection, with a message in it or (NULL) without; its sequence
 * numbers move on. */
void frame_put_tcp(struct wire *f, const struct frame_layout *layout, struct exchange *x,
	const struct wire *message, bool from_server, unsigned flags);

#endif
