/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/address_set.h"

#include <criterion/criterion.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "sensor/base/hash.h"

static struct ip_net net_of(const char *text)
{
	struct ip_net net;

	cr_assert(ip_net_parse(&net, text), "%s", text);
	return net;
}

static struct ip ip_of(const char *text)
{
	struct ip ip;

	cr_assert(ip_parse(&ip, text), "%s", text);
	return ip;
}

static enum index_added add(
	struct address_builder *b, const char *text, enum mark_kind kind, uint16_t source)
{
	struct ip_net net = net_of(text);

	return address_builder_add(
		b, &net, (struct mark){ .kind = (uint8_t)kind, .source = source });
}

/* "192.0.2.0/24 192.0.2.7": the networks that hold the address, the widest first. */
static void expect_nets(const struct address_set *set, const char *address, const char *nets)
{
	struct address_hit hit[ADDRESS_HITS_MAX];
	char found[8 * IP_NET_TEXT_MAX] = "", text[IP_NET_TEXT_MAX];
	struct ip ip = ip_of(address);
	size_t count = address_set_match(set, &ip, hit);

	for (size_t i = 0; i < count; i++) {
		const struct ip_net *net = address_set_net(set, hit[i].entry);
		cr_expect_eq(net->bits, hit[i].bits);
		strcat(found, i ? " " : "");
		strcat(found, ip_net_format(net, text));
	}
	cr_expect_str_eq(found, nets, "%s: %s", address, found);
}

static struct address_set *some_set(void)
{
	static const char *const nets[] = { "192.0.2.0/24", "192.0.2.7", "203.0.0.0/11",
		"203.0.113.9", "2001:db8::/32", "2001:db8::7", "2001:db8:0:1::/64",
		"198.51.100.128/25" };
	struct address_builder *b = address_builder_new(5);

	cr_assert(b);
	for (size_t i = 0; i < ARRAY_LEN(nets); i++)
		cr_assert_eq(add(b, nets[i], MARK_MALICIOUS, 1), INDEX_ADDED, "%s", nets[i]);
	struct address_set *set = address_set_build(b);
	cr_assert(set);
	return set;
}

Test(address_set, every_network_around_an_address_is_found)
{
	struct address_set *set = some_set();

	expect_nets(set, "192.0.2.7", "192.0.2.0/24 192.0.2.7/32");
	expect_nets(set, "192.0.2.8", "192.0.2.0/24");
	expect_nets(set, "192.0.3.7", "");
	expect_nets(set, "203.31.255.255", "203.0.0.0/11");
	expect_nets(set, "203.32.0.0", "");
	expect_nets(set, "203.0.113.9", "203.0.0.0/11 203.0.113.9/32");
	expect_nets(set, "198.51.100.127", "");
	expect_nets(set, "198.51.100.128", "198.51.100.128/25");
	expect_nets(set, "2001:db8::7", "2001:db8::/32 2001:db8::7/128");
	expect_nets(set, "2001:db8:0:1::9", "2001:db8::/32 2001:db8:0:1::/64");
	expect_nets(set, "2001:db9::7", "");
	expect_nets(set, "0.0.0.0", "");
	expect_nets(set, "::", "");
	cr_expect_eq(address_set_count(set), 8);
	address_set_free(set);
}

Test(address_set, an_empty_set_holds_nothing)
{
	struct address_set *set = address_set_build(address_builder_new(5));
	struct ip_net net = net_of("192.0.2.1");
	uint32_t entry;

	cr_assert(set);
	expect_nets(set, "192.0.2.1", "");
	cr_expect_not(address_set_find(set, &net, &entry));
	cr_expect_eq(address_set_count(set), 0);
	address_set_free(set);
}

Test(address_set, what_one_feed_says_twice_is_kept_once)
{
	struct address_builder *b = address_builder_new(5);
	struct ip_net net = net_of("192.0.2.1");
	uint32_t entry;
	size_t count;

	cr_expect_eq(add(b, "192.0.2.1", MARK_MALICIOUS, 2), INDEX_ADDED);
	cr_expect_eq(add(b, "192.0.2.1", MARK_MALICIOUS, 2), INDEX_DUPLICATE);
	cr_expect_eq(add(b, "192.0.2.1", MARK_MALICIOUS, 1), INDEX_ADDED);
	cr_expect_eq(add(b, "192.0.2.1", MARK_ALLOW, 2), INDEX_ADDED);
	struct address_set *set = address_set_build(b);
	cr_assert(address_set_find(set, &net, &entry));
	const struct mark *mark = address_set_marks(set, entry, &count);
	cr_assert_eq(count, 3);
	cr_expect_eq(mark[0].kind, MARK_MALICIOUS);
	cr_expect_eq(mark[0].source, 1);
	cr_expect_eq(mark[1].source, 2);
	cr_expect_eq(mark[2].kind, MARK_ALLOW);
	cr_expect_eq(address_set_count(set), 1);
	address_set_free(set);
}

Test(address_set, of_many_networks_the_longest_are_told)
{
	struct address_builder *b = address_builder_new(5);

	add(b, "192.0.0.0/10", MARK_MALICIOUS, 1);
	add(b, "192.0.0.0/16", MARK_MALICIOUS, 1);
	add(b, "192.0.2.0/23", MARK_MALICIOUS, 1);
	add(b, "192.0.2.0/24", MARK_MALICIOUS, 1);
	add(b, "192.0.2.0/30", MARK_MALICIOUS, 1);
	add(b, "192.0.2.1", MARK_MALICIOUS, 1);
	struct address_set *set = address_set_build(b);
	expect_nets(set, "192.0.2.1", "192.0.2.0/23 192.0.2.0/24 192.0.2.0/30 192.0.2.1/32");
	address_set_free(set);
}

Test(address_set, a_network_may_hold_all_of_a_family)
{
	struct address_builder *b = address_builder_new(5);

	add(b, "0.0.0.0/0", MARK_ALLOW, 1);
	add(b, "::/0", MARK_ALLOW, 1);
	struct address_set *set = address_set_build(b);
	expect_nets(set, "198.51.100.7", "::/0 0.0.0.0/0");
	expect_nets(set, "2001:db8::1", "::/0");
	address_set_free(set);
}

/* Against a walk through all networks, for random ones of a few neighbourhoods. */
Test(address_set, agrees_with_a_walk_through_all_networks)
{
	enum { NETS = 3000, LOOKS = 20000 };
	static struct ip_net net[NETS];
	struct address_builder *b = address_builder_new(99);
	uint64_t random = 1;

	for (unsigned i = 0; i < NETS; i++) {
		random = hash_word(random, i);
		uint8_t v4[4] = { 203, (uint8_t)(random & 7), (uint8_t)(random >> 8),
			(uint8_t)(random >> 16) };
		struct ip ip = ip_from_v4(v4);
		if (random >> 63)
			ip.bytes[random % 10] = 0x20;
		net[i].bits = random >> 32 & 1 ? 128 : (uint8_t)(112 + (random >> 40) % 16);
		net[i].base = ip_masked(&ip, net[i].bits);
		struct mark mark = { .kind = MARK_MALICIOUS, .source = 1 };
		cr_assert_neq(address_builder_add(b, &net[i], mark), INDEX_NO_MEMORY);
	}
	struct address_set *set = address_set_build(b);
	cr_assert(set);
	for (unsigned i = 0; i < LOOKS; i++) {
		struct address_hit hit[ADDRESS_HITS_MAX];
		unsigned longest = 0;
		random = hash_word(random, i);
		struct ip ip = net[random % NETS].base;
		ip.bytes[15] ^= (uint8_t)(random >> 32 & 3);
		for (unsigned k = 0; k < NETS; k++) {
			if (net[k].bits > longest && ip_net_contains(&net[k], &ip))
				longest = net[k].bits;
		}
		size_t count = address_set_match(set, &ip, hit);
		cr_assert_eq(count > 0 ? hit[count - 1].bits : 0, longest, "look %u", i);
	}
	address_set_free(set);
}
