"""The search for the maximum with many ratings, in as few passes over all of them as possible.

It starts at the peak of a tenth of the ratings, which is found in the same way. Factors without a clear variance there
are left out at first. Where the likelihood still rises in a factor's direction at the end, that factor comes back. Only
then are second derivatives computed, in as many passes as there are parameters, and the last steps are Newton steps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg

from annotations.stats.arrays import FloatArray, IntArray
from annotations.stats.ordinal_model.ascent import GAIN, information, maximise
from annotations.stats.ordinal_model.laplace import Mixed, NoMode, Plain
from annotations.stats.ordinal_model.random_intercepts import (
    Design,
    TooLarge,
    dense_codes,
    elimination_order,
    n_eliminated,
)
from annotations.stats.ordinal_model.search import (
    BOUNDARY,
    FLAT,
    WILD,
    Options,
    Peak,
    by_size,
    decrement,
    highest,
    no_peak,
    peak_with,
    settle,
)

_PART_OF = 10
_FEWEST_GROUPS = 6
_CLEAR = 2.0
"""A standard deviation less than this many standard errors above zero in a part may be zero in all the ratings."""
_CLIMBED = 1e-5
"""The climb ends where a step promises less than this: a two-hundredth of a standard error."""
_STEPS = 4
_WITHIN = 1e-14
"""The precision of the search for modes while climbing, per random effect: 1e-8 for a million of them."""

Modes = Mapping[str, FloatArray]


@dataclass(frozen=True)
class _Start:
    """Parameters, with the deviations of `names` last, and the second derivatives expected for n_ratings."""

    names: tuple[str, ...]
    parameters: FloatArray
    guess: FloatArray
    n_ratings: int

    def with_factors(self, names: Sequence[str], n_ratings: int, curvature: Mapping[str, float]) -> "_Start":
        """With these factors, in this order, of n_ratings ratings.

        One that is not here begins close above zero, with this curvature of the likelihood in its direction.
        """
        n_fixed = len(self.parameters) - len(self.names)
        new = [name for name in names if name not in self.names]
        parameters = np.append(self.parameters, np.full(len(new), 5 * BOUNDARY))
        guess = self.guess * (n_ratings / self.n_ratings)
        guess = linalg.block_diag(guess, np.diag([curvature.get(name, 1.0) for name in new]))
        every = [*self.names, *new]
        at = [*range(n_fixed), *(n_fixed + every.index(name) for name in names)]
        return _Start(tuple(names), parameters[at], guess[np.ix_(at, at)], n_ratings)


def settle_many(level: IntArray, fixed: FloatArray, factors: Mapping[str, IntArray], options: Options) -> Peak:
    """As `settle`, for any number of ratings: only if there are more than `options.large` is the search as described
    above."""
    if len(level) <= options.large or not factors:
        return settle(level, fixed, factors, options)
    part = _of_a_part(level, fixed, factors, options)
    if part is None:
        return settle(level, fixed, factors, options)
    start = _Start(part.kept, part.parameters, part.information, part.n_ratings)
    unclear = _unclear(part)
    kept = [name for name in by_size(factors) if name in part.kept and name not in unclear]
    gone = [*part.gone, *unclear]
    try:
        return _settle_from(start, kept, gone, _Many(level, fixed, factors, options))
    except (NoMode, TooLarge, linalg.LinAlgError) as error:
        return no_peak(kept, gone, len(level), str(error))


def _of_a_part(level: IntArray, fixed: FloatArray, factors: Mapping[str, IntArray], options: Options) -> Peak | None:
    """The peak of about a tenth of the ratings, and of `part` at least; None where it says nothing about the whole.

    The part is made of whole groups of the outermost factor that has enough of them and is nested around the others
    that can be eliminated, the prompts: so what lies in them stays whole. An arbitrary fixed order decides which
    groups.
    """
    share = max(options.part, len(level) // _PART_OF) / len(level)
    codes = list(factors.values())
    ordered = [codes[at] for at in elimination_order(codes)]
    enough = [code for code in ordered[: n_eliminated(ordered)] if share * int(code.max()) >= _FEWEST_GROUPS]
    if not enough:
        return None
    order = np.random.default_rng(0).permutation(int(enough[-1].max()) + 1)
    part = (order < share * len(order))[enough[-1]]
    some = {name: dense_codes(code[part]) for name, code in factors.items()}
    own = level[part]
    if len(np.unique(own)) < int(level.max()) + 1 or min(int(code.max()) for code in some.values()) < 1:
        return None
    peak = settle_many(own, fixed[part], some, replace(options, n_nodes=1))
    if peak.reason or not peak.decrement < FLAT or peak.deviations.max(initial=0.0) >= WILD:
        return None
    return peak


def _unclear(part: Peak) -> list[str]:
    """The factors whose standard deviation is hardly above its error."""
    try:
        variances = np.diag(linalg.inv(part.information))[len(part.parameters) - len(part.kept) :]
    except linalg.LinAlgError:
        return []
    with np.errstate(invalid="ignore"):
        clear = part.deviations > _CLEAR * np.sqrt(variances)
    return [name for name, is_clear in zip(part.kept, clear, strict=True) if not is_clear]


class _Many:
    """The ratings, and models of them with some of their factors."""

    def __init__(self, level: IntArray, fixed: FloatArray, factors: Mapping[str, IntArray], options: Options) -> None:
        self.plain = Plain(level, fixed, int(level.max()) + 1, options.link)
        self.n_ratings = len(level)
        self.factors = factors
        self.options = options

    def arranged(self, names: Sequence[str]) -> list[str]:
        """In the order in which the factors are eliminated."""
        order = elimination_order([self.factors[name] for name in names])
        return [names[at] for at in order]

    def model(self, names: Sequence[str], modes: Modes, *, follows: bool) -> Mixed:
        """With these factors, arranged, and the modes of random effects that are known already."""
        codes = [self.factors[name] for name in names]
        sizes = [int(code.max()) + 1 for code in codes]
        design = Design(codes, sizes, self.options.dense_limit)
        mode = [modes.get(name, np.zeros(size)) for name, size in zip(names, sizes, strict=True)]
        return Mixed(self.plain, design, np.concatenate(mode), follows)


def _settle_from(start: _Start, kept: list[str], gone: list[str], many: _Many) -> Peak:
    unsure, modes, back = list(gone), dict[str, FloatArray](), dict[str, float]()
    while True:
        mixed = None
        if kept:
            start = start.with_factors(many.arranged(kept), many.n_ratings, back)
            mixed = many.model(start.names, modes, follows=True)
            start = replace(start, parameters=_climbed(mixed, start, len(kept)))
            modes = dict(zip(start.names, np.split(mixed.mode, mixed.design.offsets[1:-1]), strict=True))
            deviations = np.abs(start.parameters[-len(kept) :])
            if deviations.min() < BOUNDARY:
                name = start.names[int(deviations.argmin())]
                kept.remove(name)
                gone.append(name)
                continue
        else:
            plain = peak_with(many.plain.level, many.plain.fixed, {}, many.options)
            start = _Start((), plain.parameters, plain.information, many.n_ratings)
        back = _rising(start, unsure, modes, many) if unsure else {}
        unsure = []
        if not back:
            return replace(plain if mixed is None else _finished(start, mixed, many), gone=tuple(gone))
        kept = [name for name in by_size(many.factors) if name in kept or name in back]
        gone = [name for name in gone if name not in back]


def _climbed(mixed: Mixed, start: _Start, n_factors: int) -> FloatArray:
    """A point almost at the maximum, or one at which a deviation is found to vanish. Modes are exact enough for such
    steps."""

    def vanishes(at: FloatArray, gradient: FloatArray) -> bool:
        """Whether a deviation is small already and smaller values of it are more likely: it will be left out."""
        own = slice(len(at) - n_factors, None)
        return bool(((np.abs(at[own]) < BOUNDARY) & (gradient[own] * at[own] <= 0)).any())

    def longest(at: FloatArray, step: FloatArray) -> float:
        """Near zero the likelihood curves the other way in a deviation's direction, and full steps lead far away."""
        own = slice(len(at) - n_factors, None)
        return float(min(1.0, (np.maximum(0.05, np.abs(at[own]) / 2) / np.maximum(np.abs(step[own]), 1e-9)).min()))

    exact, mixed.within = mixed.within, _WITHIN
    n_cuts = mixed.plain.n_levels - 1
    found = maximise(mixed.log_marginal, start.parameters, start.guess, n_cuts, _CLIMBED, vanishes, longest)
    mixed.within = exact
    return found


def _rising(start: _Start, unsure: Sequence[str], modes: Modes, many: _Many) -> dict[str, float]:
    """Those of the factors left out in whose direction the likelihood rises beyond BOUNDARY, with its curvature there.

    At a deviation of σ close to zero the likelihood is c σ²/2 less a fourth power. So its slope is c σ at first, and
    its second derivative −2 c at the maximum.
    """
    names = many.arranged([*start.names, *unsure])
    parameters = start.with_factors(names, many.n_ratings, {}).parameters
    n_fixed = len(parameters) - len(names)
    for at, name in enumerate(names):
        if name in unsure:
            parameters[n_fixed + at] = BOUNDARY
    _, gradient = many.model(names, modes, follows=False).log_marginal(parameters)
    slopes = zip(names, gradient[n_fixed:].tolist(), strict=True)
    return {name: 2 * slope / BOUNDARY for name, slope in slopes if name in unsure and slope > 0}


def _finished(start: _Start, mixed: Mixed, many: _Many) -> Peak:
    """The peak next to where the climb ended, by Newton's method, and the information there."""
    found, names = start.parameters, by_size({name: many.factors[name] for name in start.names})
    if len(names) == 1 and many.options.n_nodes > 1:
        codes = [many.factors[names[0]]]
        return Peak(tuple(names), (), many.n_ratings, *highest(many.plain, codes, found, start.guess, many.options))
    value, gradient = mixed.log_marginal(found)
    around = information(mixed.log_marginal, found, gradient)
    if not decrement(gradient, around) < FLAT:
        found = maximise(mixed.log_marginal, found, around, many.plain.n_levels - 1)
        value, gradient = mixed.log_marginal(found)
        around = information(mixed.log_marginal, found, gradient)
    for _ in range(_STEPS):
        if not GAIN < decrement(gradient, around) < FLAT:
            break
        found = found + linalg.solve(around, gradient, assume_a="pos")
        value, gradient = mixed.log_marginal(found)
    n_fixed = len(found) - len(names)
    places = [start.names.index(name) for name in names]
    at = [*range(n_fixed), *(n_fixed + place for place in places)]
    left, working = decrement(gradient, around), mixed.working(found)
    working = replace(working, effects=tuple(working.effects[place] for place in places))
    return Peak(tuple(names), (), many.n_ratings, found[at], value, around[np.ix_(at, at)], left, working)
