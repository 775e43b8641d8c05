/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dns/oracle.h"

#include <stdlib.h>

/* Where the record at `pos` ends by its own RDLENGTH; 0 when that cannot be told. */
static size_t end_of_record(const uint8_t *wire, size_t wire_len, size_t pos)
{
	ldns_rdf *owner = NULL;

	if (ldns_wire2dname(&owner, wire, wire_len, &pos) != LDNS_STATUS_OK)
		return 0;
	ldns_rdf_deep_free(owner);
	if (pos + 10 > wire_len)
		return 0;
	return pos + 10 + ldns_read_uint16(wire + pos + 8);
}

static void read_section(struct oracle *o, const uint8_t *wire, size_t wire_len, size_t *pos,
	ldns_pkt_section section, unsigned count)
{
	for (unsigned i = 0; i < count && o->status == LDNS_STATUS_OK; i++) {
		size_t end = section == LDNS_SECTION_QUESTION
				     ? 0
				     : end_of_record(wire, wire_len, *pos);
		ldns_rr *rr;
		o->status = ldns_wire2rr(&rr, wire, wire_len, pos, section);
		if (o->status != LDNS_STATUS_OK)
			return;
		if (end && *pos != end && o->lost_at == SIZE_MAX)
			o->lost_at = o->count;
		o->rr[o->count++] = rr;
	}
}

struct oracle oracle_read(const uint8_t *wire, size_t wire_len)
{
	struct oracle o = { .status = LDNS_STATUS_OK, .lost_at = SIZE_MAX };
	size_t pos = LDNS_HEADER_SIZE;

	if (wire_len < LDNS_HEADER_SIZE) {
		o.status = LDNS_STATUS_WIRE_INCOMPLETE_HEADER;
		return o;
	}
	/* A question takes five octets at least. */
	o.rr = calloc(wire_len / 5 + 1, sizeof(*o.rr));
	if (!o.rr)
		abort();
	read_section(&o, wire, wire_len, &pos, LDNS_SECTION_QUESTION, LDNS_QDCOUNT(wire));
	read_section(&o, wire, wire_len, &pos, LDNS_SECTION_ANSWER, LDNS_ANCOUNT(wire));
	read_section(&o, wire, wire_len, &pos, LDNS_SECTION_AUTHORITY, LDNS_NSCOUNT(wire));
	read_section(&o, wire, wire_len, &pos, LDNS_SECTION_ADDITIONAL, LDNS_ARCOUNT(wire));
	return o;
}

void oracle_deinit(struct oracle *o)
{
	for (size_t i = 0; i < o->count; i++)
		ldns_rr_free(o->rr[i]);
	free(o->rr);
	o->rr = NULL;
	o->count = 0;
}
