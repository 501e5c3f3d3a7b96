"""Sieve: scripts, what forms keep, what runs remember.

Every change moves the version of its owner, which who compiled the scripts compares. The first one also
moves ``directory_head``: from then on delivery asks (``directory.book``), before it did not.
"""

from collections.abc import Collection, Sequence
from typing import Final

from malleposte.normal_form import normal
from malleposte.sieve.limits import DEFAULT_LIMITS
from malleposte.store.commands import (
    ANSWERED,
    ActivateScript,
    DeleteScript,
    PutForm,
    PutScript,
    Remember,
    RenameScript,
)
from malleposte.store.dialect import Reader
from malleposte.store.execute.directory import changed
from malleposte.store.execute.records import add_job
from malleposte.store.results import Done, Refused
from malleposte.store.work import Work

MAX_SCRIPTS: Final = 100
"""Scripts of an owner and domain; people have one or two, programs a dozen."""
MAX_OCTETS: Final = 2 * 1024 * 1024
"""Octets of them together."""
MAX_SCRIPT: Final = DEFAULT_LIMITS.script_bytes
"""Octets of one."""
MAX_STATE: Final = 1024 * 1024
"""Octets of what a form keeps."""
MAX_NAME: Final = 128
"""Characters of a name (RFC 5804 §1.6: at least 128)."""
MAX_REMEMBERED: Final = 10_000
"""Entries of one kind that an account has; past them the one goes whose time is over first, and nobody new
is answered: a flood of forged senders ends there."""

FORMS: Final = ("vacation", "filters")

_FIND: Final = (
    "SELECT version, active, size FROM sieve_script WHERE owner = $1 AND domain = $2 AND name = $3"
)
_REMEMBER: Final = (
    "INSERT INTO sieve_memory (account, kind, digest, until) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (account, kind, digest) DO UPDATE SET until = excluded.until"
    " WHERE sieve_memory.until <= $5 OR $6"
)
_FORGET_OVER: Final = "DELETE FROM sieve_memory WHERE account = $1 AND kind = $2 AND until <= $3"
_FORGET_FIRST: Final = (
    "DELETE FROM sieve_memory WHERE account = $1 AND kind = $2 AND digest = (SELECT digest"
    " FROM sieve_memory WHERE account = $1 AND kind = $2 ORDER BY until, digest LIMIT 1)"
)
_NO_SCRIPT: Final = Refused(reason="no-such-script", text="there is no script of that name")
_CHANGED: Final = Refused(
    reason="changed", text="it was changed meanwhile: read it again before you save"
)
_BAD_NAME: Final = Refused(
    reason="bad-name",
    text=f"a script's name has 1 to {MAX_NAME} characters, none of them a control character",
)
_APART: Final = frozenset("\u2028\u2029")


def script_name(name: str) -> str:
    """A script's name as it is kept (NFC); '' where none can have it (RFC 5804 §1.6)."""
    if not name or len(name) > 4 * MAX_NAME:
        return ""
    name = normal("NFC", name)
    unfit = any(
        ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 or c in _APART
        for c in name
    )
    return "" if unfit or len(name) > MAX_NAME else name


async def put_script(work: Work, command: PutScript) -> Done | Refused:
    """Execute ``PutScript``."""
    name = script_name(command.name)
    if not name:
        return _BAD_NAME
    size = len(command.content)
    if size > MAX_SCRIPT:
        return Refused(reason="too-long", text=f"a script has at most {MAX_SCRIPT:,} octets")
    known = await work.tx.row(_FIND, command.owner, command.domain, name)
    if command.expected is not None and command.expected != (known[0] if known else 0):
        return _CHANGED
    refused = await no_room(
        work.tx, command.owner, command.domain, size - (known[2] if known else 0), new=known is None
    )
    if refused is not None:
        return refused
    version = await _advance(work, command.owner)
    if version is None:
        return _nobody(command.owner)
    active = bool(known and known[1]) or command.active
    if command.active:
        await _stop_others(work, command, version)
    await work.tx.run(
        "INSERT INTO sieve_script (owner, domain, name, version, n, active, size, content)"
        " VALUES ($1, $2, $3, $4, $4, $5, $6, $7) ON CONFLICT (owner, domain, name) DO UPDATE"
        " SET version = excluded.version, active = excluded.active, size = excluded.size,"
        " content = excluded.content",
        command.owner,
        command.domain,
        name,
        version,
        int(active),
        size,
        command.content,
    )
    return Done(modseq=version)


async def no_room(
    reader: Reader, owner: int, domain: int, more: int, *, new: bool
) -> Refused | None:
    """Why an owner cannot have so many octets more of scripts, or one more; None: he can."""
    row = await reader.row(
        "SELECT count(*), coalesce(sum(size), 0) FROM sieve_script WHERE owner = $1 AND domain = $2",
        owner,
        domain,
    )
    count, octets = row or (0, 0)
    if new and count >= MAX_SCRIPTS:
        text = f"there can be {MAX_SCRIPTS} scripts at most: delete one first"
        return Refused(reason="too-many", text=text)
    if more > 0 and octets + more > MAX_OCTETS:
        text = f"all scripts together have at most {MAX_OCTETS:,} octets: delete one first"
        return Refused(reason="limit", text=text)
    return None


async def activate_script(work: Work, command: ActivateScript) -> Done | Refused:
    """Execute ``ActivateScript``."""
    name = script_name(command.name)
    if command.name:
        known = await work.tx.row(_FIND, command.owner, command.domain, name)
        if known is None:
            return _NO_SCRIPT
        if known[1]:
            return Done(modseq=known[0])
    version = await _advance(work, command.owner)
    if version is None:
        return _nobody(command.owner)
    await _stop_others(work, command, version)
    if command.name:
        await work.tx.run(
            "UPDATE sieve_script SET active = 1, version = $1"
            " WHERE owner = $2 AND domain = $3 AND name = $4",
            version,
            command.owner,
            command.domain,
            name,
        )
    return Done(modseq=version)


async def _stop_others(work: Work, command: PutScript | ActivateScript, version: int) -> None:
    await work.tx.run(
        "UPDATE sieve_script SET active = 0, version = $1"
        " WHERE owner = $2 AND domain = $3 AND active = 1",
        version,
        command.owner,
        command.domain,
    )


async def delete_script(work: Work, command: DeleteScript) -> Done | Refused:
    """Execute ``DeleteScript``. RFC 5804 §2.10: the active one stays."""
    name = script_name(command.name)
    known = await work.tx.row(_FIND, command.owner, command.domain, name)
    if known is None:
        return _NO_SCRIPT
    if command.expected is not None and command.expected != known[0]:
        return _CHANGED
    if known[1]:
        return Refused(reason="in-use", text="the script is active: have another one run first")
    version = await _advance(work, command.owner)
    await work.tx.run(
        "DELETE FROM sieve_script WHERE owner = $1 AND domain = $2 AND name = $3",
        command.owner,
        command.domain,
        name,
    )
    if command.owner < 0:
        await forget_site(work, command.owner)
    return Done(modseq=version or 0)


async def forget_site(work: Work, owner: int) -> None:
    """An organisation without scripts costs delivery nothing again; ``directory_head`` has moved."""
    await work.tx.run(
        "DELETE FROM sieve_head WHERE owner = $1"
        " AND NOT EXISTS (SELECT 1 FROM sieve_script s WHERE s.owner = sieve_head.owner)",
        owner,
    )


async def rename_script(work: Work, command: RenameScript) -> Done | Refused:
    """Execute ``RenameScript``."""
    name, to = script_name(command.name), script_name(command.to)
    known = await work.tx.row(_FIND, command.owner, command.domain, name)
    if known is None:
        return _NO_SCRIPT
    if not to:
        return _BAD_NAME
    if to == name:
        return Done(modseq=known[0])
    if await work.tx.row(_FIND, command.owner, command.domain, to) is not None:
        return Refused(reason="exists", text="there is a script of that name")
    version = await _advance(work, command.owner)
    await work.tx.run(
        "UPDATE sieve_script SET name = $1, version = $2"
        " WHERE owner = $3 AND domain = $4 AND name = $5",
        to,
        version,
        command.owner,
        command.domain,
        name,
    )
    return Done(modseq=version or 0)


async def put_form(work: Work, command: PutForm) -> Done | Refused:
    """Execute ``PutForm``."""
    if command.kind not in FORMS:
        return Refused(reason="bad-name", text=f"there is no form {command.kind[:60]!r}")
    if len(command.state) > MAX_STATE or len(command.content) > MAX_SCRIPT:
        return Refused(reason="too-long", text="it holds too much: make fewer or shorter rules")
    known = await work.tx.row(
        "SELECT version FROM sieve_form WHERE account = $1 AND kind = $2",
        command.account,
        command.kind,
    )
    if command.expected is not None and command.expected != (known[0] if known else 0):
        return _CHANGED
    if known is None and not command.state:
        return Done()
    version = await _advance(work, command.account)
    if version is None:
        return _nobody(command.account)
    if not command.state:
        await work.tx.run(
            "DELETE FROM sieve_form WHERE account = $1 AND kind = $2", command.account, command.kind
        )
        return Done(modseq=version)
    await work.tx.run(
        "INSERT INTO sieve_form (account, kind, version, state, content) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (account, kind) DO UPDATE SET version = excluded.version,"
        " state = excluded.state, content = excluded.content",
        command.account,
        command.kind,
        version,
        command.state,
        command.content,
    )
    return Done(modseq=version)


def _nobody(owner: int) -> Refused:
    return Refused(reason="no-such-account" if owner > 0 else "no-such-organisation")


async def _advance(work: Work, owner: int) -> int | None:
    """The next version of an owner's scripts and forms; None: there is no such owner."""
    if owner > 0:
        head = await work.head(owner)
        if head is None:
            return None
        version = head.bump()
    else:
        if await work.tx.row("SELECT 1 FROM organisation WHERE id = $1", -owner) is None:
            return None
        await changed(work)
        row = await work.tx.row("SELECT version FROM directory_head WHERE id = 1")
        version = int(row[0]) if row else 1
    known = await work.tx.run("UPDATE sieve_head SET version = $1 WHERE owner = $2", version, owner)
    if not known:
        if owner > 0:
            await changed(work)
        await work.tx.run("INSERT INTO sieve_head (owner, version) VALUES ($1, $2)", owner, version)
    return version


# With deliveries -----------------------------------------------------------------------------------


async def remember(work: Work, remembered: Sequence[Remember], refused: Collection[int]) -> None:
    """Keep what scripts remember, and gather the work that follows; nothing of accounts in ``refused``."""
    for one in remembered:
        if one.account not in refused and await _is_new(work, one) and one.work is not None:
            await add_job(work, one.work)


async def _is_new(work: Work, one: Remember) -> bool:
    """Keep one; whether it was not known."""
    if one.seconds <= 0:
        return True
    if await _is_full(work, one):
        return False
    kept = await work.tx.run(
        _REMEMBER,
        one.account,
        one.kind,
        one.digest,
        work.now + one.seconds,
        work.now,
        one.last,
    )
    return kept > 0


async def _is_full(work: Work, one: Remember) -> bool:
    """Whether there is no place for one more; makes one where that may be."""
    row = await work.tx.row(
        "SELECT count(*) FROM sieve_memory WHERE account = $1 AND kind = $2", one.account, one.kind
    )
    if row is None or row[0] < MAX_REMEMBERED:
        return False
    if await work.tx.run(_FORGET_OVER, one.account, one.kind, work.now):
        return False
    if one.kind == ANSWERED:
        return True
    await work.tx.run(_FORGET_FIRST, one.account, one.kind)
    return False
