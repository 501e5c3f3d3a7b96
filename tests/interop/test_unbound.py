"""DANE with a real validating resolver: what it vouches for counts, what it does not is no DANE, and what
it finds forged stops the mail."""

from pathlib import Path

import pytest

from support.validating import OPEN, SIGNED, outcomes
from unit.delivery.outbound.outside import says

pytestmark = pytest.mark.interop

TOOK = "…took it…"
BY_DANE = "…, TLSv1.3 TLS_…, certificate as DANE has it"
UNCHECKED = "…, TLSv1.3 TLS_…, certificate not checked"
ROWS = {
    f"right.{SIGNED}": ("delivered", BY_DANE, TOOK),
    f"wrong.{SIGNED}": (
        "deferred",
        "…",
        "…: its certificate is none that the TLSA records name; DANE demands it: nothing was sent",
    ),
    # It was changed on the way: to the resolver that is as bad as no answer.
    f"broken.{SIGNED}": (
        "deferred",
        "…",
        f"…: the TLSA record of _25._tcp.mx3.{SIGNED} was not found: the resolver at 127.0.0.1 answered"
        " SERVFAIL; without it nobody knows which certificate is right (DANE): nothing was sent",
    ),
    f"without.{SIGNED}": ("delivered", UNCHECKED, TOOK),
    f"alias.{SIGNED}": ("delivered", BY_DANE, TOOK),
    f"away.{SIGNED}": ("delivered", UNCHECKED, TOOK),
    OPEN: ("delivered", UNCHECKED, TOOK),
}


def test_what_dnssec_vouches_for_decides(tmp_path: Path) -> None:
    found = outcomes(tmp_path)
    assert set(found) == set(ROWS)
    for domain, (outcome, host, said) in ROWS.items():
        assert found[domain][0] == outcome, found[domain]
        assert says(host, found[domain][1]), found[domain]
        assert says(said, found[domain][2]), found[domain]
