/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/capture/dnstap.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"
#include "tests/support/dnstap_build.h"
#include "tests/support/guard.h"

#define ASKED_NS    (DNSTAP_BUILD_TIME_S * NS_PER_S + 123456789)
#define ANSWERED_NS ((DNSTAP_BUILD_TIME_S + 1) * NS_PER_S + 987654321)

struct decoded {
	enum packet_result result;
	struct packet p;
	int64_t ts_ns;
};

static struct dnstap_build built;

static struct decoded decode(void)
{
	struct decoded d;

	memset(&d, 0xaa, sizeof(d));
	d.result = dnstap_decode(&d.p, &d.ts_ns, built.at, built.len);
	return d;
}

static struct decoded decode_spec(const struct dnstap_spec *spec)
{
	built.len = 0;
	dnstap_build_tap(&built, spec);
	return decode();
}

static bool is_at(const struct ip *ip, const char *text)
{
	char is[IP_TEXT_MAX];

	return strcmp(ip_format(ip, is), text) == 0;
}

/* --- types ----------------------------------------------------------------------------------- */

static const char *const types[] = { NULL, "AUTH_QUERY", "AUTH_RESPONSE", "RESOLVER_QUERY",
	"RESOLVER_RESPONSE", "CLIENT_QUERY", "CLIENT_RESPONSE", "FORWARDER_QUERY",
	"FORWARDER_RESPONSE", "STUB_QUERY", "STUB_RESPONSE", "TOOL_QUERY", "TOOL_RESPONSE",
	"UPDATE_QUERY", "UPDATE_RESPONSE" };

Test(dnstap, each_type_goes_from_who_asks_or_to_them)
{
	for (unsigned type = 1; type < ARRAY_LEN(types); type++) {
		struct decoded d = decode_spec(&(struct dnstap_spec){ .type = type });
		const struct packet *p = &d.p;
		bool response = type % 2 == 0;
		cr_expect_eq(d.result, PACKET_DNS, "%s", types[type]);
		cr_expect(is_at(response ? &p->dst : &p->src, "10.1.0.7"), "%s", types[type]);
		cr_expect(is_at(response ? &p->src : &p->dst, "10.1.0.53"), "%s", types[type]);
		cr_expect_eq(response ? p->dport : p->sport, 40000, "%s", types[type]);
		cr_expect_eq(response ? p->sport : p->dport, 53, "%s", types[type]);
		cr_expect_eq(d.ts_ns, response ? ANSWERED_NS : ASKED_NS, "%s", types[type]);
		cr_expect_eq(p->protocol, IPPROTO_UDP, "%s", types[type]);
		cr_expect_eq(p->vni, PACKET_NO_VNI, "%s", types[type]);
		cr_expect_eq(p->payload_len, DNSTAP_BUILD_QUERY_LEN, "%s", types[type]);
		cr_expect_eq(p->payload[2], response ? 0x81 : 0x01, "%s", types[type]);
	}
}

Test(dnstap, types_of_a_later_version_are_counted_as_such)
{
	cr_expect_eq(decode_spec(&(struct dnstap_spec){ .type = 15 }).result,
		PACKET_REJECT_DNSTAP_TYPE);
	cr_expect_eq(decode_spec(&(struct dnstap_spec){ .type = 4000000000 }).result,
		PACKET_REJECT_DNSTAP_TYPE);
	cr_expect_eq(decode_spec(&(struct dnstap_spec){ .dnstap_type = 2 }).result,
		PACKET_REJECT_DNSTAP_TYPE);
}

/* --- addresses, ports, times ------------------------------------------------------------------ */

Test(dnstap, both_families_in_any_mixture)
{
	struct dnstap_spec spec = { .query_address = "2001:db8::7",
		.response_address = "2001:db8::53" };
	struct decoded d = decode_spec(&spec);
	cr_expect_eq(d.result, PACKET_DNS);
	cr_expect(is_at(&d.p.src, "2001:db8::7"));
	cr_expect(is_at(&d.p.dst, "2001:db8::53"));

	spec.response_address = "192.0.2.53";
	d = decode_spec(&spec);
	cr_expect_eq(d.result, PACKET_DNS);
	cr_expect(is_at(&d.p.src, "2001:db8::7"));
	cr_expect(is_at(&d.p.dst, "192.0.2.53"));
}

static const struct {
	const char *name;
	struct dnstap_spec spec;
	enum packet_result result;
} missing[] = {
	{ "type", { .without = DNSTAP_WITHOUT(1) }, PACKET_REJECT_DNSTAP_MALFORMED },
	{ "family", { .without = DNSTAP_WITHOUT(2) }, PACKET_DNS },
	{ "protocol", { .without = DNSTAP_WITHOUT(3) }, PACKET_DNS },
	{ "query address", { .without = DNSTAP_WITHOUT(4) }, PACKET_REJECT_DNSTAP_CLIENT },
	{ "response address", { .without = DNSTAP_WITHOUT(5) }, PACKET_DNS },
	{ "query port", { .without = DNSTAP_WITHOUT(6) }, PACKET_DNS },
	{ "response port", { .without = DNSTAP_WITHOUT(7) }, PACKET_DNS },
	{ "query time", { .without = DNSTAP_WITHOUT(8) }, PACKET_REJECT_DNSTAP_TIME },
	{ "nanoseconds", { .without = DNSTAP_WITHOUT(9) }, PACKET_DNS },
	{ "query message", { .without = DNSTAP_WITHOUT(10) }, PACKET_REJECT_DNSTAP_MALFORMED },
	{ "query time of a response", { .type = 6, .without = DNSTAP_WITHOUT(8) }, PACKET_DNS },
	{ "response time", { .type = 6, .without = DNSTAP_WITHOUT(12) }, PACKET_DNS },
	{ "both times", { .type = 6, .without = DNSTAP_WITHOUT(8) | DNSTAP_WITHOUT(12) },
		PACKET_REJECT_DNSTAP_TIME },
	{ "response message", { .type = 6, .without = DNSTAP_WITHOUT(14) },
		PACKET_REJECT_DNSTAP_MALFORMED },
};

Test(dnstap, a_field_that_is_missing_costs_the_frame_only_when_it_is_needed)
{
	for (size_t i = 0; i < ARRAY_LEN(missing); i++) {
		struct decoded d = decode_spec(&missing[i].spec);
		cr_expect_eq(d.result, missing[i].result, "%s: %s", missing[i].name,
			packet_result_name(d.result));
		cr_expect_eq(
			d.p.payload != NULL, d.result == PACKET_DNS, "%s", missing[i].name);
	}
}

Test(dnstap, what_is_not_told_is_unspecified)
{
	struct dnstap_spec spec = { .without = DNSTAP_WITHOUT(5) | DNSTAP_WITHOUT(6) |
					       DNSTAP_WITHOUT(7) | DNSTAP_WITHOUT(9) };
	struct decoded d = decode_spec(&spec);
	cr_expect(is_at(&d.p.dst, "0.0.0.0"));
	cr_expect_eq(d.p.sport | d.p.dport, 0);
	cr_expect_eq(d.ts_ns, DNSTAP_BUILD_TIME_S * NS_PER_S);

	spec.query_address = "2001:db8::7";
	d = decode_spec(&spec);
	cr_expect(is_at(&d.p.dst, "::"));
}

Test(dnstap, a_response_without_its_time_has_the_query_s)
{
	struct dnstap_spec spec = { .type = 6, .without = DNSTAP_WITHOUT(12) };
	cr_expect_eq(decode_spec(&spec).ts_ns, ASKED_NS);
}

Test(dnstap, an_unspecified_query_address_is_nobody)
{
	struct dnstap_spec spec = { .type = 3, .query_address = "0.0.0.0" };
	cr_expect_eq(decode_spec(&spec).result, PACKET_REJECT_DNSTAP_CLIENT);
	spec.query_address = "::";
	cr_expect_eq(decode_spec(&spec).result, PACKET_REJECT_DNSTAP_CLIENT);
	spec.type = 4;
	cr_expect_eq(decode_spec(&spec).result, PACKET_REJECT_DNSTAP_CLIENT);
}

/* --- what carried it --------------------------------------------------------------------------- */

static const struct {
	const char *name;
	unsigned protocol, port;
	uint8_t ip_protocol, cover;
} carriers[] = {
	{ "UDP", 1, 53, IPPROTO_UDP, PACKET_COVER_NONE },
	{ "TCP", 2, 53, IPPROTO_TCP, PACKET_COVER_NONE },
	{ "DOT", 3, 853, IPPROTO_TCP, PACKET_COVER_DOT },
	{ "DOT on another port", 3, 8853, IPPROTO_TCP, PACKET_COVER_DOT },
	{ "DOH", 4, 443, IPPROTO_TCP, PACKET_COVER_DOH },
	{ "DNSCryptUDP", 5, 443, IPPROTO_UDP, PACKET_COVER_DNSCRYPT },
	{ "DNSCryptTCP", 6, 443, IPPROTO_TCP, PACKET_COVER_DNSCRYPT },
	{ "DNSCryptTCP on DoT's port", 6, 853, IPPROTO_TCP, PACKET_COVER_DNSCRYPT },
	{ "DOQ", 7, 853, IPPROTO_UDP, PACKET_COVER_DOQ },
	{ "TCP to DoT's port", 2, 853, IPPROTO_TCP, PACKET_COVER_DOT },
	{ "TCP to HTTPS' port", 2, 443, IPPROTO_TCP, PACKET_COVER_DOH },
	{ "UDP to DoQ's port", 1, 853, IPPROTO_UDP, PACKET_COVER_DOQ },
	{ "UDP to HTTPS' port", 1, 443, IPPROTO_UDP, PACKET_COVER_NONE },
	{ "one of a later version", 99, 853, IPPROTO_UDP, PACKET_COVER_NONE },
};

Test(dnstap, tells_what_carried_a_message)
{
	for (size_t i = 0; i < ARRAY_LEN(carriers); i++) {
		for (unsigned type = 5; type <= 6; type++) {
			struct decoded d = decode_spec(&(struct dnstap_spec){ .type = type,
				.protocol = carriers[i].protocol,
				.response_port = carriers[i].port });
			cr_expect_eq(d.result, PACKET_DNS, "%s", carriers[i].name);
			cr_expect_eq(
				d.p.protocol, carriers[i].ip_protocol, "%s", carriers[i].name);
			cr_expect_eq(d.p.cover, carriers[i].cover, "%s", carriers[i].name);
		}
	}
}

Test(dnstap, the_client_s_port_says_nothing_of_encryption)
{
	struct dnstap_spec spec = { .protocol = 2, .query_port = 853 };
	cr_expect_eq(decode_spec(&spec).p.cover, PACKET_COVER_NONE);
}

/* --- values that cannot be --------------------------------------------------------------------- */

/* A CLIENT_QUERY with one field again, which is the one that counts. */
static enum packet_result with_field(void (*put)(struct dnstap_build *message))
{
	struct dnstap_build message = { 0 };

	built.len = 0;
	dnstap_build_tap(&built, &(struct dnstap_spec){ .type = 5 });
	put(&message);
	dnstap_build_bytes(&built, 14, message.at, message.len);
	dnstap_build_deinit(&message);
	return decode().result;
}

static void address_of_5(struct dnstap_build *m)
{
	dnstap_build_bytes(m, 4, "\x0a\x01\x00\x07\x00", 5);
}

static void address_of_15(struct dnstap_build *m)
{
	dnstap_build_bytes(m, 5, "123456789012345", 15);
}

static void port_of_65536(struct dnstap_build *m)
{
	dnstap_build_varint(m, 6, 65536);
}

static void response_port_of_2_to_the_40(struct dnstap_build *m)
{
	dnstap_build_varint(m, 7, UINT64_C(1) << 40);
}

static void a_second_too_many(struct dnstap_build *m)
{
	dnstap_build_varint(m, 8, INT64_MAX / NS_PER_S);
}

static void all_bits_of_time(struct dnstap_build *m)
{
	dnstap_build_varint(m, 8, UINT64_MAX);
}

static void a_whole_second_of_nanoseconds(struct dnstap_build *m)
{
	dnstap_build_fixed32(m, 9, 1000000000);
}

static void an_empty_message(struct dnstap_build *m)
{
	dnstap_build_bytes(m, 10, "", 0);
}

static void a_response_for_a_query(struct dnstap_build *m)
{
	dnstap_build_bytes(m, 10, "\x12\x34\x81\x80\x00\x00\x00\x00\x00\x00\x00\x00", 12);
}

static void an_empty_address(struct dnstap_build *m)
{
	dnstap_build_bytes(m, 4, "", 0);
}

static void the_largest_port(struct dnstap_build *m)
{
	dnstap_build_varint(m, 6, 65535);
}

static void the_last_second(struct dnstap_build *m)
{
	dnstap_build_varint(m, 8, INT64_MAX / NS_PER_S - 1);
}

static void a_message_of_two_octets(struct dnstap_build *m)
{
	dnstap_build_bytes(m, 10, "\x12\x34", 2);
}

static void nothing(struct dnstap_build *m)
{
	(void)m;
}

static void an_unknown_field_of_each_wire_type(struct dnstap_build *m)
{
	dnstap_build_varint(m, 100, UINT64_MAX);
	dnstap_build_fixed32(m, 101, 1);
	dnstap_build_bytes(m, 102, "policy", 6);
	dnstap_build_octets(m,
		"\xb9\x06"
		"12345678",
		10); /* field 103, 64 bits */
}

static void known_fields_of_another_wire_type(struct dnstap_build *m)
{
	dnstap_build_bytes(m, 1, "\x63", 1);
	dnstap_build_varint(m, 4, 12);
	dnstap_build_varint(m, 9, 2000000000);
	dnstap_build_fixed32(m, 8, 0);
}

static void field_number_0(struct dnstap_build *m)
{
	dnstap_build_varint(m, 0, 1);
}

static void a_group(struct dnstap_build *m)
{
	dnstap_build_octets(m, "\x23\x24", 2);
}

static void a_key_of_more_than_32_bits(struct dnstap_build *m)
{
	dnstap_build_octets(m, "\x88\x80\x80\x80\x10\x01", 6);
}

static void a_number_without_end(struct dnstap_build *m)
{
	dnstap_build_octets(m, "\x30\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12);
}

static void bytes_longer_than_the_frame(struct dnstap_build *m)
{
	dnstap_build_octets(m,
		"\x52\x7f"
		"abc",
		5);
}

static void bytes_of_all_bits_of_length(struct dnstap_build *m)
{
	dnstap_build_octets(m, "\x52\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
}

#define ROW(put, result)                                                                       \
	{                                                                                      \
#put, put, result                                                              \
	}
static const struct {
	const char *name;
	void (*put)(struct dnstap_build *message);
	enum packet_result result;
} odd[] = {
	ROW(nothing, PACKET_DNS),
	ROW(the_largest_port, PACKET_DNS),
	ROW(the_last_second, PACKET_DNS),
	ROW(a_message_of_two_octets, PACKET_DNS),
	ROW(an_unknown_field_of_each_wire_type, PACKET_DNS),
	ROW(known_fields_of_another_wire_type, PACKET_DNS),
	ROW(an_empty_address, PACKET_REJECT_DNSTAP_CLIENT),
	ROW(a_second_too_many, PACKET_REJECT_DNSTAP_TIME),
	ROW(all_bits_of_time, PACKET_REJECT_DNSTAP_TIME),
	ROW(a_whole_second_of_nanoseconds, PACKET_REJECT_DNSTAP_TIME),
	ROW(address_of_5, PACKET_REJECT_DNSTAP_MALFORMED),
	ROW(address_of_15, PACKET_REJECT_DNSTAP_MALFORMED),
	ROW(port_of_65536, PACKET_REJECT_DNSTAP_MALFORMED),
	ROW(response_port_of_2_to_the_40, PACKET_REJECT_DNSTAP_MALFORMED),
	ROW(an_empty_message, PACKET_REJECT_DNSTAP_MALFORMED),
	ROW(a_response_for_a_query, PACKET_REJECT_DNSTAP_MALFORMED),
	ROW(field_number_0, PACKET_REJECT_DNSTAP_MALFORMED),
	ROW(a_group, PACKET_REJECT_DNSTAP_MALFORMED),
	ROW(a_key_of_more_than_32_bits, PACKET_REJECT_DNSTAP_MALFORMED),
	ROW(a_number_without_end, PACKET_REJECT_DNSTAP_MALFORMED),
	ROW(bytes_longer_than_the_frame, PACKET_REJECT_DNSTAP_MALFORMED),
	ROW(bytes_of_all_bits_of_length, PACKET_REJECT_DNSTAP_MALFORMED),
};

Test(dnstap, values_at_their_limits_pass_and_those_beyond_are_counted)
{
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		enum packet_result result = with_field(odd[i].put);
		cr_expect_eq(result, odd[i].result, "%s: %s", odd[i].name,
			packet_result_name(result));
	}
}

Test(dnstap, parts_of_a_message_that_come_apart_are_put_together)
{
	struct dnstap_build part = { 0 };

	built.len = 0;
	dnstap_build_tap(&built, &(struct dnstap_spec){ .without = DNSTAP_WITHOUT(10) });
	dnstap_build_bytes(&part, 10, DNSTAP_BUILD_QUERY, DNSTAP_BUILD_QUERY_LEN);
	dnstap_build_bytes(&built, 14, part.at, part.len);
	dnstap_build_deinit(&part);
	struct decoded d = decode();
	cr_expect_eq(d.result, PACKET_DNS);
	cr_expect_eq(d.p.payload_len, DNSTAP_BUILD_QUERY_LEN);
}

Test(dnstap, without_a_message_or_without_anything_it_is_malformed)
{
	built.len = 0;
	cr_expect_eq(decode().result, PACKET_REJECT_DNSTAP_MALFORMED);
	dnstap_build_varint(&built, 15, 1);
	cr_expect_eq(decode().result, PACKET_REJECT_DNSTAP_MALFORMED);
}

/* --- cut anywhere ------------------------------------------------------------------------------ */

Test(dnstap, a_frame_cut_at_any_length_is_never_read_beyond_its_end)
{
	static const unsigned shown[] = { 5, 6, 13 };
	struct guard g = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		built.len = 0;
		dnstap_build_tap(&built, &(struct dnstap_spec){ .type = shown[i] });
		for (size_t len = 0; len <= built.len; len++) {
			struct packet p;
			int64_t ts_ns;
			const uint8_t *at = guard_place(&g, built.at, len);
			enum packet_result result = dnstap_decode(&p, &ts_ns, at, len);
			/* the type of the whole stands last */
			cr_expect_eq(result,
				len == built.len ? PACKET_DNS : PACKET_REJECT_DNSTAP_MALFORMED,
				"%zu of %zu", len, built.len);
		}
	}
	guard_deinit(&g);
}

Test(dnstap, any_octet_may_be_anything)
{
	struct guard g = { 0 };

	built.len = 0;
	dnstap_build_tap(&built, &(struct dnstap_spec){ .type = 6 });
	for (size_t i = 0; i < built.len; i++) {
		uint8_t kept = built.at[i];
		for (unsigned octet = 0; octet < 256; octet++) {
			built.at[i] = (uint8_t)octet;
			struct packet p;
			int64_t ts_ns;
			const uint8_t *at = guard_place(&g, built.at, built.len);
			enum packet_result result = dnstap_decode(&p, &ts_ns, at, built.len);
			cr_assert_lt(result, PACKET_RESULT_COUNT);
			cr_assert_eq(p.payload != NULL, result == PACKET_DNS);
			if (p.payload)
				cr_assert(p.payload >= at &&
					  p.payload + p.payload_len <= at + built.len);
		}
		built.at[i] = kept;
	}
	guard_deinit(&g);
}
