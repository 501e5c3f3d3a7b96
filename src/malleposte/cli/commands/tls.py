"""``malleposte tls …``."""

from cyclopts import App

from malleposte.cli.caller import ask
from malleposte.cli.commands.queue import when
from malleposte.cli.exit_codes import OK
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, say, table
from malleposte.operations.tls import (
    EndException,
    ExceptionEnded,
    Exceptions,
    ListExceptions,
    MakeException,
    ShowTls,
    TlsShown,
)

tls = App(name="tls", help="TLS towards other servers: what a domain wants, exceptions.")


@tls.command
def show(domain: str, /, *, common: Common = DEFAULT) -> int:
    """Show what a domain wants of TLS when mail goes to it: by DANE, by MTA-STS, or nothing.

    Parameters
    ----------
    domain
        A domain elsewhere.
    """
    # The process that answers may not be able to read the program's files any more.
    import malleposte.delivery.tls_policies
    import malleposte.operations.zone.asking  # noqa: F401

    found = ask(common.configuration(), "tls.show", ShowTls(domain=domain), TlsShown)
    if common.json:
        as_json(found)
        return OK
    table(
        ("server", "by", "wants"),
        [(one.host, one.wants, one.words) for one in found.servers],
    )
    say()
    if not found.validating:
        say(
            "DANE is off here: it needs a validating resolver on this machine's loopback, such as"
            " Debian's unbound."
        )
    if (policy := found.policy) is not None:
        hosts = ", ".join(policy.hosts)
        say(
            f"MTA-STS: {policy.mode}, for {hosts or 'no server'}; holds until {when(policy.expires_at)}"
        )
        if policy.failed:
            say(f"It could not be fetched again: {policy.failed}")
    if found.reports:
        say(f"It wants reports: {', '.join(found.reports)}")
    return OK


@tls.command(name="except")
def except_(destination: str, /, *, days: int = 7, why: str = "", common: Common = DEFAULT) -> int:
    """Let mail go whatever a destination's policies want of TLS, for some days.

    Parameters
    ----------
    destination
        The recipients' domain, or the name of a server of theirs.
    days
        So long. Again: so long from then.
    why
        Shown in the list.
    """
    request = MakeException(destination=destination, days=days, why=why)
    done = ask(common.configuration(), "tls.except", request, Exceptions)
    if common.json:
        as_json(done)
        return OK
    for one in done.exceptions:
        say(f"Mail to {one.destination} goes by any TLS, or none, until {when(one.until)}.")
        say(
            "What waits for it is tried again by its turn, or now: malleposte queue retry MESSAGE …"
        )
    return OK


@tls.command
def exceptions(*, common: Common = DEFAULT) -> int:
    """List exceptions, those too that ended within a month."""
    found = ask(common.configuration(), "tls.exceptions", ListExceptions(), Exceptions)
    if common.json:
        as_json(found)
    elif not found.exceptions:
        say("There are no exceptions.")
    else:
        table(
            ("destination", "until", "made by", "why"),
            [
                (
                    one.destination,
                    f"{when(one.until)}{' (over)' if one.over else ''}",
                    one.made_by,
                    one.why,
                )
                for one in found.exceptions
            ],
        )
    return OK


@tls.command
def end(destination: str, /, *, common: Common = DEFAULT) -> int:
    """End an exception before its time.

    Parameters
    ----------
    destination
        As it stands in the list.
    """
    request = EndException(destination=destination)
    done = ask(common.configuration(), "tls.end", request, ExceptionEnded)
    if common.json:
        as_json(done)
    else:
        say(f"What {done.destination} wants of TLS counts again.")
    return OK
