"""tools/debian_packages.sh beside a fake apt: it starts nothing and leaves no trace.

The fakes stand in for the package database; what the script itself does (files, order, words, an
interrupt) is real, in a root of its own.
"""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = "curl # a client\nold@bookworm\nnew@trixie\npostfix\npostgresql\ndovecot-imapd\n"
ALL = ["curl", "old", "postfix", "postgresql", "dovecot-imapd"]
CLUSTERS = "# create_main_cluster = true\n"

APT = """#!/bin/sh
echo "$DEBIAN_FRONTEND: $*" >>"$FAKE/apt"
[ -n "$DEBIAN_ROOT" ] || exit 99
sh "$DEBIAN_ROOT/usr/sbin/policy-rc.d" dovecot start
echo "policy-rc.d says $?" >>"$FAKE/apt"
clusters=$DEBIAN_ROOT/etc/postgresql-common/createcluster.conf
cat "$clusters" >>"$FAKE/clusters" 2>/dev/null
if [ -e "$FAKE/hang" ]; then touch "$FAKE/hanging"; sleep 60; fi
if [ -e "$FAKE/words" ]; then cat "$FAKE/words"; exit 100; fi
case " $* " in
    *' update '*) ;;
    *' postgresql-common '*)
        mkdir -p "$DEBIAN_ROOT/etc/postgresql-common"
        echo '# create_main_cluster = true' >"$clusters"
        echo postgresql-common >>"$FAKE/installed" ;;
    *) for word in "$@"; do
        case $word in -*|install|DPkg::*|Dpkg::*) ;; *) echo "$word" >>"$FAKE/installed" ;; esac
    done ;;
esac
"""
DPKG_QUERY = """#!/bin/sh
for last in "$@"; do :; done
case $last in
    -f=*) [ ! -e "$FAKE/mta" ] || cat "$FAKE/mta" ;;
    *) if grep -qx "$last" "$FAKE/installed"; then printf installed; else exit 1; fi ;;
esac
"""


class Machine:
    """A root folder, a checkout with the real scripts, and fakes first in PATH."""

    def __init__(self, path: Path) -> None:
        self.root, self.fake, self.checkout = path / "root", path / "fake", path / "checkout"
        (self.root / "usr/sbin").mkdir(parents=True)
        (self.root / "etc").mkdir()
        (self.root / "etc/os-release").write_text("VERSION_CODENAME=bookworm\n")
        self.policy = self.root / "usr/sbin/policy-rc.d"
        self.clusters = self.root / "etc/postgresql-common/createcluster.conf"
        (self.checkout / "tools").mkdir(parents=True)
        for name in ("debian_packages.sh", "progress.sh"):
            shutil.copy(ROOT / "tools" / name, self.checkout / "tools")
        (self.checkout / "tools/debian-test-packages.txt").write_text(PACKAGES)
        (self.fake / "bin").mkdir(parents=True)
        (self.fake / "installed").touch()
        self.program("apt-get", APT)
        self.program("dpkg-query", DPKG_QUERY)
        self.program("id", "#!/bin/sh\necho 0\n")
        self.program("debconf-set-selections", '#!/bin/sh\ncat >>"$FAKE/debconf"\n')
        self.program("systemctl", '#!/bin/sh\necho "$*" >>"$FAKE/systemctl"\n')

    def program(self, name: str, text: str) -> None:
        path = self.fake / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def have(self, *packages: str) -> None:
        (self.fake / "installed").write_text("".join(f"{name}\n" for name in packages))

    def start(self, **more: str) -> subprocess.Popen[str]:
        environment = os.environ | {
            "PATH": f"{self.fake / 'bin'}:{os.environ['PATH']}",
            "FAKE": str(self.fake),
            "DEBIAN_ROOT": str(self.root),
        }
        environment.pop("SKIP_DEBIAN_PACKAGES", None)
        return subprocess.Popen(
            ["sh", str(self.checkout / "tools/debian_packages.sh")],
            env=environment | more,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, **more: str) -> tuple[int, str]:
        process = self.start(**more)
        output, _ = process.communicate(timeout=60)
        return process.returncode, output

    def said(self, name: str) -> str:
        path = self.fake / name
        return path.read_text() if path.exists() else ""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_nothing_is_done_when_nothing_is_missing(machine: Machine) -> None:
    machine.have(*ALL)
    assert machine.run() == (0, "")
    assert machine.said("apt") == ""
    assert not machine.policy.exists()


def test_only_what_is_missing_is_installed_with_every_start_forbidden(machine: Machine) -> None:
    machine.have("curl", "postgresql", "old")
    status, output = machine.run()
    assert status == 0, output
    assert "Debian packages: postfix dovecot-imapd" in output
    calls = machine.said("apt").splitlines()
    assert calls[0].startswith("noninteractive: ")
    assert calls[2].endswith(" --no-remove postfix dovecot-imapd")
    assert calls[1::2] == ["policy-rc.d says 101"] * 2
    assert not machine.policy.exists()
    assert "main_mailer_type select No configuration" in machine.said("debconf")
    assert "curl" not in calls[2]


def test_a_package_of_the_other_release_is_not_asked_for(machine: Machine) -> None:
    status, output = machine.run()
    assert status == 0, output
    assert set(machine.said("installed").split()) == {*ALL, "postgresql-common"}


def test_services_that_came_with_packages_do_not_start_at_boot(machine: Machine) -> None:
    machine.have("curl", "old", "postgresql", "postfix")
    assert machine.run()[0] == 0
    disabled = machine.said("systemctl").splitlines()
    assert disabled == ["disable dovecot.service", "disable dovecot.socket"]


def test_an_existing_policy_decides_and_stays(machine: Machine) -> None:
    machine.policy.write_text("#!/bin/sh\nexit 104\n")
    assert machine.run()[0] == 0
    assert "policy-rc.d says 104" in machine.said("apt")
    assert machine.policy.read_text() == "#!/bin/sh\nexit 104\n"


def test_a_policy_left_by_a_killed_run_is_taken_away(machine: Machine) -> None:
    machine.run()
    made = "# Made by Malleposte tools/debian_packages.sh for the time of an installation."
    machine.policy.write_text(f"#!/bin/sh\n{made}\nexit 101\n")
    machine.have()
    assert machine.run()[0] == 0
    assert not machine.policy.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_leaves_no_trace(machine: Machine, number: signal.Signals) -> None:
    machine.have("curl", "postgresql-common")
    machine.clusters.parent.mkdir(parents=True)
    machine.clusters.write_text(CLUSTERS)
    (machine.fake / "hang").touch()
    process = machine.start()
    deadline = time.monotonic() + 30
    while not (machine.fake / "hanging").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert machine.policy.exists()
    os.killpg(process.pid, number)  # as a terminal does
    output, _ = process.communicate(timeout=90)
    assert process.returncode == 130, output
    assert not machine.policy.exists()
    assert machine.clusters.read_text() == CLUSTERS


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("E: Failed to fetch http://mirror/x  Could not resolve 'mirror'", "Check the network"),
        ("E: You don't have enough free space in /var/cache/apt/archives/.", "The disk is full"),
        ("E: Unable to locate package swaks", "component «main» is needed"),
        ("E: Packages need to be removed but remove is disabled.", "nothing was done"),
        ("E: Could not get lock /var/lib/dpkg/lock-frontend", "Another apt is at work"),
        ("E: Something unheard of", "SKIP_DEBIAN_PACKAGES=1 make test"),
    ],
)
def test_a_failure_says_what_to_do(machine: Machine, words: str, advice: str) -> None:
    (machine.fake / "words").write_text(words + "\n")
    status, output = machine.run()
    assert status == 1
    assert advice in output
    assert words in output
    assert not machine.policy.exists()


def test_without_root_it_says_the_command_and_installs_nothing(machine: Machine) -> None:
    machine.have("curl", "old", "postfix")
    machine.program("id", "#!/bin/sh\necho 1000\n")
    status, output = machine.run()
    assert status == 0
    assert "sudo apt-get install --no-install-recommends postgresql dovecot-imapd" in output
    assert "skipped" in output
    assert machine.said("apt") == ""


def test_it_can_be_told_to_install_nothing(machine: Machine) -> None:
    status, output = machine.run(SKIP_DEBIAN_PACKAGES="1")
    assert status == 0
    assert "skipped: curl old postfix" in output
    assert machine.said("apt") == ""


def test_another_mail_server_is_not_pushed_out(machine: Machine) -> None:
    (machine.fake / "mta").write_text(
        "installed exim4-daemon-light default-mta, mail-transport-agent\n"
    )
    machine.have("curl", "old", "postgresql", "dovecot-imapd")
    status, output = machine.run()
    assert status == 0
    assert "Postfix is left out, exim4-daemon-light is installed" in output
    assert machine.said("apt") == ""


def test_postgresql_makes_no_cluster_and_its_own_file_comes_back(machine: Machine) -> None:
    assert machine.run()[0] == 0
    assert "create_main_cluster = false\n" in machine.said("clusters")
    assert machine.clusters.read_text() == CLUSTERS


def test_the_settings_of_an_installed_postgresql_are_not_touched(machine: Machine) -> None:
    machine.have("curl", "old", "postfix", "postgresql", "postgresql-common")
    machine.clusters.parent.mkdir(parents=True)
    machine.clusters.write_text(CLUSTERS)
    assert machine.run()[0] == 0
    assert "create_main_cluster = false" not in machine.said("clusters")
    assert machine.clusters.read_text() == CLUSTERS
