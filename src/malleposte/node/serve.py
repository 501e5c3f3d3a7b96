"""``malleposte serve``: read the configuration, bind, fork, supervise."""

import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from malleposte.node import metrics, wiring
from malleposte.node.config import Configuration
from malleposte.node.config_read import load
from malleposte.node.processes import become, name_process, open_files, settle_memory
from malleposte.node.sockets import bind_all, bind_path, bind_tcp
from malleposte.node.supervisor import Child, Supervisor
from malleposte.runtime.logs import set_up
from malleposte.store.lock import take_lock

log = structlog.get_logger("node")

LOCK_PATIENCE: Final = 5.0
"""Seconds to wait for a command that holds the store, or for a server that is just ending."""


def serve(config_path: Path | None, *, ready: Callable[[], None] | None = None) -> int:
    """Run the server in the foreground until SIGTERM; the exit code.

    Raises ``ConfigurationError``, ``BindError`` and ``WriterRunning``, whose words are for the operator.
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
    node = configuration.node
    node.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    node.run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    embedded = configuration.store.backend == "sqlite"
    # Before anything is opened: a second server would take the first one's sockets away.
    lock = _locked(node.data_dir) if embedded else -1
    bound = bind_all(configuration)
    figures_socket = None
    if configuration.metrics.port:
        figures_socket = bind_tcp(
            configuration.metrics.address, configuration.metrics.port, "metrics"
        )
    admin = bind_path(configuration.admin_socket, 0o600)
    writer_socket = bind_path(node.run_dir / "writer.sock", 0o600)
    if node.user:
        become(node.user)
    metrics.prepare(node.run_dir)
    # Imported before the fork, so that the processes share it. prometheus_client looks at its
    # environment when it is imported, and not before.
    import prometheus_client  # noqa: F401
    import uvloop  # noqa: F401

    from malleposte.node.worker import Inherited, run_worker
    from malleposte.node.writer_process import DAMAGED, UNUSABLE, run_writer

    inherited = Inherited(
        listeners=tuple(bound),
        metrics=figures_socket,
        admin=admin,
        writer_path=str(node.run_dir / "writer.sock"),
    )
    children = []
    if embedded:
        children.append(
            Child(
                "writer",
                lambda: run_writer(configuration, writer_socket, lock),
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
    for path in (configuration.admin_socket, node.run_dir / "writer.sock"):
        path.unlink(missing_ok=True)
    log.info("stopped")
    return code


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
