/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/rules/updates.h"

#include "tests/support/dns_build.h"

#include <string.h>

#include <criterion/criterion.h>

static void put_address(struct dns_build *b, const char *text)
{
	struct ip ip;

	cr_assert(ip_parse(&ip, text), "%s", text);
	build_octets(b, ip_is_v4(&ip) ? ip.bytes + 12 : ip.bytes, ip_is_v4(&ip) ? 4 : 16);
}

static void put_data(struct dns_build *b, uint16_t type, const char *data)
{
	switch (type) {
	case DNS_TYPE_A:
		put_address(b, data ? data : "10.1.0.7");
		return;
	case DNS_TYPE_AAAA:
		put_address(b, data ? data : "2001:db8::7");
		return;
	case DNS_TYPE_TXT:
		build_u8(b, (unsigned)strlen(data ? data : "x"));
		build_octets(b, data ? data : "x", strlen(data ? data : "x"));
		return;
	case DNS_TYPE_DHCID:
		build_octets(b, data ? data : "\0\1\1client", data ? strlen(data) : 9);
		return;
	case DNS_TYPE_SRV:
		build_u32(b, 100);
		build_u16(b, 389);
		break;
	case DNS_TYPE_MX:
		build_u16(b, 10);
		break;
	default:
		break;
	}
	build_name(b, data ? data : "host.corp.example");
}

static void put_change(struct dns_build *b, const struct update_record *r)
{
	uint16_t type = r->type ? r->type : DNS_TYPE_A;
	bool whole_name = r->verb == UPDATE_DELETE_NAME;
	bool has_data = r->verb == UPDATE_ADD || r->verb == UPDATE_DELETE_RECORD;
	unsigned class = DNS_CLASS_ANY;

	if (r->verb == UPDATE_ADD)
		class = DNS_CLASS_IN;
	if (r->verb == UPDATE_DELETE_RECORD)
		class = DNS_CLASS_NONE;
	build_record(b, BUILD_AUTHORITY, r->name, whole_name ? DNS_TYPE_ANY : type, class,
		r->verb == UPDATE_ADD ? 1200 : 0);
	if (has_data)
		put_data(b, type, r->data);
	build_record_end(b);
}

static void put_prerequisite(struct dns_build *b, const struct update_condition_record *p)
{
	uint16_t type = p->type ? p->type : DNS_TYPE_CNAME;
	unsigned class = DNS_CLASS_ANY;

	if (p->condition == UPDATE_NAME_IN_USE || p->condition == UPDATE_NAME_IS_UNUSED)
		type = DNS_TYPE_ANY;
	if (p->condition == UPDATE_RRSET_ABSENT || p->condition == UPDATE_NAME_IS_UNUSED)
		class = DNS_CLASS_NONE;
	if (p->condition == UPDATE_RRSET_EQUALS)
		class = DNS_CLASS_IN;
	build_record(b, BUILD_ANSWER, p->name, type, class, 0);
	if (p->condition == UPDATE_RRSET_EQUALS)
		put_data(b, type, p->data);
	build_record_end(b);
}

static void put_time(struct dns_build *b, int64_t time_s)
{
	build_u16(b, (unsigned)(time_s >> 32));
	build_u32(b, (uint32_t)time_s);
}

static void put_tsig(struct dns_build *b, const struct update_spec *s)
{
	const struct update_signed *t = &s->tsig;

	build_record(b, BUILD_ADDITIONAL, t->key ? t->key : "key.example", DNS_TYPE_TSIG,
		DNS_CLASS_ANY, 0);
	build_name(b, t->algorithm ? t->algorithm : "gss-tsig");
	put_time(b, t->time_s ? t->time_s : (WORLD_START_NS / NS_PER_S) + s->at_ms / 1000);
	build_u16(b, 36000);
	build_u16(b, t->mac_len);
	for (unsigned i = 0; i < t->mac_len; i++)
		build_u8(b, i < 3 ? t->mac_first[i] : 7);
	build_u16(b, 1);
	build_u16(b, t->error);
	build_u16(b, t->server_time_s ? 6 : 0);
	if (t->server_time_s)
		put_time(b, t->server_time_s);
	build_record_end(b);
}

static void put_sections(struct dns_build *b, const struct update_spec *s)
{
	static const struct update_condition_record no_alias = { UPDATE_RRSET_ABSENT, NULL, 0,
		NULL };

	if (!s->prerequisite[0].name)
		put_prerequisite(b, &no_alias);
	for (size_t i = 0; i < ARRAY_LEN(s->prerequisite) && s->prerequisite[i].name; i++)
		put_prerequisite(b, &s->prerequisite[i]);
	for (size_t i = 0; i < ARRAY_LEN(s->add) && s->add[i].name; i++)
		put_change(b, &s->add[i]);
}

void updates_see(struct rig *r, const struct update_spec *s)
{
	static struct dns_build b;
	const char *zone = s->zone ? s->zone : "corp.example";
	uint16_t id = s->id ? s->id : 1;

	build_start(&b, id, 0x2800u | (s->response ? 0x8000u : 0) | s->rcode);
	if (!s->empty) {
		build_question(&b, zone, DNS_TYPE_SOA, DNS_CLASS_IN);
		put_sections(&b, s);
	}
	if (s->signature)
		put_tsig(&b, s);
	rig_see(r, &(struct message){
			   .at_ms = s->at_ms,
			   .client = s->client,
			   .server = s->server,
			   .client_port = s->port,
			   .id = id,
			   .qname = s->empty ? NULL : zone,
			   .qtype = DNS_TYPE_SOA,
			   .opcode = DNS_OPCODE_UPDATE,
			   .response = s->response,
			   .rcode = s->rcode,
			   .signature = s->signature,
			   .no_rd = true,
			   .tcp = s->tcp,
			   .tenant = s->tenant,
			   .unmapped = s->unmapped,
			   .wire = b.at,
			   .wire_len = b.len,
		   });
}

void updates_send_signed(struct rig *r, const struct update_spec *request, uint16_t rcode,
	const struct update_signed *tsig)
{
	struct update_spec s = *request;

	updates_see(r, &s);
	s.at_ms += 5;
	s.response = true;
	s.empty = true;
	s.rcode = rcode;
	s.signature = tsig != NULL;
	if (tsig)
		s.tsig = *tsig;
	updates_see(r, &s);
}

/* A signed request gets a signed response: the MAC of another than the request's. */
void updates_send(struct rig *r, const struct update_spec *request, uint16_t rcode)
{
	struct update_signed tsig = request->tsig;

	tsig.mac_first[2] |= 1;
	tsig.mac_first[1] ^= 0x40;
	if (tsig.mac_first[0] == 4)
		tsig.mac_first[1] = 4;
	updates_send_signed(r, request, rcode, request->signature ? &tsig : NULL);
}
