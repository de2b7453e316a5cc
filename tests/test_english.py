"""Words and turns of phrase that this project avoids, in pages, messages, docs, docstrings and comments.

The rules are those of CONTRIBUTING.md: plain, short sentences as a native technical writer would write them.
"""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
UNIT = "unit|item|image|prompt|row|line|rater|step|cell|method|side|card|question|auditor|minute|second|bundle|process"
COUNTED = (
    "ratings|raters|auditors|images|rows|bytes|prompts|lines|pixels|entries|integers|dollars|operations|questions|"
    "controls|calls|votes|pictures"
)
COMPARED = "longer|more|less|fewer|larger|slower|harder|better|later"
AVOIDED = {
    r"shall": "should, or the plain present",
    r"nought": "zero",
    r"in the same breath": "at once",
    r"whoever": "anyone who, people who, no matter who",
    r"mend(?:s|ed|ing)?": "fix",
    r"tells": "says, shows, reports, reveals, distinguishes",
    r"(?:is|are|was|were|be|been|being) told": "is reported, is shown, is known, is distinguished",
    r"unless told": "by default, unless stated otherwise",
    r"(?:is|are) raised on\b(?! the)": "re-raised, propagates",
    r"stands(?! out| apart| on top)": "is",
    r"as (?:it|they) stands?": "at present",
    r"beside": "next to, with, as well as",
    rf"(?:{COUNTED}) an? (?:{UNIT})": "per",
    rf"one an? (?:{UNIT})": "one per",
    rf"(?<!there )(?:is|are|was|were) no (?!{COMPARED})[a-z]\w*": "is not a",
    r"so many(?! \w+[^.]* that)": "this many",
    r"of ours": "our own",
}
"""Pattern → what to write instead."""
DATA = {
    *('"mended"', "|missing|to (?:report|fix|mend|change))"),
    *('"beside"', "beside between beyond by down", "stands-out", ".stands_out"),
}
"""Parts of lines that are data, not prose: a field of stored reports, what critics write, prepositions, names."""
_READ = re.compile(
    r"""(?:\b[rbufRBUF]{1,2})?(?:("{3}|'{3})(?:[^\\]|\\.)*?\1|(["'])(?:(?!\2)[^\\\n]|\\.)*\2)|\#[^\n]*|\b(?P<name>test_\w*)""",
    re.DOTALL,
)
"""Texts, comments and names of tests in Python code. Python's own tokeniser takes three times as long."""
WRITTEN = (".html", ".txt", ".md", ".js", ".css", ".py", ".yml", ".cff")


def files() -> list[Path]:
    """Everything under version control that people read, but for migrations, these rules and what others wrote.

    Models are left out because their labels are part of the migrations; forms and templates have labels of their own.
    """
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    left_out = re.compile(r"/migrations/|/vendor/|/models/|^tests/data/|^tests/test_english\.py$|^LICENSE")
    return [ROOT / name for name in listed.splitlines() if name.endswith(WRITTEN) and not left_out.search(name)]


def prose(path: Path, *, is_test: bool = False) -> list[tuple[int, str]]:
    """The file's lines with their numbers; of Python code only comments and texts.

    Texts in tests are data, so only their docstrings count, and the names of tests as words.
    """
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return list(enumerate(text.splitlines(), start=1))
    lines = []
    for found in _READ.finditer(text):
        first = text.count("\n", 0, found.start()) + 1
        if found["name"]:
            words = [found["name"].replace("_", " ")] if is_test else []
        else:
            words = found[0].splitlines() if not is_test or found[0].startswith(('"""', "#")) else []
        lines += [(first + i, line) for i, line in enumerate(words)]
    return lines


@pytest.fixture(scope="module")
def written() -> list[tuple[str, int, str]]:
    named = [(str(path.relative_to(ROOT)), path) for path in files()]
    return [(name, *line) for name, path in named for line in prose(path, is_test=name.startswith("tests/"))]


def test_there_is_something_to_read(written: list[tuple[str, int, str]]) -> None:
    read = {name for name, _number, _line in written}
    assert {"README.md", "docs/architecture.md", "annotations/stats/ratings.py"} <= read
    assert {"annotations/templates/annotations/rate/page.html", "tests/test_layers.py"} <= read
    assert any("every decision has a number of its own" in line for _name, _number, line in written)


@pytest.mark.parametrize(("pattern", "instead"), AVOIDED.items(), ids=list(AVOIDED))
def test_avoided_words(written: list[tuple[str, int, str]], pattern: str, instead: str) -> None:
    word = re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)
    found = [
        f"{name}:{number}: {line.strip()}"
        for name, number, line in written
        if word.search(line) and not any(part in line for part in DATA)
    ]
    assert not found, f"write {instead}:\n" + "\n".join(found)
