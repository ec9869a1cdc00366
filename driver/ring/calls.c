// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: what an open file of /dev/avringN may ask for. See the uapi header.
 */
#include <linux/compat.h>
#include <linux/dma-buf.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "memory/store.h"
#include "ring/file.h"

#define AVRING_ATTACH_FLAGS	(AVRING_ATTACH_OLDEST | AVRING_ATTACH_AS_IS)

/* The number comes from user space and has been checked. Return: NULL if the card has none. */
static struct avring_stream *avring_ringdev_stream(const struct avring_ringdev *ringdev,
						   u32 stream)
{
	return ringdev->streams[array_index_nospec(stream, AVRING_STREAMS)];
}

static bool avring_ring_is_zero(const void *field, size_t size)
{
	return !memchr_inv(field, 0, size);
}

#define AVRING_IS_ZERO(field) avring_ring_is_zero(&(field), sizeof(field))

static int avring_ring_info(struct avring_ring_file *rf, void *arg)
{
	*(struct avring_info *)arg = rf->ringdev->info;
	return 0;
}

/* Only the stream counts; the rest is filled in, but what is reserved must be zero. */
static int avring_ring_get_setup(struct avring_ring_file *rf, void *arg)
{
	struct avring_setup *setup = arg;
	const u32 number = setup->stream;
	const struct avring_wish *wish;
	struct avring_stream *stream;

	if (number >= AVRING_STREAMS || setup->flags || !AVRING_IS_ZERO(setup->reserved) ||
	    !AVRING_IS_ZERO(setup->audio.reserved))
		return -EINVAL;
	stream = avring_ringdev_stream(rf->ringdev, number);
	if (!stream)
		return -EOPNOTSUPP;
	wish = &rf->wishes[array_index_nospec(number, AVRING_STREAMS)];
	*setup = (struct avring_setup){
		.stream = number,
		.length = wish->length,
		.align = wish->align,
		.audio = wish->audio,
	};
	setup->users = avring_stream_users(stream);
	return 0;
}

static int avring_ring_check_setup(const struct avring_setup *setup)
{
	if (setup->stream >= AVRING_STREAMS || setup->flags || !AVRING_IS_ZERO(setup->reserved) ||
	    !AVRING_IS_ZERO(setup->audio.reserved))
		return -EINVAL;
	if (setup->stream == AVRING_STREAM_VIDEO && !AVRING_IS_ZERO(setup->audio))
		return -EINVAL;
	return 0;
}

static int avring_ring_set_setup(struct avring_ring_file *rf, void *arg)
{
	const struct avring_setup *setup = arg;
	const struct avring_wish wish = {
		.length = setup->length,
		.align = setup->align,
		.audio = setup->audio,
	};
	struct avring_stream *stream;
	int err = avring_ring_check_setup(setup);

	if (err)
		return err;
	stream = avring_ringdev_stream(rf->ringdev, setup->stream);
	if (!stream)
		return -EOPNOTSUPP;
	err = avring_stream_check_wish(stream, &wish);
	if (err)
		return err;
	rf->wishes[array_index_nospec(setup->stream, AVRING_STREAMS)] = wish;
	return 0;
}

static int avring_ring_check_attach(const struct avring_ring_file *rf,
				    const struct avring_attach *attach)
{
	const struct avring_stream_format *format = &attach->format;
	const void *behind_audio = &format->audio + 1;

	if (attach->role > AVRING_ROLE_PRODUCER || attach->flags & ~AVRING_ATTACH_FLAGS ||
	    format->stream >= AVRING_STREAMS || format->reserved ||
	    !AVRING_IS_ZERO(attach->reserved))
		return -EINVAL;
	if (format->stream == AVRING_STREAM_AUDIO &&
	    !avring_ring_is_zero(behind_audio, sizeof(format->video) - sizeof(format->audio)))
		return -EINVAL;
	if (attach->role == AVRING_ROLE_PRODUCER)
		return rf->writable ? 0 : -EPERM;
	/* The larger member of the union. */
	return AVRING_IS_ZERO(format->video) ? 0 : -EINVAL;
}

static void avring_ring_describe(struct avring_ring_file *rf, struct avring_attach *attach)
{
	const struct avring_ring *ring = rf->ring;

	attach->format = ring->format;
	attach->generation = ring->generation;
	attach->entries = ring->n_entries;
	attach->align = ring->geometry.align;
	attach->frame_bytes = ring->geometry.frame_bytes;
	attach->length = ring->geometry.length;
	attach->next = rf->reader.target.next;
	attach->control_offset = AVRING_CONTROL_OFFSET;
	attach->control_size = PAGE_SIZE;
	attach->index_offset = AVRING_INDEX_OFFSET;
	attach->index_size = PAGE_ALIGN(ring->n_entries * sizeof(struct avring_entry));
	attach->data_offset = AVRING_DATA_OFFSET;
	attach->data_size = 2ULL * ring->geometry.length;
}

/* ringdev->alive is held. */
static int avring_ring_join_once(struct avring_ring_file *rf, struct avring_stream *stream,
				 const struct avring_attach *attach, struct avring_spare *spare)
{
	const bool oldest = rf->ring || attach->flags & AVRING_ATTACH_OLDEST;
	struct avring_wish wish =
		rf->wishes[array_index_nospec(attach->format.stream, AVRING_STREAMS)];
	int err;

	if (rf->ringdev->gone)
		return -ENODEV;
	wish.any = attach->flags & AVRING_ATTACH_AS_IS;
	if (attach->role == AVRING_ROLE_PRODUCER)
		err = avring_stream_produce(stream, &rf->reader, &wish, &attach->format, spare);
	else
		err = avring_stream_attach(stream, &rf->reader, &wish, oldest, spare);
	if (!err)
		avring_ring_file_set(rf, rf->reader.ring);
	return err;
}

/* The ring, if there must be one, is made between two looks at the stream. */
static int avring_ring_join_stream(struct avring_ring_file *rf, struct avring_stream *stream,
				   const struct avring_attach *attach)
{
	struct avring_spare spare = {};
	int err;

	for (;;) {
		down_read(&rf->ringdev->alive);
		err = avring_ring_join_once(rf, stream, attach, &spare);
		up_read(&rf->ringdev->alive);
		if (err != -EAGAIN)
			break;
		avring_stream_make_spare(rf->ringdev->account, &spare);
	}
	avring_ring_put(spare.ring);
	return err;
}

/* When a producer goes all his readers need a ring: one of them makes it. */
static int avring_ring_move(struct avring_ring_file *rf, struct avring_stream *stream,
			    const struct avring_attach *attach)
{
	int err = mutex_lock_killable(&rf->ringdev->moving);

	if (err)
		return err;
	err = avring_ring_join_stream(rf, stream, attach);
	mutex_unlock(&rf->ringdev->moving);
	return err;
}

static int avring_ring_join(struct avring_ring_file *rf, const struct avring_attach *attach)
{
	struct avring_stream *stream = avring_ringdev_stream(rf->ringdev, attach->format.stream);
	int err;

	if (!stream)
		return -EOPNOTSUPP;
	err = avring_ring_file_sit(rf);
	if (err)
		return err;
	if (rf->ring)
		err = avring_ring_move(rf, stream, attach);
	else
		err = avring_ring_join_stream(rf, stream, attach);
	if (err && !rf->ring)
		avring_ring_file_stand(rf);
	return err;
}

/* A producer lets go before he comes again: he must not write two rings. */
static void avring_ring_let_go(struct avring_ring_file *rf)
{
	down_read(&rf->ringdev->alive);
	avring_ring_file_leave(rf);
	up_read(&rf->ringdev->alive);
}

/* A reader moves from ring to ring without a gap. */
static int avring_ring_attach(struct avring_ring_file *rf, void *arg)
{
	struct avring_attach *attach = arg;
	int err = avring_ring_check_attach(rf, attach);

	if (err)
		return err;
	if (rf->ring && (rf->role != attach->role || rf->stream != attach->format.stream))
		return -EBUSY;
	if (rf->ring && rf->role == AVRING_ROLE_PRODUCER)
		avring_ring_let_go(rf);
	err = avring_ring_join(rf, attach);
	if (err)
		return err;
	rf->role = attach->role;
	rf->stream = attach->format.stream;
	avring_ring_describe(rf, attach);
	return 0;
}

static int avring_ring_detach(struct avring_ring_file *rf, void *arg)
{
	if (!rf->ring)
		return -EINVAL;
	avring_ring_file_detach(rf);
	return 0;
}

/* What a clock says now that may have a deadline; 0: not one of these. */
static u64 avring_ring_clock_ns(u32 clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
		return ktime_get_real_ns();
	case CLOCK_MONOTONIC:
		return ktime_get_ns();
	case CLOCK_BOOTTIME:
		return ktime_get_boottime_ns();
	case CLOCK_TAI:
		return ktime_get_clocktai_ns();
	}
	return 0;
}

static int avring_ring_check_wait(const struct avring_wait *wait)
{
	if (wait->flags & ~(AVRING_WAIT_RELATIVE | AVRING_WAIT_CLOCK) || wait->reserved0 ||
	    !AVRING_IS_ZERO(wait->reserved))
		return -EINVAL;
	if (!(wait->flags & AVRING_WAIT_CLOCK))
		return wait->clock ? -EINVAL : 0;
	if (wait->flags & AVRING_WAIT_RELATIVE || !avring_ring_clock_ns(wait->clock))
		return -EINVAL;
	return 0;
}

/* CLOCK_MONOTONIC; what is not to be slept for, or for ever, stays so. */
static u64 avring_ring_deadline(const struct avring_wait *wait)
{
	const u64 now = ktime_get_ns(), ns = wait->deadline_ns;
	u64 clock_now = 0;

	if (!(wait->flags & (AVRING_WAIT_RELATIVE | AVRING_WAIT_CLOCK)) || !ns ||
	    ns == AVRING_WAIT_FOREVER)
		return ns;
	if (wait->flags & AVRING_WAIT_CLOCK)
		clock_now = avring_ring_clock_ns(wait->clock);
	if (ns <= clock_now)
		return 1;	/* long ago */
	return now + min(ns - clock_now, AVRING_WAIT_FOREVER - 1 - now);
}

/* Where no handler ran it goes on, and must not last as long again. */
static int avring_ring_interrupted(struct avring_wait *wait, u64 deadline)
{
	const u64 now = ktime_get_ns();

	wait->deadline_ns = deadline > now ? deadline - now : 1;
	return -ERESTARTNOHAND;
}

static int avring_ring_wait(struct avring_ring_file *rf, void *arg)
{
	struct avring_wait *wait = arg;
	const struct avring_ring_target target = {
		.next = wait->next,
		.entries = wait->entries,
		.bytes = wait->bytes,
		.time_ns = wait->time_ns,
	};
	struct avring_ring *ring;
	u64 deadline;
	int err = avring_ring_check_wait(wait);

	if (err)
		return err;
	deadline = avring_ring_deadline(wait);
	ring = avring_ring_file_get(rf);
	if (!ring)
		return -EINVAL;
	err = avring_ring_reader_wait(&rf->reader, ring, &target, deadline);
	if (err == -ERESTARTSYS && wait->flags & AVRING_WAIT_RELATIVE &&
	    deadline != wait->deadline_ns)
		err = avring_ring_interrupted(wait, deadline);
	wait->state = READ_ONCE(ring->state);
	wait->head_entry = READ_ONCE(ring->control->head_entry);
	smp_rmb();	/* B: the number, then what the caller reads below it */
	avring_ring_put(ring);
	return err;
}

/* Return: 0 if the file may write now. */
static int avring_ring_may_write(const struct avring_ring_file *rf)
{
	if (!rf->ring)
		return -EINVAL;
	return rf->role == AVRING_ROLE_PRODUCER ? 0 : -EPERM;
}

static int avring_ring_begin_frame(struct avring_ring_file *rf, void *arg)
{
	struct avring_stream *stream;
	struct avring_begin *begin = arg;
	int err;

	if (begin->flags || begin->reserved0 || !AVRING_IS_ZERO(begin->reserved))
		return -EINVAL;
	err = avring_ring_may_write(rf);
	if (err)
		return err;
	stream = avring_ring_file_stream(rf);
	return stream->ops->begin(stream, &rf->reader, begin);
}

static int avring_ring_commit_frame(struct avring_ring_file *rf, void *arg)
{
	struct avring_stream *stream;
	struct avring_commit *commit = arg;
	int err;

	if (commit->flags || commit->reserved0 || !AVRING_IS_ZERO(commit->reserved))
		return -EINVAL;
	err = avring_ring_may_write(rf);
	if (err)
		return err;
	stream = avring_ring_file_stream(rf);
	return stream->ops->commit(stream, &rf->reader, commit);
}

static struct dma_buf *avring_ring_export_range(const struct avring_ring *ring,
						const struct avring_export *export, u32 access)
{
	const u64 length = ring->geometry.length;

	if (export->length > length || export->offset >= 2 * length)
		return ERR_PTR(-EINVAL);
	return avring_store_export_range(ring->data, export->offset >> PAGE_SHIFT,
					 export->length >> PAGE_SHIFT, export->flags | access);
}

/**
 * struct avring_ring_exported - the argument of EXPORT, and what it made
 * @export: of user space
 * @file: the dma-buf; gets its descriptor when user space has been told of it
 */
struct avring_ring_exported {
	struct avring_export export;
	struct file *file;
};

static int avring_ring_export(struct avring_ring_file *rf, void *arg)
{
	struct avring_ring_exported *exported = arg;
	struct avring_export *export = &exported->export;
	struct avring_ring *ring;
	struct dma_buf *dbuf;
	u32 access;

	if (export->flags & ~O_CLOEXEC || !AVRING_IS_ZERO(export->reserved) ||
	    !PAGE_ALIGNED(export->offset) || !PAGE_ALIGNED(export->length))
		return -EINVAL;
	ring = avring_ring_file_get(rf);
	if (!ring)
		return -EINVAL;
	access = ring->producer == &rf->reader ? O_RDWR : O_RDONLY;
	dbuf = avring_ring_export_range(ring, export, access);
	avring_ring_put(ring);
	if (IS_ERR(dbuf))
		return PTR_ERR(dbuf);
	export->fd = get_unused_fd_flags(export->flags);
	if (export->fd < 0) {
		dma_buf_put(dbuf);
		return export->fd;
	}
	exported->file = dbuf->file;
	return 0;
}

/* @err: user space could not be told. */
static void avring_ring_export_done(const struct avring_ring_exported *exported, int err)
{
	if (err) {
		put_unused_fd(exported->export.fd);
		fput(exported->file);
	} else {
		fd_install(exported->export.fd, exported->file);
	}
}

union avring_ring_arg {
	struct avring_info info;
	struct avring_setup setup;
	struct avring_attach attach;
	struct avring_wait wait;
	struct avring_begin begin;
	struct avring_commit commit;
	struct avring_ring_exported exported;
};

/**
 * struct avring_ring_call - one ioctl
 * @cmd: AVRING_IOC_*
 * @run: does it; the argument is in kernel memory
 * @on: what it works on
 */
struct avring_ring_call {
	unsigned int cmd;
	int (*run)(struct avring_ring_file *rf, void *arg);
	enum {
		AVRING_ON_RING,		/* may sleep for long; holds the ring by a reference */
		AVRING_ON_STREAM,	/* runs with the file's lock held */
		AVRING_ON_FILE,		/* the same, and ringdev->alive */
		AVRING_ON_CARD,		/* the same, and fails when the card is gone */
	} on;
};

static const struct avring_ring_call avring_ring_calls[] = {
	{ AVRING_IOC_INFO, avring_ring_info, AVRING_ON_CARD },
	{ AVRING_IOC_GET_SETUP, avring_ring_get_setup, AVRING_ON_CARD },
	{ AVRING_IOC_SET_SETUP, avring_ring_set_setup, AVRING_ON_CARD },
	{ AVRING_IOC_ATTACH, avring_ring_attach, AVRING_ON_STREAM },
	{ AVRING_IOC_DETACH, avring_ring_detach, AVRING_ON_FILE },
	{ AVRING_IOC_WAIT, avring_ring_wait, AVRING_ON_RING },
	{ AVRING_IOC_BEGIN, avring_ring_begin_frame, AVRING_ON_CARD },
	{ AVRING_IOC_COMMIT, avring_ring_commit_frame, AVRING_ON_CARD },
	{ AVRING_IOC_EXPORT, avring_ring_export, AVRING_ON_RING },
};

static int avring_ring_run_alive(const struct avring_ring_call *call, struct avring_ring_file *rf,
				 void *arg)
{
	int err;

	down_read(&rf->ringdev->alive);
	if (call->on == AVRING_ON_CARD && rf->ringdev->gone)
		err = -ENODEV;
	else
		err = call->run(rf, arg);
	up_read(&rf->ringdev->alive);
	return err;
}

static int avring_ring_run(const struct avring_ring_call *call, struct avring_ring_file *rf,
			   void *arg)
{
	int err;

	if (call->on == AVRING_ON_RING)
		return call->run(rf, arg);
	err = mutex_lock_killable(&rf->lock);
	if (err)
		return err;
	if (call->on == AVRING_ON_STREAM)
		err = call->run(rf, arg);
	else
		err = avring_ring_run_alive(call, rf, arg);
	mutex_unlock(&rf->lock);
	return err;
}

/* Longer arguments than those that are known are of a later header. */
static const struct avring_ring_call *avring_ring_find_call(unsigned int cmd)
{
	const struct avring_ring_call *call = avring_ring_calls;
	unsigned int known;

	for (; call < avring_ring_calls + ARRAY_SIZE(avring_ring_calls); call++) {
		known = _IOC_SIZE(call->cmd);
		if (cmd == call->cmd)
			return call;
		if (known && _IOC_SIZE(cmd) > known &&
		    cmd == _IOC(_IOC_DIR(call->cmd), _IOC_TYPE(call->cmd), _IOC_NR(call->cmd),
				_IOC_SIZE(cmd)))
			return call;
	}
	return NULL;
}

/* What is not known of it is zero. */
static int avring_ring_copy_out(void __user *user, const union avring_ring_arg *arg, size_t known,
				size_t size)
{
	if (copy_to_user(user, arg, known) || clear_user(user + known, size - known))
		return -EFAULT;
	return 0;
}

/* Who did not get what he waited for may look at what there is, and what is left. */
static bool avring_ring_has_result(const struct avring_ring_call *call, int err)
{
	return !err || (call->run == avring_ring_wait &&
			(err == -EAGAIN || err == -ETIMEDOUT || err == -ERESTARTNOHAND));
}

static long avring_ring_ioctl(struct file *file, unsigned int cmd, unsigned long user)
{
	const struct avring_ring_call *call = avring_ring_find_call(cmd);
	void __user *from = (void __user *)user;
	union avring_ring_arg arg = {};
	size_t known;
	int err = 0, lost = 0;

	if (!call)
		return -ENOTTY;
	known = _IOC_SIZE(call->cmd);
	if (_IOC_DIR(cmd) & _IOC_WRITE)
		err = copy_struct_from_user(&arg, known, from, _IOC_SIZE(cmd));
	if (err)
		return err;
	err = avring_ring_run(call, file->private_data, &arg);
	if (!avring_ring_has_result(call, err))
		return err;
	if (_IOC_DIR(cmd) & _IOC_READ)
		lost = avring_ring_copy_out(from, &arg, known, _IOC_SIZE(cmd));
	if (call->run == avring_ring_export)
		avring_ring_export_done(&arg.exported, lost);
	return lost ?: err;
}

const struct file_operations avring_ring_fops = {
	.owner = THIS_MODULE,
	.open = avring_ring_open,
	.release = avring_ring_close,
	.unlocked_ioctl = avring_ring_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = avring_ring_mmap,
	.get_unmapped_area = avring_store_unmapped_area,
	.poll = avring_ring_poll,
};
