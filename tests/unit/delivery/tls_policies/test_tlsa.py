"""TLSA records held against certificates: whom they let in, and the words for whom they do not."""

import datetime
import ipaddress
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from malleposte.delivery.outbound.resolver import Tlsa
from malleposte.delivery.tls_policies.tlsa import strongest, usable, why_wrong
from support.certificates import Issued, issue
from unit.delivery.outbound.outside import says

NAME = "mx.there.example"
ROOT = issue("root", authority=True)
BETWEEN = issue("between", by=ROOT, authority=True)
LEAF = issue(NAME, by=BETWEEN)
OLD = issue(NAME, by=BETWEEN, days=(-60, -1))
EARLY = issue(NAME, by=BETWEEN, days=(1, 30))
ALONE = issue("nobody.example", days=(-60, -1))
NO_AUTHORITY = issue("user.example", by=ROOT)
FORGED = issue(NAME, by=NO_AUTHORITY)
STAR = issue("*.there.example", by=BETWEEN)
SUBJECT = issue(NAME, by=BETWEEN, named=False)
SUBJECT_STAR = issue("*.there.example", by=BETWEEN, named=False)
SUBJECT_PART = issue("mx*.there.example", by=BETWEEN, named=False)
SUBJECT_ELSEWHERE = issue("mx.elsewhere.example", by=BETWEEN, named=False)
SUBJECT_BESIDE = issue(NAME, by=BETWEEN, alternative=[x509.DNSName("mx.elsewhere.example")])
SUBJECT_ALONE = issue(
    NAME, by=BETWEEN, alternative=[x509.IPAddress(ipaddress.ip_address("192.0.2.1"))]
)
LIMITED = issue("limited", by=ROOT, authority=True, within="there.example")
UNDER_LIMITED = issue(NAME, by=LIMITED)
SUBJECT_LIMITED = issue(NAME, by=LIMITED, named=False)
OUT_OF_LIMITS = issue(NAME, by=issue("l", by=ROOT, authority=True, within="elsewhere.example"))
DEEP_STAR = issue("*.example", by=BETWEEN)
ELSEWHERE = issue("there.example", by=BETWEEN)
OTHER = issue("other", authority=True)
OLD_BETWEEN = issue("between", by=ROOT, authority=True, days=(-60, -1))
UNDER_OLD = issue(NAME, by=OLD_BETWEEN)
SAYS_NO = issue("user.example", by=ROOT, constraints=x509.BasicConstraints(False, None))
UNDER_NO = issue(NAME, by=SAYS_NO)
SIGNS_NOT = issue("between", by=ROOT, authority=True, signs=False)
UNDER_NOT = issue(NAME, by=SIGNS_NOT)
SHORT = issue("short", authority=True, constraints=x509.BasicConstraints(True, 0))
TOO_DEEP = issue(NAME, by=issue("between", by=SHORT, authority=True))

RIGHT = ""
NONE = "its certificate is none that the TLSA records name"
PATH = (
    f"its certificate is not one for {NAME} or there.example by the authority that the TLSA records"
    " name (…)"
)


def tlsa(text: str) -> Tlsa:
    usage, selector, matching, data = text.split(" ")
    return Tlsa(int(usage), int(selector), int(matching), bytes.fromhex(data))


@dataclass
class Row:
    name: str
    shown: Sequence[bytes]
    records: Sequence[str]
    said: str


ROWS = [
    # This key: neither names nor dates nor who signed it matter (RFC 7672 §3.1.1).
    *(
        Row(f"3 {selector} {matching}", ALONE.chain, [ALONE.tlsa(3, selector, matching)], RIGHT)
        for selector in (0, 1)
        for matching in (0, 1, 2)
    ),
    Row("3: another key", ALONE.chain, [LEAF.tlsa(3)], NONE),
    Row("3: the key of an issuer is not the server's", LEAF.chain, [BETWEEN.tlsa(3)], NONE),
    Row(
        "3: one of several, at a change of keys", ALONE.chain, [LEAF.tlsa(3), ALONE.tlsa(3)], RIGHT
    ),
    # This authority
    *(
        Row(f"2 {selector} {matching}", LEAF.chain, [ROOT.tlsa(2, selector, matching)], RIGHT)
        for selector in (0, 1)
        for matching in (0, 1, 2)
    ),
    Row("2: one in between", LEAF.chain, [BETWEEN.tlsa(2)], RIGHT),
    Row("2: one in between, the root not shown", LEAF.chain[:2], [BETWEEN.tlsa(2)], RIGHT),
    Row("2: the root not shown", LEAF.chain[:2], [ROOT.tlsa(2)], NONE),
    Row("2: the root in the DNS itself", LEAF.chain[:2], [ROOT.tlsa(2, 0, 0)], RIGHT),
    Row("2: the server's own certificate is no authority", LEAF.chain, [LEAF.tlsa(2)], NONE),
    Row("2: signed by itself", ALONE.chain, [ALONE.tlsa(2)], NONE),
    Row("2: another authority", LEAF.chain, [OTHER.tlsa(2)], NONE),
    Row(
        "2: shown, but it did not sign",
        [LEAF.der, OTHER.der],
        [OTHER.tlsa(2)],
        PATH,
    ),
    Row("2: over", OLD.chain, [BETWEEN.tlsa(2)], PATH),
    Row("2: not yet", EARLY.chain, [BETWEEN.tlsa(2)], PATH),
    Row("2: one in between is over", UNDER_OLD.chain, [ROOT.tlsa(2)], PATH),
    Row("2: a server's certificate signed another", FORGED.chain, [ROOT.tlsa(2)], PATH),
    Row("2: one that says it is no authority signed", UNDER_NO.chain, [ROOT.tlsa(2)], PATH),
    Row("2: one whose key is not for that signed", UNDER_NOT.chain, [ROOT.tlsa(2)], PATH),
    Row("2: more in between than there may be", TOO_DEEP.chain, [SHORT.tlsa(2)], PATH),
    Row("2: another server's", NO_AUTHORITY.chain, [ROOT.tlsa(2)], PATH),
    Row("2: for the domain", ELSEWHERE.chain, [ROOT.tlsa(2)], RIGHT),
    Row("2: with a star", STAR.chain, [ROOT.tlsa(2)], RIGHT),
    # RFC 7672 §3.2.3: the subject counts where there are no DNS names in subjectAltName.
    Row("2: the name in the subject", SUBJECT.chain, [ROOT.tlsa(2)], RIGHT),
    Row("2: a star in the subject", SUBJECT_STAR.chain, [ROOT.tlsa(2)], RIGHT),
    Row("2: another name in the subject", SUBJECT_ELSEWHERE.chain, [ROOT.tlsa(2)], PATH),
    Row("2: the subject beside another DNS name", SUBJECT_BESIDE.chain, [ROOT.tlsa(2)], PATH),
    Row("2: the subject beside an address", SUBJECT_ALONE.chain, [ROOT.tlsa(2)], RIGHT),
    Row("2: a star is a whole label", SUBJECT_PART.chain, [ROOT.tlsa(2)], PATH),
    Row("2: a star is one label", DEEP_STAR.chain, [ROOT.tlsa(2)], PATH),
    Row("2: within the limits of its authority", UNDER_LIMITED.chain, [ROOT.tlsa(2)], RIGHT),
    Row("2: out of the limits", OUT_OF_LIMITS.chain, [ROOT.tlsa(2)], PATH),
    Row("2: limits, and the name in the subject", SUBJECT_LIMITED.chain, [ROOT.tlsa(2)], PATH),
    Row("both, and the key is right", ALONE.chain, [OTHER.tlsa(2), ALONE.tlsa(3)], RIGHT),
    # The weaker digest of two does not count (RFC 7671 §9).
    Row("3 by the weaker one", ALONE.chain, [ALONE.tlsa(3, 1, 1), LEAF.tlsa(3, 1, 2)], NONE),
    Row("3 by the stronger one", ALONE.chain, [LEAF.tlsa(3, 1, 1), ALONE.tlsa(3, 1, 2)], RIGHT),
    Row("3 by the whole", ALONE.chain, [LEAF.tlsa(3, 1, 2), ALONE.tlsa(3, 1, 0)], RIGHT),
    Row("nothing is shown", [], [ALONE.tlsa(3)], "it shows no certificate"),
    Row("garbage is shown", [b"garbage"], [ALONE.tlsa(3)], "its certificate cannot be read"),
    Row("garbage beside the right key", [ALONE.der, b"garbage"], [ALONE.tlsa(3)], RIGHT),
    Row("garbage beside the way", [*LEAF.chain, b"garbage"], [ROOT.tlsa(2)], RIGHT),
    Row("garbage in the DNS", LEAF.chain, ["2 0 0 0102"], NONE),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_certificate_and_its_records(row: Row) -> None:
    now = datetime.datetime.now(datetime.UTC)
    said = why_wrong(row.shown, list(map(tlsa, row.records)), [NAME, "there.example"], now)
    assert says(row.said, said), said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("record", "good"),
    [
        (LEAF.tlsa(3), True),
        (LEAF.tlsa(2, 0, 2), True),
        (LEAF.tlsa(3, 0, 0), True),
        (LEAF.tlsa(0), False),
        (LEAF.tlsa(1), False),
        (LEAF.tlsa(4), False),
        (f"3 2 1 {'00' * 32}", False),
        (f"3 1 3 {'00' * 32}", False),
        (f"3 1 1 {'00' * 31}", False),
        (f"3 1 2 {'00' * 32}", False),
        ("3 1 0 ", False),
    ],
    ids=map(str, range(11)),  # keys are made anew each time
)
def test_which_records_can_be_held_against_a_certificate(record: str, good: bool) -> None:
    assert usable(tlsa(record)) is good


def test_of_digests_only_the_strongest_counts_for_its_kind() -> None:
    records = [
        tlsa(LEAF.tlsa(*kind)) for kind in ((3, 1, 0), (3, 1, 1), (3, 1, 2), (3, 0, 1), (2, 1, 1))
    ]
    assert strongest(records) == [records[0], *records[2:]]


def test_a_long_chain_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    chain: list[Issued] = [ROOT]
    for number in range(12):
        chain.append(issue(f"a{number}", by=chain[-1], authority=True))
    leaf = issue(NAME, by=chain[-1])
    now = datetime.datetime.now(datetime.UTC)
    assert why_wrong(leaf.chain, [tlsa(ROOT.tlsa(2))], [NAME], now) == NONE
    assert why_wrong(leaf.chain, [tlsa(chain[9].tlsa(2))], [NAME], now) == RIGHT


def test_certificates_that_sign_each_other_in_all_directions_take_bounded_time() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    loops = [issue("loop", key=key, authority=True) for _ in range(8)]
    leaf = issue(NAME, "there.example", by=loops[0])
    anchor = issue("anchor", authority=True)
    shown = [leaf.der, *(one.der for one in loops), anchor.der]
    now = datetime.datetime.now(datetime.UTC)
    begun = time.monotonic()
    said = why_wrong(shown, [tlsa(anchor.tlsa(2))], [NAME, "there.example"], now)
    assert says(PATH, said), said
    assert time.monotonic() - begun < 5.0


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@settings(max_examples=300, deadline=None)
@given(
    certificate=st.integers(0, 2),
    at=st.integers(0, 10_000),
    octet=st.integers(0, 255),
    cut=st.integers(0, 40),
)
def test_certificates_changed_on_the_way_are_never_right(
    certificate: int, at: int, octet: int, cut: int
) -> None:
    """Nor do they raise anything."""
    shown = list(LEAF.chain)
    one = bytearray(shown[certificate])
    one[at % len(one)] = octet
    changed = bytes(one[: len(one) - cut])
    shown[certificate] = changed
    now = datetime.datetime.now(datetime.UTC)
    for record in (LEAF.tlsa(3, 0), ROOT.tlsa(2, 0)):
        said = why_wrong(shown, [tlsa(record)], [NAME], now)
        assert isinstance(said, str)
        if record == LEAF.tlsa(3, 0) and certificate == 0 and changed != LEAF.der:
            assert said
