# Installing and packaging libcsapp.
#
#   make install      PREFIX=/usr/local DESTDIR=: install the library, its header, files for pkg-config, CMake
#                     and gdb, the manual pages, the guides and the Python module; csapp-check too, if it is built
#   make uninstall    with the same variables, remove what make install put there
#   make deb          Debian packages, in build/
#   make dist         a source tarball with its crates, which builds without a network
#   make abi-baseline for a release: write the list of symbols and the description of the ABI to abi/
#
# LIBDIR, INCLUDEDIR, CDIR, MANDIR, DOCDIR, GDBDIR and PYTHONDIR move the parts; PYTHON= leaves the Python module out.

PREFIX ?= /usr/local
DESTDIR ?=
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
# Where csapp.c goes, which is made for one kind of processor.
CDIR ?= $(INCLUDEDIR)
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/csapp
# gdb loads scripts by itself from a directory of its own only: that of the gdb at hand, if the prefix is the system's.
GDB ?= gdb
GDB_DATA = $(shell PYTHONDONTWRITEBYTECODE=1 $(GDB) -nx -batch -ex 'show data-directory' 2>&1 | sed -n 's/.* "\(.*\)"\.$$/\1/p')
GDBDIR ?= $(or $(if $(filter /usr /usr/local,$(PREFIX)),$(GDB_DATA)),$(PREFIX)/share/gdb)/auto-load
PYTHON ?= python3
# Of the directories where this Python looks for modules, the one under PREFIX.
PYTHONDIR ?= $(shell test -z "$(PYTHON)" || $(PYTHON) packaging/python_dir.py "$(PREFIX)")
INSTALL ?= install

# These go into recipes and into csapp.pc as they are.
ifneq ($(filter install uninstall,$(MAKECMDGOALS)),)
$(foreach name,PREFIX LIBDIR INCLUDEDIR CDIR MANDIR DOCDIR,$(if $(filter-out /%,$($(name)))$(word 2,$($(name))),\
    $(error $(name) has to be an absolute path without spaces, and is "$($(name))")))
$(if $(word 2,$(DESTDIR)),$(error DESTDIR has to be a path without spaces, and is "$(DESTDIR)"))
endif

REAL = libcsapp.so.$(VERSION)
MAN_PAGES = $(notdir $(wildcard man/*.3 man/*.7))
# Every name in a page's NAME section gets a page that leads there: `man rio_readlineb` shows rio(3).
MAN_NAMES = awk '/^\.Nd/ { exit } /^\.Nm/ { print $$2 }'
# glibc has another gai_error, whose page in the system's own directory stays.
MAN_LINK = $$name.3$(if $(filter /usr,$(PREFIX)),$$(test $$name != gai_error || echo csapp))
# As installed, the guides stand beside examples/, not in a directory beside it.
GUIDE_LINKS = 's|](\.\./examples/|](examples/|g'
GUIDES = docs/from-csapp-c.md docs/servers.md CHANGELOG.md
# What gdb shows lines of.
SOURCES = $(shell find src -name '*.rs' -o -name '*.c')
PY_FILES = $(notdir $(wildcard python/csapp/*.py python/csapp/py.typed))

TO = $(DESTDIR)$(LIBDIR)
PKGCONFIG_TO = $(TO)/pkgconfig
CMAKE_TO = $(TO)/cmake/csapp
DEBUG_TO = $(TO)/.debug
GDB_SCRIPT = $(LIBDIR:/%=%)/$(REAL)-gdb.py
GDB_TO = $(DESTDIR)$(GDBDIR)
SOURCE_TO = $(DESTDIR)$(PREFIX)/share/csapp
INCLUDE_TO = $(DESTDIR)$(INCLUDEDIR)
MAN_TO = $(DESTDIR)$(MANDIR)
DOC_TO = $(DESTDIR)$(DOCDIR)

FILL_IN = sed -e 's|@VERSION@|$(VERSION)|g' -e 's|@MAJOR@|$(firstword $(subst ., ,$(VERSION)))|g' \
    -e 's|@SONAME@|$(SONAME)|g' -e 's|@PREFIX@|$(PREFIX)|g' \
    -e 's|@LIBDIR@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(LIBDIR))|g' \
    -e 's|@INCLUDEDIR@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(INCLUDEDIR))|g' \
    -e 's|@CDIR@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(CDIR))|g' \
    -e "s|@LIBDIR_TO_INCLUDEDIR@|$$(realpath -ms --relative-to=$(LIBDIR) $(INCLUDEDIR))|g" \
    -e "s|@POINTER_BYTES@|$$(echo __SIZEOF_POINTER__ | $(CC) -E -P -)|g"

.PHONY: install uninstall

install: all
	$(INSTALL) -d $(TO) $(PKGCONFIG_TO) $(CMAKE_TO) $(DEBUG_TO) $(INCLUDE_TO)
	$(INSTALL) -m 644 $(BUILD)/csapp.h $(INCLUDE_TO)
	$(INSTALL) -D -m 644 $(BUILD)/csapp.c $(DESTDIR)$(CDIR)/csapp.c
	$(INSTALL) -m 755 $(BUILD)/$(SONAME) $(TO)/$(REAL)
	ln -sf $(REAL) $(TO)/$(SONAME)
	ln -sf $(SONAME) $(TO)/libcsapp.so
	$(INSTALL) -m 644 $(BUILD)/$(DEBUG) $(DEBUG_TO)
	$(INSTALL) -d $(dir $(GDB_TO)/$(GDB_SCRIPT)) $(SOURCE_TO)
	$(FILL_IN) packaging/csapp-gdb.py.in >$(GDB_TO)/$(GDB_SCRIPT)
	chmod 644 $(GDB_TO)/$(GDB_SCRIPT)
	for file in $(SOURCES); do $(INSTALL) -D -m 644 $$file $(SOURCE_TO)/$$file || exit 1; done
	$(INSTALL) -m 644 $(BUILD)/libcsapp.a $(BUILD)/csapp.o $(TO)
	$(FILL_IN) packaging/csapp.pc.in >$(PKGCONFIG_TO)/csapp.pc
	for file in csapp-config.cmake csapp-config-version.cmake; do \
	    $(FILL_IN) packaging/$$file.in >$(CMAKE_TO)/$$file || exit 1; \
	done
	chmod 644 $(PKGCONFIG_TO)/csapp.pc $(CMAKE_TO)/*
	$(INSTALL) -d $(MAN_TO)/man3 $(MAN_TO)/man7
	$(INSTALL) -m 644 $(filter %.3,$(MAN_PAGES:%=man/%)) $(MAN_TO)/man3
	$(INSTALL) -m 644 $(filter %.7,$(MAN_PAGES:%=man/%)) $(MAN_TO)/man7
	@for page in $(MAN_PAGES); do \
	    for name in $$($(MAN_NAMES) man/$$page); do \
	        test $$name = $${page%.*} || echo ".so man$${page##*.}/$$page" >$(MAN_TO)/man3/$(MAN_LINK) || exit 1; \
	    done; \
	done
	$(INSTALL) -d $(DOC_TO)/examples
	$(INSTALL) -m 644 $(GUIDES) $(DOC_TO)
	sed -i $(GUIDE_LINKS) $(addprefix $(DOC_TO)/,$(notdir $(GUIDES)))
	$(INSTALL) -m 644 examples/Makefile $(DOC_TO)/examples
	@set -e; dir=$(PYTHONDIR); test -n "$$dir" || exit 0; \
	$(INSTALL) -d $(DESTDIR)$$dir/csapp; \
	$(INSTALL) -m 644 $(PY_FILES:%=python/csapp/%) $(DESTDIR)$$dir/csapp; \
	ln -sf $$(realpath -ms --relative-to=$$dir/csapp $(LIBDIR)/$(SONAME)) $(DESTDIR)$$dir/csapp/$(SONAME); \
	$(PYTHON) -c 'import sys; sys.exit("'$$dir'" not in sys.path)' || \
	    echo "The Python module is in $$dir, where $(PYTHON) does not look: set PYTHONPATH to this directory."
	@if test -z "$(DESTDIR)" && test "$$(id -u)" = 0 && command -v ldconfig >/dev/null; then ldconfig; fi

# Directories that go if nothing else is in them: those that not every system has, and of a prefix that
# is no system's also the others.
EMPTIED = $(DEBUG_TO) $(TO)/cmake $(PKGCONFIG_TO) $(MAN_TO)/man3 $(MAN_TO)/man7 $(patsubst %/,%,$(dir $(DOC_TO)))
OWN_PREFIX = $(if $(PYTHONDIR),$(addprefix $(DESTDIR),$(PYTHONDIR) $(patsubst %/,%,$(dir $(PYTHONDIR))))) $(TO) $(INCLUDE_TO) \
    $(MAN_TO) $(GDB_TO) $(patsubst %/,%,$(dir $(GDB_TO))) $(DESTDIR)$(PREFIX)/share $(DESTDIR)$(PREFIX)

uninstall:
	rm -f $(INCLUDE_TO)/csapp.h $(DESTDIR)$(CDIR)/csapp.c $(TO)/$(REAL) $(TO)/$(SONAME) $(TO)/libcsapp.so \
	    $(TO)/libcsapp.a $(TO)/csapp.o $(PKGCONFIG_TO)/csapp.pc $(DEBUG_TO)/$(DEBUG)
	rm -rf $(CMAKE_TO) $(DOC_TO) $(SOURCE_TO)
	rm -f $(GDB_TO)/$(GDB_SCRIPT)
	@test ! -d $(GDB_TO) || (cd $(GDB_TO) && rmdir -p --ignore-fail-on-non-empty $(dir $(GDB_SCRIPT)) 2>/dev/null || true)
	@dir=$(PYTHONDIR); test -z "$$dir" || rm -rf $(DESTDIR)$$dir/csapp
	@for page in $(MAN_PAGES); do \
	    rm -f $(MAN_TO)/man$${page##*.}/$$page || exit 1; \
	    for name in $$($(MAN_NAMES) man/$$page); do rm -f $(MAN_TO)/man3/$(MAN_LINK) || exit 1; done; \
	done
	@for dir in $(EMPTIED) $(if $(filter /usr /usr/local,$(PREFIX)),,$(OWN_PREFIX)); do \
	    test ! -d "$$dir" || rmdir --ignore-fail-on-non-empty "$$dir"; \
	done
	@if test -z "$(DESTDIR)" && test "$$(id -u)" = 0 && command -v ldconfig >/dev/null; then ldconfig; fi

# The promise that programs linked with one version keep working with the next: the exported symbols of
# a version, and with libabigail the types and layouts behind them. `make abi-baseline` is for a
# release; tests/abi.rs compares.
ABI_DUMP = abidw --no-comp-dir-path --no-corpus-path --no-show-locs --debug-info-dir $(BUILD) $(BUILD)/$(SONAME) | \
    sed -E "s|(<abi-instr .*)path='[^']*/@/([^.']*)[^']*'|\1path='\2'|"

.PHONY: abi-symbols abi-dump abi-baseline
abi-symbols: all
	@cat $(BUILD)/api.txt

abi-dump: all
	@$(ABI_DUMP)

abi-baseline: all
	cp $(BUILD)/api.txt abi/$(VERSION).symbols
	$(ABI_DUMP) >abi/$(VERSION).abi

# A source tarball that builds without network: the crates are in it.
.PHONY: dist deb
DIST = csapp-$(VERSION)
dist:
	@git rev-parse --git-dir >/dev/null 2>&1 || \
	    { echo "make dist packs what is committed, and this is not a git repository" >&2; exit 1; }
	@mkdir -p $(BUILD)
	rm -rf $(BUILD)/$(DIST)
	mkdir $(BUILD)/$(DIST)
	git archive HEAD | tar -x -C $(BUILD)/$(DIST)
	mkdir $(BUILD)/$(DIST)/.cargo
	cd $(BUILD)/$(DIST) && $(CARGO) vendor --locked --versioned-dirs 2>/dev/null >.cargo/config.toml
	tar -C $(BUILD) --sort=name --owner=0 --group=0 --numeric-owner \
	    --mtime="@$$(git log -1 --format=%ct)" -czf $(BUILD)/$(DIST).tar.gz $(DIST)
	rm -rf $(BUILD)/$(DIST)

# Debian packages of what is built, into BUILD: libcsapp1, libcsapp1-dbgsym, libcsapp-dev, python3-csapp and
# csapp-check. They ask for no package of Rust here, so that another one will do.
deb: all csapp-check
	@command -v dh >/dev/null && command -v dh_python3 >/dev/null || \
	    { echo "make deb needs debhelper and dh-python: sudo apt-get install debhelper dh-python" >&2; exit 1; }
	$(SAY) Packing '$(BUILD)/*.deb'
	@rm -f $(BUILD)/*.deb; $(CLEAN_DEBIAN); BUILD=$(BUILD) AS_BUILT=1 DEB_RULES_REQUIRES_ROOT=no DEB_BUILD_OPTIONS=nocheck \
	    CARGO_HOME=$${CARGO_HOME:-$$HOME/.cargo} RUSTUP_HOME=$${RUSTUP_HOME:-$$HOME/.rustup} \
	    SOURCE_DATE_EPOCH=$$(dpkg-parsechangelog -S Timestamp) debian/rules binary >$(BUILD)/deb.log 2>&1 || \
	    { cat $(BUILD)/deb.log >&2; exit 1; }
	@$(CLEAN_DEBIAN); ls $(BUILD)/*.deb

# What debhelper leaves in debian/. (Its dh_clean would also remove every *.orig and *~ of the tree.)
CLEAN_DEBIAN = find debian -mindepth 1 -maxdepth 1 \( -type d ! -name source -o -name files -o -name debhelper-build-stamp \
    -o -name '*.substvars' -o -name '*.debhelper*' \) -exec rm -rf {} +
