"""One thing looked at."""

from typing import Literal

import msgspec

State = Literal["ok", "warn", "wrong"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """``remedy``: what to do, where there is something to do."""

    name: str
    state: State
    text: str
    remedy: str = ""


def ok(name: str, text: str) -> Check:
    """All is well."""
    return Check(name=name, state="ok", text=text)


def warn(name: str, text: str, remedy: str) -> Check:
    """It works, and will hurt one day."""
    return Check(name=name, state="warn", text=text, remedy=remedy)


def wrong(name: str, text: str, remedy: str) -> Check:
    """It does not work, or is dangerous."""
    return Check(name=name, state="wrong", text=text, remedy=remedy)
