"""The store without a server: a helper process that holds the writer's lock and answers like one.

A command that finds no server starts it, talks to it over a pair of sockets as it would to the admin
socket, and waits for its end. Started by root it becomes the user who owns the data folder first, so
that no file in there ends up root's; the command itself keeps its rights to read and write mail files.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from malleposte.cli.ownership import become_owner
from malleposte.node.config import Configuration

if TYPE_CHECKING:
    from malleposte.store import Store

LOCK_PATIENCE = 5.0
"""Seconds to wait for the lock: a helper whose command was killed ends within moments."""


def start_alone(configuration: Configuration) -> tuple[socket.socket, int]:
    """Start the helper; the connection to it and its process id. No thread may be running."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        theirs.close()
        return ours, pid
    code = 1
    try:
        ours.close()
        _close_others(theirs.fileno())
        # The operator's Ctrl-C is for the command; this ends when the connection does.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        code = _main(configuration, theirs)
    finally:
        os._exit(code)


def _close_others(kept: int) -> None:
    """Close what the command has open: its end of the pair, its journal and that file's lock."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) != kept:
            with contextlib.suppress(OSError):
                os.close(int(name))


def _main(configuration: Configuration, connection: socket.socket) -> int:
    import structlog

    from malleposte.node.processes import name_process
    from malleposte.runtime.logs import LogSettings, set_up

    name_process("malleposte")
    set_up(LogSettings(level="error", json=False))
    caller = os.geteuid()
    try:
        import uvloop

        _load()
        become_owner(configuration.node.data_dir)
        uvloop.run(_serve(configuration, connection, caller))
    except Exception:  # noqa: BLE001 - the whole process
        structlog.get_logger("alone").exception("a defect")
        return 70
    return 0


def _load() -> None:
    """Import what will be needed: the other user may not be able to read where this program is."""
    import encodings.idna  # noqa: F401
    import importlib.readers  # noqa: F401

    import malleposte.cli.alone_store
    import malleposte.services.admin_socket  # noqa: F401
    from malleposte.operations.registry import operations
    from malleposte.operations.version import version

    operations()
    version()


async def _serve(configuration: Configuration, connection: socket.socket, caller: int) -> None:
    from malleposte.directory.book import Book
    from malleposte.node.settings import operation_settings, password_settings
    from malleposte.operations.context import Context
    from malleposte.runtime.passwords import Passwords
    from malleposte.services.admin_socket import refuse_connection, serve_connection
    from malleposte.store import PermanentFailure, StoreError
    from malleposte.store.errors import DatabaseDamaged, SchemaMismatch
    from malleposte.store.lock import WriterRunning

    passwords = Passwords(password_settings(configuration))
    settings = operation_settings(configuration, alone=True)
    try:
        async with open_store(configuration) as store:
            book = Book(store, hostname=settings.hostname)
            await serve_connection(
                connection,
                lambda actor: Context.of(store, book, passwords, settings, actor),
                {caller},
                server=False,
            )
    except WriterRunning as error:
        words = (
            f"{error}: a server that is just starting or stopping, or another command; try again"
        )
        await refuse_connection(connection, "unavailable", "locked", words)
    except DatabaseDamaged as error:
        await refuse_connection(connection, "failed", "damaged", str(error))
    except (SchemaMismatch, PermanentFailure) as error:
        await refuse_connection(connection, "failed", "store", f"the store: {error}")
    except (StoreError, OSError) as error:
        await refuse_connection(connection, "unavailable", "store", f"the store: {error}")
    except Exception as error:  # noqa: BLE001 - asyncpg's many, and whatever else opening brings
        words = f"the store cannot be opened: {type(error).__name__}: {error}"
        await refuse_connection(connection, "unavailable", "store", words)
    finally:
        passwords.close()


@contextlib.asynccontextmanager
async def open_store(configuration: Configuration) -> "AsyncIterator[Store]":
    """The store as this process's own; waits a moment for the lock. Raises ``WriterRunning``."""
    from malleposte.cli.alone_store import alone
    from malleposte.store import cluster
    from malleposte.store.lock import WriterRunning

    chosen, data = configuration.store, configuration.node.data_dir
    async with contextlib.AsyncExitStack() as stack:
        if chosen.backend == "postgres" and chosen.dsn is not None:
            yield await stack.enter_async_context(cluster(chosen.dsn.reveal(), data / "spool"))
            return
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        until = time.monotonic() + LOCK_PATIENCE
        while True:
            try:
                store = await stack.enter_async_context(
                    alone(data, reserve=chosen.disk_reserve, percent=chosen.disk_reserve_percent)
                )
                break
            except WriterRunning:
                if time.monotonic() > until:
                    raise
            await asyncio.sleep(0.1)
        yield store
