/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/pipeline/observe_rig.h"

#include <netinet/in.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "sensor/base/clock.h"

struct scene *scene_new(void)
{
	struct scene *s = calloc(1, sizeof(*s));

	cr_assert_not_null(s);
	known_init(&s->known);
	known_tenant(&s->known, "acme", "10.1.0.0/16");
	known_tenant(&s->known, "beta", "10.2.0.0/16");
	s->packet = (struct packet){
		.protocol = IPPROTO_UDP,
		.sport = 40000,
		.dport = 53,
		.vni = PACKET_NO_VNI,
	};
	cr_assert(
		ip_parse(&s->packet.src, "10.1.0.7") && ip_parse(&s->packet.dst, "10.1.0.53"));
	s->frame = (struct frame){ .ts_ns = KNOWN_START_NS };
	return s;
}

void scene_freeze(struct scene *s)
{
	known_freeze(&s->known);
	s->observer = known_observer(&s->known);
}

void scene_free(struct scene *s)
{
	free(s->o);
	known_deinit(&s->known);
	free(s);
}

void scene_answer(struct scene *s)
{
	struct packet *p = &s->packet;
	struct ip src = p->src;
	uint16_t sport = p->sport;

	p->src = p->dst;
	p->dst = src;
	p->sport = p->dport;
	p->dport = sport;
}

const struct observation *scene_observe(struct scene *s)
{
	struct dns_message *m = &s->message;

	cr_assert_eq(dns_message_decode(m, s->build.at, s->build.len), DNS_OK);
	struct parties who;
	observe_prepare(&s->observer, &who, &s->frame, &s->packet, m);
	observe_tenant(&s->observer, &who, &s->frame, &s->packet);
	size_t bound = observe_bound(&who, m);
	free(s->o);
	s->o = malloc(bound);
	cr_assert_not_null(s->o);
	size_t used = observe_build(&s->observer, s->o, &s->frame, &s->packet, &who, m);
	cr_assert_eq(used, s->o->size);
	cr_assert_leq(used, bound);
	return s->o;
}

void build_a(struct dns_build *b, unsigned number, uint32_t ttl)
{
	build_record(b, BUILD_ANSWER, NULL, DNS_TYPE_A, DNS_CLASS_IN, ttl);
	build_u32(b, 0xc0000200 + number);
	build_record_end(b);
}

void build_cname(struct dns_build *b, const char *target, uint32_t ttl)
{
	build_record(b, BUILD_ANSWER, NULL, DNS_TYPE_CNAME, DNS_CLASS_IN, ttl);
	build_name(b, target);
	build_record_end(b);
}

const char *name_text(const struct observation *o, unsigned n)
{
	static char text[DNS_NAME_TEXT_MAX];
	struct dns_name name;

	observation_name(o, n, &name);
	dns_name_format(&name, text);
	return text;
}
