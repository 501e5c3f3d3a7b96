"""How much of each route is in hand: little of who is slow, enough of who is quick."""

from malleposte.delivery.outbound.hand import FEW, Hand


def finish(hand: Hand, route: str, count: int) -> None:
    for _ in range(count):
        hand.done(route)


def test_a_route_that_is_quick_gets_more_and_more() -> None:
    hand = Hand(200, 4_000)
    hand.taken({"a": FEW}, FEW, 0.0)
    assert hand.enough == ("a",)
    assert hand.hungry(0.1) == []
    finish(hand, "a", 10)
    assert hand.hungry_soon
    assert hand.hungry(0.1) == [(200, ("a",))]
    hand.taken({"a": 200}, 200, 0.1, asked=("a",))
    assert (hand.held, hand.hungry(0.2)) == (210, [])
    finish(hand, "a", 110)
    assert hand.hungry(0.3) == [(200, ("a",))]


def test_a_route_that_is_slow_gets_few() -> None:
    hand = Hand(200, 4_000)
    hand.taken({"a": FEW}, FEW, 0.0)
    finish(hand, "a", 10)
    assert hand.hungry(100.0) == [(FEW, ("a",))]


def test_a_route_that_had_no_more_is_not_asked_for() -> None:
    hand = Hand(200, 4_000)
    hand.taken({"a": 5}, FEW, 0.0)
    assert hand.enough == (), "what is new for it may be taken"
    assert not hand.has_more("a")
    finish(hand, "a", 5)
    assert (hand.held, hand.hungry_soon) == (0, False)
    hand.taken({"a": FEW}, FEW, 0.0)
    finish(hand, "a", FEW)
    assert hand.hungry_soon
    hand.taken({}, FEW, 0.0, asked=("a",))
    assert (hand.hungry_soon, hand.has_more("a"), hand.enough) == (False, False, ())


def test_the_hand_is_bounded() -> None:
    hand = Hand(200, 50)
    hand.taken({"a": 20, "b": 20}, FEW, 0.0)
    assert hand.room == 10
    finish(hand, "a", 10)
    finish(hand, "b", 10)
    assert hand.room == 30
    assert hand.hungry(100.0) == [(FEW, ("a",))]


def test_a_small_bound_of_one_route_holds() -> None:
    hand = Hand(5, 100)
    assert hand.few == 5
    hand.taken({"a": 5}, 5, 0.0)
    finish(hand, "a", 5)
    assert hand.hungry(0.001) == [(5, ("a",))]


def test_guests_have_half_of_the_hand() -> None:
    hand = Hand(200, 100)
    hand.taken({"a": 20, "b": 20, "c": 20, "d": 20}, FEW, 0.0)
    assert [hand.too_many(route) for route in "abcd"] == [False, False, True, True]
    assert not hand.has_more("c"), "it is not asked for more at once"
    hand.known("a")
    assert not hand.too_many("c"), "a is no guest any more"
    finish(hand, "b", 20)
    assert not hand.too_many("d")
