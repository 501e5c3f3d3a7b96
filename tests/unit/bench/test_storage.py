"""Disk figures count bytes once; what could not be dropped from memory is said."""

from pathlib import Path

from malleposte.bench.storage import disk, drop_page_cache, filesystem, floor


def test_files_are_counted_once_and_links_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"x" * 50_000)
    folder = tmp_path / "data"
    (folder / "deep").mkdir(parents=True)
    (folder / "a").write_bytes(b"x" * 5_000)
    (folder / "deep" / "b").hardlink_to(folder / "a")
    link = folder / "c"
    link.symlink_to(outside)
    found = disk([folder])
    assert found.apparent == 5_000 + link.lstat().st_size
    assert found.allocated >= 5_000


def test_a_hole_is_apparent_and_not_allocated(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(10 * 1024**2)
    found = disk([tmp_path])
    assert found.apparent == 10 * 1024**2
    assert found.allocated < 1024**2


def test_dropping_says_what_was_done(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "mail").write_bytes(b"x" * 10_000)
    switch = tmp_path / "drop_caches"
    assert drop_page_cache([data], switch) == ""
    assert switch.read_text() == "3\n"
    forbidden = tmp_path / "missing" / "drop_caches"
    assert "1 data files only" in drop_page_cache([data], forbidden)
    assert "not dropped" in drop_page_cache([], forbidden)


def test_the_floor_has_all_its_operations_and_leaves_nothing(tmp_path: Path) -> None:
    found = floor(tmp_path, count=3)
    assert len(found) == 4
    assert all(0 < one.least <= one.median <= one.greatest for one in found.values())
    assert {one.count for one in found.values()} == {3}
    assert list(tmp_path.iterdir()) == []


def test_the_filesystem_has_a_name(tmp_path: Path) -> None:
    assert filesystem(tmp_path) != "unknown"
