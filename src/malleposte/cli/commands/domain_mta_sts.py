"""``malleposte domain mta-sts``."""

from typing import Annotated, Literal

from cyclopts import Parameter

from malleposte.cli.caller import ask
from malleposte.cli.exit_codes import OK, USAGE, Trouble
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, note, say
from malleposte.directory.addresses import shown_domain
from malleposte.operations.domain_mta_sts import PolicyShown, SetPolicy, ShowPolicy


def mta_sts(
    name: str,
    mode: Literal["none", "testing", "enforce"] | None = None,
    /,
    *,
    mx: tuple[str, ...] = (),
    alone: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> int:
    """Show or set how others are to encrypt mail to a domain (MTA-STS).

    The policy counts once its records are published (`malleposte dns`); publish the new id after each
    change. From testing to enforce once `malleposte dns --check` finds all of it right and no report
    tells of failures; before the records are taken out of the zone: none, for two weeks.

    Parameters
    ----------
    name
        The domain.
    mode
        none (no demands), testing (others only report) or enforce; without it: what is set now.
    mx
        A server beside this one that takes mail for the domain; may be given again. These take the place of
        those named before.
    alone
        No server beside this one.
    """
    if mx and alone:
        raise Trouble(USAGE, "--mx and --alone contradict each other")
    configuration = common.configuration()
    if mode is None and not mx and not alone:
        asked = ShowPolicy(domain=name)
        return _told(ask(configuration, "domain.mta-sts", asked, PolicyShown), common)
    # The process that answers may not be able to read the program's files any more.
    import malleposte.operations.zone.asking
    import malleposte.operations.zone.policy  # noqa: F401

    request = SetPolicy(domain=name, mode=mode or "", servers=mx if mx or alone else None)
    done = ask(configuration, "domain.mta-sts-set", request, PolicyShown)
    return _told(done, common, changed=True)


def _told(done: PolicyShown, common: Common, *, changed: bool = False) -> int:
    if common.json:
        as_json(done)
        return OK
    if done.words:
        note(f"malleposte: {done.words}")
    say(f"{shown_domain(done.domain)}: {done.url} says")
    say()
    for line in done.text.splitlines():
        say(f"  {line}")
    say()
    record = f'_mta-sts.{done.domain} TXT "v=STSv1; id={done.id}"'
    say(f"Publish it by this record: {record}" if changed else f"Its record: {record}")
    return OK
