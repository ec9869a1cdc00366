// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring-third: the smallest card: ten grey pictures a second, filled with their numbers.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "chassis.h"
#include "compat.h"
#include "video/format.h"
#include "video/picture.h"

static const struct v4l2_pix_format third_pix = {
	.width = 64,
	.height = 32,
	.bytesperline = 64,
	.sizeimage = 64 * 32,
	.pixelformat = V4L2_PIX_FMT_GREY,
};

static const struct avring_rate third_rate = { .num = 10, .den = 1 };

/**
 * struct third - the card
 * @chassis: what every card has; its references free the card
 * @stream: the pictures; its tune lock is all that is needed, because they are few
 * @next: number of the next one on the timeline
 * @work: comes when it is due
 */
struct third {
	struct avring_chassis chassis;
	struct avring_stream stream;
	u64 next;
	struct delayed_work work;
};

static void third_free(struct avring_chassis *chassis)
{
	struct third *third = container_of(chassis, struct third, chassis);

	avring_stream_destroy(&third->stream);
	kfree(third);
}

static struct avring_kind third_kind = { .free = third_free };

static void third_picture(struct third *third)
{
	const struct avring_entry entry = {
		.time_ns = avring_clock_event_ns(third_rate, third->next),
		.event = third->next,
		.sequence = third->stream.sequence++,
		.count = 1,
		.length = third_pix.sizeimage,
	};

	memset(avring_ring_begin(third->stream.ring, entry.length), entry.sequence, entry.length);
	avring_ring_commit(third->stream.ring, &entry);
	third->next++;
}

static void third_work(struct work_struct *work)
{
	struct third *third = container_of(work, struct third, work.work);

	mutex_lock(&third->stream.tune);
	if (avring_stream_fills(&third->stream)) {
		while (avring_clock_event_ns(third_rate, third->next) <= ktime_get_ns())
			third_picture(third);
		schedule_delayed_work(&third->work, HZ / 20);
	}
	mutex_unlock(&third->stream.tune);
}

static void third_end(struct avring_stream *stream, u32 state)
{
	avring_ring_put(avring_stream_replace(stream, NULL, state));
}

static int third_renew(struct avring_stream *stream, const struct avring_stream_format *format,
		       const struct avring_ring_reader *producer)
{
	struct avring_ring *ring = avring_picture_new_ring(stream, &third_pix, third_rate);
	struct third *third = container_of(stream, struct third, stream);

	if (IS_ERR(ring))
		return PTR_ERR(ring);
	avring_ring_put(avring_stream_replace(stream, ring, AVRING_STATE_STALE));
	third->next = avring_clock_event_after(third_rate, ktime_get_ns());
	schedule_delayed_work(&third->work, 0);
	return 0;
}

static const struct avring_stream_ops third_ops = { .renew = third_renew, .end = third_end };

static AVRING_REMOVE_RETURNS third_remove(struct platform_device *pdev)
{
	struct third *third = platform_get_drvdata(pdev);

	avring_chassis_unregister(&third->chassis);
	cancel_delayed_work_sync(&third->work);
	avring_chassis_drop(&third->chassis);
	return AVRING_REMOVE_DONE;
}

static int third_probe(struct platform_device *pdev)
{
	struct third *third = kzalloc(sizeof(*third), GFP_KERNEL);
	struct avring_stream *const streams[AVRING_STREAMS] = { &third->stream };
	int err = -ENOMEM;

	if (third)
		err = avring_chassis_init(&third->chassis, &third_kind, &pdev->dev, -1, "Third");
	if (err) {
		kfree(third);
		return err;
	}
	avring_stream_init(&third->stream, &third_ops);
	INIT_DELAYED_WORK(&third->work, third_work);
	platform_set_drvdata(pdev, third);
	avring_chassis_live(&third->chassis, &pdev->dev, streams);
	err = avring_chassis_register(&third->chassis, &(struct avring_chassis_nodes){});
	if (err)
		third_remove(pdev);
	return err;
}

static struct platform_driver third_driver = { .remove = third_remove, .driver.name = "third" };
static struct platform_device *third_device;

static int __init third_init(void)
{
	third_device = platform_create_bundle(&third_driver, third_probe, NULL, 0, NULL, 0);
	return PTR_ERR_OR_ZERO(third_device);
}
module_init(third_init);

static void __exit third_exit(void)
{
	platform_device_unregister(third_device);
	platform_driver_unregister(&third_driver);
	avring_chassis_wait_freed(&third_kind);
}
module_exit(third_exit);
AVRING_IMPORT();
MODULE_DESCRIPTION("Smallest card on avring-core");
MODULE_LICENSE("GPL");
