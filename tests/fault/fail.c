// SPDX-License-Identifier: MIT
/*
 * fail: make allocations of this thread fail. See fail.h.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "fail.h"
#include "tap.h"

#define FAIL_PARAMETER "/sys/module/avring_fail/parameters/"

static int fail_load(const char *build)
{
	struct utsname kernel;
	char path[512];
	int fd, error;

	uname(&kernel);
	snprintf(path, sizeof(path), "%s/modules/%s/avring_fail.ko", build, kernel.release);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	error = sys(syscall(SYS_finit_module, fd, "", 0));
	close(fd);
	return error;
}

const char *fail_missing(void)
{
	static char reason[64];
	const char *build = getenv("AVRING_FAIL");
	int error;

	if (!access(FAIL_PARAMETER "arm", F_OK))
		return NULL;
	if (!build)
		return "no AVRING_FAIL, the build folder of tests/fault/module";
	error = fail_load(build);
	snprintf(reason, sizeof(reason), "avring_fail cannot be loaded: %s", strerror(-error));
	return error ? reason : NULL;
}

static int fail_write(const char *parameter, const char *text)
{
	char path[64];
	int fd, error = 0;

	snprintf(path, sizeof(path), FAIL_PARAMETER "%s", parameter);
	fd = must(sys(open(path, O_WRONLY | O_CLOEXEC)));
	if (write(fd, text, strlen(text)) < 0)
		error = -errno;
	close(fd);
	return error;
}

void fail_forget(void)
{
	must(fail_write("arm", "forget"));
}

/* Kept open: what is called between arming and disarming is not ours. */
static int fail_fd = -1;

void fail_arm(void)
{
	if (fail_fd < 0)
		fail_fd = must(sys(open(FAIL_PARAMETER "arm", O_RDWR | O_CLOEXEC)));
	tap_eq(3, sys(pwrite(fail_fd, "new", 3, 0)));
}

/* The write itself may be what fails; then nothing before it has. */
bool fail_disarm(char *path, size_t size)
{
	const bool hit_here = pwrite(fail_fd, "0", 1, 0) != 1;
	ssize_t length;

	if (hit_here)
		tap_eq(1, sys(pwrite(fail_fd, "0", 1, 0)));
	length = must(sys(pread(fail_fd, path, size - 1, 0)));
	path[length] = '\0';
	path[strcspn(path, "\n")] = '\0';
	close(fail_fd);
	fail_fd = -1;
	return path[0] == '1' && !hit_here;
}

void fail_hold(const char *card)
{
	must(fail_write("hold", *card ? card : "\n"));
}
