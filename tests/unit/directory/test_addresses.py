"""Addresses in one form: what people take for the same is the same, and bad ones say why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.directory.addresses import (
    BadAddressError,
    new_address,
    normalise,
    normalise_domain,
    shown_domain,
    split_subaddress,
)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Zoé@Example.TEST", "zoé@example.test"),
        ("ZOÉ@example.test", "zoé@example.test"),
        ("straße@example.test", "strasse@example.test"),
        ("a@Bücher.example", "a@xn--bcher-kva.example"),
        ("a@XN--BCHER-KVA.example.", "a@xn--bcher-kva.example"),
        (" a@example.test ", "a@example.test"),
    ],
)
def test_spellings_of_one_address_are_kept_alike(written: str, kept: str) -> None:
    assert normalise(written) == kept
    assert normalise(kept) == kept


@pytest.mark.parametrize(
    "written",
    ["", "a", "@example.test", "a@", "a b@example.test", "a@-x.example", "a@ex ample", "a@a..b"]
    + ["a" * 65 + "@example.test", "a@" + "b" * 64 + ".example", "a\n@example.test"],
)
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(BadAddressError):
        normalise(written)


@pytest.mark.parametrize(
    "written", [".a@example.test", "a..b@example.test", "a+b@example.test", "a%b@example.test"]
)
def test_new_addresses_are_stricter_than_known_ones(written: str) -> None:
    normalise(written)
    with pytest.raises(BadAddressError):
        new_address(written)


def test_a_subaddress_is_what_follows_the_first_plus() -> None:
    assert split_subaddress("a+b+c") == ("a", "b+c")
    assert split_subaddress("a") == ("a", "")
    assert split_subaddress("+b") == ("+b", "")


def test_domains_are_shown_as_people_write_them() -> None:
    assert shown_domain("xn--bcher-kva.example") == "bücher.example"
    assert shown_domain("example.test") == "example.test"


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_refused_and_normal_forms_stay(text: str) -> None:
    try:
        kept = normalise(text)
    except BadAddressError:
        return
    assert normalise(kept) == kept


@given(st.text(max_size=80))
def test_any_text_is_a_domain_or_refused(text: str) -> None:
    try:
        kept = normalise_domain(text)
    except BadAddressError:
        return
    assert kept.isascii()
    assert normalise_domain(kept) == kept
