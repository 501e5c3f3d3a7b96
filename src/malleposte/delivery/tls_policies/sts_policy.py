"""MTA-STS as text: the record that announces a policy, and the policy itself (RFC 8461 §3).

Both are read strictly: what is broken is no policy, and says why.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Mode = Literal["none", "testing", "enforce"]

LONGEST: Final = 31_557_600
"""Seconds for which a policy holds at most (RFC 8461 §3.2): a year."""
MOST_LINES: Final = 1_000
MOST_HOSTS: Final = 200
"""Patterns of one policy that are kept."""
_RECORD: Final = re.compile(
    r"v=STSv1[ \t]*;(?:[ \t]*[A-Za-z0-9][A-Za-z0-9_.-]{0,31}=[\x21-\x3a\x3c\x3e-\x7e]+[ \t]*(?:;|\Z))*"
    r"[ \t]*"
)
_ID: Final = re.compile(r";[ \t]*id=([A-Za-z0-9]{1,32})[ \t]*(?:;|\Z)")
_VERSION: Final = re.compile(r"v=STSv1[ \t]*(?:;|\Z)")
_HOST: Final = re.compile(
    r"(?=.{1,253}\Z)(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*"
    r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)


class BadPolicy(ValueError):
    """It is no policy; the words say why."""


@dataclass(frozen=True, slots=True)
class StsPolicy:
    """``hosts``: servers of the domain, in lower case, ``*.`` in front for any one label. ``max_age``:
    seconds."""

    mode: Mode
    hosts: tuple[str, ...]
    max_age: int

    def allows(self, host: str) -> bool:
        """Whether a server is one of the domain's (RFC 8461 §4.1)."""
        name = host.lower().rstrip(".")
        rest = name.partition(".")[2]
        return any(
            name == one or (one.startswith("*.") and bool(rest) and rest == one[2:])
            for one in self.hosts
        )


def announced(texts: Sequence[str]) -> str:
    """The id of the one record that announces a policy; '' where there is none, or no one (§3.1)."""
    ours = [text for text in texts if _VERSION.match(text)]
    if len(ours) != 1 or not _RECORD.fullmatch(ours[0]):
        return ""
    found = _ID.search(ours[0])
    return found[1] if found else ""


def read_policy(octets: bytes) -> StsPolicy:
    """A policy as it was fetched (§3.2). Raises ``BadPolicy``."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        raise BadPolicy("it is not UTF-8") from None
    fields: dict[str, str] = {}
    hosts: list[str] = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if number > MOST_LINES:
            raise BadPolicy(f"it has more than {MOST_LINES} lines")
        if not line.strip(" \t"):
            continue
        name, colon, value = line.partition(":")
        value = value.strip(" \t")
        if not colon or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}", name):
            raise BadPolicy(f"line {number} is not of the form «name: value»")
        if name == "mx":
            hosts.append(_host(value))
        else:
            fields.setdefault(name, value)  # of several the first counts
    if fields.get("version") != "STSv1":
        raise BadPolicy("its version is not STSv1")
    mode = fields.get("mode", "")
    if mode not in ("none", "testing", "enforce"):
        raise BadPolicy(f"its mode is «{mode[:20]}»" if mode else "it has no mode")
    if not re.fullmatch(r"[0-9]{1,10}", fields.get("max_age", "")):
        raise BadPolicy("its max_age is not a number of seconds")
    if not hosts and mode != "none":
        raise BadPolicy("it names no mx")
    if len(hosts) > MOST_HOSTS:
        raise BadPolicy(f"it names more than {MOST_HOSTS} mx")
    return StsPolicy(mode, tuple(dict.fromkeys(hosts)), min(int(fields["max_age"]), LONGEST))  # type: ignore[arg-type]


def _host(value: str) -> str:
    host = value.lower()
    if not _HOST.fullmatch(host):
        raise BadPolicy(f"«{value[:60]}» is no name of a server")
    return host


def lines_of(policy: str) -> tuple[str, ...]:
    """A policy's lines, for reports."""
    return tuple(line.strip() for line in policy.splitlines() if line.strip())[: MOST_HOSTS + 3]
