"""COMPRESS=DEFLATE (RFC 4978); the work is done by the connection (``services.compression``)."""

from typing import TYPE_CHECKING, Final

from malleposte.services.imapd.replies import Refuse
from malleposte.wire.imap import codes, responses
from malleposte.wire.imap.commands.compress import Compress

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session


async def compress(session: "Session", command: Compress) -> None:
    """RFC 4978 §3: all that follows the tagged OK is compressed, both ways."""
    connection, engine = session.connection, session.engine
    if command.algorithm != b"DEFLATE":
        raise Refuse("DEFLATE is the only algorithm", bad=True)
    if connection.compressed:
        # Also where TLS does it: twice would only cost.
        raise Refuse("The connection is compressed already", codes.COMPRESSIONACTIVE)
    if engine.unread or connection.has_input:
        # Compressed or not? Nobody can tell.
        raise Refuse("Nothing may be sent before the answer to COMPRESS", bad=True)
    session.send(responses.ok(command.tag, "Compressed from here on"))
    session.flush()
    connection.compress()
    engine.command_done()


HANDLERS: Final = {Compress: compress}
