// SPDX-License-Identifier: MIT
/*
 * A recording from its beginning to its end: waits for the streams, begins them at
 * one instant, ends them at one, and knows why it ends.
 */
#include "record.h"
#include "report.h"
#include "stream.h"

#define RECORD_NEVER UINT64_MAX

/* A signal that comes just before a wait is seen after this time. */
#define RECORD_WAIT_NS TOOL_NSEC_PER_SEC

/* Between two checkpoints, and two lines of progress. */
#define RECORD_TICK_NS TOOL_NSEC_PER_SEC

/* A frame that is this late does not come any more. */
#define RECORD_GRACE_NS TOOL_NSEC_PER_SEC

/**
 * struct record_session - a recording
 * @settings: what was asked for
 * @streams: one or two
 * @n_streams: how many
 * @is_told: what went wrong with the device was said
 * @video: the one with pictures, or NULL
 * @opened_ns: when the streams were attached
 * @is_started: @start_ns is known
 * @start_ns: time of the first frame
 * @delay_ns: how long after that time we had it
 * @end_ns: first time that is not recorded, or RECORD_NEVER
 * @last_ns: when something was last taken
 * @tick_ns: next checkpoint and line of progress
 * @status: TOOL_*
 */
struct record_session {
	const struct record_settings *settings;
	struct record_stream streams[AVRING_STREAMS];
	unsigned int n_streams;
	bool is_told;
	struct record_stream *video;
	uint64_t opened_ns;
	bool is_started;
	uint64_t start_ns;
	uint64_t delay_ns;
	uint64_t end_ns;
	uint64_t last_ns;
	uint64_t tick_ns;
	int status;
};

/* One step of all outputs. */
static int record_session_each(struct record_session *session,
			       void (*step)(struct record_output *output))
{
	unsigned int i;

	for (i = 0; i < session->n_streams; i++) {
		step(&session->streams[i].output);
		if (session->streams[i].output.status)
			return TOOL_FAILED;
	}
	return TOOL_OK;
}

/* Nothing that is there is touched before everything is there that the recording needs. */
static int record_session_open_files(struct record_session *session)
{
	struct record_output *second = &session->streams[1].output;
	int status = record_session_each(session, record_output_open);

	if (!status && session->n_streams > 1)
		record_output_compare(second, &session->streams[0].output);
	status = status ?: second->status;
	status = status ?: record_session_each(session, record_output_lock);
	return status ?: record_session_each(session, record_output_begin);
}

static int record_session_open(struct record_session *session)
{
	const struct record_settings *settings = session->settings;
	struct record_stream *stream;
	uint32_t which;
	int status;

	for (which = 0; which < AVRING_STREAMS; which++) {
		if (!settings->paths[which])
			continue;
		stream = &session->streams[session->n_streams];
		stream->is_told = &session->is_told;
		status = record_stream_open(stream, settings, which);
		if (stream->reader)
			session->n_streams++;
		if (status)
			return status;
		if (which == AVRING_STREAM_VIDEO)
			session->video = stream;
	}
	status = record_session_open_files(session);
	if (status)
		return status;
	/* A number of frames is one of pictures where there are pictures. */
	if (settings->frames)
		session->streams[0].frames_left = settings->frames;
	session->opened_ns = tool_now_ns();
	session->last_ns = session->opened_ns;
	session->tick_ns = session->opened_ns + RECORD_TICK_NS;
	session->end_ns = RECORD_NEVER;
	return TOOL_OK;
}

static bool record_session_peek_all(struct record_session *session)
{
	bool all = true;
	unsigned int i;

	for (i = 0; i < session->n_streams; i++)
		if (!record_stream_peek(&session->streams[i]))
			all = false;
	return all;
}

/*
 * Both streams begin with the first picture that has its sound, and the sound is
 * cut to that instant.
 */
static bool record_session_find_start(struct record_session *session)
{
	struct record_stream *video = session->video;
	uint64_t now_ns = tool_now_ns();

	if (!record_session_peek_all(session))
		return false;
	while (session->n_streams > 1 && video->held.time_ns < session->streams[1].held.time_ns) {
		record_stream_drop(video);
		if (!record_stream_peek(video))
			return false;
	}
	session->start_ns = session->streams[0].held.time_ns;
	session->delay_ns = now_ns > session->start_ns ? now_ns - session->start_ns : 0;
	if (session->settings->time_ns)
		session->end_ns = session->start_ns + session->settings->time_ns;
	session->is_started = true;
	return true;
}

/*
 * The end was asked for: what has happened up to now is still taken. Not so where a
 * pipe is slow; there only the frame that was begun is finished.
 */
static bool record_session_heed_signals(struct record_session *session,
					const struct record_stream *stream)
{
	uint64_t now_ns = tool_now_ns();

	if (!tool_signals())
		return false;
	if (session->end_ns > now_ns)
		session->end_ns = now_ns;
	return stream->output.sink.file.is_stream;
}

/* Takes everything that is there. */
static void record_session_drain(struct record_session *session, struct record_stream *stream)
{
	bool is_new = false;

	while (!record_session_heed_signals(session, stream) && record_stream_peek(stream)) {
		record_stream_take(stream, session->start_ns, session->end_ns);
		is_new = true;
	}
	if (is_new)
		session->last_ns = tool_now_ns();
	/* The sound ends with the last picture. */
	if (stream == session->video && !stream->frames_left && session->end_ns > stream->next_ns)
		session->end_ns = stream->next_ns;
}

static bool record_session_is_done(const struct record_session *session)
{
	bool done = true;
	unsigned int i;

	for (i = 0; i < session->n_streams; i++) {
		if (session->streams[i].output.status != TOOL_OK)
			return true;
		if (!session->streams[i].is_done)
			done = false;
	}
	return done;
}

static void record_session_take(struct record_session *session)
{
	unsigned int i;

	if (!session->is_started && !record_session_find_start(session))
		return;
	for (i = 0; i < session->n_streams; i++)
		record_session_drain(session, &session->streams[i]);
}

/* ---------------------------------------------------------------- waiting */

static uint64_t record_earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* What has not come by then does not come any more. */
static uint64_t record_session_late_ns(const struct record_session *session)
{
	if (session->end_ns != RECORD_NEVER)
		return session->end_ns + session->delay_ns + RECORD_GRACE_NS;
	if (!session->is_started && session->settings->time_ns)
		return session->opened_ns + session->settings->time_ns + RECORD_GRACE_NS;
	return RECORD_NEVER;
}

/* When there is something to do even if nothing comes. */
static uint64_t record_session_deadline(const struct record_session *session)
{
	uint64_t now_ns = tool_now_ns(), deadline_ns = now_ns + RECORD_WAIT_NS;

	if (record_report_is_wanted(session->settings))
		deadline_ns = record_earlier(deadline_ns, session->tick_ns);
	if (session->settings->idle_ns)
		deadline_ns = record_earlier(deadline_ns,
					     session->last_ns + session->settings->idle_ns);
	if (session->end_ns > now_ns)
		deadline_ns = record_earlier(deadline_ns, session->end_ns);
	return record_earlier(deadline_ns, record_session_late_ns(session));
}

/* When the end is near, a wait for much would miss it. */
static void record_session_arm_level(struct record_session *session, struct record_stream *stream)
{
	struct avring_watermark watermark = record_stream_watermark(stream);

	if (session->end_ns <= tool_now_ns())
		watermark = (struct avring_watermark){ .entries = 1 };
	if (avring_reader_set_watermark(stream->reader, &watermark))
		avring_reader_set_watermark(stream->reader, NULL);
}

static int record_session_wait(struct record_session *session)
{
	struct avring_reader *readers[AVRING_STREAMS];
	struct record_stream *stream;
	unsigned int i, n = 0;
	int error;

	for (i = 0; i < session->n_streams; i++) {
		stream = &session->streams[i];
		/* What is held waits for the other stream. */
		if (stream->is_done || stream->has_held)
			continue;
		record_session_arm_level(session, stream);
		readers[n++] = stream->reader;
	}
	error = tool_readers_wait(readers, n, record_session_deadline(session));
	return error ? tool_fail(error, "%s: wait", session->settings->device) : TOOL_OK;
}

/* ---------------------------------------------------------------- why it ends */

/* Nothing came for too long, or no frame came after the last one that was asked for. */
static bool record_session_is_late(struct record_session *session)
{
	const struct record_settings *settings = session->settings;
	uint64_t now_ns = tool_now_ns();

	if (settings->idle_ns && now_ns >= session->last_ns + settings->idle_ns) {
		tool_error("%s: nothing came for %.3g s", settings->device,
			   (double)settings->idle_ns / TOOL_NSEC_PER_SEC);
		session->status = TOOL_FAILED;
		return true;
	}
	if (now_ns < record_session_late_ns(session))
		return false;
	if (!session->is_started) {
		tool_error("%s: nothing came", settings->device);
		session->status = TOOL_FAILED;
	}
	return true;
}

static void record_session_tick(struct record_session *session)
{
	uint64_t now_ns = tool_now_ns();
	unsigned int i;

	if (now_ns < session->tick_ns)
		return;
	for (i = 0; i < session->n_streams; i++)
		record_output_checkpoint(&session->streams[i].output);
	while (session->tick_ns <= now_ns)
		session->tick_ns += RECORD_TICK_NS;
	record_report_progress(session->settings, session->streams, session->n_streams,
			       session->is_started ? now_ns - session->start_ns : 0);
}

/* After a signal there is one more round. */
static void record_session_run(struct record_session *session)
{
	bool is_last;

	while (session->status == TOOL_OK) {
		is_last = tool_signals();
		record_session_take(session);
		if (is_last || record_session_is_done(session) || record_session_is_late(session))
			return;
		if (tool_signals())
			continue;
		record_session_tick(session);
		session->status = record_session_wait(session);
	}
}

/* The first error, else the losses. */
static int record_session_close(struct record_session *session)
{
	struct record_output *output;
	bool lost = false;
	unsigned int i;

	for (i = 0; i < session->n_streams; i++)
		record_stream_close(&session->streams[i]);
	for (i = 0; i < session->n_streams; i++) {
		output = &session->streams[i].output;
		if (session->status == TOOL_OK)
			session->status = output->status;
		if (output->total.lost || output->total.torn)
			lost = true;
	}
	return session->status ?: lost ? TOOL_LOST : TOOL_OK;
}

int record_run(const struct record_settings *settings)
{
	struct record_session session = { .settings = settings };
	uint64_t time_ns;
	int status;

	tool_set_quiet(settings->is_quiet);
	tool_catch_signals();
	session.status = record_session_open(&session);
	if (session.status != TOOL_OK) {
		status = record_session_close(&session);
		record_report_summary(settings, session.streams, session.n_streams, 0, status);
		return settings->is_json ? tool_flush(status) : status;
	}
	record_report_begin(session.streams, session.n_streams);
	if (settings->is_ready_told)
		tool_error("ready");
	record_session_run(&session);
	time_ns = session.is_started ? tool_now_ns() - session.start_ns : 0;
	status = record_session_close(&session);
	record_report_end(settings, session.streams, session.n_streams, time_ns, status);
	return settings->is_json ? tool_flush(status) : status;
}
