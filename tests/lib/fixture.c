// SPDX-License-Identifier: MIT
/*
 * fixture: what stands around the tests of every program that needs a card.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "device.h"
#include "fixture.h"
#include "module.h"

const long fixture_huge = 9, fixture_single;

static void (*fixture_after)(void);

/* A failed test may leave the module out, the card unbound or another max_order. */
static void fixture_restore(void)
{
	struct card card;

	if (access(CARD_DRIVER_DIR, F_OK) && module_load())
		return;
	if (card_find(0, &card))
		card_bind(&card);
	card_parameter_set("max_order", fixture_huge);
	if (fixture_after)
		fixture_after();
}

static void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		perror(path);
	close(fd);
}

/* Tests count chunks: whatever ran before may have left memory in small pieces. */
static void fixture_defragment(void)
{
	write_to("/proc/sys/vm/drop_caches", "3");
	write_to("/proc/sys/vm/compact_memory", "1");
}

int fixture_main(const struct tap_test *tests, size_t n_tests, void (*after)(void), int argc,
		 char **argv)
{
	struct tap_suite suite = { .tests = tests,
				   .n_tests = n_tests,
				   .missing = card_missing,
				   .residue = card_live_stores,
				   .after = fixture_restore };

	fixture_after = after;
	module_remember();
	fixture_defragment();
	return tap_main(&suite, argc, argv);
}

int fixture_card_main(const struct tap_test *tests, size_t n_tests, void (*after)(void), int argc,
		      char **argv)
{
	const struct tap_suite suite = { .tests = tests,
					 .n_tests = n_tests,
					 .missing = card_missing,
					 .residue = card_live_stores,
					 .after = after };

	return tap_main(&suite, argc, argv);
}
