// SPDX-License-Identifier: MIT
/*
 * user: somebody who uses card 0 while it goes away.
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "module.h"
#include "tap.h"
#include "user.h"

void user_ready(const struct user *user)
{
	tap_eq(1, write(user->ready[1], "", 1));
}

void user_wait_gone(const struct user *user)
{
	char byte;

	tap_eq(0, read(user->gone[0], &byte, 1));
}

struct user user_start(user_fn run)
{
	struct user user;
	char byte;

	must(card_find(0, &user.card));
	must(sys(pipe(user.ready)));
	must(sys(pipe(user.gone)));
	user.child = fork();
	if (!user.child) {
		close(user.ready[0]);
		close(user.gone[1]);
		run(&user);
		_exit(0);
	}
	close(user.ready[1]);
	close(user.gone[0]);
	if (read(user.ready[0], &byte, 1) != 1)
		tap_join(user.child);
	return user;
}

static bool user_ended(void *arg)
{
	siginfo_t info = { .si_pid = 0 };
	const struct user *user = arg;

	return !waitid(P_PID, user->child, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid;
}

void user_end(struct user *user)
{
	close(user->gone[1]);
	tap_check(tap_eventually(user_ended, user, USER_WAKE_SECONDS),
		  "user: expected to end within %d s of unbind, got none", USER_WAKE_SECONDS);
	tap_join(user->child);
	close(user->ready[0]);
}

void user_keeps_core(user_fn run, int n)
{
	while (n--) {
		struct user user = user_start(run);

		module_expect_core_in_use();
		user_end(&user);
		must(module_unload_one(MODULE_CORE));
		must(module_load());
	}
}

int user_loops(void)
{
	const char *text = getenv("LOOPS");
	int n = text ? atoi(text) : 50;

	return n > 0 ? n : 1;
}

int user_short_loops(void)
{
	return (user_loops() + 4) / 5;
}
