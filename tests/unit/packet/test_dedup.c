/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>

#include "sensor/base/clock.h"
#include "sensor/packet/dedup.h"
#include "sensor/packet/fingerprint.h"

#define START (1700000000 * NS_PER_S)

static bool sees_copy(struct dedup *d, const struct packet *p, int64_t ts_ns)
{
	static const uint64_t key[2] = { 42, 43 };
	struct packet seen = *p;

	seen.fingerprint = fingerprint_of(p, key);
	dedup_prefetch(d, &seen);
	return dedup_is_copy(d, &seen, ts_ns);
}

static const uint8_t query[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07"
			       "example\x03"
			       "com\x00\x00\x01\x00\x01";

static struct packet a_query(uint16_t ip_id)
{
	static const uint8_t src[4] = { 10, 0, 0, 1 }, dst[4] = { 10, 0, 0, 53 };

	return (struct packet){
		.src = ip_from_v4(src),
		.dst = ip_from_v4(dst),
		.sport = 40000,
		.dport = 53,
		.protocol = IPPROTO_UDP,
		.ip_ttl = 64,
		.ip_id = ip_id,
		.vni = PACKET_NO_VNI,
		.payload = query,
		.payload_len = sizeof(query) - 1,
	};
}

static struct dedup *a_dedup(enum dedup_mode mode)
{
	struct dedup *d = dedup_new(mode, DEDUP_WINDOW_NS, 42);

	cr_assert_not_null(d);
	return d;
}

/* Is the second of the two a copy of the first, seen `after_ns` later? */
static bool is_copy(enum dedup_mode mode, const struct packet *first,
	const struct packet *second, int64_t after_ns)
{
	struct dedup *d = a_dedup(mode);

	cr_assert_not(sees_copy(d, first, START));
	bool copy = sees_copy(d, second, START + after_ns);
	dedup_free(d);
	return copy;
}

Test(dedup, the_same_packet_within_the_window_is_a_copy)
{
	struct packet p = a_query(7);

	cr_assert(is_copy(DEDUP_AUTO, &p, &p, 0));
	cr_assert(is_copy(DEDUP_AUTO, &p, &p, 4990000));
	cr_assert(is_copy(DEDUP_ON, &p, &p, 1000));
	cr_assert(is_copy(DEDUP_AUTO, &p, &p, -1000), "clocks of two cards");
	cr_assert_not(is_copy(DEDUP_OFF, &p, &p, 0));
}

Test(dedup, outside_the_window_it_is_sent_again)
{
	struct packet p = a_query(7);

	cr_assert_not(is_copy(DEDUP_ON, &p, &p, 5010000));
	cr_assert_not(is_copy(DEDUP_ON, &p, &p, -5010000));
	cr_assert_not(is_copy(DEDUP_ON, &p, &p, 3600 * NS_PER_S));
}

Test(dedup, one_hop_and_other_tags_are_allowed)
{
	struct packet first = a_query(7), second = a_query(7);

	second.ip_ttl = 63;
	cr_assert(is_copy(DEDUP_AUTO, &first, &second, 1000));
	cr_assert(is_copy(DEDUP_AUTO, &second, &first, 1000), "the later copy came first");
	second.vlan_count = 1;
	second.vlan[0] = 101;
	cr_assert(is_copy(DEDUP_AUTO, &first, &second, 1000));
	second.ip_ttl = 62;
	cr_assert_not(is_copy(DEDUP_ON, &first, &second, 1000), "two hops");
	second = a_query(7);
	second.vni = 7001;
	cr_assert(is_copy(DEDUP_AUTO, &first, &second, 1000));
}

/* What makes another packet of it, one thing at a time. */
static void other_source(struct packet *p)
{
	p->src.bytes[15]++;
}
static void other_destination(struct packet *p)
{
	p->dst.bytes[15]++;
}
static void ends_swapped(struct packet *p)
{
	struct ip src = p->src;
	p->src = p->dst;
	p->dst = src;
}
static void other_source_port(struct packet *p)
{
	p->sport++;
}
static void other_destination_port(struct packet *p)
{
	p->dport++;
}
static void other_protocol(struct packet *p)
{
	p->protocol = IPPROTO_TCP;
}
static void other_identification(struct packet *p)
{
	p->ip_id++;
}
static void shorter(struct packet *p)
{
	p->payload_len--;
}
static void cut_elsewhere(struct packet *p)
{
	p->payload_missing = 1;
}
static void other_sequence(struct packet *p)
{
	p->tcp_seq++;
}
static void other_acknowledgement(struct packet *p)
{
	p->tcp_ack++;
}
static void other_flags(struct packet *p)
{
	p->tcp_flags = PACKET_TCP_FIN;
}

Test(dedup, what_differs_in_anything_else_is_another_packet)
{
	static const struct {
		const char *name;
		void (*change)(struct packet *p);
	} rows[] = {
		{ "source", other_source },
		{ "destination", other_destination },
		{ "ends swapped", ends_swapped },
		{ "source port", other_source_port },
		{ "destination port", other_destination_port },
		{ "protocol", other_protocol },
		{ "identification", other_identification },
		{ "shorter", shorter },
		{ "cut elsewhere", cut_elsewhere },
		{ "sequence", other_sequence },
		{ "acknowledgement", other_acknowledgement },
		{ "flags", other_flags },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct packet first = a_query(7), second = a_query(7);
		rows[i].change(&second);
		cr_assert_not(is_copy(DEDUP_ON, &first, &second, 0), "%s", rows[i].name);
	}
}

/* Of a forged answer only the address differs; it must be seen. */
Test(dedup, every_octet_of_the_payload_counts)
{
	uint8_t bytes[200], other[200];

	for (size_t len = 1; len <= sizeof(bytes); len++) {
		struct packet first = a_query(7), second = a_query(7);
		memset(bytes, 0x5a, sizeof(bytes));
		memcpy(other, bytes, sizeof(bytes));
		first.payload = bytes;
		second.payload = other;
		first.payload_len = second.payload_len = (uint32_t)len;
		cr_assert(is_copy(DEDUP_ON, &first, &second, 0), "%zu octets", len);
		for (size_t at = 0; at < len; at++) {
			other[at] ^= 1;
			cr_assert_not(is_copy(DEDUP_ON, &first, &second, 0), "octet %zu of %zu",
				at, len);
			other[at] ^= 1;
		}
	}
}

Test(dedup, the_same_again_without_a_proof_is_a_copy_only_when_on)
{
	struct packet p = a_query(0), routed = a_query(0), tagged = a_query(0);

	cr_assert_not(is_copy(DEDUP_AUTO, &p, &p, 10));
	cr_assert(is_copy(DEDUP_ON, &p, &p, 10));
	routed.ip_ttl--;
	cr_assert(is_copy(DEDUP_AUTO, &p, &routed, 10));
	tagged.vlan_count = 1;
	tagged.vlan[0] = 4094;
	cr_assert(is_copy(DEDUP_AUTO, &p, &tagged, 10));
}

/* A mirror that was seen to double packets doubles those without an identification as well. */
Test(dedup, auto_learns_from_packets_that_can_prove_it)
{
	struct dedup *d = a_dedup(DEDUP_AUTO);
	struct packet plain = a_query(0);
	int64_t now = START;

	for (uint16_t id = 1; id <= 100; id++, now += NS_PER_MS) {
		struct packet p = a_query(id);
		cr_assert_not(sees_copy(d, &p, now));
		cr_assert(sees_copy(d, &p, now + 10));
	}
	cr_assert_not(sees_copy(d, &plain, now));
	cr_assert(sees_copy(d, &plain, now + 10), "learned");
	for (uint16_t id = 1000; id <= 3000; id++, now += NS_PER_MS) {
		struct packet p = a_query(id);
		cr_assert_not(sees_copy(d, &p, now));
	}
	cr_assert_not(sees_copy(d, &plain, now));
	cr_assert_not(sees_copy(d, &plain, now + 10), "and forgotten: copies have ended");
	dedup_free(d);
}

Test(dedup, a_flood_of_equal_packets_does_not_vanish)
{
	for (int mode = DEDUP_AUTO; mode <= DEDUP_ON; mode++) {
		struct dedup *d = a_dedup(mode);
		struct packet p = a_query(7);
		unsigned copies = 0;
		for (int i = 0; i < 4000; i++)
			copies += sees_copy(d, &p, START + i * 1000);
		cr_assert_eq(copies, 3000, "%d: %u", mode, copies);
		dedup_free(d);
	}
}

Test(dedup, thousands_of_packets_within_the_window_keep_their_copies)
{
	struct dedup *d = a_dedup(DEDUP_AUTO);
	unsigned copies = 0, wrong = 0;

	for (unsigned i = 0; i < 100000; i++) {
		struct packet p = a_query(7);
		p.sport = (uint16_t)i;
		p.src.bytes[13] = (uint8_t)(i >> 16);
		wrong += sees_copy(d, &p, START + i * INT64_C(1000));
		if (i >= 1000) { /* the copy comes a millisecond later */
			p.sport = (uint16_t)(i - 1000);
			p.src.bytes[13] = (uint8_t)((i - 1000) >> 16);
			copies += sees_copy(d, &p, START + i * INT64_C(1000) + 500);
		}
	}
	cr_assert_eq(wrong, 0);
	cr_assert_geq(copies, 98500, "%u", copies);
	dedup_free(d);
}

Test(dedup, time_may_jump_to_anywhere)
{
	static const int64_t times[] = { INT64_MAX, START, 60 * NS_PER_S, START - NS_PER_S, 0,
		2 * START };
	struct dedup *d = a_dedup(DEDUP_AUTO);
	struct packet p = a_query(7);

	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		sees_copy(d, &p, times[i]);
	cr_assert_not(sees_copy(d, &p, START + NS_PER_S));
	cr_assert_not(sees_copy(d, &p, START - 2 * NS_PER_S));
	cr_assert(sees_copy(d, &p, START - 2 * NS_PER_S + 1));
	dedup_free(d);
}
