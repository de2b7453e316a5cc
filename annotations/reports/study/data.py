"""A study as arrays, the start of every analysis, whether the data came from the database or from files."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from annotations.stats.arrays import FloatArray, IntArray, totals
from annotations.stats.preferences.rankings import Rankings
from annotations.stats.preferences.votes import Votes
from annotations.stats.raters.sums import ranks_within
from annotations.stats.raters.table import Repeats
from annotations.stats.ratings import Ratings

Kind = Literal["ordinal", "interval", "nominal", "preference", "ranking", "best_worst"]
"""The kind of a question's levels: ordered; ordered at known distances, as on a slider; categories; categories of which
the first two are the item's own two images; places in a ranking of the item's images, where 1 is the best; best,
neither or worst of the item's images."""
KINDS: tuple[Kind, ...] = get_args(Kind)
ORDERS: tuple[Kind, ...] = ("ranking", "best_worst")
"""Kinds whose levels put the images of one card in order, the best first."""


def is_ordered(kind: Kind) -> bool:
    """Whether the levels of such a question have an order."""
    return kind in ("ordinal", "interval")


@dataclass(frozen=True)
class DimensionData:
    """The answers to one question.

    units    (ratings.n_units,) which of the study's units these are: only units with an answer are here
    raters   names of the ratings' raters: only those who answered this question
    seconds, order   (n_ratings,) active seconds and place in the rater's sequence, or None; NaN where unknown
    votes    for a preference between images: the same answers as votes between methods, with sides and kinds of ties
    rankings for a ranking: the same answers as rankings of methods; at most one of the two is given
    card     (ratings.n_units,) which card shows each unit, for a ranking of images; None where that is not known
    repeats  units shown to a rater again, by codes of the ratings' raters; None where there are none
    gold     (ratings.n_units,) the right level of a gold unit, −1 for other units; None without gold n_unable how often
    "unable to answer" was the answer; `unable` the same by unit of the study
    """

    name: str
    ratings: Ratings
    units: IntArray
    raters: Sequence[str]
    n_unable: int = 0
    question: str = ""
    labels: Sequence[str] = ()
    seconds: NDArray[np.float64] | None = None
    order: NDArray[np.float64] | None = None
    kind: Kind = "ordinal"
    gold: IntArray | None = None
    votes: Votes | None = None
    rankings: Rankings | None = None
    repeats: Repeats | None = None
    card: IntArray | None = None

    @property
    def preferences(self) -> Votes | Rankings | None:
        """The votes or rankings of methods; None if there are neither."""
        found = self.votes if self.rankings is None else self.rankings
        return found if found is not None and found.n else None

    @property
    def is_ordinal(self) -> bool:
        """Without an order of levels only statistics of categories are computed."""
        return is_ordered(self.kind)

    @property
    def ranks(self) -> FloatArray | None:
        """(n_ratings,) the rank of each image in its rater's ranking, 1 the best, ties at the mean of their ranks.

        Levels only give the order of a ranking: two images that tie in the first place and one below them have the
        levels 1, 1 and 2, or 1, 1 and 3. None for other questions, and where the cards are not known.
        """
        if self.kind != "ranking" or self.card is None:
            return None
        cards, card = np.unique(self.card, return_inverse=True)
        ranking = self.ratings.rater * np.int64(len(cards)) + card[self.ratings.unit]
        return ranks_within(ranking, self.ratings.level.astype(float))

    def unit_means(self) -> FloatArray:
        """(ratings.n_units,) the mean value of each unit's ratings; of a ranking its mean rank. NaN without ratings."""
        ratings, ranks = self.ratings, self.ranks
        n = np.bincount(ratings.unit, minlength=ratings.n_units)
        if ranks is None:
            cells = ratings.unit * np.int64(ratings.n_levels) + ratings.level
            counts = np.bincount(cells, minlength=ratings.n_units * ratings.n_levels)
            total = counts.reshape(ratings.n_units, ratings.n_levels) @ ratings.values
        else:
            total = totals(ratings.unit, ranks, ratings.n_units)
        return np.where(n > 0, total / np.maximum(n, 1), np.nan)


@dataclass(frozen=True)
class ExcludedRater:
    """A rater whose answers do not count in any figure, by their name in the study, and why. n_answers: to all
    questions."""

    name: str
    reason: str
    n_answers: int


@dataclass(frozen=True)
class StudyData:
    """Units (images, or whole items), their properties, and the answers to every question.

    prompt, method   (n_units,) codes into the names; −1 where unknown
    facets           further properties of a unit, by name: (n_units,) texts, "" where unknown
    scores           (n_metrics, n_units) float64, NaN where missing
    excluded_raters  raters whose answers are left out of the data
    rater_kinds      how many of the raters are people, imported, simulated; empty where this is not known
    n_further        answers of further raters, who were asked because of earlier answers; they are not included
    n_withdrawn      raters who withdrew their answers from the study or had them erased
    """

    units: Sequence[str]
    dimensions: Sequence[DimensionData]
    prompt: IntArray
    prompts: Sequence[str]
    method: IntArray
    methods: Sequence[str]
    facets: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)
    metrics: Sequence[str] = ()
    scores: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))
    excluded_raters: Sequence[ExcludedRater] = ()
    rater_kinds: Mapping[str, int] = field(default_factory=dict)
    n_withdrawn: int = 0
    n_further: int = 0

    @property
    def has_prompts(self) -> bool:
        """Whether any unit's prompt is known; a unit without one is in no comparison of methods."""
        return len(self.prompts) > 0

    @property
    def has_methods(self) -> bool:
        """Whether any unit's method is known; a unit without one is in no mean or comparison of methods."""
        return len(self.methods) > 0

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
            arrays += arrays_of(dimension.preferences)
            arrays += [array for array in (dimension.seconds, dimension.order, dimension.gold) if array is not None]
            if dimension.repeats is not None:
                arrays += [dimension.repeats.rater, dimension.repeats.first, dimension.repeats.second]
        for array in arrays:
            hasher.update(np.ascontiguousarray(array).tobytes())
        for name, values in sorted(self.facets.items()):
            hasher.update(name.encode() + b"\0" + "\0".join(map(str, values)).encode())
        return hasher.hexdigest()


def arrays_of(preferences: Votes | Rankings | None) -> list[IntArray]:
    """Everything in votes or rankings that can change a figure, except for the methods' names."""
    if preferences is None:
        return []
    names = ("item", "rank", "shown") if isinstance(preferences, Rankings) else ("first", "second", "outcome", "side")
    found = [getattr(preferences, name) for name in (*names, "rater", "prompt")]
    return [array for array in found if array is not None]


def dimension_data(
    name: str,
    *,
    unit: IntArray,
    rater: IntArray,
    level: IntArray,
    values: Sequence[float],
    rater_names: Sequence[str],
    n_units: int,
    n_unable: int = 0,
    question: str = "",
    labels: Sequence[str] = (),
    seconds: NDArray[np.float64] | None = None,
    order: NDArray[np.float64] | None = None,
    kind: Kind = "ordinal",
    votes: Votes | None = None,
    rankings: Rankings | None = None,
    repeats: Repeats | None = None,
    card: IntArray | None = None,
) -> DimensionData:
    """One dimension from codes over the whole study, narrowed to the units and raters that answered it.

    repeats: by codes of all raters; only raters who are also in `rater`. card: of all units.

    An interval over raters covers those who answered this question, not everybody in the study.
    """
    units, own_unit = _present(unit, n_units)
    raters, own_rater = _present(rater, len(rater_names))
    ratings = Ratings(own_unit, own_rater, level, np.asarray(values, float), len(units), len(raters))
    names = [rater_names[code] for code in raters]
    return DimensionData(
        name,
        ratings,
        units,
        names,
        n_unable,
        question,
        labels,
        seconds,
        order,
        kind,
        votes=votes,
        rankings=rankings,
        repeats=None if repeats is None else replace(repeats, rater=np.searchsorted(raters, repeats.rater)),
        card=None if card is None else card[units],
    )


def _present(codes: IntArray, n: int) -> tuple[IntArray, IntArray]:
    """The codes that occur, ascending, and every entry as an index into them."""
    occurs = np.zeros(n, bool)
    occurs[codes] = True
    present = np.flatnonzero(occurs)
    index = np.full(n, -1, np.int64)
    index[present] = np.arange(len(present))
    return present, index[codes]
