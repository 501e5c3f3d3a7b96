"""A configuration profile for the mail programs of Apple: one account, without its password.

Installed by a person, who sees who signed it (``runtime.tls_signing``) and is asked for the password. Made
again for an address it has the same identifiers, so that it takes the place of the earlier one.
"""

import plistlib
import uuid
from typing import Final

from malleposte.services.web.autoconfig.offers import Customer, Offers

KIND: Final = "application/x-apple-aspen-config"


def written(customer: Customer, offers: Offers) -> bytes | None:
    """The profile; None where there is nothing to read mail by, or to send it."""
    incoming = offers.best("imap") or offers.best("pop3")
    outgoing = offers.best("smtp")
    if incoming is None or outgoing is None:
        return None
    account = {
        "PayloadType": "com.apple.mail.managed",
        "PayloadVersion": 1,
        **_named(customer, offers.host, "account"),
        "PayloadDisplayName": customer.address,
        "EmailAccountType": "EmailTypeIMAP" if incoming.protocol == "imap" else "EmailTypePOP",
        "EmailAccountDescription": customer.shown,
        "EmailAddress": customer.address,
        "IncomingMailServerAuthentication": "EmailAuthPassword",
        "IncomingMailServerHostName": offers.host,
        "IncomingMailServerPortNumber": incoming.port,
        "IncomingMailServerUseSSL": True,
        "IncomingMailServerUsername": customer.name,
        "OutgoingMailServerAuthentication": "EmailAuthPassword",
        "OutgoingMailServerHostName": offers.host,
        "OutgoingMailServerPortNumber": outgoing.port,
        "OutgoingMailServerUseSSL": True,
        "OutgoingMailServerUsername": customer.name,
        "OutgoingPasswordSameAsIncomingPassword": True,
    }
    profile = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        **_named(customer, offers.host, "profile"),
        "PayloadDisplayName": f"{customer.shown}: {customer.address}",
        "PayloadDescription": f"Mail of {customer.address}",
        "PayloadOrganization": customer.shown,
        "PayloadContent": [account],
    }
    return plistlib.dumps(profile, sort_keys=False)


def _named(customer: Customer, host: str, part: str) -> dict[str, str]:
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"mailto:{customer.address}#{part}@{host}")
    reversed_host = ".".join(reversed(host.split(".")))
    return {
        "PayloadIdentifier": f"{reversed_host}.mail.{identity}",
        "PayloadUUID": str(identity).upper(),
    }
