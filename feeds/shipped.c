/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/shipped.h"

/* The assembler puts the file into the program as it is and ends it with a NUL. Paths are from
 * the top of the tree, where the compiler runs. The symbols are global, for whoever optimises the
 * program as a whole may compile the table below apart from them. */
#define LIST(symbol, file)                                                                     \
	extern const char symbol[] __attribute__((visibility("hidden")));                      \
	__asm__(".pushsection .rodata\n.globl " #symbol "\n.hidden " #symbol "\n" #symbol      \
		":\n.incbin \"feeds/lists/" file "\"\n.byte 0\n.popsection\n")

LIST(shipped_providers, "providers.list");
LIST(shipped_freedns, "freedns.list");
LIST(shipped_vendors, "vendors.list");
LIST(shipped_tunnels, "tunnels.list");
LIST(shipped_update_hosts, "update-hosts.list");
LIST(shipped_ip_check, "ip-check.list");
LIST(shipped_pools, "pools.list");
LIST(shipped_lookup_services, "lookup-services.list");
LIST(shipped_popular, "popular.list");

#define FEED(id, text, mark, reach, rank)                                                      \
	{                                                                                      \
		.name = "shipped:" text, .path = "feeds/lists/" text ".list", .content = id,   \
		.kind = mark, .scope = reach, .format = FEED_SHIPPED, .tier = rank             \
	}

const struct feed_spec shipped_feeds[] = {
	FEED(shipped_providers, "providers", MARK_PROVIDER, SCOPE_SUFFIX, TIER_A),
	FEED(shipped_freedns, "freedns", MARK_PROVIDER, SCOPE_SUFFIX, TIER_B),
	FEED(shipped_vendors, "vendors", MARK_PROVIDER, SCOPE_SUFFIX, TIER_V),
	FEED(shipped_tunnels, "tunnels", MARK_TUNNEL, SCOPE_SUFFIX, TIER_C),
	/* Their providers are known from the lists above; the tier is of those that are not. */
	FEED(shipped_update_hosts, "update-hosts", MARK_UPDATE_HOST, SCOPE_EXACT, TIER_A),
	FEED(shipped_ip_check, "ip-check", MARK_IP_CHECK, SCOPE_EXACT, TIER_A),
	FEED(shipped_pools, "pools", MARK_POOL, SCOPE_SUFFIX, TIER_A),
	FEED(shipped_lookup_services, "lookup-services", MARK_LOOKUP_SERVICE, SCOPE_SUFFIX,
		TIER_A),
};

const char *const shipped_popular_names = shipped_popular;

const size_t shipped_feed_count = ARRAY_LEN(shipped_feeds);

static bool is_provider_list(const struct feed_spec *spec)
{
	return spec->kind == MARK_PROVIDER || spec->kind == MARK_TUNNEL;
}

enum err shipped_build_rail(struct index **out, uint64_t seed, struct err_ctx *why)
{
	struct feed_target target = {
		.builder = index_builder_new(seed),
		.providers = provider_registry_new(),
	};
	struct feed_report report;
	enum err err = ERR_OK;

	*out = NULL;
	if (!target.builder || !target.providers)
		err = err_set(why, ERR_FAILED, "out of memory");
	for (size_t i = 0; !err && i < shipped_feed_count; i++) {
		if (is_provider_list(&shipped_feeds[i]))
			err = feed_load(&target, &shipped_feeds[i], (uint16_t)i, &report, why);
	}
	if (err) {
		index_builder_free(target.builder);
	} else {
		*out = index_build(target.builder);
		err = *out ? ERR_OK : err_set(why, ERR_FAILED, "out of memory");
	}
	provider_registry_free(target.providers);
	return err;
}
