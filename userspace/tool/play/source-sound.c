// SPDX-License-Identifier: MIT
/*
 * Sound files through libsndfile, which decodes into the ring.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <sound/asound.h>

#include "source.h"

/* What keeps all bits of the file and is a format of the card. */
static uint32_t play_sound_format(int format)
{
	switch (format & SF_FORMAT_SUBMASK) {
	case SF_FORMAT_PCM_24:
	case SF_FORMAT_PCM_32:
	case SF_FORMAT_ALAC_24:
	case SF_FORMAT_ALAC_32:
		return (uint32_t)SNDRV_PCM_FORMAT_S32_LE;
	case SF_FORMAT_FLOAT:
	case SF_FORMAT_DOUBLE:
	case SF_FORMAT_VORBIS:
	case SF_FORMAT_OPUS:
		return (uint32_t)SNDRV_PCM_FORMAT_FLOAT_LE;
	default:
		return (uint32_t)SNDRV_PCM_FORMAT_S16_LE;
	}
}

/* What was not opened is not closed by others. */
static int play_sound_fail(struct play_source *source)
{
	play_input_close(&source->input);
	if (tool_signals())
		return TOOL_OK;
	tool_error("%s: %s", source->path, sf_strerror(NULL));
	return TOOL_FAILED;
}

static int play_sound_open(struct play_source *source)
{
	struct avring_audio_format *audio = &source->format.audio;
	int flags = fcntl(source->fd, F_GETFL);
	SF_INFO info = { 0 };

	if (audio->format || audio->rate || audio->channels)
		return tool_usage("%s: says rate, channels and sample format itself", source->path);
	/* libsndfile cannot do with less than it asked for. */
	if (flags >= 0 && flags & O_NONBLOCK)
		fcntl(source->fd, F_SETFL, flags & ~O_NONBLOCK);
	source->sound = play_input_open(&source->input, source->fd, &info);
	if (!source->sound)
		return play_sound_fail(source);
	source->rest = source->input.rest;
	source->rest_of = source->input.frame_bytes;
	audio->format = play_sound_format(info.format);
	audio->rate = info.samplerate;
	audio->channels = info.channels;
	return TOOL_OK;
}

static sf_count_t play_sound_frames(struct play_source *source, void *data, size_t frames)
{
	switch (source->format.audio.format) {
	case (uint32_t)SNDRV_PCM_FORMAT_S32_LE:
		return sf_readf_int(source->sound, data, frames);
	case (uint32_t)SNDRV_PCM_FORMAT_FLOAT_LE:
		return sf_readf_float(source->sound, data, frames);
	default:
		return sf_readf_short(source->sound, data, frames);
	}
}

static ssize_t play_sound_read(struct play_source *source, void *data, size_t length)
{
	const uint32_t bytes = source->format.audio.frame_bytes;
	sf_count_t frames = play_sound_frames(source, data, length / bytes);

	return frames || !sf_error(source->sound) ? frames * bytes : -EIO;
}

static int play_sound_rewind(struct play_source *source)
{
	return sf_seek(source->sound, 0, SEEK_SET) < 0 ? -ESPIPE : 0;
}

static void play_sound_close(struct play_source *source)
{
	if (source->sound)
		sf_close(source->sound);
	play_input_close(&source->input);
}

const struct play_container play_sound = {
	.name = "sound",
	.suffixes = "wav rf64 w64 flac aiff aif au caf ogg opus mp3",
	.stream = AVRING_STREAM_AUDIO,
	.open = play_sound_open,
	.read = play_sound_read,
	.rewind = play_sound_rewind,
	.close = play_sound_close,
};
