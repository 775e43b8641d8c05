/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/rules/ledger_rig.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#define HOUR_MS INT64_C(3600000)
#define DHCID_A "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="
#define DHCID_B "AAABxLmlskllE0MVjd57zHcWmEH3pCQ6VytcKD//7es/deY="
#define HASH_A  "\"31aabbccddeeff00112233445566778899\""
#define HASH_B  "\"31ffffffffffffffffffffffffffffffff\""

/* UPDATEs one after the other, and what the last of them changed. */
struct sequence {
	const char *name;
	struct ledger_spec update[4]; /* up to the first without records */
	const char *told;
	unsigned takeovers; /* update.takeover alerts, of all of them */
};

static const struct sequence changes[] = {
	{ "a first record", { { .records = "add host A 10.1.0.7" } },
		"added host.corp.example A - 10.1.0.7 address 10.1.0.7" },
	{ "a refused one changes nothing",
		{ { .records = "add host A 10.1.0.7", .rcode = DNS_RCODE_REFUSED } }, "" },
	{ "prerequisites alone change nothing",
		{ { .records = "add host A 10.1.0.7" },
			{ .at_ms = 1000, .prerequisites = "unused host", .records = "" } },
		"" },
	{ "a response that nobody asked for is not believed",
		{ { .records = "add host A 10.1.0.7", .unseen = true } }, "" },
	{ "the same again is a refresh",
		{ { .records = "add host A 10.1.0.7" },
			{ .at_ms = 1000, .records = "add host A 10.1.0.7" } },
		"refreshed host.corp.example A 10.1.0.7 10.1.0.7 address 10.1.0.7" },
	{ "removed and put back is a refresh",
		{ { .records = "add host A 10.1.0.7" },
			{ .at_ms = 1000, .records = "del host A\nadd host A 10.1.0.7" } },
		"refreshed host.corp.example A 10.1.0.7 10.1.0.7 address 10.1.0.7" },
	{ "another TTL",
		{ { .records = "add host A 10.1.0.7" },
			{ .at_ms = 1000, .records = "add host A 10.1.0.7", .ttl = 60 } },
		"ttl host.corp.example A 10.1.0.7 10.1.0.7 address 10.1.0.7" },
	{ "a replacement by the owner",
		{ { .records = "add host A 10.1.0.7" },
			{ .at_ms = 1000, .records = "del host A\nadd host A 10.1.0.8" } },
		"replaced host.corp.example A 10.1.0.7 10.1.0.8 address 10.1.0.7" },
	{ "a second value beside the first",
		{ { .records = "add host A 10.1.0.7" },
			{ .at_ms = 1000, .records = "add host A 10.1.0.8" } },
		"added host.corp.example A - 10.1.0.8 address 10.1.0.7" },
	{ "one record of two is deleted",
		{ { .records = "add host A 10.1.0.7\nadd host A 10.1.0.8" },
			{ .at_ms = 1000, .records = "del host A 10.1.0.7" } },
		"deleted host.corp.example A 10.1.0.7 - address 10.1.0.7" },
	{ "a whole name is deleted, type by type",
		{ { .records = "add host A 10.1.0.7\nadd host AAAA 2001:db8::7" },
			{ .at_ms = 1000, .records = "del host" } },
		"deleted host.corp.example A 10.1.0.7 - address 10.1.0.7\n"
		"deleted host.corp.example AAAA 2001:db8::7 - address 10.1.0.7" },
	{ "what was deleted without being known is told once",
		{ { .records = "del host AAAA\nadd host A 10.1.0.7" },
			{ .at_ms = 1000, .records = "del host AAAA\nadd host A 10.1.0.7" } },
		"refreshed host.corp.example A 10.1.0.7 10.1.0.7 address 10.1.0.7" },
	{ "deleted without being known", { { .records = "del host AAAA" } },
		"deleted host.corp.example AAAA - - address 10.1.0.7" },
	{ "added and deleted in one UPDATE is nothing",
		{ { .records = "add host A 10.1.0.7\ndel host A" } }, "" },
	{ "an alias stands alone",
		{ { .records = "add www CNAME one.corp.example" },
			{ .at_ms = 1000, .records = "add www CNAME two.corp.example" } },
		"replaced www.corp.example CNAME one.corp.example two.corp.example address "
		"10.1.0.7" },
	{ "the apex keeps SOA and NS",
		{ { .records = "add @ NS ns.corp.example" },
			{ .at_ms = 1000, .records = "del @" },
			{ .at_ms = 2000, .records = "add @ NS ns.corp.example" } },
		"refreshed corp.example NS ns.corp.example ns.corp.example address 10.1.0.7" },
	{ "a name outside the zone is no business of the ledger",
		{ { .records = "add host.other.example. A 10.1.0.7" } },
		"added host.other.example A - 10.1.0.7 address 10.1.0.7 unsure" },
};

/* Who owns a name, and what is a normal hand-over. */
static const struct sequence owners[] = {
	{ "another key",
		{ { .records = "add host A 10.1.0.7", .key = "one" },
			{ .at_ms = 1000,
				.records = "del host A\nadd host A 10.1.0.8",
				.key = "two" } },
		"replaced host.corp.example A 10.1.0.7 10.1.0.8 key two was key one", 1 },
	{ "the same key from another address",
		{ { .records = "add host A 10.1.0.7", .key = "one" },
			{ .at_ms = 1000,
				.client = "10.1.0.9",
				.records = "del host A\nadd host A 10.1.0.8",
				.key = "one" } },
		"replaced host.corp.example A 10.1.0.7 10.1.0.8 key one", 0 },
	{ "a host that begins to sign",
		{ { .records = "add host A 10.1.0.7" },
			{ .at_ms = 1000,
				.records = "del host A\nadd host A 10.1.0.8",
				.key = "one" } },
		"replaced host.corp.example A 10.1.0.7 10.1.0.8 key one", 0 },
	{ "a server's name is taken through the DHCP server",
		{ { .client = "10.1.0.9", .records = "add files A 10.1.0.9", .key = "admin" },
			{ .at_ms = 1000,
				.client = "10.1.0.5",
				.key = "dhcp",
				.records = "del files A\nadd files A 10.1.0.66\n"
					   "add files DHCID " DHCID_A } },
		"replaced files.corp.example A 10.1.0.9 10.1.0.66 key dhcp was key admin\n"
		"added files.corp.example DHCID - " DHCID_A " key dhcp",
		1 },
	{ "an unsigned host's name goes to a third party",
		{ { .records = "add host A 10.1.0.7" },
			{ .at_ms = 1000,
				.client = "10.1.0.66",
				.records = "del host A\nadd host A 203.0.113.5" } },
		"replaced host.corp.example A 10.1.0.7 203.0.113.5 address 10.1.0.66 was "
		"address 10.1.0.7",
		1 },
	{ "in two steps",
		{ { .records = "add host A 10.1.0.7" },
			{ .at_ms = 1000, .client = "10.1.0.66", .records = "del host" },
			{ .at_ms = 60000,
				.client = "10.1.0.66",
				.records = "add host A 10.1.0.66" } },
		"added host.corp.example A - 10.1.0.66 address 10.1.0.66 was address 10.1.0.7",
		1 },
	{ "released, and registered by another",
		{ { .records = "add host A 10.1.0.7" },
			{ .at_ms = 1000, .records = "del host" },
			{ .at_ms = 60000,
				.client = "10.1.0.66",
				.records = "add host A 10.1.0.66" } },
		"added host.corp.example A - 10.1.0.66 address 10.1.0.66", 0 },
	{ "cleaned up by an administrator, and registered by another",
		{ { .records = "add host A 10.1.0.7" },
			{ .at_ms = 1000,
				.client = "10.1.0.2",
				.records = "del host",
				.key = "admin" },
			{ .at_ms = 60000,
				.client = "10.1.0.66",
				.records = "add host A 10.1.0.66" } },
		"added host.corp.example A - 10.1.0.66 address 10.1.0.66", 0 },
	{ "another value beside it is no takeover",
		{ { .records = "add @ A 10.1.0.7" }, { .at_ms = 1000,
							     .client = "10.1.0.8",
							     .records = "add @ A 10.1.0.8" } },
		"added corp.example A - 10.1.0.8 address 10.1.0.8", 0 },
	{ "principals are the server's to tell apart",
		{ { .records = "add host A 10.1.0.7", .key = "1068-ms-7.1", .gss = true },
			{ .at_ms = 1000,
				.client = "10.1.0.9",
				.records = "del host A\nadd host A 10.1.0.9",
				.key = "2000-ms-7.9",
				.gss = true } },
		"replaced host.corp.example A 10.1.0.7 10.1.0.9 GSS principal 10.1.0.9", 0 },
	{ "RFC 4703: a lease ends, another client gets the name",
		{ { .client = "10.1.0.5",
			  .prerequisites = "unused pc1",
			  .records = "add pc1 A 10.1.4.8\nadd pc1 DHCID " DHCID_A },
			{ .at_ms = HOUR_MS,
				.client = "10.1.0.5",
				.prerequisites = "equal pc1 DHCID " DHCID_A,
				.records = "del pc1" },
			{ .at_ms = 2 * HOUR_MS,
				.client = "10.1.0.5",
				.prerequisites = "unused pc1",
				.records = "add pc1 A 10.1.4.9\nadd pc1 DHCID " DHCID_B } },
		"added pc1.corp.example A - 10.1.4.9 DHCID " DHCID_B "\n"
		"added pc1.corp.example DHCID - " DHCID_B " DHCID " DHCID_B,
		0 },
	{ "RFC 4703: the same client through the other DHCP server",
		{ { .client = "10.1.0.5",
			  .key = "dhcp1",
			  .prerequisites = "unused pc1",
			  .records = "add pc1 A 10.1.4.8\nadd pc1 DHCID " DHCID_A },
			{ .at_ms = HOUR_MS,
				.client = "10.1.0.6",
				.key = "dhcp2",
				.prerequisites = "equal pc1 DHCID " DHCID_A,
				.records = "del pc1 A\nadd pc1 A 10.1.4.9" } },
		"replaced pc1.corp.example A 10.1.4.8 10.1.4.9 key dhcp2", 0 },
	{ "a DHCP server without conflict checks gives the name to another client",
		{ { .client = "10.1.0.5",
			  .key = "dhcp",
			  .records = "add pc1 A 10.1.4.8\nadd pc1 DHCID " DHCID_A },
			{ .at_ms = HOUR_MS,
				.client = "10.1.0.5",
				.key = "dhcp",
				.records = "del pc1 A\ndel pc1 DHCID\nadd pc1 A 10.1.4.9\n"
					   "add pc1 DHCID " DHCID_B } },
		"replaced pc1.corp.example A 10.1.4.8 10.1.4.9 key dhcp was key dhcp\n"
		"replaced pc1.corp.example DHCID " DHCID_A " " DHCID_B " key dhcp was key dhcp",
		1 },
	{ "ISC dhcpd's interim hash: the same client",
		{ { .client = "10.1.0.5",
			  .prerequisites = "unused pc1",
			  .records = "add pc1 A 10.1.4.8\nadd pc1 TXT " HASH_A },
			{ .at_ms = HOUR_MS,
				.client = "10.1.0.6",
				.prerequisites = "equal pc1 TXT " HASH_A,
				.records = "del pc1 A\nadd pc1 A 10.1.4.9" } },
		"replaced pc1.corp.example A 10.1.4.8 10.1.4.9 DHCID " HASH_A, 0 },
	{ "ISC dhcpd's interim hash: another client without a proof",
		{ { .client = "10.1.0.5",
			  .records = "add pc1 A 10.1.4.8\nadd pc1 TXT " HASH_A },
			{ .at_ms = HOUR_MS,
				.client = "10.1.0.5",
				.records = "del pc1 A\nadd pc1 A 10.1.4.9\nadd pc1 "
					   "TXT " HASH_B } },
		"replaced pc1.corp.example A 10.1.4.8 10.1.4.9 DHCID " HASH_B
		" was DHCID " HASH_A "\nadded pc1.corp.example TXT - " HASH_B " DHCID " HASH_B,
		1 },
	{ "the server was asked whether the name is free",
		{ { .records = "add host A 10.1.0.7" },
			{ .at_ms = HOUR_MS,
				.client = "10.1.0.66",
				.prerequisites = "absent host A",
				.records = "del host A\nadd host A 10.1.0.66" } },
		"replaced host.corp.example A 10.1.0.7 10.1.0.66 address 10.1.0.66 was "
		"address 10.1.0.7, free",
		0 },
	{ "the address of a lease points to its next holder",
		{ { .client = "10.1.0.7", .records = "add 7.0.1.10 PTR one.corp.example" },
			{ .at_ms = HOUR_MS,
				.client = "10.1.0.5",
				.records = "del 7.0.1.10 PTR\nadd 7.0.1.10 PTR "
					   "two.corp.example" } },
		"replaced 7.0.1.10.corp.example PTR one.corp.example two.corp.example address "
		"10.1.0.5 was address 10.1.0.7",
		0 },
};

static void play(const struct sequence *s)
{
	struct ledger_rig *g = ledger_rig_new(NULL, NULL);

	for (size_t i = 0; i < ARRAY_LEN(s->update) && s->update[i].records; i++)
		ledger_rig_update(g, &s->update[i]);
	cr_expect_str_eq(ledger_rig_told(g), s->told, "%s:\n%s", s->name, ledger_rig_told(g));
	cr_expect_eq(rig_count(g->rig, RULE_UPDATE_TAKEOVER), s->takeovers, "%s: %zu alerts",
		s->name, rig_count(g->rig, RULE_UPDATE_TAKEOVER));
	ledger_rig_free(g);
}

Test(ledger, tells_what_an_update_changed)
{
	for (size_t i = 0; i < ARRAY_LEN(changes); i++)
		play(&changes[i]);
}

Test(ledger, tells_owners_apart_and_knows_the_normal_hand_over)
{
	for (size_t i = 0; i < ARRAY_LEN(owners); i++)
		play(&owners[i]);
}

Test(ledger, a_name_with_many_records_is_remembered_whole)
{
	struct ledger_rig *g = ledger_rig_new(NULL, NULL);
	char records[64];

	for (unsigned dc = 0; dc < 20; dc++) {
		snprintf(records, sizeof(records),
			"add _ldap._tcp SRV 0 100 389 dc%u.corp.example", dc);
		ledger_rig_update(g, &(struct ledger_spec){ .records = records });
		cr_assert(strncmp(ledger_rig_told(g), "added", 5) == 0, "dc%u: %s", dc,
			ledger_rig_told(g));
	}
	for (unsigned dc = 0; dc < 20; dc++) {
		snprintf(records, sizeof(records),
			"add _ldap._tcp SRV 0 100 389 dc%u.corp.example", dc);
		ledger_rig_update(g, &(struct ledger_spec){ .records = records });
		cr_assert(strncmp(ledger_rig_told(g), "refreshed", 9) == 0, "dc%u: %s", dc,
			ledger_rig_told(g));
	}
	ledger_rig_free(g);
}

Test(ledger, at_capacity_counts_what_it_forgets_and_still_tells_every_change)
{
	struct ledger_rig *g = ledger_rig_new(NULL, NULL);
	char records[64];
	struct judge_stats stats = { .table_count = 0 };

	for (unsigned host = 0; host < 5000; host++) {
		snprintf(records, sizeof(records), "add host%u A 10.1.%u.%u", host, host / 250,
			host % 250);
		ledger_rig_update(g, &(struct ledger_spec){ .records = records });
		cr_assert(
			strncmp(ledger_rig_told(g), "added", 5) == 0, "%s", ledger_rig_told(g));
	}
	ledger_stats(g->rig->ledger, &stats);
	cr_assert_str_eq(stats.table[0].name, "ledger");
	cr_expect_leq(stats.table[0].used, stats.table[0].capacity);
	cr_expect_eq(stats.table[0].used + stats.table[0].evicted, 5000);
	cr_expect_gt(stats.table[0].evicted, 0);
	ledger_rig_free(g);
}

Test(ledger, long_names_and_values_are_told_and_only_what_fits_is_kept)
{
	struct ledger_rig *g = ledger_rig_new(NULL, NULL);
	char label[64], name[300], text[300];
	static char records[1200];

	memset(label, 'x', 60);
	label[60] = '\0';
	snprintf(name, sizeof(name), "%s.%s.%s", label, label, label);
	snprintf(records, sizeof(records), "add %s A 10.1.0.7", name);
	ledger_rig_update(g, &(struct ledger_spec){ .records = records });
	cr_expect(strstr(ledger_rig_told(g), "unsure"), "%s", ledger_rig_told(g));

	memset(text, 'a', 250);
	text[250] = '\0';
	snprintf(records, sizeof(records), "add host TXT %sone", text);
	ledger_rig_update(g, &(struct ledger_spec){ .records = records });
	ledger_rig_update(g, &(struct ledger_spec){ .records = records });
	cr_expect(strncmp(ledger_rig_told(g), "refreshed", 9) == 0, "%s", ledger_rig_told(g));
	snprintf(records, sizeof(records), "add host TXT %stwo", text);
	ledger_rig_update(g, &(struct ledger_spec){ .records = records });
	cr_expect(strncmp(ledger_rig_told(g), "added", 5) == 0, "%s", ledger_rig_told(g));
	ledger_rig_free(g);
}
