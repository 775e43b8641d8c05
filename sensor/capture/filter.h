/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter.h -- the text of the BPF program that lets DNS through, and what may turn out to be
 * DNS.
 *
 * Owner: the caller frees the text.  Threads: no shared state.
 * Input: `extra` is the operator's; libpcap judges it when the text is compiled.
 */
#ifndef SENSOR_CAPTURE_FILTER_H
#define SENSOR_CAPTURE_FILTER_H

#include <stddef.h>
#include <stdint.h>

enum filter_link {
	FILTER_ETHERNET, /* with 802.1Q tags, QinQ, MPLS and PPPoE */
	FILTER_UNTAGGED, /* links on which libpcap knows no tags: cooked, raw IP, loopback */
};

/*
 * source_builtin_filter for one kind of link; that one is for Ethernet. malloc'ed text, NULL
 * when out of memory. `extra` may be NULL or empty.
 */
char *filter_build(
	enum filter_link link, const uint16_t *ports, size_t port_count, const char *extra);

#endif
