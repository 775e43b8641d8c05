/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/ledger_state.h"
#include "sensor/base/clock.h"
#include "sensor/base/log.h"
#include "sensor/base/replace.h"

#define FILE_NAME "ledger.state"
#define PATH_MAX_ 4096

enum err state_init(struct state *s, const char *path, struct err_ctx *why)
{
	struct stat st;
	bool folder = path && ((stat(path, &st) == 0 && S_ISDIR(st.st_mode)) ||
				      (*path && path[strlen(path) - 1] == '/'));

	*s = (struct state){ .path = NULL };
	if (!path)
		return ERR_OK;
	if (asprintf(&s->path, "%s%s", path, folder ? "/" FILE_NAME : "") >= 0)
		return ERR_OK;
	s->path = NULL;
	return err_set(why, ERR_FAILED, "out of memory");
}

void state_deinit(struct state *s)
{
	free(s->path);
	*s = (struct state){ .path = NULL };
}

/* --- reading ------------------------------------------------------------------------------ */

static enum err cannot_read(const struct state *s, struct err_ctx *why)
{
	return err_set(
		why, ERR_FAILED, "the state %s cannot be read: %s", s->path, strerror(errno));
}

/* The whole file; *bytes stays NULL when there is none, or nothing that one could read. */
static enum err read_file(
	const struct state *s, uint8_t **bytes, size_t *bytes_len, struct err_ctx *why)
{
	int fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	enum err err = ERR_OK;

	*bytes = NULL;
	if (fd < 0)
		return errno == ENOENT ? ERR_OK : cannot_read(s, why);
	if (fstat(fd, &st) != 0) {
		err = cannot_read(s, why);
	} else if (!S_ISREG(st.st_mode)) {
		err = err_set(why, ERR_FAILED, "the state %s is no file", s->path);
	} else {
		*bytes = malloc((size_t)st.st_size + 1);
		*bytes_len = 0;
		if (!*bytes)
			err = err_set(
				why, ERR_FAILED, "out of memory for the state %s", s->path);
	}
	while (*bytes && *bytes_len < (size_t)st.st_size) {
		ssize_t got = read(fd, *bytes + *bytes_len, (size_t)st.st_size - *bytes_len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			err = cannot_read(s, why);
		if (got <= 0)
			break;
		*bytes_len += (size_t)got;
	}
	close(fd);
	return err;
}

static enum err set_aside(const struct state *s, const char *matter, struct err_ctx *why)
{
	char aside[PATH_MAX_];

	snprintf(aside, sizeof(aside), "%s.damaged", s->path);
	if (rename(s->path, aside) != 0)
		return err_set(why, ERR_FAILED,
			"the state %s is damaged (%s) and cannot be set aside: %s", s->path,
			matter, strerror(errno));
	log_warning("the state %s is damaged: %s; it is set aside as %s, and the ledger begins "
		    "anew",
		s->path, matter, aside);
	return ERR_OK;
}

enum err state_load(const struct state *s, struct engine *e, bool away, struct err_ctx *why)
{
	struct err_ctx matter = { { 0 } };
	uint8_t *bytes;
	size_t bytes_len, names = 0;

	if (!s->path)
		return ERR_OK;
	enum err err = read_file(s, &bytes, &bytes_len, why);
	if (err == ERR_OK && bytes && ledger_state_check(bytes, bytes_len, &matter) != ERR_OK) {
		err = set_aside(s, matter.text, why);
	} else if (err == ERR_OK && bytes) {
		for (size_t i = 0; i < e->options.shard_count; i++)
			names += ledger_state_restore(judge_ledger(e->lane[i].judge), bytes,
				bytes_len, (struct ledger_shard){ i, e->options.shard_count },
				away);
		log_notice("the state %s: %zu name%s", s->path, names, names == 1 ? "" : "s");
	}
	free(bytes);
	return err;
}

/* --- writing ------------------------------------------------------------------------------ */

static bool write_file(const char *path, const struct text *state)
{
	struct replace file;

	if (!replace_open(&file, path, 0640))
		return false;
	replace_write(&file, state->at, state->len);
	return replace_commit(&file);
}

/* Finish the state and write it; frees it. */
static bool write_state(struct state *s, struct text *state)
{
	ledger_state_end(state);
	if (state->failed)
		errno = ENOMEM;
	bool written = !state->failed && write_file(s->path, state);
	if (!written && !s->failing)
		log_error("the state %s could not be written: %s; the one from before stays",
			s->path, strerror(errno));
	if (written && s->failing)
		log_notice("the state %s is written again", s->path);
	s->failing = !written;
	text_deinit(state);
	return written;
}

bool state_save(struct state *s, struct engine *e)
{
	struct text state = { 0 };

	if (!s->path)
		return true;
	ledger_state_begin(&state);
	for (size_t i = 0; i < e->options.shard_count; i++)
		ledger_state_add(&state, judge_ledger(e->lane[i].judge));
	s->failing = false; /* the last word on it */
	return write_state(s, &state);
}

static void ask(struct state *s, struct engine *e, int64_t monotonic_ns)
{
	for (size_t i = 0; i < e->options.shard_count; i++)
		report_state_ask(e->lane[i].report);
	s->asked_ns = monotonic_ns;
	s->waiting = true;
}

void state_poll(struct state *s, struct engine *e, int64_t monotonic_ns)
{
	struct text state = { 0 };

	if (!s->path)
		return;
	if (s->asked_ns == 0)
		s->asked_ns = monotonic_ns;
	if (!s->waiting && monotonic_ns - s->asked_ns >= STATE_EVERY_S * NS_PER_S)
		ask(s, e, monotonic_ns);
	if (!s->waiting)
		return;
	for (size_t i = 0; i < e->options.shard_count; i++) {
		if (!report_state_ready(e->lane[i].report))
			return;
	}
	ledger_state_begin(&state);
	for (size_t i = 0; i < e->options.shard_count; i++)
		report_state_take(e->lane[i].report, &state);
	s->waiting = false;
	(void)write_state(s, &state);
}
