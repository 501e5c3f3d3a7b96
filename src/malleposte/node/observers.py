"""Who is told of what a worker's services do, and keeps the figures of it."""

import asyncio
from typing import Any

import structlog

from malleposte.node import metrics
from malleposte.runtime.shortage import Told
from malleposte.services.imapd.service import Observer as ImapObserver
from malleposte.services.pop3d.service import Observer as Pop3Observer
from malleposte.services.sieved.service import Observer as SieveObserver
from malleposte.services.smtpd import Observer as SmtpObserver
from malleposte.services.web import Observer as WebObserver
from malleposte.store.commands import AnyCommand
from malleposte.store.results import AnyResult

log = structlog.get_logger("worker")


class Labelled(dict[str, Any]):
    """A figure's children by their one label, each looked up once."""

    def __init__(self, figure: Any) -> None:
        super().__init__()
        self._figure = figure

    def __missing__(self, label: str) -> Any:
        child = self[label] = self._figure.labels(label)
        return child


class TimedWriter:
    """The store's writer, with the time each command takes observed."""

    def __init__(self, inner: Any, figures: metrics.Figures) -> None:
        self._inner = inner
        # Looking a label up costs more than observing.
        self._waits = Labelled(figures.writer_wait)

    async def submit(self, command: AnyCommand, fd: int | None = None) -> AnyResult:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            result: AnyResult = await self._inner.submit(command, fd)
            return result
        finally:
            self._waits[type(command).__name__].observe(loop.time() - started)


class _Figures:
    """What all services tell of."""

    def __init__(self, figures: metrics.Figures) -> None:
        self._figures = figures

    def signed_in(self, service: str, good: bool) -> None:
        """Somebody signed in, or was refused."""
        self._figures.signins.labels(service, "good" if good else "refused").inc()

    def defect(self, where: str) -> None:
        """Something went wrong that should not."""
        self._figures.defects.labels(where).inc()
        log.exception("a defect", where=where)


class ImapFigures(_Figures, ImapObserver):
    """Figures of IMAP."""

    def __init__(self, figures: metrics.Figures) -> None:
        super().__init__(figures)
        self._commands = Labelled(figures.imap_commands)

    def command(self, name: str, seconds: float, good: bool) -> None:
        self._commands[name].observe(seconds)


class Pop3Figures(_Figures, Pop3Observer):
    """Figures of POP3."""

    def __init__(self, figures: metrics.Figures) -> None:
        super().__init__(figures)
        self._commands = Labelled(figures.pop3_commands)

    def command(self, name: str, seconds: float) -> None:
        self._commands[name].observe(seconds)


class SieveFigures(_Figures, SieveObserver):
    """Figures of ManageSieve."""

    def __init__(self, figures: metrics.Figures) -> None:
        super().__init__(figures)
        self._commands = Labelled(figures.managesieve_commands)

    def command(self, name: str, seconds: float) -> None:
        self._commands[name].observe(seconds)


class WebFigures(_Figures, WebObserver):
    """Figures of HTTP."""

    def __init__(self, figures: metrics.Figures) -> None:
        super().__init__(figures)
        self._requests = Labelled(figures.http_requests)

    def request(self, route: str, status: int, seconds: float) -> None:
        self._requests[route].observe(seconds)
        self._figures.http_responses.labels(route, str(status)).inc()


class SmtpFigures(_Figures, SmtpObserver):
    """Figures of SMTP, submission and LMTP."""

    def __init__(self, figures: metrics.Figures) -> None:
        super().__init__(figures)
        self._accepted = Labelled(figures.accepted)
        self._octets = Labelled(figures.octets)

    def accepted(self, mode: str, octets: int, recipients: int, seconds: float) -> None:
        self._accepted[mode].inc()
        self._octets[mode].inc(octets)

    def refused(self, mode: str, code: int) -> None:
        self._figures.refused.labels(mode, str(code)).inc()


def shortage_told(figures: metrics.Figures) -> Told:
    """Figures of a disk that runs short."""
    return Told(
        short=lambda short: figures.disk_short.set(int(short)),
        purged=figures.early.labels("recoverable, for want of room").inc,
        swept=figures.early.labels("unused, for want of room").inc,
    )
