/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An observation has its limits: what is beyond them is left out, and no message, whatever it says,
 * needs more room than was promised for it.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "sensor/base/attribute.h"
#include "sensor/base/hash.h"
#include "tests/unit/pipeline/observe_rig.h"

/* --- limits --------------------------------------------------------------------------------------- */

Test(observe_bound, addresses_beyond_the_limit_are_left_out_and_that_is_said)
{
	struct scene *s = scene_new();
	scene_freeze(s);
	scene_answer(s);

	for (unsigned count = OBSERVATION_ADDRESSES_MAX - 1;
		count <= OBSERVATION_ADDRESSES_MAX + 1; count++) {
		build_start(&s->build, 1, DNS_FLAG_QR);
		build_question(&s->build, "many.example", DNS_TYPE_A, DNS_CLASS_IN);
		for (unsigned i = 0; i < count; i++)
			build_a(&s->build, i, i);
		const struct observation *o = scene_observe(s);
		unsigned kept =
			count < OBSERVATION_ADDRESSES_MAX ? count : OBSERVATION_ADDRESSES_MAX;
		cr_assert_eq(o->address_count, kept, "%u", count);
		cr_assert_eq(
			o->addresses_omitted, count > OBSERVATION_ADDRESSES_MAX, "%u", count);
		for (unsigned i = 0; i < kept; i++)
			cr_assert_eq(observation_addresses(o)[i].ttl, i, "%u of %u", i, count);
	}
	scene_free(s);
}

Test(observe_bound, addresses_behind_more_records_than_are_kept_count_as_omitted)
{
	struct scene *s = scene_new();
	scene_freeze(s);
	scene_answer(s);
	build_start(&s->build, 1, DNS_FLAG_QR);
	build_question(&s->build, "many.example", DNS_TYPE_A, DNS_CLASS_IN);
	for (unsigned i = 0; i < DNS_RECORDS_MAX; i++) {
		build_record(&s->build, BUILD_ANSWER, NULL, DNS_TYPE_TXT, DNS_CLASS_IN, 60);
		build_octets(&s->build, "\x01x", 2);
		build_record_end(&s->build);
	}
	cr_assert(!scene_observe(s)->addresses_omitted);
	build_a(&s->build, 1, 60);
	const struct observation *o = scene_observe(s);
	cr_assert_eq(o->address_count, 0);
	cr_assert(o->addresses_omitted);
	scene_free(s);
}

Test(observe_bound, names_beyond_the_limit_are_left_out)
{
	struct scene *s = scene_new();
	known_list(&s->known, "test", SCOPE_SUFFIX);
	scene_freeze(s);
	scene_answer(s);

	for (unsigned count = OBSERVATION_NAMES_MAX - 1; count <= OBSERVATION_NAMES_MAX + 1;
		count++) {
		build_start(&s->build, 1, DNS_FLAG_QR);
		build_question(&s->build, "many.example", DNS_TYPE_MX, DNS_CLASS_IN);
		for (unsigned i = 0; i < count; i++) {
			char target[32];
			snprintf(target, sizeof(target), "mx%u.test", i);
			build_cname(&s->build, target, i);
		}
		const struct observation *o = scene_observe(s);
		unsigned kept = count < OBSERVATION_NAMES_MAX ? count : OBSERVATION_NAMES_MAX;
		cr_assert_eq(o->name_count, kept, "%u", count);
		cr_assert_eq(o->match_count, kept, "%u", count);
		for (unsigned i = 0; i < kept; i++) {
			char target[32];
			snprintf(target, sizeof(target), "mx%u.test", i);
			cr_assert_str_eq(name_text(o, i), target, "%u of %u", i, count);
			cr_assert_eq(
				observation_matches(o)[i].name, i + 1, "%u of %u", i, count);
		}
	}
	scene_free(s);
}

/* --- properties --------------------------------------------------------------------------------------- */

/* The part begins where the one before ended, but for what aligns it. Returns its end. */
static const char *check_part(const struct observation *o, const char *end, const void *part,
	size_t bytes, const char *what, uint64_t seed)
{
	const char *at = part;

	cr_assert(at >= end && at + bytes <= (const char *)o + o->size, "%s, seed %llu", what,
		(unsigned long long)seed);
	cr_assert_eq((uintptr_t)at % 4, 0, "%s, seed %llu", what, (unsigned long long)seed);
	return at + bytes;
}

/* Every part lies inside the block, aligned, none on another, and names are names. */
static void check_whole(const struct observation *o, uint64_t seed)
{
	struct dns_name name;
	const char *end = (const char *)(o + 1);

	end = check_part(o, end, observation_qname_wire(o), o->qname_len, "qname", seed);
	end = check_part(o, end, observation_addresses(o),
		o->address_count * sizeof(struct dns_address), "addresses", seed);
	end = check_part(o, end, observation_names(o),
		o->name_count * sizeof(struct observation_name), "names", seed);
	for (unsigned i = 0; i < o->name_count; i++) {
		const struct observation_name *n = &observation_names(o)[i];
		const char *wire = (const char *)o + n->wire_at;
		cr_assert_geq(wire, end, "name %u, seed %llu", i, (unsigned long long)seed);
		cr_assert(dns_name_from_wire(&name, (const uint8_t *)wire, n->wire_len),
			"name %u, seed %llu", i, (unsigned long long)seed);
		end = wire + n->wire_len;
	}
	if (observation_message(o))
		end = check_part(
			o, end, observation_message(o), o->wire_len_message, "message", seed);
	end = check_part(o, end, observation_listed(o),
		o->listed_count * sizeof(struct observation_listed), "listed", seed);
	end = check_part(o, end, observation_matches(o),
		o->match_count * sizeof(struct observation_match), "matches", seed);
	cr_assert_eq(end, (const char *)o + o->size);
	for (unsigned i = 0; i < o->listed_count; i++)
		cr_assert_lt(observation_listed(o)[i].address, o->address_count,
			"listed %u, seed %llu", i, (unsigned long long)seed);
	cr_assert(dns_name_from_wire(&name, observation_qname_wire(o), o->qname_len));
	cr_assert_eq(name.label_count, o->qname_labels);
	for (unsigned i = 0; i < o->match_count; i++)
		cr_assert_leq(observation_matches(o)[i].name, o->name_count,
			"match %u, seed %llu", i, (unsigned long long)seed);
}

struct dice {
	uint64_t state;
};

static unsigned roll(struct dice *d, unsigned sides)
{
	d->state += HASH_K0;
	return (unsigned)(hash_fold(d->state ^ HASH_K2, HASH_K1) % sides);
}

/* A name of random depth; long labels now and then, so that it nears the 255 octets. */
static void roll_name(struct dice *d, struct dns_build *b)
{
	if (roll(d, 3) == 0) {
		build_pointer(b, 12);
		return;
	}
	size_t room = DNS_NAME_MAX - 8;
	for (unsigned labels = roll(d, 40); labels > 0 && room > 1; labels--) {
		unsigned len = 1 + roll(d, roll(d, 4) ? 3 : DNS_LABEL_MAX);
		if (len + 1 > room)
			break;
		build_u8(b, len);
		for (unsigned i = 0; i < len; i++)
			build_u8(b, "aBcDeF\\.\0\xff"[roll(d, 10)]);
		room -= len + 1;
	}
	build_octets(b, "\x04test", 6);
}

static void roll_record(struct dice *d, struct dns_build *b)
{
	static const uint16_t types[] = { DNS_TYPE_A, DNS_TYPE_A, DNS_TYPE_AAAA, DNS_TYPE_CNAME,
		DNS_TYPE_CNAME, DNS_TYPE_NS, DNS_TYPE_MX, DNS_TYPE_TXT };
	uint16_t type = types[roll(d, ARRAY_LEN(types))];

	build_record(b, roll(d, 8) ? BUILD_ANSWER : BUILD_ADDITIONAL,
		roll(d, 2) ? NULL : "o.test", type, DNS_CLASS_IN, roll(d, 3600));
	if (type == DNS_TYPE_A)
		build_u32(b, roll(d, 1000));
	else if (type == DNS_TYPE_AAAA)
		build_octets(b, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09", 16);
	else if (type == DNS_TYPE_TXT)
		build_octets(b, "\x01x", 2);
	if (type == DNS_TYPE_MX)
		build_u16(b, 10);
	if (type == DNS_TYPE_CNAME || type == DNS_TYPE_NS || type == DNS_TYPE_MX)
		roll_name(d, b);
	build_record_end(b);
}

static void roll_message(struct dice *d, struct dns_build *b)
{
	unsigned opcode = roll(d, 6) ? DNS_OPCODE_QUERY : DNS_OPCODE_UPDATE;

	build_start(b, 1, (uint16_t)((roll(d, 4) ? DNS_FLAG_QR : 0) | opcode << 11));
	if (roll(d, 8)) {
		roll_name(d, b);
		build_u32(b, 0x00010001);
		build_set_count(b, BUILD_QUESTION, 1);
	}
	/* seldom more than are kept, mostly as few as usual */
	unsigned limit = roll(d, 10) == 0 ? 200 : roll(d, 3) == 0 ? 90 : 6;
	for (unsigned records = roll(d, limit); records > 0; records--)
		roll_record(d, b);
}

Test(observe_bound, no_message_needs_more_room_than_was_promised)
{
	struct scene *s = scene_new();
	known_list(&s->known, "test", SCOPE_SUFFIX);
	known_list(&s->known, "a.test", SCOPE_SUFFIX);
	known_list_network(&s->known, "0.0.0.0/23");
	known_list_network(&s->known, "0.0.0.0/24");
	known_list_network(&s->known, "2001:db8::9");
	scene_freeze(s);
	scene_answer(s);
	size_t well_formed = 0;

	for (uint64_t seed = 0; seed < 20000; seed++) {
		struct dice d = { seed * HASH_K2 };
		roll_message(&d, &s->build);
		if (dns_message_decode(&s->message, s->build.at, s->build.len) != DNS_OK)
			continue; /* a pointer at offset 12 without a question there */
		check_whole(scene_observe(s), seed);
		well_formed++;
	}
	cr_assert_gt(well_formed, 10000, "%zu", well_formed);
	scene_free(s);
}

Test(observe_bound, damaged_samples_that_still_decode_stay_within_their_bound)
{
	struct scene *s = scene_new();
	known_list(&s->known, "com", SCOPE_SUFFIX);
	known_list(&s->known, "example", SCOPE_SUFFIX);
	scene_freeze(s);
	scene_answer(s);
	size_t well_formed = 0;

	for (uint64_t seed = 0; seed < 20000; seed++) {
		struct dice d = { seed * HASH_K1 };
		dns_samples[seed % dns_samples_count].make(&s->build);
		for (unsigned changes = roll(&d, 4); changes > 0; changes--)
			s->build.at[roll(&d, (unsigned)s->build.len)] = (uint8_t)roll(&d, 256);
		if (dns_message_decode(&s->message, s->build.at, s->build.len) != DNS_OK)
			continue;
		check_whole(scene_observe(s), seed);
		well_formed++;
	}
	cr_assert_gt(well_formed, 3000, "%zu", well_formed);
	scene_free(s);
}
