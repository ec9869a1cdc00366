/* SPDX-License-Identifier: MIT */
/*
 * common: what the tests of the library share.
 */
#ifndef TEST_READER_COMMON_H
#define TEST_READER_COMMON_H

#include <stdbool.h>
#include <stdint.h>

#include <avring/avring.h>

#define COMMON_MS 1000000ULL

uint64_t common_now_ns(void);

/* Lines of /proc/self/maps. */
int common_count_mappings(void);

/* A number from the environment, or a default. */
long common_number(const char *name, long otherwise);

/* Grey pictures of one line: @bytes each, 25 a second. */
struct avring_stream_format common_picture(uint32_t bytes);
/* S16_LE, stereo, 48000 Hz, @period_frames. */
struct avring_stream_format common_sound(uint32_t period_frames);

/* Options with their size filled in. */
struct avring_options common_options(void);

/* A ring in memory and a reader of it. */
struct pair {
	struct avring_producer *producer;
	struct avring_reader *reader;
};

/* Pictures of a page at most; @frames of them fit. */
struct pair pair_open(uint32_t frames);
/* The same for any format and options of the producer. */
struct pair pair_open_with(const struct avring_stream_format *format,
			   const struct avring_options *options);
void pair_close(struct pair *pair);

/* Send a frame of which each byte is @value; its length is that of the format. */
void pair_send(struct pair *pair, uint8_t value);
void pair_send_bytes(struct pair *pair, size_t length, uint8_t value);

/* The next frame, which must be there. */
struct avring_span pair_next(struct pair *pair);

/* Run @call with @arg where every system call but read and write is the end. */
void common_without_system_calls(void (*call)(void *arg), void *arg);

/* Run @call with @arg in a thread after @delay_ms; common_join() it. */
struct later;
struct later *common_later(unsigned int delay_ms, void (*call)(void *arg), void *arg);
void common_join(struct later *later);

/* Send SIGUSR1, which does nothing, to this thread again and again until the end. */
struct pest;
struct pest *common_pester(int sa_flags);
void common_leave_alone(struct pest *pest);

#endif
