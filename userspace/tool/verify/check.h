/* SPDX-License-Identifier: MIT */
/*
 * What must hold for the frames and the sound of a pattern stream, wherever they
 * come from: a ring or a file.
 */
#ifndef AVRING_VERIFY_CHECK_H
#define AVRING_VERIFY_CHECK_H

#include "../tool.h"

#define VERIFY_WORDS 160

/**
 * struct verify_frame - a frame, or a chunk of sound, to be checked
 * @data: all of it
 * @length: bytes
 * @place: where it is, for messages: "film.raw at byte 614400"
 * @has_entry: the members from here on are known; a file without index has no more
 *	than the bytes
 * @sequence: of the frame, or of the first sample frame
 * @event: number on the timeline
 * @time_ns: of it
 * @count: 1, or sample frames
 * @lost: missing before it
 * @is_torn: known to be overwritten
 * @is_damaged: the card says that it could not write all of it
 * @is_no_signal: nobody sent it
 */
struct verify_frame {
	const void *data;
	size_t length;
	const char *place;
	bool has_entry;
	uint64_t sequence;
	uint64_t event;
	uint64_t time_ns;
	uint64_t count;
	uint64_t lost;
	bool is_torn;
	bool is_damaged;
	bool is_no_signal;
};

/**
 * struct verify_stream - what is known of a stream so far
 * @format: of it
 * @has_card_clock: times are of a clock of the card's own
 * @first_card_ns: such a time
 * @first_ns: the same moment on CLOCK_MONOTONIC; 0 before the first frame
 * @frames: frames or sample frames that were seen
 * @lost: that are missing between them
 * @torn: that were overwritten
 * @damaged: that are not whole, as the card says
 * @no_signal: that nobody sent
 * @bad: that are wrong
 * @words: about the first one that is wrong
 * @has_next: the next two are known
 * @next_sequence: of the frame that should come next
 * @next_event: same
 */
struct verify_stream {
	struct avring_stream_format format;
	bool has_card_clock;
	uint64_t first_card_ns;
	uint64_t first_ns;
	uint64_t frames;
	uint64_t lost;
	uint64_t torn;
	uint64_t damaged;
	uint64_t no_signal;
	uint64_t bad;
	char words[VERIFY_WORDS];
	bool has_next;
	uint64_t next_sequence;
	uint64_t next_event;
};

/**
 * struct verify_times - instants of a kind, in their order
 * @ns: of each
 * @n: how many
 * @room: of @ns
 */
struct verify_times {
	uint64_t *ns;
	size_t n;
	size_t room;
};

/**
 * struct verify_sync - flashes and beeps
 * @flashes: times of white frames
 * @beeps: times of first samples after a silence
 * @video_ns: first and last time of pictures
 * @audio_ns: first and last time of sound
 * @silent: sample frames of silence up to now
 * @pairs: beeps that have a flash
 * @min_ns: of beep minus flash
 * @max_ns: same
 */
struct verify_sync {
	struct verify_times flashes;
	struct verify_times beeps;
	uint64_t video_ns[2];
	uint64_t audio_ns[2];
	uint64_t silent;
	uint64_t pairs;
	int64_t min_ns;
	int64_t max_ns;
};

/* The stream is of this format now. One of another rate has another timeline. */
void verify_begin(struct verify_stream *stream, struct verify_sync *sync,
		  const struct avring_stream_format *format);
/* Check one frame; a flash is noted. */
void verify_video(struct verify_stream *stream, struct verify_sync *sync,
		  const struct verify_frame *frame);
/* Check one chunk; beeps are noted. */
void verify_audio(struct verify_stream *stream, struct verify_sync *sync,
		  const struct verify_frame *frame);
/* Note that a frame is wrong. */
void verify_bad(struct verify_stream *stream, const struct verify_frame *frame, const char *format,
		...) __attribute__((format(printf, 3, 4)));

/**
 * verify_sync_check() - put flashes and beeps together
 * @sync: everything was noted
 * @audio: what is wrong is wrong with the sound
 * @has_losses: frames are missing, and perhaps flashes or beeps with them
 */
void verify_sync_check(struct verify_sync *sync, struct verify_stream *audio, bool has_losses);
void verify_sync_free(struct verify_sync *sync);

#endif
