"""What operations are told of the configuration."""

from pathlib import Path

import pytest

from malleposte.node.config import Configuration, Node
from malleposte.node.config_listeners import Listener
from malleposte.node.config_sending import Sending
from malleposte.node.settings import operation_settings
from malleposte.secrets.node_key import NodeKeyError, create_key_file


def test_only_what_others_can_reach_is_offered() -> None:
    listeners = (
        Listener(service="imaps"),
        Listener(service="submissions", address="192.0.2.1", port=8465),
        Listener(service="imap", address="127.0.0.1"),
        Listener(service="submission", address="::1"),
        Listener(service="lmtp", socket=Path("/run/lmtp.sock")),
    )
    settings = operation_settings(Configuration(listeners=listeners))
    assert dict(settings.offered) == {"imaps": 993, "submissions": 8465}


def test_the_resolvers_are_those_of_sending() -> None:
    sending = Sending(resolvers="192.0.2.53  2001:db8::53", resolver_port=5353)
    settings = operation_settings(Configuration(sending=sending))
    assert settings.resolvers == ("192.0.2.53", "2001:db8::53")
    assert settings.resolver_port == 5353
    assert operation_settings(Configuration()).resolvers == ()


def test_the_node_key_is_read_when_it_is_needed(tmp_path: Path) -> None:
    settings = operation_settings(Configuration(node=Node(key_file=tmp_path / "key")))
    with pytest.raises(NodeKeyError, match="there is no node key"):
        settings.ring()
    create_key_file(tmp_path / "key")
    assert len(settings.ring().ids) == 1
