/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"

const struct intake_format intake_formats[FEED_FORMAT_COUNT] = {
	[FEED_AUTO] = { .name = "auto" },
	[FEED_DOMAINS] = { "domains", domains_read_line, .bare_names = true },
	[FEED_HOSTS] = { "hosts", hosts_read_line, .names_only = true },
	[FEED_ADBLOCK] = { "adblock", adblock_read_line },
	[FEED_RPZ] = { "rpz", rpz_read_line, &rpz_state_bytes, rpz_finish },
	[FEED_CSV] = { "csv", csv_read_line, &csv_state_bytes, csv_finish },
	[FEED_URLS] = { "urls", urls_read_line },
	[FEED_DNSMASQ] = { "dnsmasq", dnsmasq_read_line, .names_only = true },
	[FEED_UNBOUND] = { "unbound", unbound_read_line, .names_only = true },
	[FEED_MALTRAIL] = { "maltrail", maltrail_read_line, &maltrail_state_bytes },
	[FEED_SURICATA] = { "suricata", suricata_read_line },
	[FEED_MISP] = { "misp", csv_read_line, &csv_state_bytes, csv_finish,
		misp_read_document },
	[FEED_STIX] = { "stix", NULL, NULL, NULL, stix_read_document },
	[FEED_SHIPPED] = { "shipped", list_read_line, .names_only = true },
};

static const struct {
	const char *name;
	bool broken;
	const char *meaning;
} rejects[FEED_REJECT_COUNT] = {
#define FEED_REJECT(id, text, damage, explanation)                                             \
	[FEED_REJECT_##id] = { text, damage, explanation },
#include "feeds/rejects.def"
#undef FEED_REJECT
};

uint64_t feed_report_accepted(const struct feed_report *r)
{
	return r->accepted[SCOPE_SUFFIX] + r->accepted[SCOPE_EXACT] + r->accepted[SCOPE_BELOW] +
	       r->addresses;
}

uint64_t feed_report_rejected(const struct feed_report *r)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < FEED_REJECT_COUNT; i++)
		sum += r->rejected[i];
	return sum;
}

const char *feed_format_name(enum feed_format format)
{
	return format < FEED_FORMAT_COUNT ? intake_formats[format].name : "unknown";
}

bool feed_format_parse(enum feed_format *out, const char *text)
{
	for (size_t i = 0; i < FEED_FORMAT_COUNT; i++) {
		if (strcmp(text, intake_formats[i].name) == 0) {
			*out = (enum feed_format)i;
			return true;
		}
	}
	return false;
}

const char *feed_reject_name(enum feed_reject reject)
{
	return reject < FEED_REJECT_COUNT ? rejects[reject].name : "accepted";
}

const char *feed_reject_meaning(enum feed_reject reject)
{
	return reject < FEED_REJECT_COUNT ? rejects[reject].meaning : "taken";
}

bool feed_reject_is_broken(enum feed_reject reject)
{
	return reject < FEED_REJECT_COUNT && rejects[reject].broken;
}
