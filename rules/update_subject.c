/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/update_subject.h"

#include "sensor/base/hash.h"

#include <string.h>

static struct subject subject_of(const struct exchange *x, enum subject_kind kind)
{
	struct subject s;

	memset(&s, 0, sizeof(s));
	s.tenant = x->tenant_number;
	s.kind = (uint8_t)kind;
	return s;
}

struct subject subject_source(const struct exchange *x, const struct ip *ip)
{
	struct subject s = subject_of(x, SUBJECT_SOURCE);

	s.ip = *ip;
	return s;
}

struct subject subject_subnet(const struct exchange *x, const struct ip *ip)
{
	struct subject s = subject_of(x, SUBJECT_SUBNET);
	size_t kept = ip_is_v4(ip) ? 15 : 8;

	memcpy(s.ip.bytes, ip->bytes, kept);
	return s;
}

struct subject subject_text(
	const struct exchange *x, enum subject_kind kind, const char *text, uint64_t seed)
{
	struct subject s = subject_of(x, kind);

	s.hash = hash_bytes(seed, text, strlen(text));
	return s;
}

const char *subject_subnet_text(const struct subject *s, char text[IP_NET_TEXT_MAX])
{
	struct ip_net net = { .base = s->ip, .bits = ip_is_v4(&s->ip) ? 120 : 64 };

	return ip_net_format(&net, text);
}

void subject_sources_add(struct subject_sources *s, const struct ip *ip)
{
	for (unsigned i = 0; i < s->count; i++) {
		if (ip_equal(&s->ip[i], ip))
			return;
	}
	if (s->count < SUBJECT_SOURCES_MANY)
		s->ip[s->count++] = *ip;
}
