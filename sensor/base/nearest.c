/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/nearest.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/*
 * Letters to insert, delete, change, or swap with their neighbour (optimal string alignment).
 * Three rows of the table are enough, since a swap looks two rows back.
 */
static unsigned edits(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][NEAREST_MAX + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		above[j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned change = above[j - 1] + (a[i - 1] != b[j - 1]);
			row[j] = least(change, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		unsigned *free_row = before;
		before = above;
		above = row;
		row = free_row;
	}
	return above[b_len];
}

struct nearest nearest_to(const char *text)
{
	size_t text_len = strlen(text);
	unsigned far = text_len > NEAREST_MAX ? 0 : (unsigned)text_len / 3 + 2;
	return (struct nearest){ .text = text, .distance = far };
}

void nearest_offer(struct nearest *n, const char *word)
{
	size_t text_len = strlen(n->text), word_len = strlen(word);

	if (text_len > NEAREST_MAX || word_len > NEAREST_MAX)
		return;
	unsigned distance =
		strcasecmp(n->text, word) == 0 ? 0 : edits(n->text, text_len, word, word_len);
	/* As many edits as letters: nothing was kept of the word. */
	if (distance >= n->distance || distance >= word_len)
		return;
	n->distance = distance;
	n->word = word;
}
