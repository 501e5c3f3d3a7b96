"""The DNS as an operation asks it: the resolvers that sending uses, with short deadlines, so that an
operator sees within seconds what cannot be asked."""

from malleposte.delivery.outbound.resolver import DnsSettings
from malleposte.delivery.signing.lookup import LiveRecords
from malleposte.operations.context import OperationSettings

SECONDS = 4.0
"""For one look-up; twice that where the resolver drops EDNS."""


def dns_settings(settings: OperationSettings) -> DnsSettings:
    """Deadlines of an operation."""
    return DnsSettings(
        servers=settings.resolvers,
        port=settings.resolver_port,
        seconds=SECONDS,
        each=SECONDS / 2,
    )


def live(settings: OperationSettings) -> LiveRecords:
    """Answers of now; nothing is remembered."""
    return LiveRecords(dns_settings(settings))
