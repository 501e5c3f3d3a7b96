"""What the sites of HTTP are given of the configuration."""

from types import SimpleNamespace
from typing import Any

from malleposte.node.config import Configuration, Node
from malleposte.node.config_web import Web
from malleposte.node.web import jmap_site

NODE = Node(hostname="mail.example.org")


def site(web: Web, defects: list[str]) -> Any:
    authentication: Any = SimpleNamespace(store=SimpleNamespace(reader=None), book=None)
    authentication.account = authentication.credential = None
    observer: Any = SimpleNamespace(defect=defects.append)
    reception: Any = None
    return jmap_site(Configuration(node=NODE, web=web), authentication, reception, observer)


def test_a_session_names_the_address_from_outside_where_one_is_configured() -> None:
    """Behind a proxy a program would else be sent to http, with its password."""
    assert site(Web(url="https://webmail.example.net"), []).url == "https://webmail.example.net"
    assert site(Web(), []).url == ""


def test_a_defect_of_jmap_is_counted() -> None:
    defects: list[str] = []
    site(Web(), defects).defect("Email/get")
    assert defects == ["jmap"]
