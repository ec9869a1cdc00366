// SPDX-License-Identifier: MIT
/*
 * late: a card goes on writing after it was stopped. Memory that it was given stays a
 * reader's when it is taken from the card. Only an IOMMU can keep the card from it, and has a
 * line in the log for that: tests/vm/run --qemu "-device intel-iommu" --allow "DMAR.*fault".
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "camera.h"
#include "remote.h"

static bool late_has_iommu(void)
{
	struct node node;
	char path[96];

	node_find(&node);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", node.address);
	return !access(path, F_OK);
}

static void test_ring(void)
{
	struct ring ring;
	uint8_t *copy;

	if (!late_has_iommu())
		tap_skip("no IOMMU: tests/vm/run --qemu '-device intel-iommu'");
	camera_set(&camera_small);
	ring = camera_ring();
	camera_look_many(&ring, ring.at.next, 5, &(struct camera_watch){ .mode = &camera_small });
	copy = malloc(ring.at.length);
	remote_flag("write-after-stop", true);
	must(ring_call(&ring, AVRING_IOC_DETACH, NULL));
	memcpy(copy, ring.data, ring.at.length);
	usleep(300000);
	tap_check(!memcmp(copy, ring.data, ring.at.length),
		  "the ring: expected to stay as it was when the card had been stopped");
	free(copy);
	ring_close(&ring);
}

/* Who would write to what has been freed would be seen in the next one. */
static void test_again(void)
{
	struct ring ring;
	unsigned int i;

	remote_flag("write-after-stop", true);
	camera_set(&camera_small);
	for (i = 0; i < 3; i++) {
		ring = camera_ring();
		camera_look_many(&ring, ring.at.next, 5,
				 &(struct camera_watch){ .mode = &camera_small });
		ring_close(&ring);
	}
}

static const struct tap_test tests[] = {
	{ "a card that writes after its end reaches nothing", .run = test_ring },
	{ "and the next ring is right", .run = test_again },
};

int main(int argc, char **argv)
{
	return camera_main(tests, TAP_COUNT(tests), argc, argv);
}
