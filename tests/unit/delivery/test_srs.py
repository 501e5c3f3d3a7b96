"""Rewritten senders: what comes back finds the first sender, what others made up finds nobody."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from malleposte.delivery.srs import LONGEST, BadSrs, Srs, is_srs
from malleposte.secrets.redaction import Secret

SECRET = Secret(b"0123456789abcdef")
DAY = 86_400


def srs(domain: str = "us.example", *, now: float = 20_000 * DAY, secret: bytes = b"") -> Srs:
    return Srs([Secret(secret) if secret else SECRET], domain, clock=lambda: now)


def test_a_sender_is_rewritten_and_found_again() -> None:
    made = srs().encode("ada@A.example")
    assert made.startswith("SRS0=")
    assert made.endswith("=A.example=ada@us.example")
    assert is_srs(made)
    assert srs().decode(made) == "ada@A.example"


def test_the_null_sender_stays() -> None:
    assert srs().encode("") == ""


locals_ = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@given(locals_)
def test_any_local_part_comes_back(local: str) -> None:
    quoted = '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'
    try:
        made = srs().encode(f"{quoted}@a.example")
    except ValueError:
        assume(False)
    back = srs().decode(made)
    assert back in (f"{local}@a.example", f"{quoted}@a.example")
    if not is_srs(quoted):
        assert srs().encode(back) == made


def test_a_second_forwarder_keeps_the_way_to_the_first_alone() -> None:
    first, second, third = (srs(f"f{n}.example", secret=bytes([n]) * 16) for n in (1, 2, 3))
    one = first.encode("ada@a.example")
    two = second.encode(one)
    three = third.encode(two)
    assert two.startswith("SRS1=")
    assert three.startswith("SRS1=")
    assert len(three) == len(two)
    # A bounce goes from the last forwarder to the first, past those between.
    assert third.decode(three) == one
    assert second.decode(two) == one
    assert first.decode(one) == "ada@a.example"


def test_one_whose_case_was_lost_is_found() -> None:
    made = srs().encode("Ada@a.example").lower()
    assert srs().decode(made) == "ada@a.example"


@pytest.mark.parametrize("days", [0, 1, 21])
def test_it_is_good_for_three_weeks(days: int) -> None:
    made = srs().encode("ada@a.example")
    assert srs(now=(20_000 + days) * DAY).decode(made) == "ada@a.example"


@pytest.mark.parametrize("days", [22, 100, 500, -1])
def test_then_its_time_is_over(days: int) -> None:
    made = srs().encode("ada@a.example")
    with pytest.raises(BadSrs, match="time is over"):
        srs(now=(20_000 + days) * DAY).decode(made)


def test_the_days_go_round() -> None:
    made = srs(now=1_023 * DAY).encode("ada@a.example")
    assert srs(now=1_030 * DAY).decode(made) == "ada@a.example"


def test_an_old_secret_still_opens() -> None:
    made = srs().encode("ada@a.example")
    new = Srs([Secret(b"x" * 16), SECRET], "us.example", clock=lambda: 20_000 * DAY)
    assert new.decode(made) == "ada@a.example"
    assert new.encode("ada@a.example") != made


@pytest.mark.parametrize(
    "change",
    [
        lambda made: made.replace("ada", "eve"),
        lambda made: made.replace("a.example", "b.example"),
        lambda made: "SRS0=AAAAAAAA" + made[13:],
        lambda made: made.replace("SRS0", "SRS1"),
        lambda made: made[:14] + "AA" + made[16:],
    ],
)
def test_what_was_changed_is_not_ours(change: object) -> None:
    made = srs().encode("ada@a.example")
    changed = change(made)  # type: ignore[operator]
    assert changed != made
    with pytest.raises(BadSrs):
        srs().decode(changed)


def test_no_forwarder_is_chosen_by_others() -> None:
    made = srs().encode(srs("first.example").encode("ada@a.example"))
    with pytest.raises(BadSrs, match="not made here"):
        srs().decode(made.replace("first.example", "victim.example"))


@given(st.text(max_size=80))
def test_nothing_made_up_is_decoded(text: str) -> None:
    for local in (text, f"SRS0={text}", f"SRS1={text}", f"SRS0=AAAAAAAA=AA=b.example={text}"):
        with pytest.raises(BadSrs):
            srs().decode(f"{local}@us.example")


@pytest.mark.parametrize("address", ["ada@us.example", "SRS0=x@other.example", "SRS0=x", "@", ""])
def test_what_is_no_rewritten_sender_of_ours(address: str) -> None:
    with pytest.raises(BadSrs):
        srs().decode(address)


def test_what_no_server_would_take_is_not_made() -> None:
    with pytest.raises(ValueError, match="too long"):
        srs().encode("a" * LONGEST + "@a.example")
    for sender in ("nobody", "@a.example", "ada@"):
        with pytest.raises(ValueError, match="no address"):
            srs().encode(sender)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="16 octets"):
        Srs([Secret(b"short")], "us.example")
