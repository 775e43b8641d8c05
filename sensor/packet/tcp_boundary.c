/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/packet/tcp_boundary.h"

#include "sensor/base/cursor.h"

#define NAME_MAX_LEN     255
#define LABEL_MAX_LEN    63
#define ENOUGH_MESSAGES  8  /* in a row: what follows need not be read */
#define QUESTION_MIN_LEN 5  /* the root, type, class */
#define RECORD_MIN_LEN   11 /* the root, type, class, TTL, length */

struct header {
	uint16_t flags;
	uint16_t question_count;
	uint32_t record_count; /* of the three other sections together */
	bool response;
	uint8_t opcode;
	uint8_t rcode;
};

static struct header header_read(const uint8_t *bytes)
{
	struct cursor c = cursor_init(bytes, TCP_DNS_HEADER_LEN);
	struct header h = { 0 };

	cursor_take(&c, 2); /* the id may be anything */
	h.flags = cursor_be16(&c);
	h.question_count = cursor_be16(&c);
	for (int i = 0; i < 3; i++)
		h.record_count += cursor_be16(&c);
	h.response = h.flags >> 15;
	h.opcode = h.flags >> 11 & 15;
	h.rcode = h.flags & 15;
	return h;
}

/* QUERY, IQUERY, STATUS, NOTIFY, UPDATE, DSO; 3 and those above 6 are not assigned. */
static bool opcode_is_assigned(uint8_t opcode)
{
	return opcode <= 6 && opcode != 3;
}

static bool counts_fit(const struct header *h, size_t message_len)
{
	uint64_t least = TCP_DNS_HEADER_LEN + (uint64_t)h->question_count * QUESTION_MIN_LEN +
			 (uint64_t)h->record_count * RECORD_MIN_LEN;
	return least <= message_len;
}

bool tcp_boundary_header(const uint8_t *header, size_t message_len)
{
	struct header h = header_read(header);
	return message_len >= TCP_DNS_HEADER_LEN && opcode_is_assigned(h.opcode) &&
	       counts_fit(&h, message_len);
}

/* What programs send in earnest, where tcp_boundary_header allows what a message may be. */
static bool header_is_strict(const struct header *h, size_t message_len)
{
	bool notify = h->opcode == 4;
	uint16_t not_in_query = notify ? 0x028f : 0x068f; /* AA but for NOTIFY, TC, RA, rcode */

	if (message_len < TCP_DNS_HEADER_LEN || !counts_fit(h, message_len))
		return false;
	if (!opcode_is_assigned(h->opcode) || h->opcode == 1 || h->opcode == 2)
		return false;
	if (h->flags & 0x0040 || h->question_count > 1) /* Z is reserved */
		return false;
	return h->response ? h->rcode <= 11 : !(h->flags & not_in_query);
}

/* Step over a name; a pointer is none in the first question, for there is nothing before it. */
static void name_skip(struct cursor *c, bool pointer_allowed)
{
	size_t name_len = 0;
	for (;;) {
		uint8_t label_len = cursor_u8(c);
		if (c->failed || label_len == 0)
			return;
		if (label_len >= 0xc0 && pointer_allowed) {
			cursor_u8(c);
			return;
		}
		name_len += label_len + 1u;
		if (label_len > LABEL_MAX_LEN || name_len >= NAME_MAX_LEN)
			c->failed = true;
		cursor_take(c, label_len);
	}
}

static bool class_is_used(uint16_t class)
{
	return class == 1 || class == 3 || class == 4 || class == 254 || class == 255;
}

static bool question_reads_well(struct cursor *c)
{
	name_skip(c, false);
	uint16_t type = cursor_be16(c);
	uint16_t class = cursor_be16(c);
	return !c->failed && type != 0 && class_is_used(class);
}

static bool record_reads_well(struct cursor *c, size_t message_len)
{
	name_skip(c, true);
	uint16_t type = cursor_be16(c);
	uint16_t class = cursor_be16(c);
	uint32_t ttl = cursor_be32(c);
	uint16_t rdata_len = cursor_be16(c);
	return !c->failed && type != 0 && class_is_used(class) && ttl <= INT32_MAX &&
	       rdata_len <= message_len;
}

/* Does what follows the header read well, as far as it is there? */
static bool body_reads_well(const struct header *h, const uint8_t *message, size_t present_len,
	size_t message_len, enum tcp_place place)
{
	size_t len = present_len < message_len ? present_len : message_len;
	struct cursor c = cursor_init(message, len);

	cursor_take(&c, TCP_DNS_HEADER_LEN);
	if (h->question_count == 1)
		return question_reads_well(&c);
	return place == TCP_PLACE_START && h->record_count > 0 &&
	       record_reads_well(&c, message_len);
}

bool tcp_boundary_proven(const uint8_t *bytes, size_t bytes_len, enum tcp_place place)
{
	struct cursor c = cursor_init(bytes, bytes_len);

	for (int messages = 0; messages < ENOUGH_MESSAGES; messages++) {
		bool first = messages == 0;
		size_t left = cursor_left(&c);
		if (left == 0)
			return !first;
		if (left < TCP_JUDGE_LEN) {
			uint16_t next_len = cursor_be16(&c);
			return !first && (left < 2 || next_len >= TCP_DNS_HEADER_LEN);
		}
		size_t message_len = cursor_be16(&c);
		struct header h = header_read(c.pos);
		if (!header_is_strict(&h, message_len))
			return false;
		bool cut = message_len > left - TCP_LENGTH_LEN;
		if (first && (cut || place == TCP_PLACE_INSIDE) &&
			!body_reads_well(&h, c.pos, left - TCP_LENGTH_LEN, message_len, place))
			return false;
		if (cut)
			return true;
		cursor_take(&c, message_len);
	}
	return true;
}
