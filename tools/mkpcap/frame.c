/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/mkpcap/frame.h"

#include <netinet/in.h>

#define SERVER_HOST 53
#define VLAN_FIRST  100
#define VLAN_COUNT  3900

unsigned frame_host_bits(uint64_t tenants)
{
	unsigned bits = 16;

	while (tenants > UINT64_C(1) << (24 - bits))
		bits--;
	return bits;
}

static uint32_t sum16(uint32_t sum, const uint8_t *bytes, size_t len)
{
	size_t i = 0;

	for (; i + 1 < len; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	return i < len ? sum + ((uint32_t)bytes[i] << 8) : sum;
}

static void set_checksum(uint8_t *at, uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	at[0] = (uint8_t)(~sum >> 8);
	at[1] = (uint8_t)~sum;
}

static void put_ipv4_address(struct wire *f, const struct frame_layout *layout,
	const struct exchange *x, uint32_t host)
{
	wire_u32(f, 0x0a000000 | x->tenant << layout->host_bits | host);
}

static void put_ipv6_address(struct wire *f, const struct exchange *x, uint32_t host)
{
	wire_u32(f, 0xfd000000);
	wire_u32(f, x->tenant << 16 | 1);
	wire_u32(f, 0);
	wire_u32(f, host);
}

static void put_ipv4(struct wire *f, const struct frame_layout *layout,
	const struct exchange *x, size_t transport_len, bool from_server)
{
	size_t ip = f->len;
	uint32_t client = FRAME_HOST_FIRST + x->host;

	wire_u16(f, 0x4500);
	wire_u16(f, (unsigned)(20 + transport_len));
	wire_u16(f, x->id ^ 0x5a5a);
	wire_u16(f, 0x4000);
	wire_u16(f, (from_server ? 64 : 128) << 8 | (x->tcp ? IPPROTO_TCP : IPPROTO_UDP));
	wire_u16(f, 0);
	put_ipv4_address(f, layout, x, from_server ? SERVER_HOST : client);
	put_ipv4_address(f, layout, x, from_server ? client : SERVER_HOST);
	set_checksum(f->at + ip + 10, sum16(0, f->at + ip, 20));
}

static void put_ipv6(
	struct wire *f, const struct exchange *x, size_t transport_len, bool from_server)
{
	uint32_t client = FRAME_HOST_FIRST + x->host;

	wire_u32(f, 0x60000000);
	wire_u16(f, (unsigned)transport_len);
	wire_u16(f, (x->tcp ? IPPROTO_TCP : IPPROTO_UDP) << 8 | 64);
	put_ipv6_address(f, x, from_server ? SERVER_HOST : client);
	put_ipv6_address(f, x, from_server ? client : SERVER_HOST);
}

/* Everything below the transport header, and its ports; returns where the transport begins. */
static size_t put_lower(struct wire *f, const struct frame_layout *layout,
	const struct exchange *x, size_t transport_len, bool from_server)
{
	wire_bytes(
		f, from_server ? "\2\0\0\0\0\2\2\0\0\0\0\1" : "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
	if (layout->vlans) {
		wire_u16(f, 0x8100);
		wire_u16(f, VLAN_FIRST + x->tenant % VLAN_COUNT);
	}
	wire_u16(f, x->ipv6 ? 0x86dd : 0x0800);
	if (x->ipv6)
		put_ipv6(f, x, transport_len, from_server);
	else
		put_ipv4(f, layout, x, transport_len, from_server);
	size_t transport = f->len;
	wire_u16(f, from_server ? 53 : x->port);
	wire_u16(f, from_server ? x->port : 53);
	return transport;
}

/* The pseudo header is the addresses, which stand before the transport, length and protocol. */
static void set_transport_checksum(
	struct wire *f, const struct exchange *x, size_t transport, size_t at)
{
	size_t addresses = x->ipv6 ? 32 : 8, len = f->len - transport;
	uint32_t sum = (uint32_t)len + (x->tcp ? IPPROTO_TCP : IPPROTO_UDP);

	sum = sum16(sum, f->at + transport - addresses, addresses + len);
	set_checksum(f->at + transport + at, sum);
	/* a UDP checksum of zero would mean that there is none */
	if (!x->tcp && f->at[transport + at] == 0 && f->at[transport + at + 1] == 0)
		memset(f->at + transport + at, 0xff, 2);
}

void frame_put_udp(struct wire *f, const struct frame_layout *layout, const struct exchange *x,
	const struct wire *message, bool from_server)
{
	size_t len = 8 + message->len;
	size_t transport = put_lower(f, layout, x, len, from_server);

	wire_u16(f, (unsigned)len);
	wire_u16(f, 0);
	wire_bytes(f, message->at, message->len);
	set_transport_checksum(f, x, transport, 6);
}

void frame_put_tcp(struct wire *f, const struct frame_layout *layout, struct exchange *x,
	const struct wire *message, bool from_server, unsigned flags)
{
	size_t payload_len = message ? 2 + message->len : 0;
	size_t transport = put_lower(f, layout, x, 20 + payload_len, from_server);

	wire_u32(f, x->seq[from_server]);
	wire_u32(f, flags & FRAME_TCP_ACK ? x->seq[!from_server] : 0);
	wire_u16(f, 0x5000 | flags);
	wire_u16(f, 65000);
	wire_u32(f, 0);
	if (message) {
		wire_u16(f, (unsigned)message->len);
		wire_bytes(f, message->at, message->len);
	}
	set_transport_checksum(f, x, transport, 16);
	x->seq[from_server] +=
		(uint32_t)payload_len + !!(flags & (FRAME_TCP_SYN | FRAME_TCP_FIN));
}
