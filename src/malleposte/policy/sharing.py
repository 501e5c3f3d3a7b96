"""Who may give rights on a mailbox to everybody at once (RFC 4314's ``anyone``).

Such a mailbox stands in the lists of all, and is open to whoever comes later. Rights for those who are
named are given by whoever holds the right ``a`` there; that is asked in the store.
"""

from collections.abc import Collection
from typing import Final, Literal

from malleposte.policy.permissions import Decision, Role

WhoMayGive = Literal["everyone", "administrators", "nobody"]
"""``everyone``: whoever may give rights at all. ``administrators``: they, and whoever may give rights on a
mailbox of a shared account or a resource. ``nobody``: by no mail program."""

_ADMINISTRATORS: Final = frozenset({Role.OWNER, Role.ADMINISTRATOR})
_NAMED: Final = "Give the rights to persons or shared accounts by name"


def may_give_to_anyone(who: WhoMayGive, roles: Collection[str], *, owner_kind: str) -> Decision:
    """Whether somebody with these roles may give ``anyone`` more rights than there are, on a mailbox of an
    account of this kind.

    Rights can always be taken away. An operator at the command line is not asked.
    """
    if who == "everyone":
        return Decision(True, "everyone may")
    if who == "nobody":
        return Decision(
            False, f"This server does not let mail programs give rights to anyone. {_NAMED}"
        )
    if not _ADMINISTRATORS.isdisjoint(roles):
        return Decision(True, "administrators may")
    if owner_kind != "person":
        return Decision(True, "it is a shared account's")
    return Decision(
        False,
        "Rights for anyone are for mailboxes of shared accounts, or given by an administrator."
        f" {_NAMED}, or ask your administrator",
    )
