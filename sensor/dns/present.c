/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/dns/present.h"

#include "sensor/dns/opaque.h"
#include "sensor/dns/present_part.h"
#include "sensor/dns/rdata.h"
#include "sensor/dns/svcb.h"

#include <ldns/ldns.h>

static void put_wire_name(struct text *out, const uint8_t *wire, size_t wire_len)
{
	if (text_reserve(out, DNS_NAME_TEXT_MAX))
		out->len += dns_name_format_wire(wire, wire_len, out->at + out->len);
}

/* The name at the cursor, which steps past it. */
static void put_name(struct text *out, struct cursor *c, const uint8_t *wire)
{
	struct dns_name name;

	if (dns_name_decode(&name, c, wire) == DNS_OK)
		put_wire_name(out, name.wire, name.wire_len);
}

static void put_u16(struct text *out, struct cursor *c)
{
	text_put_u64(out, cursor_be16(c));
	text_putc(out, ' ');
}

static void put_soa(struct text *out, struct cursor *c, const uint8_t *wire)
{
	put_name(out, c, wire);
	text_putc(out, ' ');
	put_name(out, c, wire);
	for (int i = 0; i < 5; i++) {
		text_putc(out, ' ');
		text_put_u64(out, cursor_be32(c));
	}
}

static void put_strings(struct text *out, struct cursor *c)
{
	while (cursor_left(c) > 0) {
		size_t len = cursor_u8(c);
		struct cursor string = cursor_sub(c, len);
		present_string(out, &string);
		if (cursor_left(c) > 0)
			text_putc(out, ' ');
	}
}

/* What libldns wrote, with anything but printable ASCII escaped and no blanks at the end. */
static void put_printed(struct text *out, ldns_buffer *printed)
{
	const uint8_t *octets = ldns_buffer_begin(printed);
	size_t len = ldns_buffer_position(printed);

	while (len > 0 && octets[len - 1] == ' ')
		len--;
	for (size_t i = 0; i < len; i++) {
		if (octets[i] >= 0x20 && octets[i] <= 0x7e)
			text_putc(out, (char)octets[i]);
		else
			present_octet(out, octets[i]);
	}
}

static bool put_fields(struct text *out, const ldns_rr *rr, ldns_buffer *scratch)
{
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *field = ldns_rr_rdf(rr, i);
		if (i > 0)
			text_putc(out, ' ');
		if (ldns_rdf_get_type(field) == LDNS_RDF_TYPE_DNAME) {
			put_wire_name(out, ldns_rdf_data(field), ldns_rdf_size(field));
			continue;
		}
		ldns_buffer_clear(scratch);
		if (ldns_rdf2buffer_str(scratch, field) != LDNS_STATUS_OK)
			return false;
		put_printed(out, scratch);
	}
	return true;
}

/* Through libldns; false, with nothing appended, when it cannot. */
static bool put_parsed(
	struct text *out, const struct dns_message *m, const struct dns_record *r)
{
	size_t before = out->len;
	bool done = false;

	/* A type it does not know has one field that it would write as \# too. */
	if (ldns_rr_descript(r->type)->_type != (ldns_rr_type)r->type)
		return false;
	ldns_rr *rr = opaque_parse(m, r);
	ldns_buffer *scratch = ldns_buffer_new(512);
	if (rr && scratch)
		done = put_fields(out, rr, scratch);
	ldns_buffer_free(scratch);
	ldns_rr_free(rr);
	if (!done)
		out->len = before;
	return done;
}

static void put_svcb(struct text *out, struct cursor *c, const uint8_t *wire)
{
	put_u16(out, c);
	put_name(out, c, wire);
	svcb_present_params(out, c);
}

void present_rdata(struct text *out, const struct dns_message *m, const struct dns_record *r)
{
	struct cursor c = cursor_init(m->wire + r->rdata_at, r->rdata_len);

	/* "Delete" and "exists" in an UPDATE have none. */
	if (r->rdata_len == 0)
		return;
	switch (dns_shape_of(r->type)) {
	case SHAPE_A:
		present_ipv4(out, m->wire + r->rdata_at);
		return;
	case SHAPE_AAAA:
		present_ipv6(out, m->wire + r->rdata_at);
		return;
	case SHAPE_SRV:
		put_u16(out, &c);
		put_u16(out, &c);
		/* fall through */
	case SHAPE_MX:
		put_u16(out, &c);
		/* fall through */
	case SHAPE_NAME:
		put_name(out, &c, m->wire);
		return;
	case SHAPE_SOA:
		put_soa(out, &c, m->wire);
		return;
	case SHAPE_SVCB:
		put_svcb(out, &c, m->wire);
		return;
	case SHAPE_TXT:
		put_strings(out, &c);
		return;
	case SHAPE_OPAQUE:
		if (put_parsed(out, m, r))
			return;
		break;
	case SHAPE_OPT:
		break;
	}
	present_unknown(out, m->wire + r->rdata_at, r->rdata_len);
}
