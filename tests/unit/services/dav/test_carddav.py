"""CardDAV: what clients find, read, write and sync, and what they are refused (RFC 6352, RFC 6578)."""

from typing import Any

import pytest

from malleposte.services.dav import rendering, syncing
from malleposte.services.dav.xml import DEPTH, NotXmlError, parsed
from malleposte.store.commands import PutBook
from malleposte.store.ids import book_text
from malleposte.store.results import Created
from support.store import House
from unit.services.dav.harness import C, Client, D, S, vcard
from unit.services.jmap.harness import Client as JmapClient

SYNC = (
    '<d:sync-collection xmlns:d="DAV:"><d:sync-token>{token}</d:sync-token>'
    "<d:sync-level>1</d:sync-level>{limit}<d:prop><d:getetag/></d:prop></d:sync-collection>"
)


@pytest.fixture
async def client(house: House) -> Client:
    return Client(house, await house.account("ada"))


async def synced(client: Client, path: str, token: str = "", limit: int = 0) -> Any:
    most = f"<d:limit><d:nresults>{limit}</d:nresults></d:limit>" if limit else ""
    return await client.send("REPORT", path, SYNC.format(token=token, limit=most))


async def test_a_client_finds_its_way_from_the_name_of_the_server(client: Client) -> None:
    answer = await client.send("PROPFIND", "/.well-known/carddav")
    assert (answer.status, answer.fields["Location"]) == (301, "/dav/")
    answer = await client.send("OPTIONS", "/dav/")
    assert "addressbook" in answer.fields["DAV"]
    ask = '<propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>'
    answer = await client.send("PROPFIND", "/dav/", ask, depth="0")
    principal = answer.told()["/dav/"][f"{D}current-user-principal"].findtext(f"{D}href")
    assert principal
    ask = (
        '<propfind xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><prop>'
        "<C:addressbook-home-set/><displayname/><C:principal-address/></prop></propfind>"
    )
    answer = await client.send("PROPFIND", principal, ask, depth="0")
    told = answer.told()[principal]
    assert told[f"{C}addressbook-home-set"].findtext(f"{D}href") == client.home
    assert told[f"{D}displayname"].text == "ada@example.org"
    books = await client.books()
    assert set(books) == {"Contacts", "Directory"}
    answer = await client.send("PROPFIND", books["Contacts"], depth="0")
    kinds = {one.tag for one in answer.told()[books["Contacts"]][f"{D}resourcetype"]}
    assert kinds == {f"{D}collection", f"{C}addressbook"}


async def test_what_is_another_s_is_not_there(client: Client) -> None:
    other = Client(client.house, await client.house.account("bob"))
    path = (await client.books())["Contacts"]
    for method in ("PROPFIND", "REPORT", "PUT", "DELETE", "GET", "PROPPATCH"):
        for place in (path, f"{path}a.vcf", client.home, "/dav/principals/A1/x/y", "/dav/else/"):
            answer = await other.send(method, place, depth="0")
            assert answer.status == 404, (method, place)


async def test_a_card_is_put_read_changed_and_removed(client: Client) -> None:
    path = f"{(await client.books())['Contacts']}Ada%20L.vcf".replace("%20", " ")
    answer = await client.put(path, vcard("ada", "Ada", "X-SHOE:42"), if_none_match="*")
    assert answer.status == 201
    answer = await client.put(path, vcard("ada", "Ada"), if_none_match="*")
    assert answer.status == 412
    answer = await client.send("GET", path)
    assert "X-SHOE:42\r\n" in answer.text
    assert "VERSION:3.0" in answer.text
    tag = answer.fields["ETag"]
    assert (await client.send("GET", path, if_none_match=tag)).status == 304
    four = await client.send("GET", path, accept="text/vcard; version=4.0")
    assert "VERSION:4.0" in four.text
    assert (await client.put(path, vcard("ada", "Eve"), if_match='"nothing"')).status == 412
    assert (await client.put(path, vcard("ada", "Eve"), if_match=tag)).status == 204
    again = await client.send("GET", path)
    assert again.fields["ETag"] != tag
    assert "FN:Eve" in again.text
    assert (await client.send("DELETE", path, if_match=tag)).status == 412
    assert (await client.send("DELETE", path)).status == 204
    assert (await client.send("GET", path)).status == 404
    assert (await client.send("DELETE", path)).status == 404


async def test_a_tag_is_told_only_where_the_same_octets_come_back(client: Client) -> None:
    books = await client.books()
    plain = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u\r\nFN:A\r\nN:;;;;\r\nEND:VCARD\r\n"
    same = await client.put(f"{books['Contacts']}a.vcf", plain)
    assert "ETag" in same.fields
    turned = plain.replace("UID:u\r\nFN:A", "FN:A\r\nUID:v")
    assert "ETag" not in (await client.put(f"{books['Contacts']}b.vcf", turned)).fields


async def test_cards_that_are_refused(client: Client) -> None:
    version = "4.0"
    book = (await client.books())["Contacts"]
    long = vcard("long", "Long", f"NOTE:{'x' * 300_000}", version=version)
    for body, status, condition in (
        ("no card", 403, "valid-address-data"),
        (vcard(version="2.1"), 403, "supported-address-data"),
        (vcard(version=version) + vcard("b", version=version), 403, "valid-address-data"),
        (long, 403, "max-resource-size"),
    ):
        answer = await client.put(f"{book}a.vcf", body)
        assert answer.status == status, body[:50]
        assert [one.tag for one in answer.xml] == [f"{C}{condition}"]
    answer = await client.send("PUT", f"{book}a.vcf", vcard(), content_type="text/calendar")
    assert answer.status == 415
    await client.put(f"{book}a.vcf", vcard("same", version=version))
    answer = await client.put(f"{book}b.vcf", vcard("same", version=version))
    assert answer.status == 403
    (conflict,) = answer.xml
    assert conflict.tag == f"{C}no-uid-conflict"
    assert conflict.findtext(f"{D}href") == f"{book}a.vcf"


async def test_one_card_stands_in_two_books(client: Client) -> None:
    book = (await client.books())["Contacts"]
    body = (
        '<d:mkcol xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav"><d:set><d:prop>'
        "<d:resourcetype><d:collection/><c:addressbook/></d:resourcetype>"
        "<d:displayname>Work</d:displayname></d:prop></d:set></d:mkcol>"
    )
    work = f"{client.home}work-1/"
    assert (await client.send("MKCOL", work, body)).status == 201
    assert (await client.send("MKCOL", work, body)).status == 405
    assert (await client.send("MKCOL", f"{client.home}directory/", body)).status == 405
    assert (await client.send("MKCOL", f"{client.home}a/b/", body)).status == 403
    assert (await client.send("MKCOL", f"{client.home}plain/")).status == 403
    assert (await client.books())["Work"] == work
    await client.put(f"{book}a.vcf", vcard("ada", "Ada"))
    assert (await client.put(f"{work}b.vcf", vcard("ada", "Countess"))).status == 201
    assert "FN:Countess" in (await client.send("GET", f"{book}a.vcf")).text
    assert (await client.send("DELETE", f"{book}a.vcf")).status == 204
    assert (await client.send("GET", f"{work}b.vcf")).status == 200
    assert (await client.send("DELETE", work)).status == 204
    assert (await client.send("GET", f"{work}b.vcf")).status == 404


async def test_properties_are_changed_together_or_not_at_all(client: Client) -> None:
    book = (await client.books())["Contacts"]
    update = (
        '<d:propertyupdate xmlns:d="DAV:" xmlns:x="http://inf-it.com/ns/ab/"'
        ' xmlns:c="urn:ietf:params:xml:ns:carddav"><d:set><d:prop>'
        "<d:displayname>People &amp; more</d:displayname>{more}</d:prop></d:set></d:propertyupdate>"
    )
    bad = update.format(more="<d:getetag>1</d:getetag>")
    answer = await client.send("PROPPATCH", book, bad)
    codes = {
        one.findtext(f"{D}status", "").split(" ")[1] for one in answer.xml.iter(f"{D}propstat")
    }
    assert codes == {"403", "424"}
    assert "Contacts" in await client.books()
    colour = "<x:addressbook-color>#ff0000</x:addressbook-color>"
    text = "<c:addressbook-description>All</c:addressbook-description>"
    await client.send("PROPPATCH", book, update.format(more=colour + text))
    assert (await client.books())["People & more"] == book
    ask = (
        '<d:propfind xmlns:d="DAV:" xmlns:x="http://inf-it.com/ns/ab/" xmlns:c="urn:ietf:params:xml'
        ':ns:carddav"><d:prop><x:addressbook-color/><c:addressbook-description/><x:none/></d:prop>'
        "</d:propfind>"
    )
    answer = await client.send("PROPFIND", book, ask, depth="0")
    told = answer.told()[book]
    assert told["{http://inf-it.com/ns/ab/}addressbook-color"].text == "#ff0000"
    assert told[f"{C}addressbook-description"].text == "All"
    assert "404" in answer.text
    less = await client.send("PROPFIND", book, ask, depth="0", prefer="return=minimal")
    assert "404" not in less.text


async def test_a_client_syncs_by_tokens(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "SLICE", 2)
    book = (await client.books())["Contacts"]
    for name in ("a", "b", "c"):
        await client.put(f"{book}{name}.vcf", vcard(name, name))
    answer = await synced(client, book)
    assert sorted(answer.told()) == [f"{book}{name}.vcf" for name in ("a", "b", "c")]
    token = answer.xml.findtext(f"{D}sync-token")
    assert sorted((await synced(client, book, token)).told()) == []
    await client.put(f"{book}a.vcf", vcard("a", "A"))
    await client.send("DELETE", f"{book}b.vcf")
    await client.send("DELETE", f"{book}c.vcf")
    await client.put(f"{book}c.vcf", vcard("new", "New"))
    answer = await synced(client, book, token)
    assert answer.statuses() == {f"{book}b.vcf": "404"}, "a name used again is not gone"
    there = {path for path, props in answer.told().items() if props}
    assert there == {f"{book}a.vcf", f"{book}c.vcf"}
    first = await synced(client, book, token, limit=1)
    assert first.statuses()[book] == "507"
    seen, now = set(first.told()), first.xml.findtext(f"{D}sync-token")
    for _ in range(5):
        more = await synced(client, book, now, limit=1)
        seen |= set(more.told())
        now = more.xml.findtext(f"{D}sync-token")
        if book not in more.statuses():
            break
    assert {f"{book}a.vcf", f"{book}b.vcf", f"{book}c.vcf"} <= seen
    assert now == answer.xml.findtext(f"{D}sync-token")
    for wrong in ("data:,1-1", "nonsense", f"{token}9999"):
        refused = await synced(client, book, wrong)
        assert refused.status == 403
        assert [one.tag for one in refused.xml] == [f"{D}valid-sync-token"]


async def test_the_tag_of_a_book_moves_with_its_cards(client: Client) -> None:
    book = (await client.books())["Contacts"]
    ask = '<propfind xmlns="DAV:" xmlns:s="http://calendarserver.org/ns/"><prop><s:getctag/></prop></propfind>'

    async def tag() -> str | None:
        answer = await client.send("PROPFIND", book, ask, depth="0")
        return answer.told()[book][f"{S}getctag"].text

    before = await tag()
    await client.put(f"{book}a.vcf", vcard())
    after = await tag()
    assert before != after
    assert after == await tag()


async def test_many_cards_are_gotten_at_once(client: Client) -> None:
    book = (await client.books())["Contacts"]
    await client.put(f"{book}a.vcf", vcard("a", "Ada", "EMAIL:ada@example.com"))
    ask = (
        '<c:addressbook-multiget xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav"><d:prop>'
        '<d:getetag/><c:address-data version="{version}">{only}</c:address-data></d:prop>'
        f"<d:href>{book}a.vcf</d:href><d:href>{book}none.vcf</d:href>"
        "<d:href>/dav/elsewhere/a.vcf</d:href></c:addressbook-multiget>"
    )
    answer = await client.send("REPORT", book, ask.format(version="4.0", only=""))
    assert answer.statuses() == {f"{book}none.vcf": "404", "/dav/elsewhere/a.vcf": "404"}
    data = answer.told()[f"{book}a.vcf"][f"{C}address-data"].text or ""
    assert "VERSION:4.0" in data
    assert "EMAIL:ada@example.com" in data
    only = ask.format(version="3.0", only='<c:prop name="FN"/>')
    answer = await client.send("REPORT", book, only)
    data = answer.told()[f"{book}a.vcf"][f"{C}address-data"].text or ""
    assert "FN:Ada" in data
    assert "EMAIL" not in data
    answer = await client.send("REPORT", book, ask.format(version="2.1", only=""))
    assert answer.status == 403


FILTERS = [
    ('<c:prop-filter name="FN"/>', "ab"),
    (
        '<c:prop-filter name="EMAIL"><c:text-match>EXAMPLE.com</c:text-match></c:prop-filter>',
        "a",
    ),
    ('<c:prop-filter name="EMAIL"><c:is-not-defined/></c:prop-filter>', "b"),
    (
        '<c:prop-filter name="FN"><c:text-match match-type="starts-with" collation="i;octet">'
        "ada</c:text-match></c:prop-filter>",
        "",
    ),
    (
        '<c:prop-filter name="FN"><c:text-match match-type="equals">zoe</c:text-match>'
        "</c:prop-filter>",
        "b",
    ),
    (
        '<c:prop-filter name="FN"><c:text-match negate-condition="yes">ada</c:text-match>'
        "</c:prop-filter>",
        "b",
    ),
    (
        '<c:prop-filter name="EMAIL"><c:param-filter name="TYPE"><c:text-match>work'
        "</c:text-match></c:param-filter></c:prop-filter>",
        "a",
    ),
    (
        '<c:prop-filter name="EMAIL"><c:param-filter name="TYPE"><c:is-not-defined/>'
        "</c:param-filter></c:prop-filter>",
        "",
    ),
]


async def test_cards_are_queried(client: Client) -> None:
    book = (await client.books())["Contacts"]
    await client.put(f"{book}a.vcf", vcard("a", "Ada", "EMAIL;TYPE=WORK:ada@example.com"))
    await client.put(f"{book}b.vcf", vcard("b", "Zoé"))
    ask = (
        '<c:addressbook-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav"><d:prop>'
        "<d:getetag/></d:prop><c:filter>{filter}</c:filter>{limit}</c:addressbook-query>"
    )
    for filter_, found in FILTERS:
        answer = await client.send("REPORT", book, ask.format(filter=filter_, limit=""), depth="1")
        assert sorted(answer.told()) == [f"{book}{name}.vcf" for name in found]
        few = "<c:limit><c:nresults>1</c:nresults></c:limit>"
        answer = await client.send("REPORT", book, ask.format(filter=filter_, limit=few))
        assert answer.statuses() == ({book: "507"} if len(found) > 1 else {})


async def test_the_directory_is_read_and_not_written(client: Client) -> None:
    bob = await client.house.account("bob")
    book = (await client.books())["Directory"]
    answer = await synced(client, book)
    assert set(answer.told()) == {f"{book}D{client.account:x}.vcf", f"{book}D{bob:x}.vcf"}
    token = answer.xml.findtext(f"{D}sync-token")
    assert (await synced(client, book, token)).told() == {}
    answer = await client.send("GET", f"{book}D{bob:x}.vcf")
    assert "EMAIL:bob@example.org" in answer.text
    for refused in (
        await client.put(f"{book}new.vcf", vcard()),
        await client.send("DELETE", f"{book}D{bob:x}.vcf"),
        await client.send("DELETE", book),
        await client.send("PROPPATCH", book, '<d:propertyupdate xmlns:d="DAV:"/>'),
    ):
        assert refused.status == 403
    await client.house.account("eve")
    assert (await synced(client, book, token)).status == 403, "the client begins anew"


async def test_a_shared_book_stands_in_the_other_s_home(client: Client) -> None:
    house = client.house
    other = Client(house, await house.account("bob"))
    book = (await client.books())["Contacts"]
    await client.put(f"{book}a.vcf", vcard("a", "Ada"))
    number = await house.value("SELECT id FROM address_book WHERE account = $1", client.account)

    async def share(letters: str) -> None:
        rights = ((other.account, letters),)
        command = PutBook(account=client.account, actor=client.account, book=number, rights=rights)
        await house.do(command, Created)

    await share("r")
    theirs = f"{other.home}{book_text(number)}/"
    found = await other.send("PROPFIND", theirs, depth="1")
    assert f"{theirs}a.vcf" in found.told()
    assert "Ada" in (await other.send("GET", f"{theirs}a.vcf")).text
    assert (await other.put(f"{theirs}b.vcf", vcard("b"))).status == 403
    assert (await other.send("DELETE", f"{theirs}a.vcf")).status == 403
    assert (await other.send("DELETE", theirs)).status == 403
    await share("rw")
    assert (await other.put(f"{theirs}b.vcf", vcard("b", "Bob"))).status == 201
    assert "FN:Bob" in (await client.send("GET", f"{book}b.vcf")).text
    # What is in a book that he does not see is in the way of its uid, and nothing else is told of it.
    secret = PutBook(account=client.account, actor=client.account, name="Secret", path="secret")
    await house.do(secret, Created)
    await client.put(f"{client.home}secret/x.vcf", vcard("hidden", "Hidden"))
    answer = await other.put(f"{theirs}c.vcf", vcard("hidden", "Guessed"))
    assert (answer.status, [one.tag for one in answer.xml]) == (403, [f"{C}no-uid-conflict"])
    assert "secret" not in answer.text
    assert "FN:Hidden" in (await client.send("GET", f"{client.home}secret/x.vcf")).text
    await share("")
    assert (await other.send("PROPFIND", theirs, depth="0")).status == 404


async def test_what_jmap_alone_knows_stays_when_a_phone_writes(client: Client) -> None:
    jmap = JmapClient(client.house, client.account)
    book = (await client.books())["Contacts"]
    id_ = (await jmap.call("AddressBook/get"))["list"][0]["id"]
    card = {
        "addressBookIds": {id_: True},
        "uid": "ada",
        "name": {"full": "Ada"},
        "example.com:shoe": 42,
        "localizations": {"fr": {"name/full": "Adà"}},
    }
    made = await jmap.call("ContactCard/set", create={"k": card})
    path = f"{book}{made['created']['k']['id']}.vcf"
    text = (await client.send("GET", path)).text
    assert (await client.put(path, text.replace("FN:Ada", "FN:Countess"))).status == 204
    (found,) = (await jmap.call("ContactCard/get"))["list"]
    assert found["name"]["full"] == "Countess"
    assert (found["example.com:shoe"], found["localizations"]) == (42, card["localizations"])


async def test_a_photo_goes_both_ways(client: Client) -> None:
    jmap = JmapClient(client.house, client.account)
    book = (await client.books())["Contacts"]
    photo = "PHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgoAAAAA"
    await client.put(f"{book}a.vcf", vcard("a", "Ada", photo))
    (found,) = (await jmap.call("ContactCard/get"))["list"]
    (medium,) = found["media"].values()
    response = await jmap.http("GET", f"/jmap/download/{jmap.id}/{medium['blobId']}/p")
    assert response.body == b"\x89PNG\r\n\x1a\n\0\0\0\0"
    assert f"{photo}\r\n" in (await client.send("GET", f"{book}a.vcf")).text
    four = await client.send("GET", f"{book}a.vcf", accept="text/vcard;version=4.0")
    assert "PHOTO:data:image/png;base64,iVBORw0KGgoAAAAA" in four.text


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        b'<!DOCTYPE x SYSTEM "http://example.com/x.dtd"><x/>',
        b"<a>" * (DEPTH + 1) + b"</a>" * (DEPTH + 1),
        b"<a>" + b"<b/>" * 40_000 + b"</a>",
        b"<a><b></a>",
        b"\xff\xfe<",
        b"<a xmlns:x='y'><z:b/></a>",
    ],
    ids=["entity", "dtd", "deep", "many", "broken", "octets", "prefix"],
)
def test_xml_is_read_without_trust(body: bytes) -> None:
    with pytest.raises(NotXmlError):
        parsed(body)


async def test_hostile_bodies_are_answered(client: Client) -> None:
    book = (await client.books())["Contacts"]
    entity = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'
    for method in ("PROPFIND", "REPORT", "PROPPATCH"):
        for body in (entity, "<x/>", "<", " "):
            answer = await client.send(method, book, body, depth="0")
            assert answer.status in (400, 403, 207), (method, body, answer.text)
    many = "<d:prop xmlns:d='DAV:'>" + "".join(f"<d:p{n}/>" for n in range(101)) + "</d:prop>"
    answer = await client.send(
        "PROPFIND", book, f"<d:propfind xmlns:d='DAV:'>{many}</d:propfind>", depth="0"
    )
    assert answer.status == 413
    assert (await client.send("PROPFIND", book, depth="infinity")).status == 403
    assert (await client.send("POST", book)).status == 405


async def test_no_more_is_told_at_once_than_is_bounded(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malleposte.services.dav.reports.MOST", 1)
    assert syncing.MOST > 1
    book = (await client.books())["Contacts"]
    for name in ("a", "b"):
        await client.put(f"{book}{name}.vcf", vcard(name, name))
    answer = await synced(client, book)
    assert answer.statuses() == {book: "507"}
