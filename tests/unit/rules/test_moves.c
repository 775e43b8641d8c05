/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/moves.h"
#include "tests/unit/rules/observations.h"

/* The same written plainly: whole addresses, one after the other. */
struct plain {
	struct {
		struct ip ip;
		uint32_t last_s;
		bool present;
	} at[MOVES_ADDRESSES_MAX];
	unsigned count, arrivals, returns, set_size_max;
	uint32_t first_s;
};

static void plain_forget(struct plain *p, uint32_t now_s, uint32_t window_s)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < p->count; i++)
		if ((int32_t)(now_s - p->at[i].last_s) <= (int32_t)window_s)
			p->at[kept++] = p->at[i];
	p->count = kept;
	if (kept == 0) {
		p->arrivals = p->returns = p->set_size_max = 0;
		p->first_s = now_s;
	}
}

static int plain_find(const struct plain *p, const struct ip *ip)
{
	for (unsigned i = 0; i < p->count; i++)
		if (ip_equal(&p->at[i].ip, ip))
			return (int)i;
	return -1;
}

static int plain_place(struct plain *p, const bool now[MOVES_ADDRESSES_MAX])
{
	int oldest = -1;

	if (p->count < MOVES_ADDRESSES_MAX)
		return (int)p->count++;
	for (int i = 0; i < MOVES_ADDRESSES_MAX; i++)
		if (!now[i] && (oldest < 0 || p->at[i].last_s < p->at[oldest].last_s))
			oldest = i;
	return oldest;
}

static struct moves_news plain_note(
	struct plain *p, const struct observation *o, uint32_t now_s, uint32_t window_s)
{
	const struct dns_address *a = observation_addresses(o);
	struct moves_news news = { 0 };
	bool now[MOVES_ADDRESSES_MAX] = { 0 };
	unsigned size = 0;

	plain_forget(p, now_s, window_s);
	for (unsigned i = 0; i < o->address_count; i++) {
		if (ip_is_group(&a[i].ip))
			continue;
		news.has_private |= ip_is_private(&a[i].ip);
		news.has_public |= !ip_is_private(&a[i].ip);
		int at = plain_find(p, &a[i].ip);
		if (at < 0) {
			at = plain_place(p, now);
			if (at < 0)
				continue;
			p->at[at].ip = a[i].ip;
			p->arrivals++;
			news.arrived = true;
		} else if (!p->at[at].present && !now[at]) {
			p->returns++;
			news.returned = true;
		}
		p->at[at].last_s = now_s;
		size += !now[at];
		now[at] = true;
	}
	for (unsigned i = 0; i < p->count; i++)
		p->at[i].present = now[i];
	if (size > p->set_size_max)
		p->set_size_max = size;
	return news;
}

static void compare(const struct moves *m, const struct plain *p, const struct moves_news *got,
	const struct moves_news *wanted, unsigned round)
{
	cr_assert_eq(got->arrived, wanted->arrived, "round %u", round);
	cr_assert_eq(got->returned, wanted->returned, "round %u", round);
	cr_assert_eq(got->has_public, wanted->has_public, "round %u", round);
	cr_assert_eq(got->has_private, wanted->has_private, "round %u", round);
	cr_assert_eq(m->count, p->count, "round %u", round);
	cr_assert_eq(m->arrivals, p->arrivals, "round %u", round);
	cr_assert_eq(m->returns, p->returns, "round %u", round);
	cr_assert_eq(m->set_size_max, p->set_size_max, "round %u", round);
	cr_assert_eq(m->first_s, p->first_s, "round %u", round);
	for (unsigned i = 0; i < p->count; i++) {
		struct ip ip = moves_address(m, i);
		cr_assert(ip_equal(&ip, &p->at[i].ip), "round %u place %u", round, i);
		cr_assert_eq(m->present >> i & 1, p->at[i].present, "round %u", round);
		cr_assert_neq(m->network[i], 0);
	}
}

/* Addresses with the same tails in both families, private ones and no hosts at all among them. */
static const char *pool_address(unsigned number, char text[64])
{
	unsigned last = number % 7;

	if (number % 61 == 60)
		return "0.0.0.0";
	switch (number % 6) {
	case 0:
		snprintf(text, 64, "80.1.2.%u", last);
		break;
	case 1: /* the tail of the first, behind different heads */
		snprintf(text, 64, "2001:db8:%x::5001:2%02x", number / 7, last);
		break;
	case 2:
		snprintf(text, 64, "2001:db9::5001:2%02x", last);
		break;
	case 3:
		snprintf(text, 64, "10.0.0.%u", last);
		break;
	case 4:
		snprintf(text, 64, "99.%u.0.1", last);
		break;
	default:
		snprintf(text, 64, "fe80::%x", last);
	}
	return text;
}

static struct observation *random_answer(const struct world *w, unsigned pool, uint64_t seq)
{
	struct message m = { .qname = "moving.example", .response = true };
	char text[20][64];
	unsigned count = 1 + (unsigned)rand() % (rand() % 8 == 0 ? 20 : 4);

	for (unsigned i = 0; i < count; i++) {
		m.address[i].ip = pool_address((unsigned)rand() % pool, text[i]);
		m.address[i].ttl = (uint32_t)rand() % 300;
	}
	return message_observe(w, &m, seq);
}

Test(moves, agree_with_a_plain_list_of_addresses)
{
	static const uint32_t steps_s[] = { 0, 1, 5, 60, 400, 3000, (uint32_t)-50 };
	struct world *w = world_new();

	world_tenant(w, "acme", "10.1.0.0/16");
	world_freeze(w);
	srand(1);
	for (unsigned name = 0; name < 40; name++) {
		struct moves m = { 0 };
		struct plain p = { 0 };
		uint32_t now_s = name % 2 ? 1785585600 : UINT32_MAX - 5000;
		for (unsigned round = 0; round < 100; round++) {
			struct observation *o = random_answer(w, 3 + name * 2, round);
			now_s += steps_s[(unsigned)rand() % ARRAY_LEN(steps_s)];
			struct moves_news wanted = plain_note(&p, o, now_s, 2000);
			struct moves_news got = moves_note(&m, o, NULL, now_s, 2000);
			compare(&m, &p, &got, &wanted, round);
			free(o);
		}
	}
	world_free(w);
}
