"""A server that sends, with three accounts, as far as reception goes: from RCPT to filing and queue."""

import time
from dataclasses import dataclass, field

from malleposte.delivery.leaving import Sending
from malleposte.delivery.outbound import Routing
from malleposte.delivery.receive import DeliverySettings, Reception
from malleposte.delivery.rewriting import Rewriter
from malleposte.delivery.trace_header import Origin
from malleposte.delivery.verdict import Recipient, Reports, Verdict
from malleposte.directory.book import Book
from malleposte.directory.resolution import Resolution
from malleposte.secrets.sealing import KeyRing, NodeKey
from malleposte.store.commands import AnyCommand
from malleposte.store.content import decompress
from malleposte.store.results import Refused
from support.store import House

ADA, BOB, EVE = 1, 2, 3
NAMES = {ADA: "ada", BOB: "bob", EVE: "eve"}
SENDER = "zoe@sender.example"
BODY = b"From: Zoe <zoe@sender.example>\r\nSubject: hello\r\nMessage-ID: <1@x>\r\n\r\nHello.\r\n"
OUTSIDE = Origin(peer="192.0.2.1", hello="mx.example", protocol="ESMTP")


def inside(account: int) -> Origin:
    """Where a message of somebody who signed in comes from."""
    login = f"{NAMES[account]}@example.org"
    return Origin("192.0.2.1", "pc", "ESMTPSA", account=account, login=login)


def written_by(address: str, *fields: str) -> bytes:
    """A message with this author, and further fields."""
    lines = [f"From: {address}", "Subject: hello", "Message-ID: <1@x>", *fields, "", "Hello.", ""]
    return "\r\n".join(lines).encode()


@dataclass
class Post:
    """See the module. ``strict``: domains whose policy of DMARC is; ``signs``: domains that sign."""

    house: House
    sends: bool = True
    strict: set[str] = field(default_factory=set)
    signs: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    sealed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        ring = KeyRing([NodeKey.random()])
        self.rewriter = Rewriter(lambda: ring)
        self.book = Book(self.house.store)
        sending = Sending(
            Routing(),
            sign=self._sign,
            seal=self._seal,
            strict=self._strict,
            rewriter=self.rewriter,
        )
        self.reception = Reception(
            self.house.store,
            self.book,
            DeliverySettings("mail.example.org"),
            sending if self.sends else None,
        )

    async def _sign(self, domain: str, header: bytes, digest: bytes, now: int) -> bytes:
        return f"DKIM-Signature: d={domain}\r\n".encode() if domain in self.signs else b""

    async def _seal(self, domain: str, header: bytes, digest: bytes, now: int) -> bytes:
        self.sealed.append(domain)
        return f"ARC-Seal: i=1; d={domain}\r\n".encode()

    async def _strict(self, domain: str) -> bool:
        self.asked.append(domain)
        return domain in self.strict

    async def do(self, *commands: AnyCommand) -> None:
        """Commands that must be carried out."""
        for command in commands:
            result = await self.house.store.submit(command)
            assert not isinstance(result, Refused), result

    async def rcpt(
        self, address: str, sender: str = SENDER, account: int = 0
    ) -> tuple[Verdict, Resolution]:
        """What RCPT is answered."""
        local, _, domain = address.rpartition("@")
        return await self.reception.route(local, domain, size=0, account=account, sender=sender)

    async def refused(self, address: str, sender: str = SENDER, account: int = 0) -> str:
        """The words with which RCPT must be refused."""
        verdict, _ = await self.rcpt(address, sender, account)
        assert not verdict.good, verdict
        return f"{verdict.code} {verdict.enhanced} {verdict.text}"

    async def send(
        self,
        *addresses: str,
        sender: str = SENDER,
        body: bytes = BODY,
        origin: Origin = OUTSIDE,
        each: bool = False,
        notify: str = "",
        returned: str = "HDRS",
    ) -> list[int]:
        """A message from RCPT, which must be accepted, to its codes."""
        recipients = []
        for address in addresses:
            verdict, resolution = await self.rcpt(address, sender, origin.account)
            assert verdict.good, verdict
            recipients.append(Recipient(address, resolution, notify))
        spool = self.reception.spool()
        try:
            for at in range(0, len(body), 100_000):
                spool.write(body[at : at + 100_000])
            verdicts, _ = await self.reception.file(
                sender,
                recipients,
                spool,
                origin,
                each=each,
                now=time.time(),
                reports=Reports(returned=returned, envelope="mine"),
            )
            return [verdict.code for verdict in verdicts]
        finally:
            spool.close()

    async def queued(self) -> list[tuple[str, str, str]]:
        """(sender, recipient, route) of all that is queued."""
        rows = await self.house.rows(
            "SELECT m.sender, r.address, r.route FROM queue_message m"
            " JOIN queue_recipient r ON r.message = m.id ORDER BY m.id, r.n"
        )
        return [(row[0], row[1], row[2]) for row in rows]

    async def to(self) -> list[str]:
        """Who is to get what is queued."""
        return sorted(address for _, address, _ in await self.queued())

    async def filed(self) -> list[int]:
        """The accounts that have copies, each as often as it has."""
        rows = await self.house.rows("SELECT account FROM email ORDER BY account")
        return [row[0] for row in rows]

    async def copy(self, account: int) -> bytes:
        """The first copy of an account, as it reads it."""
        return await self.house.bytes_of(
            await self.house.value("SELECT min(id) FROM email WHERE account = $1", account)
        )

    async def leaving(self, at: int = 0) -> bytes:
        """What goes over the wire of a queued message; small ones only."""
        rows = await self.house.rows("SELECT prefix, blob FROM queue_message ORDER BY id")
        prefix, blob = rows[at]
        frames = await self.house.rows(
            "SELECT data FROM blob_frame WHERE id >= $1 AND id < $2 ORDER BY id",
            blob * 4096,
            (blob + 1) * 4096,
        )
        return bytes(prefix) + b"".join(decompress(bytes(frame[0])) for frame in frames)

    async def blobs(self) -> int:
        """Contents that are stored."""
        return int(await self.house.value("SELECT count(*) FROM blob"))
