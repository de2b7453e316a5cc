"""A study as arrays: what every analysis starts from, whether it came from the database or from files."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from annotations.stats.ratings import Ratings

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class DimensionData:
    """The answers to one question.

    units    (ratings.n_units,) which of the study's units these are: only units with an answer are here
    raters   names of the ratings' raters: only those who answered this question
    seconds, order   (n_ratings,) active seconds and place in the rater's sequence, or None; NaN where unknown
    gold     (ratings.n_units,) the right level of a unit that tests raters, −1 where there is none; None without any
    n_unable how often "unable to answer" was the answer; `unable` the same by unit of the study
    """

    name: str
    ratings: Ratings
    units: Codes
    raters: Sequence[str]
    n_unable: int = 0
    question: str = ""
    labels: Sequence[str] = ()
    seconds: NDArray[np.float64] | None = None
    order: NDArray[np.float64] | None = None
    is_ordinal: bool = True
    gold: Codes | None = None


@dataclass(frozen=True)
class StudyData:
    """Units (images, or whole items), what is known of them, and the answers to every question.

    prompt, method   (n_units,) codes into the names; −1 where unknown
    facets           further properties of a unit, by name: (n_units,) texts, "" where unknown
    scores           (n_metrics, n_units) float64, NaN where missing
    """

    units: Sequence[str]
    dimensions: Sequence[DimensionData]
    prompt: Codes
    prompts: Sequence[str]
    method: Codes
    methods: Sequence[str]
    facets: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)
    metrics: Sequence[str] = ()
    scores: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))

    @property
    def has_prompts(self) -> bool:
        return bool(len(self.prompts)) and bool((self.prompt >= 0).all())

    @property
    def has_methods(self) -> bool:
        return bool(len(self.methods)) and bool((self.method >= 0).all())

    def inputs_hash(self) -> str:
        """SHA-256 of everything that can change a figure. Equal inputs, seed and code version give equal results."""
        hasher = hashlib.sha256()
        for text in (*self.units, "|", *self.methods, "|", *self.prompts, "|", *self.metrics):
            hasher.update(text.encode() + b"\0")
        arrays: list[NDArray[np.generic]] = [self.prompt, self.method, self.scores]
        for dimension in self.dimensions:
            hasher.update(f"{dimension.name}\0{dimension.n_unable}\0".encode())
            for rater in dimension.raters:
                hasher.update(rater.encode() + b"\0")
            ratings = dimension.ratings
            arrays += [ratings.unit, ratings.rater, ratings.level, ratings.values, dimension.units]
            arrays += [array for array in (dimension.seconds, dimension.order, dimension.gold) if array is not None]
        for array in arrays:
            hasher.update(np.ascontiguousarray(array).tobytes())
        for name, values in sorted(self.facets.items()):
            hasher.update(name.encode() + b"\0" + "\0".join(map(str, values)).encode())
        return hasher.hexdigest()


def dimension_data(
    name: str,
    *,
    unit: Codes,
    rater: Codes,
    level: Codes,
    values: Sequence[float],
    rater_names: Sequence[str],
    n_units: int,
    n_unable: int = 0,
    question: str = "",
    labels: Sequence[str] = (),
    seconds: NDArray[np.float64] | None = None,
    order: NDArray[np.float64] | None = None,
    is_ordinal: bool = True,
) -> DimensionData:
    """One dimension from codes over the whole study, narrowed to the units and raters that answered it.

    An interval over raters speaks of those who took part in this question, not of everybody the study knows.
    """
    units, own_unit = _present(unit, n_units)
    raters, own_rater = _present(rater, len(rater_names))
    ratings = Ratings(own_unit, own_rater, level, np.asarray(values, float), len(units), len(raters))
    names = [rater_names[code] for code in raters]
    return DimensionData(name, ratings, units, names, n_unable, question, labels, seconds, order, is_ordinal)


def _present(codes: Codes, n: int) -> tuple[Codes, Codes]:
    """The codes that occur, ascending, and every entry as an index into them."""
    occurs = np.zeros(n, bool)
    occurs[codes] = True
    present = np.flatnonzero(occurs)
    index = np.full(n, -1, np.int64)
    index[present] = np.arange(len(present))
    return present, index[codes]
