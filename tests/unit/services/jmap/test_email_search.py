"""Texts in filters, and snippets: what is found in messages of any shape, and what a search may cost."""

import asyncio
import base64
import quopri
from typing import Any

import msgspec
import pytest

from malleposte.search import finding, visible
from malleposte.store.ids import mailbox_text
from support.store import House, inbox
from unit.services.jmap.harness import Client


@pytest.fixture
async def client(house: House) -> Client:
    return Client(house, await house.account())


async def ids(client: Client, **filter_: Any) -> set[str]:
    found: list[str] = (await client.call("Email/query", filter=filter_))["ids"]
    return set(found)


async def snippet(client: Client, email: str, **filter_: Any) -> tuple[str | None, str | None]:
    answer = await client.call("SearchSnippet/get", filter=filter_, emailIds=[email])
    (one,) = answer["list"]
    assert one["emailId"] == email
    assert answer["notFound"] is None
    return one["subject"], one["preview"]


async def imported(client: Client, octets: bytes) -> str:
    """A message of any size, filed as clients do."""
    answer = await client.http("POST", f"/jmap/upload/{client.id}/", octets, kind="message/rfc822")
    blob = msgspec.json.decode(answer.body)["blobId"]
    email = {"blobId": blob, "mailboxIds": {mailbox_text(inbox(client.account)): True}}
    found: str = (await client.call("Email/import", emails={"a": email}))["created"]["a"]["id"]
    return found


def plain(subject: str, body: str, *fields: str) -> bytes:
    head = [f"Subject: {subject}", *fields, "MIME-Version: 1.0"]
    head += ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"]
    return "\r\n".join([*head, "", *body.split("\n"), ""]).encode()


def html(source: str, encoding: str = "quoted-printable") -> bytes:
    octets = source.encode()
    coded = base64.encodebytes(octets) if encoding == "base64" else quopri.encodestring(octets)
    coded = octets if encoding == "8bit" else coded
    head = "Subject: News\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n"
    end = coded.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return f"{head}Content-Transfer-Encoding: {encoding}\r\n\r\n".encode() + end


async def test_header_fields_by_column_and_by_content(client: Client) -> None:
    one = await client.put(
        plain(
            "=?utf-8?q?Gr=C3=BC=C3=9Fe_aus_M=C3=BCnchen?=",
            "x",
            'From: "Ada, of Lovelace" <ada@example.org>',
            "To: Grace Hopper <grace@example.net>, team: bob@example.net;",
            "Cc: carol@example.net",
            "Bcc: dan@example.net",
            "X-Project: =?utf-8?q?Z=C3=BCrich?= 7",
            "X-Project: second",
        )
    )
    other = await client.put(plain("Other", "y", "From: eve@example.org"))
    for field, texts in {
        "from": (
            "ada@example",
            "ADA",
            "lovelace",
            '"of Lovelace"',
            "ada lovelace",
            "<ada@example.org>",
        ),
        "to": ("grace hopper", '"Grace Hopper"', "bob@", "team:"),
        "cc": ("carol",),
        "bcc": ("dan@example.net",),
        "subject": ("grüsse", "GRÜẞE", "münchen aus", '"aus münchen"', "Mu\u0308nchen"),
        "text": ("grace carol grüße dan", "hopper"),
    }.items():
        for text in texts:
            assert await ids(client, **{field: text}) == {one}, (field, text)
    for field, text in (
        ("from", "grace"),
        ("to", '"Grace Hop"'),
        ("subject", "gruesse"),
        ("subject", '"münchen aus"'),
        ("text", "grace absent"),
        ("body", "grace"),
    ):
        assert await ids(client, **{field: text}) == set(), (field, text)
    assert await ids(client, header=["x-PROJECT"]) == {one}
    assert await ids(client, header=["X-Project", "zürich"]) == {one}
    assert await ids(client, header=["X-Project", "second"]) == {one}
    assert await ids(client, header=["X-Project", "third"]) == set()
    assert await ids(client, header=["Subject", "other"]) == {other}
    assert await ids(client, header=["X-None"]) == set()
    assert await ids(client, header=["X None", "a"]) == set()
    assert await ids(client, text="") == {one, other}
    assert await ids(client, **{"from": "example.org", "subject": "other"}) == {other}


async def test_a_long_field_is_looked_through_to_its_end(client: Client) -> None:
    many = ",\r\n ".join(f"Person {n} <person.{n}@example.net>" for n in range(300))
    one = await client.put(plain("x" * 900 + " " + "y" * 300 + " end", "body", f"To: {many}"))
    assert await ids(client, to="person.299@example.net") == {one}
    assert await ids(client, subject="end") == {one}
    assert await ids(client, to="person.300@") == set()


@pytest.mark.parametrize("encoding", ["quoted-printable", "base64", "8bit"])
async def test_of_html_what_is_shown(client: Client, encoding: str) -> None:
    source = (
        "<html><head><title>Hidden title</title><style>.secret {color: red}</style></head>"
        '<body class="markup"><script>var scripted;</script><!-- commented -->'
        "<p>Wel<b>come</b> to the <a href='https://tracker.example/'>spring&shy;time</a>\n sale</p>"
        "<td>left</td><td>right</td> K&ouml;nig &amp; S&#246;hne &#8211; &#120;yz"
        '<img src="cid:1" alt="A red kite"><span title=\'of the hour\'>noon</span></body></html>'
    )
    one = await client.put(html(source, encoding))
    for text in (
        "welcome",
        '"welcome to the springtime sale"',
        "könig",
        "söhne",
        '"könig & söhne"',
        "xyz",
        "kite",
        '"of the hour"',
        "noon",
        '"left right"',
    ):
        assert await ids(client, body=text) == {one}, text
        assert await ids(client, text=text) == {one}, text
    for text in ("hidden", "secret", "scripted", "commented", "markup", "tracker", "leftright"):
        assert await ids(client, body=text) == set(), text
    subject, preview = await snippet(client, one, body="springtime")
    assert subject is None
    assert preview is not None
    assert "Welcome to the <mark>springtime</mark> sale" in preview
    assert "&amp; Söhne" in preview


async def test_words_over_lines_parts_and_messages(client: Client) -> None:
    boundary = "=_b"
    parts = [
        "Content-Type: text/plain\r\n\r\nfirst part of\r\nthe text\r\n",
        "Content-Type: text/csv; name=figures.csv\r\n\r\nname;amount\r\nzebra;7\r\n",
        'Content-Type: application/pdf; name="J\u00fcly report.pdf"\r\n'
        "Content-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n",
        "Content-Type: message/rfc822\r\n\r\nSubject: Carried along\r\nFrom: inner@example.org\r\n"
        "X-Hidden: trace\r\n\r\ninnermost words\r\n",
    ]
    body = "".join(f"--{boundary}\r\n{part}" for part in parts) + f"--{boundary}--\r\n"
    head = "Subject: Mixed\r\nMIME-Version: 1.0\r\n"
    head += f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'
    one = await client.put((head + body).encode())
    for text in ('"of the text"', "zebra", "innermost", '"carried along"', "inner@example.org"):
        assert await ids(client, body=text) == {one}, text
    assert await ids(client, text="jüly") == {one}
    assert await ids(client, text="figures.csv mixed zebra") == {one}
    for text in ("figures.csv", "trace", "AAAA", '"the tex"', '"text name"'):
        assert await ids(client, body=text) == set(), text


async def test_a_large_text_is_found_to_its_end(client: Client) -> None:
    line = "Zwölf Boxkämpfer jagen Viktor quer über den Sylter Deich. "
    body = "\n".join([line * 3] * 3_000) + "\n" + "unbroken" * 20_000 + "\nThe very end."
    one = await imported(client, plain("Large", body))
    for text in ("viktor", '"den sylter deich. zwölf"', '"the very end"', "unbrokenunbroken"):
        assert await ids(client, body=text) == {one}, text
    for text in ("absent", '"very en"', '"unbroken"', '"deich zwölf"'):
        assert await ids(client, body=text) == set(), text
    _, preview = await snippet(client, one, body='"very end"')
    assert preview is not None
    assert preview.endswith("The <mark>very end</mark>.")
    assert len(preview.encode()) <= 255


async def test_texts_go_together_with_everything_else(client: Client) -> None:
    house, account = client.house, client.account
    box = mailbox_text(await house.mailbox(account, "Box"))
    one = await client.put(plain("Alpha", "the quick fox"))
    two = await client.put(plain("Beta", "the lazy dog"))
    three = await client.put(plain("Alpha", "the lazy fox"))
    fox, alpha, lazy = {"body": "fox"}, {"subject": "alpha"}, {"body": "lazy"}

    def both(operator: str, *conditions: dict[str, Any]) -> dict[str, Any]:
        return {"operator": operator, "conditions": list(conditions)}

    assert await ids(client, **both("AND", fox, alpha)) == {one, three}
    assert await ids(client, **both("AND", fox, lazy)) == {three}
    assert await ids(client, **both("OR", lazy, {"subject": "nothing"})) == {two, three}
    assert await ids(client, **both("NOT", lazy)) == {one}
    assert await ids(client, **both("NOT", fox, {"subject": "beta"})) == set()
    assert await ids(client, **both("AND", both("NOT", lazy), both("OR", fox, alpha))) == {one}
    in_inbox = {"inMailbox": mailbox_text(inbox(account))}
    assert await ids(client, **in_inbox, body="fox") == {one, three}
    assert await ids(client, inMailbox=box, body="fox") == set()
    answer = await client.call(
        "Email/query",
        filter=fox,
        sort=[{"property": "receivedAt"}],
        anchor=three,
        calculateTotal=True,
    )
    assert (answer["ids"], answer["position"], answer["total"]) == ([three], 1, 2)
    assert answer["canCalculateChanges"] is True


async def test_a_list_by_texts_follows_what_changes(client: Client) -> None:
    filter_ = {"operator": "AND", "conditions": [{"body": "fox"}, {"notKeyword": "$seen"}]}
    one = await client.put(plain("a", "fox"))
    before = await client.call("Email/query", filter=filter_)
    assert before["ids"] == [one]
    two = await client.put(plain("b", "another fox"))
    await client.put(plain("c", "none"))
    await client.call("Email/set", update={one: {"keywords/$seen": True}})
    changes = await client.call(
        "Email/queryChanges", filter=filter_, sinceQueryState=before["queryState"]
    )
    assert [added["id"] for added in changes["added"]] == [two]
    assert one in changes["removed"]
    assert (await client.call("Email/query", filter=filter_))["ids"] == [two]


async def test_a_search_that_reads_too_much_says_what_helps(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(60):
        await client.put(plain(f"Number {n}", f"fox {n}"))
    limits = finding.Limits(opened=30)
    monkeypatch.setattr(finding.Finder.__init__, "__defaults__", (limits,))
    (answer,) = await client.calls(("Email/query", {"filter": {"body": "fox"}}))
    assert (answer[0], answer[1]["type"]) == ("error", "unsupportedFilter")
    assert "name a folder" in answer[1]["description"]
    # What columns answer opens nothing.
    assert len(await ids(client, subject="number")) == 60
    assert len(await ids(client, text="number")) == 60
    monkeypatch.setattr(finding.Finder.__init__, "__defaults__", (finding.Limits(seconds=-1),))
    assert await client.error("Email/query", filter={"body": "dog"}) == "unsupportedFilter"
    monkeypatch.setattr(finding.Finder.__init__, "__defaults__", (finding.Limits(octets=1_000),))
    assert await client.error("Email/query", filter={"body": "dog"}) == "unsupportedFilter"
    monkeypatch.undo()
    assert len(await ids(client, body="fox")) == 60


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"text": 5}, "invalidArguments"),
        ({"header": ["a", "b", "c"]}, "invalidArguments"),
        ({"header": "Subject"}, "invalidArguments"),
        ({"header": ["a", 5]}, "invalidArguments"),
        ({"body": " ".join(f"w{n}" for n in range(60))}, "unsupportedFilter"),
        ({"operator": "OR", "conditions": [{"text": "again and again"}] * 90}, "unsupportedFilter"),
    ],
)
async def test_a_text_that_cannot_be_looked_for_is_refused(
    client: Client, given: dict[str, Any], kind: str
) -> None:
    assert await client.error("Email/query", filter=given) == kind
    assert await client.error("SearchSnippet/get", filter=given, emailIds=[]) == kind


async def test_hostile_messages_are_looked_through(client: Client) -> None:
    """Marks without end, tags that never close, references by the thousand: nothing is found in them, and
    what is searched for beside is."""
    one = await client.put(plain("Good", "needle"))
    await client.put(html("a<b " * 20_000, "8bit"))
    await client.put(html("<!--" * 20_000, "8bit"))
    await client.put(html("&amp;" * 20_000 + "<p title='" + "x" * 50_000, "8bit"))
    await client.put(plain("x" + "\u0301" * 2_000, "y" + "\u0316\u0301" * 40_000))
    await client.put(b"Content-Type: text/html\r\n\r\n\xff\xfe\x00<\x00")
    assert await ids(client, text="needle") == {one}
    assert await ids(client, text="nädel") == set()


async def test_others_run_while_a_long_message_is_looked_through(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "HOLD_AT_MOST", 0.0)
    source = "<p>K&ouml;nig <b>und</b> Viktor</p>\n" * 30_000
    await imported(client, html(source, "8bit"))
    await imported(client, plain("Large", "Zwölf Boxkämpfer jagen Viktor.\n" * 30_000))
    ticks = 0

    async def others() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    try:
        assert await ids(client, body="absent") == set()
    finally:
        beside.cancel()
    assert ticks > 2_000_000 // visible.AT_ONCE


# Snippets -----------------------------------------------------------------------------------------


async def test_snippets_mark_what_was_found(client: Client) -> None:
    one = await client.put(plain("Fox & <b>hounds</b>", "It was <i>the</i> quick & brown fox."))
    both = ("<mark>Fox</mark> &amp; &lt;b&gt;hounds&lt;/b&gt;", None)
    subject, preview = await snippet(client, one, text="fox")
    assert subject == both[0]
    assert preview == "It was &lt;i&gt;the&lt;/i&gt; quick &amp; brown <mark>fox</mark>."
    assert await snippet(client, one, subject="fox") == both
    assert await snippet(client, one, body="nothing") == (None, None)
    not_fox = {"operator": "NOT", "conditions": [{"text": "fox"}]}
    assert await snippet(client, one, **not_fox) == (None, None)
    assert await snippet(client, one, hasAttachment=False) == (None, None)
    _, preview = await snippet(client, one, text='"quick & brown" it')
    assert (
        preview == "<mark>It</mark> was &lt;i&gt;the&lt;/i&gt; <mark>quick &amp; brown</mark> fox."
    )


async def test_a_section_is_short_whatever_it_holds(client: Client) -> None:
    for body in ("& " * 2_000 + "needle" + " &" * 2_000, "é" * 3_000 + " needle " + "日" * 3_000):
        one = await client.put(plain("s", body))
        _, preview = await snippet(client, one, text="needle")
        assert preview is not None
        assert "<mark>needle</mark>" in preview
        assert len(preview.encode()) <= 255
        assert preview.startswith("…")
        assert preview.endswith("…")
    long = await client.put(plain("s", "n" * 900))
    _, preview = await snippet(client, long, text="n" * 800)
    assert preview is not None
    assert len(preview.encode()) <= 255
    assert preview.count("<mark>") == preview.count("</mark>") == 1


async def test_snippets_of_what_is_not_there(client: Client) -> None:
    house = client.house
    one = await client.put(plain("Fox", "x"))
    stranger = await Client(house, await house.account()).put(plain("Fox", "x"))
    answer = await client.call(
        "SearchSnippet/get", filter={"text": "fox"}, emailIds=[one, "nothing", stranger, one]
    )
    assert [found["emailId"] for found in answer["list"]] == [one]
    assert answer["notFound"] == ["nothing", stranger]
    many = [f"E{n}" for n in range(300)]
    assert await client.error("SearchSnippet/get", emailIds=many) == "requestTooLarge"
    assert await client.error("SearchSnippet/get", filter={}) == "invalidArguments"
    answer = await client.call("SearchSnippet/get", filter=None, emailIds=[one])
    assert answer["list"] == [{"emailId": one, "subject": None, "preview": None}]


async def test_a_message_that_cannot_be_read_is_in_no_list_and_has_no_section(
    client: Client,
) -> None:
    one = await client.put(plain("Fox", "quick fox"))
    two = await client.put(plain("Other", "brown fox"))
    first = "SELECT min(id) FROM blob_frame"
    await client.house.damage(f"UPDATE blob_frame SET data = $1 WHERE id = ({first})", b"x")
    assert await ids(client, body="fox") == {two}
    assert await ids(client, subject="fox") == {one}
    assert await snippet(client, one, text="fox") == ("<mark>Fox</mark>", None)


async def test_others_search_what_they_may_read(client: Client) -> None:
    house = client.house
    shared = await house.mailbox(client.account, "Shared")
    one = await client.put(plain("Fox", "quick fox"), shared)
    hidden = await client.put(plain("Fox", "hidden fox"))
    reader = Client(house, await house.account())
    await house.grant(shared, reader.account, "lr")
    found = await reader.call("Email/query", accountId=client.id, filter={"body": "fox"})
    assert found["ids"] == [one]
    answer = await reader.call(
        "SearchSnippet/get", accountId=client.id, filter={"body": "fox"}, emailIds=[one, hidden]
    )
    assert [(row["emailId"], row["preview"]) for row in answer["list"]] == [
        (one, "quick <mark>fox</mark>")
    ]
    assert answer["notFound"] == [hidden]
