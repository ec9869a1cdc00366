// SPDX-License-Identifier: MIT
/*
 * alsa: any ALSA capture PCM whose memory can be mapped.
 *
 * The PCM's own buffer is mapped twice in a row. The PCM runs freely: it does not
 * stop when its reader is late, since we count that ourselves. What it has captured
 * is cut into chunks of a period, each with an entry in an index of our own. The
 * PCM's application pointer stays where the reader is, so that poll() wakes when
 * enough has been captured after that.
 *
 * Time and position. The hardware writes beyond the position that the driver
 * reported last, so a period more counts as given up, and before a span is called
 * intact the driver is asked anew, unless the span is so young that it cannot be
 * reached yet.
 */
#include <sys/mman.h>

#include "alsa.h"
#include "alsa-params.h"
#include "internal.h"

/* SNDRV_PCM_MMAP_OFFSET_DATA of a header that does not go together with libasound's. */
#define AVRING_ALSA_DATA_OFFSET 0

/* No sound card is slower than the clock by a larger part of a period. */
#define AVRING_ALSA_DRIFT 256

/**
 * struct avring_alsa_state - private part of a reader
 * @pcm: NULL before it was opened
 * @writer: of our control page and index
 * @params: what was negotiated
 * @fd: of the PCM
 * @avail_min: as it is set
 * @run_entry: first entry since the PCM was started
 * @run_position: ring position of the first byte since then, where the buffer begins
 * @run_sequence: of the first sample frame since then
 * @captured: sample frames since then
 * @published: sample frames since then that have an entry
 * @applied: sample frames since then that the PCM knows to be read
 * @started_ns: when the PCM was started
 * @seen_ns: when @captured was true
 * @time_ns: of the last chunk since the PCM was started, 0 if there was none
 */
struct avring_alsa_state {
	snd_pcm_t *pcm;
	struct avring_writer writer;
	struct avring_alsa_params params;
	int fd;
	uint64_t avail_min;
	uint64_t run_entry;
	uint64_t run_position;
	uint64_t run_sequence;
	uint64_t captured;
	uint64_t published;
	uint64_t applied;
	uint64_t started_ns;
	uint64_t seen_ns;
	uint64_t time_ns;
};

static struct avring_alsa_state *avring_alsa(const struct avring_reader *reader)
{
	return (struct avring_alsa_state *)reader->state;
}

static void avring_alsa_say_nothing(const char *file, int line, const char *function, int error,
				    const char *format, va_list args)
{
	(void)file;
	(void)line;
	(void)function;
	(void)error;
	(void)format;
	(void)args;
}

snd_local_error_handler_t avring_alsa_quiet(void)
{
	return snd_lib_error_set_local(avring_alsa_say_nothing);
}

static uint64_t avring_alsa_frames_ns(const struct avring_alsa_state *alsa, uint64_t frames)
{
	const uint64_t rate = alsa->params.rate;

	return frames / rate * AVRING_NSEC_PER_SEC + frames % rate * AVRING_NSEC_PER_SEC / rate;
}

static uint64_t avring_alsa_ns_frames(const struct avring_alsa_state *alsa, uint64_t ns)
{
	const uint64_t rate = alsa->params.rate, second = AVRING_NSEC_PER_SEC;

	return ns / second * rate + ns % second * rate / second;
}

static int avring_alsa_map(struct avring_reader *reader)
{
	struct avring_alsa_state *alsa = avring_alsa(reader);
	const struct avring_alsa_params *params = &alsa->params;
	struct avring_view *view = avring_view_new();
	uint64_t entries = 2;
	void *data;
	int error;

	if (!view)
		return -ENOMEM;
	reader->view = view;
	while (entries < 2 * (params->buffer_frames / params->period_frames))
		entries *= 2;
	view->length = (uint64_t)params->buffer_frames * params->frame_bytes;
	view->frame_bytes = (uint64_t)params->period_frames * params->frame_bytes;
	view->align = 1;
	error = avring_view_own_index(view, entries);
	if (!error)
		error = avring_view_mirror(view, alsa->fd, AVRING_ALSA_DATA_OFFSET, view->length,
					   PROT_READ, &data);
	if (error)
		return error == -ENXIO || error == -EINVAL ? -EOPNOTSUPP : error;
	view->data = data;
	avring_writer_begin(&alsa->writer, view);
	return 0;
}

static void avring_alsa_describe(struct avring_reader *reader)
{
	const struct avring_alsa_params *params = &avring_alsa(reader)->params;

	reader->format.stream = AVRING_STREAM_AUDIO;
	reader->format.audio = (struct avring_audio_format){
		.format = params->format,
		.rate = params->rate,
		.channels = params->channels,
		.frame_bytes = params->frame_bytes,
		.period_frames = params->period_frames,
	};
}

static int avring_alsa_start(struct avring_alsa_state *alsa)
{
	alsa->avail_min = alsa->params.period_frames;
	alsa->captured = 0;
	alsa->published = 0;
	alsa->applied = 0;
	alsa->time_ns = 0;
	alsa->started_ns = avring_now_ns();
	alsa->seen_ns = alsa->started_ns;
	return snd_pcm_start(alsa->pcm);
}

static int avring_alsa_set_up(struct avring_reader *reader, const char *device)
{
	struct avring_alsa_state *alsa = avring_alsa(reader);
	struct pollfd file;
	int error = snd_pcm_open(&alsa->pcm, device, SND_PCM_STREAM_CAPTURE, SND_PCM_NONBLOCK);

	if (error) {
		alsa->pcm = NULL;
		return error;
	}
	/* A plugin has no memory of a device behind it. */
	if (snd_pcm_type(alsa->pcm) != SND_PCM_TYPE_HW ||
	    snd_pcm_poll_descriptors(alsa->pcm, &file, 1) != 1)
		return -EOPNOTSUPP;
	alsa->fd = file.fd;
	error = avring_alsa_negotiate(alsa->pcm, &reader->options, &alsa->params);
	if (!error)
		error = avring_alsa_set_wakeup(alsa->pcm, alsa->params.period_frames);
	if (!error)
		error = avring_alsa_map(reader);
	if (error)
		return error;
	avring_alsa_describe(reader);
	return avring_alsa_start(alsa);
}

static int avring_alsa_open(struct avring_reader *reader, const char *device, int fd)
{
	snd_local_error_handler_t before = avring_alsa_quiet();
	int error;

	(void)fd;
	error = avring_alsa_set_up(reader, device);
	snd_lib_error_set_local(before);
	return error;
}

static void avring_alsa_close(struct avring_reader *reader)
{
	snd_local_error_handler_t before = avring_alsa_quiet();

	/* The PCM is busy as long as its memory is mapped. */
	avring_view_free(reader->view);
	reader->view = NULL;
	if (avring_alsa(reader)->pcm)
		snd_pcm_close(avring_alsa(reader)->pcm);
	snd_lib_error_set_local(before);
}

/* What it stood still counts as lost; so does what was captured and not read. */
static int avring_alsa_restart(struct avring_reader *reader)
{
	struct avring_alsa_state *alsa = avring_alsa(reader);
	uint64_t end = alsa->run_position + alsa->captured * alsa->params.frame_bytes;
	uint64_t stood_ns = avring_now_ns() - alsa->seen_ns;
	int error = snd_pcm_prepare(alsa->pcm);

	alsa->run_sequence += alsa->captured + avring_alsa_ns_frames(alsa, stood_ns);
	alsa->run_position = avring_align(end, alsa->writer.length);
	alsa->run_entry = alsa->writer.head_entry;
	avring_writer_give_up(&alsa->writer, alsa->run_position, 1);
	if (!error)
		error = avring_alsa_set_wakeup(alsa->pcm, alsa->params.period_frames);
	return error ?: avring_alsa_start(alsa);
}

/* The PCM does not run: get it going, or find out that it is gone. */
static int avring_alsa_recover(struct avring_reader *reader)
{
	struct avring_alsa_state *alsa = avring_alsa(reader);
	snd_pcm_state_t state = snd_pcm_state(alsa->pcm);
	snd_local_error_handler_t before;
	int error;

	if (state == SND_PCM_STATE_RUNNING)
		return 0;
	before = avring_alsa_quiet();
	error = state == SND_PCM_STATE_DISCONNECTED ? -ENODEV : avring_alsa_restart(reader);
	snd_lib_error_set_local(before);
	if (error)
		reader->gone |= AVRING_STATE_GONE;
	return 0;
}

/*
 * A chunk began as long before the position was seen as there are samples between. That
 * is right or late, as the driver is: so follow at once when it is earlier than one
 * period after the last chunk, and slowly, as clocks drift, when it is later.
 */
static uint64_t avring_alsa_time(const struct avring_alsa_state *alsa)
{
	uint64_t period_ns = avring_alsa_frames_ns(alsa, alsa->params.period_frames);
	uint64_t time_ns = alsa->seen_ns -
			   avring_alsa_frames_ns(alsa, alsa->captured - alsa->published);

	if (!alsa->time_ns)
		return time_ns;
	time_ns = avring_min(time_ns, alsa->time_ns + period_ns + period_ns / AVRING_ALSA_DRIFT);
	return avring_max(time_ns, alsa->time_ns + 1);
}

static void avring_alsa_publish(struct avring_alsa_state *alsa)
{
	const struct avring_alsa_params *params = &alsa->params;
	struct avring_entry entry = {
		.position = alsa->run_position + alsa->published * params->frame_bytes,
		.sequence = alsa->run_sequence + alsa->published,
		.count = params->period_frames,
		.length = params->period_frames * params->frame_bytes,
	};

	entry.event = entry.sequence;
	entry.time_ns = avring_alsa_time(alsa);
	alsa->time_ns = entry.time_ns;
	alsa->published += params->period_frames;
	avring_writer_publish(&alsa->writer, &entry);
}

/* Take over where the PCM is. */
static void avring_alsa_follow(struct avring_alsa_state *alsa)
{
	const struct avring_alsa_params *params = &alsa->params;
	uint64_t reached = alsa->run_position +
			   (alsa->captured + params->period_frames) * params->frame_bytes;

	if (reached > alsa->writer.length)
		avring_writer_give_up(&alsa->writer, reached - alsa->writer.length, 0);
	/* What is overwritten already needs no entry. */
	while (alsa->captured - alsa->published >= params->period_frames) {
		avring_writer_give_up(&alsa->writer, 0, 1);
		avring_alsa_publish(alsa);
	}
	avring_writer_give_up(&alsa->writer, 0, 0);
}

static int avring_alsa_update(struct avring_reader *reader)
{
	struct avring_alsa_state *alsa = avring_alsa(reader);
	snd_pcm_uframes_t avail;
	snd_htimestamp_t seen;

	if (reader->gone)
		return 0;
	if (snd_pcm_state(alsa->pcm) != SND_PCM_STATE_RUNNING ||
	    snd_pcm_htimestamp(alsa->pcm, &avail, &seen))
		return avring_alsa_recover(reader);
	if (alsa->applied + avail <= alsa->captured)
		return 0;
	alsa->captured = alsa->applied + avail;
	alsa->seen_ns = seen.tv_sec * AVRING_NSEC_PER_SEC + seen.tv_nsec;
	/* The kernel keeps the time of the last run where the position is the same by chance. */
	if (alsa->seen_ns < alsa->started_ns)
		alsa->seen_ns = avring_now_ns();
	avring_alsa_follow(alsa);
	return 0;
}

/* May the hardware have come as far as the span by now, one percent too fast? */
static bool avring_alsa_at_risk(const struct avring_alsa_state *alsa,
				const struct avring_span *span)
{
	uint64_t passed_ns = avring_now_ns() - alsa->seen_ns;
	uint64_t frames = alsa->captured + 2 * alsa->params.period_frames +
			  avring_alsa_ns_frames(alsa, passed_ns + passed_ns / 100);
	uint64_t reached = alsa->run_position + frames * alsa->params.frame_bytes;

	return reached > alsa->writer.length && span->position < reached - alsa->writer.length;
}

static int avring_alsa_settle(struct avring_reader *reader, const struct avring_span *span)
{
	struct avring_alsa_state *alsa = avring_alsa(reader);

	if (reader->gone || !avring_alsa_at_risk(alsa, span))
		return 0;
	snd_pcm_hwsync(alsa->pcm);
	return avring_alsa_update(reader);
}

/* Entries that a need amounts to: all of them have the same length. */
static uint64_t avring_alsa_entries(const struct avring_alsa_state *alsa,
				    const struct avring_need *need)
{
	uint64_t chunk_bytes = (uint64_t)alsa->params.period_frames * alsa->params.frame_bytes;
	uint64_t chunk_ns = avring_alsa_frames_ns(alsa, alsa->params.period_frames);
	uint64_t entries = avring_max(need->entries, (need->bytes + chunk_bytes - 1) / chunk_bytes);

	if (need->time_ns)
		entries = avring_max(entries, need->time_ns / avring_max(chunk_ns, 1) + 1);
	return entries;
}

/* Tell the PCM where the reader is and how much it wants. */
static int avring_alsa_prepare(struct avring_reader *reader, const struct avring_need *need)
{
	struct avring_alsa_state *alsa = avring_alsa(reader);
	uint64_t avail_min = avring_alsa_entries(alsa, need) * alsa->params.period_frames;
	uint64_t read = 0;

	if (need->next > alsa->run_entry)
		read = (need->next - alsa->run_entry) * alsa->params.period_frames;
	if (read > alsa->applied) {
		snd_pcm_mmap_commit(alsa->pcm, alsa->applied % alsa->params.buffer_frames,
				    read - alsa->applied);
		alsa->applied = read;
	}
	if (avail_min == alsa->avail_min)
		return 0;
	alsa->avail_min = avail_min;
	return avring_alsa_set_wakeup(alsa->pcm, avail_min);
}

static int avring_alsa_wait(struct avring_reader *reader, const struct avring_need *need,
			    uint64_t deadline_ns)
{
	int result = avring_alsa_prepare(reader, need);

	if (!result)
		result = avring_poll_until(avring_alsa(reader)->fd, POLLIN, deadline_ns);
	return result < 0 ? result : 1;
}

static int avring_alsa_arm(struct avring_reader *reader, const struct avring_need *need)
{
	return avring_alsa_prepare(reader, need);
}

static int avring_alsa_fd(const struct avring_reader *reader)
{
	return avring_alsa(reader)->fd;
}

const struct avring_backend avring_alsa_backend = {
	.state_size = sizeof(struct avring_alsa_state),
	.streams = 1 << AVRING_STREAM_AUDIO,
	.open = avring_alsa_open,
	.close = avring_alsa_close,
	.update = avring_alsa_update,
	.settle = avring_alsa_settle,
	.wait = avring_alsa_wait,
	.arm = avring_alsa_arm,
	.fd = avring_alsa_fd,
};
