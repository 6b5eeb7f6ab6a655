# Building and testing for other systems. make check neither needs this nor does it.
#
#   make TARGET=aarch64-unknown-linux-gnu
#                     the library for one of rustc's targets, in build/TARGET. The tools are
#                     aarch64-linux-gnu-gcc and so on, as Debian names them (for musl, musl-gcc), unless
#                     CC, OBJCOPY, NM and AR say otherwise
#   make check-cross  build for each of CROSS_TARGETS, and run the C suites and the unit tests there; an
#                     emulator (qemu-user) runs the programs of other processors
#   make check-types  compile and link the library, and programs with its header, for each of OTHER_SYSTEMS;
#                     nothing runs there (zig, from PyPI, is the C compiler)

CROSS_TARGETS ?= aarch64-unknown-linux-gnu riscv64gc-unknown-linux-gnu i686-unknown-linux-gnu \
    x86_64-unknown-linux-musl
OTHER_SYSTEMS ?= aarch64-apple-darwin x86_64-apple-darwin x86_64-unknown-freebsd

# Only as make's own argument: the environment of a build may have a TARGET that means something else.
ifneq ($(origin TARGET),command line)
override TARGET :=
endif
ifneq ($(TARGET),)
BUILD ?= build/$(TARGET)
ARCH := $(firstword $(subst -, ,$(TARGET:riscv64gc-%=riscv64-%)))
ifeq ($(TARGET),$(ARCH)-unknown-linux-musl)
GNU :=
GCC := musl-gcc
else
GNU := $(ARCH)-linux-gnu
GCC := $(GNU)-gcc
endif
ifeq ($(origin CC),default)
CC := $(GCC)
endif
ifeq ($(origin AR),default)
AR := $(GNU:%=%-)ar
endif
OBJCOPY ?= $(GNU:%=%-)objcopy
NM ?= $(GNU:%=%-)nm

upper = $(shell echo $(1) | tr a-z- A-Z_)
CARGO_VARIABLE := CARGO_TARGET_$(call upper,$(TARGET))
export $(CARGO_VARIABLE)_LINKER ?= $(CC)
export CC_$(subst -,_,$(TARGET)) ?= $(CC)
# A shared library is for programs that are linked with libc's.
export $(CARGO_VARIABLE)_RUSTFLAGS ?= $(if $(findstring musl,$(TARGET)),-C target-feature=-crt-static)

# What runs the target's programs: the emulator, with the target's own libc; 32-bit programs of this
# processor by their own loader.
ROOT := $(firstword $(wildcard /usr/$(GNU)/lib))
RUNNER ?= $(strip $(if $(filter musl-gcc,$(GCC)),, \
    $(if $(filter i686,$(ARCH)),$(ROOT)/ld-linux.so.2 --library-path $(ROOT), \
    qemu-$(ARCH) -L /usr/$(GNU))))

# Check itself has to be there for the target: made of Debian's source package.
$(BUILD)/check/lib/pkgconfig/check.pc:
	sh packaging/check.sh $(BUILD)/check $(if $(GNU),$(GNU),$(ARCH)-linux-musl) '$(CC)'

# musl-gcc knows nothing of the kernel's headers, which some suites ask for.
KERNEL_HEADERS = $(if $(filter musl-gcc,$(GCC)),$(abspath $(BUILD))/kernel)
$(BUILD)/kernel:
	@mkdir -p $@
	@for part in linux asm-generic asm; do \
	    ln -sfn "$$(dirname "$$(echo "#include <$$part/types.h>" | cc -E - | sed -n 's/^# 1 "\(.*\/types.h\)".*/\1/p' | \
	        grep "/$$part/types.h" | head -n 1)")" $@/$$part; \
	done

EMULATED = $(if $(RUNNER),$(CARGO_VARIABLE)_RUNNER='$(RUNNER)') \
    $(if $(findstring musl,$(TARGET)),$(CARGO_VARIABLE)_RUSTFLAGS= $(CARGO_VARIABLE)_LINKER=cc) # std brings a musl
TESTED = BUILD=$(BUILD) TEST_CC='$(CC)' TEST_NM='$(NM)' TEST_RUNNER='$(RUNNER)' \
    PKG_CONFIG_LIBDIR=$(BUILD)/check/lib/pkgconfig CK_TIMEOUT_MULTIPLIER=10 STORM_INTERVAL_US=20000 \
    $(KERNEL_HEADERS:%=C_INCLUDE_PATH=%)

# Left out: what asks for a compiler of C++ or Rust's std, runs make in a student's directory, or counts the
# bytes of the file (pages of 64 KiB leave gaps in it). In an emulator bad input too, since that does not survive
# lengths that no address has, and hosts and error_queue, whose requests to the kernel it does not know.
check-target: all $(BUILD)/check/lib/pkgconfig/check.pc $(if $(KERNEL_HEADERS),$(BUILD)/kernel)
	@echo "== $(TARGET)"
	$(EMULATED) $(CARGO) test --locked --target $(TARGET) --lib --test properties
	$(TESTED) $(CARGO) test --locked --no-fail-fast --package tests -- ::shared ::statically ::not_position_independent \
	    --skip load:: --skip conformance:: $(if $(findstring qemu-,$(RUNNER)),--skip bad_input --skip hosts --skip error_queue)
	$(TESTED) $(CARGO) test --locked --no-fail-fast --package tests -- conformance:: symbols:: programs:: \
	    --skip a_program_in_cxx --skip a_makefile_with --skip another_library --skip it_is_small
	@case $(ARCH) in i686) \
	    echo '#include "csapp.h"' >$(BUILD)/offset.c; \
	    if $(CC) -I$(BUILD) -D_FILE_OFFSET_BITS=64 -fsyntax-only $(BUILD)/offset.c 2>/dev/null; then \
	        echo "csapp.h accepts _FILE_OFFSET_BITS=64, but the off_t of the library has 32 bits" >&2; exit 1; \
	    fi ;; \
	esac
endif

.PHONY: check-cross check-target check-types cross-tools

CROSS_PACKAGES = qemu-user musl-tools $(foreach arch,aarch64 riscv64 i686,gcc-$(arch)-linux-gnu)
cross-tools:
	@missing=; for tool in qemu-aarch64 musl-gcc aarch64-linux-gnu-gcc riscv64-linux-gnu-gcc i686-linux-gnu-gcc; do \
	    command -v $$tool >/dev/null || missing="$$missing $$tool"; \
	done; \
	test -z "$$missing" && exit 0; \
	echo "The tests on other targets need these tools, which are missing:$$missing"; \
	if command -v apt-get >/dev/null && test "$$(id -u)" = 0; then \
	    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y $(CROSS_PACKAGES); \
	else \
	    echo "Install them; on Debian and Ubuntu: sudo apt-get install $(CROSS_PACKAGES)" >&2; exit 1; \
	fi

check-cross: setup cross-tools
	rustup target add $(CROSS_TARGETS)
	@failed=; for target in $(CROSS_TARGETS); do \
	    $(MAKE) --no-print-directory TARGET=$$target BUILD=$(BUILD)/$$target check-target || failed="$$failed $$target"; \
	done; test -z "$$failed" || { echo "Failed:$$failed" >&2; exit 1; }

# PyPI's zig, unless there is one.
ZIG_DIR = $(BUILD)/zig
ZIG ?= $(or $(shell command -v zig),$(abspath $(ZIG_DIR))/bin/python -m ziglang)
check-types:
	@test "$(firstword $(ZIG))" != "$(abspath $(ZIG_DIR))/bin/python" || test -x $(firstword $(ZIG)) || \
	    { python3 -m venv $(ZIG_DIR) && $(ZIG_DIR)/bin/pip install -q ziglang; }
	rustup target add $(OTHER_SYSTEMS)
	@set -e; for target in $(OTHER_SYSTEMS); do \
	    ZIG='$(ZIG)' CARGO='$(CARGO)' sh packaging/types.sh $$target $(BUILD)/$$target; \
	done
