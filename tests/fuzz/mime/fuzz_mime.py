"""Coverage-guided fuzzing of the MIME parser with atheris.

    python tests/fuzz/mime/fuzz_mime.py [-max_total_time=60] [-seed=1] [folders of seeds …]

The arguments are libFuzzer's. Without a folder the seeds written here are used. What fails is
left as `crash-*` in the current folder. The slow test `test_fuzz_mime.py` runs it for a minute.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[2]))  # the tests' folder

with atheris.instrument_imports(include=["malleposte.mime"]):
    from malleposte.mime.received import received
    from unit.mime.invariants import check_message

SEEDS = (
    b"From: Ann <ann@example.org>\r\nSubject: =?utf-8?q?=C3=A4?= =?utf-8?b?w6Q=?=\r\n\r\ntext\r\n",
    b'To: g: a@b, "c, d" (e) <@r:f@g>;\r\nDate: Fri, 7 Oct 94 16:15 PST (x)\r\n\r\n',
    b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b\nContent-Type: message/rfc822\n\n"
    b"Subject: y\n\nz\n--b--\n",
    b'Content-Type: multipart/digest; boundary="b b"\r\n\r\n--b b\r\n\r\nFrom: a@b\r\n\r\n--b b--',
    b"Content-Type: text/plain; charset=iso-2022-jp;\n name*0*=utf-8''%C3%A4;\n name*1=x\n"
    b"Content-Transfer-Encoding: base64\n\nGyRCJUYbKEI=\n",
    b"Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<p =\na=3D'>'>x<!--",
    b"Received: from a (b [1.2.3.4]) by c with ESMTP id d; 1 Jan 2026 00:00:00 +0000\n\n",
    b"Content-Type: message/global\n\nSubject: \xc3\xa4\n\n\xff",
)


def check(data: bytes) -> None:
    check_message(data)
    received(data)


def main() -> None:
    arguments = sys.argv[1:]
    folders = [argument for argument in arguments if not argument.startswith("-")]
    with tempfile.TemporaryDirectory() as found:
        if not folders:
            for number, seed in enumerate(SEEDS):
                (Path(found) / f"seed-{number}").write_bytes(seed)
        # What is discovered goes to the first folder: a temporary one.
        options = [argument for argument in arguments if argument.startswith("-")]
        atheris.Setup([sys.argv[0], *options, found, *folders], check)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
