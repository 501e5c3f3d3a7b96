"""Pushes news to clients that are not connected, through their push services (RFC 8030).

``encryption`` and ``vapid`` make what is sent, ``vapid_kept`` keeps the server's key, ``sender`` sends it,
from one worker of all: what was taken is noted, so that nothing that changed stays untold.
"""

from malleposte.services.jmap.webpush.sender import PushSender, SenderSettings
from malleposte.services.jmap.webpush.vapid_kept import VapidKept

__all__ = ["PushSender", "SenderSettings", "VapidKept"]
