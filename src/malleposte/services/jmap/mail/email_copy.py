"""Email/copy (RFC 8621 §4.7): emails of one account into another, with keywords and dates of their own."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from malleposte.services.jmap import setting
from malleposte.services.jmap.access import Access
from malleposte.services.jmap.arguments import Copy, Set
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError, SetError, invalid
from malleposte.services.jmap.mail import email_set, filing
from malleposte.services.jmap.mail.names import MAIL
from malleposte.services.jmap.times import seconds_of
from malleposte.store.commands import MAX_ROWS, CopyEmails, EmailCopy
from malleposte.store.ids import EMAIL_LETTER, LOW, account_of, email_text, id_number
from malleposte.store.read import emails, mailboxes
from malleposte.store.results import EmailsCopied, Refused

PROPERTIES: Final = frozenset(("id", "mailboxIds", "keywords", "receivedAt"))


async def accounts(context: Context, source: str, target: str) -> tuple[Access, Access]:
    """What is copied from, and to. Raises ``MethodError`` (RFC 8620 §5.4)."""
    try:
        from_ = await context.access(source)
    except MethodError:
        raise MethodError("fromAccountNotFound") from None
    to = await context.access(target)
    if from_.account == to.account:
        raise MethodError("invalidArguments", "Objects are copied from one account to another")
    return from_, to


async def copy(context: Context, arguments: Copy) -> Answer:
    """See the module."""
    source, target = await accounts(context, arguments.from_account_id, arguments.account_id)
    if target.read_only:
        raise MethodError("accountReadOnly")
    setting.check_count(len(arguments.create), context.settings)
    reader = context.store.reader
    from_modseq = await mailboxes.modseq(reader, source.account)
    setting.check_state(arguments.if_from_in_state, source.state(from_modseq))
    modseq = await mailboxes.modseq(reader, target.account)
    old = target.state(modseq)
    setting.check_state(arguments.if_in_state, old)
    run = _Run(context, source, target)
    run.if_modseq = modseq if arguments.if_in_state is not None else None
    run.if_source_modseq = from_modseq if arguments.if_from_in_state is not None else None
    for id_, properties in arguments.create.items():
        run.gather(id_, properties)
    await run.carry_out()
    answer: dict[str, Any] = {
        "fromAccountId": arguments.from_account_id,
        "accountId": arguments.account_id,
        "oldState": old,
        "newState": target.state(await mailboxes.modseq(reader, target.account)),
        "created": await run.described() or None,
        "notCreated": setting.shown(run.failed),
    }
    originals = [email_text(copy.email) for id_, copy in run.copies.items() if id_ in run.made]
    if not arguments.on_success_destroy_original or not originals:
        return answer
    implied = Set(
        account_id=arguments.from_account_id,
        if_in_state=arguments.destroy_from_if_in_state,
        destroy=list(dict.fromkeys(originals)),
    )
    try:
        destroyed = await email_set.set_(context, implied)
    except MethodError as error:
        # What was copied is told all the same.
        return [("Email/copy", answer, ""), ("error", error.arguments(), "")]
    assert isinstance(destroyed, dict)
    return [("Email/copy", answer, ""), ("Email/set", destroyed, "")]


class _Run:
    """One call."""

    def __init__(self, context: Context, source: Access, target: Access) -> None:
        self.copies: dict[str, EmailCopy] = {}
        self.made: dict[str, int] = {}
        self.failed: dict[str, SetError] = {}
        self.if_modseq: int | None = None
        self.if_source_modseq: int | None = None
        self._context = context
        self._source = source
        self._target = target

    def gather(self, id_: str, properties: Mapping[str, Any]) -> None:
        """Take up one object of ``create``."""
        try:
            self.copies[id_] = self._copy(properties)
        except SetError as error:
            self.failed[id_] = error

    def _copy(self, properties: Mapping[str, Any]) -> EmailCopy:
        unknown = [name for name in properties if name not in PROPERTIES]
        if unknown:
            raise invalid("Nothing else of a copy is to be given", *unknown[:20])
        given = properties.get("id")
        if not isinstance(given, str):
            raise invalid("The id of the original is missing", "id")
        email = id_number(EMAIL_LETTER, self._context.id_of(given))
        if account_of(email) != self._source.account:
            raise SetError("notFound")
        boxes = filing.mailboxes_of(
            self._context, self._target.account, properties.get("mailboxIds")
        )
        flags: int | None = None
        words: tuple[str, ...] = ()
        if properties.get("keywords") is not None:
            flags, words = filing.keywords_of(properties["keywords"])
        received = None
        if properties.get("receivedAt") is not None:
            try:
                received = seconds_of(properties["receivedAt"])
            except (ValueError, TypeError) as error:
                raise invalid(str(error), "receivedAt") from None
        return EmailCopy(
            email=email, mailboxes=boxes, flags=flags, words=words, received_at=received
        )

    async def carry_out(self) -> None:
        """Have the store copy what was gathered, a command's worth at a time."""
        some: list[str] = []
        weight = 0
        for id_, copy in self.copies.items():
            if weight + len(copy.mailboxes) > MAX_ROWS and some:
                await self._submit(some)
                some, weight = [], 0
            some.append(id_)
            weight += len(copy.mailboxes)
        if some:
            await self._submit(some)

    async def _submit(self, ids: Sequence[str]) -> None:
        command = CopyEmails(
            actor=self._context.actor,
            source=self._source.account,
            account=self._target.account,
            copies=tuple(self.copies[id_] for id_ in ids),
            if_modseq=self.if_modseq,
            if_source_modseq=self.if_source_modseq,
        )
        try:
            result = await self._context.submit(command)
        except filing.FAILURES as error:
            self.failed |= dict.fromkeys(ids, filing.failure(error))
            return
        if isinstance(result, Refused):
            if result.reason in ("changed", "source-changed"):
                raise MethodError("stateMismatch")
            self.failed |= dict.fromkeys(ids, filing.refusal(result))
            return
        assert isinstance(result, EmailsCopied)
        self.if_modseq = self.if_source_modseq = None  # what follows comes upon this
        for at, reason, text in result.refused:
            self.failed[ids[at]] = filing.refused(reason, text)
        for id_, email in zip(ids, result.emails, strict=True):
            if email:
                self.made[id_] = email
                self._context.created[id_] = email_text(email)

    async def described(self) -> dict[str, Any]:
        """What a client is told of the copies."""
        account = self._target.account
        numbers = sorted(email & LOW for email in self.made.values())
        rows = []
        if numbers:
            rows = await emails.columns_of(
                self._context.store.reader, account, numbers, ("e.size",)
            )
        sizes = {account << 32 | number: size for number, size in rows}
        filed = {id_: (email, sizes.get(email, 0)) for id_, email in self.made.items()}
        return await filing.described(self._context, account, filed)


METHODS: Final = {"Email/copy": Method(MAIL, Copy, copy)}
