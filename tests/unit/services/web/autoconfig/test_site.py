"""Settings files: which one a path gives, for which domain, and what is in it."""

import json
import plistlib
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pytest

from malleposte.directory.book import Book
from malleposte.services.web.autoconfig import Offer, Offers
from malleposte.services.web.autoconfig.site import APPLE, THUNDERBIRD
from malleposte.store.commands import CreateAccount, CreateDomain, SetDomain
from malleposte.store.results import Created, Done
from support.store import House
from unit.services.web.autoconfig.conftest import OFFERS, site
from unit.services.web.harness import HOST, Answer, Served, serve

WELL_KNOWN = THUNDERBIRD[1]
OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/outlook"
OUTER = "{http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006}"
INNER = f"{{{OUTLOOK}/responseschema/2006a}}"


async def get(served: Served, target: str, host: str = HOST) -> Answer:
    client = await served.connect()
    return await client.ask(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())


def question(address: str, schema: str = f"{OUTLOOK}/responseschema/2006a") -> bytes:
    return (
        f'<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="{OUTLOOK}/requestschema/2006">'
        f"<Request><EMailAddress>{address}</EMailAddress>"
        f"<AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request></Autodiscover>"
    ).encode()


async def posted(
    served: Served, document: bytes, path: str = "/autodiscover/autodiscover.xml"
) -> Answer:
    client = await served.connect()
    answer = await client.post(path, document, "Content-Type: text/xml")
    assert (answer.status, answer.fields["content-type"]) == (200, "text/xml; charset=utf-8")
    return answer


def error_in(answer: Answer) -> tuple[str | None, str | None]:
    error = ET.fromstring(answer.body).find(f"{OUTER}Response/{OUTER}Error")
    assert error is not None
    assert set(error.attrib) == {"Time", "Id"}
    return error.findtext(f"{OUTER}ErrorCode"), error.findtext(f"{OUTER}Message")


def protocols_in(answer: Answer) -> Iterator[dict[str, str | None]]:
    for protocol in ET.fromstring(answer.body).iter(f"{INNER}Protocol"):
        yield {child.tag.removeprefix(INNER): child.text for child in protocol}


# Thunderbird --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", THUNDERBIRD)
async def test_thunderbird_is_told_all_that_runs_the_better_way_first(
    served: Served, path: str
) -> None:
    answer = await get(served, f"{path}?emailaddress=ada@example.org")
    assert (answer.status, answer.fields["content-type"]) == (200, "text/xml; charset=utf-8")
    root = ET.fromstring(answer.body)
    assert (root.tag, root.attrib) == ("clientConfig", {"version": "1.1"})
    (provider,) = root
    assert (provider.tag, provider.attrib) == ("emailProvider", {"id": "example.org"})
    assert [child.tag for child in provider] == [
        *("domain", "displayName", "displayShortName"),
        *("incomingServer", "incomingServer", "incomingServer", "outgoingServer"),
    ]
    assert provider.findtext("domain") == "example.org"
    servers = [
        (
            child.attrib["type"],
            *(child.findtext(name) for name in ("hostname", "port", "socketType")),
        )
        for child in provider
        if child.attrib
    ]
    assert servers == [
        ("imap", "imap.example.net", "993", "SSL"),
        ("imap", "imap.example.net", "143", "STARTTLS"),
        ("pop3", "imap.example.net", "1995", "SSL"),
        ("smtp", "imap.example.net", "587", "STARTTLS"),
    ]
    for child in provider:
        if child.attrib:
            assert child.findtext("username") == "%EMAILADDRESS%"
            assert child.findtext("authentication") == "password-cleartext"


async def test_without_an_address_the_host_says_the_domain(served: Served) -> None:
    """Newer Thunderbirds keep the address to themselves."""
    for host in ("autoconfig.example.org", "example.org", "AutoConfig.Example.Org:80"):
        answer = await get(served, WELL_KNOWN, host)
        assert ET.fromstring(answer.body).findtext("emailProvider/domain") == "example.org"
    answer = await get(served, WELL_KNOWN)
    assert (answer.status, answer.words) == (404, "There is no such domain here.\n")


async def test_domains_are_read_in_either_form(served: Served, house: House) -> None:
    await house.do(CreateDomain(name="xn--bcher-kva.example"), Created)
    for address in ("a@xn--bcher-kva.example", "a@B%C3%BCcher.example", "a@XN--BCHER-KVA.EXAMPLE."):
        answer = await get(served, f"{WELL_KNOWN}?emailaddress={address}")
        provider = ET.fromstring(answer.body).find("emailProvider")
        assert provider is not None
        assert provider.attrib["id"] == "xn--bcher-kva.example"
        assert provider.findtext("displayName") == "b\xfccher.example"


async def test_a_second_name_of_a_domain_signs_in_by_the_first(
    served: Served, house: House
) -> None:
    await house.do(CreateDomain(name="other.example"), Created)
    await house.do(SetDomain(name="other.example", alias_of="example.org"), Done)
    answer = await get(served, f"{WELL_KNOWN}?emailaddress=ada@other.example")
    provider = ET.fromstring(answer.body).find("emailProvider")
    assert provider is not None
    assert provider.findtext("domain") == "other.example"
    assert {name.text for name in provider.iter("username")} == {"%EMAILLOCALPART%@example.org"}
    (imap, *_) = protocols_in(await posted(served, question("ada@other.example")))
    assert imap["LoginName"] == "ada@example.org"


# Outlook ------------------------------------------------------------------------------------------


async def test_outlook_is_told_the_best_way_of_each_protocol(served: Served) -> None:
    answer = await posted(served, question("Ada.B+x@Example.org"))
    root = ET.fromstring(answer.body)
    account = root.find(f"{INNER}Response/{INNER}Account")
    assert account is not None
    assert account.findtext(f"{INNER}AccountType") == "email"
    assert account.findtext(f"{INNER}Action") == "settings"
    found = list(protocols_in(answer))
    assert [(p["Type"], p["Server"], p["Port"], p["Encryption"], p["SSL"]) for p in found] == [
        ("IMAP", "imap.example.net", "993", "SSL", "on"),
        ("POP3", "imap.example.net", "1995", "SSL", "on"),
        ("SMTP", "imap.example.net", "587", "TLS", "on"),
    ]
    for protocol in found:
        assert protocol["LoginName"] == "Ada.B+x@example.org"
        assert (protocol["SPA"], protocol["DomainRequired"]) == ("off", "off")
        assert protocol["AuthRequired"] == "on"
    assert (found[2]["UsePOPAuth"], found[2]["SMTPLast"]) == ("off", "off")


@pytest.mark.parametrize(
    "path", ["/Autodiscover/Autodiscover.xml", "/AutoDiscover/AutoDiscover.xml"]
)
async def test_programs_of_microsoft_write_paths_as_they_like(served: Served, path: str) -> None:
    assert list(protocols_in(await posted(served, question("ada@example.org"), path)))


@pytest.mark.parametrize(
    ("document", "code", "words"),
    [
        (b"", "600", "Invalid Request"),
        (b"EMailAddress=ada@example.org", "600", "Invalid Request"),
        (b"<Autodiscover/>", "600", "Invalid Request: EMailAddress is missing"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a/>', "600", "Invalid Request"),
        (
            question(
                "ada@example.org", OUTLOOK.replace("outlook", "mobilesync") + "/responseschema/2006"
            ),
            "601",
            "Only settings of IMAP, POP3 and SMTP are given here",
        ),
        (question("ada@example.net"), "500", "There is no such domain here."),
        (question("ada"), "500", "This is no mail address."),
        (question("&lt;script&gt;@x&amp;y"), "500", "There is no such domain here."),
    ],
)
async def test_outlook_is_told_by_a_document_why_not(
    served: Served, document: bytes, code: str, words: str
) -> None:
    assert error_in(await posted(served, document)) == (code, words)


async def test_a_get_of_the_document_is_an_invalid_request(served: Served) -> None:
    answer = await get(served, "/autodiscover/autodiscover.xml")
    assert (answer.status, error_in(answer)[0]) == (200, "600")


async def test_without_the_schema_outlooks_is_meant(served: Served) -> None:
    document = b"<A><Request><EMailAddress>ada@example.org</EMailAddress></Request></A>"
    assert list(protocols_in(await posted(served, document)))


@pytest.mark.parametrize(
    "target",
    [
        "/autodiscover/autodiscover.json/v1.0/ada@example.org?Protocol=AutodiscoverV1",
        "/Autodiscover/Autodiscover.json/v1.0/ada%40example.org?protocol=autodiscoverv1&x=y",
        "/autodiscover/autodiscover.json?Email=ada@example.org&Protocol=AutodiscoverV1&RedirectCount=1",
    ],
)
async def test_outlook_asks_where_to_ask(served: Served, target: str) -> None:
    answer = await get(served, target)
    assert (answer.status, answer.fields["content-type"]) == (200, "application/json")
    assert json.loads(answer.body) == {
        "Protocol": "AutodiscoverV1",
        "Url": f"https://{HOST}/autodiscover/autodiscover.xml",
    }


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("/v1.0/ada@example.org", 400, "MandatoryParameterMissing"),
        ("/v1.0/ada@example.org?Protocol=ActiveSync", 400, "InvalidProtocol"),
        ("/v1.0/ada@example.org?Protocol=<script>", 400, "InvalidProtocol"),
        ("/v1.0/ada@example.net?Protocol=AutodiscoverV1", 404, "UserNotFound"),
        ("/v1.0/ada?Protocol=AutodiscoverV1", 404, "UserNotFound"),
        ("/v1.0/?Protocol=AutodiscoverV1", 404, "UserNotFound"),
        ("?Protocol=AutodiscoverV1", 404, "UserNotFound"),
    ],
)
async def test_other_questions_are_refused_in_json(
    served: Served, target: str, status: int, code: str
) -> None:
    answer = await get(served, f"/autodiscover/autodiscover.json{target}")
    said = json.loads(answer.body)
    assert (answer.status, said["ErrorCode"]) == (status, code)
    assert said["ErrorMessage"]
    assert "script" not in answer.words


# Apple --------------------------------------------------------------------------------------------


async def profile_of(served: Served, address: str) -> dict[str, Any]:
    answer = await get(served, f"{APPLE}?email={address}")
    assert (answer.status, answer.fields["content-type"]) == (
        200,
        "application/x-apple-aspen-config",
    )
    assert answer.fields["content-disposition"] == 'attachment; filename="mail.mobileconfig"'
    assert answer.body.startswith(b"signed:")
    profile: dict[str, Any] = plistlib.loads(answer.body.removeprefix(b"signed:"))
    return profile


async def test_a_profile_for_apple(served: Served) -> None:
    profile = await profile_of(served, "ada@example.org")
    assert (profile["PayloadType"], profile["PayloadVersion"]) == ("Configuration", 1)
    (account,) = profile["PayloadContent"]
    assert account["PayloadType"] == "com.apple.mail.managed"
    assert (account["EmailAccountType"], account["EmailAddress"]) == (
        "EmailTypeIMAP",
        "ada@example.org",
    )
    for way, port in (("Incoming", 993), ("Outgoing", 587)):
        assert account[f"{way}MailServerHostName"] == "imap.example.net"
        assert account[f"{way}MailServerPortNumber"] == port
        assert account[f"{way}MailServerUseSSL"] is True
        assert account[f"{way}MailServerUsername"] == "ada@example.org"
    assert not [key for key in account if key in ("IncomingPassword", "OutgoingPassword")]


async def test_a_profile_made_again_takes_the_place_of_the_first(served: Served) -> None:
    first, again = [await profile_of(served, "ada@example.org") for _ in range(2)]
    other = await profile_of(served, "bob@example.org")
    keys = ("PayloadIdentifier", "PayloadUUID")
    assert [first[key] for key in keys] == [again[key] for key in keys]
    made = [
        part["PayloadUUID"]
        for profile in (first, other)
        for part in (profile, *profile["PayloadContent"])
    ]
    assert len(set(made)) == 4


async def test_a_plus_that_was_not_encoded_is_still_one(served: Served) -> None:
    for written in ("ada+news@example.org", "ada%2Bnews@example.org"):
        profile = await profile_of(served, written)
        assert profile["PayloadContent"][0]["EmailAddress"] == "ada+news@example.org"


async def test_a_profile_is_for_somebody(served: Served) -> None:
    answer = await get(served, APPLE)
    assert (answer.status, answer.words) == (400, f"Say for whom: {APPLE}?email=ADDRESS\n")
    assert (await get(served, f"{APPLE}?email=ada%0a@example.org")).status == 400
    assert (await get(served, f"{APPLE}?email=ada@example.net")).status == 404


async def test_apple_is_offered_pop3_where_there_is_no_imap(house: House) -> None:
    offers = Offers("h", (Offer("pop3", 995, implicit=True), Offer("smtp", 465, implicit=True)))
    async with serve(book=Book(house.store), sites=[site(house, offers)]) as served:
        (account,) = (await profile_of(served, "ada@example.org"))["PayloadContent"]
        assert account["EmailAccountType"] == "EmailTypePOP"
    no_smtp = Offers("h", (Offer("imap", 993, implicit=True),))
    async with serve(book=Book(house.store), sites=[site(house, no_smtp)]) as served:
        answer = await get(served, f"{APPLE}?email=ada@example.org")
        assert (answer.status, "no services" in answer.words) == (404, True)


# All of them --------------------------------------------------------------------------------------


async def all_answers(served: Served, address: str) -> list[tuple[int, str]]:
    """Each with the address itself taken out."""
    answers = [
        await get(served, f"{WELL_KNOWN}?emailaddress={address}"),
        await get(
            served, f"/autodiscover/autodiscover.json/v1.0/{address}?Protocol=AutodiscoverV1"
        ),
        await posted(served, question(address)),
    ]
    (profile,) = [await profile_of(served, address)]
    profile = {key: value for key, value in profile.items() if "PayloadUUID" not in key}
    local = address.partition("@")[0]
    found = [(one.status, one.words.replace(local, "LOCAL")) for one in answers]
    (account,) = profile["PayloadContent"]
    return [*found, (len(profile), str(sorted(account)).replace(local, "LOCAL"))]


async def test_no_answer_says_whether_an_address_is_in_use(served: Served, house: House) -> None:
    await house.do(
        CreateAccount(address="ada@example.org", name="Ada", password_hash="$secret"), Created
    )
    in_use = await all_answers(served, "ada@example.org")
    assert in_use == await all_answers(served, "nobody@example.org")
    assert in_use == await all_answers(served, "postmaster@example.org")
    assert "Ada" not in str(in_use)


async def test_a_domain_that_is_relayed_has_its_accounts_elsewhere(
    served: Served, house: House
) -> None:
    await house.do(CreateDomain(name="relayed.example"), Created)
    await house.do(SetDomain(name="relayed.example", relay="10.0.0.1:25"), Done)
    target = f"{WELL_KNOWN}?emailaddress=a@relayed.example"
    assert (await get(served, target)).status == 404
    # One that moves here, account by account.
    await house.do(
        CreateAccount(address="ada@relayed.example", name="", password_hash="$secret"), Created
    )
    assert (await get(served, target)).status == 200


async def test_a_domain_that_is_made_or_deleted_is_seen_at_once(
    served: Served, house: House
) -> None:
    target = f"{WELL_KNOWN}?emailaddress=a@new.example"
    assert (await get(served, target)).status == 404
    await house.do(CreateDomain(name="new.example"), Created)
    assert (await get(served, target)).status == 200


async def test_without_a_certificate_nothing_is_promised(house: House) -> None:
    async with serve(book=Book(house.store), sites=[site(house, ready=False)]) as served:
        answer = await get(served, f"{WELL_KNOWN}?emailaddress=ada@example.org")
        assert (answer.status, "no certificate yet" in answer.words) == (503, True)


async def test_thunderbird_is_answered_in_clear_and_others_are_sent_to_tls(house: House) -> None:
    async with serve(book=Book(house.store), sites=[site(house, OFFERS)], remote=True) as served:
        answer = await get(served, f"{WELL_KNOWN}?emailaddress=ada@example.org")
        assert answer.status == 200
        for target in ("/autodiscover/autodiscover.xml", f"{APPLE}?email=ada@example.org"):
            answer = await get(served, target, "autodiscover.example.org")
            assert (answer.status, answer.fields["location"]) == (302, f"https://{HOST}{target}")
