/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/dns/tkey.h"

static bool read_rdata(
	struct dns_tkey *out, const struct dns_message *m, const struct dns_record *r)
{
	/* The name of the algorithm is not compressed, so it ends within these octets. */
	struct cursor c = cursor_init(m->wire + r->rdata_at, r->rdata_len);

	if (dns_name_skip(&c, m->wire + r->rdata_at))
		return false;
	out->inception_s = cursor_be32(&c);
	out->expiration_s = cursor_be32(&c);
	out->mode = cursor_be16(&c);
	out->error = cursor_be16(&c);
	out->key_len = cursor_be16(&c);
	(void)cursor_take(&c, out->key_len);
	return !c.failed;
}

bool dns_tkey_read(struct dns_tkey *out, const struct dns_message *m)
{
	enum dns_section section = dns_is_response(m) ? DNS_ANSWER : DNS_ADDITIONAL;

	for (unsigned i = 0; i < m->record_count; i++) {
		const struct dns_record *r = &m->record[i];
		if (r->type == DNS_TYPE_TKEY && r->section == section)
			return read_rdata(out, m, r);
	}
	return false;
}
