"""imaptest as a load: what it prints is read rightly, and no error passes unseen."""

from pathlib import Path

import pytest

from malleposte.bench import imaptest
from malleposte.bench.subject import Account, Endpoint
from malleposte.bench.trouble import Unavailable

_ROWS = """\
Logi List Stat Sele Logo
100%  50%  50% 100% 100%
                30%
  12    3    4    5    6  50/ 50
  12    3    4    5    6  50/ 50 (3 stalled >3s)
 - 17 stalled for 16 secs in command: 3 NOOP
   1    2    3    4    5 ms/cmd avg
{more}
Totals:
Logi List Stat Sele Logo
100%  50%  50% 100% 100%
                30%
  24    6    8   10   12
"""


def test_the_stress_mode_s_totals() -> None:
    stress = imaptest.read_stress(_ROWS.format(more=""), 30.0)
    assert stress.errors == ()
    assert stress.totals == {"Logi": 24, "List": 6, "Stat": 8, "Sele": 10, "Logo": 12}
    assert stress.rate == 2.0
    assert stress.stalled == 1


@pytest.mark.parametrize(
    "line",
    [
        "Error: u1@example.test[5]: Message count dropped 5 -> 4: * 4 EXISTS",
        "Panic: file client.c: line 3: assertion failed",
        # Standard error breaks into a row.
        "  12    3 Error: u1@example.test[5]: STORE failed: 5.7 NO",
    ],
)
def test_every_error_of_the_stress_mode_counts(line: str) -> None:
    assert imaptest.read_stress(_ROWS.format(more=line), 30.0).errors == (line,)


def test_a_stress_that_ended_early_is_an_error() -> None:
    assert len(imaptest.read_stress("", 30.0, 89).errors) == 2
    assert imaptest.read_stress(_ROWS.format(more=""), 30.0, 1).errors


def _message(number: str, text: bytes = b"x\r\n") -> bytes:
    return b"Subject: s\r\nMessage-ID: %b\r\n\r\n%b" % (number.encode(), text)


def test_messages_of_the_mbox_are_told_apart_by_their_ids(tmp_path: Path) -> None:
    target = tmp_path / "mbox"
    kept = [_message("<1@a>"), _message("<2@a>", b"From a friend\r\n>From b\r\nno end")]
    left_out = [_message("<1@A>"), b"Subject: s\r\n\r\n", _message("<3@a>", b"a\rb\r\n")]
    assert imaptest.write_mbox(target, [*kept, *left_out]) == 2
    lines = target.read_bytes().split(b"\r\n")
    assert sum(line.startswith(b"From ") for line in lines) == 2
    assert b">From a friend" in lines
    assert b">>From b" in lines


@pytest.mark.parametrize(
    ("line", "excused"),
    [
        ("Error: Client disconnected: read(fd) failed: Connection reset by peer", True),
        ("Error: u1@x[5]: STORE failed: 5.7 NO [UNAVAILABLE] The store cannot answer now", True),
        ("Error: u1@x[5]: STORE failed: 5.7 NO [CANNOT] This cannot be done", False),
        ("Error: u1@x[5]: Message count dropped 5 -> 4: * 4 EXISTS", False),
        ("Panic: file client.c: line 3: assertion failed", False),
    ],
)
def test_kills_excuse_lost_connections_and_nothing_else(line: str, excused: bool) -> None:
    assert imaptest.of_kills(line) is excused


def test_its_default_mix_is_run_in_one_mailbox(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        imaptest.program_below(tmp_path)
    program = tmp_path / "imaptest"
    rows = _ROWS.format(more="")
    program.write_text(
        f"#!/bin/sh\necho \"$@\" >words\ncat users >>words\ncat <<'END'\n{rows}END\n"
    )
    program.chmod(0o700)
    mix = imaptest.Mix(imaptest.program_below(tmp_path), tmp_path, "mix", 5, 2)
    stress, cpu = mix.run(
        Endpoint("127.0.0.1", 143), [Account("a@x", "p"), Account("b@x", "q")], [_message("<1@a>")]
    )
    assert sum(stress.totals.values()) == 60
    assert stress.errors == ()
    assert cpu >= 0
    words, *users = (tmp_path / "words").read_text().splitlines()
    assert {"host=127.0.0.1", "port=143", "box=mix", "clients=5", "secs=2,30"} <= set(words.split())
    assert users == ["a@x:p", "b@x:q"]
