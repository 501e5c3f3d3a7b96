"""The tables of Sieve scripts, run by Debian's Pigeonhole too: it does what ours does, but for what is
argued here."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.pigeonhole import Pigeonhole
from support.programs import need
from support.sieve_tables import SCRIPTS, Case, cases

pytestmark = pytest.mark.interop

DIFFERENT = {
    # Expressions are of characters.
    'header :regex "x-raw" "^gr..e$"': "a dot is one octet of UTF-8 to them",
    # Lines of a body end as they came: CRLF.
    'body :raw :matches "Dear you,?this*"': "the message has LF by the time they see it",
    # RFC 5228 §2.7.3: the default is i;ascii-casemap, for every test.
    'string :is "abc" "ABC"': "their default for string is i;octet",
    'string :contains ["abc", "def"] "E"': "likewise",
    # A count is a number whatever compares it.
    'header :count "lt" "x-tag" "10"': "they compare the counts as texts unless told otherwise",
    # RFC 5260 §6: index goes with the test date too.
    'date :index 2 :zone "+0000" "received" "second" "59"': "their date does not look at it",
    # RFC 5228 §2.7.4: a group that is empty holds no address.
    'address :matches "cc" "*"': "they compare the group as if it were one",
    # RFC 5228 §2.4.2.2: a name that no field can have is no mistake.
    'address "From:" "anna@example.com"': "they refuse it, in address only",
    # Ours also knows fields of addresses that are no standard.
    'address :is "return-path" "anna@example.com"': "they refuse it",
    # RFC 5230 §4.1: days are at least one. RFC 6131 §2: 0 seconds is each time.
    "at least a day, at most a year": "their least is that of seconds, a setting",
    "each time": "likewise",
    # RFC 5293 §4: white space at the beginning of a value is not compared (RFC 5228 §5.7).
    "a field that was added is there": "they keep it in fields that a script has added",
    # What the server goes by is not a script's to add.
    "the trace stays (§6)": "they let it add Received",
    # No line end gets into a header.
    "no second field gets in by a value": "they put a ? in its place",
    # The longest subexpressions from the left, as POSIX has it.
    "the longest match is taken, and then the longest groups": "not so in glibc",
    # Linear time; other dialects are not guessed at.
    "back-references are refused": "glibc has them",
    "lazy repeats": "glibc takes them for two repeats",
    "too large": "glibc makes room for it",
    # Mistakes that can be told when the script is stored.
    "an unknown part of a date": "they take it for a part that matches nothing",
    "a zone that is none": "they ignore it",
    "last alone deletes nothing": "they ignore it",
    "a mailbox without a name": "they try to file into it",
    "a mailbox that variables spoil": "likewise",
    "a space that is not known": "they take it for text",
    # RFC 6609 §3.1: what is included may be stored later. RFC 5463 §4: what is unknown may be passed by.
    "a script that is not there": "they refuse the script around it",
    "a script that is broken is wrong where it is come to": "likewise",
    "a broken script, come to": "likewise",
    "a script that includes itself": "likewise",
    "and then the message is kept": "they defer it only inside an if ihave",
}
"""Where we differ, each with what they do."""

UNKNOWN = re.compile(
    "mailboxid|mailboxexists|specialuse_exists|currentdate|duplicate|unicode-casemap|quoteregex|ereject"
)
"""What Debian 12's Pigeonhole does not know, or what depends on a store or the clock."""


def comparable(case: Case) -> bool:
    """Whether sieve-test can run it: it takes no null sender."""
    return bool(case.sender) and not UNKNOWN.search(case.script)


def ours(case: Case) -> list[str]:
    """What the table expects, in the words that Pigeonhole's output is put into."""
    found = []
    for line in case.expected:
        kind, _, rest = line.partition(" ")
        if kind in ("refused", "error"):
            return [kind]
        if kind in ("keep", "fileinto"):
            flagged = re.fullmatch(r"(.*?) ?\((.*)\)", rest)
            rest, flags = (
                (flagged[1], sorted(flagged[2].lower().split())) if flagged else (rest, [])
            )
            rest = re.sub(r" (?:create|use=\S+|id=\S+)", "", rest)
            found.append(f"{kind} {rest} ".replace("  ", " ") + f"({' '.join(flags)})")
        elif kind in ("reject", "ereject"):
            found.append(f"reject {rest}".replace("\r\n", "??"))
        elif kind == "vacation":
            found.append(f"vacation {rest.split()[1]}")
        else:
            found.append(line)
    return sorted(found)


@pytest.fixture(scope="module")
def pigeonhole() -> Iterator[Pigeonhole]:
    """One configuration for all scripts."""
    program = need("sieve-test", "dovecot-sieve")
    version = subprocess.run(
        [need("dovecot", "dovecot-core"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    if not version.startswith("2.3."):
        pytest.skip("the configuration is Dovecot 2.3's, of Debian 12")
    home = Path(tempfile.mkdtemp(prefix="malleposte-sieve-"))
    try:
        home.chmod(0o755)
        yield Pigeonhole(program, home, SCRIPTS)
    finally:
        shutil.rmtree(home)


@pytest.mark.parametrize(
    "case", [case for case in cases() if comparable(case)], ids=lambda case: case.title
)
def test_pigeonhole_does_the_same(pigeonhole: Pigeonhole, case: Case) -> None:
    found = pigeonhole.run(case)
    if case.title in DIFFERENT:
        assert found != ours(case), f"it is the same now: {case.title}"
    else:
        assert found == ours(case)
