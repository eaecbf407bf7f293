# SPDX-License-Identifier: LGPL-2.1-or-later
# make            build into build/release
# make help       everything else
# One build folder per flavour (SAN=asan, SAN=tsan); sources come from folders.
VERSION	:= 0.1.0
SAN	?=
Q	:= $(if $(V),,@)
BUILD	:= build/$(or $(SAN),release)
ifeq ($(origin CC),default)	# '?=' would keep make's built-in cc
CC	:= gcc
endif
PKG_CONFIG ?= pkg-config
WARN	:= -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
	   -Wmissing-prototypes -Wpointer-arith -Wvla -Wundef $(WERROR)
CFLAGS	?= -O2 -g

ISAL	:= $(shell $(PKG_CONFIG) --exists libisal 2>/dev/null && echo yes)
LIBS	:= -lzstd -lblkid -ljson-c $(if $(ISAL),-lisal)
ALL_CPPFLAGS = -I. -D_GNU_SOURCE -MMD -MP $(if $(ISAL),-DXFSFMT_ISAL) $(CPPFLAGS)
ALL_CFLAGS = -std=c11 $(WARN) -fPIC -fvisibility=hidden $(CFLAGS) -pthread $(SANFLAGS)

ifeq ($(SAN),asan)
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
else ifeq ($(SAN),tsan)
SANFLAGS := -fsanitize=thread
else ifneq ($(SAN),)
$(error SAN must be asan or tsan)
endif

FMT_SRC	:= $(wildcard libxfsfmt/*.c)
XLOG_SRC := $(wildcard libxlog/*/*.c)
TOOLS	:= xlog-print
CMD_SRC	:= $(filter-out cmd/xlog-%.c,$(wildcard cmd/*.c))
UNIT	:= $(shell find tests/unit -name 'test_*.c')
obj	= $(patsubst %.c,$(BUILD)/%.o,$(1))
bin	= $(patsubst %.c,$(BUILD)/%,$(1))

.DEFAULT_GOAL := all
.SECONDARY:
.DELETE_ON_ERROR:
.PHONY: all check unit lint clean help
all: $(TOOLS:%=$(BUILD)/%)		## build the tools

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c $< -o $@

$(BUILD)/libxfsfmt.a: $(call obj,$(FMT_SRC))
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(BUILD)/libxlog.a: $(call obj,$(XLOG_SRC))
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(BUILD)/xlog-%: $(BUILD)/cmd/xlog-%.o $(call obj,$(CMD_SRC)) $(BUILD)/libxlog.a $(BUILD)/libxfsfmt.a
	$(Q)$(CC) $(ALL_CFLAGS) $^ $(LDFLAGS) $(LIBS) -o $@
$(call bin,$(UNIT)): %: %.o $(BUILD)/libxlog.a $(BUILD)/libxfsfmt.a
	$(Q)$(CC) $(ALL_CFLAGS) $^ $(LDFLAGS) $(LIBS) -lcriterion -o $@

unit: $(call bin,$(UNIT))		## unit tests (Criterion)
	@rm -f $(BUILD)/san.*
	@for t in $^; do ASAN_OPTIONS=log_path=$(BUILD)/san $$t --quiet || exit 1; done
	@! ls $(BUILD)/san.* 2>/dev/null || { cat $(BUILD)/san.*; exit 1; }
clean:					## remove build/
	rm -rf build
help:					## this list
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t14
-include $(shell find build -name '*.d' 2>/dev/null)
