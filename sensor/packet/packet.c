/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/packet/packet.h"

#include "sensor/packet/layer.h"

static const struct {
	const char *name;
	const char *meaning;
} results[PACKET_RESULT_COUNT] = {
	[PACKET_DNS] = { "dns", "carries bytes to or from a DNS port" },
	[PACKET_OTHER] = { "other", "well-formed traffic that is not DNS" },
#define REJECT(id, name, meaning) [PACKET_REJECT_##id] = { name, meaning },
#include "sensor/packet/reject.def"
#undef REJECT
};

enum packet_result packet_decode(
	struct packet *out, const struct frame *frame, const struct port_set *ports)
{
	struct cursor c = cursor_init(frame->bytes, frame->caplen);
	struct layer layer = { .ports = ports };

	if (frame->wire_len > frame->caplen)
		layer.missing = frame->wire_len - frame->caplen;
	*out = (struct packet){ .vni = PACKET_NO_VNI };
	return link_decode(out, &c, &layer, frame->link);
}

const char *packet_result_name(enum packet_result result)
{
	return (unsigned)result < PACKET_RESULT_COUNT ? results[result].name : "unknown";
}

const char *packet_result_meaning(enum packet_result result)
{
	return (unsigned)result < PACKET_RESULT_COUNT ? results[result].meaning : "unknown";
}

bool packet_link_supported(int link)
{
	switch (link) {
	case PACKET_LINK_NULL:
	case PACKET_LINK_ETHERNET:
	case PACKET_LINK_RAW_DLT:
	case PACKET_LINK_RAW_OPENBSD:
	case PACKET_LINK_RAW:
	case PACKET_LINK_LOOP:
	case PACKET_LINK_LINUX_SLL:
	case PACKET_LINK_IPV4:
	case PACKET_LINK_IPV6:
	case PACKET_LINK_LINUX_SLL2:
		return true;
	default:
		return false;
	}
}
