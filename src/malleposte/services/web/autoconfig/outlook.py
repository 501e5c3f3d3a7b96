"""Autodiscover of Outlook, with plain XML (MS-OXDSCLI): a document is posted, one comes back.

Errors are documents, too, with status 200: a client of 2007 knows no other.
"""

import datetime
from typing import Final

from malleposte.services.web.autoconfig.markup import BadXml, Element, leaves
from malleposte.services.web.autoconfig.offers import PROTOCOLS, Customer, Offer, Offers

KIND: Final = "text/xml; charset=utf-8"
OUTER: Final = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
SCHEMA: Final = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
NO_SUCH_DOMAIN: Final = 500
INVALID: Final = 600
NO_SUCH_SCHEMA: Final = 601


class Failed(Exception):
    """A request that ends with an error document: its code, and words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


def address_in(document: bytes) -> str:
    """The address that is asked about. Raises ``Failed``."""
    try:
        found = leaves(document)
    except BadXml:
        raise Failed(INVALID, "Invalid Request") from None
    if found.get("AcceptableResponseSchema", SCHEMA) != SCHEMA:
        # Of Exchange ActiveSync, for example, which is not spoken here.
        raise Failed(NO_SUCH_SCHEMA, "Only settings of IMAP, POP3 and SMTP are given here")
    address = found.get("EMailAddress", "")
    if not address:
        raise Failed(INVALID, "Invalid Request: EMailAddress is missing")
    return address


def written(customer: Customer, offers: Offers) -> bytes:
    """The settings of an address; of each protocol the best way, since Outlook looks at one alone."""
    outer = Element("Autodiscover", xmlns=OUTER)
    response = outer.add("Response", xmlns=SCHEMA)
    response.add("User").add("DisplayName", customer.address)
    account = response.add("Account")
    account.add("AccountType", "email")
    account.add("Action", "settings")
    for protocol in PROTOCOLS:
        offer = offers.best(protocol)
        if offer is not None:
            _protocol(account.add("Protocol"), customer, offers.host, offer)
    return outer.document()


def _protocol(protocol: Element, customer: Customer, host: str, offer: Offer) -> None:
    protocol.add("Type", offer.protocol.upper())
    protocol.add("Server", host)
    protocol.add("Port", offer.port)
    protocol.add("DomainRequired", "off")
    protocol.add("LoginName", customer.name)
    protocol.add("SPA", "off")
    protocol.add("SSL", "on")
    # Goes before SSL where it is known; "TLS" is STARTTLS.
    protocol.add("Encryption", "SSL" if offer.implicit else "TLS")
    protocol.add("AuthRequired", "on")
    if offer.protocol == "smtp":
        protocol.add("UsePOPAuth", "off")
        protocol.add("SMTPLast", "off")


def failure(error: Failed) -> bytes:
    """An error document."""
    now = datetime.datetime.now(datetime.UTC)
    outer = Element("Autodiscover", xmlns=OUTER)
    inner = outer.add("Response").add(
        "Error", Time=now.strftime("%H:%M:%S.%f"), Id=str(now.microsecond)
    )
    inner.add("ErrorCode", error.code)
    inner.add("Message", error.words)
    inner.add("DebugData")
    return outer.document()
