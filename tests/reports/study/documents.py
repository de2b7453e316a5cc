"""Documents of small studies, for tests of what is drawn from them."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from annotations.reports.documents.conversion import from_json, to_json
from annotations.reports.documents.study import StudyDocument
from annotations.reports.study.analysis import Options, StudyResults, analyse
from annotations.reports.study.data import StudyData, dimension_data
from annotations.reports.study.document import document


def study_data(
    questions: Sequence[tuple[str, str]] = (("alignment", "ordinal"),),
    *,
    n_prompts: int = 10,
    n_raters: int = 3,
    values: Sequence[float] = (1, 2, 3, 4, 5),
    methods: Sequence[str] = ("base_line", "refined #2"),
    metrics: Sequence[str] = (),
    seed: int = 5,
) -> StudyData:
    """Every rater rates an image of each prompt and method; questions are (name, kind).

    The same arguments give the same object, so that its analysis is made once.
    """
    return _study_data(tuple(questions), n_prompts, n_raters, tuple(values), tuple(methods), tuple(metrics), seed)


@cache
def _study_data(
    questions: tuple[tuple[str, str], ...],
    n_prompts: int,
    n_raters: int,
    values: tuple[float, ...],
    methods: tuple[str, ...],
    metrics: tuple[str, ...],
    seed: int,
) -> StudyData:
    rng = np.random.default_rng(seed)
    n_units = n_prompts * len(methods)
    unit = np.repeat(np.arange(n_units), n_raters)
    dimensions = []
    for name, kind in questions:
        level = np.clip(unit % len(methods) + rng.integers(0, 4, len(unit)), 0, len(values) - 1)
        dimensions.append(
            dimension_data(
                name,
                unit=unit,
                rater=np.tile(np.arange(n_raters), n_units),
                level=level,
                values=values,
                rater_names=[f"rater {i}" for i in range(n_raters)],
                n_units=n_units,
                kind=kind,  # type: ignore[arg-type]
            )
        )
    return StudyData(
        [f"u{i:03d}" for i in range(n_units)],
        dimensions,
        np.arange(n_units) // len(methods),
        [f"p{i}" for i in range(n_prompts)],
        np.arange(n_units) % len(methods),
        list(methods),
        metrics=list(metrics),
        scores=rng.normal(size=(len(metrics), n_units)),
    )


def study_document(data: StudyData, *, title: str = "A study", **more: Any) -> StudyDocument:
    """The document of it, the first two methods compared; `more` are keys of its JSON as the site adds them."""
    made = document(_results(_Study(data)), title=title, code_version="1", made_at="now")
    return edited(made, lambda found: found.update(more))


class _Study:
    """A study as a key: the same only as itself, since arrays have no hash."""

    def __init__(self, data: StudyData) -> None:
        self.data = data

    def __hash__(self) -> int:
        return id(self.data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Study) and self.data is other.data


@cache
def _results(study: _Study) -> StudyResults:
    methods = study.data.methods
    pairs = [(methods[0], methods[1])] if len(methods) > 1 else []
    return analyse(study.data, Options(n_resamples=50, n_permutations=50, comparisons=pairs))


def edited(made: StudyDocument, change: Callable[[dict[str, Any]], object]) -> StudyDocument:
    """The document after a change to its JSON."""
    found = to_json(made)
    change(found)
    return from_json(StudyDocument, found)
