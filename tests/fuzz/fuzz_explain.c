/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_explain.c -- any octets as an UPDATE, explained: the first three choose RCODE and TSIG
 * error, and whether the message is the request or what a response repeats.
 */
#include "rules/explain.h"

#include "rules/cause.h"
#include "sensor/base/clock.h"

#include <stdlib.h>
#include <string.h>

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* Lines for a terminal: nothing but printable ASCII, each line ended. */
static void check_words(const struct text *words)
{
	require(!words->failed && words->len > 0);
	require(words->at[words->len - 1] == '\n');
	for (size_t i = 0; i < words->len; i++)
		require(words->at[i] == '\n' || (words->at[i] >= ' ' && words->at[i] <= '~'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct update *u = size > 3 ? update_decode(data + 3, size - 3) : NULL;
	struct text words = { 0 };
	struct change change;

	if (!u)
		return 0;
	change_read(&change, u, NULL);
	struct transaction t = {
		.request = data[2] & 1 ? u : NULL,
		.response = data[2] & 2 ? u : NULL,
		.request_seen = data[2] & 1,
		.change = &change,
		.readable = data[2] & 3,
		.answered = data[2] & 4,
		.forwarded = data[2] & 8,
		.rcode = data[0] % 32,
		.tsig_error = data[1] % 32,
		.asked_ns = NS_PER_S,
		.latency_ns = data[2] & 16 ? -1 : 1,
	};
	explain_put(&words, &t, "acme");
	check_words(&words);
	require((cause_of(&t) == CAUSE_NONE) == transaction_accepted(&t));
	text_deinit(&words);
	update_free(u);
	return 0;
}
