// SPDX-License-Identifier: MIT
/*
 * LD_PRELOAD this, and V4L2 devices have a clock that is not ours. AVRING_CLOCK says which:
 * "SECONDS@FRAME ...", how far it is ahead from that frame on.
 */
#include <dlfcn.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdlib.h>

static long foreign_lead(unsigned long frame)
{
	const char *text = getenv("AVRING_CLOCK");
	long seconds, lead = 0;
	char *end;

	while (text && *text) {
		seconds = strtol(text, &end, 10);
		if (*end++ != '@')
			abort();
		if (strtoul(end, &end, 10) <= frame)
			lead = seconds;
		text = end;
	}
	return lead;
}

int ioctl(int fd, unsigned long request, ...)
{
	int (*next)(int fd, unsigned long request, ...) = dlsym(RTLD_NEXT, "ioctl");
	struct v4l2_buffer *buffer;
	va_list args;
	void *arg;
	int result;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	result = next(fd, request, arg);
	if (request == VIDIOC_DQBUF && !result) {
		buffer = arg;
		buffer->timestamp.tv_sec += foreign_lead(buffer->sequence);
	}
	return result;
}
