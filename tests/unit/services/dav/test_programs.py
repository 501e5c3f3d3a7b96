"""Debian's vdirsyncer over real sockets, signed in as people do; and who is let in."""

import asyncio
import base64
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from malleposte.directory import app_passwords
from malleposte.services.dav import DavSite, signing_in
from malleposte.store.commands import AddAppPassword
from malleposte.store.results import Created
from support.programs import Home, need
from support.store import House
from unit.services.dav.harness import Client, vcard
from unit.services.web.auth.browser import GOOD, Pages
from unit.services.web.harness import Served, serve

CONFIG = """
[general]
status_path = "{home}/status/"
[pair contacts]
a = "local"
b = "remote"
collections = ["from b"]
conflict_resolution = "b wins"
[storage local]
type = "filesystem"
path = "{home}/contacts/"
fileext = ".vcf"
[storage remote]
type = "carddav"
url = "http://localhost:{port}/"
username = "ada@example.org"
password = "{password}"
"""


@pytest.fixture
async def pages(house: House) -> AsyncIterator[Pages]:
    made = Pages(house)
    yield made
    made.passwords.close()


def site(pages: Pages) -> DavSite:
    authenticate = partial(signing_in.account, door=pages.door)
    return DavSite(pages.house.store, pages.book, authenticate)


async def app_password(pages: Pages, account: int, scope: str) -> str:
    secret = "dovak-rifus-molan-bidag-tupov"
    hashed = await pages.passwords.hash(secret)
    command = AddAppPassword(account=account, password_hash=hashed, label="phone", scope=scope)
    made = await pages.house.do(command, Created)
    return app_passwords.written(made.id, secret)


async def vdirsyncer(home: Home, *words: str, answers: int = 0) -> str:
    program = need("vdirsyncer")
    config = str(home.folder / "config")
    run = partial(home.succeed, program, "-c", config, *words, octets=b"y\n" * answers)
    return await asyncio.to_thread(run)


@pytest.mark.interop
async def test_vdirsyncer_syncs_both_ways(pages: Pages, tmp_path: Path) -> None:
    need("vdirsyncer")
    ada = await pages.account()
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    home = Home(folder)
    client = Client(pages.house, ada)
    book = (await client.books())["Contacts"]
    odd = vcard(
        "ada", "Ada", "item1.TEL;TYPE=CELL;X-ODD=1:+33 1", "item1.X-ABLabel:Boat", "X-SHOE:42"
    )
    await client.put(f"{book}ada.vcf", odd)
    async with serve(sites=(site(pages),), book=pages.book) as served:
        await synced_both_ways(served, home, client, book, await app_password(pages, ada, "dav"))


async def synced_both_ways(
    served: Served, home: Home, client: Client, book: str, password: str
) -> None:
    home.write("config", CONFIG.format(home=home.folder, port=served.port, password=password))
    await vdirsyncer(home, "discover", "contacts", answers=5)
    await vdirsyncer(home, "sync")
    local = home.folder / "contacts" / book.rstrip("/").rpartition("/")[2]
    (first,) = local.glob("*.vcf")
    text = first.read_text()
    for line in ("TEL;TYPE=CELL;X-ODD=1:+33 1", "X-ABLABEL:Boat", "X-SHOE:42", "FN:Ada"):
        assert line in text
    directory = home.folder / "contacts" / "directory"
    assert len(list(directory.glob("*.vcf"))) == 1
    # Here a card is changed and one is made, there another; all of it arrives.
    first.write_text(text.replace("FN:Ada", "FN:Countess"))
    (local / "new.vcf").write_text(vcard("bob", "Bob", "NOTE:from here", version="4.0"))
    await client.put(f"{book}eve.vcf", vcard("eve", "Eve"))
    await vdirsyncer(home, "sync")
    answer = await client.send("GET", f"{book}ada.vcf")
    assert "FN:Countess" in answer.text
    assert "X-SHOE:42" in answer.text
    await vdirsyncer(home, "sync")
    assert len(list(local.glob("*.vcf"))) == 3
    # What goes on either side goes on the other.
    await client.send("DELETE", f"{book}eve.vcf")
    first.unlink()
    await vdirsyncer(home, "sync")
    assert (await client.send("GET", f"{book}ada.vcf")).status == 404
    (left,) = local.glob("*.vcf")
    assert "FN:Bob" in left.read_text()


async def sign_in(pages: Pages, password: str) -> str:
    """'' for who is let in, else in what words not."""
    client = Client(pages.house, 0)
    client.site = site(pages)
    token = base64.b64encode(f"ada@example.org:{password}".encode()).decode()
    answer = await client.send("PROPFIND", "/dav/", depth="0", authorization=f"Basic {token}")
    return "" if answer.status == 207 else answer.text


async def test_who_is_let_in(pages: Pages) -> None:
    ada = await pages.account()
    assert await sign_in(pages, GOOD) == ""
    assert "wrong" in await sign_in(pages, "guessed")
    assert await sign_in(pages, await app_password(pages, ada, "dav")) == ""
    assert "something else" in await sign_in(pages, await app_password(pages, ada, "imap smtp"))
    pages.house.damaged = True  # a second step is asked for that there is not
    async with pages.house.place.raw() as tx:
        await tx.run("UPDATE account SET second_factor = 1 WHERE id = $1", ada)
        await tx.run("UPDATE directory_head SET version = version + 1")
    assert "second step" in await sign_in(pages, GOOD)
    assert await sign_in(pages, await app_password(pages, ada, "dav")) == ""


async def test_who_says_nothing_is_asked(pages: Pages) -> None:
    client = Client(pages.house, 0)
    client.site = site(pages)
    answer = await client.send("PROPFIND", "/dav/", depth="0")
    assert answer.status == 401
    assert answer.fields["WWW-Authenticate"].startswith("Basic ")
    answer = await client.send("PROPFIND", "/dav/", depth="0", cookie="__Host-session=x")
    assert answer.status == 401, "a session of the web client counts for nothing here"
