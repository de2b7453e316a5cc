"""Runs a process as if some packages were not installed."""

from pathlib import Path

# Python imports this before anything else. Such packages are then not found: `find_spec` says None, importing fails.
HIDING = """
import sys
from importlib.machinery import PathFinder

HIDDEN = frozenset({packages!r})


class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in HIDDEN else super().find_spec(name, path, target)


sys.meta_path[sys.meta_path.index(PathFinder)] = Finder
"""


def without_packages(folder: Path, *packages: str) -> dict[str, str]:
    """Environment variables under which a new Python process, and what it starts, finds none of these packages."""
    place = folder / "hiding"
    place.mkdir(exist_ok=True)
    (place / "sitecustomize.py").write_text(HIDING.format(packages=packages))
    return {"PYTHONPATH": str(place)}
