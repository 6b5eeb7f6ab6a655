# csapp-check: the command, and the library that the loader puts into programs for it.
#
#   make csapp-check  build/csapp-check and build/libcsapp_check.so, which plain make leaves out
#   make check-check  the tests of csapp-check alone, which make check runs too
#   make bench-check  what csapp-check costs: a web server, a proxy, lines, memory; needs wrk

CHECK_PROFILE = tool
CHECK_RELEASE = $(CARGO_TARGET_DIR)/$(TARGET:%=%/)$(CHECK_PROFILE)
CHECK_FLAGS = $(SILENT:s=--quiet) --locked --package csapp-check --profile $(CHECK_PROFILE) $(TARGET:%=--target %)
CHECK_SOURCES = $(shell find check/src -name '*.rs' -o -name '*.c') check/Cargo.toml check/build.rs Cargo.lock
# As the Rust half needs it: libc, and what unwinds.
CHECK_LIBRARIES = -lgcc_s -lc

.PHONY: csapp-check check-check bench-check
csapp-check: $(BUILD)/csapp-check $(BUILD)/libcsapp_check.so

# Frame pointers: each function looks for the place where it was called (check/src/preload/stack.rs).
$(CHECK_RELEASE)/libcsapp_check.a: $(CHECK_SOURCES)
	@$(CARGO) rustc $(CHECK_FLAGS) --lib -- -C force-frame-pointers=yes -C force-unwind-tables=yes
	@touch $@

# One after the other, since cargo locks the directory.
$(CHECK_RELEASE)/csapp-check: $(CHECK_SOURCES) | $(CHECK_RELEASE)/libcsapp_check.a
	@$(CARGO) rustc $(CHECK_FLAGS) --bin csapp-check
	@touch $@

$(BUILD)/libcsapp_check.so: $(CHECK_RELEASE)/libcsapp_check.a check/exports.map
	$(SAY) Linking $@
	@mkdir -p $(BUILD)
	$(QUIET)$(CC) -shared -s -o $@ -Wl,--whole-archive $< -Wl,--no-whole-archive -Wl,--version-script=check/exports.map \
	    -Wl,--gc-sections -Wl,-z,now -Wl,--build-id -Wl,-soname,libcsapp_check.so $(CHECK_LIBRARIES)

$(BUILD)/csapp-check: $(CHECK_RELEASE)/csapp-check
	$(SAY) Copying $@
	@mkdir -p $(BUILD)
	$(QUIET)cp -f $< $@

check-check: all csapp-check
	$(CARGO) test --locked --no-fail-fast --package tests check::
	$(CARGO) test --locked --package csapp-check --bin csapp-check

bench-check: all csapp-check
	python3 check/bench.py $(BUILD)

BIN_TO = $(DESTDIR)$(PREFIX)/bin
CHECK_TO = $(DESTDIR)$(PREFIX)/lib/csapp-check
CHECK_MAN_TO = $(DESTDIR)$(MANDIR)/man1

.PHONY: install-check uninstall-check
install-check:
	$(INSTALL) -d $(BIN_TO) $(CHECK_TO) $(CHECK_MAN_TO) $(DOC_TO)/examples/broken
	$(INSTALL) -m 755 $(BUILD)/csapp-check $(BIN_TO)
	$(INSTALL) -m 644 $(BUILD)/libcsapp_check.so $(CHECK_TO)
	$(INSTALL) -m 644 check/man/csapp-check.1 $(CHECK_MAN_TO)
	$(INSTALL) -m 644 docs/checking.md docs/grading.md docs/report.schema.json docs/timeline.png $(DOC_TO)
	sed -i $(GUIDE_LINKS) $(DOC_TO)/checking.md
	$(INSTALL) -m 644 examples/broken/*.c $(DOC_TO)/examples/broken

install: $(if $(wildcard $(BUILD)/libcsapp_check.so),install-check)

# Directories go if nothing else is in them.
uninstall-check:
	rm -rf $(CHECK_TO) $(BIN_TO)/csapp-check $(CHECK_MAN_TO)/csapp-check.1
	@for dir in $(CHECK_MAN_TO) $(if $(filter /usr /usr/local,$(PREFIX)),,$(BIN_TO)); do \
	    test ! -d "$$dir" || rmdir --ignore-fail-on-non-empty "$$dir"; \
	done

uninstall: uninstall-check
