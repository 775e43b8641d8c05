/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/privilege.h"

#include <cap-ng.h>
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

static const struct passwd *user_find(const char *user, struct err_ctx *why)
{
	errno = 0;
	const struct passwd *who = getpwnam(user);
	if (!who)
		err_set(why, ERR_USAGE, "sensor.user: no user '%s'%s%s", user,
			errno ? ": " : " on this system", errno ? strerror(errno) : "");
	return who;
}

enum err privilege_user(const char *user, uid_t *owner, gid_t *group, struct err_ctx *why)
{
	*owner = (uid_t)-1;
	*group = (gid_t)-1;
	if (*user == '\0')
		return ERR_OK;
	const struct passwd *who = user_find(user, why);
	if (!who)
		return ERR_USAGE;
	*owner = who->pw_uid;
	*group = who->pw_gid;
	return ERR_OK;
}

enum err privilege_drop(const char *user, struct err_ctx *why)
{
	if (*user == '\0')
		return ERR_OK;
	const struct passwd *who = user_find(user, why);
	if (!who)
		return ERR_USAGE;
	if (who->pw_uid == geteuid())
		return ERR_OK;
	if (geteuid() != 0)
		return err_set(why, ERR_USAGE, "sensor.user: only root can become '%s'", user);

	capng_clear(CAPNG_SELECT_BOTH);
	capng_updatev(
		CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_RAW, CAP_NET_ADMIN, -1);
	int result = capng_change_id(
		(int)who->pw_uid, (int)who->pw_gid, CAPNG_INIT_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
	if (result != 0)
		return err_set(why, ERR_FAILED, "cannot become user '%s' (libcap-ng: %d)", user,
			result);
	return ERR_OK;
}
