# Everything a fresh machine needs is installed by these targets; it has only git, make and Python 3.11+ with venv.
.DEFAULT_GOAL := help
.PHONY: help demo run test check bench soak pictures lock clean
# The first Python that really runs, is new enough and has venv: a name on the PATH may be a shim for nothing.
FIND_PYTHON = for p in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done
UV := .venv/bin/uv
CHROMIUM := .venv/bin/python -m tests.browser.chromium
ARGS ?=

help: ## show these lines
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.run ## the whole product on one page, no token needed (ARGS="--port 0 --no-feeds")
	.venv/bin/tagwire demo $(ARGS)

run: .venv/.run ## the service on Telegram; needs TAGWIRE_TOKEN
	.venv/bin/tagwire run $(ARGS)

# Without a browser its tests are left out, and the last line says so; in CI they fail.
test: .venv/.dev ## the whole test suite, with coverage
	@$(CHROMIUM) || test -z "$$CI"
	.venv/bin/pytest -n 2 --dist worksteal --cov=bot/core --cov=bot/pipeline --cov-report= $(ARGS) \
		$$($(CHROMIUM) --find 2>/dev/null || test -n "$$CI" || echo --ignore=tests/browser)
	@echo "bot/core and bot/pipeline, percent covered:"; .venv/bin/coverage report --fail-under=90 --format=total
	@$(CHROMIUM) --find || test -z "$$CI"

check: .venv/.dev ## linters, types and the import rules
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: .venv/.bench ## benchmarks, printed as a table, some beside their peers
	.venv/bin/python -m tests.bench $(ARGS)

soak: .venv/.dev ## the long faults: 1 000 kills over a queue of 20 000 alerts; minutes
	.venv/bin/python -m tests.bench crash --runs 1

pictures: .venv/.dev ## the pictures of the documents, by the browser tests
	@mkdir -p docs/pictures
	TAGWIRE_PICTURES=docs/pictures .venv/bin/pytest -n 2 tests/browser/test_demo.py

lock: .venv/.dev ## renew uv.lock after pyproject.toml changed
	$(UV) lock

clean: ## remove everything that these targets made
	rm -rf .venv .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build dist

.venv/bin/uv:
	@python="$(or $(PYTHON),$$($(FIND_PYTHON)))"; \
	test -n "$$python" || { echo "make: needs Python 3.11 or newer with venv; on Debian: apt install python3-venv" >&2; exit 1; }; \
	$$python -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.13,<0.14"

# --inexact keeps uv itself; --frozen installs what uv.lock says and nothing else.
.venv/.run: .venv/bin/uv pyproject.toml uv.lock
	$(UV) sync --quiet --frozen --inexact --no-default-groups
	@touch $@

.venv/.dev: .venv/bin/uv pyproject.toml uv.lock
	$(UV) sync --quiet --frozen --inexact
	@touch $@ .venv/.run

.venv/.bench: .venv/.dev
	$(UV) sync --quiet --frozen --inexact --group bench
	@touch $@
