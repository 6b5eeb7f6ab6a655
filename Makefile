# libcsapp: what a C programmer types.
#
#   make              the library: build/ holds csapp.h, libcsapp.so, libcsapp.a, csapp.o, and csapp.c for
#                     Makefiles that compile one
#   make help         this list
#   make demo         two C programs send a file over TCP and back, with the shared library
#   make examples     the programs of examples/
#   make quick        format, lints, unit tests, and the C suites with the shared library
#   make check        all tests; SUITE=rio: one C suite of c_tests/, or one file of tests/
#   make check-long   the tests that take minutes, or that need wrk or a browser
#   make check-fresh  RELEASE=trixie: make and make check in a bare Debian, which this target creates (as root)
#   make setup        as root on Debian or Ubuntu, install the tools that the tests need; otherwise say what
#                     to type. make check does this first
#   make bench        how fast the library is beside its peers: a table, docs/bench.csv and its charts
#   make fuzz         SECONDS=60: build the targets of fuzz/ and run each for so long, one after the other
#                     (needs a nightly compiler and cargo-fuzz)
#   make mutants      MODULES="rio net sio report line": change the library in one place after another, and
#                     list the changes that no test notices; takes hours (needs cargo-mutants)
#   make miri         the properties under Miri's two borrow models (needs a nightly compiler with Miri)
#   make header       after a change in src/capi/, renew include/csapp.h and the files that repeat its prototypes
#   make clean        remove what the other targets made
#
# BUILD=DIR builds in DIR, CARGO_TARGET_DIR=DIR moves cargo's own files, V=1 shows the commands.

.DEFAULT_GOAL = all
include cross.mk

BUILD ?= build
CARGO ?= cargo
CC ?= cc
OBJCOPY ?= objcopy
NM ?= nm
CFLAGS ?= -O2 -g
WARNINGS = -Wall -Wextra -Wpedantic

export CARGO_TARGET_DIR ?= target
CARGO_BUILT = $(CARGO_TARGET_DIR)/$(TARGET:%=%/)release
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
SONAME = libcsapp.so.$(firstword $(subst ., ,$(VERSION)))
DEBUG = libcsapp.so.$(VERSION).debug

.PHONY: all help cargo demo quick check check-fresh setup bench fuzz mutants miri header clean
all: $(BUILD)/libcsapp.so $(BUILD)/libcsapp.a $(BUILD)/csapp.o $(BUILD)/csapp.h $(BUILD)/csapp.c

# The comments at the beginning of each of these files.
help:
	@for file in $(filter-out examples/%,$(MAKEFILE_LIST)); do sed -n '/^#/!q; s/^# \{0,1\}//p' $$file; echo; done

# What is being made, in a word and a name; `make V=1` shows the commands, `make -s` nothing.
QUIET = $(if $(V),,@)
SILENT = $(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
SAY = @$(if $(V)$(SILENT),:,printf '%12s %s\n')

# Cargo knows best what is out of date, so it is always asked; what it leaves as it was is
# older than what was made of it. Without the C compiler's start-up files, nothing runs when the library
# is loaded or unloaded. GNU's linker would fill up pages between code and constants, as lld does not.
#
# What makes the library smaller, and costs no call of the Rio package time: instructions that are short rather than quick
# (opt-level = "s" would also inline less, where lines need it), not aligned; a small threshold for inlining, since what is
# worth having in its caller is marked #[inline(always)]; a branch for each condition, which is quicker here than one branch
# for several; and no tables of jumps, each entry of which is a relocation of 24 bytes in csapp.o.
SMALL = -C llvm-args=-force-attribute=optsize -C llvm-args=-inline-threshold=20 -C llvm-args=-x86-br-merging-base-cost=-1 \
    -C llvm-args=-min-jump-table-entries=1000

cargo:
	@command -v $(firstword $(CC)) >/dev/null || { \
	    echo "make needs a C compiler, and there is no $(firstword $(CC)): install it, or name another by CC=." >&2; exit 1; }
	@$(CARGO) rustc $(SILENT:s=--quiet) --locked --release $(TARGET:%=--target %) --lib --crate-type cdylib,staticlib -- \
	    -C force-unwind-tables=yes $(SMALL) \
	    -C link-arg=-Wl,--build-id -C link-arg=-nostartfiles -C link-arg=-Wl,-z,noseparate-code || { \
	    has=$$($(CARGO) --version | cut -d ' ' -f 2); \
	    printf '%s\n' $(RUST_VERSION) "$$has" | sort -C -V || echo "$(NEEDS_RUST) This machine has Rust $$has." >&2; \
	    exit 1; \
	}

RUST_VERSION = $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
NEEDS_RUST = make needs Rust $(RUST_VERSION) or later, which https://rustup.rs installs. Without Rust, copy csapp.h and \
    csapp.o from the build/ of a machine with the same kind of processor.

# Without cargo, as under `sudo make install`, what is built already will do; cargo's own files may be gone.
CARGO_FILES = $(CARGO_BUILT)/libcsapp.so $(CARGO_BUILT)/libcsapp.a
ifneq ($(shell command -v $(CARGO)),)
$(CARGO_FILES): cargo ;
else
$(CARGO_FILES):
	@echo "$(NEEDS_RUST) This machine has no $(CARGO)." >&2; exit 1
.SECONDARY: $(CARGO_FILES)
endif

# What a debugger needs goes into a file of its own, which it finds beside the library. gdb stops behind a
# function's prologue, which is often inside Rust's core library, if the debug information says that clang made
# the code, and at the function's first line otherwise. It says "clang LLVM (rustc version ...)" and no word of
# that "clang" is needed.
$(BUILD)/$(SONAME): $(CARGO_BUILT)/libcsapp.so
	$(SAY) Stripping $@
	@mkdir -p $(BUILD)
	$(QUIET)LC_ALL=C sed 's/clang LLVM (rustc/rustc LLVM (rustc/' $< >$@.named
	$(QUIET)$(OBJCOPY) --only-keep-debug --compress-debug-sections $@.named $(BUILD)/$(DEBUG)
	@chmod 644 $(BUILD)/$(DEBUG)
	$(QUIET)$(OBJCOPY) --strip-all --remove-section=.comment --add-gnu-debuglink=$(BUILD)/$(DEBUG) $@.named $@
	@chmod 755 $@
	@rm $@.named

$(BUILD)/libcsapp.so: $(BUILD)/$(SONAME)
	$(QUIET)ln -sf $(SONAME) $@

$(BUILD)/csapp.h: include/csapp.h
	$(SAY) Copying $@
	@mkdir -p $(BUILD)
	$(QUIET)cp $< $@

# The whole library as one object. The API stays visible, and weak, so that a program may have
# a function of the same name; everything else becomes local.
$(BUILD)/api.txt: $(BUILD)/$(SONAME)
	@$(NM) -D --defined-only $< | cut -d' ' -f3 | LC_ALL=C sort > $@

ONLY_API = $(OBJCOPY) --strip-debug --remove-section=.comment --discard-all --keep-global-symbols=$(BUILD)/api.txt \
    --weaken-symbols=$(BUILD)/api.txt

$(BUILD)/linked.o: $(CARGO_BUILT)/libcsapp.a $(BUILD)/api.txt csapp.ld
	$(SAY) Linking $@
	$(QUIET)$(CC) -r -nostdlib -Wl,-T,csapp.ld $$(sed 's/^/-Wl,-u,/' $(BUILD)/api.txt) -o $@ $<
	$(QUIET)$(ONLY_API) $@

$(BUILD)/csapp.c: $(BUILD)/linked.o csapp.c.sh
	$(SAY) Writing $@
	$(QUIET)OBJCOPY=$(OBJCOPY) sh csapp.c.sh $< >$@.new && mv $@.new $@

# On x86-64, as a user's Makefile makes it: a sixth smaller than what the linker has made, because calls within the library
# need no relocation and constants no symbol.
$(BUILD)/csapp.o: $(BUILD)/csapp.c $(BUILD)/csapp.h
	$(SAY) Compiling $@
	$(QUIET)if grep -q __x86_64__ $<; then $(CC) -c -o $@ $< && $(ONLY_API) $@; else cp $(BUILD)/linked.o $@; fi

$(BUILD)/libcsapp.a: $(BUILD)/csapp.o
	$(SAY) Archiving $@
	@rm -f $@
	$(QUIET)$(AR) rcs $@ $<

include examples/examples.mk

demo: $(BUILD)/echoserver $(BUILD)/echoclient
	@sh examples/demo.sh $(BUILD)

# Most tests wait most of the time, so more of them run at once than there are processors.
export RUST_TEST_THREADS ?= $(shell expr 3 \* $$(nproc))
TEST = $(CARGO) test --locked --no-fail-fast
TALLY = @python3 tests/tally.py

# SUITE=name: one C suite (or several), with the shared and with the static library, or one file of tests/.
C_SUITES = $(sort $(basename $(notdir $(wildcard $(addprefix c_tests/,api/*.c faults/*.c hosts/*.c threads/*.c)))))
TEST_FILES = check $(filter-out main,$(basename $(notdir $(wildcard tests/*.rs))))
define NO_SUITE
there is no suite "$(SUITE)".
C suites: $(C_SUITES)
Files of tests/: $(TEST_FILES)
endef
ifneq ($(and $(SUITE),$(filter check,$(MAKECMDGOALS))),)
$(if $(and $(filter-out $(C_SUITES),$(SUITE)),$(filter-out $(TEST_FILES),$(SUITE))$(word 2,$(SUITE))),$(error $(NO_SUITE)))
endif

# The command csapp-check first: tests that install what is built must not meet half of it. Beside it, the tests are
# compiled, since either has only one processor busy at times.
check: setup all
	$(if $(SUITE),,@$(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j2) csapp-check test-programs)
	$(TALLY) $(TEST) $(if $(SUITE),$(if $(filter $(TEST_FILES),$(SUITE)),$(TEST_FILE),\
	    $(SUITES) $(SUITE:%=c_suites::%::shared) $(SUITE:%=c_suites::%::statically)),--workspace)

.PHONY: test-programs
test-programs:
	@$(TEST) --workspace --no-run

TEST_FILE = $(if $(filter properties,$(SUITE)),--test properties,--package tests -- $(SUITE)::)
SUITES = --package tests -- --exact

# A verdict while one works, in less than half a minute.
quick: export RUST_TEST_THREADS = $(shell expr 16 \* $$(nproc))
quick: all
	@for tool in fmt clippy; do \
	    $(CARGO) $$tool --version >/dev/null 2>&1 || { \
	        echo "make quick needs cargo $$tool: rustup component add rustfmt clippy" >&2; exit 1; }; \
	done
	@pkg-config --exists check || { \
	    echo "make quick needs the library Check and pkg-config: make setup installs them, or says how" >&2; exit 1; }
	@$(CARGO) fmt --check || { echo "make quick: these lines are not formatted: run cargo fmt" >&2; exit 1; }
	$(TALLY) sh -c '$(LINTS) & $(TEST) --lib && $(TEST) $(SUITES) $(C_SUITES:%=c_suites::%::shared); \
	    passed=$$?; wait $$! && exit $$passed'

# Beside the tests, which wait most of the time; in a directory of its own, since cargo locks the one that it builds in.
LINTS = CARGO_TARGET_DIR=$(CARGO_TARGET_DIR)/lints \
    $(CARGO) clippy --quiet --locked --workspace --all-targets -- -D warnings

setup:
	@sh tests/setup.sh

RELEASE ?= trixie
check-fresh:
	@sh tests/fresh.sh $(RELEASE) $(abspath $(BUILD))/fresh-$(RELEASE)

# The benchmarks. Peers that are not installed are left out.
BENCH = $(BUILD)/bench
RUSTC ?= rustc
has = $(shell printf '\043include <$(1)>\n' | $(CC) -E -x c - >/dev/null 2>&1 && echo yes)
PEERS = $(if $(call has,skalibs/skamisc.h),-DWITH_SKALIBS) \
    $(if $(call has,event2/buffer.h),-DWITH_LIBEVENT) -DWITH_BUFREADER
PEER_LIBRARIES = $(if $(findstring SKALIBS,$(PEERS)),-lskarnet) \
    $(if $(findstring LIBEVENT,$(PEERS)),-levent_core) -L$(BENCH) -lbufreader -Wl,-rpath,'$$ORIGIN'
BENCHES = $(addprefix $(BENCH)/,lines bulk unbuffered connections load)

STUB_CC = $(CC) -O2 -w -fno-builtin -shared -fPIC -Wl,-z,now -o

WEB_SERVERS = $(addprefix $(BENCH)/,tinyweb-shared tinyweb-static tinyweb-book)

bench: all $(BENCHES) $(WEB_SERVERS) $(BENCH)/libstub.so $(BENCH)/libimports.so
	CSAPP_SO=$(abspath $(BUILD)/$(SONAME)) STUB_SO=$(abspath $(BENCH)/libstub.so) \
	    IMPORTS_SO=$(abspath $(BENCH)/libimports.so) python3 benches/report.py $(BENCH)

$(BENCH)/%.o: benches/%.c benches/bench.h benches/twin.h $(BUILD)/csapp.h
	@mkdir -p $(BENCH)
	$(CC) -O2 $(WARNINGS) -I$(BUILD) -c -o $@ $<

$(BENCHES): $(BENCH)/%: benches/%.c $(BENCH)/bench.o $(BENCH)/twin.o $(BUILD)/libcsapp.a \
    $(BENCH)/libbufreader.so
	$(CC) -O2 $(WARNINGS) -I$(BUILD) $(PEERS) -o $@ $(filter-out %.so,$^) -Wl,--as-needed $(PEER_LIBRARIES) -ldl

# The web server under load. In the last one, the book's algorithm takes the places of rio_readinitb
# and csapp_readlineb, and knows no time limit.
$(BENCH)/tinyweb-shared: examples/tinyweb.c $(BUILD)/libcsapp.so
	$(CC) -O2 $(WARNINGS) -I$(BUILD) -o $@ $< -L$(BUILD) -lcsapp -Wl,-rpath,$(abspath $(BUILD)) -pthread

$(BENCH)/tinyweb-static: examples/tinyweb.c $(BUILD)/libcsapp.a
	$(CC) -O2 $(WARNINGS) -I$(BUILD) -o $@ $^ -pthread

$(BENCH)/tinyweb-book: examples/tinyweb.c $(BENCH)/twin-as-rio.o $(BUILD)/libcsapp.a
	$(CC) -O2 $(WARNINGS) -I$(BUILD) -o $@ $^ -pthread

$(BENCH)/twin-as-rio.o: benches/twin.c benches/twin.h
	@mkdir -p $(BENCH)
	$(CC) -O2 $(WARNINGS) -DWITHOUT_LIMITS -Dtwin_readinitb=Rio_readinitb -Dtwin_readlineb=rio_readlineb -c -o $@ $<

$(BENCH)/libbufreader.so: benches/bufreader.rs
	@mkdir -p $(BENCH)
	$(RUSTC) -O --edition 2024 --crate-type cdylib -o $@ $<

# C libraries with the same exports, each of which does nothing: one that needs nothing either, and
# one that needs what the library needs of libc.
$(BENCH)/libstub.so: $(BUILD)/api.txt
	@mkdir -p $(BENCH)
	sed 's/.*/void &(void) {}/' $< | $(STUB_CC) $@ -x c -

$(BENCH)/libimports.so: $(BUILD)/api.txt
	@mkdir -p $(BENCH)
	$(NM) -D --undefined-only $(BUILD)/$(SONAME) | sed -n 's/.* U \([^@]*\).*/\1/p' >$(BENCH)/imports.txt
	(sed 's/.*/void &(void) {}/' $<; sed 's/.*/extern char &[];/' $(BENCH)/imports.txt; \
	    echo 'char *const imports[] = {'; sed 's/$$/,/' $(BENCH)/imports.txt; echo '};') | $(STUB_CC) $@ -x c -

SECONDS ?= 60
fuzz: all
	@sh fuzz/run.sh $(CARGO_TARGET_DIR)/fuzz $(SECONDS) $(abspath $(BUILD)/libcsapp.so)

MODULES ?= rio net sio report line
mutants:
	@sh tests/mutants.sh $(CARGO_TARGET_DIR)/mutants $(MODULES)

HEADER ?= include/csapp.h
miri:
	@$(CARGO) +nightly miri --version >/dev/null 2>&1 || { \
	    echo "make miri needs Miri: rustup toolchain install nightly --component miri,rust-src" >&2; exit 1; }
	@for model in "" -Zmiri-tree-borrows; do \
	    echo "== $${model:-Stacked Borrows}"; \
	    MIRIFLAGS="-Zmiri-disable-isolation $$model" $(CARGO) +nightly miri test --locked --lib --test properties || exit 1; \
	done

header:
	CSAPP_HEADER_OUT=$(HEADER) $(CARGO) check --quiet --locked --lib --features header
	$(if $(filter include/csapp.h,$(HEADER)),RENEW=1 $(CARGO) test --quiet --locked --package tests generated::)

clean:
	$(CARGO) clean
	rm -rf $(BUILD)

include install.mk
# A source distribution of the Python module is without it.
-include check/check.mk
