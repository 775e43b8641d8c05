/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/dns/opaque.h"

#include <stdlib.h>
#include <string.h>

/*
 * libldns gets a copy of the record in which names are already expanded: it would follow
 * pointers forwards and thousands of times, and a name that it expands may reach out of RDATA.
 * What it then does not read to the end is refused here.
 */

/* Octets that a field before the last name of an RDATA takes; 0 for one that runs to the end.
 */
static size_t field_len(ldns_rdf_type field, const struct cursor *c)
{
	struct cursor ahead = *c;

	switch (field) {
	case LDNS_RDF_TYPE_INT8:
	case LDNS_RDF_TYPE_ALG:
		return 1;
	case LDNS_RDF_TYPE_INT16:
	case LDNS_RDF_TYPE_TYPE:
		return 2;
	case LDNS_RDF_TYPE_INT32:
	case LDNS_RDF_TYPE_TIME:
		return 4;
	case LDNS_RDF_TYPE_STR:
		return 1 + (size_t)cursor_u8(&ahead);
	default:
		return 0;
	}
}

/* A record under construction: root owner, type, class, TTL, RDLENGTH, RDATA. */
struct record_copy {
	uint8_t *octets;
	size_t len;
};

#define COPY_FIXED_LEN 11
#define COPY_NAMES_MAX 2 /* names in one RDATA of any type that libldns knows */

static void copy_add(struct record_copy *copy, const uint8_t *octets, size_t len)
{
	memcpy(copy->octets + copy->len, octets, len);
	copy->len += len;
}

/* RDATA at the cursor with its names expanded; false when a name or a field is broken. */
static bool copy_rdata(struct record_copy *copy, const ldns_rr_descriptor *type,
	struct cursor *c, const uint8_t *wire)
{
	unsigned names = 0;

	for (size_t i = 0; i < ldns_rr_descriptor_maximum(type) && cursor_left(c) > 0; i++) {
		ldns_rdf_type field = ldns_rr_descriptor_field_type(type, i);
		if (field == LDNS_RDF_TYPE_DNAME) {
			struct dns_name name;
			if (++names > COPY_NAMES_MAX || dns_name_decode(&name, c, wire))
				return false;
			copy_add(copy, name.wire, name.wire_len);
			continue;
		}
		size_t len = field_len(field, c);
		if (len == 0)
			break;
		const uint8_t *octets = cursor_take(c, len);
		if (!octets)
			return false;
		copy_add(copy, octets, len);
	}
	size_t rest_len = cursor_left(c);
	copy_add(copy, cursor_take(c, rest_len), rest_len);
	return true;
}

ldns_rr *opaque_parse(const struct dns_message *m, const struct dns_record *r)
{
	const ldns_rr_descriptor *type = ldns_rr_descript(r->type);
	struct cursor c = cursor_init(m->wire + r->rdata_at, r->rdata_len);
	struct record_copy copy = { .len = COPY_FIXED_LEN };
	ldns_rr *rr = NULL;
	size_t pos = 0;

	copy.octets = calloc(1, COPY_FIXED_LEN + r->rdata_len + COPY_NAMES_MAX * DNS_NAME_MAX);
	if (!copy.octets)
		return NULL;
	if (!copy_rdata(&copy, type, &c, m->wire) || copy.len - COPY_FIXED_LEN > UINT16_MAX)
		goto out;
	ldns_write_uint16(copy.octets + 1, r->type);
	ldns_write_uint16(copy.octets + 3, LDNS_RR_CLASS_IN);
	ldns_write_uint16(copy.octets + 9, (uint16_t)(copy.len - COPY_FIXED_LEN));
	if (ldns_wire2rr(&rr, copy.octets, copy.len, &pos, LDNS_SECTION_ANSWER) !=
		LDNS_STATUS_OK) {
		rr = NULL;
		goto out;
	}
	if (pos != copy.len || ldns_rr_rd_count(rr) < ldns_rr_descriptor_minimum(type)) {
		ldns_rr_free(rr);
		rr = NULL;
	}
out:
	free(copy.octets);
	return rr;
}
