/* SPDX-License-Identifier: MIT */
/*
 * card: the PCI card as the benchmarks use it: its nodes, its driver's threads, its pictures
 * in a ring, and rows for bench/report.
 */
#ifndef BENCH_CARD_H
#define BENCH_CARD_H

#include <stdint.h>
#include <sys/types.h>

#include <avring/avring.h>

#define CARD_THREADS 8

/* Values of the control "Test Pattern". */
enum { CARD_STAMPED, CARD_WORDS };

/**
 * struct card - the first PCI card
 * @ring: its ring node, "/dev/avring0"
 * @video: its capture node, "/dev/video0"
 * @threads: the kernel threads that serve its interrupts
 * @n_threads: how many
 */
struct card {
	char ring[32];
	char video[64];
	pid_t threads[CARD_THREADS];
	unsigned int n_threads;
};

/**
 * struct card_mode - what it is to send
 * @name: "640x480"
 * @width: pixels
 * @height: lines
 * @pixelformat: V4L2_PIX_FMT_*
 * @fps: frames per second
 * @ring_frames: so many frames the ring holds at least
 */
struct card_mode {
	const char *name;
	uint32_t width;
	uint32_t height;
	uint32_t pixelformat;
	uint32_t fps;
	unsigned int ring_frames;
};

/* CLOCK_MONOTONIC. */
uint64_t card_now(void);

/* Functions return 0 or a negative errno unless they say otherwise. */
int card_find(struct card *card);
int card_set_pattern(const struct card *card, int pattern);

/* Processor time of its interrupt threads so far, in ns. */
uint64_t card_thread_ns(const struct card *card);

/* That of all workers of the kernel, whoever they work for. */
uint64_t card_worker_ns(void);

/* Attach a reader that is woken for each frame. */
int card_open(const struct card *card, const struct card_mode *mode, struct avring_reader **reader);

/* The next frame, waited for; -ETIMEDOUT if none comes for five seconds. */
int card_next(struct avring_reader *reader, struct avring_span *span);

/* Take and release so many frames without a look at them. */
int card_skip(struct avring_reader *reader, unsigned int frames);

/* Sorts @values. */
double card_median(double *values, unsigned int n);

/* Rows for bench/report; @what is a format. Whoever is not "avring" is a peer. */
void card_row(const char *id, const char *unit, const char *who, double value, const char *what,
	      ...) __attribute__((format(printf, 5, 6)));
void card_missing(const char *id, const char *unit, int err, const char *what, ...)
	__attribute__((format(printf, 4, 5)));

/* The benchmarks, see bench/README.md. Each tells its rows. */
int card_compare(const struct card *card, unsigned int seconds);
int card_share(const struct card *card, unsigned int seconds);
int card_work(const struct card *card, unsigned int seconds);

#endif
