/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/change.h"

#include <string.h>
#include <strings.h>

static void add_name(struct change *c, const char *name)
{
	size_t len = strlen(name) + 1;

	if (change_find(c, name) >= 0)
		return;
	if (c->name_count == CHANGE_NAMES_MAX || len > sizeof(c->pool) - c->pool_len) {
		c->names_omitted = true;
		return;
	}
	c->name_at[c->name_count++] = c->pool_len;
	memcpy(c->pool + c->pool_len, name, len);
	c->pool_len = (uint16_t)(c->pool_len + len);
}

void change_init(struct change *c, const char *zone, bool is_signed)
{
	size_t len = strlen(zone);

	if (len >= sizeof(c->pool))
		len = sizeof(c->pool) - 1;
	memset(c, 0, offsetof(struct change, pool));
	memcpy(c->pool, zone, len);
	c->pool[len] = '\0';
	c->pool_len = (uint16_t)(len + 1);
	c->signature = is_signed ? UPDATE_TSIG : UPDATE_UNSIGNED;
}

/* Names that hosts look up by themselves: whoever has them leads others. */
static bool is_critical_label(const char *label, size_t len)
{
	static const char *const critical[] = { "*", "wpad", "isatap", "autodiscover", "_msdcs",
		"_ldap", "_kerberos", "_kpasswd", "_gc", "_acme-challenge", "_dmarc" };

	for (size_t i = 0; i < ARRAY_LEN(critical); i++) {
		if (strlen(critical[i]) == len && strncmp(label, critical[i], len) == 0)
			return true;
	}
	return false;
}

static bool has_critical_label(const char *name, const char *zone)
{
	size_t name_len = strlen(name), zone_len = strlen(zone);
	size_t end = name_len > zone_len ? name_len - zone_len : 0;

	/* A marshalled service principal in a name (CVE-2025-33073) relays authentication. */
	if (strstr(name, "1uwhrca"))
		return true;
	for (size_t at = 0; at < end;) {
		size_t len = strcspn(name + at, ".");
		if (is_critical_label(name + at, len))
			return true;
		at += len + 1;
	}
	return false;
}

/* Entries are relative to the zone ("@" is the zone itself) or written in full. */
static bool is_listed(const char *name, const char *zone, const struct policy_zone *policy)
{
	size_t name_len = strlen(name), zone_len = strlen(zone);

	for (size_t i = 0; policy && i < policy->critical_count; i++) {
		const char *entry = policy->critical[i];
		size_t len = strlen(entry);
		if (strcasecmp(entry, name) == 0)
			return true;
		if (name_len == len + 1 + zone_len && name[len] == '.' &&
			strncasecmp(entry, name, len) == 0)
			return true;
	}
	return false;
}

/* A dot after an odd number of backslashes is an octet of a label. */
static bool is_escaped(const char *name, const char *at)
{
	size_t backslashes = 0;

	while (at > name && at[-1] == '\\') {
		backslashes++;
		at--;
	}
	return backslashes % 2 == 1;
}

bool change_is_below(const char *name, const char *suffix)
{
	size_t name_len = strlen(name), suffix_len = strlen(suffix);

	if (name_len < suffix_len)
		return false;
	const char *tail = name + name_len - suffix_len;
	if (strcasecmp(tail, suffix) != 0)
		return false;
	return tail == name || (tail[-1] == '.' && !is_escaped(name, tail - 1));
}

bool change_is_critical(
	const char *name, uint16_t type, const char *zone, const struct policy_zone *policy)
{
	switch (type) {
	case DNS_TYPE_NS:
	case DNS_TYPE_SOA:
	case DNS_TYPE_MX:
	case DNS_TYPE_DS:
	case DNS_TYPE_DNSKEY:
	case DNS_TYPE_TLSA:
	case DNS_TYPE_CAA:
		return true;
	default:
		break;
	}
	return strcmp(name, zone) == 0 || has_critical_label(name, zone) ||
	       is_listed(name, zone, policy);
}

/* The first name comes first, then the first critical one, whatever else has to go. */
static void add_names(struct change *c, const struct update *u, const struct policy_zone *zone)
{
	for (size_t i = 0; i < u->change_count && !c->critical; i++) {
		const struct update_change *change = &u->change[i];
		if (i == 0)
			add_name(c, change->name);
		if (!change_is_critical(change->name, change->type, u->zone, zone))
			continue;
		c->critical = true;
		c->critical_type = change->type;
		add_name(c, change->name);
		c->critical_name = (uint8_t)(change_find(c, change->name) + 1);
	}
	for (size_t i = 0; i < u->change_count; i++)
		add_name(c, u->change[i].name);
}

void change_read(struct change *c, const struct update *u, const struct policy_zone *zone)
{
	change_init(c, u->zone, false);
	c->signature = (uint8_t)u->signature;
	c->change_count = (uint32_t)u->change_count;
	c->pointers_only = u->change_count > 0;
	for (size_t i = 0; i < u->change_count; i++) {
		const struct update_change *change = &u->change[i];
		c->verbs |= (uint8_t)(1u << change->verb);
		if (change->type != DNS_TYPE_PTR && change->verb != UPDATE_DELETE_NAME)
			c->pointers_only = false;
		if (i == 0)
			c->first_type = change->type;
	}
	add_names(c, u, zone);
}

void change_merge(struct change *c, const struct change *other)
{
	if (c->change_count == 0) {
		*c = *other;
		return;
	}
	c->change_count += other->change_count;
	c->verbs |= other->verbs;
	c->pointers_only &= other->pointers_only;
	c->names_omitted |= other->names_omitted;
	for (unsigned i = 0; i < other->name_count; i++)
		add_name(c, change_name(other, i));
	if (c->critical || !other->critical)
		return;
	c->critical = true;
	c->critical_type = other->critical_type;
	if (other->critical_name)
		c->critical_name =
			(uint8_t)(change_find(
					  c, change_name(other, other->critical_name - 1u)) +
				  1);
}

void change_select(struct change *out, const struct change *c, uint32_t mask)
{
	unsigned critical = c->critical_name;

	*out = *c;
	out->name_count = 0;
	out->names_omitted = false;
	out->critical_name = 0;
	out->critical = c->critical && critical == 0;
	for (unsigned i = 0; i < c->name_count; i++) {
		if (!(mask & UINT32_C(1) << i))
			continue;
		out->name_at[out->name_count++] = c->name_at[i];
		if (critical != i + 1)
			continue;
		out->critical = true;
		out->critical_name = (uint8_t)out->name_count;
	}
}

const char *change_zone(const struct change *c)
{
	return c->pool;
}

const char *change_name(const struct change *c, unsigned number)
{
	return c->pool + c->name_at[number];
}

int change_find(const struct change *c, const char *name)
{
	for (unsigned i = 0; i < c->name_count; i++) {
		if (strcmp(change_name(c, i), name) == 0)
			return (int)i;
	}
	return -1;
}

const char *change_verbs(const struct change *c)
{
	bool adds = c->verbs & 1u << UPDATE_ADD, deletes = c->verbs & ~(1u << UPDATE_ADD);

	if (adds && deletes)
		return "add, delete";
	return adds ? "add" : "delete";
}
