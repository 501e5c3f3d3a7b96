"""From the queue to other servers: routes, names, connections, outcomes.

``Dispatcher`` takes recipients that are due and hands them to ``Destination``s (one for each set of
servers), whose lanes keep a ``Connection`` each; what became of a try goes through ``Recorder`` into the
store. Nothing is known here of what is said to senders: the caller gives a function for that.
"""

from .dispatcher import Dispatcher
from .recorder import Reporting, Settled
from .resolver import DnsSettings, Resolver
from .settings import (
    HERE,
    OutboundSettings,
    RelaySettings,
    Routing,
    Timeouts,
)
from .tls import Policies, TlsPolicy

__all__ = [
    "HERE",
    "Dispatcher",
    "DnsSettings",
    "OutboundSettings",
    "Policies",
    "RelaySettings",
    "Reporting",
    "Resolver",
    "Routing",
    "Settled",
    "Timeouts",
    "TlsPolicy",
]
