/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alert.h -- one finding on its way out: the second of the three records that cross threads. A
 * line of the change log and the explanation of an UPDATE travel as records of the same kind.
 *
 * Producer: rules/emit.c on a tracker thread.  Consumer: sensor/output on the output thread.
 * Owner: the ring. Text lives in the record's own pool; a text field is an offset into it, 0 is
 * "not there". Only what is there is copied (alert_copy): lists are mostly short.
 */
#ifndef RULES_ALERT_H
#define RULES_ALERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/rule.h"
#include "sensor/base/attribute.h"
#include "sensor/base/ip.h"
#include "sensor/base/text.h"

#define ALERT_WHY_MAX        10
#define ALERT_ANSWERS_MAX    8
#define ALERT_ADDRESSES_MAX  32
#define ALERT_HOSTS_MAX      32
#define ALERT_INDICATORS_MAX 8
#define ALERT_POOL_BYTES     12288
#define ALERT_TEXT_SLACK     16 /* behind the last text: texts are read sixteen octets at once */

typedef uint16_t alert_text; /* offset into pool[]; 0: absent */

enum alert_kind {
	ALERT_RAISED,
	/* capture time has reached ts_ns: suppression windows close; seq and ts_ns only */
	ALERT_TICK,
	ALERT_CHANGE,      /* a line of the change log: `change` says what */
	ALERT_EXPLANATION, /* an UPDATE for people: `message` has the lines */
};

/* How an UPDATE ended, as the change log has it. */
enum alert_result {
	ALERT_CHANGED,    /* accepted: this record is changed now */
	ALERT_ACCEPTED,   /* accepted; what it asked for is not known */
	ALERT_FAILED,     /* refused, or failed otherwise: nothing is changed */
	ALERT_UNANSWERED, /* nobody knows */
};

enum alert_value_kind {
	ALERT_VALUE_NONE,
	ALERT_VALUE_NUMBER,
	ALERT_VALUE_TEXT,
};

struct alert_value {
	uint8_t kind;
	alert_text text;
	double number;
};

struct alert_why {
	const char *feature; /* static text: "nxdomain_domains" */
	struct alert_value value, threshold, baseline;
};

/* What was done to a record, or should have been. */
enum alert_verb {
	ALERT_ADD,
	ALERT_REPLACE, /* one value in place of another */
	ALERT_DELETE,
	ALERT_TTL, /* another TTL, the same value */
};

/*
 * Of an ALERT_CHANGE, besides tenant, source, destination, transport, qname, qtype, zone and
 * key_name. Of an UPDATE that failed: its first record.
 */
struct alert_change {
	uint8_t result;    /* enum alert_result */
	uint8_t verb;      /* enum alert_verb; has_record */
	uint8_t signature; /* enum update_signature; has_signature */
	bool has_signature;
	bool has_record; /* verb, qname and qtype are known */
	bool has_ttl;
	bool is_cut; /* a value was too long to be kept whole */
	uint16_t dns_id;
	uint16_t tsig_error; /* RFC 8945 5.3.1 */
	uint32_t ttl;
	uint32_t number, record_count;   /* this is record `number` (from 1) of so many */
	int64_t latency_ns;              /* -1: not known */
	alert_text old_value, new_value; /* presentation format */
	alert_text owner, previous_owner;
	alert_text algorithm;
	alert_text reason; /* why it failed */
};

struct alert_answer {
	alert_text name, data;
	uint16_t type;
	uint32_t ttl;
};

/* What one feed says of the indicator. */
struct alert_indicator {
	alert_text feed, category, reference;
	alert_text tlp_name;           /* Traffic Light Protocol */
	uint8_t confidence;            /* 0-100; above: not said */
	uint8_t tlp;                   /* enum facts_tlp */
	int64_t first_seen_s, until_s; /* 0: not said */
};

struct alert {
	uint8_t kind;
	uint8_t rule;      /* enum rule_id */
	uint8_t severity;  /* enum severity */
	uint8_t transport; /* enum observation_transport */
	bool has_source, has_destination, has_question, has_rcode, has_opcode;
	bool has_indicator_ip;
	int16_t score; /* 0..100, -1: none */
	uint64_t seq;  /* of the observation (or tick) that raised it */
	int64_t ts_ns, start_ns, end_ns;
	int64_t suppress_ns; /* how long repeats of this key are held back */
	uint64_t count;      /* observations behind it */
	uint64_t suppressed; /* set by output: repeats since the last alert of this key */
	struct ip source, destination; /* client and server */
	uint16_t source_port, destination_port;
	char source_country[3], destination_country[3]; /* "" when not known */
	uint32_t source_asn, destination_asn;           /* 0 when not known */
	uint16_t vlan[2];
	uint8_t vlan_count;
	uint8_t opcode;
	uint16_t qtype, rcode;
	uint16_t tenant; /* number; tenant_id is the text */
	alert_text tenant_id;
	alert_text key;        /* what repeats are recognised by: "rule|tenant|client|name" */
	alert_text message;    /* one sentence for a person */
	alert_text allow_hint; /* the exact lines of configuration that silence it */
	alert_text qname, registered_domain;
	alert_text indicator, indicator_provider; /* threat.indicator.name / .provider */
	struct ip indicator_ip;                   /* threat.indicator.ip */
	alert_text zone, key_name;
	struct alert_change change; /* ALERT_CHANGE */
	uint16_t pool_len;
	uint8_t indicator_count, why_count, answer_count, resolved_count, related_count,
		host_count;
	/* Lists, of which the first so many are there; what is behind them is not copied. */
	struct alert_indicator indicator_by[ALERT_INDICATORS_MAX];
	struct alert_why why[ALERT_WHY_MAX];
	struct alert_answer answer[ALERT_ANSWERS_MAX];
	struct ip resolved[ALERT_ADDRESSES_MAX]; /* dns.resolved_ip */
	struct ip related[ALERT_ADDRESSES_MAX]; /* related.ip, besides source and destination */
	alert_text host[ALERT_HOSTS_MAX];       /* related.hosts */
	char pool[ALERT_POOL_BYTES + ALERT_TEXT_SLACK]; /* pool[0] is NUL */
};

/* The room that a copy needs. */
static inline size_t alert_size(const struct alert *a)
{
	return offsetof(struct alert, pool) + a->pool_len + ALERT_TEXT_SLACK;
}

/* Nothing is there but kind and pool: for a record on its way to be filled. */
void alert_init(struct alert *a, enum alert_kind kind);
/* Into alert_size() bytes; what is behind the lists' ends stays as it was. */
void alert_copy(struct alert *to, const struct alert *a);

/* The text, "" when absent. */
static inline const char *alert_get(const struct alert *a, alert_text at)
{
	return a->pool + at;
}

/* Put text into the pool (cut when the pool is full); 0 for NULL or "". */
alert_text alert_put(struct alert *a, const char *text);
alert_text alert_printf(struct alert *a, const char *format, ...) PRINTF_LIKE(2, 3);
/* Texts one after the other: alert_join(a, "tenant ", id, " has ..."). */
alert_text alert_join_parts(struct alert *a, const char *const *part, size_t part_count);
#define alert_join(a, ...) alert_join_parts(a, TEXT_PARTS(__VA_ARGS__))

/* Append one reason; more than ALERT_WHY_MAX are dropped. Pass the values with the makers
 * below. */
void alert_why(struct alert *a, const char *feature, struct alert_value value,
	struct alert_value threshold, struct alert_value baseline);

static inline struct alert_value alert_none(void)
{
	return (struct alert_value){ .kind = ALERT_VALUE_NONE };
}

static inline struct alert_value alert_number(double number)
{
	return (struct alert_value){ .kind = ALERT_VALUE_NUMBER, .number = number };
}

/* Text that the alert has already. */
static inline struct alert_value alert_said(alert_text text)
{
	return (struct alert_value){ .kind = ALERT_VALUE_TEXT, .text = text };
}

static inline struct alert_value alert_words(struct alert *a, const char *text)
{
	return alert_said(alert_put(a, text));
}

#endif
