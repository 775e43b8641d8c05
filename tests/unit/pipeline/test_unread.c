/* SPDX-License-Identifier: BSD-2-Clause */
/* A message that is handed on unread: what the tracker makes of it is what the input would have made. */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "sensor/pipeline/unread.h"
#include "tests/unit/pipeline/observe_rig.h"

#define MAX 64 /* records of a batch */

struct desk {
	struct scene *scene;
	struct reading_counters counters;
	struct unread_batch *unread;
	struct observation *record[MAX]; /* of exactly the promised room */
};

static struct desk *desk_new(void)
{
	struct desk *d = calloc(1, sizeof(*d));

	cr_assert_not_null(d);
	d->scene = scene_new();
	known_list(&d->scene->known, "evil.example", SCOPE_SUFFIX);
	scene_freeze(d->scene);
	d->unread = unread_new(
		MAX, &d->scene->known.packet.ports, &d->scene->known.knowledge, &d->counters);
	cr_assert_not_null(d->unread);
	return d;
}

static void desk_free(struct desk *d)
{
	for (size_t i = 0; i < MAX; i++)
		free(d->record[i]);
	unread_free(d->unread);
	scene_free(d->scene);
	free(d);
}

/* What was built becomes record number `at`. */
static const struct observation *desk_write(struct desk *d, size_t at)
{
	struct packet *p = &d->scene->packet;

	p->payload = d->scene->build.at;
	p->payload_len = (uint32_t)d->scene->build.len;
	cr_assert(unread_fits(&d->scene->frame, p));
	size_t bytes = unread_bytes(p);
	free(d->record[at]);
	d->record[at] = malloc(bytes);
	cr_assert_not_null(d->record[at]);
	memset(d->record[at], 0xa5, bytes); /* what stood in the ring */
	unread_write(d->record[at], &d->scene->frame, p);
	d->record[at]->seq = 1000 + at;
	cr_assert_eq(d->record[at]->size, bytes);
	cr_assert_eq(d->record[at]->kind, OBSERVATION_UNREAD);
	return d->record[at];
}

/* --- the same observation --------------------------------------------------------------------- */

static void query(struct scene *s)
{
	build_start(&s->build, 7, DNS_FLAG_RD);
	build_question(&s->build, "WWW.evil.example", DNS_TYPE_A, DNS_CLASS_IN);
}

static void chain(struct scene *s)
{
	scene_answer(s);
	build_start(&s->build, 8, DNS_FLAG_QR | DNS_FLAG_RA);
	build_question(&s->build, "a.example", DNS_TYPE_A, DNS_CLASS_IN);
	build_cname(&s->build, "b.evil.example", 30);
	for (unsigned i = 0; i < 6; i++)
		build_a(&s->build, i, 60 + i);
}

static void update(struct scene *s)
{
	build_start(&s->build, 9, DNS_OPCODE_UPDATE << 11);
	build_question(&s->build, "zone.example", DNS_TYPE_SOA, DNS_CLASS_IN);
}

static void tagged(struct scene *s)
{
	query(s);
	s->packet.vlan_count = 2;
	s->packet.vlan[0] = 101;
	s->packet.vlan[1] = 7;
	s->packet.vni = 7001;
	s->frame.interface = 3;
}

static void of_another_tenant_over_v6(struct scene *s)
{
	query(s);
	cr_assert(ip_parse(&s->packet.src, "2001:db8::7"));
	cr_assert(ip_parse(&s->packet.dst, "2001:db8::53"));
	s->packet.sport = 5353;
}

static const struct {
	const char *name;
	void (*write)(struct scene *s);
} messages[] = {
	{ "query for a listed name", query },
	{ "answer with an alias", chain },
	{ "update", update },
	{ "query with tags and a VNI", tagged },
	{ "query over IPv6", of_another_tenant_over_v6 },
};

Test(unread, what_is_read_later_is_the_same_observation)
{
	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		struct desk *d = desk_new();
		messages[i].write(d->scene);
		const struct observation *record = desk_write(d, 5);
		unread_prepare(d->unread, 5, record);
		const struct observation *later = unread_read(d->unread, 5, record);
		struct observation *now = (struct observation *)scene_observe(d->scene);
		cr_assert_not_null(later, "%s", messages[i].name);
		cr_assert_eq(later->seq, 1005, "%s", messages[i].name);
		now->seq = later->seq;
		cr_assert_eq(later->size, now->size, "%s", messages[i].name);
		cr_assert_eq(memcmp(later, now, now->size), 0, "%s", messages[i].name);
		desk_free(d);
	}
}

/* --- a batch --------------------------------------------------------------------------------- */

Test(unread, messages_are_counted_and_what_is_malformed_is_none)
{
	struct desk *d = desk_new();

	query(d->scene);
	desk_write(d, 0);
	d->scene->build.len -= 3;
	desk_write(d, 1);
	chain(d->scene);
	desk_write(d, 2);
	for (size_t i = 0; i < 3; i++)
		unread_prepare(d->unread, i, d->record[i]);
	cr_assert_not_null(unread_read(d->unread, 0, d->record[0]));
	cr_assert_null(unread_read(d->unread, 1, d->record[1]));
	cr_assert_not_null(unread_read(d->unread, 2, d->record[2]));
	unread_publish(d->unread);
	cr_assert_eq(gauge_read(&d->counters.malformed[DNS_OK]), 2);
	cr_assert_eq(gauge_read(&d->counters.malformed[DNS_QUESTION_TRUNCATED]), 1);
	cr_assert_eq(gauge_read(&d->counters.queries), 1);
	cr_assert_eq(gauge_read(&d->counters.responses), 1);
	desk_free(d);
}

/* UPDATEs as long as they may be: each observation has its message whole. */
Test(unread, a_batch_of_the_longest_messages_finds_room_again_and_again)
{
	struct desk *d = desk_new();
	struct dns_build *b = &d->scene->build;

	update(d->scene);
	build_record(b, BUILD_AUTHORITY, NULL, DNS_TYPE_TXT, DNS_CLASS_IN, 60);
	while (b->len < UNREAD_PAYLOAD_MAX)
		build_octets(b, "", 1);
	build_record_end(b);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < MAX; i++)
			unread_prepare(d->unread, i, desk_write(d, i));
		for (size_t i = 0; i < MAX; i++) {
			const struct observation *o = unread_read(d->unread, i, d->record[i]);
			cr_assert_not_null(o);
			cr_assert_eq(o->wire_len_message, UNREAD_PAYLOAD_MAX);
			cr_assert_eq(memcmp(observation_message(o), b->at, b->len), 0);
		}
		unread_clear(d->unread);
	}
	desk_free(d);
}

/* --- what is read at once --------------------------------------------------------------------- */

Test(unread, what_is_no_short_whole_datagram_does_not_fit)
{
	struct packet datagram = { .protocol = IPPROTO_UDP, .payload_len = UNREAD_PAYLOAD_MAX };
	struct packet segment = { .protocol = IPPROTO_TCP, .payload_len = 100 };
	struct packet cut = {
		.protocol = IPPROTO_UDP, .payload_len = 100, .payload_missing = 1
	};
	struct frame frame = { .ts_ns = 1 };

	cr_assert(unread_fits(&frame, &datagram));
	cr_assert_not(unread_fits(&frame, &segment));
	cr_assert_not(unread_fits(&frame, &cut));
	datagram.payload_len++;
	cr_assert_not(unread_fits(&frame, &datagram));
	frame.decoded = &segment; /* dnstap tells more than a record has */
	datagram.payload_len = 100;
	cr_assert_not(unread_fits(&frame, &datagram));
}
