#!/bin/sh
# The quick checks, all of them, each a line; what a failed one printed is shown. Fails if any failed.
set -u
cd "$(dirname "$0")/.." || exit 1
. tools/progress.sh
mkdir -p .work

failed=''
check() {
    name=$1
    shift
    began=$(date +%s)
    if "$@" >.work/check.log 2>&1 </dev/null; then
        say "  ok      $name ($(($(date +%s) - began)) s)"
    else
        say "  FAILED  $name: $*"
        cat .work/check.log
        failed="$failed $name"
    fi
}

say "Quick checks"
check ruff .venv/bin/ruff check
check format .venv/bin/ruff format --check
check types .venv/bin/mypy
check floors .venv/bin/lint-imports
check rfc-index .venv/bin/python tools/check_rfc_index.py
check web-types sh tools/web_check.sh types
check web-style sh tools/web_check.sh style
check web-texts sh tools/web_check.sh texts
check web-tests sh tools/web_check.sh tests
if command -v shellcheck >/dev/null; then
    check shell shellcheck -x tools/*.sh .ci/run
fi
[ -z "$failed" ] || fail "Quick checks failed:$failed." "Mend them first; \`make lint\` runs them alone."
