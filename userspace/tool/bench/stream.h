/* SPDX-License-Identifier: MIT */
/*
 * stream: take one frame after the other from a card or from a camera, and do as
 * little as possible with it: nothing, or an O_DIRECT write from where it lies.
 */
#ifndef BENCH_STREAM_H
#define BENCH_STREAM_H

#include <stdint.h>
#include <sys/types.h>

#include <avring/avring.h>

#include "camera.h"

struct bench;
struct stream;

/**
 * struct stream_job - what to do
 * @size: of the frames
 * @watermark: wait for so many frames; who cannot do that waits for each
 * @write: write them to the disk of the run
 */
struct stream_job {
	const struct camera_size *size;
	unsigned int watermark;
	bool write;
};

/**
 * struct stream_maker - where frames come from
 * @who: name in the results
 * @missing: what it means if @open says -ENODEV or -ENOENT
 * @open: start; 0 or a negative errno
 * @take: take and use some frames, at least one: how many, or a negative errno
 * @close: stop
 */
struct stream_maker {
	const char *who;
	const char *missing;
	int (*open)(struct stream *stream, const struct bench *bench);
	int (*take)(struct stream *stream);
	void (*close)(struct stream *stream);
};

/**
 * struct stream - a running one
 * @maker: where its frames come from
 * @job: what is done with them
 * @disk: written to, or -1
 * @at: where on it
 * @taken: frames so far
 * @reader: of a maker that has one
 * @camera: of a maker that is one
 * @memory: of a maker that reads into memory
 */
struct stream {
	const struct stream_maker *maker;
	const struct stream_job *job;
	int disk;
	off_t at;
	uint64_t taken;
	struct avring_reader *reader;
	struct camera camera;
	void *memory;
};

extern const struct stream_maker stream_card;
extern const struct stream_maker stream_vivid; /* DQBUF, QBUF */
extern const struct stream_maker stream_vivid_read; /* read() */

/**
 * struct stream_cost - what a frame costs the process that takes it
 * @process: processor time, median of several windows
 * @switches: voluntary context switches
 * @calls: system calls; negative if they cannot be counted here
 */
struct stream_cost {
	double process;
	double switches;
	double calls;
};

/**
 * stream_measure() - take frames and say what they have cost
 * @bench: the run
 * @maker: where they come from
 * @job: what to do with them
 * @frames: in each of BENCH_REPEATS windows
 * @cost: filled
 *
 * Return: 0 or a negative errno.
 */
int stream_measure(const struct bench *bench, const struct stream_maker *maker,
		   const struct stream_job *job, unsigned int frames, struct stream_cost *cost);

/* In words, why stream_measure() has failed. */
const char *stream_reason(const struct stream_maker *maker, int err);

#endif
