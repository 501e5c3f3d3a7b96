"""The writer's process: the committer behind its socket, with its figures."""

import signal
import socket

import structlog

from malleposte.node.config import Configuration
from malleposte.node.metrics import figures
from malleposte.store.committer import CommitFailed, Committer
from malleposte.store.dialect import TALLY
from malleposte.store.writer import Writer

log = structlog.get_logger("writer")


def run_writer(configuration: Configuration, listener: socket.socket) -> int:
    """Serve workers until SIGTERM; the exit code."""
    kept = figures()
    store = configuration.store
    committer = Committer(
        configuration.node.data_dir,
        reserve=store.disk_reserve,
        percent=store.disk_reserve_percent,
    )
    if committer.migrated:
        log.info("the schema was brought up to date", steps=committer.migrated)
    if committer.restored:
        log.warning(
            "the database was put back from a copy: every mailbox got a new UIDVALIDITY,"
            " clients will read their mailboxes again"
        )

    counted = 0

    def observe(commands: int, seconds: float) -> None:
        nonlocal counted
        kept.batch_commands.observe(commands)
        kept.batch_seconds.observe(seconds)
        kept.statements.inc(TALLY.statements - counted)
        counted = TALLY.statements

    writer = Writer(committer, listener, observe=observe)
    signal.signal(signal.SIGTERM, lambda *_: writer.stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        writer.serve()
    except CommitFailed as error:
        # Nothing may be tried again here; the next writer finds what was committed.
        log.error("the writer stops: a commit failed", reason=str(error))
        return 74
    committer.close()
    return 0
