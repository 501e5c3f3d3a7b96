"""What a call is carried out in: who asks, what stands behind, and ids that the client has yet to learn."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from malleposte.delivery.receive import Reception
from malleposte.delivery.sieving.checking import Checker
from malleposte.directory.book import Account, Book
from malleposte.directory.senders import Senders
from malleposte.policy.hourly import Hourly
from malleposte.services.jmap.access import Access, access_to
from malleposte.services.jmap.errors import MethodError, NotOwn, SetError
from malleposte.services.jmap.requests import Invocation
from malleposte.services.jmap.settings import JmapSettings
from malleposte.services.jmap.view.names import VIEW
from malleposte.store import Store
from malleposte.store.commands import AnyCommand
from malleposte.store.ids import account_number
from malleposte.store.results import AnyResult

if TYPE_CHECKING:
    from malleposte.services.jmap.view.safe_texts import OfAccount, SafeTexts


async def _no_session() -> Mapping[str, Any]:
    return {"accounts": {}, "state": ""}


@dataclass(slots=True)
class Context:
    """One request's. ``created``: ids by creation id (RFC 8620 §3.3)."""

    account: Account
    """Who asks."""
    store: Store
    book: Book
    settings: JmapSettings
    reception: Reception
    """What takes mail that is submitted."""
    peer: str = ""
    """From where."""
    using: frozenset[str] = frozenset()
    created: dict[str, str] = field(default_factory=dict)
    texts: "SafeTexts | None" = None
    """What makes HTML safe, where there is that."""
    asked_by: Callable[[], Awaitable[str]] | None = None
    """Says by what is asked: see ``credential``."""
    checker: Checker | None = None
    """Checks Sieve scripts, a few at a time; None: as many as ask."""
    changes_of_rights: Hourly | None = None
    """Counts them, by who makes them."""
    session: Callable[[], Awaitable[Mapping[str, Any]]] = _no_session
    """Gives the session object."""

    @property
    def actor(self) -> int:
        """The number of who asks."""
        return self.account.id

    @property
    def senders(self) -> Senders:
        """Who may send as whom."""
        return self.reception.senders

    def own(self, account: str) -> int:
        """The number of an account that must be the asking one's own: for what others are never given.
        Raises ``MethodError``."""
        number = account_number(account)
        if number != self.account.id:
            raise NotOwn(account)
        return number

    async def access(self, account: str) -> Access:
        """An account of which mail is asked for: one's own, or one in which others gave something (RFC
        9670 §1). Read anew for each call: rights end with the next one. Raises ``MethodError``."""
        return await access_to(self.store, self.account.id, account)

    async def writing(self, account: str) -> Access:
        """The same, of a call that changes mail. Raises ``MethodError`` where all there is can but be read
        (RFC 8620 §3.6.2)."""
        found = await self.access(account)
        if found.read_only:
            raise MethodError("accountReadOnly")
        return found

    def id_of(self, reference: str) -> str:
        """An id as a client may write it in a ``set``: ``#`` and a creation id, or the id itself. Raises
        ``SetError``."""
        if not reference.startswith("#"):
            return reference
        try:
            return self.created[reference[1:]]
        except KeyError:
            raise SetError(
                "invalidProperties", f"Nothing was created as {reference[1:]!r}"
            ) from None

    def safely(self, wanted: bool) -> "OfAccount | None":
        """What makes HTML safe for who asks, if that is wanted. Raises ``MethodError``."""
        if not wanted:
            return None
        if self.texts is None or VIEW not in self.using:
            raise MethodError("invalidArguments", f"makeHTMLSafe is for requests that use {VIEW}")
        return self.texts.of(self.actor)

    async def credential(self) -> str:
        """By what is asked: a session, an app password, a password, as a text; what hangs on it ends with
        it. Raises ``MethodError``."""
        if self.asked_by is None:
            raise MethodError("forbidden", "Nothing can hang on this way to sign in")
        return await self.asked_by()

    async def submit(self, command: AnyCommand, fd: int | None = None) -> AnyResult:
        """Execute a command durably."""
        return await self.store.submit(command, fd)


Answer = dict[str, Any] | list[Invocation]
"""The answer of a call: its arguments, or several answers with their names (their ids are set after)."""
Handler = Callable[[Context, Any], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Method:
    """A method: the capability it belongs to, the type of its arguments, and what carries it out."""

    capability: str
    arguments: type[msgspec.Struct] | None
    handler: Handler
