/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/border.h"

#include <stdio.h>
#include <string.h>

static bool has_own_servers(const struct policy *tenant)
{
	if (tenant->number == POLICY_UNMAPPED)
		return false;
	if (tenant->select.network_count > 0 || tenant->resolvers.count > 0)
		return true;
	for (size_t i = 0; i < tenant->zone_count; i++) {
		if (tenant->zone[i].servers.count > 0)
			return true;
	}
	return false;
}

bool border_is_crossed(
	const struct policy *tenant, const struct ip *client, const struct ip *server)
{
	if (ip_is_group(server))
		return false;
	if (!has_own_servers(tenant))
		return ip_is_private(client) && !ip_is_private(server);
	if (tenant->select.network_count > 0 && !policy_owns_address(tenant, client))
		return false;
	return !policy_owns_server(tenant, server);
}

/* Reverse zones of addresses that are everybody's (RFC 6303): nobody outside can serve them. */
static bool is_private_reverse(const char *zone)
{
	static const char *const reverse[] = { "10.in-addr.arpa", "168.192.in-addr.arpa",
		"254.169.in-addr.arpa", "d.f.ip6.arpa", "8.e.f.ip6.arpa", "9.e.f.ip6.arpa",
		"a.e.f.ip6.arpa", "b.e.f.ip6.arpa" };
	char block[24];

	for (size_t i = 0; i < ARRAY_LEN(reverse); i++) {
		if (change_is_below(zone, reverse[i]))
			return true;
	}
	for (unsigned second = 16; second < 32; second++) {
		snprintf(block, sizeof(block), "%u.172.in-addr.arpa", second);
		if (change_is_below(zone, block))
			return true;
	}
	return false;
}

/* Where such registrations end up: AS112 (RFC 7534, RFC 7535), prisoner.iana.org. */
static bool is_sink(const struct ip *server)
{
	static const char *const sinks[] = { "192.175.48.0/24", "192.31.196.0/24",
		"2620:4f:8000::/48", "2001:4:112::/48" };

	for (size_t i = 0; i < ARRAY_LEN(sinks); i++) {
		struct ip_net net;
		if (ip_net_parse(&net, sinks[i]) && ip_net_contains(&net, server))
			return true;
	}
	return false;
}

bool border_is_leak(const struct change *c, const struct ip *server)
{
	return is_private_reverse(change_zone(c)) && (c->pointers_only || is_sink(server));
}
