"""Runs the benchmarks one after another: `make bench`, or `make bench ARGS="annotator_loop stats.raters"` for some.

What each prints goes to the terminal and to bench-results/NAME.txt, under a line that says on what it was measured.
"""

import argparse
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
RESULTS = FOLDER.parent.parent / "bench-results"


def programs() -> list[str]:
    """The modules under this folder that can be run by themselves, as `-m` names them below `tests.benchmarks`."""
    runnable = [
        path.relative_to(FOLDER).with_suffix("")
        for path in FOLDER.rglob("[a-z_]*.py")
        if path != Path(__file__).resolve() and '__name__ == "__main__"' in path.read_text()
    ]
    return sorted(".".join(path.parent.parts if path.name == "__main__" else path.parts) for path in runnable)


def usual() -> list[str]:
    """Those that run where none is named: not the parts of `stats` and `coverage`, which these two run."""
    return [name for name in programs() if "." not in name]


def machine() -> str:
    return (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {platform.platform()}, Python {sys.version.split()[0]}"
    )


def run(name: str) -> int:
    """Run one benchmark; returns its exit status."""
    print(f"==> {name}", flush=True)
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / f"{name}.txt").open("w") as file:
        file.write(f"{machine()}\n\n")
        program = subprocess.Popen(
            [sys.executable, "-u", "-m", f"tests.benchmarks.{name}"],
            cwd=FOLDER.parent.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert program.stdout is not None
        for line in program.stdout:
            sys.stdout.write(line)
            file.write(line)
    return program.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(programs())} (default: all but parts of others)"
    )
    names = parser.parse_args().names or usual()
    if unknown := set(names) - set(programs()):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))} (there are {', '.join(programs())})")
    failed = [name for name in names if run(name) != 0]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
