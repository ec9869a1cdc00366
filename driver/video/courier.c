// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: takes frames from a ring into somebody else's dma-buf. See video/courier.h.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/kref.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "ring/ring.h"
#include "video/courier.h"
#include "video/memops.h"
#include "video/queue.h"

/**
 * struct avring_courier - see video/courier.h
 * @refs: the owner, and the work while it is queued or runs
 * @work: carries
 * @lock: held while the bytes of a buffer are written, and outside of @owner
 * @owner: lock of the one who sends
 * @arrived: the owner's; this and @data are followed under @lock, and not after the recall
 * @data: its argument
 * @buf: under way, or NULL. Set under @owner before the work is queued, cleared under both
 *	locks; so are the next four
 * @ring: of the frame; a reference
 * @dmabuf: the memory of @buf; a reference of the work's, which puts it
 * @position: of the frame
 * @length: its bytes
 */
struct avring_courier {
	struct kref refs;
	struct work_struct work;
	struct mutex lock;
	struct mutex *owner;
	avring_courier_arrived arrived;
	void *data;
	struct avring_buffer *buf;
	struct avring_ring *ring;
	struct dma_buf *dmabuf;
	u64 position;
	size_t length;
};

/* Of threads without number: one that waits for an exporter holds up no other. */
static struct workqueue_struct *avring_courier_queue;

static void avring_courier_free(struct kref *refs)
{
	struct avring_courier *courier = container_of(refs, struct avring_courier, refs);

	mutex_destroy(&courier->lock);
	kfree(courier);
}

/* Return: true if the frame is in the buffer, whole. */
static bool avring_courier_copy(struct avring_courier *courier)
{
	bool intact = false;

	mutex_lock(&courier->lock);
	if (courier->buf) {
		memcpy(avring_buffer_vaddr(courier->buf),
		       avring_ring_at(courier->ring, courier->position), courier->length);
		intact = avring_ring_is_intact(courier->ring, courier->position);
	}
	mutex_unlock(&courier->lock);
	return intact;
}

/* Nothing is under way any more. Both locks are held. Return: the ring, to be put. */
static struct avring_ring *avring_courier_clear(struct avring_courier *courier)
{
	struct avring_ring *ring = courier->ring;

	courier->buf = NULL;
	courier->ring = NULL;
	return ring;
}

static void avring_courier_arrive(struct avring_courier *courier, bool filled)
{
	struct avring_buffer *buf;
	struct avring_ring *ring;

	mutex_lock(&courier->lock);
	buf = courier->buf;
	if (buf) {
		mutex_lock(courier->owner);
		ring = avring_courier_clear(courier);
		courier->arrived(courier->data, buf, filled);
		mutex_unlock(courier->owner);
		avring_ring_put(ring);
	}
	mutex_unlock(&courier->lock);
}

/* A fence need not say that it is over to one who never waits: a wait without time is one. */
static bool avring_courier_may_begin(struct dma_buf *dmabuf)
{
	return dma_resv_wait_timeout(dmabuf->resv, dma_resv_usage_rw(true), false, 0) > 0;
}

/*
 * The look at the fences makes a wait rare, not impossible: one can come between it and the
 * exporter, who waits then, and so do we, with nothing of ours that anybody else needs.
 */
static void avring_courier_work(struct work_struct *work)
{
	struct avring_courier *courier = container_of(work, struct avring_courier, work);
	struct dma_buf *dmabuf = courier->dmabuf;
	bool filled = false;

	if (avring_courier_may_begin(dmabuf) &&
	    !dma_buf_begin_cpu_access(dmabuf, DMA_BIDIRECTIONAL)) {
		filled = avring_courier_copy(courier);
		dma_buf_end_cpu_access(dmabuf, DMA_BIDIRECTIONAL);
	}
	avring_courier_arrive(courier, filled);
	dma_buf_put(dmabuf);
	kref_put(&courier->refs, avring_courier_free);
}

/**
 * avring_courier_new() - make a courier for a stream
 * @owner: the lock under which frames are sent
 * @arrived: called for each of them, unless it is recalled
 * @data: for @arrived
 *
 * Return: to be given to avring_courier_recall() in the end, or an ERR_PTR of -ENOMEM.
 */
struct avring_courier *avring_courier_new(struct mutex *owner, avring_courier_arrived arrived,
					  void *data)
{
	struct avring_courier *courier = kzalloc(sizeof(*courier), GFP_KERNEL);

	if (!courier)
		return ERR_PTR(-ENOMEM);
	kref_init(&courier->refs);
	INIT_WORK(&courier->work, avring_courier_work);
	mutex_init(&courier->lock);
	courier->owner = owner;
	courier->arrived = arrived;
	courier->data = data;
	return courier;
}
EXPORT_SYMBOL_AVRING(avring_courier_new);

/**
 * avring_courier_busy() - is a buffer under way?
 * @courier: of the stream; the owner's lock is held
 *
 * Return: true if it is; there is one at a time.
 */
bool avring_courier_busy(const struct avring_courier *courier)
{
	lockdep_assert_held(courier->owner);
	return courier->buf;
}
EXPORT_SYMBOL_AVRING(avring_courier_busy);

/**
 * avring_courier_send() - put a frame into a buffer
 * @courier: not busy; the owner's lock is held
 * @buf: is a dma-buf with a kernel view; stays in its queue until it has arrived or the courier is
 *	recalled
 * @ring: has the frame
 * @position: of the frame
 * @length: bytes of it
 */
void avring_courier_send(struct avring_courier *courier, struct avring_buffer *buf,
			 struct avring_ring *ring, u64 position, size_t length)
{
	lockdep_assert_held(courier->owner);
	avring_ring_get(ring);
	courier->dmabuf = avring_memops_dmabuf(&buf->vb.vb2_buf);
	get_dma_buf(courier->dmabuf);
	courier->buf = buf;
	courier->ring = ring;
	courier->position = position;
	courier->length = length;
	kref_get(&courier->refs);
	queue_work(avring_courier_queue, &courier->work);
}
EXPORT_SYMBOL_AVRING(avring_courier_send);

/**
 * avring_courier_recall() - the stream ends
 * @courier: nothing is sent any more; gone when this returns
 *
 * Context: process; the owner's lock is not held. Waits for one copy at most.
 */
void avring_courier_recall(struct avring_courier *courier)
{
	struct avring_ring *ring;

	mutex_lock(&courier->lock);
	mutex_lock(courier->owner);
	ring = avring_courier_clear(courier);
	mutex_unlock(courier->owner);
	mutex_unlock(&courier->lock);
	avring_ring_put(ring);
	kref_put(&courier->refs, avring_courier_free);
}
EXPORT_SYMBOL_AVRING(avring_courier_recall);

/**
 * avring_courier_init() - the module is loaded
 *
 * Return: 0 or -ENOMEM.
 */
int avring_courier_init(void)
{
	avring_courier_queue = alloc_workqueue("avring_courier", WQ_UNBOUND | WQ_HIGHPRI, 0);
	return avring_courier_queue ? 0 : -ENOMEM;
}

/**
 * avring_courier_exit() - the module goes
 *
 * Waits for couriers that were recalled and whose exporters have not answered.
 */
void avring_courier_exit(void)
{
	destroy_workqueue(avring_courier_queue);
}
