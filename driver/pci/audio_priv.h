/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: what the files of the PCI card's sound share with each other and nobody else.
 *
 *   pci/audio.c   card: made, registered, disconnected, freed; its controls
 *   pci/sound.c   the stream: who uses it, the channel, the ring
 *   pci/pcm.c     ALSA's view: PCM operations, the copy into the buffer
 *
 *   tune		who uses the stream and in what format; held from the decision to
 *			start until the channel runs
 *   channel lock	the ring, its mapping for the card, what was granted; chunks land
 *			and failures come with it held
 *   stream lock	ALSA's; trigger, pointer and time info are called with it held
 *   pcm.lock		where the PCM is; interrupts off, nothing is called under it
 */
#ifndef AVRING_PCI_AUDIO_PRIV_H
#define AVRING_PCI_AUDIO_PRIV_H

#include <linux/spinlock.h>
#include <sound/pcm.h>

#include "clock.h"
#include "pci/audio.h"
#include "pci/lane.h"

struct snd_card;

#define AVRING_PCI_SOUND_FORMATS	(SNDRV_PCM_FMTBIT_S16_LE | SNDRV_PCM_FMTBIT_S24_LE | \
					 SNDRV_PCM_FMTBIT_S32_LE)

/**
 * struct avring_pci_pcm - the capture stream of the PCM
 * @lock: guards the rest
 * @fed: the channel runs, or will when the card is up again
 * @running: between START and STOP
 * @joined: a chunk has come since then, so @base, @jumps and @first_ns are known
 * @first_ns: CLOCK_MONOTONIC of frame 0, as it was told then
 * @jumps: of the card's clock before it
 * @xrun: sample frames were lost, the stream stops because of that
 * @area: ALSA's buffer; this and the next five are set by prepare
 * @rate: sample frames per second
 * @frame_bytes: of a sample frame
 * @buffer_frames: size of the buffer
 * @period_frames: size of a period
 * @wakes: ALSA wants to hear of each period
 * @base: frame n of the stream happens at event @base + n of the card's timeline
 * @pos: frames since prepare
 * @next_period: ALSA hears of it when @pos gets here
 * @seen: what ALSA was last told as @pos; changes under the stream lock too
 * @overruns: streams that were stopped because frames were lost, since the card was made
 */
struct avring_pci_pcm {
	spinlock_t lock; /* see above */
	bool fed;
	bool running;
	bool joined;
	u64 first_ns;
	u32 jumps;
	bool xrun;
	void *area;
	struct avring_rate rate;
	u32 frame_bytes;
	u32 buffer_frames;
	u32 period_frames;
	bool wakes;
	u64 base;
	u64 pos;
	u64 next_period;
	u64 seen;
	u64 overruns;
};

/**
 * struct avring_pci_audio - the private data of the snd_card
 * @card: whose memory this is
 * @substream: the one there is; lives as long as @card
 * @parent: a reference on the parent device
 * @released: see struct avring_pci_audio_params; NULL until avring_pci_audio_new() succeeds
 * @released_data: its argument
 * @pcm: see above
 * @gone: nothing may start any more. The stream's tune lock guards this, @pcm_uses and
 *	@format, which changes under the channel's lock, too
 * @pcm_uses: the PCM is one of stream.users
 * @format: of the stream, as long as it has users
 * @lane: the channel and the ring
 */
struct avring_pci_audio {
	struct snd_card *card;
	struct snd_pcm_substream *substream;
	struct device *parent;
	void (*released)(void *data);
	void *released_data;
	struct avring_pci_pcm pcm;

	bool gone;
	bool pcm_uses;
	struct avring_audio_format format;
	struct avring_pci_lane lane;
};

/* pci/sound.c */
void avring_pci_sound_init(struct avring_pci_audio *audio, bool line);
int avring_pci_sound_use(struct avring_pci_audio *audio, const struct avring_audio_format *format,
			 u32 most_frames);
int avring_pci_sound_revive(struct avring_pci_audio *audio);
void avring_pci_sound_unuse(struct avring_pci_audio *audio);
void avring_pci_sound_gone(struct avring_pci_audio *audio);
int avring_pci_sound_set_input(struct avring_pci_audio *audio, u32 input);

/* pci/pcm.c */
int avring_pci_pcm_new(struct avring_pci_audio *audio);
void avring_pci_pcm_feed(struct avring_pci_audio *audio, bool fed);
void avring_pci_pcm_take(struct avring_pci_audio *audio, const struct avring_pci_frame *chunk,
			 const void *data, u32 frames);
void avring_pci_pcm_fail(struct avring_pci_audio *audio, int err);

#endif
