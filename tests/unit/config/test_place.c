/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/config/place.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char text[] = "tenants:\n"
			   "  - id: a\n"
			   "    select: {vlans: [1, 2], networks: []}\n"
			   "  - id: b\n"
			   "rules:\n"
			   "  nxdomain.spike: {window: 5m}\n";

static struct places *places_of(const char *bytes)
{
	struct places *p = NULL;
	struct err_ctx why = { "" };

	cr_assert_eq(places_new(&p, bytes, strlen(bytes), "t", &why), ERR_OK, "%s", why.text);
	return p;
}

Test(place, a_path_leads_to_line_and_column_of_the_value)
{
	struct places *p = places_of(text);
	struct path tenants = path_key(NULL, "tenants"), first = path_item(&tenants, 0),
		    second = path_item(&tenants, 1), select = path_key(&first, "select"),
		    vlans = path_key(&select, "vlans"), vlan = path_item(&vlans, 1),
		    id = path_key(&second, "id"), rules = path_key(NULL, "rules"),
		    rule = path_key(&rules, "nxdomain.spike"),
		    window = path_key(&rule, "window");
	const struct {
		const struct path *path;
		const char *name;
		struct place_mark at;
	} rows[] = {
		{ NULL, "", { 1, 1 } },
		{ &tenants, "tenants", { 2, 3 } },
		{ &first, "tenants[0]", { 2, 5 } },
		{ &select, "tenants[0].select", { 3, 13 } },
		{ &vlan, "tenants[0].select.vlans[1]", { 3, 25 } },
		{ &id, "tenants[1].id", { 4, 9 } },
		{ &window, "rules.nxdomain.spike.window", { 6, 28 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char name[PATH_TEXT_MAX];
		struct place_mark at = place_find(p, rows[i].path);
		cr_assert_str_eq(path_format(rows[i].path, name), rows[i].name);
		cr_assert(at.line == rows[i].at.line && at.column == rows[i].at.column,
			"%s: %u:%u", rows[i].name, at.line, at.column);
	}
	places_free(p);
}

Test(place, what_is_not_there_is_where_it_would_be)
{
	struct places *p = places_of(text);
	struct path tenants = path_key(NULL, "tenants"), second = path_item(&tenants, 1),
		    zones = path_key(&second, "zones"), zone = path_item(&zones, 3),
		    name = path_key(&zone, "name");
	struct place_mark at = place_find(p, &name);

	cr_assert(at.line == 4 && at.column == 5, "%u:%u", at.line, at.column);
	places_free(p);
}

Test(place, an_empty_list_is_told_from_a_missing_one)
{
	struct places *p = places_of(text);
	struct path tenants = path_key(NULL, "tenants"), first = path_item(&tenants, 0),
		    select = path_key(&first, "select"), vlans = path_key(&select, "vlans"),
		    networks = path_key(&select, "networks"), vnis = path_key(&select, "vnis");

	cr_assert(place_is_empty_list(p, &networks));
	cr_assert(!place_is_empty_list(p, &vlans));
	cr_assert(!place_is_empty_list(p, &vnis));
	places_free(p);
}

Test(place, a_long_path_is_cut)
{
	struct path path[100];
	char name[PATH_TEXT_MAX];

	path[0] = path_key(NULL, "a-key");
	for (size_t i = 1; i < 100; i++)
		path[i] = path_key(&path[i - 1], "a-key");
	path_format(&path[99], name);
	cr_assert_eq(strlen(name), PATH_TEXT_MAX - 1);
}

Test(place, no_more_values_than_the_limit)
{
	size_t len = 2 * (size_t)PLACE_NODES_MAX + 20;
	char *bytes = malloc(len);
	struct places *p = NULL;
	struct err_ctx why = { "" };

	memset(bytes, 'a', len);
	memcpy(bytes, "ports: [", 8);
	for (size_t i = 9; i < len; i += 2)
		bytes[i] = ',';
	bytes[len - 1] = ']';
	cr_assert_eq(places_new(&p, bytes, len, "t", &why), ERR_USAGE);
	cr_assert(strstr(why.text, "more than 1000000 values"), "%s", why.text);
	free(bytes);
}

Test(place, no_more_keys_in_a_mapping_than_the_limit)
{
	struct text bytes = { 0 };
	struct places *p = NULL;
	struct err_ctx why = { "" };

	for (unsigned i = 0; i < PLACE_KEYS_MAX; i++)
		text_printf(&bytes, "k%u: 1\n", i);
	cr_assert_eq(places_new(&p, bytes.at, bytes.len, "t", &why), ERR_OK, "%s", why.text);
	places_free(p);
	text_puts(&bytes, "one: 1\n");
	cr_assert_eq(places_new(&p, bytes.at, bytes.len, "t", &why), ERR_USAGE);
	cr_assert_str_eq(why.text, "t:257:1: too many keys in one mapping");
	text_deinit(&bytes);
}
