"""MTA-STS as text: what is a record and a policy, and what is not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from malleposte.delivery.tls_policies.sts_policy import (
    LONGEST,
    BadPolicy,
    StsPolicy,
    announced,
    lines_of,
    read_policy,
)

GOOD = (
    b"version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\n"
    b"max_age: 604800\r\n"
)


@pytest.mark.parametrize(
    ("texts", "identity"),
    [
        (["v=STSv1; id=20160831085700Z;"], "20160831085700Z"),
        (["v=STSv1;id=1"], "1"),
        (["v=STSv1 ; id=1 ; more=a:b"], "1"),
        (["v=STSv1; more=x; id=2"], "2"),
        (["v=STSv1; id=1", "v=spf1 -all", "something"], "1"),
        ([], ""),
        (["v=STSv1; id=1", "v=STSv1; id=2"], ""),
        (["v=STSv1"], ""),
        (["v=STSv1; id="], ""),
        (["v=STSv1; id=" + "1" * 33], ""),
        (["v=STSv1; id=a b"], ""),
        (["v=STSv1; id=a-b"], ""),
        (["v=STSv2; id=1"], ""),
        (["V=STSv1; id=1"], ""),
        ([" v=STSv1; id=1"], ""),
        (["v=STSv1; id=1; broken"], ""),
        (["v=STSv1; id=1;;"], ""),
        (["v=STSv1; id=1;" + " " * 4_000 + "x"], ""),
    ],
)
def test_which_record_announces_a_policy(texts: list[str], identity: str) -> None:
    assert announced(texts) == identity


def test_a_policy() -> None:
    policy = read_policy(GOOD)
    assert policy == StsPolicy("enforce", ("mail.example.com", "*.example.net"), 604_800)
    assert read_policy(GOOD.replace(b"\r\n", b"\n").rstrip(b"\n")) == policy
    assert read_policy(b"extra: \xc3\xa9 anything\n" + GOOD + b"mode: none\n\n") == policy
    assert read_policy(GOOD.replace(b": ", b":")) == policy
    assert lines_of(GOOD.decode())[:2] == ("version: STSv1", "mode: enforce")


def test_what_holds_too_long_holds_a_year() -> None:
    assert read_policy(GOOD.replace(b"604800", b"9999999999")).max_age == LONGEST


def test_a_policy_of_none_needs_no_servers() -> None:
    policy = read_policy(b"version: STSv1\nmode: none\nmax_age: 86400\n")
    assert policy == StsPolicy("none", (), 86_400)


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "its version is not STSv1"),
        (b"<html>404</html>", "line 1 is not of the form «name: value»"),
        (GOOD.replace(b"STSv1", b"STSv2"), "its version is not STSv1"),
        (GOOD.replace(b"version", b"Version"), "its version is not STSv1"),
        (GOOD.replace(b"enforce", b"Enforce"), "its mode is «Enforce»"),
        (GOOD.replace(b"mode: enforce\r\n", b""), "it has no mode"),
        (GOOD.replace(b"604800", b"a week"), "its max_age is not a number of seconds"),
        (GOOD.replace(b"604800", b"-1"), "its max_age is not a number of seconds"),
        (GOOD.replace(b"604800", b"99999999999"), "its max_age is not a number of seconds"),
        (b"version: STSv1\nmode: enforce\nmax_age: 1\n", "it names no mx"),
        (GOOD.replace(b"mail.example.com", b"*"), "«*» is no name of a server"),
        (GOOD.replace(b"mail.example.com", b"a.*.example.com"), "is no name of a server"),
        (GOOD.replace(b"mail.example.com", b"mail..com"), "is no name of a server"),
        (GOOD.replace(b"mail.example.com", b""), "is no name of a server"),
        (GOOD.replace(b"mail", b"m\xc3\xa4il"), "is no name of a server"),
        (GOOD + b"\xff: x\n", "it is not UTF-8"),
        (b"x: y\n" * 1_001 + GOOD, "more than 1000 lines"),
        (GOOD + b" mx: a.example\n", "line 6 is not of the form"),
        (GOOD + b"".join(b"mx: a%d.example\n" % n for n in range(300)), "more than 200 mx"),
    ],
)
def test_what_is_no_policy_says_why(octets: bytes, why: str) -> None:
    with pytest.raises(BadPolicy) as told:
        read_policy(octets)
    assert why in str(told.value)


@pytest.mark.parametrize(
    ("host", "good"),
    [
        ("mail.example.com", True),
        ("Mail.Example.COM.", True),
        ("a.example.net", True),
        ("example.net", False),
        ("a.b.example.net", False),
        ("mail.example.com.evil.example", False),
        ("amail.example.com", False),
        ("", False),
    ],
)
def test_which_servers_a_policy_names(host: str, good: bool) -> None:
    assert read_policy(GOOD).allows(host) is good


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.lists(
            st.sampled_from([*GOOD.split(b"\r\n"), b"mode: none", b"mx: *.a", b":", b"x", b"\xff"]),
            max_size=12,
        ).map(b"\n".join),
    )
)
def test_whatever_is_fetched_is_a_policy_or_says_why_not(octets: bytes) -> None:
    why = ""
    policy = StsPolicy("none", (), 0)
    try:
        policy = read_policy(octets)
    except BadPolicy as error:
        why = str(error) or "?"
    assert why != "?"
    assert why or policy.mode == "none" or policy.hosts
    assert policy.max_age <= LONGEST


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(alphabet="v=STSv1; id\t9a", max_size=60), max_size=3))
def test_whatever_stands_in_the_dns_is_an_id_or_none(texts: list[str]) -> None:
    identity = announced(texts)
    assert identity == "" or (identity.isalnum() and len(identity) <= 32)
