"""Which commands tell that a client understands mod-sequences (RFC 7162 §3.1)."""

from __future__ import annotations

from malleposte.wire.imap.commands.base import Command
from malleposte.wire.imap.commands.fetch import Attribute, Fetch
from malleposte.wire.imap.commands.listing import List, Status, StatusItem
from malleposte.wire.imap.commands.search import Search
from malleposte.wire.imap.commands.search_keys import uses_mod_sequence
from malleposte.wire.imap.commands.select import OpenMailbox
from malleposte.wire.imap.commands.session import Enable
from malleposte.wire.imap.commands.store import Store


def enables_condstore(command: Command) -> bool:
    """From this command on, untagged FETCH responses carry MODSEQ (RFC 7162 §3.1, the "CONDSTORE
    enabling commands"; LIST by its STATUS)."""
    match command:
        case OpenMailbox():
            return command.condstore or command.qresync is not None
        case Fetch():
            return Attribute.MODSEQ in command.items
        case Store():
            return command.unchanged_since is not None
        case Status():
            return StatusItem.HIGHESTMODSEQ in command.items
        case List():
            return StatusItem.HIGHESTMODSEQ in command.status
        case Search():
            return uses_mod_sequence(command.key)
        case Enable():
            return bool({b"CONDSTORE", b"QRESYNC"} & set(command.names))
        case _:
            return False
