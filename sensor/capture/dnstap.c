/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One dnstap frame.
 *
 * The protobuf encoding is read here by hand, not with protobuf-c: 14 scalar fields of two messages
 * are wanted, in place, without an allocation per message on an input thread and without generated
 * code; the encoding itself is six lines of specification (https://protobuf.dev, "Encoding"): a key
 * is field number << 3 | wire type, a number is in groups of 7 bits, the lowest first.
 *
 * As any protobuf reader does: fields come in any order, of a repeated one the last counts, parts of
 * a repeated message are merged, unknown fields are stepped over.
 */
#include "sensor/capture/dnstap.h"

#include <netinet/in.h>

#include "sensor/base/clock.h"
#include "sensor/base/cursor.h"

enum wire_type {
	WIRE_VARINT = 0,
	WIRE_FIXED64 = 1,
	WIRE_BYTES = 2,
	WIRE_FIXED32 = 5,
};

/* dnstap.proto: message Dnstap */
enum tap_field {
	TAP_MESSAGE = 14,
	TAP_TYPE = 15,
};

#define TAP_TYPE_MESSAGE 1

/* message Message */
enum message_field {
	MESSAGE_TYPE = 1,
	MESSAGE_SOCKET_PROTOCOL = 3,
	MESSAGE_QUERY_ADDRESS = 4,
	MESSAGE_RESPONSE_ADDRESS = 5,
	MESSAGE_QUERY_PORT = 6,
	MESSAGE_RESPONSE_PORT = 7,
	MESSAGE_QUERY_TIME_SEC = 8,
	MESSAGE_QUERY_TIME_NSEC = 9,
	MESSAGE_QUERY_MESSAGE = 10,
	MESSAGE_RESPONSE_TIME_SEC = 12,
	MESSAGE_RESPONSE_TIME_NSEC = 13,
	MESSAGE_RESPONSE_MESSAGE = 14,
};

/*
 * Message.Type: AUTH, RESOLVER, CLIENT, FORWARDER, STUB, TOOL and UPDATE, each as a query (odd) and
 * as the response to it (even).
 */
#define MESSAGE_TYPE_MAX 14

/* SocketProtocol */
enum socket_protocol {
	SOCKET_UDP = 1,
	SOCKET_TCP = 2,
	SOCKET_DOT = 3,
	SOCKET_DOH = 4,
	SOCKET_DNSCRYPT_UDP = 5,
	SOCKET_DNSCRYPT_TCP = 6,
	SOCKET_DOQ = 7,
};

#define PORT_DOT_DOQ 853
#define PORT_DOH     443

/* One field as it stands: a number, or bytes. */
struct field {
	uint32_t number;
	enum wire_type type;
	uint64_t value;
	struct cursor bytes;
};

struct octets {
	const uint8_t *at; /* NULL: not there */
	size_t len;
};

struct moment {
	uint64_t seconds, nanoseconds;
	bool told;
};

/* What is wanted of a Dnstap and its Message. */
struct tap {
	uint64_t tap_type, type, protocol;
	uint64_t query_port, response_port;
	struct octets query_address, response_address;
	struct octets query_message, response_message;
	struct moment query_time, response_time;
};

static uint64_t read_varint(struct cursor *c)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t octet = cursor_u8(c);
		value |= (uint64_t)(octet & 0x7f) << shift;
		if (!(octet & 0x80))
			return value;
	}
	c->failed = true; /* no end after ten */
	return 0;
}

static uint64_t read_fixed(struct cursor *c, size_t len)
{
	const uint8_t *at = cursor_take(c, len);
	uint64_t value = 0;

	for (size_t i = 0; at && i < len; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

static bool read_field(struct cursor *c, struct field *f)
{
	uint64_t key = read_varint(c);

	*f = (struct field){ .number = (uint32_t)(key >> 3), .type = key & 7 };
	if (f->number == 0 || key > UINT32_MAX)
		c->failed = true;
	switch (f->type) {
	case WIRE_VARINT:
		f->value = read_varint(c);
		break;
	case WIRE_FIXED64:
		f->value = read_fixed(c, 8);
		break;
	case WIRE_FIXED32:
		f->value = read_fixed(c, 4);
		break;
	case WIRE_BYTES:
		f->value = read_varint(c);
		f->bytes = cursor_sub(c, f->value);
		break;
	default:
		c->failed = true; /* groups: dnstap never had any */
	}
	return !c->failed;
}

static struct octets octets_of(const struct field *f)
{
	return (struct octets){ f->bytes.pos, cursor_left(&f->bytes) };
}

static void take_bytes(struct tap *t, const struct field *f)
{
	switch (f->number) {
	case MESSAGE_QUERY_ADDRESS:
		t->query_address = octets_of(f);
		break;
	case MESSAGE_RESPONSE_ADDRESS:
		t->response_address = octets_of(f);
		break;
	case MESSAGE_QUERY_MESSAGE:
		t->query_message = octets_of(f);
		break;
	case MESSAGE_RESPONSE_MESSAGE:
		t->response_message = octets_of(f);
		break;
	}
}

static void take_number(struct tap *t, const struct field *f)
{
	switch (f->number) {
	case MESSAGE_TYPE:
		t->type = f->value;
		break;
	case MESSAGE_SOCKET_PROTOCOL:
		t->protocol = f->value;
		break;
	case MESSAGE_QUERY_PORT:
		t->query_port = f->value;
		break;
	case MESSAGE_RESPONSE_PORT:
		t->response_port = f->value;
		break;
	case MESSAGE_QUERY_TIME_SEC:
		t->query_time.seconds = f->value;
		t->query_time.told = true;
		break;
	case MESSAGE_RESPONSE_TIME_SEC:
		t->response_time.seconds = f->value;
		t->response_time.told = true;
		break;
	}
}

static void take_fraction(struct tap *t, const struct field *f)
{
	if (f->number == MESSAGE_QUERY_TIME_NSEC)
		t->query_time.nanoseconds = f->value;
	else if (f->number == MESSAGE_RESPONSE_TIME_NSEC)
		t->response_time.nanoseconds = f->value;
}

static bool read_message(struct tap *t, struct cursor *c)
{
	struct field f;

	while (cursor_left(c) > 0) {
		if (!read_field(c, &f))
			return false;
		if (f.type == WIRE_BYTES)
			take_bytes(t, &f);
		else if (f.type == WIRE_VARINT)
			take_number(t, &f);
		else if (f.type == WIRE_FIXED32)
			take_fraction(t, &f);
	}
	return true;
}

static bool read_tap(struct tap *t, struct cursor *c)
{
	struct field f;

	while (cursor_left(c) > 0) {
		if (!read_field(c, &f))
			return false;
		if (f.number == TAP_MESSAGE && f.type == WIRE_BYTES) {
			if (!read_message(t, &f.bytes))
				return false;
		} else if (f.number == TAP_TYPE && f.type == WIRE_VARINT) {
			t->tap_type = f.value;
		}
	}
	return true;
}

/* False when it is no address. One that is not there is left as it is. */
static bool read_address(struct ip *out, const struct octets *from)
{
	if (from->len == 4)
		*out = ip_from_v4(from->at);
	else if (from->len == 16)
		*out = ip_from_v6(from->at);
	return from->len == 0 || from->len == 4 || from->len == 16;
}

/* 0.0.0.0 and :: are what a server writes that does not know. */
static bool is_unspecified(const struct ip *ip)
{
	static const struct ip any_v6;
	static const uint8_t any_v4[4];
	struct ip any = ip_from_v4(any_v4);

	return ip_equal(ip, &any) || ip_equal(ip, &any_v6);
}

static bool read_ends(struct ip *client, struct ip *server, const struct tap *t)
{
	static const uint8_t any_v4[4];
	struct ip any = ip_from_v4(any_v4);

	*client = any;
	if (!read_address(client, &t->query_address))
		return false;
	*server = ip_is_v4(client) ? any : (struct ip){ { 0 } };
	return read_address(server, &t->response_address) && t->query_port <= UINT16_MAX &&
	       t->response_port <= UINT16_MAX;
}

/*
 * What carried it. Servers that do not tell TLS and HTTPS from plain TCP are still common (BIND 9.18,
 * Unbound 1.17); there the registered port of the server does.
 */
static void fill_carrier(struct packet *out, const struct tap *t)
{
	bool tcp = t->protocol == SOCKET_TCP || t->protocol == SOCKET_DOT ||
		   t->protocol == SOCKET_DOH || t->protocol == SOCKET_DNSCRYPT_TCP;

	out->protocol = tcp ? IPPROTO_TCP : IPPROTO_UDP;
	if (t->protocol == SOCKET_DNSCRYPT_UDP || t->protocol == SOCKET_DNSCRYPT_TCP)
		out->cover = PACKET_COVER_DNSCRYPT;
	else if (t->protocol == SOCKET_DOH ||
		 (t->protocol == SOCKET_TCP && t->response_port == PORT_DOH))
		out->cover = PACKET_COVER_DOH;
	else if (t->protocol == SOCKET_DOQ ||
		 (t->protocol == SOCKET_UDP && t->response_port == PORT_DOT_DOQ))
		out->cover = PACKET_COVER_DOQ;
	else if (t->protocol == SOCKET_DOT ||
		 (t->protocol == SOCKET_TCP && t->response_port == PORT_DOT_DOQ))
		out->cover = PACKET_COVER_DOT;
}

static bool time_of(int64_t *out, const struct moment *m)
{
	if (!m->told || m->seconds >= INT64_MAX / NS_PER_S || m->nanoseconds >= NS_PER_S)
		return false;
	*out = (int64_t)m->seconds * NS_PER_S + (int64_t)m->nanoseconds;
	return true;
}

/* Does the message's QR bit say what the type says? A message too short for one is counted later. */
static bool is_consistent(const struct packet *p, bool response)
{
	struct cursor c = cursor_init(p->payload, p->payload_len);

	cursor_take(&c, 2);
	uint8_t flags = cursor_u8(&c);
	return c.failed || (flags & 0x80) == (response ? 0x80 : 0);
}

static enum packet_result fill(struct packet *out, const struct tap *t, bool response)
{
	const struct octets *message = response ? &t->response_message : &t->query_message;
	struct ip client, server;

	if (!message->at || message->len == 0 || !read_ends(&client, &server, t))
		return PACKET_REJECT_DNSTAP_MALFORMED;
	out->src = response ? server : client;
	out->dst = response ? client : server;
	out->sport = (uint16_t)(response ? t->response_port : t->query_port);
	out->dport = (uint16_t)(response ? t->query_port : t->response_port);
	fill_carrier(out, t);
	out->payload = message->at;
	out->payload_len = (uint32_t)message->len;
	if (!is_consistent(out, response))
		return PACKET_REJECT_DNSTAP_MALFORMED;
	return is_unspecified(&client) ? PACKET_REJECT_DNSTAP_CLIENT : PACKET_DNS;
}

static enum packet_result decode(
	struct packet *out, int64_t *ts_ns, const uint8_t *bytes, size_t bytes_len)
{
	struct cursor c = cursor_init(bytes, bytes_len);
	struct tap t = { 0 };

	if (!read_tap(&t, &c) || t.tap_type == 0)
		return PACKET_REJECT_DNSTAP_MALFORMED;
	if (t.tap_type != TAP_TYPE_MESSAGE || t.type > MESSAGE_TYPE_MAX)
		return PACKET_REJECT_DNSTAP_TYPE;
	if (t.type == 0)
		return PACKET_REJECT_DNSTAP_MALFORMED;
	bool response = t.type % 2 == 0;
	if (!time_of(ts_ns, response ? &t.response_time : &t.query_time) &&
		!time_of(ts_ns, response ? &t.query_time : &t.response_time))
		return PACKET_REJECT_DNSTAP_TIME;
	return fill(out, &t, response);
}

enum packet_result dnstap_decode(
	struct packet *out, int64_t *ts_ns, const uint8_t *bytes, size_t bytes_len)
{
	const struct packet none = { .vni = PACKET_NO_VNI };

	*ts_ns = 0;
	*out = none;
	enum packet_result result = decode(out, ts_ns, bytes, bytes_len);
	if (result != PACKET_DNS)
		*out = none;
	return result;
}
