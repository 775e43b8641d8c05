/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 802.11 data frames (IEEE 802.11-2020 9.3.2) and what capturing drivers put in front of them.
 * All numbers are little endian. Formats: https://www.radiotap.org/,
 * https://www.tcpdump.org/linktypes.html (AVS, Prism, PPI)
 */
#include "sensor/packet/layer.h"

enum frame_control {
	FRAME_VERSION = 0x0003,
	FRAME_TYPE = 0x000c,
	FRAME_TYPE_DATA = 0x0008,
	FRAME_NO_DATA = 0x0040, /* subtype: null function, nothing behind the header */
	FRAME_QOS = 0x0080,     /* subtype: with a QoS control field */
	FRAME_TO_DS = 0x0100,
	FRAME_FROM_DS = 0x0200,
	FRAME_MORE_FRAGMENTS = 0x0400,
	FRAME_PROTECTED = 0x4000,
	FRAME_ORDER = 0x8000, /* with QoS: an HT control field */
};

#define WLAN_HEADER_LEN  24
#define WLAN_ADDRESS_LEN 6
#define QOS_AMSDU        0x0080 /* several frames in one */

static uint16_t cursor_le16(struct cursor *c)
{
	return __builtin_bswap16(cursor_be16(c));
}

static uint32_t cursor_le32(struct cursor *c)
{
	return __builtin_bswap32(cursor_be32(c));
}

/*
 * An A-MSDU (9.3.2.2): destination 6, source 6, length 2 in network order, LLC, padding to a
 * multiple of 4; again. A frame has one result: that of the first part that is DNS or a
 * fragment, or else of the first that is not just other traffic.
 */
static enum packet_result amsdu_decode(
	struct packet *out, struct cursor *c, struct layer *layer)
{
	enum packet_result first = PACKET_OTHER;
	const struct packet empty = *out;
	const struct layer outer = *layer;

	while (cursor_left(c) > 0) {
		struct cursor header = cursor_sub(c, 14);
		cursor_take(&header, 12);
		uint16_t len = cursor_be16(&header);
		if (header.failed)
			break; /* the last part's padding, or a checksum */
		struct cursor part = *c;
		*layer = outer;
		*out = empty;
		if (!layer_bound(&part, layer, len))
			return first == PACKET_OTHER ? PACKET_REJECT_LINK_TRUNCATED : first;
		enum packet_result result = llc_decode(out, &part, layer);
		if (result == PACKET_DNS || result == PACKET_HELD || out->held > 0)
			return result;
		if (first == PACKET_OTHER)
			first = result;
		cursor_take(c, len + (-(14u + len) & 3u));
	}
	return first;
}

/* padded: some drivers fill the header up to a multiple of 4, and say so. */
static enum packet_result data_decode(struct packet *out, struct cursor *c, struct layer *layer,
	uint16_t control, bool padded)
{
	struct cursor header = cursor_sub(c, WLAN_HEADER_LEN);
	cursor_take(&header, WLAN_HEADER_LEN - 2);
	uint16_t sequence = cursor_le16(&header);
	size_t header_len = WLAN_HEADER_LEN;
	uint16_t qos = 0;

	if ((control & FRAME_TO_DS) && (control & FRAME_FROM_DS)) {
		cursor_take(c, WLAN_ADDRESS_LEN);
		header_len += WLAN_ADDRESS_LEN;
	}
	if (control & FRAME_QOS) {
		qos = cursor_le16(c);
		header_len += 2;
	}
	if ((control & FRAME_QOS) && (control & FRAME_ORDER)) {
		cursor_take(c, 4);
		header_len += 4;
	}
	if (padded)
		cursor_take(c, -header_len & 3);
	if (header.failed || c->failed)
		return PACKET_REJECT_LINK_TRUNCATED;
	if (control & FRAME_PROTECTED)
		return PACKET_REJECT_WLAN_PROTECTED;
	if ((control & FRAME_MORE_FRAGMENTS) || (sequence & 0x000f))
		return PACKET_REJECT_LINK_UNSUPPORTED; /* 802.11's own fragments */
	return qos & QOS_AMSDU ? amsdu_decode(out, c, layer) : llc_decode(out, c, layer);
}

static enum packet_result frame_decode(
	struct packet *out, struct cursor *c, struct layer *layer, bool padded)
{
	struct cursor peek = *c;
	uint16_t control = cursor_le16(&peek);

	if (peek.failed)
		return PACKET_REJECT_LINK_TRUNCATED;
	if ((control & FRAME_VERSION) != 0 || (control & FRAME_TYPE) != FRAME_TYPE_DATA ||
		(control & FRAME_NO_DATA))
		return PACKET_OTHER;
	return data_decode(out, c, layer, control, padded);
}

enum packet_result wlan_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	return frame_decode(out, c, layer, false);
}

enum radiotap_present {
	RADIOTAP_TSFT = 1u << 0, /* 8 bytes at a multiple of 8 */
	RADIOTAP_FLAGS = 1u << 1,
	RADIOTAP_MORE = 1u << 31, /* one more word of these bits */
};
#define RADIOTAP_FLAG_PADDED 0x20

/* version 1, padding 1, length 2, words of presence bits 4 each, fields in order of the bits */
enum packet_result radiotap_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor peek = *c;
	bool padded = false;

	cursor_take(&peek, 2);
	uint16_t len = cursor_le16(&peek);
	struct cursor header = cursor_sub(c, len);
	if (peek.failed || header.failed)
		return PACKET_REJECT_LINK_TRUNCATED;
	cursor_take(&header, 4);
	uint32_t present = cursor_le32(&header);
	size_t fields_at = 8;
	for (uint32_t word = present; (word & RADIOTAP_MORE) && !header.failed; fields_at += 4)
		word = cursor_le32(&header);
	if (present & RADIOTAP_TSFT)
		cursor_take(&header, (-fields_at & 7) + 8);
	if (present & RADIOTAP_FLAGS)
		padded = cursor_u8(&header) & RADIOTAP_FLAG_PADDED;
	if (header.failed)
		return PACKET_REJECT_LINK_UNSUPPORTED; /* its length contradicts its fields */
	return frame_decode(out, c, layer, padded);
}

#define AVS_MAGIC        0x80211000
#define AVS_LEN_MIN      8
#define PRISM_HEADER_LEN 144

/* magic 4 and length 4, both in network order, ... */
enum packet_result avs_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor peek = *c;
	uint32_t magic = cursor_be32(&peek);
	uint32_t len = cursor_be32(&peek);

	if (peek.failed)
		return PACKET_REJECT_LINK_TRUNCATED;
	if ((magic & 0xfffff000) != AVS_MAGIC || len < AVS_LEN_MIN)
		return PACKET_REJECT_LINK_UNSUPPORTED;
	if (!cursor_take(c, len))
		return PACKET_REJECT_LINK_TRUNCATED;
	return wlan_decode(out, c, layer);
}

/* Some drivers write the AVS header under Prism's number. */
enum packet_result prism_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor peek = *c;

	if ((cursor_be32(&peek) & 0xfffff000) == AVS_MAGIC)
		return avs_decode(out, c, layer);
	if (!cursor_take(c, PRISM_HEADER_LEN))
		return PACKET_REJECT_LINK_TRUNCATED;
	return wlan_decode(out, c, layer);
}

#define PPI_HEADER_LEN 8

/* version 1, flags 1, length 2, link type 4, fields */
enum packet_result ppi_decode(struct packet *out, struct cursor *c, struct layer *layer)
{
	struct cursor peek = *c;
	cursor_take(&peek, 2);
	uint16_t len = cursor_le16(&peek);
	uint32_t link = cursor_le32(&peek);

	if (peek.failed)
		return PACKET_REJECT_LINK_TRUNCATED;
	if (len < PPI_HEADER_LEN || link > UINT16_MAX)
		return PACKET_REJECT_LINK_UNSUPPORTED;
	if (!cursor_take(c, len))
		return PACKET_REJECT_LINK_TRUNCATED;
	if (!tunnel_enter(out, layer))
		return PACKET_REJECT_TUNNEL_DEPTH;
	return link_decode(out, c, layer, (uint16_t)link);
}
