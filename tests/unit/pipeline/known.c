/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/pipeline/known.h"

#include <stdlib.h>

#include <criterion/criterion.h>

#define SEED UINT64_C(0x5eed)

void known_init(struct known *k)
{
	static char feed_name[] = "test feed";

	*k = (struct known){
		.feed = { feed_name, NULL, MARK_MALICIOUS, SEVERITY_HIGH },
		.builder = index_builder_new(SEED),
		.cache = tenant_cache_new(),
		.knowledge = {
			.providers = provider_registry_new(),
			.policies = policy_set_new(),
			.feed_count = 1,
		},
	};
	cr_assert(k->builder && k->cache && k->knowledge.providers && k->knowledge.policies);
	k->knowledge.feed = &k->feed;
	packet_options_init(&k->packet);
	port_set_add(&k->packet.ports, 53);
	port_set_add(&k->packet.ports, 5353);
	k->decoder = decoder_new(&k->packet, DECODER_BYTES_MIN);
	k->streams = tcp_streams_new(TCP_STREAMS_BYTES_MIN, 1);
	cr_assert(k->decoder && k->streams);
}

uint16_t known_tenant(struct known *k, const char *id, const char *network)
{
	struct policy *p = policy_set_add(k->knowledge.policies, id);

	cr_assert_not_null(p);
	p->select.network = calloc(1, sizeof(*p->select.network));
	cr_assert_not_null(p->select.network);
	p->select.network_count = 1;
	cr_assert(ip_net_parse(&p->select.network[0], network), "%s", network);
	return p->number;
}

void known_list(struct known *k, const char *text, enum mark_scope scope)
{
	struct mark mark = { .kind = MARK_MALICIOUS, .scope = (uint8_t)scope };
	struct dns_name name;

	cr_assert(dns_name_parse(&name, text), "%s", text);
	cr_assert_eq(index_builder_add(k->builder, &name, mark), INDEX_ADDED, "%s", text);
}

void known_list_network(struct known *k, const char *text)
{
	struct mark mark = { .kind = MARK_MALICIOUS };
	struct ip_net net;

	cr_assert(ip_net_parse(&net, text), "%s", text);
	if (!k->addresses)
		k->addresses = address_builder_new(SEED);
	cr_assert_not_null(k->addresses);
	cr_assert_eq(address_builder_add(k->addresses, &net, mark), INDEX_ADDED, "%s", text);
}

void known_freeze(struct known *k)
{
	struct policy_set *policies = k->knowledge.policies;
	struct err_ctx why;

	k->knowledge.index = index_build(k->builder);
	k->builder = NULL;
	cr_assert_not_null(k->knowledge.index);
	if (k->addresses) {
		k->knowledge.addresses = address_set_build(k->addresses);
		k->addresses = NULL;
		cr_assert_not_null(k->knowledge.addresses);
	}
	cr_assert_eq(tenant_map_new(&policies->map, policies, NULL, 0, &why), ERR_OK, "%s",
		why.text);
}

struct observer known_observer(struct known *k)
{
	return (struct observer){
		.known = &k->knowledge, .ports = &k->packet.ports, .tenants = k->cache
	};
}

void known_deinit(struct known *k)
{
	index_builder_free(k->builder);
	address_builder_free(k->addresses);
	index_free(k->knowledge.index);
	address_set_free(k->knowledge.addresses);
	policy_set_free(k->knowledge.policies);
	provider_registry_free(k->knowledge.providers);
	tenant_cache_free(k->cache);
	decoder_free(k->decoder);
	tcp_streams_free(k->streams);
}
