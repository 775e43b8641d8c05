/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nearest.h -- "did you mean": the known word that is nearest to a mistyped one.
 *
 *	struct nearest n = nearest_to("min_domain");
 *	for each known word: nearest_offer(&n, word);
 *	if (n.word) ...
 *
 * Only a word that is near enough is kept (about one typing error in three letters), so that
 * nothing is suggested for a word that has no relative.
 *
 * Owner: keeps the pointers it is given, nothing else.  Limits: words over NEAREST_MAX bytes
 * are not compared.
 */
#ifndef SENSOR_BASE_NEAREST_H
#define SENSOR_BASE_NEAREST_H

#define NEAREST_MAX 64

struct nearest {
	const char *word; /* the best so far; NULL: none is near */
	const char *text; /* what was typed */
	unsigned distance;
};

struct nearest nearest_to(const char *text);
/* Of equally near words the first offered stays. */
void nearest_offer(struct nearest *n, const char *word);

#endif
