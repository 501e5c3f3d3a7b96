"""What a command prints: tables for people, JSON for scripts, one line for what went wrong."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from malleposte.cli.exit_codes import Trouble


def printable(text: str) -> str:
    """Text from a store or a file without anything that moves a terminal's cursor."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def spelt(text: str) -> str:
    """Text that can be written: octets that are no UTF-8, as files' names may have them, as ``\\xf6``."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return text


def say(text: str = "") -> None:
    """A line for people, at once: whoever reads through a pipe follows what is under way."""
    print(spelt(text), flush=True)


def note(text: str) -> None:
    """A line beside the result, on standard error."""
    print(spelt(text), file=sys.stderr)


def as_json(value: Any) -> None:
    """A value as JSON, indented, on standard output."""
    try:
        octets = msgspec.json.encode(value)
    except UnicodeEncodeError:
        octets = msgspec.json.encode(_spelt_all(msgspec.to_builtins(value)))
    if sys.stdout.encoding.lower().replace("_", "-") != "utf-8":
        octets = json.dumps(json.loads(octets)).encode()
    print(msgspec.json.format(octets, indent=2).decode())


def _spelt_all(value: Any) -> Any:
    if isinstance(value, str):
        return spelt(value)
    if isinstance(value, dict):
        return {name: _spelt_all(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_spelt_all(one) for one in value]
    return value


def complain(trouble: Trouble, *, json: bool) -> None:
    """Why a command ended: a line on standard error, and for scripts an object on standard output."""
    if json:
        as_json({"error": {"reason": trouble.reason, "text": trouble.text, "code": trouble.code}})
    print(f"malleposte: {spelt(trouble.text)}", file=sys.stderr)


def table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()
) -> None:
    """A table: drawn on a terminal, columns with two spaces between otherwise. ``right``: columns of
    numbers."""
    cells = [[printable(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for at, head in enumerate(heads):
            drawn.add_column(head, justify="right" if at in right else "left", overflow="fold")
        for row in cells:
            drawn.add_row(*(Text(cell) for cell in row))
        Console().print(drawn)
        return
    lines = [list(heads), *cells]
    widths = [max(len(line[at]) for line in lines) for at in range(len(heads))]
    for line in lines:
        parts = [
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        print("  ".join(parts).rstrip())


def size(octets: int) -> str:
    """A size for people: ``1.4 GB``."""
    value = float(octets)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def moment(seconds: int) -> str:
    """A time for people, in the machine's own time zone."""
    import datetime

    return datetime.datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")
