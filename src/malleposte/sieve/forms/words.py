"""Sieve as text: strings, lists, numbers, the line of extensions."""

from __future__ import annotations

from collections.abc import Iterable


def quoted(text: str) -> str:
    """A string. What no header and no body of ours can hold is left out."""
    clean = "".join(c for c in text if c in "\t\r\n" or c.isprintable() or c == "\u00a0")
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'


def listed(texts: Iterable[str]) -> str:
    """A list of strings; one alone stands without brackets."""
    found = [quoted(text) for text in texts]
    return found[0] if len(found) == 1 else "[" + ", ".join(found) + "]"


def literally(text: str) -> str:
    """A text in a pattern of `:matches` that stands for itself (RFC 5228 §2.7.1)."""
    return text.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")


def require(extensions: Iterable[str]) -> str:
    """The line that a script begins with; '' for none."""
    found = sorted(set(extensions))
    return f"require {listed(found)};\r\n" if found else ""
