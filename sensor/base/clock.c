/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/clock.h"

#include <time.h>

#define S_PER_DAY  86400
#define NS_PER_DAY (S_PER_DAY * NS_PER_S)
/* The Gregorian calendar repeats after 400 years. */
#define DAYS_PER_ERA 146097
/*
 * Days from 0000-03-01, where counting is easiest (the leap day ends the year), to 1970-01-01.
 */
#define DAYS_TO_EPOCH 719468

struct date {
	int64_t year;
	unsigned month; /* 1..12 */
	unsigned day;   /* 1..31 */
};

/* Quotient rounded down, so that a time before 1970 has a remainder that is not negative. */
static int64_t divide_floor(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Gregorian calendar by arithmetic alone: written per message, and gmtime_r takes a lock. */
static struct date date_of_days(int64_t days)
{
	days += DAYS_TO_EPOCH;
	int64_t era = divide_floor(days, DAYS_PER_ERA);
	unsigned of_era = (unsigned)(days - era * DAYS_PER_ERA);
	unsigned years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = of_era - (365 * years + years / 4 - years / 100);
	unsigned from_march = (5 * of_year + 2) / 153;
	struct date date = {
		.year = era * 400 + years,
		.month = from_march < 10 ? from_march + 3 : from_march - 9,
		.day = of_year - (153 * from_march + 2) / 5 + 1,
	};
	date.year += date.month <= 2;
	return date;
}

static int64_t days_of_date(struct date date)
{
	int64_t year = date.year - (date.month <= 2);
	int64_t era = divide_floor(year, 400);
	unsigned years = (unsigned)(year - era * 400);
	unsigned from_march = date.month > 2 ? date.month - 3 : date.month + 9;
	unsigned of_year = (153 * from_march + 2) / 5 + date.day - 1;
	unsigned of_era = years * 365 + years / 4 - years / 100 + of_year;
	return era * DAYS_PER_ERA + of_era - DAYS_TO_EPOCH;
}

/* `count` decimal digits of `number`, then `end`; returns what follows. */
static char *put_digits(char *at, unsigned number, unsigned count, char end)
{
	for (unsigned i = count; i-- > 0; number /= 10)
		at[i] = (char)('0' + number % 10);
	at[count] = end;
	return at + count + 1;
}

const char *clock_format(int64_t ts_ns, char text[CLOCK_TEXT_MAX])
{
	int64_t seconds = divide_floor(ts_ns, NS_PER_S);
	unsigned fraction_ns = (unsigned)(ts_ns - seconds * NS_PER_S);
	int64_t days = divide_floor(seconds, S_PER_DAY);
	unsigned of_day = (unsigned)(seconds - days * S_PER_DAY);
	struct date date = date_of_days(days);

	char *at = put_digits(text, (unsigned)date.year, 4, '-');
	at = put_digits(at, date.month, 2, '-');
	at = put_digits(at, date.day, 2, 'T');
	at = put_digits(at, of_day / 3600, 2, ':');
	at = put_digits(at, of_day / 60 % 60, 2, ':');
	at = put_digits(at, of_day % 60, 2, '.');
	at = put_digits(at, fraction_ns, 9, 'Z');
	*at = '\0';
	return text;
}

/* `count` digits and then `end`; false when something else stands there. */
static bool take_digits(unsigned *out, const char **at, unsigned count, char end)
{
	*out = 0;
	for (unsigned i = 0; i < count; i++) {
		unsigned digit = (unsigned)(unsigned char)(*at)[i] - '0';
		if (digit > 9)
			return false;
		*out = *out * 10 + digit;
	}
	*at += count;
	return *(*at)++ == end;
}

bool clock_parse_day_end(int64_t *out_ns, const char *text)
{
	struct date date;
	unsigned year;

	if (!take_digits(&year, &text, 4, '-') || !take_digits(&date.month, &text, 2, '-') ||
		!take_digits(&date.day, &text, 2, '\0'))
		return false;
	if (date.month < 1 || date.month > 12 || date.day < 1)
		return false;
	date.year = year;
	int64_t days = days_of_date(date);
	/* A day that the month does not have (2026-02-30) comes back as another date. */
	struct date back = date_of_days(days);
	if (back.month != date.month || back.day != date.day)
		return false;

	int64_t next_midnight;
	if (__builtin_mul_overflow(days + 1, NS_PER_DAY, &next_midnight) ||
		__builtin_sub_overflow(next_midnight, 1, out_ns))
		*out_ns = days < 0 ? INT64_MIN : INT64_MAX;
	return true;
}

static int64_t read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t clock_wall_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_cpu_ns(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}
