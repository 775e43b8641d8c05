/* SPDX-License-Identifier: BSD-2-Clause */
/* What is made of a message: whose it is, who asked whom, and what of it is kept. */
#include <criterion/criterion.h>
#include <netinet/in.h>

#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"
#include "tests/unit/pipeline/observe_rig.h"

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

static const char *ip_text(const struct ip *ip)
{
	static char text[IP_TEXT_MAX];

	return ip_format(ip, text);
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
