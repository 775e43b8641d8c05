/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/dns/update.h"

#include "sensor/dns/opaque.h"
#include "sensor/dns/present.h"

#include <ldns/ldns.h>

#include <string.h>

/*
 * The records are found by dns_message_decode and not by ldns_wire2pkt, for three reasons: that
 * leaks all but the last of several TSIG records, it reads the record after an overlong RDATA
 * from inside that RDATA, and it accepts empty RDATA of any class. libldns reads the single
 * record: the RDATA to present, and the fields of SIG(0). A TSIG, which most UPDATEs have, is
 * read in place.
 *
 * All of an update is in one arena, mostly in one piece of memory: it is made and freed for
 * each message.
 */

/* Room for this many octets of text for one octet of the message: names are written out, yet
 * most records are compressed. More than that takes a second piece of memory. */
#define TEXT_PER_OCTET 4

struct reading {
	const struct dns_message *m;
	struct update *u;
	struct text scratch; /* for RDATA */
	/* Most records of an UPDATE have the same owner. */
	uint16_t owner_at;
	const char *owner;
};

static const char *keep_name(struct update *u, const struct dns_name *name)
{
	char text[DNS_NAME_TEXT_MAX];
	size_t len = dns_name_format(name, text);

	return arena_text(&u->arena, text, len);
}

/* The name that a compression pointer at this offset stands for, or the offset itself. */
static uint16_t name_place(const struct dns_message *m, uint16_t at)
{
	const uint8_t *octet = m->wire + at;

	return octet[0] >= 0xc0 ? (uint16_t)((octet[0] & 0x3f) << 8 | octet[1]) : at;
}

static const char *owner_text(struct reading *in, const struct dns_record *r)
{
	uint16_t at = name_place(in->m, r->owner_at);
	struct dns_name owner;

	if (in->owner && in->owner_at == at)
		return in->owner;
	dns_message_name(in->m, r->owner_at, &owner);
	in->owner_at = at;
	in->owner = keep_name(in->u, &owner);
	return in->owner;
}

static const char *rdata_text(struct reading *in, const struct dns_record *r)
{
	if (r->rdata_len == 0)
		return "";
	text_clear(&in->scratch);
	present_rdata(&in->scratch, in->m, r);
	if (in->scratch.failed)
		return NULL;
	return arena_text(&in->u->arena, in->scratch.at ? in->scratch.at : "", in->scratch.len);
}

static void note_fault(struct update *u, bool is_wrong, enum update_fault fault)
{
	if (is_wrong && !u->fault)
		u->fault = fault;
}

/* --- records ------------------------------------------------------------------------------ */

/* Types of questions and of what travels beside a zone's data: 128..255 (RFC 6895 3.1), OPT. */
static bool is_meta_type(uint16_t type)
{
	return (type >= 128 && type <= DNS_TYPE_ANY) || type == DNS_TYPE_OPT;
}

/* A zone's class is IN, CH or HS; ANY and NONE say what is meant. */
static bool is_data_class(uint16_t class)
{
	return class != DNS_CLASS_ANY && class != DNS_CLASS_NONE;
}

/* RFC 2136 2.4: the class tells what is asked. */
static enum update_condition condition_of(const struct dns_record *r)
{
	if (is_data_class(r->class))
		return UPDATE_RRSET_EQUALS;
	if (r->class == DNS_CLASS_ANY)
		return r->type == DNS_TYPE_ANY ? UPDATE_NAME_IN_USE : UPDATE_RRSET_EXISTS;
	return r->type == DNS_TYPE_ANY ? UPDATE_NAME_IS_UNUSED : UPDATE_RRSET_ABSENT;
}

static bool read_prerequisite(struct reading *in, const struct dns_record *r)
{
	struct update *u = in->u;
	struct update_prerequisite *out = &u->prerequisite[u->prerequisite_count++];
	bool is_value = is_data_class(r->class);

	out->condition = condition_of(r);
	out->type = r->type;
	out->name = owner_text(in, r);
	out->rdata = rdata_text(in, r);
	note_fault(u, is_value && r->class != in->m->qclass, UPDATE_FAULT_PREREQUISITE_CLASS);
	note_fault(u, r->ttl != 0, UPDATE_FAULT_PREREQUISITE_TTL);
	note_fault(u, is_value == (r->rdata_len == 0), UPDATE_FAULT_PREREQUISITE_RDATA);
	return out->name && out->rdata;
}

/* RFC 2136 2.5: the class tells what is done. */
static enum update_verb verb_of(const struct dns_record *r)
{
	if (r->class == DNS_CLASS_NONE)
		return UPDATE_DELETE_RECORD;
	if (r->class != DNS_CLASS_ANY)
		return UPDATE_ADD;
	return r->type == DNS_TYPE_ANY ? UPDATE_DELETE_NAME : UPDATE_DELETE_RRSET;
}

static bool read_change(struct reading *in, const struct dns_record *r)
{
	struct update *u = in->u;
	struct update_change *out = &u->change[u->change_count++];
	bool is_add = is_data_class(r->class);
	bool whole_name = r->class == DNS_CLASS_ANY && r->type == DNS_TYPE_ANY;

	out->verb = verb_of(r);
	out->type = r->type;
	out->ttl = r->ttl;
	out->name = owner_text(in, r);
	out->rdata = rdata_text(in, r);
	note_fault(u, is_add && r->class != in->m->qclass, UPDATE_FAULT_CHANGE_CLASS);
	note_fault(u, is_meta_type(r->type) && !whole_name, UPDATE_FAULT_CHANGE_TYPE);
	note_fault(u, !is_add && r->ttl != 0, UPDATE_FAULT_CHANGE_TTL);
	note_fault(u, r->class == DNS_CLASS_ANY && r->rdata_len > 0, UPDATE_FAULT_CHANGE_RDATA);
	return out->name && out->rdata;
}

/* --- signatures --------------------------------------------------------------------------- */

/* RFC 8945 5.2.3: the server's clock in six octets, when the error is BADTIME. */
static void read_server_time(struct update *u, struct cursor *other)
{
	uint64_t high = cursor_be16(other);
	uint64_t low = cursor_be32(other);

	if (u->tsig_error != DNS_RCODE_BADTIME || other->failed)
		return;
	u->has_server_time = true;
	u->server_time_s = high << 32 | low;
}

/* RFC 8945 4.2: algorithm, time, fudge, MAC, original id, error, other. RFC 3645 names the GSS
 * ones. */
static bool read_tsig(struct reading *in, const struct dns_record *r)
{
	struct update *u = in->u;
	struct cursor c = cursor_init(in->m->wire + r->rdata_at, r->rdata_len);
	struct dns_name algorithm;

	if (dns_name_decode(&algorithm, &c, in->m->wire) != DNS_OK)
		return false;
	u->key_name = owner_text(in, r);
	u->algorithm = keep_name(u, &algorithm);
	if (!u->key_name || !u->algorithm)
		return false;
	u->signature = strcmp(u->algorithm, "gss-tsig") == 0 ||
				       strcmp(u->algorithm, "gss.microsoft.com") == 0
			       ? UPDATE_GSS_TSIG
			       : UPDATE_TSIG;
	u->signed_at_s = (uint64_t)cursor_be16(&c) << 32;
	u->signed_at_s |= cursor_be32(&c);
	u->fudge_s = cursor_be16(&c);
	u->mac_len = cursor_be16(&c);
	const uint8_t *mac = cursor_take(&c, u->mac_len);
	u->original_id = cursor_be16(&c);
	u->tsig_error = cursor_be16(&c);
	uint16_t other_len = cursor_be16(&c);
	struct cursor other = cursor_sub(&c, other_len);
	if (c.failed || cursor_left(&c) > 0)
		return false;
	u->mac = (const uint8_t *)arena_text(&u->arena, (const char *)mac, u->mac_len);
	read_server_time(u, &other);
	return u->mac != NULL;
}

/* A number field of a record that libldns read; 0 when the record has no such field. */
static uint64_t number_at(const ldns_rr *rr, size_t field)
{
	const ldns_rdf *rdf = ldns_rr_rdf(rr, field);
	uint64_t number = 0;

	if (!rdf || ldns_rdf_size(rdf) > sizeof(number))
		return 0;
	for (size_t i = 0; i < ldns_rdf_size(rdf); i++)
		number = number << 8 | ldns_rdf_data(rdf)[i];
	return number;
}

/*
 * RFC 2931 3 with the fields of RFC 2535 4.1: type covered, algorithm, labels, original TTL,
 * expiration, inception, key tag, signer, signature.
 */
static bool read_sig0(struct reading *in, const struct dns_record *r)
{
	struct update *u = in->u;
	ldns_rr *sig = opaque_parse(in->m, r);
	char signer[DNS_NAME_TEXT_MAX];

	if (!sig)
		return false;
	uint8_t number = (uint8_t)number_at(sig, 1);
	const ldns_lookup_table *known = ldns_lookup_by_id(ldns_algorithms, number);
	const ldns_rdf *name = ldns_rr_rdf(sig, 7);
	text_clear(&in->scratch);
	if (known)
		text_puts(&in->scratch, known->name);
	else
		text_put_u64(&in->scratch, number);
	size_t len = dns_name_format_wire(ldns_rdf_data(name), ldns_rdf_size(name), signer);
	u->signature = UPDATE_SIG0;
	u->key_name = arena_text(&u->arena, signer, len);
	u->signed_at_s = number_at(sig, 5);
	u->mac_len = (uint16_t)ldns_rdf_size(ldns_rr_rdf(sig, 8));
	ldns_rr_free(sig);
	if (in->scratch.failed)
		return false;
	u->algorithm = arena_text(&u->arena, in->scratch.at, in->scratch.len);
	return u->key_name && u->algorithm;
}

/* The last additional record, which dns_message_decode found to be a signature. */
static bool read_signature(struct reading *in, const struct dns_record *r)
{
	return r->type == DNS_TYPE_TSIG ? read_tsig(in, r) : read_sig0(in, r);
}

/* --- the message -------------------------------------------------------------------------- */

static bool read_records(struct reading *in)
{
	struct dns_records it = dns_records_start(in->m);
	struct dns_record last = { 0 };
	const struct dns_record *r;

	while ((r = dns_records_next(&it))) {
		if (r->section == DNS_ANSWER && !read_prerequisite(in, r))
			return false;
		if (r->section == DNS_AUTHORITY && !read_change(in, r))
			return false;
		if (r->section == DNS_ADDITIONAL && r->owner_at < in->u->asked_len)
			in->u->asked_len = r->owner_at;
		last = *r;
	}
	return !in->m->has_tsig || read_signature(in, &last);
}

static struct update *make_update(const struct dns_message *m)
{
	struct arena arena = { 0 };
	size_t prerequisites = m->count[1] * sizeof(struct update_prerequisite);
	size_t changes = m->count[2] * sizeof(struct update_change);
	size_t hint = sizeof(struct update) + prerequisites + changes + 256 +
		      (size_t)m->wire_len * TEXT_PER_OCTET;
	struct update *u = arena_take(&arena, sizeof(*u), hint);

	if (!u)
		return NULL;
	u->prerequisite = arena_take(&arena, prerequisites, 0);
	u->change = arena_take(&arena, changes, 0);
	u->arena = arena;
	u->signature = UPDATE_UNSIGNED;
	u->original_id = m->id;
	u->asked_len = m->wire_len;
	u->zone_valid = m->count[0] == 1 && m->qtype == DNS_TYPE_SOA;
	u->zone = keep_name(u, &m->qname);
	note_fault(u, m->count[0] != 1, UPDATE_FAULT_ZONE_COUNT);
	note_fault(u, m->qtype != DNS_TYPE_SOA, UPDATE_FAULT_ZONE_TYPE);
	return u;
}

struct update *update_decode(const uint8_t *wire, size_t wire_len)
{
	struct dns_message m;

	if (dns_message_decode(&m, wire, wire_len) || m.opcode != DNS_OPCODE_UPDATE)
		return NULL;
	struct reading in = { .m = &m, .u = make_update(&m) };
	if (!in.u)
		return NULL;
	bool is_read = !in.u->arena.failed && read_records(&in);
	text_deinit(&in.scratch);
	if (!is_read) {
		update_free(in.u);
		return NULL;
	}
	return in.u;
}

void update_free(struct update *u)
{
	if (!u)
		return;
	struct arena arena = u->arena; /* the struct is in it */
	arena_deinit(&arena);
}

const char *update_fault_name(enum update_fault fault)
{
	static const char *const names[UPDATE_FAULT_COUNT] = {
		[UPDATE_FAULT_NONE] = "",
#define UPDATE_FAULT(id, name, meaning) [UPDATE_FAULT_##id] = name,
#include "sensor/dns/update_faults.def"
#undef UPDATE_FAULT
	};

	return names[fault];
}

const char *update_fault_meaning(enum update_fault fault)
{
	static const char *const meanings[UPDATE_FAULT_COUNT] = {
		[UPDATE_FAULT_NONE] = "",
#define UPDATE_FAULT(id, name, meaning) [UPDATE_FAULT_##id] = meaning,
#include "sensor/dns/update_faults.def"
#undef UPDATE_FAULT
	};

	return meanings[fault];
}
