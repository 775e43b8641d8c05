/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/feeds/feed_rig.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

void feed_rig_init(struct feed_rig *rig)
{
	*rig = (struct feed_rig){ 0 };
	rig->target.builder = index_builder_new(42);
	rig->target.providers = provider_registry_new();
	rig->target.addresses = address_builder_new(42);
	cr_assert(rig->target.builder && rig->target.providers && rig->target.addresses);
}

void feed_rig_deinit(struct feed_rig *rig)
{
	index_builder_free(rig->target.builder);
	provider_registry_free(rig->target.providers);
	address_builder_free(rig->target.addresses);
	index_free(rig->index);
	address_set_free(rig->addresses);
}

void feed_rig_load(struct feed_rig *rig, struct feed_spec spec, const char *content)
{
	spec.name = spec.name ? spec.name : "test";
	spec.content = content;
	enum err err = feed_load(&rig->target, &spec, 1, &rig->report, &rig->why);
	cr_assert_eq(err, ERR_OK, "%s", rig->why.text);
}

void feed_rig_build(struct feed_rig *rig)
{
	rig->index = index_build(rig->target.builder);
	rig->target.builder = NULL;
	rig->addresses = address_set_build(rig->target.addresses);
	rig->target.addresses = NULL;
	cr_assert(rig->index && rig->addresses);
}

size_t feed_rig_hits(const struct feed_rig *rig, const char *name)
{
	struct index_hit hit[INDEX_HITS_MAX];
	struct dns_name wire = name_of(name);

	return index_match_name(rig->index, &wire, hit);
}

struct dns_name name_of(const char *text)
{
	struct dns_name name;

	cr_assert(dns_name_parse(&name, text), "%s", text);
	return name;
}

const char *shared_path(const char *file)
{
	static char path[512];
	const char *top = getenv("DYNWATCH_SHARED");

	snprintf(path, sizeof(path), "%s/%s", top ? top : "../shared", file);
	return path;
}
