# The commands of the README. Everything they need is installed by deploy/ready.sh.
# hundreds of processes start here: without bytecode each compiles anew all that it imports
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
PURE := */holdfast/model/*,*/holdfast/spec/*,*/holdfast/plan/*,*/holdfast/safety/*,*/holdfast/evidence/*,*/holdfast/score/*,*/holdfast/oscal/*

# of the runs through Airflow: the suites, and those kills that are quick
QUICK := test_suites or keepers_parent_is_killed or killed_triggerer or marking_the_run or test_page or test_budget or test_approval or witnesses

# the benches that take long go last
LONG := $(patsubst %,tests/bench/test_%.py,compile overhead abort_latency abort_peer)
BENCHES := $(filter-out $(LONG),$(sort $(wildcard tests/bench/test_*.py))) $(LONG)

.PHONY: demo up down test test-parts test-airflow kills lint bench peers audit lock clean ready ready-dev

ready:
	@deploy/ready.sh run
ready-dev:
	@deploy/ready.sh dev

demo: ready          ## run shop-core for real, then kill all of Airflow and watch the fault go
	@$(BIN)/holdfast demo --no-pause
up: ready            ## start the shop and Airflow, print addresses and logins
	@$(BIN)/holdfast up
down: ready          ## stop both
	@$(BIN)/holdfast down

test: ready-dev      ## lint, types, layers and every test
	@$(MAKE) --no-print-directory -j2 --output-sync=line test-parts test-airflow
	@$(BIN)/coverage combine --append --quiet .dags.coverage
	@$(BIN)/coverage report --fail-under 90 --format total
	@$(BIN)/coverage report --fail-under 100 --skip-covered --include '$(PURE)'
	$(PYTEST) tests/system --ignore tests/system/airflow -n 3 --dist loadfile --no-loadscope-reorder
# What follows runs side by side: the second mostly waits, and what is only work gives way to it.
test-parts:
	@nice $(MAKE) --no-print-directory lint
	nice $(PYTEST) tests/unit -n 2 --cov --cov-report=
	$(PYTEST) tests/contract -n 2 --dist loadgroup --cov --cov-append --cov-report=
test-airflow:
	$(PYTEST) tests/system/airflow -k '$(QUICK)'
	COVERAGE_FILE=.dags.coverage nice $(PYTEST) tests/dags -n 2 --cov --cov-report=
kills: ready-dev     ## kill every party of real runs, HOLDFAST_KILL_ROUNDS times each (10)
	HOLDFAST_KILL_ROUNDS=$${HOLDFAST_KILL_ROUNDS:-10} $(PYTEST) tests/system/airflow
lint: ready-dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
bench: ready-dev     ## figures, measured side by side; never part of the tests
	$(PYTEST) -s -p no:xdist --timeout 1800 $(BENCHES)

peers: ready-dev     ## install the second opinions that some tests ask where they are there
	cd tests && ../$(BIN)/python -m support.peers trestle
audit: ready-dev     ## look pinned packages up among known weaknesses (asks pypi.org)
	@test -x .peers/audit/bin/pip-audit || { python3 -m venv .peers/audit && .peers/audit/bin/pip install -q 'pip-audit>=2.10,<3'; }
	.peers/audit/bin/pip-audit --strict --disable-pip --no-deps -r requirements.txt

lock:                ## compile the pinned locks from pyproject.toml
	uv pip compile -q --upgrade --no-header --python-version 3.11 pyproject.toml deploy/build.in -o requirements.txt
	uv pip compile -q --no-header --python-version 3.11 -c requirements.txt pyproject.toml deploy/build.in --group dev -o requirements-dev.txt
clean: down          ## remove all that was made in this checkout
	rm -rf .holdfast .peers .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
