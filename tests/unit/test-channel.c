/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The channel between our processes: what was said before an end is heard, however it ended. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <siptls/channel.h>

static int on_io(void *userdata _unused_, int fd _unused_, unsigned int events _unused_)
{
	return 0;
}

struct ends {
	struct loop *loop;
	struct channel ours, theirs;
};

static void ends_open(struct ends *e)
{
	int pair[2];

	assert_int_equal(loop_new(&e->loop), 0);
	assert_int_equal(channel_pair(pair), 0);
	assert_int_equal(channel_init(&e->ours, e->loop, pair[0], on_io, NULL), 0);
	assert_int_equal(channel_init(&e->theirs, e->loop, pair[1], on_io, NULL), 0);
}

static void ends_close(struct ends *e)
{
	channel_done(&e->ours);
	channel_done(&e->theirs);
	loop_free(e->loop);
}

static void say(struct channel *channel, const char *words)
{
	assert_int_equal(channel_post(channel, (const uint8_t *)words, strlen(words), -1), 0);
}

static int hear(struct channel *channel, char *ret)
{
	size_t size = 0;
	int fd = -1, r;

	r = channel_receive(channel, (uint8_t *)ret, 16, &size, &fd);
	ret[size] = '\0';
	assert_int_equal(fd, -1);
	return r;
}

static void check_end(bool unread)
{
	struct ends e = {};
	char words[17];

	ends_open(&e);
	assert_int_equal(hear(&e.ours, words), CHANNEL_E_AGAIN);
	if (unread)
		say(&e.ours, "never read");
	say(&e.theirs, "one");
	say(&e.theirs, "two");
	channel_done(&e.theirs);
	assert_int_equal(hear(&e.ours, words), 0);
	assert_string_equal(words, "one");
	assert_int_equal(hear(&e.ours, words), 0);
	assert_string_equal(words, "two");
	assert_int_equal(hear(&e.ours, words), CHANNEL_E_EOF);
	assert_int_equal(hear(&e.ours, words), CHANNEL_E_EOF);
	ends_close(&e);
}

static void test_end(void **state _unused_)
{
	check_end(/* unread= */ false);
}

/* As a process does that finds a mistake before it has read what it was told. */
static void test_end_with_something_unread(void **state _unused_)
{
	check_end(/* unread= */ true);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_end_with_something_unread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
