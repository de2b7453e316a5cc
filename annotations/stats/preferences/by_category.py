"""Strengths within every category of prompts, and whether the categories differ in them: method × category."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from annotations.stats.arrays import FloatArray
from annotations.stats.intervals.crossed_clusters import FEWEST
from annotations.stats.intervals.equal_means import Interaction, welch_james
from annotations.stats.intervals.several import holm
from annotations.stats.preferences import bradley_terry as model
from annotations.stats.preferences.newton import NotConverged, invert
from annotations.stats.preferences.plackett_luce import RankingSample
from annotations.stats.preferences.rankings import Rankings
from annotations.stats.preferences.spread import Sample
from annotations.stats.preferences.strengths import (
    Strengths,
    only_among,
    ranked_group,
    ranking_strengths,
    strengths,
    with_place_if_bounded,
    with_side_if_bounded,
)
from annotations.stats.preferences.votes import LOSES, WINS, Codes, Facet, Votes
from annotations.stats.preferences.win_rate import WinRate, win_rate

MOST_CATEGORIES = 24
_PER_FIGURE = 3
"""Prompts that a category needs in the test, for each method but one: with fewer, their covariance is too uncertain."""
_SINGULAR = 1e-9


@dataclass(frozen=True)
class CategoryStrengths:
    """One category. n: its votes or rankings; n_prompts: 0 if their prompts are unknown.

    pair    the two methods if there are only two, with the winner over all votes first
    p_holm  Holm's correction of its p over the categories
    """

    category: str
    n: int
    n_prompts: int
    strengths: Strengths
    pair: WinRate | None
    p_holm: float


@dataclass(frozen=True)
class FacetStrengths:
    """All categories of one facet, and the test of whether methods differ in the same way in all of them."""

    categories: tuple[CategoryStrengths, ...]
    interaction: Interaction


def usable_facets(data: Votes | Rankings) -> tuple[list[str], dict[str, str]]:
    """The facets that have few categories with enough prompts each, and why the others are left out.

    A facet with one category for all votes is not mentioned: there is nothing to compare.
    """
    usable, left_out = [], {}
    for name, facet in data.facets.items():
        counts = _sizes(data, facet)
        if len(counts) < 2:
            continue
        if len(counts) > MOST_CATEGORIES:
            left_out[name] = f"it has {len(counts)} values, more than {MOST_CATEGORIES}"
        elif min(counts.values()) < FEWEST:
            n = min(counts.values())
            one, several = ("vote or ranking", "votes or rankings") if data.prompt is None else ("prompt", "prompts")
            left_out[name] = f"one category has only {n} {one if n == 1 else several}; at least {FEWEST} are needed"
        else:
            usable.append(name)
    return usable, left_out


def strengths_by_category(data: Votes | Rankings, facet: Facet, *, n_pseudo: float = 0.0) -> FacetStrengths:
    """Strengths from the votes or rankings of each single category, in the order of the facet's names; see
    `strengths`."""
    found = []
    order = (0, 1)
    if isinstance(data, Votes) and len(data.methods) == 2:
        net = ((data.outcome == WINS).astype(int) - (data.outcome == LOSES)) * np.where(data.first == 0, 1, -1)
        order = (0, 1) if data.count @ net >= 0 else (1, 0)
    for code, name in enumerate(facet.names):
        mask = facet.code == code
        if not mask.any():
            continue
        own = data.only(mask)
        pair = None
        if isinstance(own, Rankings):
            ranked = ranking_strengths(own, n_pseudo=n_pseudo)
        else:
            ranked = strengths(own, n_pseudo=n_pseudo)
            pair = win_rate(own, *order) if len(own.methods) == 2 else None
        n_prompts = 0 if own.prompt is None else len(np.unique(own.prompt))
        found.append(CategoryStrengths(name, own.n, n_prompts, ranked, pair, float("nan")))
    adjusted = holm([one.pair.p if one.pair else float("nan") for one in found])
    corrected = tuple(replace(one, p_holm=float(p)) for one, p in zip(found, adjusted, strict=True))
    return FacetStrengths(corrected, interaction(data, facet))


def interaction(data: Votes | Rankings, facet: Facet) -> Interaction:
    """The test that differences of strength are the same in all categories, over prompts, for these raters.

    From the fit to all votes, one Newton step gives every category its own strengths; each prompt's part in that step
    is one observation, and the categories' means are compared by `welch_james`. A category with too few prompts, or in
    which the methods do not all meet, is left out of the test. Votes with unknown prompts are separate observations.
    """
    fitted = _fit_of_all(data, facet)
    if isinstance(fitted, str):
        return Interaction.undefined(fitted)
    inner, sample, within = fitted
    k = sample.n_methods
    groups, left_out, few = [], [], []
    least, what = _PER_FIGURE * (k - 1), "votes" if inner.prompt is None else "prompts"
    for code, name in enumerate(facet.names):
        mask = within.code == code
        if not mask.any():
            continue
        prompts = np.arange(len(mask)) if inner.prompt is None else inner.prompt
        steps = _steps(sample, mask, np.asarray(prompts[mask], np.int64))
        if steps is None:
            left_out.append(f"the answers in {name} do not join all methods")
        elif len(steps) < least:
            few.append(f"{name} has {len(steps)}")
            left_out.append(f"{name} has {len(steps)} of the {least} {what} that are needed")
        elif not _varies(steps, sample.information_of(mask), k):
            left_out.append(f"the prompts in {name} do not vary in all methods")
        else:
            groups.append(steps)
    if len(groups) < 2:
        if few and len(few) == len(left_out):
            return Interaction.undefined(f"at least two categories need {least} {what} or more", few)
        return Interaction.undefined("fewer than two categories can be compared", left_out)
    return replace(welch_james(groups), left_out=tuple(left_out))


def _fit_of_all(data: Votes | Rankings, facet: Facet) -> tuple[Votes | Rankings, Sample, Facet] | str:
    """What the largest group of joined methods is compared by, its fit, and its categories; or why there is none."""
    data = replace(data, facets={"": facet})
    group, why = ranked_group(data.votes() if isinstance(data, Rankings) else data, 0.0)
    if why:
        return why
    try:
        if isinstance(data, Rankings):
            of_group = data.among(group)
            fitted, _has_bounds = with_place_if_bounded(of_group, 0.0)
            return of_group, RankingSample(of_group, fitted), of_group.facets[""]
        votes = only_among(data, group)
        return votes, model.VoteSample(votes, with_side_if_bounded(votes, 0.0)[0]), votes.facets[""]
    except NotConverged:
        return "no finite strengths fit the answers of all categories"


def _steps(sample: Sample, mask: np.ndarray, prompt: Codes) -> FloatArray | None:
    """(n_prompts, k − 1): each prompt's part in the category's step, as differences to the last method.

    Their mean is the step. None where the category's votes do not join all methods.
    """
    k = sample.n_methods
    information = sample.information_of(mask)
    values = np.linalg.eigvalsh(information[:k, :k])
    if values[1] < _SINGULAR * values[-1]:
        return None
    index = np.unique(prompt, return_inverse=True)[1].ravel()
    n = int(index.max()) + 1
    scores = sample.scores()[np.flatnonzero(mask)]
    sums = np.zeros((n, scores.shape[1]))
    rows, columns = scores.nonzero()
    np.add.at(sums, (index[rows], columns), np.asarray(scores[rows, columns]).ravel())
    moved = n * sums @ invert(information, k)[:, :k]
    return np.asarray(moved[:, :-1] - moved[:, -1:])


def _varies(steps: FloatArray, information: FloatArray, k: int) -> bool:
    """Whether the steps (n_prompts, k − 1) vary in all directions, by more than rounding makes them."""
    usual = len(steps) * float(np.diag(invert(information, k))[:k].max())
    values = np.linalg.eigvalsh(np.atleast_2d(np.cov(steps, rowvar=False)))
    return bool(values[0] > _SINGULAR * max(usual, values[-1]))


def _sizes(data: Votes | Rankings, facet: Facet) -> Mapping[str, int]:
    """How many prompts each category has, or votes where prompts are unknown."""
    sizes = {}
    for code, name in enumerate(facet.names):
        mask = facet.code == code
        if mask.any():
            sizes[name] = int(mask.sum()) if data.prompt is None else len(np.unique(data.prompt[mask]))
    return sizes
