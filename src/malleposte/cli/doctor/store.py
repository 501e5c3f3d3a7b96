"""The store: schema, damage, jobs, who reads postmaster's mail, passwords, PostgreSQL's settings."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Final

import msgspec

from malleposte.cli.caller import Caller
from malleposte.cli.doctor.check import Check, ok, warn, wrong
from malleposte.operations.server_examine import Examine, Facts
from malleposte.operations.store_fsck import Examined, Found, Fsck

FSCK_PATIENCE: Final = 60.0
"""Seconds that the look for damage may take here; `malleposte fsck` takes as long as it needs."""
POSTGRES: Final = 15
"""Oldest version of PostgreSQL."""


async def facts(caller: Caller) -> Facts:
    """What the server says about itself."""
    return await caller.call("server.examine", Examine(), Facts)


def checks(known: Facts) -> Iterator[Check]:
    """Everything about the store but damage."""
    yield _schema(known)
    yield from _postgres(known)
    yield from _jobs(known)
    yield _system_addresses(known)
    yield from _passwords(known)


def _schema(known: Facts) -> Check:
    text = f"step {known.schema} of {known.schema_known}, {known.accounts:,} accounts"
    if known.schema != known.schema_known:
        return wrong("schema", text, "restart the server: it brings the schema up to date")
    return ok("schema", f"{text}, on {known.dialect}")


def _postgres(known: Facts) -> Iterator[Check]:
    if known.dialect != "postgres":
        return
    settings = known.database
    version = settings.get("server_version", "")
    number = version.split(".", 1)[0].split(" ", 1)[0]
    if number.isdigit() and int(number) < POSTGRES:
        yield wrong("postgresql", f"version {version}", f"upgrade it to {POSTGRES} or later")
    for name, bad, why in (
        ("fsync", ("off",), "a power cut destroys the database"),
        ("full_page_writes", ("off",), "a power cut may destroy pages"),
        ("synchronous_commit", ("off", "local"), "mail that was acknowledged may be lost"),
    ):
        value = settings.get(name, "")
        if value in bad:
            yield wrong(
                "postgresql",
                f"{name} is {value}: {why}",
                f"`ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf()`",
            )
    shown = ", ".join(f"{name} {value}" for name, value in settings.items())
    yield ok("postgresql", f"reached; {shown}")


def _jobs(known: Facts) -> Iterator[Check]:
    for job in known.failed_jobs:
        yield warn(
            "jobs",
            f"{job.kind} {job.key} failed {job.attempts} times: {job.error}",
            "it is tried again; the log says more",
        )
    if not known.failed_jobs:
        yield ok("jobs", "none failed repeatedly")


def _system_addresses(known: Facts) -> Check:
    if known.unreached:
        return wrong(
            "postmaster",
            f"{', '.join(known.unreached)} reach nobody",
            "`malleposte role grant ADDRESS administrator` for whoever is to read them",
        )
    if not known.domains:
        return warn("postmaster", "there is no domain yet", "`malleposte domain add DOMAIN`")
    if not known.administrators:
        return warn(
            "postmaster",
            "nobody is administrator: mail to postmaster goes to the first account",
            "`malleposte role grant ADDRESS administrator`",
        )
    return ok("postmaster", f"reaches {', '.join(known.administrators)}")


def _passwords(known: Facts) -> Iterator[Check]:
    if known.without_password:
        names = ", ".join(known.without_password_first[:5])
        more = ", …" if known.without_password > 5 else ""
        yield warn(
            "passwords",
            f"{known.without_password:,} accounts have none and cannot sign in: {names}{more}",
            "`malleposte account passwd ADDRESS`",
        )


async def damage(caller: Caller) -> Check:
    """A look for damage, as long as patience lasts."""
    found: list[Found] = []

    async def take(head: msgspec.Raw, pieces: AsyncIterator[bytes] | None) -> None:
        found.append(msgspec.json.decode(head, type=Found))

    whole = True
    try:
        async with asyncio.timeout(FSCK_PATIENCE):
            await caller.call("store.fsck", Fsck(), Examined, take=take)
    except TimeoutError:
        whole = False
    if found:
        first = found[0]
        return wrong(
            "damage",
            f"{len(found):,} found; {first.kind}: {first.object}: {first.text}",
            "`malleposte fsck` lists them, with --repair it mends what is derived",
        )
    if not whole:
        return ok(
            "damage", f"none found within {FSCK_PATIENCE:.0f} s; `malleposte fsck` looks at all"
        )
    return ok("damage", "none found; `malleposte fsck --deep` also reads all content back")
