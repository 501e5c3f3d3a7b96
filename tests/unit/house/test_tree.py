"""Rules for the whole tree: no registry named, rooms open with a docstring, reasons written."""

import ast
import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

# In pieces, so that this file does not name what it looks for.
REGISTRIES = re.compile(
    "|".join(
        re.escape(name + "." + ending)
        for name, ending in [
            ("pypi", "org"),
            ("pythonhosted", "org"),
            ("npmjs", "org"),
            ("npmjs", "com"),
            ("yarnpkg", "com"),
            ("deb.debian", "org"),
            ("security.debian", "org"),
            ("snapshot.debian", "org"),
            ("ftp.debian", "org"),
            ("crates", "io"),
            ("proxy.golang", "org"),
            ("nodesource", "com"),
        ]
    ),
    re.IGNORECASE,
)


def files_of_the_project(root: Path) -> Iterator[Path]:
    """What is committed or would be; without git, everything but hidden and made folders."""
    if (root / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(
            ["git", "-c", f"safe.directory={root}", "ls-files", "-zco", "--exclude-standard"],
            cwd=root,
            check=True,
            capture_output=True,
        ).stdout
        paths = (root / os.fsdecode(name) for name in listed.split(b"\0") if name)
        yield from (path for path in paths if path.is_file())
        return
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".") or name == ".ci"]
        yield from (Path(folder, name) for name in names)


def naming_a_registry(root: Path) -> list[str]:
    return [
        str(path.relative_to(root))
        for path in files_of_the_project(root)
        if REGISTRIES.search(path.read_text(encoding="utf-8", errors="replace"))
    ]


def test_no_file_names_a_package_registry() -> None:
    assert naming_a_registry(ROOT) == []


def test_a_named_registry_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("from https://files." + "pythonhosted" + ".org/x.whl\n")
    (tmp_path / "other.md").write_text("from nowhere\n")
    assert naming_a_registry(tmp_path) == ["notes.md"]


def test_every_package_opens_with_a_docstring() -> None:
    source = ROOT / "src/malleposte"
    folders = {path.parent for path in source.rglob("*.py")}
    for folder in folders:
        opening = folder / "__init__.py"
        assert opening.is_file(), f"{folder.relative_to(ROOT)} is no package"
        assert ast.get_docstring(ast.parse(opening.read_text(encoding="utf-8"))), opening


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "src/malleposte").rglob("*.py")
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def table_rows(markdown: str) -> dict[str, list[str]]:
    """First cell of each table row → its other cells."""
    rows: dict[str, list[str]] = {}
    for line in markdown.splitlines():
        if line.startswith("| `"):
            first, *others = [cell.strip() for cell in line.strip("| ").split(" | ")]
            assert first not in rows, f"{first} twice"
            rows[first.strip("`")] = others
    return rows


def test_every_dependency_has_a_written_reason_and_no_other_has() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = list(project["dependencies"])
    for file in ("requirements/run.in", "requirements/test.in", "requirements/web.in"):
        wanted += (ROOT / file).read_text(encoding="utf-8").splitlines()
    names = {
        re.split(r"[<>=!~;#\s[]", line, maxsplit=1)[0]
        for line in wanted
        if line and not line.startswith(("#", "-r"))
    }
    web = json.loads((ROOT / "web/package.json").read_text(encoding="utf-8"))
    names |= web["dependencies"].keys() | web["devDependencies"].keys()
    page = (ROOT / "docs/architecture/dependencies.md").read_text(encoding="utf-8")
    rows = table_rows(page)
    assert rows.keys() == names
    for name, cells in rows.items():
        assert len(cells) == 3, f"{name}: why, licence, who keeps it"
        assert all(cells), f"{name} has an empty cell"


def test_every_decision_is_in_the_index() -> None:
    folder = ROOT / "docs/decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    records = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert records
    assert re.findall(r"\]\((\d{4}-[a-z0-9-]+\.md)\)", index) == records
    assert [name[:4] for name in records] == [f"{n:04}" for n in range(1, len(records) + 1)]


def test_links_between_documents_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []
