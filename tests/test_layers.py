"""The import rules of .importlinter hold and notice what they should; rooms, files and decisions keep their limits."""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINTER = Path(sys.executable).with_name("lint-imports")
MOST_FILES = 15
MOST_LINES = 400
WRITTEN = {".py", ".html", ".css", ".js", ".txt"}
NOT_ROOMS = {"migrations", "vendor", "cases", "data"}
"""Folders that grow by themselves, hold what others wrote, or hold files that tests read."""
ROOMS = [
    "evalsite",
    *[f"annotations.{room}" for room in ("views", "services", "queries", "models", "stats", "reports")],
    *[f"generation.{room}" for room in ("tasks", "availability", "services", "queries")],
    *[f"generation.{room}" for room in ("models", "engines", "recipes")],
    "exchange",
    "evalsite_client",
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the packages of a folder, with this project's rules."""
    return subprocess.run(
        [LINTER, "--no-logo", "--no-cache", "--config", ROOT / ".importlinter"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def small_tree(folder: Path, statements: dict[str, str]) -> Path:
    """A project with the same rooms and nothing in them but the given statements, by module."""
    for module in [*ROOMS, *statements]:
        path = folder
        for part in module.split("."):
            path = path / part
            path.mkdir(exist_ok=True)
            (path / "__init__.py").touch()
        (path / "__init__.py").write_text(statements.get(module, ""))
    return folder


def test_every_import_of_the_project_is_allowed() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]


def test_rules_hold_for_a_tree_that_keeps_them(tmp_path: Path) -> None:
    kept = {
        "annotations.views": "import annotations.services, django.http",
        "annotations.services": "import annotations.models, annotations.stats, generation.queries",
        "annotations.stats": "import numpy, scipy.stats, dataclasses",
        "generation.tasks": "import generation.availability, generation.services",
        "generation.availability": "import generation.engines",
        "generation.engines": "import torch, generation.recipes",
    }
    result = lint(small_tree(tmp_path, kept))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "statement", "complaint"),
    [
        ("generation.services", "import annotations.models", "generation is not allowed to import annotations"),
        ("annotations.services", "import evalsite", "annotations is not allowed to import evalsite"),
        ("annotations.queries", "import annotations.services", "queries is not allowed to import annotations.services"),
        ("annotations.models", "import annotations.views", "models is not allowed to import annotations.views"),
        ("generation.services", "import generation.tasks", "services is not allowed to import generation.tasks"),
        ("annotations.services", "import generation.services", "must not import generation.services (l.1)"),
        ("annotations.views", "import generation.tasks", "annotations.views must not import generation.tasks"),
        ("annotations.stats", "import django.db", "annotations.stats must not import django"),
        ("evalsite_client", "import exchange", "evalsite_client must not import exchange"),
        ("annotations.stats", "import annotations.models", "stats is not allowed to import annotations.models"),
        ("annotations.reports", "def late():\n    import django", "annotations.reports must not import django (l.2)"),
        ("generation.recipes", "import torch", "generation.recipes must not import torch"),
        ("generation.engines", "import generation.models", "generation.engines must not import generation.models"),
        ("generation.services", "import generation.engines", "loaded in a worker, once"),
        ("exchange", "import django.core.files", "without knowing what the rows mean"),
        ("exchange", "import generation.models", "exchange is not allowed to import generation"),
        ("annotations.helpers", "", "annotations.helpers"),
    ],
)
def test_a_wrong_import_fails_and_says_why(module: str, statement: str, complaint: str, tmp_path: Path) -> None:
    result = lint(small_tree(tmp_path, {module: statement}))
    assert result.returncode == 1, result.stdout + result.stderr
    assert complaint in " ".join(result.stdout.split())


def test_an_import_circle_inside_a_room_fails(tmp_path: Path) -> None:
    circle = {
        "annotations.services.give": "import annotations.services.take",
        "annotations.services.take": "import annotations.services.give",
    }
    result = lint(small_tree(tmp_path, circle))
    assert result.returncode == 1
    assert "no import circles among the modules of a room BROKEN" in " ".join(result.stdout.split())


def written(root: Path) -> Iterator[Path]:
    """The files of the product and its tests that people write, relative to the root."""
    for top in ("evalsite", "annotations", "generation", "exchange", "tests"):
        for path in (root / top).rglob("*.*"):
            relative = path.relative_to(root)
            if path.suffix in WRITTEN and not NOT_ROOMS & set(relative.parts) and "__pycache__" not in relative.parts:
                yield relative


def crowded_rooms(root: Path, most: int = MOST_FILES) -> list[str]:
    """Rooms with more than this many files of their own, `__init__.py` included."""
    counts = Counter(path.parent for path in written(root))
    return [f"{room} holds {count} files" for room, count in sorted(counts.items()) if count > most]


def long_files(root: Path, most: int = MOST_LINES) -> list[str]:
    """Files of more lines than this."""
    lines = {path: len((root / path).read_text(encoding="utf-8").splitlines()) for path in written(root)}
    return [f"{path} has {count} lines" for path, count in sorted(lines.items()) if count > most]


def test_no_room_holds_more_than_fifteen_files_of_its_own() -> None:
    assert crowded_rooms(ROOT) == []


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    assert long_files(ROOT) == []


def test_a_crowded_room_and_a_long_file_are_named(tmp_path: Path) -> None:
    room = tmp_path / "exchange" / "tables"
    (room / "migrations").mkdir(parents=True)
    for name in ("a.py", "b.css", "c.html", "d.png", "migrations/0001.py"):
        (room / name).write_text("line\n" * 3)
    assert crowded_rooms(tmp_path, most=3) == []
    assert crowded_rooms(tmp_path, most=2) == ["exchange/tables holds 3 files"]
    (room / "b.css").write_text("line\n" * 4)
    assert long_files(tmp_path, most=3) == ["exchange/tables/b.css has 4 lines"]


def test_the_architecture_names_only_what_is_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:evalsite|annotations|generation|exchange|tests)/[\w/]*(?:\.py)?)`", text))
    assert len(named) > 8
    assert sorted(path for path in named if not (ROOT / path).exists()) == []
    picture = text[text.index("```mermaid") : text.index("```", text.index("```mermaid") + 3)]
    for app, rooms in {
        "evalsite": "accounts api background requests serving",
        "annotations/reports": "documents study critic votes paper pictures release explorer registration replication",
        "annotations/stats": "adaptive comparison agreement metrics raters critic ordinal_model preferences intervals",
        "annotations/views": "audits explorer live planning raters replication studies",
        "annotations/services": (
            "audits benchmarks demo explorer formats hooks imports panels planning raters taking_part"
        ),
        "annotations/queries": "audits explorer live planning raters replication structured",
        "generation/services": "imports pushes runs",
        "generation/engines": "sd3 remote metrics scenes tiny",
        "generation/recipes": "matrix decomposition critique english scenes",
        "exchange": "tables bundles ratings writing",
    }.items():
        there = {path.parent.name for path in (ROOT / app).glob("*/__init__.py")} - {"management", "migrations"}
        assert there == set(rooms.split()), app
        assert all(room in picture for room in there), app


def numbered_twice(names: Collection[str]) -> list[str]:
    """The decisions that share their number with another one."""
    counts = Counter(name[:4] for name in names)
    return sorted(name for name in names if counts[name[:4]] > 1)


def test_every_decision_has_a_number_of_its_own_and_names_it() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert len(decisions) > 10
    assert numbered_twice([path.name for path in decisions]) == []
    headings = [path.read_text(encoding="utf-8").splitlines()[0] for path in decisions]
    assert [heading.split(".")[0] for heading in headings] == [f"# {int(path.name[:4])}" for path in decisions]


def test_two_decisions_of_one_number_are_named() -> None:
    names = ["0009-a.md", "0010-a.md", "0010-b.md", "0011-a.md"]
    assert numbered_twice(names) == ["0010-a.md", "0010-b.md"]
