#!/bin/sh
# Writes requirements/*.txt anew: every version pinned, every file by hash, no index address. What is pinned
# stays as it is unless an input asks for more; UPGRADE=1 takes the newest of everything.
set -eu
cd "$(dirname "$0")/.."
. tools/progress.sh
trap 'stop_ticker; exit 130' INT TERM HUP

compile() {
    # --universal: one list for every supported Python and processor.
    .venv/bin/uv pip compile --quiet ${UPGRADE:+--upgrade} --universal --python-version 3.11 \
        --generate-hashes --no-header --no-annotate --no-emit-index-url "$@"
}

mkdir -p .work
for name in run test web; do
    case $name in
        run) inputs="pyproject.toml requirements/run.in" ;;
        *) inputs=requirements/$name.in ;;
    esac
    # shellcheck disable=SC2086 # two names on purpose
    run_logged .work/lock.log "requirements/$name.txt" compile $inputs -o "requirements/$name.txt" || {
        tail -n 10 .work/lock.log >&2
        fail "The lock file could not be made (whole output: .work/lock.log)." \
            "uv does not read pip's settings: UV_INDEX_URL names an index, SSL_CERT_FILE a certificate file."
    }
done
say "Look at the difference before it is committed: git diff --stat requirements"
