"""OpenDKIM's ``opendkim-testmsg`` as a verifier of signatures.

It asks the machine's resolver and nobody else, so it runs in a network of its own with a resolver of the
test on port 53, for which root is needed. As a program this module is what runs in there.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.programs import need
from support.zone import Zone, serving, text

RIGHT = ""


def verdicts(folder: Path, messages: list[bytes], records: dict[str, str]) -> list[str]:
    """What it says of each message: ``RIGHT``, or its words. ``records``: TXT by name."""
    program = need("opendkim-testmsg", "opendkim-tools")
    need("unshare", "util-linux")
    need("ip", "iproute2")
    if os.geteuid() != 0:
        pytest.skip("only root can give a program a resolver of its own")
    for number, message in enumerate(messages):
        folder.joinpath(f"{number}.eml").write_bytes(message)
    given = json.dumps({"program": program, "folder": str(folder), "records": records})
    done = subprocess.run(
        ["unshare", "--net", "--mount", *apart(), sys.executable, "-m", "support.opendkim"],
        input=given,
        capture_output=True,
        text=True,
        timeout=600,
        cwd=Path(__file__).parents[1],
        check=False,
    )
    if "Operation not permitted" in done.stderr:
        pytest.skip("this machine gives no network of its own")
    assert done.returncode == 0, done.stderr
    said: list[str] = json.loads(done.stdout)
    assert len(said) == len(messages)
    return said


def apart() -> list[str]:
    """How mounts are kept from the rest of the machine: in a root made by chroot that is no mount point of
    its own `unshare` cannot do it, and who made that root has seen to it (tools/fresh_test.sh)."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    rooted = any(line.split()[4] == "/" for line in mounts)
    return [] if rooted else ["--propagation", "unchanged"]


def _main() -> None:
    given = json.load(sys.stdin)
    folder = Path(given["folder"])
    resolver = folder / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.1\n")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "--bind", resolver, "/etc/resolv.conf"], check=True)
    zone = Zone()
    for name, value in given["records"].items():
        zone.add(name, txt=text(value))
    said = []
    with serving(zone, 53):
        for number in range(len(list(folder.glob("*.eml")))):
            done = subprocess.run(
                [given["program"], "-t", folder],
                input=folder.joinpath(f"{number}.eml").read_bytes(),
                capture_output=True,
                timeout=30,
                check=False,
            )
            words = done.stderr.decode(errors="replace").strip().rpartition(": ")[2]
            said.append(words if done.returncode else RIGHT)
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    _main()
