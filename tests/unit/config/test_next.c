/* SPDX-License-Identifier: BSD-2-Clause */
/* From one configuration to the next. */
#include "sensor/config/config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/attribute.h"

static struct config *parse(const char *text)
{
	struct config *c;
	struct err_ctx why;

	cr_assert_eq(config_parse(&c, text, strlen(text), "t.yaml", &why), ERR_OK, "%s: %s",
		text, why.text);
	return c;
}

/* Everything that only a restart can change, and what is new besides. */
#define ALL                                                                                    \
	"sensor: {name: a, memory_mb: 64, inputs: 1, trackers: 1, user: nobody}\n"             \
	"capture: [{interface: eth1, filter: udp}, {dnstap: s.sock}]\n"                        \
	"ports: [53]\n"                                                                        \
	"tunnels: {vxlan: [4789]}\n"                                                           \
	"outputs: [{type: jsonl, path: a.jsonl}]\n"                                            \
	"control: {socket: c.sock}\n"

static const struct {
	const char *before, *after; /* what is replaced in ALL */
	const char *keys;
} rows[] = {
	{ "name: a", "name: b", "sensor.name" },
	{ "memory_mb: 64", "memory_mb: 65", "sensor.memory_mb" },
	{ "inputs: 1", "inputs: 2", "sensor.inputs" },
	{ "trackers: 1", "trackers: 2", "sensor.trackers" },
	{ "user: nobody", "user: root", "sensor.user" },
	{ "interface: eth1", "interface: eth2", "capture" },
	{ "filter: udp", "filter: tcp", "capture" },
	{ "s.sock", "t.sock", "capture" },
	{ ", {dnstap: s.sock}", "", "capture" },
	{ "ports: [53]", "ports: [53, 5353]", "ports" },
	{ "4789", "4790", "tunnels" },
	{ "vxlan", "geneve", "tunnels" },
	{ "a.jsonl", "b.jsonl", "outputs" },
	{ "outputs: [{type: jsonl, path: a.jsonl}]\n", "", "outputs" },
	{ "c.sock", "d.sock", "control.socket" },
	{ "control: {socket: c.sock}\n", "", "control.socket" },
	{ "control: {socket: c.sock}\n", "control: {socket: c.sock, watch: false}\n", NULL },
	{ "ports", "tenants: [{id: a}]\nbuiltin_lists: false\nports", NULL },
	{ "ports", "geoip: {asn: a.mmdb}\nrules: {nxdomain.spike: {enabled: false}}\nports",
		NULL },
	{ "name: a, memory_mb: 64", "name: b, memory_mb: 65", "sensor.name, sensor.memory_mb" },
};

Test(next, what_only_a_restart_can_change_is_named)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[1000];
		const char *at = strstr(ALL, rows[i].before);
		cr_assert_not_null(at, "%s", rows[i].before);
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - ALL), ALL, rows[i].after,
			at + strlen(rows[i].before));
		struct config *one = parse(ALL), *other = parse(text);
		char *keys = config_needs_restart(one, other);
		cr_assert_str_eq(keys ? keys : "", rows[i].keys ? rows[i].keys : "", "%s",
			rows[i].after);
		free(keys);
		config_free(one);
		config_free(other);
	}
}

Test(next, what_is_told_of_a_tenant_follows_it_to_its_number)
{
	struct config *one = parse("tenants: [{id: acme}, {id: beta, select: {vlans: [2]}}]");
	struct config *next = parse(
		"tenants: [{id: new, ddns: {approved: [{provider: dyn}]}, select: {vlans: "
		"[1]}},"
		" {id: beta, ddns: {approved: [{provider: no-ip}]}, select: {vlans: [2]}}]");
	struct err_ctx why;

	cr_assert_eq(config_keep_numbers(next, one->policies, &why), ERR_OK);
	cr_assert_eq(next->provider_count, 2);
	for (size_t i = 0; i < next->provider_count; i++) {
		const struct policy *p = &next->policies->tenant[next->provider[i].tenant];
		bool dyn = strcmp(next->provider[i].id, "dyn") == 0;
		cr_assert_str_eq(p->id, dyn ? "new" : "beta");
		cr_assert_eq(p->number, dyn ? 3 : 2);
		cr_assert_eq(p->approved_count, 1);
	}
	cr_assert(next->policies->tenant[1].retired);
	config_free(one);
	config_free(next);
}
