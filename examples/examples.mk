# The example programs: one C file each, linked with the shared library beside them.
EXAMPLES = cpfile wordfreq statcheck lsdir sharing redirect stdiotrap hostinfo echoclient \
    echoserver echoserver_iterative echoserver_process echoserver_prethreaded \
    echoserver_select echoserver_epoll tinyweb proxy conncap
EXAMPLE_PROGRAMS = $(EXAMPLES:%=$(BUILD)/%) $(BUILD)/cgi-bin/adder

.PHONY: examples check-long
examples: $(EXAMPLE_PROGRAMS)

$(EXAMPLES:%=$(BUILD)/%): $(BUILD)/%: examples/%.c $(wildcard examples/*.h) $(BUILD)/csapp.h $(BUILD)/libcsapp.so
	$(SAY) Compiling $@
	$(QUIET)$(CC) $(CFLAGS) $(WARNINGS) -I$(BUILD) $< -o $@ -L$(BUILD) -lcsapp -Wl,-rpath,'$$ORIGIN' -pthread

# tinyweb runs what is in cgi-bin.
$(BUILD)/cgi-bin/adder: examples/adder.c
	$(SAY) Compiling $@
	@mkdir -p $(@D)
	$(QUIET)$(CC) $(CFLAGS) $(WARNINGS) $< -o $@

# What takes minutes, or programs that not everybody has: 60,000 connections, 5,000 clients at once, wrk,
# a browser.
check-long: setup examples
	@failed=; for part in examples load install python_module fuzz; do \
	    $(CARGO) test --locked --package tests -- $$part:: --ignored --nocapture || failed=1; \
	done; test -z "$$failed"
	CSAPP_LONG=1 $(CARGO) test --locked --no-fail-fast --package tests c_suites:: -- --nocapture
