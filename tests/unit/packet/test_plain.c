/* SPDX-License-Identifier: BSD-2-Clause */
/* The short way against the layers, and the sum in vectors against the one in words. */
#include <criterion/criterion.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "sensor/base/hash.h"
#include "sensor/packet/checksum.h"
#include "sensor/packet/layer.h"
#include "sensor/packet/plain.h"
#include "tests/support/guard.h"
#include "tests/unit/packet/decoded.h"

static struct guard guard;

/* What both make of a frame is the same, if the short way makes anything of it; does it? */
static bool decode_both(const uint8_t *bytes, size_t caplen, size_t wire_len)
{
	struct decoder *decoder = decoded_by();
	const struct frame frame = {
		.bytes = guard_place(&guard, bytes, caplen),
		.caplen = (uint32_t)caplen,
		.wire_len = (uint32_t)wire_len,
		.link = PACKET_LINK_ETHERNET,
	};
	struct packet plain, layered, decoded;
	enum packet_rest rest;

	memset(&plain, 0xa5, sizeof(plain));
	if (!plain_begin(&plain, &rest, &frame, &decoder->options->ports))
		return false;
	plain_finish(&plain, rest, decoder->key);
	cr_assert_eq(layers_decode(&layered, &frame, decoder), PACKET_DNS);
	cr_assert_eq(memcmp(&plain, &layered, sizeof(plain)), 0);
	cr_assert_eq(packet_decode(&decoded, &frame, decoder), PACKET_DNS);
	cr_assert_eq(memcmp(&plain, &decoded, sizeof(plain)), 0);
	return true;
}

/* Frames that the short way is for, and others that are nearly so. */
static const struct {
	const char *name;
	struct frame_spec spec;
	bool plain;
} rows[] = {
	{ "IPv4", QUERY_SPEC(.tag_count = 0), true },
	{ "IPv6", QUERY_SPEC(.v6 = true), true },
	{ "IPv4 in a VLAN", QUERY_SPEC(.tag_count = 1, .tag = { { 0x8100, 5 } }), true },
	{ "IPv6 in a VLAN", QUERY_SPEC(.v6 = true, .tag_count = 1, .tag = { { 0x8100, 5 } }),
		true },
	{ "padding behind it", QUERY_SPEC(.padding_len = 20), true },
	{ "two tags", QUERY_SPEC(.tag_count = 2, .tag = { { 0x8100, 5 }, { 0x8100, 6 } }),
		false },
	{ "another tag", QUERY_SPEC(.tag_count = 1, .tag = { { 0x88a8, 5 } }), false },
	{ "SNAP", QUERY_SPEC(.snap = true), false },
	{ "IPv4 options", QUERY_SPEC(.options_len = 40), false },
	{ "TCP", QUERY_SPEC(.protocol = 6, .tcp_header_words = 5), false },
	{ "a later fragment", QUERY_SPEC(.fragment_offset = 3), false },
	{ "a first fragment", QUERY_SPEC(.more_fragments = true), false },
	{ "no length", QUERY_SPEC(.ip_len_zero = true), false },
	{ "an extension header",
		QUERY_SPEC(.v6 = true, .extension_count = 1, .extension = { 60 }), false },
};

Test(plain, usual_frames_are_recognised_and_come_out_as_from_the_layers)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t bytes[FRAMES_BYTES_MAX];
		struct frame_spec spec = rows[i].spec;
		spec.link = PACKET_LINK_ETHERNET;
		size_t len = frames_build(bytes, &spec);
		cr_assert_eq(decode_both(bytes, len, len), rows[i].plain, "%s", rows[i].name);
		cr_assert_eq(decode_both(bytes, len, len + 100), rows[i].plain,
			"%s, cut behind the message", rows[i].name);
	}
}

Test(plain, every_prefix_and_every_value_of_every_byte_comes_out_as_from_the_layers)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t bytes[FRAMES_BYTES_MAX];
		struct frame_spec spec = rows[i].spec;
		spec.link = PACKET_LINK_ETHERNET;
		size_t len = frames_build(bytes, &spec);
		for (size_t caplen = 0; caplen < len; caplen++)
			decode_both(bytes, caplen, len);
		for (size_t at = 0; at < len; at++) {
			uint8_t saved = bytes[at];
			for (unsigned value = 0; value < 256; value++) {
				bytes[at] = (uint8_t)value;
				decode_both(bytes, len, len);
			}
			bytes[at] = saved;
		}
	}
}

/* Odd and even, of one step and of many; with a right checksum, a wrong one and none. */
Test(plain, every_length_of_a_payload_comes_out_as_from_the_layers)
{
	uint8_t bytes[FRAMES_BYTES_MAX], payload[300];

	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)hash_word(i, 1);
	for (size_t len = 1; len <= sizeof(payload); len++) {
		for (int way = 0; way < 6; way++) {
			const struct frame_spec spec = QUERY_SPEC(.link = PACKET_LINK_ETHERNET,
				.payload = payload, .payload_len = len, .v6 = way % 2,
				.checksum_wrong = way / 2 == 1, .checksum_none = way / 2 == 2);
			size_t frame_len = frames_build(bytes, &spec);
			cr_assert_eq(decode_both(bytes, frame_len, frame_len),
				len >= 16 && !(spec.v6 && spec.checksum_none), "%zu, %d", len,
				way);
		}
	}
}

/* --- checksums ------------------------------------------------------------------------------- */

enum fill {
	FILL_ZEROS,
	FILL_ONES,
	FILL_SIGNS, /* 2^15 in words of either byte order */
	FILL_ANY,
	FILL_COUNT,
};

static void fill_bytes(uint8_t *bytes, size_t len, enum fill fill)
{
	static const uint8_t values[] = { 0, 0xff, 0x80 };

	for (size_t i = 0; i < len; i++)
		bytes[i] = fill == FILL_ANY ? (uint8_t)hash_word(len, i) : values[fill];
}

/* In steps, as plain.c takes them, and in words. `before` bytes of others stand before it. */
static void expect_same_sum(enum fill fill, size_t before, size_t len)
{
	static uint8_t bytes[CHECKSUM_STEP + 66000];

	fill_bytes(bytes, before + len, fill);
	const uint8_t *first = guard_place(&guard, bytes, before + len) + before;
	const uint8_t *at = first + (len - 1) % CHECKSUM_STEP + 1;
	uint64_t sum = checksum_step_back(at, (size_t)(at - first));

	for (; at != first + len; at += CHECKSUM_STEP)
		sum = checksum_step(sum, at);
	sum = checksum_fold(sum) << len % 2 * 8;
	cr_assert_eq(sum % 0xffff, checksum_sum(first, len) % 0xffff,
		"%zu bytes, filled with %d", len, (int)fill);
}

Test(checksum, both_ways_give_the_same_sum_of_every_length)
{
	for (int fill = 0; fill < FILL_COUNT; fill++) {
		for (size_t len = 8; len < 300; len++)
			expect_same_sum((enum fill)fill,
				len < CHECKSUM_STEP ? CHECKSUM_STEP - len : 0, len);
		for (size_t len = 65900; len <= 66000; len++)
			expect_same_sum((enum fill)fill, 0, len);
	}
}

/* RFC 1071, section 3: the words add up to 2ddf0, hence ddf2. */
Test(checksum, the_sum_is_that_of_16_bit_words)
{
	static const uint8_t example[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };
	const uint8_t right[] = { 0x22, 0x0d };
	uint16_t word;

	memcpy(&word, right, sizeof(word));
	cr_assert(checksum_is_right(checksum_sum(example, sizeof(example)) + word));
	cr_assert_not(checksum_is_right(checksum_sum(example, sizeof(example)) + word + 1));
}
