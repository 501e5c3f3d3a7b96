"""Runs command lines in a process that has everything imported and forks for each.

Only the imports are saved, which are most of a short command's time; from ``main`` on everything is as
in the program. The forks come from a process of its own, since a test process has threads.
"""

import atexit
import json
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

SERVER = """
import importlib, json, os, pkgutil, signal, socket, sys
import malleposte.cli, malleposte.cli.app, malleposte.cli.alone_store, malleposte.cli.commands
import malleposte.node.serve, malleposte.services.admin_socket, malleposte.cli.doctor
import uvloop
for package in (malleposte.cli.commands, malleposte.cli.doctor):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
connection = socket.socket(fileno=int(sys.argv[1]))
while True:
    data, descriptors, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    if not data:
        break
    asked = json.loads(data)
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            connection.close()
            for number, descriptor in enumerate(descriptors):
                os.dup2(descriptor, number)
                os.close(descriptor)
            os.chdir(asked["cwd"])
            os.environ.clear()
            os.environ.update(asked["environment"])
            sys.stdin, sys.stdout, sys.stderr = (
                open(0, "r"), open(1, "w"), open(2, "w", buffering=1)
            )
            code = malleposte.cli.main(asked["words"])
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    for descriptor in descriptors:
        os.close(descriptor)
    _, status = os.waitpid(pid, 0)
    connection.sendall(json.dumps(os.waitstatus_to_exitcode(status)).encode())
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a command."""

    returncode: int
    stdout: str
    stderr: str


class Warm:
    """See the module."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", SERVER, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )

    def run(
        self, words: list[str], cwd: Path, environment: dict[str, str], stdin: str, patience: float
    ) -> Ran:
        """Run a command line; ``TimeoutError`` where it does not end."""
        temporary = tempfile.TemporaryFile
        with temporary() as given, temporary() as out, temporary() as err:
            given.write(stdin.encode("utf-8", "surrogateescape"))
            given.seek(0)
            asked = {"words": words, "cwd": str(cwd), "environment": environment}
            self._ours.settimeout(patience)
            files = [given.fileno(), out.fileno(), err.fileno()]
            socket.send_fds(self._ours, [json.dumps(asked).encode()], files)
            code = json.loads(self._ours.recv(100))
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode())
        return Ran(code, *texts)

    def close(self) -> None:
        """End the process."""
        self._ours.close()
        self._process.wait(10)


_warm: Warm | None = None


def warm() -> Warm:
    """The one of this test process."""
    global _warm
    if _warm is None:
        _warm = Warm()
        atexit.register(_warm.close)
    return _warm
