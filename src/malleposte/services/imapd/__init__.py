"""IMAP: the engine of ``wire.imap`` joined to the store, the directory and sign-in.

A module a family of commands, each with its ``HANDLERS``; ``registry`` puts them together. ``service``
is what a listener serves, ``session`` one connection, ``selected`` what a session keeps of the mailbox
it has selected. Nothing here parses a message: what FETCH sends was rendered when it came.
"""

from malleposte.services.imapd.service import ImapService, Observer, Push
from malleposte.services.imapd.settings import ImapSettings

__all__ = ["ImapService", "ImapSettings", "Observer", "Push"]
