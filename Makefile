# Everything a newcomer needs; each target makes what it depends on.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
VOT := $(VENV)/vot-toolkit/.installed

.PHONY: help setup demo compare ablation ladder test test-all smoke lint format bench clean

help:
	@echo "make demo      train, track and score a small tracker (about ten minutes)"
	@echo "make test      lint and the tests   (make test-all: the slow ones too)"
	@echo "make setup     the environment with every test extra, PyTorch included"
	@echo "make bench     the benchmarks       make lint, make format"
	@echo "make compare   is one tracker better than another?  A=, B=, DATA=, SEEDS=, JOBS="
	@echo "make ablation  a table of configs on composed scenes  CONFIGS=, SEEDS=, JOBS="
	@echo "make ladder    what does each part of CRACT bring?  DATA=, CONFIGS=, SEEDS=, JOBS="

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip

$(VENV)/.core: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet -e .
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet -e '.[test]'
	@touch $@ $(VENV)/.core

$(VENV)/.torch: $(VENV)/.test
	$(BIN)/pip install --quiet -e '.[test,torch]'
	@touch $@

setup: $(VENV)/.torch $(VOT)

# The toolkit of the VOT challenges lives apart: it brings an OpenCV that replaces ours
# and needs a display's libraries, and numba, which holds numpy back. 0.7.4 is the last
# that runs the supervised experiment; it cannot be imported with a later attributee.
$(VOT): | $(BIN)/python
	rm -rf $(VENV)/vot-toolkit
	$(BIN)/python -m venv $(VENV)/vot-toolkit
	$(VENV)/vot-toolkit/bin/pip install --quiet vot-toolkit==0.7.4 attributee==0.1.9 \
	    vot-trax==4.0.2
	$(VENV)/vot-toolkit/bin/pip uninstall --quiet --yes opencv-python
	$(VENV)/vot-toolkit/bin/pip install --quiet opencv-python-headless
	@touch $@

demo: $(VENV)/.core
	$(BIN)/python -m jaxtrack demo --out=runs/demo

# Is tracker B better than tracker A? make compare B=configs/other.py DATA=REALDATA
A ?= configs/siamcar_lite0.py
B ?= configs/siamla_lite0.py
DATA ?=
JOBS ?= 1

compare: SEEDS ?= 3
compare: PAIRS ?= 8000
compare: OUT ?= runs/compare
compare: $(VENV)/.core
	$(BIN)/python -m experiments.compare --a=$(A) --b=$(B) --root=$(DATA) \
	    --seeds=$(SEEDS) --pairs=$(PAIRS) --out=$(OUT) --jobs=$(JOBS)

ablation: SEEDS ?= 1
ablation: PAIRS ?= 3200
ablation: OUT ?= runs/ablation
ablation: $(VENV)/.core
	$(BIN)/python -m experiments.ablation --configs=$(CONFIGS) \
	    --seeds=$(SEEDS) --pairs=$(PAIRS) --out=$(OUT) --jobs=$(JOBS)

# What does each part bring? make ladder DATA=REALDATA; each config against the last.
ladder: SEEDS ?= 3
ladder: PAIRS ?= 8000
ladder: OUT ?= runs/ladder
ladder: CONFIGS ?= configs/siamrpnpp_lite0.py,configs/cract/lite0_parallel.py,$\
    configs/cract/lite0_cascade.py,configs/cract/lite0_discriminator.py,$\
    configs/cract_lite0.py
ladder: $(VENV)/.core
	$(BIN)/python -m experiments.ladder --configs=$(CONFIGS) --root=$(DATA) \
	    --seeds=$(SEEDS) --pairs=$(PAIRS) --out=$(OUT) --jobs=$(JOBS)

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Tests of a file share what they compile.
PYTEST := -q -n 2 --dist loadfile

test: lint $(VOT)
	$(BIN)/python -m pytest $(PYTEST) -m 'not slow'

test-all: lint $(VOT)
	XLA_FLAGS= $(BIN)/python -m pytest $(PYTEST)

# What a new version of Python, JAX or Flax is most likely to break.
SMOKE := $(addprefix tests/,ops assign losses models online weights training tracking config_test.py)

smoke: $(VENV)/.test
	$(BIN)/python -m pytest $(PYTEST) -m 'not slow' $(SMOKE)

bench: $(VENV)/.torch
	$(BIN)/python -m benchmarks.data
	$(BIN)/python -m benchmarks.track
	$(BIN)/python -m benchmarks.evaluate
	$(BIN)/python -m benchmarks.train_step
	$(BIN)/python -m benchmarks.localization
	$(BIN)/python -m benchmarks.assignment
	$(BIN)/python -m benchmarks.cract

clean:
	rm -rf $(VENV) runs .pytest_cache .ruff_cache *.egg-info
