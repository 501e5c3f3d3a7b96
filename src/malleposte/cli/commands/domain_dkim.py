"""``malleposte domain dkim``."""

import time
from typing import Annotated

from cyclopts import Parameter

from malleposte.cli.caller import Caller, run
from malleposte.cli.exit_codes import OK, USAGE, Trouble
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, moment, note, say, table
from malleposte.directory.addresses import shown_domain
from malleposte.operations.dkim import (
    DkimKeys,
    KeysMade,
    KeysRetired,
    ListKeys,
    MakeKeys,
    RetireKeys,
)
from malleposte.operations.zone import bind
from malleposte.operations.zone.words import WORDS, short


def dkim(
    name: str,
    /,
    *,
    new: Annotated[bool, Parameter(negative="")] = False,
    retire: str = "",
    last: Annotated[bool, Parameter(negative="")] = False,
    at_once: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> int:
    """List a domain's DKIM keys and whether they sign; make new ones, retire old ones.

    A rotation: --new, publish the records, wait until the list says that the new keys sign, then
    --retire the old ones; the list says until when their records must stand.

    Parameters
    ----------
    name
        The domain.
    new
        Make a pair of keys, RSA and Ed25519. They sign once their records are published.
    retire
        Selector of a key to destroy together with the other one of its pair.
    last
        Retire keys even if the domain's mail leaves unsigned then.
    at_once
        Others may have got the keys: their records are to go from the zone now.
    """
    if new and retire:
        raise Trouble(
            USAGE, "--new and --retire are two steps: publish the new records between them"
        )
    if (last or at_once) and not retire:
        raise Trouble(USAGE, f"{'--last' if last else '--at-once'} belongs to --retire")
    # The process that answers may not be able to read the program's files any more.
    import malleposte.operations.zone.asking  # noqa: F401

    if new:
        return _new(name, common)
    if retire:
        request = RetireKeys(domain=name, selector=retire, last=last, at_once=at_once)
        return _retire(request, common)
    return _list(name, common)


def _list(name: str, common: Common) -> int:
    async def work(caller: Caller) -> DkimKeys:
        return await caller.call("domain.dkim-list", ListKeys(domain=name), DkimKeys)

    found = run(common.configuration(), work)
    if common.json:
        as_json(found)
        return OK
    for trouble in found.troubles:
        note(f"malleposte: {trouble}")
    if not found.keys:
        say(
            f"{shown_domain(found.domain)} has no DKIM keys: its mail leaves unsigned."
            f" `malleposte domain dkim {found.domain} --new` makes them"
        )
        _retired(found)
        return OK
    table(
        ("selector", "algorithm", "made", "signs", "record"),
        [
            (
                key.selector,
                key.algorithm,
                moment(key.made),
                "yes" if key.signs else "no",
                f"{WORDS[key.state]}: {short(key.words)}" if key.words else WORDS[key.state],
            )
            for key in found.keys
        ],
    )
    _retired(found)
    return OK


def _retired(found: DkimKeys) -> None:
    """Records of keys that are no more."""
    now = time.time()
    for one in found.retired:
        if one.until > now:
            say(f"{one.selector} is retired; leave {one.name} until {moment(one.until)}")
        else:
            say(f"{one.selector} is retired; {one.name} can go from the zone")


def _new(name: str, common: Common) -> int:
    async def work(caller: Caller) -> KeysMade:
        return await caller.call("domain.dkim-new", MakeKeys(domain=name), KeysMade)

    made = run(common.configuration(), work)
    if common.json:
        as_json(made)
        return OK
    say("Publish these records; each key signs within minutes of being seen in the DNS:")
    say()
    for key in made.keys:
        say(bind.line(key.name, "TXT", key.record))
    return OK


def _retire(request: RetireKeys, common: Common) -> int:
    async def work(caller: Caller) -> KeysRetired:
        return await caller.call("domain.dkim-retire", request, KeysRetired)

    done = run(common.configuration(), work)
    if common.json:
        as_json(done)
        return OK
    say(f"{' and '.join(done.selectors)} are destroyed.")
    if done.until <= time.time():
        say("Their records are not needed any more; take out, where they are there:")
    else:
        say(
            f"Leave their records until {moment(done.until)}, for mail that is under way; then take out:"
        )
    for one in done.names:
        say(f"  {one}")
    return OK
