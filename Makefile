# Two commands for a fresh machine: `make demo` and `make test`
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test docs prepare export bench clean

demo: $(VENV)/package          ## samples -> a table, images and a report, in demo/
	@rm -rf demo
	@$(BIN)/dicom_samples demo/dicom
	@$(BIN)/dicom_prepare demo/dicom demo/prepared
	@echo "table  demo/prepared/metadata.parquet"; echo "images demo/prepared/images"; echo "report demo/prepared/report.html"

test: $(VENV)/dev              ## every test of every notebook, then the site in a browser
	@$(BIN)/python tools/run_tests.py
	@$(BIN)/python tools/browser_test.py

docs: export $(VENV)/docs      ## docs/ from the notebooks
	@$(BIN)/python tools/check.py
	@$(BIN)/python tools/docs/build.py

prepare: export test           ## what to run before a commit: export, test, clean, README
	@$(BIN)/nbdev_clean
	@$(BIN)/python tools/check.py

bench: export $(VENV)/bench    ## measure beside other libraries, then make the page How fast is it: about half an hour
	@$(BIN)/python tools/bench/run.py --out nbs/data/bench.json
	@$(BIN)/python tools/execute.py how_fast

export: $(VENV)/dev
	@$(BIN)/nbdev_export
	@$(BIN)/python tools/readme.py

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "python3 is missing: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info<(3,10))' || { echo "$(PYTHON) is older than 3.10: name a newer one, as in make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv is missing: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/package: $(BIN)/python settings.ini setup.py
	@echo "Installing medical_imaging in $(VENV): about 6 GB with PyTorch, a few minutes"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	@touch $@

$(VENV)/dev: $(BIN)/python settings.ini setup.py
	@echo "Installing medical_imaging and what its tests need in $(VENV): about 6 GB with PyTorch, a few minutes"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/package

$(VENV)/docs: $(VENV)/dev
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info<(3,11))' || { echo "docs/ is made with Python 3.11 or newer: rm -r $(VENV), then make docs PYTHON=python3.11"; exit 1; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[docs]'
	@touch $@

$(VENV)/bench: $(VENV)/dev
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev,bench]'
	@touch $@

clean:
	rm -rf demo build dist *.egg-info
