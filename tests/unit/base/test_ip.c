/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/ip.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static struct ip ip(const char *text)
{
	struct ip out;

	cr_assert(ip_parse(&out, text), "%s", text);
	return out;
}

static struct ip_net net(const char *text)
{
	struct ip_net out;

	cr_assert(ip_net_parse(&out, text), "%s", text);
	return out;
}

Test(ip, addresses_are_read_and_written)
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{ "0.0.0.0", "0.0.0.0" },
		{ "10.0.0.1", "10.0.0.1" },
		{ "192.168.100.9", "192.168.100.9" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1" },
		{ "fe80::1:2:3:4", "fe80::1:2:3:4" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
			"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "::ffff:10.0.0.1", "10.0.0.1" },
		{ "::fffe:10.0.0.1", "::fffe:a00:1" },
	};
	char text[IP_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip got = ip(rows[i].text);
		cr_assert_str_eq(ip_format(&got, text), rows[i].shown, "%s", rows[i].text);
	}
}

/* Written in the middle of a text, in no more room than was promised. */
static void expect_put(const uint8_t octets[16])
{
	char room[IP_TEXT_MAX + 2], expected[INET6_ADDRSTRLEN];

	memset(room, 'x', sizeof(room));
	inet_ntop(AF_INET6, octets, expected, sizeof(expected));
	size_t len = (size_t)(ip_put_v6(room, octets) - room);
	cr_assert_eq(len, strlen(expected), "%.*s, not %s", (int)len, room, expected);
	cr_assert_arr_eq(room, expected, len, "%.*s, not %s", (int)len, room, expected);
	cr_assert_eq(room[IP_TEXT_MAX], 'x', "%s", expected);

	memset(room, 'x', sizeof(room));
	inet_ntop(AF_INET, octets, expected, sizeof(expected));
	len = (size_t)(ip_put_v4(room, octets) - room);
	cr_assert_eq(len, strlen(expected), "%.*s, not %s", (int)len, room, expected);
	cr_assert_arr_eq(room, expected, len, "%.*s, not %s", (int)len, room, expected);
}

Test(ip, any_address_is_written_as_inet_ntop_does)
{
	uint8_t octets[16];

	srand(3);
	for (int i = 0; i < 50000; i++) {
		unsigned zeros = (unsigned)i % 5; /* of five octets */
		for (int k = 0; k < 16; k++)
			octets[k] = (unsigned)rand() % 5 < zeros ? 0 : (uint8_t)rand();
		expect_put(octets);
	}
}

Test(ip, what_is_no_address_is_refused_and_changes_nothing)
{
	static const char *const rows[] = { "", " ", "10", "10.0.0", "10.0.0.0.1", "256.0.0.1",
		"1.2.3.4 ", " 1.2.3.4", "1.2.3.4/8", "01.2.3.4", "1.2.3.-4", "0x1.2.3.4", ":",
		":::", "2001:db8", "12345::", "fe80::1%eth0", "1::2::3", "localhost" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip out = ip("192.0.2.1"), before = out;
		cr_assert_not(ip_parse(&out, rows[i]), "'%s'", rows[i]);
		cr_assert(ip_equal(&out, &before), "'%s'", rows[i]);
	}
}

Test(ip, both_families_are_told_apart)
{
	uint8_t v4[4] = { 192, 0, 2, 1 };
	struct ip from_wire = ip_from_v4(v4), same = ip("192.0.2.1"), v6 = ip("::192.0.2.1");

	cr_assert(ip_equal(&from_wire, &same));
	cr_assert(ip_is_v4(&same));
	cr_assert_not(ip_is_v4(&v6));
	struct ip copy = ip_from_v6(v6.bytes);
	cr_assert(ip_equal(&copy, &v6));
	cr_assert_not(ip_equal(&same, &v6));
}

Test(ip, addresses_are_ordered_as_numbers)
{
	static const char *const rising[] = { "::", "::1", "9.255.255.255", "10.0.0.0",
		"10.0.0.1", "64:ff9b::1", "2001:db8::", "fe80::1", "ff02::1" };

	for (size_t i = 0; i + 1 < ARRAY_LEN(rising); i++) {
		struct ip a = ip(rising[i]), b = ip(rising[i + 1]);
		cr_assert_lt(ip_compare(&a, &b), 0, "%s", rising[i]);
		cr_assert_gt(ip_compare(&b, &a), 0, "%s", rising[i]);
		cr_assert_eq(ip_compare(&a, &a), 0, "%s", rising[i]);
	}
}

Test(ip, masking_keeps_so_many_bits)
{
	struct ip ones = ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");

	for (unsigned bits = 0; bits <= 128; bits++) {
		struct ip got = ip_masked(&ones, bits);
		for (unsigned bit = 0; bit < 128; bit++)
			cr_assert_eq(got.bytes[bit / 8] >> (7 - bit % 8) & 1, bit < bits,
				"bit %u of %u", bit, bits);
	}
}

Test(ip, a_site_is_a_24_or_a_48)
{
	static const struct {
		const char *ip, *site;
	} rows[] = { { "198.51.100.77", "198.51.100.0/24" },
		{ "2001:db8:1:2:3::4", "2001:db8:1::/48" } };
	char text[IP_NET_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip address = ip(rows[i].ip);
		struct ip_net site = ip_site(&address);
		cr_assert_str_eq(ip_net_format(&site, text), rows[i].site, "%s", rows[i].ip);
	}
}

/* First and last address of each range and their neighbours outside. */
Test(ip, private_addresses_are_those_of_the_registries)
{
	static const struct {
		const char *ip;
		bool is_private;
	} rows[] = {
		{ "0.0.0.0", true },
		{ "0.255.255.255", true },
		{ "1.0.0.0", false },
		{ "9.255.255.255", false },
		{ "10.0.0.0", true },
		{ "10.255.255.255", true },
		{ "11.0.0.0", false },
		{ "100.63.255.255", false },
		{ "100.64.0.0", true },
		{ "100.127.255.255", true },
		{ "100.128.0.0", false },
		{ "126.255.255.255", false },
		{ "127.0.0.1", true },
		{ "127.255.255.255", true },
		{ "128.0.0.0", false },
		{ "169.253.255.255", false },
		{ "169.254.0.0", true },
		{ "169.254.255.255", true },
		{ "169.255.0.0", false },
		{ "172.15.255.255", false },
		{ "172.16.0.0", true },
		{ "172.31.255.255", true },
		{ "172.32.0.0", false },
		{ "192.167.255.255", false },
		{ "192.168.0.0", true },
		{ "192.168.255.255", true },
		{ "192.169.0.0", false },
		{ "224.0.0.1", false },
		{ "255.255.255.255", false },
		{ "::", true },
		{ "::1", true },
		{ "::2", false },
		{ "fbff::1", false },
		{ "fc00::", true },
		{ "fdff:ffff::1", true },
		{ "fe00::1", false },
		{ "fe7f::1", false },
		{ "fe80::", true },
		{ "febf::1", true },
		{ "fec0::1", false },
		{ "2001:db8::1", false },
		{ "ff02::1", false },
		{ "::ffff:10.0.0.1", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip address = ip(rows[i].ip);
		cr_assert_eq(ip_is_private(&address), rows[i].is_private, "%s", rows[i].ip);
	}
}

Test(ip, groups_are_no_hosts)
{
	static const struct {
		const char *ip;
		bool is_group;
	} rows[] = {
		{ "0.0.0.0", true },
		{ "0.0.0.1", false },
		{ "223.255.255.255", false },
		{ "224.0.0.0", true },
		{ "239.255.255.255", true },
		{ "240.0.0.0", false },
		{ "255.255.255.254", false },
		{ "255.255.255.255", true },
		{ "::", true },
		{ "::1", false },
		{ "feff::1", false },
		{ "ff00::", true },
		{ "ff02::fb", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip address = ip(rows[i].ip);
		cr_assert_eq(ip_is_group(&address), rows[i].is_group, "%s", rows[i].ip);
	}
}

Test(ip, networks_are_read_and_written)
{
	static const struct {
		const char *text;
		unsigned bits;
		const char *shown;
	} rows[] = {
		{ "10.0.0.0/8", 104, "10.0.0.0/8" },
		{ "10.1.2.3", 128, "10.1.2.3/32" },
		{ "10.1.2.3/32", 128, "10.1.2.3/32" },
		{ "0.0.0.0/0", 96, "0.0.0.0/0" },
		{ "128.0.0.0/1", 97, "128.0.0.0/1" },
		{ "10.1.2.2/31", 127, "10.1.2.2/31" },
		{ "2001:db8::/32", 32, "2001:db8::/32" },
		{ "2001:db8::1", 128, "2001:db8::1/128" },
		{ "::/0", 0, "::/0" },
		{ "::ffff:10.0.0.0/104", 104, "10.0.0.0/8" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127", 127,
			"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127" },
	};
	char text[IP_NET_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip_net got = net(rows[i].text);
		cr_assert_eq(got.bits, rows[i].bits, "%s: %u", rows[i].text, got.bits);
		cr_assert_str_eq(ip_net_format(&got, text), rows[i].shown, "%s", rows[i].text);
	}
}

Test(ip, what_is_no_network_is_refused_and_changes_nothing)
{
	static const char *const rows[] = { "", "/", "/8", "10.0.0.0/", "10.0.0.0/33",
		"10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8 ", "10.0.0.0/ 8", "10.0.0.0/8/8",
		"10.1.2.3/16", "10.0.0.0/a", "10/8", "2001:db8::/129", "2001:db8::1/32",
		"2001:db8::/99999999999999999999", "!10.0.0.0/8", "::ffff:10.0.0.0/8",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/1" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip_net out = net("192.0.2.0/24");
		cr_assert_not(ip_net_parse(&out, rows[i]), "'%s'", rows[i]);
		cr_assert_eq(out.bits, 120, "'%s'", rows[i]);
	}
}

Test(ip, a_network_contains_its_first_and_last_address_and_no_neighbour)
{
	static const struct {
		const char *net, *before, *first, *last, *after;
	} rows[] = {
		{ "10.1.0.0/16", "10.0.255.255", "10.1.0.0", "10.1.255.255", "10.2.0.0" },
		{ "10.1.2.128/25", "10.1.2.127", "10.1.2.128", "10.1.2.255", "10.1.3.0" },
		{ "10.1.2.4/30", "10.1.2.3", "10.1.2.4", "10.1.2.7", "10.1.2.8" },
		{ "10.1.2.3", "10.1.2.2", "10.1.2.3", "10.1.2.3", "10.1.2.4" },
		{ "2001:db8:10::/44", "2001:db8:f:ffff::", "2001:db8:10::",
			"2001:db8:1f:ffff::", "2001:db8:20::" },
		{ "0.0.0.0/0", "::fffe:ffff:ffff", "0.0.0.0", "255.255.255.255", "::1:0:0:0" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip_net n = net(rows[i].net);
		struct ip before = ip(rows[i].before), first = ip(rows[i].first);
		struct ip last = ip(rows[i].last), after = ip(rows[i].after);
		cr_assert_not(ip_net_contains(&n, &before), "%s", rows[i].net);
		cr_assert(ip_net_contains(&n, &first), "%s", rows[i].net);
		cr_assert(ip_net_contains(&n, &last), "%s", rows[i].net);
		cr_assert_not(ip_net_contains(&n, &after), "%s", rows[i].net);
	}
}

Test(ip, the_longest_network_of_a_set_decides)
{
	/* Two orders: the outcome must not depend on it. */
	static const char *const entries[2][5] = {
		{ "10.1.0.0/16", "!10.1.66.0/24", "10.1.66.6", "2001:db8::/32",
			"!2001:db8:1::/48" },
		{ "!2001:db8:1::/48", "2001:db8::/32", "10.1.66.6", "!10.1.66.0/24",
			"10.1.0.0/16" },
	};
	static const struct {
		const char *ip;
		bool inside;
	} rows[] = {
		{ "10.0.255.255", false },
		{ "10.1.0.1", true },
		{ "10.1.65.255", true },
		{ "10.1.66.5", false },
		{ "10.1.66.6", true },
		{ "10.1.67.0", true },
		{ "2001:db8::1", true },
		{ "2001:db8:1::1", false },
		{ "2001:db8:2::1", true },
		{ "2001:db9::", false },
	};

	for (size_t order = 0; order < 2; order++) {
		struct ip_set set = { 0 };
		for (size_t i = 0; i < 5; i++)
			cr_assert(ip_set_add(&set, entries[order][i]), "%s", entries[order][i]);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct ip address = ip(rows[i].ip);
			cr_assert_eq(ip_set_contains(&set, &address), rows[i].inside,
				"order %zu: %s", order, rows[i].ip);
		}
		ip_set_deinit(&set);
	}
}

Test(ip, in_a_set_the_exclusion_of_the_same_network_wins)
{
	static const char *const orders[2][2] = { { "10.0.0.0/8", "!10.0.0.0/8" },
		{ "!10.0.0.0/8", "10.0.0.0/8" } };
	struct ip address = ip("10.0.0.1");

	for (size_t i = 0; i < 2; i++) {
		struct ip_set set = { 0 };
		cr_assert(ip_set_add(&set, orders[i][0]));
		cr_assert(ip_set_add(&set, orders[i][1]));
		cr_assert_not(ip_set_contains(&set, &address), "order %zu", i);
		ip_set_deinit(&set);
	}
}

Test(ip, the_empty_set_contains_nothing)
{
	struct ip_set set = { 0 };
	struct ip address = ip("10.0.0.1");

	cr_assert_not(ip_set_contains(&set, &address));
	cr_assert_not(ip_set_add(&set, "nonsense"));
	cr_assert_not(ip_set_add(&set, ""));
	cr_assert_not(ip_set_add(&set, "!"));
	cr_assert_not(ip_set_add(&set, "!!10.0.0.0/8"));
	cr_assert_eq(set.count, 0);
	ip_set_deinit(&set);
}

Test(ip, the_kind_of_an_address_is_what_the_two_questions_say)
{
	for (unsigned first = 0; first < 256; first++) {
		for (unsigned second = 0; second < 256; second++) {
			uint8_t bytes[16] = { (uint8_t)first, (uint8_t)second, 1, 2 };
			const struct ip both[] = { ip_from_v4(bytes), ip_from_v6(bytes),
				ip_from_v4((const uint8_t[4]){
					bytes[0], bytes[1], bytes[1], bytes[1] }) };
			for (size_t i = 0; i < ARRAY_LEN(both); i++) {
				enum ip_kind wanted = ip_is_group(&both[i])     ? IP_GROUP
						      : ip_is_private(&both[i]) ? IP_PRIVATE
										: IP_PUBLIC;
				cr_assert_eq(ip_kind_of(&both[i]), wanted, "%u.%u (%zu)", first,
					second, i);
			}
		}
	}
	struct ip loopback;
	cr_assert(ip_parse(&loopback, "::1"));
	cr_assert_eq(ip_kind_of(&loopback), IP_PRIVATE);
	cr_assert_eq(ip_kind_of(&(struct ip){ { 0 } }), IP_GROUP);
}
