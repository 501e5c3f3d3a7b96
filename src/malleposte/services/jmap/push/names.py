"""Names that the modules of this package share, and what is told as they tell it (RFC 8620 §7.1)."""

from collections.abc import Mapping
from typing import Any, Final

from malleposte.store.ids import account_number, account_text
from malleposte.store.read.type_states import TYPES

WEBSOCKET: Final = "urn:ietf:params:jmap:websocket"
VAPID: Final = "urn:ietf:params:jmap:webpush-vapid"
PUSH_LETTER: Final = "P"
MOST_PLACES: Final = 4_096
"""Characters of what a client was told up to."""

Types = frozenset[str]
"""Names of kinds; all that are known where a client wants all."""


def wanted(names: list[str] | None) -> Types:
    """Those of a client's that there are; None: all."""
    return TYPES if names is None else TYPES.intersection(names)


def state_change(changed: Mapping[int, Mapping[str, int | str]]) -> dict[str, Any]:
    """A ``StateChange``: states by kind, by account."""
    return {
        "@type": "StateChange",
        "changed": {
            account_text(account): {name: str(state) for name, state in sorted(kinds.items())}
            for account, kinds in changed.items()
        },
    }


def places_text(places: Mapping[int, int]) -> str:
    """Up to where somebody was told, as a text: modseqs by account."""
    return ",".join(f"{account_text(one)}={modseq}" for one, modseq in sorted(places.items()))


def places_of(text: str) -> dict[int, int] | None:
    """The same, read again; None where it is none of ours."""
    found: dict[int, int] = {}
    if not text or len(text) > MOST_PLACES:
        return None
    for one in text.split(","):
        name, _, digits = one.partition("=")
        account = account_number(name)
        if not account or not digits.isascii() or not digits.isdigit() or len(digits) > 18:
            return None
        found[account] = int(digits)
    return found
