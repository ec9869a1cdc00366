// SPDX-License-Identifier: MIT
/*
 * producer: a child that writes a film of numbered frames to the output node.
 */
#include <endian.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "producer.h"
#include "tap.h"

#define PRODUCER_MAGIC 0x4d4c4946

/* @said is told when the first frame has been taken. */
static _Noreturn void producer_run(const struct v4l2_pix_format *pix, const struct v4l2_fract *rate,
				   uint32_t n, unsigned int pause_us, int said)
{
	struct video video;
	struct card card;
	uint32_t *frame;

	must(card_find(0, &card));
	must(video_open(&video, card.output));
	must(video_set_format(&video, pix->pixelformat, pix->width, pix->height));
	must(video_set_rate(&video, rate->numerator, rate->denominator));
	frame = malloc(video.pix.sizeimage);
	memset(frame, 0x55, video.pix.sizeimage);
	frame[0] = htole32(PRODUCER_MAGIC);
	for (;; n++) {
		usleep(pause_us);
		frame[1] = htole32(n);
		tap_eq(video.pix.sizeimage, must(sys(write(video.fd, frame, video.pix.sizeimage))));
		if (said >= 0)
			close(said);
		said = -1;
	}
}

pid_t producer_start(const struct v4l2_pix_format *pix, const struct v4l2_fract *rate,
		     uint32_t first, unsigned int pause_us)
{
	int ends[2];
	pid_t child;
	char none;

	must(sys(pipe(ends)));
	child = fork();
	if (!child) {
		close(ends[0]);
		producer_run(pix, rate, first, pause_us, ends[1]);
	}
	close(ends[1]);
	tap_eq(0, must(sys(read(ends[0], &none, 1))));
	close(ends[0]);
	return child;
}

void producer_kill(pid_t child)
{
	int status;

	tap_eq(0, waitpid(child, &status, WNOHANG));
	kill(child, SIGKILL);
	must(sys(waitpid(child, &status, 0)));
}

uint32_t producer_number(const void *frame)
{
	const uint32_t *words = frame;

	return le32toh(words[0]) == PRODUCER_MAGIC ? le32toh(words[1]) : 0;
}
