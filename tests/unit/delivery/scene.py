"""Three accounts, and messages that come for them, whose owners' scripts run."""

import time

from malleposte.delivery.leaving import Sending
from malleposte.delivery.listing import Listed
from malleposte.delivery.outbound import Routing
from malleposte.delivery.passing import Passing
from malleposte.delivery.rewriting import Rewriter
from malleposte.delivery.sieving import Arrival, Plan, Redirecting, Sieving, SievingSettings
from malleposte.delivery.spool import Spool, prepare
from malleposte.delivery.verdict import FILED, Recipient
from malleposte.directory.book import Book
from malleposte.directory.senders import Senders
from malleposte.store import Store
from malleposte.store.commands import (
    CreateAccount,
    CreateDomain,
    CreateMailbox,
    Deliver,
    Filing,
    PutForm,
    PutScript,
    SetAlias,
    TakeQueued,
)
from malleposte.store.read import emails, mailboxes
from malleposte.store.results import Created, Delivered, Done, Filed, Taken

ADA, BOB, CID = 1, 2, 3
BODY = (
    b"From: Ann <ann@sender.example>\r\nTo: ada@example.test\r\nSubject: hello\r\n"
    b"Message-ID: <1@x>\r\n\r\nHello.\r\n"
)


class Ring:
    def derived(self, purpose: str) -> tuple[bytes, ...]:
        return (b"0123456789abcdef0123456789abcdef",)


class Scene:
    """Three accounts, and a message that comes for some of them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.book = Book(store)
        sending = Sending(Routing(), rewriter=Rewriter(Ring))  # type: ignore[arg-type]
        passing = Passing(store.reader, Senders(store, self.book), sending)
        redirecting = Redirecting(store.reader, self.book, sending, passing)
        self.sieving = Sieving(store, self.book, redirecting, SievingSettings("mail.example.test"))
        self.plan = Plan()

    async def script(self, account: int, text: str, name: str = "main") -> None:
        command = PutScript(owner=account, name=name, content=text.encode(), active=True)
        assert isinstance(await self.store.submit(command), Done)

    async def form(self, account: int, kind: str, text: str) -> None:
        command = PutForm(account=account, kind=kind, state=b"{}", content=text.encode())
        assert isinstance(await self.store.submit(command), Done)

    async def mailbox(self, account: int, *path: str) -> int:
        command = CreateMailbox(actor=account, account=account, parent=0, path=path)
        created = await self.store.submit(command)
        assert isinstance(created, Created)
        return created.id

    async def come(
        self,
        *names: str,
        body: bytes = BODY,
        sender: str = "ann@sender.example",
        each: bool = True,
        account: int = 0,
        number: int = 0,
        listed: Listed | None = None,
        notify: str = "",
    ) -> list[int]:
        """A message comes; the codes of its recipients. As ``Reception.file`` does it."""
        recipients = []
        for name in names:
            resolution = await self.book.resolve(name, "example.test")
            recipients.append(Recipient(f"{name}@example.test", resolution, notify, listed=listed))
        filings = tuple(
            Filing(account=a, prefix=b"X-Prefix: 1\r\n", exempt=r.resolution.system)
            for r in recipients
            for a in r.resolution.accounts
        )
        now = time.time()
        spool = Spool(self.store.incoming)
        spool.write(body)
        message = await prepare(spool)
        try:
            with spool.buffer() as buffer:
                arrival = Arrival(
                    sender=sender,
                    buffer=buffer,
                    structure=message.rendered.structure,
                    header_size=message.summary.header_size,
                    line=b"Received: here\r\n",
                    each=each,
                    account=account,
                    number=number or int(now * 1000),
                    now=now,
                )
                plan = self.plan = await self.sieving.plan(arrival, filings, recipients)
            command = plan.applied(
                Deliver(
                    content=message.content,
                    rendered=message.rendered,
                    filings=(),
                    received_at=int(now),
                    sender=sender,
                    trace_id=arrival.number,
                )
            )
            filed: tuple[Filed, ...] = ()
            if not plan.all_refused:
                answer = await self.store.submit(command, message.descriptor)
                assert isinstance(answer, Delivered)
                filed = answer.filed
        finally:
            message.close()
            spool.close()
        assert not any(one.refused for one in filed)
        verdicts = plan.verdicts([(one.account, FILED) for one in filed])
        return [
            next(
                (v.code for a in r.resolution.accounts if (v := verdicts[a]).good),
                verdicts[r.resolution.accounts[0]].code,
            )
            for r in recipients
        ]

    async def filed(self, account: int) -> list[tuple[str, str | None, int]]:
        """Mailbox, keywords and flags of each message of an account."""
        paths = {box.id: box.path for box in await mailboxes.mailboxes(self.store.reader, account)}
        rows = await self.store.reader.rows(
            "SELECT m.mailbox, e.keywords, e.flags FROM membership m JOIN email e ON e.id = m.email"
            " WHERE e.account = $1 ORDER BY m.mailbox, m.uid",
            account,
        )
        return [(paths[mailbox], keywords, flags) for mailbox, keywords, flags in rows]

    async def places(self, account: int) -> list[str]:
        return [path for path, _, _ in await self.filed(account)]

    async def texts(self, account: int) -> list[bytes]:
        rows = await self.store.reader.rows(
            "SELECT id FROM email WHERE account = $1 ORDER BY id", account
        )
        found = []
        for (number,) in rows:
            stored = await emails.stored_by_id(self.store.reader, number)
            assert stored is not None
            pieces = emails.read(self.store.reader, self.store.blobs, stored, 0, stored.size)
            found.append(b"".join([piece async for piece in pieces]))
        return found

    async def sent(self) -> list[tuple[str, str, bytes]]:
        """Sender, recipient and prefix of what waits to leave."""
        taken = await self.store.submit(TakeQueued(routes=9, each=9, seconds=60))
        assert isinstance(taken, Taken)
        return sorted(
            (message.sender, recipient.address, message.prefix)
            for message in taken.messages
            for recipient in message.recipients
        )

    async def jobs(self, kind: str) -> list[bytes]:
        rows = await self.store.reader.rows(
            "SELECT payload FROM job WHERE kind = $1 ORDER BY id", kind
        )
        return [bytes(row[0]) for row in rows]


async def laid(store: Store) -> Scene:
    """The scene in an empty store; Ada is the owner, `info` leads to her and Bob."""
    await store.submit(CreateDomain(name="example.test"))
    for name in ("ada", "bob", "cid"):
        await store.submit(
            CreateAccount(
                address=f"{name}@example.test",
                name=name.title(),
                password_hash="",
                role="owner" if name == "ada" else "",
            )
        )
    await store.submit(SetAlias(address="info@example.test", accounts_=(ADA, BOB)))
    return Scene(store)
