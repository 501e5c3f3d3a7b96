"""One conversation with another server over one ``Channel``: the engine, its deadlines, its words.

It ends in words, never in an exception of the system: what the engine says is lost stands in the
``Answer``s of the recipients. Only content of ours that cannot be read is ``ContentUnreadable``: the
connection is cut before the end of the content then, so that no part of it passes for the whole.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable

from malleposte.wire.smtp.outgoing import Extensions, Outgoing
from malleposte.wire.smtp.progress import Answer, Closed, Event, Go, Ready, Sent, Step
from malleposte.wire.smtp.sending import SmtpClient

from .channel import Channel
from .resolver import IpAddress
from .settings import Timeouts
from .words import plain_reason

Content = Callable[[], AsyncGenerator[bytes, None]]


class ContentUnreadable(Exception):
    """What was to be sent could not be read from the store."""


class Connection:
    """See the module. ``host``: whom we speak with, for people; ``name``: the server's name alone."""

    def __init__(
        self,
        channel: Channel,
        client: SmtpClient,
        name: str,
        address: IpAddress,
        port: int,
        timeouts: Timeouts,
    ) -> None:
        self._channel = channel
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._seconds = _seconds(timeouts)
        self._block = timeouts.block
        self.name = name
        self.address = address
        self.host = f"{name} [{address}]:{port}"
        self.secured = "without TLS"
        self.can = Extensions()
        self.since = self._loop.time()
        self.messages = 0
        """Offered over it until now."""
        self.ended = False
        """Whether all of the content of the last message was sent."""
        self._busy = False

    @property
    def described(self) -> str:
        """With whom and how."""
        return f"{self.host}, {self.secured}"

    @property
    def usable(self) -> bool:
        """Whether another message may be offered."""
        return (
            not self._client.closed
            and self._client.step is not Step.QUIT
            and not self._channel.over
        )

    @property
    def step(self) -> Step:
        """What is waited for."""
        return self._client.step

    async def event(self, until: float | None = None) -> Event:
        """What happens next, waiting as long as the step may take, and not past ``until``."""
        client, channel = self._client, self._channel
        while True:
            event = client.next_event()
            if event is not None:
                if isinstance(event, Ready):
                    self.can = event.can
                return event
            step = client.step
            deadline = self._loop.time() + self._seconds[step]
            if until is not None:
                deadline = min(deadline, until)
            try:
                out = client.data_to_send()
                if out:
                    await channel.send(out, deadline)
                octets = await channel.receive(deadline)
            except TimeoutError:
                client.lost(f"no answer to {step.value} in time")
                continue
            except OSError as error:
                client.lost(plain_reason(error))
                continue
            if octets:
                client.receive_data(octets)
            else:
                client.lost("the server closed the connection")

    async def send(self, outgoing: Outgoing, content: Content, until: float) -> tuple[Answer, ...]:
        """Offer a message; an answer for each recipient. Raises ``ContentUnreadable``."""
        self.messages += 1
        self.ended = False
        self._busy = True
        client = self._client
        client.send(outgoing)
        while True:
            match await self.event(until):
                case Go():
                    async with contextlib.aclosing(content()) as pieces:
                        await self._pour(pieces, until)
                case Sent(answers):
                    self._busy = False
                    self._settle()
                    return answers
                case Closed(why):  # the engine says Sent first; kept so that no defect loops
                    return tuple(Answer(self.step, None, why) for _ in outgoing.recipients)

    def _settle(self) -> None:
        """Take what the engine says beside the answers, without waiting."""
        while (event := self._client.next_event()) is not None:
            if isinstance(event, Ready):
                self.can = event.can

    async def _pour(self, pieces: AsyncGenerator[bytes, None], until: float) -> None:
        client, channel = self._client, self._channel
        try:
            async for piece in pieces:
                client.content(piece)
                # Small messages go in one write, with their end.
                if len(piece) > 16 * 1024:
                    deadline = min(self._loop.time() + self._block, until)
                    await channel.send(client.data_to_send(), deadline)
                if channel.over or client.closed:
                    return  # it will say why, or has gone
        except TimeoutError:
            client.lost("the server took no more of the content")
            return
        except OSError as error:
            client.lost(plain_reason(error))
            return
        except ContentUnreadable:
            self.close()
            raise
        client.end_content()
        self.ended = not client.closed

    def goodbye(self) -> None:
        """End politely, without waiting for the answer to QUIT; at once where something is under way
        or nothing can be said any more."""
        if self._busy or self._client.closed:
            self.close()
            return
        if self.usable:
            self._client.quit()
        self._channel.finish(self._client.data_to_send())

    def close(self) -> None:
        """End at once."""
        self._client.lost("closed here")
        self._channel.close()

    # For who opens it -----------------------------------------------------------------------------

    @property
    def client(self) -> SmtpClient:
        """The engine."""
        return self._client

    @property
    def channel(self) -> Channel:
        """The octets."""
        return self._channel


def _seconds(timeouts: Timeouts) -> dict[Step, float]:
    return {
        Step.CONNECT: timeouts.connect,
        Step.GREETING: timeouts.greeting,
        Step.HELLO: timeouts.hello,
        Step.STARTTLS: timeouts.hello,
        Step.AUTH: timeouts.sign_in,
        Step.MAIL: timeouts.mail,
        Step.RCPT: timeouts.rcpt,
        Step.DATA: timeouts.data,
        Step.CONTENT: timeouts.content,
        Step.QUIT: timeouts.goodbye,
    }
