"""Rewritten senders in the name of our domains: secrets of the node keys."""

import pytest

from malleposte.delivery.rewriting import Rewriter
from malleposte.delivery.srs import BadSrs
from malleposte.secrets.node_key import NodeKeyError
from malleposte.secrets.sealing import KeyRing, NodeKey

SENDER = "zoe@sender.example"


def test_a_key_that_was_put_in_front_leaves_older_ones_good() -> None:
    old, new = NodeKey.random(), NodeKey.random()
    made = Rewriter(lambda: KeyRing([old])).encode(SENDER, "example.org")
    assert made.endswith("@example.org")
    assert Rewriter(lambda: KeyRing([new, old])).decode(made) == SENDER
    with pytest.raises(BadSrs):
        Rewriter(lambda: KeyRing([new])).decode(made)


def test_any_of_our_domains_may_have_made_it() -> None:
    ring = KeyRing([NodeKey.random()])
    rewriter = Rewriter(lambda: ring)
    for domain in ("example.org", "example.net"):
        assert rewriter.decode(rewriter.encode(SENDER, domain)) == SENDER


def test_a_key_that_comes_later_is_found() -> None:
    there: list[KeyRing] = []

    def ring() -> KeyRing:
        if not there:
            raise NodeKeyError("there is none yet")
        return there[0]

    rewriter = Rewriter(ring)
    with pytest.raises(NodeKeyError):
        rewriter.encode(SENDER, "example.org")
    with pytest.raises(BadSrs):
        rewriter.decode("SRS0=AAAAAAAA=AA=a.example=b@example.org")
    there.append(KeyRing([NodeKey.random()]))
    assert rewriter.decode(rewriter.encode(SENDER, "example.org")) == SENDER
