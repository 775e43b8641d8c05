/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/dns/update_words.h"

#include <string.h>

const char *update_signature_name(enum update_signature signature)
{
	static const char *const name[] = {
		[UPDATE_UNSIGNED] = "none",
		[UPDATE_TSIG] = "tsig",
		[UPDATE_GSS_TSIG] = "gss-tsig",
		[UPDATE_SIG0] = "sig0",
	};

	return signature < ARRAY_LEN(name) ? name[signature] : "unknown";
}

/* RDATA may be 64 kB: what is longer is cut. */
static void put_rdata(struct text *out, const char *rdata)
{
	size_t len = strnlen(rdata, UPDATE_WORDS_RDATA_MAX + 1);

	text_putc(out, ' ');
	if (len <= UPDATE_WORDS_RDATA_MAX) {
		text_puts(out, rdata);
		return;
	}
	text_add(out, rdata, UPDATE_WORDS_RDATA_MAX);
	text_puts(out, "...");
}

void update_put_change(struct text *out, const struct update_change *change)
{
	char type[16];

	text_puts(out, change->verb == UPDATE_ADD ? "add " : "delete ");
	text_puts(out, change->name);
	if (change->verb == UPDATE_DELETE_NAME) {
		text_puts(out, ", all types");
		return;
	}
	text_putc(out, ' ');
	text_puts(out, dns_type_name(change->type, type));
	if (change->verb == UPDATE_DELETE_RRSET)
		text_puts(out, ", all records");
	else
		put_rdata(out, change->rdata);
	if (change->verb == UPDATE_ADD)
		text_printf(out, " (TTL %u)", change->ttl);
}

void update_put_prerequisite(struct text *out, const struct update_prerequisite *p)
{
	char number[16];
	const char *type = dns_type_name(p->type, number);

	text_puts(out, p->name);
	switch (p->condition) {
	case UPDATE_RRSET_EXISTS:
		text_printf(out, " has %s records", type);
		break;
	case UPDATE_RRSET_EQUALS:
		text_printf(out, " has %s", type);
		put_rdata(out, p->rdata);
		break;
	case UPDATE_RRSET_ABSENT:
		text_printf(out, " has no %s records", type);
		break;
	case UPDATE_NAME_IN_USE:
		text_puts(out, " is in use");
		break;
	case UPDATE_NAME_IS_UNUSED:
		text_puts(out, " is not in use");
		break;
	}
}
