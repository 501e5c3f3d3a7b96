"""From the configuration to the settings that every process needs, the command line's too.

What only the server's processes need is in ``node.wiring``: it brings in every service, which would
double the time of each command.
"""

import functools
import ipaddress
import os
import socket
from types import MappingProxyType
from typing import TYPE_CHECKING

from malleposte.node.config import Configuration
from malleposte.node.offered import offered_ports
from malleposte.operations.context import OperationSettings, Outward
from malleposte.policy.sending import SendLimit, SendLimits
from malleposte.runtime.passwords import PasswordSettings

if TYPE_CHECKING:
    from malleposte.delivery.outbound.settings import RelaySettings
    from malleposte.secrets.sealing import KeyRing

ON_THE_WAY = 2 * 86_400
"""Seconds that mail spends at other servers after ours gave it away, as a rule."""


def hostname(configuration: Configuration) -> str:
    """This server's public name."""
    return configuration.node.hostname or socket.getfqdn()


def password_settings(configuration: Configuration) -> PasswordSettings:
    """For ``runtime.passwords``."""
    signin = configuration.signin
    return PasswordSettings(
        memory_kib=signin.argon2_memory // 1024,
        iterations=signin.argon2_iterations,
        parallelism=signin.argon2_parallelism,
        threads=signin.threads,
        waiting=signin.waiting,
    )


def operation_settings(configuration: Configuration, *, alone: bool = False) -> OperationSettings:
    """For ``operations``; ``alone``: no server runs beside, and the store is this process's own."""
    return OperationSettings(
        hostname=hostname(configuration),
        quota=configuration.quota.default,
        recoverable=configuration.store.recoverable,
        alone=alone and configuration.store.backend == "sqlite",
        ring=functools.partial(key_ring, configuration),
        offered=MappingProxyType(offered_ports(configuration)),
        client_host=configuration.autoconfig.host.lower(),
        resolvers=tuple(configuration.sending.resolvers.split()),
        resolver_port=configuration.sending.resolver_port,
        dane=configuration.sending.dane,
        mta_sts=configuration.sending.mta_sts,
        certificate=configuration.certificate_file,
        send_limits=send_limits(configuration),
        under_way=configuration.sending.lifetime
        + configuration.sending.future_release
        + ON_THE_WAY,
        outward=_outward(configuration),
        smart_host=functools.partial(_smart_host, configuration),
        sends=configuration.sending.enabled,
    )


def _smart_host(configuration: Configuration) -> "RelaySettings | None":
    # What sends takes its time to load, and few commands need it.
    from malleposte.node.outbound import smart_host

    return smart_host(configuration)


def _outward(configuration: Configuration) -> Outward:
    wanted = configuration.sending
    return Outward(
        direct=wanted.enabled and not wanted.smart_host,
        port=wanted.port,
        ipv4=wanted.ipv4,
        ipv6=wanted.ipv6,
        source_ipv4=wanted.source_ipv4,
        source_ipv6=wanted.source_ipv6,
        allowed=tuple(ipaddress.ip_network(one) for one in wanted.networks.split()),
        probes=tuple(wanted.port_probes.split()),
        block_lists=tuple(wanted.block_lists.split()),
    )


def send_limits(configuration: Configuration) -> SendLimits:
    """What accounts and domains may send that have no limits of their own."""
    wanted = configuration.sending
    return SendLimits(
        SendLimit(wanted.account_messages, wanted.account_recipients),
        SendLimit(wanted.domain_messages, wanted.domain_recipients),
    )


def key_ring(configuration: Configuration) -> "KeyRing":
    """This node's keys. Raises ``NodeKeyError``."""
    # Cryptography takes its time to load, and few commands need it.
    from malleposte.secrets.node_key import load_key_ring

    return load_key_ring(configuration.node_key_file, os.environ)
