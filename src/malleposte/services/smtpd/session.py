"""One connection of SMTP, LMTP or submission: the engine joined to delivery and sign-in. RFC 5321, 2033,
6409.

No network is trusted, loopback included: mail for other domains is taken from nobody, and from whoever
signed in it is queued, or refused in clear words where this server does not send. A sender who signed in
must own the address he sends from or have a right on it, and be allowed to sign in still: asked again with
every message. A device may be known by its network (which an administrator gave it), but only where the
envelope sender is an address that it may use; everything else from there is a stranger's.
"""

import asyncio
import contextlib
import time
from collections.abc import Hashable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from malleposte.delivery.spool import Spool
from malleposte.delivery.trace_header import Origin, shown_id
from malleposte.delivery.verdict import Recipient, Reports, Verdict, put_off
from malleposte.directory.book import Account
from malleposte.directory.senders import DEVICE
from malleposte.policy.network import network_of
from malleposte.services.connection import Connection, Draining, TimedOut
from malleposte.services.smtpd.senders import device_for, no_device, refusal
from malleposte.services.smtpd.signing_in import sign_in
from malleposte.services.still_signed_in import why_not
from malleposte.store import PermanentFailure, StoreError
from malleposte.store.incoming import ANYBODY
from malleposte.wire.smtp import (
    Authenticate,
    ConnectionClosed,
    DataChunk,
    DataEnd,
    DataStart,
    Hello,
    MailFrom,
    Mode,
    Need,
    RcptTo,
    Reply,
    Reset,
    SmtpServer,
    StartTls,
)

if TYPE_CHECKING:
    from malleposte.services.smtpd.service import SmtpService

HOLD_AT_MOST: Final = 0.008
"""Seconds of pipelined commands before others run."""
_SIGN_IN_AGAIN: Final = Verdict(
    421, "4.7.0", "The password or the account was changed; sign in again"
)
"""Ends the connection: no AUTH can follow another on it (RFC 4954 §4). Programs come back by themselves."""


class Session:
    """See the module."""

    __slots__ = (
        "_account",
        "_connection",
        "_device",
        "_devices",
        "_engine",
        "_origin",
        "_recipients",
        "_service",
        "_spool",
    )

    def __init__(self, service: "SmtpService", connection: Connection) -> None:
        self._service = service
        self._connection = connection
        settings = service.settings
        if settings.starttls and not connection.can_start_tls:
            settings = replace(settings, starttls=False)
        self._engine = SmtpServer(
            settings,
            service.limits,
            tls=connection.tls,
            loopback=connection.loopback,
        )
        self._recipients: list[Recipient] = []
        self._spool: Spool | None = None
        self._account: Account | None = None
        self._devices: tuple[int, ...] = ()
        self._device: Account | None = None
        """Whose transaction it is, where nobody signed in."""

    @property
    def _sender(self) -> Account | None:
        """Who sends: whoever signed in, or a device."""
        return self._account or self._device

    async def run(self) -> None:
        """From greeting to end."""
        engine, connection = self._engine, self._connection
        if self._service.settings.mode is not Mode.LMTP:
            with contextlib.suppress(StoreError):  # then it is a stranger
                self._devices = await self._service.reception.senders.devices(connection.peer)
        engine.trusted = bool(self._devices)
        engine.greet()
        step, since = engine.step, time.monotonic()
        breath = since
        try:
            while True:
                event = engine.next_event()
                if event is Need.DATA:
                    connection.write(engine.data_to_send())
                    await connection.drain()
                    if engine.step != step:
                        step, since = engine.step, time.monotonic()
                    if not await self._read(since):
                        return
                    breath = time.monotonic()
                elif isinstance(event, ConnectionClosed):
                    break
                elif isinstance(event, StartTls):
                    connection.write(engine.data_to_send())
                    await connection.start_tls()
                    engine.tls_started()
                    self._account = None  # RFC 3207 §4.2: nothing learned before TLS counts
                else:
                    await self._handle(event)
                    # What was read ahead may hold thousands of commands.
                    if time.monotonic() - breath > HOLD_AT_MOST:
                        connection.write(engine.data_to_send())
                        await connection.drain()
                        await asyncio.sleep(0)
                        breath = time.monotonic()
            connection.write(engine.data_to_send())
        finally:
            self._forget()

    async def _read(self, since: float) -> bool:
        """Take what comes; False: the connection is gone."""
        engine, connection = self._engine, self._connection
        timeout = engine.timeout
        bound = engine.time_bound
        wait = 3600.0 if timeout is None else timeout
        if bound is not None:
            wait = min(wait, max(0.0, bound - (time.monotonic() - since)))
        try:
            data = await connection.read(wait)
        except TimedOut:
            engine.timed_out()
            return True
        except Draining:
            engine.close_for_shutdown()
            return True
        if data:
            engine.now = time.time()
            engine.receive_data(data)
        elif connection.lost:
            engine.connection_lost()
            return False
        elif connection.at_end:
            engine.receive_eof()
        return True

    def _forget(self) -> None:
        self._recipients = []
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    async def _handle(self, event: object) -> None:
        if isinstance(event, DataChunk):
            await self._chunk(event)
        elif isinstance(event, RcptTo):
            await self._rcpt(event)
        elif isinstance(event, MailFrom):
            await self._mail(event)
        elif isinstance(event, DataEnd):
            await self._data_end(event)
        elif isinstance(event, Hello):
            self._engine.accept()
        elif isinstance(event, DataStart):
            await self._data_start()
        elif isinstance(event, Authenticate):
            await self._authenticate(event)
        elif isinstance(event, Reset):
            self._forget()

    def _refuse(self, verdict: Verdict) -> None:
        self._service.observer.refused(self._service.settings.mode.value, verdict.code)
        self._engine.reply(Reply(verdict.code, verdict.enhanced, verdict.text))

    async def _authenticate(self, event: Authenticate) -> None:
        result = await sign_in(self._service, self._connection, event)
        if isinstance(result, Reply):
            self._engine.reply(result)
            return
        self._account = result
        self._engine.accept()

    async def _still_signed_in(self) -> bool:
        """Whether who signed in still may; refuses what waits if not, or if that cannot be told."""
        account = self._sender
        if account is None:
            return True
        try:
            now = await self._service.book.account(account.id)
        except StoreError as error:
            self._refuse(put_off(error))
            return False
        if why_not(account, now):
            self._refuse(_SIGN_IN_AGAIN)
            return False
        return True

    async def _mail(self, event: MailFrom) -> None:
        self._forget()
        self._device = None
        if not await self._still_signed_in():
            return
        try:
            verdict = await self._may_send(event)
        except StoreError as error:
            self._refuse(put_off(error))
            return
        if verdict is not None:
            self._refuse(verdict)
            self._log_refusal("", verdict)
            return
        self._engine.accept()

    async def _may_send(self, event: MailFrom) -> Verdict | None:
        """Why an envelope sender is refused, None where it is not; finds the device it belongs to."""
        service, path = self._service, "" if event.path.is_null else str(event.path)
        senders = service.reception.senders
        if self._account is not None:
            return await refusal(senders, self._account, path)
        self._device = await device_for(service.book, senders, self._devices, path)
        if self._device is None and service.settings.mode is Mode.SUBMISSION:
            return no_device(path)
        return None

    async def _rcpt(self, event: RcptTo) -> None:
        mail = self._engine.mail
        size = mail.size or 0 if mail is not None else 0
        try:
            verdict, resolution = await self._service.reception.route(
                event.path.local,
                event.path.domain,
                size=size,
                account=self._sender.id if self._sender is not None else 0,
                sender=str(mail.path) if mail is not None else "",
            )
        except StoreError as error:
            self._refuse(put_off(error))
            return
        if not verdict.good:
            self._refuse(verdict)
            self._log_refusal(str(event.path), verdict)
            return
        notify = "" if event.notify is None else str(event.notify)
        original = "" if event.orcpt is None else str(event.orcpt)
        self._recipients.append(Recipient(str(event.path), resolution, notify, original))
        self._engine.accept()

    async def _data_start(self) -> None:
        # Many recipients, slowly given, can lie between MAIL and this.
        if not await self._still_signed_in():
            return
        mail = self._engine.mail
        spool = self._service.reception.spool(self._whose)
        try:
            spool.expect(mail.size or 0 if mail is not None else 0)
        except OSError as error:
            self._refuse(put_off(error))
            return
        self._spool = spool
        self._engine.accept()

    @property
    def _whose(self) -> Hashable:
        """Whose content counts together (``Incoming.ask``)."""
        if self._sender is not None:
            return self._sender.id
        if self._service.settings.mode is Mode.LMTP:
            return ANYBODY
        return network_of(self._connection.peer)

    async def _chunk(self, event: DataChunk) -> None:
        spool = self._spool
        if spool is None:
            return
        try:
            spool.write(event.octets)
        except OSError as error:
            verdict = put_off(error)
            self._engine.refuse_content(Reply(verdict.code, verdict.enhanced, verdict.text))
            spool.close()  # what came so far is worth nothing, and may lie here for long

    async def _data_end(self, event: DataEnd) -> None:
        service, mail, spool = self._service, self._engine.mail, self._spool
        assert spool is not None
        assert mail is not None
        started = time.monotonic()
        verdicts, number = await self._file(mail, spool)
        self._answer(verdicts, number)
        self._connection.write(self._engine.data_to_send())  # figures can wait, he cannot
        mode, recipients = service.settings.mode.value, self._recipients
        if any(v.good for v in verdicts):
            seconds = time.monotonic() - started
            service.observer.accepted(mode, event.size, len(recipients), seconds)
        service.log.message(
            mode,
            number,
            self._connection.peer,
            str(mail.path),
            [recipient.address for recipient in recipients],
            event.size,
            [verdict.code for verdict in verdicts],
            account=self._sender.id if self._sender else 0,
            device=self._sender.address if self._sender and self._sender.kind == DEVICE else "",
        )
        self._forget()

    async def _file(self, mail: MailFrom, spool: Spool) -> tuple[list[Verdict], str]:
        """A verdict for each recipient, and the message's number as it is shown."""
        try:
            verdicts, number = await self._service.reception.file(
                str(mail.path),
                self._recipients,
                spool,
                self._origin_of(),
                each=self._service.settings.mode is Mode.LMTP,
                now=time.time(),
                reports=Reports(
                    returned="" if mail.ret is None else mail.ret.value, envelope=mail.envid or ""
                ),
                release=mail.release or 0,
            )
        except (StoreError, OSError) as error:
            if isinstance(error, PermanentFailure):
                self._service.observer.defect("delivery")
            verdict = put_off(error)
        else:
            return verdicts, shown_id(number)
        return [verdict] * len(self._recipients), ""

    def _log_refusal(self, recipient: str, verdict: Verdict) -> None:
        mail = self._engine.mail
        self._service.log.refused(
            self._service.settings.mode.value,
            self._connection.peer,
            str(mail.path) if mail is not None else "",
            recipient,
            verdict.code,
            verdict.text,
        )

    def _answer(self, verdicts: list[Verdict], number: str) -> None:
        if self._service.settings.mode is not Mode.LMTP:
            # They agree, or none was good: the first says why.
            verdicts = [next((v for v in verdicts if v.good), verdicts[0])]
        for verdict in verdicts:
            if verdict.good:
                self._engine.accept(f"{verdict.text}, {number}")
            else:
                self._refuse(verdict)

    def _origin_of(self) -> Origin:
        hello = self._engine.hello
        version, cipher = self._connection.tls_facts()
        return Origin(
            peer=self._connection.peer,
            hello=hello.name if hello is not None else "",
            protocol=self._engine.with_word,
            tls=f"{version} {cipher}" if version else "",
            account=self._sender.id if self._sender else 0,
            login=self._sender.address if self._sender else "",
            device=self._sender is not None and self._sender.kind == DEVICE,
        )
