/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a feed of any format and kind; what was taken must be found again. The first two
 * bytes choose. */
#include <stdlib.h>

#include "feeds/feed.h"

static void must(bool condition)
{
	if (!condition)
		abort();
}

static uint64_t counted(const struct feed_report *r)
{
	return feed_report_accepted(r) + r->duplicates + feed_report_rejected(r);
}

static void check_name(const struct index *index, const uint8_t *data, size_t size)
{
	struct index_hit hit[INDEX_HITS_MAX];
	struct dns_name name;
	enum mark_scope scope = SCOPE_SUFFIX;

	if (feed_normalise(&name, &scope, (const char *)data, size) != FEED_REJECT_COUNT)
		return;
	must(name.label_count > 0);
	size_t count = index_match_name(index, &name, hit);
	for (size_t i = 0; i < count; i++) {
		size_t marks;
		must(hit[i].labels <= name.label_count);
		must(i == 0 || hit[i - 1].labels < hit[i].labels);
		must(index_marks(index, hit[i].entry, &marks) && marks > 0);
	}
}

static void check_address(const struct address_set *set, const uint8_t *data, size_t size)
{
	struct address_hit hit[ADDRESS_HITS_MAX];
	struct ip_net net;

	if (feed_normalise_address(&net, (const char *)data, size) != FEED_REJECT_COUNT)
		return;
	size_t count = address_set_match(set, &net.base, hit);
	for (size_t i = 0; i < count; i++) {
		must(ip_net_contains(address_set_net(set, hit[i].entry), &net.base));
		must(i == 0 || hit[i - 1].bits < hit[i].bits);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed_report report;
	struct err_ctx why;

	if (size < 2)
		return 0;
	struct feed_target target = { .builder = index_builder_new(data[0]),
		.providers = provider_registry_new(),
		.addresses = address_builder_new(data[1]) };
	struct feed_spec spec = { .name = "fuzz",
		.content = size > 2 ? (const char *)data + 2 : "",
		.content_len = size - 2,
		.path = "fuzz",
		.format = data[0] % 32 % FEED_FORMAT_COUNT,
		.column = data[0] & 128 ? 2 : 0,
		.min_confidence = data[0] & 64 ? 50 : 0,
		.now_s = data[0] & 32 ? 1780272000 : 0,
		.kind = data[1] % 32 % MARK_APPROVED,
		.scope = data[1] & 128 ? SCOPE_EXACT : SCOPE_SUFFIX,
		.allow_broad = data[1] & 64 };
	must(target.builder && target.providers && target.addresses);
	struct facts *facts = NULL;
	const struct feed_item item = {
		.spec = &spec, .report = &report, .source = 1, .facts = &facts
	};
	size_t failed;
	if (feed_load_all(&target, &item, 1, 1, &failed, &why) != ERR_OK) {
		/* Only JSON can be damaged as a whole. */
		must(report.format == FEED_STIX || report.format == FEED_MISP);
		index_builder_free(target.builder);
		address_builder_free(target.addresses);
		provider_registry_free(target.providers);
		facts_free(facts);
		return 0;
	}
	must(report.bytes == size - 2);
	uint64_t first = counted(&report);
	uint64_t known = feed_report_accepted(&report) + report.duplicates;
	must(feed_load_all(&target, &item, 1, 1, &failed, &why) == ERR_OK);
	must(feed_report_accepted(&report) == 0 && report.duplicates == known);
	must(counted(&report) == first);
	struct index *index = index_build(target.builder);
	must(index != NULL);
	check_name(index, data + 2, size - 2);
	struct address_set *addresses = address_set_build(target.addresses);
	must(addresses != NULL);
	check_address(addresses, data + 2, size - 2);
	index_free(index);
	address_set_free(addresses);
	facts_free(facts);
	provider_registry_free(target.providers);
	return 0;
}
