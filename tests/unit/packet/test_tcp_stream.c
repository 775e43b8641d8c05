/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What comes out of streams that were captured whole, in whatever segments they come; how they
 * begin and end; what happens when there are too many.
 */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>

#include "tests/unit/packet/stream_fixture.h"

TestSuite(tcp_stream, .init = fixture_start, .fini = fixture_end);

Test(tcp_stream, segments_of_every_length_give_the_same_messages)
{
	fixture_add(3, 0);
	fixture_add(2, 100);
	fixture_add(1, 13);
	for (size_t len = 1; len <= script.len; len++) {
		rig_end(&rig);
		rig_start(&rig, FIXTURE_BYTES);
		fixture_send(len);
		rig_expect(&rig, &script, 0, script.count, "in order");
		cr_assert_eq(rig_stats(&rig).held_bytes, 0, "segments of %zu", len);
	}
}

Test(tcp_stream, a_message_is_as_if_in_a_packet_of_its_own)
{
	fixture_add(1, 0);
	rig.vlan = 101;
	rig.vni = 7001;
	rig.interface = 3;
	fixture_send(10000);
	const struct tcp_message *m = &rig.message[0].message;
	cr_assert_eq(rig.count, 1);
	cr_assert_eq(m->packet.sport, RIG_PORT);
	cr_assert_eq(m->packet.dport, 53);
	cr_assert_eq(m->packet.src.bytes[15], 1);
	cr_assert_eq(m->packet.dst.bytes[15], 53);
	cr_assert_eq(m->packet.protocol, IPPROTO_TCP);
	cr_assert_eq(m->packet.ip_ttl, 63);
	cr_assert_eq(m->packet.vlan_count, 1);
	cr_assert_eq(m->packet.vlan[0], 101);
	cr_assert_eq(m->packet.vni, 7001);
	cr_assert_eq(m->packet.tcp_flags, 0);
	cr_assert_eq(m->interface, 3);
	cr_assert_eq(m->ts_ns, rig.now_ns);
}

Test(tcp_stream, a_message_has_the_time_of_the_segment_that_completes_it)
{
	fixture_add(1, 0);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, 10);
	rig.now_ns += NS_PER_S;
	rig_send(&rig, &script, 10, script.len);
	cr_assert_eq(rig.message[0].message.ts_ns, rig.now_ns);
}

Test(tcp_stream, both_directions_are_streams_of_their_own)
{
	struct script answers = { 0 };
	fixture_add(2, 0);
	script_add(&answers, 200, true);
	script_add(&answers, 300, true);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, 20);
	rig.from_server = true;
	rig_syn(&rig);
	rig_send(&rig, &answers, 0, 250);
	rig.from_server = false;
	rig_send(&rig, &script, 20, script.len);
	rig.from_server = true;
	rig_send(&rig, &answers, 250, answers.len);
	cr_assert_eq(rig.count, 4);
	cr_assert(rig_is(&rig, 0, &answers, 0));
	cr_assert(rig_is(&rig, 1, &script, 0));
	cr_assert(rig_is(&rig, 2, &script, 1));
	cr_assert(rig_is(&rig, 3, &answers, 1));
	cr_assert_eq(rig.message[0].message.packet.sport, 53);
	cr_assert_eq(rig_stats(&rig).used, 2);
	script_free(&answers);
}

Test(tcp_stream, the_largest_message_works)
{
	fixture_add(1, 65535);
	fixture_add(1, 0);
	fixture_send(1460);
	rig_expect(&rig, &script, 0, 2, "64 kB");
	cr_assert_eq(rig.message[0].len, 65535);
}

Test(tcp_stream, three_kilobytes_in_three_segments_out_of_order)
{
	fixture_add(1, 3000);
	rig_syn(&rig);
	rig_send(&rig, &script, 2000, script.len);
	rig_send(&rig, &script, 1000, 2000);
	cr_assert_eq(rig.count, 0);
	rig_send(&rig, &script, 0, 1000);
	rig_expect(&rig, &script, 0, 1, "3 kB");
}

Test(tcp_stream, what_is_sent_again_is_told_once)
{
	fixture_add(3, 50);
	fixture_send(40);
	for (size_t at = 0; at + 40 < script.len; at += 7)
		rig_send(&rig, &script, at, at + 40);
	rig_expect(&rig, &script, 0, 3, "again");
	cr_assert_gt(rig_stats(&rig).retransmissions, 0);
}

Test(tcp_stream, a_keep_alive_of_one_old_byte_changes_nothing)
{
	fixture_add(2, 0);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, script.start[1]);
	rig_segment(&rig, PACKET_TCP_ACK, script.start[1] - 1, "\0", 1);
	rig_segment(&rig, PACKET_TCP_ACK, script.start[1] - 1, NULL, 0);
	rig_send(&rig, &script, script.start[1], script.len);
	rig_expect(&rig, &script, 0, 2, "keep-alive");
}

Test(tcp_stream, where_segments_disagree_the_first_bytes_stay)
{
	uint8_t other[400];
	fixture_add(2, 180);
	memset(other, 0xee, sizeof(other));
	rig_syn(&rig);
	rig_send(&rig, &script, 0, 50);
	rig_segment(&rig, 0, 20, other, 30);  /* over what was delivered */
	rig_send(&rig, &script, 100, 150);    /* ahead, */
	rig_segment(&rig, 0, 110, other, 30); /* inside of what waits, */
	rig_send(&rig, &script, 90, 300);     /* around it, */
	rig_segment(&rig, 0, 90, other, 200); /* and over all of it */
	rig_send(&rig, &script, 30, 100);
	rig_segment(&rig, 0, 200, other, 100);
	rig_send(&rig, &script, 300, script.len);
	rig_expect(&rig, &script, 0, 2, "overlaps");
	cr_assert_gt(rig_stats(&rig).overlaps, 0);
}

Test(tcp_stream, sequence_numbers_wrap)
{
	fixture_add(20, 90);
	for (uint32_t before = 0; before < 300; before += 7) {
		rig_end(&rig);
		rig_start(&rig, FIXTURE_BYTES);
		rig.isn = 0u - before;
		rig_syn(&rig);
		for (size_t at = 0; at < script.len; at += 100) {
			size_t to = at + 100 < script.len ? at + 100 : script.len;
			if (to < script.len) /* each pair of segments in the wrong order */
				rig_send(&rig, &script, to,
					to + 100 < script.len ? to + 100 : script.len);
			rig_send(&rig, &script, at, to);
		}
		rig_expect(&rig, &script, 0, script.count, "wrap");
	}
}

Test(tcp_stream, data_in_the_syn_is_read)
{
	fixture_add(2, 0);
	rig_segment(&rig, PACKET_TCP_SYN, (size_t)-1, script.bytes, script.start[1]);
	rig_expect(&rig, &script, 0, 1, "fast open");
	/* refused by the server: sent again; accepted: it goes on */
	rig_send(&rig, &script, 0, script.start[1]);
	rig_send(&rig, &script, script.start[1], script.len);
	rig_expect(&rig, &script, 0, 2, "after it");
}

/* A SYN, then the first 20 bytes, then the rest. */
static void send_part(const struct script *of, unsigned part)
{
	if (part == 0)
		rig_syn(&rig);
	else if (part == 1)
		rig_send(&rig, of, 0, 20);
	else
		rig_send(&rig, of, 20, of->len);
}

Test(tcp_stream, the_same_addresses_with_other_tags_are_other_streams)
{
	struct script theirs = { 0 };
	fixture_add(2, 100);
	script_add(&theirs, 150, false);
	script_add(&theirs, 160, false);
	for (int kind = 0; kind < 2; kind++) {
		rig_end(&rig);
		rig_start(&rig, FIXTURE_BYTES);
		for (unsigned part = 0; part < 3; part++) {
			rig.vlan = kind ? 0 : 101;
			rig.vni = kind ? 7001 : PACKET_NO_VNI;
			send_part(&script, part);
			rig.vlan = kind ? 0 : 102;
			rig.vni = kind ? 7002 : PACKET_NO_VNI;
			send_part(&theirs, part);
		}
		cr_assert_eq(rig.count, 4);
		cr_assert(rig_is(&rig, 0, &script, 0) && rig_is(&rig, 1, &script, 1));
		cr_assert(rig_is(&rig, 2, &theirs, 0) && rig_is(&rig, 3, &theirs, 1));
	}
	script_free(&theirs);
}

Test(tcp_stream, reset_ends_a_stream)
{
	fixture_add(2, 100);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, 50);
	cr_assert_gt(rig_stats(&rig).held_bytes, 0);
	rig_segment(&rig, PACKET_TCP_RST, 50, NULL, 0);
	cr_assert_eq(rig_stats(&rig).held_bytes, 0);
	rig_expect(&rig, &script, 0, 0, "reset");
	/* forged: what goes on all the same is picked up */
	rig_send(&rig, &script, 50, script.start[1]);
	rig_send(&rig, &script, script.start[1], script.len);
	rig_expect(&rig, &script, 1, 1, "after it");
}

Test(tcp_stream, a_reset_far_off_is_not_believed)
{
	fixture_add(1, 100);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, 50);
	rig_segment(&rig, PACKET_TCP_RST, 1u << 24, NULL, 0);
	rig_send(&rig, &script, 50, script.len);
	rig_expect(&rig, &script, 0, 1, "reset");
}

Test(tcp_stream, what_is_sent_again_after_the_end_is_told_once)
{
	fixture_add(2, 100);
	fixture_send(1000);
	rig_segment(&rig, PACKET_TCP_FIN, script.len, NULL, 0);
	rig_send(&rig, &script, 0, script.len);
	rig_segment(&rig, PACKET_TCP_FIN, script.start[1], script.bytes + script.start[1],
		script.len - script.start[1]);
	rig_expect(&rig, &script, 0, 2, "after FIN");
}

Test(tcp_stream, an_end_that_comes_early_waits_for_its_data)
{
	fixture_add(2, 100);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, 50);
	rig_segment(&rig, PACKET_TCP_FIN, script.len, NULL, 0);
	rig_send(&rig, &script, 50, script.len);
	rig_expect(&rig, &script, 0, 2, "early FIN");
}

Test(tcp_stream, the_same_ports_serve_one_connection_after_another)
{
	fixture_add(2, 100);
	for (uint32_t i = 0; i < 4; i++) {
		rig.isn = 5000 + i * 0x10000000;
		rig_clear(&rig);
		fixture_send(60);
		rig_expect(&rig, &script, 0, 2, "connection");
		if (i % 2 == 0)
			rig_segment(&rig, PACKET_TCP_FIN, script.len, NULL, 0);
	}
	cr_assert_eq(rig_stats(&rig).used, 1);
}

Test(tcp_stream, a_new_connection_whose_syn_was_not_captured_is_picked_up)
{
	fixture_add(2, 100);
	fixture_send(60);
	rig_segment(&rig, PACKET_TCP_FIN, script.len, NULL, 0);
	rig.isn += 1u << 30;
	rig_send(&rig, &script, 0, script.len);
	cr_assert_eq(rig.count, 4);
}

Test(tcp_stream, forged_segments_do_not_break_a_stream)
{
	uint8_t junk[64] = { 0 };
	fixture_add(2, 100);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, 50);
	rig_segment(&rig, PACKET_TCP_SYN, 1u << 28, NULL, 0);
	rig_segment(&rig, 0, 1u << 29, junk, sizeof(junk));
	rig_segment(&rig, PACKET_TCP_FIN, 1u << 29, NULL, 0);
	rig_send(&rig, &script, 50, script.len);
	rig_expect(&rig, &script, 0, 2, "forged");
	cr_assert_eq(rig_stats(&rig).strays, 1);
}

Test(tcp_stream, a_silent_stream_goes_after_a_minute)
{
	fixture_add(2, 100);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, 50);
	rig_wait(&rig, 60 * NS_PER_S);
	cr_assert_eq(rig_stats(&rig).used, 1);
	rig_wait(&rig, NS_PER_S);
	cr_assert_eq(rig_stats(&rig).used, 0);
	cr_assert_eq(rig_stats(&rig).held_bytes, 0);
	cr_assert_eq(rig_stats(&rig).evicted, 0);
}

Test(tcp_stream, time_that_jumps_harms_nothing)
{
	static const int64_t jumps[] = { INT64_MIN, INT64_MAX, 0, -1, INT64_MIN + 1 };
	fixture_add(20, 300);
	rig_syn(&rig);
	for (size_t i = 0; i < 20; i++) {
		rig.now_ns = jumps[i % ARRAY_LEN(jumps)];
		rig_send(&rig, &script, script.start[i] + 10, script.start[i + 1]);
		rig_wait(&rig, 0);
		rig_send(&rig, &script, script.start[i], script.start[i] + 10);
	}
	cr_assert_leq(rig.count, 20);
}

Test(tcp_stream, a_flood_of_beginnings_does_not_push_out_streams_that_speak_dns)
{
	fixture_add(2, 100);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, script.start[1] + 10);
	uint64_t capacity = rig_stats(&rig).capacity;
	for (uint32_t i = 0; i < 3 * capacity; i++) {
		rig.client_port = (uint16_t)(1 + i % 39000);
		rig.vlan = (uint16_t)(1 + i / 39000);
		rig_syn(&rig);
	}
	rig.client_port = RIG_PORT;
	rig.vlan = 0;
	rig_send(&rig, &script, script.start[1] + 10, script.len);
	rig_expect(&rig, &script, 0, 2, "after the flood");
	cr_assert_eq(rig_stats(&rig).used, capacity);
	cr_assert_gt(rig_stats(&rig).evicted, capacity);
}

Test(tcp_stream, connections_that_have_ended_make_room_without_a_loss)
{
	fixture_add(1, 100);
	uint64_t capacity = rig_stats(&rig).capacity;
	for (uint32_t i = 0; i < 2 * capacity; i++) {
		rig.client_port = (uint16_t)(1 + i % 60000);
		rig.isn = i * 1000;
		rig_clear(&rig);
		fixture_send(1000);
		rig_expect(&rig, &script, 0, 1, "connection");
		rig_segment(&rig, PACKET_TCP_FIN, script.len, NULL, 0);
	}
	cr_assert_eq(rig_stats(&rig).used, 0);
	cr_assert_eq(rig_stats(&rig).evicted, 0);
}

Test(tcp_stream, streams_that_only_tags_tell_apart_are_few)
{
	for (uint16_t vlan = 1; vlan <= 1000; vlan++) {
		rig.vlan = vlan;
		rig_syn(&rig);
	}
	cr_assert_leq(rig_stats(&rig).used, 16);
}

Test(tcp_stream, a_flood_of_messages_that_never_end_stays_in_its_memory)
{
	uint64_t held = 0;
	fixture_add(1, 65535);
	for (uint16_t i = 0; i < 600; i++) {
		rig.client_port = (uint16_t)(1000 + i);
		rig_syn(&rig);
		for (size_t at = 0; at < 60000; at += 10000)
			rig_send(&rig, &script, at + (i % 3 == 0), at + 10000);
		struct tcp_streams_stats stats = rig_stats(&rig);
		held = stats.held_bytes > held ? stats.held_bytes : held;
		cr_assert_leq(stats.held_bytes, stats.held_bytes_max);
	}
	cr_assert_leq(rig_stats(&rig).held_bytes_max, FIXTURE_BYTES);
	cr_assert_gt(held, 0);
	cr_assert_gt(rig_stats(&rig).held_evicted, 0);
	cr_assert_eq(rig.count, 0);
}

Test(tcp_stream, a_stream_that_lost_its_pieces_to_others_goes_on_at_the_next_message)
{
	struct script big = { 0 };
	fixture_add(2, 3000);
	script_add(&big, 65535, false);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, 1000);
	for (uint16_t i = 0; i < 30; i++) {
		rig.client_port = (uint16_t)(1000 + i);
		rig_syn(&rig);
		rig_send(&rig, &big, 0, 60000);
	}
	rig.client_port = RIG_PORT;
	rig_send(&rig, &script, 1000, script.start[1]);
	rig_send(&rig, &script, script.start[1], script.len);
	rig_expect(&rig, &script, 1, 1, "goes on");
	script_free(&big);
}
