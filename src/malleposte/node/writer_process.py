"""The writer's process: the committer behind its socket, with its figures."""

import signal
import socket
from typing import Final

import structlog

from malleposte.node.config import Configuration
from malleposte.node.gate import Gate
from malleposte.node.metrics import figures
from malleposte.store.committer import CommitFailed, Committer, as_left
from malleposte.store.dialect import TALLY
from malleposte.store.errors import (
    DatabaseDamaged,
    PermanentFailure,
    SchemaMismatch,
    TemporaryFailure,
)
from malleposte.store.writer import Writer

log = structlog.get_logger("writer")

# As the command's own exit codes (docs/cli.md). After these the next writer would fare no better.
UNUSABLE: Final = 1
DAMAGED: Final = 4
AWAY: Final = 75
"""The store cannot be opened now: a disk that is full, or cannot be written. The next writer may."""


def run_writer(configuration: Configuration, listener: socket.socket, lock: int, gate: Gate) -> int:
    """Serve workers until SIGTERM; the exit code. ``lock``: the store's, held by the supervisor."""
    kept = figures()
    store = configuration.store
    try:
        committer = Committer(
            configuration.node.data_dir,
            reserve=store.disk_reserve,
            percent=store.disk_reserve_percent,
            recoverable=store.recoverable_size,
            lock=lock,
        )
    except DatabaseDamaged as error:
        log.error("the server ends", reason=str(error))
        return DAMAGED
    except (SchemaMismatch, PermanentFailure) as error:
        log.error("the server ends: the store cannot be used", reason=str(error))
        return UNUSABLE
    except (TemporaryFailure, OSError) as error:
        log.error("the store cannot be opened now; it is tried again", reason=str(error))
        if as_left(configuration.node.data_dir):
            gate.open()  # what is there can be read
        return AWAY
    gate.open()
    if committer.migrated:
        log.info("the schema was brought up to date", steps=committer.migrated)
    if committer.restored:
        log.warning(
            "the database was put back from a copy: every mailbox got a new UIDVALIDITY,"
            " clients will read their mailboxes again"
        )

    counted = 0

    def observe(commands: int, seconds: float, waited: float) -> None:
        nonlocal counted
        kept.batch_commands.observe(commands)
        kept.batch_seconds.observe(seconds)
        kept.writer_queue.observe(waited)
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
