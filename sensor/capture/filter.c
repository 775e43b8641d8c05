/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In libpcap's language the word `vlan` not only tests for a tag: it moves the offsets of all
 * that follows it in the text, however the brackets stand. So the filter is nested, each level
 * one tag deeper than the one before,
 *
 *	LEVEL or (vlan and (LEVEL or (vlan and LEVEL)))
 *
 * and what the operator adds is put into every LEVEL, so that "net 10.0.0.0/8" means the same
 * behind a tag. Unless it has such a moving word itself, as in "vlan 101": then it is put in
 * front of everything, which moves all the rest to behind that tag.
 */
#include "sensor/capture/filter.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "sensor/base/text.h"
#include "sensor/capture/source.h"

#define TAGS 2

/* A port test reads the ports of unfragmented packets and first fragments only, and looks for
 * them directly behind the IPv6 header: later fragments and extension headers come in unseen.
 */
static const char no_ports[] =
	"ip[6:2] & 0x1fff != 0"
	" or ip6[6] == 44 or ip6[6] == 0 or ip6[6] == 43 or ip6[6] == 51 or ip6[6] == 60";
static const char ip_tunnels[] =
	"proto 4 or proto 41 or proto 47 or proto 97 or proto 137"
	" or udp dst port 2152 or udp dst port 4789 or udp dst port 6081"
	" or udp dst port 8472 or udp dst port 37008";
static const char ether_tunnels[] =
	"ether proto 0x8847 or ether proto 0x8848 or ether proto 0x8864";

/* Does the text have a word that moves offsets? */
static bool moves_offsets(const char *extra)
{
	static const char *const words[] = { "vlan", "mpls", "pppoes", "geneve" };

	for (const char *at = extra; *at;) {
		size_t len = 0;
		while (isalnum((unsigned char)at[len]) || at[len] == '_')
			len++;
		for (size_t i = 0; i < ARRAY_LEN(words); i++) {
			if (strlen(words[i]) == len && strncmp(at, words[i], len) == 0)
				return true;
		}
		at += len > 0 ? len : 1;
	}
	return false;
}

static void level_add(struct text *t, enum filter_link link, const uint16_t *ports,
	size_t port_count, const char *extra)
{
	text_puts(t, "((");
	for (size_t i = 0; i < port_count; i++)
		text_printf(t, "port %u or ", (unsigned)ports[i]);
	text_printf(t, "%s or %s", no_ports, ip_tunnels);
	if (link == FILTER_ETHERNET)
		text_printf(t, " or %s", ether_tunnels);
	text_puts(t, ")");
	if (extra)
		text_printf(t, " and (%s)", extra);
	text_puts(t, ")");
}

char *filter_build(
	enum filter_link link, const uint16_t *ports, size_t port_count, const char *extra)
{
	struct text t = { 0 };
	unsigned tags = link == FILTER_ETHERNET ? TAGS : 0;
	bool in_front = extra && moves_offsets(extra);
	const char *inside = extra && *extra && !in_front ? extra : NULL;

	if (in_front)
		text_printf(&t, "(%s) and ", extra);
	text_puts(&t, "(");
	for (unsigned depth = 0; depth < tags; depth++) {
		level_add(&t, link, ports, port_count, inside);
		text_puts(&t, " or (vlan and (");
	}
	level_add(&t, link, ports, port_count, inside);
	for (unsigned depth = 0; depth < tags; depth++)
		text_puts(&t, "))");
	text_puts(&t, ")");
	if (t.failed) {
		text_deinit(&t);
		return NULL;
	}
	return t.at;
}

char *source_builtin_filter(const uint16_t *ports, size_t port_count, const char *extra)
{
	return filter_build(FILTER_ETHERNET, ports, port_count, extra);
}
