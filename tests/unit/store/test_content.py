"""Content: frames, files and their index; what damage does to a reader."""

import contextlib
import os
import struct
from pathlib import Path

import pytest

from malleposte.store.content import (
    FRAME,
    SPARE,
    BlobFile,
    blob_path,
    decompress,
    digest_of,
    in_file,
    in_rows,
    link,
    slices,
)


def spool(data: bytes, folder: Path) -> int:
    """A descriptor of spooled content."""
    return in_file(memoryview(data), folder)[1]


def test_small_content_is_one_frame() -> None:
    content = in_rows(b"hello" * 100)
    assert (content.size, content.file, content.digest) == (500, False, digest_of(b"hello" * 100))
    (frame,) = content.frames
    assert decompress(frame) == b"hello" * 100
    with pytest.raises(ValueError, match="through a file"):
        in_rows(b"x" * (FRAME + 1))


@pytest.mark.parametrize("size", [FRAME + 1, 2 * FRAME, 2 * FRAME + 1, 3 * FRAME - 1])
def test_large_content_is_frames_in_a_file(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    content, descriptor = in_file(memoryview(data), tmp_path)
    assert (content.size, content.file, content.frames) == (size, True, ())
    assert content.digest == digest_of(data)
    assert list(tmp_path.iterdir()) == [], "the file has no name yet"
    link(descriptor, tmp_path, 7)
    os.close(descriptor)
    file = BlobFile.open(tmp_path, 7)
    count = len(file.starts) - 1
    assert count == -(-size // FRAME)
    assert b"".join(decompress(file.frame(n)) for n in range(count)) == data
    assert file.starts[-1] == content.stored
    file.close()
    assert blob_path(tmp_path, 7).stat().st_size == content.stored + 4 * count + 4


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 0, []),
        (5, 5, []),
        (0, 1, [(0, 0, 1)]),
        (0, FRAME, [(0, 0, FRAME)]),
        (FRAME - 1, FRAME + 1, [(0, FRAME - 1, FRAME), (1, 0, 1)]),
        (FRAME, FRAME + 5, [(1, 0, 5)]),
        (10, 2 * FRAME + 3, [(0, 10, FRAME), (1, 0, FRAME), (2, 0, 3)]),
    ],
)
def test_a_range_is_cut_into_frames(
    start: int, end: int, expected: list[tuple[int, int, int]]
) -> None:
    assert list(slices(start, end)) == expected


# Linking ------------------------------------------------------------------------------------------


def test_a_file_sent_again_after_a_crash_keeps_its_name(tmp_path: Path) -> None:
    """The writer died between link and commit: the same file comes again under the same id."""
    descriptor = spool(b"x" * (FRAME + 1), tmp_path)
    for _ in range(3):
        link(descriptor, tmp_path, 300)
        assert os.fstat(descriptor).st_nlink == 1
        assert [p.name for p in blob_path(tmp_path, 300).parent.iterdir()] == ["300"]
    os.close(descriptor)


def test_a_file_a_crash_left_is_replaced(tmp_path: Path) -> None:
    old, new = spool(b"old" * FRAME, tmp_path), spool(b"new" * FRAME, tmp_path)
    link(old, tmp_path, 5)
    link(new, tmp_path, 5)
    assert os.path.samestat(os.fstat(new), blob_path(tmp_path, 5).stat())
    assert [p.name for p in blob_path(tmp_path, 5).parent.iterdir()] == ["5"]
    os.close(old)
    os.close(new)


def test_a_crash_while_replacing_is_no_harm(tmp_path: Path) -> None:
    """Between the spare name and the rename: the next try takes up from there, whatever is left."""
    old, new, third = (spool(os.urandom(FRAME + n), tmp_path) for n in (1, 2, 3))
    link(old, tmp_path, 5)
    path = blob_path(tmp_path, 5)
    for left in (new, third):
        os.link(
            f"/proc/self/fd/{left}",
            path.with_name(f"5{SPARE}"),
            src_dir_fd=os.open(tmp_path, os.O_RDONLY),
            follow_symlinks=True,
        )
        link(new, tmp_path, 5)
        assert os.path.samestat(os.fstat(new), path.stat())
    for descriptor in (old, new, third):
        os.close(descriptor)


# Damage -------------------------------------------------------------------------------------------


def test_a_damaged_frame_is_an_error_never_other_bytes() -> None:
    data = os.urandom(2000) + b"text " * 500
    (frame,) = in_rows(data).frames
    for at in range(len(frame)):
        broken = bytearray(frame)
        broken[at] ^= 0x40
        with contextlib.suppress(ValueError):
            assert decompress(bytes(broken)) == data, at
    for end in range(0, len(frame), 50):
        with pytest.raises(ValueError, match="damaged"):
            decompress(frame[:end])


def test_an_impossible_length_allocates_nothing() -> None:
    """A frame header that claims 2^60 octets must not be believed."""
    lie = b"\x28\xb5\x2f\xfd" + b"\xe0" + struct.pack("<Q", 1 << 60) + b"\x01\0\0"
    with pytest.raises(ValueError, match="damaged"):
        decompress(lie)


def test_a_damaged_index_is_an_error(tmp_path: Path) -> None:
    data = os.urandom(2 * FRAME)
    descriptor = spool(data, tmp_path)
    link(descriptor, tmp_path, 1)
    whole = blob_path(tmp_path, 1).read_bytes()
    os.close(descriptor)
    broken = [b"", b"abc", whole[:-1], whole[:-4], whole + b"x", whole[: len(whole) // 2]]
    broken.append(whole[:-4] + struct.pack(">I", 0xFFFFFFFF))
    broken.append(whole[:-4] + struct.pack(">I", 1))
    broken.append(whole[:-8] + struct.pack(">I", 1) + whole[-4:])
    for octets in broken:
        blob_path(tmp_path, 1).write_bytes(octets)
        with pytest.raises(ValueError, match="damaged"):
            BlobFile.open(tmp_path, 1)
    blob_path(tmp_path, 1).unlink()
    with pytest.raises(FileNotFoundError):
        BlobFile.open(tmp_path, 1)
