"""Does seeing the claims first change auditors' answers? Auditors who listed errors first against those who did not.

It is drawn at random who lists errors first on which image, so a difference is due to the order.
"""

from dataclasses import dataclass

import numpy as np

from annotations.reports.critic.data import ORDINARY, CriticData
from annotations.stats.arrays import FloatArray, IntArray
from annotations.stats.critic.audit import CANNOT_TELL, CRITIC, PARTLY, RIGHT, PartlyCounts, credit
from annotations.stats.estimate import Estimate, seed_of
from annotations.stats.intervals.cluster_sums import ratio, resample_sums, share_interval, symmetric_interval


@dataclass(frozen=True)
class Effect:
    """One figure for auditors who listed errors first, for those who saw the claims first, and the difference first −
    second."""

    lists_first: Estimate
    claims_first: Estimate
    difference: Estimate


@dataclass(frozen=True)
class Anchoring:
    accepted: Effect
    """Mean credit of the critics' claims: higher with the claims first means that seeing them persuades."""
    missed_listed: Effect
    """Errors that no right claim names, listed by an auditor of an image: fewer with the claims first means that the
    claims end the search."""


def anchoring(
    data: CriticData, verdict: IntArray, partly: PartlyCounts, rng: np.random.Generator, n_resamples: int
) -> Anchoring | None:
    """Both effects on ordinary images; None unless both orders occurred. Intervals resample whole images."""
    verdicts, lists = data.verdicts, data.lists
    ordinary = data.control == ORDINARY
    judged = (data.claims.source[verdicts.claim] == CRITIC) & ordinary[data.claims.image[verdicts.claim]]
    judged &= (verdicts.value != CANNOT_TELL) & (verdicts.lists_first >= 0)
    searches = ordinary[lists.image]
    orders = set(verdicts.lists_first[judged]) | {int(order) for order in lists.is_first[searches]}
    if orders != {0, 1}:
        return None
    accepted = _table(
        len(data.images),
        data.claims.image[verdicts.claim[judged]],
        credit(verdicts.value[judged], partly),
        verdicts.lists_first[judged] == 1,
    )
    n_missed = _missed_by_search(data, verdict)
    missed = _table(len(data.images), lists.image[searches], n_missed[searches], lists.is_first[searches])
    return Anchoring(
        _effect("claims_accepted", accepted, "mean credit of single verdicts", rng, n_resamples, is_share=True),
        _effect(
            "missed_errors_listed",
            missed,
            "errors that no right claim names, an auditor and image",
            rng,
            n_resamples,
            is_share=False,
        ),
    )


def _missed_by_search(data: CriticData, verdict: IntArray) -> FloatArray:
    """(n_searches,) how many distinct errors that no critic's right claim names are on the list of each search."""
    claims, lists = data.claims, data.lists
    is_right = (claims.source == CRITIC) & ((verdict == RIGHT) | (verdict == PARTLY)) & (claims.group >= 0)
    missed = np.flatnonzero(~np.isin(lists.group, claims.group[is_right]))
    alone = lists.group.max(initial=-1) + 1 + missed
    error = np.where(lists.group[missed] >= 0, lists.group[missed], alone)
    rows = np.unique(np.stack([lists.listed_image[missed], lists.listed_auditor[missed], error]), axis=1)
    n_auditors = max(len(data.auditors), 1)
    counts = np.bincount(rows[0] * n_auditors + rows[1], minlength=len(data.images) * n_auditors)
    return counts[lists.image * n_auditors + lists.auditor].astype(float)


def _table(n_images: int, image: IntArray, value: FloatArray, is_first: np.ndarray) -> FloatArray:
    """(n_images, 4) sum and number with the list first, sum and number with the claims first."""
    columns = []
    for side in (is_first, ~is_first):
        columns.append(np.bincount(image[side], value[side], minlength=n_images))
        columns.append(np.bincount(image[side], minlength=n_images))
    return np.stack(columns, axis=1).astype(float)


def _effect(
    name: str, table: FloatArray, method: str, rng: np.random.Generator, n_resamples: int, *, is_share: bool
) -> Effect:
    seed = seed_of(rng)
    resampled = resample_sums(table, rng=rng, n_resamples=n_resamples)
    totals = table.sum(axis=0)
    sides, means = [], []
    for place, words in ((0, "list before the claims"), (2, "claims before the list")):
        mean, spread = ratio(totals[place], totals[place + 1]), ratio(resampled[:, place], resampled[:, place + 1])
        n = {"answers": int(totals[place + 1]), "images": int((table[:, place + 1] > 0).sum())}
        what = f"{method}; {words}"
        if np.isnan(mean):
            sides.append(Estimate.undefined(name, what, "nobody worked in this order", n, seed))
        else:
            interval = (
                share_interval(float(mean), spread, n_clusters=n["images"], covers="images")
                if is_share
                else symmetric_interval(
                    float(mean), spread, n_clusters=n["images"], covers="images", bounds=(0.0, np.inf)
                )
            )
            sides.append(Estimate(name, float(mean), what, n, (interval,), seed))
        means.append((float(mean), spread))
    gap, n = means[0][0] - means[1][0], {"images": int((table[:, 1] + table[:, 3] > 0).sum())}
    what = f"list first minus claims first, {method}"
    if np.isnan(gap):
        difference = Estimate.undefined(f"{name}_difference", what, "nobody worked in one of the orders", n, seed)
    else:
        interval = symmetric_interval(
            gap,
            means[0][1] - means[1][1],
            n_clusters=n["images"],
            covers="images",
            bounds=(-1.0, 1.0) if is_share else (-np.inf, np.inf),
        )
        difference = Estimate(f"{name}_difference", gap, what, n, (interval,), seed)
    return Effect(sides[0], sides[1], difference)
