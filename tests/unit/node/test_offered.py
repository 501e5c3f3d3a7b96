"""What others are told that a server offers, from its configuration."""

from pathlib import Path

import pytest

from malleposte.node.config import Configuration, Node
from malleposte.node.config_listeners import Listener, Service
from malleposte.node.config_read import ConfigurationError, load
from malleposte.node.config_web import Autoconfig, Web
from malleposte.node.offered import client_host, offered_ports, offered_to_programs, web_url
from malleposte.node.settings import operation_settings
from malleposte.node.web import offers, web_settings

NODE = Node(hostname="Mail.Example.org")


def listening(*places: tuple[Service, str, int]) -> Configuration:
    listeners = tuple(Listener(service=s, address=a, port=p) for s, a, p in places)
    return Configuration(node=NODE, listeners=listeners)


def test_a_server_with_nothing_named_offers_what_it_runs() -> None:
    assert offered_to_programs(Configuration(node=NODE)) == (
        ("imaps", 993, "implicit"),
        ("imap", 143, "starttls"),
        ("submissions", 465, "implicit"),
        ("submission", 587, "starttls"),
    )


def test_what_is_on_loopback_is_for_nobody_where_others_are_served() -> None:
    configuration = listening(
        ("imaps", "*", 993),
        ("pop3s", "127.0.0.1", 995),
        ("submissions", "::1", 465),
        ("smtp", "*", 25),
    )
    assert [one.service for one in offered_to_programs(configuration)] == ["imaps"]
    assert client_host(configuration, "mail.example.org") == "mail.example.org"


def test_a_server_on_loopback_alone_is_for_programs_beside_it() -> None:
    configuration = listening(("imaps", "127.0.0.1", 2993), ("https", "127.0.0.1", 2443))
    assert offered_to_programs(configuration) == (("imaps", 2993, "implicit"),)
    assert client_host(configuration, "mail.example.org") == "localhost"
    assert offered_ports(configuration) == {}
    assert web_settings(configuration).url == "https://localhost:2443"


def test_the_first_of_several_listeners_that_others_reach_counts() -> None:
    configuration = listening(
        ("imaps", "127.0.0.1", 1993), ("imaps", "192.0.2.1", 2993), ("imaps", "192.0.2.2", 3993)
    )
    assert offered_to_programs(configuration) == (("imaps", 2993, "implicit"),)
    assert offered_ports(configuration) == {"imaps": 2993}


def test_a_port_from_outside_goes_before_the_one_that_is_listened_on() -> None:
    configuration = Configuration(
        node=NODE,
        listeners=(Listener(service="imaps", port=1993), Listener(service="imap", port=1143)),
        autoconfig=Autoconfig(host="IMAP.example.net", imaps=993, submissions=465),
    )
    # The latter is behind something that is not named here.
    assert offered_to_programs(configuration) == (
        ("imaps", 993, "implicit"),
        ("imap", 1143, "starttls"),
        ("submissions", 465, "implicit"),
    )
    assert offered_ports(configuration) == {"imaps": 993, "imap": 1143, "submissions": 465}
    assert offers(configuration).host == "imap.example.net"
    assert operation_settings(configuration).client_host == "imap.example.net"


def test_nothing_is_offered_without_tls() -> None:
    configuration = Configuration(
        node=NODE,
        listeners=(Listener(service="imap", tls="none"), Listener(service="submission")),
    )
    assert [one.service for one in offered_to_programs(configuration)] == ["submission"]


@pytest.mark.parametrize(
    ("places", "url"),
    [
        ([("https", "*", 443), ("http", "*", 80)], "https://mail.example.org"),
        ([("http", "*", 80), ("https", "*", 8443)], "https://mail.example.org:8443"),
        ([("http", "*", 80)], "http://mail.example.org"),
        ([("http", "*", 8080)], "http://mail.example.org:8080"),
        ([("imaps", "*", 993)], ""),
    ],
)
def test_the_pages_are_found_where_they_are_served(
    places: list[tuple[Service, str, int]], url: str
) -> None:
    configuration = listening(*places)
    assert web_url(configuration, client_host(configuration, "mail.example.org")) == url
    assert web_settings(configuration).secure_url == (url if url.startswith("https") else "")


def test_a_proxy_in_front_is_named_by_its_url() -> None:
    configuration = Configuration(
        node=NODE,
        listeners=(
            Listener(service="http", address="127.0.0.1", port=8080),
            Listener(service="imap"),
        ),
        web=Web(url="https://webmail.example.net", hosts="a.example B.example"),
    )
    settings = web_settings(configuration)
    assert settings.url == "https://webmail.example.net"
    assert settings.names == {
        *("localhost", "mail.example.org", "webmail.example.net", "a.example", "b.example"),
    }
    assert offered_ports(configuration) == {"imap": 143, "https": 443}


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://mail.example.org", True),
        ("http://localhost:2080", True),
        ("https://[2001:db8::1]:8443", True),
        ("https://mail.example.org/", False),
        ("https://mail.example.org/webmail", False),
        ("mail.example.org", False),
        ("ftp://mail.example.org", False),
        ("https://", False),
        ("https://mail.example.org:99999", False),
        ("https://mail.example.org:0", False),
        ("https://user@mail.example.org", False),
        ("https://mail.example.org?x", False),
        ("https://mail example.org", False),
    ],
)
def test_an_address_that_is_none_is_refused(tmp_path: Path, url: str, good: bool) -> None:
    path = tmp_path / "malleposte.toml"
    path.write_text(f'[web]\nurl = "{url}"\n')
    if good:
        assert load(path, {}).web.url == url
    else:
        with pytest.raises(ConfigurationError, match=r"web\.url: not an address such as"):
            load(path, {})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("service = 'http'\ntls = 'starttls'", "http has no TLS: name a listener of https"),
        ("service = 'http'\ntls = 'implicit'", "http has no TLS: name a listener of https"),
        ("service = 'https'\ntls = 'none'", "https is TLS from the first byte"),
    ],
)
def test_http_is_one_thing_and_https_another(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "malleposte.toml"
    path.write_text(f"[[listeners]]\n{text}\n")
    with pytest.raises(ConfigurationError, match=problem):
        load(path, {})
