"""What others are told that this server offers: by SRV records, and by the settings files of mail programs.

A service is offered where it listens beyond loopback, or where a port from outside is set for it
(``[autoconfig]``). A server all of whose services are on loopback, a demo, offers programs on its own
machine what is there; the DNS is told nothing of it.
"""

import ipaddress
from typing import NamedTuple
from urllib.parse import urlsplit

from malleposte.node.config import Configuration
from malleposte.node.config_listeners import USUAL_TLS, Listener, TlsMode
from malleposte.node.config_web import CLIENT_SERVICES, ClientService


class Offered(NamedTuple):
    """A service for mail programs, its port as it is reached, and how TLS begins there."""

    service: ClientService
    port: int
    tls: TlsMode


def offered_ports(configuration: Configuration) -> dict[str, int]:
    """Ports of the services that other machines can reach, by name."""
    found: dict[str, int] = {}
    for listener in configuration.listeners:
        if listener.port_number and not _loopback(listener):
            found.setdefault(listener.service, listener.port_number)
    for service in CLIENT_SERVICES:
        if port := _outside(configuration, service):
            found[service] = port
    if configuration.web.url.startswith("https://"):
        found["https"] = urlsplit(configuration.web.url).port or 443
    return found


def offered_to_programs(configuration: Configuration) -> tuple[Offered, ...]:
    """What runs under TLS for mail programs. Nobody can sign in without."""
    by_name: dict[str, list[Listener]] = {}
    for listener in configuration.listeners:
        by_name.setdefault(listener.service, []).append(listener)
    beyond = not _all_on_loopback(configuration)
    found = []
    for service in CLIENT_SERVICES:
        listeners = by_name.get(service, [])
        outside = _outside(configuration, service)
        if outside:
            modes = [one.tls_mode for one in listeners] or [USUAL_TLS[service]]
            found.append(Offered(service, outside, modes[0]))
            continue
        for one in listeners:
            if one.port_number and not (beyond and _loopback(one)):
                found.append(Offered(service, one.port_number, one.tls_mode))
                break
    return tuple(one for one in found if one.tls != "none")


def client_host(configuration: Configuration, hostname: str) -> str:
    """The name that mail programs connect to."""
    if configuration.autoconfig.host:
        return configuration.autoconfig.host.lower()
    return "localhost" if _all_on_loopback(configuration) else hostname.lower().rstrip(".")


def web_url(configuration: Configuration, host: str) -> str:
    """Where the pages are reached, '' where there are none. ``host``: that of ``client_host``."""
    if configuration.web.url:
        return configuration.web.url
    for service, usual in (("https", 443), ("http", 80)):
        for listener in configuration.listeners:
            if listener.service == service and listener.port_number:
                port = listener.port_number
                return f"{service}://{host}" + ("" if port == usual else f":{port}")
    return ""


def _outside(configuration: Configuration, service: ClientService) -> int:
    port: int = getattr(configuration.autoconfig, service)
    return port


def _all_on_loopback(configuration: Configuration) -> bool:
    listeners = [one for one in configuration.listeners if one.port_number]
    return bool(listeners) and all(map(_loopback, listeners))


def _loopback(listener: Listener) -> bool:
    return listener.address != "*" and ipaddress.ip_address(listener.address).is_loopback
