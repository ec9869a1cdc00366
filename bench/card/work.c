// SPDX-License-Identifier: MIT
/* C3: what a frame costs the card's interrupt threads, small or large. */
#include <errno.h>

#include <linux/videodev2.h>

#include "card.h"
#include "counter.h"

#define WORK_WINDOWS 9
#define WORK_FPS 30

static const struct card_mode work_modes[] = {
	{ "640x480", 640, 480, V4L2_PIX_FMT_YUYV, WORK_FPS, 16 },
	{ "1280x720", 1280, 720, V4L2_PIX_FMT_YUYV, WORK_FPS, 16 },
	{ "3840x2160", 3840, 2160, V4L2_PIX_FMT_YUYV, WORK_FPS, 16 },
};

/* A frame that is lost was work, too, and would not be counted. */
static int work_window(const struct card *card, struct avring_reader *reader, unsigned int frames,
		       double *cost)
{
	const uint64_t lost = avring_reader_lost(reader), before = card_thread_ns(card);
	int err = card_skip(reader, frames);

	*cost = (double)(card_thread_ns(card) - before) / frames;
	if (!err && avring_reader_lost(reader) != lost)
		err = -EOVERFLOW;
	/* Nobody works for nothing: a kernel without accounts. */
	if (!err && !*cost)
		err = -ENODATA;
	return err;
}

static int work_measure(const struct card *card, const struct card_mode *mode, unsigned int frames,
			double *cost)
{
	double costs[WORK_WINDOWS];
	struct avring_reader *reader;
	int err = card_open(card, mode, &reader);

	if (err)
		return err;
	err = card_skip(reader, 2 * mode->ring_frames);
	for (int i = 0; i < WORK_WINDOWS && !err; i++)
		err = work_window(card, reader, frames, &costs[i]);
	avring_reader_close(reader);
	if (!err)
		*cost = card_median(costs, WORK_WINDOWS);
	return err;
}

int card_work(const struct card *card, unsigned int seconds)
{
	const size_t n = sizeof(work_modes) / sizeof(work_modes[0]);
	const char *unit = counter_counts_instructions() ? "insn/frame" : "ns/frame";
	double cost, first = 0;
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		const char *name = work_modes[i].name;

		err = work_measure(card, &work_modes[i], seconds * WORK_FPS, &cost);
		if (err) {
			card_missing("C3", unit, err, "interrupt threads, %s", name);
			break;
		}
		card_row("C3", unit, "avring", cost, "interrupt threads, %s", name);
		if (i)
			card_row("C3", unit, "a frame of 640x480", first, "interrupt threads, %s",
				 name);
		else
			first = cost;
	}
	return err;
}
