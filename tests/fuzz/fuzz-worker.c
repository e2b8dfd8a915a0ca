/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The decoders of worker messages and of facts that were packed: what they accept, they have to
 * give back as the same bytes. The seeds are written by `test-worker-message DIRECTORY`.
 */

#include <siptls/worker.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_message(const uint8_t *data, size_t size)
{
	static struct worker_message message;
	static uint8_t again[WORKER_MESSAGE_MAX];
	size_t size_again;

	if (worker_message_decode(data, size, &message) != 0)
		return;
	if (worker_message_encode(&message, again, &size_again) != 0 || size_again != size ||
	    memcmp(data, again, size) != 0)
		abort();
	worker_message_done(&message);
}

/* Paths that do not hold are left out: then what is packed is shorter, and else the same. */
static void check_facts(const uint8_t *data, size_t size)
{
	struct trust_facts facts;
	uint8_t *again;
	size_t size_again;
	bool whole = true;

	if (worker_facts_unpack(data, size, &facts) != 0)
		return;
	for (size_t i = 0; i < facts.n_paths; i++)
		whole = whole && facts.paths[i].outcome == TRUST_CHAIN_OK;
	if (worker_facts_pack(&facts, &again, &size_again) != 0)
		abort();
	if (whole ? size_again != size || memcmp(data, again, size) != 0 : size_again >= size)
		abort();
	free(again);
	trust_facts_done(&facts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_message(data, size);
	if (size > 0) /* what the seeds are, without the head of their message */
		check_facts(data + 1, size - 1);
	return 0;
}
