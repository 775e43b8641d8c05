/* SPDX-License-Identifier: BSD-2-Clause */
/* What input threads need of the configuration. */
#include "sensor/app/load.h"

#include <stdlib.h>
#include <string.h>

enum dedup_mode load_dedup_mode(enum config_dedup mode)
{
	static const enum dedup_mode modes[] = {
		[CONFIG_DEDUP_AUTO] = DEDUP_AUTO,
		[CONFIG_DEDUP_ON] = DEDUP_ON,
		[CONFIG_DEDUP_OFF] = DEDUP_OFF,
	};

	return modes[mode];
}

static void take_tunnel(
	uint16_t port[PACKET_TUNNEL_PORTS_MAX], const struct config_tunnel *tunnel)
{
	if (!tunnel->given)
		return;
	memset(port, 0, PACKET_TUNNEL_PORTS_MAX * sizeof(*port));
	for (size_t i = 0; i < tunnel->port_count; i++)
		port[i] = tunnel->port[i];
}

void load_packet_options(struct packet_options *out, const struct config *config, uint64_t seed)
{
	_Static_assert(PACKET_TUNNEL_PORTS_MAX >= CONFIG_TUNNEL_PORTS_MAX, "ports fit");

	packet_options_init(out);
	out->seed = seed;
	for (size_t i = 0; i < config->port_count; i++)
		port_set_add(&out->ports, config->port[i]);
	take_tunnel(out->vxlan, &config->vxlan);
	take_tunnel(out->geneve, &config->geneve);
	take_tunnel(out->gtpu, &config->gtpu);
	take_tunnel(out->tzsp, &config->tzsp);
}

uint16_t *load_filter_ports(
	const struct config *config, const struct packet_options *packet, size_t *count)
{
	const uint16_t *const tunnel[] = { packet->vxlan, packet->geneve, packet->gtpu,
		packet->tzsp };
	size_t room = config->port_count + ARRAY_LEN(tunnel) * PACKET_TUNNEL_PORTS_MAX;
	uint16_t *port = calloc(room, sizeof(*port));

	*count = 0;
	if (!port)
		return NULL;
	for (size_t i = 0; i < config->port_count; i++)
		port[(*count)++] = config->port[i];
	for (size_t i = 0; i < ARRAY_LEN(tunnel); i++)
		for (size_t k = 0; k < PACKET_TUNNEL_PORTS_MAX && tunnel[i][k] != 0; k++)
			port[(*count)++] = tunnel[i][k];
	return port;
}
