"""Reading the configuration: what wins, what is refused and in which words."""

import re
from pathlib import Path

import pytest

from malleposte.node.config import Configuration
from malleposte.node.config_keys import all_keys
from malleposte.node.config_listeners import Listener
from malleposte.node.config_read import ConfigurationError, load
from malleposte.node.config_render import render_example, render_reference
from malleposte.node.outbound import smart_host
from malleposte.secrets.redaction import Secret

ROOT = Path(__file__).parents[3]


def read(tmp_path: Path, text: str, **environ: str) -> Configuration:
    path = tmp_path / "malleposte.toml"
    path.write_text(text)
    return load(path, environ)


def refused(tmp_path: Path, text: str, **environ: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text, **environ)
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    return [str(problem).removeprefix(f"{tmp_path}/") for problem in caught.value.problems]


def test_nothing_given_is_the_defaults(tmp_path: Path) -> None:
    assert load(None, {}) == Configuration()
    assert read(tmp_path, "") == Configuration()
    assert [listener.place for listener in Configuration().listeners] == [
        "smtp on *:25",
        "submission on *:587",
        "submissions on *:465",
        "imap on *:143",
        "imaps on *:993",
    ]


def test_every_default_is_within_its_own_bounds() -> None:
    for key in all_keys():
        if not key.required and key.written(key.default):
            if key.kind in ("number", "size", "duration"):
                assert key.least <= key.default <= key.most, key.full_name
            if key.kind == "choice":
                assert key.default in key.choices, key.full_name


def test_values_are_read_with_their_units(tmp_path: Path) -> None:
    configuration = read(
        tmp_path,
        """
        [node]
        hostname = "mail.example.org"
        [store]
        recoverable = "30d"
        [smtp]
        max_size = "25 MB"
        max_recipients = 200
        [imap]
        max_append = 30000000
        [log]
        format = "json"
        """,
    )
    assert configuration.node.hostname == "mail.example.org"
    assert configuration.store.recoverable == 30 * 86400
    assert configuration.smtp.max_size == 25_000_000
    assert configuration.smtp.max_recipients == 200
    assert configuration.imap.max_append == 30_000_000
    assert configuration.log.format == "json"


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    configuration = read(
        tmp_path,
        '[smtp]\nmax_size = "25 MB"\nmax_errors = 5',
        MALLEPOSTE_SMTP_MAX_SIZE="30 MB",
        MALLEPOSTE_NODE_WORKERS="3",
        MALLEPOSTE_CONFIG="ignored here",
        MALLEPOSTE_TEST_ANYTHING="is for tests",
        HOME="/root",
    )
    assert configuration.smtp.max_size == 30_000_000
    assert configuration.smtp.max_errors == 5
    assert configuration.node.workers == 3


def test_relative_paths_are_taken_from_the_files_folder(tmp_path: Path) -> None:
    configuration = read(
        tmp_path,
        '[node]\ndata_dir = "data"\nrun_dir = "/run/x"\n[tls]\ncertificate = "c"\nkey = "k"',
    )
    assert configuration.node.data_dir == tmp_path / "data"
    assert configuration.node.run_dir == Path("/run/x")
    assert configuration.certificate_file == tmp_path / "c"
    assert configuration.node_key_file == tmp_path / "data" / "node.key"
    assert configuration.admin_socket == Path("/run/x/admin.sock")


def test_an_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    assert refused(tmp_path, '[smtp]\nmax_sise = "1 MB"') == [
        "malleposte.toml: unknown key smtp.max_sise; did you mean smtp.max_size?"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("source_ipv4 = '2001:db8::1'", "source_ipv4: not an IPv4 address"),
        ("source_ipv6 = 'eth0'", "source_ipv6: not an IPv6 address"),
        ("networks = '10.0.0.0/8 10.1.1.1/8'", "networks: expected a network such as 10.0.0.0/8;"),
        ("block_lists = 'zen.example, b.example'", "block_lists: expected a domain; found"),
        ("port_probes = 'https://a.example'", "port_probes: expected a domain; found"),
        ("networks = 'foo'", "networks: expected a network such as 10.0.0.0/8; found 'foo'"),
        ("resolvers = '127.0.0.1 y'", "resolvers: expected addresses such as 127.0.0.1 or ::1;"),
        ("source_ipv4 = 'abc'", "source_ipv4: not an IPv4 address"),
        ("smart_host = 'x:abc'", "smart_host: expected a server with its port, such as"),
        ("smart_host = 'mail.example:99999'", "smart_host: expected a server with its port"),
        ("smart_host = 'mail.example:0'", "smart_host: expected a server with its port"),
        ("smart_host = '::1'", "smart_host: expected a server with its port"),
        ("smart_host = '[x]:25'", "smart_host: expected a server with its port"),
        ("smart_host = 'https://a.example'", "smart_host: expected a server with its port"),
        ("smart_host = 'a b'", "smart_host: expected a server with its port"),
        (
            "smart_host = 'a.example'\nsmart_host_user = 'us'",
            "smart_host_password: needed to sign in as smart_host_user",
        ),
        (
            "smart_host = 'a.example'\nsmart_host_password = 'x'",
            "smart_host_user: needed with smart_host_password",
        ),
        (
            "smart_host_user = 'us'\nsmart_host_password = 'x'",
            "smart_host_user: there is no smart host",
        ),
    ],
)
def test_places_of_sending_are_looked_at(tmp_path: Path, text: str, said: str) -> None:
    (problem,) = refused(tmp_path, f"[sending]\n{text}")
    assert problem.startswith(f"malleposte.toml: sending.{said}")


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("mail.example", "mail.example", 587),
        ("mail.example:25", "mail.example", 25),
        ("192.0.2.1:2525", "192.0.2.1", 2525),
        ("[2001:db8::1]", "2001:db8::1", 587),
        ("[2001:DB8::1]:465", "2001:db8::1", 465),
    ],
)
def test_a_smart_host_is_a_server_with_its_port(
    tmp_path: Path, text: str, host: str, port: int
) -> None:
    found = smart_host(read(tmp_path, f"[sending]\nsmart_host = '{text}'"))
    assert found is not None
    assert (found.host, found.port) == (host, port)


def test_a_key_of_another_section_is_shown_there(tmp_path: Path) -> None:
    assert refused(tmp_path, '[imap]\nrecoverable = "1d"') == [
        "malleposte.toml: unknown key imap.recoverable; did you mean store.recoverable?"
    ]
    assert refused(tmp_path, 'hostname = "a.example"') == [
        "malleposte.toml: unknown key hostname outside a section; did you mean node.hostname?"
    ]


def test_a_key_like_no_other_lists_what_there_is(tmp_path: Path) -> None:
    assert refused(tmp_path, "[log]\nzzzzzz = 1") == [
        "malleposte.toml: unknown key log.zzzzzz; keys of log are level, format"
    ]


def test_an_unknown_section_names_the_nearest(tmp_path: Path) -> None:
    assert refused(tmp_path, "[smpt]\na = 1") == [
        "malleposte.toml: unknown section smpt; did you mean smtp?"
    ]
    (problem,) = refused(tmp_path, "[zzzzzz]\na = 1")
    assert problem.startswith("malleposte.toml: unknown section zzzzzz; sections are node, store,")


def test_an_unknown_variable_names_the_nearest(tmp_path: Path) -> None:
    assert refused(tmp_path, "", MALLEPOSTE_SMTP_MAX_SISE="1") == [
        "environment: unknown variable MALLEPOSTE_SMTP_MAX_SISE; "
        "did you mean MALLEPOSTE_SMTP_MAX_SIZE?"
    ]


@pytest.mark.parametrize(
    ("text", "key", "expected", "found"),
    [
        ("[smtp]\nmax_recipients = 'x'", "smtp.max_recipients", "from 100 to 50000", '"x"'),
        ("[smtp]\nmax_recipients = 1", "smtp.max_recipients", "from 100 to 50000", "1"),
        ("[smtp]\nmax_recipients = true", "smtp.max_recipients", "a whole number", "true"),
        ("[smtp]\nmax_recipients = 1.5", "smtp.max_recipients", "a whole number", "1.5"),
        ("[smtp]\nmax_size = '50 XB'", "smtp.max_size", "a size from 64 kB to 2 GB", '"50 XB"'),
        ("[smtp]\nmax_size = [1]", "smtp.max_size", "a size", "a list"),
        ("[imap]\nidle_timeout = '29m'", "imap.idle_timeout", "from 30m to 7d", '"29m"'),
        ("[imap]\nidle_timeout = 3600", "imap.idle_timeout", "a duration", "3600"),
        ("[log]\nlevel = 'loud'", "log.level", "one of debug, info, warning, error", '"loud"'),
        ("[node]\ndata_dir = ''", "node.data_dir", "a path", '""'),
        ('[node]\ndata_dir = "a\\u0000"', "node.data_dir", "a path", '"a\\u0000"'),
        ("[node]\nhostname = 2026-11-25", "node.hostname", "a text", '"2026-11-25"'),
    ],
)
def test_a_wrong_value_says_file_key_expected_and_found(
    tmp_path: Path, text: str, key: str, expected: str, found: str
) -> None:
    (problem,) = refused(tmp_path, text)
    assert problem.startswith(f"malleposte.toml: {key}: expected ")
    assert expected in problem
    assert problem.endswith(f"; found {found}")


def test_a_wrong_variable_says_which(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, "", MALLEPOSTE_NODE_WORKERS="many")
    assert problem.startswith("environment: MALLEPOSTE_NODE_WORKERS: expected a whole number")


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    assert len(refused(tmp_path, "[smtp]\na=1\nmax_errors='x'\n[b]", MALLEPOSTE_X="1")) == 4


def test_broken_files_are_told_by_name(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, "[smtp\n")
    assert problem.startswith("malleposte.toml: not TOML: ")
    assert "line 1" in problem
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        load(tmp_path / "none.toml", {})
    (tmp_path / "latin.toml").write_bytes(b'a = "\xe9"')
    with pytest.raises(ConfigurationError, match="not UTF-8 at byte 5"):
        load(tmp_path / "latin.toml", {})
    assert "longer than" in refused(tmp_path, "#" * 1_000_001)[0]
    assert "not TOML" in refused(tmp_path, "a = " + "[" * 100_000)[0]


def test_a_section_must_be_a_table(tmp_path: Path) -> None:
    assert refused(tmp_path, "smtp = 1") == ["malleposte.toml: smtp: expected a section [smtp]"]


class TestListeners:
    def test_they_take_the_place_of_the_standard_ones(self, tmp_path: Path) -> None:
        configuration = read(
            tmp_path,
            """
            [[listeners]]
            service = "imaps"
            address = "::1"
            port = 1993
            [[listeners]]
            service = "lmtp"
            socket = "lmtp.sock"
            """,
        )
        assert configuration.listeners == (
            Listener(service="imaps", address="::1", port=1993),
            Listener(service="lmtp", socket=tmp_path / "lmtp.sock"),
        )
        assert [listener.place for listener in configuration.listeners] == [
            "imaps on [::1]:1993",
            f"lmtp on {tmp_path}/lmtp.sock",
        ]
        assert [listener.tls_mode for listener in configuration.listeners] == ["implicit", "none"]

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("port = 1", "listeners[1].service: missing: one of smtp, submission,"),
            ("service = 'gopher'", "listeners[1].service: expected one of"),
            ("service = 'lmtp'", "listeners[1]: lmtp has no standard port: give port or socket"),
            ("service = 'imap'\nport = 70000", "listeners[1].port: expected a whole number"),
            ("service = 'imap'\nadress = '*'", "unknown key listeners.adress; did you mean list"),
            ("service = 'imap'\naddress = 'lo'", "listeners[1]: address: expected * or an IP"),
            ("service = 'imap'\nport = 1\nsocket = 'x'", "listeners[1]: give either socket or"),
            ("service = 'imaps'\ntls = 'none'", "imaps is TLS from the first byte"),
            ("service = 'pop3s'\ntls = 'starttls'", "pop3s is TLS from the first byte"),
            ("service = 'lmtp'\nsocket = '/" + "x" * 107 + "'", "has at most 107 bytes"),
        ],
    )
    def test_refused(self, tmp_path: Path, text: str, problem: str) -> None:
        assert problem in refused(tmp_path, f"[[listeners]]\n{text}")[0]

    def test_lmtp_listens_on_this_machine_alone_unless_told_otherwise(self, tmp_path: Path) -> None:
        """It asks nobody to sign in."""
        one = "[[listeners]]\nservice = 'lmtp'\nport = 24\n"
        for given, expected in (("", "127.0.0.1"), ("usual", "127.0.0.1"), ("*", "*")):
            text = one + (f"address = '{given}'" if given else "")
            (listener,) = read(tmp_path, text).listeners
            assert listener.place == f"lmtp on {expected}:24"
        (listener,) = read(tmp_path, "[[listeners]]\nservice = 'imap'").listeners
        assert listener.address == "*"

    def test_two_on_one_place_are_refused(self, tmp_path: Path) -> None:
        text = "[[listeners]]\nservice='imap'\nport=1000\n[[listeners]]\nservice='smtp'\nport=1000"
        assert refused(tmp_path, text) == [
            "malleposte.toml: listeners[2]: *:1000 is taken by listeners[1]"
        ]

    def test_must_be_tables(self, tmp_path: Path) -> None:
        assert "expected tables [[listeners]]" in refused(tmp_path, "listeners = [1]")[0]
        assert "more than 200" in refused(tmp_path, "[[listeners]]\n" * 201)[0]


class TestDsn:
    def test_postgres_needs_one(self, tmp_path: Path) -> None:
        assert "store.dsn: needed for" in refused(tmp_path, "[store]\nbackend='postgres'")[0]

    def test_is_read_from_a_file_of_its_own(self, tmp_path: Path) -> None:
        (tmp_path / "dsn").write_text("postgresql://u:p@h/d\n")
        configuration = read(tmp_path, "[store]\nbackend = 'postgres'\ndsn_file = 'dsn'")
        assert configuration.store.dsn == Secret("postgresql://u:p@h/d")

    def test_is_never_shown(self, tmp_path: Path) -> None:
        configuration = read(tmp_path, "[store]\ndsn = 'postgresql://u:hunter2@h/d'")
        assert "hunter2" not in repr(configuration)
        (problem,) = refused(tmp_path, "[store]\ndsn = ['hunter2']")
        assert "hunter2" not in problem
        assert "store.dsn" in problem

    def test_either_or(self, tmp_path: Path) -> None:
        assert "either dsn or" in refused(tmp_path, "[store]\ndsn = 'a'\ndsn_file = 'b'")[0]
        assert "cannot be read" in refused(tmp_path, "[store]\ndsn_file = 'b'")[0]


@pytest.mark.parametrize("name", ["mail.example.org", "localhost", "xn--bcher-kva.example"])
def test_host_names(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, f"[node]\nhostname = '{name}'").node.hostname == name


@pytest.mark.parametrize("name", ["-a.example", "a..b", "a b", "a_b.example", "ä.example", "a.b."])
def test_no_host_names(tmp_path: Path, name: str) -> None:
    assert "not a host name" in refused(tmp_path, f"[node]\nhostname = '{name}'")[0]


def test_certificate_and_key_go_together(tmp_path: Path) -> None:
    assert "give both or neither" in refused(tmp_path, "[tls]\nkey = 'k'")[0]


def test_the_reference_in_docs_is_the_schemas() -> None:
    assert (ROOT / "docs" / "configuration.md").read_text() == render_reference(), (
        "run: python -m malleposte.node.config_render > docs/configuration.md"
    )


def test_the_reference_has_every_key() -> None:
    reference = render_reference()
    for key in all_keys():
        assert f"| `{key.name}` |" in reference
        assert key.description in reference


def test_the_example_is_the_defaults(tmp_path: Path) -> None:
    assert read(tmp_path, render_example()) == Configuration()


def test_the_example_with_its_comments_off_is_the_defaults_too(tmp_path: Path) -> None:
    text = re.sub(r"^#(?=\w|\[)", "", render_example(), flags=re.MULTILINE)
    # What has no default shows a placeholder, and a listener is only an example.
    text = re.sub(r'^.* = "\.\.\."$', "", text, flags=re.MULTILINE)
    configuration = read(tmp_path, text)
    assert configuration.listeners == (Listener(service="smtp"),)
    assert load(None, {}) == Configuration(
        **{
            name: getattr(configuration, name)
            for name in Configuration.__struct_fields__
            if name != "listeners"
        }
    )
