# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Benchmarks: one program per file, each prints what it measured and passes no judgement.

BENCH_SRC := $(wildcard tests/bench/bench-*.c)
BENCH_BIN := $(patsubst tests/bench/%.c,$(O)/tests/%,$(BENCH_SRC))

.PHONY: bench

$(O)/tests/bench-%: $(O)/tests/bench/bench-%.o $(O)/libsiptls.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK) $^ $(call libs,$(PKGS) $(PKGS_FETCH) $(PKGS_TEST)) -pthread -o $@

bench: $(BENCH_BIN)
	$(Q)for program in $(BENCH_BIN); do $$program || exit; done
