/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/suffix_filter.h"

#include <criterion/criterion.h>
#include <libpsl.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/feeds/feed_rig.h"

/* What the filter says of the name; a name of one label is never asked about. */
static bool may_be(const char *text)
{
	const struct suffix_filter *f = suffix_filter_get();
	struct dns_name name = name_of(text);

	return suffix_filter_may_be(f, name.wire, name.wire_len);
}

Test(suffix_filter, no_public_suffix_is_ruled_out)
{
	static const char *const rows[] = { "co.uk", "s3.amazonaws.com", "foo.ck",
		"x.kawasaki.jp", "xn--55qx5d.cn", "duckdns.org", "github.io", "nom.br",
		"a.nom.br", "any.compute.estate" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (psl_is_public_suffix(psl_builtin(), rows[i]))
			cr_expect(may_be(rows[i]), "%s", rows[i]);
	}
	cr_expect(psl_is_public_suffix(psl_builtin(), rows[0]), "the rows are asked at all");
}

Test(suffix_filter, names_of_every_kind_are_answered_as_libpsl_answers)
{
	static const char *const parents[] = { "com", "co.uk", "ck", "kawasaki.jp",
		"amazonaws.com", "cn", "blogspot.com", "example", "compute.estate" };
	static const char *const labels[] = { "www", "s3", "city", "a", "net", "xn--55qx5d" };
	char text[64];

	for (size_t i = 0; i < ARRAY_LEN(parents); i++) {
		for (size_t k = 0; k < ARRAY_LEN(labels); k++) {
			snprintf(text, sizeof(text), "%s.%s", labels[k], parents[i]);
			if (!may_be(text))
				cr_expect_not(
					psl_is_public_suffix(psl_builtin(), text), "%s", text);
		}
	}
}

Test(suffix_filter, a_complete_one_rules_out_nearly_every_other_name)
{
	const struct suffix_filter *f = suffix_filter_get();
	char text[64];
	unsigned passed = 0;

	for (unsigned i = 0; i < 10000; i++) {
		snprintf(text, sizeof(text), "host-%u.example-%u.com", i, i % 97);
		passed += may_be(text);
	}
	/* Without the file that libpsl was made from nothing may be ruled out. */
	if (suffix_filter_is_complete(f))
		cr_expect_lt(passed, 500);
	else
		cr_expect_eq(passed, 10000);
}
