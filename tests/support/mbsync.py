"""mbsync beside a Maildir: its configuration, and what the Maildir holds."""

import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from support.programs import Home, need
from support.server import Server

# An X-TUID line: mbsync marks what it copies, to find it again after a break.
TUID = b"X-TUID: "


@cache
def version() -> tuple[int, int]:
    """Of isync: 1.4 in bookworm, 1.5 in trixie."""
    done = subprocess.run(
        [need("mbsync", "isync"), "--version"], capture_output=True, text=True, check=True
    )
    found = re.search(r"isync (\d+)\.(\d+)", done.stdout)
    assert found is not None, done.stdout
    return int(found[1]), int(found[2])


@dataclass(frozen=True, slots=True)
class Sync:
    """mbsync between one account and a Maildir in a home."""

    home: Home
    server: Server
    address: str
    password: str
    tls: str = "IMAPS"
    patterns: str = "*"

    @property
    def folder(self) -> Path:
        """The Maildir tree; INBOX is a folder in it as the others are."""
        return self.home.folder / "Mail"

    def configure(self) -> Path:
        """Write the configuration."""
        self.folder.mkdir(exist_ok=True)
        tls_word = "TLSType" if version() >= (1, 5) else "SSLType"
        port = self.server.ports["imaps" if self.tls == "IMAPS" else "imap"]
        return self.home.write(
            "mbsyncrc",
            f"IMAPAccount a\nHost localhost\nPort {port}\nUser {self.address}\n"
            f'Pass "{self.password}"\n{tls_word} {self.tls}\n'
            f"CertificateFile {self.server.data / 'tls' / 'ca.pem'}\n\n"
            "IMAPStore far\nAccount a\n\n"
            f"MaildirStore near\nPath {self.folder}/\nInbox {self.folder}/INBOX\n"
            "SubFolders Verbatim\n\n"
            f"Channel all\nFar :far:\nNear :near:\nPatterns {self.patterns}\n"
            "Create Both\nRemove Both\nExpunge Both\nSync All\nCopyArrivalDate yes\nSyncState *\n",
        )

    def run(self, seconds: float = 120.0) -> str:
        """Synchronise once, and without an error; what it said."""
        return self.home.succeed(
            need("mbsync", "isync"), "-c", self.configure(), "all", seconds=seconds
        )

    def files(self, mailbox: str = "INBOX") -> list[Path]:
        """Messages of a folder."""
        found = [*(self.folder / mailbox / "new").iterdir()]
        found += (self.folder / mailbox / "cur").iterdir()
        return sorted(found, key=lambda path: path.name)

    def state(self) -> dict[str, bytes]:
        """Every message by folder and name (which holds UID and flags), with its content."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for kind in ("new", "cur")
            for path in self.folder.rglob(f"{kind}/*")
        }


def without_mark(octets: bytes) -> bytes:
    """A message without the line that mbsync put into it."""
    head, end, body = octets.partition(b"\n\n")
    lines = [line for line in head.split(b"\n") if not line.startswith(TUID)]
    return b"\n".join(lines) + end + body
