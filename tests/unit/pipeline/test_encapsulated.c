/* SPDX-License-Identifier: BSD-2-Clause */
/* A message gives the same observation in whatever it is wrapped. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"
#include "tests/support/dns_build.h"
#include "tests/support/shells.h"
#include "tests/unit/pipeline/known.h"

static const struct message_row {
	const char *sample;
	bool response;
} messages[] = { { "query_edns", false }, { "response_cname", true },
	{ "update_unsigned", false }, { "update_tsig", false } };

struct scene {
	struct known known;
	struct observer observer;
	struct dns_build build;
	struct dns_message message;
	struct frame_spec spec; /* of the packet inside */
};

static struct scene *scene_new(void)
{
	struct scene *s = calloc(1, sizeof(*s));

	cr_assert_not_null(s);
	known_init(&s->known);
	known_tenant(&s->known, "acme", "192.0.2.0/24");
	known_tenant(&s->known, "beta", "2001:db8::/64");
	known_list(&s->known, "example", SCOPE_SUFFIX);
	known_list(&s->known, "net", SCOPE_SUFFIX);
	known_freeze(&s->known);
	s->observer = known_observer(&s->known);
	return s;
}

static void scene_say(struct scene *s, const struct message_row *row, bool v6)
{
	dns_sample_make(&s->build, row->sample);
	s->spec = (struct frame_spec){
		.v6 = v6,
		.sport = row->response ? 53 : 40000,
		.dport = row->response ? 40000 : 53,
		.payload = s->build.at,
		.payload_len = s->build.len,
	};
}

/* The observation of a frame; zeros fill what it does not use. Freed by the caller. */
static struct observation *observed(
	struct scene *s, const uint8_t *bytes, size_t len, const char *name)
{
	struct frame frame = { .bytes = bytes,
		.caplen = (uint32_t)len,
		.wire_len = (uint32_t)len,
		.link = PACKET_LINK_ETHERNET,
		.ts_ns = KNOWN_START_NS };
	struct packet p;

	cr_assert_eq(packet_decode(&p, &frame, s->known.decoder), PACKET_DNS, "%s", name);
	cr_assert_eq(
		dns_message_decode(&s->message, p.payload, p.payload_len), DNS_OK, "%s", name);
	struct parties who;
	observe_prepare(&s->observer, &who, &frame, &p, &s->message);
	observe_tenant(&s->observer, &who, &frame, &p);
	struct observation *o = calloc(1, observe_bound(&who, &s->message));
	cr_assert_not_null(o);
	observe_build(&s->observer, o, &frame, &p, &who, &s->message);
	return o;
}

static void expect_same(struct scene *s, const struct shell *shell, bool outer_v6,
	const struct observation *bare)
{
	uint8_t inner[FRAMES_BYTES_MAX], outer[FRAMES_BYTES_MAX];
	bool v6 = s->spec.v6;

	s->spec.link = SHELL_INNER_LINK(shell);
	size_t len = frames_build(inner, &s->spec);
	len = shell_wrap(outer, shell, outer_v6, inner, len, v6);
	struct observation *o = observed(s, outer, len, shell->name);
	cr_assert_eq(o->vlan_count, shell->vlan != 0, "%s", shell->name);
	o->vlan_count = 0;
	o->vlan[0] = 0;
	cr_assert_eq(o->size, bare->size, "%s", shell->name);
	cr_assert_eq(memcmp(o, bare, bare->size), 0, "%s, v6 %d in v6 %d", shell->name, v6,
		outer_v6);
	free(o);
}

Test(encapsulated, every_message_in_every_tunnel_gives_the_observation_of_the_bare_one)
{
	struct scene *s = scene_new();

	for (size_t i = 0; i < ARRAY_LEN(messages) * 2; i++) {
		uint8_t bytes[FRAMES_BYTES_MAX];
		scene_say(s, &messages[i / 2], i & 1);
		s->spec.link = 1;
		size_t len = frames_build(bytes, &s->spec);
		struct observation *bare = observed(s, bytes, len, messages[i / 2].sample);
		cr_assert_gt(bare->match_count, 0, "%s", messages[i / 2].sample);
		for (size_t k = 0; k < shells_count * 2; k++) {
			const struct shell *shell = &shells[k / 2];
			if ((k & 1) && !shell_has_outer_ip(shell))
				continue;
			if ((i & 1) && strcmp(shell->name, "GRE with WCCP") == 0)
				continue; /* IPv4 alone */
			expect_same(s, shell, k & 1, bare);
		}
		free(bare);
	}
	known_deinit(&s->known);
	free(s);
}

/* Tags say whose it is wherever they stand; here they only must not change anything else. */
Test(encapsulated, every_message_behind_tags_gives_the_observation_of_the_bare_one)
{
	struct scene *s = scene_new();

	for (size_t i = 0; i < ARRAY_LEN(messages) * 2; i++) {
		uint8_t bytes[FRAMES_BYTES_MAX];
		struct observation *o[3];
		scene_say(s, &messages[i / 2], i & 1);
		s->spec.link = 1;
		s->spec.tag[0] = (struct frame_tag){ 0x88a8, 5 };
		s->spec.tag[1] = (struct frame_tag){ 0x8100, 6 };
		for (unsigned tags = 0; tags < 3; tags++) {
			s->spec.tag_count = (uint8_t)tags;
			size_t len = frames_build(bytes, &s->spec);
			o[tags] = observed(s, bytes, len, messages[i / 2].sample);
			cr_assert_eq(o[tags]->vlan_count, tags);
			o[tags]->vlan_count = 0;
			memset(o[tags]->vlan, 0, sizeof(o[tags]->vlan));
			cr_assert_eq(memcmp(o[tags], o[0], o[0]->size), 0);
		}
		for (unsigned tags = 0; tags < 3; tags++)
			free(o[tags]);
	}
	known_deinit(&s->known);
	free(s);
}
