/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/pipeline/observe.h"

#include <netinet/in.h>
#include <string.h>

/* Listed names of further questions that are kept; whoever puts more there is told by these. */
#define QUESTIONS_KEPT_MAX 8

/* Of alignment, and of names that are copied by sixteen octets. */
#define BLOCK_SLACK 64

/* The block being filled, and what the matching found on the way. */
struct build {
	struct observation *o;
	size_t used;
	size_t match_count;
	struct observation_match match[OBSERVATION_MATCHES_MAX];
};

static bool source_is_server(const struct observer *o, const struct frame *frame,
	const struct packet *p, const struct dns_message *m)
{
	bool on_port = port_set_has(o->ports, p->sport);
	bool both = on_port && port_set_has(o->ports, p->dport);

	return frame->decoded || both ? dns_is_response(m) : on_port;
}

static struct tenant_link link_of(const struct frame *frame, const struct packet *p)
{
	return (struct tenant_link){ frame->interface, p->vlan_count, p->vlan, p->vni };
}

void observe_prepare(const struct observer *o, struct parties *who, const struct frame *frame,
	const struct packet *p, const struct dns_message *m)
{
	if (source_is_server(o, frame, p, m)) {
		who->client = p->dst, who->server = p->src;
		who->client_port = p->dport, who->server_port = p->sport;
	} else {
		who->client = p->src, who->server = p->dst;
		who->client_port = p->sport, who->server_port = p->dport;
	}
	struct tenant_link link = link_of(frame, p);
	tenant_prepare(o->tenants, &link, &who->client, &who->asked);
	index_prepare(o->known->index, &m->qname, &who->look);
}

void observe_tenant(struct observer *o, struct parties *who, const struct frame *frame,
	const struct packet *p)
{
	struct tenant_link link = link_of(frame, p);
	who->tenant = tenant_find_cached(o->tenants, o->known->policies->map, &who->asked,
		&link, &who->client, &who->server);
}

static bool travels_whole(const struct dns_message *m)
{
	return m->opcode == DNS_OPCODE_UPDATE || m->has_tsig ||
	       UNLIKELY(m->qtype == DNS_TYPE_TKEY && dns_is_response(m));
}

/* How many names of further questions may be kept. */
static unsigned questions_room(const struct dns_message *m)
{
	unsigned further = m->count[0] > 1 ? m->count[0] - 1u : 0;
	return further < QUESTIONS_KEPT_MAX ? further : QUESTIONS_KEPT_MAX;
}

/* Records of the answer section that the decoder kept: the first ones. */
static unsigned answers_of(const struct dns_message *m)
{
	return m->count[1] < m->record_count ? m->count[1] : m->record_count;
}

static size_t at_most(size_t count, size_t most)
{
	return count < most ? count : most;
}

size_t observe_bound(const struct dns_message *m)
{
	size_t answers = answers_of(m);
	size_t names = at_most(answers + questions_room(m), OBSERVATION_NAMES_MAX);

	return sizeof(struct observation) +
	       OBSERVATION_MATCHES_MAX * sizeof(struct observation_match) +
	       at_most(answers, OBSERVATION_ADDRESSES_MAX) *
		       sizeof(struct observation_address) +
	       names * (sizeof(struct observation_name) + DNS_NAME_MAX) + DNS_NAME_MAX +
	       OBSERVATION_LISTED_MAX * sizeof(struct observation_listed) +
	       (travels_whole(m) ? m->wire_len : 0) + BLOCK_SLACK;
}

/* Claim aligned room in the block; returns its offset. */
static inline size_t claim(struct build *b, size_t bytes, size_t align)
{
	size_t at = (b->used + align - 1) & ~(align - 1);
	b->used = at + bytes;
	return at;
}

/* The octets of a name, sixteen at a time: both sides have room for a few too many. */
static inline size_t claim_name(struct build *b, const struct dns_name *name)
{
	size_t at = claim(b, name->wire_len, 1);
	char *to = (char *)b->o + at;

	for (size_t i = 0; i < name->wire_len; i += 16)
		memcpy(to + i, name->wire + i, 16);
	memset(to + name->wire_len, 0, 8); /* what comes next begins here, or after a gap */
	return at;
}

static size_t claim_copy(struct build *b, const void *bytes, size_t bytes_len)
{
	size_t at = claim(b, bytes_len, 1);
	memcpy((char *)b->o + at, bytes, bytes_len);
	return at;
}

/* A name of which something may be listed; `number` is 0 for the qname, n for names[n - 1]. */
static void take_matches(struct build *b, const struct index *index,
	const struct dns_name *name, const struct index_look *look, uint8_t number)
{
	struct index_hit hit[INDEX_HITS_MAX];
	size_t hits = index_match(index, name, look, hit);

	for (size_t i = 0; i < hits && b->match_count < OBSERVATION_MATCHES_MAX; i++)
		b->match[b->match_count++] =
			(struct observation_match){ hit[i].entry, hit[i].labels, number };
}

static inline void match_name(struct build *b, const struct index *index,
	const struct dns_name *name, const struct index_look *look, uint8_t number)
{
	if (UNLIKELY(index_may_match(index, name, look)))
		take_matches(b, index, name, look, number);
}

/* Does an answer's record lead the asker on to another name? */
static inline bool leads_on(const struct dns_record *r)
{
	return r->target_at != 0 && r->type != DNS_TYPE_SOA;
}

/* Addresses of the answer, and how many names it leads to. */
static unsigned take_answers(struct build *b, const struct dns_message *m)
{
	struct observation *o = b->o;
	size_t at = claim(b, 0, _Alignof(struct observation_address));
	struct observation_address *next = (struct observation_address *)((char *)o + at);
	const struct dns_record *end = m->record + answers_of(m);
	unsigned count = 0, targets = 0;

	o->address_at = (uint16_t)at;
	/* Answers that the decoder did not keep may hold more. */
	o->addresses_omitted = m->count[1] > m->record_count;
	for (const struct dns_record *r = m->record; r < end; r++) {
		struct ip ip;
		if (!dns_record_address(m, r, &ip)) {
			targets += leads_on(r);
		} else if (LIKELY(count < OBSERVATION_ADDRESSES_MAX)) {
			next[count++] = (struct observation_address){ ip, r->ttl };
		} else {
			o->addresses_omitted = true;
		}
	}
	o->address_count = (uint8_t)count;
	b->used = at + count * sizeof(*next);
	return targets;
}

/*
 * Look the answer's addresses up. Nearly none is listed, so the list has room for few and lies
 * behind what every answer has.
 */
static void take_listed(struct build *b, const struct address_set *set)
{
	struct observation *o = b->o;
	struct observation_listed found[OBSERVATION_LISTED_MAX];
	unsigned count = 0;

	for (unsigned i = 0; i < o->address_count && count < OBSERVATION_LISTED_MAX; i++) {
		struct address_hit hit[ADDRESS_HITS_MAX];
		size_t hits = address_set_match(set, &observation_addresses(o)[i].ip, hit);
		for (size_t k = 0; k < hits && count < OBSERVATION_LISTED_MAX; k++)
			found[count++] = (struct observation_listed){
				.entry = hit[k].entry,
				.bits = hit[k].bits,
				.address = (uint8_t)i,
			};
	}
	if (LIKELY(count == 0))
		return;
	o->listed_count = (uint8_t)count;
	o->listed_at =
		(uint16_t)claim(b, count * sizeof(*found), _Alignof(struct observation_listed));
	memcpy((char *)o + o->listed_at, found, count * sizeof(*found));
}

/* The next of the names that room was claimed for. */
static void put_name(struct build *b, const struct index *index, const struct dns_name *name,
	struct observation_name about)
{
	struct observation *o = b->o;
	struct index_look look;

	about.wire_at = (uint16_t)claim_name(b, name);
	about.wire_len = name->wire_len;
	*((struct observation_name *)((char *)o + o->name_at) + o->name_count++) = about;
	index_prepare(index, name, &look);
	match_name(b, index, name, &look, o->name_count);
}

/* All further questions are looked at, those with a listed name are kept. */
static void take_questions(
	struct build *b, const struct dns_message *m, const struct index *index)
{
	struct dns_questions it = dns_questions_start(m);
	struct index_hit hit[INDEX_HITS_MAX];

	(void)dns_questions_next(&it); /* the qname */
	while (b->o->name_count < QUESTIONS_KEPT_MAX && dns_questions_next(&it)) {
		if (index_match_name(index, &it.qname, hit) > 0)
			put_name(b, index, &it.qname,
				(struct observation_name){
					.type = it.qtype, .section = OBSERVATION_QUESTION });
	}
}

/* Names beside the qname: listed ones of further questions, and `targets` that the answer leads to. */
static void take_names(struct build *b, const struct dns_message *m, const struct index *index,
	unsigned targets)
{
	struct observation *o = b->o;
	unsigned room = questions_room(m);

	if (targets > OBSERVATION_NAMES_MAX - room)
		targets = OBSERVATION_NAMES_MAX - room;
	o->name_at = (uint16_t)claim(b, (room + targets) * sizeof(struct observation_name), 4);
	if (UNLIKELY(room > 0))
		take_questions(b, m, index);
	for (const struct dns_record *r = m->record; targets > 0; r++) {
		struct dns_name target;
		if (!leads_on(r))
			continue;
		targets--;
		dns_message_name(m, r->target_at, &target);
		put_name(b, index, &target,
			(struct observation_name){
				.ttl = r->ttl, .type = r->type, .section = r->section });
	}
}

static uint8_t transport_of(const struct packet *p)
{
	bool tcp = p->protocol == IPPROTO_TCP;

	switch ((enum packet_cover)p->cover) {
	case PACKET_COVER_DOT:
		return TRANSPORT_DOT;
	case PACKET_COVER_DOH:
		return TRANSPORT_DOH;
	case PACKET_COVER_DOQ:
		return TRANSPORT_DOQ;
	case PACKET_COVER_DNSCRYPT:
		return tcp ? TRANSPORT_DNSCRYPT_TCP : TRANSPORT_DNSCRYPT_UDP;
	case PACKET_COVER_NONE:
		break;
	}
	return tcp ? TRANSPORT_TCP : TRANSPORT_UDP;
}

/* Of the message on the wire; of one that travels, the octets that do. */
static uint16_t wire_len_of(const struct packet *p, const struct dns_message *m)
{
	uint64_t wire_len = (uint64_t)m->wire_len + p->payload_missing;

	return travels_whole(m) || wire_len > UINT16_MAX ? m->wire_len : (uint16_t)wire_len;
}

static void fill_header(struct observation *o, const struct frame *frame,
	const struct packet *p, const struct parties *who, const struct dns_message *m)
{
	*o = (struct observation){
		.kind = OBSERVATION_MESSAGE,
		.transport = transport_of(p),
		.opcode = m->opcode,
		.response = dns_is_response(m),
		.ts_ns = frame->ts_ns,
		.client = who->client,
		.server = who->server,
		.client_port = who->client_port,
		.server_port = who->server_port,
		.tenant = who->tenant,
		.id = m->id,
		.flags = m->flags,
		.rcode = m->rcode,
		.qtype = m->qtype,
		.qclass = m->qclass,
		.vlan_count = p->vlan_count < 2 ? p->vlan_count : 2,
		.ip_ttl = p->ip_ttl,
		.has_question = m->has_question,
		.has_signature = m->has_tsig,
		.interface = frame->interface,
		.wire_len_message = wire_len_of(p, m),
		.answer_count = m->count[1],
		.qname_labels = m->qname.label_count,
		.qname_len = m->qname.wire_len,
	};
	for (unsigned i = 0; i < o->vlan_count; i++)
		o->vlan[i] = p->vlan[i];
}

size_t observe_build(struct observer *observer, struct observation *out,
	const struct frame *frame, const struct packet *p, const struct parties *who,
	const struct dns_message *m)
{
	const struct index *index = observer->known->index;
	struct build b; /* match[] is not worth clearing for every message */
	b.o = out;
	b.used = sizeof(*out);
	b.match_count = 0;

	fill_header(out, frame, p, who, m);
	out->qname_at = (uint16_t)claim_name(&b, &m->qname);
	out->qname_hash = dns_name_hash(&m->qname, index_seed(index));
	match_name(&b, index, &m->qname, &who->look, 0);
	if (LIKELY(m->opcode == DNS_OPCODE_QUERY)) {
		unsigned targets = out->response ? take_answers(&b, m) : 0;
		if (targets > 0 || UNLIKELY(m->count[0] > 1))
			take_names(&b, m, index, targets);
	}

	size_t matches = b.match_count * sizeof(struct observation_match);
	out->match_count = (uint8_t)b.match_count;
	out->match_at = (uint16_t)claim(&b, matches, _Alignof(struct observation_match));
	if (matches)
		memcpy((char *)out + out->match_at, b.match, matches);
	if (observer->known->addresses && out->address_count > 0)
		take_listed(&b, observer->known->addresses);
	if (travels_whole(m))
		out->message_at = (uint32_t)claim_copy(&b, m->wire, m->wire_len);
	out->size = (uint32_t)b.used;
	return b.used;
}
