"""For contributors: the guide names what exists, versions agree, and commits get the checks of `make lint`."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
MENTIONED = re.compile(r"`((?:annotations|generation|exchange|evalsite|tests|docs)/[\w./-]+)`")


def lint_commands() -> list[str]:
    makefile = (ROOT / "Makefile").read_text()
    recipe = makefile.split("\nlint:", 1)[1].split("\n\n", 1)[0]
    return [line.rsplit("$(BIN)/", 1)[1].strip() for line in recipe.splitlines()[1:]]


def test_every_file_that_the_guide_names_exists() -> None:
    named = MENTIONED.findall((ROOT / "CONTRIBUTING.md").read_text())
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_name_of_code_that_the_guide_names_exists() -> None:
    """Names in capitals and with a dot, such as `Dimension.Kind`, occur in the code."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    code = "".join(
        path.read_text()
        for folder in ("annotations", "generation", "exchange", "tests")
        for path in (ROOT / folder).rglob("*.py")
        if path != Path(__file__)
    )
    names = set(re.findall(r"`([A-Z][A-Za-z_]+(?:\.[A-Za-z]+)*)`", text)) - {"CHANGELOG.md"}
    assert len(names) > 10
    assert [name for name in names if name.rsplit(".", 1)[-1] not in code] == []


def test_a_commit_gets_the_checks_of_make_lint() -> None:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"
    hooks = [hook["entry"].removeprefix(".venv/bin/") for hook in repository["hooks"]]
    assert hooks == lint_commands()


def test_the_configuration_of_pre_commit_is_valid() -> None:
    command = [sys.executable, "-m", "pre_commit", "validate-config", ROOT / ".pre-commit-config.yaml"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_place_names_the_same_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    newest = re.search(r"^## (\S+) \((\d{4}-\d\d-\d\d)\)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert newest.groups() == (version, str(citation["date-released"]))
    assert citation["version"] == version


def test_every_version_of_the_statistics_says_what_it_changed() -> None:
    from annotations.stats.estimate import STATS_VERSION

    headings = re.findall(r"^## (\d+) ", (ROOT / "docs/methods/versions.md").read_text(), re.MULTILINE)
    assert headings == [str(number) for number in range(int(STATS_VERSION), 0, -1)]
