"""Rights on a mailbox: the letters of IMAP's lists (RFC 4314) as JMAP names them (RFC 8621 §2)."""

from collections.abc import Mapping
from typing import Any, Final

from malleposte.store.read.rights import ordered

LETTERS: Final[Mapping[str, str]] = {
    "mayReadItems": "lr",
    "mayAddItems": "i",
    "mayRemoveItems": "te",
    "maySetSeen": "s",
    "maySetKeywords": "w",
    "mayCreateChild": "k",
    "mayRename": "x",
    "mayDelete": "x",
    "maySubmit": "p",
}
SHARE: Final = "mayShare"
"""RFC 9670 §4: shown to who asks by its capability."""
WITH_SHARE: Final[Mapping[str, str]] = {**LETTERS, SHARE: "a"}


def shown(letters: str, *, share: bool) -> dict[str, bool]:
    """What somebody may who holds these letters."""
    names = WITH_SHARE if share else LETTERS
    return {name: set(wanted) <= set(letters) for name, wanted in names.items()}


def letters(wanted: Mapping[str, Any], before: str) -> str:
    """The letters of rights as a client writes them; what is not named is not given. Of a right of which
    somebody had a part the part stays, where he is not given the whole. Raises ``ValueError``."""
    for name, value in wanted.items():
        if name not in WITH_SHARE:
            raise ValueError(f"there is no right {name[:100]!r}")
        if not isinstance(value, bool):
            raise ValueError(f"{name} is true or false")
    if bool(wanted.get("mayRename")) != bool(wanted.get("mayDelete")):
        raise ValueError("mayRename and mayDelete are one right here: give both or neither")
    if not any(wanted.values()):
        return ""
    had = shown(before, share=True)
    found = set(before)
    for name, of in WITH_SHARE.items():
        if wanted.get(name):
            found |= set(of)
        elif had[name]:
            found -= set(of)
    return ordered(found)
