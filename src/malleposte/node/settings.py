"""From the configuration to the settings that every process needs, the command line's too.

What only the server's processes need is in ``node.wiring``: it brings in every service, which would
double the time of each command.
"""

import socket

from malleposte.node.config import Configuration
from malleposte.operations.context import OperationSettings
from malleposte.runtime.passwords import PasswordSettings


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
    )
