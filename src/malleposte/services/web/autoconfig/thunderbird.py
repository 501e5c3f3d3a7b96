"""The settings file of Thunderbird and those who read it, too (K-9, Evolution, KMail, FairEmail).

Its format is Mozilla's "config-v1.1"; what is between percent signs is put in by the program, so that the
file is the same for everybody in a domain.
"""

from typing import Final

from malleposte.services.web.autoconfig.markup import Element
from malleposte.services.web.autoconfig.offers import Customer, Offer, Offers

KIND: Final = "text/xml; charset=utf-8"


def written(customer: Customer, offers: Offers) -> bytes:
    """The file."""
    config = Element("clientConfig", version="1.1")
    provider = config.add("emailProvider", id=customer.domain)
    provider.add("domain", customer.domain)
    provider.add("displayName", customer.shown)
    provider.add("displayShortName", customer.shown)
    name = "%EMAILADDRESS%"
    if customer.signs_in_at != customer.domain:
        name = f"%EMAILLOCALPART%@{customer.signs_in_at}"
    for protocol in ("imap", "pop3"):
        for offer in offers.of(protocol):
            _server(provider.add("incomingServer", type=protocol), offers.host, offer, name)
    for offer in offers.of("smtp"):
        _server(provider.add("outgoingServer", type="smtp"), offers.host, offer, name)
    return config.document()


def _server(server: Element, host: str, offer: Offer, name: str) -> None:
    server.add("hostname", host)
    server.add("port", offer.port)
    server.add("socketType", "SSL" if offer.implicit else "STARTTLS")
    # The password itself, inside TLS.
    server.add("authentication", "password-cleartext")
    server.add("username", name)
