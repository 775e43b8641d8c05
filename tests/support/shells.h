/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shells.h -- encapsulations for tests: every tunnel that is decoded as a row of its header's
 * bytes, and how to put a packet into it.
 *
 *	uint8_t inner[FRAMES_BYTES_MAX], outer[FRAMES_BYTES_MAX];
 *	size_t len = frames_build(inner, &(struct frame_spec){ .link = SHELL_INNER_LINK(shell) });
 *	len = shell_wrap(outer, shell, false, inner, len, false);
 */
#ifndef TESTS_SUPPORT_SHELLS_H
#define TESTS_SUPPORT_SHELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/frames.h"

#define SHELL_VNI     7001u
#define SHELL_SESSION 601u
#define SHELL_VLAN    77u
#define SHELL_NO_VNI  UINT32_MAX

/* Where the header stands. */
enum shell_place {
	SHELL_IN_ETHERNET, /* number is the EtherType */
	SHELL_IN_IP,       /* number is the protocol */
	SHELL_IN_UDP,      /* number is the destination port */
};

/* A field of the header that tells IPv4 from IPv6 inside; 2 bytes, but for the last. */
enum shell_type {
	SHELL_NO_TYPE,
	SHELL_ETHERTYPE,
	SHELL_PPP_PROTOCOL,
	SHELL_NEXT_PROTOCOL, /* 1 byte: 1 or 2 */
};

struct shell {
	const char *name;
	const char *header;
	uint16_t header_len;
	uint16_t number; /* 0: that of IP in IP */
	uint8_t place;   /* enum shell_place */
	bool ethernet;   /* carries an Ethernet frame; else an IP packet */
	uint8_t type;    /* enum shell_type */
	uint16_t type_at;
	uint16_t len_at;  /* of a length field of 2 bytes; 0: none */
	int16_t len_from; /* counts what follows this offset */
	uint32_t vni;     /* that a packet inside has, */
	uint16_t vlan;    /* and a VLAN id that the header adds; 0: none */
};

extern const struct shell shells[];
extern const size_t shells_count;

/* The row of that name; ends the test program when there is none. */
const struct shell *shell_find(const char *name);

#define SHELL_INNER_LINK(shell) ((shell)->ethernet ? 1 : 101)

/* Can the outer packet be IPv6? */
static inline bool shell_has_outer_ip(const struct shell *shell)
{
	return shell->place != SHELL_IN_ETHERNET;
}

/*
 * Put the inner packet or frame into the shell: an Ethernet frame comes out. `inner_v6` says what
 * is inside, `outer_v6` what is outside.
 */
size_t shell_wrap(uint8_t out[FRAMES_BYTES_MAX], const struct shell *shell, bool outer_v6,
	const uint8_t *inner, size_t inner_len, bool inner_v6);

#endif
