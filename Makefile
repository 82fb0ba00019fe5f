# Every target is one thin line over cargo or a script in ci/.
#
# All builds use cargo's release profile: the Verilated models are compiled once and shared
# by the command, the tests, the lints and the benches. ARGS is passed on where noted.

target    := $(or $(CARGO_TARGET_DIR),target)
supernode := $(target)/release/supernode

.DEFAULT_GOAL := help

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12

.PHONY: setup
setup: ## check the tools of the build, install what is missing
	@ci/setup.sh

.PHONY: build
build: setup ## compile the switch and the command target/release/supernode
	cargo build --release --bin supernode

.PHONY: run
run: build ## run the key/value cache on the switch (ARGS="--requests 50")
	$(supernode) run kv $(ARGS)

.PHONY: test
test: setup ## everything a contributor must see green (ARGS="-E 'test(name)'")
	ci/test.sh $(ARGS)

.PHONY: coverage
coverage: setup ## what the tests reach of RTL and protocol, as table, lcov and HTML (slow; ARGS="-E 'test(name)'")
	ci/coverage.sh $(ARGS)

.PHONY: lint
lint: setup ## check RTL, Rust, scripts and generated files (ARGS="slang clippy")
	ci/lint.sh $(ARGS)

.PHONY: fmt
fmt: ## format RTL and Rust in place
	ci/format.sh

.PHONY: generate
generate: ## make the generated files again from their sources
	ci/generate.sh

.PHONY: wave
wave: build ## run a few requests, write target/wave.vcd and print its transactions
	$(supernode) run kv --requests 4 --vcd $(target)/wave.vcd
	$(supernode) wave $(target)/wave.vcd

.PHONY: mutate
mutate: setup ## break the RTL in each known way, the tests must notice (ARGS="lost_credit")
	ci/mutate.sh $(ARGS)

.PHONY: fuzz
fuzz: build ## look for failures for a minute (ARGS="--hostile --seconds 600")
	$(supernode) fuzz $(or $(ARGS),--seconds 60)

.PHONY: bench
bench: build ## measure, by default the fabric (ARGS="latency --html latency.html")
	$(supernode) bench $(or $(ARGS),fabric)

.PHONY: bench-sim
bench-sim: build ## cycles per second, against the bare model
	$(supernode) bench sim $(ARGS)

.PHONY: synth
synth: setup ## cells and logic depth in an ECP5, written to docs/ppa.md (slow; ARGS="fabric4")
	PATH="$$(ci/venv.sh):$$PATH" && python3 ci/ppa.py synth $(ARGS) && python3 ci/ppa.py page

.PHONY: pnr
pnr: build ## highest clock after place and route, three seeds (very slow; ARGS="fabric4")
	mkdir -p $(target)/ppa && $(supernode) bench fabric --ports 4,8 --json $(target)/ppa/bench.json
	PATH="$$(ci/venv.sh):$$PATH" && pip install --quiet -r ci/requirements-pnr.txt && python3 ci/ppa.py pnr $(ARGS) && python3 ci/ppa.py page

.PHONY: clean
clean: ## remove everything that was built
	cargo clean
