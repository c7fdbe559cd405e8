# `make` lists what can be done. Everything happens in .venv, made from requirements.lock at first use.

DATASET ?= complete-journey
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SPARK := $(VENV)/.spark
UV := build/uv/bin/uv
SIZE ?= 10M
PEERS := build/bench-peers

.DEFAULT_GOAL := help
.PHONY: help setup report check lab test test-quick spark-test bench-features bench-btyd bench-accuracy bench-programme lint lock clean

help: ## list the targets
	@echo "make TARGET, where TARGET is one of"
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## build the environment in .venv

$(READY): requirements.lock pyproject.toml
	@PYTHON="$(PYTHON)" sh tools/find-python > /dev/null
	@echo "Building the environment in $(VENV): about 1.4 GB, a minute or two."
	@"$$(PYTHON="$(PYTHON)" sh tools/find-python)" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

report: $(READY) ## write the report: make report [DATASET=cdnow] [ARGS="--as-of 2017-11-01"]
	@$(BIN)/loyalty report $(DATASET) $(ARGS)

check: $(READY) ## show what a dataset's log holds: make check [DATASET=cdnow]
	@$(BIN)/loyalty check $(DATASET) $(ARGS)

lab: $(READY) ## open the notebooks in JupyterLab
	@$(BIN)/jupyter lab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/notebooks $(if $(filter 0,$(shell id -u)),--allow-root) $(ARGS)

test: $(READY) ## run all tests but those on Spark
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not spark" $(ARGS)

test-quick: $(READY) ## run the tests that take seconds
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not spark" $(ARGS)

spark-test: $(SPARK) ## run the tests on Spark, which needs Java 17
	@$(BIN)/python -m pytest -m spark tests/spark $(ARGS)

$(SPARK): $(READY) requirements-spark.lock
	@echo "Adding PySpark to the environment: about 450 MB."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-spark.lock
	@touch $(SPARK)

bench-features: $(READY) $(PEERS)/.ready ## measure speed and memory beside others: make bench-features [SIZE=10M]
	@$(BIN)/python benchmarks/features.py $(SIZE) --peers $(PEERS)/bin/python $(ARGS)

bench-btyd: $(READY) $(PEERS)/.ready ## measure fits and predictions beside others: make bench-btyd [ARGS="--runs 1"]
	@$(BIN)/python benchmarks/btyd.py --peers $(PEERS)/bin/python $(ARGS)

bench-accuracy: $(READY) ## hold every forecast against what came after past dates: make bench-accuracy [ARGS="--logs cdnow"]
	@$(BIN)/python benchmarks/accuracy.py $(ARGS)

bench-programme: $(READY) ## measure a points ledger beside a loop: make bench-programme [SIZE=10M]
	@$(BIN)/python benchmarks/programme.py $(SIZE) $(ARGS)

$(PEERS)/.ready: benchmarks/peers.txt
	@echo "Building an environment for peers in $(PEERS): about 800 MB."
	@"$$(PYTHON="$(PYTHON)" sh tools/find-python)" -m venv --clear $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --requirement benchmarks/peers.txt
	@touch $@

lint: $(READY) ## check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy -p src

lock: ## resolve pyproject.toml anew into requirements.lock and constraints.txt
	@test -x $(UV) || ("$$(sh tools/find-python)" -m venv build/uv && build/uv/bin/pip install --quiet uv)
	@$(UV) pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --upgrade \
		--no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet --output-file requirements.lock > /dev/null
	@$(UV) pip compile pyproject.toml --extra dev --extra spark --universal --python-version 3.11 --generate-hashes \
		--constraint requirements.lock --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet \
		--output-file requirements-spark.lock > /dev/null
	@$(MAKE) --no-print-directory constraints.txt

constraints.txt: requirements.lock
	@sed -n -e '/==/{s/ *\\$$//;p;}' requirements.lock > constraints.txt

clean: ## remove the environment, kept results and reports
	@rm -rf $(VENV) build data/interim data/processed
	@find reports -mindepth 1 ! -name README.md -delete
