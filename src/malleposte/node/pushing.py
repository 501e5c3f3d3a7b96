"""News of JMAP in a worker: who is told while connected, and what pushes to those who are not."""

import os
from collections.abc import Callable

from malleposte.egress.settings import EgressPolicy
from malleposte.node.config import Configuration
from malleposte.node.outbound import outbound_settings
from malleposte.node.settings import hostname, key_ring
from malleposte.runtime.push import PushHub
from malleposte.services.jmap.push import News, Streams
from malleposte.services.jmap.webpush import PushSender, SenderSettings, VapidKept
from malleposte.services.web.authentication import Authentication

SECONDS = 10.0
"""That a push service may take: other pushes wait for it."""


def news(
    configuration: Configuration,
    authentication: Authentication,
    hub: PushHub,
    stopping: Callable[[], bool],
) -> tuple[News, PushSender]:
    """Both; their ``streams.run`` and ``run`` go on beside the listeners."""
    store, host = authentication.store, hostname(configuration)
    kept = VapidKept(store, lambda: key_ring(configuration), f"mailto:postmaster@{host}")
    policy = EgressPolicy(
        # Push services of one's own network, where the administrator lets mail go there, too.
        allowed=outbound_settings(configuration).allowed,
        ports=frozenset(range(1, 65_536)),
        plain_http=False,
        max_body=64 * 1024,
        total_timeout=SECONDS,
    )
    sender = PushSender(
        store, authentication.book, kept, f"{host}:{os.getpid()}", SenderSettings(policy)
    )
    return News(Streams(store, hub, stopping), authentication.why_not, kept), sender
