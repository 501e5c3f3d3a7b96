"""``malleposte trace`` on the screen: words that say where a message is and what to do about it."""

import pytest

from malleposte.cli.commands import trace
from malleposte.cli.exit_codes import Trouble
from malleposte.operations.traces import Traced, TracedAttempt, TracedRecipient


def shown(capsys: pytest.CaptureFixture[str], *recipients: TracedRecipient, **how: str) -> str:
    trace._show(
        Traced(
            id="3567e0c1a2b40017",
            at=1_764_500_000,
            direction="in",
            sender=how.get("sender", "bill@shop.example"),
            message_id="1@shop.example",
            peer=how.get("peer", "192.0.2.7"),
            hello=how.get("hello", "mx.shop.example"),
            protocol=how.get("protocol", "ESMTP"),
            tls=how.get("tls", ""),
            login=how.get("login", ""),
            size=4_000,
            recipients=recipients,
            notes=("the script of ada@example.org failed",),
        )
    )
    return capsys.readouterr().out


def test_what_came(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(
        capsys,
        TracedRecipient(address="Ada@example.org", accounts=("ada@example.org",), state="filed"),
        TracedRecipient(address="all@example.org", accounts=("a@x.org", "b@x.org"), state="filed"),
    )
    assert "from bill@shop.example" in text
    assert "by    192.0.2.7, which said it was mx.shop.example (ESMTP, in the clear)" in text
    assert "to    Ada@example.org: in the mailbox" in text
    assert "to    all@example.org: in a@x.org, b@x.org" in text
    assert "note  the script of ada@example.org failed" in text


def test_what_goes(capsys: pytest.CaptureFixture[str]) -> None:
    attempt = TracedAttempt(
        at=1_764_500_100, attempt=1, outcome="deferred", host="mx.net [::1]", said="452 4.2.2 full"
    )
    text = shown(
        capsys,
        TracedRecipient(
            address="x@far.net", state="waits", next=1_764_500_400, message=17, attempts=(attempt,)
        ),
        TracedRecipient(
            address="y@far.net", state="held", said="more than 500 an hour", message=18
        ),
        login="ada@example.org",
        tls="TLSv1.3 AES",
    )
    assert "192.0.2.7, signed in as ada@example.org (ESMTP, TLSv1.3 AES)" in text
    assert "(message 17 of the queue)" in text
    assert "deferred by mx.net [::1]: 452 4.2.2 full" in text
    assert "held: more than 500 an hour: malleposte queue release 18" in text


def test_what_never_left_the_machine_was_not_in_the_clear(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = shown(capsys, sender="", peer="", hello="", protocol="report")
    assert "from (a report)" in text
    assert "by    this machine (report)\n" in text
    text = shown(capsys, sender="", peer="", hello="", protocol="notice")
    assert "from (a notice)" in text


def test_what_was_done_and_whose_forward_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(
        capsys,
        TracedRecipient(address="x@far.net", state="redirected", said="to y@near.net, by local:0"),
        TracedRecipient(address="z@far.net", state="removed", said="local:0"),
        TracedRecipient(address="f@far.net", by="bob@example.org", state="delivered"),
    )
    assert "to    x@far.net: redirected to y@near.net, by local:0" in text
    assert "to    z@far.net: removed from the queue by local:0" in text
    assert "to    f@far.net (forwarded by bob@example.org): delivered" in text


def test_lengths_of_time() -> None:
    assert [trace.seconds(text) for text in ("20s", "30m", "12h", "2d", "3w")] == [
        20,
        1_800,
        43_200,
        172_800,
        1_814_400,
    ]


@pytest.mark.parametrize("text", ["", "2", "d", "-1d", "2 d", "1y", "9999999d", "٢d"])
def test_no_length_of_time(text: str) -> None:
    with pytest.raises(Trouble, match="30m, 12h, 2d or 3w"):
        trace.seconds(text)
