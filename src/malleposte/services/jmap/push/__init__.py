"""News: that something changed, never what (RFC 8620 §7, RFC 8887).

``streams`` are those who are told while connected, by ``event_source`` or ``websocket``; ``subscriptions``
are kept for those who are told otherwise (``webpush``).
"""

from malleposte.services.jmap.push.opening import EVENTS, SOCKET, News
from malleposte.services.jmap.push.streams import Streams
from malleposte.services.jmap.push.subscriptions import METHODS

__all__ = ["EVENTS", "METHODS", "SOCKET", "News", "Streams"]
