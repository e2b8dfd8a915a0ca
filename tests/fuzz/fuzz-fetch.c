/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The decoder of the messages between daemon and siptls-fetch: what it accepts, it has to give back
 * as the same bytes. The seeds are written by `test-fetch-message DIRECTORY`.
 */

#include <fetch/message.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fetch_message message;
	static uint8_t again[FETCH_MESSAGE_MAX];
	size_t size_again;

	if (fetch_message_decode(data, size, &message) != 0)
		return 0;
	if (fetch_message_encode(&message, again, &size_again) != 0 || size_again != size ||
	    memcmp(data, again, size) != 0)
		abort();
	fetch_message_done(&message);
	return 0;
}
