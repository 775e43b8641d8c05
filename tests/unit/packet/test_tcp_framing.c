/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the next message begins: in a stream whose beginning was not captured, after a loss,
 * among bytes that are no messages.
 */
#include <criterion/criterion.h>

#include "tests/unit/packet/stream_fixture.h"

TestSuite(tcp_framing, .init = fixture_start, .fini = fixture_end);

Test(tcp_framing, a_stream_is_picked_up_where_a_message_begins_with_a_segment)
{
	fixture_add(4, 100);
	rig_send(&rig, &script, 30, script.start[1]);
	rig_send(&rig, &script, script.start[1], script.start[3]);
	rig_send(&rig, &script, script.start[3], script.len);
	rig_expect(&rig, &script, 1, 3, "picked up");
	cr_assert_eq(rig_stats(&rig).resyncs, 1);
}

Test(tcp_framing, a_stream_is_picked_up_inside_a_segment)
{
	fixture_add(4, 100);
	for (size_t from = 1; from < script.start[1]; from++) {
		rig_end(&rig);
		rig_start(&rig, FIXTURE_BYTES);
		rig_send(&rig, &script, from, script.len);
		rig_expect(&rig, &script, 1, 3, "inside");
	}
}

Test(tcp_framing, a_stream_is_picked_up_at_a_message_that_runs_over_segments)
{
	fixture_add(2, 5000);
	rig_send(&rig, &script, 100, script.start[1]);
	for (size_t at = script.start[1]; at < script.len; at += 1000)
		rig_send(&rig, &script, at, at + 1000 < script.len ? at + 1000 : script.len);
	rig_expect(&rig, &script, 1, 1, "long");
}

Test(tcp_framing, a_stream_is_picked_up_where_the_length_has_a_segment_of_its_own)
{
	fixture_add(3, 0);
	rig_send(&rig, &script, 2, script.start[1]); /* a message without its length */
	for (size_t i = 1; i < 3; i++) {
		rig_send(&rig, &script, script.start[i], script.start[i] + 2);
		rig_send(&rig, &script, script.start[i] + 2, script.start[i + 1]);
	}
	rig_expect(&rig, &script, 1, 2, "length alone");
}

Test(tcp_framing, a_segment_of_many_messages_is_proof_of_them_all)
{
	fixture_add(60, 0);
	rig_send(&rig, &script, 0, script.len);
	rig_expect(&rig, &script, 0, 60, "many");
}

Test(tcp_framing, a_lost_segment_inside_messages_costs_those_messages)
{
	fixture_add(10, 200);
	rig_syn(&rig);
	for (size_t at = 0; at < script.len; at += 100)
		if (at != 500)
			rig_send(&rig, &script, at,
				at + 100 < script.len ? at + 100 : script.len);
	cr_assert_eq(rig.count, 2, "what is before the hole");
	rig_wait(&rig, 3 * NS_PER_S);
	cr_assert_eq(rig.count, 9);
	for (size_t i = 0; i < 9; i++)
		cr_assert(rig_is(&rig, i, &script, i < 2 ? i : i + 1), "message %zu", i);
	struct tcp_streams_stats stats = rig_stats(&rig);
	cr_assert_eq(stats.gaps, 1);
	cr_assert_eq(stats.lost_bytes, 100);
	cr_assert_eq(stats.resyncs, 0, "the length told where the next message begins");
	cr_assert_eq(stats.held_bytes, 0);
}

Test(tcp_framing, a_loss_over_a_length_is_searched_for_the_next_boundary)
{
	fixture_add(10, 200);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, script.start[3]);
	rig_send(&rig, &script, script.start[5], script.start[7]);
	rig_wait(&rig, 3 * NS_PER_S);
	rig_send(&rig, &script, script.start[7], script.len);
	cr_assert_eq(rig.count, 8);
	for (size_t i = 0; i < 8; i++)
		cr_assert(rig_is(&rig, i, &script, i < 3 ? i : i + 2), "message %zu", i);
	cr_assert_eq(rig_stats(&rig).resyncs, 1);
}

Test(tcp_framing, a_loss_that_ends_with_its_message_needs_no_search)
{
	fixture_add(4, 200);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, 50);
	rig_send(&rig, &script, script.start[1], script.len);
	rig_wait(&rig, 3 * NS_PER_S);
	rig_expect(&rig, &script, 1, 3, "exactly");
	cr_assert_eq(rig_stats(&rig).resyncs, 0);
}

Test(tcp_framing, what_the_receiver_has_and_we_do_not_is_lost_at_once)
{
	fixture_add(6, 200);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, script.start[1]);
	rig_send(&rig, &script, script.start[2], script.start[3]);
	rig_acknowledge(&rig, script.start[1]);
	cr_assert_eq(rig.count, 1, "the hole may still be filled");
	rig_acknowledge(&rig, script.start[3]);
	cr_assert_eq(rig.count, 2, "it will not");
	cr_assert(rig_is(&rig, 1, &script, 2));
	/* acknowledged before what follows is seen */
	rig_acknowledge(&rig, script.start[5]);
	rig_send(&rig, &script, script.start[5], script.len);
	cr_assert_eq(rig.count, 3);
	cr_assert(rig_is(&rig, 2, &script, 5));
	cr_assert_eq(
		rig.message[1].message.packet.dport, 53, "of the sender, not the receiver");
}

Test(tcp_framing, acknowledgements_count_with_other_tags_too)
{
	fixture_add(3, 200);
	rig.vlan = 10;
	rig_syn(&rig);
	rig_send(&rig, &script, script.start[1], script.len);
	rig.vlan = 20;
	rig_acknowledge(&rig, script.len);
	rig_expect(&rig, &script, 1, 2, "asymmetric tags");
}

Test(tcp_framing, a_capture_that_ends_before_a_hole_is_filled_gives_what_it_has)
{
	fixture_add(4, 200);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, 150);
	rig_send(&rig, &script, 180, script.start[2]);
	rig_send(&rig, &script, script.start[3], script.len);
	rig_flush(&rig);
	cr_assert_eq(rig.count, 2);
	cr_assert(rig_is(&rig, 0, &script, 1) && rig_is(&rig, 1, &script, 3));
	cr_assert_eq(rig_stats(&rig).held_bytes, 0);
}

Test(tcp_framing, segments_cut_by_the_snapshot_length_cost_what_was_cut)
{
	fixture_add(4, 200);
	rig_syn(&rig);
	for (size_t i = 0; i < 4; i++) {
		rig.cut_bytes = i == 1 ? 120 : 0;
		rig_send(&rig, &script, script.start[i], script.start[i + 1]);
	}
	cr_assert_eq(rig.count, 3);
	cr_assert(rig_is(&rig, 1, &script, 2));
	cr_assert_eq(rig_stats(&rig).resyncs, 0);
	cr_assert_eq(rig_stats(&rig).lost_bytes, 120);
}

Test(tcp_framing, more_than_waits_ahead_of_a_hole_gives_the_hole_up)
{
	for (size_t i = 0; i < 600; i++)
		script_add(&script, 40, false);
	rig_syn(&rig);
	for (size_t i = 1; i < 600; i++) {
		rig_send(&rig, &script, script.start[i], script.start[i + 1]);
		if (i < TCP_AHEAD_MAX)
			cr_assert_eq(rig.count, 0);
	}
	rig_expect(&rig, &script, 1, 599, "after the hole");
}

Test(tcp_framing, a_stream_that_jumps_is_followed)
{
	fixture_add(40, 100);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, script.start[1]);
	rig.isn += 1u << 24; /* 16 MiB were not captured */
	for (size_t i = 1; i < 4; i++)
		rig_send(&rig, &script, script.start[i], script.start[i + 1]);
	cr_assert_eq(rig.count, 3);
	cr_assert(rig_is(&rig, 2, &script, 3));
}

Test(tcp_framing, bytes_that_are_no_dns_give_no_messages_and_are_ignored_soon)
{
	uint64_t state = 5;
	uint8_t bytes[1000];
	for (uint16_t run = 0; run < 50; run++) {
		rig.client_port = (uint16_t)(1000 + run);
		bool with_syn = run % 2;
		if (with_syn)
			rig_syn(&rig);
		for (size_t at = 0; at < 80000; at += sizeof(bytes)) {
			for (size_t i = 0; i < sizeof(bytes); i++)
				bytes[i] = (uint8_t)rig_random(&state, 256);
			rig_segment(&rig, 0, at, bytes, sizeof(bytes));
		}
	}
	cr_assert_eq(rig.count, 0);
	cr_assert_eq(rig_stats(&rig).junk, 50);
	cr_assert_eq(rig_stats(&rig).held_bytes, 0);
}

static const struct junk_row {
	const char *name;
	const char *bytes;
	size_t bytes_len;
} junk_rows[] = {
	{ "HTTP", "GET /index.html HTTP/1.1\r\nHost: www.example.com\r\n\r\n", 51 },
	{ "TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x12\x34\x56\x78\x9a\xbc\xde\xf0",
		19 },
	{ "SSH", "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u2\r\n", 40 },
	{ "zeros", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 28 },
	{ "ones", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		18 },
};

Test(tcp_framing, other_protocols_give_no_messages)
{
	for (size_t i = 0; i < ARRAY_LEN(junk_rows); i++)
		for (int syn = 0; syn < 2; syn++) {
			const struct junk_row *row = &junk_rows[i];
			rig.client_port = (uint16_t)(2000 + 2 * i + (size_t)syn);
			if (syn)
				rig_syn(&rig);
			for (size_t at = 0; at < 70000; at += row->bytes_len)
				rig_segment(&rig, 0, at, row->bytes, row->bytes_len);
			cr_assert_eq(rig.count, 0, "%s", row->name);
			cr_assert_eq(rig_stats(&rig).held_bytes, 0, "%s", row->name);
		}
}

Test(tcp_framing, a_new_connection_on_the_ports_of_junk_is_read)
{
	fixture_add(2, 100);
	rig_syn(&rig);
	for (size_t at = 0; at < 70000; at += 18)
		rig_segment(&rig, 0, at, junk_rows[4].bytes, 18);
	cr_assert_eq(rig_stats(&rig).junk, 1);
	rig.isn += 500000;
	fixture_send(1000);
	rig_expect(&rig, &script, 0, 2, "after junk");
}

Test(tcp_framing, a_malformed_message_between_others_is_handed_on)
{
	fixture_add(2, 100);
	script_add_bytes(&script, "\0\5abcde", 7);
	size_t rest = script.len;
	fixture_add(1, 100);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, script.len);
	cr_assert_eq(rig.count, 4);
	cr_assert_eq(rig.message[2].len, 5);
	cr_assert_arr_eq(rig.message[2].bytes, "abcde", 5);
	cr_assert_eq(rest, script.start[2]);
	cr_assert(rig_is(&rig, 3, &script, 2));
	cr_assert_eq(rig_stats(&rig).failures, 1);
}

Test(tcp_framing, a_stream_whose_framing_goes_wrong_is_searched_again)
{
	uint8_t noise[700];
	uint64_t state = 3;
	fixture_add(3, 100);
	size_t good = script.len;
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = i % 7 == 0
				   ? 0
				   : (uint8_t)(i % 7 == 1 ? 5 : 0xa0 + rig_random(&state, 80));
	script_add_bytes(&script, noise, sizeof(noise));
	size_t again = script.len;
	fixture_add(3, 100);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, good);
	rig_send(&rig, &script, good, again);
	rig_send(&rig, &script, again, script.len);
	cr_assert_geq(rig.count, 6);
	cr_assert_leq(rig.count, 8, "at most two of the noise");
	for (size_t i = 0; i < 3; i++)
		cr_assert(rig_is(&rig, rig.count - 3 + i, &script, 3 + i), "message %zu", i);
}
