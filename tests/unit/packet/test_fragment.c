/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"
#include "tests/support/guard.h"
#include "tests/support/shells.h"
#include "tests/unit/packet/decoded.h"

#define START_NS   (INT64_C(1785585600) * NS_PER_S)
#define PIECES_MAX 8

/* A decoder of its own for each test, and the books of what it was given. */
struct rig {
	struct packet_options options;
	struct decoder *decoder;
	struct guard guard;
	struct packet p;
	int64_t now_ns;
	uint64_t frames;
	uint64_t results[PACKET_RESULT_COUNT];
};

static struct rig *rig_new(size_t memory_bytes)
{
	struct rig *r = calloc(1, sizeof(*r));

	cr_assert_not_null(r);
	packet_options_init(&r->options);
	port_set_add(&r->options.ports, 53);
	r->decoder = decoder_new(&r->options, memory_bytes);
	cr_assert_not_null(r->decoder);
	r->now_ns = START_NS;
	return r;
}

static enum packet_result rig_frame(struct rig *r, const uint8_t *bytes, size_t len)
{
	struct frame frame = {
		.bytes = guard_place(&r->guard, bytes, len),
		.caplen = (uint32_t)len,
		.wire_len = (uint32_t)len,
		.link = PACKET_LINK_ETHERNET,
		.ts_ns = r->now_ns,
	};
	enum packet_result result = packet_decode(&r->p, &frame, r->decoder);

	r->frames++;
	if (result == PACKET_HELD)
		cr_assert_eq(r->p.held, 0);
	else
		r->results[result] += 1 + r->p.held;
	return result;
}

/* Every frame has one result in the end. */
static void rig_free(struct rig *r)
{
	uint64_t sum = 0;

	decoder_flush(r->decoder);
	struct decoder_settled settled = decoder_settled(r->decoder);
	for (size_t i = 0; i < PACKET_RESULT_COUNT; i++)
		sum += r->results[i];
	cr_assert_eq(sum + settled.incomplete + settled.evicted, r->frames,
		"%lu counted, %lu incomplete, %lu evicted of %lu", sum, settled.incomplete,
		settled.evicted, r->frames);
	cr_assert_eq(decoder_stats(r->decoder).used, 0);
	decoder_free(r->decoder);
	guard_deinit(&r->guard);
	free(r);
}

/* --- datagrams to cut ------------------------------------------------------------------------- */

/* A datagram: what IP carries, and how its fragments differ from others'. */
struct whole {
	bool v6;
	uint32_t id;
	uint16_t vlan; /* 0: none */
	uint8_t protocol;
	size_t len;
	uint8_t bytes[FRAMES_BYTES_MAX];
};

/* UDP with a payload whose every byte differs from its neighbours. */
static struct whole whole_make(bool v6, uint32_t id, size_t payload_len)
{
	struct whole w = { .v6 = v6, .id = id, .protocol = 17 };
	uint8_t payload[FRAMES_BYTES_MAX], frame[FRAMES_BYTES_MAX];

	for (size_t i = 0; i < payload_len; i++)
		payload[i] = (uint8_t)(i * 7 + (i >> 8) + id);
	struct frame_spec spec = { .link = PACKET_LINK_RAW,
		.v6 = v6,
		.payload = payload,
		.payload_len = payload_len };
	size_t len = frames_build(frame, &spec);
	size_t header = v6 ? 40 : 20;
	w.len = len - header;
	memcpy(w.bytes, frame + header, w.len);
	return w;
}

struct piece {
	size_t from, to;
	bool last;
};

/* The frame of one piece. */
static size_t piece_build(uint8_t *frame, const struct whole *w, struct piece piece)
{
	struct frame_spec spec = {
		.link = 1,
		.v6 = w->v6,
		.protocol = 59, /* as it is: no header is put in front */
		.extension_count = w->v6,
		.extension = { 44 },
		.fragment_offset = (uint16_t)(piece.from / 8),
		.more_fragments = !piece.last,
		.payload = w->bytes + piece.from,
		.payload_len = piece.to - piece.from,
		.empty = piece.to == piece.from,
		.tag_count = w->vlan != 0,
		.tag = { { 0x8100, w->vlan } },
		.padding_len = 7,
	};
	size_t len = frames_build(frame, &spec);
	uint8_t *ip = frame + 14 + (w->vlan ? 4 : 0);

	if (w->v6) {
		ip[40] = w->protocol;
		for (unsigned i = 0; i < 4; i++)
			ip[44 + i] = (uint8_t)(w->id >> (24 - 8 * i));
	} else {
		ip[4] = (uint8_t)(w->id >> 8);
		ip[5] = (uint8_t)w->id;
		ip[9] = w->protocol;
	}
	return len;
}

static enum packet_result rig_piece(struct rig *r, const struct whole *w, struct piece piece)
{
	uint8_t frame[FRAMES_BYTES_MAX];
	size_t len = piece_build(frame, w, piece);

	return rig_frame(r, frame, len);
}

static void expect_whole(const struct rig *r, const struct whole *w, uint32_t held)
{
	cr_assert_eq(r->p.held, held, "held %u", r->p.held);
	cr_assert_eq(r->p.payload_len, w->len - 8);
	cr_assert_eq(memcmp(r->p.payload, w->bytes + 8, w->len - 8), 0);
	cr_assert_eq(r->p.checksum, PACKET_CHECKSUM_OK);
	cr_assert_eq(r->p.dport, 53);
	cr_assert_eq(r->p.ip_ttl, FRAMES_TTL);
	cr_assert_eq(r->p.vlan_count, w->vlan != 0);
}

/* Give pieces in the order of `order`; all but the last of them are held. */
static void expect_joined(struct rig *r, const struct whole *w, const struct piece *piece,
	const uint8_t *order, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		enum packet_result result = rig_piece(r, w, piece[order[i]]);
		cr_assert_eq(result, i + 1 < count ? PACKET_HELD : PACKET_DNS,
			"v6 %d, piece %u (%zu to %zu): %s", w->v6, i, piece[order[i]].from,
			piece[order[i]].to, packet_result_name(result));
	}
	expect_whole(r, w, count - 1);
}

/* --- complete ----------------------------------------------------------------------------------- */

Test(fragment, every_cut_in_two_in_either_order_is_joined)
{
	static const uint8_t orders[2][2] = { { 0, 1 }, { 1, 0 } };
	struct rig *r = rig_new(0);

	for (unsigned v6 = 0; v6 < 2; v6++) {
		for (size_t len = 1; len < 300; len += 13) {
			struct whole w = whole_make(v6, (uint32_t)len, len);
			for (size_t cut = 8; cut < w.len; cut += 8) {
				struct piece piece[] = { { 0, cut, false },
					{ cut, w.len, true } };
				expect_joined(r, &w, piece, orders[0], 2);
				expect_joined(r, &w, piece, orders[1], 2);
			}
		}
	}
	rig_free(r);
}

Test(fragment, every_cut_in_three_in_every_order_is_joined)
{
	static const uint8_t orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
		{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	struct rig *r = rig_new(0);

	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct whole w = whole_make(v6, 77, 131);
		for (size_t a = 8; a < w.len; a += 8) {
			for (size_t b = a + 8; b < w.len; b += 8) {
				struct piece piece[] = { { 0, a, false }, { a, b, false },
					{ b, w.len, true } };
				for (size_t o = 0; o < ARRAY_LEN(orders); o++)
					expect_joined(r, &w, piece, orders[o], 3);
			}
		}
	}
	rig_free(r);
}

Test(fragment, large_datagrams_over_many_blocks_are_joined)
{
	struct rig *r = rig_new(0);

	for (size_t len = 900; len < 3900; len += 61) {
		struct whole w = whole_make(false, (uint32_t)len, len);
		for (size_t at = 0; at < w.len;) {
			size_t to = at + 8 * (1 + at % 97);
			bool last = to >= w.len;
			enum packet_result result =
				rig_piece(r, &w, (struct piece){ at, last ? w.len : to, last });
			cr_assert_eq(result, last ? PACKET_DNS : PACKET_HELD);
			at = to;
		}
		cr_assert_eq(r->p.payload_len, len);
		cr_assert_eq(memcmp(r->p.payload, w.bytes + 8, len), 0);
	}
	rig_free(r);
}

Test(fragment, the_largest_datagram_is_joined_and_a_larger_one_is_malformed)
{
	struct rig *r = rig_new(0);
	struct whole w = { .id = 9, .protocol = 17, .len = 4000 };
	size_t total = 0;

	memcpy(w.bytes, "\x9c\x40\0\x35\xff\xff\0\0", 8);
	for (unsigned i = 0; i < 17; i++) { /* 16 times 4000, then what is left */
		uint8_t frame[FRAMES_BYTES_MAX];
		size_t len = i < 16 ? 4000 : 65535 - 64000;
		size_t built = piece_build(frame, &w, (struct piece){ 0, len, i == 16 });
		frame[14 + 6] = (uint8_t)((i < 16 ? 0x20 : 0) | (total / 8) >> 8);
		frame[14 + 7] = (uint8_t)(total / 8);
		cr_assert_eq(rig_frame(r, frame, built), i < 16 ? PACKET_HELD : PACKET_DNS);
		total += len;
	}
	cr_assert_eq(r->p.payload_len, 65535 - 8);
	uint8_t frame[FRAMES_BYTES_MAX];
	size_t built = piece_build(frame, &w, (struct piece){ 0, 16, true });
	frame[14 + 6] = 0x1f; /* offset 65528: eight bytes too many */
	frame[14 + 7] = 0xff;
	cr_assert_eq(rig_frame(r, frame, built), PACKET_REJECT_FRAGMENT_MALFORMED);
	rig_free(r);
}

Test(fragment, interleaved_datagrams_are_kept_apart)
{
	struct rig *r = rig_new(0);
	struct whole w[6];
	struct piece piece[] = { { 0, 80, false }, { 80, 160, false }, { 160, 0, true } };

	for (unsigned i = 0; i < ARRAY_LEN(w); i++)
		w[i] = whole_make(i & 1, 500 + i, 200 + i);
	for (unsigned k = 0; k < ARRAY_LEN(piece); k++) {
		for (unsigned i = 0; i < ARRAY_LEN(w); i++) {
			struct piece p = piece[k];
			if (p.last)
				p.to = w[i].len;
			cr_assert_eq(rig_piece(r, &w[i], p), p.last ? PACKET_DNS : PACKET_HELD);
			if (p.last)
				expect_whole(r, &w[i], 2);
		}
	}
	rig_free(r);
}

Test(fragment, the_same_addresses_and_id_on_another_vlan_are_another_datagram)
{
	struct rig *r = rig_new(0);
	struct whole a = whole_make(false, 5, 100), b = whole_make(false, 5, 100);

	b.vlan = 101;
	b.bytes[50] ^= 1;
	cr_assert_eq(rig_piece(r, &a, (struct piece){ 0, 48, false }), PACKET_HELD);
	cr_assert_eq(rig_piece(r, &b, (struct piece){ 48, b.len, true }), PACKET_HELD);
	cr_assert_eq(rig_piece(r, &a, (struct piece){ 48, a.len, true }), PACKET_DNS);
	expect_whole(r, &a, 1);
	cr_assert_eq(rig_piece(r, &b, (struct piece){ 0, 48, false }), PACKET_DNS);
	cr_assert_eq(r->p.vlan[0], 101);
	rig_free(r);
}

/* Fragments of the packet inside, and fragments of the packet outside. */
static void join_in_shell(const struct shell *shell, bool v6, uint32_t other_vni)
{
	struct rig *r = rig_new(0);
	struct whole w = whole_make(v6, 300, 200);
	uint8_t inner[FRAMES_BYTES_MAX], outer[FRAMES_BYTES_MAX];
	size_t skip = shell->ethernet ? 0 : 14;

	for (unsigned half = 0; half < 2; half++) {
		struct piece piece = half ? (struct piece){ 104, w.len, true }
					  : (struct piece){ 0, 104, false };
		size_t len = piece_build(inner, &w, piece);
		len = shell_wrap(outer, shell, false, inner + skip, len - skip, v6);
		if (half && other_vni) {
			/* the same in another network is no part of it */
			outer[14 + 20 + 8 + 6] ^= 1;
			cr_assert_eq(rig_frame(r, outer, len), PACKET_HELD, "%s", shell->name);
			outer[14 + 20 + 8 + 6] ^= 1;
		}
		cr_assert_eq(rig_frame(r, outer, len), half ? PACKET_DNS : PACKET_HELD, "%s",
			shell->name);
	}
	cr_assert_eq(r->p.payload_len, 200, "%s", shell->name);
	cr_assert_eq(memcmp(r->p.payload, w.bytes + 8, 200), 0, "%s", shell->name);
	cr_assert_eq(r->p.vni, shell->vni, "%s", shell->name);
	rig_free(r);
}

Test(fragment, fragments_inside_every_tunnel_are_joined)
{
	for (size_t i = 0; i < shells_count; i++) {
		join_in_shell(&shells[i], false, false);
		if (strcmp(shells[i].name, "GRE with WCCP") != 0)
			join_in_shell(&shells[i], true, false);
	}
}

Test(fragment, the_same_in_another_vni_is_another_datagram)
{
	join_in_shell(shell_find("VXLAN"), false, true);
	join_in_shell(shell_find("GENEVE"), true, true);
}

/* The outer packet in three pieces, whose payload is one of two fragments; twice that. */
Test(fragment, a_fragment_in_fragments_is_joined_and_every_frame_is_counted)
{
	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct rig *r = rig_new(0);
		struct whole inner = whole_make(v6, 41, 300);
		for (unsigned half = 0; half < 2; half++) {
			struct whole outer = {
				.id = 90 + half, .v6 = !v6, .protocol = v6 ? 41 : 4
			};
			uint8_t frame[FRAMES_BYTES_MAX];
			size_t len = piece_build(frame, &inner,
				half ? (struct piece){ 160, inner.len, true }
				     : (struct piece){ 0, 160, false });
			outer.len = len - 14;
			memcpy(outer.bytes, frame + 14, outer.len);
			cr_assert_eq(rig_piece(r, &outer, (struct piece){ 56, 112, false }),
				PACKET_HELD);
			cr_assert_eq(
				rig_piece(r, &outer, (struct piece){ 112, outer.len, true }),
				PACKET_HELD);
			cr_assert_eq(rig_piece(r, &outer, (struct piece){ 0, 56, false }),
				half ? PACKET_DNS : PACKET_HELD);
		}
		cr_assert_eq(r->p.held, 5);
		cr_assert_eq(r->p.payload_len, 300);
		cr_assert_eq(memcmp(r->p.payload, inner.bytes + 8, 300), 0);
		cr_assert_eq(r->results[PACKET_DNS], 6);
		rig_free(r);
	}
}

/* --- again, and otherwise --------------------------------------------------------------------- */

Test(fragment, exact_duplicates_are_counted_as_such_and_do_no_harm)
{
	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct rig *r = rig_new(0);
		struct whole w = whole_make(v6, 3, 200);
		struct piece piece[] = { { 0, 80, false }, { 80, 160, false },
			{ 160, w.len, true } };
		for (unsigned k = 0; k < 2; k++) {
			cr_assert_eq(rig_piece(r, &w, piece[2 - k]), PACKET_HELD);
			cr_assert_eq(rig_piece(r, &w, piece[2 - k]), PACKET_REJECT_DUPLICATE);
			cr_assert_eq(rig_piece(r, &w, piece[2 - k]), PACKET_REJECT_DUPLICATE);
		}
		/* known bytes in other pieces are no news either */
		cr_assert_eq(rig_piece(r, &w, (struct piece){ 88, 96, false }),
			PACKET_REJECT_DUPLICATE);
		cr_assert_eq(rig_piece(r, &w, piece[0]), PACKET_DNS);
		expect_whole(r, &w, 2);
		cr_assert_eq(r->results[PACKET_REJECT_DUPLICATE], 5);
		rig_free(r);
	}
}

/* Over IPv4 what came first stands, whether the overlap says the same or not. */
Test(fragment, over_ipv4_the_first_of_overlapping_bytes_stand)
{
	struct rig *r = rig_new(0);
	struct whole w = whole_make(false, 3, 200), forged = w;

	memset(forged.bytes, 0xee, forged.len);
	cr_assert_eq(rig_piece(r, &w, (struct piece){ 0, 80, false }), PACKET_HELD);
	cr_assert_eq(rig_piece(r, &forged, (struct piece){ 0, 80, false }),
		PACKET_REJECT_FRAGMENT_OVERLAP);
	cr_assert_eq(rig_piece(r, &forged, (struct piece){ 16, 24, false }),
		PACKET_REJECT_FRAGMENT_OVERLAP);
	/* what it has of new bytes is taken */
	cr_assert_eq(rig_piece(r, &w, (struct piece){ 40, 160, false }),
		PACKET_REJECT_FRAGMENT_OVERLAP);
	forged.bytes[w.len - 1] = w.bytes[w.len - 1];
	memcpy(forged.bytes + 160, w.bytes + 160, w.len - 160);
	cr_assert_eq(rig_piece(r, &forged, (struct piece){ 120, w.len, true }), PACKET_DNS);
	expect_whole(r, &w, 1);
	cr_assert_eq(r->results[PACKET_REJECT_FRAGMENT_OVERLAP], 3);
	rig_free(r);
}

Test(fragment, over_ipv6_an_overlap_drops_the_datagram_and_what_still_comes)
{
	struct rig *r = rig_new(0);
	struct whole w = whole_make(true, 3, 200);

	cr_assert_eq(rig_piece(r, &w, (struct piece){ 0, 80, false }), PACKET_HELD);
	cr_assert_eq(rig_piece(r, &w, (struct piece){ 88, 160, false }), PACKET_HELD);
	cr_assert_eq(rig_piece(r, &w, (struct piece){ 72, 88, false }),
		PACKET_REJECT_FRAGMENT_OVERLAP);
	cr_assert_eq(r->p.held, 2);
	cr_assert_eq(rig_piece(r, &w, (struct piece){ 80, 88, false }),
		PACKET_REJECT_FRAGMENT_OVERLAP);
	cr_assert_eq(rig_piece(r, &w, (struct piece){ 160, w.len, true }),
		PACKET_REJECT_FRAGMENT_OVERLAP);
	cr_assert_eq(r->results[PACKET_REJECT_FRAGMENT_OVERLAP], 5);
	/* until its time is over */
	r->now_ns += 31 * NS_PER_S;
	cr_assert_eq(rig_piece(r, &w, (struct piece){ 0, 80, false }), PACKET_HELD);
	cr_assert_eq(rig_piece(r, &w, (struct piece){ 80, w.len, true }), PACKET_DNS);
	rig_free(r);
}

Test(fragment, contradictions_about_the_end_are_malformed_and_change_nothing)
{
	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct rig *r = rig_new(0);
		struct whole w = whole_make(v6, 3, 192);
		const enum packet_result malformed = PACKET_REJECT_FRAGMENT_MALFORMED;
		cr_assert_eq(rig_piece(r, &w, (struct piece){ 96, 160, false }), PACKET_HELD);
		/* an end before what is there */
		cr_assert_eq(rig_piece(r, &w, (struct piece){ 80, 96, true }), malformed);
		cr_assert_eq(rig_piece(r, &w, (struct piece){ 160, w.len, true }), PACKET_HELD);
		/* another end, and something beyond it */
		cr_assert_eq(
			rig_piece(r, &w, (struct piece){ 160, w.len - 8, true }), malformed);
		cr_assert_eq(rig_piece(r, &w, (struct piece){ 200, 208, false }), malformed);
		cr_assert_eq(rig_piece(r, &w, (struct piece){ 0, 96, false }), PACKET_DNS);
		expect_whole(r, &w, 2);
		rig_free(r);
	}
}

Test(fragment, lengths_that_no_fragment_has_are_malformed)
{
	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct rig *r = rig_new(0);
		struct whole w = whole_make(v6, 3, 200);
		cr_assert_eq(rig_piece(r, &w, (struct piece){ 0, 81, false }),
			PACKET_REJECT_FRAGMENT_MALFORMED);
		cr_assert_eq(rig_piece(r, &w, (struct piece){ 8, 8, false }),
			PACKET_REJECT_FRAGMENT_MALFORMED);
		cr_assert_eq(rig_piece(r, &w, (struct piece){ 8, 8, true }),
			PACKET_REJECT_FRAGMENT_MALFORMED);
		cr_assert_eq(decoder_stats(r->decoder).used, 0);
		rig_free(r);
	}
}

Test(fragment, a_fragment_cut_by_the_snapshot_length_is_not_used)
{
	struct rig *r = rig_new(0);
	struct whole w = whole_make(false, 3, 200);
	uint8_t bytes[FRAMES_BYTES_MAX];
	size_t len = piece_build(bytes, &w, (struct piece){ 0, 80, false });
	struct frame frame = { .bytes = bytes,
		.caplen = (uint32_t)len - 10,
		.wire_len = (uint32_t)len,
		.link = 1,
		.ts_ns = START_NS };

	cr_assert_eq(packet_decode(&r->p, &frame, r->decoder), PACKET_REJECT_SNAPLEN);
	cr_assert_eq(decoder_stats(r->decoder).used, 0);
	rig_free(r);
}

/* The header of UDP in the second fragment, as firewalls were once passed (RFC 1858). */
Test(fragment, tiny_fragments_are_joined_like_others)
{
	struct rig *r = rig_new(0);
	struct whole w = whole_make(false, 3, 100);

	for (size_t at = 0; at < w.len; at += 8) {
		bool last = at + 8 >= w.len;
		cr_assert_eq(
			rig_piece(r, &w, (struct piece){ at, last ? w.len : at + 8, last }),
			last ? PACKET_DNS : PACKET_HELD);
	}
	rig_free(r);
}

Test(fragment, other_protocols_are_not_held)
{
	struct rig *r = rig_new(0);
	struct whole w = whole_make(false, 3, 100);

	w.protocol = 1;
	cr_assert_eq(rig_piece(r, &w, (struct piece){ 0, 80, false }), PACKET_OTHER);
	w.v6 = true;
	w.protocol = 58;
	cr_assert_eq(rig_piece(r, &w, (struct piece){ 0, 80, false }), PACKET_OTHER);
	rig_free(r);
}

/* --- time and memory ------------------------------------------------------------------------- */

Test(fragment, what_is_not_complete_in_30_seconds_is_given_up)
{
	struct rig *r = rig_new(0);
	struct whole w = whole_make(false, 3, 200);

	cr_assert_eq(rig_piece(r, &w, (struct piece){ 0, 80, false }), PACKET_HELD);
	r->now_ns += 29 * NS_PER_S;
	decoder_expire(r->decoder, r->now_ns);
	cr_assert_eq(rig_piece(r, &w, (struct piece){ 80, 160, false }), PACKET_HELD);
	r->now_ns += 2 * NS_PER_S;
	decoder_expire(r->decoder, r->now_ns);
	cr_assert_eq(decoder_stats(r->decoder).used, 0);
	struct decoder_settled settled = decoder_settled(r->decoder);
	cr_assert_eq(settled.incomplete, 2);
	cr_assert_eq(settled.evicted, 0);
	cr_assert_eq(decoder_settled(r->decoder).incomplete, 0, "told once");
	r->frames -= 2;
	cr_assert_eq(rig_piece(r, &w, (struct piece){ 160, w.len, true }), PACKET_HELD);
	rig_free(r);
}

/* A reused identification must not be joined with what is left of the last one. */
Test(fragment, age_is_seen_without_expire_too_and_a_clock_that_jumps_back_frees)
{
	struct rig *r = rig_new(0);
	struct whole w = whole_make(false, 3, 200);

	cr_assert_eq(rig_piece(r, &w, (struct piece){ 0, 80, false }), PACKET_HELD);
	r->now_ns += 31 * NS_PER_S;
	cr_assert_eq(rig_piece(r, &w, (struct piece){ 80, w.len, true }), PACKET_HELD);
	r->now_ns -= 3600 * NS_PER_S;
	cr_assert_eq(rig_piece(r, &w, (struct piece){ 0, 80, false }), PACKET_HELD);
	r->now_ns += 3600 * NS_PER_S;
	decoder_expire(r->decoder, r->now_ns);
	cr_assert_eq(decoder_stats(r->decoder).used, 0);
	rig_free(r);
}

Test(fragment, a_flood_is_bounded_counts_what_it_pushes_out_and_frees_all_of_it)
{
	for (unsigned kind = 0; kind < 3; kind++) {
		struct rig *r = rig_new(DECODER_BYTES_MIN);
		struct whole w = whole_make(kind == 1, 0, 3000);
		uint64_t capacity = decoder_stats(r->decoder).capacity;
		size_t len = kind == 2 ? 2400 : 8;
		cr_assert_gt(capacity, 100);
		cr_assert_lt(capacity * 1024, DECODER_BYTES_MIN);
		for (uint32_t i = 0; i < 20000; i++) {
			w.id = i;
			cr_assert_eq(
				rig_piece(r, &w, (struct piece){ 0, len, false }), PACKET_HELD);
			struct decoder_stats stats = decoder_stats(r->decoder);
			cr_assert_leq(stats.used, capacity);
			cr_assert_eq(stats.used + stats.evicted, i + 1);
		}
		/* and then there is room for one that is honest */
		w = whole_make(kind == 1, 70000, 3000);
		w.id &= 0xffff;
		cr_assert_eq(rig_piece(r, &w, (struct piece){ 0, 1480, false }), PACKET_HELD);
		cr_assert_eq(
			rig_piece(r, &w, (struct piece){ 1480, 2960, false }), PACKET_HELD);
		cr_assert_eq(rig_piece(r, &w, (struct piece){ 2960, w.len, true }), PACKET_DNS);
		rig_free(r);
	}
}

/* One datagram that never ends takes the memory of one. */
Test(fragment, a_datagram_that_never_ends_takes_bounded_memory)
{
	struct rig *r = rig_new(DECODER_BYTES_MIN);
	struct whole w = whole_make(false, 1, 1000), other = whole_make(false, 2, 200);

	cr_assert_eq(rig_piece(r, &other, (struct piece){ 0, 80, false }), PACKET_HELD);
	for (unsigned round = 0; round < 3; round++) {
		for (size_t offset = 0; offset < 65528; offset += 16) {
			uint8_t frame[FRAMES_BYTES_MAX];
			size_t len = piece_build(frame, &w, (struct piece){ 0, 8, false });
			frame[14 + 6] = (uint8_t)(0x20 | (offset / 8) >> 8);
			frame[14 + 7] = (uint8_t)(offset / 8);
			cr_assert_eq(rig_frame(r, frame, len),
				round ? PACKET_REJECT_DUPLICATE : PACKET_HELD);
		}
	}
	cr_assert_eq(decoder_stats(r->decoder).used, 2);
	cr_assert_eq(rig_piece(r, &other, (struct piece){ 80, other.len, true }), PACKET_DNS);
	rig_free(r);
}

/* Against a naive one: random pieces of random datagrams, byte for byte. */
Test(fragment, random_sequences_keep_the_books_and_never_give_a_byte_that_was_not_sent)
{
	unsigned seed = 12345;

	for (unsigned round = 0; round < 40; round++) {
		struct rig *r = rig_new(DECODER_BYTES_MIN);
		for (unsigned i = 0; i < 500; i++) {
			uint32_t id = (uint32_t)rand_r(&seed) % 8;
			struct whole w = whole_make(id & 1, id, 40 + id * 31);
			size_t units = (w.len + 7) / 8;
			size_t from = (size_t)rand_r(&seed) % units;
			size_t to = from + 1 + (size_t)rand_r(&seed) % (units - from);
			bool last = to == units;
			enum packet_result result = rig_piece(
				r, &w, (struct piece){ from * 8, last ? w.len : to * 8, last });
			r->now_ns += NS_PER_S / 50;
			if (result != PACKET_DNS)
				continue;
			cr_assert_eq(r->p.payload_len, w.len - 8);
			cr_assert_eq(memcmp(r->p.payload, w.bytes + 8, w.len - 8), 0);
		}
		cr_assert_gt(r->results[PACKET_DNS], 20);
		rig_free(r);
	}
}
