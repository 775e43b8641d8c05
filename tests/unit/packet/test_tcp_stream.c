/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/packet/stream_rig.h"

#define MEMORY ((size_t)1 << 20)

static struct rig rig;
static struct script script;

static void start(void)
{
	rig_start(&rig, MEMORY);
}

static void end(void)
{
	rig_end(&rig);
	script_free(&script);
}

TestSuite(tcp_stream, .init = start, .fini = end);

static void add(size_t count, size_t message_len)
{
	for (size_t i = 0; i < count; i++)
		script_add(&script, message_len, false);
}

/* The whole script after a SYN, in segments of so many bytes. */
static void send_all(size_t segment_len)
{
	rig_syn(&rig);
	for (size_t at = 0; at < script.len; at += segment_len)
		rig_send(&rig, &script, at,
			at + segment_len < script.len ? at + segment_len : script.len);
}

Test(tcp_stream, segments_of_every_length_give_the_same_messages)
{
	add(3, 0);
	add(2, 100);
	add(1, 13);
	for (size_t len = 1; len <= script.len; len++) {
		rig_end(&rig);
		rig_start(&rig, MEMORY);
		send_all(len);
		rig_expect(&rig, &script, 0, script.count, "in order");
		cr_assert_eq(rig_stats(&rig).held_bytes, 0, "segments of %zu", len);
	}
}

Test(tcp_stream, a_message_is_as_if_in_a_packet_of_its_own)
{
	add(1, 0);
	rig.vlan = 101;
	rig.vni = 7001;
	rig.interface = 3;
	send_all(10000);
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
	add(1, 0);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, 10);
	rig.now_ns += NS_PER_S;
	rig_send(&rig, &script, 10, script.len);
	cr_assert_eq(rig.message[0].message.ts_ns, rig.now_ns);
}

Test(tcp_stream, both_directions_are_streams_of_their_own)
{
	struct script answers = { 0 };
	add(2, 0);
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
	add(1, 65535);
	add(1, 0);
	send_all(1460);
	rig_expect(&rig, &script, 0, 2, "64 kB");
	cr_assert_eq(rig.message[0].len, 65535);
}

Test(tcp_stream, three_kilobytes_in_three_segments_out_of_order)
{
	add(1, 3000);
	rig_syn(&rig);
	rig_send(&rig, &script, 2000, script.len);
	rig_send(&rig, &script, 1000, 2000);
	cr_assert_eq(rig.count, 0);
	rig_send(&rig, &script, 0, 1000);
	rig_expect(&rig, &script, 0, 1, "3 kB");
}

Test(tcp_stream, what_is_sent_again_is_told_once)
{
	add(3, 50);
	send_all(40);
	for (size_t at = 0; at + 40 < script.len; at += 7)
		rig_send(&rig, &script, at, at + 40);
	rig_expect(&rig, &script, 0, 3, "again");
	cr_assert_gt(rig_stats(&rig).retransmissions, 0);
}

Test(tcp_stream, a_keep_alive_of_one_old_byte_changes_nothing)
{
	add(2, 0);
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
	add(2, 180);
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
	add(20, 90);
	for (uint32_t before = 0; before < 300; before += 7) {
		rig_end(&rig);
		rig_start(&rig, MEMORY);
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
	add(2, 0);
	rig_segment(&rig, PACKET_TCP_SYN, (size_t)-1, script.bytes, script.start[1]);
	rig_expect(&rig, &script, 0, 1, "fast open");
	/* refused by the server: sent again; accepted: it goes on */
	rig_send(&rig, &script, 0, script.start[1]);
	rig_send(&rig, &script, script.start[1], script.len);
	rig_expect(&rig, &script, 0, 2, "after it");
}

Test(tcp_stream, a_stream_is_picked_up_where_a_message_begins_with_a_segment)
{
	add(4, 100);
	rig_send(&rig, &script, 30, script.start[1]);
	rig_send(&rig, &script, script.start[1], script.start[3]);
	rig_send(&rig, &script, script.start[3], script.len);
	rig_expect(&rig, &script, 1, 3, "picked up");
	cr_assert_eq(rig_stats(&rig).resyncs, 1);
}

Test(tcp_stream, a_stream_is_picked_up_inside_a_segment)
{
	add(4, 100);
	for (size_t from = 1; from < script.start[1]; from++) {
		rig_end(&rig);
		rig_start(&rig, MEMORY);
		rig_send(&rig, &script, from, script.len);
		rig_expect(&rig, &script, 1, 3, "inside");
	}
}

Test(tcp_stream, a_stream_is_picked_up_at_a_message_that_runs_over_segments)
{
	add(2, 5000);
	rig_send(&rig, &script, 100, script.start[1]);
	for (size_t at = script.start[1]; at < script.len; at += 1000)
		rig_send(&rig, &script, at, at + 1000 < script.len ? at + 1000 : script.len);
	rig_expect(&rig, &script, 1, 1, "long");
}

Test(tcp_stream, a_stream_is_picked_up_where_the_length_has_a_segment_of_its_own)
{
	add(3, 0);
	rig_send(&rig, &script, 2, script.start[1]); /* a message without its length */
	for (size_t i = 1; i < 3; i++) {
		rig_send(&rig, &script, script.start[i], script.start[i] + 2);
		rig_send(&rig, &script, script.start[i] + 2, script.start[i + 1]);
	}
	rig_expect(&rig, &script, 1, 2, "length alone");
}

Test(tcp_stream, a_segment_of_many_messages_is_proof_of_them_all)
{
	add(60, 0);
	rig_send(&rig, &script, 0, script.len);
	rig_expect(&rig, &script, 0, 60, "many");
}

Test(tcp_stream, a_lost_segment_inside_messages_costs_those_messages)
{
	add(10, 200);
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

Test(tcp_stream, a_loss_over_a_length_is_searched_for_the_next_boundary)
{
	add(10, 200);
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

Test(tcp_stream, a_loss_that_ends_with_its_message_needs_no_search)
{
	add(4, 200);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, 50);
	rig_send(&rig, &script, script.start[1], script.len);
	rig_wait(&rig, 3 * NS_PER_S);
	rig_expect(&rig, &script, 1, 3, "exactly");
	cr_assert_eq(rig_stats(&rig).resyncs, 0);
}

Test(tcp_stream, what_the_receiver_has_and_we_do_not_is_lost_at_once)
{
	add(6, 200);
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

Test(tcp_stream, acknowledgements_count_with_other_tags_too)
{
	add(3, 200);
	rig.vlan = 10;
	rig_syn(&rig);
	rig_send(&rig, &script, script.start[1], script.len);
	rig.vlan = 20;
	rig_acknowledge(&rig, script.len);
	rig_expect(&rig, &script, 1, 2, "asymmetric tags");
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
	add(2, 100);
	script_add(&theirs, 150, false);
	script_add(&theirs, 160, false);
	for (int kind = 0; kind < 2; kind++) {
		rig_end(&rig);
		rig_start(&rig, MEMORY);
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

Test(tcp_stream, a_capture_that_ends_before_a_hole_is_filled_gives_what_it_has)
{
	add(4, 200);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, 150);
	rig_send(&rig, &script, 180, script.start[2]);
	rig_send(&rig, &script, script.start[3], script.len);
	rig_flush(&rig);
	cr_assert_eq(rig.count, 2);
	cr_assert(rig_is(&rig, 0, &script, 1) && rig_is(&rig, 1, &script, 3));
	cr_assert_eq(rig_stats(&rig).held_bytes, 0);
}

Test(tcp_stream, segments_cut_by_the_snapshot_length_cost_what_was_cut)
{
	add(4, 200);
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

Test(tcp_stream, reset_ends_a_stream)
{
	add(2, 100);
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
	add(1, 100);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, 50);
	rig_segment(&rig, PACKET_TCP_RST, 1u << 24, NULL, 0);
	rig_send(&rig, &script, 50, script.len);
	rig_expect(&rig, &script, 0, 1, "reset");
}

Test(tcp_stream, what_is_sent_again_after_the_end_is_told_once)
{
	add(2, 100);
	send_all(1000);
	rig_segment(&rig, PACKET_TCP_FIN, script.len, NULL, 0);
	rig_send(&rig, &script, 0, script.len);
	rig_segment(&rig, PACKET_TCP_FIN, script.start[1], script.bytes + script.start[1],
		script.len - script.start[1]);
	rig_expect(&rig, &script, 0, 2, "after FIN");
}

Test(tcp_stream, an_end_that_comes_early_waits_for_its_data)
{
	add(2, 100);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, 50);
	rig_segment(&rig, PACKET_TCP_FIN, script.len, NULL, 0);
	rig_send(&rig, &script, 50, script.len);
	rig_expect(&rig, &script, 0, 2, "early FIN");
}

Test(tcp_stream, the_same_ports_serve_one_connection_after_another)
{
	add(2, 100);
	for (uint32_t i = 0; i < 4; i++) {
		rig.isn = 5000 + i * 0x10000000;
		rig_clear(&rig);
		send_all(60);
		rig_expect(&rig, &script, 0, 2, "connection");
		if (i % 2 == 0)
			rig_segment(&rig, PACKET_TCP_FIN, script.len, NULL, 0);
	}
	cr_assert_eq(rig_stats(&rig).used, 1);
}

Test(tcp_stream, a_new_connection_whose_syn_was_not_captured_is_picked_up)
{
	add(2, 100);
	send_all(60);
	rig_segment(&rig, PACKET_TCP_FIN, script.len, NULL, 0);
	rig.isn += 1u << 30;
	rig_send(&rig, &script, 0, script.len);
	cr_assert_eq(rig.count, 4);
}

Test(tcp_stream, forged_segments_do_not_break_a_stream)
{
	uint8_t junk[64] = { 0 };
	add(2, 100);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, 50);
	rig_segment(&rig, PACKET_TCP_SYN, 1u << 28, NULL, 0);
	rig_segment(&rig, 0, 1u << 29, junk, sizeof(junk));
	rig_segment(&rig, PACKET_TCP_FIN, 1u << 29, NULL, 0);
	rig_send(&rig, &script, 50, script.len);
	rig_expect(&rig, &script, 0, 2, "forged");
	cr_assert_eq(rig_stats(&rig).strays, 1);
}

Test(tcp_stream, a_stream_that_jumps_is_followed)
{
	add(40, 100);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, script.start[1]);
	rig.isn += 1u << 24; /* 16 MiB were not captured */
	for (size_t i = 1; i < 4; i++)
		rig_send(&rig, &script, script.start[i], script.start[i + 1]);
	cr_assert_eq(rig.count, 3);
	cr_assert(rig_is(&rig, 2, &script, 3));
}

Test(tcp_stream, bytes_that_are_no_dns_give_no_messages_and_are_ignored_soon)
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

Test(tcp_stream, other_protocols_give_no_messages)
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

Test(tcp_stream, a_new_connection_on_the_ports_of_junk_is_read)
{
	add(2, 100);
	rig_syn(&rig);
	for (size_t at = 0; at < 70000; at += 18)
		rig_segment(&rig, 0, at, junk_rows[4].bytes, 18);
	cr_assert_eq(rig_stats(&rig).junk, 1);
	rig.isn += 500000;
	send_all(1000);
	rig_expect(&rig, &script, 0, 2, "after junk");
}

Test(tcp_stream, a_malformed_message_between_others_is_handed_on)
{
	add(2, 100);
	script_add_bytes(&script, "\0\5abcde", 7);
	size_t rest = script.len;
	add(1, 100);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, script.len);
	cr_assert_eq(rig.count, 4);
	cr_assert_eq(rig.message[2].len, 5);
	cr_assert_arr_eq(rig.message[2].bytes, "abcde", 5);
	cr_assert_eq(rest, script.start[2]);
	cr_assert(rig_is(&rig, 3, &script, 2));
	cr_assert_eq(rig_stats(&rig).failures, 1);
}

Test(tcp_stream, a_stream_whose_framing_goes_wrong_is_searched_again)
{
	uint8_t noise[700];
	uint64_t state = 3;
	add(3, 100);
	size_t good = script.len;
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = i % 7 == 0
				   ? 0
				   : (uint8_t)(i % 7 == 1 ? 5 : 0xa0 + rig_random(&state, 80));
	script_add_bytes(&script, noise, sizeof(noise));
	size_t again = script.len;
	add(3, 100);
	rig_syn(&rig);
	rig_send(&rig, &script, 0, good);
	rig_send(&rig, &script, good, again);
	rig_send(&rig, &script, again, script.len);
	cr_assert_geq(rig.count, 6);
	cr_assert_leq(rig.count, 8, "at most two of the noise");
	for (size_t i = 0; i < 3; i++)
		cr_assert(rig_is(&rig, rig.count - 3 + i, &script, 3 + i), "message %zu", i);
}

Test(tcp_stream, a_silent_stream_goes_after_a_minute)
{
	add(2, 100);
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
	add(20, 300);
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
	add(2, 100);
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
	add(1, 100);
	uint64_t capacity = rig_stats(&rig).capacity;
	for (uint32_t i = 0; i < 2 * capacity; i++) {
		rig.client_port = (uint16_t)(1 + i % 60000);
		rig.isn = i * 1000;
		rig_clear(&rig);
		send_all(1000);
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
	add(1, 65535);
	for (uint16_t i = 0; i < 600; i++) {
		rig.client_port = (uint16_t)(1000 + i);
		rig_syn(&rig);
		for (size_t at = 0; at < 60000; at += 10000)
			rig_send(&rig, &script, at + (i % 3 == 0), at + 10000);
		struct tcp_streams_stats stats = rig_stats(&rig);
		held = stats.held_bytes > held ? stats.held_bytes : held;
		cr_assert_leq(stats.held_bytes, stats.held_bytes_max);
	}
	cr_assert_leq(rig_stats(&rig).held_bytes_max, MEMORY);
	cr_assert_gt(held, 0);
	cr_assert_gt(rig_stats(&rig).held_evicted, 0);
	cr_assert_eq(rig.count, 0);
}

Test(tcp_stream, a_stream_that_lost_its_pieces_to_others_goes_on_at_the_next_message)
{
	struct script big = { 0 };
	add(2, 3000);
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

Test(tcp_stream, more_than_waits_ahead_of_a_hole_gives_the_hole_up)
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

/* --- properties ------------------------------------------------------------------------------ */

struct segment {
	size_t from, to;
};

/* Cut at random; half of the time where messages begin, as programs do. */
static size_t cut(struct segment *out, uint64_t *random, size_t segment_max)
{
	size_t count = 0;
	for (size_t at = 0, k = 0; at < script.len;) {
		size_t to = at + 1 + rig_random(random, (uint32_t)segment_max);
		while (k < script.count && script.start[k] <= at)
			k++;
		if (to > script.start[k] && rig_random(random, 2))
			to = script.start[k];
		if (to > script.len)
			to = script.len;
		out[count++] = (struct segment){ at, to };
		at = to;
	}
	return count;
}

static void make_script(uint64_t *random)
{
	script_free(&script);
	size_t count = 1 + rig_random(random, 60);
	for (size_t i = 0; i < count; i++)
		script_add(&script,
			rig_random(random, 20) ? rig_random(random, 600)
					       : rig_random(random, 65536),
			rig_random(random, 2));
}

#define RUNS       150
#define SPREAD_MAX 16

Test(tcp_stream, split_shuffled_and_doubled_streams_give_exactly_their_messages)
{
	uint64_t random = 11;
	for (size_t run = 0; run < RUNS; run++) {
		rig_end(&rig);
		rig_start(&rig, 4 * MEMORY);
		make_script(&random);
		struct segment *segment = calloc(script.len, sizeof(*segment));
		size_t count = cut(segment, &random, run % 3 ? 1460 : 200);
		rig.isn = rig_random(&random, 3) ? rig_random(&random, UINT32_MAX)
						 : 0u - rig_random(&random, 5000);
		for (size_t i = 0; i + 1 < count; i++) { /* within a window */
			size_t other = i + rig_random(&random, SPREAD_MAX);
			if (other < count && rig_random(&random, 2)) {
				struct segment swapped = segment[i];
				segment[i] = segment[other];
				segment[other] = swapped;
			}
		}
		rig_syn(&rig);
		for (size_t i = 0; i < count; i++) {
			rig_send(&rig, &script, segment[i].from, segment[i].to);
			if (rig_random(&random, 4) == 0) { /* again, or with its neighbours */
				size_t again = i - rig_random(&random, (uint32_t)i + 1);
				rig_send(&rig, &script, segment[again].from, segment[again].to);
			}
		}
		rig_expect(&rig, &script, 0, script.count, "shuffled");
		cr_assert_eq(rig_stats(&rig).held_bytes, 0, "run %zu", run);
		cr_assert_eq(rig_stats(&rig).gaps, 0, "run %zu", run);
		free(segment);
	}
}

/* What came out is a part of the script, in order; returns which messages (by `out`). */
static void expect_none_invented(bool *out, size_t run)
{
	size_t k = 0;
	for (size_t i = 0; i < rig.count; i++) {
		while (k < script.count && !rig_is(&rig, i, &script, k))
			k++;
		cr_assert_lt(k, script.count, "run %zu: message %zu was never sent", run, i);
		out[k++] = true;
	}
}

/*
 * A message must come out when all its bytes were seen and its boundary is certain: the stream was
 * seen from its beginning or from a message at a segment's start, and no length was lost since.
 */
static void expect_untouched(const struct segment *segment, const bool *lost, size_t count,
	const bool *out, size_t run)
{
	bool certain = true;
	size_t i = 0;
	for (size_t k = 0; k < script.count; k++) {
		size_t from = script.start[k], to = script.start[k + 1];
		bool length_seen = true, whole = true;
		while (segment[i].to <= from)
			i++;
		bool begins_segment = segment[i].from == from;
		bool ends_segment = false;
		for (size_t j = i; j < count && segment[j].from < to; j++) {
			whole = whole && !lost[j];
			length_seen = length_seen && !(lost[j] && segment[j].from < from + 2);
			ends_segment = segment[j].to >= to;
		}
		bool provable = begins_segment && !lost[i] && segment[i].to - from >= 40;
		certain = length_seen && (certain || provable);
		if (certain && whole && ends_segment)
			cr_assert(out[k], "run %zu: message %zu is missing", run, k);
	}
}

Test(tcp_stream, losses_cost_only_what_they_touch_and_nothing_is_invented)
{
	uint64_t random = 12;
	for (size_t run = 0; run < RUNS; run++) {
		rig_end(&rig);
		rig_start(&rig, 4 * MEMORY);
		make_script(&random);
		struct segment *segment = calloc(script.len, sizeof(*segment));
		bool *lost = calloc(script.len, sizeof(*lost));
		bool *out = calloc(script.count, sizeof(*out));
		size_t count = cut(segment, &random, run % 3 ? 1460 : 200);
		uint32_t one_in = 2 + rig_random(&random, 30);
		if (rig_random(&random, 4))
			rig_syn(&rig);
		else
			lost[0] = true;
		for (size_t i = 0; i < count; i++) {
			lost[i] = lost[i] || rig_random(&random, one_in) == 0;
			if (!lost[i])
				rig_send(&rig, &script, segment[i].from, segment[i].to);
			if (rig_random(&random, 3) == 0)
				rig_acknowledge(&rig, segment[i].to);
			if (rig_random(&random, 50) == 0)
				rig_wait(&rig, NS_PER_S);
		}
		rig_flush(&rig);
		expect_none_invented(out, run);
		expect_untouched(segment, lost, count, out, run);
		free(segment);
		free(lost);
		free(out);
	}
}
