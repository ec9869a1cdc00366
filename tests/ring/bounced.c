// SPDX-License-Identifier: MIT
/*
 * bounced: a reader's dma-buf is used by a device whose memory is copied (swiotlb=force): nobody
 * can have an old copy put back over the ring.
 */
#include <linux/dma-buf.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "content.h"
#include "ring.h"

#define LENGTH (4 * PAGE_BYTES)

#define VIVID \
	"modprobe -q vivid node_types=0x100 vid_out_nr=41 allocators=1 num_outputs=1 output_types=1"

/* vivid as a device that reads by DMA. A picture of two pages is copied in one piece. */
static struct video open_vivid(void)
{
	struct video video;

	if (system(VIVID))
		tap_skip("no vivid in this kernel");
	must(video_open(&video, "/dev/video41"));
	must(video_set_format(&video, V4L2_PIX_FMT_YUYV, 64, 64));
	return video;
}

static void sync_for_reading(int fd)
{
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ };

	must(sys(ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync)));
	sync.flags = DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ;
	must(sys(ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync)));
}

static void test_old_copy_stays_away(void)
{
	struct ring producer = ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
	struct ring reader = ring_reader(AVRING_STREAM_VIDEO);
	int fd = must(ring_export(&reader, 0, LENGTH));
	struct video vivid = open_vivid();

	content_fill(producer.data, LENGTH, 0);
	must(video_request_dmabufs(&vivid, 2));
	must(video_queue_dmabuf(&vivid, fd, LENGTH));
	content_fill(producer.data, LENGTH, 3);
	sync_for_reading(fd);
	content_expect("ring", reader.data, LENGTH, 3, 0);
	video_close(&vivid);
	content_expect("ring", reader.data, LENGTH, 3, 0);
	close(fd);
	ring_close(&reader);
	ring_close(&producer);
	if (system("modprobe -q -r vivid"))
		tap_fail("modprobe -r vivid: expected success, got failure");
}

static const struct tap_test tests[] = {
	{ "where memory is copied, a look at a reader's dma-buf puts nothing old into the ring",
	  .run = test_old_copy_stays_away },
};

int main(int argc, char **argv)
{
	return ring_main(tests, TAP_COUNT(tests), argc, argv);
}
