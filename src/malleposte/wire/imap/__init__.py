"""IMAP4rev2 (RFC 9051) and IMAP4rev1 (RFC 3501): the server's side as a pure state machine.

`Connection` reads octets and hands out commands (`commands`, a class each) and events (`events`).
`responses`, `codes`, `render` and `fetch_rows` turn answers into octets. `sets`, `flags`, `dates`
and `mailbox_names` hold the types both sides speak in. Nothing here waits, keeps time or touches
a socket, and nothing knows a mailbox.
"""

from malleposte.wire.imap.engine import Connection
from malleposte.wire.imap.limits import Limits

__all__ = ["Connection", "Limits"]
