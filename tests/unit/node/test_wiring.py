"""What the configuration says is what the services are given."""

from pathlib import Path

import pytest

from malleposte.node import wiring
from malleposte.node.config import Configuration
from malleposte.node.config_read import load
from malleposte.wire.imap import Connection
from malleposte.wire.imap.commands.base import Command
from malleposte.wire.imap.events import Rejected


def read(tmp_path: Path, text: str) -> Configuration:
    path = tmp_path / "malleposte.toml"
    path.write_text(text)
    return load(path, {})


@pytest.mark.parametrize("size", [9_000, 100_000])
def test_the_longest_line_of_imap_is_the_one_that_was_set(tmp_path: Path, size: int) -> None:
    """It had no effect below the longest literal."""
    configuration = read(tmp_path, f'[imap]\nmax_line = "{size} B"\nmax_literal = "256 kB"')
    (listener, *_) = [one for one in configuration.listeners if one.service == "imap"]
    limits = wiring.imap_settings(configuration, listener).limits
    for octets, kind in (
        (b'a SEARCH TEXT "'.ljust(size - 1, b"x") + b'"', Command),
        (b'a SEARCH TEXT "'.ljust(size, b"x") + b'"', Rejected),
        (b"a SEARCH TEXT {256000+}\r\n" + b"x" * 256_000, Command),
        (b"a SEARCH TEXT {256001+}\r\n" + b"x" * 256_001, Rejected),
    ):
        engine = Connection(limits)
        engine.signed_in()
        engine.selected()
        engine.receive_data(octets + b"\r\n")
        event = engine.next_event()
        assert isinstance(event, kind), (octets[:30], event)


def test_who_may_give_rights_to_anyone_is_what_was_set(tmp_path: Path) -> None:
    for text, who in (("", "administrators"), ('[sharing]\nanyone = "nobody"', "nobody")):
        configuration = read(tmp_path, text)
        listeners = [one for one in configuration.listeners if one.service in ("imap", "imaps")]
        assert len(listeners) == 2
        for listener in listeners:
            assert wiring.imap_settings(configuration, listener).anyone == who
