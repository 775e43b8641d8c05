/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/ledger_sender.h"

#include "rules/ledger_entry.h"
#include "sensor/base/hash.h"

#include <stdio.h>
#include <string.h>

/* An UPDATE with more prerequisites than any client sends is not searched through for each name. */
#define PREREQUISITES_MAX 128

/* ISC dhcpd's interim scheme: a TXT of 32 to 34 hexadecimal digits that begin with a type code. */
static bool is_interim_hash(const char *rdata)
{
	size_t digits = strspn(rdata + (rdata[0] == '"'), "0123456789abcdef");

	return rdata[0] == '"' && digits >= 32 && digits <= 34 &&
	       strcmp(rdata + 1 + digits, "\"") == 0 &&
	       (strncmp(rdata, "\"31", 3) == 0 || strncmp(rdata, "\"00", 3) == 0);
}

static bool is_dhcid(uint16_t type, const char *rdata)
{
	if (type == DNS_TYPE_DHCID)
		return rdata[0] && strlen(rdata) <= LEDGER_VALUE_MAX;
	return type == DNS_TYPE_TXT && is_interim_hash(rdata);
}

static void add_proof(struct sender *s, const char *name, const char *dhcid, bool demanded)
{
	if (s->proof_count < SENDER_PROOFS_MAX)
		s->proof[s->proof_count++] = (struct sender_proof){ name, dhcid, demanded };
}

void sender_init(struct sender *s, const struct update *u, const struct ip *client)
{
	s->update = u;
	s->source = *client;
	s->proof_count = 0;
	s->kind = LEDGER_OWNER_SOURCE;
	if (u->signature == UPDATE_GSS_TSIG)
		s->kind = LEDGER_OWNER_GSS;
	else if (u->key_name)
		s->kind = LEDGER_OWNER_KEY;
	snprintf(s->key, sizeof(s->key), "%s", s->kind == LEDGER_OWNER_KEY ? u->key_name : "");
	for (size_t i = 0; i < u->prerequisite_count; i++) {
		const struct update_prerequisite *p = &u->prerequisite[i];
		if (p->condition == UPDATE_RRSET_EQUALS && is_dhcid(p->type, p->rdata))
			add_proof(s, p->name, p->rdata, true);
	}
	for (size_t i = 0; i < u->change_count; i++) {
		const struct update_change *c = &u->change[i];
		if (c->verb == UPDATE_ADD && is_dhcid(c->type, c->rdata))
			add_proof(s, c->name, c->rdata, false);
	}
}

static const struct sender_proof *find_proof(const struct sender *s, const char *name)
{
	for (unsigned i = 0; i < s->proof_count; i++) {
		if (strcmp(s->proof[i].name, name) == 0)
			return &s->proof[i];
	}
	return NULL;
}

struct ledger_owner sender_owner(const struct sender *s, const char *name)
{
	const struct sender_proof *proof = find_proof(s, name);
	struct ledger_owner owner = {
		.kind = s->kind,
		.key = s->key,
		.dhcid = proof ? proof->dhcid : "",
		.source = s->source,
	};

	if (proof && owner.kind == LEDGER_OWNER_SOURCE)
		owner.kind = LEDGER_OWNER_DHCID;
	return owner;
}

enum ledger_excuse sender_excuse(const struct sender *s, const char *name, uint16_t type)
{
	const struct sender_proof *proof = find_proof(s, name);
	size_t count = s->update->prerequisite_count;

	if (proof && proof->demanded)
		return LEDGER_DHCID_PROVEN;
	for (size_t i = 0; i < count && i < PREREQUISITES_MAX; i++) {
		const struct update_prerequisite *p = &s->update->prerequisite[i];
		bool is_free = p->condition == UPDATE_NAME_IS_UNUSED ||
			       (p->condition == UPDATE_RRSET_ABSENT && p->type == type);
		if (is_free && strcmp(p->name, name) == 0)
			return LEDGER_NAME_WAS_FREE;
	}
	return LEDGER_NOT_EXCUSED;
}

uint64_t sender_digest(const struct ledger_owner *owner)
{
	char address[IP_TEXT_MAX];
	uint64_t digest = hash_word(
		ledger_digest(ledger_owner_text(owner, address)), (uint64_t)owner->kind);

	return digest ? digest : 1;
}
