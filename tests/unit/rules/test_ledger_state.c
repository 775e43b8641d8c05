/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/ledger_state.h"
#include "tests/unit/rules/ledger_rig.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#define DAY_MS       INT64_C(86400000)
#define HEADER_BYTES 28

/* A ledger with something of everything in it. */
static struct ledger_rig *filled(void)
{
	struct ledger_rig *g = ledger_rig_new(&aging_family, NULL);
	const struct ledger_spec updates[] = {
		{ .records = "add host A 10.1.0.7\nadd host AAAA 2001:db8::7", .key = "one" },
		{ .at_ms = 1000,
			.client = "10.1.0.5",
			.zone = "10.in-addr.arpa",
			.records = "add 7.0.1.10.in-addr.arpa. PTR x" },
		{ .at_ms = 2000, .client = "10.1.0.9", .records = "add old A 10.1.0.9" },
		{ .at_ms = 3000, .client = "10.1.0.9", .records = "del old" },
	};

	for (size_t i = 0; i < ARRAY_LEN(updates); i++)
		ledger_rig_update(g, &updates[i]);
	rig_exchange(g->rig, &(struct message){ .at_ms = 5000,
				     .qname = "host.corp.example",
				     .aa = true,
				     .address = { { .ip = "10.1.0.7", .ttl = 1200 } } });
	return g;
}

static struct text state_of(const struct ledger_rig *g)
{
	struct text state = { 0 };

	ledger_state_begin(&state);
	ledger_state_add(&state, g->rig->ledger);
	ledger_state_end(&state);
	cr_assert_not(state.failed);
	return state;
}

static enum err check(const struct text *state)
{
	struct err_ctx why = { { 0 } };
	/* Of its exact size, so that a step beyond the end is seen. */
	uint8_t *bytes = malloc(state->len ? state->len : 1);
	cr_assert_not_null(bytes);
	memcpy(bytes, state->at, state->len);
	enum err err = ledger_state_check(bytes, state->len, &why);

	free(bytes);
	cr_assert_eq(err == ERR_OK, why.text[0] == '\0', "a reason, and only then");
	return err;
}

static size_t restore(struct ledger_rig *g, const struct text *state, struct ledger_shard shard)
{
	cr_assert_eq(check(state), ERR_OK);
	return ledger_state_restore(
		g->rig->ledger, (const uint8_t *)state->at, state->len, shard, false);
}

static const struct ledger_shard whole = { 0, 1 };

Test(ledger_state, a_restored_ledger_is_saved_as_the_same_bytes)
{
	struct ledger_rig *one = filled(), *other = ledger_rig_new(&aging_family, NULL);
	struct text before = state_of(one);

	cr_expect_eq(restore(other, &before, whole), 3);
	struct text after = state_of(other);
	cr_assert_eq(before.len, after.len);
	cr_expect_arr_eq(before.at, after.at, before.len);
	text_deinit(&before);
	text_deinit(&after);
	ledger_rig_free(one);
	ledger_rig_free(other);
}

Test(ledger_state, after_a_restart_the_same_update_is_told_the_same)
{
	static const struct ledger_spec next[] = {
		{ .at_ms = 60000, .records = "add host A 10.1.0.7", .key = "one" },
		{ .at_ms = 60000, .records = "del host A\nadd host A 10.1.0.8", .key = "two" },
		{ .at_ms = 60000, .client = "10.1.0.66", .records = "add old A 10.1.0.66" },
		{ .at_ms = 60000, .records = "del host" },
		{ .at_ms = 60000, .records = "add new A 10.1.0.7" },
	};

	for (size_t i = 0; i < ARRAY_LEN(next); i++) {
		struct ledger_rig *one = filled(), *other = ledger_rig_new(&aging_family, NULL);
		struct text state = state_of(one);
		restore(other, &state, whole);
		ledger_rig_update(one, &next[i]);
		ledger_rig_update(other, &next[i]);
		cr_expect_str_eq(
			ledger_rig_told(other), ledger_rig_told(one), "%s", next[i].records);
		cr_expect_eq(rig_count(other->rig, RULE_UPDATE_TAKEOVER),
			rig_count(one->rig, RULE_UPDATE_TAKEOVER));
		text_deinit(&state);
		ledger_rig_free(one);
		ledger_rig_free(other);
	}
}

Test(ledger_state, each_ledger_takes_its_own_tenants_whatever_their_number)
{
	struct ledger_rig *one = filled();
	struct text state = state_of(one);
	size_t names = 0;

	for (size_t number = 0; number < 3; number++) {
		struct ledger_rig *part = ledger_rig_new(&aging_family, NULL);
		names += restore(part, &state, (struct ledger_shard){ number, 3 });
		ledger_rig_free(part);
	}
	cr_expect_eq(names, 3);

	struct world *w = world_new();
	world_tenant(w, "other", "10.2.0.0/16");
	struct ledger_rig *stranger = ledger_rig_new(&aging_family, w);
	cr_expect_eq(restore(stranger, &state, whole), 0);
	ledger_rig_free(stranger);
	text_deinit(&state);
	ledger_rig_free(one);
}

Test(ledger_state, any_changed_byte_of_the_header_is_noticed)
{
	struct ledger_rig *g = filled();
	struct text state = state_of(g);

	for (size_t at = 0; at < HEADER_BYTES; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			state.at[at] ^= (char)(1u << bit);
			cr_expect_eq(check(&state), ERR_INPUT, "byte %zu, bit %u", at, bit);
			state.at[at] ^= (char)(1u << bit);
		}
	}
	cr_expect_eq(check(&state), ERR_OK);
	text_deinit(&state);
	ledger_rig_free(g);
}

Test(ledger_state, damage_anywhere_and_every_cut_is_noticed)
{
	struct ledger_rig *g = filled();
	struct text state = state_of(g);
	size_t len = state.len;
	unsigned seed = 1;

	for (unsigned i = 0; i < 2000; i++) {
		size_t at = (size_t)rand_r(&seed) % len;
		char damage = (char)(1 + rand_r(&seed) % 255);
		state.at[at] ^= damage;
		cr_expect_eq(check(&state), ERR_INPUT, "byte %zu", at);
		state.at[at] ^= damage;
	}
	for (state.len = 0; state.len < len; state.len++)
		cr_expect_eq(check(&state), ERR_INPUT, "cut to %zu", state.len);
	text_deinit(&state);
	ledger_rig_free(g);
}

/* Damage that the checksum fits to: whoever wrote it, it must not be believed blindly. */
Test(ledger_state, a_wrong_record_under_a_right_checksum_does_no_harm)
{
	struct ledger_rig *g = filled();
	struct text state = state_of(g);
	unsigned seed = 2;

	for (unsigned i = 0; i < 3000; i++) {
		size_t at = HEADER_BYTES + (size_t)rand_r(&seed) % (state.len - HEADER_BYTES);
		char before = state.at[at];
		state.at[at] = (char)rand_r(&seed);
		ledger_state_end(&state);
		if (check(&state) == ERR_OK) {
			struct ledger_rig *other = ledger_rig_new(&aging_family, NULL);
			restore(other, &state, whole);
			rig_wait(other->rig, 1200000);
			ledger_rig_free(other);
		}
		state.at[at] = before;
	}
	text_deinit(&state);
	ledger_rig_free(g);
}
