/* SPDX-License-Identifier: BSD-2-Clause */
/* From one configuration to the next, while the sensor runs. */
#include "sensor/config/config.h"

#include <stdlib.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "sensor/base/text.h"

enum err config_keep_numbers(
	struct config *c, const struct policy_set *before, struct err_ctx *why)
{
	uint16_t *number = calloc(c->policies->tenant_count, sizeof(*number));
	struct err_ctx inner = { { 0 } };

	if (!number)
		return err_set(why, ERR_FAILED, "out of memory");
	enum err err = policy_set_follow(c->policies, before, number, &inner);
	for (size_t i = 0; !err && i < c->provider_count; i++)
		c->provider[i].tenant = number[c->provider[i].tenant];
	free(number);
	return err ? err_set(why, err, "%s: tenants: %s", c->path, inner.text) : ERR_OK;
}

/* --- what only a restart brings into force ---------------------------------------------------- */

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_capture(const struct config_capture *a, const struct config_capture *b)
{
	return same(a->interface, b->interface) && a->dnstap == b->dnstap &&
	       same(a->filter, b->filter) && a->buffer_mb == b->buffer_mb &&
	       a->snaplen == b->snaplen && a->promiscuous == b->promiscuous &&
	       a->timestamps == b->timestamps && a->dedup == b->dedup;
}

static bool same_captures(const struct config *a, const struct config *b)
{
	if (a->capture_count != b->capture_count)
		return false;
	for (size_t i = 0; i < a->capture_count; i++) {
		if (!same_capture(&a->capture[i], &b->capture[i]))
			return false;
	}
	return true;
}

static bool same_ports(const struct config *a, const struct config *b)
{
	return a->port_count == b->port_count &&
	       memcmp(a->port, b->port, a->port_count * sizeof(*a->port)) == 0;
}

static bool same_tunnel(const struct config_tunnel *a, const struct config_tunnel *b)
{
	return a->given == b->given && a->port_count == b->port_count &&
	       memcmp(a->port, b->port, a->port_count * sizeof(*a->port)) == 0;
}

static bool same_tunnels(const struct config *a, const struct config *b)
{
	return same_tunnel(&a->vxlan, &b->vxlan) && same_tunnel(&a->geneve, &b->geneve) &&
	       same_tunnel(&a->gtpu, &b->gtpu) && same_tunnel(&a->tzsp, &b->tzsp);
}

static bool same_output(const struct config_output *a, const struct config_output *b)
{
	return a->kind == b->kind && same(a->path, b->path) && same(a->url, b->url) &&
	       same(a->stream, b->stream) && a->maxlen == b->maxlen && a->queue == b->queue &&
	       a->timeout_ns == b->timeout_ns && same(a->spool, b->spool) &&
	       a->spool_mb == b->spool_mb;
}

static bool same_outputs(const struct config *a, const struct config *b)
{
	if (a->output_count != b->output_count)
		return false;
	for (size_t i = 0; i < a->output_count; i++) {
		if (!same_output(&a->output[i], &b->output[i]))
			return false;
	}
	return true;
}

char *config_needs_restart(const struct config *c, const struct config *next)
{
	const struct config_sensor *a = &c->sensor, *b = &next->sensor;
	const struct {
		const char *key;
		bool same;
	} parts[] = {
		{ "sensor.name", same(a->name, b->name) },
		{ "sensor.memory_mb", a->memory_mb == b->memory_mb },
		{ "sensor.inputs", a->inputs == b->inputs },
		{ "sensor.trackers", a->trackers == b->trackers },
		{ "sensor.user", same(a->user, b->user) },
		{ "capture", same_captures(c, next) },
		{ "ports", same_ports(c, next) },
		{ "tunnels", same_tunnels(c, next) },
		{ "outputs", same_outputs(c, next) },
		{ "control.socket", same(c->control_socket, next->control_socket) },
		{ "metrics.listen", same(c->metrics_listen, next->metrics_listen) },
		{ "state.path", same(c->state_path, next->state_path) },
	};
	struct text keys = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (!parts[i].same)
			text_printf(&keys, "%s%s", keys.len ? ", " : "", parts[i].key);
	}
	return keys.at;
}
