/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What counts as a message where a frame is not simply one: the pieces of a stream, what its source
 * has decoded, what was cut off, and copies.
 */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"
#include "tests/support/dns_build.h"
#include "tests/unit/pipeline/input_rig.h"

#define START KNOWN_START_NS

/* --- streams ------------------------------------------------------------------------------------ */

/* A part of a stream of two queries, in a frame of its own. */
static void segment(struct bench *b, int64_t ts_ns, size_t from, size_t to)
{
	static const uint8_t length[2] = { 0, FRAMES_QUERY_LEN };
	uint8_t stream[2 * (2 + FRAMES_QUERY_LEN)], bytes[FRAMES_BYTES_MAX];

	for (size_t i = 0; i < 2; i++) {
		memcpy(stream + i * (2 + FRAMES_QUERY_LEN), length, 2);
		memcpy(stream + i * (2 + FRAMES_QUERY_LEN) + 2, FRAMES_QUERY, FRAMES_QUERY_LEN);
	}
	struct frame_spec spec = { .link = PACKET_LINK_ETHERNET,
		.protocol = IPPROTO_TCP,
		.src = "10.1.0.7",
		.dst = "10.1.0.53",
		.payload = stream + from,
		.payload_len = to - from };
	size_t len = frames_build(bytes, &spec);
	uint8_t *tcp = bytes + len - (to - from) - 20;
	tcp[7] = (uint8_t)from; /* sequence number */
	fake_frame(&b->source, ts_ns, bytes, len);
}

#define STREAM_LEN (2 * (2 + FRAMES_QUERY_LEN))

Test(input_message, messages_of_a_stream_have_the_time_of_the_segment_that_completes_them)
{
	struct bench *b = bench_new(1, BENCH_RING_LARGE, false);

	segment(b, START, 0, 5 + FRAMES_QUERY_LEN);
	segment(b, START + 20, 5 + FRAMES_QUERY_LEN + 7, STREAM_LEN);
	segment(b, START + 30, 5 + FRAMES_QUERY_LEN, 5 + FRAMES_QUERY_LEN + 7);
	bench_run(b);
	cr_assert_eq(bench_next(b, 0)->kind, OBSERVATION_TICK);
	static const int64_t expected[] = { START, START + 30 };
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		const struct observation *o = bench_next(b, 0);
		cr_assert_eq(o->kind, OBSERVATION_MESSAGE);
		cr_assert_eq(o->ts_ns, expected[i]);
		cr_assert_eq(o->transport, TRANSPORT_TCP);
	}
	cr_assert_null(bench_next(b, 0));
	cr_assert_eq(bench_packets(b, PACKET_DNS), 3);
	cr_assert_eq(gauge_read(&b->counters.messages.tcp), 2);
	bench_free(b);
}

Test(input_message, a_hole_is_given_up_by_the_clock_and_counted)
{
	struct bench *b = bench_new(1, BENCH_RING_LARGE, false);

	segment(b, START, 0, 4 + FRAMES_QUERY_LEN);
	segment(b, START, 2 + FRAMES_QUERY_LEN + 8, STREAM_LEN); /* the second has a hole */
	bench_query(b, START + 3 * NS_PER_S);
	bench_run(b);
	struct bench_tally t = bench_drain(b, 0);
	cr_assert_eq(t.messages, 2);
	cr_assert_eq(gauge_read(&b->counters.stream_gaps), 1);
	cr_assert_eq(gauge_read(&b->counters.stream_lost_bytes), 6);
	bench_free(b);
}

Test(input_message, the_end_of_a_capture_gives_what_waits_behind_a_hole)
{
	struct bench *b = bench_new(1, BENCH_RING_LARGE, false);

	segment(b, START, 0, 10);
	segment(b, START + 1, 2 + FRAMES_QUERY_LEN, STREAM_LEN);
	bench_run(b);
	cr_assert_eq(bench_drain(b, 0).messages, 0);
	input_finish(&b->input);
	cr_assert_eq(bench_drain(b, 0).messages, 1);
	bench_free(b);
}

/* --- messages that were no packets -------------------------------------------------------------- */

static void decoded_frame(struct bench *b, const struct packet *p, enum packet_result result)
{
	fake_frame(&b->source, START, "whatever", 8);
	struct frame *frame = &b->source.step[b->source.count - 1].frame;
	frame->decoded = p;
	frame->result = (uint8_t)result;
}

Test(input_message, a_decoded_message_is_taken_whatever_its_port_and_transport)
{
	struct bench *b = bench_new(1, BENCH_RING_LARGE, false);
	static struct dns_build query;
	build_start(&query, 1, 0);
	build_question(&query, "www.example.com", 1, 1);
	struct packet p = { .protocol = IPPROTO_TCP,
		.sport = 40000,
		.dport = 853,
		.cover = PACKET_COVER_DOT,
		.vni = PACKET_NO_VNI,
		.payload = query.at,
		.payload_len = (uint32_t)query.len };
	cr_assert(ip_parse(&p.src, "10.1.0.7") && ip_parse(&p.dst, "10.1.0.53"));

	decoded_frame(b, &p, PACKET_DNS);
	bench_run(b);
	const struct observation *o = bench_next(b, 0);
	cr_assert_eq(o->kind, OBSERVATION_TICK);
	o = bench_next(b, 0);
	cr_assert_eq(o->kind, OBSERVATION_MESSAGE);
	cr_assert_eq(o->transport, TRANSPORT_DOT);
	cr_assert(ip_equal(&o->client, &p.src));
	cr_assert_eq(bench_packets(b, PACKET_DNS), 1);
	cr_assert_eq(gauge_read(&b->counters.messages.tcp), 1);
	bench_check_books(b);
	bench_free(b);
}

Test(input_message, a_frame_that_its_source_rejects_is_counted_by_the_reason_given)
{
	struct bench *b = bench_new(1, BENCH_RING_LARGE, false);
	struct packet none = { .vni = PACKET_NO_VNI };

	decoded_frame(b, &none, PACKET_REJECT_DNSTAP_MALFORMED);
	decoded_frame(b, &none, PACKET_REJECT_DNSTAP_TYPE);
	decoded_frame(b, &none, PACKET_REJECT_DNSTAP_TYPE);
	bench_run(b);
	cr_assert_eq(bench_packets(b, PACKET_REJECT_DNSTAP_MALFORMED), 1);
	cr_assert_eq(bench_packets(b, PACKET_REJECT_DNSTAP_TYPE), 2);
	cr_assert_eq(bench_drain(b, 0).messages, 0);
	bench_check_books(b);
	bench_free(b);
}

/* --- copies and cut messages -------------------------------------------------------------------------- */

/* The same frames with the capture's snapshot length. */
static void snapshot(struct fake_source *f, uint32_t len)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->step[i].frame.caplen > len)
			f->step[i].frame.caplen = len;
}

#define HEADERS_LEN (14 + 20 + 8)

Test(input_message, a_cut_message_is_judged_by_what_is_there_and_is_no_message)
{
	struct bench *b = bench_new(1, BENCH_RING_LARGE, false);
	static struct dns_build m;

	fake_message(&b->source, START, "10.1.0.7", "10.1.0.53", "gone.example", true);
	build_start(&m, 7, DNS_FLAG_QR | DNS_RCODE_NXDOMAIN);
	build_question(&m, "gone.example", DNS_TYPE_A, DNS_CLASS_IN);
	size_t question_end = m.len;
	build_record(&m, BUILD_AUTHORITY, "example", DNS_TYPE_NS, DNS_CLASS_IN, 300);
	build_name(&m, "ns.example");
	build_record_end(&m);
	fake_built(&b->source, START,
		&(struct frame_spec){ .src = "10.1.0.53",
			.dst = "10.1.0.7",
			.sport = 53,
			.dport = 40000,
			.payload = m.at,
			.payload_len = m.len });
	snapshot(&b->source, (uint32_t)(HEADERS_LEN + question_end + 5));
	cr_assert_eq(bench_run(b), SOURCE_END);

	cr_assert_eq(bench_packets(b, PACKET_DNS), 2);
	cr_assert_eq(gauge_read(&b->counters.messages.malformed[DNS_OK]), 1);
	cr_assert_eq(gauge_read(&b->counters.messages.malformed[DNS_SNAPLEN]), 1);
	cr_assert_eq(gauge_read(&b->counters.messages.responses), 1, "the whole one");
	const struct observation *o;
	unsigned seen = 0;
	while ((o = bench_next(b, 0)) != NULL) {
		if (o->kind != OBSERVATION_MESSAGE || o->id != 7)
			continue;
		seen++;
		cr_assert_eq(o->rcode, DNS_RCODE_NXDOMAIN);
		cr_assert(o->response && o->has_question);
		cr_assert_eq(o->qname_labels, 2);
	}
	cr_assert_eq(seen, 1);
	bench_check_books(b);
	bench_free(b);
}

Test(input_message, a_message_cut_before_its_question_ends_is_rejected)
{
	static const char qname[] = "www.example.com";

	for (uint32_t kept = 0; kept < 12 + sizeof(qname) + 1 + 4; kept++) {
		struct bench *b = bench_new(1, BENCH_RING_LARGE, false);
		fake_message(&b->source, START, "10.1.0.7", "10.1.0.53", qname, false);
		snapshot(&b->source, HEADERS_LEN + kept);
		bench_run(b);
		cr_assert_eq(bench_packets(b, PACKET_REJECT_SNAPLEN), 1, "%u octets", kept);
		cr_assert_eq(bench_packets(b, PACKET_DNS), 0, "%u octets", kept);
		cr_assert_eq(bench_drain(b, 0).messages, 0);
		bench_check_books(b);
		bench_free(b);
	}
}

/* Its signature would stand at the end: an UPDATE that is not whole must not look unsigned. */
Test(input_message, of_a_cut_update_rules_hear_nothing)
{
	struct bench *b = bench_new(1, BENCH_RING_LARGE, false);
	static struct dns_build m;

	build_start(&m, 7, DNS_OPCODE_UPDATE << 11);
	build_question(&m, "example", DNS_TYPE_SOA, DNS_CLASS_IN);
	build_record(&m, BUILD_AUTHORITY, "a.example", DNS_TYPE_A, DNS_CLASS_IN, 300);
	build_octets(&m, "abcd", 4);
	build_record_end(&m);
	fake_built(&b->source, START,
		&(struct frame_spec){ .payload = m.at, .payload_len = m.len });
	snapshot(&b->source, (uint32_t)(HEADERS_LEN + m.len - 1));
	bench_run(b);
	cr_assert_eq(bench_packets(b, PACKET_DNS), 1);
	cr_assert_eq(gauge_read(&b->counters.messages.malformed[DNS_SNAPLEN]), 1);
	cr_assert_eq(bench_drain(b, 0).messages, 0);
	bench_check_books(b);
	bench_free(b);
}

Test(input_message, an_update_of_which_only_what_stands_behind_it_is_cut_travels_whole)
{
	struct bench *b = bench_new(1, BENCH_RING_LARGE, false);
	static struct dns_build m;

	build_start(&m, 7, DNS_OPCODE_UPDATE << 11);
	build_question(&m, "example", DNS_TYPE_SOA, DNS_CLASS_IN);
	size_t len = m.len;
	build_octets(&m, "trailing", 8);
	fake_built(&b->source, START,
		&(struct frame_spec){ .payload = m.at, .payload_len = m.len });
	snapshot(&b->source, (uint32_t)(HEADERS_LEN + len));
	bench_run(b);
	cr_assert_eq(gauge_read(&b->counters.messages.malformed[DNS_OK]), 1);
	const struct observation *o;
	while ((o = bench_next(b, 0)) != NULL && o->kind != OBSERVATION_MESSAGE)
		;
	cr_assert_not_null(o);
	cr_assert_eq(o->wire_len_message, len, "as many octets as there are");
	cr_assert_arr_eq(observation_message(o), m.at, len);
	bench_free(b);
}

Test(input_message, copies_of_a_mirror_count_once)
{
	struct bench *b = bench_new(1, BENCH_RING_LARGE, false);
	struct dedup *dedup = dedup_new(DEDUP_ON, DEDUP_WINDOW_NS, 1);
	struct packet told = { .sport = 40000,
		.dport = 53,
		.protocol = IPPROTO_UDP,
		.payload = (const uint8_t *)FRAMES_QUERY,
		.payload_len = FRAMES_QUERY_LEN };

	cr_assert(ip_parse(&told.src, "10.1.0.7") && ip_parse(&told.dst, "10.1.0.53"));
	b->input.dedup = dedup;
	bench_query(b, START);
	bench_query(b, START + 100);
	fake_built(&b->source, START + 200,
		&(struct frame_spec){ .src = "10.1.0.7", .dst = "10.1.0.53", .protocol = 6 });
	fake_built(&b->source, START + 300,
		&(struct frame_spec){ .src = "10.1.0.7", .dst = "10.1.0.53", .protocol = 6 });
	fake_built(&b->source, START, &(struct frame_spec){ .sport = 1, .dport = 2 });
	fake_built(&b->source, START, &(struct frame_spec){ .sport = 1, .dport = 2 });
	decoded_frame(b, &told, PACKET_DNS);
	decoded_frame(b, &told, PACKET_DNS);
	bench_query(b, START + NS_PER_S);
	bench_run(b);
	cr_assert_eq(bench_packets(b, PACKET_REJECT_DUPLICATE), 2, "a query and a segment");
	cr_assert_eq(bench_packets(b, PACKET_OTHER), 2, "what is not DNS is not looked at");
	cr_assert_eq(bench_packets(b, PACKET_DNS), 5);
	cr_assert_eq(bench_drain(b, 0).messages, 4, "what dnstap tells twice was said twice");
	dedup_free(dedup);
	bench_free(b);
}
