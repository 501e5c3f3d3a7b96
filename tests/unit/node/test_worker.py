"""A worker's own parts, without its processes."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from malleposte.node import metrics
from malleposte.node.config_read import load
from malleposte.node.gate import Gate
from malleposte.node.inherited import Inherited
from malleposte.node.worker import _Worker
from malleposte.policy.account_counts import shared_memory
from malleposte.store import TemporaryFailure, alone


async def test_what_fails_over_an_open_store_is_not_taken_for_a_store_that_cannot_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with alone(tmp_path / "data"):
        pass
    path = tmp_path / "malleposte.toml"
    path.write_text(f'[node]\ndata_dir = "{tmp_path}/data"\nrun_dir = "{tmp_path}/run"\n')
    monkeypatch.setattr(metrics, "figures", SimpleNamespace)
    gate = Gate()
    gate.open()
    inherited = Inherited((), None, None, "", gate, shared_memory(1), shared_memory(1))
    worker = _Worker(load(path, {}), inherited, 0)

    async def serve() -> None:
        async with asyncio.timeout(10), worker._store() as store:
            assert await store.reader.row("SELECT 1") == (1,)
            raise TemporaryFailure("later")

    with pytest.raises(TemporaryFailure, match="later"):
        await serve()
