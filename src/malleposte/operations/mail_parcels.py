"""The heads of parcels that carry mail in and out: plain data, the same over a socket and without."""

import msgspec


class FolderWanted(msgspec.Struct, frozen=True, kw_only=True):
    """A mailbox that messages are to go into: its full name, levels joined by ``/``; ``role``: the
    account's mailbox of that role is meant, whatever it is called."""

    path: str
    role: str = ""


class FolderPlanned(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a ``FolderWanted``. ``refused``: why its messages cannot be taken."""

    path: str
    mailbox: int
    made: bool
    messages: int
    refused: str = ""


class ImportPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The first parcel of an import: its mailboxes, in the order asked for, and a mark.

    ``lineage`` and ``since``: where the account stood when this began. Whoever takes the import up
    again gives the mark back: what may have been imported after it is looked for before it is imported.
    """

    lineage: str
    since: int
    folders: tuple[FolderPlanned, ...]


class ImportItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message to import; its octets are the body. ``n``: the caller's number of it.

    ``flags``: IMAP names (``\\Seen``, ``$Forwarded``, keywords). ``received_at``: Unix seconds, None:
    take the Date field. ``doubt``: it may be there from an earlier run; ``known``: emails with the same
    octets that an earlier run is sure of.
    """

    n: int
    folder: int
    flags: tuple[str, ...] = ()
    received_at: int | None = None
    doubt: bool = False
    known: tuple[int, ...] = ()


class ImportAck(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message is durable (``email``; ``there``: it was before), or ``refused``: why."""

    n: int
    email: int = 0
    there: bool = False
    refused: str = ""


class FolderOffered(msgspec.Struct, frozen=True, kw_only=True):
    """A mailbox that is exported, and how much is in it now."""

    path: str
    role: str
    uidvalidity: int
    messages: int
    size: int


class ExportPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The first parcel of an export: its mailboxes. The caller answers with ``ExportHave``."""

    folders: tuple[FolderOffered, ...]


class ExportHave(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller has of a mailbox from an earlier run: UID ranges, both ends included."""

    folder: int
    uids: tuple[tuple[int, int], ...]


class ExportItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message of an export; its octets are the body. ``damaged``: there is none, and why; it may
    follow a body that broke off."""

    folder: int
    uid: int
    size: int
    received_at: int
    flags: tuple[str, ...] = ()
    damaged: str = ""
