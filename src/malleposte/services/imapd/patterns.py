"""Patterns of LIST: ``*`` stands for anything, ``%`` for anything within a level (RFC 9051 §6.3.9).

A pattern is matched by following all of its positions at once, as bits of a number: time is linear in
name and pattern, whatever wildcards a client strings together.
"""

from collections.abc import Callable
from functools import lru_cache

from malleposte.services.imapd.names import SEPARATOR
from malleposte.wire.imap.mailbox_names import INBOX, canonical


def _squeezed(pattern: str) -> str:
    """The pattern with runs of wildcards made one: ``*`` takes in what stands beside it."""
    out: list[str] = []
    for char in pattern:
        if char in "*%" and out and out[-1] in "*%":
            if char == "*":
                out[-1] = "*"
            continue
        out.append(char)
    return "".join(out)


def _automaton(pattern: str) -> Callable[[str], bool]:
    literals: dict[str, int] = {}
    stars = percents = 0
    for at, char in enumerate(pattern):
        if char == "*":
            stars |= 1 << at
        elif char == "%":
            percents |= 1 << at
        else:
            literals[char] = literals.get(char, 0) | 1 << at
    wild = stars | percents
    end = 1 << len(pattern)

    def matches(name: str) -> bool:
        state = 1 | (2 if wild & 1 else 0)
        for char in name:
            stay = state & (stars if char == SEPARATOR else wild)
            state = stay | (state & literals.get(char, 0)) << 1
            state |= (state & wild) << 1  # a wildcard may stand for nothing
            if not state:
                return False
        return bool(state & end)

    return matches


@lru_cache(maxsize=256)
def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a full name matches a pattern. INBOX matches in any case (RFC 9051 §5.1)."""
    pattern = _squeezed(canonical(pattern))
    if pattern == "*":
        return lambda name: True
    plain = _plain(pattern)
    any_case = _automaton(pattern.upper())
    return lambda name: plain(name) or (name == INBOX and any_case(name))


def _plain(pattern: str) -> Callable[[str], bool]:
    body = pattern[:-1]
    if "*" not in body and "%" not in body:
        # A name, or one with a wildcard at its end: what clients ask.
        if pattern.endswith("*"):
            return lambda name: name.startswith(body)
        if pattern.endswith("%"):
            size = len(body)
            return lambda name: name.startswith(body) and SEPARATOR not in name[size:]
        return lambda name: name == pattern
    return _automaton(pattern)
