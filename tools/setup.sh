#!/bin/sh
# setup.sh run|test: puts what the project needs into .venv in this checkout, from the lock file of that
# name, every file checked against its hash. A second call finds its stamp and does nothing.
# PYTHON=... chooses the interpreter; pip's own settings (PIP_*, pip.conf) are respected.
set -eu
cd "$(dirname "$0")/.."
. tools/progress.sh
trap 'stop_ticker; exit 130' INT TERM HUP

what=${1:-run}
lock=requirements/$what.txt
case $what in
    run) need_mb=700 ;;
    test) need_mb=1500 ;;
    *) fail "usage: tools/setup.sh run|test" ;;
esac
here=$(pwd -P)
log=.work/setup.log

as_root() { [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; }
has_venv() { "$1" -Ic 'import ensurepip, venv' 2>/dev/null; }

in_range() {
    "$1" -ISc 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

# What .venv was made for: this place, this interpreter, this list of packages (or project file).
stamp_for() {
    [ -x .venv/bin/python ] || return 0
    printf '%s\n%s\n%s\n' "$here" \
        "$(.venv/bin/python -ISc 'import sys; print(sys.version)' 2>/dev/null)" \
        "$(sha256sum <"$1")"
}
is_stamped() { [ -f ".venv/stamp.$1" ] && [ "$(cat ".venv/stamp.$1")" = "$(stamp_for "$2")" ]; }
is_ready() { is_stamped "$what" "$lock" && is_stamped project pyproject.toml; }

is_ready && exit 0
mkdir -p .work || fail "Cannot write into $here." "Run this as the user who owns the checkout."
# Two set-ups at once would install into the same folder: the second waits, then finds the stamps.
exec 9>.work/setup.lock
if command -v flock >/dev/null; then
    flock -n 9 || { say "Waiting for another set-up in this checkout"; flock 9; }
fi
is_ready && exit 0

say "Setting up Malleposte in $here"
free_mb=$(($(df -Pk . | awk 'NR == 2 {print $4}') / 1024))
[ "$free_mb" -ge "$need_mb" ] ||
    fail "Too little disk: $free_mb MB free here, about $need_mb MB are needed." \
        "Make room or use a checkout on another disk, then run the same command again."

if [ -d .venv ] && { ! in_range .venv/bin/python ||
    { [ -f .venv/stamp.run ] && [ "$(head -n 1 .venv/stamp.run)" != "$here" ]; }; }; then
    say "  removing .venv: it was made elsewhere or for another Python"
    rm -rf .venv
fi

if [ ! -x .venv/bin/python ]; then
    python='' second=''
    # Debian's own first: compiled with profiles it is half as fast again as one that was not.
    for candidate in ${PYTHON:-/usr/bin/python3 python3 python3.13 python3.12 python3.11}; do
        in_range "$candidate" || continue
        if has_venv "$candidate" || as_root; then
            python=$candidate
            break
        fi
        second=${second:-$candidate}
    done
    python=${python:-$second}
    [ -n "$python" ] ||
        fail "No Python 3.11, 3.12 or 3.13 found (looked for: ${PYTHON:-python3 python3.13 python3.12 python3.11})." \
            "Debian 12 and 13 bring one: apt-get install python3 python3-venv" \
            "Or name yours: make PYTHON=/path/to/python3.12 ..."
    say "  $("$python" -V) ($(command -v "$python"))"
    if ! has_venv "$python"; then
        package=$(basename "$python")-venv
        if ! as_root; then
            fail "Python's venv module is missing." "Type: sudo apt-get install $package"
        fi
        # shellcheck disable=SC2016 # the inner shell's $1
        if ! DEBIAN_FRONTEND=noninteractive run_logged "$log" "installing Debian's $package" sh -c \
            'apt-get -qq update && apt-get -qq -o DPkg::Lock::Timeout=600 install --no-install-recommends "$1"' \
            sh "$package"; then
            tail -n 5 "$log" >&2
            fail "Debian's $package could not be installed (whole output: $log)." \
                "Is there a network? Try: apt-get update && apt-get install $package"
        fi
    fi
    if ! run_logged "$log" "making .venv" "$python" -m venv .venv; then
        rm -rf .venv
        tail -n 5 "$log" >&2
        fail "The virtual environment could not be made (whole output: $log)." \
            "Is the disk full or read-only? Is Debian's python3-venv installed?"
    fi
fi

# What went wrong with pip, in words.
explain_pip() {
    grep -E '^ERROR' "$log" | tail -n 5 >&2
    if grep -qi 'no space left' "$log"; then
        fail "The disk is full (whole output: $log)." "Make room, then run the same command again."
    elif grep -qi 'do not match the hashes' "$log"; then
        fail "A package is not the one that $lock names: its hash differs (whole output: $log)." \
            "Do not go on with it. Try again later or with another package index, and tell the project."
    elif grep -qiE 'name resolution|NewConnectionError|network is unreachable|timed out|max retries' "$log"; then
        fail "The Python package index could not be reached (whole output: $log)." \
            "Check the network, a proxy (https_proxy), or pip's settings (PIP_INDEX_URL, pip config list)." \
            "Then run the same command again; it goes on where it stopped."
    elif grep -qi 'no matching distribution' "$log"; then
        fail "The package index has no file for this Python or processor ($(uname -m)); see $log." \
            "Try another interpreter: make PYTHON=python3.11 ..." \
            "If this happens for every package, the index is not reached: check pip config list."
    fi
    tail -n 10 "$log" >&2
    fail "pip could not install everything (whole output: $log)." "Run the same command again, or read the output."
}

pip_install() { .venv/bin/python -m pip install --no-input --progress-bar off --disable-pip-version-check "$@"; }

if ! is_stamped "$what" "$lock"; then
    run_logged "$log" "installing $(grep -c '^[a-z0-9].*==' "$lock") packages of $lock" \
        pip_install --require-hashes -r "$lock" || explain_pip
    # The test list holds the run list, at the same versions.
    if [ "$what" = test ]; then stamp_for requirements/run.txt >.venv/stamp.run; fi
    stamp_for "$lock" >".venv/stamp.$what"
fi
if ! is_stamped project pyproject.toml; then
    run_logged "$log" "installing Malleposte itself" pip_install --no-build-isolation --no-deps -e . || explain_pip
    stamp_for pyproject.toml >.venv/stamp.project
fi
