// SPDX-License-Identifier: MIT
/*
 * drain DEVICE FRAMES: the smallest correct reader. Adds up the bytes of each frame,
 * and prints one line per frame that stayed intact while that was done.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <avring/avring.h>

static unsigned int add_up(const unsigned char *data, size_t length)
{
	unsigned int sum = 0;

	while (length--)
		sum += *data++;
	return sum;
}

int main(int argc, char **argv)
{
	long left = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
	struct avring_reader *reader = NULL;
	struct avring_span span;
	int err = argc == 3 ? avring_reader_open(&reader, argv[1], NULL) : -EINVAL;

	while (!err && left > 0) {
		err = avring_reader_next(reader, &span);
		if (!err) {
			unsigned int sum = add_up(span.data, span.length);

			err = avring_reader_release(reader, &span);
			if (!err)
				printf("%" PRIu64 " %zu %08x\n", span.sequence, span.length, sum);
			left -= !err;
		} else if (err == -ESTALE) {
			err = avring_reader_renew(reader);
		} else if (err == -EAGAIN) {
			err = avring_reader_wait(reader, AVRING_FOREVER);
		}
		if (err == -EOVERFLOW || err == -EINTR)
			err = 0; /* too late for this frame; a signal handler ran */
	}
	if (reader)
		fprintf(stderr, "%" PRIu64 " lost\n", avring_reader_lost(reader));
	avring_reader_close(reader);
	if (err)
		fprintf(stderr, "drain DEVICE FRAMES: %s\n", strerror(-err));
	return err || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
