/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/packet/decoded.h"

#include "tests/support/guard.h"

/* The last frame stays readable until the next: packet.payload points into it. */
static struct guard guard;

struct decoder *decoded_by(void)
{
	static struct packet_options options;
	static struct decoder *decoder;

	if (!decoder) {
		packet_options_init(&options);
		port_set_add(&options.ports, 53);
		decoder = decoder_new(&options, DECODER_BYTES_MIN);
	}
	return decoder;
}

enum packet_result decoded_bytes(
	struct packet *out, uint16_t link, const uint8_t *bytes, size_t caplen, size_t wire_len)
{
	struct frame frame = {
		.bytes = guard_place(&guard, bytes, caplen),
		.caplen = (uint32_t)caplen,
		.wire_len = (uint32_t)wire_len,
		.link = link,
	};

	return packet_decode(out, &frame, decoded_by());
}

enum packet_result decoded_spec(struct packet *out, const struct frame_spec *spec)
{
	uint8_t bytes[FRAMES_BYTES_MAX];
	size_t len = frames_build(bytes, spec);

	return decoded_bytes(out, spec->link, bytes, len, len);
}
