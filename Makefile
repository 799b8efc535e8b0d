# Commands of the project; each sets up what it needs, once. Outputs go to build/.
PYTHON = .venv/bin/python
SCREEN = xvfb-run -a -s "-screen 0 1600x1000x24"
VERSION = $(shell sed -n 's/^version=//p' metadata.txt)

.PHONY: demo test test-engine test-plugin test-trixie bench fuzz lint strings pictures package setup clean

setup:
	@tests/setup.sh

# make demo [SCENE=path.tif HAZARD=flood BANDS=... UNITS=...]
demo: setup
	@SCENE="$(SCENE)" HAZARD="$(HAZARD)" BANDS="$(BANDS)" UNITS="$(UNITS)" $(PYTHON) tests/demo/demo.py

# Engine and plugin side by side, a core each; what one prints comes when it is through.
test: setup
	@$(MAKE) --no-print-directory --output-sync=target -j2 test-engine test-plugin

test-engine:
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest -p no:pytest_qgis tests/engine

test-plugin:
	$(SCREEN) $(PYTHON) -m pytest tests/plugin tests/gui

# The same tests in QGIS 3.40, Python 3.13 and numpy 2 of Debian 13, made once in a folder; needs root.
# RELEASE=forky takes QGIS 3.44, FOLDER=path another folder, TESTS="tests/plugin -x" some of the tests.
RELEASE = trixie
FOLDER = build/$(RELEASE)
test-trixie: setup
	@tests/trixie/setup.sh $(RELEASE) $(FOLDER)
	@tests/trixie/run.sh $(FOLDER) $(TESTS)

bench: setup
	$(PYTHON) tests/benchmarks/bench.py

# Every model on held-out simulated scenes and on every set under HAZARD_DATA, beside training-free rules.
score: setup
	@mkdir -p build
	$(PYTHON) -m engine scorecard --markdown build/scorecard.md --overwrite

fuzz: setup
	$(PYTHON) -m tests.fuzz

lint: setup
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

# Texts of the plugin into the catalogues of resources/i18n, for translators; says what is left to translate.
strings:
	@python3 -m tests.i18n.strings

# The pictures of README and help, from simulated scenes in real QGIS; about ten minutes, a training run included.
pictures: setup
	@$(PYTHON) tests/pictures/take.py

# The zip for QGIS of what is committed, checked as the plugin repository checks it. PACKAGE_CHECKS=basic needs no network.
package:
	@mkdir -p build
	@git archive --format=zip --prefix=hazard_mapper/ -o build/hazard_mapper-$(VERSION).zip HEAD
	@python3 tests/package/check_package.py build/hazard_mapper-$(VERSION).zip

clean:
	rm -rf build .venv
