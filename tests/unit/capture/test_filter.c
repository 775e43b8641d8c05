/* SPDX-License-Identifier: BSD-2-Clause */
/* The filter's text is proved by what libpcap makes of it: compiled and run over frames. */
#include <criterion/criterion.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "sensor/capture/filter.h"
#include "sensor/capture/source.h"
#include "tests/support/frames.h"

static const uint16_t ports[] = { 53, 5300 };

static const struct frame_tag tags[] = { { 0x88a8, 101 }, { 0x8100, 7 }, { 0x8100, 8 } };

struct compiled {
	pcap_t *dead;
	struct bpf_program program;
	uint16_t link;
};

static void compile(struct compiled *c, uint16_t link, char *text)
{
	cr_assert_not_null(text);
	c->link = link;
	c->dead = pcap_open_dead(link, 65535);
	cr_assert_eq(pcap_compile(c->dead, &c->program, text, 1, PCAP_NETMASK_UNKNOWN), 0,
		"%s: %s", text, pcap_geterr(c->dead));
	free(text);
}

static void compile_ethernet(struct compiled *c, const char *extra)
{
	compile(c, PACKET_LINK_ETHERNET, source_builtin_filter(ports, ARRAY_LEN(ports), extra));
}

static void compiled_free(struct compiled *c)
{
	pcap_freecode(&c->program);
	pcap_close(c->dead);
}

static bool passes(const struct compiled *c, struct frame_spec spec)
{
	uint8_t bytes[FRAMES_BYTES_MAX];

	spec.link = c->link;
	size_t len = frames_build(bytes, &spec);
	struct pcap_pkthdr header = { .caplen = (bpf_u_int32)len, .len = (bpf_u_int32)len };
	return pcap_offline_filter(&c->program, &header, bytes) != 0;
}

static struct frame_spec tagged(struct frame_spec spec, unsigned count)
{
	spec.tag_count = (uint8_t)count;
	for (unsigned i = 0; i < count; i++)
		spec.tag[i] = tags[i];
	return spec;
}

static const struct spec_row {
	const char *name;
	struct frame_spec spec;
} wanted[] = {
	{ "query over UDP", { .dport = 53 } },
	{ "response over UDP", { .sport = 53, .dport = 40000 } },
	{ "the second port", { .dport = 5300 } },
	{ "query over TCP", { .protocol = 6 } },
	{ "response over TCP", { .protocol = 6, .sport = 5300, .dport = 40000 } },
	{ "TCP without payload", { .protocol = 6, .empty = true } },
	{ "query over UDP, IPv6", { .v6 = true } },
	{ "query over TCP, IPv6", { .v6 = true, .protocol = 6 } },
	{ "options", { .options_len = 12 } },
	{ "first fragment", { .more_fragments = true } },
	{ "later fragment, whose first bytes are no ports",
		{ .sport = 1, .dport = 2, .fragment_offset = 100, .more_fragments = true } },
	{ "last fragment", { .sport = 1, .dport = 2, .fragment_offset = 100 } },
	{ "last fragment of TCP",
		{ .sport = 1, .dport = 2, .fragment_offset = 100, .protocol = 6 } },
	{ "first fragment, IPv6", { .v6 = true,
					  .extension_count = 1,
					  .extension = { 44 },
					  .more_fragments = true } },
	{ "later fragment, IPv6", { .v6 = true,
					  .extension_count = 1,
					  .extension = { 44 },
					  .fragment_offset = 9 } },
	{ "hop-by-hop options", { .v6 = true, .extension_count = 1, .extension = { 0 } } },
	{ "routing header", { .v6 = true, .extension_count = 1, .extension = { 43 } } },
	{ "authentication header", { .v6 = true, .extension_count = 1, .extension = { 51 } } },
	{ "destination options", { .v6 = true, .extension_count = 1, .extension = { 60 } } },
	{ "GRE", { .protocol = 47 } },
	{ "IP in IP", { .protocol = 4 } },
	{ "6in4", { .protocol = 41 } },
	{ "GRE over IPv6", { .v6 = true, .protocol = 47 } },
	{ "VXLAN", { .dport = 4789 } },
	{ "GENEVE over IPv6", { .v6 = true, .dport = 6081 } },
};

static const struct spec_row unwanted[] = {
	{ "NTP", { .dport = 123 } },
	{ "NTP over IPv6", { .v6 = true, .dport = 123 } },
	{ "mDNS", { .sport = 5353, .dport = 5353 } },
	{ "HTTPS", { .protocol = 6, .dport = 443 } },
	{ "HTTPS over IPv6", { .v6 = true, .protocol = 6, .dport = 443 } },
	{ "ICMP", { .protocol = 1 } },
	{ "ICMPv6", { .v6 = true, .protocol = 58 } },
	{ "from a tunnel's port", { .sport = 4789, .dport = 443 } },
};

static const struct spec_row unwanted_ethernet[] = {
	{ "ARP", { .ethertype = 0x0806 } },
	{ "LLDP", { .ethertype = 0x88cc } },
	{ "PPPoE discovery", { .ethertype = 0x8863 } },
};

static const struct spec_row wanted_ethernet[] = {
	{ "MPLS", { .ethertype = 0x8847 } },
	{ "PPPoE session", { .ethertype = 0x8864 } },
};

static void expect_rows(const struct compiled *c, const struct spec_row *rows, size_t count,
	unsigned tags_max, bool expected)
{
	for (size_t i = 0; i < count; i++) {
		for (unsigned depth = 0; depth <= tags_max; depth++)
			cr_assert_eq(passes(c, tagged(rows[i].spec, depth)), expected,
				"%s behind %u tags", rows[i].name, depth);
	}
}

Test(filter, dns_fragments_and_tunnels_pass_behind_0_to_2_tags_and_nothing_else_does)
{
	struct compiled c;

	compile_ethernet(&c, NULL);
	expect_rows(&c, wanted, ARRAY_LEN(wanted), 2, true);
	expect_rows(&c, wanted_ethernet, ARRAY_LEN(wanted_ethernet), 2, true);
	expect_rows(&c, unwanted, ARRAY_LEN(unwanted), 2, false);
	expect_rows(&c, unwanted_ethernet, ARRAY_LEN(unwanted_ethernet), 2, false);
	compiled_free(&c);
}

Test(filter, every_mix_of_tag_types_passes)
{
	static const uint16_t tpid[] = { 0x8100, 0x88a8, 0x9100 };
	struct compiled c;

	compile_ethernet(&c, "");
	for (unsigned mix = 0; mix < 9; mix++) {
		struct frame_spec spec = { .tag_count = 2,
			.tag = { { tpid[mix % 3], 1 }, { tpid[mix / 3], 2 } } };
		cr_assert(passes(&c, spec), "%04x %04x", tpid[mix % 3], tpid[mix / 3]);
		spec.tag_count = 1;
		cr_assert(passes(&c, spec), "%04x", tpid[mix % 3]);
	}
	compiled_free(&c);
}

Test(filter, on_links_without_tags_the_plain_form_compiles_and_passes_the_same)
{
	static const uint16_t links[] = { PACKET_LINK_NULL, PACKET_LINK_LOOP,
		PACKET_LINK_RAW_DLT, PACKET_LINK_LINUX_SLL, PACKET_LINK_LINUX_SLL2 };

	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		struct compiled c;
		compile(&c, links[i],
			filter_build(FILTER_UNTAGGED, ports, ARRAY_LEN(ports), "ip or ip6"));
		for (size_t j = 0; j < ARRAY_LEN(wanted); j++) {
			/* libpcap knows the host's own AF_INET6 only, which is 10 here */
			struct frame_spec spec = wanted[j].spec;
			spec.family = spec.v6 ? 10 : 2;
			spec.family_swapped = links[i] == PACKET_LINK_NULL;
			cr_assert(passes(&c, spec), "%s, link %u", wanted[j].name, links[i]);
		}
		expect_rows(&c, unwanted, ARRAY_LEN(unwanted), 0, false);
		compiled_free(&c);
	}
}

Test(filter, what_the_operator_adds_narrows_at_every_depth)
{
	struct compiled c;

	compile_ethernet(&c, "host 192.0.2.1 or host 2001:db8::1");
	expect_rows(&c, wanted, ARRAY_LEN(wanted), 2, true);
	expect_rows(&c, unwanted, ARRAY_LEN(unwanted), 2, false);
	compiled_free(&c);
	compile_ethernet(&c, "not host 192.0.2.1 and not host 2001:db8::1");
	expect_rows(&c, wanted, ARRAY_LEN(wanted), 2, false);
	compiled_free(&c);
	compile_ethernet(&c, "udp or tcp or ip");
	expect_rows(&c, unwanted, ARRAY_LEN(unwanted), 2, false);
	compiled_free(&c);
}

Test(filter, a_vlan_that_the_operator_asks_for_is_the_outer_one)
{
	struct compiled c;

	compile_ethernet(&c, "vlan 101");
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		cr_assert_not(passes(&c, tagged(wanted[i].spec, 0)), "%s", wanted[i].name);
		cr_assert(passes(&c, tagged(wanted[i].spec, 1)), "%s", wanted[i].name);
		cr_assert(passes(&c, tagged(wanted[i].spec, 2)), "%s", wanted[i].name);
	}
	expect_rows(&c, unwanted, ARRAY_LEN(unwanted), 2, false);
	compiled_free(&c);
	compile_ethernet(&c, "vlan 102");
	expect_rows(&c, wanted, ARRAY_LEN(wanted), 2, false);
	compiled_free(&c);
}

Test(filter, a_host_whose_name_has_the_word_vlan_in_it_moves_nothing)
{
	char *text = source_builtin_filter(ports, 1, "host vlan1");

	/* put inside every level, thus more than once */
	const char *first = strstr(text, "host vlan1");
	cr_assert_not_null(first);
	cr_assert_not_null(strstr(first + 1, "host vlan1"));
	free(text);
}

Test(filter, many_ports_still_compile)
{
	uint16_t many[32];
	struct compiled c;

	for (unsigned i = 0; i < ARRAY_LEN(many); i++)
		many[i] = (uint16_t)(1000 + 7 * i);
	compile(&c, PACKET_LINK_ETHERNET, source_builtin_filter(many, ARRAY_LEN(many), NULL));
	for (unsigned i = 0; i < ARRAY_LEN(many); i++)
		cr_assert(passes(&c, tagged((struct frame_spec){ .dport = many[i] }, i % 3)));
	cr_assert_not(passes(&c, (struct frame_spec){ .dport = 53 }));
	cr_assert_lt(c.program.bf_len, 4096, "more than the kernel takes");
	compiled_free(&c);
}
