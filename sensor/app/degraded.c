/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/degraded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/alert.h"
#include "sensor/base/clock.h"

/* What may be lost. */
enum loss {
	LOSS_PACKETS,
	LOSS_MESSAGES,
	LOSS_ALERTS,
	LOSS_LOGGED,
};
/* So many are told of each input, and so many of the outputs. */
#define LOSSES_OF_INPUT   2
#define LOSSES_OF_OUTPUTS 2

static const struct {
	const char *feature, *share, *what, *why;
} losses[] = {
	[LOSS_PACKETS] = { "packets_dropped", "packets_dropped_share", "packets",
		"before it could read them (kernel buffer or interface)" },
	[LOSS_MESSAGES] = { "messages_dropped", "messages_dropped_share", "messages",
		"because judging them fell behind" },
	[LOSS_ALERTS] = { "alerts_lost", "alerts_lost_share", "alerts",
		"that an output could not deliver" },
	[LOSS_LOGGED] = { "messages_not_logged", "messages_not_logged_share", "messages",
		"for the DNS log, which cannot be written, or not as fast as they come" },
};

/* One kind of loss of one input (of the outputs, for alerts), a total for each second. */
struct track {
	enum loss loss;
	size_t input;
	const char *label; /* "": of no input */
	struct degraded_count at[DEGRADED_WINDOW_S];
	uint64_t quiet_until; /* second before which it is not said again */
};

struct degraded {
	struct track *track;
	size_t count;
	uint64_t seconds; /* looked at so far */
};

struct degraded *degraded_new(const char *const *label, size_t input_count)
{
	struct degraded *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->count = LOSSES_OF_INPUT * input_count + LOSSES_OF_OUTPUTS;
	d->track = calloc(d->count, sizeof(*d->track));
	if (!d->track) {
		free(d);
		return NULL;
	}
	struct track *t = d->track;
	for (size_t i = 0; i < input_count; i++) {
		*t++ = (struct track){ .loss = LOSS_PACKETS, .input = i, .label = label[i] };
		*t++ = (struct track){ .loss = LOSS_MESSAGES, .input = i, .label = label[i] };
	}
	*t++ = (struct track){ .loss = LOSS_ALERTS, .label = "" };
	*t++ = (struct track){ .loss = LOSS_LOGGED, .label = "" };
	return d;
}

void degraded_free(struct degraded *d)
{
	if (!d)
		return;
	free(d->track);
	free(d);
}

static uint64_t since(uint64_t before, uint64_t now)
{
	return now > before ? now - before : 0;
}

/* Put in the totals of now, take out those of a window ago. */
static struct degraded_count window_move(
	struct track *t, uint64_t second, const struct degraded_count *now)
{
	struct degraded_count *slot = &t->at[second % DEGRADED_WINDOW_S];
	struct degraded_count in_window = {
		.all = since(slot->all, now->all),
		.lost = since(slot->lost, now->lost),
	};

	*slot = *now;
	return in_window;
}

static double share_of(const struct degraded_count *c)
{
	return c->all > 0 ? (double)c->lost / (double)c->all : c->lost > 0;
}

/* Every alert counts, so for them there is no number that may be lost. */
static bool is_too_much(
	const struct track *t, const struct degraded_count *c, const struct rule_settings *s)
{
	uint64_t min_lost =
		t->loss == LOSS_ALERTS ? 1 : s->option[OPTION_SENSOR_DEGRADED_min_lost].count;

	return c->lost >= min_lost &&
	       share_of(c) > s->option[OPTION_SENSOR_DEGRADED_max_loss].number;
}

static void fill(struct alert *a, const struct degraded_finding *f,
	const struct policy *unmapped, int64_t ts_ns)
{
	const struct rule_settings *s = &unmapped->rules;

	a->pool_len = 1;
	a->kind = ALERT_RAISED;
	a->rule = RULE_SENSOR_DEGRADED;
	a->severity = (uint8_t)s->rule[RULE_SENSOR_DEGRADED].severity;
	a->suppress_ns = s->rule[RULE_SENSOR_DEGRADED].suppress_ns;
	a->score = -1;
	a->ts_ns = a->end_ns = ts_ns;
	a->start_ns = f->start_ns;
	a->count = f->count;
	a->tenant = POLICY_UNMAPPED;
	a->tenant_id = alert_put(a, unmapped->id);
	a->key = alert_printf(
		a, "%s|%s||%s", rule_table[RULE_SENSOR_DEGRADED].id, unmapped->id, f->key);
	a->message = alert_put(a, f->message);
	a->allow_hint = alert_put(a, "rules:\n  sensor.degraded: {enabled: false}\n");
	for (size_t i = 0; i < ARRAY_LEN(f->why) && f->why[i].feature; i++)
		alert_why(a, f->why[i].feature, alert_number(f->why[i].value),
			f->why[i].has_threshold ? alert_number(f->why[i].threshold)
						: alert_none(),
			alert_none());
}

void degraded_raise(const struct degraded_finding *finding, const struct policy *unmapped,
	struct output *output, int64_t ts_ns)
{
	struct alert *a;

	if (!unmapped->rules.rule[RULE_SENSOR_DEGRADED].enabled)
		return;
	a = calloc(1, sizeof(*a));
	if (!a)
		return;
	fill(a, finding, unmapped, ts_ns);
	output_accept(output, a);
	free(a);
}

static void raise_loss(const struct track *t, const struct degraded_count *c,
	const struct policy *unmapped, struct output *output, int64_t ts_ns)
{
	const union rule_value *option = unmapped->rules.option;
	char key[256], message[512];

	snprintf(key, sizeof(key), "%s%s%s", losses[t->loss].feature, *t->label ? " " : "",
		t->label);
	snprintf(message, sizeof(message), "the sensor lost %llu of %llu %s%s%s %s",
		(unsigned long long)c->lost, (unsigned long long)c->all, losses[t->loss].what,
		*t->label ? " of " : "", t->label, losses[t->loss].why);
	const struct degraded_finding finding = {
		.key = key,
		.message = message,
		.start_ns = ts_ns - DEGRADED_WINDOW_S * NS_PER_S,
		.count = c->lost,
		.why = {
			{ losses[t->loss].share, share_of(c), true,
				option[OPTION_SENSOR_DEGRADED_max_loss].number },
			{ losses[t->loss].feature, (double)c->lost, t->loss != LOSS_ALERTS,
				(double)option[OPTION_SENSOR_DEGRADED_min_lost].count },
		},
	};
	degraded_raise(&finding, unmapped, output, ts_ns);
}

static const struct degraded_count *count_of(const struct track *t,
	const struct degraded_input *input, const struct degraded_outputs *outputs)
{
	switch (t->loss) {
	case LOSS_PACKETS:
		return &input[t->input].packets;
	case LOSS_MESSAGES:
		return &input[t->input].messages;
	case LOSS_ALERTS:
		return &outputs->alerts;
	case LOSS_LOGGED:
		break;
	}
	return &outputs->logged;
}

void degraded_check(struct degraded *d, const struct degraded_input *input,
	const struct degraded_outputs *outputs, const struct policy *unmapped,
	struct output *output, int64_t ts_ns)
{
	uint64_t second = d->seconds++;

	for (size_t i = 0; i < d->count; i++) {
		struct track *t = &d->track[i];
		const struct degraded_count *now = count_of(t, input, outputs);
		struct degraded_count window = window_move(t, second, now);
		if (!unmapped->rules.rule[RULE_SENSOR_DEGRADED].enabled ||
			!is_too_much(t, &window, &unmapped->rules)) {
			t->quiet_until = 0;
		} else if (second >= t->quiet_until) {
			raise_loss(t, &window, unmapped, output, ts_ns);
			t->quiet_until = second + DEGRADED_WINDOW_S;
		}
	}
}
