# SPDX-License-Identifier: LGPL-2.1-or-later
# make            build into build/release
# make help       everything else
#
# One build folder per flavour (SAN=asan, SAN=tsan), so that flavours never
# mix; sources come from folders, so that a new file edits nothing here. CC,
# CFLAGS, CPPFLAGS and LDFLAGS are added to ours, never replaced by them.
VERSION	:= 0.1.0
SOVERSION := 0
SAN	?=
# Builds for tests only, made by recursion: m32, table, fuzz.
VARIANT	?=
Q	:= $(if $(V),,@)
BUILD	:= build/$(or $(VARIANT),$(SAN),release)
ifeq ($(origin CC),default)	# '?=' would keep make's built-in cc
CC	:= gcc
endif
CLANG	?= clang
PKG_CONFIG ?= pkg-config
INSTALL	?= install
STRIP	?= strip
JOBS	?= $(shell nproc 2>/dev/null || echo 2)

PREFIX	?= /usr/local
prefix	?= $(PREFIX)
exec_prefix ?= $(prefix)
bindir	?= $(exec_prefix)/bin
sbindir	?= $(exec_prefix)/sbin
libdir	?= $(exec_prefix)/lib
includedir ?= $(prefix)/include
datarootdir ?= $(prefix)/share
datadir	?= $(datarootdir)
mandir	?= $(datarootdir)/man
docdir	?= $(datarootdir)/doc/xlog
pkgconfigdir ?= $(libdir)/pkgconfig
bashcompdir ?= $(or $(shell $(PKG_CONFIG) --define-variable=prefix=$(prefix) \
	--define-variable=datadir=$(datadir) \
	--variable=completionsdir bash-completion 2>/dev/null), \
	$(datadir)/bash-completion/completions)
zshcompdir ?= $(datadir)/zsh/site-functions

WARN	:= -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
	   -Wmissing-prototypes -Wpointer-arith -Wvla -Wundef
CFLAGS	?= $(if $(filter asan,$(SAN)),-O1,-O2) -g
# A story that calls make gets what this one was told.
export CC CFLAGS CPPFLAGS LDFLAGS WERROR SAN

# --- what this flavour is made of ---

ISAL	:= $(if $(VARIANT),,$(shell $(PKG_CONFIG) --exists libisal 2>/dev/null && echo yes))
# TSan does not see liburing map and unmap its rings, and takes two for one.
URING	:= $(if $(VARIANT)$(filter tsan,$(SAN)),,$(shell $(PKG_CONFIG) --exists liburing 2>/dev/null && echo yes))
# Static probes, where there is a header for them. No library is needed.
SDT	:= $(if $(VARIANT),,$(shell echo '\#include <sys/sdt.h>' | \
	$(CC) $(CPPFLAGS) -E -x c - >/dev/null 2>&1 && echo yes))
pkg	= $(or $(shell $(PKG_CONFIG) --libs $(1) 2>/dev/null),$(2))
LIBS	:= $(call pkg,libzstd,-lzstd) $(call pkg,blkid,-lblkid) \
	   $(if $(ISAL),$(call pkg,libisal,-lisal)) \
	   $(if $(URING),$(call pkg,liburing,-luring))
TOOL_LIBS := $(call pkg,json-c,-ljson-c)
ifeq ($(SAN),asan)
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
else ifeq ($(SAN),tsan)
SANFLAGS := -fsanitize=thread
else ifneq ($(SAN),)
$(error SAN must be asan or tsan)
endif
ifeq ($(VARIANT),m32)
# Criterion exists here for one word size only: the tests see a small stand-in.
SANFLAGS := -m32 -isystem tests/lib/mini
else ifeq ($(VARIANT),fuzz)
CC	:= $(CLANG)
SANFLAGS := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
endif
UNIT_LIBS := $(if $(filter m32,$(VARIANT)),,-lcriterion $(LIBS) $(TOOL_LIBS))

ALL_CPPFLAGS = -I. -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 \
	-MMD -MP $(if $(ISAL),-DXFSFMT_ISAL) $(if $(URING),-DXLOG_URING) \
	$(if $(SDT),-DXLOG_SDT) $(CPPFLAGS)
ALL_CFLAGS = -std=c11 $(WARN) -fPIC -fvisibility=hidden \
	-ffile-prefix-map=$(CURDIR)=. $(SANFLAGS) -pthread $(CFLAGS) $(WERROR)
ALL_LDFLAGS = -Wl,--as-needed $(LDFLAGS)

FMT_SRC	:= $(wildcard libxfsfmt/*.c)
XLOG_SRC := $(wildcard libxlog/*/*.c)
TOOLS	:= $(patsubst cmd/%.c,%,$(wildcard cmd/xlog-*.c))
CMD_SRC	:= $(filter-out cmd/xlog-%.c,$(wildcard cmd/*.c))
UNIT	:= $(sort $(shell find $(if $(VARIANT),tests/unit/libxfsfmt,tests/unit) -name 'test_*.c'))
STRESS	:= $(wildcard tests/stress/*.c)
FUZZ	:= $(wildcard tests/fuzz/fuzz_*.c)
STORY_C	:= $(wildcard tests/story/*.c)
STORY_SH := $(wildcard tests/story/*.sh)
TRUTH	:= tests/truth/fields_dump.c tests/truth/apply_delta.c tests/truth/format_same.c
SPOIL	:= tests/spoil/spoil.c
AGREE	:= $(wildcard tests/agree/*.c)
WORK	:= $(wildcard tests/work/*.c)
# Others that are measured against, where their libraries are.
PEERS	:= $(foreach p,sqlite3 rocksdb,$(shell $(PKG_CONFIG) --exists $(p) 2>/dev/null && echo $(p)))
PEERS	:= $(PEERS:%=tests/bench/peer_%.c)
BENCH	:= $(filter-out tests/bench/peer_%,$(wildcard tests/bench/*.c))
DIFFER	:= tests/differ/differ.c
ifneq ($(SAN),)
STORY_SH := $(shell grep -L '^\# Release build only' $(STORY_SH) /dev/null | grep -v /dev/null)
endif
obj	= $(patsubst %.c,$(BUILD)/%.o,$(1))
bin	= $(patsubst %.c,$(BUILD)/%,$(1))
SHLIB	:= libxlog.so.$(VERSION)
A	:= $(BUILD)/libcmd.a $(BUILD)/libxlog.a $(BUILD)/libxfsfmt.a

.DEFAULT_GOAL := all
.SECONDARY:			# keep objects: make would delete them as intermediates
.DELETE_ON_ERROR:
.PHONY: all check check-all unit story stress fuzz fuzz-build fuzz-replay lint \
	trees crash soak corrupt formats variants bench bench-all corpus demo deps install install-strip uninstall dist \
	distcheck clean help FORCE

all: $(TOOLS:%=$(BUILD)/%) $(BUILD)/$(SHLIB) $(BUILD)/libxlog.pc ## build the tools and the library

# --- rules ---

# Other flags, other objects.
flags	= $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(LIBS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(flags))' | cmp -s - $@ || \
		echo '$(subst ','\'',$(flags))' >$@

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c $< -o $@

# To optimize tests takes longer than to run them.
$(BUILD)/tests/%.o: private CFLAGS := $(CFLAGS:-O2=-O1)

# Archives: one list of sources each, remembered, since an object can be older
# than the archive that it was not in.
srcs_libxfsfmt = $(FMT_SRC)
srcs_libxlog = $(XLOG_SRC)
srcs_libcmd = $(CMD_SRC)
srcs_libtest = $(HELPERS)
$(BUILD)/%.srcs: FORCE
	@mkdir -p $(@D)
	@echo '$(srcs_$*)' | cmp -s - $@ || echo '$(srcs_$*)' >$@
.SECONDEXPANSION:
$(BUILD)/lib%.a: $(BUILD)/lib%.srcs $$(call obj,$$(srcs_lib$$*))
	$(Q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)
$(BUILD)/xlog-%: $(BUILD)/cmd/xlog-%.o $(A)
	$(Q)$(CC) $(ALL_CFLAGS) $< $(A) $(ALL_LDFLAGS) $(LIBS) $(TOOL_LIBS) -o $@

# libxfsfmt is linked in; what leaves is said by the version script.
$(BUILD)/$(SHLIB): $(BUILD)/libxlog.srcs $(BUILD)/libxfsfmt.srcs \
		$(call obj,$(XLOG_SRC) $(FMT_SRC)) libxlog/libxlog.map
	$(Q)$(CC) $(ALL_CFLAGS) -shared -Wl,-soname,libxlog.so.$(SOVERSION) \
		-Wl,--version-script=libxlog/libxlog.map $(if $(SAN),,-Wl,-z,defs) \
		$(filter %.o,$^) $(ALL_LDFLAGS) $(LIBS) -o $@
$(BUILD)/libxlog.pc: libxlog.pc.in FORCE
	@mkdir -p $(@D)
	@sed -e 's|@prefix@|$(prefix)|; s|@libdir@|$(libdir)|' \
	     -e 's|@includedir@|$(includedir)|; s|@version@|$(VERSION)|' \
	     -e 's|@private@|blkid libzstd$(if $(ISAL), libisal)$(if $(URING), liburing)|' $< >$@

# Helpers of tests, for those that include one.
HELPERS	:= $(filter-out tests/lib/fuzz_replay.c,$(wildcard tests/lib/*.c))
helper_h := $(foreach h,$(HELPERS:.c=.h),-e '"$(h)"')
HELPED	:= $(if $(HELPERS),$(shell grep -ls $(helper_h) \
	$(UNIT) $(STRESS) $(STORY_C) $(FUZZ) $(AGREE) /dev/null))
$(call bin,$(HELPED)) $(patsubst %.c,$(BUILD)/%.replay,$(HELPED)): $(BUILD)/libtest.a

link	= $(Q)$(CC) $(ALL_CFLAGS) $(filter %.o,$^) \
	-Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(ALL_LDFLAGS)
$(call bin,$(UNIT)): %: %.o $(if $(VARIANT),$(BUILD)/libxfsfmt.a,$(A))
	$(link) $(UNIT_LIBS) -o $@
$(call bin,$(STRESS) $(STORY_C) $(BENCH)): %: %.o $(A)
	$(link) $(LIBS) -o $@
$(call bin,$(PEERS)): $(BUILD)/tests/bench/peer_%: $(BUILD)/tests/bench/peer_%.o
	$(link) $(call pkg,$*) -o $@
# Programs that stories run.
$(call bin,$(TRUTH)): %: %.o $(call obj,$(filter-out $(TRUTH),$(wildcard tests/truth/*.c))) $(BUILD)/libxfsfmt.a
	$(link) $(LIBS) -o $@
$(call bin,$(SPOIL)): %: %.o $(BUILD)/libxfsfmt.a
	$(link) $(LIBS) -o $@
# They are no part of what is tested, and run a thousand times.
$(call bin,$(DIFFER) $(WORK)) $(call obj,$(DIFFER) $(WORK)): private SANFLAGS :=
$(call bin,$(DIFFER) $(WORK)): %: %.o
	$(link) -o $@
$(call bin,$(AGREE)): %: %.o $(A)
	$(link) $(LIBS) -o $@

# --- tests ---

# Images are opened again and again: unpacked once, for all flavours, they cost
# a hundredth of it. 2 GiB of disk.
UNPACKED := $(patsubst tests/%.zst,build/%,$(wildcard tests/images/*/*.img*.zst)) \
	$(patsubst tests/%.zpatch,build/%,$(wildcard tests/images/*/*.zpatch))
build/images/%: tests/images/%.zst
	@mkdir -p $(@D)
	$(Q)zstd -dqf --sparse $< -o $@
# As its kernel recovered it.
build/images/%.recovered: tests/images/%.recovered.zpatch build/images/%.img
	$(Q)zstd -dqf --sparse --long=31 --memory=2048MB \
		--patch-from=build/images/$*.img $< -o $@

RUN	= BUILD=$(BUILD) CC='$(CC)' SAN=$(SAN) JOBS=$(JOBS) tests/lib/run.sh
# Recursion reads this file again, with what `deps` has just installed.
AGAIN	= $(MAKE) --no-print-directory $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(JOBS))
SUITES	:= $(if $(SAN),,lint) unit story stress fuzz-replay $(if $(SAN),,variants)

check:				## every test; first installs what is missing
	@tests/lib/deps.sh check
	+@$(AGAIN) check-all
# All of them, whatever fails on the way, and one line at the end.
check-all:
	@mkdir -p $(BUILD) && rm -f $(BUILD)/results
	+@rc=0; for s in $(SUITES); do \
		XLOG_RESULTS=$(CURDIR)/$(BUILD)/results $(AGAIN) $$s || rc=1; \
	done; tests/lib/total.sh $(BUILD)/results; exit $$rc

# Criterion 2.4.1 cannot start under TSan: races are hunted by tests/stress.
unit: $(if $(filter tsan,$(SAN)),,$(call bin,$(UNIT)) $(UNPACKED))	## unit tests (Criterion)
ifeq ($(SAN),tsan)
	@echo 'unit: left out, Criterion does not start under TSan'
else
	@$(RUN) unit $(call bin,$(UNIT))
endif
story: all $(call bin,$(STORY_C) $(TRUTH) $(SPOIL) $(AGREE) $(DIFFER) $(WORK)) $(UNPACKED) ## user stories, each an ordinary run of a tool
	@$(RUN) story $(STORY_SH) $(call bin,$(STORY_C))
stress: $(call bin,$(STRESS))	## programs with many threads
	@$(RUN) stress $^
trees: $(BUILD)/tests/stress/btree ## B+trees of every kind, a million operations each: a minute or two
	@$< 1000000
# The engine's: CRASHES by our own replay, a tenth of them by the kernel's.
CRASHES	?= 1000
WRITTEN	:= engine_survives_power_failure engine_changes_inodes
LOST	:= bench_power_failures_lose_nothing
RECOVERED := engine_writes_what_linux_recovers
crash: export IMAGES := $(or $(IMAGES),$(CURDIR)/tests/images)
crash: all $(UNPACKED) $(call bin,$(DIFFER) $(wildcard tests/story/*survive*.c) $(WRITTEN:%=tests/story/%.c)) ## the stories about power failures, with every write, or CRASHES=1000 and a tenth of them by the kernel: minutes; as root
	@CRASH_ALL=1 $(BUILD)/tests/story/recover_survives_power_failure
	@CRASH_ALL=1 $(BUILD)/tests/story/format_survives_power_failure
	@for t in $(WRITTEN); do echo $$t: && \
		CRASHES=$(CRASHES) $(BUILD)/tests/story/$$t || exit; done
	@CRASHES=$(CRASHES) TEST_TIMEOUT=3600 $(RUN) story tests/story/$(LOST).sh
	@CRASHES=$$(($(CRASHES) / 10)) TEST_TIMEOUT=3600 $(RUN) story tests/story/$(RECOVERED).sh
	@cat $(BUILD)/tmp/story/$(RECOVERED)/stdout
SOAK	?= 300
soak: $(BUILD)/tests/stress/log_space ## a full log, SOAK=300 seconds long: nobody is stuck, no space is lost
	@$< $(SOAK)
formats: all $(call bin,$(TRUTH)) ## every pair of options as mkfs.xfs makes it, and for the kernel: minutes; as root
	@FORMATS_ALL=1 $(RUN) story tests/story/format_same_as_mkfs_xfs.sh && \
		cat $(BUILD)/tmp/story/format_same_as_mkfs_xfs/stdout
corrupt: all $(call bin,$(SPOIL)) $(UNPACKED) $(BUILD)/tests/story/recover_never_replays_a_bad_record ## the stories about bad input, with all of it: every byte of record headers, an hour
	@CORRUPT_ALL=1 $(RUN) story $(filter tests/story/bad_input_%,$(STORY_SH))
	@IMAGES='$(or $(IMAGES),tests/images)' CORRUPT_ALL=1 \
		$(BUILD)/tests/story/recover_never_replays_a_bad_record
lint: all $(A)			## layers, purity, exports, scripts, manual pages
	@$(RUN) lint $(wildcard tests/lint/*.sh)
variants:			## unit tests of libxfsfmt without ISA-L, and with -m32
	+@rc=0; $(AGAIN) VARIANT=table variant || rc=1; \
	if tests/lib/can_m32.sh $(CC); then $(AGAIN) VARIANT=m32 variant || rc=1; \
	else echo 'variants: no -m32 here, left out'; fi; exit $$rc
variant: $(call bin,$(UNIT))
	@$(RUN) $(VARIANT) $^
corpus: all $(call bin,$(TRUTH) $(AGREE) $(DIFFER) $(WORK)) ## the stories over images elsewhere: CORPUS=DIR
	@test -d '$(CORPUS)' || { echo 'usage: make corpus CORPUS=DIR' >&2; exit 1; }
	@IMAGES='$(CORPUS)' $(RUN) corpus $$(grep -lE 'images_table|each_image' $(STORY_SH))
bench:				## against xfs_logprint, mkfs.xfs, the kernel, SQLite, RocksDB; as root; first installs what is missing
	-@tests/lib/deps.sh bench
	+@$(AGAIN) bench-all
bench-all: all $(call bin,$(BENCH) $(PEERS))
	@tests/bench/bench.sh $(BUILD)/xlog-print
	@tests/bench/recover.sh $(BUILD)/xlog-recover
	@$(BUILD)/tests/bench/commits -r 3 1 2 64 512 2048
	@$(BUILD)/tests/bench/bytes
	@tests/bench/durable.sh $(BUILD)/tests/bench
	@$(BUILD)/tests/bench/probes
	@tests/bench/mkfs.sh $(BUILD)/xlog-mkfs
demo:				## print a dirty log, replay another; first installs what is missing
	@tests/lib/deps.sh demo
	+@$(AGAIN) all
	@tests/lib/demo.sh $(BUILD)
deps:				## install what building and testing need
	@tests/lib/deps.sh check

# --- fuzzing: clang's libFuzzer, or each target over its stored inputs ---

FUZZ_TIME ?= 60
fuzz:				## FUZZ_TIME=60 seconds of each target, JOBS at a time
	@tests/lib/deps.sh fuzz
	+@$(AGAIN) VARIANT=fuzz fuzz-build
	@FUZZ_TIME=$(FUZZ_TIME) JOBS=$(JOBS) tests/lib/fuzz.sh \
		$(patsubst %.c,build/fuzz/%,$(FUZZ))
fuzz-replay: $(patsubst %.c,$(BUILD)/%.replay,$(FUZZ)) ## every target over its stored inputs
	@$(RUN) fuzz-replay $^
ifeq ($(VARIANT),fuzz)
fuzz-build: $(call bin,$(FUZZ))
$(call bin,$(FUZZ)): %: %.o $(A)
	$(link) -fsanitize=fuzzer $(LIBS) -o $@
endif
$(BUILD)/%.replay: $(BUILD)/%.o $(BUILD)/tests/lib/fuzz_replay.o $(A)
	$(link) $(LIBS) -o $@

# --- installing ---

HEADERS	:= $(wildcard libxlog/xlog*.h)
MAN8	:= $(wildcard man/*.8)
MAN5	:= $(wildcard man/*.5)
BASHCOMP := $(wildcard completions/*.bash)
ZSHCOMP	:= $(wildcard completions/_*)
D	= $(DESTDIR)

# A completion for bash is found by the name of its command.
install: all			## DESTDIR, PREFIX and the usual *dir are honoured
	$(Q)$(INSTALL) -d $(D)$(sbindir) $(D)$(libdir) $(D)$(includedir) \
		$(D)$(pkgconfigdir) $(D)$(mandir)/man8 $(D)$(bashcompdir) $(D)$(zshcompdir)
	$(Q)for f in $(TOOLS); do $(INSTALL) -m 755 $(BUILD)/$$f $(D)$(sbindir)/ || exit; done
	$(Q)$(INSTALL) -m 644 $(BUILD)/$(SHLIB) $(D)$(libdir)/
	$(Q)ln -sf $(SHLIB) $(D)$(libdir)/libxlog.so.$(SOVERSION)
	$(Q)ln -sf libxlog.so.$(SOVERSION) $(D)$(libdir)/libxlog.so
	$(Q)$(INSTALL) -m 644 $(HEADERS) $(D)$(includedir)/
	$(Q)$(INSTALL) -m 644 $(BUILD)/libxlog.pc $(D)$(pkgconfigdir)/
	$(Q)for f in $(MAN8); do $(INSTALL) -m 644 $$f $(D)$(mandir)/man8/ || exit; done
	$(Q)for f in $(MAN5); do $(INSTALL) -D -m 644 $$f -t $(D)$(mandir)/man5 || exit; done
	$(Q)for f in $(BASHCOMP); do $(INSTALL) -m 644 $$f \
		$(D)$(bashcompdir)/$$(basename $$f .bash) || exit; done
	$(Q)for f in $(ZSHCOMP); do $(INSTALL) -m 644 $$f $(D)$(zshcompdir)/ || exit; done
install-strip: install		## the same without symbols
	$(Q)for f in $(TOOLS); do $(STRIP) $(D)$(sbindir)/$$f || exit; done
	$(Q)$(STRIP) --strip-unneeded $(D)$(libdir)/$(SHLIB)
uninstall:			## remove what install put there
	$(Q)rm -f $(TOOLS:%=$(D)$(sbindir)/%) $(HEADERS:libxlog/%=$(D)$(includedir)/%) \
		$(D)$(libdir)/$(SHLIB) $(D)$(libdir)/libxlog.so.$(SOVERSION) \
		$(D)$(libdir)/libxlog.so $(D)$(pkgconfigdir)/libxlog.pc \
		$(MAN8:man/%=$(D)$(mandir)/man8/%) $(MAN5:man/%=$(D)$(mandir)/man5/%) \
		$(BASHCOMP:completions/%.bash=$(D)$(bashcompdir)/%) \
		$(ZSHCOMP:completions/%=$(D)$(zshcompdir)/%)

# --- releasing ---

DIST	:= xlog-$(VERSION)
dist:				## source archive of the last commit, the same bytes each time
	$(Q)mkdir -p build
	$(Q)git archive --format=tar --prefix=$(DIST)/ HEAD | gzip -9n >build/$(DIST).tar.gz
	@echo build/$(DIST).tar.gz
distcheck: dist			## unpack it, build, test, install, uninstall
	$(Q)rm -rf build/distcheck && mkdir -p build/distcheck
	$(Q)tar -C build/distcheck -xzf build/$(DIST).tar.gz
	+@cd build/distcheck/$(DIST) && $(AGAIN) all && $(AGAIN) unit story && \
		$(AGAIN) install install-strip DESTDIR=$(CURDIR)/build/distcheck/root && \
		$(AGAIN) uninstall DESTDIR=$(CURDIR)/build/distcheck/root
	@! find build/distcheck/root ! -type d | grep . || \
		{ echo 'distcheck: uninstall left these' >&2; exit 1; }
	@echo 'distcheck: ok'

clean:				## remove build/
	rm -rf build
help:				## this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t18
	@echo '  SAN=asan|tsan     a sanitizer flavour: make SAN=asan check'
	@echo '  V=1               show the commands; WERROR=-Werror: warnings are errors'
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
