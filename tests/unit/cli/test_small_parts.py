"""Parts of the command line that need no store: words to values, values to words."""

import datetime
import email
import email.policy
import io
from collections import Counter
from pathlib import Path

import pytest

from malleposte.cli import config_file, demo_mail, output
from malleposte.cli.account_list import Defaults, Line, read
from malleposte.cli.app import COMMANDS, application
from malleposte.cli.configuration import find_configuration
from malleposte.cli.doctor.addresses import own_addresses
from malleposte.cli.exit_codes import Trouble
from malleposte.cli.export_files import _Names
from malleposte.cli.exporting import _ranges
from malleposte.cli.setup import default_domain
from malleposte.cli.sizes import octets
from malleposte.mime import summarize
from malleposte.node.config_read import load
from malleposte.operations.accounts import AddAccount
from malleposte.operations.zone.certificate import covers

DEFAULTS = Defaults(generate=False, quota=None, locale="en")


# Configuration ------------------------------------------------------------------------------------


def test_a_new_configuration_says_what_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    text = config_file.render(
        {
            "node": {"hostname": 'mail.exa"mple', "workers": 3, "data_dir": Path("d")},
            "metrics": {"port": 0},
        },
        [{"service": "imap", "address": "127.0.0.1", "port": 2143}],
    )
    assert config_file.write_new(path, text.replace('\\"', ""), 0o640)
    found = load(path, {})
    assert found.node.hostname == "mail.example"
    assert (found.node.workers, found.node.data_dir) == (3, tmp_path / "d")
    assert found.metrics.port == 0
    assert [(one.service, one.port) for one in found.listeners] == [("imap", 2143)]
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_key_that_is_none_is_a_defect() -> None:
    with pytest.raises(KeyError):
        config_file.render({"node": {"hostnam": "x"}})


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text("mine")
    assert not config_file.write_new(path, "other", 0o600)
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


def test_the_configuration_is_looked_for_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    named, variable, here = (tmp_path / n for n in ("a.toml", "b.toml", "malleposte.toml"))
    for path in (named, variable, here):
        path.touch()
    environ = {"MALLEPOSTE_CONFIG": str(variable)}
    assert find_configuration(named, environ) == named
    assert find_configuration(None, environ) == variable
    assert find_configuration(None, {}) == Path("malleposte.toml")
    with pytest.raises(Trouble, match=r"there is no configuration file .*x\.toml"):
        find_configuration(tmp_path / "x.toml", environ)


# Lists of accounts --------------------------------------------------------------------------------


def listed(tmp_path: Path, text: str, defaults: Defaults = DEFAULTS) -> list[tuple[object, ...]]:
    path = tmp_path / "list"
    path.write_text(text, encoding="utf-8")
    return [
        (a.address, a.name, a.password, a.quota, a.locale, a.role) for a in wanted(path, defaults)
    ]


def wanted(path: Path, defaults: Defaults) -> list[AddAccount]:
    return [one[1] for one in read(path, defaults) if not isinstance(one, Line)]


def test_a_list_of_addresses(tmp_path: Path) -> None:
    found = listed(tmp_path, "a@b.c\n\n# not this\n  d@e.f \n")
    assert [one[0] for one in found] == ["a@b.c", "d@e.f"]


@pytest.mark.parametrize(
    "head",
    ["Address,Name,Password,Quota,Role", "\ufeffaddress,name,password,quota,role"],
)
def test_a_list_with_columns(tmp_path: Path, head: str) -> None:
    text = f'{head}\na@b.c,"Garçon, Zoé",four quiet horses,5 GB,owner\nd@e.f\n'
    assert listed(tmp_path, text) == [
        ("a@b.c", "Garçon, Zoé", "four quiet horses", 5_000_000_000, "en", "owner"),
        ("d@e.f", "", "", None, "en", ""),
    ]


def test_passwords_are_generated_where_none_is_given(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text("address,password\na@b.c,four quiet horses\nd@e.f,\n")
    found = wanted(path, Defaults(generate=True, quota=7, locale="fr"))
    assert [(a.generate, a.quota, a.locale) for a in found] == [(False, 7, "fr"), (True, 7, "fr")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("address,nickname\na@b,x\n", "unknown column 'nickname'"),
        ("a@b,Name\n", "names them first"),
        ("# ours\na@b;Name\n", "line 2: a list with columns names them first"),
    ],
)
def test_a_list_that_is_wrong_is_refused_with_its_line(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(Trouble, match=words):
        listed(tmp_path, text)


@pytest.mark.parametrize("between", [",", ";", "\t"])
@pytest.mark.parametrize("before", ["", "\n# ours\n", "sep=;\n"])
def test_what_spreadsheets_write(tmp_path: Path, between: str, before: str) -> None:
    rows = [("Address", "Name", "Quota", ""), ("a@b.c", '"Zoé; G, x"', "5 GB", ""), ("d@e.f",)]
    text = before + "".join(between.join(row) + "\r\n" for row in rows)
    assert listed(tmp_path, text) == [
        ("a@b.c", "Zoé; G, x", "", 5_000_000_000, "en", ""),
        ("d@e.f", "", "", None, "en", ""),
    ]


def test_a_line_that_is_wrong_leaves_the_others_alone(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text('# ours\naddress,quota\na@b,lots\nc@d,1 GB,x\n"e@f\n","1 GB"\ng@h\n')
    found = read(path, DEFAULTS)
    wrong = [(one.line, one.address, one.text) for one in found if isinstance(one, Line)]
    assert wrong == [
        (3, "a@b", "'lots' is no size such as \"20 GB\", or 0 for no limit"),
        (4, "c@d", "more cells than columns"),
    ]
    assert [(one[0], one[1].address) for one in found if not isinstance(one, Line)] == [
        (6, "e@f"),
        (7, "g@h"),
    ]


def test_a_list_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="No such file"):
        read(tmp_path / "none", DEFAULTS)


# Words --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("1000", 1000), ("20 GB", 20_000_000_000), ("5MiB", 5 << 20)]
)
def test_sizes(text: str, value: int) -> None:
    assert octets(text) == value


@pytest.mark.parametrize("text", ["", "lots", "-5", "5 parsecs"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(Trouble, match="no size"):
        octets(text)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0 B"), (999, "999 B"), (1_400, "1.4 kB"), (999_000, "999 kB"), (5 * 10**12, "5.0 TB")],
)
def test_sizes_for_people(value: int, shown: str) -> None:
    assert output.size(value) == shown


def test_a_table_without_a_terminal_is_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("name", "n"), [("a", "1"), ("bell\x07\x1b[2J", "10")], right=(1,))
    assert capsys.readouterr().out == ("name        n\na           1\nbell\ufffd\ufffd[2J  10\n")


@pytest.mark.parametrize(
    ("hostname", "domain"),
    [("mail.example.org", "example.org"), ("example.org", "example.org"), ("box", "")],
)
def test_the_domain_a_host_name_suggests(hostname: str, domain: str) -> None:
    assert default_domain(hostname) == domain


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("mail.example.org", "MAIL.example.org", True),
        ("*.example.org", "mail.example.org", True),
        ("*.example.org", "a.mail.example.org", False),
        ("*.example.org", "example.org", False),
        ("other.example.org", "mail.example.org", False),
    ],
)
def test_names_a_certificate_covers(pattern: str, name: str, fits: bool) -> None:
    assert covers((pattern,), name) is fits


def test_own_addresses_begin_with_loopback() -> None:
    assert own_addresses()[0] == "127.0.0.1"


def test_uid_ranges() -> None:
    assert _ranges([1, 2, 3, 7, 9, 10]) == [(1, 3), (7, 7), (9, 10)]
    assert _ranges([]) == []


def test_two_mailboxes_never_share_a_file() -> None:
    names = _Names()
    assert [names.free(n) for n in ("a", "A", "a", "b")] == ["a", "A-2", "a-3", "b"]


# The command line as a whole ----------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_there_and_explains_itself(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if name == "bench":
        return  # has a parser of its own
    application()([name, "--help"], exit_on_error=False)
    said = capsys.readouterr().out
    assert f"malleposte {name}" in said


# The demo's mail ----------------------------------------------------------------------------------

NOW = datetime.datetime(2026, 11, 25, 12, 0, tzinfo=datetime.UTC)


def test_the_demo_s_letters_are_messages() -> None:
    every = [*demo_mail.FOR_USER, *demo_mail.FOR_ADMIN]
    mail = list(demo_mail.written(demo_mail.FOR_USER, NOW))
    assert 35 <= len(mail) <= 45
    for one in mail:
        parsed = email.message_from_bytes(one.octets, policy=email.policy.default)
        assert not parsed.defects
        assert parsed["Subject"]
        assert b"\n" not in one.octets.replace(b"\r\n", b"")
        assert one.received_at <= NOW.timestamp()
    boxes = Counter(one.mailbox for one in mail)
    assert {"INBOX", "Sent", "Archive", "Drafts", "Junk", "Trash", "Projects/Étoile"} <= set(boxes)
    keys = {letter.key for letter in every}
    assert len(keys) == len(every)
    assert all(not letter.answers or letter.answers in keys for letter in every)


def test_the_demo_s_conversations_hang_together() -> None:
    mail = list(demo_mail.written(demo_mail.FOR_USER, NOW))
    roots = Counter(summarize(one.octets).thread_ids[-1] for one in mail)
    assert max(roots.values()) >= 3
    pictures = [m for m in mail if b"image/png" in m.octets]
    assert len(pictures) >= 3
    spread = max(m.received_at for m in mail) - min(m.received_at for m in mail)
    assert spread > 80 * 86_400


def test_the_demo_s_picture_is_a_png() -> None:
    data = demo_mail.picture(3, 2, (1, 2, 3))
    assert io.BytesIO(data).read(8) == b"\x89PNG\r\n\x1a\n"
    assert data.endswith(b"IEND\xaeB`\x82")
