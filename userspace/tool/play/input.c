// SPDX-License-Identifier: MIT
/*
 * Sound files that libsndfile can only read with some help. See input.h.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../bytes.h"
#include "input.h"
#include "look.h"

/* ---------------------------------------------------------------- what WAV says of itself */

/* A chunk of RIFF, and what it is read into. */
#define PLAY_CHUNK_BYTES 8
#define PLAY_RIFF_BYTES 12

/**
 * struct play_wav - the parts of a WAV file that matter here
 * @is_rf64: lengths have 64 bits, and stand in front
 * @is_plain: samples that are not compressed
 */
struct play_wav {
	bool is_rf64;
	bool is_plain;
};

static bool play_input_pread(const struct play_input *input, void *data, size_t length, uint64_t at)
{
	return pread(input->fd, data, length, input->begin + at) == (ssize_t)length;
}

static uint64_t play_le(const unsigned char *bytes, unsigned int n)
{
	uint64_t value = 0;

	while (n--)
		value = value << 8 | bytes[n];
	return value;
}

/* "fmt ": 1 are integers, 3 is floating point, 0xfffe has one of them further behind. */
static void play_input_take_format(struct play_input *input, struct play_wav *wav, uint64_t at)
{
	unsigned char bytes[14];
	unsigned int tag;

	if (!play_input_pread(input, bytes, sizeof(bytes), at))
		return;
	tag = play_le(bytes, 2);
	input->frame_bytes = play_le(bytes + 12, 2);
	wav->is_plain = tag == 1 || tag == 3 || tag == 0xfffe;
}

/* "data": its length is taken for what is there if it is 0, or more than that. */
static void play_input_take_data(struct play_input *input, const struct play_wav *wav, uint64_t at)
{
	uint64_t there = input->size - at, most = wav->is_rf64 ? UINT64_MAX : UINT32_MAX;

	if (!input->length) {
		input->length = there < most ? there : most;
		input->length_bytes = wav->is_rf64 ? 8 : 4;
	} else if (input->length > there) {
		input->length = there;
	}
	if (wav->is_plain && input->frame_bytes)
		input->rest = input->length % input->frame_bytes;
}

/* Where a length of sound is, and which one. */
static void play_input_take_length(struct play_input *input, unsigned int bytes, uint64_t at)
{
	unsigned char length[8] = { 0 };

	play_input_pread(input, length, bytes, at);
	input->length_at = at;
	input->length = play_le(length, bytes);
}

static void play_input_look_into_wav(struct play_input *input, struct play_wav *wav)
{
	uint64_t at = PLAY_RIFF_BYTES, body;
	unsigned char chunk[PLAY_CHUNK_BYTES];

	while (play_input_pread(input, chunk, sizeof(chunk), at)) {
		body = at + sizeof(chunk);
		if (!memcmp(chunk, "ds64", 4))
			play_input_take_length(input, 8, body + 8);
		if (!memcmp(chunk, "fmt ", 4))
			play_input_take_format(input, wav, body);
		if (!memcmp(chunk, "data", 4)) {
			if (!wav->is_rf64)
				play_input_take_length(input, 4, at + 4);
			play_input_take_data(input, wav, body);
			return;
		}
		at = body + (play_le(chunk + 4, 4) + 1) / 2 * 2;
	}
}

/* ---------------------------------------------------------------- for libsndfile */

static sf_count_t play_input_size(void *data)
{
	const struct play_input *input = data;

	/* Of a stream nobody knows; it ends when it ends. */
	return input->is_stream ? SF_COUNT_MAX : (sf_count_t)input->size;
}

static sf_count_t play_input_tell(void *data)
{
	const struct play_input *input = data;

	return input->at;
}

static sf_count_t play_input_seek(sf_count_t offset, int whence, void *data)
{
	struct play_input *input = data;
	sf_count_t end = input->is_stream ? (sf_count_t)input->head_bytes : (sf_count_t)input->size;

	if (whence == SEEK_CUR)
		offset += input->at;
	else if (whence == SEEK_END)
		offset = input->is_stream ? -1 : offset + end;
	if (offset < 0 || offset > end || (input->is_stream && input->is_opened))
		return -1;
	input->at = offset;
	return offset;
}

/* While it is opened, a stream is kept, so that libsndfile can go back in it. */
static bool play_input_keep(struct play_input *input, const void *bytes, size_t length)
{
	unsigned char *head = realloc(input->head, input->head_bytes + length);

	if (!head)
		return false;
	memcpy(head + input->head_bytes, bytes, length);
	input->head = head;
	input->head_bytes += length;
	return true;
}

static sf_count_t play_input_read_stream(struct play_input *input, char *to, size_t length)
{
	size_t done = 0;
	ssize_t more;

	if (input->at < input->head_bytes) {
		done = input->head_bytes - input->at < length ? input->head_bytes - input->at :
								length;
		memcpy(to, input->head + input->at, done);
	}
	more = tool_bytes_read(input->fd, to + done, length - done);
	if (more > 0 && !input->is_opened && !play_input_keep(input, to + done, more))
		more = 0;
	return done + (more > 0 ? more : 0);
}

/* What it says of its length is replaced by what is so. */
static void play_input_correct(const struct play_input *input, unsigned char *bytes, size_t length)
{
	uint64_t value = htole64(input->length), at;
	unsigned int i;

	for (i = 0; i < input->length_bytes; i++) {
		at = input->length_at + i;
		if (at >= input->at && at - input->at < length)
			bytes[at - input->at] = ((unsigned char *)&value)[i];
	}
}

static sf_count_t play_input_read_file(struct play_input *input, void *to, size_t length)
{
	ssize_t done = pread(input->fd, to, length, input->begin + input->at);

	if (done < 0)
		return 0;
	play_input_correct(input, to, done);
	return done;
}

static sf_count_t play_input_read(void *to, sf_count_t length, void *data)
{
	struct play_input *input = data;
	sf_count_t done = input->is_stream ? play_input_read_stream(input, to, length) :
					     play_input_read_file(input, to, length);

	input->at += done;
	return done;
}

/* ---------------------------------------------------------------- opening */

/* Return: true if libsndfile needs help with it. */
static bool play_input_look(struct play_input *input)
{
	char bytes[PLAY_LOOK_BYTES] = "";
	struct play_wav wav = { 0 };
	off_t begin = lseek(input->fd, 0, SEEK_CUR);
	struct stat stat_of;

	if (play_look(input->fd, bytes, sizeof(bytes)) < 0 || fstat(input->fd, &stat_of))
		return false;
	input->is_stream = begin < 0;
	if (input->is_stream)
		return !memcmp(bytes, "fLaC", 4);
	input->begin = begin;
	input->size = stat_of.st_size - begin;
	wav.is_rf64 = !memcmp(bytes, "RF64", 4);
	if ((wav.is_rf64 || !memcmp(bytes, "RIFF", 4)) && !memcmp(bytes + 8, "WAVE", 4))
		play_input_look_into_wav(input, &wav);
	return input->length_bytes;
}

SNDFILE *play_input_open(struct play_input *input, int fd, SF_INFO *info)
{
	static SF_VIRTUAL_IO through = {
		.get_filelen = play_input_size,
		.seek = play_input_seek,
		.read = play_input_read,
		.tell = play_input_tell,
	};
	SNDFILE *sound;

	*input = (struct play_input){ .fd = fd };
	if (!play_input_look(input))
		return sf_open_fd(fd, SFM_READ, info, SF_FALSE);
	sound = sf_open_virtual(&through, SFM_READ, info, input);
	input->is_opened = true;
	return sound;
}

void play_input_close(struct play_input *input)
{
	free(input->head);
	input->head = NULL;
}
