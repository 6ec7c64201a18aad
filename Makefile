# Everything that CI runs, and nothing else. `make` alone lists the targets.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check -q

.DEFAULT_GOAL := help
.PHONY: help setup demo test check fmt peers bench nightly clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/.run: pyproject.toml
	@echo "making $(VENV) (once, about half a minute)"
	@$(PYTHON) -m venv $(VENV) || { echo "python3-venv is missing: apt-get install python3-venv" >&2; exit 2; }
	@$(PIP) install --upgrade 'pip>=25.1'
	@$(PIP) install -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@$(PIP) install --group dev
	@touch $@

$(VENV)/.peers: $(VENV)/.dev
	@$(PIP) install --group peers
	@touch $@

setup: $(VENV)/.dev  ## Make the virtual environment with everything for development

demo: $(VENV)/.run  ## Play the incident in front of you, on real sockets, and write report.html
	@$(BIN)/python -m demo

test: $(VENV)/.dev  ## All tests that need nothing but Python; the pure cores' coverage gate
	$(BIN)/python -m coverage run -m pytest -q tests/unit tests/property
	$(BIN)/python -m coverage report --fail-under=100 --skip-covered --include='$(PURE)'
	$(BIN)/python -m pytest -q -n 4 --dist loadgroup tests/wire tests/e2e tests/packaging

comma := ,
empty :=
space := $(empty) $(empty)
PURE  := $(subst $(space),$(comma),$(strip \
	emulator/core/* emulator/wire/ops.py \
	$(addprefix conformance/,judge.py expectations.py invariants.py timeline.py finding.py) \
	$(addprefix fencer/,outcome.py procedure.py situation.py moves.py wording.py) \
	$(addprefix fencer/ha/,states.py machine.py effects.py policy.py fence.py proof.py brake.py record.py observations.py draft.py \
		cloudstack.py)))

check: $(VENV)/.dev  ## Lint, format, types, the dependency rule
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

fmt: $(VENV)/.dev  ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

peers: $(VENV)/.peers  ## Run other people's programs against ours; installs the missing ones with apt-get (needs root)
	@tools/peers-install
	$(BIN)/python -m pytest -q -n 4 --dist loadgroup tests/peers

bench: $(VENV)/.peers  ## Timing claims, measured
	$(BIN)/python -m pytest -q -s tests/bench

nightly: $(VENV)/.peers  ## The long runs: bigger state spaces, more random input
	HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest -q -n 2 tests/property tests/nightly

clean:  ## Remove what make made
	rm -rf $(VENV) report.html demo-out .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis
