// SPDX-License-Identifier: MIT
/*
 * Sending files into a card: each frame is read into the ring ahead of its time, and
 * published at its time. All times are on the card's timeline and follow from one
 * start, so nothing drifts and picture and sound stay together.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "../wish.h"
#include "play.h"
#include "source.h"

/* Whoever is later than this has been stopped; the rest is not sent in a rush. */
#define PLAY_LATE_NS (TOOL_NSEC_PER_SEC / 2)

/**
 * struct play_stream - a file on its way into a ring
 * @source: the file
 * @producer: the ring
 * @rate: events per second
 * @frame_bytes: of a frame, or of a sample frame
 * @room: bytes that are sent at once
 * @ready: bytes that were read and not sent
 * @first: number of the first frame on the timeline
 * @sent: frames or sample frames
 * @sent_before: of them, up to the begin of this lap
 * @frames_left: so many may be sent
 * @laps: how often the file was begun again
 * @silent: sample frames of silence since the end of this lap
 * @is_at_end: of the file, which is to begin again
 * @is_done: nothing more is sent
 */
struct play_stream {
	struct play_source source;
	struct avring_producer *producer;
	struct tool_rate rate;
	uint32_t frame_bytes;
	size_t room;
	size_t ready;
	uint64_t first;
	uint64_t sent;
	uint64_t sent_before;
	uint64_t frames_left;
	unsigned int laps;
	uint64_t silent;
	bool is_at_end;
	bool is_done;
};

/**
 * struct play_session - files that are sent together
 * @settings: what was asked for
 * @streams: one or two
 * @n_streams: how many
 * @start_ns: time of the first frame
 * @late: how often the start had to be moved
 * @status: TOOL_*
 */
struct play_session {
	const struct play_settings *settings;
	struct play_stream streams[PLAY_FILES];
	unsigned int n_streams;
	uint64_t start_ns;
	unsigned int late;
	int status;
};

/* ---------------------------------------------------------------- opening */

static int play_stream_attach(struct play_session *session, struct play_stream *stream)
{
	const struct play_settings *settings = session->settings;
	const struct avring_options options = {
		.size = sizeof(options),
		.stream = stream->source.format.stream,
		.ring_bytes = settings->wish.ring_length.bytes,
	};
	int error = avring_producer_open(&stream->producer, tool_device_path(settings->device),
					 &stream->source.format, &options);

	if (error == -EINVAL) {
		tool_error("%s: %s: cannot carry %s", settings->device, stream->source.path,
			   tool_format_text(&stream->source.format).text);
		return TOOL_FAILED;
	}
	if (error)
		return tool_refused(settings->device, &options, error);
	stream->source.format = *avring_producer_format(stream->producer);
	stream->rate = tool_event_rate(&stream->source.format);
	stream->frame_bytes = tool_frame_bytes(&stream->source.format);
	stream->room = stream->frame_bytes;
	if (stream->source.format.stream == AVRING_STREAM_AUDIO)
		stream->room *= stream->source.format.audio.period_frames;
	return TOOL_OK;
}

static int play_session_open_sources(struct play_session *session)
{
	const struct play_settings *settings = session->settings;
	struct play_stream *stream;
	int i, status = TOOL_OK;

	for (i = 0; i < PLAY_FILES && !status && !tool_signals(); i++) {
		if (!settings->paths[i])
			continue;
		stream = &session->streams[session->n_streams++];
		stream->frames_left = settings->frames && session->n_streams == 1 ?
					      settings->frames :
					      UINT64_MAX;
		status = play_source_open(&stream->source, settings->paths[i], settings->container,
					  settings->streams[i], &settings->wish);
	}
	return status;
}

/* What would be left out in silence. */
static int play_session_check_wishes(const struct play_session *session)
{
	bool has[AVRING_STREAMS] = { false };
	unsigned int i;
	int status;

	for (i = 0; i < session->n_streams; i++)
		has[session->streams[i].source.format.stream] = true;
	status = tool_wish_check(&session->settings->wish, has, "played");
	return status == TOOL_GO_ON ? TOOL_OK : status;
}

/* A card is left alone unless all files can be played. */
static int play_session_open(struct play_session *session)
{
	int status = play_session_open_sources(session);
	unsigned int i;

	if (!status && !tool_signals())
		status = play_session_check_wishes(session);
	for (i = 0; i < session->n_streams && !status && !tool_signals(); i++)
		status = play_stream_attach(session, &session->streams[i]);
	return status;
}

static void play_session_close(struct play_session *session)
{
	unsigned int i;

	for (i = 0; i < session->n_streams; i++) {
		avring_producer_close(session->streams[i].producer);
		play_source_close(&session->streams[i].source);
	}
}

/* ---------------------------------------------------------------- reading ahead */

static void play_stream_fail(struct play_session *session, struct play_stream *stream, int error,
			     const char *path)
{
	if (session->status == TOOL_OK && error == -EBADMSG) {
		tool_error("%s: frame %" PRIu64 " does not begin with FRAME", path, stream->sent);
		session->status = TOOL_FAILED;
	} else if (session->status == TOOL_OK && !(error == -EINTR && tool_signals())) {
		session->status = tool_fail(error, "%s: after %" PRIu64 " frames", path,
					    stream->sent);
	}
	stream->is_done = true;
}

/* The end of the file. What is not a whole frame is not sent, and is told once. */
static void play_stream_end(struct play_session *session, struct play_stream *stream, size_t rest)
{
	uint32_t rest_of = rest ? stream->frame_bytes : stream->source.rest_of;

	rest = rest ?: stream->source.rest;
	if (rest && !stream->sent_before)
		tool_error("%s: the last %zu bytes are no whole frame of %u and were not sent",
			   stream->source.path, rest, rest_of);
	if (stream->sent == stream->sent_before) {
		tool_error("%s: there is no whole frame in it", stream->source.path);
		session->status = TOOL_FAILED;
		stream->is_done = true;
		return;
	}
	stream->is_at_end = session->settings->is_loop;
	stream->is_done = !session->settings->is_loop;
}

static size_t play_stream_wanted(const struct play_stream *stream)
{
	if (stream->frames_left < stream->room / stream->frame_bytes)
		return stream->frames_left * stream->frame_bytes;
	return stream->room;
}

/* begin() takes the place of what was begun before, so it may be called again. */
static void play_stream_fill(struct play_session *session, struct play_stream *stream)
{
	ssize_t done = 0;
	size_t wanted, rest;
	void *data;
	int error;

	while (!stream->ready && !stream->is_at_end && !stream->is_done && !tool_signals()) {
		wanted = play_stream_wanted(stream);
		error = avring_producer_begin(stream->producer, wanted, &data);
		if (error) {
			play_stream_fail(session, stream, error, session->settings->device);
			return;
		}
		done = stream->source.container->read(&stream->source, data, wanted);
		/* A signal makes an end of any file. */
		if (tool_signals())
			return;
		if (done < 0) {
			play_stream_fail(session, stream, done, stream->source.path);
			return;
		}
		rest = done % stream->frame_bytes;
		stream->ready = done - rest;
		if ((size_t)done < wanted && !stream->ready)
			play_stream_end(session, stream, rest);
	}
}

/* ---------------------------------------------------------------- sending */

static uint64_t play_stream_ns(const struct play_stream *stream)
{
	return tool_event_ns(stream->first + stream->sent, stream->rate.num, stream->rate.den);
}

/* Number of the first event of its rate at or after @ns. */
static uint64_t play_stream_event(const struct play_stream *stream, uint64_t ns)
{
	uint64_t next = (unsigned __int128)ns * stream->rate.num / stream->rate.den /
			TOOL_NSEC_PER_SEC;

	while (tool_event_ns(next, stream->rate.num, stream->rate.den) < ns)
		next++;
	return next;
}

/* There is the next frame. */
static void play_stream_set_next(struct play_stream *stream, uint64_t ns)
{
	stream->first = play_stream_event(stream, ns) - stream->sent;
}

/*
 * All that is to come happens later by so much, rounded up so that the first file is
 * on its grid; the other one moves with it.
 */
static void play_session_move(struct play_session *session, uint64_t by_ns)
{
	struct play_stream *stream;
	uint64_t before_ns;
	unsigned int i;

	for (i = 0; i < session->n_streams; i++) {
		stream = &session->streams[i];
		before_ns = play_stream_ns(stream);
		play_stream_set_next(stream, before_ns + by_ns);
		by_ns = play_stream_ns(stream) - before_ns;
	}
}

/* The one whose frame is due first, or NULL. */
static struct play_stream *play_session_next(struct play_session *session)
{
	struct play_stream *stream, *next = NULL;
	unsigned int i;

	for (i = 0; i < session->n_streams; i++) {
		stream = &session->streams[i];
		if (stream->ready && (!next || play_stream_ns(stream) < play_stream_ns(next)))
			next = stream;
	}
	return next;
}

static void play_sleep_until(uint64_t ns)
{
	const struct timespec time = { .tv_sec = ns / TOOL_NSEC_PER_SEC,
				       .tv_nsec = ns % TOOL_NSEC_PER_SEC };

	while (!tool_signals() &&
	       clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
		;
}

static void play_session_catch_up(struct play_session *session, uint64_t due_ns)
{
	uint64_t now_ns = tool_now_ns();

	if (now_ns < due_ns + PLAY_LATE_NS)
		return;
	play_session_move(session, now_ns - due_ns);
	session->late++;
}

static void play_stream_send(struct play_session *session, struct play_stream *stream)
{
	uint64_t due_ns = play_stream_ns(stream);
	uint64_t frames = stream->ready / stream->frame_bytes;
	int error;

	play_session_catch_up(session, due_ns);
	due_ns = play_stream_ns(stream);
	play_sleep_until(due_ns);
	if (tool_signals())
		return;
	error = avring_producer_commit(stream->producer, stream->ready, due_ns);
	if (error) {
		play_stream_fail(session, stream, error, session->settings->device);
		return;
	}
	stream->ready = 0;
	if (stream->is_at_end) {
		stream->first += frames;
		stream->silent += frames;
		return;
	}
	stream->sent += frames;
	stream->frames_left -= stream->frames_left == UINT64_MAX ? 0 : frames;
	if (!stream->frames_left)
		stream->is_done = true;
}

/* ---------------------------------------------------------------- again and again */

static void play_stream_begin_lap(struct play_session *session, struct play_stream *stream,
				  uint64_t ns)
{
	int error = stream->source.container->rewind(&stream->source);

	if (error)
		play_stream_fail(session, stream, error, stream->source.path);
	play_stream_set_next(stream, ns);
	stream->sent_before = stream->sent;
	stream->silent = 0;
	stream->laps++;
	stream->is_at_end = false;
	play_stream_fill(session, stream);
}

/* A card closes up small gaps in its sound, so there is none: silence up to @ns. */
static void play_stream_fill_silence(struct play_session *session, struct play_stream *stream,
				     uint64_t ns)
{
	uint64_t frames = play_stream_event(stream, ns) - stream->first - stream->sent;
	void *data;
	int error;

	if (frames > stream->room / stream->frame_bytes)
		frames = stream->room / stream->frame_bytes;
	error = avring_producer_begin(stream->producer, frames * stream->frame_bytes, &data);
	if (error) {
		play_stream_fail(session, stream, error, session->settings->device);
		return;
	}
	stream->ready = frames * stream->frame_bytes;
	memset(data, 0, stream->ready);
}

/* When the frames of this lap are over. */
static uint64_t play_stream_end_ns(const struct play_stream *stream)
{
	return tool_event_ns(stream->first + stream->sent - stream->silent, stream->rate.num,
			     stream->rate.den);
}

/*
 * A lap is over when both files are. Then they begin together, as at the start: the first
 * one on its grid, the other one, which is sound, with the first sample from there on.
 */
static void play_session_turn(struct play_session *session)
{
	struct play_stream *first = &session->streams[0];
	struct play_stream *other = session->n_streams > 1 ? &session->streams[1] : NULL;
	uint64_t end_ns;

	if (first->is_at_end && (!other || other->is_at_end)) {
		end_ns = play_stream_end_ns(first);
		if (other && play_stream_end_ns(other) > end_ns)
			end_ns = play_stream_end_ns(other);
		play_stream_begin_lap(session, first, end_ns);
	}
	if (!other || !other->is_at_end || other->ready || session->status != TOOL_OK)
		return;
	if (play_stream_ns(other) < play_stream_ns(first))
		play_stream_fill_silence(session, other, play_stream_ns(first));
	else if (other->laps < first->laps)
		play_stream_begin_lap(session, other, play_stream_ns(first));
}

static bool play_session_fill(struct play_session *session)
{
	unsigned int i;

	for (i = 0; i < session->n_streams; i++)
		play_stream_fill(session, &session->streams[i]);
	if (session->status == TOOL_OK && !tool_signals())
		play_session_turn(session);
	return session->status == TOOL_OK && !tool_signals();
}

/* The last frame is there for as long as all others. */
static void play_session_linger(struct play_session *session)
{
	uint64_t end_ns = 0, ns;
	unsigned int i;

	for (i = 0; i < session->n_streams; i++) {
		ns = play_stream_ns(&session->streams[i]);
		if (ns > end_ns)
			end_ns = ns;
	}
	play_sleep_until(end_ns);
}

static void play_session_send(struct play_session *session)
{
	const uint64_t time_ns = session->settings->time_ns;
	struct play_stream *stream;

	while (play_session_fill(session)) {
		stream = play_session_next(session);
		if (!stream)
			break;
		/* Times count from the first frame: nothing was sent, so all are 0 before. */
		if (!session->start_ns) {
			play_session_move(session, tool_now_ns());
			session->start_ns = play_stream_ns(&session->streams[0]);
		}
		if (time_ns && play_stream_ns(stream) >= session->start_ns + time_ns)
			break;
		/* -n counts the first file; the other one ends with it. */
		if (session->streams[0].is_done && session->settings->frames &&
		    play_stream_ns(stream) >= play_stream_ns(&session->streams[0]))
			break;
		play_stream_send(session, stream);
	}
	if (session->status == TOOL_OK && session->start_ns)
		play_session_linger(session);
}

static void play_session_report(const struct play_session *session)
{
	const struct play_stream *stream;
	unsigned int i;

	for (i = 0; i < session->n_streams; i++) {
		stream = &session->streams[i];
		tool_say("%s: %" PRIu64 " %s sent as %s", stream->source.path, stream->sent,
			 stream->source.format.stream == AVRING_STREAM_VIDEO ? "frames" : "samples",
			 tool_format_text(&stream->source.format).text);
	}
	if (session->late)
		tool_error("%u times more than %" PRIu64 " ms late; the rest was sent later",
			   session->late, PLAY_LATE_NS / 1000000);
}

int play_run(const struct play_settings *settings)
{
	struct play_session session = { .settings = settings };

	tool_set_quiet(settings->is_quiet);
	tool_catch_signals();
	session.status = play_session_open(&session);
	/* A signal may have come before there was anything to send. */
	if (session.status == TOOL_OK && !tool_signals()) {
		if (settings->is_ready_told)
			tool_error("ready");
		play_session_send(&session);
		play_session_report(&session);
	}
	play_session_close(&session);
	return session.status;
}
