# SPDX-License-Identifier: LGPL-2.1-or-later
#
# How the tests are built and run. The work is in tests/check (what runs in which order, and the
# count) and in the runners beside each kind of test.

ASAN_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
TSAN_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
COV_FLAGS  := -O0 -g --coverage -fprofile-update=atomic -DSANDBOX_AVAILABLE=0

.PHONY: demo check check-unit check-integ check-kernel check-arch asan tsan coverage fuzz lint \
	format format-check shell

demo:
	$(Q)tests/setup build test
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/demo/demo --build $(O)

check:
	$(Q)tests/setup build test
	$(Q)tests/check $(CHECK_ARGS)

check-unit: tests
	$(Q)tests/unit/run --build $(O)

check-arch: all
	$(Q)tests/arch/run --build $(O)

check-integ: all
	$(Q)tests/integ/run --build $(O) --mode $(MODE)

check-kernel: tests
	$(Q)tests/kernel/run $(KERNEL) -- tests/integ/run --build $(O) --mode kernel

asan:
	$(Q)$(MAKE) --no-print-directory O=build/asan CFLAGS='$(ASAN_FLAGS)' tests
	$(Q)$(if $(BUILD_ONLY),true,tests/check --only asan)

tsan:
	$(Q)$(MAKE) --no-print-directory O=build/tsan CFLAGS='$(TSAN_FLAGS)' tests
	$(Q)$(if $(BUILD_ONLY),true,tests/check --only tsan)

coverage:
	$(Q)$(MAKE) --no-print-directory O=build/coverage CFLAGS='$(COV_FLAGS)' tests
	$(Q)tests/unit/run --build build/coverage
	$(Q)tests/integ/run --build build/coverage
	$(Q)gcovr --root . --object-directory build/coverage --filter daemon/ --print-summary \
		--html-details build/coverage/index.html

fuzz:
	$(Q)tests/fuzz/run --seconds $(FUZZ_SECONDS) $(FUZZ)

lint: all
	$(Q)tests/lint

format:
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format -i

format-check:
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format --dry-run --Werror

shell:
	$(Q)tests/kernel/shell $(KERNEL)
