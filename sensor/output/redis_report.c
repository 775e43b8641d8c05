/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/redis_report.h"

#include "sensor/base/log.h"

#include <string.h>

static bool same_code(const struct redis_fault *a, const struct redis_fault *b)
{
	return strcmp(a->code, b->code) == 0;
}

void redis_report_tell(struct redis_report *report)
{
	int64_t now_ns = clock_monotonic_ns();

	if (same_code(&report->told, &report->state))
		return;
	if (report->told_ns && now_ns - report->told_ns < REDIS_REPORT_NS)
		return;
	report->told = report->state;
	report->told_ns = now_ns;
	if (report->state.code[0])
		log_warning(
			"%s: %s; alerts wait in the queue", report->name, report->state.text);
	else
		log_notice("%s: connected, delivering", report->name);
}

void redis_report_up(struct redis_report *report)
{
	report->state = (struct redis_fault){ .code = "" };
	redis_report_tell(report);
}

void redis_report_fault(struct redis_report *report, const struct redis_fault *fault)
{
	report->state = *fault;
	redis_report_tell(report);
}

void redis_report_refused(struct redis_report *report, const struct redis_fault *fault)
{
	for (size_t i = 0; i < report->refusal_count; i++) {
		if (strcmp(report->refusal[i], fault->code) == 0)
			return;
	}
	if (report->refusal_count == REDIS_REPORT_REFUSALS)
		return;
	memcpy(report->refusal[report->refusal_count++], fault->code, sizeof(fault->code));
	log_error("%s: alerts are lost: %s", report->name, fault->text);
}

void redis_report_beat(
	struct redis_report *report, const char *key, const struct redis_fault *fault)
{
	if (strcmp(report->beat, fault->code) == 0)
		return;
	memcpy(report->beat, fault->code, sizeof(report->beat));
	log_warning("%s: no heartbeat in %s: %s", report->name, key, fault->text);
}

void redis_report_connected(struct redis_report *report)
{
	report->refusal_count = 0;
	report->beat[0] = '\0';
	redis_report_up(report);
}
