"""Client libraries that others wrote do their main job."""

from __future__ import annotations

import asyncio
import imaplib

from imapclient import IMAPClient  # type: ignore[import-untyped]

from unit.services.imapd.harness import Served
from unit.services.imapd.messages import MESSAGES


def _with_imapclient(port: int, address: str) -> None:
    with IMAPClient("127.0.0.1", port, ssl=False, timeout=20) as client:
        client.login(address, "secret")
        assert client.namespace()[0] == (("", "/"),)
        assert {name for _, _, name in client.list_folders()} >= {"INBOX", "Sent", "Trash"}
        assert client.find_special_folder(b"\\Sent") == "Sent"
        client.create_folder("Entwürfe/2026")
        assert client.folder_exists("Entwürfe/2026")
        client.append("INBOX", MESSAGES["alternative"], flags=[b"\\Seen"])
        client.append("INBOX", MESSAGES["plain"])
        info = client.select_folder("INBOX")
        assert info[b"EXISTS"] == 2
        found = client.search(["FROM", "ada", "UNSEEN"])
        assert found == [2]
        data = client.fetch(
            [1, 2], ["ENVELOPE", "BODYSTRUCTURE", "BODY.PEEK[]", "FLAGS", "RFC822.SIZE"]
        )
        assert data[1][b"BODY[]"] == MESSAGES["alternative"]
        assert data[2][b"ENVELOPE"].subject == b"An apple a day"
        assert data[1][b"BODYSTRUCTURE"].is_multipart
        client.add_flags([2], ["$Forwarded", "work"])
        assert set(client.get_flags([2])[2]) == {b"\\Recent", b"$Forwarded", b"work"}
        client.copy([1], "Archive")
        client.move([2], "Entwürfe/2026")
        client.noop()
        assert client.search() == [1]
        client.delete_messages([1])
        client.expunge()
        assert client.search() == []
        client.idle()
        client.idle_done()
        assert client.folder_status("Archive", ["MESSAGES"]) == {b"MESSAGES": 1}
        client.rename_folder("Entwürfe/2026", "Büro")
        assert client.select_folder("Büro")[b"EXISTS"] == 1
        client.unselect_folder()


def _with_imaplib(port: int, address: str) -> None:
    with imaplib.IMAP4("127.0.0.1", port, timeout=20) as client:
        client.login(address, "secret")
        assert client.append("INBOX", "(\\Flagged)", None, MESSAGES["digest"])[0] == "OK"
        assert client.select() == ("OK", [b"1"])
        kind, data = client.fetch("1", "(RFC822)")
        assert kind == "OK"
        first = data[0]
        assert isinstance(first, tuple)
        assert first[1] == MESSAGES["digest"]
        assert client.uid("SEARCH", "FLAGGED") == ("OK", [b"1"])
        assert client.store("1", "+FLAGS", "(\\Deleted)")[0] == "OK"
        assert client.expunge() == ("OK", [b"1"])
        assert client.close()[0] == "OK"
        kind, listed = client.lsub()
        assert kind == "OK"
        assert len(listed) == 6


async def test_imapclient(served: Served) -> None:
    _, address = await served.account()
    await asyncio.to_thread(_with_imapclient, served.port, address)


async def test_imaplib(served: Served) -> None:
    _, address = await served.account()
    await asyncio.to_thread(_with_imaplib, served.port, address)
