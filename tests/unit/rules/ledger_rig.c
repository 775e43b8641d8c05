/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/rules/ledger_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#define LINES_MAX 200
#define ZONE      "corp.example"

struct ledger_rig *ledger_rig_new(const struct family *family, struct world *w)
{
	struct ledger_rig *g = calloc(1, sizeof(*g));

	cr_assert_not_null(g);
	if (!w) {
		w = world_new();
		world_tenant(w, "acme", "10.1.0.0/16");
	}
	g->rig = rig_new(family ? family : &ownership_family, w);
	return g;
}

void ledger_rig_free(struct ledger_rig *g)
{
	rig_free(g->rig);
	free(g);
}

static uint16_t type_of(const char *word)
{
	uint16_t type;

	cr_assert(dns_type_parse(&type, word), "no type: %s", word);
	return type;
}

/* Up to four words; the last one is the rest of the line. */
struct line {
	char word[4][400];
	int count;
};

static const char *read_line(const char *at, struct line *line)
{
	const char *end = strchrnul(at, '\n');
	char text[1024];

	snprintf(text, sizeof(text), "%.*s", (int)(end - at), at);
	line->count = sscanf(text, "%399s %399s %399s %399[^\n]", line->word[0], line->word[1],
		line->word[2], line->word[3]);
	return *end ? end + 1 : end;
}

static char *name_of(const char *word)
{
	char name[512];
	size_t len = strlen(word);

	if (word[len - 1] == '.')
		snprintf(name, sizeof(name), "%.*s", (int)len - 1, word);
	else if (strcmp(word, "@") == 0)
		snprintf(name, sizeof(name), "%s", ZONE);
	else
		snprintf(name, sizeof(name), "%s." ZONE, word);
	return strdup(name);
}

static size_t read_records(const char *text, struct update_change *to, uint32_t ttl)
{
	size_t count = 0;
	struct line line;

	while (text && *text) {
		text = read_line(text, &line);
		cr_assert_lt(count, LINES_MAX);
		bool add = strcmp(line.word[0], "add") == 0;
		to[count++] = (struct update_change){
			.verb = add               ? UPDATE_ADD
				: line.count == 2 ? UPDATE_DELETE_NAME
				: line.count == 3 ? UPDATE_DELETE_RRSET
						  : UPDATE_DELETE_RECORD,
			.type = line.count == 2 ? DNS_TYPE_ANY : type_of(line.word[2]),
			.ttl = add ? ttl : 0,
			.name = name_of(line.word[1]),
			.rdata = strdup(line.count == 4 ? line.word[3] : ""),
		};
	}
	return count;
}

static size_t read_prerequisites(const char *text, struct update_prerequisite *to)
{
	size_t count = 0;
	struct line line;

	while (text && *text) {
		text = read_line(text, &line);
		cr_assert_lt(count, LINES_MAX);
		to[count++] = (struct update_prerequisite){
			.condition = strcmp(line.word[0], "unused") == 0 ? UPDATE_NAME_IS_UNUSED
				     : strcmp(line.word[0], "absent") == 0
					     ? UPDATE_RRSET_ABSENT
					     : UPDATE_RRSET_EQUALS,
			.type = line.count == 2 ? DNS_TYPE_ANY : type_of(line.word[2]),
			.name = name_of(line.word[1]),
			.rdata = strdup(line.count == 4 ? line.word[3] : ""),
		};
	}
	return count;
}

static const char *effect_name(enum ledger_effect effect)
{
	static const char *const name[] = { "added", "replaced", "deleted", "ttl",
		"refreshed" };

	return name[effect];
}

/* "replaced host.corp.example A 10.1.0.7 10.1.0.8 address 10.1.0.8 was address 10.1.0.7" */
static void write_line(struct ledger_rig *g, const struct ledger_change *c)
{
	size_t len = strlen(g->told);
	char type[16], address[IP_TEXT_MAX], old[IP_TEXT_MAX];

	len += (size_t)snprintf(g->told + len, sizeof(g->told) - len, "%s%s %s %s %s %s %s %s",
		len ? "\n" : "", effect_name(c->effect), c->name, dns_type_name(c->type, type),
		c->old_value ? c->old_value : "-", c->new_value ? c->new_value : "-",
		ledger_owner_kind_name(c->new_owner.kind),
		ledger_owner_text(&c->new_owner, address));
	cr_assert_lt(len, sizeof(g->told));
	if (c->owner_changed)
		len += (size_t)snprintf(g->told + len, sizeof(g->told) - len, " was %s %s%s",
			ledger_owner_kind_name(c->old_owner.kind),
			ledger_owner_text(&c->old_owner, old),
			c->excuse == LEDGER_NAME_WAS_FREE  ? ", free"
			: c->excuse == LEDGER_DHCID_PROVEN ? ", proven"
							   : "");
	if (c->unsure)
		snprintf(g->told + len, sizeof(g->told) - len, " unsure");
}

static void free_update(struct update *u)
{
	for (size_t i = 0; i < u->change_count; i++) {
		free((char *)u->change[i].name);
		free((char *)u->change[i].rdata);
	}
	for (size_t i = 0; i < u->prerequisite_count; i++) {
		free((char *)u->prerequisite[i].name);
		free((char *)u->prerequisite[i].rdata);
	}
}

static void finish(struct ledger_rig *g, const struct ledger_spec *s, const struct exchange *x,
	const struct update *u)
{
	struct transaction t = {
		.request = s->unseen ? NULL : u,
		.response = s->unseen ? u : NULL,
		.request_seen = !s->unseen,
		.readable = true,
		.answered = true,
		.rcode = s->rcode,
		.asked_ns = x->ts_ns,
		.client = x->now->client,
		.server = x->now->server,
	};
	const struct ledger_report *made = ledger_apply(g->rig->ledger, x, &t);

	g->told[0] = '\0';
	for (size_t i = 0; i < made->change_count; i++)
		write_line(g, &made->change[i]);
	ownership_judge(g->rig->emit, x, &t, made);
}

void ledger_rig_update(struct ledger_rig *g, const struct ledger_spec *s)
{
	static struct update_change change[LINES_MAX];
	static struct update_prerequisite prerequisite[LINES_MAX];
	struct update u = {
		.zone = s->zone ? s->zone : ZONE,
		.zone_valid = true,
		.change = change,
		.change_count = read_records(s->records, change, s->ttl ? s->ttl : 1200),
		.prerequisite = prerequisite,
		.prerequisite_count = read_prerequisites(s->prerequisites, prerequisite),
		.signature = !s->key  ? UPDATE_UNSIGNED
			     : s->gss ? UPDATE_GSS_TSIG
				      : UPDATE_TSIG,
		.key_name = s->key,
	};
	struct observation *o = message_observe(g->rig->world,
		&(struct message){ .at_ms = s->at_ms,
			.client = s->client,
			.opcode = DNS_OPCODE_UPDATE,
			.response = true,
			.qname = ZONE,
			.qtype = DNS_TYPE_SOA,
			.rcode = s->rcode },
		1);
	const struct policy_set *policies = g->rig->world->known.policies;
	struct exchange x = {
		.now = o,
		.tenant = &policies->tenant[o->tenant],
		.tenant_number = o->tenant,
		.matched = true,
		.seq = 1,
		.ts_ns = o->ts_ns,
	};

	rig_wait(g->rig, s->at_ms);
	finish(g, s, &x, &u);
	free_update(&u);
	free(o);
}

const char *ledger_rig_told(const struct ledger_rig *g)
{
	return g->told;
}
