# SPDX-License-Identifier: LGPL-2.1-or-later
#
# siptlsd - mutual TLS between listed SIP servers, records in the kernel
#
# make                 build everything into build/default
# make demo            two SIP servers call each other through two siptlsd, with proof; sets itself up
# make check           every test; sets itself up; last line "N passed, N failed"
# make check-unit      unit tests and fuzz seeds only
# make check-integ     real peers against the programs on this machine (MODE=auto|kernel|user)
# make check-kernel    the same in the test machine, real kernel TLS (KERNEL=7.2 or 6.1, 6.12)
# make asan | tsan     build into build/asan or build/tsan and run unit and integ tests there
# make coverage        unit and integ tests with coverage, report in build/coverage
# make fuzz            run every fuzzer for FUZZ_SECONDS each (default 60)
# make lint            clang-tidy, cppcheck, gcc -fanalyzer, shellcheck
# make format          rewrite the sources with clang-format
# make format-check    tell what clang-format would change
# make shell           a root shell in the test machine (KERNEL=7.2)
# make install         honours DESTDIR PREFIX SYSCONFDIR UNITDIR ... ; make uninstall
# make clean           remove build/
#
# V=1 shows commands, ERR=1 makes warnings errors, O=DIR builds elsewhere, CC CFLAGS LDFLAGS as usual.

O	   ?= build/default
CC	   ?= cc
CFLAGS	   ?= -O2 -g
PKG_CONFIG ?= pkg-config
PREFIX	   ?= /usr
SYSCONFDIR ?= /etc
BINDIR	   ?= $(PREFIX)/bin
SBINDIR	   ?= $(PREFIX)/sbin
LIBEXECDIR ?= $(PREFIX)/lib/siptls
MANDIR	   ?= $(PREFIX)/share/man
DOCDIR	   ?= $(PREFIX)/share/doc/siptls
UNITDIR	   ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d
MODULESDIR ?= $(PREFIX)/lib/modules-load.d
CATALOGDIR ?= $(PREFIX)/lib/systemd/catalog
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
KERNEL	   ?= 7.2
MODE	   ?= auto
FUZZ_SECONDS ?= 60

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' '$(1)' '$(2)')

# Goals that set themselves up, clean or only start other programs need no libraries to be there yet.
SETUP_GOALS := demo check help clean format format-check shell
needs_libs  := $(if $(MAKECMDGOALS),$(filter-out $(SETUP_GOALS),$(MAKECMDGOALS)),all)

PKGS	  := gnutls>=3.7.9 libsystemd>=252 jansson>=2.14 libconfuse>=3.3 libseccomp>=2.5
PKGS_FETCH := libcurl>=7.88 libunbound>=1.17
PKGS_TOOL := libmnl>=1.0.4 libnl-3.0>=3.7 libnl-genl-3.0>=3.7 smartcols>=2.38
PKGS_TEST := cmocka>=1.1.5
quoted	   = $(foreach p,$(1),'$(subst >=, >= ,$(p))')

ifneq ($(needs_libs),)
missing := $(shell for p in $(call quoted,$(PKGS) $(PKGS_FETCH) $(PKGS_TOOL)); do \
	$(PKG_CONFIG) --exists "$$p" || echo "$$p"; done)
ifneq ($(missing),)
$(error libraries not found: $(missing). On Debian run: tests/setup build)
endif
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(call quoted,$(PKGS) $(PKGS_FETCH) $(PKGS_TOOL)))
endif

# Which optional flags this compiler takes: asked once for each compiler, kept beside the objects.
cc_opts = $(shell mkdir -p $(O); for f in $(1); do echo 'int x;' | \
	$(CC) -Werror $$f -x c -c - -o $(O)/.probe 2>/dev/null && echo $$f; done; rm -f $(O)/.probe)

STD   := -std=gnu17 -D_GNU_SOURCE -Iinclude -Idaemon -DSIPTLS_LIBEXECDIR='"$(LIBEXECDIR)"'
WANT_WARN := -Wall -Wextra -Wformat=2 -Wconversion -Wsign-conversion -Wimplicit-fallthrough -Wshadow \
	-Wvla -Wundef -Wcast-qual -Wwrite-strings -Wpointer-arith -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wnull-dereference -Wswitch-enum -Wtrampolines \
	-Wbidi-chars=any -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init \
	-Werror=format-security -Werror=implicit -Werror=incompatible-pointer-types \
	-Werror=int-conversion
WANT_HARDEN := -fstack-protector-strong -fstack-clash-protection -fcf-protection=full \
	-ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr -fno-delete-null-pointer-checks \
	-fno-strict-overflow -fno-strict-aliasing -fPIE -ffile-prefix-map=$(CURDIR)=.
HARDEN_LINK := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed

ifneq ($(needs_libs),)
OPTS_KEY := $(shell $(CC) --version 2>/dev/null | head -n 1)
-include $(O)/.options.mk
ifneq ($(OPTS_SEEN),$(OPTS_KEY))
WARN   := $(call cc_opts,$(WANT_WARN))
HARDEN := $(call cc_opts,$(WANT_HARDEN))
$(shell mkdir -p $(O); printf 'OPTS_SEEN := %s\nWARN := %s\nHARDEN := %s\n' '$(OPTS_KEY)' '$(WARN)' \
	'$(HARDEN)' > $(O)/.options.mk)
endif
endif

# Sanitizers bring their own checks of the same functions.
FORTIFY := $(if $(findstring -fsanitize,$(CFLAGS)),,$(if $(findstring -O0,$(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3))
COMPILE  = $(CC) $(STD) $(PKG_CFLAGS) $(WARN) $(if $(ERR),-Werror) $(HARDEN) $(FORTIFY) $(CFLAGS)
LINK	 = $(CC) $(CFLAGS) $(HARDEN_LINK) $(LDFLAGS)
libs	 = $(shell $(PKG_CONFIG) --libs $(call quoted,$(1)))

LIB_SRC	  := $(wildcard daemon/*/*.c)
KMOD_SRC  := $(wildcard kmod-tools/*.c)
UNIT_SRC  := $(wildcard tests/unit/test-*.c)
FUZZ_SRC  := $(wildcard tests/fuzz/fuzz-*.c)
obj	   = $(patsubst %.c,$(O)/%.o,$(1))
PROGRAMS  := siptlsd siptls-handshake siptls-fetch siptlsctl siptls-kmod
UNIT_BIN  := $(patsubst tests/unit/%.c,$(O)/tests/%,$(UNIT_SRC))
SEED_BIN  := $(patsubst tests/fuzz/%.c,$(O)/tests/seeds-%,$(FUZZ_SRC))

# Objects of programs that pattern rules link are worth keeping.
.SECONDARY:
.PHONY: all tests install uninstall clean help FORCE
all: $(addprefix $(O)/,$(PROGRAMS))
tests: all $(UNIT_BIN) $(SEED_BIN)

$(O)/.flags: FORCE
	@mkdir -p $(@D); echo '$(COMPILE) $(LINK)' | cmp -s - $@ || echo '$(COMPILE) $(LINK)' > $@

$(O)/%.o: %.c $(O)/.flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -MMD -MP -c $< -o $@

$(O)/libsiptls.a: $(call obj,$(LIB_SRC))
	$(call say,AR,$@)
	$(Q)rm -f $@; $(AR) rcsD $@ $^

$(O)/siptlsd $(O)/siptls-handshake: $(O)/%: $(O)/daemon/%.o $(O)/libsiptls.a
	$(call say,LINK,$@)
	$(Q)$(LINK) $^ $(call libs,$(PKGS)) -pthread -o $@

$(O)/siptls-fetch: $(O)/daemon/siptls-fetch.o $(O)/libsiptls.a
	$(call say,LINK,$@)
	$(Q)$(LINK) $^ $(call libs,$(PKGS) $(PKGS_FETCH)) -pthread -o $@

$(O)/siptlsctl: $(O)/daemon/siptlsctl.o $(O)/libsiptls.a
	$(call say,LINK,$@)
	$(Q)$(LINK) $^ $(call libs,$(PKGS) smartcols) -pthread -o $@

$(O)/siptls-kmod: $(call obj,$(KMOD_SRC)) $(O)/libsiptls.a
	$(call say,LINK,$@)
	$(Q)$(LINK) $^ $(call libs,$(PKGS_TOOL) jansson) -o $@

$(O)/tests/test-%: $(O)/tests/unit/test-%.o $(O)/libsiptls.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK) $^ $(call libs,$(PKGS) $(PKGS_FETCH) $(PKGS_TEST) smartcols) -pthread -o $@

# A fuzzer's entry point with a main that runs its seeds, as an ordinary test.
$(O)/tests/seeds-%: $(O)/tests/fuzz/%.o $(O)/tests/fuzz/seeds.o $(O)/libsiptls.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK) $^ $(call libs,$(PKGS) $(PKGS_FETCH) smartcols) -pthread -o $@

help:
	@sed -n '/^# make /s/^# //p; /^# V=1/s/^# //p' Makefile

clean:
	$(Q)rm -rf build

include tests/tests.mk
include tests/bench/bench.mk
include systemd/install.mk

-include $(shell find $(O) -name '*.d' 2>/dev/null)
