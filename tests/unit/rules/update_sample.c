/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/rules/update_sample.h"

#include "sensor/base/clock.h"

#include <criterion/criterion.h>

#include <string.h>

void update_sample_start(struct update_sample *s)
{
	memset(s, 0, sizeof(*s));
	s->request.zone = "corp.example";
	s->request.change = s->change;
	s->request.prerequisite = s->prerequisite;
	s->response.zone = "corp.example";
	s->t = (struct transaction){
		.request = &s->request,
		.change = &s->summary,
		.request_seen = true,
		.readable = true,
		.asked_ns = UPDATE_SAMPLE_NOON_S * NS_PER_S,
		.latency_ns = -1,
		.client_port = 40000,
		.server_port = 53,
		.id = 4711,
	};
	cr_assert(ip_parse(&s->t.client, "10.1.0.9"));
	cr_assert(ip_parse(&s->t.server, "10.1.0.53"));
}

static struct update_change *next(struct update_sample *s)
{
	cr_assert_lt(s->request.change_count, UPDATE_SAMPLE_MAX);
	return &s->change[s->request.change_count++];
}

void update_sample_add(struct update_sample *s, const char *name, const char *rdata)
{
	*next(s) = (struct update_change){
		.verb = UPDATE_ADD,
		.type = DNS_TYPE_A,
		.ttl = 300,
		.name = name,
		.rdata = rdata,
	};
}

void update_sample_delete(struct update_sample *s, enum update_verb verb, const char *name)
{
	*next(s) = (struct update_change){
		.verb = verb,
		.type = verb == UPDATE_DELETE_NAME ? DNS_TYPE_ANY : DNS_TYPE_A,
		.name = name,
		.rdata = verb == UPDATE_DELETE_RECORD ? "192.0.2.9" : "",
	};
}

void update_sample_require(
	struct update_sample *s, enum update_condition condition, const char *name)
{
	cr_assert_lt(s->request.prerequisite_count, UPDATE_SAMPLE_MAX);
	s->prerequisite[s->request.prerequisite_count++] = (struct update_prerequisite){
		.condition = condition,
		.type = DNS_TYPE_A,
		.name = name,
		.rdata = condition == UPDATE_RRSET_EQUALS ? "192.0.2.9" : "",
	};
}

void update_sample_sign(struct update_sample *s)
{
	s->request.signature = UPDATE_TSIG;
	s->request.key_name = "ddns-key";
	s->request.algorithm = "hmac-sha256";
	s->request.signed_at_s = UPDATE_SAMPLE_NOON_S;
	s->request.fudge_s = 300;
}

void update_sample_answer(struct update_sample *s, uint16_t rcode, uint16_t tsig_error)
{
	s->t.answered = true;
	s->t.rcode = rcode;
	s->t.tsig_error = tsig_error;
	s->t.latency_ns = 1234567;
	s->t.response = &s->response;
}

void update_sample_finish(struct update_sample *s)
{
	if (s->t.request)
		change_read(&s->summary, &s->request, NULL);
}
