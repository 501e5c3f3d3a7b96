"""From the configuration to each service's settings (those every process needs: ``node.settings``)."""

import ipaddress
import os
import sys

from malleposte.delivery.receive import DeliverySettings, Reception
from malleposte.delivery.releasing import Releasing
from malleposte.directory.book import Book
from malleposte.node.config import Configuration
from malleposte.node.config_listeners import Listener
from malleposte.node.settings import hostname
from malleposte.policy.connections import ConnectionSettings
from malleposte.policy.throttle import ThrottleSettings
from malleposte.runtime.logs import LogSettings
from malleposte.runtime.tls import TlsSettings
from malleposte.runtime.upkeep import UpkeepSettings
from malleposte.services.imapd.settings import ImapSettings
from malleposte.services.pop3d.settings import Pop3Settings
from malleposte.services.proxied import IpNetwork
from malleposte.services.sieved.settings import SieveSettings
from malleposte.store import Store
from malleposte.store.incoming import IncomingSettings
from malleposte.wire.imap import Limits as ImapLimits
from malleposte.wire.smtp import Limits as SmtpLimits
from malleposte.wire.smtp import Mode
from malleposte.wire.smtp import Settings as SmtpSettings

MODES = {
    "smtp": Mode.SMTP,
    "lmtp": Mode.LMTP,
    "submission": Mode.SUBMISSION,
    "submissions": Mode.SUBMISSION,
}


def workers(configuration: Configuration) -> int:
    """How many worker processes."""
    return configuration.node.workers or min(8, os.cpu_count() or 1)


def log_settings(configuration: Configuration) -> LogSettings:
    """For ``runtime.logs``."""
    wanted = configuration.log.format
    return LogSettings(
        level=configuration.log.level,
        json=wanted == "json" or (wanted == "auto" and not sys.stderr.isatty()),
    )


def tls_settings(configuration: Configuration) -> TlsSettings:
    """For ``runtime.tls``."""
    return TlsSettings(
        certificate=configuration.certificate_file,
        key=configuration.certificate_key_file,
        look_every=float(configuration.tls.look_every),
    )


def throttle_settings(configuration: Configuration) -> ThrottleSettings:
    """For ``policy.throttle``."""
    return ThrottleSettings(
        delay_limit=float(configuration.signin.delay_limit),
        refusal=float(configuration.signin.refusal),
    )


def network_at_once(configuration: Configuration) -> int:
    """Password computations at a time for one network: enough to keep all threads busy, far from all
    places in the queue."""
    return configuration.signin.threads + 2


def smtp_connections(configuration: Configuration) -> ConnectionSettings:
    """For each of smtp, submission and lmtp."""
    return ConnectionSettings(
        per_network=configuration.smtp.connections_per_address,
        total=configuration.smtp.connections,
        per_account=configuration.smtp.connections_per_account,
    )


def imap_connections(configuration: Configuration) -> ConnectionSettings:
    """For the services of IMAP."""
    return ConnectionSettings(
        per_network=configuration.imap.connections_per_address,
        total=configuration.imap.connections,
    )


def pop3_connections(configuration: Configuration) -> ConnectionSettings:
    """For the services of POP3."""
    return ConnectionSettings(
        per_network=configuration.pop3.connections_per_address,
        total=configuration.pop3.connections,
    )


def managesieve_connections(configuration: Configuration) -> ConnectionSettings:
    """For the services of ManageSieve."""
    return ConnectionSettings(
        per_network=configuration.managesieve.connections_per_address,
        total=configuration.managesieve.connections,
    )


def delivery_settings(configuration: Configuration) -> DeliverySettings:
    """For ``delivery``."""
    return DeliverySettings(
        hostname=hostname(configuration),
        hops=configuration.smtp.received_hops,
        grace=configuration.quota.grace,
    )


def proxies(listener: Listener) -> tuple[IpNetwork, ...]:
    """Who alone may connect to a listener; nobody: everybody."""
    return tuple(map(ipaddress.ip_network, listener.proxies.split()))


def releasing(
    store: Store, reception: Reception, book: Book, configuration: Configuration
) -> Releasing:
    """What files mail that waited for recipients here."""
    return Releasing(store.reader, reception, book, hostname(configuration))


def incoming_settings(configuration: Configuration) -> IncomingSettings:
    """For ``store.incoming``. The largest message that is taken at all fits in every bound."""
    store = configuration.store
    largest = max(configuration.smtp.max_size, configuration.imap.max_append)
    return IncomingSettings(
        total=max(store.incoming, largest),
        per_client=max(store.incoming_per_client, largest),
        seconds=float(store.incoming_time),
    )


def upkeep_settings(configuration: Configuration) -> UpkeepSettings:
    """For ``runtime.upkeep``."""
    store = configuration.store
    return UpkeepSettings(
        sweep_after=store.sweep_after,
        trace_kept=store.trace_kept,
        tombstones=store.tombstones,
        tombstones_kept=store.tombstones_kept,
    )


def future_release(configuration: Configuration) -> int:
    """How long a message can wait before it is sent (seconds), 0: it cannot."""
    sending = configuration.sending
    return sending.future_release if sending.enabled else 0


def smtp_settings(configuration: Configuration, listener: Listener) -> SmtpSettings:
    """For a listener of smtp, submission, submissions or lmtp."""
    mode = MODES[listener.service]
    return SmtpSettings(
        hostname=hostname(configuration),
        mode=mode,
        starttls=listener.tls_mode == "starttls",
        # Strangers are told nothing: a forged sender would be told of what he never sent.
        dsn=mode is Mode.SUBMISSION,
        future_release=future_release(configuration),
    )


def imap_settings(configuration: Configuration, listener: Listener) -> ImapSettings:
    """For a listener of imap or imaps."""
    imap = configuration.imap
    return ImapSettings(
        limits=ImapLimits(
            append_bytes=imap.max_append,
            string_bytes=imap.max_literal,
            line_bytes=imap.max_line,
            command_bytes=imap.max_line + imap.max_literal,
        ),
        starttls=listener.tls_mode == "starttls",
        sign_in_timeout=float(imap.signin_timeout),
        idle_timeout=float(imap.idle_timeout),
        sessions_per_account=imap.connections_per_account,
        recoverable=configuration.store.recoverable,
        anyone=configuration.sharing.anyone,
    )


def pop3_settings(configuration: Configuration, listener: Listener) -> Pop3Settings:
    """For a listener of pop3 or pop3s."""
    return Pop3Settings(
        hostname=hostname(configuration),
        stls=listener.tls_mode == "starttls",
        sign_in_timeout=float(configuration.pop3.signin_timeout),
        idle_timeout=float(configuration.pop3.idle_timeout),
        recoverable=configuration.store.recoverable,
    )


def sieve_settings(configuration: Configuration, listener: Listener) -> SieveSettings:
    """For a listener of managesieve."""
    return SieveSettings(
        hostname=hostname(configuration),
        starttls=listener.tls_mode == "starttls",
        sign_in_timeout=float(configuration.managesieve.signin_timeout),
        idle_timeout=float(configuration.managesieve.idle_timeout),
    )


def smtp_limits(configuration: Configuration) -> SmtpLimits:
    """For every listener of SMTP."""
    smtp = configuration.smtp
    return SmtpLimits(
        message=smtp.max_size,
        recipients=smtp.max_recipients,
        errors=smtp.max_errors,
        command_seconds=float(smtp.command_timeout),
        content_idle_seconds=float(smtp.data_timeout),
        content_seconds=float(smtp.transaction_timeout),
    )
