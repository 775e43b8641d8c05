/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_packet -- packet_decode: two bytes of link type, the rest is the frame. */
#include <stdlib.h>
#include <string.h>

#include "sensor/packet/layer.h"
#include "sensor/packet/plain.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t bytes_len);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* What decoding promises, whatever the bytes. */
static void expect_promises(const struct packet *p, enum packet_result result,
	const struct frame *frame, const struct packet_options *options)
{
	expect(result < PACKET_RESULT_COUNT);
	expect(p->vlan_count <= PACKET_VLANS_MAX);
	bool cut_segment = result == PACKET_REJECT_SNAPLEN && p->tcp_len > 0;
	expect((p->payload != NULL) == (result == PACKET_DNS || cut_segment));
	if (!p->payload)
		return;
	expect(port_set_has(&options->ports, p->sport) ||
		port_set_has(&options->ports, p->dport));
	expect((p->payload_len > 0 || cut_segment) && p->payload_len <= frame->caplen);
	if (p->held > 0) /* put together, the decoder's */
		return;
	expect(p->payload >= frame->bytes);
	expect(p->payload + p->payload_len <= frame->bytes + frame->caplen);
}

/* What the short way recognises, the layers make the same of. */
static void expect_same(const struct frame *frame, struct decoder *decoder)
{
	struct packet plain, layered;
	enum packet_rest rest;

	memset(&plain, 0xa5, sizeof(plain));
	if (!plain_begin(&plain, &rest, frame, &decoder->options->ports))
		return;
	plain_finish(&plain, rest, decoder->key);
	expect(layers_decode(&layered, frame, decoder) == PACKET_DNS);
	expect(memcmp(&plain, &layered, sizeof(plain)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t bytes_len)
{
	static struct packet_options options;
	static struct decoder *decoder;
	struct packet p;

	if (!decoder) {
		packet_options_init(&options);
		port_set_add(&options.ports, 53);
		decoder = decoder_new(&options, DECODER_BYTES_MIN);
	}
	if (bytes_len < 2)
		return 0;
	struct frame frame = {
		.link = (uint16_t)(bytes[0] << 8 | bytes[1]),
		.bytes = bytes + 2,
		.caplen = (uint32_t)(bytes_len - 2),
	};
	/* as it is, cut by a snapshot length, and with a wire length that lies */
	static const int wire_add[] = { 0, 1, 2000, -20 };
	for (size_t i = 0; i < ARRAY_LEN(wire_add); i++) {
		frame.wire_len = frame.caplen + (uint32_t)wire_add[i];
		enum packet_result result = packet_decode(&p, &frame, decoder);
		expect_promises(&p, result, &frame, &options);
		expect_same(&frame, decoder);
	}
	decoder_flush(decoder);
	return 0;
}
