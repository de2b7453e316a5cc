"""The import rules of .importlinter hold, and each of them notices what it is there to notice."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINTER = Path(sys.executable).with_name("lint-imports")
ROOMS = [
    "evalsite",
    *[f"annotations.{room}" for room in ("views", "services", "queries", "models", "stats", "reports")],
    *[f"generation.{room}" for room in ("tasks", "services", "queries", "models", "engines", "recipes")],
    "exchange",
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
        "generation.tasks": "import generation.engines, generation.services",
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
