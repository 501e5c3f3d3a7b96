"""Copies of a message whose owners' scripts run."""

from collections.abc import Sequence
from dataclasses import dataclass

from malleposte.delivery.verdict import Recipient
from malleposte.store.commands import Filing


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy whose owner's scripts run."""

    account: int
    address: str
    """As it was written."""
    domain: str
    filing: Filing
    notify: str
    sender: str
    """Of the envelope; of a group's mail the group's."""
    fields: bytes = b""
    """Of a group, which stand before the message."""
    depth: int = 0
    original: str = ""
    """ORCPT, as ``Recipient.original``."""


def filtered(
    filings: Sequence[Filing], recipients: Sequence[Recipient], sender: str
) -> dict[int, Copy]:
    """The copies whose owners' scripts run, each for the first recipient that reached it. Mail to
    postmaster and abuse (``exempt``) passes by all scripts."""
    by_account = {filing.account: filing for filing in filings if not filing.exempt}
    copies: dict[int, Copy] = {}
    for recipient in recipients:
        resolution = recipient.resolution
        domain = resolution.address.rpartition("@")[2]
        for account in resolution.filtered:
            filing = by_account.get(account)
            if filing is None or account in copies:
                continue
            listed = recipient.listed
            copies[account] = Copy(
                account,
                recipient.address,
                domain,
                filing,
                recipient.notify,
                sender if listed is None else listed.sender,
                b"" if listed is None else listed.fields,
                original=recipient.original,
            )
    return copies
