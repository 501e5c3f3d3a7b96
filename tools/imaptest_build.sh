#!/bin/sh
# Builds imaptest, the IMAP tester of Dovecot's authors, in a folder outside this repository.
#
#   tools/imaptest_build.sh DIR
#
# The caller brings the sources, of which this repository holds nothing:
#   DIR/imaptest   a checkout of github.com/dovecot/imaptest
#   DIR/core       a checkout of github.com/dovecot/core, of about the same date: imaptest is written
#                  against its libraries, and those of Debian's dovecot-dev (2.3) are too old for it
# Known to fit: imaptest 9d78895, core 9720d96016.
# Needed of Debian (nothing is fetched from elsewhere):
PACKAGES="build-essential autoconf automake libtool pkg-config bison flex gettext python3 perl
 bzip2 unicode-data libssl-dev zlib1g-dev libcrypt-dev"
# Afterwards `make imaptest DIR=DIR/imaptest` finds the program in DIR/imaptest/src.
# Exit codes: 0 built, 1 a source or a package is missing, or building failed (DIR/build.log).
set -eu

say() {
    echo "imaptest_build: $*" >&2
}

if [ "$#" -ne 1 ] || [ ! -d "$1" ]; then
    say "the folder with imaptest and core is needed, outside the repository"
    exit 1
fi
dir=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")/.." && pwd)
case "$dir/" in
"$here"/*)
    say "$dir is inside the repository"
    exit 1
    ;;
esac
for one in imaptest core; do
    if [ ! -f "$dir/$one/configure.ac" ]; then
        say "$dir/$one is no checkout of github.com/dovecot/$one"
        exit 1
    fi
done
missing=
for one in $PACKAGES; do
    dpkg-query -W -f '${Status}' "$one" 2>/dev/null | grep -q "ok installed" || missing="$missing $one"
done
if [ -n "$missing" ]; then
    say "apt-get install --no-install-recommends$missing"
    exit 1
fi

log=$dir/build.log
: >"$log"
trap 'code=$?; [ "$code" = 0 ] || { tail -n 20 "$log" >&2; say "failed; all of it is in $log"; }' EXIT
jobs=$(nproc)

# core would fetch tables of Unicode while it is built; Debian has them, one of them packed.
ucd=$dir/core/src/lib/ucd
mkdir -p "$ucd"
for table in $(sed -n 's,^[[:space:]]*$(UCD_DIR)/\([A-Za-z-]*\.txt\) *\\*$,\1,p' "$dir/core/src/lib/Makefile.am"); do
    [ ! -f "$ucd/$table" ] || continue
    found=$(find /usr/share/unicode -name "$table" | head -n 1)
    packed=$(find /usr/share/unicode -name "$table.bz2" | head -n 1)
    if [ -n "$found" ]; then
        cp "$found" "$ucd/$table"
    elif [ -n "$packed" ]; then
        bzip2 -dc "$packed" >"$ucd/$table"
    else
        say "Debian's unicode-data has no $table: put it into $ucd, or take an older core"
        exit 1
    fi
done

say "core: configure"
cd "$dir/core"
[ -x configure ] || ./autogen.sh >>"$log" 2>&1
[ -f config.status ] || ./configure --without-shared-libs --with-ssl=openssl --without-docs --without-lua \
    --without-ldap --without-pam --without-icu >>"$log" 2>&1
say "core: the libraries, no programs"
make dovecot-version.h >>"$log" 2>&1
libraries=$(sed -n '/^LIBDOVECOT_SUBDIRS/,/^$/p' src/Makefile.am | grep -o 'lib[a-z0-9-]*' | grep -v '^LIB')
for one in $libraries lib-dict-extra lib-dovecot lib-compression; do
    if [ -d "src/$one" ]; then
        make WGET=false -j"$jobs" -C "src/$one" noinst_PROGRAMS= bin_PROGRAMS= pkglibexec_PROGRAMS= >>"$log" 2>&1
    fi
done
make dovecot-config >>"$log" 2>&1

say "imaptest"
cd "$dir/imaptest"
[ -x configure ] || ./autogen.sh >>"$log" 2>&1
[ -f config.status ] || ./configure --with-dovecot="$dir/core" >>"$log" 2>&1
make -j"$jobs" >>"$log" 2>&1
test -x src/imaptest
say "built: $dir/imaptest/src/imaptest"
