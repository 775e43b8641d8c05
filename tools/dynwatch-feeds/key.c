/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/dynwatch-feeds/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is wrong with the file itself; NULL: nothing. */
static const char *distrust(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "not a regular file";
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return "belongs to another user; it must be root's or one's own";
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return "group or others may read or write it; chmod 600 it";
	return NULL;
}

/* One line of printable ASCII, as a header can carry it. NULL: it is. */
static const char *misfit(char *key)
{
	key[strcspn(key, "\r\n")] = '\0';
	if (!*key)
		return "its first line is empty";
	for (const char *at = key; *at; at++) {
		if (*at < ' ' || *at > '~')
			return "holds something else than printable ASCII";
	}
	return NULL;
}

enum err key_load(char **out, const char *path, struct err_ctx *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	*out = NULL;
	if (fd == -1)
		return err_set(why, ERR_FAILED, "auth_file %s: %s", path, strerror(errno));
	const char *wrong = distrust(fd);
	char *key = wrong ? NULL : calloc(1, KEY_MAX + 1);
	ssize_t len = key ? read(fd, key, KEY_MAX) : 0;
	if (!wrong && !key)
		wrong = strerror(ENOMEM);
	else if (len == -1)
		wrong = strerror(errno);
	else if (len == KEY_MAX)
		wrong = "too long for a key";
	close(fd);
	if (!wrong)
		wrong = misfit(key);
	if (!wrong) {
		*out = key;
		return ERR_OK;
	}
	key_free(key);
	return err_set(why, ERR_FAILED, "auth_file %s: %s", path, wrong);
}

void key_free(char *key)
{
	if (!key)
		return;
	explicit_bzero(key, KEY_MAX + 1);
	free(key);
}
