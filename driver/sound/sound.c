// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: what the sound of both sorts of card has in common. See sound/sound.h.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <sound/control.h>
#include <sound/core.h>
#include <sound/pcm_params.h>

#include "compat.h"
#include "ring/stream.h"
#include "sound/sound.h"

const struct avring_audio_format avring_sound_default = {
	.format = (__force u32)SNDRV_PCM_FORMAT_S16_LE,
	.rate = 48000,
	.channels = 2,
	.frame_bytes = 4,
	.period_frames = AVRING_STREAM_PERIOD,
};

static bool avring_sound_within(u32 value, u32 least, u32 most)
{
	return value >= least && value <= most;
}

static bool avring_sound_valid(const struct avring_audio_format *format, u64 formats)
{
	return format->format < 64 && BIT_ULL(format->format) & formats &&
	       avring_sound_within(format->rate, AVRING_SOUND_MIN_RATE, AVRING_SOUND_MAX_RATE) &&
	       avring_sound_within(format->channels, 1, AVRING_SOUND_MAX_CHANNELS) &&
	       avring_sound_within(format->period_frames, AVRING_SOUND_MIN_PERIOD,
				   AVRING_SOUND_MAX_PERIOD);
}

/**
 * avring_sound_complete() - fill in what is left open
 * @in: a member that is 0 is left open
 * @formats: SNDRV_PCM_FMTBIT_* of what the card can do
 * @out: complete
 *
 * Return: 0 or -EINVAL.
 */
int avring_sound_complete(const struct avring_audio_format *in, u64 formats,
			  struct avring_audio_format *out)
{
	snd_pcm_format_t format;

	*out = *in;
	if (!out->format)
		out->format = avring_sound_default.format;
	if (!out->rate)
		out->rate = avring_sound_default.rate;
	if (!out->channels)
		out->channels = avring_sound_default.channels;
	if (!out->period_frames)
		out->period_frames = avring_sound_default.period_frames;
	if (!avring_sound_valid(out, formats))
		return -EINVAL;
	format = (__force snd_pcm_format_t)out->format;
	out->frame_bytes = snd_pcm_format_physical_width(format) / 8 * out->channels;
	return in->frame_bytes && in->frame_bytes != out->frame_bytes ? -EINVAL : 0;
}
EXPORT_SYMBOL_AVRING(avring_sound_complete);

/**
 * avring_sound_wish() - look at a wish for rings of sound, see struct avring_stream_ops
 * @wish: to be looked at
 * @formats: of samples that there may be, SNDRV_PCM_FMTBIT_*
 *
 * Return: 0, -EINVAL.
 */
int avring_sound_wish(const struct avring_wish *wish, u64 formats)
{
	struct avring_audio_format complete;

	return wish->align > 1 ? -EINVAL : avring_sound_complete(&wish->audio, formats, &complete);
}
EXPORT_SYMBOL_AVRING(avring_sound_wish);

/**
 * avring_sound_new_ring() - make a ring for sound
 * @stream: the stream
 * @audio: what it will carry, complete
 *
 * Return: as avring_stream_new_ring().
 */
struct avring_ring *avring_sound_new_ring(const struct avring_stream *stream,
					  const struct avring_audio_format *audio)
{
	const struct avring_stream_format format = {
		.stream = AVRING_STREAM_AUDIO,
		.audio = *audio,
	};
	const u32 period_bytes = audio->period_frames * audio->frame_bytes;
	const u64 half_second = (u64)audio->rate / 2 * audio->frame_bytes;

	return avring_stream_new_ring(stream, &format, period_bytes,
				      max_t(u64, half_second, 8ULL * period_bytes), 1);
}
EXPORT_SYMBOL_AVRING(avring_sound_new_ring);

static int avring_sound_sleepless_buffer(struct snd_pcm_hw_params *params,
					 struct snd_pcm_hw_rule *rule)
{
	const struct snd_interval least = {
		.min = DIV_ROUND_UP(USEC_PER_SEC, HZ),
		.max = UINT_MAX,
	};

	if (!(params->flags & SNDRV_PCM_HW_PARAMS_NO_PERIOD_WAKEUP))
		return 0;
	return snd_interval_refine(hw_param_interval(params, rule->var), &least);
}

/**
 * avring_sound_constrain() - what the sizes of both sorts of card have to obey
 * @runtime: of a stream that is being opened
 * @least_period: frames
 * @most_period: frames
 *
 * Without wake-ups ALSA counts the laps of the buffer in jiffies, and would do so for
 * ever, with interrupts off, if a lap took none.
 *
 * Return: 0 or a negative errno.
 */
int avring_sound_constrain(struct snd_pcm_runtime *runtime, u32 least_period, u32 most_period)
{
	int err;

	err = snd_pcm_hw_constraint_minmax(runtime, SNDRV_PCM_HW_PARAM_PERIOD_SIZE, least_period,
					   most_period);
	if (err < 0)
		return err;
	err = snd_pcm_hw_rule_add(runtime, 0, SNDRV_PCM_HW_PARAM_BUFFER_TIME,
				  avring_sound_sleepless_buffer, NULL,
				  SNDRV_PCM_HW_PARAM_BUFFER_SIZE, SNDRV_PCM_HW_PARAM_RATE, -1);
	if (err < 0)
		return err;
	return snd_pcm_hw_constraint_integer(runtime, SNDRV_PCM_HW_PARAM_PERIODS);
}
EXPORT_SYMBOL_AVRING(avring_sound_constrain);

/**
 * avring_sound_name_card() - say what a card is called
 * @card: made and not shown yet
 * @name: for people; programs have the id
 */
void avring_sound_name_card(struct snd_card *card, const char *name)
{
	strscpy(card->driver, "avring", sizeof(card->driver));
	strscpy(card->shortname, name, sizeof(card->shortname));
	strscpy(card->mixername, name, sizeof(card->mixername));
	snprintf(card->longname, sizeof(card->longname), "%s at %s (%s)", name,
		 dev_name(card->dev), card->id);
}
EXPORT_SYMBOL_AVRING(avring_sound_name_card);

/**
 * avring_sound_name_pcm() - say what a PCM is called
 * @pcm: of a card that has its name
 */
void avring_sound_name_pcm(struct snd_pcm *pcm)
{
	snprintf(pcm->name, sizeof(pcm->name), "%s PCM", pcm->card->shortname);
}
EXPORT_SYMBOL_AVRING(avring_sound_name_pcm);

/**
 * avring_sound_add_controls() - give a sound card its controls
 * @card: not yet registered
 * @controls: what they are
 * @n_controls: how many
 * @chip: of each of them
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int avring_sound_add_controls(struct snd_card *card, const struct snd_kcontrol_new *controls,
			      unsigned int n_controls, void *chip)
{
	unsigned int i;
	int err;

	for (i = 0; i < n_controls; i++) {
		struct snd_kcontrol *control = snd_ctl_new1(&controls[i], chip);

		/* snd_ctl_add() would call that EINVAL. */
		if (!control)
			return -ENOMEM;
		err = snd_ctl_add(card, control);
		if (err < 0)
			return err;
	}
	return 0;
}
EXPORT_SYMBOL_AVRING(avring_sound_add_controls);

static void avring_sound_node_name(const struct snd_card *card, enum avring_sound_node node,
				   char *name, size_t size)
{
	switch (node) {
	case AVRING_SOUND_CONTROL:
		snprintf(name, size, "controlC%d", card->number);
		break;
	case AVRING_SOUND_PLAYBACK:
		snprintf(name, size, "pcmC%dD0p", card->number);
		break;
	case AVRING_SOUND_CAPTURE:
		snprintf(name, size, "pcmC%dD0c", card->number);
		break;
	}
}

/*
 * Found by name below the card: where ALSA keeps these devices has changed between the
 * supported kernels, their names have not. Return: with a reference, or NULL.
 */
static struct device *avring_sound_find_node(struct snd_card *card, enum avring_sound_node node)
{
	char name[32] = "";

	avring_sound_node_name(card, node, name, sizeof(name));
	return device_find_child_by_name(&card->card_dev, name);
}

/**
 * avring_sound_devt() - device number of one node of a card
 * @card: registered
 * @node: which one
 *
 * Context: process, may sleep.
 * Return: the number, 0 if there is no such node.
 */
dev_t avring_sound_devt(struct snd_card *card, enum avring_sound_node node)
{
	struct device *dev = avring_sound_find_node(card, node);
	dev_t devt;

	if (!dev)
		return 0;
	devt = dev->devt;
	put_device(dev);
	return devt;
}
EXPORT_SYMBOL_AVRING(avring_sound_devt);

/* A node that is there without its card, as ALSA's PCM leaves one behind. */
static void avring_sound_remove_node(struct snd_card *card, enum avring_sound_node node)
{
	struct device *dev = avring_sound_find_node(card, node);

	if (dev)
		snd_unregister_device(dev);
	put_device(dev);
}

/**
 * avring_sound_register() - show a sound card to user space
 * @card: the card
 *
 * When ALSA's PCM cannot register its second stream it leaves the node of the first one
 * behind, and no call on the card removes that: it would hold the card for ever, and be
 * opened after that. It is removed here.
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno; the card is disconnected and freed in either case.
 */
int avring_sound_register(struct snd_card *card)
{
	int err = snd_card_register(card);

	if (err < 0 && card->registered) {
		avring_sound_remove_node(card, AVRING_SOUND_PLAYBACK);
		avring_sound_remove_node(card, AVRING_SOUND_CAPTURE);
	}
	return err;
}
EXPORT_SYMBOL_AVRING(avring_sound_register);

/**
 * avring_sound_stamp() - a time on the clock that the application wants timestamps from
 * @runtime: its stream
 * @ns: CLOCK_MONOTONIC
 *
 * Context: any.
 * Return: the time.
 */
struct timespec64 avring_sound_stamp(const struct snd_pcm_runtime *runtime, u64 ns)
{
	switch (runtime->tstamp_type) {
	case SNDRV_PCM_TSTAMP_TYPE_MONOTONIC:
		break;
	case SNDRV_PCM_TSTAMP_TYPE_MONOTONIC_RAW:
		ns += ktime_get_raw_ns() - ktime_get_ns();
		break;
	default:
		ns = ktime_to_ns(ktime_mono_to_real(ns_to_ktime(ns)));
	}
	return ns_to_timespec64(ns);
}
EXPORT_SYMBOL_AVRING(avring_sound_stamp);

/**
 * avring_sound_forget_time_type() - to be called by the operation "pointer"
 * @runtime: of the stream
 *
 * ALSA does not call get_time_info for the type DEFAULT, but then goes by the type
 * that was reported last, and would hand out a time that nobody has filled in.
 */
void avring_sound_forget_time_type(struct snd_pcm_runtime *runtime)
{
	if (runtime->audio_tstamp_config.type_requested == SNDRV_PCM_AUDIO_TSTAMP_TYPE_DEFAULT)
		runtime->audio_tstamp_report.actual_type = SNDRV_PCM_AUDIO_TSTAMP_TYPE_DEFAULT;
}
EXPORT_SYMBOL_AVRING(avring_sound_forget_time_type);

/**
 * avring_sound_wants_time() - does get_time_info have to say something?
 * @config: what the application asks for
 * @report: filled in if not
 *
 * Return: true if avring_sound_tell_time() knows what is asked for.
 */
bool avring_sound_wants_time(const struct snd_pcm_audio_tstamp_config *config,
			     struct snd_pcm_audio_tstamp_report *report)
{
	if (config->type_requested == SNDRV_PCM_AUDIO_TSTAMP_TYPE_LINK ||
	    config->type_requested == SNDRV_PCM_AUDIO_TSTAMP_TYPE_LINK_ABSOLUTE)
		return true;
	report->actual_type = SNDRV_PCM_AUDIO_TSTAMP_TYPE_DEFAULT;
	return false;
}
EXPORT_SYMBOL_AVRING(avring_sound_wants_time);

/**
 * avring_sound_tell_time() - answer get_time_info
 * @config: what the application asks for
 * @ns: CLOCK_MONOTONIC of the frame at the hardware position
 * @first_ns: the same of frame 0
 * @audio_ts: the time of the sound
 * @report: how exact it is
 */
void avring_sound_tell_time(const struct snd_pcm_audio_tstamp_config *config, u64 ns,
			    u64 first_ns, struct timespec64 *audio_ts,
			    struct snd_pcm_audio_tstamp_report *report)
{
	if (config->type_requested == SNDRV_PCM_AUDIO_TSTAMP_TYPE_LINK)
		ns -= first_ns;
	*audio_ts = ns_to_timespec64(ns);
	report->actual_type = config->type_requested;
	report->accuracy_report = 1;
	report->accuracy = 1;
}
EXPORT_SYMBOL_AVRING(avring_sound_tell_time);
