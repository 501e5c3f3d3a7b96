"""POP3: the engine of ``wire.pop3`` joined to the store, the directory and sign-in.

``service`` is what a listener serves, ``session`` one connection, ``maildrop`` what a session keeps of
INBOX, ``exclusive`` why there is one session an account at a time. Nothing here parses a message.
"""

from malleposte.services.pop3d.service import Observer, Pop3Service
from malleposte.services.pop3d.settings import Pop3Settings

__all__ = ["Observer", "Pop3Service", "Pop3Settings"]
