# Everything that CI runs, and nothing else. `make` alone lists the targets.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check -q

# Tests start many programs, and pytest rewrites each test module: both cost twice the time where no bytecode is kept.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
NIGHTLY_PARTS := property ha chaos floods matrix spellings repeats hunt mutants validators clients pacemaker
.PHONY: help setup demo test check fmt profiles profiles-pages dist deb pyz sbom peers bench scoreboard nightly $(addprefix nightly-,$(NIGHTLY_PARTS)) clean lab lab-incident-409 lab-incident-hung lab-down lab-local lab-test

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/.run: pyproject.toml
	@echo "making $(VENV) (once, about half a minute)"
	@$(PYTHON) -m venv $(VENV) || { echo "python3-venv is missing: apt-get install python3-venv" >&2; exit 2; }
	@$(PIP) install --upgrade 'pip>=25.1'
	@$(PIP) install -e '.[lab]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@$(PIP) install --group dev
	@$(BIN)/python -m pytest -q --collect-only tests >/dev/null 2>&1 || true  # bytecode once, not in each of the workers of `make test`
	@touch $@

$(VENV)/.peers: $(VENV)/.dev
	@$(PIP) install --group peers
	@touch $@

setup: $(VENV)/.dev  ## Make the virtual environment with everything for development

demo: $(VENV)/.run  ## Play the incident in front of you, on real sockets, and write report.html
	@$(BIN)/python -m demo

test: $(VENV)/.dev  ## All tests that need nothing but Python; the pure cores' coverage gate
	@rm -f .coverage .coverage.*
	$(BIN)/python -m coverage run -m pytest -q -n 2 --dist worksteal $(MEASURED)
	@$(BIN)/python -m coverage combine -q
	$(BIN)/python -m coverage report --fail-under=100 --skip-covered --include='$(PURE)'
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not long" tests/unit tests/property $(addprefix --ignore=,$(MEASURED))
	tools/pytest-settled $(BIN)/python -q -n 5 --dist loadgroup -m "not long" tests/e2e tests/packaging tests/wire

# The tests of the pure cores (IPMI's drive most of the core's machine). Measuring costs twice the time, so nothing else is measured:
# the slow tests of what stands around the cores are left out.
MEASURED := $(filter-out \
	$(wildcard $(patsubst %,tests/unit/test_%*.py,ha_api ha_backup ha_commands ha_config ha_docs fencer_agent fencer_odd conformance_running)), \
	$(wildcard $(patsubst %,tests/unit/test_%_*.py,core conformance fencer ha ipmi)))

comma := ,
empty :=
space := $(empty) $(empty)
PURE  := $(subst $(space),$(comma),$(strip \
	emulator/core/* emulator/wire/ops.py \
	$(addprefix conformance/,judge.py expectations/* givens/* invariants.py timeline.py finding.py scenario.py vocabulary.py result.py secret_forms.py \
		invariants_conduct.py requirement.py remedies.py seen.py repeated_runs.py catalogues/* explanations.py waivers.py) \
	$(addprefix fencer/,outcome.py proof.py procedure.py procedure_state.py command_plan.py events_effects.py failure_text.py witnesses.py identity.py) \
	$(addprefix fencer/ha/,states.py machine.py effects.py policy.py fence.py recovery.py proof.py fence_limiter.py record.py observations.py step_builder.py \
		cloudstack.py ledger.py vm_record.py vm_machine.py placement.py entries.py orders.py cluster.py device.py activity.py power_reads.py levels.py)))

check: $(VENV)/.dev  ## Lint, format, types, the dependency rule
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

fmt: $(VENV)/.dev  ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

BASE ?= main

profiles: $(VENV)/.dev  ## All that a change of nothing but profiles needs: lint, check, tests, tier 0 on what differs from BASE (main)
	@for file in $(wildcard profiles/vendors/*.yaml profiles/vendors/*/profile.yaml); do $(BIN)/bmc-emulator profile lint $$file || exit; done
	$(BIN)/python -m tools.check_profiles
	$(BIN)/python -m pytest -q -n 2 --dist worksteal $(wildcard tests/unit/test_profiles_*.py)
	@changed=$$($(BIN)/python -m tools.changed_profiles $(BASE)) || exit; \
	if [ -z "$$changed" ]; then echo "no profile differs from $(BASE): tier 0 is not played"; \
	else $(BIN)/fence-conformance run --fencer fence_bmc --profile "$$changed" --tier 0; fi

profiles-pages: $(VENV)/.dev  ## Write docs/profiles and docs/wanted.md from the profiles
	@$(BIN)/python -m tools.print_profile_pages

peers: $(VENV)/.peers  ## Other people's programs against ours, installed with apt-get (needs root); then our own long tests
	@tools/peers-install
	tools/pytest-settled $(BIN)/python -q -n 4 --dist loadgroup tests/peers
	tools/pytest-settled $(BIN)/python -q -n 6 --dist loadgroup -m long tests/unit tests/property tests/e2e tests/packaging tests/wire

lab: $(VENV)/.run  ## Build and start the HA lab with Docker; it stays up
	@$(BIN)/python -m lab up --policy $(POLICY)

lab-incident-409: $(VENV)/.run  ## In the lab: node1 is switched off at its BMC (POLICY=cloudstack-4.22 shows how it goes wrong)
	@$(BIN)/python -m lab incident 409 --policy $(POLICY)

lab-incident-hung: $(VENV)/.run  ## In the lab: node1 hangs and its machines go on writing (POLICY as above)
	@$(BIN)/python -m lab incident hung --policy $(POLICY)

lab-down: $(VENV)/.run  ## Remove every container, network and volume of the lab
	@$(BIN)/python -m lab down

lab-local: $(VENV)/.run  ## Both incidents with local processes as hosts, without Docker (POLICY as above)
	@$(BIN)/python -m lab local --policy $(POLICY)

# DOCKER_ENGINE_UP is a command that makes a Docker engine answer; it is run where none does.
lab-test: $(VENV)/.dev  ## Tests of the lab on a real Docker engine
	@tools/peers-install
	DOCKER_ENGINE_UP="$(DOCKER_ENGINE_UP)" $(BIN)/python -m pytest -q tests/lab

POLICY ?= reference
DOCKER_ENGINE_UP ?= $(addsuffix $(space)up,$(wildcard ../shared/bin/docker-engine))

# Hours of waiting, little processor time. A cell of docs/scoreboard*.json that is current is not run again unless FRESH=--fresh;
# FRESH=--again runs only what a busy machine may have spoilt.
scoreboard: $(VENV)/.peers  ## Fencers in tier 0 and on every vendor: docs/scoreboard.md, docs/scoreboard-vendors.md
	@tools/peers-install ipmitool ipmipower fence_redfish fence_ipmilan stonith powermand httppower
	$(BIN)/python -m tools.print_scoreboard $(FRESH)

bench: $(VENV)/.peers  ## Timing claims, measured; installs wrk and fence-agents with apt-get where they are missing (needs root)
	@tools/peers-install wrk fence_redfish
	$(BIN)/python -m pytest -q -s tests/bench

LONG := EFFORT=nightly $(BIN)/python -m pytest -q -n 2 --timeout 7200
HA_PROPERTIES := $(wildcard tests/property/test_ha_*.py)

nightly: $(VENV)/.peers  ## The long runs, part after part (nightly-property and so on); prints how long each took
	@tools/run-parts nightly $(NIGHTLY_PARTS)

nightly-property: $(VENV)/.dev  ## More random input for everything but the HA machine
	$(LONG) --dist worksteal tests/property $(addprefix --ignore=,$(HA_PROPERTIES))

nightly-ha: $(VENV)/.dev  ## Bigger state spaces and longer histories of the HA machine
	$(LONG) --dist worksteal $(HA_PROPERTIES)

# No -n: the managers are real processes whose times are bounded.
nightly-chaos: $(VENV)/.dev  ## HA managers that are killed, stopped and robbed of their store while hosts die, ten minutes
	EFFORT=nightly $(BIN)/python -m pytest -q -s tests/nightly/test_ha_chaos.py

nightly-floods: $(VENV)/.peers  ## Hostile packets and clients while real ones work, ten minutes of them
	@tools/peers-install ipmitool
	EFFORT=nightly $(BIN)/python -m pytest -q -s tests/bench/test_ipmi_floods.py tests/bench/test_server_floods.py

nightly-matrix: $(VENV)/.dev  ## The conformance table on every profile
	$(LONG) --dist loadgroup tests/matrix

nightly-spellings: $(VENV)/.dev  ## Every planted mutant in every spelling of its requests
	$(LONG) --dist loadgroup tests/nightly --ignore=tests/nightly/test_repeats.py --ignore=tests/nightly/test_ha_chaos.py --ignore=tests/nightly/test_hunt.py --ignore=tests/nightly/test_hunt_managers.py

# No -n: nothing but the suite and what keeps the cores busy shall run.
nightly-repeats: $(VENV)/.dev  ## Tier 0 again and again with every core busy, REPEATS times; two whole runs of one seed
	REPEATS=$(REPEATS) EFFORT=nightly $(BIN)/python -m pytest -q --timeout 14400 tests/nightly/test_repeats.py

REPEATS ?= 20

nightly-hunt: $(VENV)/.dev  ## All of two deviations of fence_bmc on virtual time, random three for half an hour; one of fence-ha's
	EFFORT=nightly $(BIN)/python -m pytest -q -s --timeout 7200 tests/nightly/test_hunt.py tests/nightly/test_hunt_managers.py

# One core for about half an hour.
nightly-mutants: $(VENV)/.dev  ## Every scenario against every mutant of two fencers; hunts of those that survive: docs/mutation-score.md
	$(BIN)/python -m tools.mutation_score --fresh

nightly-validators: $(VENV)/.peers  ## DMTF's validators and checkers on every profile
	$(LONG) --dist loadgroup tests/peers/test_redfish_validators.py

nightly-clients: $(VENV)/.peers  ## Other people's clients on the BMC of every vendor: docs/vendor-clients.md
	@tools/peers-install curl ipmitool fence_redfish fence_ipmilan powermand httppower
	$(BIN)/python -m tools.vendor_clients --fresh

nightly-pacemaker: $(VENV)/.peers  ## A real Pacemaker with fence_bmc in every row; fence_redfish beside it in docs/pacemaker-table.md
	@tools/peers-install pacemakerd stonith_admin corosync fence_redfish unshare ip
	$(LONG) tests/peers/test_pacemaker.py
	$(BIN)/python -m tests.peers.pacemaker.page

$(VENV)/.sbom: $(VENV)/.run
	@$(PIP) install --group sbom
	@touch $@

dist: $(VENV)/.dev  ## Build the wheel and the source distribution into dist/
	@$(BIN)/python -m build --no-isolation --outdir dist .

deb:  ## Build the Debian package of fence_bmc alone into dist/ (needs dpkg-deb)
	@$(PYTHON) -m tools.make_deb

pyz:  ## Build dist/fence_bmc.pyz, the agent in one file
	@$(PYTHON) -m tools.make_pyz

sbom: $(VENV)/.sbom  ## Write dist/fencelab.cdx.json, what is installed with fencelab (CycloneDX)
	@$(BIN)/python -m tools.make_sbom

clean:  ## Remove what make made
	rm -rf $(VENV) dist report.html demo-out .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis
