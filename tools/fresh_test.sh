#!/bin/sh
# fresh_test.sh bookworm|trixie: `make test` on a fresh Debian, in a root made by debootstrap under .work/.
# It tests what is committed (a clone of HEAD), with ../shared beside it, read-only. Slow; needs root.
#
# Everything that is mounted is mounted in a mount namespace of its own, and every process runs in a process
# namespace of its own: both end with this script, however it ends, and leave nothing behind.
# KEEP=1 keeps the root for a look (chroot .work/fresh/SUITE); else it is removed when the tests passed.
set -eu
cd "$(dirname "$0")/.."
. tools/progress.sh
trap 'stop_ticker; exit 130' INT TERM HUP

suite=${1:-trixie}
root=$(pwd -P)/.work/fresh/$suite
log=.work/fresh-$suite.log

case $suite in
    bookworm | trixie) ;;
    *) fail "Unknown suite «$suite»." "Type: make test-fresh SUITE=bookworm   or   SUITE=trixie" ;;
esac
[ "$(id -u)" -eq 0 ] || fail "A fresh Debian root can only be made by root." "Type: sudo make test-fresh SUITE=$suite"
mkdir -p .work/fresh
free_mb=$(($(df -Pk .work | awk 'NR == 2 {print $4}') / 1024))
[ "$free_mb" -ge 4000 ] || fail "Too little disk: $free_mb MB free, about 4000 MB are needed." "Make room."
if [ -n "$(git status --porcelain --untracked-files=no)" ]; then
    say "Note: what is not committed is not tested."
fi

if ! command -v debootstrap >/dev/null; then
    if ! DEBIAN_FRONTEND=noninteractive run_logged "$log" "installing debootstrap" sh -c \
        'apt-get -qq update && apt-get -qq -o DPkg::Lock::Timeout=600 install --no-install-recommends debootstrap'; then
        tail -n 5 "$log" >&2
        fail "debootstrap could not be installed (whole output: $log)." "Type: apt-get install debootstrap"
    fi
fi

# The mirror is the one this machine itself uses for its release.
codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
# shellcheck disable=SC2016 # apt's own $(...)
mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(CREATED_BY)' |
    awk -v release="$codename" '$2 == release && $3 == "main" && $4 == "Packages" {print $1; exit}')}
[ -n "$mirror" ] || fail "No Debian mirror found in /etc/apt/sources.list*." \
    "Name one: make test-fresh SUITE=$suite MIRROR=http://..."

rm -rf --one-file-system "$root"
# What a person has after installing Debian and following the README; python3-venv is left to make test.
if ! run_logged "$log" "making a root of Debian $suite" debootstrap --variant=minbase \
    --include=ca-certificates,git,make,python3 "$suite" "$root" "$mirror"; then
    tail -n 5 "$log" >&2
    fail "debootstrap failed (whole output: $log)." "Is the mirror reached ($mirror)? Does it hold $suite?"
fi

# How this machine reaches its registries: name service, certificates, settings of apt, pip and npm.
copy_in() { if [ -e "$1" ]; then mkdir -p "$root$(dirname "$1")" && cp -L "$1" "$root$1"; fi; }
copy_in /etc/resolv.conf
copy_in /etc/hosts
copy_in /etc/pip.conf
copy_in /root/.config/pip/pip.conf
copy_in /root/.pip/pip.conf
copy_in /root/.npmrc
for file in /usr/local/share/ca-certificates/*.crt; do copy_in "$file"; done
for file in /etc/apt/apt.conf /etc/apt/apt.conf.d/*; do
    if [ -f "$file" ] && grep -qi '^ *acquire' "$file"; then copy_in "$file"; fi
done
chroot "$root" update-ca-certificates >/dev/null 2>&1 || :

mkdir -p "$root/src/shared"
git clone --quiet --no-hardlinks . "$root/src/malleposte"
say "  commit $(git rev-parse --short HEAD) in the root: make test"

# The machine's settings for pip, npm, proxies and certificates, and nothing else of its environment.
keep=$(env | grep -E '^(PIP_|(https?|no|all)_proxy=|SSL_CERT_|REQUESTS_CA_BUNDLE=|NODE_EXTRA_CA_CERTS=|npm_config_|PYTEST_ARGS=)' | grep -v '^PIP_FIND_LINKS=' || :)
inside=$root/root/run-tests
{
    printf 'cd /src/malleposte\nexport CI=true\n'
    printf '%s\n' "$keep" | sed -n "s/'/'\\\\''/g; s/^\([A-Za-z_]*\)=\(.*\)\$/export \1='\2'/p"
    printf 'exec make test\n'
} >"$inside"
chmod 600 "$inside" # settings of pip may hold a password

cat >"$root/root/mount-all" <<'END'
set -eu
root=$1 shared=$2
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
if [ -d "$shared" ]; then
    mount --bind "$shared" "$root/src/shared"
    mount -o remount,bind,ro "$root/src/shared"
fi
exec env -i HOME=/root LANG=C.UTF-8 TERM=dumb PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    chroot "$root" sh /root/run-tests
END
status=0
unshare --mount --pid --fork --kill-child sh "$root/root/mount-all" "$root" "$(pwd -P)/../shared" </dev/null || status=$?
if [ "$status" -eq 0 ] && [ -z "${KEEP:-}" ]; then
    rm -rf --one-file-system "$root"
elif [ "$status" -ne 0 ]; then
    say "The root is kept for a look: chroot $root" >&2
fi
exit "$status"
