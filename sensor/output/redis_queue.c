/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/redis_queue.h"

#include "rules/rule.h"
#include "sensor/base/text.h"

#include <stdlib.h>
#include <string.h>

#define PLACE_OF_TENANT "{tenant}"

static void write_stream(struct text *out, const char *stream, const char *tenant)
{
	const char *place;

	while ((place = strstr(stream, PLACE_OF_TENANT))) {
		text_add(out, stream, (size_t)(place - stream));
		text_puts(out, tenant);
		stream = place + strlen(PLACE_OF_TENANT);
	}
	text_puts(out, stream);
}

static struct redis_item *item_of(const struct sink_record *record, const struct text *stream)
{
	const struct alert *a = record->alert;
	const char *from[REDIS_FIELDS] = {
		[REDIS_STREAM] = stream->at,
		[REDIS_ID] = record->id,
		[REDIS_TENANT] = alert_get(a, a->tenant_id),
		/* A change is no rule's finding. */
		[REDIS_RULE] = a->kind == ALERT_CHANGE ? "changelog" : rule_table[a->rule].id,
		[REDIS_SEVERITY] = severity_name(a->severity),
		[REDIS_JSON] = record->json,
	};
	size_t len[REDIS_FIELDS], bytes = sizeof(struct redis_item);

	for (size_t i = 0; i < REDIS_FIELDS; i++) {
		len[i] = i == REDIS_JSON ? record->json_len : strlen(from[i]);
		bytes += len[i];
	}
	struct redis_item *item = malloc(bytes);
	if (!item)
		return NULL;
	*item = (struct redis_item){ .bytes = bytes, .severity = a->severity };
	char *to = item->text;
	for (size_t i = 0; i < REDIS_FIELDS; i++) {
		memcpy(to, from[i], len[i]);
		item->at[i] = to;
		item->len[i] = len[i];
		to += len[i];
	}
	return item;
}

struct redis_item *redis_item_new(const char *stream, const struct sink_record *record)
{
	struct text name = { 0 };
	struct redis_item *item = NULL;

	write_stream(&name, stream, alert_get(record->alert, record->alert->tenant_id));
	if (!name.failed && name.at)
		item = item_of(record, &name);
	text_deinit(&name);
	return item;
}

static void list_append(struct redis_list *list, struct redis_item *item)
{
	if (list->last)
		list->last->next = item;
	else
		list->first = item;
	list->last = item;
}

static struct redis_item *take_first(struct redis_queue *q, struct redis_list *list)
{
	struct redis_item *item = list->first;

	list->first = item->next;
	if (!list->first)
		list->last = NULL;
	item->next = NULL;
	q->count--;
	q->bytes -= item->bytes;
	return item;
}

static void drop_least(struct redis_queue *q)
{
	struct redis_list *list = q->level;

	while (!list->first)
		list++;
	free(take_first(q, list));
}

size_t redis_queue_push(struct redis_queue *q, struct redis_item *item)
{
	size_t dropped = 0;

	item->order = q->next_order++;
	list_append(&q->level[item->severity], item);
	q->count++;
	q->bytes += item->bytes;
	while (q->count > q->count_max || (q->bytes > q->bytes_max && q->count > 1)) {
		drop_least(q);
		dropped++;
	}
	return dropped;
}

struct redis_item *redis_queue_pop(struct redis_queue *q)
{
	struct redis_list *oldest = NULL;

	for (size_t i = 0; i < ARRAY_LEN(q->level); i++) {
		struct redis_list *list = &q->level[i];
		if (list->first && (!oldest || list->first->order < oldest->first->order))
			oldest = list;
	}
	return oldest ? take_first(q, oldest) : NULL;
}

void redis_queue_deinit(struct redis_queue *q)
{
	while (q->count > 0)
		drop_least(q);
}
