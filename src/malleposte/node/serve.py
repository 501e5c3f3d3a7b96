"""``malleposte serve``: read the configuration, bind, fork, supervise."""

import contextlib
import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from malleposte.node import metrics, wiring
from malleposte.node.config import Configuration
from malleposte.node.config_read import load
from malleposte.node.folders import User, provide, server_user
from malleposte.node.gate import Gate
from malleposte.node.processes import (
    become,
    load_lazy_modules,
    name_process,
    open_files,
    readable_by,
    settle_memory,
)
from malleposte.node.sockets import (
    bind_all,
    bind_path,
    bind_tcp,
    tcp_listeners,
    unix_listeners,
)
from malleposte.node.supervisor import Child, Supervisor
from malleposte.policy.account_counts import shared_memory
from malleposte.runtime.logs import set_up
from malleposte.store.lock import take_lock

log = structlog.get_logger("node")

LOCK_PATIENCE: Final = 5.0
"""Seconds to wait for a command that holds the store, or for a server that is just ending."""


def serve(config_path: Path | None, *, ready: Callable[[], None] | None = None) -> int:
    """Run the server in the foreground until SIGTERM; the exit code.

    Raises ``ConfigurationError``, ``FolderError``, ``BindError`` and ``WriterRunning``, whose words are for
    the operator.
    """
    return serve_configured(load(config_path, os.environ), ready=ready)


def serve_configured(
    configuration: Configuration, *, ready: Callable[[], None] | None = None
) -> int:
    """``serve`` with a configuration that has been read."""
    settle_memory()
    set_up(wiring.log_settings(configuration))
    name_process("malleposte")
    open_files()
    os.umask(0o077)
    node = configuration.node
    user = server_user(configuration)
    provide(configuration)
    embedded = configuration.store.backend == "sqlite"
    # Before anything is opened: a second server would take the first one's sockets away.
    lock = _locked(node.data_dir) if embedded else -1
    bound = bind_all(tcp_listeners(configuration))
    figures_socket = None
    if configuration.metrics.port:
        figures_socket = bind_tcp(
            configuration.metrics.address, configuration.metrics.port, "metrics"
        )
    metrics.name(node.run_dir)
    # Imported before the fork, so that the processes share it, and before root's rights are given up:
    # the user may not be able to read where this program is. prometheus_client looks at its environment
    # when it is imported, and not before.
    import prometheus_client.multiprocess  # noqa: F401
    import uvloop  # noqa: F401

    from malleposte.node.inherited import Inherited
    from malleposte.node.worker import run_worker
    from malleposte.node.writer_process import DAMAGED, UNUSABLE, run_writer

    _give_up_root(user)
    # What is in folders of the user's is made by the user: to root a name in there may be a trap.
    metrics.prepare(node.run_dir)
    bound += bind_all(unix_listeners(configuration))
    admin = bind_path(configuration.admin_socket, 0o600)
    writer_socket = bind_path(node.run_dir / "writer.sock", 0o600)
    gate = Gate()
    inherited = Inherited(
        listeners=tuple(bound),
        metrics=figures_socket,
        admin=admin,
        writer_path=str(node.run_dir / "writer.sock"),
        gate=gate,
        imap_sessions=shared_memory(wiring.workers(configuration)),
        pop3_sessions=shared_memory(wiring.workers(configuration)),
    )
    children = []
    if embedded:
        children.append(
            Child(
                "writer",
                lambda: run_writer(configuration, writer_socket, lock, gate),
                grace=30.0,
                final=(UNUSABLE, DAMAGED),
            )
        )
    for number in range(wiring.workers(configuration)):
        children.append(
            Child(
                f"worker {number}",
                lambda number=number: run_worker(configuration, inherited, number),  # type: ignore[misc]
                grace=node.drain + 5.0,
            )
        )
    # A collection in a child would write to every page that is shared.
    gc.collect()
    gc.freeze()
    supervisor = Supervisor(children)
    code = supervisor.run(ready)
    sockets = [one.listener.socket for one in bound]
    for path in (*sockets, configuration.admin_socket, node.run_dir / "writer.sock"):
        if path is not None:
            with contextlib.suppress(OSError):
                path.unlink()
    log.info("stopped")
    return code


def _give_up_root(user: User) -> None:
    if os.geteuid() != 0:
        return
    if user.uid == 0:
        log.warning(
            "the server runs as root: whoever finds a hole in it owns this machine; name a system user in"
            " node.user"
        )
        return
    if not readable_by(user.uid, Path(os.__file__)):
        log.warning(
            "the user cannot read this program; install it where that user can", user=str(user)
        )
        load_lazy_modules()
    become(user)


def _locked(folder: Path) -> int:
    """The store's lock, by the rights of whoever owns its folder, whose file it is to be."""
    owner, group = folder.stat(), os.getegid()
    change = os.geteuid() == 0 and owner.st_uid != 0
    if change:
        os.setegid(owner.st_gid)
        os.seteuid(owner.st_uid)
    try:
        return take_lock(folder, patience=LOCK_PATIENCE)
    finally:
        if change:
            os.seteuid(0)
            os.setegid(group)
