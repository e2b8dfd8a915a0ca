# SPDX-License-Identifier: LGPL-2.1-or-later
#
# install and uninstall: one list of (source, directory, mode), used by both.

define INSTALLED
$(O)/siptlsd		$(SBINDIR)		755
$(O)/siptls-handshake	$(LIBEXECDIR)		755
$(O)/siptls-fetch		$(LIBEXECDIR)		755
$(O)/siptlsctl		$(BINDIR)		755
$(O)/siptls-kmod	$(BINDIR)		755
$(O)/siptlsd.service	$(UNITDIR)		644
systemd/siptls-sysusers.conf	$(SYSUSERSDIR)	644	siptls.conf
systemd/siptls-tmpfiles.conf	$(TMPFILESDIR)	644	siptls.conf
systemd/siptls-modules.conf	$(MODULESDIR)	644	siptls.conf
systemd/siptls.catalog	$(CATALOGDIR)		644
docs/completion/siptlsctl.bash	$(BASHCOMPDIR)	644	siptlsctl
docs/examples/siptlsd.conf	$(DOCDIR)/examples	644
docs/examples/topology.conf	$(DOCDIR)/examples	644
README.md		$(DOCDIR)		644
COPYING			$(DOCDIR)		644
docs/configuration.md	$(DOCDIR)/docs		644
docs/architecture.md	$(DOCDIR)/docs		644
docs/threat-model.md	$(DOCDIR)/docs		644
docs/performance.md	$(DOCDIR)/docs		644
docs/testing.md		$(DOCDIR)/docs		644
docs/pkits.md		$(DOCDIR)/docs		644
$(O)/siptlsctl.1		$(MANDIR)/man1		644
endef
export INSTALLED

$(O)/siptlsd.service: systemd/siptlsd.service.in
	@mkdir -p $(@D)
	$(Q)sed -e 's|@SBINDIR@|$(SBINDIR)|g' -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|g' $< > $@

$(O)/%.1: docs/man/%.1.scd
	@mkdir -p $(@D)
	$(Q)scdoc < $< > $@

install: all $(O)/siptlsd.service $(O)/siptlsctl.1
	$(Q)printf '%s\n' "$$INSTALLED" | while read -r file dir mode name; do \
		install -D -m $$mode "$$file" "$(DESTDIR)$$dir/$${name:-$$(basename $$file)}" || exit 1; \
	done
	$(Q)install -d -m 755 "$(DESTDIR)$(SYSCONFDIR)/siptls"

uninstall:
	$(Q)printf '%s\n' "$$INSTALLED" | while read -r file dir mode name; do \
		rm -f "$(DESTDIR)$$dir/$${name:-$$(basename $$file)}"; \
	done
	$(Q)rmdir --ignore-fail-on-non-empty "$(DESTDIR)$(LIBEXECDIR)" "$(DESTDIR)$(DOCDIR)/examples" "$(DESTDIR)$(DOCDIR)/docs" \
		"$(DESTDIR)$(DOCDIR)" 2>/dev/null || true
