/* SPDX-License-Identifier: BSD-2-Clause */
/* One interface read by several sources; root and the program ip are needed (pair.h). */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"
#include "sensor/capture/fanout.h"
#include "sensor/capture/source.h"
#include "tests/unit/capture/pair.h"

#define MEMBERS    4
#define FLOWS      48
#define FIRST_PORT 30000
#define QUIET_MS   400

static const uint16_t dns_ports[] = { 53 };

struct group {
	struct fanout *fanout;
	struct source *member[MEMBERS];
};

/* Which member saw each direction of each flow, and how often. */
struct sightings {
	unsigned count[FLOWS][2];
	unsigned member[FLOWS][2];
};

static struct source *open_member(struct fanout *fanout, const char *interface, unsigned member)
{
	struct live_options options = {
		.interface = interface,
		.ports = dns_ports,
		.port_count = ARRAY_LEN(dns_ports),
		.buffer_mb = 8,
		.promiscuous = true,
		.fanout = fanout,
		.member = member,
	};
	struct err_ctx why = { 0 };
	struct source *s;

	cr_assert_eq(source_open_live(&s, &options, &why), ERR_OK, "%s", why.text);
	return s;
}

static struct group open_group(const char *interface)
{
	struct group g = { .fanout = fanout_new() };

	cr_assert_not_null(g.fanout);
	for (unsigned i = 0; i < MEMBERS; i++)
		g.member[i] = open_member(g.fanout, interface, i);
	return g;
}

static void close_group(struct group *g)
{
	for (unsigned i = 0; i < MEMBERS; i++)
		source_close(g->member[i]);
	fanout_free(g->fanout);
}

static void note(struct sightings *seen, unsigned member, const struct packet *p)
{
	unsigned direction = p->sport == 53;
	unsigned flow = (direction ? p->dport : p->sport) - FIRST_PORT;

	cr_assert_lt(flow, FLOWS, "a frame that was not sent");
	seen->count[flow][direction]++;
	seen->member[flow][direction] = member;
}

static struct decoder *new_decoder(struct packet_options *options)
{
	packet_options_init(options);
	port_set_add(&options->ports, 53);
	struct decoder *decoder = decoder_new(options, DECODER_BYTES_MIN);
	cr_assert_not_null(decoder);
	return decoder;
}

/* Read all members until so many frames came, or none for some time; returns how many. */
static size_t receive(struct group *g, struct sightings *seen, size_t frames)
{
	struct packet_options options;
	struct decoder *decoder = new_decoder(&options);
	struct frame batch[SOURCE_BATCH_MAX];
	struct err_ctx why = { 0 };
	struct packet p;
	size_t total = 0, count;
	int64_t end_ns = clock_monotonic_ns() + QUIET_MS * NS_PER_MS;

	memset(seen, 0, sizeof(*seen));
	while (clock_monotonic_ns() < end_ns || total < frames) {
		size_t before = total;
		for (unsigned m = 0; m < MEMBERS; m++) {
			cr_assert_eq(source_next_batch(g->member[m], batch, &count, &why),
				SOURCE_OK);
			for (size_t i = 0; i < count; i++)
				if (packet_decode(&p, &batch[i], decoder) == PACKET_DNS)
					note(seen, m, &p);
			total += count;
		}
		if (total > before)
			end_ns = clock_monotonic_ns() + QUIET_MS * NS_PER_MS;
		else if (clock_monotonic_ns() > end_ns + 3 * NS_PER_S)
			break;
	}
	decoder_free(decoder);
	return total;
}

/* How many of the members saw something. */
static unsigned members_used(const struct sightings *seen)
{
	unsigned used = 0;

	for (unsigned i = 0; i < FLOWS; i++)
		used |= 1u << seen->member[i][0];
	return (unsigned)__builtin_popcount(used);
}

static void expect_together(const struct sightings *seen, const char *row)
{
	for (unsigned i = 0; i < FLOWS; i++) {
		cr_assert_eq(seen->count[i][0], 1, "%s: query %u seen %u times", row, i,
			seen->count[i][0]);
		cr_assert_eq(seen->count[i][1], 1, "%s: response %u seen %u times", row, i,
			seen->count[i][1]);
		cr_assert_eq(seen->member[i][0], seen->member[i][1],
			"%s: flow %u is torn apart", row, i);
	}
	cr_assert_gt(members_used(seen), 1, "%s: one member has everything", row);
}

static struct frame_spec query_of(const struct frame_spec *kind, unsigned flow)
{
	struct frame_spec spec = *kind;

	spec.sport = (uint16_t)(FIRST_PORT + flow);
	spec.dport = 53;
	return spec;
}

static struct frame_spec response_of(const struct frame_spec *kind, unsigned flow)
{
	struct frame_spec spec = *kind;

	spec.src = spec.v6 ? FRAMES_DST_V6 : FRAMES_DST_V4;
	spec.dst = spec.v6 ? FRAMES_SRC_V6 : FRAMES_SRC_V4;
	spec.sport = 53;
	spec.dport = (uint16_t)(FIRST_PORT + flow);
	return spec;
}

Test(fanout, both_directions_of_a_flow_have_one_reader_whatever_the_tags)
{
	static const struct {
		const char *name;
		struct frame_spec spec;
	} rows[] = {
		{ "IPv4", { .v6 = false } },
		{ "IPv6", { .v6 = true } },
		{ "IPv4, 802.1Q", { .tag_count = 1, .tag = { { 0x8100, 101 } } } },
		{ "IPv6, 802.1Q", { .v6 = true, .tag_count = 1, .tag = { { 0x8100, 101 } } } },
		{ "IPv4, QinQ", { .tag_count = 2, .tag = { { 0x88a8, 101 }, { 0x8100, 7 } } } },
		{ "IPv6, QinQ", { .v6 = true,
					.tag_count = 2,
					.tag = { { 0x88a8, 101 }, { 0x8100, 7 } } } },
	};

	pair_make();
	pair_run(PAIR_UP);
	struct group g = open_group("dw0");
	for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
		struct sightings seen;
		for (unsigned i = 0; i < FLOWS; i++) {
			pair_send(query_of(&rows[r].spec, i));
			pair_send(response_of(&rows[r].spec, i));
		}
		size_t got = receive(&g, &seen, 2 * FLOWS);
		cr_assert_eq(got, 2 * FLOWS, "%s %zu", rows[r].name, got);
		expect_together(&seen, rows[r].name);
	}
	close_group(&g);
}

Test(fanout, a_mirror_may_tag_each_direction_differently)
{
	const struct frame_spec there = { .tag_count = 1, .tag = { { 0x8100, 101 } } };
	const struct frame_spec back = { .tag_count = 1, .tag = { { 0x8100, 202 } } };
	struct sightings seen;

	pair_make();
	pair_run(PAIR_UP);
	struct group g = open_group("dw0");
	for (unsigned i = 0; i < FLOWS; i++) {
		pair_send(query_of(&there, i));
		pair_send(response_of(&back, i));
	}
	cr_assert_eq(receive(&g, &seen, 2 * FLOWS), 2 * FLOWS);
	expect_together(&seen, "101 there, 202 back");
	close_group(&g);
}

/* The kernel puts the pieces together before it chooses: as UDP they have no ports to go by. */
Test(fanout, a_response_in_pieces_comes_whole_to_the_reader_of_its_query)
{
	struct frame_spec first, rest;
	struct sightings seen;

	pair_make();
	pair_run(PAIR_UP);
	struct group g = open_group("dw0");
	for (unsigned i = 0; i < FLOWS; i++) {
		static const struct frame_spec plain = { 0 };
		static uint8_t big[64];
		memcpy(big, FRAMES_QUERY, FRAMES_QUERY_LEN);
		first = response_of(&plain, i);
		first.payload = big;
		first.payload_len = 24; /* 32 bytes with the UDP header */
		first.udp_len_set = true;
		first.udp_len = 8 + sizeof(big);
		first.checksum_none = true;
		first.more_fragments = true;
		rest = response_of(&plain, i);
		rest.protocol = 17;
		rest.fragment_offset = 4;
		rest.payload = big + 24;
		rest.payload_len = sizeof(big) - 24;
		pair_send(query_of(&plain, i));
		pair_send(first);
		pair_send(rest);
	}
	cr_assert_eq(receive(&g, &seen, 2 * FLOWS), 2 * FLOWS);
	expect_together(&seen, "pieces");
	close_group(&g);
}

/* Others must not lose packets to us: two sensors on one interface see everything, both. */
Test(fanout, two_groups_on_one_interface_do_not_share)
{
	static const struct frame_spec plain = { 0 };
	struct sightings seen;

	pair_make();
	pair_run(PAIR_UP);
	struct group a = open_group("dw0"), b = open_group("dw0");
	for (unsigned i = 0; i < FLOWS; i++) {
		pair_send(query_of(&plain, i));
		pair_send(response_of(&plain, i));
	}
	cr_assert_eq(receive(&a, &seen, 2 * FLOWS), 2 * FLOWS);
	expect_together(&seen, "the first");
	cr_assert_eq(receive(&b, &seen, 2 * FLOWS), 2 * FLOWS);
	expect_together(&seen, "the second");
	close_group(&a);
	close_group(&b);
}

/* What comes while the members are being opened is for those that are there. */
Test(fanout, a_packet_before_the_last_member_is_not_seen_twice)
{
	static const struct frame_spec plain = { 0 };
	struct sightings seen;
	struct group g = { .fanout = fanout_new() };

	pair_make();
	pair_run(PAIR_UP);
	for (unsigned m = 0; m < MEMBERS; m++) {
		g.member[m] = open_member(g.fanout, "dw0", m);
		for (unsigned i = m * FLOWS / MEMBERS; i < (m + 1) * FLOWS / MEMBERS; i++)
			pair_send(query_of(&plain, i));
	}
	cr_assert_eq(receive(&g, &seen, FLOWS), FLOWS);
	for (unsigned i = 0; i < FLOWS; i++)
		cr_assert_eq(
			seen.count[i][0], 1, "query %u seen %u times", i, seen.count[i][0]);
	close_group(&g);
}

Test(fanout, an_interface_that_returns_is_shared_again)
{
	static const struct frame_spec plain = { 0 };
	struct sightings seen;
	int64_t end_ns = clock_monotonic_ns() + 8 * NS_PER_S;
	size_t got;

	pair_make();
	pair_run(PAIR_UP);
	cr_assert_not_null(freopen("/dev/null", "w", stderr));
	struct group g = open_group("dw0");
	pair_run("ip link del dw0");
	receive(&g, &seen, 0);
	pair_run(PAIR_ADD " && " PAIR_UP);
	do {
		/* while only some are back, they have it all */
		receive(&g, &seen, 0);
		for (unsigned i = 0; i < FLOWS; i++) {
			pair_send(query_of(&plain, i));
			pair_send(response_of(&plain, i));
		}
		got = receive(&g, &seen, 2 * FLOWS);
	} while (
		(got != 2 * FLOWS || members_used(&seen) < 3) && clock_monotonic_ns() < end_ns);
	cr_assert_eq(got, 2 * FLOWS);
	expect_together(&seen, "returned");
	close_group(&g);
}

Test(fanout, the_interfaces_any_and_lo_can_be_shared)
{
	static const char *const names[] = { "any", "lo" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct group g = open_group(names[i]);
		close_group(&g);
	}
}
