"""The figures of a bundle from its raw rows, by the same analysis."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from annotations.reports.bad_data import BadData
from annotations.reports.documents.conversion import BadDocument, from_json, to_json
from annotations.reports.documents.study import StudyDocument
from annotations.reports.study.analysis import Options, Unknown, analyse
from annotations.reports.study.document import document
from annotations.reports.study.files.questions import read_comparisons, read_questions
from annotations.reports.study.files.study import read_study
from annotations.reports.study.scales import BadScale, Scales
from exchange.rejects import BadFile, RejectLog

SETTINGS = "release.json"
REPORT = "report/report.json"
MANIFEST = "MANIFEST.sha256"
RATINGS, ITEMS, METRICS = "data/ratings.csv", "data/items.csv", "data/metrics.csv"
QUESTIONS, COMPARISONS = "data/questions.csv", "data/comparisons.csv"
EXCLUDED = "data/excluded-raters.csv"
IMAGES = "data/images.csv"


class BadBundle(ValueError):
    """A bundle that cannot be read; the message names the file and what is wrong with it."""


@dataclass(frozen=True)
class Settings:
    """What the figures depend on besides the rows.

    extras: keys of the document that no figure depends on, such as the design, as added by the site
    """

    title: str
    key: str
    made_at: str
    code_version: str
    seed: int = 0
    n_resamples: int = 1000
    n_permutations: int = 1000
    extras: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps({**asdict(self), "extras": dict(self.extras)}, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def read(cls, folder: Path) -> "Settings":
        """Raises BadBundle."""
        try:
            return cls(**json.loads((folder / SETTINGS).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as problem:
            raise BadBundle(f"{SETTINGS} cannot be read ({problem}): unpack the whole bundle") from None


def recompute(folder: Path, settings: Settings, *, code_version: str) -> StudyDocument:
    """The document of the bundle in this folder, computed from its rows by this version. Raises BadBundle."""
    try:
        with RejectLog() as log:
            scales = read_questions(folder / QUESTIONS, Scales(), log)
            data = read_study(
                folder / RATINGS,
                metrics=_if_there(folder / METRICS),
                items=folder / ITEMS,
                scales=scales,
                on_bad_value="error",
                log=log,
                excluded_raters=_if_there(folder / EXCLUDED),
            )
            pairs = read_comparisons(folder / COMPARISONS, log)
        options = Options(settings.seed, settings.n_resamples, settings.n_permutations, pairs)
        results = analyse(data, options)
    except (OSError, BadFile, BadData, BadScale, Unknown) as problem:
        raise BadBundle(f"the rows cannot be analysed: {problem}") from None
    made = document(
        results, title=settings.title, key=settings.key, code_version=code_version, made_at=settings.made_at
    )
    try:
        return from_json(StudyDocument, {**to_json(made), **settings.extras})
    except BadDocument as problem:
        raise BadBundle(f"{SETTINGS} does not fit the report: {problem}") from None


def _if_there(path: Path) -> Path | None:
    return path if path.is_file() else None
