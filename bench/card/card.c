// SPDX-License-Identifier: MIT
/* The PCI card and its driver's threads. See card.h. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/videodev2.h>

#include "card.h"
#include "counter.h"

#define CARD_DRIVER "/sys/bus/pci/drivers/avring-pci"
#define CARD_TIMEOUT_NS UINT64_C(5000000000)
#define CARD_HUGE_PAGE (UINT64_C(2) << 20)

uint64_t card_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---------------------------------------------------------------- what there is */

/* The first path that matches. */
static int card_match(const char *pattern, char *path, size_t size)
{
	glob_t found;

	if (glob(pattern, 0, NULL, &found))
		return -ENODEV;
	snprintf(path, size, "%s", found.gl_pathv[0]);
	globfree(&found);
	return 0;
}

/* The name of a kernel thread, or of a program. */
static void card_comm(const char *pid, char *name, size_t size)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.16s/comm", pid);
	*name = '\0';
	file = fopen(path, "re");
	if (!file)
		return;
	if (!fgets(name, size, file))
		*name = '\0';
	fclose(file);
}

/* Is this the thread of one of the interrupts in the directory msi_irqs of the card? */
static bool card_serves(const char *name, const char *function)
{
	char path[300];
	unsigned int irq;

	if (sscanf(name, "irq/%u-", &irq) != 1)
		return false;
	snprintf(path, sizeof(path), "%s/msi_irqs/%u", function, irq);
	return access(path, F_OK) == 0;
}

static int card_find_threads(struct card *card, const char *function)
{
	struct dirent *entry;
	char name[64];
	DIR *dir = opendir("/proc");

	if (!dir)
		return -errno;
	while ((entry = readdir(dir)) && card->n_threads < CARD_THREADS) {
		if (!isdigit(entry->d_name[0]))
			continue;
		card_comm(entry->d_name, name, sizeof(name));
		if (card_serves(name, function))
			card->threads[card->n_threads++] = atoi(entry->d_name);
	}
	closedir(dir);
	return card->n_threads ? 0 : -ESRCH;
}

int card_find(struct card *card)
{
	char path[256], function[256];
	struct avring_info info;
	int err;

	memset(card, 0, sizeof(*card));
	err = card_match(CARD_DRIVER "/0000:*/avring/avring*", path, sizeof(path));
	if (err)
		return err;
	snprintf(card->ring, sizeof(card->ring), "/dev/%.16s", strrchr(path, '/') + 1);
	snprintf(function, sizeof(function), CARD_DRIVER "/%.12s", path + strlen(CARD_DRIVER "/"));
	err = card_find_threads(card, function);
	if (!err)
		err = avring_card_info(card->ring, &info);
	if (!err)
		err = avring_devnum_path(info.capture, card->video, sizeof(card->video));
	return err;
}

int card_set_pattern(const struct card *card, int pattern)
{
	struct v4l2_control control = { .id = V4L2_CID_TEST_PATTERN, .value = pattern };
	int fd = open(card->video, O_RDWR | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, VIDIOC_S_CTRL, &control))
		err = -errno;
	close(fd);
	return err;
}

/* ---------------------------------------------------------------- what it has cost */

uint64_t card_thread_ns(const struct card *card)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < card->n_threads; i++)
		sum += counter_of_process(card->threads[i]);
	return sum;
}

uint64_t card_worker_ns(void)
{
	struct dirent *entry;
	char name[64];
	uint64_t sum = 0;
	DIR *dir = opendir("/proc");

	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		if (!isdigit(entry->d_name[0]))
			continue;
		card_comm(entry->d_name, name, sizeof(name));
		if (strncmp(name, "kworker/", 8) == 0)
			sum += counter_of_process(atoi(entry->d_name));
	}
	closedir(dir);
	return sum;
}

/* ---------------------------------------------------------------- its pictures */

/* With pages of 2 MiB to the end. */
static uint64_t card_ring_bytes(const struct card_mode *mode)
{
	uint64_t pixel = mode->pixelformat == V4L2_PIX_FMT_YUYV ? 2 : 4;
	uint64_t bytes = pixel * mode->width * mode->height * mode->ring_frames;

	return (bytes + CARD_HUGE_PAGE - 1) / CARD_HUGE_PAGE * CARD_HUGE_PAGE;
}

int card_open(const struct card *card, const struct card_mode *mode, struct avring_reader **reader)
{
	struct avring_options options = { .size = sizeof(options) };

	options.ring_bytes = card_ring_bytes(mode);
	options.video.pixelformat = mode->pixelformat;
	options.video.width = mode->width;
	options.video.height = mode->height;
	options.video.rate_num = mode->fps;
	options.video.rate_den = 1;
	return avring_reader_open(reader, card->ring, &options);
}

int card_next(struct avring_reader *reader, struct avring_span *span)
{
	int err;

	while ((err = avring_reader_next(reader, span)) == -EAGAIN) {
		err = avring_reader_wait(reader, card_now() + CARD_TIMEOUT_NS);
		if (err)
			return err;
	}
	return err;
}

int card_skip(struct avring_reader *reader, unsigned int frames)
{
	struct avring_span span;
	int err = 0;

	while (!err && frames--) {
		err = card_next(reader, &span);
		if (!err)
			avring_reader_release(reader, &span);
	}
	return err;
}

/* ---------------------------------------------------------------- rows */

static int card_compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double card_median(double *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), card_compare_doubles);
	return values[n / 2];
}

void card_row(const char *id, const char *unit, const char *who, double value, const char *what,
	      ...)
{
	va_list args;

	printf("{\"id\":\"%s\",\"unit\":\"%s\",\"who\":\"%s\",\"value\":%.6g,\"what\":\"", id, unit,
	       who, value);
	va_start(args, what);
	vprintf(what, args);
	va_end(args);
	puts("\"}");
}

/* What an error means here. */
static const char *card_reason(int err)
{
	switch (err) {
	case -EOVERFLOW:
		return "frames were lost: is the host busy?";
	case -ERANGE:
		return "the frames came at another rate than the card's";
	default:
		return strerror(-err);
	}
}

void card_missing(const char *id, const char *unit, int err, const char *what, ...)
{
	va_list args;

	printf("{\"id\":\"%s\",\"unit\":\"%s\",\"who\":\"avring\",\"missing\":\"%s\",\"what\":\"",
	       id, unit, card_reason(err));
	va_start(args, what);
	vprintf(what, args);
	va_end(args);
	puts("\"}");
}
