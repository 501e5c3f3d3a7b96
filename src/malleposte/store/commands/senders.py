"""Who may send what: limits, rights on addresses, networks of devices."""

from malleposte.store.commands.base import Command


class SetSendLimit(Command, frozen=True, array_like=True, kw_only=True):
    """How much an account or a domain (``kind`` as of ``Allowance``) may send: ``messages`` an hour, to
    ``recipients`` a day; 0: without a limit, -1: as the configuration says. ``until``: Unix seconds, 0 for
    good. Answer: ``Done``."""

    kind: int
    id: int
    messages: int = -1
    recipients: int = -1
    until: int = 0


class SetSendRight(Command, frozen=True, array_like=True, kw_only=True):
    """Let an account send from an address that is not its own. ``way``: ``as`` in its name, ``behalf``
    with itself in Sender; '' not any more. Answer: ``Done``, whose ``count`` is 1 where it changed."""

    address: str
    account: int
    way: str
    by: str = ""


class SetNetworks(Command, frozen=True, array_like=True, kw_only=True):
    """The networks (in their shortest form) from which a device sends without a password, in place of
    those before. Answer: ``Done``."""

    account: int
    networks: tuple[str, ...]
