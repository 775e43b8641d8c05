/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/registered.h"

#include <criterion/criterion.h>
#include <libpsl.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/feeds/feed_rig.h"

static const struct {
	const char *name;
	unsigned labels;
} rows[] = {
	{ ".", 0 },
	{ "com", 0 },
	{ "example.com", 2 },
	{ "www.example.com", 2 },
	{ "a.b.c.d.example.com", 2 },
	{ "co.uk", 0 },
	{ "example.co.uk", 3 },
	{ "a.example.co.uk", 3 },
	/* private section */
	{ "duckdns.org", 0 },
	{ "cam7.duckdns.org", 3 },
	{ "a.cam7.duckdns.org", 3 },
	{ "github.io", 0 },
	/* a suffix below a name that is none, and its siblings */
	{ "amazonaws.com", 2 },
	{ "s3.amazonaws.com", 0 },
	{ "bucket.s3.amazonaws.com", 4 },
	{ "other.amazonaws.com", 2 },
	/* *.ck and !www.ck */
	{ "ck", 0 },
	{ "foo.ck", 0 },
	{ "bar.foo.ck", 3 },
	{ "www.ck", 2 },
	{ "a.www.ck", 2 },
	/* *.kawasaki.jp and !city.kawasaki.jp */
	{ "kawasaki.jp", 0 },
	{ "x.kawasaki.jp", 0 },
	{ "y.x.kawasaki.jp", 4 },
	{ "city.kawasaki.jp", 3 },
	{ "a.city.kawasaki.jp", 3 },
	/* a top-level domain of no list */
	{ "host.internal-name", 2 },
	{ "a.host.internal-name", 2 },
	/* A-labels */
	{ "xn--55qx5d.cn", 0 },
	{ "a.xn--55qx5d.cn", 3 },
	/* no host names */
	{ "_ldap._tcp.example.com", 2 },
	{ "a\\.b.example.com", 2 },
	{ "x\\.co.uk", 2 },
	{ "\\000\\255.example.co.uk", 3 },
	{ "a b.com", 2 },
};

Test(registered, known_names_have_known_registered_domains)
{
	struct registered *r = registered_new();

	for (int pass = 0; pass < 2; pass++) { /* the second from the cache */
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct dns_name name = name_of(rows[i].name);
			cr_expect_eq(registered_labels(r, &name), rows[i].labels, "%s: %u",
				rows[i].name, registered_labels(r, &name));
		}
	}
	registered_free(r);
}

Test(registered, names_of_any_depth_are_answered)
{
	struct registered *r = registered_new();
	char text[DNS_NAME_MAX + 1] = "example.co.uk";

	for (unsigned labels = 3; labels <= 126; labels++) {
		struct dns_name name = name_of(text);
		cr_assert_eq(name.label_count, labels);
		cr_expect_eq(registered_labels(r, &name), 3, "%u labels", labels);
		if (strlen(text) + 2 > 253)
			break;
		memmove(text + 2, text, strlen(text) + 1);
		memcpy(text, "x.", 2);
	}
	registered_free(r);
}

static uint64_t random_state = 2463534242u;

static unsigned random_below(unsigned limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state >> 33) % limit;
}

static unsigned oracle(const char *text)
{
	const char *domain = psl_registrable_domain(psl_builtin(), text);
	unsigned labels = domain != NULL;

	for (; domain && *domain; domain++)
		labels += *domain == '.';
	return labels;
}

Test(registered, agrees_with_libpsl_on_generated_names_in_any_order)
{
	static const char *const tails[] = { "com", "co.uk", "ck", "www.ck", "kawasaki.jp",
		"city.kawasaki.jp", "jp", "amazonaws.com", "s3.amazonaws.com", "duckdns.org",
		"compute.amazonaws.com", "github.io", "bd", "er", "xn--55qx5d.cn", "no",
		"oslo.no", "nowhere", "cloudfront.net", "in-addr.arpa", "arpa",
		"azurewebsites.net", "us", "k12.ca.us", "ca.us", "dyndns.org",
		"elb.amazonaws.com", "sch.uk", "uk", "mm" };
	static const char *const heads[] = { "www", "city", "s3", "foo", "co", "com", "a-b",
		"k12", "home", "compute", "elb", "go", "_x", "127", "pvt" };
	struct registered *r = registered_new();

	for (unsigned i = 0; i < 20000; i++) {
		char text[DNS_NAME_MAX] = "";
		unsigned depth = random_below(5);
		for (unsigned k = 0; k < depth; k++)
			sprintf(text + strlen(text), "%s.",
				heads[random_below(ARRAY_LEN(heads))]);
		strcat(text, tails[random_below(ARRAY_LEN(tails))]);
		struct dns_name name = name_of(text);
		cr_assert_eq(registered_labels(r, &name), oracle(text), "%s: %u, not %u", text,
			registered_labels(r, &name), oracle(text));
	}
	registered_free(r);
}

Test(registered, suffixes_belong_to_their_section)
{
	static const struct {
		const char *name;
		bool icann, private;
	} cases[] = {
		{ "com", true, false },
		{ "co.uk", true, false },
		{ "foo.ck", true, false },
		{ "www.ck", false, false },
		{ "duckdns.org", false, true },
		{ "s3.amazonaws.com", false, true },
		{ "amazonaws.com", false, false },
		{ "example.com", false, false },
		{ "in-addr.arpa", true, false },
		{ "nowhere", true, false },
		{ ".", false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dns_name name = name_of(cases[i].name);
		cr_expect_eq(
			registered_is_icann_suffix(&name), cases[i].icann, "%s", cases[i].name);
		cr_expect_eq(registered_is_private_suffix(&name), cases[i].private, "%s",
			cases[i].name);
	}
}
