"""A confined process writes where it may and nowhere else, and reads the store beside its writer.

Each test runs in a process of its own: nothing takes confinement back.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BEGIN = """
import asyncio, errno, os, sys, tempfile
from pathlib import Path
from malleposte.node.confinement import confine
from malleposte.node.processes import no_new_privileges
place = Path(sys.argv[1])
def refused(what, *arguments):
    try:
        what(*arguments)
    except OSError as error:
        assert error.errno in (errno.EACCES, errno.EXDEV), error
    else:
        raise AssertionError(f"{what.__name__} was let through")
no_new_privileges()
"""


def run(place: Path, body: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + body, str(place)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode == 77:
        pytest.skip("this kernel has no Landlock")
    assert done.returncode == 0, done.stderr


def test_what_may_be_written(tmp_path: Path) -> None:
    (tmp_path / "blobs" / "00").mkdir(parents=True)
    (tmp_path / "blobs" / "00" / "256").write_bytes(b"x")
    for name in ("store.db", "store.db-shm", "node.key"):
        (tmp_path / name).write_bytes(b"precious")
    run(
        tmp_path,
        """
if not confine([place / "blobs"], [place / "store.db-shm", Path("/dev/null")]):
    sys.exit(77)
database = place / "store.db"
assert database.read_bytes() == b"precious"
for flags in (os.O_RDWR, os.O_WRONLY, os.O_RDONLY | os.O_TRUNC):
    refused(os.open, database, flags)
refused(os.truncate, database, 0)
refused(os.unlink, database)
refused(os.rename, database, place / "other")
refused(os.rename, place / "blobs" / "00" / "256", place / "node.key")
refused(os.link, database, place / "blobs" / "again")
refused(os.symlink, database, place / "blobs" / "again")
refused(os.mkdir, place / "new")
refused(os.open, place / "new", os.O_CREAT | os.O_WRONLY)
refused(os.open, "/tmp/malleposte-no-such-file", os.O_CREAT | os.O_WRONLY)
refused(os.execv, "/bin/true", ["true"])
os.close(os.open(place / "store.db-shm", os.O_RDWR))
os.close(os.open("/dev/null", os.O_RDWR))
with tempfile.TemporaryFile(dir=place / "blobs") as file:
    file.write(b"a message on its way in")
os.unlink(place / "blobs" / "00" / "256")
""",
    )
    assert (tmp_path / "store.db").read_bytes() == b"precious"
    assert not (tmp_path / "blobs" / "00" / "256").exists()


def test_a_worker_reads_beside_the_writer(tmp_path: Path) -> None:
    """All the while the writer commits, copies its log into the file, goes and comes again."""
    run(
        tmp_path,
        """
from malleposte.store.sqlite import Sqlite
path = place / "store.db"
writer = Sqlite(path, writable=True, create=True)
writer.connection.execute("CREATE TABLE t (n INTEGER)")
import subprocess
child = subprocess.Popen([sys.executable, "-c", '''
import sys, asyncio
from pathlib import Path
from malleposte.node.confinement import confine
from malleposte.node.processes import no_new_privileges
from malleposte.store.sqlite import Sqlite
place = Path(sys.argv[1])
no_new_privileges()
if not confine([], [place / "store.db-shm"]):
    sys.exit(77)
db = Sqlite(place / "store.db", writable=False)
for line in sys.stdin:
    rows = asyncio.run(db.rows("SELECT count(*) FROM t"))
    print(rows[0][0], flush=True)
''', str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
def seen():
    child.stdin.write("x\\n"); child.stdin.flush()
    line = child.stdout.readline()
    if not line:
        sys.exit(child.wait())
    return int(line)
count = 0
for round in range(3):
    for step in range(200):
        with writer.connection:
            writer.connection.executemany("INSERT INTO t VALUES (?)", [(n,) for n in range(50)])
        count += 50
        if step % 50 == 49:
            assert seen() == count
            writer.checkpoint()
            assert seen() == count
    writer.checkpoint(truncate=True)
    assert seen() == count
    writer.close()
    assert seen() == count
    writer = Sqlite(path, writable=True)
child.stdin.close()
assert child.wait(10) == 0
""",
    )


def test_nothing_to_allow_is_said(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="No such file"):
        run(tmp_path, "confine([place / 'blobs'], [])")


def test_this_process_is_not_confined() -> None:
    assert os.access(__file__, os.R_OK)
