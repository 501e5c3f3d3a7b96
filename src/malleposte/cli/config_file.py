"""A new configuration file: the example, with some keys set. An old one is never touched."""

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from malleposte.cli.exit_codes import USAGE, Trouble
from malleposte.cli.output import spelt
from malleposte.node.config_render import render_example

Value = str | int | Path


def render(
    values: Mapping[str, Mapping[str, Value]], listeners: Sequence[Mapping[str, Value]] = ()
) -> str:
    """The example file with ``values`` (section → key → value) set in place of their defaults."""
    missing = {(section, key) for section, keys in values.items() for key in keys}
    section = ""
    lines = []
    for line in render_example().splitlines():
        if head := re.fullmatch(r"\[([a-z]+)\]", line):
            section = head[1]
        elif line.startswith("#[["):
            section = ""
        key = re.match(r"#([a-z0-9_]+) = ", line)
        if key and key[1] in values.get(section, {}):
            line = f"{key[1]} = {toml(values[section][key[1]])}"
            missing.discard((section, key[1]))
        lines.append(line)
    if missing:
        raise KeyError(f"no such keys: {missing}")
    for listener in listeners:
        lines += [
            "",
            "[[listeners]]",
            *(f"{key} = {toml(value)}" for key, value in listener.items()),
        ]
    return "\n".join(lines) + "\n"


def toml(value: Value) -> str:
    """A value as TOML writes it. Raises ``Trouble`` where it cannot, since TOML is UTF-8."""
    try:
        # JSON's escapes are TOML's.
        return str(value) if isinstance(value, int) else msgspec.json.encode(str(value)).decode()
    except UnicodeEncodeError:
        words = f"{spelt(str(value))} is not UTF-8: a configuration cannot say it, name another"
        raise Trouble(USAGE, words) from None


def write_new(path: Path, text: str, mode: int, *, group: int = -1) -> bool:
    """Write a file that appears whole, or not at all if it is there already (False). ``group``: whose it
    is to be, -1 for the caller's own.

    Raises ``OSError``.
    """
    umask = os.umask(0o022)  # the folder of a configuration is everybody's to look into
    path.parent.mkdir(parents=True, exist_ok=True)
    os.umask(umask)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fchown(descriptor, -1, group)
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        try:
            os.link(name, path)
        except FileExistsError:
            return False
    finally:
        os.unlink(name)
    return True
