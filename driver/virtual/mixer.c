// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the controls of the sound card.
 *
 *   Capture Source         Tone or Loopback; may change while capture runs, what
 *                          was due before comes from the old source. EBUSY for Loopback
 *                          while streams of two rates are there
 *   Tone Capture Volume    amplitude of the beep in percent, linear
 *   Tone Capture Switch    the beep or silence
 *   Loopback Signal        read-only: the playback stream runs; changes are notified
 */
#include <sound/control.h>
#include <sound/core.h>
#include <sound/tlv.h>

#include "sound/sound.h"
#include "virtual/audio_priv.h"

static const DECLARE_TLV_DB_LINEAR(avring_mixer_volume_db, TLV_DB_GAIN_MUTE, 0);

/* Change something that can be heard: from now on, not from the last tick on. */
static int avring_mixer_change_locked(struct avring_audio *audio, u32 *field, u32 value)
{
	const bool changed = *field != value;

	avring_audio_advance_locked(audio);
	*field = value;
	return changed;
}

static int avring_mixer_change(struct avring_audio *audio, u32 *field, u32 value)
{
	int changed;

	spin_lock_irq(&audio->lock);
	changed = avring_mixer_change_locked(audio, field, value);
	spin_unlock_irq(&audio->lock);
	return changed;
}

static int avring_mixer_source_info(struct snd_kcontrol *kcontrol, struct snd_ctl_elem_info *info)
{
	const char *names[AVRING_AUDIO_SOURCES];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		names[i] = avring_audio_sources[i].name;
	return snd_ctl_enum_info(info, 1, ARRAY_SIZE(names), names);
}

static int avring_mixer_source_get(struct snd_kcontrol *kcontrol, struct snd_ctl_elem_value *value)
{
	struct avring_audio *audio = snd_kcontrol_chip(kcontrol);

	value->value.enumerated.item[0] = READ_ONCE(audio->source);
	return 0;
}

static int avring_mixer_source_put(struct snd_kcontrol *kcontrol, struct snd_ctl_elem_value *value)
{
	struct avring_audio *audio = snd_kcontrol_chip(kcontrol);
	const unsigned int source = value->value.enumerated.item[0];
	int changed;

	if (source >= AVRING_AUDIO_SOURCES)
		return -EINVAL;
	spin_lock_irq(&audio->lock);
	/* A producer of the ring is not thrown out. */
	if (source == AVRING_AUDIO_LOOPBACK ? !avring_audio_rates_agree_locked(audio) :
					      !!avring_stream_producer(&audio->ring.stream))
		changed = -EBUSY;
	else
		changed = avring_mixer_change_locked(audio, &audio->source, source);
	spin_unlock_irq(&audio->lock);
	return changed;
}

static int avring_mixer_volume_info(struct snd_kcontrol *kcontrol, struct snd_ctl_elem_info *info)
{
	info->type = SNDRV_CTL_ELEM_TYPE_INTEGER;
	info->count = 1;
	info->value.integer.min = 0;
	info->value.integer.max = AVRING_TONE_MAX_VOLUME;
	return 0;
}

static int avring_mixer_volume_get(struct snd_kcontrol *kcontrol, struct snd_ctl_elem_value *value)
{
	struct avring_audio *audio = snd_kcontrol_chip(kcontrol);

	value->value.integer.value[0] = READ_ONCE(audio->tone.volume);
	return 0;
}

static int avring_mixer_volume_put(struct snd_kcontrol *kcontrol, struct snd_ctl_elem_value *value)
{
	struct avring_audio *audio = snd_kcontrol_chip(kcontrol);
	const long volume = value->value.integer.value[0];

	if (volume < 0 || volume > AVRING_TONE_MAX_VOLUME)
		return -EINVAL;
	return avring_mixer_change(audio, &audio->tone.volume, volume);
}

static int avring_mixer_switch_get(struct snd_kcontrol *kcontrol, struct snd_ctl_elem_value *value)
{
	struct avring_audio *audio = snd_kcontrol_chip(kcontrol);

	value->value.integer.value[0] = READ_ONCE(audio->tone.on);
	return 0;
}

static int avring_mixer_switch_put(struct snd_kcontrol *kcontrol, struct snd_ctl_elem_value *value)
{
	struct avring_audio *audio = snd_kcontrol_chip(kcontrol);
	const long on = value->value.integer.value[0];

	if (on < 0 || on > 1)
		return -EINVAL;
	return avring_mixer_change(audio, &audio->tone.on, on);
}

static int avring_mixer_signal_get(struct snd_kcontrol *kcontrol, struct snd_ctl_elem_value *value)
{
	struct avring_audio *audio = snd_kcontrol_chip(kcontrol);

	value->value.integer.value[0] = READ_ONCE(avring_audio_playback(audio)->running);
	return 0;
}

static const struct snd_kcontrol_new avring_mixer_controls[] = {
	{
		.iface = SNDRV_CTL_ELEM_IFACE_MIXER,
		.name = "Capture Source",
		.info = avring_mixer_source_info,
		.get = avring_mixer_source_get,
		.put = avring_mixer_source_put,
	}, {
		.iface = SNDRV_CTL_ELEM_IFACE_MIXER,
		.access = SNDRV_CTL_ELEM_ACCESS_READWRITE | SNDRV_CTL_ELEM_ACCESS_TLV_READ,
		.name = "Tone Capture Volume",
		.info = avring_mixer_volume_info,
		.get = avring_mixer_volume_get,
		.put = avring_mixer_volume_put,
		.tlv.p = avring_mixer_volume_db,
	}, {
		.iface = SNDRV_CTL_ELEM_IFACE_MIXER,
		.name = "Tone Capture Switch",
		.info = snd_ctl_boolean_mono_info,
		.get = avring_mixer_switch_get,
		.put = avring_mixer_switch_put,
	},
};

static const struct snd_kcontrol_new avring_mixer_signal = {
	.iface = SNDRV_CTL_ELEM_IFACE_PCM,
	.access = SNDRV_CTL_ELEM_ACCESS_READ | SNDRV_CTL_ELEM_ACCESS_VOLATILE,
	.name = "Loopback Signal",
	.info = snd_ctl_boolean_mono_info,
	.get = avring_mixer_signal_get,
};

/* One counter of struct avring_audio_stats each; the offset is the private value. */
#define AVRING_MIXER_COUNTER(_name, _field) {				\
	.iface = SNDRV_CTL_ELEM_IFACE_PCM,				\
	.access = SNDRV_CTL_ELEM_ACCESS_READ | SNDRV_CTL_ELEM_ACCESS_VOLATILE, \
	.name = _name,							\
	.info = avring_mixer_counter_info,				\
	.get = avring_mixer_counter_get,				\
	.private_value = offsetof(struct avring_audio_stats, _field),	\
}

static int avring_mixer_counter_info(struct snd_kcontrol *kcontrol, struct snd_ctl_elem_info *info)
{
	info->type = SNDRV_CTL_ELEM_TYPE_INTEGER64;
	info->count = 1;
	info->value.integer64.min = 0;
	info->value.integer64.max = S64_MAX;
	return 0;
}

static int avring_mixer_counter_get(struct snd_kcontrol *kcontrol, struct snd_ctl_elem_value *value)
{
	struct avring_audio_stats stats;

	avring_audio_stats(snd_kcontrol_chip(kcontrol), &stats);
	value->value.integer64.value[0] = *(u64 *)((void *)&stats + kcontrol->private_value);
	return 0;
}

static const struct snd_kcontrol_new avring_mixer_counters[] = {
	AVRING_MIXER_COUNTER("Capture Frames", capture_frames),
	AVRING_MIXER_COUNTER("Playback Frames", playback_frames),
	AVRING_MIXER_COUNTER("Loopback Silence Frames", silence_frames),
	AVRING_MIXER_COUNTER("Loopback Signal Losses", source_losses),
	AVRING_MIXER_COUNTER("Capture Frames Skipped", skipped_frames),
	AVRING_MIXER_COUNTER("Capture Overruns", capture_xruns),
	AVRING_MIXER_COUNTER("Playback Underruns", playback_xruns),
};

/**
 * avring_mixer_new() - add the controls to the card
 * @audio: the sound card
 *
 * Return: 0 or a negative errno.
 */
int avring_mixer_new(struct avring_audio *audio)
{
	int err;

	err = avring_sound_add_controls(audio->card, avring_mixer_controls,
					ARRAY_SIZE(avring_mixer_controls), audio);
	if (err < 0)
		return err;
	err = avring_sound_add_controls(audio->card, avring_mixer_counters,
					ARRAY_SIZE(avring_mixer_counters), audio);
	if (err < 0)
		return err;
	audio->signal = snd_ctl_new1(&avring_mixer_signal, audio);
	return audio->signal ? snd_ctl_add(audio->card, audio->signal) : -ENOMEM;
}

/**
 * avring_mixer_signal_changed() - the playback stream has started or stopped
 * @audio: the sound card
 *
 * Context: atomic; a stream lock may be held, avring_audio::lock must not.
 */
void avring_mixer_signal_changed(struct avring_audio *audio)
{
	snd_ctl_notify(audio->card, SNDRV_CTL_EVENT_MASK_VALUE, &audio->signal->id);
}
