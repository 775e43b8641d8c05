/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"
#include "sensor/base/hash.h"
#include "sensor/pipeline/observe.h"
#include "tests/support/dns_build.h"
#include "tests/unit/pipeline/known.h"

/* --- one message on its way to an observation -------------------------------------------------- */

struct scene {
	struct known known;
	struct observer observer;
	struct dns_build build;
	struct dns_message message;
	struct packet packet;
	struct frame frame;
	struct observation *o; /* observe_bound bytes, or NULL */
};

static struct scene *scene_new(void)
{
	struct scene *s = calloc(1, sizeof(*s));

	cr_assert_not_null(s);
	known_init(&s->known);
	known_tenant(&s->known, "acme", "10.1.0.0/16");
	known_tenant(&s->known, "beta", "10.2.0.0/16");
	s->packet = (struct packet){
		.protocol = IPPROTO_UDP,
		.sport = 40000,
		.dport = 53,
		.vni = PACKET_NO_VNI,
	};
	cr_assert(
		ip_parse(&s->packet.src, "10.1.0.7") && ip_parse(&s->packet.dst, "10.1.0.53"));
	s->frame = (struct frame){ .ts_ns = KNOWN_START_NS };
	return s;
}

static void scene_freeze(struct scene *s)
{
	known_freeze(&s->known);
	s->observer = known_observer(&s->known);
}

static void scene_free(struct scene *s)
{
	free(s->o);
	known_deinit(&s->known);
	free(s);
}

/* The packet turned round: from the server to the client. */
static void scene_answer(struct scene *s)
{
	struct packet *p = &s->packet;
	struct ip src = p->src;
	uint16_t sport = p->sport;

	p->src = p->dst;
	p->dst = src;
	p->sport = p->dport;
	p->dport = sport;
}

/* Build into exactly the promised room, so that a sanitizer sees one octet too many. */
static const struct observation *scene_observe(struct scene *s)
{
	struct dns_message *m = &s->message;

	cr_assert_eq(dns_message_decode(m, s->build.at, s->build.len), DNS_OK);
	struct parties who;
	observe_prepare(&s->observer, &who, &s->frame, &s->packet, m);
	size_t bound = observe_bound(&who, m);
	free(s->o);
	s->o = malloc(bound);
	cr_assert_not_null(s->o);
	size_t used = observe_build(&s->observer, s->o, &s->frame, &s->packet, &who, m);
	cr_assert_eq(used, s->o->size);
	cr_assert_leq(used, bound);
	return s->o;
}

static void build_a(struct dns_build *b, unsigned number, uint32_t ttl)
{
	build_record(b, BUILD_ANSWER, NULL, DNS_TYPE_A, DNS_CLASS_IN, ttl);
	build_u32(b, 0xc0000200 + number);
	build_record_end(b);
}

static void build_cname(struct dns_build *b, const char *target, uint32_t ttl)
{
	build_record(b, BUILD_ANSWER, NULL, DNS_TYPE_CNAME, DNS_CLASS_IN, ttl);
	build_name(b, target);
	build_record_end(b);
}

static const char *name_text(const struct observation *o, unsigned n)
{
	static char text[DNS_NAME_TEXT_MAX];
	struct dns_name name;

	observation_name(o, n, &name);
	dns_name_format(&name, text);
	return text;
}

static const char *ip_text(const struct ip *ip)
{
	static char text[IP_TEXT_MAX];

	return ip_format(ip, text);
}

/* --- who is who -------------------------------------------------------------------------------- */

struct parties_row {
	const char *name;
	uint16_t sport, dport;
	bool response;
	bool source_is_client;
};

static const struct parties_row parties_rows[] = {
	{ "query to a server", 40000, 53, false, true },
	{ "answer of a server", 53, 40000, true, false },
	{ "a message with QR sent to a server", 40000, 53, true, true },
	{ "a message without QR sent by a server", 53, 40000, false, false },
	{ "query between servers", 53, 53, false, true },
	{ "answer between servers", 53, 53, true, false },
	{ "query from one DNS port to another", 5353, 53, false, true },
	{ "answer from one DNS port to another", 53, 5353, true, false },
	{ "query to the other DNS port", 1, 5353, false, true },
	{ "query from port 0", 0, 53, false, true },
};

Test(observe, the_client_is_the_end_that_is_not_on_a_dns_port)
{
	struct scene *s = scene_new();
	scene_freeze(s);

	for (size_t i = 0; i < ARRAY_LEN(parties_rows); i++) {
		const struct parties_row *row = &parties_rows[i];
		build_start(&s->build, 1, row->response ? DNS_FLAG_QR : 0);
		build_question(&s->build, "a.example", 1, 1);
		s->packet.sport = row->sport;
		s->packet.dport = row->dport;
		const struct observation *o = scene_observe(s);
		const struct packet *p = &s->packet;
		bool from = row->source_is_client;
		cr_assert(ip_equal(&o->client, from ? &p->src : &p->dst), "%s", row->name);
		cr_assert(ip_equal(&o->server, from ? &p->dst : &p->src), "%s", row->name);
		cr_assert_eq(o->client_port, from ? row->sport : row->dport, "%s", row->name);
		cr_assert_eq(o->server_port, from ? row->dport : row->sport, "%s", row->name);
		cr_assert_eq(o->response, row->response, "%s", row->name);
	}
	scene_free(s);
}

struct tenant_row {
	const char *name, *client, *server;
	uint16_t tenant;
};

static const struct tenant_row tenant_rows[] = {
	{ "client and server of one tenant", "10.1.0.7", "10.1.0.53", 1 },
	{ "the client's before the server's", "10.2.0.7", "10.1.0.53", 2 },
	{ "the server's when the client is nobody's", "192.0.2.1", "10.2.0.53", 2 },
	{ "nobody's", "192.0.2.1", "198.51.100.1", POLICY_UNMAPPED },
	{ "nobody's over IPv6", "2001:db8::1", "2001:db8::2", POLICY_UNMAPPED },
};

Test(observe, the_tenant_is_the_clients_or_else_the_servers_in_both_directions)
{
	struct scene *s = scene_new();
	scene_freeze(s);

	for (size_t i = 0; i < ARRAY_LEN(tenant_rows); i++) {
		const struct tenant_row *row = &tenant_rows[i];
		cr_assert(ip_parse(&s->packet.src, row->client));
		cr_assert(ip_parse(&s->packet.dst, row->server));
		s->packet.sport = 40000;
		s->packet.dport = 53;
		build_start(&s->build, 1, 0);
		build_question(&s->build, "a.example", 1, 1);
		cr_assert_eq(scene_observe(s)->tenant, row->tenant, "%s: query", row->name);
		scene_answer(s);
		build_start(&s->build, 1, DNS_FLAG_QR);
		build_question(&s->build, "a.example", 1, 1);
		cr_assert_eq(scene_observe(s)->tenant, row->tenant, "%s: answer", row->name);
	}
	scene_free(s);
}

/* --- what an observation holds ------------------------------------------------------------------ */

Test(observe, a_query_keeps_its_header_its_question_and_where_it_was_seen)
{
	struct scene *s = scene_new();
	scene_freeze(s);
	s->packet.vlan_count = 3;
	s->packet.vlan[0] = 101;
	s->packet.vlan[1] = 202;
	s->packet.vlan[2] = 303;
	build_start(&s->build, 0xbeef, DNS_FLAG_RD | DNS_FLAG_CD);
	build_question(&s->build, "WWW.Example.COM", DNS_TYPE_AAAA, DNS_CLASS_IN);
	build_opt(&s->build, 1232, 0, NULL, 0);

	const struct observation *o = scene_observe(s);
	struct dns_name qname, expected;
	observation_qname(o, &qname);
	cr_assert(dns_name_parse(&expected, "www.example.com"));
	cr_assert(dns_name_equal(&qname, &expected));
	cr_assert_eq(o->qname_labels, 3);
	cr_assert_eq(
		o->qname_hash, dns_name_hash(&expected, index_seed(s->known.knowledge.index)));
	cr_assert_eq(o->kind, OBSERVATION_MESSAGE);
	cr_assert_eq(o->transport, TRANSPORT_UDP);
	cr_assert_eq(o->opcode, DNS_OPCODE_QUERY);
	cr_assert_eq(o->id, 0xbeef);
	cr_assert_eq(o->flags, DNS_FLAG_RD | DNS_FLAG_CD);
	cr_assert_eq(o->qtype, DNS_TYPE_AAAA);
	cr_assert_eq(o->qclass, DNS_CLASS_IN);
	cr_assert(o->has_question && !o->has_signature && !o->response);
	cr_assert_eq(o->ts_ns, KNOWN_START_NS);
	cr_assert_eq(o->vlan_count, 2, "the outermost two are kept");
	cr_assert_eq(o->vlan[0], 101);
	cr_assert_eq(o->vlan[1], 202);
	cr_assert_eq(o->address_count + o->name_count + o->match_count, 0);
	cr_assert_null(observation_message(o));
	scene_free(s);
}

static const struct {
	const char *name;
	uint16_t query_port, response_port;
	uint8_t protocol, cover, transport;
} roles[] = {
	{ "DoT", 40000, 853, IPPROTO_TCP, PACKET_COVER_DOT, TRANSPORT_DOT },
	{ "DoH", 40000, 443, IPPROTO_TCP, PACKET_COVER_DOH, TRANSPORT_DOH },
	{ "DoQ", 40000, 853, IPPROTO_UDP, PACKET_COVER_DOQ, TRANSPORT_DOQ },
	{ "DNSCrypt over UDP", 40000, 443, IPPROTO_UDP, PACKET_COVER_DNSCRYPT,
		TRANSPORT_DNSCRYPT_UDP },
	{ "DNSCrypt over TCP", 40000, 443, IPPROTO_TCP, PACKET_COVER_DNSCRYPT,
		TRANSPORT_DNSCRYPT_TCP },
	{ "UDP without ports", 0, 0, IPPROTO_UDP, PACKET_COVER_NONE, TRANSPORT_UDP },
	{ "TCP from the DNS port", 53, 40000, IPPROTO_TCP, PACKET_COVER_NONE, TRANSPORT_TCP },
};

Test(observe, roles_that_are_known_count_whatever_the_ports)
{
	struct scene *s = scene_new();
	struct packet p = s->packet;
	scene_freeze(s);

	s->frame.decoded = &s->packet;
	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		s->packet = p;
		s->packet.sport = roles[i].query_port;
		s->packet.dport = roles[i].response_port;
		s->packet.protocol = roles[i].protocol;
		s->packet.cover = roles[i].cover;
		for (int response = 0; response < 2; response++) {
			build_start(&s->build, 1, response ? DNS_FLAG_QR : 0);
			build_question(&s->build, "a.example", 1, 1);
			const struct observation *o = scene_observe(s);
			cr_expect(ip_equal(&o->client, &p.src), "%s", roles[i].name);
			cr_expect(ip_equal(&o->server, &p.dst), "%s", roles[i].name);
			cr_expect_eq(o->client_port, roles[i].query_port, "%s", roles[i].name);
			cr_expect_eq(
				o->server_port, roles[i].response_port, "%s", roles[i].name);
			cr_expect_eq(o->transport, roles[i].transport, "%s", roles[i].name);
			scene_answer(s);
		}
	}
	scene_free(s);
}

Test(observe, a_message_over_tcp_says_so)
{
	struct scene *s = scene_new();
	scene_freeze(s);
	s->packet.protocol = IPPROTO_TCP;
	build_start(&s->build, 1, 0);
	build_question(&s->build, "a.example", 1, 1);
	cr_assert_eq(scene_observe(s)->transport, TRANSPORT_TCP);
	scene_free(s);
}

Test(observe, a_message_without_question_has_the_root_for_a_name)
{
	struct scene *s = scene_new();
	known_list(&s->known, "example", SCOPE_SUFFIX);
	scene_freeze(s);
	scene_answer(s);
	build_start(&s->build, 1, DNS_FLAG_QR | DNS_RCODE_REFUSED);

	const struct observation *o = scene_observe(s);
	cr_assert(!o->has_question);
	cr_assert_eq(o->qname_len, 1);
	cr_assert_eq(o->qname_labels, 0);
	cr_assert_eq(o->rcode, DNS_RCODE_REFUSED);
	cr_assert_eq(o->match_count, 0);
	scene_free(s);
}

Test(observe, addresses_and_names_are_those_of_the_answer_section)
{
	struct scene *s = scene_new();
	scene_freeze(s);
	scene_answer(s);
	struct dns_build *b = &s->build;
	build_start(b, 1, DNS_FLAG_QR);
	build_question(b, "www.example.com", DNS_TYPE_A, DNS_CLASS_IN);
	build_cname(b, "Edge.CDN.example", 60);
	build_record(b, BUILD_ANSWER, "edge.cdn.example", DNS_TYPE_A, DNS_CLASS_IN, 30);
	build_octets(b, "\xc0\x00\x02\x09", 4);
	build_record_end(b);
	build_record(b, BUILD_ANSWER, "edge.cdn.example", DNS_TYPE_AAAA, DNS_CLASS_IN, 31);
	build_octets(b, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09", 16);
	build_record_end(b);
	build_record(b, BUILD_AUTHORITY, "cdn.example", DNS_TYPE_NS, DNS_CLASS_IN, 900);
	build_name(b, "ns.cdn.example");
	build_record_end(b);
	build_record(b, BUILD_ADDITIONAL, "ns.cdn.example", DNS_TYPE_A, DNS_CLASS_IN, 900);
	build_octets(b, "\xc0\x00\x02\x35", 4);
	build_record_end(b);

	const struct observation *o = scene_observe(s);
	cr_assert_eq(o->address_count, 2);
	cr_assert_str_eq(ip_text(&observation_addresses(o)[0].ip), "192.0.2.9");
	cr_assert_eq(observation_addresses(o)[0].ttl, 30);
	cr_assert_str_eq(ip_text(&observation_addresses(o)[1].ip), "2001:db8::9");
	cr_assert_eq(observation_addresses(o)[1].ttl, 31);
	cr_assert_eq(o->name_count, 1);
	cr_assert_str_eq(name_text(o, 0), "edge.cdn.example");
	cr_assert_eq(observation_names(o)[0].ttl, 60);
	cr_assert_eq(observation_names(o)[0].type, DNS_TYPE_CNAME);
	cr_assert_eq(observation_names(o)[0].section, DNS_ANSWER);
	cr_assert(!o->addresses_omitted);
	scene_free(s);
}

Test(observe, names_come_in_their_order_wherever_the_first_one_stands)
{
	struct scene *s = scene_new();
	known_list(&s->known, "evil.test", SCOPE_SUFFIX);
	scene_freeze(s);
	scene_answer(s);

	for (unsigned addresses = 0; addresses < 3; addresses++) {
		build_start(&s->build, 1, DNS_FLAG_QR);
		build_question(&s->build, "www.example.com", DNS_TYPE_A, DNS_CLASS_IN);
		for (unsigned i = 0; i < addresses; i++)
			build_a(&s->build, i, 30);
		build_cname(&s->build, "first.evil.test", 61);
		build_a(&s->build, 9, 30);
		build_cname(&s->build, "second.test", 62);
		build_cname(&s->build, "third.evil.test", 63);
		const struct observation *o = scene_observe(s);
		cr_assert_eq(o->address_count, addresses + 1);
		cr_assert_eq(o->name_count, 3);
		cr_assert_str_eq(name_text(o, 0), "first.evil.test");
		cr_assert_str_eq(name_text(o, 1), "second.test");
		cr_assert_str_eq(name_text(o, 2), "third.evil.test");
		for (unsigned i = 0; i < 3; i++)
			cr_assert_eq(observation_names(o)[i].ttl, 61 + i);
		cr_assert_eq(o->match_count, 2);
		cr_assert_eq(observation_matches(o)[0].name, 1);
		cr_assert_eq(observation_matches(o)[1].name, 3);
	}
	scene_free(s);
}

Test(observe, nothing_of_an_answer_is_left_for_the_message_after_it)
{
	struct scene *s = scene_new();
	scene_freeze(s);
	scene_answer(s);
	build_start(&s->build, 1, DNS_FLAG_QR);
	build_question(&s->build, "www.example.com", DNS_TYPE_A, DNS_CLASS_IN);
	build_cname(&s->build, "edge.example", 60);
	cr_assert_eq(scene_observe(s)->name_count, 1);
	for (unsigned response = 0; response < 2; response++) {
		build_start(&s->build, 1, response ? DNS_FLAG_QR : 0);
		build_question(&s->build, "www.example.com", DNS_TYPE_A, DNS_CLASS_IN);
		const struct observation *o = scene_observe(s);
		cr_assert_eq(o->name_count + o->address_count + o->match_count, 0);
	}
	scene_free(s);
}

/* Labels of 63 octets and a rest, which make `octets` in the end: 3 to 254. */
static void long_name(char *text, unsigned octets)
{
	for (unsigned left = octets - 1; left > 0;) {
		unsigned label = left <= DNS_LABEL_MAX + 1 ? left - 1 : DNS_LABEL_MAX;
		label -= left - label - 1 == 1; /* no octet may be left alone */
		for (unsigned i = 0; i < label; i++)
			*text++ = (char)('a' + (i + left) % 26);
		*text++ = '.';
		left -= label + 1;
	}
	*text = '\0';
}

Test(observe, names_of_every_length_arrive_whole)
{
	struct scene *s = scene_new();
	scene_freeze(s);
	scene_answer(s);

	for (unsigned octets = 3; octets < DNS_NAME_MAX; octets++) {
		char text[DNS_NAME_TEXT_MAX];
		struct dns_name expected, name;
		long_name(text, octets);
		cr_assert(dns_name_parse(&expected, text), "%s", text);
		cr_assert_eq(expected.wire_len, octets);
		build_start(&s->build, 1, DNS_FLAG_QR);
		build_question(&s->build, text, DNS_TYPE_A, DNS_CLASS_IN);
		build_cname(&s->build, text, 60);
		const struct observation *o = scene_observe(s);
		observation_qname(o, &name);
		cr_assert(dns_name_equal(&name, &expected), "qname of %u octets", octets);
		observation_name(o, 0, &name);
		cr_assert(dns_name_equal(&name, &expected), "target of %u octets", octets);
	}
	scene_free(s);
}

/* --- what is listed ------------------------------------------------------------------------------ */

static size_t matches_of(const struct observation *o, uint8_t name)
{
	size_t count = 0;
	for (size_t i = 0; i < o->match_count; i++)
		count += observation_matches(o)[i].name == name;
	return count;
}

Test(observe, the_qname_and_each_target_are_looked_up)
{
	struct scene *s = scene_new();
	known_list(&s->known, "example.com", SCOPE_SUFFIX);
	known_list(&s->known, "bad.example.com", SCOPE_SUFFIX);
	known_list(&s->known, "evil.test", SCOPE_SUFFIX);
	known_list(&s->known, "exact.test", SCOPE_EXACT);
	scene_freeze(s);
	scene_answer(s);
	struct dns_build *b = &s->build;
	build_start(b, 1, DNS_FLAG_QR);
	build_question(b, "www.bad.example.com", DNS_TYPE_A, DNS_CLASS_IN);
	build_cname(b, "harmless.test", 60);
	build_cname(b, "x.EVIL.test", 60);
	build_cname(b, "below.exact.test", 60);
	build_cname(b, "exact.test", 60);
	build_a(b, 1, 60);

	const struct observation *o = scene_observe(s);
	cr_assert_eq(o->name_count, 4);
	cr_assert_eq(matches_of(o, 0), 2, "example.com and bad.example.com");
	cr_assert_eq(observation_matches(o)[0].labels, 2, "the shorter one first");
	cr_assert_eq(observation_matches(o)[1].labels, 3);
	cr_assert_eq(matches_of(o, 1), 0, "harmless.test");
	cr_assert_eq(matches_of(o, 2), 1, "x.evil.test");
	cr_assert_eq(matches_of(o, 3), 0, "below.exact.test");
	cr_assert_eq(matches_of(o, 4), 1, "exact.test");

	const struct observation_match *match = &observation_matches(o)[2];
	size_t mark_count;
	const struct mark *mark =
		index_marks(s->known.knowledge.index, match->entry, &mark_count);
	cr_assert_eq(mark_count, 1);
	cr_assert_eq(mark->kind, MARK_MALICIOUS);
	scene_free(s);
}

Test(observe, the_addresses_of_the_answer_are_looked_up)
{
	struct scene *s = scene_new();
	known_list_network(&s->known, "192.0.2.0/24");
	known_list_network(&s->known, "192.0.2.7");
	scene_freeze(s);
	scene_answer(s);
	struct dns_build *b = &s->build;
	build_start(b, 1, DNS_FLAG_QR);
	build_question(b, "www.example.com", DNS_TYPE_A, DNS_CLASS_IN);
	build_a(b, 0x100, 60); /* 192.0.3.0 */
	build_a(b, 7, 60);
	build_a(b, 8, 60);

	const struct observation *o = scene_observe(s);
	const struct observation_listed *listed = observation_listed(o);
	cr_assert_eq(o->listed_count, 3);
	cr_assert_eq(o->match_count, 0);
	cr_assert_eq(listed[0].address, 1);
	cr_assert_eq(listed[0].bits, 120, "the wider one first");
	cr_assert_eq(listed[1].address, 1);
	cr_assert_eq(listed[1].bits, 128);
	cr_assert_eq(listed[2].address, 2);
	cr_assert_eq(listed[2].bits, 120);
	scene_free(s);
}

struct target_row {
	const char *name;
	uint16_t type;
	const char *before; /* octets of RDATA in front of the target */
	size_t before_len;
	bool leads_on;
};

static const struct target_row target_rows[] = {
	{ "CNAME", DNS_TYPE_CNAME, "", 0, true },
	{ "DNAME", DNS_TYPE_DNAME, "", 0, true },
	{ "NS", DNS_TYPE_NS, "", 0, true },
	{ "PTR", DNS_TYPE_PTR, "", 0, true },
	{ "MX", DNS_TYPE_MX, "\0\x0a", 2, true },
	{ "SRV", DNS_TYPE_SRV, "\0\x01\0\x02\0\x50", 6, true },
	{ "HTTPS", DNS_TYPE_HTTPS, "\0\x01", 2, true },
	{ "SVCB", DNS_TYPE_SVCB, "\0\x01", 2, true },
	{ "TXT", DNS_TYPE_TXT, "", 0, false },
};

Test(observe, every_kind_of_record_that_leads_on_is_followed)
{
	struct scene *s = scene_new();
	known_list(&s->known, "evil.test", SCOPE_SUFFIX);
	scene_freeze(s);
	scene_answer(s);

	for (size_t i = 0; i < ARRAY_LEN(target_rows); i++) {
		const struct target_row *row = &target_rows[i];
		struct dns_build *b = &s->build;
		build_start(b, 1, DNS_FLAG_QR);
		build_question(b, "a.example", row->type, DNS_CLASS_IN);
		build_record(b, BUILD_ANSWER, NULL, row->type, DNS_CLASS_IN, 60);
		build_octets(b, row->before, row->before_len);
		build_labels(b, "host.evil.test");
		if (row->leads_on)
			build_u8(b, 0);
		build_record_end(b);
		const struct observation *o = scene_observe(s);
		cr_assert_eq(o->name_count, row->leads_on, "%s", row->name);
		cr_assert_eq(matches_of(o, 1), row->leads_on, "%s", row->name);
		if (!row->leads_on)
			continue;
		cr_assert_eq(observation_names(o)[0].type, row->type, "%s", row->name);
		cr_assert_str_eq(name_text(o, 0), "host.evil.test", "%s", row->name);
	}
	scene_free(s);
}

/* --- limits --------------------------------------------------------------------------------------- */

Test(observe, addresses_beyond_the_limit_are_left_out_and_that_is_said)
{
	struct scene *s = scene_new();
	scene_freeze(s);
	scene_answer(s);

	for (unsigned count = OBSERVATION_ADDRESSES_MAX - 1;
		count <= OBSERVATION_ADDRESSES_MAX + 1; count++) {
		build_start(&s->build, 1, DNS_FLAG_QR);
		build_question(&s->build, "many.example", DNS_TYPE_A, DNS_CLASS_IN);
		for (unsigned i = 0; i < count; i++)
			build_a(&s->build, i, i);
		const struct observation *o = scene_observe(s);
		unsigned kept =
			count < OBSERVATION_ADDRESSES_MAX ? count : OBSERVATION_ADDRESSES_MAX;
		cr_assert_eq(o->address_count, kept, "%u", count);
		cr_assert_eq(
			o->addresses_omitted, count > OBSERVATION_ADDRESSES_MAX, "%u", count);
		for (unsigned i = 0; i < kept; i++)
			cr_assert_eq(observation_addresses(o)[i].ttl, i, "%u of %u", i, count);
	}
	scene_free(s);
}

Test(observe, addresses_behind_more_records_than_are_kept_count_as_omitted)
{
	struct scene *s = scene_new();
	scene_freeze(s);
	scene_answer(s);
	build_start(&s->build, 1, DNS_FLAG_QR);
	build_question(&s->build, "many.example", DNS_TYPE_A, DNS_CLASS_IN);
	for (unsigned i = 0; i < DNS_RECORDS_MAX; i++) {
		build_record(&s->build, BUILD_ANSWER, NULL, DNS_TYPE_TXT, DNS_CLASS_IN, 60);
		build_octets(&s->build, "\x01x", 2);
		build_record_end(&s->build);
	}
	cr_assert(!scene_observe(s)->addresses_omitted);
	build_a(&s->build, 1, 60);
	const struct observation *o = scene_observe(s);
	cr_assert_eq(o->address_count, 0);
	cr_assert(o->addresses_omitted);
	scene_free(s);
}

Test(observe, names_beyond_the_limit_are_left_out)
{
	struct scene *s = scene_new();
	known_list(&s->known, "test", SCOPE_SUFFIX);
	scene_freeze(s);
	scene_answer(s);

	for (unsigned count = OBSERVATION_NAMES_MAX - 1; count <= OBSERVATION_NAMES_MAX + 1;
		count++) {
		build_start(&s->build, 1, DNS_FLAG_QR);
		build_question(&s->build, "many.example", DNS_TYPE_MX, DNS_CLASS_IN);
		for (unsigned i = 0; i < count; i++) {
			char target[32];
			snprintf(target, sizeof(target), "mx%u.test", i);
			build_cname(&s->build, target, i);
		}
		const struct observation *o = scene_observe(s);
		unsigned kept = count < OBSERVATION_NAMES_MAX ? count : OBSERVATION_NAMES_MAX;
		cr_assert_eq(o->name_count, kept, "%u", count);
		cr_assert_eq(o->match_count, kept, "%u", count);
		for (unsigned i = 0; i < kept; i++) {
			char target[32];
			snprintf(target, sizeof(target), "mx%u.test", i);
			cr_assert_str_eq(name_text(o, i), target, "%u of %u", i, count);
			cr_assert_eq(
				observation_matches(o)[i].name, i + 1, "%u of %u", i, count);
		}
	}
	scene_free(s);
}

Test(observe, matches_beyond_the_limit_are_left_out_the_qnames_first_in)
{
	static const char *const deep[] = { "test", "h.test", "g.h.test", "f.g.h.test" };
	struct scene *s = scene_new();
	for (size_t i = 0; i < ARRAY_LEN(deep); i++)
		known_list(&s->known, deep[i], SCOPE_SUFFIX);
	scene_freeze(s);
	scene_answer(s);
	build_start(&s->build, 1, DNS_FLAG_QR);
	build_question(&s->build, "a.f.g.h.test", DNS_TYPE_A, DNS_CLASS_IN);
	for (unsigned i = 0; i < 5; i++)
		build_cname(&s->build, "b.f.g.h.test", 60);

	const struct observation *o = scene_observe(s);
	cr_assert_eq(o->match_count, OBSERVATION_MATCHES_MAX);
	for (uint8_t name = 0; name < 4; name++)
		cr_assert_eq(matches_of(o, name), 4, "name %u", name);
	cr_assert_eq(o->name_count, 5, "the names themselves are all there");
	scene_free(s);
}

/* --- whole messages -------------------------------------------------------------------------------- */

Test(observe, an_update_travels_whole)
{
	static const char *const samples[] = { "update_unsigned", "update_tsig", "update_gss",
		"update_gss_microsoft", "update_sig0" };
	struct scene *s = scene_new();
	scene_freeze(s);

	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		dns_sample_make(&s->build, samples[i]);
		const struct observation *o = scene_observe(s);
		cr_assert_eq(o->opcode, DNS_OPCODE_UPDATE, "%s", samples[i]);
		cr_assert_eq(o->has_signature, i > 0, "%s", samples[i]);
		cr_assert_eq(o->wire_len_message, s->build.len, "%s", samples[i]);
		cr_assert_not_null(observation_message(o), "%s", samples[i]);
		cr_assert_arr_eq(
			observation_message(o), s->build.at, s->build.len, "%s", samples[i]);
		cr_assert_eq(o->address_count + o->name_count, 0,
			"%s: its records are no answers", samples[i]);
	}
	scene_free(s);
}

Test(observe, the_largest_update_there_can_be_travels_whole)
{
	struct scene *s = scene_new();
	scene_freeze(s);
	struct dns_build *b = &s->build;
	build_start(b, 1, DNS_OPCODE_UPDATE << 11);
	build_question(b, "dyn.example", DNS_TYPE_SOA, DNS_CLASS_IN);
	while (b->len + 200 < sizeof(b->at)) {
		build_record(b, BUILD_AUTHORITY, NULL, DNS_TYPE_TXT, DNS_CLASS_IN, 60);
		build_u8(b, 99);
		for (int i = 0; i < 99; i++)
			build_u8(b, 'x');
		build_record_end(b);
	}
	while (b->len < sizeof(b->at))
		build_u8(b, 0);
	const struct observation *o = scene_observe(s);
	cr_assert_eq(o->wire_len_message, 65535);
	cr_assert_arr_eq(observation_message(o), b->at, b->len);
	scene_free(s);
}

/* --- properties --------------------------------------------------------------------------------------- */

/* The part begins where the one before ended, but for what aligns it. Returns its end. */
static const char *check_part(const struct observation *o, const char *end, const void *part,
	size_t bytes, const char *what, uint64_t seed)
{
	const char *at = part;

	cr_assert(at >= end && at + bytes <= (const char *)o + o->size, "%s, seed %llu", what,
		(unsigned long long)seed);
	cr_assert_eq((uintptr_t)at % 4, 0, "%s, seed %llu", what, (unsigned long long)seed);
	return at + bytes;
}

/* Every part lies inside the block, aligned, none on another, and names are names. */
static void check_whole(const struct observation *o, uint64_t seed)
{
	struct dns_name name;
	const char *end = (const char *)(o + 1);

	end = check_part(o, end, observation_qname_wire(o), o->qname_len, "qname", seed);
	end = check_part(o, end, observation_addresses(o),
		o->address_count * sizeof(struct dns_address), "addresses", seed);
	end = check_part(o, end, observation_names(o),
		o->name_count * sizeof(struct observation_name), "names", seed);
	for (unsigned i = 0; i < o->name_count; i++) {
		const struct observation_name *n = &observation_names(o)[i];
		const char *wire = (const char *)o + n->wire_at;
		cr_assert_geq(wire, end, "name %u, seed %llu", i, (unsigned long long)seed);
		cr_assert(dns_name_from_wire(&name, (const uint8_t *)wire, n->wire_len),
			"name %u, seed %llu", i, (unsigned long long)seed);
		end = wire + n->wire_len;
	}
	if (observation_message(o))
		end = check_part(
			o, end, observation_message(o), o->wire_len_message, "message", seed);
	end = check_part(o, end, observation_listed(o),
		o->listed_count * sizeof(struct observation_listed), "listed", seed);
	end = check_part(o, end, observation_matches(o),
		o->match_count * sizeof(struct observation_match), "matches", seed);
	cr_assert_eq(end, (const char *)o + o->size);
	for (unsigned i = 0; i < o->listed_count; i++)
		cr_assert_lt(observation_listed(o)[i].address, o->address_count,
			"listed %u, seed %llu", i, (unsigned long long)seed);
	cr_assert(dns_name_from_wire(&name, observation_qname_wire(o), o->qname_len));
	cr_assert_eq(name.label_count, o->qname_labels);
	for (unsigned i = 0; i < o->match_count; i++)
		cr_assert_leq(observation_matches(o)[i].name, o->name_count,
			"match %u, seed %llu", i, (unsigned long long)seed);
}

struct dice {
	uint64_t state;
};

static unsigned roll(struct dice *d, unsigned sides)
{
	d->state += HASH_K0;
	return (unsigned)(hash_fold(d->state ^ HASH_K2, HASH_K1) % sides);
}

/* A name of random depth; long labels now and then, so that it nears the 255 octets. */
static void roll_name(struct dice *d, struct dns_build *b)
{
	if (roll(d, 3) == 0) {
		build_pointer(b, 12);
		return;
	}
	size_t room = DNS_NAME_MAX - 8;
	for (unsigned labels = roll(d, 40); labels > 0 && room > 1; labels--) {
		unsigned len = 1 + roll(d, roll(d, 4) ? 3 : DNS_LABEL_MAX);
		if (len + 1 > room)
			break;
		build_u8(b, len);
		for (unsigned i = 0; i < len; i++)
			build_u8(b, "aBcDeF\\.\0\xff"[roll(d, 10)]);
		room -= len + 1;
	}
	build_octets(b, "\x04test", 6);
}

static void roll_record(struct dice *d, struct dns_build *b)
{
	static const uint16_t types[] = { DNS_TYPE_A, DNS_TYPE_A, DNS_TYPE_AAAA, DNS_TYPE_CNAME,
		DNS_TYPE_CNAME, DNS_TYPE_NS, DNS_TYPE_MX, DNS_TYPE_TXT };
	uint16_t type = types[roll(d, ARRAY_LEN(types))];

	build_record(b, roll(d, 8) ? BUILD_ANSWER : BUILD_ADDITIONAL,
		roll(d, 2) ? NULL : "o.test", type, DNS_CLASS_IN, roll(d, 3600));
	if (type == DNS_TYPE_A)
		build_u32(b, roll(d, 1000));
	else if (type == DNS_TYPE_AAAA)
		build_octets(b, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09", 16);
	else if (type == DNS_TYPE_TXT)
		build_octets(b, "\x01x", 2);
	if (type == DNS_TYPE_MX)
		build_u16(b, 10);
	if (type == DNS_TYPE_CNAME || type == DNS_TYPE_NS || type == DNS_TYPE_MX)
		roll_name(d, b);
	build_record_end(b);
}

static void roll_message(struct dice *d, struct dns_build *b)
{
	unsigned opcode = roll(d, 6) ? DNS_OPCODE_QUERY : DNS_OPCODE_UPDATE;

	build_start(b, 1, (uint16_t)((roll(d, 4) ? DNS_FLAG_QR : 0) | opcode << 11));
	if (roll(d, 8)) {
		roll_name(d, b);
		build_u32(b, 0x00010001);
		build_set_count(b, BUILD_QUESTION, 1);
	}
	/* seldom more than are kept, mostly as few as usual */
	unsigned limit = roll(d, 10) == 0 ? 200 : roll(d, 3) == 0 ? 90 : 6;
	for (unsigned records = roll(d, limit); records > 0; records--)
		roll_record(d, b);
}

Test(observe, no_message_needs_more_room_than_was_promised)
{
	struct scene *s = scene_new();
	known_list(&s->known, "test", SCOPE_SUFFIX);
	known_list(&s->known, "a.test", SCOPE_SUFFIX);
	known_list_network(&s->known, "0.0.0.0/23");
	known_list_network(&s->known, "0.0.0.0/24");
	known_list_network(&s->known, "2001:db8::9");
	scene_freeze(s);
	scene_answer(s);
	size_t well_formed = 0;

	for (uint64_t seed = 0; seed < 20000; seed++) {
		struct dice d = { seed * HASH_K2 };
		roll_message(&d, &s->build);
		if (dns_message_decode(&s->message, s->build.at, s->build.len) != DNS_OK)
			continue; /* a pointer at offset 12 without a question there */
		check_whole(scene_observe(s), seed);
		well_formed++;
	}
	cr_assert_gt(well_formed, 10000, "%zu", well_formed);
	scene_free(s);
}

Test(observe, damaged_samples_that_still_decode_stay_within_their_bound)
{
	struct scene *s = scene_new();
	known_list(&s->known, "com", SCOPE_SUFFIX);
	known_list(&s->known, "example", SCOPE_SUFFIX);
	scene_freeze(s);
	scene_answer(s);
	size_t well_formed = 0;

	for (uint64_t seed = 0; seed < 20000; seed++) {
		struct dice d = { seed * HASH_K1 };
		dns_samples[seed % dns_samples_count].make(&s->build);
		for (unsigned changes = roll(&d, 4); changes > 0; changes--)
			s->build.at[roll(&d, (unsigned)s->build.len)] = (uint8_t)roll(&d, 256);
		if (dns_message_decode(&s->message, s->build.at, s->build.len) != DNS_OK)
			continue;
		check_whole(scene_observe(s), seed);
		well_formed++;
	}
	cr_assert_gt(well_formed, 3000, "%zu", well_formed);
	scene_free(s);
}

/* --- more than one question ---------------------------------------------------------------------- */

Test(observe, a_further_question_is_kept_when_its_name_is_listed)
{
	struct scene *s = scene_new();
	known_list(&s->known, "evil.example", SCOPE_SUFFIX);
	scene_freeze(s);

	for (int response = 0; response < 2; response++) {
		build_start(&s->build, 1, response ? DNS_FLAG_QR : 0);
		build_question(&s->build, "a.example", DNS_TYPE_A, DNS_CLASS_IN);
		build_question(&s->build, "b.example", DNS_TYPE_A, DNS_CLASS_IN);
		build_question(&s->build, "c2.evil.example", DNS_TYPE_AAAA, DNS_CLASS_IN);
		if (response)
			build_cname(&s->build, "d.example", 60);
		const struct observation *o = scene_observe(s);
		cr_assert_eq(o->name_count, 1 + response);
		cr_assert_str_eq(name_text(o, 0), "c2.evil.example");
		cr_assert_eq(observation_names(o)[0].section, OBSERVATION_QUESTION);
		cr_assert_eq(observation_names(o)[0].type, DNS_TYPE_AAAA);
		cr_assert_eq(o->match_count, 1);
		cr_assert_eq(observation_matches(o)[0].name, 1);
		if (response) {
			cr_assert_str_eq(name_text(o, 1), "d.example");
			cr_assert_eq(observation_names(o)[1].section, DNS_ANSWER);
		}
		scene_answer(s);
	}
	scene_free(s);
}

Test(observe, no_number_of_questions_hides_a_listed_name_or_an_answer)
{
	struct scene *s = scene_new();
	char name[64];
	known_list(&s->known, "evil.example", SCOPE_SUFFIX);
	scene_freeze(s);

	build_start(&s->build, 1, DNS_FLAG_QR);
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "q%d.%s", i, i < 150 ? "example" : "evil.example");
		build_question(&s->build, name, DNS_TYPE_A, DNS_CLASS_IN);
	}
	for (int i = 0; i < 40; i++)
		build_cname(&s->build, "x.example", 60);
	const struct observation *o = scene_observe(s);
	cr_assert_eq(o->name_count, OBSERVATION_NAMES_MAX);
	cr_assert_eq(o->match_count, 8);
	cr_assert_str_eq(name_text(o, 0), "q150.evil.example");
	cr_assert_eq(observation_names(o)[7].section, OBSERVATION_QUESTION);
	cr_assert_eq(observation_names(o)[8].section, DNS_ANSWER);
	scene_free(s);
}

Test(observe, the_second_question_of_an_update_is_none)
{
	struct scene *s = scene_new();
	known_list(&s->known, "evil.example", SCOPE_SUFFIX);
	scene_freeze(s);

	build_start(&s->build, 1, DNS_OPCODE_UPDATE << 11);
	build_question(&s->build, "a.example", DNS_TYPE_SOA, DNS_CLASS_IN);
	build_question(&s->build, "evil.example", DNS_TYPE_SOA, DNS_CLASS_IN);
	cr_assert_eq(scene_observe(s)->name_count, 0);
	scene_free(s);
}
