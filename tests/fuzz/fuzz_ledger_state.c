/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_ledger_state.c -- any bytes as a saved ledger: refused with a reason, or restored and saved
 * again. The checksum is made to fit, so that the records behind it are reached.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "feeds/index.h"
#include "rules/ledger_state.h"

#define LEDGER_BYTES (1u << 20)

static struct knowledge *knowledge(void)
{
	static struct knowledge known;

	if (known.index)
		return &known;
	known.policies = policy_set_new();
	struct index_builder *builder = index_builder_new(1);
	if (!known.policies || !builder || !policy_set_add(known.policies, "acme"))
		abort();
	known.index = index_build(builder);
	if (!known.index)
		abort();
	return &known;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text state = { 0 }, again = { 0 };
	struct err_ctx why = { { 0 } };

	if (ledger_state_check(data, size, &why) != ERR_OK && !why.text[0])
		abort();
	ledger_state_begin(&state);
	text_add(&state, (const char *)data, size);
	ledger_state_end(&state);
	if (state.failed)
		return 0;
	if (ledger_state_check((const uint8_t *)state.at, state.len, &why) == ERR_OK) {
		struct ledger *l = ledger_new(LEDGER_BYTES, 1);
		if (!l)
			abort();
		ledger_adopt(l, knowledge());
		ledger_state_restore(l, (const uint8_t *)state.at, state.len,
			(struct ledger_shard){ 0, 1 }, true);
		ledger_tick(l, 0);
		ledger_state_begin(&again);
		ledger_state_add(&again, l);
		ledger_state_end(&again);
		if (!again.failed && ledger_state_check((const uint8_t *)again.at, again.len,
					     &why) != ERR_OK)
			abort();
		ledger_free(l);
	}
	text_deinit(&state);
	text_deinit(&again);
	return 0;
}
