/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/dns/update.h"

#include "sensor/dns/opaque.h"
#include "sensor/dns/present.h"

#include <ldns/ldns.h>

#include <stdlib.h>
#include <string.h>

/*
 * The records are found by dns_message_decode and not by ldns_wire2pkt, for three reasons: that
 * leaks all but the last of several TSIG records, it reads the record after an overlong RDATA
 * from inside that RDATA, and it accepts empty RDATA of any class. libldns reads the single
 * record: the RDATA to present, and the fields of TSIG and SIG(0).
 */

static char *text_of(struct text *t)
{
	if (t->failed)
		return NULL;
	return strdup(t->at ? t->at : "");
}

static char *name_text(const struct dns_name *name)
{
	char text[DNS_NAME_TEXT_MAX];

	dns_name_format(name, text);
	return strdup(text);
}

static char *owner_text(const struct dns_message *m, const struct dns_record *r)
{
	struct dns_name owner;

	dns_message_name(m, r->owner_at, &owner);
	return name_text(&owner);
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

static bool read_change(
	struct update_change *out, const struct dns_message *m, const struct dns_record *r)
{
	struct text rdata = { 0 };

	out->verb = verb_of(r);
	out->type = r->type;
	out->ttl = r->ttl;
	out->name = owner_text(m, r);
	present_rdata(&rdata, m, r);
	out->rdata = text_of(&rdata);
	text_deinit(&rdata);
	return out->name && out->rdata;
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

static char *name_at(const ldns_rr *rr, size_t field)
{
	const ldns_rdf *rdf = ldns_rr_rdf(rr, field);
	char text[DNS_NAME_TEXT_MAX];

	if (!rdf)
		return NULL;
	dns_name_format_wire(ldns_rdf_data(rdf), ldns_rdf_size(rdf), text);
	return strdup(text);
}

/* RFC 8945 4.2: algorithm, time, fudge, MAC, original id, error, other. RFC 3645 names the GSS
 * ones. */
static bool read_tsig(struct update *u, const struct dns_message *m, const struct dns_record *r,
	const ldns_rr *tsig)
{
	u->key_name = owner_text(m, r);
	u->algorithm = name_at(tsig, 0);
	if (!u->key_name || !u->algorithm)
		return false;
	u->signature = strcmp(u->algorithm, "gss-tsig") == 0 ||
				       strcmp(u->algorithm, "gss.microsoft.com") == 0
			       ? UPDATE_GSS_TSIG
			       : UPDATE_TSIG;
	u->signed_at_s = number_at(tsig, 1);
	u->fudge_s = (uint16_t)number_at(tsig, 2);
	/* The MAC's field begins with its length in two octets. */
	u->mac_len = (uint16_t)(ldns_rdf_size(ldns_rr_rdf(tsig, 3)) - 2);
	u->original_id = (uint16_t)number_at(tsig, 4);
	u->tsig_error = (uint16_t)number_at(tsig, 5);
	return true;
}

/*
 * RFC 2931 3 with the fields of RFC 2535 4.1: type covered, algorithm, labels, original TTL,
 * expiration, inception, key tag, signer, signature.
 */
static bool read_sig0(struct update *u, const ldns_rr *sig)
{
	uint8_t number = (uint8_t)number_at(sig, 1);
	const ldns_lookup_table *known = ldns_lookup_by_id(ldns_algorithms, number);
	struct text algorithm = { 0 };

	u->signature = UPDATE_SIG0;
	u->key_name = name_at(sig, 7);
	if (known)
		text_puts(&algorithm, known->name);
	else
		text_put_u64(&algorithm, number);
	u->algorithm = text_of(&algorithm);
	text_deinit(&algorithm);
	u->signed_at_s = number_at(sig, 5);
	u->mac_len = (uint16_t)ldns_rdf_size(ldns_rr_rdf(sig, 8));
	return u->key_name && u->algorithm;
}

/* The last additional record, which dns_message_decode found to be a signature. */
static bool read_signature(
	struct update *u, const struct dns_message *m, const struct dns_record *r)
{
	ldns_rr *rr = opaque_parse(m, r);
	bool read;

	if (!rr)
		return false;
	if (r->type == DNS_TYPE_TSIG)
		read = read_tsig(u, m, r, rr);
	else
		read = read_sig0(u, rr);
	ldns_rr_free(rr);
	return read;
}

static bool read_records(struct update *u, const struct dns_message *m)
{
	struct dns_records it = dns_records_start(m);
	struct dns_record last = { 0 };
	const struct dns_record *r;

	while ((r = dns_records_next(&it))) {
		if (r->section == DNS_ANSWER)
			u->prerequisite_count++;
		if (r->section == DNS_AUTHORITY &&
			!read_change(&u->change[u->change_count++], m, r))
			return false;
		last = *r;
	}
	return !m->has_tsig || read_signature(u, m, &last);
}

struct update *update_decode(const uint8_t *wire, size_t wire_len)
{
	struct dns_message m;

	if (dns_message_decode(&m, wire, wire_len) || m.opcode != DNS_OPCODE_UPDATE)
		return NULL;
	struct update *u = calloc(1, sizeof(*u));
	if (!u)
		return NULL;
	u->signature = UPDATE_UNSIGNED;
	u->original_id = m.id;
	u->zone_valid = m.count[0] == 1 && m.qtype == DNS_TYPE_SOA;
	u->zone = name_text(&m.qname);
	/* One more than needed: calloc of none may return NULL. */
	u->change = calloc((size_t)m.count[2] + 1, sizeof(*u->change));
	if (!u->zone || !u->change || !read_records(u, &m)) {
		update_free(u);
		return NULL;
	}
	return u;
}

void update_free(struct update *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < u->change_count; i++) {
		free(u->change[i].name);
		free(u->change[i].rdata);
	}
	free(u->change);
	free(u->zone);
	free(u->key_name);
	free(u->algorithm);
	free(u);
}
