/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/rules/acme.h"

#include "tests/unit/rules/updates.h"

struct policy *acme_add(struct world *w)
{
	return world_tenant(w, "acme", "10.1.0.0/16");
}

/* --- look-ups ----------------------------------------------------------------------------- */

struct world *acme_lookup_world(void)
{
	struct world *w = world_new();
	uint16_t urlhaus = world_feed(w, "urlhaus", MARK_MALICIOUS, SEVERITY_HIGH);
	uint16_t fox = world_feed(w, "threatfox", MARK_MALICIOUS, SEVERITY_CRITICAL);

	world_provider(w, MARK_PROVIDER, "ddns.net", "no-ip", TIER_A);
	world_provider(w, MARK_PROVIDER, "duckdns.org", "duckdns", TIER_A);
	world_provider(w, MARK_PROVIDER, "shared.example", "freedns", TIER_B);
	world_provider(w, MARK_PROVIDER, "myfritz.net", "avm", TIER_V);
	world_provider(w, MARK_TUNNEL, "ngrok.io", "ngrok", TIER_C);
	world_provider(w, MARK_TUNNEL, "tunnel.ngrok.com", "ngrok", TIER_C);
	world_provider(w, MARK_UPDATE_HOST, "dynupdate.no-ip.com", "no-ip", TIER_A);
	world_provider(w, MARK_UPDATE_HOST, "www.duckdns.org", "duckdns", TIER_A);
	world_provider(w, MARK_IP_CHECK, "ip1.dynupdate.no-ip.com", "no-ip", TIER_A);
	world_provider(w, MARK_IP_CHECK, "checkip.ddns.net", "no-ip", TIER_A);
	world_list(w, urlhaus, "evil.example", SCOPE_SUFFIX);
	world_list(w, fox, "www.evil.example", SCOPE_SUFFIX);
	world_list(w, urlhaus, "exact.example", SCOPE_EXACT);
	world_list(w, urlhaus, "bad.ddns.net", SCOPE_SUFFIX);
	return w;
}

struct rig *acme_lookup_rig(void)
{
	struct world *w = acme_lookup_world();
	acme_add(w);
	return rig_new(&lookup_family, w);
}

/* --- updates ------------------------------------------------------------------------------ */

struct rig *acme_update_rig(void)
{
	struct world *w = world_new();
	acme_add(w);
	return rig_new(&update_family, w);
}

const struct update_spec acme_one_host = { .add = { { "pc7.corp.example", 0 } } };
