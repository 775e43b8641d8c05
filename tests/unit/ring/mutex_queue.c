/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/ring/mutex_queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct item {
	struct item *next;
	bool visible;
	size_t bytes_len;
	uint8_t bytes[];
};

struct mutex_queue {
	pthread_mutex_t mutex;
	struct item *first;
	struct item **end;
};

struct mutex_queue *mutex_queue_new(void)
{
	struct mutex_queue *q = calloc(1, sizeof(*q));

	if (!q)
		abort();
	pthread_mutex_init(&q->mutex, NULL);
	q->end = &q->first;
	return q;
}

void mutex_queue_free(struct mutex_queue *q)
{
	while (q->first)
		mutex_queue_release(q);
	pthread_mutex_destroy(&q->mutex);
	free(q);
}

void mutex_queue_commit(struct mutex_queue *q, const void *bytes, size_t bytes_len)
{
	struct item *item = calloc(1, sizeof(*item) + bytes_len);

	if (!item)
		abort();
	item->bytes_len = bytes_len;
	memcpy(item->bytes, bytes, bytes_len);
	pthread_mutex_lock(&q->mutex);
	*q->end = item;
	q->end = &item->next;
	pthread_mutex_unlock(&q->mutex);
}

void mutex_queue_publish(struct mutex_queue *q)
{
	pthread_mutex_lock(&q->mutex);
	for (struct item *item = q->first; item; item = item->next)
		item->visible = true;
	pthread_mutex_unlock(&q->mutex);
}

const void *mutex_queue_peek(struct mutex_queue *q, size_t *bytes_len)
{
	const void *bytes = NULL;

	pthread_mutex_lock(&q->mutex);
	if (q->first && q->first->visible) {
		*bytes_len = q->first->bytes_len;
		bytes = q->first->bytes;
	}
	pthread_mutex_unlock(&q->mutex);
	return bytes;
}

void mutex_queue_release(struct mutex_queue *q)
{
	pthread_mutex_lock(&q->mutex);
	struct item *item = q->first;
	q->first = item->next;
	if (!q->first)
		q->end = &q->first;
	pthread_mutex_unlock(&q->mutex);
	free(item);
}
