# The newest Python that every pinned package has a wheel for, where the machine has it.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

# Bytecode is kept: a cloud starts many Python processes, and each would compile this project anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: setup setup-dev up down demo test test-full bench lint pictures sbom audit lock help

setup: ## Make the environment: Python packages, jars, Node and Azurite
	@$(PYTHON) -m scripts.setup

setup-dev:
	@$(PYTHON) -m scripts.setup --dev

up: setup ## Start the local cloud and Airflow in the background
	@$(BIN)/localcloud up

down: ## Stop them
	@if [ -x $(BIN)/localcloud ]; then $(BIN)/localcloud down; fi

demo: setup ## Run the whole chain once, from Kafka to the report
	@$(BIN)/localcloud demo

test: setup-dev ## Run the tests, long ones in a shortened form
	@$(BIN)/pytest -m "not full" --ignore=tests/end_to_end -n 2 --dist loadfile --no-loadscope-reorder
	@$(BIN)/pytest -m "not full" tests/end_to_end

test-full: setup-dev ## Run the long forms too; once stopped, it goes on where it was
	@$(BIN)/python -m pytest -p tests.resume

bench: setup-dev ## Run every benchmark beside its peers
	@$(BIN)/python -m benchmarks

lint: setup-dev ## Check style, types and the borders between packages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

pictures: setup-dev ## Take the documentation's pictures from the report of the last demo
	@$(BIN)/python -m scripts.pictures

sbom: setup-dev ## Write the bill of materials, in CycloneDX, to build/sbom.json
	@$(BIN)/python -W ignore::UserWarning -m scripts.sbom build/sbom.json

audit: setup-dev ## Compare the pinned packages with PyPI's advisories (needs pypi.org itself, no mirror)
	@$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements.txt

lock: setup-dev ## Pin what the requirements*.in files ask for
	@$(BIN)/uv pip compile -q --python-version 3.11 --generate-hashes requirements.in -o requirements.txt
	@$(BIN)/uv pip compile -q --python-version 3.11 --generate-hashes requirements-dev.in -o requirements-dev.txt
	@$(BIN)/uv pip compile -q --python-version 3.11 --generate-hashes requirements-setup.in -o requirements-setup.txt

help: ## Show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
