/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/changelog.h"

#include "rules/observation.h"
#include "sensor/base/clock.h"
#include "sensor/base/hash.h"
#include "sensor/base/json.h"
#include "sensor/dns/message.h"
#include "sensor/dns/update_words.h"

#include <stdio.h>
#include <string.h>

/* Fixed: the id of a line must not change from run to run. */
static const uint64_t id_seeds[2] = { UINT64_C(0x64796e7761746368),
	UINT64_C(0x6368616e67656c67) };

static void make_id(char id[CHANGELOG_ID_LEN + 1], const char *bytes, size_t bytes_len)
{
	for (size_t half = 0; half < 2; half++) {
		uint64_t hash = hash_bytes(id_seeds[half], bytes, bytes_len);
		snprintf(id + 16 * half, 17, "%016llx", (unsigned long long)hash);
	}
}

static const char *result_name(uint8_t result)
{
	static const char *const name[] = {
		[ALERT_CHANGED] = "changed",
		[ALERT_ACCEPTED] = "accepted",
		[ALERT_FAILED] = "failed",
		[ALERT_UNANSWERED] = "unanswered",
	};

	return result < ARRAY_LEN(name) ? name[result] : "unknown";
}

static const char *verb_name(uint8_t verb)
{
	static const char *const name[] = {
		[ALERT_ADD] = "add",
		[ALERT_REPLACE] = "replace",
		[ALERT_DELETE] = "delete",
		[ALERT_TTL] = "ttl",
	};

	return verb < ARRAY_LEN(name) ? name[verb] : "unknown";
}

static const char *transport_name(uint8_t transport)
{
	static const char *const name[] = {
		[TRANSPORT_UDP] = "udp",
		[TRANSPORT_TCP] = "tcp",
		[TRANSPORT_DOT] = "dot",
		[TRANSPORT_DOH] = "doh",
		[TRANSPORT_DOQ] = "doq",
		[TRANSPORT_DNSCRYPT_UDP] = "dnscrypt-udp",
		[TRANSPORT_DNSCRYPT_TCP] = "dnscrypt-tcp",
	};

	return transport < ARRAY_LEN(name) ? name[transport] : "unknown";
}

static void put_text(struct json *j, const char *key, const struct alert *a, alert_text at)
{
	if (at)
		json_string(j, key, alert_get(a, at));
	else
		json_null(j, key);
}

static void put_ip(struct json *j, const char *key, bool known, const struct ip *ip)
{
	char text[IP_TEXT_MAX];

	if (known)
		json_string(j, key, ip_format(ip, text));
	else
		json_null(j, key);
}

static void put_record(struct json *j, const struct alert *a)
{
	const struct alert_change *c = &a->change;
	char type[16];

	put_text(j, "zone", a, a->zone);
	put_text(j, "name", a, a->qname);
	if (c->has_record) {
		json_string(j, "type", dns_type_name(a->qtype, type));
		json_string(j, "verb", verb_name(c->verb));
	} else {
		json_null(j, "type");
		json_null(j, "verb");
	}
	put_text(j, "old", a, c->old_value);
	put_text(j, "new", a, c->new_value);
	json_bool(j, "cut", c->is_cut);
	if (c->has_ttl)
		json_unsigned(j, "ttl", c->ttl);
	else
		json_null(j, "ttl");
	put_text(j, "owner", a, c->owner);
	put_text(j, "previous_owner", a, c->previous_owner);
}

static void put_ends(struct json *j, const struct alert *a)
{
	put_ip(j, "source", a->has_source, &a->source);
	if (a->has_source)
		json_unsigned(j, "source_port", a->source_port);
	else
		json_null(j, "source_port");
	put_ip(j, "server", a->has_destination, &a->destination);
	json_string(j, "transport", transport_name(a->transport));
}

static void put_outcome(struct json *j, const struct alert *a)
{
	const struct alert_change *c = &a->change;
	char rcode[16], error[16];

	if (c->has_signature)
		json_string(j, "signature", update_signature_name(c->signature));
	else
		json_null(j, "signature");
	put_text(j, "key", a, a->key_name);
	put_text(j, "algorithm", a, c->algorithm);
	if (a->has_rcode)
		json_string(j, "rcode", dns_rcode_name(a->rcode, rcode));
	else
		json_null(j, "rcode");
	if (c->tsig_error)
		json_string(j, "tsig_error", dns_tsig_error_name(c->tsig_error, error));
	else
		json_null(j, "tsig_error");
	if (c->latency_ns >= 0)
		json_integer(j, "latency_us", c->latency_ns / 1000);
	else
		json_null(j, "latency_us");
	json_unsigned(j, "dns_id", c->dns_id);
	json_unsigned(j, "number", c->number);
	json_unsigned(j, "records", c->record_count);
}

void changelog_write(struct text *out, const struct alert *a, const char *sensor,
	char id[CHANGELOG_ID_LEN + 1])
{
	struct json j = json_start(out);
	char ts[CLOCK_TEXT_MAX];
	size_t start = out->len;

	json_object(&j, NULL);
	json_string(&j, "ts", clock_format(a->ts_ns, ts));
	json_string(&j, "sensor", sensor);
	json_string(&j, "tenant", alert_get(a, a->tenant_id));
	json_string(&j, "result", result_name(a->change.result));
	put_text(&j, "reason", a, a->change.reason);
	put_record(&j, a);
	put_ends(&j, a);
	put_outcome(&j, a);
	make_id(id, out->failed ? "" : out->at + start, out->failed ? 0 : out->len - start);
	json_string(&j, "id", id);
	json_object_end(&j);
}
