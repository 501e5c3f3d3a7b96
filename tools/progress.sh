# Sourced by the scripts beside it: short lines of progress, and failures in words that say what to do.
# shellcheck shell=sh

say() { printf '%s\n' "$*"; }

# fail WHAT [WHAT TO DO...]: each argument is a line of its own; ends the script.
fail() {
    printf '\n%s\n' "$1" >&2
    shift
    for line in "$@"; do printf '  %s\n' "$line" >&2; done
    exit 1
}

ticker=''
stop_ticker() {
    [ -n "$ticker" ] || return 0
    # KILL: a fresh child of the shell may lose a TERM to the traps it has not yet reset.
    kill -KILL "$ticker" 2>/dev/null || :
    wait "$ticker" 2>/dev/null || :
    ticker=''
}

# run_logged LOG WORDS COMMAND...: shows WORDS, a dot every two seconds and the time taken; what COMMAND
# prints goes to LOG. COMMAND stays in the foreground, so that an interrupt reaches it and its status is
# ours. The ticker ends with this shell, even if that is killed. File 9, where a caller holds a lock, is not
# passed on: what is left running must not keep it.
run_logged() {
    log=$1 words=$2
    shift 2
    printf '  %s ' "$words"
    began=$(date +%s)
    (while sleep 2 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do printf '.'; done) 9>&- &
    ticker=$!
    status=0
    "$@" >"$log" 2>&1 </dev/null 9>&- || status=$?
    stop_ticker
    if [ "$status" -eq 0 ]; then outcome='done'; else outcome=FAILED; fi
    say " $outcome ($(($(date +%s) - began)) s)"
    return "$status"
}
