"""What a script decides, as plain data: the caller does it, in this order.

`edits` is how many of the outcome's header edits had been made when the action was taken: what is
stored or sent is the message with these (RFC 5293 §7). `flags` is None where the script says
nothing about flags, so that the caller's default stands; a tuple, also an empty one, replaces it.
"""

from __future__ import annotations

from typing import NamedTuple

Flags = tuple[str, ...] | None


class Keep(NamedTuple):
    """File it where mail arrives; `implicit` if no command said so (RFC 5228 §2.10.2)."""

    flags: Flags = None
    edits: int = 0
    implicit: bool = False


class FileInto(NamedTuple):
    """File it into a mailbox (RFC 5228 §4.1).

    With `mailbox_id` the mailbox of that id, if there is one (RFC 9042 §4); else with `special_use`
    the one of that use (RFC 8579 §4); else the one of the name. `create` makes the named one if it
    does not exist (RFC 5490 §3.2). A mailbox that cannot be filed into means a keep.
    """

    mailbox: str
    flags: Flags = None
    create: bool = False
    special_use: str = ""
    mailbox_id: str = ""
    edits: int = 0


class Redirect(NamedTuple):
    """Send it on to `local@domain` (RFC 5228 §4.2); policy and loops are the caller's to look at."""

    address: str
    edits: int = 0


class Discard(NamedTuple):
    """Without another action the message goes nowhere, and nobody is told (RFC 5228 §4.4)."""


class Reject(NamedTuple):
    """Refuse it (RFC 5429): in the SMTP session if it can be; `ereject` prefers that to a
    notification, `reject` was asked for by the older name."""

    reason: str
    ereject: bool = False


class Vacation(NamedTuple):
    """Reply to `to` (RFC 5230), unless that was done under `handle` within `seconds`.

    That a reply is fit at all has been looked at (§4.6); with 0 seconds nothing is remembered.
    `sender` is the From asked for, "" for the account's own. With `mime` the reason is an entity
    with its own header fields.
    """

    to: str
    handle: str
    seconds: int
    subject: str
    reason: str
    mime: bool = False
    sender: str = ""


Action = Keep | FileInto | Redirect | Discard | Reject | Vacation


class AddHeader(NamedTuple):
    """Put a field before all others, or after (RFC 5293 §4). `value` is text, unencoded."""

    name: str
    value: str
    last: bool = False


class DeleteHeader(NamedTuple):
    """Take away the `number`-th field of that name, from 1, of those there are at that time."""

    name: str
    number: int


HeaderEdit = AddHeader | DeleteHeader


class Seen(NamedTuple):
    """An id that the duplicate test looked at, to be remembered once the actions are done: it is
    known as a duplicate for `seconds` (RFC 7352). With `last`, again from each time it is seen."""

    handle: str
    value: str
    seconds: int
    last: bool = False
