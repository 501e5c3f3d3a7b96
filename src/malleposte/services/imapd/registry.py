"""Which handler does which command.

A handler takes the session and the command and returns the tagged response; None where the command is
answered already. An extension is a module with its ``HANDLERS``, named here.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from malleposte.services.imapd import (
    appending,
    compressing,
    copying,
    fetch,
    general,
    idle,
    listing,
    mailbox_commands,
    metadata,
    notifying,
    quotas,
    replacing,
    rights,
    searching,
    select,
    signin,
    sorting,
    status,
    storing,
    threads,
)
from malleposte.wire.imap.commands.append import Append
from malleposte.wire.imap.commands.auth import Authenticate, Login, StartTls
from malleposte.wire.imap.commands.base import Command
from malleposte.wire.imap.commands.compress import Compress
from malleposte.wire.imap.commands.fetch import Fetch
from malleposte.wire.imap.commands.replace import Replace
from malleposte.wire.imap.commands.search import Search
from malleposte.wire.imap.commands.select import Examine, Select, Unselect
from malleposte.wire.imap.commands.session import Capability, Enable, Id, Logout
from malleposte.wire.imap.commands.sort import Sort
from malleposte.wire.imap.commands.store import Store
from malleposte.wire.imap.commands.thread import Thread
from malleposte.wire.imap.events import AppendStart

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

Handler = Callable[["Session", Any], Awaitable[bytes | None]]
StreamingHandler = Callable[["Session", AppendStart], Awaitable[None]]

_MODULES: Final = (
    general,
    compressing,
    signin,
    select,
    mailbox_commands,
    rights,
    listing,
    metadata,
    quotas,
    status,
    fetch,
    storing,
    copying,
    searching,
    sorting,
    threads,
    idle,
    notifying,
)

HANDLERS: Final[dict[type[Command], Handler]] = {
    command: handler for module in _MODULES for command, handler in module.HANDLERS.items()
}

STREAMING: Final[dict[type[Command], StreamingHandler]] = {
    Append: appending.append,
    Replace: replacing.replace,
}
"""Commands with messages in them: called when the first is announced."""

BLIND: Final[frozenset[type[Command]]] = frozenset(
    {
        Authenticate,
        Capability,
        Compress,
        Enable,
        Examine,
        Id,
        Login,
        Logout,
        Select,
        StartTls,
        Unselect,
    }
)
"""Commands that do not look at the selected mailbox."""

_NUMBERED: Final[frozenset[type[Command]]] = frozenset({Fetch, Search, Sort, Store, Thread})


def may_expunge(command: Command) -> bool:
    """Whether EXPUNGE may be sent while the command runs: not where the next command, already on its
    way, may count messages by what the client knew (RFC 9051 §7.5.1)."""
    return type(command) not in _NUMBERED or bool(getattr(command, "uid", False))
