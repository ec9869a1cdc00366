// SPDX-License-Identifier: MIT
/*
 * usage: card [-t SECONDS] BENCHMARK...
 *
 * Benchmarks of the PCI card, those of bench/README.md: C1, C2, C3. One JSON object per line,
 * for bench/report. SECONDS is how long a window is: 3.
 *
 * exit status: 0; 1 something could not be measured, or a word was wrong; 2 usage.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "card.h"

static const struct {
	const char *id;
	int (*run)(const struct card *card, unsigned int seconds);
} benchmarks[] = {
	{ "C1", card_compare },
	{ "C2", card_share },
	{ "C3", card_work },
};

static int run(const char *id, const struct card *card, unsigned int seconds)
{
	for (size_t i = 0; i < sizeof(benchmarks) / sizeof(benchmarks[0]); i++) {
		int err;

		if (strcmp(benchmarks[i].id, id) != 0)
			continue;
		err = benchmarks[i].run(card, seconds);
		fflush(stdout);
		if (err)
			fprintf(stderr, "card: %s: %s\n", id, strerror(-err));
		return err ? 1 : 0;
	}
	fprintf(stderr, "card: no benchmark %s; there are C1, C2, C3\n", id);
	return 2;
}

static unsigned int parse_seconds(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || value < 1 || value > 60) {
		fprintf(stderr, "card: -t %s: not a number of seconds from 1 to 60\n", text);
		exit(2);
	}
	return value;
}

int main(int argc, char **argv)
{
	unsigned int seconds = 3;
	struct card card;
	int option, err, status = 0;

	while ((option = getopt(argc, argv, "t:")) != -1) {
		if (option != 't')
			return 2;
		seconds = parse_seconds(optarg);
	}
	if (optind == argc) {
		fputs("usage: card [-t SECONDS] BENCHMARK...\n", stderr);
		return 2;
	}
	err = card_find(&card);
	if (err) {
		fprintf(stderr, "card: no PCI card with its driver: %s\n", strerror(-err));
		return 1;
	}
	for (int i = optind; i < argc && status != 2; i++) {
		int one = run(argv[i], &card, seconds);

		status = one > status ? one : status;
	}
	return status;
}
