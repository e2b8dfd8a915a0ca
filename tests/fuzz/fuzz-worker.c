/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The decoder of worker messages: what it accepts, it has to give back as the same bytes. The seeds
 * are written by `test-worker-message DIRECTORY`.
 */

#include <siptls/worker.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct worker_message message;
	static uint8_t again[WORKER_MESSAGE_MAX];
	size_t size_again;

	if (worker_message_decode(data, size, &message) != 0)
		return 0;
	if (worker_message_encode(&message, again, &size_again) != 0 || size_again != size ||
	    memcmp(data, again, size) != 0)
		abort();
	worker_message_done(&message);
	return 0;
}
