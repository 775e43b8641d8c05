/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/pipeline/observe.h"

#include <assert.h>
#include <netinet/in.h>
#include <string.h>

/* Listed names of further questions that are kept; whoever puts more there is told by these. */
#define QUESTIONS_KEPT_MAX 8

/* Addresses of nearly every answer. */
#define FEW_ADDRESSES 4

void observer_adopt(struct observer *o, const struct knowledge *known)
{
	o->known = known;
	tenant_cache_clear(o->tenants);
}

/* By the ports, or where they do not tell, by the message: a response comes from the server. */
OUT_OF_LINE static bool is_told_from_server(const struct observer *o, const struct frame *frame,
	const struct packet *p, const struct dns_message *m)
{
	bool from = port_set_has(o->ports, p->sport);
	bool to = port_set_has(o->ports, p->dport);

	return (from && to) || frame->decoded ? dns_is_response(m) : from;
}

/*
 * One of the two is a DNS port, and the other one nearly always lies above all of these: then the lower is
 * the server's. The ports of one message say little of the next one's, so they are compared and not
 * branched on: that would be guessed wrong every other time.
 */
static inline bool is_from_server(const struct observer *o, const struct frame *frame,
	const struct packet *p, const struct dns_message *m)
{
	uint16_t high = p->sport < p->dport ? p->dport : p->sport;

	if (UNLIKELY(high <= o->ports->highest || frame->decoded))
		return is_told_from_server(o, frame, p, m);
	return p->sport < p->dport;
}

static_assert(offsetof(struct packet, dst) == offsetof(struct packet, src) + sizeof(struct ip),
	"an array of two");

static inline const struct ip *end_of(const struct packet *p, bool destination)
{
	return (const struct ip *)((const char *)&p->src + destination * sizeof(struct ip));
}

static inline bool travels_whole(const struct dns_message *m)
{
	return (m->opcode == DNS_OPCODE_UPDATE) | m->has_tsig |
	       ((m->qtype == DNS_TYPE_TKEY) & dns_is_response(m));
}

static inline void prepare_names(
	const struct index *index, struct parties *who, const struct dns_message *m)
{
	who->whole = travels_whole(m);
	who->qname_hash = dns_name_hash(&m->qname, index_seed(index));
	index_prepare(index, &m->qname, &who->look);
	for (unsigned i = 0; i < m->expanded_count; i++)
		index_prepare(index, &m->expanded[i], &who->target_look[i]);
}

void observe_prepare_names(
	const struct observer *o, struct parties *who, const struct dns_message *m)
{
	prepare_names(o->known->index, who, m);
}

static inline struct tenant_link link_of(const struct frame *frame, const struct packet *p)
{
	return (struct tenant_link){ frame->interface, p->vlan_count, p->vlan, p->vni };
}

INLINE_BY_LINKER void observe_prepare(struct observer *o, struct parties *who,
	const struct frame *frame, const struct packet *p, const struct dns_message *m)
{
	struct tenant_link link = link_of(frame, p);

	prepare_names(o->known->index, who, m);
	who->from_server = is_from_server(o, frame, p, m);
	who->client_place = tenant_ask(
		o->tenants, o->known->policies->map, &link, end_of(p, who->from_server));
}

INLINE_BY_LINKER void observe_tenant(struct observer *o, struct parties *who,
	const struct frame *frame, const struct packet *p)
{
	struct tenant_link link = link_of(frame, p);

	who->tenant = tenant_find_asked(o->tenants, o->known->policies->map, who->client_place,
		&link, end_of(p, who->from_server), end_of(p, !who->from_server));
}

INLINE_BY_LINKER size_t observe_bound(const struct parties *who, const struct dns_message *m)
{
	return OBSERVE_BLOCK_MAX + (UNLIKELY(who->whole) ? m->wire_len : 0);
}

/* The block is filled from front to back; what puts something there returns where it ends. */

/* Every part but octets of names begins at a multiple of four; the gap is zero. */
static inline uint8_t *align_end(uint8_t *end)
{
	memset(end, 0, 4);
	return end + (-(uintptr_t)end & 3);
}

static inline uint8_t *put(uint8_t *end, const void *bytes, size_t bytes_len)
{
	memcpy(end, bytes, bytes_len);
	return end + bytes_len;
}

/* Nearly every name is at most 32 octets long; both sides have room for a few too many. */
static inline uint8_t *put_octets(uint8_t *end, const struct dns_name *name)
{
	size_t len = name->wire_len;

	memcpy(end, name->wire, 32);
	for (size_t i = 32; UNLIKELY(i < len); i += 16)
		memcpy(end + i, name->wire + i, 16);
	return end + len;
}

/* A name of which something may be listed; `number` is 0 for the qname, n for names[n - 1]. */
OUT_OF_LINE static void take_matches(struct observer_block *b, const struct index *index,
	const struct dns_name *name, const struct index_look *look, uint8_t number)
{
	struct index_hit hit[INDEX_HITS_MAX];
	size_t hits = index_match(index, name, look, hit);

	for (size_t i = 0; i < hits && b->match_count < OBSERVATION_MATCHES_MAX; i++)
		b->match[b->match_count++] =
			(struct observation_match){ hit[i].entry, hit[i].labels, number };
}

static inline void match_name(struct observer_block *b, const struct index *index,
	const struct dns_name *name, const struct index_look *look, uint8_t number)
{
	if (UNLIKELY(index_may_match(index, name, look)))
		take_matches(b, index, name, look, number);
}

/* How many names of further questions may be kept. */
static unsigned questions_room(const struct dns_message *m)
{
	unsigned further = m->count[0] > 1 ? m->count[0] - 1u : 0;
	return further < QUESTIONS_KEPT_MAX ? further : QUESTIONS_KEPT_MAX;
}

/*
 * The addresses of an answer. A few are copied whether they are there or not: how many there are nobody
 * can guess, and there is room.
 */
static inline uint8_t *put_addresses(
	uint8_t *end, struct observation *o, const struct dns_message *m)
{
	unsigned count = m->address_count & -(unsigned)o->response;

	memcpy(end, m->address, FEW_ADDRESSES * sizeof(m->address[0]));
	if (UNLIKELY(count > FEW_ADDRESSES))
		memcpy(end, m->address, count * sizeof(m->address[0]));
	o->address_count = (uint8_t)count;
	if (UNLIKELY(m->addresses_omitted))
		o->addresses_omitted = o->response;
	return end + count * sizeof(m->address[0]);
}

/* The next of the names that room was made for. */
static void put_name(struct observer_block *b, const struct index *index,
	const struct dns_name *name, const struct index_look *look,
	struct observation_name about)
{
	struct observation *o = b->o;
	struct observation_name *names =
		(struct observation_name *)(uintptr_t)observation_names(o);

	about.wire_at = (uint16_t)(b->end - (const uint8_t *)o);
	about.wire_len = name->wire_len;
	names[b->name_count++] = about;
	b->end = put_octets(b->end, name);
	match_name(b, index, name, look, (uint8_t)b->name_count);
}

/* All further questions are looked at, those with a listed name are kept. */
static void take_questions(
	struct observer_block *b, const struct dns_message *m, const struct index *index)
{
	struct dns_questions it = dns_questions_start(m);
	struct index_hit hit[INDEX_HITS_MAX];
	struct index_look look;

	(void)dns_questions_next(&it); /* the qname */
	while (b->name_count < QUESTIONS_KEPT_MAX && dns_questions_next(&it)) {
		index_prepare(index, &it.qname, &look);
		if (index_match(index, &it.qname, &look, hit) > 0)
			put_name(b, index, &it.qname, &look,
				(struct observation_name){
					.type = it.qtype, .section = OBSERVATION_QUESTION });
	}
}

static void put_target(struct observer_block *b, const struct index *index,
	const struct dns_record *r, const struct dns_name *name, const struct index_look *look)
{
	put_name(b, index, name, look,
		(struct observation_name){
			.ttl = r->ttl, .type = r->type, .section = r->section });
}

/* Names that the answer leads to, the first `targets` of them. */
static void take_targets(struct observer_block *b, const struct dns_message *m,
	const struct parties *who, const struct index *index, unsigned targets)
{
	unsigned expanded = 0;
	struct index_look look;
	struct dns_name name;

	for (const struct dns_record *r = m->record; targets > 0; r++) {
		if (!dns_leads_on(r))
			continue;
		targets--;
		if (LIKELY(expanded < m->expanded_count &&
			    m->expanded_at[expanded] == r->target_at)) {
			put_target(b, index, r, &m->expanded[expanded],
				&who->target_look[expanded]);
			expanded++;
			continue;
		}
		dns_message_name(m, r->target_at, &name);
		index_prepare(index, &name, &look);
		put_target(b, index, r, &name, &look);
	}
}

/* Names beside the qname: listed ones of further questions, and `targets` that the answer leads to. */
OUT_OF_LINE static uint8_t *put_names(struct observer_block *b, uint8_t *end,
	const struct dns_message *m, const struct parties *who, const struct index *index,
	unsigned targets)
{
	unsigned room = questions_room(m);

	targets =
		targets < OBSERVATION_NAMES_MAX - room ? targets : OBSERVATION_NAMES_MAX - room;
	b->end = end + (room + targets) * sizeof(struct observation_name);
	if (UNLIKELY(room > 0))
		take_questions(b, m, index);
	take_targets(b, m, who, index, targets);
	return align_end(b->end);
}

/* Look the answer's addresses up. Nearly none is listed. */
OUT_OF_LINE static uint8_t *put_listed(
	struct observer_block *b, uint8_t *end, const struct address_set *set)
{
	const struct dns_address *address = observation_addresses(b->o);
	uint8_t *count = &b->listed_count;

	for (unsigned i = 0; i < b->o->address_count && *count < OBSERVATION_LISTED_MAX; i++) {
		struct address_hit hit[ADDRESS_HITS_MAX];
		size_t hits = address_set_match(set, &address[i].ip, hit);
		for (size_t k = 0; k < hits && *count < OBSERVATION_LISTED_MAX; k++, ++*count)
			end = put(end,
				&(struct observation_listed){
					.entry = hit[k].entry,
					.bits = hit[k].bits,
					.address = (uint8_t)i,
				},
				sizeof(struct observation_listed));
	}
	return end;
}

static inline uint8_t transport_of(const struct packet *p)
{
	bool tcp = p->protocol == IPPROTO_TCP;

	if (LIKELY(p->cover == PACKET_COVER_NONE))
		return tcp ? TRANSPORT_TCP : TRANSPORT_UDP;
	if (p->cover == PACKET_COVER_DNSCRYPT)
		return tcp ? TRANSPORT_DNSCRYPT_TCP : TRANSPORT_DNSCRYPT_UDP;
	if (p->cover == PACKET_COVER_DOQ)
		return TRANSPORT_DOQ;
	return p->cover == PACKET_COVER_DOT ? TRANSPORT_DOT : TRANSPORT_DOH;
}

/* The destination's first when the client is there: by shifting, as above. */
static inline void fill_ports(struct observation *o, const struct packet *p, bool from_server)
{
	uint32_t ports = p->sport | (uint32_t)p->dport << 16;
	unsigned shift = from_server * 16u;

	ports = ports >> shift | ports << (-shift & 31);
	o->client_port = (uint16_t)ports;
	o->server_port = (uint16_t)(ports >> 16);
}

/*
 * What stands in front of the parts, but for their sizes. Every field is written once: clearing all
 * of them first would be as much work again.
 */
static inline void fill_header(struct observation *o, const struct frame *frame,
	const struct packet *p, const struct parties *who, const struct dns_message *m)
{
	o->ts_ns = frame->ts_ns;
	o->client = *end_of(p, who->from_server);
	o->server = *end_of(p, !who->from_server);
	fill_ports(o, p, who->from_server);
	o->id = m->id;
	o->opcode = m->opcode;
	o->transport = transport_of(p);
	o->flags = m->flags;
	o->rcode = m->rcode;
	o->qtype = m->qtype;
	o->qclass = m->qclass;
	o->qname_hash = who->qname_hash;
	o->tenant = who->tenant;
	memcpy(o->vlan, p->vlan, sizeof(o->vlan)); /* 0: none */
	o->wire_len_message = 0;
	o->kind = OBSERVATION_MESSAGE;
	o->vlan_count = (p->vlan_count < 2 ? p->vlan_count : 2) & 3;
	o->response = dns_is_response(m);
	o->has_question = m->has_question;
	o->has_signature = m->has_tsig;
	o->addresses_omitted = false;
	o->qname_len = m->qname.wire_len;
	o->qname_labels = m->qname.label_count;
	o->address_count = 0;
}

/* The sizes are one word: written at once. */
static inline size_t fill_sizes(
	struct observation *o, const struct observer_block *b, const uint8_t *end)
{
	size_t bytes = (size_t)(end - (const uint8_t *)o);

	o->size = bytes & 0x3ffff;
	o->name_count = b->name_count & 31;
	o->match_count = b->match_count & 31;
	o->listed_count = b->listed_count & 15;
	return bytes;
}

INLINE_BY_LINKER size_t observe_build(struct observer *observer, struct observation *out,
	const struct frame *frame, const struct packet *p, const struct parties *who,
	const struct dns_message *m)
{
	const struct knowledge *known = observer->known;
	struct observer_block *b = &observer->block;
	uint8_t *end = (uint8_t *)(out + 1);

	b->o = out;
	b->name_count = b->listed_count = b->match_count = 0;
	fill_header(out, frame, p, who, m);
	end = align_end(put_octets(end, &m->qname));
	match_name(b, known->index, &m->qname, &who->look, 0);
	if (LIKELY(m->opcode == DNS_OPCODE_QUERY)) {
		unsigned targets = m->leading_count & -(unsigned)out->response;
		end = put_addresses(end, out, m);
		if (targets > 0 || UNLIKELY(m->count[0] > 1))
			end = put_names(b, end, m, who, known->index, targets);
	}
	if (UNLIKELY(who->whole)) {
		out->wire_len_message = m->wire_len;
		end = align_end(put(end, m->wire, m->wire_len));
	}
	if (known->addresses && out->address_count > 0)
		end = put_listed(b, end, known->addresses);
	if (b->match_count > 0)
		end = put(end, b->match, b->match_count * sizeof(b->match[0]));
	return fill_sizes(out, b, end);
}
