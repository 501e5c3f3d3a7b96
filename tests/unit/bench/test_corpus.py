"""Copies of the corpus have identities of their own and nothing else of them differs."""

from pathlib import Path

import pytest

from malleposte.bench.corpus import Corpus, identity_mark, read_corpus, wire_form
from malleposte.bench.trouble import BenchTrouble

CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpora" / "spam"


def folder_of(tmp_path: Path, **files: bytes) -> Path:
    for name, content in files.items():
        path = tmp_path / f"{name.replace('__', '/')}.eml"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return tmp_path


def test_line_ends_become_crlf_and_nul_a_space() -> None:
    assert wire_form(b"a\nb\r\nc\0d\n") == b"a\r\nb\r\nc d\r\n"


def test_a_bare_cr_stays_what_it_is() -> None:
    assert wire_form(b"a\rb\n") == b"a\rb\r\n"


@pytest.mark.parametrize(
    ("message", "copy"),
    [
        (b"Message-ID: <x@y>\r\n\r\nb", b"Message-ID: <c1.x@y>\r\n\r\nb"),
        (b"A: b\r\nmessage-id:<x@y>\r\n\r\nb", b"A: b\r\nmessage-id:<c1.x@y>\r\n\r\nb"),
        (b"Message-Id:\r\n <x@y>\r\n\r\nb", b"Message-Id:\r\n <c1.x@y>\r\n\r\nb"),
        # Not in the body, not in another field, and no identity at all.
        (b"A: b\r\n\r\nMessage-ID: <x@y>\r\n", b"A: b\r\n\r\nMessage-ID: <x@y>\r\n"),
        (b"X-Message-ID: <x@y>\r\n\r\nb", b"X-Message-ID: <x@y>\r\n\r\nb"),
        (b"no header end", b"no header end"),
    ],
)
def test_the_mark_goes_behind_the_identity_in_the_header(message: bytes, copy: bytes) -> None:
    corpus = Corpus((message,), (identity_mark(message),))
    assert corpus.message(0) == message
    assert corpus.message(1) == copy


def test_each_round_has_its_own_mark_and_order(tmp_path: Path) -> None:
    a, b = b"Message-ID: <a@x>\n\nA\n", b"Message-ID: <b@x>\n\nB\n"
    corpus = read_corpus(folder_of(tmp_path, a=a, b=b))
    texts = [message.split(b">")[0].split(b"<")[1] for message in corpus.messages(5)]
    assert texts == [b"a@x", b"b@x", b"c1.a@x", b"c1.b@x", b"c2.a@x"]
    assert corpus.octets(2, 4) == len(corpus.message(4)) + len(corpus.message(5))


def test_files_are_sorted_by_path_as_text(tmp_path: Path) -> None:
    """The README's 20,000 messages are these: `ham-hard/` before `ham/`."""
    corpus = read_corpus(folder_of(tmp_path, ham__1=b"ham\n", **{"ham-hard__1": b"hard\n"}))
    assert list(corpus.messages(2)) == [b"hard\r\n", b"ham\r\n"]


def test_an_empty_folder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BenchTrouble, match="--corpus"):
        read_corpus(tmp_path)


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS}")
def test_the_real_corpus_has_the_readmes_sizes() -> None:
    corpus = read_corpus(CORPUS)
    assert len(corpus) == 3_674
    assert round(corpus.octets(3_674) / 1e6, 1) == 20.2
    assert round(corpus.octets(20_000) / 1e6, 1) == 109.9
