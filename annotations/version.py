"""Which code made a figure: written into every report."""

import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


@cache
def code_version() -> str:
    """The release, and in a git checkout the commit: "0.1.0+1a2b3c4", with ".changed" over uncommitted edits."""
    try:
        release = version("evalsite")
    except PackageNotFoundError:
        release = "unreleased"
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty=.changed", "--exclude=*"],  # noqa: S607 (git is on the path or not)
            cwd=Path(__file__).resolve().parent,
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return release
    return f"{release}+{described}"
