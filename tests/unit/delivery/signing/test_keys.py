"""A pair of keys as one secret, and its selectors."""

import pytest

from malleposte.delivery.signing import keys
from malleposte.delivery.signing.keys import UnreadableKey, date_stem, read, stem_of, written
from malleposte.secrets.redaction import Secret
from unit.delivery.signing.verifying import NOW, pair


def test_what_is_written_is_read() -> None:
    again = read("example.org", "20250615", written(pair()))
    assert [key.record for key in again.keys] == [key.record for key in pair().keys]
    assert again.made == NOW
    assert [key.selector for key in again.keys] == ["20250615-rsa", "20250615-ed25519"]
    content = b"what is signed"
    assert again.rsa.signature(content) == pair().rsa.signature(content)


@pytest.mark.parametrize("octets", [b"", b"{}", b'{"form":2,"made":1,"rsa":"","ed25519":""}'])
def test_another_form_is_said_to_be_one_and_not_shown(octets: bytes) -> None:
    with pytest.raises(UnreadableKey, match=r"the DKIM keys s of example\.org cannot be read"):
        read("example.org", "s", Secret(octets))


def test_keys_in_each_others_place_are_refused() -> None:
    swapped = written(pair()).reveal().replace(b'"rsa"', b'"x"').replace(b'"ed25519"', b'"rsa"')
    with pytest.raises(UnreadableKey):
        read("example.org", "s", Secret(swapped.replace(b'"x"', b'"ed25519"')))


def test_selectors_say_when_and_fit_into_a_label() -> None:
    assert date_stem(NOW) == "20250615"
    for letter in keys.LETTERS:
        stem = f"20250615{letter}"
        for suffix in ("-rsa", "-ed25519", ""):
            assert stem_of(stem + suffix) == stem
            assert len(stem + suffix) < 63


def test_two_pairs_have_nothing_in_common() -> None:
    other = keys.make("example.org", "20250615", NOW)
    assert {key.public for key in other.keys}.isdisjoint(key.public for key in pair().keys)
