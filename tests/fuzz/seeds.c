/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The main of a fuzzer that is built without a fuzzing engine: every file named on the command line
 * is one input. So the seeds, and every input that once crashed, are ordinary tests.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX (4 * 1024 * 1024)

int main(int argc, char **argv)
{
	uint8_t *data = malloc(INPUT_MAX);

	if (!data)
		return EXIT_FAILURE;
	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "re");
		size_t size;

		if (!file) {
			perror(argv[i]);
			return EXIT_FAILURE;
		}
		size = fread(data, 1, INPUT_MAX, file);
		fclose(file);
		LLVMFuzzerTestOneInput(data, size);
		printf("ok %s\n", argv[i]);
	}
	free(data);
	return EXIT_SUCCESS;
}
