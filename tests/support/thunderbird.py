"""Debian's Thunderbird on a screen of its own, with a new profile, driven as a person would.

Nothing of the network is asked for: no updates, no first-run pages, no telemetry. There is no sound, and no
D-Bus. What it says of IMAP goes into a log, which the tests read too. The functions it runs inside stand in
``thunderbird.js``, which says what each does.
"""

import base64
import json
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.marionette import Marionette
from support.programs import Home, end, need
from support.server import free_port

PRELUDE = Path(__file__).with_suffix(".js").read_text()

PREFERENCES: dict[str, bool | int | str] = {
    # Nothing but the account.
    "app.update.disabledForTesting": True,
    "app.donation.eoy.version.viewed": 999,
    "browser.region.network.url": "",
    "browser.safebrowsing.downloads.enabled": False,
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.blocklist.enabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.update.enabled": False,
    "mail.inappnotifications.enabled": False,
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.rights.version": 1,
    "mail.shell.checkDefaultClient": False,
    "mail.spotlight.firstRunDone": True,
    "mailnews.auto_config_url": "",
    "mailnews.mx_service_url": "",
    "mailnews.start_page.enabled": False,
    "mailnews.start_page_override.mstone": "ignore",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.proxy.type": 0,
    "services.settings.server": "data:,#nothing",
    "toolkit.telemetry.enabled": False,
    "toolkit.telemetry.server": "",
    # A machine without a network but loopback is no reason to be offline.
    "network.manage-offline-status": False,
    "network.offline-mirrors-connectivity": False,
    "offline.autoDetect": False,
    "offline.startup_state": 2,
    "offline.download.download_messages": 2,
    "offline.send.unsent_messages": 1,
    # No sound, no graphics processor, no index over all mail.
    "gfx.webrender.software": True,
    "mail.biff.play_sound": False,
    "mail.biff.show_alert": False,
    "mailnews.database.global.indexer.enabled": False,
    # Bodies are downloaded where a test asks for them.
    "mail.server.default.offline_download": False,
    "mail.server.default.autosync_offline_stores": False,
    "mail.SpellCheckBeforeSend": False,
}

QUIET = {
    # These end at once what would wait for a service that is not there.
    "DBUS_SESSION_BUS_ADDRESS": "disabled:",
    "DBUS_SYSTEM_BUS_ADDRESS": "disabled:",
    "GSETTINGS_BACKEND": "memory",
    "GTK_A11Y": "none",
    "LIBGL_ALWAYS_SOFTWARE": "1",
    "MOZ_CRASHREPORTER_DISABLE": "1",
    "NO_AT_BRIDGE": "1",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A message as Thunderbird's own database has it. ``keywords`` are sorted."""

    uid: int
    subject: str
    read: bool
    flagged: bool
    answered: bool
    keywords: tuple[str, ...]
    offline: bool


@dataclass(slots=True)
class Thunderbird:
    """A running program."""

    marionette: Marionette
    process: "subprocess.Popen[bytes]"
    log: Path
    """What it says of IMAP."""

    def call(self, function: str, *arguments: object) -> Any:
        """Call one of the functions of ``thunderbird.js``."""
        return self.marionette.run(PRELUDE, function, *arguments)

    def rows(self, mailbox: str) -> list[Row]:
        """All messages of a folder, in the order of their UIDs."""
        found = [
            Row(**{**row, "keywords": tuple(row["keywords"])}) for row in self.call("rows", mailbox)
        ]
        return sorted(found, key=lambda row: row.uid)

    def subjects(self, mailbox: str) -> list[str]:
        """Subjects of a folder, in the order of their UIDs."""
        return [row.subject for row in self.rows(mailbox)]

    def show(self, mailbox: str, count: int, seconds: float = 60) -> None:
        """Show a folder, and wait until it has so many messages; it may take a second click."""
        self.call("show", mailbox)
        self.call("countAsking", mailbox, count, seconds)

    def command(self, mailbox: str, subjects: Sequence[str], words: str, target: str = "") -> None:
        """Select messages, and give a command of the menus."""
        self.call("command", mailbox, list(subjects), words, target)

    def wait(self, mailbox: str, subjects: Sequence[str], **wanted: object) -> None:
        """Wait until all these messages are in a folder and have what is wanted of their rows."""
        self.call("state", mailbox, list(subjects), wanted)

    def wait_until_idle(self, mailbox: str = "INBOX", seconds: float = 30) -> None:
        """Wait until its connection with this mailbox does nothing but IDLE."""
        until = time.monotonic() + seconds
        while True:
            lines = re.findall(
                rf":S-{re.escape(mailbox)}:(SendData: .*|HandleIdleResponses: idle mode.*)",
                self.log.read_text(errors="replace"),
            )
            if lines and lines[-1].startswith("HandleIdleResponses"):
                return
            assert time.monotonic() < until, f"{mailbox} does not idle: {lines[-3:]}"
            time.sleep(0.2)

    def screenshot(self) -> bytes:
        """The main window, PNG."""
        found = self.marionette.command("WebDriver:TakeScreenshot", {"full": False})
        return base64.b64decode(found["value"])

    def complaints(self) -> list[str]:
        """Tagged lines with BAD or NO: there should be none."""
        said = self.log.read_text(errors="replace")
        return re.findall(r"CreateNewLineFromSocket: (\S+ (?:BAD|NO) .*)", said)


def _profile(folder: Path, ca: Path, port: int, extra: Mapping[str, bool | int | str]) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    wanted = {**PREFERENCES, **extra, "marionette.port": port}
    (folder / "user.js").write_text(
        "".join(f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in wanted.items())
    )
    if (folder / "cert9.db").exists():
        return
    certutil = need("certutil", "libnss3-tools")
    database = ("-d", f"sql:{folder}")
    for words in (
        ("-N", "--empty-password"),
        ("-A", "-n", "authority of the test", "-t", "C,,", "-i", str(ca)),
    ):
        subprocess.run([certutil, *words, *database], check=True, capture_output=True, timeout=60)


@contextmanager
def running(
    home: Home, screen: str, ca: Path, extra: Mapping[str, bool | int | str] | None = None
) -> Iterator[Thunderbird]:
    """Thunderbird while the block runs, with the profile of this home: a new one, or as it was left.

    ``ca`` is the authority it trusts, ``extra`` more preferences.
    """
    program = need("thunderbird")
    profile = home.folder / "profile"
    port = free_port()
    _profile(profile, ca, port, extra or {})
    runtime = home.folder / "runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)
    log = home.folder / f"imap-{port}"
    environment = home.environment(
        {
            **QUIET,
            "DISPLAY": screen,
            "XDG_RUNTIME_DIR": str(runtime),
            "MOZ_LOG": "timestamp,sync,IMAP:4",
            "MOZ_LOG_FILE": str(log),
        }
    )
    with (home.folder / "said").open("ab") as said:
        process = subprocess.Popen(
            [
                *(program, "--marionette", "--remote-allow-system-access"),
                *("--profile", str(profile), "--no-remote"),
            ],
            cwd=home.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        try:
            marionette = Marionette.connect(port, lambda: process.poll() is None)
        except AssertionError as error:
            words = (home.folder / "said").read_text(errors="replace")[-2000:]
            raise AssertionError(f"{error}: {words}") from error
        try:
            yield Thunderbird(marionette, process, log.with_suffix(".moz_log"))
            # Asked to end, as by its menu, so that it writes what it has. It may hang up before it answers.
            with suppress(ConnectionError):
                marionette.command("Marionette:Quit", {"flags": ["eAttemptQuit"]})
            process.wait(60)
        finally:
            marionette.close()
    finally:
        end(process)
