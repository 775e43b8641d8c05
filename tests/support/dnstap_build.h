/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dnstap_build.h -- dnstap frames and Frame Streams for tests, written octet by octet.
 *
 *	struct dnstap_build b = { 0 };
 *	dnstap_build_control(&b, 2, DNSTAP_BUILD_CONTENT);            START
 *	dnstap_build_frame(&b, &(struct dnstap_spec){ .type = 5 });   CLIENT_QUERY
 *	dnstap_build_control(&b, 3, NULL);                            STOP
 *
 * What a spec leaves out is a query (odd type) or its response over UDP from 10.1.0.7 to 10.1.0.53,
 * with times and messages that fit. Numbers of fields are those of dnstap.proto.
 */
#ifndef TESTS_SUPPORT_DNSTAP_BUILD_H
#define TESTS_SUPPORT_DNSTAP_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNSTAP_BUILD_CONTENT "protobuf:dnstap.Dnstap"
#define DNSTAP_BUILD_TIME_S  INT64_C(1785585600) /* of the query; the response comes 1 s later */

/* Fields of Message to leave out: 1 << number. */
#define DNSTAP_WITHOUT(number) (1u << (number))

struct dnstap_spec {
	unsigned type;     /* Message.Type; 0: CLIENT_QUERY */
	unsigned protocol; /* 0: UDP */
	const char *query_address, *response_address;
	unsigned query_port, response_port; /* 0: 40000 and 53 */
	int64_t query_time_s;               /* 0: DNSTAP_BUILD_TIME_S */
	const void *message; /* NULL: a query for www.example.com, or the response to it */
	size_t message_len;
	unsigned without;     /* DNSTAP_WITHOUT of fields */
	unsigned dnstap_type; /* 0: MESSAGE */
};

/* The query and the response that stand in where a spec has none; they differ in the QR bit. */
#define DNSTAP_BUILD_QUERY                                                                     \
	"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07"                          \
	"example\x03"                                                                          \
	"com\x00\x00\x01\x00\x01"
#define DNSTAP_BUILD_QUERY_LEN (sizeof(DNSTAP_BUILD_QUERY) - 1)

struct dnstap_build {
	uint8_t *at;
	size_t len, size;
};

void dnstap_build_deinit(struct dnstap_build *b);
void dnstap_build_octets(struct dnstap_build *b, const void *octets, size_t octets_len);
void dnstap_build_u32(struct dnstap_build *b, uint32_t number);

/* Protobuf: a number or octets under a field number. */
void dnstap_build_varint(struct dnstap_build *b, unsigned field, uint64_t number);
void dnstap_build_fixed32(struct dnstap_build *b, unsigned field, uint32_t number);
void dnstap_build_bytes(
	struct dnstap_build *b, unsigned field, const void *octets, size_t octets_len);

/* One Dnstap message, without the length of a frame. */
void dnstap_build_tap(struct dnstap_build *b, const struct dnstap_spec *spec);
/* The same as a data frame. */
void dnstap_build_frame(struct dnstap_build *b, const struct dnstap_spec *spec);
/* A control frame: 1 ACCEPT 2 START 3 STOP 4 READY 5 FINISH; with this content type, or none. */
void dnstap_build_control(struct dnstap_build *b, unsigned type, const char *content);

#endif
