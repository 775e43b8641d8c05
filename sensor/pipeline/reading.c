/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/pipeline/reading.h"

void reading_publish(struct reading_counters *c, const struct reading_tally *t)
{
	uint64_t messages = 0;

	for (size_t i = 0; i < ARRAY_LEN(t->opcode); i++) {
		gauge_set(&c->opcode[i], t->opcode[i]);
		messages += t->opcode[i];
	}
	for (size_t i = 0; i < ARRAY_LEN(t->rcode); i++)
		gauge_set(&c->rcode[i], t->rcode[i]);
	gauge_set(&c->malformed[DNS_OK], messages);
	gauge_set(&c->queries, messages - t->responses);
	gauge_set(&c->responses, t->responses);
	gauge_set(&c->tcp, t->tcp);
	gauge_set(&c->trailing, t->trailing);
}
