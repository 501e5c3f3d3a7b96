"""Lines are cut at CRLF, long ones thrown away without being held."""

import pytest

from malleposte.wire.lines import LineBuffer, NoLine


def take_all(pieces: list[bytes], limit: int, most: int = 1_000) -> list[bytes | NoLine]:
    lines = LineBuffer(most)
    taken: list[bytes | NoLine] = []
    for piece in pieces:
        lines.octets += piece
        while (line := lines.take_line(limit)) is not NoLine.INCOMPLETE:
            taken.append(line)
            if line is NoLine.ENDLESS:
                return taken
        assert len(lines.octets) <= limit
    return taken


WIRE = b"12345678\r\n123456789\r\n\r\na\nb\rc\r\n" + b"x" * 500 + b"\r" * 20 + b"\r\nlast\r\n"
LINES = [b"12345678", NoLine.TOO_LONG, b"", b"a\nb\rc", NoLine.TOO_LONG, b"last"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10, 11, 499, 10_000])
def test_only_crlf_ends_a_line_and_long_ones_are_dropped(size: int) -> None:
    pieces = [WIRE[at : at + size] for at in range(0, len(WIRE), size)]
    assert take_all(pieces, limit=10) == LINES


@pytest.mark.parametrize("size", [1, 10, 2_000])
def test_an_endless_line_is_told_apart(size: int) -> None:
    wire = b"x" * 1_001 + b"\r\n"
    pieces = [wire[at : at + size] for at in range(0, len(wire), size)]
    assert take_all(pieces, limit=10) == [NoLine.ENDLESS]
