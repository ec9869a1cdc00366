// SPDX-License-Identifier: MIT
/*
 * fill DEVICE FRAMES: the smallest correct producer. A card captures so many grey
 * pictures, each of one shade, 25 a second.
 */
#include <errno.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <avring/avring.h>

#define INTERVAL_NS 40000000

static void sleep_until(struct timespec *tick)
{
	tick->tv_nsec += INTERVAL_NS;
	if (tick->tv_nsec >= 1000000000) {
		tick->tv_nsec -= 1000000000;
		tick->tv_sec++;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, tick, NULL) == EINTR)
		;
}

int main(int argc, char **argv)
{
	struct avring_stream_format format = { .stream = AVRING_STREAM_VIDEO };
	long frames = argc == 3 ? strtol(argv[2], NULL, 10) : 0, n;
	struct avring_producer *producer = NULL;
	struct timespec tick;
	void *data;
	int err;

	format.video = (struct avring_video_format){ .pixelformat = V4L2_PIX_FMT_GREY,
						     .width = 640,
						     .height = 480,
						     .rate_num = 25,
						     .rate_den = 1 };
	err = argc == 3 ? avring_producer_open(&producer, argv[1], &format, NULL) : -EINVAL;
	clock_gettime(CLOCK_MONOTONIC, &tick);
	for (n = 0; n < frames && !err; n++) {
		size_t length = avring_producer_format(producer)->video.sizeimage;

		sleep_until(&tick);
		err = avring_producer_begin(producer, length, &data);
		if (!err) {
			memset(data, n & 0xff, length);
			err = avring_producer_commit(producer, length, 0);
		}
	}
	avring_producer_close(producer);
	if (err)
		fprintf(stderr, "fill DEVICE FRAMES: %s\n", strerror(-err));
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
