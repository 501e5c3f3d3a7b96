"""The records of a domain whose mail this server handles.

Names and values are bare: A-labels in lower case, no last dots, texts without quotes.
"""

import datetime
import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Final, Literal, NamedTuple

from malleposte.delivery.signing.kept import Retired
from malleposte.delivery.signing.keys import SigningKey, record_name
from malleposte.directory.mta_sts import OwnPolicy
from malleposte.operations.zone.certificate import covers

Kind = Literal["MX", "TXT", "CNAME", "SRV", "TLSA"]
Purpose = Literal[
    "mx",
    "spf",
    "dkim",
    "dkim-retired",
    "dmarc",
    "mta-sts",
    "tls-report",
    "tlsa",
    "autoconfig",
    "autodiscover",
    "service",
]
TESTING: Final = OwnPolicy("testing")
NOWHERE: Final = "0 0 0 ."
"""An SRV that says: not offered here (RFC 6186 §3.4)."""
SERVICES: Final = (
    ("submissions", 0),
    ("submission", 10),
    ("imaps", 0),
    ("imap", 10),
    ("pop3s", 0),
    ("pop3", 10),
    ("sieve", 0),
    ("jmap", 0),
    ("carddavs", 0),
)
"""What programs look for (RFC 6186, RFC 8314 §5.1, RFC 5804 §1.8, RFC 8620 §2.2, RFC 6764 §3), with its
priority: TLS from the first octet before STARTTLS."""
_SETTINGS_FILES: Final[tuple[tuple[Purpose, bool, str], ...]] = (
    ("autoconfig", True, "Thunderbird asks without TLS, or guesses"),
    ("autodiscover", False, "Outlook warns, or goes by the record _autodiscover._tcp"),
)
"""First label, whether it is asked without TLS, too, and what becomes of a name that has no certificate."""
_LISTENERS: Final = {"sieve": "managesieve", "jmap": "https", "carddavs": "https"}
"""Services that have another name in the configuration."""


class Wanted(NamedTuple):
    """One record. ``needed``: mail suffers without it; ``remark``: what to know before it is published."""

    purpose: Purpose
    name: str
    kind: Kind
    value: str
    needed: bool = True
    remark: str = ""


def wanted(
    domain: str,
    host: str,
    offered: Mapping[str, int],
    keys: Iterable[SigningKey],
    public: bytes = b"",
    *,
    client_host: str = "",
    names: Collection[str] = (),
    policy: OwnPolicy = TESTING,
    retired: Iterable[Retired] = (),
) -> list[Wanted]:
    """All of them. ``host``: this server's name; ``offered``: ports of services by name; ``public``: the
    key of its certificate, b'' where that is not known. ``client_host``: what mail programs connect to,
    '': the same; ``names``: those that its certificate is for, as far as they are known; ``policy``: of
    MTA-STS; ``retired``: keys whose records mail under way needs."""
    client_host = client_host or host
    reports = f"mailto:postmaster@{domain}"
    records = [Wanted("mx", domain, "MX", f"10 {host}")]
    # ~all and not -all: some servers refuse by SPF alone what DKIM would have vouched for (RFC 9989).
    records.append(Wanted("spf", domain, "TXT", "v=spf1 mx ~all"))
    if host != domain:
        # Bounces have no sender: for them the name in EHLO is looked up (RFC 7208 §2.3).
        records.append(Wanted("spf", host, "TXT", "v=spf1 a -all", needed=False))
    records += [Wanted("dkim", key.name, "TXT", key.record) for key in keys]
    records += [_retired(domain, one) for one in retired if one.record]
    records.append(
        Wanted(
            "dmarc",
            f"_dmarc.{domain}",
            "TXT",
            f"v=DMARC1; p=none; rua={reports}",
            remark="p=quarantine or p=reject once the reports show that all of your mail passes",
        )
    )
    records += [
        *_mta_sts(domain, host, policy, offered, names),
        Wanted(
            "tls-report", f"_smtp._tls.{domain}", "TXT", f"v=TLSRPTv1; rua={reports}", needed=False
        ),
        *_tlsa(host, offered.get("smtp", 0), public),
        *_settings_files(domain, client_host, offered, names),
    ]
    for service, priority in SERVICES:
        port = offered.get(_LISTENERS.get(service, service))
        value = f"{priority} 1 {port} {client_host}" if port else NOWHERE
        records.append(Wanted("service", f"_{service}._tcp.{domain}", "SRV", value, needed=False))
    return records


def _retired(domain: str, key: Retired) -> Wanted:
    day = datetime.datetime.fromtimestamp(key.until, datetime.UTC)
    return Wanted(
        "dkim-retired",
        record_name(domain, key.selector),
        "TXT",
        key.record,
        remark=f"until {day:%Y-%m-%d}, for mail under way that the retired key signed; take it out then",
    )


def _mta_sts(
    domain: str,
    host: str,
    policy: OwnPolicy,
    offered: Mapping[str, int],
    names: Collection[str],
) -> list[Wanted]:
    """The policy's id, and where the policy is."""
    name = f"mta-sts.{domain}"
    remark = ""
    if offered.get("https") != 443:
        remark = (
            f"once https://{name}/.well-known/mta-sts.txt is served: here nothing is, at port 443"
        )
    elif names and not covers(names, name):
        remark = f"the certificate is not for {name}: others would take the policy for none"
    value = f"v=STSv1; id={policy.id(host)}"
    return [
        Wanted("mta-sts", f"_mta-sts.{domain}", "TXT", value, needed=False, remark=remark),
        Wanted("mta-sts", name, "CNAME", host, needed=False, remark=remark),
    ]


def _settings_files(
    domain: str, host: str, offered: Mapping[str, int], names: Collection[str]
) -> list[Wanted]:
    """Where programs ask for their settings: at names that have no port, and Outlook at an SRV record."""
    records: list[Wanted] = []
    secure = offered.get("https", 0)
    for purpose, clear, otherwise in _SETTINGS_FILES:
        if secure != 443 and not (clear and offered.get("http") == 80):
            continue
        name = f"{purpose}.{domain}"
        remark = ""
        if secure == 443 and names and not covers(names, name):
            remark = f"the certificate is not for {name}: {otherwise}"
        records.append(Wanted(purpose, name, "CNAME", host, needed=False, remark=remark))
    if secure:
        # MS-OXDISCO: with it any host will do, one that the certificate is for.
        name = f"_autodiscover._tcp.{domain}"
        records.append(Wanted("service", name, "SRV", f"0 1 {secure} {host}", needed=False))
    return records


def _tlsa(host: str, port: int, public: bytes) -> list[Wanted]:
    """The server's key, so that nobody can pass for it (RFC 7672 §3.1.1): usage 3 needs no authority."""
    if not port or not public:
        return []
    digest = hashlib.sha256(public).hexdigest()
    remark = (
        f"counts only where the zone of {host} is signed (DNSSEC). It names the key of the certificate:"
        " at a change publish the new record first, and take the old one out a day after the change"
    )
    name = f"_{port}._tcp.{host}"
    return [Wanted("tlsa", name, "TLSA", f"3 1 1 {digest}", needed=False, remark=remark)]
