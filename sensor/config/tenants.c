/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/nearest.h"
#include "sensor/config/reading.h"
#include "sensor/dns/name.h"
#include "rules/tenant.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- rules --------------------------------------------------------------------------------- */

static void read_rule(struct reading *r, const struct part *part, enum rule_id rule,
	struct rule_settings *out)
{
	size_t keys = config_section_key_count(part->section);

	for (size_t i = 0; i < keys && !r->err; i++) {
		struct path path =
			path_key(part->path, config_section_key(part->section, i).key);
		struct err_ctx why;
		if (part->raw[i].at &&
			!rule_settings_set(out, rule, path.key, part->raw[i].at, &why))
			reading_fail(r, &path, "%s", why.text);
	}
}

void reading_rules(struct reading *r, const struct part *part, enum config_option_id id,
	struct rule_settings *out)
{
	struct path path;
	struct part rules = reading_one(part, id, &path);

	for (size_t i = 0; rules.raw && i < RULE_COUNT && !r->err; i++) {
		struct config_option option = config_section_key(CONFIG_SECTION_RULES, i);
		struct path rule_path = path_key(&path, option.key);
		struct part rule = { rules.raw[i].at, option.part, &rule_path };
		if (rule.raw)
			read_rule(r, &rule, (enum rule_id)i, out);
	}
}

/* --- select -------------------------------------------------------------------------------- */

static void read_vlans(
	struct reading *r, const struct part *select, struct policy_selector *out)
{
	uint32_t *vlan = reading_counts(r, select, CONFIG_SELECT_vlans, &out->vlan_count);

	out->vlan = reading_array(r, out->vlan_count, sizeof(*out->vlan));
	for (size_t i = 0; out->vlan && i < out->vlan_count; i++)
		out->vlan[i] = (uint16_t)vlan[i];
	free(vlan);
}

static void read_select(
	struct reading *r, const struct part *tenant, struct policy_selector *out)
{
	struct path path;
	struct part select = reading_one(tenant, CONFIG_TENANT_select, &path);

	if (!select.raw)
		return;
	for (int id = CONFIG_SELECT_vlans; id <= CONFIG_SELECT_networks; id++)
		reading_refuse_empty(r, &select, (enum config_option_id)id);
	read_vlans(r, &select, out);
	out->vni = reading_counts(r, &select, CONFIG_SELECT_vnis, &out->vni_count);
	out->interface =
		reading_texts(r, &select, CONFIG_SELECT_interfaces, &out->interface_count);
	out->network =
		reading_selected(r, &select, CONFIG_SELECT_networks, &out->network_count);
	if (out->vlan_count + out->vni_count + out->interface_count + out->network_count == 0)
		reading_fail(r, &path,
			"selects nothing; give vlans, vnis, interfaces or networks, or leave "
			"it out for the tenant that takes what nobody else takes");
}

/* --- ddns ---------------------------------------------------------------------------------- */

static void note_provider(
	struct reading *r, const struct part *entry, const struct policy *p, size_t approved)
{
	struct config *c = r->config;
	struct path path = path_key(entry->path, "provider");
	char key[PATH_TEXT_MAX];
	struct config_provider *grown =
		realloc(c->provider, (c->provider_count + 1) * sizeof(*grown));

	if (!grown) {
		reading_out_of_memory(r);
		return;
	}
	c->provider = grown;
	grown[c->provider_count++] = (struct config_provider){
		.tenant = p->number,
		.approved = approved,
		.id = reading_provider(r, entry, CONFIG_APPROVED_provider),
		.key = strdup(path_format(&path, key)),
		.at = reading_mark(r, entry, CONFIG_APPROVED_provider),
	};
	if (!grown[c->provider_count - 1].key)
		reading_out_of_memory(r);
}

static void read_approved(
	struct reading *r, const struct part *entry, struct policy *p, size_t nth)
{
	struct policy_approved *out = &p->approved[nth];
	bool name = reading_has(entry, CONFIG_APPROVED_name),
	     suffix = reading_has(entry, CONFIG_APPROVED_suffix),
	     provider = reading_has(entry, CONFIG_APPROVED_provider);

	out->provider = PROVIDER_NONE;
	if (name + suffix + provider != 1) {
		reading_fail(r, entry->path, "give exactly one of name, suffix and provider");
		return;
	}
	if (provider)
		note_provider(r, entry, p, nth);
	else
		out->name = reading_name(
			r, entry, name ? CONFIG_APPROVED_name : CONFIG_APPROVED_suffix);
	reading_refuse_empty(r, entry, CONFIG_APPROVED_clients);
	reading_networks(r, entry, CONFIG_APPROVED_clients, &out->clients);
	out->until_ns = reading_day(r, entry, CONFIG_APPROVED_until);
}

static void read_ddns(struct reading *r, const struct part *tenant, struct policy *p)
{
	struct path path, list, item;
	struct part ddns = reading_one(tenant, CONFIG_TENANT_ddns, &path);
	size_t count = reading_raw(&ddns, CONFIG_DDNS_approved).count;

	p->approved = reading_array(r, count, sizeof(*p->approved));
	for (size_t i = 0; p->approved && i < count && !r->err; i++) {
		struct part entry = reading_item(&ddns, CONFIG_DDNS_approved, i, &list, &item);
		p->approved_count = i + 1;
		read_approved(r, &entry, p, i);
	}
	reading_networks(r, &ddns, CONFIG_DDNS_update_clients, &p->update_clients);
}

/* --- zones --------------------------------------------------------------------------------- */

/* "@", or an owner name relative to the zone. */
static void read_critical(struct reading *r, const struct part *part, struct policy_zone *out)
{
	struct path list = path_key(part->path, "critical");

	out->critical = reading_texts(r, part, CONFIG_ZONE_critical, &out->critical_count);
	for (size_t i = 0; !r->err && i < out->critical_count; i++) {
		struct path path = path_item(&list, i);
		char text[DNS_NAME_TEXT_MAX];
		struct dns_name name;
		if (strcmp(out->critical[i], "@") == 0)
			continue;
		if (!dns_name_parse(&name, out->critical[i]) || name.label_count == 0) {
			reading_fail(r, &path, "\"%.200s\" is neither \"@\" nor an owner name",
				out->critical[i]);
			return;
		}
		dns_name_format(&name, text);
		free(out->critical[i]);
		out->critical[i] = strdup(text);
		if (!out->critical[i])
			reading_out_of_memory(r);
	}
}

static void read_countries(struct reading *r, const struct part *part, struct policy_zone *out)
{
	struct path list = path_key(part->path, "countries");

	out->country = reading_texts(r, part, CONFIG_ZONE_countries, &out->country_count);
	for (size_t i = 0; !r->err && i < out->country_count; i++) {
		struct path path = path_item(&list, i);
		char *code = out->country[i];
		if (strlen(code) != 2 || !isalpha((unsigned char)code[0]) ||
			!isalpha((unsigned char)code[1])) {
			reading_fail(r, &path,
				"\"%.80s\" is not a country of two letters (ISO 3166: US, DE, "
				"...)",
				code);
			return;
		}
		code[0] = (char)toupper((unsigned char)code[0]);
		code[1] = (char)toupper((unsigned char)code[1]);
	}
}

static void read_zone(struct reading *r, const struct part *part, struct policy_zone *out)
{
	static const enum config_option_id lists[] = { CONFIG_ZONE_servers,
		CONFIG_ZONE_updaters, CONFIG_ZONE_countries, CONFIG_ZONE_asns };

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		reading_refuse_empty(r, part, lists[i]);
	out->name = reading_name(r, part, CONFIG_ZONE_name);
	reading_networks(r, part, CONFIG_ZONE_servers, &out->servers);
	reading_networks(r, part, CONFIG_ZONE_updaters, &out->updaters);
	out->require_signed = reading_bool(r, part, CONFIG_ZONE_require_signed);
	read_critical(r, part, out);
	read_countries(r, part, out);
	out->asn = reading_counts(r, part, CONFIG_ZONE_asns, &out->asn_count);
}

static void refuse_twin_zones(
	struct reading *r, const struct part *tenant, const struct policy *p)
{
	char **name = reading_array(r, p->zone_count, sizeof(*name));

	for (size_t i = 0; name && i < p->zone_count; i++)
		name[i] = p->zone[i].name;
	if (name && !r->err)
		reading_refuse_twins(
			r, tenant, CONFIG_TENANT_zones, "name", name, p->zone_count);
	free(name);
}

static void read_zones(struct reading *r, const struct part *tenant, struct policy *p)
{
	size_t count = reading_raw(tenant, CONFIG_TENANT_zones).count;
	struct path list, item;

	p->zone = reading_array(r, count, sizeof(*p->zone));
	for (size_t i = 0; p->zone && i < count && !r->err; i++) {
		struct part zone = reading_item(tenant, CONFIG_TENANT_zones, i, &list, &item);
		p->zone_count = i + 1;
		read_zone(r, &zone, &p->zone[i]);
	}
	refuse_twin_zones(r, tenant, p);
}

/* --- exclude ------------------------------------------------------------------------------- */

static enum rule_id read_rule_id(struct reading *r, const struct part *entry)
{
	const char *text = reading_raw(entry, CONFIG_EXCLUDE_rule).at;

	if (!text || r->err)
		return RULE_COUNT;
	enum rule_id rule = rule_find(text);
	if (rule != RULE_COUNT)
		return rule;

	struct nearest near = nearest_to(text);
	for (size_t i = 0; i < RULE_COUNT; i++)
		nearest_offer(&near, rule_table[i].id);
	if (near.word)
		reading_fail_key(r, entry, CONFIG_EXCLUDE_rule,
			"there is no rule \"%.80s\"; did you mean \"%s\"?", text, near.word);
	else
		reading_fail_key(r, entry, CONFIG_EXCLUDE_rule,
			"there is no rule \"%.80s\"; `dynwatch rules` lists them", text);
	return RULE_COUNT;
}

static void read_exclude(
	struct reading *r, const struct part *entry, struct policy_exclude *out)
{
	reading_refuse_empty(r, entry, CONFIG_EXCLUDE_clients);
	reading_refuse_empty(r, entry, CONFIG_EXCLUDE_names);
	out->rule = read_rule_id(r, entry);
	reading_networks(r, entry, CONFIG_EXCLUDE_clients, &out->clients);
	out->name = reading_names(r, entry, CONFIG_EXCLUDE_names, true, &out->name_count);
	out->until_ns = reading_day(r, entry, CONFIG_EXCLUDE_until);
	if (!reading_has(entry, CONFIG_EXCLUDE_rule) &&
		!reading_has(entry, CONFIG_EXCLUDE_clients) &&
		!reading_has(entry, CONFIG_EXCLUDE_names))
		reading_fail(r, entry->path,
			"would silence everything; give rule, clients or names");
}

static void read_excludes(struct reading *r, const struct part *tenant, struct policy *p)
{
	size_t count = reading_raw(tenant, CONFIG_TENANT_exclude).count;
	struct path list, item;

	p->exclude = reading_array(r, count, sizeof(*p->exclude));
	for (size_t i = 0; p->exclude && i < count && !r->err; i++) {
		struct part entry =
			reading_item(tenant, CONFIG_TENANT_exclude, i, &list, &item);
		p->exclude_count = i + 1;
		read_exclude(r, &entry, &p->exclude[i]);
	}
}

/* --- tenants ------------------------------------------------------------------------------- */

static void read_tenant(struct reading *r, const struct part *part)
{
	struct policy_set *set = r->config->policies;
	char *id = reading_id(r, part, CONFIG_TENANT_id);

	if (id && strcasecmp(id, "unmapped") == 0)
		reading_fail_key(r, part, CONFIG_TENANT_id,
			"\"%s\" is the tenant of traffic that belongs to nobody", id);
	struct policy *p = r->err ? NULL : policy_set_add(set, id);
	free(id);
	if (!p) {
		reading_out_of_memory(r);
		return;
	}
	p->rules = set->tenant[POLICY_UNMAPPED].rules;
	read_select(r, part, &p->select);
	reading_networks(r, part, CONFIG_TENANT_resolvers, &p->resolvers);
	read_ddns(r, part, p);
	read_zones(r, part, p);
	p->suffix = reading_names(r, part, CONFIG_TENANT_suffixes, false, &p->suffix_count);
	read_excludes(r, part, p);
	reading_rules(r, part, CONFIG_TENANT_rules, &p->rules);
}

static void refuse_twin_tenants(struct reading *r, const struct part *top)
{
	const struct policy_set *set = r->config->policies;
	size_t count = set->tenant_count - 1;
	char **id = reading_array(r, count, sizeof(*id));

	for (size_t i = 0; id && i < count; i++)
		id[i] = set->tenant[i + 1].id;
	if (id)
		reading_refuse_twins(r, top, CONFIG_TOP_tenants, "id", id, count);
	free(id);
}

static void refuse_same_selectors(struct reading *r, const struct part *top)
{
	struct path list = path_key(top->path, "tenants");
	uint16_t culprit = 0;
	struct err_ctx why;

	if (r->err)
		return;
	enum err err = tenant_map_check(r->config->policies, &culprit, &why);
	if (err == ERR_FAILED)
		reading_out_of_memory(r);
	if (err != ERR_USAGE)
		return;
	struct path item = path_item(&list, culprit ? culprit - 1u : 0);
	struct path select = path_key(&item, "select");
	reading_fail(r, culprit ? &select : &list, "%s", why.text);
}

void reading_tenants(struct reading *r, const struct part *top)
{
	size_t count = reading_raw(top, CONFIG_TOP_tenants).count;
	struct path list, item;

	if (count > POLICY_TENANTS_MAX - 1)
		reading_fail_key(r, top, CONFIG_TOP_tenants, "more than %d tenants",
			POLICY_TENANTS_MAX - 1);
	for (size_t i = 0; i < count && !r->err; i++) {
		struct part tenant = reading_item(top, CONFIG_TOP_tenants, i, &list, &item);
		read_tenant(r, &tenant);
	}
	refuse_twin_tenants(r, top);
	refuse_same_selectors(r, top);
}
