# What can be done here. Everything that is missing is set up first; when nothing is, that takes a moment.
.DEFAULT_GOAL := help
.PHONY: docs package sbom licenses audit help run demo test check unit contract e2e bench bench-quick bench-console bench-system bench-system-quick bench-api soak mutants pictures requirements clean setup setup-tests setup-browser
SHELL := bash
export PATH := $(CURDIR)/.venv/node/bin:$(PATH)

# Not named PYTHON: so a person names the Python to make .venv with (sandbox/setup), and make would hand on ours instead.
OURS := .venv/bin/python
RELEASE := .venv/release
# Test processes at a time: make test WORKERS=3
WORKERS ?= 2
# The tests start the app and the sandbox some fifty times: without bytecode each start would compile all modules anew.
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(OURS) -m pytest -n $(WORKERS) --dist worksteal
# For make run and make demo: make run ARGS="--mbox mail.mbox"
ARGS ?=

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## Start the sandbox and the app, show the sign-in link and the syncs; Ctrl-C ends it
	@$(OURS) -m sandbox.run $(ARGS)

demo: setup ## Unattended: sign in, sync, change the mailbox, sync again, compare item by item
	@$(OURS) -m sandbox.demo $(ARGS)

test: check setup-browser ## Everything that has to hold: check, then the unit, contract and e2e tests
	@$(PYTEST) --cov --cov-report= tests/architecture tests/unit tests/contract tests/e2e

check: setup-tests ## Formatting, lint, types, and import contracts
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check --quiet .
	@.venv/bin/mypy --no-error-summary
	@.venv/bin/lint-imports --no-logo

docs: setup-tests ## Write the generated tables of the docs and the Bicep settings
	@$(OURS) -m tests.architecture.generated_docs

unit: setup-tests ## The unit tests: no sockets, seconds
	@$(PYTEST) tests/architecture tests/unit

contract: setup-tests ## The contract tests: each port on its fake and on the real adapter
	@$(PYTEST) tests/contract

e2e: setup-browser ## The whole app against the sandbox, in a browser too
	@$(PYTEST) tests/e2e

pictures: setup-browser ## Take the pictures of the README anew: docs/images
	@$(OURS) -m tests.e2e.pictures

bench: setup-tests ## Measure what a sync costs
	@$(OURS) -m tests.bench $(ARGS)

bench-quick: setup-tests ## The same, on less mail
	@$(OURS) -m tests.bench --quick $(ARGS)

bench-console: setup-tests ## Measure the operator's console with 100,000 mailboxes in Azurite
	@$(OURS) -m tests.bench.console $(ARGS)

bench-system: setup-tests ## Measure what everything around the mail costs: idle passes, dispatch, first syncs
	@$(OURS) -m tests.bench --system $(ARGS)

bench-system-quick: setup-tests ## The same, on a tenth, within a minute
	@$(OURS) -m tests.bench --system --quick $(ARGS)

bench-api: setup-tests ## Measure what the API costs: a page of items, a content, changes
	@$(OURS) -m tests.bench.api $(ARGS)

soak: setup-tests ## The sync's proof, many thousands of steps long
	@$(PYTEST) tests/soak

mutants: setup-tests ## Which protections no unit test holds: twenty minutes of mutants (MINUTES=)
	@.venv/bin/python -m tests.mutants $(or $(MINUTES),20)

requirements: setup-tests ## Compile requirements*.txt from requirements*.in, with hashes
	@command -v .venv/bin/uv >/dev/null || $(OURS) -m pip install --quiet uv
	@for name in requirements requirements-sandbox requirements-dev requirements-release; do \
	  .venv/bin/uv pip compile --quiet --python-version 3.13 --generate-hashes --no-header --no-emit-index-url \
	    --no-emit-find-links $$name.in -o $$name.txt; done

package: setup ## Build the deployment package: build/mailbox-sync.zip
	@$(OURS) infra/tools/package.py

sbom: $(RELEASE)/.stamp ## Write the bill of materials, CycloneDX: build/sbom.json
	@mkdir -p build
	@$(RELEASE)/bin/cyclonedx-py requirements --output-reproducible --of JSON -o build/sbom.json requirements.txt
	@echo "build/sbom.json"

licenses: $(RELEASE)/.stamp ## Check the licenses of what is shipped against the list that is allowed
	@$(OURS) infra/tools/licenses.py

audit: $(RELEASE)/.stamp ## Look for known vulnerabilities in what is shipped; asks the PyPI advisory database
	@$(RELEASE)/bin/pip-audit --disable-pip --require-hashes --requirement requirements.txt

$(RELEASE)/.stamp: requirements-release.txt | setup
	@$(OURS) -m venv $(RELEASE)
	@$(RELEASE)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

clean: ## Remove what was made here, the virtual environment and Node parts apart
	@rm -rf .sandbox build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -not -path './.venv/*' -not -path './sandbox/node_modules/*' -prune -exec rm -rf {} +
	@find infra/package -mindepth 1 -not -name .funcignore -delete

setup:
	@sandbox/setup/all

setup-tests:
	@sandbox/setup/all tests

setup-browser:
	@sandbox/setup/all browser
