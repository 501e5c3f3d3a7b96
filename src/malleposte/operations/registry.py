"""Every operation by name: its types, its function, how it is audited.

An operation's module declares it with ``operation``; ``operations`` loads them all. The name is also
what ``policy`` is asked for.
"""

import functools
import importlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec

from malleposte.operations.context import Context
from malleposte.operations.exchange import Exchange
from malleposte.policy.audit import Detail

Audit = Literal["always", "refused", "own"]
"""``always``: a line a call. Where the operation changes anything, it goes with its one act
(``Context.carry_out``), or says before the first of many steps that it is begun (``Context.begin``).
``refused``: only when it was refused (harmless reads); ``own``: the function has a line for each thing
it does, the wrapper only writes what it refused."""

MODULES = (
    "accounts",
    "accounts_many",
    "aliases",
    "audit_list",
    "contacts",
    "credentials",
    "devices",
    "dkim",
    "domain_mta_sts",
    "domain_records",
    "domain_routes",
    "domains",
    "forwards",
    "groups",
    "mail_export",
    "mail_import",
    "mail_recover",
    "mailbox_merge",
    "mailboxes",
    "node_key",
    "queue",
    "queue_acts",
    "relays",
    "roles",
    "sending",
    "server_examine",
    "sieve",
    "sieve_forms",
    "store_fsck",
    "store_render",
    "store_renew",
    "tls",
    "traces",
)


class Subject(NamedTuple):
    """What a request is about, for permission and audit."""

    kind: Literal["account", "alias", "domain", "server"]
    name: str


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all requests."""

    def subject(self) -> Subject:
        """What the request is about."""
        return Subject("server", "this server")

    def details(self) -> dict[str, Detail]:
        """What the audit keeps of it; nothing secret."""
        return {}


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all responses."""

    def outcome(self) -> dict[str, Detail]:
        """What the audit keeps of it; nothing secret."""
        return {}


RequestT = TypeVar("RequestT", bound=Request)
ResponseT = TypeVar("ResponseT", bound=Response)
Run = Callable[[Context, Any, Any], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operator action. ``streams``: it exchanges parcels with its caller."""

    name: str
    request: type[Request]
    response: type[Response]
    run: Run
    audit: Audit = "always"
    streams: bool = False


_known: dict[str, Operation] = {}


def operation(
    name: str,
    request: type[RequestT],
    response: type[ResponseT],
    *,
    audit: Audit = "always",
    streams: bool = False,
) -> Callable[
    [Callable[[Context, RequestT, Exchange], Awaitable[ResponseT]]],
    Callable[[Context, RequestT, Exchange], Awaitable[ResponseT]],
]:
    """Declare the function below as an operation."""

    def declare(
        run: Callable[[Context, RequestT, Exchange], Awaitable[ResponseT]],
    ) -> Callable[[Context, RequestT, Exchange], Awaitable[ResponseT]]:
        if name in _known:
            raise ValueError(f"two operations are named {name}")
        _known[name] = Operation(name, request, response, run, audit, streams)
        return run

    return declare


@functools.cache
def operations() -> Mapping[str, Operation]:
    """All of them, by name."""
    for module in MODULES:
        importlib.import_module(f"malleposte.operations.{module}")
    return MappingProxyType(_known)
