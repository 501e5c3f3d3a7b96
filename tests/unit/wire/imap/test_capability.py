"""Capabilities: what is shown when."""

from __future__ import annotations

from malleposte.wire.imap.capability import Offer, capabilities


def test_in_clear_nobody_is_asked_for_a_password() -> None:
    shown = capabilities(Offer(starttls=True, mechanisms=(b"PLAIN",)))
    assert b"LOGINDISABLED" in shown
    assert b"STARTTLS" in shown
    assert not any(name.startswith(b"AUTH=") for name in shown)


def test_under_tls() -> None:
    shown = capabilities(Offer(secure=True, mechanisms=(b"PLAIN", b"LOGIN")))
    assert b"AUTH=PLAIN" in shown
    assert b"AUTH=LOGIN" in shown
    assert b"SASL-IR" in shown
    assert b"LOGINDISABLED" not in shown
    assert b"STARTTLS" not in shown


def test_on_loopback_with_tls_at_hand() -> None:
    shown = capabilities(Offer(starttls=True, secure=True, mechanisms=(b"PLAIN",)))
    assert b"STARTTLS" in shown
    assert b"AUTH=PLAIN" in shown


def test_signed_in() -> None:
    shown = capabilities(Offer(signed_in=True, secure=True, mechanisms=(b"PLAIN",)))
    assert {b"IMAP4rev2", b"IMAP4rev1", b"QRESYNC", b"MOVE", b"SPECIAL-USE"} <= set(shown)
    assert not any(name.startswith((b"AUTH=", b"STARTTLS", b"LOGINDISABLED")) for name in shown)


def test_what_a_mailbox_takes_is_told_to_who_may_append() -> None:
    # RFC 7889 §2
    assert b"APPENDLIMIT=50" in capabilities(Offer(signed_in=True, append_limit=50))
    for offer in (Offer(append_limit=50), Offer(signed_in=True)):
        assert not any(name.startswith(b"APPENDLIMIT") for name in capabilities(offer))


def test_the_table_says_what_is_done() -> None:
    """Extensions of messages and mailboxes: after sign-in, when they can be used."""
    extensions = {b"MULTIAPPEND", b"BINARY", b"REPLACE", b"UTF8=ACCEPT", b"CREATE-SPECIAL-USE"}
    extensions |= {b"OBJECTID", b"PREVIEW"}
    assert extensions <= set(capabilities(Offer(signed_in=True)))
    assert not extensions & set(capabilities(Offer(secure=True)))


def test_rights_are_announced() -> None:
    # RFC 4314 §2.2: those that RFC 2086 did not know, and none that it knew.
    shown = capabilities(Offer(signed_in=True))
    assert {b"ACL", b"LIST-MYRIGHTS"} <= set(shown)
    (rights,) = [name.removeprefix(b"RIGHTS=") for name in shown if name.startswith(b"RIGHTS=")]
    assert set(rights) == set(b"texk")


def test_who_compresses_already_is_not_offered_to() -> None:
    # RFC 4978 §3
    assert b"COMPRESS=DEFLATE" in capabilities(Offer(signed_in=True, compress=True))
    for offer in (Offer(compress=True), Offer(signed_in=True)):
        assert b"COMPRESS=DEFLATE" not in capabilities(offer)


def test_literal_plus_and_minus_never_together() -> None:
    # RFC 7888 §5
    for signed_in in (False, True):
        shown = capabilities(Offer(signed_in=signed_in, secure=True))
        assert (b"LITERAL+" in shown) is signed_in
        assert (b"LITERAL-" in shown) is not signed_in


def test_what_searching_offers_is_for_those_who_signed_in() -> None:
    names = (
        b"ESEARCH SEARCHRES WITHIN PARTIAL SORT SORT=DISPLAY ESORT THREAD=ORDEREDSUBJECT"
        b" THREAD=REFERENCES I18NLEVEL=1 SAVEDATE OBJECTID INPROGRESS"
    ).split()
    assert set(names) <= set(capabilities(Offer(signed_in=True, secure=True)))
    assert not set(names) & set(capabilities(Offer(secure=True)))


def test_lists_entries_and_quotas_are_for_those_who_signed_in() -> None:
    names = (
        b"LIST-EXTENDED LIST-STATUS LIST-METADATA METADATA QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE"
        b" QUOTA=RES-MAILBOX QUOTA=RES-ANNOTATION-STORAGE"
    ).split()
    assert set(names) <= set(capabilities(Offer(signed_in=True, secure=True)))
    assert not set(names) & set(capabilities(Offer(secure=True)))
    # RFC 9208 §4.1.3: SETQUOTA is not for clients.
    assert b"QUOTASET" not in capabilities(Offer(signed_in=True, secure=True))
