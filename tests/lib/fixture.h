/* SPDX-License-Identifier: MIT */
/*
 * fixture: what stands around the tests of every program that needs a card.
 */
#ifndef TEST_FIXTURE_H
#define TEST_FIXTURE_H

#include <stddef.h>

#include "tap.h"

/* Values of the module parameter max_order. */
extern const long fixture_huge, fixture_single;

/*
 * tap_main() for tests of card 0. No test may leave a store alive. After each test
 * the module is loaded, the card bound and max_order 9 again, whatever the test
 * left behind; then @after, if any, puts back the rest.
 */
int fixture_main(const struct tap_test *tests, size_t n_tests, void (*after)(void), int argc,
		 char **argv);

/*
 * tap_main() for tests that leave module, card and parameters as they are. No test may leave a
 * store alive. @after, if any, puts back what they set.
 */
int fixture_card_main(const struct tap_test *tests, size_t n_tests, void (*after)(void), int argc,
		      char **argv);

#endif
