/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip.h -- addresses and networks of both families in one shape.
 *
 * An IPv4 address is held as its IPv4-mapped IPv6 form (RFC 4291 2.5.5.2), so comparing,
 * hashing and matching prefixes need no family. Prefix lengths count in the 128-bit
 * form: 10.0.0.0/8 has bits = 104; ::/0 holds every address of both families. Text forms are
 * those of inet_ntop: "10.0.0.1", "2001:db8::1".
 *
 * Owner: values, no allocation, except struct ip_set.  Threads: no shared state.
 */
#ifndef SENSOR_BASE_IP_H
#define SENSOR_BASE_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "sensor/base/hash.h"

#define IP_TEXT_MAX     46 /* longest address and its NUL */
#define IP_NET_TEXT_MAX 50 /* longest network and its NUL */

struct ip {
	uint8_t bytes[16];
};

struct ip_net {
	struct ip base; /* host bits are zero */
	uint8_t bits;   /* 0..128; an IPv4 /24 is 120 */
};

/*
 * Networks with exclusions ("!10.1.66.0/24"). The longest network that holds an address
 * decides. Zero-initialised is the empty set, which contains nothing. Freed with ip_set_deinit.
 */
struct ip_set {
	struct ip_set_entry {
		struct ip_net net;
		bool excluded;
	} * entry;
	size_t count;
};

static inline struct ip ip_from_v4(const uint8_t v4[4])
{
	struct ip ip = { .bytes = { [10] = 0xff, [11] = 0xff } };
	memcpy(ip.bytes + 12, v4, 4);
	return ip;
}

static inline struct ip ip_from_v6(const uint8_t v6[16])
{
	struct ip ip;
	memcpy(ip.bytes, v6, 16);
	return ip;
}

/* Two words and one branch: memcmp would look at the second word only if the first is equal. */
static inline bool ip_equal(const struct ip *a, const struct ip *b)
{
	uint64_t left[2], right[2];

	memcpy(left, a->bytes, 16);
	memcpy(right, b->bytes, 16);
	return ((left[0] ^ right[0]) | (left[1] ^ right[1])) == 0;
}

/* Without a branch: which family comes next cannot be guessed. */
static inline bool ip_is_v4(const struct ip *ip)
{
	static const uint8_t mapped[4] = { 0, 0, 0xff, 0xff };
	uint64_t zeros;
	uint32_t prefix, wanted;

	memcpy(&zeros, ip->bytes, 8);
	memcpy(&prefix, ip->bytes + 8, 4);
	memcpy(&wanted, mapped, 4);
	return (zeros | (prefix ^ wanted)) == 0;
}

/*
 * A hash of the address alone, for one multiplication. The seed is in both factors, so that nobody
 * who does not know it can choose addresses that meet.
 */
static inline uint64_t ip_hash(uint64_t seed, const struct ip *ip)
{
	uint64_t high, low;

	memcpy(&high, ip->bytes, 8);
	memcpy(&low, ip->bytes + 8, 8);
	return hash_fold(high ^ seed ^ HASH_K1, low ^ (seed >> 32 | seed << 32) ^ HASH_K0);
}

/* Total order, for sorted output. */
static inline int ip_compare(const struct ip *a, const struct ip *b)
{
	return memcmp(a->bytes, b->bytes, 16);
}

/* Parse "10.0.0.1" or "2001:db8::1". False (and *out untouched) when it is neither. */
NODISCARD bool ip_parse(struct ip *out, const char *text);

/* Write the address into text[IP_TEXT_MAX]; returns text. */
const char *ip_format(const struct ip *ip, char text[IP_TEXT_MAX]);

/*
 * The same in the middle of a text: without a NUL, returns what follows. `at` has room for
 * IP_TEXT_MAX octets, of which some behind the end may be written, too. ip_put_v6 writes an address
 * that stands for an IPv4 one as "::ffff:192.0.2.1".
 */
char *ip_put_v4(char *at, const uint8_t v4[4]);
char *ip_put_v6(char *at, const uint8_t v6[16]);

static inline char *ip_put(char *at, const struct ip *ip)
{
	return ip_is_v4(ip) ? ip_put_v4(at, ip->bytes + 12) : ip_put_v6(at, ip->bytes);
}

/* Keep the first `bits` (0..128) bits. */
struct ip ip_masked(const struct ip *ip, unsigned bits);

/*
 * The network an address belongs to when only prefixes are known: /24 for IPv4, /48 for IPv6.
 */
struct ip_net ip_site(const struct ip *ip);

/*
 * Addresses that no public name should answer with: RFC 1918, loopback, link-local, unique
 * local, "this network" 0/8 and its IPv6 twin ::, and carrier-grade NAT 100.64/10. Multicast
 * and broadcast are not private.
 */
bool ip_is_private(const struct ip *ip);

/* Multicast, broadcast, or unspecified: no host. */
bool ip_is_group(const struct ip *ip);

/* What an address in an answer stands for: the two questions above, asked at once. */
enum ip_kind {
	IP_PUBLIC,
	IP_PRIVATE,
	IP_GROUP,
};
enum ip_kind ip_kind_of_few(const struct ip *ip);

/* The first octet alone tells it of nearly every address that names have. */
static inline enum ip_kind ip_kind_of(const struct ip *ip)
{
	/* First octets of IPv4 that begin networks of other kinds, too: 0, 10, 100, 127, 169, ... */
	static const uint64_t other[4] = {
		UINT64_C(1) << 0 | UINT64_C(1) << 10,
		UINT64_C(1) << (100 - 64) | UINT64_C(1) << (127 - 64),
		UINT64_C(1) << (169 - 128) | UINT64_C(1) << (172 - 128),
		UINT64_C(1) << (192 - 192) | UINT64_MAX << (224 - 192),
	};
	unsigned first = ip->bytes[12];
	bool is_public = ip_is_v4(ip) ? !(other[first / 64] >> first % 64 & 1)
				      : (ip->bytes[0] & 0xe0) == 0x20; /* 2000::/3 */

	return LIKELY(is_public) ? IP_PUBLIC : ip_kind_of_few(ip);
}

/*
 * Parse "10.1.0.0/16", "2001:db8::/32" or a bare address (full length). Host bits must be zero:
 * "10.1.2.3/16" is refused, since it is usually a typing error.
 */
NODISCARD bool ip_net_parse(struct ip_net *out, const char *text);
const char *ip_net_format(const struct ip_net *net, char text[IP_NET_TEXT_MAX]);
bool ip_net_contains(const struct ip_net *net, const struct ip *ip);

/* Add "NET" or "!NET" (which wins over the same NET). False when the text is not a network or
 * memory is out. */
NODISCARD bool ip_set_add(struct ip_set *set, const char *text);
bool ip_set_contains(const struct ip_set *set, const struct ip *ip);
void ip_set_deinit(struct ip_set *set);

#endif
