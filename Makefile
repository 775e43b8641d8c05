# dynwatch -- build, test, install.  `make help` lists the targets.
#
#   BUILD=release|pgo|debug|profile|asan|tsan|fuzz   which variant (default release)
#   M=<module>   T=<suite>[/<test>]      run only these unit tests (make check)
#   ERR=1                                compiler warnings are errors
#   FUZZ_S=<seconds>                     how long each fuzz target runs (make fuzz)
#   DESTDIR= PREFIX=/usr                 where make install puts things
#   V=1                                  show the commands

BUILD   ?= release
PREFIX  ?= /usr
DESTDIR ?=
T       ?= *
FUZZ_S  ?= 5
OUT     ?= build

B := $(OUT)/$(BUILD)
VERSION := 0.1.0

# --- modules, in data-path order; who may include whom is in tools/layers ---------------------
MODULES := base ring packet dns capture feeds rules output config pipeline app

folder_feeds := feeds
folder_rules := rules
folder = $(or $(folder_$(1)),sensor/$(1))
below = $(shell sed -n 's/^$(1): *//p' tools/layers)
# Every module reached through the table, the module itself first: what its unit test links with.
reach = $(shell tools/check-layers --reach $(1))

# --- libraries ---------------------------------------------------------------------------------
PKGS := libpcap libfstrm ldns hiredis libmaxminddb libcyaml yaml-0.1 libpsl jansson libidn2 libcap-ng libsystemd zlib libzstd liblzma
HAVE_PKGS := $(shell pkg-config --exists $(PKGS) 2>/dev/null && echo yes)
PKG_CFLAGS := $(if $(HAVE_PKGS),$(shell pkg-config --cflags $(PKGS)))
PKG_LIBS   := $(if $(HAVE_PKGS),$(shell pkg-config --libs $(PKGS)))
# Not every Debian version ships a .pc file for these two.
HIREDIS_SSL := $(shell pkg-config --exists hiredis_ssl 2>/dev/null && echo yes)
ifeq ($(HIREDIS_SSL),yes)
PKG_LIBS += $(shell pkg-config --libs hiredis_ssl openssl)
PKG_CFLAGS += -DHAVE_HIREDIS_SSL
endif

# Only what fetches feeds talks to web servers.
CURL_CFLAGS := $(shell pkg-config --cflags libcurl 2>/dev/null)
CURL_LIBS   := $(shell pkg-config --libs libcurl 2>/dev/null || echo -lcurl)

# --- flags -------------------------------------------------------------------------------------
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
        -Wpointer-arith -Wwrite-strings -Wno-missing-field-initializers
release_CFLAGS  := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
release_LDFLAGS := -pie -Wl,-z,relro,-z,now
profile_CFLAGS  := $(release_CFLAGS) -fno-omit-frame-pointer
profile_LDFLAGS := $(release_LDFLAGS)
# The program is optimised as a whole (a fifth faster: make bench); tests link the same objects without.
# Warnings are those of each source by itself (ERR): across sources the compiler guesses.
release_LTO := $(if $(findstring Free Software,$(shell $(CC) --version 2>/dev/null)),-flto=auto -ffat-lto-objects)
profile_LTO := $(release_LTO)
# As release, by what a run of `make pgo` counted (TRAIN=1: counting). What was never run there, such as a
# live interface, is compiled as in release, not for size. Warnings are release's (here the compiler guesses).
pgo_CFLAGS  := $(release_CFLAGS) $(if $(TRAIN),-fprofile-generate -fprofile-update=prefer-atomic,-fprofile-use -fprofile-partial-training -w)
pgo_LDFLAGS := $(release_LDFLAGS)
pgo_LTO     := $(release_LTO)
debug_CFLAGS    := -Og -g3
asan_CFLAGS     := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
asan_LDFLAGS    := -fsanitize=address,undefined
tsan_CFLAGS     := -O1 -g -fsanitize=thread
tsan_LDFLAGS    := -fsanitize=thread
fuzz_CFLAGS     := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
fuzz_LDFLAGS    := -fsanitize=fuzzer,address,undefined
ifeq ($(BUILD),fuzz)
CC := clang
endif

ALL_CPPFLAGS := -I. -D_GNU_SOURCE -DDYNWATCH_VERSION='"$(VERSION)"' $(PKG_CFLAGS) $(CPPFLAGS)
ALL_CFLAGS   := -std=gnu11 $(WARN) $(if $(ERR),-Werror) $($(BUILD)_CFLAGS) $(CFLAGS)
ALL_LDFLAGS  := $($(BUILD)_LDFLAGS) $(if $($(BUILD)_LTO),-fno-lto) $(LDFLAGS)
LDLIBS       := $(PKG_LIBS) -lpthread -lm

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(patsubst $(B)/%,%,$(2));)

# --- sources -----------------------------------------------------------------------------------
srcs = $(sort $(wildcard $(call folder,$(1))/*.c))
obj  = $(patsubst %.c,$(B)/%.o,$(1))
lib  = $(B)/lib/$(1).a
MODULE_LIBS := $(foreach m,$(MODULES),$(call lib,$(m)))
ALL_SRCS := $(foreach m,$(MODULES),$(call srcs,$(m))) sensor/main.c $(wildcard tools/*.c tools/*/*.c) \
            $(wildcard tests/*/*.c tests/unit/*/*.c)
RACE_BINS  := $(patsubst tests/race/%.c,$(B)/race/%,$(wildcard tests/race/*.c))
FUZZ_BINS  := $(patsubst tests/fuzz/fuzz_%.c,$(B)/fuzz/fuzz_%,$(wildcard tests/fuzz/fuzz_*.c))
E2E_BINS   := $(patsubst tests/e2e/%.c,$(B)/e2e/%,$(wildcard tests/e2e/*.c))
BENCH_BINS := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*.c))
UNIT_MODULES := $(if $(M),$(M),$(foreach m,$(MODULES) dynwatch-feeds,$(if $(wildcard tests/unit/$(m)/*.c),$(m))))
SUPPORT := $(call obj,$(wildcard tests/support/*.c))
PROGRAMS := $(B)/dynwatch $(B)/dynwatch-feeds $(B)/mkpcap

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all help

all: $(PROGRAMS) ## build the programs

$(B)/dynwatch: $(B)/sensor/main.o $(MODULE_LIBS)
	$(call say,LINK,$@)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< -Wl,--start-group $(MODULE_LIBS) -Wl,--end-group $(LDLIBS)
$(B)/dynwatch: ALL_LDFLAGS := $($(BUILD)_LDFLAGS) $(if $($(BUILD)_LTO),$($(BUILD)_LTO) -w) $(LDFLAGS)
$(foreach m,$(MODULES),$(call obj,$(call srcs,$(m)))): ALL_CFLAGS += $($(BUILD)_LTO)

$(B)/mkpcap: $(call obj,$(wildcard tools/mkpcap/*.c)) $(call lib,dns) $(call lib,base)
	$(call say,LINK,$@)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

# Without what only the sensor needs: --as-needed leaves its libraries out.
FEEDS_MODULES := config output rules feeds dns ring base
$(B)/dynwatch-feeds: $(call obj,$(wildcard tools/dynwatch-feeds/*.c)) $(foreach m,$(FEEDS_MODULES),$(call lib,$(m)))
	$(call say,LINK,$@)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -Wl,--as-needed -o $@ $(filter %.o,$^) \
	  -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS) $(CURL_LIBS)
$(call obj,$(wildcard tools/dynwatch-feeds/*.c)): ALL_CPPFLAGS += $(CURL_CFLAGS)

define MODULE_RULES
$(call lib,$(1)): $(call obj,$(call srcs,$(1)))
	$$(call say,AR,$$@)mkdir -p $$(@D) && rm -f $$@ && $$(AR) rcs $$@ $$^

$(B)/unit/$(1): $(call obj,$(wildcard tests/unit/$(1)/*.c)) $(SUPPORT) $(foreach m,$(call reach,$(1)),$(call lib,$(m)))
	$$(call say,LINK,$$@)mkdir -p $$(@D) && $$(CC) $$(ALL_CFLAGS) $$(ALL_LDFLAGS) -o $$@ $$(filter %.o,$$^) \
	  -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(LDLIBS) -lcriterion
endef
$(foreach m,$(MODULES),$(eval $(call MODULE_RULES,$(m))))

$(B)/unit/dynwatch-feeds: $(call obj,$(wildcard tests/unit/dynwatch-feeds/*.c)) \
  $(call obj,$(filter-out %/main.c,$(wildcard tools/dynwatch-feeds/*.c))) $(foreach m,$(FEEDS_MODULES),$(call lib,$(m)))
	$(call say,LINK,$@)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) \
	  -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS) $(CURL_LIBS) -lcriterion

$(B)/%.o: %.c Makefile
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The shipped lists are compiled in, so that no command depends on where it was installed.
$(call obj,feeds/shipped.c): $(wildcard feeds/lists/*)

# --- tests -------------------------------------------------------------------------------------
.PHONY: check check-asan race run-race fuzz run-fuzz bench
SAN_ENV := ASAN_OPTIONS=abort_on_error=1:detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1

check: $(foreach m,$(UNIT_MODULES),$(B)/unit/$(m)) ## run the unit tests; M=dns one module, T='name/*' some tests
	$(Q)set -e; for t in $^; do echo "== $${t##*/}"; $(SAN_ENV) $$t --filter '$(T)' --timeout 120; done

check-asan: ## the unit tests under AddressSanitizer and UBSan
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) BUILD=asan check

race: ## thread stress programs under ThreadSanitizer
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) BUILD=tsan run-race
$(RACE_BINS): $(B)/race/%: $(B)/tests/race/%.o $(MODULE_LIBS)
	$(call say,LINK,$@)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)
run-race: $(RACE_BINS)
	$(Q)set -e; for t in $^; do echo "== race $${t##*/}"; $$t; done

fuzz: ## fuzz each target for FUZZ_S seconds (clang), starting from its kept corpus
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) BUILD=fuzz run-fuzz
$(FUZZ_BINS): $(B)/fuzz/%: $(B)/tests/fuzz/%.o $(MODULE_LIBS)
	$(call say,LINK,$@)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)
run-fuzz: $(FUZZ_BINS)
	$(Q)printf '%s\n' $^ | xargs -P $$(nproc) -n 1 tests/fuzz/run $(B)/corpus $(FUZZ_S)

# Programs that end-to-end tests drive beside the sensor itself.
$(E2E_BINS): $(B)/e2e/%: $(B)/tests/e2e/%.o $(MODULE_LIBS)
	$(call say,LINK,$@)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)

# Stands between the judge and what it calls, to time it.
$(B)/bench/bench_stages: LDLIBS += $(foreach s,pairs_observe $(addsuffix _family,lookup churn nxdomain update resolver),-Wl,--wrap=$(s))
$(BENCH_BINS): $(B)/bench/%: $(B)/tests/bench/%.o $(MODULE_LIBS)
	$(call say,LINK,$@)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)

# --- what can be said without running anything -------------------------------------------------
.PHONY: lint objects
lint: ## layers, licence lines, format, shell scripts; all sources, tests included, without a warning
	$(Q)tools/check-layers
	$(Q)tools/check-license
	$(Q)tools/check-format
	$(Q)tools/check-shell
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) ERR=1 objects
	@echo "lint: nothing to complain about"

# A file that was compiled before, with warnings and without ERR, is not compiled again: `make clean` first.
objects: $(call obj,$(ALL_SRCS))
	@echo "warnings: none in $(words $^) C sources"

# --- the whole program, tested as users have it ------------------------------------------------
.PHONY: golden e2e sanitize test demo pgo bench bench-count bench-scale bench-live profile
# Programs that shell tests drive.
TEST_PROGRAMS := $(PROGRAMS) $(E2E_BINS)
PROVE = DYNWATCH=$(B)/dynwatch DYNWATCH_FEEDS=$(B)/dynwatch-feeds MKPCAP=$(B)/mkpcap BUILD_DIR=$(B) prove --timer --comments -e ''

golden: $(TEST_PROGRAMS) ## replay captures and compare with tests/golden; ACCEPT=1 rewrites what is expected
	$(Q)$(SAN_ENV) ACCEPT=$(ACCEPT) $(PROVE) -j$$(nproc) tests/golden/*.t

e2e: $(TEST_PROGRAMS) $(BENCH_BINS) ## end to end with real servers on private network namespaces (root); E=name one file
	$(Q)$(SAN_ENV) $(PROVE) -j$$(nproc) $(if $(E),tests/e2e/$(E).t,tests/e2e/*.t)

sanitize: check-asan ## unit tests and golden replays under AddressSanitizer and UBSan
	$(Q)$(MAKE) --no-print-directory BUILD=asan golden

test: ## install what is missing, then run every test
	$(Q)tools/install-deps build test
	$(Q)$(MAKE) --no-print-directory lint
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) ERR=1 all
	$(Q)$(MAKE) --no-print-directory ERR=1 check
	$(Q)$(MAKE) --no-print-directory race
	$(Q)$(MAKE) --no-print-directory fuzz
	$(Q)$(MAKE) --no-print-directory sanitize
	$(Q)$(MAKE) --no-print-directory golden
	$(Q)$(MAKE) --no-print-directory e2e

demo: ## install what is missing, build, replay our own capture and show the alerts
	$(Q)tools/install-deps build
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) all
	$(Q)tools/demo $(B)/dynwatch

# What counts goes, what it counted stays beside the objects to come.
pgo: ## build optimised by its own profile (gcc, python3): BUILD=pgo in make install, bench and tests
	$(Q)rm -rf $(OUT)/pgo
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) BUILD=pgo TRAIN=1 all
	$(Q)tests/bench/train.py $(OUT)/pgo
	$(Q)rm -rf $(OUT)/pgo/bench-data
	$(Q)find $(OUT)/pgo \( -name '*.o' -o -name '*.a' -o -type f -perm -u+x \) -delete
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) BUILD=pgo all

bench: $(TEST_PROGRAMS) $(BENCH_BINS) ## speed by stage and as a whole, against tcpdump and libpcap's empty loop
	$(Q)tests/bench/bench.py $(B)

bench-count: $(PROGRAMS) ## what a packet takes in instructions, wrong branches and cache misses (callgrind)
	$(Q)tests/bench/count.py $(B)

bench-scale: $(PROGRAMS) ## cost per packet with more packets, names, tenants, clients: is it flat?
	$(Q)tests/bench/scale.py $(B)

bench-live: $(PROGRAMS) $(BENCH_BINS) ## what a live sensor takes without loss, beside an empty libpcap receiver (root)
	$(Q)tests/bench/live.py $(B)

profile: ## where the time goes: a flame graph of a replay (perf), built with frame pointers
	$(Q)$(MAKE) --no-print-directory BUILD=profile all
	$(Q)tests/bench/profile.py $(OUT)/profile

# --- housekeeping ------------------------------------------------------------------------------
.PHONY: install uninstall clean
MANDIR ?= $(PREFIX)/share/man
COMPLETIONS := $(PREFIX)/share/bash-completion/completions
UNITS := $(notdir $(wildcard tools/systemd/*.service tools/systemd/*.timer))
MAN_PAGES := $(filter-out %/mkpcap.1,$(wildcard tools/man/*.[1-8])) $(B)/man/dynwatch.conf.5

# The tables of the configuration's manual page are made from the same lines as the program.
$(B)/man/dynwatch.conf.5: tools/man/dynwatch.conf.5.in $(B)/dynwatch
	$(call say,MAN,$@)mkdir -p $(@D) && $(B)/dynwatch check --manual $< > $@

install: all $(MAN_PAGES) ## install into $(DESTDIR)$(PREFIX)
	$(Q)install -D -m 0755 $(B)/dynwatch $(DESTDIR)$(PREFIX)/sbin/dynwatch
	$(Q)install -D -m 0755 $(B)/dynwatch-feeds $(DESTDIR)$(PREFIX)/sbin/dynwatch-feeds
	$(Q)for unit in $(UNITS); do \
	  install -D -m 0644 tools/systemd/$$unit $(DESTDIR)/usr/lib/systemd/system/$$unit; done
	$(Q)install -D -m 0644 tools/systemd/dynwatch.sysusers $(DESTDIR)/usr/lib/sysusers.d/dynwatch.conf
	$(Q)install -D -m 0644 tools/dynwatch.yaml.example $(DESTDIR)/etc/dynwatch/dynwatch.yaml.example
	$(Q)for program in dynwatch dynwatch-feeds; do \
	  install -D -m 0644 tools/completion/dynwatch.bash $(DESTDIR)$(COMPLETIONS)/$$program; done
	$(Q)for page in $(MAN_PAGES); do \
	  install -D -m 0644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; done

uninstall: ## remove what install put there
	$(Q)rm -f $(addprefix $(DESTDIR)$(PREFIX)/sbin/,dynwatch dynwatch-feeds) $(addprefix $(DESTDIR)/usr/lib/systemd/system/,$(UNITS)) \
	  $(DESTDIR)/usr/lib/sysusers.d/dynwatch.conf $(DESTDIR)/etc/dynwatch/dynwatch.yaml.example \
	  $(addprefix $(DESTDIR)$(COMPLETIONS)/,dynwatch dynwatch-feeds) \
	  $(foreach page,$(MAN_PAGES),$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(page)))/$(notdir $(page)))

clean: ## remove what was built
	$(Q)rm -rf $(OUT)

help: ## this list
	@sed -n 's/^#   //p' Makefile
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' Makefile | column -t -s'|'

-include $(patsubst %.c,$(B)/%.d,$(ALL_SRCS))
