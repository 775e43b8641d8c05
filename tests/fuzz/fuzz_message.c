/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_message.c -- any octets as a message: decoded, every name expanded, every record presented. */
#include "sensor/dns/message.h"
#include "sensor/dns/present.h"
#include "sensor/dns/present_plain.h"

#include <stdlib.h>
#include <string.h>

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* What the fast path writes is what the general one does. */
static void check_plain(const char *room, const char *end, const char *text, size_t text_len)
{
	if (!end)
		return;
	require((size_t)(end - room) == text_len);
	require(text_len == 0 || memcmp(room, text, text_len) == 0);
}

static void check_plain_name(
	const struct dns_message *m, uint16_t at, const struct dns_name *name)
{
	char room[PRESENT_PLAIN_NAME_MAX];
	char text[DNS_NAME_TEXT_MAX];
	struct cursor c = cursor_init(m->wire + at, (size_t)(m->wire_len - at));
	size_t text_len = dns_name_format(name, text);

	check_plain(room, present_plain_name(room, &c, m->wire), text, text_len);
}

static void check_record(
	const struct dns_message *m, const struct dns_record *r, struct text *text)
{
	char mnemonic[16];
	struct dns_name name;
	char room[PRESENT_PLAIN_RDATA_MAX];

	require((size_t)r->rdata_at + r->rdata_len <= m->wire_len);
	require(r->section <= DNS_ADDITIONAL);
	require(strlen(dns_type_name(r->type, mnemonic)) > 0);
	require(strlen(dns_class_name(r->class, mnemonic)) > 0);
	dns_message_name(m, r->owner_at, &name);
	require(name.wire[name.wire_len - 1] == 0);
	check_plain_name(m, r->owner_at, &name);
	if (r->target_at) {
		require(r->target_at >= r->rdata_at);
		dns_message_name(m, r->target_at, &name);
	}
	text_clear(text);
	present_rdata(text, m, r);
	for (size_t i = 0; i < text->len; i++)
		require(text->at[i] >= 0x20 && text->at[i] <= 0x7e);
	check_plain(room, present_plain_rdata(room, m, r), text->at, text->len);
}

/* What was gathered of the answers on the way is what the records say. */
static void check_gathered(const struct dns_message *m)
{
	unsigned addresses = 0, leading = 0, expanded = 0;
	struct dns_name name;

	for (unsigned i = 0; i < m->record_count && m->record[i].section == DNS_ANSWER; i++) {
		const struct dns_record *r = &m->record[i];
		const uint8_t *rdata = m->wire + r->rdata_at;
		if (dns_leads_on(r) && expanded < m->expanded_count &&
			m->expanded_at[expanded] == r->target_at) {
			dns_message_name(m, r->target_at, &name);
			require(dns_name_equal(&name, &m->expanded[expanded]));
			require(name.label_count == m->expanded[expanded].label_count);
			expanded++;
		}
		leading += dns_leads_on(r);
		if (r->rdata_len == 0 || (r->type != DNS_TYPE_A && r->type != DNS_TYPE_AAAA))
			continue;
		struct ip ip = r->type == DNS_TYPE_A ? ip_from_v4(rdata) : ip_from_v6(rdata);
		if (addresses < DNS_ADDRESSES_MAX) {
			require(ip_equal(&ip, &m->address[addresses].ip));
			require(m->address[addresses].ttl == r->ttl);
		}
		addresses++;
	}
	require(leading == m->leading_count && expanded == m->expanded_count);
	require(m->addresses_omitted == (addresses > DNS_ADDRESSES_MAX));
	require(m->address_count ==
		(addresses < DNS_ADDRESSES_MAX ? addresses : DNS_ADDRESSES_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dns_message m;
	struct text text = { 0 };
	enum dns_error cut = dns_message_decode_cut(&m, data, size);

	if (cut == DNS_SNAPLEN)
		for (unsigned i = 0; i < m.record_count; i++)
			check_record(&m, &m.record[i], &text);
	enum dns_error error = dns_message_decode(&m, data, size);

	require(error < DNS_ERROR_COUNT && error != DNS_SNAPLEN);
	require(cut == error || cut == DNS_SNAPLEN);
	if (error) {
		text_deinit(&text);
		return 0;
	}
	check_gathered(&m);
	struct dns_records it = dns_records_start(&m);
	const struct dns_record *r;
	uint32_t count = 0;
	for (; (r = dns_records_next(&it)); count++)
		check_record(&m, r, &text);
	require(count == (uint32_t)m.count[1] + m.count[2] + m.count[3]);
	text_deinit(&text);
	return 0;
}
