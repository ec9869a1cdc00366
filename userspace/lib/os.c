// SPDX-License-Identifier: MIT
/*
 * os: system calls as the rest of the library likes them.
 */
#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

size_t avring_page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

uint64_t avring_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * AVRING_NSEC_PER_SEC + now.tv_nsec;
}

int avring_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? avring_errno() : 0;
}

int avring_ioctl_retry(int fd, unsigned long request, void *arg)
{
	int error;

	do {
		error = avring_ioctl(fd, request, arg);
	} while (error == -EINTR);
	return error;
}

/* Once; 0 if the time is up. */
static int avring_poll_once(struct pollfd *file, uint64_t deadline_ns, uint64_t now_ns)
{
	uint64_t left = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
	struct timespec timeout = { .tv_sec = left / AVRING_NSEC_PER_SEC,
				    .tv_nsec = left % AVRING_NSEC_PER_SEC };
	int n = ppoll(file, 1, deadline_ns == AVRING_FOREVER ? NULL : &timeout, NULL);

	return n < 0 ? avring_errno() : n;
}

int avring_poll_until(int fd, short events, uint64_t deadline_ns)
{
	struct pollfd file = { .fd = fd, .events = events };
	uint64_t now;
	int n;

	do {
		now = avring_now_ns();
		n = avring_poll_once(&file, deadline_ns, now);
	} while (!n && now < deadline_ns);
	if (n)
		return n < 0 ? n : file.revents;
	return -ETIMEDOUT;
}
