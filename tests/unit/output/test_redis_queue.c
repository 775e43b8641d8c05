/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/redis_queue.h"

#include "tests/unit/output/sample.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An item with this severity and id. */
static struct redis_item *item(enum severity severity, const char *id)
{
	struct alert a;
	struct sink_record record = { &a, id, "{}", 2 };

	sample_plain(&a, "k", SAMPLE_NOON_NS);
	a.severity = (uint8_t)severity;
	struct redis_item *made = redis_item_new("s", &record);
	cr_assert_not_null(made);
	return made;
}

/* The ids that are left, in the order in which they leave. */
static const char *drained(struct redis_queue *q)
{
	static char ids[256];
	struct redis_item *i;

	ids[0] = '\0';
	while ((i = redis_queue_pop(q))) {
		strncat(ids, i->at[REDIS_ID], i->len[REDIS_ID]);
		free(i);
	}
	cr_expect_eq(q->count, 0);
	cr_expect_eq(q->bytes, 0);
	return ids;
}

Test(redis_queue, leaves_in_order_of_arrival_whatever_the_severity)
{
	struct redis_queue q = { .count_max = 10, .bytes_max = 1 << 20 };

	cr_expect_eq(redis_queue_push(&q, item(SEVERITY_LOW, "a")), 0);
	cr_expect_eq(redis_queue_push(&q, item(SEVERITY_CRITICAL, "b")), 0);
	cr_expect_eq(redis_queue_push(&q, item(SEVERITY_INFO, "c")), 0);
	cr_expect_eq(redis_queue_push(&q, item(SEVERITY_LOW, "d")), 0);
	cr_expect_str_eq(drained(&q), "abcd");
}

Test(redis_queue, gives_up_the_least_severe_and_the_oldest_of_them_first)
{
	struct redis_queue q = { .count_max = 4, .bytes_max = 1 << 20 };

	cr_expect_eq(redis_queue_push(&q, item(SEVERITY_HIGH, "a")), 0);
	cr_expect_eq(redis_queue_push(&q, item(SEVERITY_LOW, "b")), 0);
	cr_expect_eq(redis_queue_push(&q, item(SEVERITY_LOW, "c")), 0);
	cr_expect_eq(redis_queue_push(&q, item(SEVERITY_MEDIUM, "d")), 0);
	cr_expect_eq(redis_queue_push(&q, item(SEVERITY_HIGH, "e")), 1); /* b */
	cr_expect_eq(redis_queue_push(&q, item(SEVERITY_HIGH, "f")), 1); /* c */
	cr_expect_eq(redis_queue_push(&q, item(SEVERITY_LOW, "g")), 1);  /* itself */
	cr_expect_eq(redis_queue_push(&q, item(SEVERITY_HIGH, "h")), 1); /* d */
	cr_expect_eq(redis_queue_push(&q, item(SEVERITY_HIGH, "i")), 1); /* a */
	cr_expect_str_eq(drained(&q), "efhi");
}

Test(redis_queue, is_bounded_in_bytes_too)
{
	struct redis_item *one = item(SEVERITY_LOW, "a");
	struct redis_queue q = { .count_max = 100, .bytes_max = 3 * one->bytes };

	cr_expect_eq(redis_queue_push(&q, one), 0);
	cr_expect_eq(redis_queue_push(&q, item(SEVERITY_LOW, "b")), 0);
	cr_expect_eq(redis_queue_push(&q, item(SEVERITY_LOW, "c")), 0);
	cr_expect_eq(redis_queue_push(&q, item(SEVERITY_LOW, "d")), 1);
	cr_expect_leq(q.bytes, q.bytes_max);
	cr_expect_str_eq(drained(&q), "bcd");
	q.bytes_max = 1; /* one is kept however large it is */
	cr_expect_eq(redis_queue_push(&q, item(SEVERITY_LOW, "a")), 0);
	cr_expect_eq(redis_queue_push(&q, item(SEVERITY_LOW, "b")), 1);
	cr_expect_str_eq(drained(&q), "b");
}

Test(redis_queue, deinit_frees_what_is_left)
{
	struct redis_queue q = { .count_max = 100, .bytes_max = 1 << 20 };

	for (int i = 0; i < 10; i++)
		cr_expect_eq(redis_queue_push(&q, item(i % 5, "x")), 0);
	redis_queue_deinit(&q);
	cr_expect_eq(q.count, 0);
}

Test(redis_queue, item_of_a_change_says_so_in_place_of_a_rule)
{
	struct alert a;

	sample_plain(&a, "k", SAMPLE_NOON_NS);
	a.kind = ALERT_CHANGE;
	struct sink_record record = { &a, "id", "{}", 2 };
	struct redis_item *made = redis_item_new("dynwatch:changes", &record);
	cr_assert_not_null(made);
	cr_expect_eq(made->len[REDIS_RULE], strlen("changelog"));
	cr_expect_eq(memcmp(made->at[REDIS_RULE], "changelog", strlen("changelog")), 0);
	free(made);
}

Test(redis_queue, item_has_the_tenant_in_its_stream)
{
	static const struct {
		const char *stream, *want;
	} rows[] = {
		{ "dynwatch:alerts", "dynwatch:alerts" },
		{ "dynwatch:{tenant}:alerts", "dynwatch:acme:alerts" },
		{ "{tenant}", "acme" },
		{ "{tenant}{tenant}x{tenant}", "acmeacmexacme" },
		{ "{tenant", "{tenant" },
		{ "{{tenant}}", "{acme}" },
	};
	struct alert a;

	sample_plain(&a, "k", SAMPLE_NOON_NS);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sink_record record = { &a, "id", "{\"a\":1}", 7 };
		struct redis_item *made = redis_item_new(rows[i].stream, &record);
		cr_assert_not_null(made);
		cr_expect_eq(
			made->len[REDIS_STREAM], strlen(rows[i].want), "%s", rows[i].stream);
		cr_expect(memcmp(made->at[REDIS_STREAM], rows[i].want,
				  made->len[REDIS_STREAM]) == 0,
			"%s", rows[i].stream);
		cr_expect_eq(made->len[REDIS_JSON], 7);
		free(made);
	}
}
