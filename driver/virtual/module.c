// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the module of the virtual cards. They are platform devices, so that unbind, bind and
 * sysfs work as for hardware.
 */
#include <linux/font.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/string.h>
#include <media/tpg/v4l2-tpg.h>

#include "chassis.h"
#include "compat.h"
#include "names.h"
#include "virtual/card.h"

#define AVRING_MAX_VIRTUAL	8

static unsigned int avring_cards = 1;
static struct avring_chosen_names avring_chosen;
static char *avring_source = "pattern";

static int avring_cards_set(const char *val, const struct kernel_param *kp)
{
	int err = param_set_uint_minmax(val, kp, 0, AVRING_MAX_VIRTUAL);

	if (err)
		pr_err("avring: cards=%s is not a number from 0 to %d\n", val, AVRING_MAX_VIRTUAL);
	return err;
}

static const struct kernel_param_ops avring_cards_ops = {
	.set = avring_cards_set,
	.get = param_get_uint,
};
module_param_cb(cards, &avring_cards_ops, &avring_cards, 0444);
MODULE_PARM_DESC(cards, "number of virtual cards, 0 to 8 (default 1)");

static int avring_source_set(const char *val, const struct kernel_param *kp)
{
	if (strcmp(val, "pattern") && strcmp(val, "loopback")) {
		pr_err("avring: source=%s is neither pattern nor loopback\n", val);
		return -EINVAL;
	}
	return param_set_charp(val, kp);
}

static const struct kernel_param_ops avring_source_ops = {
	.set = avring_source_set,
	.get = param_get_charp,
	.free = param_free_charp,
};
module_param_cb(source, &avring_source_ops, &avring_source, 0444);
MODULE_PARM_DESC(source, "what capture shows first: pattern or loopback (default pattern)");

AVRING_NAMES_PARAM(avring_chosen);

static int avring_make_card(struct platform_device *pdev)
{
	const struct avring_card_config config = {
		.number = pdev->id,
		.name = avring_chosen.names[pdev->id],
		.loopback = !strcmp(avring_source, "loopback"),
	};
	struct avring_card *card = avring_card_new(&pdev->dev, &config);
	int err;

	if (IS_ERR(card))
		return PTR_ERR(card);
	err = avring_card_register(card);
	if (err) {
		avring_card_remove(card);
		return err;
	}
	platform_set_drvdata(pdev, card);
	return 0;
}

/* A load succeeds without the card, so the log has to name it. */
static int avring_probe(struct platform_device *pdev)
{
	int err = avring_make_card(pdev);

	if (err)
		dev_err(&pdev->dev, "card %d is missing: it could not be made, error %d\n",
			pdev->id, err);
	return err;
}

static AVRING_REMOVE_RETURNS avring_remove(struct platform_device *pdev)
{
	avring_card_remove(platform_get_drvdata(pdev));
	return AVRING_REMOVE_DONE;
}

static struct platform_driver avring_driver = {
	.probe = avring_probe,
	.remove = avring_remove,
	.driver = { .name = "avring" },
};

static struct platform_device *avring_devices[AVRING_MAX_VIRTUAL];

static void avring_remove_devices(unsigned int count)
{
	while (count--)
		platform_device_unregister(avring_devices[count]);
}

static int avring_add_devices(void)
{
	unsigned int i;

	for (i = 0; i < avring_cards; i++) {
		avring_devices[i] = platform_device_register_simple("avring", i, NULL, 0);
		if (IS_ERR(avring_devices[i])) {
			avring_remove_devices(i);
			return PTR_ERR(avring_devices[i]);
		}
	}
	return 0;
}

static int avring_set_font(void)
{
	const struct font_desc *font = find_font("VGA8x16");

	if (!font) {
		pr_err("avring: the kernel has no font VGA8x16\n");
		return -ENODEV;
	}
	tpg_set_font(font->data);
	return 0;
}

static int __init avring_init(void)
{
	int err = avring_set_font();

	if (err)
		return err;
	err = platform_driver_register(&avring_driver);
	if (err)
		return err;
	err = avring_add_devices();
	if (err) {
		platform_driver_unregister(&avring_driver);
		avring_chassis_wait_freed(&avring_virtual);
	}
	return err;
}
module_init(avring_init);

static void __exit avring_exit(void)
{
	avring_remove_devices(avring_cards);
	platform_driver_unregister(&avring_driver);
	avring_chassis_wait_freed(&avring_virtual);
}
module_exit(avring_exit);

AVRING_IMPORT();
MODULE_DESCRIPTION("Virtual camera with its microphone");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.3.0");
