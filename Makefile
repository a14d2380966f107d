# What can be done here, by name. The work is in scripts/ and benches/; each target first installs what the machine lacks.

# A toolchain installed a moment ago is not yet in this shell's PATH.
export PATH := $(HOME)/.cargo/bin:$(PATH)

# For edgewatch up: make run ARGS="--help"
ARGS ?=
# For fleet: a scrape every 100 ms stands for one every 15 s.
SECONDS ?= 1728
KILLS ?= 8
# For deb and vm-test: amd64, arm64, armhf; empty for this machine's.
ARCH ?=
# For vm-test with ARCH=arm64: 4k, 16k.
PAGES ?=
# For node-exporter-full: the dashboard 1860 as it was downloaded.
DASHBOARD ?=

.DEFAULT_GOAL := help
.PHONY: help run build deb test vm-test arm-test attack fuzz fleet update-power-cuts conformance public-dashboards node-exporter-full lint budget hooks bench layout microbench clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.* ## \(.*\)/make \1 \2/p' Makefile | while read -r make name text; do printf '%s %-18s %s\n' "$$make" "$$name" "$$text"; done

run: ## run the whole stack in the foreground: sensors, Prometheus, dashboards (ARGS="…" for edgewatch up)
	@scripts/setup run
	cargo build --release --locked
	@exec target/release/edgewatch up $(ARGS)

build: ## build target/release/edgewatch
	@scripts/setup build
	cargo build --release --locked

deb: ## build the Debian package into target/debian (ARCH=arm64 for another architecture)
	@scripts/setup deb $(ARCH)
	@scripts/deb $(ARCH)

test: ## check and test everything
	@scripts/setup build
	@scripts/test

vm-test: ## boot a Debian machine with the package and run the scenarios in it (ARCH=arm64 PAGES=16k ARGS="…" for vm-tests/debian/run)
	@scripts/setup vm $(ARCH)
	@scripts/deb $(ARCH)
	@ARCH=$(ARCH) PAGES=$(PAGES) vm-tests/debian/run $(ARGS)
	@[ -n "$(ARCH)$(ARGS)" ] || vm-tests/debian/devices

arm-test: ## build the packages for ARM, and test their programs in an emulator
	@scripts/setup arm
	@scripts/test arm

attack: ## attack a service in every way that tests/attacks knows (ARGS="NAME" for some)
	@scripts/setup test
	@scripts/attack $(ARGS)

fuzz: ## check the fuzz targets; try random dashboards, requests and answers of Prometheus for 10 minutes, other ones each time
	@scripts/setup test
	cargo clippy --quiet --locked --manifest-path fuzz/Cargo.toml --target-dir target --bins -- -D warnings
	EDGEWATCH_FUZZ_SECONDS=600 EDGEWATCH_FUZZ_SEED=$$(date +%s) cargo test --locked --test all fuzz:: -- --nocapture

fleet: ## lose the centre for three days, accelerated to half an hour, with kills (SECONDS=… KILLS=…); or simulate a fleet (ARGS="--devices 1000")
	@scripts/setup test
	@SECONDS_CUT=$(SECONDS) KILLS=$(KILLS) scripts/fleet $(ARGS)

update-power-cuts: ## cut the power 100 times during updates, and look what each cut leaves
	@scripts/setup update-power-cuts
	cargo test --locked --test all update_power_cuts:: -- --ignored --nocapture

conformance: ## hold dashboards against Grafana's own packages (ARGS="--differences 3 names" for conformance/run)
	@scripts/setup conformance
	@conformance/run $(ARGS)

node-exporter-full: ## count the panels of the dashboard Node Exporter Full with data, beside node_exporter (DASHBOARD=FILE, else fetched)
	@scripts/setup run
	@scripts/setup node_exporter target/node_exporter
	cargo build --release --locked
	@scripts/node-exporter-full $(DASHBOARD)
public-dashboards: ## draw the dashboards of DIR, with invented data, and count what is not drawn
	@scripts/setup test
	EDGEWATCH_PUBLIC_DASHBOARDS=$(abspath $(DIR)) cargo test --locked --test all public_dashboards:: -- --nocapture

lint: ## the quick part of test: formatting, warnings, scripts, rules
	@scripts/setup test
	@scripts/test lint

budget: ## write the numbers of budget.toml into the units
	@scripts/setup build
	UPDATE_UNITS=1 cargo test --locked --test all units::the_units_say_what_the_budget_says

hooks: ## have git run make lint before each commit
	@git config core.hooksPath scripts/hooks

bench: ## measure the service beside a Flask service and node_exporter, and what viewers of its dashboards cost
	@scripts/setup bench
	cargo build --release --locked
	@status=0; benches/compare.py || status=1; benches/dashboards.py || status=1; exit $$status

layout: ## write down anew which functions run at rest, for the linker to put them side by side
	@scripts/setup layout
	@benches/resident.py

microbench: ## time the steps from an answer of Prometheus to a page or a picture, against the run before
	@scripts/setup build
	cargo bench --locked --manifest-path benches/criterion/Cargo.toml --target-dir target/criterion

clean: ## remove everything that was built
	cargo clean
