"""A partner's broken DANE with the whole server: mail waits in words, an exception lets it go."""

import contextlib
import json
import subprocess
from pathlib import Path

import pytest

from support.certificates import issue
from system.test_sending import FAR, World, until, world

__all__ = ["world"]

NAME = "mx.far.example"


def waiting(world: World) -> str:
    """Why the one message waits."""
    listed = json.loads(world.command("queue", "list", "--json"))["messages"]
    return str(listed[0]["recipients"][0]["way"]) if listed else ""


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
def test_an_exception_lets_mail_go_that_dane_keeps(world: World, tmp_path: Path) -> None:
    shown, named = issue(NAME), issue(NAME)
    world.manner.context = shown.context(tmp_path)
    world.zone.secure = {"far.example"}
    world.zone.add(f"_{world.far_port}._tcp.{NAME}", tlsa=named.tlsa(3))
    world.submit(FAR)
    until(lambda: "DANE demands it: nothing was sent" in waiting(world))
    assert "its certificate is none that the TLSA records name" in waiting(world)
    message = json.loads(world.command("queue", "list", "--json"))["messages"][0]["id"]
    assert "malleposte tls except far.example" in world.command("queue", "show", str(message))
    assert world.far.taken == []

    said = world.command("tls", "except", "far.example", "--days", "3", "--why", "they know")
    assert "goes by any TLS, or none, until 20" in said
    assert "they know" in world.command("tls", "exceptions")
    assert "by an exception until 20" in world.command("tls", "show", "far.example")

    def gone() -> bool:
        # Workers look at the exceptions every few seconds; nothing to retry: it left just now.
        with contextlib.suppress(subprocess.CalledProcessError):
            world.retry()
        return bool(world.far.accepted)

    until(gone, 60)
    (taken,) = world.far.accepted
    assert taken.tls

    assert "counts again" in world.command("tls", "end", "far.example")
    assert "There are no exceptions." in world.command("tls", "exceptions")

    def kept() -> bool:
        world.submit(FAR)
        return "DANE demands it" in waiting(world)

    until(kept, 60)
