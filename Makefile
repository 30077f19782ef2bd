# Every command of the project; `make help` lists them.

PYTHON ?= python3
EXPERIMENT ?= cdk46_first_or_second_line
PATIENTS ?= 1000
FUZZ_SECONDS ?= 3600
# Tests of the package that run beside the others, after the verification: so both take as long.
REST := tests/test_cluster.py tests/test_damage.py tests/test_docs.py tests/test_experiment.py tests/test_figure_memory.py
REST += tests/test_fuzz.py tests/test_interruption.py tests/test_plots.py tests/test_shipped_batches.py
REST += $(wildcard tests/test_page_*.py)
EXTRAS := dev,app,browser,calibration,cluster,docs,indices,offline,remote,trees
BIN := .venv/bin
BUILT := .venv/.built
SOURCES := pyproject.toml constraints.txt Cargo.toml Cargo.lock $(wildcard rust_core/*/Cargo.toml)
SOURCES += $(shell find rust_core -name '*.rs')

export PATH := $(PATH):$(HOME)/.cargo/bin
export PYO3_PYTHON := $(CURDIR)/$(BIN)/python
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := build
.PHONY: build run test most-tests verified-and-rest verify browser-test fuzz docs experiments package-test lint format bench screenshots evidence evolution biology review release-notes constraints clean help

build: $(BUILT) ## create .venv and build everything into it

$(BUILT): $(SOURCES)
	@command -v cargo >/dev/null || { \
	  echo "cargo was not found: install Rust 1.88 or newer, see https://rustup.rs"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is too old: make build PYTHON=python3.11 (or newer)"; exit 1; }
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet maturin
	$(BIN)/maturin develop --release --locked --extras $(EXTRAS)
	@touch $@

run: build ## run the example experiment and compare its arms
	$(BIN)/tumor-abm run experiments/$(EXPERIMENT).toml --out results/$(EXPERIMENT)

test: build ## test the core, then the package
	cargo test --release --locked
	$(MAKE) --jobs 2 --output-sync=line most-tests verified-and-rest

most-tests: build
	$(BIN)/pytest -m "not dear" --ignore tests/verification $(addprefix --ignore=,$(REST))

verified-and-rest: build
	$(BIN)/pytest tests/verification -m "not dear" --verified-by docs/verification.md
	$(BIN)/pytest $(REST)

package-test: build ## test the package
	$(BIN)/pytest --ignore tests/verification

verify: build ## compare the engines with theory and write docs/verification.md; run the dearest tests of the package
	$(BIN)/pytest tests/verification --verification-table docs/verification.md
	$(BIN)/pytest -m dear --ignore tests/verification

browser-test: build ## test the page in a real browser (needs chromium)
	$(BIN)/pytest tests/browser

lint: build ## check format, lints, types, stubs, and who imports whom
	cargo fmt --check
	cargo clippy --release --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --release --locked --workspace --no-deps --quiet
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest tumor_abm._core
	$(BIN)/lint-imports --no-cache

format: build ## format Rust and Python
	cargo fmt
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: build ## measure speed and memory, and write docs/performance.md
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/cells.py
	$(BIN)/python benchmarks/space.py
	$(BIN)/python benchmarks/page.py
	$(BIN)/python benchmarks/batch.py
	$(BIN)/python -m benchmarks.performance docs/performance.md

screenshots: build ## take the screenshots of the README anew (needs chromium)
	$(BIN)/python docs/images/make_screenshots.py

evidence: build ## predict all trials and write docs/evidence.md with its figures
	$(BIN)/tumor-abm predict --out results/predictions.parquet --keep results/evidence --patients $(PATIENTS)
	$(BIN)/python -m tools.evidence results/evidence docs/evidence.md

evolution: build ## run the study of clonal evolution and write docs/evolution.md
	$(BIN)/tumor-abm evolve experiments/evolution/neutral_or_selected.toml --out results/evolution
	$(BIN)/python -m tools.evolution results/evolution docs/evolution.md
	$(BIN)/python -m tools.spectra results/evolution docs/images/selection_in_the_spectrum.png

biology: build ## write docs/biology.md: the network, and which treatment works in which cell
	$(BIN)/python -m tools.biology docs/biology.md

review: build ## run the small experiments of the review and write docs/review.md
	for file in experiments/review/*.toml; do \
	  $(BIN)/tumor-abm run $$file --out results/review/$$(basename $$file .toml) --no-figures || exit 1; \
	done
	$(BIN)/python -m tools.review --answers results/review
	$(BIN)/python -m tools.review docs/review.md

docs: build ## build the site of the documentation into docs/_build/html, its links checked
	$(BIN)/sphinx-build -q -W --keep-going -E docs docs/_build/html

fuzz: build ## send odd things through every door, for an hour or FUZZ_SECONDS; other things each time, or those of FUZZ_SEED
	PYTHONPATH=tests $(BIN)/python -m fuzz --seconds $(FUZZ_SECONDS) $(if $(FUZZ_SEED),--seed $(FUZZ_SEED))

experiments: build ## run the shipped experiments and write docs/experiments.md
	for file in experiments/*.toml; do \
	  $(BIN)/tumor-abm run $$file --out results/$$(basename $$file .toml) --no-figures || exit 1; \
	done
	$(BIN)/python -m tools.experiments results docs/experiments.md

release-notes: ## print what CHANGELOG.md says of the version in Cargo.toml
	@version=$$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml) && \
	  awk -v head="## [$$version]" 'index($$0, head) == 1 { on = 1; next } /^## / { on = 0 } on' CHANGELOG.md

constraints: build ## write what .venv holds into constraints.txt
	$(BIN)/pip check
	$(BIN)/pip freeze --exclude-editable > constraints.txt
	@touch $(BUILT)

clean: ## remove everything that build and test made
	rm -rf .venv target fuzz_findings docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -f python/tumor_abm/_core*.so

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14
