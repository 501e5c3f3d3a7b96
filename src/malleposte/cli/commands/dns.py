"""``malleposte dns``."""

from typing import Annotated

from cyclopts import Parameter

from malleposte.cli.caller import Caller, run
from malleposte.cli.exit_codes import DAMAGE, OK, UNAVAILABLE, USAGE, Trouble
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, say, table
from malleposte.cli.progress import shown
from malleposte.operations.domain_records import DomainRecords, RecordShown, ShowRecords
from malleposte.operations.zone import bind
from malleposte.operations.zone.words import WORDS, short


def dns(
    domain: str,
    /,
    *,
    zone: Annotated[bool, Parameter(negative="")] = False,
    check: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> int:
    """Print the DNS records that a domain needs for its mail, and look whether they are there.

    Exit code with --check: 0 where all that mail needs is right, 4 where something of it is missing or
    different, 3 where something of it could not be asked.

    Parameters
    ----------
    domain
        The domain.
    zone
        As lines of a zone file.
    check
        Ask the DNS for each record now, and for the address of this server and the way back from it.
    """
    if zone and check:
        raise Trouble(
            USAGE, "--zone prints what is to be published, --check what is: one at a time"
        )
    if check:
        # The process that answers may not be able to read the program's files any more.
        import malleposte.operations.zone.address
        import malleposte.operations.zone.asking
        import malleposte.operations.zone.block_lists
        import malleposte.operations.zone.leaving  # noqa: F401
    request = ShowRecords(domain=domain, check=check)

    async def work(caller: Caller) -> DomainRecords:
        with shown("records", quiet=common.json) as progress:
            return await caller.call("domain.records", request, DomainRecords, progress=progress)

    found = run(common.configuration(), work)
    if common.json:
        as_json(found)
    elif zone:
        _zone(found)
    else:
        _table(found, check=check)
    return _code(found) if check else OK


def _code(found: DomainRecords) -> int:
    states = {record.state for record in found.records if record.needed}
    if found.unsigned or states & {"missing", "different"}:
        return DAMAGE
    return UNAVAILABLE if "unasked" in states else OK


def _zone(found: DomainRecords) -> None:
    for remark in _remarks(found):
        say(f"; {remark}")
    for record in found.records:
        if record.publish:
            if record.remark:
                say(f"; {record.remark}:")
            say(bind.line(record.name, record.kind, record.value))


def _table(found: DomainRecords, *, check: bool) -> None:
    if check:
        table(
            ("record", "type", "is", "stands there, or is wanted"),
            [(r.name, r.kind, WORDS[r.state], _words(r)) for r in found.records],
        )
    else:
        table(("record", "type", "value"), [(r.name, r.kind, r.value) for r in found.records])
    say()
    for remark in _remarks(found):
        say(remark)
    for record in found.records:
        if record.remark and record.state != "right":
            say(f"{record.name} {record.kind}: {record.remark}")
    if check:
        counts = [f"{sum(r.state == s for r in found.records)} {WORDS[s]}" for s in WORDS if s]
        say(", ".join(counts))


def _words(record: RecordShown) -> str:
    if record.state == "right":
        return record.words
    return short(record.words) or record.value


def _remarks(found: DomainRecords) -> list[str]:
    remarks = list(found.troubles)
    if found.unsigned and not remarks:
        remarks.append(
            f"{found.domain} has no DKIM keys: its mail leaves unsigned."
            f" `malleposte domain dkim {found.domain} --new` makes them."
        )
    if not any(record.state for record in found.records):
        remarks.append(
            f"{found.host} needs A and AAAA records, and each of its addresses a PTR record"
            f" {found.host}, which the provider of the address sets."
        )
    return remarks
