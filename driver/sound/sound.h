/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: what the sound of both sorts of card, the virtual one and the PCI one, has in
 * common: names, formats of the ring, controls, registration, timestamps, device numbers.
 * Knows no card.
 */
#ifndef AVRING_SOUND_H
#define AVRING_SOUND_H

#include <linux/kdev_t.h>
#include <linux/time64.h>
#include <linux/types.h>
#include <sound/pcm.h>
#include <uapi/linux/avring.h>

#include "sound/sound_node.h"

struct avring_ring;
struct avring_stream;
struct avring_wish;
struct snd_card;
struct snd_kcontrol_new;

#define AVRING_SOUND_MIN_PERIOD		16
#define AVRING_SOUND_MAX_PERIOD		65536
#define AVRING_SOUND_MIN_RATE		8000
#define AVRING_SOUND_MAX_RATE		192000
#define AVRING_SOUND_MAX_CHANNELS	8

extern const struct avring_audio_format avring_sound_default;

int avring_sound_complete(const struct avring_audio_format *in, u64 formats,
			  struct avring_audio_format *out);
int avring_sound_wish(const struct avring_wish *wish, u64 formats);
struct avring_ring *avring_sound_new_ring(const struct avring_stream *stream,
					  const struct avring_audio_format *audio);
int avring_sound_constrain(struct snd_pcm_runtime *runtime, u32 least_period, u32 most_period);
void avring_sound_name_card(struct snd_card *card, const char *name);
void avring_sound_name_pcm(struct snd_pcm *pcm);
int avring_sound_add_controls(struct snd_card *card, const struct snd_kcontrol_new *controls,
			      unsigned int n_controls, void *chip);
int avring_sound_register(struct snd_card *card);
dev_t avring_sound_devt(struct snd_card *card, enum avring_sound_node node);
struct timespec64 avring_sound_stamp(const struct snd_pcm_runtime *runtime, u64 ns);
void avring_sound_forget_time_type(struct snd_pcm_runtime *runtime);
bool avring_sound_wants_time(const struct snd_pcm_audio_tstamp_config *config,
			     struct snd_pcm_audio_tstamp_report *report);
void avring_sound_tell_time(const struct snd_pcm_audio_tstamp_config *config, u64 ns,
			    u64 first_ns, struct timespec64 *audio_ts,
			    struct snd_pcm_audio_tstamp_report *report);

#endif
