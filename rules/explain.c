/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/explain.h"

#include "rules/cause.h"
#include "sensor/base/clock.h"
#include "sensor/dns/update_words.h"

#include <inttypes.h>

static const char *transport_words(uint8_t transport)
{
	static const char *const words[] = {
		[TRANSPORT_UDP] = "UDP",
		[TRANSPORT_TCP] = "TCP",
		[TRANSPORT_DOT] = "DNS over TLS",
		[TRANSPORT_DOH] = "DNS over HTTPS",
		[TRANSPORT_DOQ] = "DNS over QUIC",
		[TRANSPORT_DNSCRYPT_UDP] = "DNSCrypt (UDP)",
		[TRANSPORT_DNSCRYPT_TCP] = "DNSCrypt (TCP)",
	};

	return transport < ARRAY_LEN(words) ? words[transport] : "an unknown transport";
}

/* The first line: when, whose, who asked whom for which zone. */
static void put_who(struct text *out, const struct transaction *t, const char *tenant)
{
	char ts[CLOCK_TEXT_MAX], client[IP_TEXT_MAX], server[IP_TEXT_MAX];

	text_printf(out, "%s  %s: UPDATE of %s\n", clock_format(t->asked_ns, ts), tenant,
		change_zone(t->change));
	text_printf(out, "  from      %s port %u, id %u, to %s by %s\n",
		ip_format(&t->client, client), t->client_port, t->id,
		ip_format(&t->server, server), transport_words(t->transport));
	if (t->forwarded)
		text_printf(out, "            which passed it on to %s%s\n",
			ip_format(&t->primary, server),
			t->passed_unsigned && t->change->signature != UPDATE_UNSIGNED
				? ", without the signature"
				: "");
}

/* What each further line of a list begins with. */
static void put_label(struct text *out, const char *label, size_t number)
{
	text_printf(out, "  %-9s ", number == 0 ? label : "");
}

static void put_more(struct text *out, size_t count)
{
	if (count > EXPLAIN_LISTED_MAX)
		text_printf(out, "            and %zu more\n", count - EXPLAIN_LISTED_MAX);
}

static void put_prerequisites(struct text *out, const struct update *u)
{
	for (size_t i = 0; i < u->prerequisite_count && i < EXPLAIN_LISTED_MAX; i++) {
		put_label(out, "provided", i);
		update_put_prerequisite(out, &u->prerequisite[i]);
		text_putc(out, '\n');
	}
	put_more(out, u->prerequisite_count);
}

static void put_changes(struct text *out, const struct update *u)
{
	if (u->change_count == 0)
		text_puts(out, "  change    none: it only tests the prerequisites\n");
	for (size_t i = 0; i < u->change_count && i < EXPLAIN_LISTED_MAX; i++) {
		put_label(out, "change", i);
		update_put_change(out, &u->change[i]);
		text_putc(out, '\n');
	}
	put_more(out, u->change_count);
}

/* The request's octets are gone, or were not readable: what was noted of it. */
static void put_summary(struct text *out, const struct transaction *t)
{
	const struct change *c = t->change;

	if (!t->readable) {
		text_printf(out, "  change    not known: the request %s\n",
			t->request_seen ? "cannot be read" : "was not captured");
		return;
	}
	text_printf(out, "  change    %u record%s (%s):", c->change_count,
		c->change_count == 1 ? "" : "s", change_verbs(c));
	for (unsigned i = 0; i < c->name_count && i < EXPLAIN_LISTED_MAX; i++)
		text_printf(out, "%s %s", i == 0 ? "" : ",", change_name(c, i));
	text_puts(
		out, c->name_count > EXPLAIN_LISTED_MAX || c->names_omitted ? ", ...\n" : "\n");
}

static void put_what(struct text *out, const struct transaction *t)
{
	const struct update *u = transaction_update(t);

	if (!u) {
		put_summary(out, t);
		return;
	}
	put_prerequisites(out, u);
	put_changes(out, u);
}

static void put_signature(struct text *out, const struct transaction *t)
{
	static const char *const words[] = {
		[UPDATE_UNSIGNED] = "no",
		[UPDATE_TSIG] = "TSIG",
		[UPDATE_GSS_TSIG] = "GSS-TSIG",
		[UPDATE_SIG0] = "SIG(0)",
	};
	const struct update *u = transaction_update(t);

	if (!t->readable) {
		text_puts(out, "  signed    not known\n");
		return;
	}
	text_printf(out, "  signed    %s", words[t->change->signature]);
	if (u && u->key_name)
		text_printf(out, ", key %s", u->key_name);
	if (u && u->algorithm && u->signature != UPDATE_GSS_TSIG)
		text_printf(out, ", %s", u->algorithm);
	text_putc(out, '\n');
}

static void put_latency(struct text *out, int64_t latency_ns)
{
	if (latency_ns >= 0)
		text_printf(out, " after %" PRId64 ".%03d ms", latency_ns / NS_PER_MS,
			(int)(latency_ns % NS_PER_MS / 1000));
}

static void put_answer(struct text *out, const struct transaction *t)
{
	char name[16];

	if (!t->answered) {
		text_puts(out, "  answer    none\n");
		return;
	}
	text_printf(out, "  answer    %s", dns_rcode_name(t->rcode, name));
	if (t->tsig_error)
		text_printf(out, ", TSIG error %s", dns_tsig_error_name(t->tsig_error, name));
	put_latency(out, t->latency_ns);
	text_puts(out, t->rcode == DNS_RCODE_NOERROR ? ": accepted\n" : "\n");
}

void explain_put(struct text *out, const struct transaction *t, const char *tenant)
{
	enum cause cause = cause_of(t);

	put_who(out, t, tenant);
	put_what(out, t);
	put_signature(out, t);
	put_answer(out, t);
	if (cause == CAUSE_NONE)
		return;
	text_puts(out, "  cause     ");
	cause_put(out, t, cause);
	text_putc(out, '\n');
}
