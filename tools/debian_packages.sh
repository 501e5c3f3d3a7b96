#!/bin/sh
# Installs the Debian packages that the tests drive (tools/debian-test-packages.txt), the missing ones only,
# without starting a service, configuring one or removing anything that is installed.
#
# While apt works, /usr/sbin/policy-rc.d forbids every start; a file that is there already is left alone and
# is the one that decides. Whatever was put into the system for the time is taken out again, on an interrupt
# too. DEBIAN_ROOT (empty: the machine itself) is where these files lie; the tests of this script set it.
# SKIP_DEBIAN_PACKAGES=1 installs nothing: tests that need a missing program are skipped and say so.
set -eu
cd "$(dirname "$0")/.."
. tools/progress.sh

root=${DEBIAN_ROOT:-}
policy=$root/usr/sbin/policy-rc.d
clusters=$root/etc/postgresql-common/createcluster.conf
lock=$root/run/lock/malleposte-debian-packages
mark='# Made by Malleposte tools/debian_packages.sh for the time of an installation.'
log=.work/debian-packages.log

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "Not a Debian system: tests that drive Debian's programs are skipped where a program is missing."
    exit 0
fi

suite=$(sed -n 's/^VERSION_CODENAME=//p' "$root/etc/os-release" 2>/dev/null) || suite=''
missing=''
while read -r name _; do
    case $name in
        '' | '#'*) continue ;;
        *@*) [ "${name#*@}" = "$suite" ] || continue ;;
    esac
    name=${name%@*}
    is_installed "$name" || missing="$missing $name"
done <tools/debian-test-packages.txt
missing=${missing# }
[ -n "$missing" ] || exit 0

# A machine with another mail server keeps it: postfix would push it out.
case " $missing " in *' postfix '*)
    other=$(dpkg-query -W -f='${db:Status-Status} ${Package} ${Provides}\n' 2>/dev/null |
        awk '$1 == "installed" && /mail-transport-agent/ && $2 != "postfix" {print $2; exit}')
    if [ -n "$other" ]; then
        say "Postfix is left out, $other is installed: the comparison with Postfix is skipped."
        missing=$(printf '%s' " $missing " | sed 's/ postfix / /; s/^ //; s/ $//')
        [ -n "$missing" ] || exit 0
    fi
    ;;
esac

if [ -n "${SKIP_DEBIAN_PACKAGES:-}" ]; then
    say "Debian packages left out as asked; tests that need them are skipped: $missing"
    exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
    say "Debian packages are missing; tests that need them are skipped: $missing"
    say "  To have them: sudo apt-get update && sudo apt-get install --no-install-recommends $missing"
    say "  or, without any of their services being started: sudo make debian-packages"
    exit 0
fi

made_policy=''
kept_clusters=''
put_back() {
    stop_ticker
    if [ -n "$made_policy" ]; then rm -f "$policy"; made_policy=''; fi
    if [ -n "$kept_clusters" ]; then mv -f "$kept_clusters" "$clusters"; kept_clusters=''; fi
}
trap put_back EXIT
trap 'exit 130' INT TERM HUP

mkdir -p .work "$root/run/lock"
# Only one at a time: the first to end would take the second's policy-rc.d away.
exec 9>"$lock"
flock -n 9 || { say "Waiting for another installation"; flock 9; }

# Ours may still lie there from a run that was killed.
if [ ! -e "$policy" ] || grep -qxF "$mark" "$policy"; then
    made_policy=yes
    printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy"
    chmod 755 "$policy"
fi

apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

explain_apt() {
    grep -E '^(E|Err|W):?' "$log" | tail -n 6 >&2
    if grep -qiE 'no space left|enough free space' "$log"; then
        fail "The disk is full (whole output: $log)." "Make room, then run the same command again."
    elif grep -qiE 'failed to fetch|could not resolve|unable to connect|temporary failure' "$log"; then
        fail "Debian's packages could not be fetched (whole output: $log)." \
            "Check the network and /etc/apt/sources.list*, then run the same command again," \
            "or go on without: SKIP_DEBIAN_PACKAGES=1 make test"
    elif grep -qiE 'unable to locate package|no installation candidate' "$log"; then
        fail "A package is not to be had from this machine's apt sources (whole output: $log)." \
            "Debian 12 and 13 are supported, their component «main» is needed: see /etc/apt/sources.list*." \
            "To go on without: SKIP_DEBIAN_PACKAGES=1 make test"
    elif grep -qi 'could not get lock' "$log"; then
        fail "Another apt is at work (whole output: $log)." "Wait for it, then run the same command again."
    elif grep -qi 'remove is disabled' "$log"; then
        fail "apt would have to remove installed packages, so nothing was done (whole output: $log)." \
            "Look at it by hand: apt-get install --no-install-recommends $missing"
    fi
    tail -n 10 "$log" >&2
    fail "apt could not install everything (whole output: $log)." \
        "Try by hand: apt-get install --no-install-recommends $missing" \
        "or go on without: SKIP_DEBIAN_PACKAGES=1 make test"
}

install() { apt install --no-install-recommends --no-remove "$@"; }

say "Debian packages: $missing"
run_logged "$log" "apt-get update" apt update || explain_apt

case " $missing " in *' postfix '*)
    printf 'postfix postfix/main_mailer_type select No configuration\n' | debconf-set-selections
    ;;
esac
case " $missing " in *' postgresql '*)
    # Without this, Debian makes a cluster and has it started at every boot. The file belongs to
    # postgresql-common, so that comes first, and its own text comes back afterwards.
    if ! is_installed postgresql-common; then
        run_logged "$log" "installing postgresql-common" install postgresql-common || explain_apt
    fi
    if [ -f "$clusters" ]; then
        cp -p "$clusters" "$clusters.malleposte"
        kept_clusters=$clusters.malleposte
        printf '\ncreate_main_cluster = false\n' >>"$clusters"
    fi
    ;;
esac

# shellcheck disable=SC2086 # a list of names
run_logged "$log" "installing" install $missing || explain_apt

for name in $missing; do
    is_installed "$name" || fail "$name is still not installed (whole output: $log)." \
        "Try by hand: apt-get install --no-install-recommends $name"
    # A service that came with a package must not start at the next boot either.
    case $name in
        dovecot-imapd) units='dovecot.service dovecot.socket' ;;
        fetchmail | nsd | postfix | unbound) units=$name.service ;;
        *) continue ;;
    esac
    if command -v systemctl >/dev/null; then
        for unit in $units; do systemctl disable "$unit" >/dev/null 2>&1 || :; done
    fi
done
