# One command each; `make` alone lists them. The work is done by the small scripts in tools/.
SUITE ?= trixie
# For example: make test PYTEST_ARGS="-k smtp -x"
PYTEST_ARGS ?=
PYTEST = .venv/bin/python -m pytest

.PHONY: help run test test-all test-fresh imaptest lint lock debian-packages clean

help:
	@echo 'make run          install into .venv, make a demo under .demo and serve it on loopback'
	@echo 'make test         install the test tools, run every check and the tests (but slow ones)'
	@echo 'make test-all     the same with the slow tests'
	@echo 'make test-fresh SUITE=trixie   `make test` in a fresh Debian root (bookworm, trixie); needs root'
	@echo 'make imaptest DIR=…   scripted IMAP tests and stress, by a built copy of imaptest (docs/imap-conformance.md)'
	@echo 'make lint         the quick checks alone: ruff, mypy, floors, RFC index'
	@echo 'make lock         write requirements/*.txt anew from pyproject.toml and requirements/*.in'
	@echo 'make debian-packages   install the Debian packages that tests drive; needs root'
	@echo 'make clean        remove .venv, .work and caches (not .demo)'

run:
	@sh tools/setup.sh run
	@exec .venv/bin/malleposte run --demo .demo

test:
	@sh tools/setup.sh test
	@sh tools/debian_packages.sh
	@sh tools/check.sh
	@exec $(PYTEST) -m 'not slow' -n 2 --dist loadfile $(PYTEST_ARGS)

test-all:
	@sh tools/setup.sh test
	@sh tools/debian_packages.sh
	@sh tools/check.sh
	@exec $(PYTEST) -n 2 --dist loadfile $(PYTEST_ARGS)

test-fresh:
	@sh tools/fresh_test.sh '$(SUITE)'

imaptest:
	@sh tools/setup.sh test
	@exec .venv/bin/python tools/imaptest.py '$(DIR)' $(IMAPTEST_ARGS)

lint:
	@sh tools/setup.sh test
	@sh tools/check.sh

lock:
	@sh tools/setup.sh test
	@sh tools/lock.sh

debian-packages:
	@sh tools/debian_packages.sh

clean:
	rm -rf .venv .work .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
