// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the driver of the PCI card: probe and remove, sleep, errors of the bus.
 *
 * A card that does not answer any more is let go of at once, as if it had been unbound: so
 * everybody who waits for it wakes up, whether the slot tells that it is empty or not.
 */
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "chassis.h"
#include "compat.h"
#include "memory/store.h"
#include "names.h"
#include "pci/audio.h"
#include "pci/video.h"

#define AVRING_PCI_IDLE_MS	2000

/* Cards that exist at the same time. */
#define AVRING_PCI_MAX_CARDS	16

/**
 * struct avring_pci_card - the aggregate
 * @chassis: what every card has; its references free the card
 * @pci: the hardware
 * @video: pictures
 * @audio: sound card, gone after remove
 * @index: among the cards of this module, free again after remove
 * @saved: configuration space of a card that works
 * @leave: lets the driver go; holds device and card while it waits
 */
struct avring_pci_card {
	struct avring_chassis chassis;
	struct avring_pci pci;
	struct avring_pci_video video;
	struct avring_pci_audio *audio;
	int index;
	struct pci_saved_state *saved;
	struct work_struct leave;
};

static DEFINE_IDA(avring_pci_indices);

static struct avring_chosen_names avring_pci_chosen;
AVRING_NAMES_PARAM(avring_pci_chosen);

static void avring_pci_card_free(struct avring_chassis *chassis)
{
	struct avring_pci_card *card = container_of(chassis, struct avring_pci_card, chassis);

	avring_pci_video_cleanup(&card->video);
	kfree(card->saved);
	kfree(card);
}

static struct avring_kind avring_pci_kind = {
	.free = avring_pci_card_free,
};

static void avring_pci_card_audio_released(void *card)
{
	avring_chassis_put(&((struct avring_pci_card *)card)->chassis);
}

/* Somebody may have been quicker, and have given the device to another driver. */
static bool avring_pci_card_is_bound(struct avring_pci_card *card, struct device *dev)
{
	bool bound;

	device_lock(dev);
	bound = dev_get_drvdata(dev) == card;
	device_unlock(dev);
	return bound;
}

/* The card may go with the last reference, and the work with it. */
static void avring_pci_card_leave(struct work_struct *work)
{
	struct avring_pci_card *card = container_of(work, struct avring_pci_card, leave);
	struct device *dev = &card->pci.pdev->dev;

	if (avring_pci_card_is_bound(card, dev))
		device_release_driver(dev);
	avring_chassis_put(&card->chassis);
	put_device(dev);
}

/* Not from the watchdog itself, which remove waits for. Called once. */
static void avring_pci_card_vanished(void *data)
{
	struct avring_pci_card *card = data;

	get_device(&card->pci.pdev->dev);
	avring_chassis_get(&card->chassis);
	queue_work(avring_pci_queue, &card->leave);
}

static void avring_pci_card_signal(void *data)
{
	struct avring_pci_card *card = data;

	avring_pci_video_signal(&card->video);
}

/* The sound card takes its reference on success only. */
static int avring_pci_card_init_audio(struct avring_pci_card *card, struct device *dev)
{
	char id[16];
	struct avring_pci_audio_params params = {
		.dev = dev,
		.id = id,
		.name = card->chassis.mdev.model,
		.channel = &card->pci.channels[AVRING_PCI_AUDIO],
		.released = avring_pci_card_audio_released,
		.data = card,
	};
	int err;

	snprintf(id, sizeof(id), "avring%d", card->chassis.names.number);
	err = avring_pci_audio_new(&params, &card->audio);
	if (!err)
		avring_chassis_get(&card->chassis);
	return err;
}

static void avring_pci_card_live(struct avring_pci_card *card, struct device *dev)
{
	struct avring_stream *const streams[AVRING_STREAMS] = {
		[AVRING_STREAM_VIDEO] = &card->video.lane.stream,
		[AVRING_STREAM_AUDIO] = avring_pci_audio_stream(card->audio),
	};

	card->video.node.queue.account = card->chassis.account;
	avring_chassis_live(&card->chassis, dev, streams);
	card->chassis.ringdev.info.features |= AVRING_FEATURE_CARD_CLOCK;
}

/* Return: the card, visible to nobody, or an ERR_PTR with nothing left behind. */
static struct avring_pci_card *avring_pci_card_new(struct pci_dev *pdev, int index)
{
	struct avring_pci_card *card = kzalloc(sizeof(*card), GFP_KERNEL);
	int err;

	if (!card)
		return ERR_PTR(-ENOMEM);
	card->index = index;
	INIT_WORK(&card->leave, avring_pci_card_leave);
	err = avring_pci_init(&card->pci, pdev);
	if (err)
		goto free_card;
	err = avring_chassis_init(&card->chassis, &avring_pci_kind, &pdev->dev, -1,
				  avring_pci_chosen.names[index]);
	if (err)
		goto exit_pci;
	err = avring_pci_video_init(&card->video, &card->chassis.v4l2_dev, &card->pci);
	if (err)
		goto destroy_chassis;
	card->pci.signal_changed = avring_pci_card_signal;
	card->pci.vanished = avring_pci_card_vanished;
	card->pci.data = card;
	err = avring_pci_card_init_audio(card, &pdev->dev);
	if (err)
		goto cleanup_video;
	strscpy(card->video.node.vdev.name, card->chassis.names.capture,
		sizeof(card->video.node.vdev.name));
	avring_pci_card_live(card, &pdev->dev);
	return card;

cleanup_video:
	avring_pci_video_cleanup(&card->video);
destroy_chassis:
	avring_chassis_destroy(&card->chassis);
exit_pci:
	avring_pci_exit(&card->pci);
free_card:
	kfree(card);
	return ERR_PTR(err);
}

static int avring_pci_card_add_window(struct avring_pci_card *card)
{
	struct pci_dev *pdev = card->pci.pdev;
	const resource_size_t size = pci_resource_len(pdev, AVRING_PCI_BAR_WINDOW);
	struct avring_store *window;

	if (size < PAGE_SIZE)
		return 0;
	window = avring_store_new_window(&pdev->dev,
					 pci_resource_start(pdev, AVRING_PCI_BAR_WINDOW), size);
	if (IS_ERR(window))
		return PTR_ERR(window);
	card->chassis.ringdev.window = window;
	return 0;
}

static int avring_pci_card_register_chassis(struct avring_pci_card *card)
{
	const struct avring_chassis_nodes nodes = {
		.capture = &card->video.node.vdev,
		.alsa_card = avring_pci_audio_number(card->audio),
		.sound = {
			[AVRING_MEDIA_MIXER] =
				avring_pci_audio_devt(card->audio, AVRING_SOUND_CONTROL),
			[AVRING_MEDIA_CAPTURE] =
				avring_pci_audio_devt(card->audio, AVRING_SOUND_CAPTURE),
		},
	};

	return avring_chassis_register(&card->chassis, &nodes);
}

/* What a reset of the slot gives back. */
static int avring_pci_card_save(struct avring_pci_card *card)
{
	pci_save_state(card->pci.pdev);
	card->saved = pci_store_saved_state(card->pci.pdev);
	return card->saved ? 0 : -ENOMEM;
}

/*
 * The card speaks, and is shown. After a failure the only way back is
 * avring_pci_card_remove(): the sound card is freed when it likes, not when we do.
 */
static int avring_pci_card_register(struct avring_pci_card *card)
{
	int err = avring_pci_enable(&card->pci);

	if (!err)
		err = avring_pci_card_save(card);
	if (!err)
		err = avring_pci_card_add_window(card);
	if (!err)
		err = avring_pci_audio_register(card->audio);
	if (!err)
		err = avring_node_register(&card->video.node);
	if (!err)
		err = avring_pci_card_register_chassis(card);
	return err;
}

/* Idle cards sleep, unless sysfs says that they must not. */
static void avring_pci_card_let_sleep(struct device *dev)
{
	pm_runtime_set_autosuspend_delay(dev, AVRING_PCI_IDLE_MS);
	pm_runtime_use_autosuspend(dev);
	pm_runtime_allow(dev);
	pm_runtime_put_noidle(dev);
}

/*
 * First no channel runs any more and everybody is told, then nodes go, then the hardware.
 * What is open keeps the card, but nothing in it reaches the hardware again.
 */
static void avring_pci_card_remove(struct avring_pci_card *card)
{
	const int index = card->index;

	avring_pci_break(&card->pci, AVRING_PCI_GONE);
	avring_chassis_unregister(&card->chassis);
	avring_node_unregister(&card->video.node);
	avring_pci_orphan(&card->pci.channels[AVRING_PCI_AUDIO]);
	avring_pci_audio_disconnect(card->audio);
	avring_pci_disable(&card->pci);
	avring_pci_exit(&card->pci);
	avring_chassis_drop(&card->chassis);
	/* Now that its name is free: who gets the index gets the name. */
	ida_free(&avring_pci_indices, index);
}

static int avring_pci_probe_indexed(struct pci_dev *pdev, int index)
{
	struct avring_pci_card *card = avring_pci_card_new(pdev, index);
	int err;

	if (IS_ERR(card)) {
		ida_free(&avring_pci_indices, index);
		return PTR_ERR(card);
	}
	pci_set_drvdata(pdev, card);
	err = avring_pci_card_register(card);
	if (err) {
		avring_pci_card_remove(card);
		return err;
	}
	avring_pci_card_let_sleep(&pdev->dev);
	return 0;
}

static int avring_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	const int index = ida_alloc_max(&avring_pci_indices, AVRING_PCI_MAX_CARDS - 1, GFP_KERNEL);
	int err = index;

	if (index >= 0) {
		avring_pci_report_errors(pdev);
		err = avring_pci_probe_indexed(pdev, index);
	}
	if (err)
		pci_err(pdev, "this card is missing: it could not be made, error %d\n", err);
	return err;
}

static void avring_pci_remove(struct pci_dev *pdev)
{
	pm_runtime_get_sync(&pdev->dev);
	pm_runtime_forbid(&pdev->dev);
	pm_runtime_dont_use_autosuspend(&pdev->dev);
	avring_pci_card_remove(pci_get_drvdata(pdev));
}

static int avring_pci_suspend(struct device *dev)
{
	struct avring_pci_card *card = dev_get_drvdata(dev);

	avring_pci_audio_suspend(card->audio);
	avring_pci_pause(&card->pci);
	return 0;
}

/* What was running goes on; if it cannot, everybody is told. */
static int avring_pci_card_resume(struct avring_pci_card *card)
{
	int err = avring_pci_resume(&card->pci);

	if (err) {
		pci_err(card->pci.pdev, "cannot go on: %d\n", err);
		avring_pci_break(&card->pci, AVRING_PCI_BROKEN);
	}
	return err;
}

static int avring_pci_wake_up(struct device *dev)
{
	struct avring_pci_card *card = dev_get_drvdata(dev);
	int err = avring_pci_card_resume(card);

	avring_pci_audio_resume(card->audio);
	return err;
}

/* No channel runs; the registers may be lost. */
static int avring_pci_runtime_suspend(struct device *dev)
{
	return 0;
}

/*
 * An error would stick; a card that does not answer is found out by who woke it. Without power its
 * clock may have stood still.
 */
static int avring_pci_runtime_resume(struct device *dev)
{
	struct avring_pci_card *card = dev_get_drvdata(dev);

	avring_pci_reset(&card->pci);
	mutex_lock(&card->pci.lock);
	avring_servo_forget(&card->pci.servo);
	mutex_unlock(&card->pci.lock);
	return 0;
}

static const struct dev_pm_ops avring_pci_pm_ops = {
	SYSTEM_SLEEP_PM_OPS(avring_pci_suspend, avring_pci_wake_up)
	RUNTIME_PM_OPS(avring_pci_runtime_suspend, avring_pci_runtime_resume, NULL)
};

static pci_ers_result_t avring_pci_error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	struct avring_pci_card *card = pci_get_drvdata(pdev);

	pci_warn(pdev, "error of the bus, state %d\n", state);
	if (state == pci_channel_io_perm_failure) {
		avring_pci_break(&card->pci, AVRING_PCI_BROKEN);
		return PCI_ERS_RESULT_DISCONNECT;
	}
	avring_pci_pause(&card->pci);
	return PCI_ERS_RESULT_NEED_RESET;
}

static pci_ers_result_t avring_pci_slot_reset(struct pci_dev *pdev)
{
	struct avring_pci_card *card = pci_get_drvdata(pdev);

	/* What the core has saved is older than the driver, or nothing. */
	pci_load_saved_state(pdev, card->saved);
	pci_restore_state(pdev);
	pci_save_state(pdev);
	return avring_pci_reset(&card->pci) ? PCI_ERS_RESULT_DISCONNECT : PCI_ERS_RESULT_RECOVERED;
}

static void avring_pci_error_resume(struct pci_dev *pdev)
{
	if (!avring_pci_card_resume(pci_get_drvdata(pdev)))
		pci_info(pdev, "goes on after an error\n");
}

static void avring_pci_reset_prepare(struct pci_dev *pdev)
{
	struct avring_pci_card *card = pci_get_drvdata(pdev);

	avring_pci_pause(&card->pci);
}

static void avring_pci_reset_done(struct pci_dev *pdev)
{
	avring_pci_card_resume(pci_get_drvdata(pdev));
}

static const struct pci_error_handlers avring_pci_error_handlers = {
	.error_detected = avring_pci_error_detected,
	.slot_reset = avring_pci_slot_reset,
	.resume = avring_pci_error_resume,
	.reset_prepare = avring_pci_reset_prepare,
	.reset_done = avring_pci_reset_done,
};

static const struct pci_device_id avring_pci_ids[] = {
	{ PCI_DEVICE(AVRING_PCI_VENDOR, AVRING_PCI_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, avring_pci_ids);

static struct pci_driver avring_pci_driver = {
	.name = "avring-pci",
	.id_table = avring_pci_ids,
	.probe = avring_pci_probe,
	.remove = avring_pci_remove,
	.err_handler = &avring_pci_error_handlers,
	.driver.pm = pm_ptr(&avring_pci_pm_ops),
};

static int __init avring_pci_module_init(void)
{
	int err;

	avring_pci_queue = alloc_workqueue("avring-pci", WQ_UNBOUND, 0);
	if (!avring_pci_queue)
		return -ENOMEM;
	err = pci_register_driver(&avring_pci_driver);
	if (err) {
		destroy_workqueue(avring_pci_queue);
		avring_chassis_wait_freed(&avring_pci_kind);
	}
	return err;
}
module_init(avring_pci_module_init);

static void __exit avring_pci_module_exit(void)
{
	pci_unregister_driver(&avring_pci_driver);
	destroy_workqueue(avring_pci_queue);
	ida_destroy(&avring_pci_indices);
	avring_chassis_wait_freed(&avring_pci_kind);
}
module_exit(avring_pci_module_exit);

AVRING_IMPORT();
MODULE_DESCRIPTION("Capture card of the avring project, PCI 1234:acad");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.3.0");
