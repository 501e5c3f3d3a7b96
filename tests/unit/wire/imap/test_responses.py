"""Responses as the RFCs print them."""

from __future__ import annotations

from array import array

from malleposte.wire.imap import codes, render, responses
from malleposte.wire.imap.responses import UNTAGGED, Found
from malleposte.wire.imap.sets import NumberSet, PartialRange


def test_status_responses() -> None:
    assert responses.ok(b"A1", "done") == b"A1 OK done\r\n"
    assert responses.no(b"A1", "full", codes.OVERQUOTA) == b"A1 NO [OVERQUOTA] full\r\n"
    assert responses.bad(b"A1", "what?") == b"A1 BAD what?\r\n"
    assert responses.bye("later", codes.UNAVAILABLE) == b"* BYE [UNAVAILABLE] later\r\n"
    assert responses.ok(UNTAGGED, "x", codes.uid_validity(38505)) == (
        b"* OK [UIDVALIDITY 38505] x\r\n"
    )
    assert responses.continuation("go on") == b"+ go on\r\n"
    assert responses.challenge(b"") == b"+ \r\n"
    assert responses.challenge(b"hello") == b"+ aGVsbG8=\r\n"


def test_text_for_people_is_one_line_of_ascii() -> None:
    assert responses.ok(b"A1", "a\r\nb\x00ü\t") == b"A1 OK a?b?\r\n"
    assert responses.ok(b"A1", "") == b"A1 OK -\r\n"
    # What opens with a bracket would be taken for a response code.
    assert responses.ok(b"A1", "[ALERT] pay") == b"A1 OK (ALERT] pay\r\n"


def test_codes() -> None:
    assert codes.append_uid(38505, [3955]) == b"APPENDUID 38505 3955"
    assert codes.append_uid(1, [3, 4, 5]) == b"APPENDUID 1 3:5"
    assert codes.copy_uid(38505, [304, 319, 320], [3956, 3957, 3958]) == (
        b"COPYUID 38505 304,319:320 3956:3958"
    )
    assert codes.modified([7, 9]) == b"MODIFIED 7,9"
    assert codes.highest_modseq(715194045007) == b"HIGHESTMODSEQ 715194045007"
    assert codes.uid_next(4392) == b"UIDNEXT 4392"
    assert codes.unseen(17) == b"UNSEEN 17"
    assert codes.permanent_flags(b"\\Deleted \\*") == b"PERMANENTFLAGS (\\Deleted \\*)"
    assert codes.capability([b"IMAP4rev1", b"IDLE"]) == b"CAPABILITY IMAP4rev1 IDLE"
    assert codes.mailbox_id(b"F2212ea87") == b"MAILBOXID (F2212ea87)"
    assert codes.in_progress(b"A001", 454, 1000) == b'INPROGRESS ("A001" 454 1000)'
    assert codes.in_progress(b"A001", 999) == b'INPROGRESS ("A001" 999 NIL)'
    assert codes.in_progress(b"A001") == b'INPROGRESS ("A001" NIL NIL)'


def test_size_and_removal() -> None:
    assert responses.exists(23) == b"* 23 EXISTS\r\n"
    assert responses.recent(5) == b"* 5 RECENT\r\n"
    assert responses.expunges([5, 4, 3]) == b"* 5 EXPUNGE\r\n* 4 EXPUNGE\r\n* 3 EXPUNGE\r\n"
    assert responses.vanished([405, 407, 410, 425]) == b"* VANISHED 405,407,410,425\r\n"
    assert responses.vanished(NumberSet(((300, 310),)), earlier=True) == (
        b"* VANISHED (EARLIER) 300:310\r\n"
    )
    assert responses.vanished([]) == b""
    assert responses.flags(b"\\Answered \\Seen") == b"* FLAGS (\\Answered \\Seen)\r\n"


def test_list() -> None:
    assert responses.list_mailbox([b"\\Noselect"], "/", "foo", False) == (
        b'* LIST (\\Noselect) "/" "foo"\r\n'
    )
    assert responses.list_mailbox([], None, "INBOX", False) == b'* LIST () NIL "INBOX"\r\n'
    assert responses.list_mailbox([], "/", "Entwürfe & mehr", False) == (
        b'* LIST () "/" "Entw&APw-rfe &- mehr"\r\n'
    )
    assert (
        responses.list_mailbox([], "/", "Entwürfe", True) == '* LIST () "/" "Entwürfe"\r\n'.encode()
    )
    assert responses.list_mailbox([], "\\", 'a"b', False) == b'* LIST () "\\\\" "a\\"b"\r\n'
    assert responses.list_mailbox([], "/", "Foo", False, child_info=[b"SUBSCRIBED"]) == (
        b'* LIST () "/" "Foo" ("CHILDINFO" ("SUBSCRIBED"))\r\n'
    )
    assert responses.list_mailbox([], "/", "NewMailbox", False, old_name="OldMailbox") == (
        b'* LIST () "/" "NewMailbox" ("OLDNAME" ("OldMailbox"))\r\n'
    )
    assert responses.lsub([], ".", "#news.comp", False) == b'* LSUB () "." "#news.comp"\r\n'


def test_status_and_namespace() -> None:
    assert responses.status("blurdybloop", False, {b"MESSAGES": 231, b"UIDNEXT": 44292}) == (
        b'* STATUS "blurdybloop" (MESSAGES 231 UIDNEXT 44292)\r\n'
    )
    assert responses.status("a", False, {b"APPENDLIMIT": None, b"MAILBOXID": b"(F1)"}) == (
        b'* STATUS "a" (APPENDLIMIT NIL MAILBOXID (F1))\r\n'
    )
    assert responses.namespace([("", "/")], [("~", "/")], [], False) == (
        b'* NAMESPACE (("" "/")) (("~" "/")) NIL\r\n'
    )
    assert responses.namespace([("", "/"), ("#mh/", None)], [], [], False) == (
        b'* NAMESPACE (("" "/")("#mh/" NIL)) NIL NIL\r\n'
    )


def search(numbers: list[int], modseq: int | None = None) -> bytes:
    return b"".join(responses.numbers_pieces(b"SEARCH", numbers, modseq))


def test_search() -> None:
    assert search([]) == b"* SEARCH\r\n"
    assert search([2, 84, 882]) == b"* SEARCH 2 84 882\r\n"
    assert search([2, 5], modseq=917162500) == b"* SEARCH 2 5 (MODSEQ 917162500)\r\n"
    assert search([], modseq=1) == b"* SEARCH\r\n"


def esearch(tag: bytes, uid: bool, found: Found) -> bytes:
    return b"".join(responses.esearch_pieces(tag, uid, found))


def test_esearch() -> None:
    assert esearch(b"A282", False, Found(minimum=2, count=3)) == (
        b'* ESEARCH (TAG "A282") MIN 2 COUNT 3\r\n'
    )
    assert esearch(b"A285", True, Found(all=array("I", [43]))) == (
        b'* ESEARCH (TAG "A285") UID ALL 43\r\n'
    )
    assert esearch(b"A1", False, Found(all=[], count=0)) == (b'* ESEARCH (TAG "A1") COUNT 0\r\n')
    assert esearch(b"A1", True, Found(maximum=9, all=[1, 2, 3, 9], modseq=7)) == (
        b'* ESEARCH (TAG "A1") UID MAX 9 ALL 1:3,9 MODSEQ 7\r\n'
    )
    assert esearch(b'A"\\', False, Found(count=1)) == (b'* ESEARCH (TAG "A\\"\\\\") COUNT 1\r\n')


def test_esearch_of_a_page_and_of_what_is_sorted() -> None:
    page = PartialRange(1, 100, from_end=True)
    assert esearch(b"A", True, Found(count=3, page=(page, [5, 6, 9]))) == (
        b'* ESEARCH (TAG "A") UID COUNT 3 PARTIAL (-1:-100 5:6,9)\r\n'
    )
    assert esearch(b"A", False, Found(page=(PartialRange(4, 6), []))) == (
        b'* ESEARCH (TAG "A") PARTIAL (4:6 NIL)\r\n'
    )
    assert esearch(b"A", False, Found(all=[5, 3, 4, 2, 1])) == (
        b'* ESEARCH (TAG "A") ALL 5,3:4,2,1\r\n'
    )


def test_long_answers_come_in_pieces() -> None:
    numbers = array("I", range(1, 20_001))
    pieces = list(responses.numbers_pieces(b"SORT", numbers))
    assert max(map(len, pieces)) < 40_000
    assert b"".join(pieces) == b"* SORT " + b" ".join(b"%d" % n for n in numbers) + b"\r\n"
    even = array("I", range(2, 40_001, 2))
    pieces = list(responses.esearch_pieces(b"a", False, Found(all=even)))
    assert max(map(len, pieces)) < 40_000
    assert b"".join(pieces).endswith(b"39996,39998,40000\r\n")


def test_session_responses() -> None:
    assert responses.enabled([b"CONDSTORE"]) == b"* ENABLED CONDSTORE\r\n"
    assert responses.enabled([]) == b"* ENABLED\r\n"
    assert responses.capability([b"IMAP4rev2", b"IDLE"]) == b"* CAPABILITY IMAP4rev2 IDLE\r\n"
    assert responses.server_id({}) == b"* ID NIL\r\n"
    assert responses.server_id({"name": "Malleposte", "version": None}) == (
        b'* ID ("name" "Malleposte" "version" NIL)\r\n'
    )


def test_strings_choose_their_form() -> None:
    assert render.string(b"") == b'""'
    assert render.string(b"plain") == b'"plain"'
    assert render.string(b'a"b\\c') == b'"a\\"b\\\\c"'
    assert render.string(b"a\r\nb") == b"{4}\r\na\r\nb"
    assert render.string(b"a\nb") == b"{3}\r\na\nb"
    assert render.string(b"a\x00b") == b"{3}\r\na\x80b"
    assert render.string("ü".encode()) == b"{2}\r\n\xc3\xbc"
    assert render.string("ü".encode(), utf8=True) == b'"\xc3\xbc"'
    assert render.string(b"\xff", utf8=True) == b"{1}\r\n\xff"
    assert render.string(b"x" * 2000).startswith(b"{2000}\r\n")
    assert render.nstring(None) == b"NIL"
    assert render.nstring(b"NIL") == b'"NIL"'
    assert render.literal8(b"a\x00") == b"~{2}\r\na\x00"


def test_astrings() -> None:
    assert render.astring(b"abc") == b"abc"
    assert render.astring(b"nil") == b'"nil"'
    assert render.astring(b"") == b'""'
    assert render.astring(b"a b") == b'"a b"'
    assert render.quoted_mailbox("INBOX", False) == b'"INBOX"'
    assert render.quoted_mailbox("Entwürfe", False) == b'"Entw&APw-rfe"'
