/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ecs_rule.h -- what the lines of all alerts of a rule share, made once.
 *
 * Owner: ecs_rule_deinit frees; zero-initialised is valid.  Threads: no shared state.
 */
#ifndef SENSOR_OUTPUT_ECS_RULE_H
#define SENSOR_OUTPUT_ECS_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/rule.h"
#include "sensor/base/text.h"
#include "sensor/output/ecs.h"

struct ecs_rule {
	struct text event;   /* up to event.id's quote */
	struct text rule;    /* from the end of event to organization.id */
	struct text threat;  /* from the end of organization to the end of threat.technique */
	uint64_t id_hash[2]; /* of sensor and rule, for either half of an id */
};

/* False when out of memory; to be freed all the same. */
NODISCARD bool ecs_rule_init(
	struct ecs_rule *r, const struct rule *rule, const struct ecs_observer *observer);
void ecs_rule_deinit(struct ecs_rule *r);

/* An id's hash with one more text. */
uint64_t ecs_rule_hash(uint64_t hash, const char *text);

#endif
