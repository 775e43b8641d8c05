/* SPDX-License-Identifier: BSD-2-Clause */
/* Ids and names that stand twice, found by sorting: a file may have many thousands. */
#include "sensor/config/reading.h"

#include <stdlib.h>
#include <string.h>

struct twin {
	const char *text;
	size_t nth;
};

static int compare_twins(const void *left, const void *right)
{
	const struct twin *a = left, *c = right;
	int order = strcmp(a->text, c->text);

	return order ? order : (a->nth > c->nth) - (a->nth < c->nth);
}

void reading_refuse_twins(struct reading *r, const struct part *part,
	enum config_option_id list, const char *key, char *const *text, size_t count)
{
	struct twin *twin = reading_array(r, count, sizeof(*twin));
	const struct twin *first = NULL, *second = NULL;
	size_t there = 0;

	if (!twin)
		return;
	for (size_t i = 0; i < count; i++)
		if (text[i])
			twin[there++] = (struct twin){ text[i], i };
	qsort(twin, there, sizeof(*twin), compare_twins);
	for (size_t i = 1; i < there; i++) {
		if (strcmp(twin[i].text, twin[i - 1].text) == 0 &&
			(!second || twin[i].nth < second->nth)) {
			first = &twin[i - 1];
			second = &twin[i];
		}
	}
	if (second) {
		struct path list_path = reading_key(part, list);
		struct path one = path_item(&list_path, first->nth),
			    one_key = path_key(&one, key);
		struct path two = path_item(&list_path, second->nth),
			    two_key = path_key(&two, key);
		reading_fail(r, &two_key, "\"%.80s\" stands twice, first in line %u",
			second->text, place_find(r->places, &one_key).line);
	}
	free(twin);
}
