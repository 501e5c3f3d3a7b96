"""What phones and desktops send when they are set up and sync, request by request."""

import pytest

from malleposte.groupware.content_lines import lines
from support.store import House
from unit.services.dav.harness import C, Client, D, S

IOS_PRINCIPAL = """<?xml version="1.0" encoding="UTF-8"?>
<A:propfind xmlns:A="DAV:"><A:prop><A:current-user-principal/><A:principal-URL/><A:resourcetype/>
</A:prop></A:propfind>"""
IOS_HOME = """<?xml version="1.0" encoding="UTF-8"?>
<A:propfind xmlns:A="DAV:"><A:prop><B:addressbook-home-set xmlns:B="urn:ietf:params:xml:ns:carddav"/>
<B:directory-gateway xmlns:B="urn:ietf:params:xml:ns:carddav"/><A:displayname/>
<C:email-address-set xmlns:C="http://calendarserver.org/ns/"/><A:principal-collection-set/>
<A:principal-URL/><A:resource-id/><A:supported-report-set/></A:prop></A:propfind>"""
IOS_BOOKS = """<?xml version="1.0" encoding="UTF-8"?>
<A:propfind xmlns:A="DAV:"><A:prop><A:add-member/>
<D:bulk-requests xmlns:D="http://me.com/_namespace/"/><A:current-user-privilege-set/><A:displayname/>
<B:max-image-size xmlns:B="urn:ietf:params:xml:ns:carddav"/>
<B:max-resource-size xmlns:B="urn:ietf:params:xml:ns:carddav"/>
<C:me-card xmlns:C="http://calendarserver.org/ns/"/><A:owner/>
<C:push-transports xmlns:C="http://calendarserver.org/ns/"/>
<C:pushkey xmlns:C="http://calendarserver.org/ns/"/><A:quota-available-bytes/><A:quota-used-bytes/>
<A:resource-id/><A:resourcetype/><A:supported-report-set/><A:sync-token/></A:prop></A:propfind>"""
IOS_SYNC = """<?xml version="1.0" encoding="UTF-8"?>
<A:sync-collection xmlns:A="DAV:"><A:sync-token>{}</A:sync-token><A:sync-level>1</A:sync-level>
<A:prop><A:getetag/></A:prop></A:sync-collection>"""
IOS_CARDS = """<?xml version="1.0" encoding="UTF-8"?>
<B:addressbook-multiget xmlns:B="urn:ietf:params:xml:ns:carddav"><A:prop xmlns:A="DAV:"><A:getetag/>
<B:address-data/></A:prop><A:href xmlns:A="DAV:">{}</A:href></B:addressbook-multiget>"""
IOS_CARD = """BEGIN:VCARD\r
VERSION:3.0\r
PRODID:-//Apple Inc.//iPhone OS 18.1//EN\r
N:Lovelace;Ada;;;\r
FN:Ada Lovelace\r
ORG:Analytical Engines;\r
EMAIL;type=INTERNET;type=HOME;type=pref:ada@example.com\r
TEL;type=CELL;type=VOICE;type=pref:+33 1 23 45\r
item1.ADR;type=HOME;type=pref:;;1 Rue Neuve;Paris;;75001;France\r
item1.X-ABADR:fr\r
item2.URL;type=pref:https://example.com\r
item2.X-ABLabel:_$!<HomePage>!$_\r
BDAY;X-APPLE-OMIT-YEAR=1604;value=date:1604-12-10\r
X-SOCIALPROFILE;type=twitter:https://twitter.com/ada\r
NOTE:Two\\nlines\\, and more\r
PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBg\r
 UGCQgKCgkICQkKDA8MCgsOCwkJDRENDg8QEBEQCgwSExIQEw8QEBA=\r
UID:5E3B5D1C-0B6F-4B7E-9F55-0A4E5B6E7D11\r
REV:2026-11-30T10:11:12Z\r
END:VCARD\r
"""
DAVX5_FIND = (
    '<?xml version="1.0" encoding="UTF-8" ?><propfind xmlns="DAV:" xmlns:CAL="urn:ietf:params:xml:ns:'
    'caldav" xmlns:CARD="urn:ietf:params:xml:ns:carddav"><prop><resourcetype /><displayname />'
    "<CARD:addressbook-description /><CARD:addressbook-home-set /><current-user-principal /></prop>"
    "</propfind>"
)
DAVX5_BOOK = (
    '<?xml version="1.0" encoding="UTF-8" ?><propfind xmlns="DAV:" xmlns:CARD="urn:ietf:params:xml:ns:'
    'carddav" xmlns:CS="http://calendarserver.org/ns/"><prop><CARD:max-resource-size />'
    "<CARD:supported-address-data /><supported-report-set /><CS:getctag /><sync-token /></prop>"
    "</propfind>"
)
DAVX5_CARDS = (
    '<?xml version="1.0" encoding="UTF-8" ?><CARD:addressbook-multiget xmlns="DAV:" xmlns:CARD="urn:'
    'ietf:params:xml:ns:carddav"><prop><getcontenttype /><getetag /><CARD:address-data'
    ' content-type="text/vcard" version="4.0" /></prop><href>{}</href></CARD:addressbook-multiget>'
)
DAVX5_CARD = """BEGIN:VCARD\r
VERSION:4.0\r
PRODID:+//IDN bitfire.at//DAVx5/4.4 ez-vcard/0.12\r
UID:b8767877-b4a1-4c70-9acc-505d3819e519\r
FN:Zoe\r
N:;Zoe;;;\r
TEL;TYPE=cell;PREF=1:+49 1\r
BDAY:--0412\r
RELATED;TYPE=friend;VALUE=text:Ada\r
REV:20261130T101112Z\r
END:VCARD\r
"""
THUNDERBIRD_FIND = (
    '<propfind xmlns="DAV:" xmlns:card="urn:ietf:params:xml:ns:carddav"><prop><resourcetype/>'
    "<displayname/><current-user-principal/><current-user-privilege-set/></prop></propfind>"
)
THUNDERBIRD_HOME = (
    '<propfind xmlns="DAV:" xmlns:card="urn:ietf:params:xml:ns:carddav"><prop>'
    "<card:addressbook-home-set/></prop></propfind>"
)
THUNDERBIRD_SYNC = (
    '<sync-collection xmlns="DAV:" xmlns:card="urn:ietf:params:xml:ns:carddav"><sync-token>{}'
    "</sync-token><sync-level>1</sync-level><prop><getetag/><card:address-data/></prop>"
    "</sync-collection>"
)


@pytest.fixture
async def client(house: House) -> Client:
    return Client(house, await house.account("ada"))


def said(card: str) -> set[object]:
    """What the lines of a card say: parameters have no order."""
    return {line.key for line in lines(card)}


async def test_ios(client: Client) -> None:
    answer = await client.send("PROPFIND", "/dav/", IOS_PRINCIPAL, depth="0")
    principal = answer.told()["/dav/"][f"{D}current-user-principal"].findtext(f"{D}href") or ""
    told = (await client.send("PROPFIND", principal, IOS_HOME, depth="0")).told()[principal]
    assert told[f"{S}email-address-set"].findtext(f"{S}email-address") == "ada@example.org"
    home = told[f"{C}addressbook-home-set"].findtext(f"{D}href") or ""
    answer = await client.send("PROPFIND", home, IOS_BOOKS, depth="1", prefer="return=minimal")
    (book,) = [
        path for path, one in answer.told().items() if one[f"{D}displayname"].text == "Contacts"
    ]
    props = answer.told()[book]
    reports = {one.tag for one in props[f"{D}supported-report-set"].iter()}
    assert {f"{D}sync-collection", f"{C}addressbook-multiget"} <= reports
    granted = {one.tag for one in props[f"{D}current-user-privilege-set"].iter()}
    assert {f"{D}read", f"{D}write", f"{D}bind"} <= granted
    path = f"{book}5E3B5D1C-0B6F-4B7E-9F55-0A4E5B6E7D11.vcf"
    answer = await client.send(
        "PUT", path, IOS_CARD, content_type="text/vcard; charset=utf-8", if_none_match="*"
    )
    assert answer.status == 201
    answer = await client.send("REPORT", book, IOS_SYNC.format(""))
    assert path in answer.told()
    answer = await client.send("REPORT", book, IOS_CARDS.format(path))
    data = answer.told()[path][f"{C}address-data"].text or ""
    assert said(data) == said(IOS_CARD)


async def test_davx5(client: Client) -> None:
    answer = await client.send("PROPFIND", "/dav/", DAVX5_FIND, depth="0")
    principal = answer.told()["/dav/"][f"{D}current-user-principal"].findtext(f"{D}href") or ""
    told = (await client.send("PROPFIND", principal, DAVX5_FIND, depth="0")).told()[principal]
    home = told[f"{C}addressbook-home-set"].findtext(f"{D}href") or ""
    answer = await client.send("PROPFIND", home, DAVX5_FIND, depth="1")
    (book,) = [
        path for path, one in answer.told().items() if one[f"{D}displayname"].text == "Contacts"
    ]
    told = (await client.send("PROPFIND", book, DAVX5_BOOK, depth="0")).told()[book]
    versions = {one.get("version") for one in told[f"{C}supported-address-data"]}
    assert versions == {"3.0", "4.0"}
    path = f"{book}b8767877-b4a1-4c70-9acc-505d3819e519.vcf"
    answer = await client.send(
        "PUT", path, DAVX5_CARD, content_type="text/vcard;version=4.0", if_none_match="*"
    )
    assert answer.status == 201
    answer = await client.send("REPORT", book, DAVX5_CARDS.format(path))
    data = answer.told()[path][f"{C}address-data"].text or ""
    assert said(data) == said(DAVX5_CARD)


async def test_thunderbird(client: Client) -> None:
    await client.books()
    answer = await client.send("PROPFIND", "/dav/", THUNDERBIRD_FIND, depth="0")
    principal = answer.told()["/dav/"][f"{D}current-user-principal"].findtext(f"{D}href") or ""
    told = (await client.send("PROPFIND", principal, THUNDERBIRD_HOME, depth="0")).told()[principal]
    home = told[f"{C}addressbook-home-set"].findtext(f"{D}href") or ""
    answer = await client.send("PROPFIND", home, THUNDERBIRD_FIND, depth="1")
    writable = {
        one[f"{D}displayname"].text
        for path, one in answer.told().items()
        if f"{D}write-content" in {tag.tag for tag in one[f"{D}current-user-privilege-set"].iter()}
        and path != home
    }
    assert writable == {"Contacts"}
    book = (await client.books())["Contacts"]
    await client.put(f"{book}1.vcf", DAVX5_CARD)
    answer = await client.send("REPORT", book, THUNDERBIRD_SYNC.format(""))
    data = answer.told()[f"{book}1.vcf"][f"{C}address-data"].text or ""
    assert "VERSION:3.0" in data
    assert "FN:Zoe" in data
    token = answer.xml.findtext(f"{D}sync-token")
    assert (await client.send("REPORT", book, THUNDERBIRD_SYNC.format(token))).told() == {}
