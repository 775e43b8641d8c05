/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of a message is on a list: its qname, the names that it leads to and their addresses, and
 * those of further questions, where something listed could hide.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "sensor/base/attribute.h"
#include "tests/unit/pipeline/observe_rig.h"

/* --- what is listed ------------------------------------------------------------------------------ */

static size_t matches_of(const struct observation *o, uint8_t name)
{
	size_t count = 0;
	for (size_t i = 0; i < o->match_count; i++)
		count += observation_matches(o)[i].name == name;
	return count;
}

Test(observe_listed, the_qname_and_each_target_are_looked_up)
{
	struct scene *s = scene_new();
	known_list(&s->known, "example.com", SCOPE_SUFFIX);
	known_list(&s->known, "bad.example.com", SCOPE_SUFFIX);
	known_list(&s->known, "evil.test", SCOPE_SUFFIX);
	known_list(&s->known, "exact.test", SCOPE_EXACT);
	scene_freeze(s);
	scene_answer(s);
	struct dns_build *b = &s->build;
	build_start(b, 1, DNS_FLAG_QR);
	build_question(b, "www.bad.example.com", DNS_TYPE_A, DNS_CLASS_IN);
	build_cname(b, "harmless.test", 60);
	build_cname(b, "x.EVIL.test", 60);
	build_cname(b, "below.exact.test", 60);
	build_cname(b, "exact.test", 60);
	build_a(b, 1, 60);

	const struct observation *o = scene_observe(s);
	cr_assert_eq(o->name_count, 4);
	cr_assert_eq(matches_of(o, 0), 2, "example.com and bad.example.com");
	cr_assert_eq(observation_matches(o)[0].labels, 2, "the shorter one first");
	cr_assert_eq(observation_matches(o)[1].labels, 3);
	cr_assert_eq(matches_of(o, 1), 0, "harmless.test");
	cr_assert_eq(matches_of(o, 2), 1, "x.evil.test");
	cr_assert_eq(matches_of(o, 3), 0, "below.exact.test");
	cr_assert_eq(matches_of(o, 4), 1, "exact.test");

	const struct observation_match *match = &observation_matches(o)[2];
	size_t mark_count;
	const struct mark *mark =
		index_marks(s->known.knowledge.index, match->entry, &mark_count);
	cr_assert_eq(mark_count, 1);
	cr_assert_eq(mark->kind, MARK_MALICIOUS);
	scene_free(s);
}

Test(observe_listed, the_addresses_of_the_answer_are_looked_up)
{
	struct scene *s = scene_new();
	known_list_network(&s->known, "192.0.2.0/24");
	known_list_network(&s->known, "192.0.2.7");
	scene_freeze(s);
	scene_answer(s);
	struct dns_build *b = &s->build;
	build_start(b, 1, DNS_FLAG_QR);
	build_question(b, "www.example.com", DNS_TYPE_A, DNS_CLASS_IN);
	build_a(b, 0x100, 60); /* 192.0.3.0 */
	build_a(b, 7, 60);
	build_a(b, 8, 60);

	const struct observation *o = scene_observe(s);
	const struct observation_listed *listed = observation_listed(o);
	cr_assert_eq(o->listed_count, 3);
	cr_assert_eq(o->match_count, 0);
	cr_assert_eq(listed[0].address, 1);
	cr_assert_eq(listed[0].bits, 120, "the wider one first");
	cr_assert_eq(listed[1].address, 1);
	cr_assert_eq(listed[1].bits, 128);
	cr_assert_eq(listed[2].address, 2);
	cr_assert_eq(listed[2].bits, 120);
	scene_free(s);
}

struct target_row {
	const char *name;
	uint16_t type;
	const char *before; /* octets of RDATA in front of the target */
	size_t before_len;
	bool leads_on;
};

static const struct target_row target_rows[] = {
	{ "CNAME", DNS_TYPE_CNAME, "", 0, true },
	{ "DNAME", DNS_TYPE_DNAME, "", 0, true },
	{ "NS", DNS_TYPE_NS, "", 0, true },
	{ "PTR", DNS_TYPE_PTR, "", 0, true },
	{ "MX", DNS_TYPE_MX, "\0\x0a", 2, true },
	{ "SRV", DNS_TYPE_SRV, "\0\x01\0\x02\0\x50", 6, true },
	{ "HTTPS", DNS_TYPE_HTTPS, "\0\x01", 2, true },
	{ "SVCB", DNS_TYPE_SVCB, "\0\x01", 2, true },
	{ "TXT", DNS_TYPE_TXT, "", 0, false },
};

Test(observe_listed, every_kind_of_record_that_leads_on_is_followed)
{
	struct scene *s = scene_new();
	known_list(&s->known, "evil.test", SCOPE_SUFFIX);
	scene_freeze(s);
	scene_answer(s);

	for (size_t i = 0; i < ARRAY_LEN(target_rows); i++) {
		const struct target_row *row = &target_rows[i];
		struct dns_build *b = &s->build;
		build_start(b, 1, DNS_FLAG_QR);
		build_question(b, "a.example", row->type, DNS_CLASS_IN);
		build_record(b, BUILD_ANSWER, NULL, row->type, DNS_CLASS_IN, 60);
		build_octets(b, row->before, row->before_len);
		build_labels(b, "host.evil.test");
		if (row->leads_on)
			build_u8(b, 0);
		build_record_end(b);
		const struct observation *o = scene_observe(s);
		cr_assert_eq(o->name_count, row->leads_on, "%s", row->name);
		cr_assert_eq(matches_of(o, 1), row->leads_on, "%s", row->name);
		if (!row->leads_on)
			continue;
		cr_assert_eq(observation_names(o)[0].type, row->type, "%s", row->name);
		cr_assert_str_eq(name_text(o, 0), "host.evil.test", "%s", row->name);
	}
	scene_free(s);
}

Test(observe_listed, matches_beyond_the_limit_are_left_out_the_qnames_first_in)
{
	static const char *const deep[] = { "test", "h.test", "g.h.test", "f.g.h.test" };
	struct scene *s = scene_new();
	for (size_t i = 0; i < ARRAY_LEN(deep); i++)
		known_list(&s->known, deep[i], SCOPE_SUFFIX);
	scene_freeze(s);
	scene_answer(s);
	build_start(&s->build, 1, DNS_FLAG_QR);
	build_question(&s->build, "a.f.g.h.test", DNS_TYPE_A, DNS_CLASS_IN);
	for (unsigned i = 0; i < 5; i++)
		build_cname(&s->build, "b.f.g.h.test", 60);

	const struct observation *o = scene_observe(s);
	cr_assert_eq(o->match_count, OBSERVATION_MATCHES_MAX);
	for (uint8_t name = 0; name < 4; name++)
		cr_assert_eq(matches_of(o, name), 4, "name %u", name);
	cr_assert_eq(o->name_count, 5, "the names themselves are all there");
	scene_free(s);
}

/* --- more than one question ---------------------------------------------------------------------- */

Test(observe_listed, a_further_question_is_kept_when_its_name_is_listed)
{
	struct scene *s = scene_new();
	known_list(&s->known, "evil.example", SCOPE_SUFFIX);
	scene_freeze(s);

	for (int response = 0; response < 2; response++) {
		build_start(&s->build, 1, response ? DNS_FLAG_QR : 0);
		build_question(&s->build, "a.example", DNS_TYPE_A, DNS_CLASS_IN);
		build_question(&s->build, "b.example", DNS_TYPE_A, DNS_CLASS_IN);
		build_question(&s->build, "c2.evil.example", DNS_TYPE_AAAA, DNS_CLASS_IN);
		if (response)
			build_cname(&s->build, "d.example", 60);
		const struct observation *o = scene_observe(s);
		cr_assert_eq(o->name_count, 1 + response);
		cr_assert_str_eq(name_text(o, 0), "c2.evil.example");
		cr_assert_eq(observation_names(o)[0].section, OBSERVATION_QUESTION);
		cr_assert_eq(observation_names(o)[0].type, DNS_TYPE_AAAA);
		cr_assert_eq(o->match_count, 1);
		cr_assert_eq(observation_matches(o)[0].name, 1);
		if (response) {
			cr_assert_str_eq(name_text(o, 1), "d.example");
			cr_assert_eq(observation_names(o)[1].section, DNS_ANSWER);
		}
		scene_answer(s);
	}
	scene_free(s);
}

Test(observe_listed, no_number_of_questions_hides_a_listed_name_or_an_answer)
{
	struct scene *s = scene_new();
	char name[64];
	known_list(&s->known, "evil.example", SCOPE_SUFFIX);
	scene_freeze(s);

	build_start(&s->build, 1, DNS_FLAG_QR);
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "q%d.%s", i, i < 150 ? "example" : "evil.example");
		build_question(&s->build, name, DNS_TYPE_A, DNS_CLASS_IN);
	}
	for (int i = 0; i < 40; i++)
		build_cname(&s->build, "x.example", 60);
	const struct observation *o = scene_observe(s);
	cr_assert_eq(o->name_count, OBSERVATION_NAMES_MAX);
	cr_assert_eq(o->match_count, 8);
	cr_assert_str_eq(name_text(o, 0), "q150.evil.example");
	cr_assert_eq(observation_names(o)[7].section, OBSERVATION_QUESTION);
	cr_assert_eq(observation_names(o)[8].section, DNS_ANSWER);
	scene_free(s);
}

Test(observe_listed, the_second_question_of_an_update_is_none)
{
	struct scene *s = scene_new();
	known_list(&s->known, "evil.example", SCOPE_SUFFIX);
	scene_freeze(s);

	build_start(&s->build, 1, DNS_OPCODE_UPDATE << 11);
	build_question(&s->build, "a.example", DNS_TYPE_SOA, DNS_CLASS_IN);
	build_question(&s->build, "evil.example", DNS_TYPE_SOA, DNS_CLASS_IN);
	cr_assert_eq(scene_observe(s)->name_count, 0);
	scene_free(s);
}
