/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/clock.h"

#include "sensor/base/digits.h"

#include <string.h>
#include <time.h>

#define S_PER_DAY  86400
#define NS_PER_DAY (S_PER_DAY * NS_PER_S)
/* The Gregorian calendar repeats after 400 years. */
#define DAYS_PER_ERA 146097
/*
 * Days from 0000-03-01, where counting is easiest (the leap day ends the year), to 1970-01-01.
 */
#define DAYS_TO_EPOCH 719468
/* What all times of a second have in common. */
#define SECOND_LEN (sizeof("YYYY-MM-DDThh:mm:ss.") - 1)

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

/* Two decimal digits, then `end`. */
static char *put_two(char *at, unsigned number, char end)
{
	at = digits_store(at, (digits_of_four(number) | DIGITS_ZEROS) >> 16, 2);
	*at = end;
	return at + 1;
}

/* Nine digits and the Z, over what the digits leave behind themselves. */
static char *put_fraction(char *at, unsigned fraction_ns)
{
	at = digits_put_eight(at, fraction_ns / 10);
	*at++ = (char)('0' + fraction_ns % 10);
	*at = 'Z';
	return at + 1;
}

/* What is left of a second that began before. */
static unsigned fraction_of(int64_t ts_ns)
{
	int64_t rest_ns = ts_ns % NS_PER_S;

	return (unsigned)(rest_ns + (rest_ns < 0 ? NS_PER_S : 0));
}

const char *clock_format(int64_t ts_ns, char text[CLOCK_TEXT_MAX])
{
	int64_t seconds = divide_floor(ts_ns, NS_PER_S);
	int64_t days = divide_floor(seconds, S_PER_DAY);
	unsigned of_day = (unsigned)(seconds - days * S_PER_DAY);
	struct date date = date_of_days(days);

	/* Capture time is between 1677 and 2262. */
	char *at = put_two(text, (unsigned)date.year / 100, '0');
	at = put_two(at - 1, (unsigned)date.year % 100, '-');
	at = put_two(at, date.month, '-');
	at = put_two(at, date.day, 'T');
	at = put_two(at, of_day / 3600, ':');
	at = put_two(at, of_day / 60 % 60, ':');
	at = put_two(at, of_day % 60, '.');
	*put_fraction(at, fraction_of(ts_ns)) = '\0';
	return text;
}

char *clock_put(struct clock_second *s, char *at, int64_t ts_ns)
{
	uint64_t fraction_ns = (uint64_t)ts_ns - s->start_ns;

	if (UNLIKELY(fraction_ns >= (uint64_t)NS_PER_S || s->text[0] == '\0')) {
		clock_format(ts_ns, s->text);
		fraction_ns = fraction_of(ts_ns);
		s->start_ns = (uint64_t)ts_ns - fraction_ns;
	}
	memcpy(at, s->text, SECOND_LEN);
	return put_fraction(at + SECOND_LEN, (unsigned)fraction_ns);
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
