"""The product's own analysis of an experiment: files for `manage.py analyze`, and tables from its report.

The only rater is the independent check, so that every interval is over prompts.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RATER = "independent check"
SHARE, WHOLE = "share of what was asked for", "whole scene"
_PERCENT = 100
HEAD = (
    "Condition",
    "Whole scenes right",
    "Share of what was asked for",
    "Gain over the baseline",
    "Better, equal, worse",
)


@dataclass(frozen=True)
class Seen:
    """What the check sees in one image. share: of what was asked for, 0–1; scores: by metric."""

    prompt: str
    condition: str
    share: float
    is_right: bool
    scores: Mapping[str, float] | None = None


@dataclass(frozen=True)
class SeenClaim:
    """A critic's claim about an image, and whether it is right by the check."""

    critic: str
    image: str
    claim: str
    is_right: bool
    is_control: bool = False


def analyse(seen: Sequence[Seen], baseline: str, folder: Path, *, quick: bool = False) -> Path:
    """Write the files of an experiment into `folder` and have the product analyse them; the folder of its report.

    quick: without PDF, Word file and single figures. Raises CalledProcessError where the product refuses the files.
    """
    items = [(f"{number:05d}", one) for number, one in enumerate(seen)]
    _write(
        folder / "ratings.csv",
        ("item", "rater", "dimension", "value"),
        [(key, RATER, SHARE, _PERCENT * one.share) for key, one in items]
        + [(key, RATER, WHOLE, int(one.is_right)) for key, one in items],
    )
    _write(folder / "items.csv", ("item", "prompt", "method"), [(key, one.prompt, one.condition) for key, one in items])
    scores = [(key, name, value) for key, one in items for name, value in (one.scores or {}).items()]
    conditions = dict.fromkeys(one.condition for one in seen)
    asked = [f"--compare={baseline}:{other}" for other in conditions if other != baseline]
    if scores:
        _write(folder / "metrics.csv", ("item", "metric", "value"), scores)
        asked.append(f"--metrics={folder / 'metrics.csv'}")
    _product(
        *("analyze", "--ratings", folder / "ratings.csv", "--items", folder / "items.csv"),
        *("--scale", f"{SHARE}=interval:0-{_PERCENT}/any", "--scale", f"{WHOLE}=0-1", *asked),
        *("--title", folder.name, "--out", folder / "report"),
        *(["--quick"] if quick else []),
    )
    return folder / "report"


def analyse_claims(claims: Sequence[SeenClaim], folder: Path, *, quick: bool = False) -> Path:
    """The same for critics' claims, by `manage.py analyze_critic`."""
    rows = [
        (one.critic, one.image, f"{n}: {one.claim}", RATER, "right" if one.is_right else "wrong", one.is_control)
        for n, one in enumerate(claims)
    ]
    _write(folder / "verdicts.csv", ("critic", "image", "claim", "auditor", "verdict", "is_control"), rows)
    _product(
        *("analyze_critic", "--verdicts", folder / "verdicts.csv", "--title", folder.name),
        *("--out", folder / "critics", *(["--quick"] if quick else [])),
    )
    return folder / "critics"


def _product(*arguments: object) -> None:
    command = [sys.executable, str(ROOT / "manage.py"), *map(str, arguments)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command


def _write(file: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows(rows)


# --- tables for the document -----------------------------------------------------------------------------------------
def conditions_table(report: Path, conditions: Sequence[str]) -> str:
    """Means of each condition and its paired difference from the first one, as Markdown."""
    means = {(row["dimension"], row["method"]): row for row in _rows(report / "means.csv")}
    gains = {row["refined"]: row for row in _rows(report / "comparisons.csv") if row["dimension"] == SHARE}
    lines = [f"| {' | '.join(HEAD)} |", "|---" * len(HEAD) + "|"]
    for name in conditions:
        gain = gains.get(name)
        counts = "" if gain is None else ", ".join(gain[key] for key in ("wins", "ties", "losses"))
        lines.append(
            f"| {name} | {_interval(means[WHOLE, name], 'mean')} | {_interval(means[SHARE, name], 'mean', _PERCENT)} "
            f"| {'' if gain is None else _interval(gain, 'mean_diff', _PERCENT, sign='+')} | {counts} |"
        )
    return "\n".join(lines)


def critics_precision(report: Path) -> dict[str, str]:
    """By critic the share of its claims that are right, with its interval over images; of controls under their names.

    A control goes by the name of its critic and ", shown the next prompt's image".
    """
    found = {}
    for row in _rows(report / "critic.csv"):
        name = {"accuracy": "", "control_accuracy": ", shown the next prompt's image"}.get(row["statistic"])
        if name is not None and row["facet"] == "overall":
            found[row["critic"] + name] = _interval(
                {**row, "low": row["cluster_low"], "high": row["cluster_high"]}, "value"
            )
    return found


def metrics_table(report: Path, statistic: str = "spearman") -> str:
    """Each metric's correlation with the share of what was asked for, as Markdown; the ceiling needs two raters."""
    lines = ["| Metric | Rank correlation with the true share |", "|---|---|"]
    for row in _rows(report / "metrics.csv"):
        if (row["dimension"], row["statistic"]) == (SHARE, statistic) and row["value"]:
            lines.append(f"| {row['metric']} | {_interval(row, 'value')} |")
    return "\n".join(lines)


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))


def _interval(row: Mapping[str, str], name: str, unit: float = 1.0, sign: str = "") -> str:
    if not row[name]:
        return "–"
    value, *ends = (_signed(float(row[key]) / unit, sign) for key in (name, "low", "high") if row[key])
    return f"{value} ({' to '.join(ends)})" if ends else value  # nothing varies


def _signed(value: float, sign: str) -> str:
    written = f"{value:{sign}.2f}"
    is_zero = float(written) == 0
    return written.replace("-", "" if is_zero else "−").replace("+", "" if is_zero else "+")
