"""What the configuration says of TLS towards others reaches those who keep to it."""

import ipaddress
from types import SimpleNamespace
from typing import Any

import pytest

from malleposte.delivery.tls_reports.reporter import TLS_REPORT_JOB
from malleposte.node import duties, outbound
from malleposte.node.config import Configuration
from malleposte.node.config_sending import Sending
from malleposte.node.settings import operation_settings

STORE: Any = SimpleNamespace(reader=None)
BOOK: Any = SimpleNamespace()


def configured(**sending: Any) -> Configuration:
    return Configuration(sending=Sending(enabled=True, resolvers="127.0.0.1", **sending))


@pytest.mark.parametrize("key", ["dane", "mta_sts", "tls_reports"])
def test_each_can_be_turned_off(key: str) -> None:
    usual = outbound.policy_settings(configured())
    assert (usual.dane, usual.mta_sts, usual.reports) == (True, True, True)
    off = outbound.policy_settings(configured(**{key: False}))
    found = {"dane": off.dane, "mta_sts": off.mta_sts, "tls_reports": off.reports}
    assert [name for name, value in found.items() if not value] == [key]


def test_what_operations_say_of_it_is_what_counts() -> None:
    settings = operation_settings(configured(dane=False, mta_sts=False))
    assert (settings.dane, settings.mta_sts) == (False, False)
    assert settings.certificate == configured().certificate_file


def test_networks_that_mail_may_go_to_may_have_policies_too() -> None:
    settings = outbound.policy_settings(configured(networks="127.0.0.0/8"))
    assert settings.sts.allowed == (ipaddress.ip_network("127.0.0.0/8"),)
    assert settings.sts.port == 443


def test_upkeep_refreshes_policies_and_makes_reports_where_mail_is_sent() -> None:
    wanted = {"mta-sts", "tls-reports"}
    assert wanted <= set(duties.upkeep_tasks(STORE, BOOK, configured()))
    off = Configuration(sending=Sending(enabled=False))
    assert not wanted & set(duties.upkeep_tasks(STORE, BOOK, off))


def test_reports_are_jobs() -> None:
    assert TLS_REPORT_JOB in duties.jobs(STORE, BOOK, configured())


@pytest.mark.parametrize("on", [True, False])
def test_reports_that_are_off_are_not_sent(on: bool) -> None:
    reporter = outbound.tls_reporter(STORE, BOOK, configured(tls_reports=on))
    assert reporter.settings.enabled is on
