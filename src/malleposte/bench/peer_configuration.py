"""Configuration of the peers, as text: what the work-list's README prescribes and what a private
folder beside a running system needs in addition. No I/O.

Two things differ from an installation by the book and are meant: all folders, sockets and ports
are the bench's own, and any password that equals the bench's own is right (static passdb), so that
neither a database nor a hash is measured on the peers' side.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from malleposte.bench.subject import Endpoint

Storage = Literal["sdbox", "maildir"]

LOCATIONS: Mapping[Storage, str] = {"sdbox": "sdbox:~/sdbox", "maildir": "maildir:~/Maildir"}


@dataclass(frozen=True, slots=True)
class PeerPlan:
    """All that the configuration files of one pair of peers depend on."""

    folder: Path
    storage: Storage
    smtp_port: int
    lmtp_port: int
    imap_port: int
    uid: int
    gid: int
    password: str
    sink: Endpoint | None = None
    """Where mail for other domains goes; None: nowhere."""

    @property
    def lmtp_socket(self) -> Path:
        """Where Postfix hands messages to Dovecot."""
        return self.folder / "lmtp"

    @property
    def homes(self) -> Path:
        """Users' homes, a folder each, named by the whole address."""
        return self.folder / "mail"

    @property
    def queue(self) -> Path:
        """Postfix's queue."""
        return self.folder / "queue"


def dovecot_conf(plan: PeerPlan, *, index: bool = False) -> str:
    """`dovecot.conf`; with `index` the one that loads fts-xapian (I6 only)."""
    folder = plan.folder
    plugins = ""
    if index:
        plugins = """
mail_plugins = fts fts_xapian
plugin {
  fts = xapian
  fts_xapian = partial=3 full=20
  fts_autoindex = no
}
"""
    return f"""\
protocols = imap lmtp
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
ssl = no
disable_plaintext_auth = no
mail_location = {LOCATIONS[plan.storage]}
mail_fsync = optimized
mail_max_userip_connections = 1000
postmaster_address = postmaster@example.test
{plugins}
passdb {{
  driver = static
  args = password={plan.password}
}}
userdb {{
  driver = static
  args = uid={plan.uid} gid={plan.gid} home={plan.homes}/%u allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
}}
service imap-login {{
  inet_listener imap {{
    port = {plan.imap_port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service lmtp {{
  unix_listener {plan.lmtp_socket} {{
    mode = 0600
    user = postfix
  }}
  inet_listener lmtp {{
    port = {plan.lmtp_port}
  }}
}}
"""


def main_cf(plan: PeerPlan, *, hold: bool = False) -> str:
    """Postfix's `main.cf`. `hold`: what comes is kept in the queue."""
    folder = plan.folder
    sending = ""
    if hold:
        sending = (
            "smtpd_recipient_restrictions = check_recipient_access static:HOLD, permit_mynetworks\n"
        )
    elif plan.sink is not None:
        # As many connections from the first moment on as ours has.
        sending = f"""\
relayhost = [{plan.sink.host}]:{plan.sink.port}
smtp_tls_security_level = none
initial_destination_concurrency = 20
default_destination_concurrency_limit = 20
"""
    return f"""\
compatibility_level = 3.6
queue_directory = {plan.queue}
data_directory = {folder}/postfix-data
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
syslog_name = bench-{plan.storage}
myhostname = mx.example.test
myorigin = example.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = example.test
virtual_mailbox_maps = static:ok
virtual_transport = lmtp:unix:{plan.lmtp_socket}
smtpd_tls_security_level = none
smtpd_peername_lookup = no
disable_dns_lookups = yes
smtpd_client_connection_count_limit = 200
{sending}"""


def master_cf(plan: PeerPlan) -> str:
    """Postfix's `master.cf`: Debian's services that receiving needs, none chrooted."""
    return f"""\
127.0.0.1:{plan.smtp_port} inet n - n - - smtpd
pickup    unix  n - n 60   1 pickup
cleanup   unix  n - n -    0 cleanup
qmgr      unix  n - n 300  1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n -    - trivial-rewrite
bounce    unix  - - n -    0 bounce
defer     unix  - - n -    0 bounce
trace     unix  - - n -    0 bounce
verify    unix  - - n -    1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n -    - proxymap
proxywrite unix - - n -    1 proxymap
smtp      unix  - - n -    - smtp
relay     unix  - - n -    - smtp
showq     unix  n - n -    - showq
error     unix  - - n -    - error
retry     unix  - - n -    - error
discard   unix  - - n -    - discard
local     unix  - n n -    - local
virtual   unix  - n n -    - virtual
lmtp      unix  - - n -    - lmtp
anvil     unix  - - n -    1 anvil
scache    unix  - - n -    1 scache
postlog   unix-dgram n - n - 1 postlogd
"""
