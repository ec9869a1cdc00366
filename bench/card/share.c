// SPDX-License-Identifier: MIT
/* C2: how much of a core the driver of the card takes for 250 MB a second. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>

#include <linux/videodev2.h>

#include "camera.h"
#include "card.h"
#include "counter.h"

#define SHARE_WINDOWS 5
#define SHARE_BUFFERS 8
#define SHARE_FPS 60
#define SHARE_TOLERANCE 0.02

static const struct camera_size share_size = { "1920x1080 YUYV", 1920, 1080 };
static const struct card_mode share_mode = { "1920x1080",	1920,	   1080,
					     V4L2_PIX_FMT_YUYV, SHARE_FPS, 16 };

struct share;

/**
 * struct share_way - how frames are taken
 * @name: in the results
 * @open: begin
 * @take: so many frames
 * @lost: how many are missing so far
 * @close: end
 */
struct share_way {
	const char *name;
	int (*open)(struct share *share);
	int (*take)(struct share *share, unsigned int frames);
	uint64_t (*lost)(const struct share *share);
	void (*close)(struct share *share);
};

/**
 * struct share - who takes frames, and counts them
 * @card: of whom
 * @way: how
 * @reader: of the ring
 * @camera: without
 * @next: number that the next frame of @camera should have
 * @missing: frames of @camera that were not there
 */
struct share {
	const struct card *card;
	const struct share_way *way;
	struct avring_reader *reader;
	struct camera camera;
	uint32_t next;
	uint64_t missing;
};

/**
 * struct share_cost - processor time, ns
 * @time: that has passed
 * @threads: interrupt threads of the card
 * @all: these, all workers of the kernel, and the process that takes the frames
 */
struct share_cost {
	uint64_t time;
	uint64_t threads;
	uint64_t all;
};

static int share_open_ring(struct share *share)
{
	return card_open(share->card, &share_mode, &share->reader);
}

static int share_take_ring(struct share *share, unsigned int frames)
{
	return card_skip(share->reader, frames);
}

static uint64_t share_lost_ring(const struct share *share)
{
	return avring_reader_lost(share->reader);
}

static void share_close_ring(struct share *share)
{
	avring_reader_close(share->reader);
}

static int share_open_buffers(struct share *share)
{
	int err = camera_open(&share->camera, share->card->video, V4L2_BUF_TYPE_VIDEO_CAPTURE,
			      &share_size, SHARE_FPS);

	if (err)
		return err;
	err = camera_request(&share->camera, SHARE_BUFFERS);
	if (!err)
		err = camera_start(&share->camera);
	if (err)
		camera_close(&share->camera);
	return err;
}

static int share_take_buffers(struct share *share, unsigned int frames)
{
	struct v4l2_buffer buffer;
	int err = 0;

	while (!err && frames--) {
		err = camera_dequeue(&share->camera, &buffer);
		if (err)
			break;
		share->missing += buffer.sequence - share->next;
		share->next = buffer.sequence + 1;
		err = camera_queue(&share->camera, &buffer);
	}
	return err;
}

static uint64_t share_lost_buffers(const struct share *share)
{
	return share->missing;
}

static void share_close_buffers(struct share *share)
{
	camera_close(&share->camera);
}

static const struct share_way share_ways[] = {
	{ "ring reader", share_open_ring, share_take_ring, share_lost_ring, share_close_ring },
	{ "V4L2 MMAP", share_open_buffers, share_take_buffers, share_lost_buffers,
	  share_close_buffers },
};

static struct share_cost share_so_far(const struct card *card)
{
	struct share_cost cost = { .time = card_now(), .threads = card_thread_ns(card) };

	cost.all = cost.threads + card_worker_ns() + counter_process();
	return cost;
}

/* What was measured must be the rate that the row names, with nothing left out. */
static int share_judge(uint64_t lost, unsigned int frames, uint64_t ns)
{
	const double fps = frames * 1e9 / ns;

	if (lost) {
		fprintf(stderr, "card: C2: %" PRIu64 " frames lost\n", lost);
		return -EOVERFLOW;
	}
	if (fabs(fps - SHARE_FPS) > SHARE_FPS * SHARE_TOLERANCE) {
		fprintf(stderr, "card: C2: %.2f frames a second, not %d\n", fps, SHARE_FPS);
		return -ERANGE;
	}
	return 0;
}

/* Percent of a core. */
static int share_window(struct share *share, unsigned int frames, double *threads, double *all)
{
	const uint64_t lost = share->way->lost(share);
	struct share_cost before = share_so_far(share->card), after;
	int err = share->way->take(share, frames);

	after = share_so_far(share->card);
	if (!err)
		err = share_judge(share->way->lost(share) - lost, frames, after.time - before.time);
	/* Nobody works for nothing: a kernel without accounts. */
	if (!err && after.threads == before.threads)
		err = -ENODATA;
	*threads = 100.0 * (after.threads - before.threads) / (after.time - before.time);
	*all = 100.0 * (after.all - before.all) / (after.time - before.time);
	return err;
}

static int share_run(struct share *share, unsigned int frames)
{
	double threads[SHARE_WINDOWS], all[SHARE_WINDOWS];
	int err = share->way->take(share, SHARE_FPS);

	for (int i = 0; i < SHARE_WINDOWS && !err; i++)
		err = share_window(share, frames, &threads[i], &all[i]);
	if (err)
		return err;
	card_row("C2", "% of a core", "avring", card_median(threads, SHARE_WINDOWS),
		 "the driver at 250 MB/s, %s", share->way->name);
	card_row("C2", "% of a core", "avring", card_median(all, SHARE_WINDOWS),
		 "the same, all kworkers and the reader included, %s", share->way->name);
	return 0;
}

static int share_one(const struct card *card, const struct share_way *way, unsigned int frames)
{
	struct share share = { .card = card, .way = way };
	int err = way->open(&share);

	if (!err) {
		err = share_run(&share, frames);
		way->close(&share);
	}
	if (err)
		card_missing("C2", "% of a core", err, "the driver at 250 MB/s, %s", way->name);
	return err;
}

int card_share(const struct card *card, unsigned int seconds)
{
	int err = share_one(card, &share_ways[0], seconds * SHARE_FPS);

	return err ? err : share_one(card, &share_ways[1], seconds * SHARE_FPS);
}
