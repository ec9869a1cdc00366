// SPDX-License-Identifier: MIT
/*
 * explain-sound: what a PCM can capture. Wishes are tried in the order in which
 * alsa-params.c sets them, each beside those before it.
 */
#include "alsa-params.h"
#include "alsa.h"
#include "explain.h"

static bool avring_explain_sample_format(struct avring_refusal *refusal, snd_pcm_t *pcm,
					 snd_pcm_hw_params_t *hw, uint32_t wish)
{
	const char *name = NULL;
	unsigned int n = 0;

	if (wish <= SND_PCM_FORMAT_LAST) {
		if (!wish || !snd_pcm_hw_params_set_format(pcm, hw, (snd_pcm_format_t)wish))
			return false;
		name = snd_pcm_format_name((snd_pcm_format_t)wish);
	}
	avring_explain_member(refusal, "audio.format");
	avring_explain_say(refusal,
			   "sample format %s: not possible; possible: ", name ?: "without a name");
	for (int format = 0; format <= SND_PCM_FORMAT_LAST; format++) {
		if (!snd_pcm_format_name((snd_pcm_format_t)format) ||
		    snd_pcm_hw_params_test_format(pcm, hw, (snd_pcm_format_t)format))
			continue;
		if (!n)
			refusal->nearest.audio.format = format;
		avring_explain_item(refusal, &n, "%s",
				    snd_pcm_format_name((snd_pcm_format_t)format));
	}
	return true;
}

static void avring_explain_number(struct avring_refusal *refusal, const char *what, uint32_t wish,
				  unsigned int near, unsigned int min, unsigned int max)
{
	avring_explain_say(refusal, "%u %s: not possible, nearest is %u; possible: ", wish, what,
			   near);
	if (min == max)
		avring_explain_say(refusal, "%u", min);
	else
		avring_explain_say(refusal, "%u to %u", min, max);
}

static bool avring_explain_channels(struct avring_refusal *refusal, snd_pcm_t *pcm,
				    snd_pcm_hw_params_t *hw, uint32_t wish)
{
	unsigned int near = wish, min = 0, max = 0;

	if (!wish || !snd_pcm_hw_params_set_channels(pcm, hw, wish))
		return false;
	snd_pcm_hw_params_get_channels_min(hw, &min);
	snd_pcm_hw_params_get_channels_max(hw, &max);
	snd_pcm_hw_params_set_channels_near(pcm, hw, &near);
	avring_explain_member(refusal, "audio.channels");
	avring_explain_number(refusal, "channels", wish, near, min, max);
	refusal->nearest.audio.channels = near;
	return true;
}

static bool avring_explain_sample_rate(struct avring_refusal *refusal, snd_pcm_t *pcm,
				       snd_pcm_hw_params_t *hw, uint32_t wish)
{
	unsigned int near = wish, min = 0, max = 0;

	if (!wish || !snd_pcm_hw_params_set_rate(pcm, hw, wish, 0))
		return false;
	snd_pcm_hw_params_get_rate_min(hw, &min, NULL);
	snd_pcm_hw_params_get_rate_max(hw, &max, NULL);
	snd_pcm_hw_params_set_rate_near(pcm, hw, &near, NULL);
	avring_explain_member(refusal, "audio.rate");
	avring_explain_number(refusal, "Hz", wish, near, min, max);
	refusal->nearest.audio.rate = near;
	return true;
}

static bool avring_explain_pcm(struct avring_refusal *refusal, snd_pcm_t *pcm,
			       const struct avring_audio_format *wish)
{
	snd_pcm_hw_params_t *hw;

	snd_pcm_hw_params_alloca(&hw);
	if (snd_pcm_hw_params_any(pcm, hw) < 0 ||
	    snd_pcm_hw_params_set_access(pcm, hw, SND_PCM_ACCESS_MMAP_INTERLEAVED))
		return false;
	if (avring_explain_sample_format(refusal, pcm, hw, wish->format) ||
	    avring_explain_channels(refusal, pcm, hw, wish->channels) ||
	    avring_explain_sample_rate(refusal, pcm, hw, wish->rate))
		return true;
	if (!wish->frame_bytes)
		return false;
	avring_explain_member(refusal, "audio.frame_bytes");
	avring_explain_say(refusal, "sample frames of %u bytes: format and channels say another",
			   wish->frame_bytes);
	refusal->nearest.audio.frame_bytes = 0;
	return true;
}

bool avring_explain_sound(struct avring_refusal *refusal, const char *pcm,
			  const struct avring_audio_format *wish)
{
	snd_local_error_handler_t before = avring_alsa_quiet();
	bool said = false;
	snd_pcm_t *handle;

	if (!snd_pcm_open(&handle, pcm, SND_PCM_STREAM_CAPTURE, SND_PCM_NONBLOCK)) {
		said = avring_explain_pcm(refusal, handle, wish);
		snd_pcm_close(handle);
	}
	snd_lib_error_set_local(before);
	return said;
}
