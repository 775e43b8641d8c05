/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/table_probe.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#define SEED UINT64_C(0x7ab1e)

struct entry {
	uint64_t key;
	uint64_t value;
};

static struct table *small(void)
{
	struct table *t = table_new("test", sizeof(struct entry), 8, 0, SEED);
	cr_assert_not_null(t);
	return t;
}

static struct entry *add(struct table *t, uint64_t key, bool *is_new)
{
	return table_add(t, table_hash(t, &key), &key, is_new);
}

static struct entry *find(struct table *t, uint64_t key)
{
	return table_find(t, table_hash(t, &key), &key);
}

/* Keys that all live in the bucket of key 0, so that one bucket can be watched. */
static size_t neighbours(const struct table *t, uint64_t *key, size_t count)
{
	uint64_t zero = 0, found = 0;
	uint64_t home = (table_hash(t, &zero) >> 32) * table_bucket_count(t) >> 32;

	for (uint64_t k = 1; found < count && k < 1000000; k++)
		if ((table_hash(t, &k) >> 32) * table_bucket_count(t) >> 32 == home)
			key[found++] = k;
	return found;
}

Test(table, a_new_entry_holds_its_key_and_zeroes)
{
	struct table *t = small();
	bool is_new;
	struct entry *e = add(t, 42, &is_new);

	cr_assert(is_new);
	cr_assert_eq(e->key, 42);
	cr_assert_eq(e->value, 0);
	e->value = 7;
	cr_assert_eq(add(t, 42, &is_new), e);
	cr_assert_not(is_new);
	cr_assert_eq(e->value, 7);
	table_free(t);
}

Test(table, what_is_not_there_is_not_found)
{
	struct table *t = small();

	cr_assert_null(find(t, 1));
	table_free(t);
}

Test(table, a_removed_entry_is_gone_and_comes_back_as_zeroes)
{
	struct table *t = small();
	bool is_new;
	struct entry *e = add(t, 1, &is_new);

	e->value = 9;
	table_remove(t, e);
	cr_assert_null(find(t, 1));
	cr_assert_eq(table_stats(t).used, 0);
	table_remove(t, e); /* nothing more happens */
	cr_assert_eq(table_stats(t).used, 0);
	cr_assert_eq(add(t, 1, &is_new)->value, 0);
	cr_assert(is_new);
	table_free(t);
}

Test(table, at_least_64_entries_even_without_memory)
{
	struct table *t = small();

	cr_assert_eq(table_stats(t).capacity, 64);
	cr_assert_str_eq(table_stats(t).name, "test");
	table_free(t);
}

Test(table, memory_bounds_tags_and_entries_and_is_used_well)
{
	static const size_t memory[] = { 100 << 10, 1 << 20, (1 << 20) + 777, 10 << 20 };
	static const size_t entry[] = { 8, 24, 64, 100, 1000 };

	for (size_t i = 0; i < ARRAY_LEN(memory); i++) {
		for (size_t k = 0; k < ARRAY_LEN(entry); k++) {
			struct table *t = table_new("m", entry[k], 8, memory[i], SEED);
			size_t bucket = 64 + 8 * ((entry[k] + 7) & ~(size_t)7);
			size_t used = table_stats(t).capacity / 8 * bucket;
			cr_assert_leq(used, memory[i], "%zu of %zu", used, memory[i]);
			/* What doubling from a small number leaves over: a thirtieth at most. */
			cr_assert_gt(used + used / 30 + bucket, memory[i], "%zu of %zu", used,
				memory[i]);
			table_free(t);
		}
	}
}

Test(table, a_ninth_key_of_a_bucket_evicts_the_first_that_was_never_touched_again)
{
	struct table *t = small();
	uint64_t key[9];
	bool is_new;

	cr_assert_eq(neighbours(t, key, 9), 9);
	for (size_t i = 0; i < 8; i++)
		add(t, key[i], &is_new);
	find(t, key[0]);
	find(t, key[1]);
	add(t, key[8], &is_new);
	cr_assert(is_new);
	cr_assert_null(find(t, key[2]), "the first not used");
	cr_assert(find(t, key[0]) && find(t, key[1]) && find(t, key[8]));
	cr_assert_eq(table_stats(t).evicted, 1);
	cr_assert_eq(table_stats(t).used, 8);
	table_free(t);
}

Test(table, the_hand_takes_marks_away_and_then_evicts_in_turn)
{
	struct table *t = small();
	uint64_t key[10];
	bool is_new;

	cr_assert_eq(neighbours(t, key, 10), 10);
	for (size_t i = 0; i < 8; i++)
		add(t, key[i], &is_new);
	for (size_t i = 0; i < 8; i++)
		find(t, key[i]);
	add(t, key[8], &is_new); /* all marked: once round, then the first */
	cr_assert_null(find(t, key[0]));
	add(t, key[9], &is_new); /* the next one, whose mark is gone */
	unsigned way = 0;
	bool second_there = false;
	for (struct entry *e; (e = table_next(t, table_hash(t, &key[1]), &way));)
		second_there |= e->key == key[1];
	cr_assert_not(second_there);
	table_free(t);
}

Test(table, a_flood_of_keys_that_never_return_spares_what_is_in_use)
{
	struct table *t = table_new("test", sizeof(struct entry), 8, 64 << 10, SEED);
	uint64_t kept = 0;
	bool is_new;

	for (uint64_t k = 0; k < 200; k++) {
		add(t, k, &is_new);
		find(t, k);
	}
	for (uint64_t k = 1000; k < 100000; k++) {
		add(t, k, &is_new);
		if (k % 50 == 0)
			for (uint64_t hot = 0; hot < 200; hot++)
				find(t, hot);
	}
	for (uint64_t k = 0; k < 200; k++)
		kept += find(t, k) != NULL;
	cr_assert_eq(kept, 200);
	table_free(t);
}

Test(table, pinned_entries_stay_unless_all_are_pinned)
{
	struct table *t = small();
	uint64_t key[20];
	bool is_new;

	cr_assert_eq(neighbours(t, key, 20), 20);
	for (size_t i = 0; i < 8; i++)
		table_pin(t, add(t, key[i], &is_new), i < 7);
	for (size_t i = 8; i < 15; i++)
		add(t, key[i], &is_new);
	for (size_t i = 0; i < 7; i++)
		cr_assert_not_null(find(t, key[i]), "pinned %zu", i);
	table_pin(t, find(t, key[14]), true);
	add(t, key[15], &is_new); /* eight pins: one has to go all the same */
	cr_assert_not_null(find(t, key[15]));
	cr_assert_eq(table_stats(t).used, 8);
	table_free(t);
}

Test(table, an_unpinned_entry_can_go_again)
{
	struct table *t = small();
	uint64_t key[9];
	bool is_new;

	cr_assert_eq(neighbours(t, key, 9), 9);
	for (size_t i = 0; i < 8; i++)
		table_pin(t, add(t, key[i], &is_new), true);
	/* Not through find, which would mark it as used. */
	unsigned way = 0;
	struct entry *third = table_next(t, table_hash(t, &key[3]), &way);
	cr_assert_eq(third->key, key[3]);
	table_pin(t, third, false);
	add(t, key[8], &is_new);
	cr_assert_null(find(t, key[3]));
	table_free(t);
}

static void note_key(void *entry, void *arg)
{
	*(uint64_t *)arg = ((struct entry *)entry)->key + 1;
}

Test(table, the_evicted_entry_is_shown_whole_and_a_removed_one_is_not)
{
	struct table *t = small();
	uint64_t key[9], seen = 0;
	bool is_new;

	cr_assert_eq(neighbours(t, key, 9), 9);
	table_on_evict(t, note_key, &seen);
	for (size_t i = 0; i < 8; i++)
		add(t, key[i], &is_new);
	table_remove(t, find(t, key[5]));
	cr_assert_eq(seen, 0);
	add(t, key[5], &is_new);
	add(t, key[8], &is_new);
	cr_assert_eq(seen, key[0] + 1);
	table_free(t);
}

struct visit {
	struct table *table;
	uint64_t sum, count;
};

static void add_up(void *entry, void *arg)
{
	struct visit *v = arg;
	v->sum += ((struct entry *)entry)->key;
	v->count++;
}

static void remove_even(void *entry, void *arg)
{
	struct visit *v = arg;
	v->count++;
	if (((struct entry *)entry)->key % 2 == 0)
		table_remove(v->table, entry);
}

Test(table, a_visitor_sees_every_entry_and_may_remove_it)
{
	struct table *t = table_new("test", sizeof(struct entry), 8, 1 << 20, SEED);
	struct visit all = { .table = t }, removing = { .table = t }, left = { .table = t };
	bool is_new;

	for (uint64_t k = 1; k <= 1000; k++)
		add(t, k, &is_new);
	table_each(t, add_up, &all);
	cr_assert_eq(all.sum, 500500);
	table_each(t, remove_even, &removing);
	cr_assert_eq(removing.count, 1000);
	table_each(t, add_up, &left);
	cr_assert_eq(left.sum, 250000);
	cr_assert_eq(table_stats(t).used, 500);
	table_free(t);
}

Test(table, slices_cover_the_table_once_a_round)
{
	struct table *t = table_new("test", sizeof(struct entry), 8, 1 << 16, SEED);
	size_t count = table_bucket_count(t), from = 0;
	struct visit v = { .table = t };
	bool is_new;

	for (uint64_t k = 1; k <= 100; k++)
		add(t, k, &is_new);
	for (size_t done = 0; done < count; done += 7)
		table_sweep(t, &from, done + 7 <= count ? 7 : count - done, add_up, &v);
	cr_assert_eq(v.sum, 5050);
	v = (struct visit){ .table = t };
	table_sweep(t, &from, 10 * count, add_up, &v);
	cr_assert_eq(v.sum, 5050, "more than all is all, once");
	table_free(t);
}

/* --- against a naive table ---------------------------------------------------------------- */

#define ORACLE_KEYS 4096

struct oracle {
	bool there[ORACLE_KEYS];
	uint64_t value[ORACLE_KEYS];
	uint64_t evicted;
};

static void forget(void *entry, void *arg)
{
	struct oracle *o = arg;
	struct entry *e = entry;
	cr_assert(o->there[e->key], "evicted %lu, which is not there", (unsigned long)e->key);
	cr_assert_eq(o->value[e->key], e->value);
	o->there[e->key] = false;
	o->evicted++;
}

static uint64_t used(const struct oracle *o)
{
	uint64_t count = 0;
	for (size_t k = 0; k < ORACLE_KEYS; k++)
		count += o->there[k];
	return count;
}

/* One random step on both; what they say must be the same. */
static void step(struct table *t, struct oracle *o, uint64_t key, unsigned verb)
{
	struct entry *e = find(t, key);
	bool is_new;

	cr_assert_eq(e != NULL, o->there[key], "key %lu", (unsigned long)key);
	if (e)
		cr_assert_eq(e->value, o->value[key]);
	if (verb < 6) {
		e = add(t, key, &is_new);
		cr_assert_eq(is_new, !o->there[key]);
		o->there[key] = true;
		o->value[key] = e->value = e->value + key + verb;
	} else if (verb < 8 && e) {
		table_remove(t, e);
		o->there[key] = false;
		o->value[key] = 0;
	} else if (verb == 8 && e) {
		table_pin(t, e, key % 2);
	}
	if (!o->there[key])
		o->value[key] = 0;
}

Test(table, agrees_with_a_naive_table_over_many_random_steps)
{
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct table *t =
			table_new("test", sizeof(struct entry), 8, 30000 * seed, SEED + seed);
		struct oracle *o = calloc(1, sizeof(*o));
		uint64_t random = seed;

		table_on_evict(t, forget, o);
		for (unsigned i = 0; i < 60000; i++) {
			random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
			uint64_t key = (random >> 33) % ORACLE_KEYS;
			step(t, o, key, (unsigned)(random >> 20) % 9);
			for (size_t k = 0; i % 20000 == 0 && k < ORACLE_KEYS; k++)
				o->value[k] = o->there[k] ? o->value[k] : 0;
		}
		cr_assert_eq(table_stats(t).used, used(o));
		cr_assert_eq(table_stats(t).evicted, o->evicted);
		cr_assert_leq(table_stats(t).used, table_stats(t).capacity);
		free(o);
		table_free(t);
	}
}

Test(table, entries_of_one_hash_are_found_by_part_of_the_key)
{
	struct table *t = small();
	uint64_t hash = UINT64_C(0x123456789abcdef0);
	unsigned way = 0, count = 0;
	bool is_new;

	for (uint64_t key = 1; key <= 3; key++)
		table_add(t, hash, &key, &is_new);
	for (struct entry *e; (e = table_next(t, hash, &way)); count++)
		cr_assert(e->key >= 1 && e->key <= 3);
	cr_assert_eq(count, 3);
	uint64_t two = 2;
	cr_assert_eq(((struct entry *)table_find(t, hash, &two))->key, 2);
	way = 0;
	cr_assert_null(table_next(t, hash + (UINT64_C(2) << 32), &way));
	table_free(t);
}

Test(table, few_entries_use_few_buckets_and_more_make_more)
{
	struct table *t = table_new("grows", sizeof(struct entry), 8, 4 << 20, SEED);
	size_t before = table_bucket_count(t);
	bool is_new;

	for (uint64_t key = 1; key <= 20000; key++) {
		struct entry *e = add(t, key, &is_new);
		cr_assert(is_new, "key %lu", (unsigned long)key);
		e->value = key * 3;
		if (key % 100 == 0)
			table_pin(t, e, true);
	}
	cr_assert_geq(table_bucket_count(t), 4 * before);
	cr_assert_eq(table_stats(t).evicted, 0);
	for (uint64_t key = 1; key <= 20000; key++) {
		struct entry *e = find(t, key);
		cr_assert_not_null(
			e, "key %lu was lost when the table grew", (unsigned long)key);
		cr_assert_eq(e->value, key * 3, "key %lu", (unsigned long)key);
	}
	table_free(t);
}

Test(table, many_entries_of_one_hash_do_not_make_more_buckets)
{
	struct table *t = table_new("grows", sizeof(struct entry), 8, 4 << 20, SEED);
	size_t before = table_bucket_count(t);
	bool is_new;

	for (uint64_t key = 1; key <= 1000; key++)
		table_add(t, UINT64_C(0x123456789abcdef0), &key, &is_new);
	cr_assert_eq(table_bucket_count(t), before);
	cr_assert_eq(table_stats(t).used, 8);
	cr_assert_eq(table_stats(t).evicted, 1000 - 8);
	table_free(t);
}

/* A table of 24-octet keys that is over its cap: entries come, are looked for, move and go. */
struct wide {
	uint64_t key[3];
	uint64_t value;
};

static uint64_t wide_hash(uint64_t number)
{
	/* Many keys of one hash, and one whose tag is that of a free way. */
	return number % 7 == 0 ? number % 5 << 32 : number * UINT64_C(0x9e3779b97f4a7c15);
}

Test(table, sizes_that_are_known_change_nothing)
{
	struct table *plain = table_new("plain", sizeof(struct wide), 24, 64 << 10, SEED);
	struct table *sized = table_new("sized", sizeof(struct wide), 24, 64 << 10, SEED);
	struct wide *a, *b;
	bool a_new, b_new;

	for (uint64_t i = 0; i < 40000; i++) {
		uint64_t number = i * 7919 % 3001, hash = wide_hash(number);
		uint64_t key[3] = { number % 11, number, 1 };
		if (i % 3 == 0) {
			a = table_find(plain, hash, key);
			b = table_find_sized(sized, hash, key, sizeof(*b), sizeof(key));
			cr_assert_eq(!a, !b);
		} else {
			a = table_add(plain, hash, key, &a_new);
			b = table_add_sized(sized, hash, key, &b_new, sizeof(*b), sizeof(key));
			cr_assert_eq(a_new, b_new);
			a->value++;
			b->value++;
		}
		if (a) {
			cr_assert_eq(memcmp(a, b, sizeof(*a)), 0);
			cr_assert_eq((char *)a - (char *)plain->entry,
				(char *)b - (char *)sized->entry);
		}
		if (a && i % 50 == 1) {
			struct table_probe at = table_probe(sized, hash);
			while (table_probe_entry(sized, &at, sizeof(*b)) != b)
				at.ways &= at.ways - 1;
			table_probe_drop(sized, &at);
			table_remove(plain, a);
		}
	}
	cr_assert_gt(table_stats(plain).evicted, 0);
	cr_assert_eq(table_stats(plain).evicted, table_stats(sized).evicted);
	cr_assert_eq(table_stats(plain).used, table_stats(sized).used);
	table_free(plain);
	table_free(sized);
}

Test(table, keys_are_compared_to_their_last_octet)
{
	static const uint8_t a[24] = { 1 };

	for (size_t bytes = 1; bytes <= sizeof(a); bytes++) {
		for (size_t i = 0; i < sizeof(a); i++) {
			uint8_t b[24] = { 1 };
			b[i] ^= 0x80;
			cr_expect_eq(table_same_key(a, b, bytes), i >= bytes, "%zu of %zu", i,
				bytes);
		}
	}
}
