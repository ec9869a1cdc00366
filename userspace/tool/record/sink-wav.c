// SPDX-License-Identifier: MIT
/*
 * WAV and RF64 through libsndfile. Samples are written as they lie in the ring. A
 * WAV file ends at 4 GiB, RF64 does not. (libsndfile can turn one into the other on
 * close, but in 1.2 the headers differ in length, and the samples do not move.)
 */
#include <errno.h>
#include <unistd.h>

#include <sound/asound.h>

#include "sink.h"

static int record_wav_subtype(uint32_t format)
{
	switch (format) {
	case (uint32_t)SNDRV_PCM_FORMAT_S16_LE:
		return SF_FORMAT_PCM_16;
	case (uint32_t)SNDRV_PCM_FORMAT_S32_LE:
		return SF_FORMAT_PCM_32;
	case (uint32_t)SNDRV_PCM_FORMAT_FLOAT_LE:
		return SF_FORMAT_FLOAT;
	default:
		return 0;
	}
}

static const char *record_wav_refuses(const struct avring_stream_format *format)
{
	if (format->stream != AVRING_STREAM_AUDIO)
		return "WAV holds sound: use --format raw or y4m for pictures";
	if (!record_wav_subtype(format->audio.format))
		return "samples are not converted: use --sample-format S32_LE, or --format raw";
	return NULL;
}

/* What its 32 bits can say, with room for the header. */
#define RECORD_WAV_LIMIT (UINT32_MAX - 4096)

static int record_wav_open(struct record_sink *sink)
{
	const struct avring_audio_format *audio = &sink->format->audio;
	SF_INFO info = {
		.samplerate = audio->rate,
		.channels = audio->channels,
		.format = (sink->container == &record_rf64 ? SF_FORMAT_RF64 : SF_FORMAT_WAV) |
			  record_wav_subtype(audio->format),
	};
	off_t begin;

	sink->stride = audio->frame_bytes;
	sink->sound = sf_open_fd(sink->file.fd, SFM_WRITE, &info, SF_FALSE);
	if (!sink->sound)
		return -(errno ?: EIO);
	/* Peaks would need a look at each sample. */
	sf_command(sink->sound, SFC_SET_ADD_PEAK_CHUNK, NULL, SF_FALSE);
	sf_command(sink->sound, SFC_UPDATE_HEADER_NOW, NULL, 0);
	begin = lseek(sink->file.fd, 0, SEEK_END);
	if (begin < 0)
		return -errno;
	sink->file.written = begin;
	sink->begin = begin;
	return 0;
}

static int record_wav_put(struct record_sink *sink, const struct avring_span *span,
			  uint64_t *offset)
{
	sf_count_t done;

	if (sink->container == &record_wav && sink->file.written + span->length > RECORD_WAV_LIMIT)
		return -EOVERFLOW;
	*offset = sink->file.written;
	errno = 0;
	done = sf_write_raw(sink->sound, span->data, span->length);
	if (done > 0)
		sink->file.written += done;
	return done == (sf_count_t)span->length ? 0 : -(errno ?: EIO);
}

static int record_wav_flush(struct record_sink *sink, bool is_end)
{
	(void)sink;
	(void)is_end;
	return 0;
}

static int record_wav_checkpoint(struct record_sink *sink)
{
	sf_command(sink->sound, SFC_UPDATE_HEADER_NOW, NULL, 0);
	return 0;
}

/* It keeps a length of its own, so it must do the cut. */
static int record_wav_close(struct record_sink *sink, uint64_t length)
{
	sf_count_t frames;
	int error = 0;

	if (!sink->sound)
		return 0;
	frames = (length - sink->begin) / sink->stride;
	errno = 0;
	if (sf_command(sink->sound, SFC_FILE_TRUNCATE, &frames, sizeof(frames)))
		error = -(errno ?: EIO);
	if (sf_close(sink->sound) && !error)
		error = -(errno ?: EIO);
	sink->sound = NULL;
	return error;
}

const struct record_container record_wav = {
	.name = "wav",
	.suffixes = "wav",
	.refuses = record_wav_refuses,
	.is_seekable = true,
	.open = record_wav_open,
	.put = record_wav_put,
	.flush = record_wav_flush,
	.checkpoint = record_wav_checkpoint,
	.close = record_wav_close,
};

const struct record_container record_rf64 = {
	.name = "rf64",
	.suffixes = "rf64",
	.refuses = record_wav_refuses,
	.is_seekable = true,
	.open = record_wav_open,
	.put = record_wav_put,
	.flush = record_wav_flush,
	.checkpoint = record_wav_checkpoint,
	.close = record_wav_close,
};
