"""Peers are set up as the work-list says, and only the version it means takes part."""

from pathlib import Path

import pytest

from malleposte.bench.external import External
from malleposte.bench.peer_configuration import PeerPlan, Storage, dovecot_conf, main_cf, master_cf
from malleposte.bench.peers import dovecot_version, postfix_version
from malleposte.bench.trouble import Unavailable


def plan(storage: Storage = "sdbox") -> PeerPlan:
    return PeerPlan(Path("/srv/b"), storage, 2525, 2424, 1143, 60_500, 60_500, "bench")


def settings(text: str) -> dict[str, str]:
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, value in pairs}


@pytest.mark.parametrize(
    ("storage", "location"), [("sdbox", "sdbox:~/sdbox"), ("maildir", "maildir:~/Maildir")]
)
def test_dovecot_is_configured_as_the_readme_says(storage: Storage, location: str) -> None:
    found = settings(dovecot_conf(plan(storage)))
    assert found["mail_location"] == location
    assert found["ssl"] == "no"
    assert found["disable_plaintext_auth"] == "no"
    assert found["mail_fsync"] == "optimized"
    assert found["mail_max_userip_connections"] == "1000"
    assert "mail_plugins" not in found
    assert found["base_dir"].startswith("/srv/b/")


def test_the_index_is_only_in_the_configuration_for_it() -> None:
    found = settings(dovecot_conf(plan(), index=True))
    assert found["mail_plugins"] == "fts fts_xapian"
    assert found["fts_xapian"] == "partial=3 full=20"
    assert found["fts_autoindex"] == "no"


def test_postfix_is_configured_as_the_readme_says() -> None:
    found = settings(main_cf(plan()))
    expected = {
        "virtual_mailbox_domains": "example.test",
        "virtual_mailbox_maps": "static:ok",
        "virtual_transport": "lmtp:unix:/srv/b/lmtp",
        "mydestination": "",
        "smtpd_tls_security_level": "none",
        "smtpd_peername_lookup": "no",
        "disable_dns_lookups": "yes",
        "smtpd_client_connection_count_limit": "200",
        "inet_interfaces": "127.0.0.1",
    }
    assert {name: found[name] for name in expected} == expected
    assert found["queue_directory"].startswith("/srv/b/")
    assert found["maillog_file"].startswith("/srv/b/")
    assert master_cf(plan()).startswith("127.0.0.1:2525 ")


def test_versions_are_read() -> None:
    assert dovecot_version("2.3.19.1 (9b53102964)\n") == "2.3.19.1"
    assert postfix_version("mail_version = 3.7.11\n") == "3.7.11"


@pytest.mark.parametrize("said", ["2.4.1-4 (7d8c0e5759)", "2.2.36 (a)", ""])
def test_another_dovecot_is_left_out_in_words(said: str) -> None:
    with pytest.raises(Unavailable, match=r"for 2\.3"):
        dovecot_version(said)


CONNECT = """{"ca": "/x/ca.pem", "services": {
 "smtp": {"host": "127.0.0.1", "port": 2525, "tls": "starttls"},
 "submissions": {"host": "127.0.0.1", "port": 2465, "tls": "implicit"},
 "imap": {"host": "127.0.0.1", "port": 1143, "tls": "starttls"},
 "imaps": {"host": "127.0.0.1", "port": 1993, "tls": "implicit"},
 "metrics": {"host": "127.0.0.1", "port": 9100, "tls": "none", "url": "http://127.0.0.1:9100/m"},
 "nodes": {"host": "127.0.0.1", "port": 1, "tls": "none", "later": [1]}},
 "accounts": [{"address": "a@example.test", "password": "p", "role": "admin"},
              {"address": "b@example.test", "password": "q", "role": "user"}]}"""


def test_a_running_server_is_read_from_its_connect_file(tmp_path: Path) -> None:
    path = tmp_path / "connect.json"
    path.write_text(CONNECT)
    external = External(path, pids=[7], data_folders=[tmp_path])
    external.prepare()
    imaps, metrics = external.endpoint("imaps"), external.endpoint("metrics")
    assert imaps is not None
    assert imaps.port == 1993
    assert metrics is not None
    assert metrics.url == "http://127.0.0.1:9100/m"
    assert external.endpoint("lmtp") is None
    assert [one.address for one in external.accounts.everyone()] == [
        "a@example.test",
        "b@example.test",
    ]
    assert external.roots() == (7,)


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        '{"services": {}, "accounts": [{"address": "a@x", "password": "p"}]}',
        CONNECT.replace('"accounts": [', '"accounts": [], "x": ['),
        '{"services": 3, "accounts": []}',
    ],
)
def test_an_unusable_connect_file_leaves_the_server_out(tmp_path: Path, text: str) -> None:
    path = tmp_path / "connect.json"
    path.write_text(text)
    with pytest.raises(Unavailable):
        External(path).prepare()
