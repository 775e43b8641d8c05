/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/degraded.h"

#include <stdlib.h>
#include <string.h>

#include "rules/alert.h"

static void raise(const struct policy *unmapped, struct output *output, int64_t ts_ns,
	const char *feature, const char *what, uint64_t lost)
{
	struct alert *a;
	if (!unmapped->rules.rule[RULE_SENSOR_DEGRADED].enabled || !(a = calloc(1, sizeof(*a))))
		return;
	a->pool_len = 1;
	a->kind = ALERT_RAISED;
	a->rule = RULE_SENSOR_DEGRADED;
	a->severity = (uint8_t)unmapped->rules.rule[RULE_SENSOR_DEGRADED].severity;
	a->suppress_ns = unmapped->rules.rule[RULE_SENSOR_DEGRADED].suppress_ns;
	a->score = -1;
	a->ts_ns = a->start_ns = a->end_ns = ts_ns;
	a->count = lost;
	a->tenant = POLICY_UNMAPPED;
	a->tenant_id = alert_put(a, unmapped->id);
	a->key = alert_printf(
		a, "%s|%s||%s", rule_table[RULE_SENSOR_DEGRADED].id, unmapped->id, feature);
	a->message = alert_printf(a, "the sensor lost %llu %s", (unsigned long long)lost, what);
	a->allow_hint = alert_put(a, "rules:\n  sensor.degraded: {enabled: false}\n");
	alert_why(a, feature, alert_number((double)lost), alert_number(0), alert_none());
	output_accept(output, a);
	free(a);
}

void degraded_check(struct degraded *d, const struct degraded_losses *now,
	const struct policy *unmapped, struct output *output, int64_t ts_ns)
{
	if (now->kernel > d->told.kernel)
		raise(unmapped, output, ts_ns, "packets_dropped",
			"packets before it could read them (kernel buffer or interface)",
			now->kernel - d->told.kernel);
	if (now->ring > d->told.ring)
		raise(unmapped, output, ts_ns, "messages_dropped",
			"messages because judging them fell behind", now->ring - d->told.ring);
	if (now->alerts > d->told.alerts)
		raise(unmapped, output, ts_ns, "alerts_lost",
			"alerts that an output could not deliver",
			now->alerts - d->told.alerts);
	d->told = *now;
}
