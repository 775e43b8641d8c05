/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/captures.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "sensor/base/text.h"

static struct config *parse(const char *text)
{
	struct err_ctx why = { 0 };
	struct config *config;

	cr_assert_eq(config_parse(&config, text, strlen(text), "test.yaml", &why), ERR_OK, "%s",
		why.text);
	return config;
}

Test(captures, each_interface_has_its_inputs_and_a_socket_has_one)
{
	struct config *config = parse("sensor: {inputs: 3}\n"
				      "capture:\n"
				      "  - {interface: eth1}\n"
				      "  - {dnstap: /run/dnstap.sock}\n"
				      "  - {interface: eth2, timestamps: host}\n");
	struct err_ctx why = { 0 };
	struct captures c;

	cr_assert_eq(captures_choose(&c, config, NULL, 0, &why), ERR_OK, "%s", why.text);
	cr_assert_eq(c.count, 3);
	cr_assert_eq(c.input_count, 7);
	cr_assert_str_eq(c.name[2], "eth2");
	cr_assert_str_eq(c.input[0].label, "eth1 (input 1 of 3)");
	cr_assert_str_eq(c.input[2].label, "eth1 (input 3 of 3)");
	cr_assert_str_eq(c.input[3].label, "/run/dnstap.sock");
	cr_assert_eq(c.input[6].capture, 2);
	cr_assert_eq(c.input[6].member, 2);
	captures_close(&c);
	config_free(config);
}

Test(captures, interfaces_of_the_command_line_stand_in_for_the_configurations)
{
	static const char *const interface[] = { "eth5", "eth1" };
	struct config *config = parse("capture: [{interface: eth1}, {interface: eth2}]\n");
	struct err_ctx why = { 0 };
	struct captures c;

	cr_assert_eq(
		captures_choose(&c, config, interface, ARRAY_LEN(interface), &why), ERR_OK);
	cr_assert_eq(c.count, 2);
	cr_assert_str_eq(c.name[0], "eth5");
	cr_assert_str_eq(c.name[1], "eth1");
	cr_assert_str_eq(c.input[1].label, "eth1");
	config_free(config);
}

Test(captures, no_interface_at_all_is_an_error)
{
	struct config *config = parse("sensor: {inputs: 1}\n");
	struct err_ctx why = { 0 };
	struct captures c;

	cr_assert_eq(captures_choose(&c, config, NULL, 0, &why), ERR_USAGE);
	cr_assert_not_null(strstr(why.text, "-i"), "%s", why.text);
	config_free(config);
}

Test(captures, an_interface_given_twice_is_an_error)
{
	static const char *const interface[] = { "eth1", "eth2", "eth1" };
	struct config *config = parse("sensor: {inputs: 1}\n");
	struct err_ctx why = { 0 };
	struct captures c;

	cr_assert_eq(
		captures_choose(&c, config, interface, ARRAY_LEN(interface), &why), ERR_USAGE);
	cr_assert_not_null(strstr(why.text, "eth1"), "%s", why.text);
	config_free(config);
}

Test(captures, more_inputs_than_lanes_have_room_for_are_an_error)
{
	static char name[LANE_INPUTS_MAX][8];
	const char *interface[LANE_INPUTS_MAX];
	struct config *config = parse("sensor: {inputs: 8}\n");
	struct err_ctx why = { 0 };
	struct captures c;

	for (unsigned i = 0; i < LANE_INPUTS_MAX; i++) {
		snprintf(name[i], sizeof(name[i]), "eth%u", i);
		interface[i] = name[i];
	}
	cr_assert_eq(captures_choose(&c, config, interface, 8, &why), ERR_OK, "%s", why.text);
	cr_assert_eq(c.input_count, 64);
	cr_assert_eq(captures_choose(&c, config, interface, 9, &why), ERR_USAGE);
	cr_assert_not_null(strstr(why.text, "sensor.inputs"), "%s", why.text);
	cr_assert_not_null(strstr(why.text, "64"), "%s", why.text);
	config_free(config);
}

Test(captures, an_input_that_judges_is_the_only_one)
{
	static const char *const interface[] = { "eth1", "eth2" };
	struct config *config = parse("sensor: {trackers: 0}\ncapture: [{interface: eth1}]\n");
	struct config *several = parse("sensor: {trackers: 0, inputs: 2}\n");
	struct err_ctx why = { 0 };
	struct captures c;

	cr_assert_eq(captures_choose(&c, config, NULL, 0, &why), ERR_OK, "%s", why.text);
	cr_assert_eq(captures_choose(&c, config, interface, 2, &why), ERR_USAGE);
	cr_assert_not_null(strstr(why.text, "sensor.trackers"), "%s", why.text);
	cr_assert_eq(captures_choose(&c, several, interface, 1, &why), ERR_USAGE);
	config_free(several);
	config_free(config);
}
