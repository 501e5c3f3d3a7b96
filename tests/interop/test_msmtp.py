"""msmtp: submission with STARTTLS and over implicit TLS."""

from pathlib import Path

import pytest

from support import mailbox
from support.mailbox import Account
from support.programs import Home, need
from support.server import Server

pytestmark = pytest.mark.interop


@pytest.mark.parametrize("service", ["submission", "submissions"])
def test_it_submits(
    server: Server, ca: Path, account: Account, other: Account, home: Home, service: str
) -> None:
    program = need("msmtp")
    rc = home.write(
        "msmtprc",
        f"account default\nhost localhost\nport {server.ports[service]}\n"
        f"tls on\ntls_starttls {'on' if service == 'submission' else 'off'}\ntls_trust_file {ca}\n"
        f"auth plain\nuser {account.address}\npassword {account.password}\n"
        f"from {account.address}\n",
    )
    text = b"Subject: by msmtp\n\n.dot\n"
    home.succeed(program, "-C", rc, other.address, octets=text)
    (octets,) = mailbox.wait_for(server, other.address, other.password, 1)
    assert octets.endswith(b"\r\n\r\n.dot\r\n")
    refused = home.run(program, "-C", rc, "someone@elsewhere.example", octets=text)
    # EX_DATAERR
    assert refused.returncode == 65, refused
    assert b"550 5.7.1" in refused.stdout
