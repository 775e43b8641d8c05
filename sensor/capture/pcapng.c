/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/capture/pcapng.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/clock.h"

enum {
	BLOCK_SECTION = 0x0a0d0d0a, /* the same in either byte order */
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 2, /* obsolete */
	BLOCK_SIMPLE = 3,
	BLOCK_ENHANCED = 6,
};
#define SECTION_ORDER 0x1a2b3c4du

enum {
	OPTION_END = 0,
	OPTION_NAME = 2,
	OPTION_RESOLUTION = 9,
	OPTION_OFFSET = 14,
};

/* A block: type and length, what it is about, and the length again. */
#define BLOCK_HEAD    8
#define BLOCK_TAIL    4
#define BLOCK_MIN     (BLOCK_HEAD + BLOCK_TAIL)
#define SECTION_MIN   (BLOCK_MIN + 16)
#define INTERFACE_MIN (BLOCK_MIN + 8)
#define PACKET_MIN    (BLOCK_MIN + 20)
#define SIMPLE_MIN    (BLOCK_MIN + 4)

#define RESOLUTION_DEFAULT 6
#define RESOLUTION_BINARY  0x80 /* an exponent of 2, not of 10 */

struct pcapng_interface {
	int link;        /* as libpcap numbers it */
	uint16_t number; /* by its name */
	uint32_t snaplen;
	uint8_t resolution; /* if_tsresol */
	uint32_t unit_ns;   /* of times; 0: less than one, or no power of ten */
	int64_t offset_s;
};

struct block {
	const uint8_t *at;
	uint32_t type, len;
};

/* How far a step came. */
enum step {
	STEP_DONE,
	STEP_MORE, /* the block is not whole */
	STEP_BAD,  /* *why says what is wrong */
};

static enum step bad(struct err_ctx *why, const char *what)
{
	err_set(why, ERR_INPUT, "%s: the file is damaged", what);
	return STEP_BAD;
}

/* --- numbers in the section's byte order ----------------------------------------------------------- */

static inline uint16_t get16(const struct pcapng *p, const uint8_t *at)
{
	uint16_t number;

	memcpy(&number, at, sizeof(number));
	return p->swapped ? __builtin_bswap16(number) : number;
}

static inline uint32_t get32(const struct pcapng *p, const uint8_t *at)
{
	uint32_t number;

	memcpy(&number, at, sizeof(number));
	return p->swapped ? __builtin_bswap32(number) : number;
}

static inline uint64_t get64(const struct pcapng *p, const uint8_t *at)
{
	uint64_t number;

	memcpy(&number, at, sizeof(number));
	return p->swapped ? __builtin_bswap64(number) : number;
}

/* --- sections and interfaces -------------------------------------------------------------------------- */

bool pcapng_is_start(const uint8_t *first, size_t first_len)
{
	return first_len >= 4 && memcmp(first, "\x0a\x0d\x0d\x0a", 4) == 0;
}

static enum step take_section(struct pcapng *p, const struct block *b, struct err_ctx *why)
{
	if (get16(p, b->at + BLOCK_HEAD + 4) != 1)
		return bad(why, "a section of another version than 1");
	p->interface_count = 0;
	return STEP_DONE;
}

/* The file's numbers of link types are not all libpcap's; libpcap tells its own. */
static int link_of(uint16_t file_link)
{
	struct {
		uint32_t magic;
		uint16_t major, minor;
		uint32_t zone, digits, snaplen, link;
	} header = { 0xa1b2c3d4, 2, 4, 0, 0, 65535, file_link };
	char text[PCAP_ERRBUF_SIZE];
	FILE *stream = fmemopen(&header, sizeof(header), "rb");
	pcap_t *pcap = stream ? pcap_fopen_offline(stream, text) : NULL;
	int link = pcap ? pcap_datalink(pcap) : -1;

	if (pcap)
		pcap_close(pcap); /* closes the stream */
	else if (stream)
		fclose(stream);
	return link;
}

static bool make_room(struct pcapng *p)
{
	size_t room = p->interface_room ? 2 * p->interface_room : 8;

	if (p->interface_count < p->interface_room)
		return true;
	struct pcapng_interface *more = realloc(p->interface, room * sizeof(*more));
	if (!more)
		return false;
	p->interface = more;
	p->interface_room = room;
	return true;
}

/* The number of the interface with this name, which may end with NULs. */
static uint16_t number_of(const struct pcapng *p, const uint8_t *name, size_t name_len)
{
	const struct source_interfaces *names = p->names;

	while (name_len > 0 && name[name_len - 1] == '\0')
		name_len--;
	for (size_t i = 0; names && i < names->count; i++) {
		if (strlen(names->name[i]) == name_len &&
			memcmp(names->name[i], name, name_len) == 0)
			return (uint16_t)i;
	}
	return source_interface_otherwise(names);
}

static enum step take_options(const struct pcapng *p, struct pcapng_interface *i,
	const uint8_t *at, size_t left, struct err_ctx *why)
{
	while (left >= 4) {
		uint16_t code = get16(p, at);
		size_t len = get16(p, at + 2), padded = (len + 3) & ~(size_t)3;
		if (code == OPTION_END)
			break;
		if (padded > left - 4)
			return bad(why, "an option of an interface is longer than its block");
		if (code == OPTION_NAME)
			i->number = number_of(p, at + 4, len);
		if (code == OPTION_RESOLUTION && len == 1)
			i->resolution = at[4];
		if (code == OPTION_OFFSET && len == 8)
			i->offset_s = (int64_t)get64(p, at + 4);
		at += 4 + padded;
		left -= 4 + padded;
	}
	return STEP_DONE;
}

static uint64_t power_of_ten(unsigned exponent)
{
	uint64_t power = 1;

	while (exponent-- > 0)
		power *= 10;
	return power;
}

static enum step take_interface(struct pcapng *p, const struct block *b, struct err_ctx *why)
{
	if (p->interface_count == PCAPNG_INTERFACES_MAX)
		return bad(why, "a section with more interfaces than there may be");
	if (!make_room(p)) {
		err_set(why, ERR_FAILED, "out of memory");
		return STEP_BAD;
	}
	struct pcapng_interface i = {
		.link = link_of(get16(p, b->at + BLOCK_HEAD)),
		.snaplen = get32(p, b->at + BLOCK_HEAD + 4),
		.number = source_interface_otherwise(p->names),
		.resolution = RESOLUTION_DEFAULT,
	};
	enum step step =
		take_options(p, &i, b->at + BLOCK_HEAD + 8, b->len - INTERFACE_MIN, why);
	i.unit_ns = i.resolution <= 9 ? (uint32_t)power_of_ten(9u - i.resolution) : 0;
	if (step == STEP_DONE)
		p->interface[p->interface_count++] = i;
	return step;
}

/* --- packets ------------------------------------------------------------------------------------------- */

/* Since 1970, and before 2262. */
static int64_t time_of(const struct pcapng_interface *i, uint64_t units)
{
	const __int128 latest = (INT64_MAX / NS_PER_S - 1) * NS_PER_S;
	unsigned exponent = i->resolution & (RESOLUTION_BINARY - 1);
	__int128 ns;

	if (LIKELY(i->unit_ns > 0))
		ns = (__int128)units * i->unit_ns;
	else if (i->resolution & RESOLUTION_BINARY)
		ns = (__int128)units * NS_PER_S >> exponent;
	else /* more digits than a number of units has: 0 */
		ns = exponent - 9 < 20 ? units / power_of_ten(exponent - 9) : 0;
	ns += (__int128)i->offset_s * NS_PER_S;
	return (int64_t)(ns < 0 ? 0 : ns > latest ? latest : ns);
}

/* What a packet's block says of it. */
struct packet_block {
	uint32_t interface, caplen, wire_len;
	uint64_t units;
	const uint8_t *bytes;
	size_t room; /* for them */
	bool has_time;
};

static inline struct packet_block packet_of(const struct pcapng *p, const struct block *b)
{
	const uint8_t *body = b->at + BLOCK_HEAD;

	if (UNLIKELY(b->type == BLOCK_SIMPLE))
		return (struct packet_block){
			.wire_len = get32(p, body),
			.caplen = get32(p, body),
			.bytes = body + 4,
			.room = b->len - SIMPLE_MIN,
		};
	return (struct packet_block){
		.interface = b->type == BLOCK_ENHANCED ? get32(p, body) : get16(p, body),
		.units = (uint64_t)get32(p, body + 4) << 32 | get32(p, body + 8),
		.caplen = get32(p, body + 12),
		.wire_len = get32(p, body + 16),
		.bytes = body + 20,
		.room = b->len - PACKET_MIN,
		.has_time = true,
	};
}

static inline enum step take_packet(
	const struct pcapng *p, const struct block *b, struct frame *frame, struct err_ctx *why)
{
	struct packet_block k = packet_of(p, b);

	if (UNLIKELY(k.interface >= p->interface_count))
		return bad(why, "a packet of an interface that is not described");
	const struct pcapng_interface *i = &p->interface[k.interface];
	if (UNLIKELY(!k.has_time && i->snaplen > 0 && k.caplen > i->snaplen))
		k.caplen = i->snaplen;
	if (UNLIKELY(k.caplen > k.room || k.caplen > LIBPCAP_FRAME_MAX))
		return bad(why, "a packet is longer than its block, or than any packet");
	*frame = (struct frame){
		.bytes = k.bytes,
		.caplen = k.caplen,
		/* some captures claim fewer bytes on the wire than they hold */
		.wire_len = k.wire_len > k.caplen ? k.wire_len : k.caplen,
		.ts_ns = k.has_time ? time_of(i, k.units) : 0,
		.link = (uint16_t)i->link,
		.interface = i->number,
	};
	return STEP_DONE;
}

/* --- blocks --------------------------------------------------------------------------------------------- */

/* The least that a block of this kind has; 0: it is passed over. */
static inline uint32_t least_of(uint32_t type)
{
	switch (type) {
	case BLOCK_ENHANCED:
	case BLOCK_PACKET:
		return PACKET_MIN;
	case BLOCK_SIMPLE:
		return SIMPLE_MIN;
	case BLOCK_INTERFACE:
		return INTERFACE_MIN;
	case BLOCK_SECTION:
		return SECTION_MIN;
	default:
		return 0;
	}
}

/* The byte order of the section that begins here. */
static enum step take_order(struct pcapng *p, const uint8_t *at, struct err_ctx *why)
{
	p->swapped = false;
	if (get32(p, at + BLOCK_HEAD) == SECTION_ORDER)
		return STEP_DONE;
	p->swapped = true;
	if (get32(p, at + BLOCK_HEAD) == SECTION_ORDER)
		return STEP_DONE;
	return bad(why, "a section that does not tell its byte order");
}

/* Of what is passed over, what is there. */
static void pass_over(struct pcapng *p)
{
	size_t have = readbuf_len(&p->in);
	size_t passed = p->left < have ? (size_t)p->left : have;

	p->in.start += passed;
	p->left -= passed;
}

/* The next block that is looked into. It is not stepped past. */
static inline enum step look(struct pcapng *p, struct block *b, struct err_ctx *why)
{
	for (;;) {
		if (UNLIKELY(p->left > 0))
			pass_over(p);
		size_t have = readbuf_len(&p->in);
		p->wanted = BLOCK_MIN;
		if (have < BLOCK_MIN)
			return STEP_MORE;
		b->at = readbuf_at(&p->in);
		if (UNLIKELY(pcapng_is_start(b->at, have)) &&
			take_order(p, b->at, why) != STEP_DONE)
			return STEP_BAD;
		b->type = get32(p, b->at);
		b->len = get32(p, b->at + 4);
		uint32_t least = least_of(b->type);
		if (UNLIKELY(b->len < BLOCK_MIN || b->len < least || b->len % 4 != 0))
			return bad(why, "a block of a length that cannot be");
		if (UNLIKELY(least == 0)) {
			p->left = b->len;
			continue;
		}
		if (UNLIKELY(b->len > READBUF_RECORD_MAX))
			return bad(why, "a block is longer than any packet");
		p->wanted = b->len;
		if (have < b->len)
			return STEP_MORE;
		if (UNLIKELY(get32(p, b->at + b->len - BLOCK_TAIL) != b->len))
			return bad(why, "the two lengths of a block differ");
		return STEP_DONE;
	}
}

static bool is_packet(const struct block *b)
{
	return b->type != BLOCK_SECTION && b->type != BLOCK_INTERFACE;
}

/* A block that is no packet. */
static enum step take_description(struct pcapng *p, const struct block *b, struct err_ctx *why)
{
	return b->type == BLOCK_SECTION ? take_section(p, b, why) : take_interface(p, b, why);
}

/* Packets up to a batch; anything else on the way. */
static enum step take_packets(struct pcapng *p, struct frame batch[SOURCE_BATCH_MAX],
	size_t *count, struct err_ctx *why)
{
	enum step step = STEP_DONE;
	struct block b;

	while (*count < SOURCE_BATCH_MAX && (step = look(p, &b, why)) == STEP_DONE) {
		bool packet = is_packet(&b);
		step = packet ? take_packet(p, &b, &batch[*count], why)
			      : take_description(p, &b, why);
		if (UNLIKELY(step == STEP_BAD))
			break;
		*count += packet;
		p->in.start += b.len;
	}
	return step;
}

static enum source_status finish(const struct pcapng *p, struct err_ctx *why)
{
	if (p->left == 0 || p->in.failed)
		return readbuf_finish(&p->in, p->wanted, why);
	err_set(why, ERR_INPUT, "truncated dump file; %llu bytes of a block are missing",
		(unsigned long long)p->left);
	return SOURCE_ERROR;
}

enum source_status pcapng_next(struct pcapng *p, struct frame batch[SOURCE_BATCH_MAX],
	size_t *count, struct err_ctx *why)
{
	for (;;) {
		enum step step = take_packets(p, batch, count, why);
		/* Those delivered lie where reading on would write; damage comes again. */
		if (*count > 0)
			return SOURCE_OK;
		if (step == STEP_BAD)
			return SOURCE_ERROR;
		if (!readbuf_more(&p->in))
			return finish(p, why);
	}
}

/* --- opening ----------------------------------------------------------------------------------------------- */

/* Is there an interface that can be decoded? */
static bool has_good_link(const struct pcapng *p)
{
	for (size_t i = 0; i < p->interface_count; i++) {
		if (packet_link_supported(p->interface[i].link))
			return true;
	}
	return false;
}

/* Up to a packet, or the next section. */
static enum step take_descriptions(struct pcapng *p, struct err_ctx *why)
{
	enum step step;
	struct block b;

	while ((step = look(p, &b, why)) == STEP_DONE) {
		if (is_packet(&b) || (b.type == BLOCK_SECTION && p->interface_count > 0))
			break;
		step = take_description(p, &b, why);
		if (step == STEP_BAD)
			break;
		p->in.start += b.len;
	}
	return step;
}

enum err pcapng_init(struct pcapng *p, const uint8_t *first, size_t first_len,
	readbuf_read_fn *read, void *arg, const struct source_interfaces *interfaces,
	struct err_ctx *why)
{
	enum step step;

	*p = (struct pcapng){ .names = interfaces };
	if (!readbuf_init(&p->in, read, arg, first, first_len))
		return err_set(why, ERR_FAILED, "out of memory");
	do
		step = take_descriptions(p, why);
	while (step == STEP_MORE && !has_good_link(p) && readbuf_more(&p->in));
	/* Damage comes again when it is read, and more of a pipe may come much later. */
	if (has_good_link(p))
		return ERR_OK;
	if (step == STEP_MORE && finish(p, why) == SOURCE_ERROR)
		return ERR_INPUT;
	if (p->interface_count > 0)
		return libpcap_check_link(p->interface[0].link, why);
	if (step == STEP_BAD)
		return ERR_INPUT;
	return err_set(why, ERR_INPUT, "no interface is described: there can be no packets");
}

void pcapng_deinit(struct pcapng *p)
{
	readbuf_deinit(&p->in);
	free(p->interface);
	*p = (struct pcapng){ .left = 0 };
}
