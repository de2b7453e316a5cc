"""Simulated raters and auditors, for demonstrations and for checking statistics against a known truth.

Plain arrays in, plain arrays out; nothing here knows what was rated. Everything follows from one seed, and a person's
answers about the first items stay the same when items or people are added after them. Everything made from these
answers must be labelled as simulated; the names already say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

LEVELS = 5
CUTS = (-2.25, -1.5, -0.75, -0.25)
"""The cut points at which the latent impression passes from one level to the next, in units of true quality (0 = no
error)."""
VERDICTS = ("right", "partly right", "wrong", "cannot tell")
WRONG_REASONS = ("not there", "misread", "about something else", "contradicts the prompt")
_RATER_STREAM, _RATING_STREAM, _AUDITOR_STREAM, _VERDICT_STREAM, _LISTING_STREAM = 11, 12, 13, 14, 15


@dataclass(frozen=True)
class RaterProfile:
    """How one simulated rater answers.

    severity   added to the cuts: a positive one needs more quality for the same level
    spread     scale of the logistic noise of an impression, in units of true quality
    lapse      chance of an answer without looking, with equally likely levels
    unable     chance of "unable to answer"
    median_ms  median active time per item; `ms_sigma` is the standard deviation of its logarithm
    straight_line  the level that this rater always gives (except for lapses); None for an attentive rater
    """

    name: str
    severity: float
    spread: float
    lapse: float
    unable: float
    median_ms: float
    ms_sigma: float = 0.45
    straight_line: int | None = None


@dataclass(frozen=True)
class SimulatedRatings:
    """Answers in long form, ordered by item and then rater; entry i is one answer.

    item       (n,) int, index into the given qualities
    rater      (n,) int, index into `panel`
    value      (n,) float, 1…5, NaN where the rater was unable to answer
    active_ms  (n,) int > 0
    """

    item: NDArray[np.int64]
    rater: NDArray[np.int64]
    value: NDArray[np.float64]
    active_ms: NDArray[np.int64]
    panel: tuple[RaterProfile, ...]
    n_items: int

    @property
    def unable(self) -> NDArray[np.bool_]:
        """(n,) whether the answer is "unable to answer"."""
        return np.isnan(self.value)

    def matrix(self) -> NDArray[np.float64]:
        """Raters × items, NaN where there is no answer or none could be given."""
        table = np.full((len(self.panel), self.n_items), np.nan)
        table[self.rater, self.item] = self.value
        return table


def rater_panel(count: int, seed: int, *, careless: bool = True) -> tuple[RaterProfile, ...]:
    """`count` raters of differing severity, spread and speed; with `careless` the last one straight-lines, fast.

    Raises ValueError for fewer than one rater, or for only a careless one.
    """
    if count < (2 if careless else 1):
        raise ValueError("a panel needs at least one attentive rater; raise `count` or set careless=False")
    panel = []
    for index in range(count):
        rng = _stream(seed, _RATER_STREAM, index)
        severity, spread = rng.normal(0, 0.2), 0.22 * np.exp(rng.normal(0, 0.25))
        lapse, unable = rng.uniform(0, 0.04), rng.uniform(0.002, 0.02)
        median_ms = 5200 * np.exp(rng.normal(0, 0.3))
        name = f"simulated rater {index + 1:02d}"
        if careless and index == count - 1:
            panel.append(RaterProfile(name, 0.0, 0.22, 0.06, 0.0, 900.0, 0.25, straight_line=4))
        else:
            panel.append(
                RaterProfile(name, float(severity), float(spread), float(lapse), float(unable), float(median_ms))
            )
    return tuple(panel)


def level_probabilities(quality: ArrayLike, rater: RaterProfile) -> NDArray[np.float64]:
    """(n_items, 5): the exact chance of each level, given that the rater answers at all.

    A cumulative logit model, P(level ≤ j) = logistic((cut_j + severity − quality) / spread) (McCullagh 1980,
    "Regression models for ordinal data", eq. 2.4), mixed with `lapse` uniform answers.
    """
    values = np.asarray(quality, dtype=float)
    if rater.straight_line is None:
        below = expit((np.array(CUTS) + rater.severity - values[:, None]) / rater.spread)
        ends = np.zeros((len(values), 1)), np.ones((len(values), 1))
        looked = np.diff(np.hstack([ends[0], below, ends[1]]), axis=1)
    else:
        looked = np.zeros((len(values), LEVELS))
        looked[:, rater.straight_line - 1] = 1.0
    return (1 - rater.lapse) * looked + rater.lapse / LEVELS


def simulate_ratings(
    quality: ArrayLike, panel: Sequence[RaterProfile], seed: int, *, raters_per_item: int | None = None
) -> SimulatedRatings:
    """Everybody's answers about items of the given true quality.

    quality (n_items,): 0 for a faultless item, minus 1 for each major error; finite.
    raters_per_item: how many of the panel answer about each item, in turn, so that all get equally many (±1) and nobody
    gets an item twice; everybody by default. Raises ValueError when it lies outside 1…len(panel), or a quality is not
    finite.
    """
    values = np.asarray(quality, dtype=float)
    each = len(panel) if raters_per_item is None else raters_per_item
    if not 1 <= each <= len(panel):
        raise ValueError(f"raters_per_item is {each}; it must lie in 1…{len(panel)}, the size of the panel")
    if not np.all(np.isfinite(values)):
        raise ValueError("true qualities must be finite")
    n_items = len(values)
    table = np.empty((len(panel), n_items))
    times = np.empty((len(panel), n_items), dtype=np.int64)
    for index, rater in enumerate(panel):
        # One row of draws per item, whether used or not, so that no answer depends on who else answers.
        rng = _stream(seed, _RATING_STREAM, index)
        draws = rng.random((n_items, 2))
        cumulative = np.cumsum(level_probabilities(values, rater), axis=1)[:, :-1]
        table[index] = 1 + np.sum(draws[:, :1] >= cumulative, axis=1)
        table[index, draws[:, 1] < rater.unable] = np.nan
        speed = _stream(seed, _RATING_STREAM, index, 1).normal(0, rater.ms_sigma, n_items)
        times[index] = np.maximum(1, np.rint(rater.median_ms * np.exp(speed))).astype(np.int64)
    item = np.repeat(np.arange(n_items), each)
    turn = np.arange(n_items)[:, None] * each + np.arange(each)
    rater_index = np.sort(turn % len(panel), axis=1).ravel()
    return SimulatedRatings(
        item, rater_index, table[rater_index, item], times[rater_index, item], tuple(panel), n_items
    )


@dataclass(frozen=True)
class AuditorProfile:
    """How one simulated auditor judges claims and finds errors.

    error        chance that a verdict is the opposite of the truth
    cannot_tell  chance of "cannot tell" instead of a verdict
    partly       chance that a claim judged right is called "partly right"
    detection    chance that a true error is listed by this auditor, independent for each error and auditor
    spurious     mean of the Poisson number of listed errors per image that are not errors
    median_ms    median active time per claim
    """

    name: str
    error: float
    cannot_tell: float
    partly: float
    detection: float
    spurious: float
    median_ms: float


@dataclass(frozen=True)
class SimulatedAudits:
    """Verdicts and listed errors in long form.

    claim, auditor  (n,) int   which claim was judged by whom
    verdict         (n,) str, one of VERDICTS
    reason          (n,) str, one of WRONG_REASONS for "wrong", else empty
    active_ms       (n,) int > 0
    listed_auditor, listed_image  (m,) int   who listed an error, and of which image
    listed_error    (m,) int   the true error that was listed, −1 for a spurious one
    lists_first     (n_auditors, n_images) bool: this auditor listed errors before seeing the claims. Otherwise errors
                    that a claim already names are not listed again.
    """

    claim: NDArray[np.int64]
    auditor: NDArray[np.int64]
    verdict: NDArray[np.str_]
    reason: NDArray[np.str_]
    active_ms: NDArray[np.int64]
    listed_auditor: NDArray[np.int64]
    listed_image: NDArray[np.int64]
    listed_error: NDArray[np.int64]
    lists_first: NDArray[np.bool_]
    panel: tuple[AuditorProfile, ...]


def auditor_panel(count: int, seed: int) -> tuple[AuditorProfile, ...]:
    """`count` careful auditors: verdict errors of 2–8%, detection of 65–85%."""
    panel = []
    for index in range(count):
        rng = _stream(seed, _AUDITOR_STREAM, index)
        error, cannot_tell, detection = rng.uniform(0.02, 0.08), rng.uniform(0.0, 0.03), rng.uniform(0.65, 0.85)
        median_ms = 7000 * np.exp(rng.normal(0, 0.25))
        name = f"simulated auditor {index + 1:02d}"
        panel.append(
            AuditorProfile(name, float(error), float(cannot_tell), 0.04, float(detection), 0.05, float(median_ms))
        )
    return tuple(panel)


def simulate_audits(
    *,
    claim_is_right: ArrayLike,
    error_image: ArrayLike,
    error_is_claimed: ArrayLike,
    n_images: int,
    panel: Sequence[AuditorProfile],
    seed: int,
    lists_first_share: float = 0.5,
) -> SimulatedAudits:
    """Every auditor's verdict on every claim, and the errors that each of them lists.

    claim_is_right    (n_claims,) bool, the truth about each claim
    error_image       (n_errors,) int in 0…n_images−1, the image of each true error
    error_is_claimed  (n_errors,) bool, whether some claim names the error: the others were missed
    lists_first_share chance that an auditor lists errors before seeing an image's claims, drawn for each auditor and
    image

    Raises ValueError when the arrays about errors differ in length or an image lies outside its range.
    """
    right = np.asarray(claim_is_right, dtype=bool)
    image = np.asarray(error_image, dtype=np.int64)
    claimed = np.asarray(error_is_claimed, dtype=bool)
    if len(image) != len(claimed):
        raise ValueError("error_image and error_is_claimed differ in length; give one entry of each per error")
    if len(image) and not 0 <= image.min() <= image.max() < n_images:
        raise ValueError(f"an error's image lies outside 0…{n_images - 1}")
    verdicts, reasons, times, listings = [], [], [], []
    lists_first = np.zeros((len(panel), n_images), dtype=bool)
    for index, auditor in enumerate(panel):
        draws = _stream(seed, _VERDICT_STREAM, index).random((len(right), 4))
        says_right = right ^ (draws[:, 0] < auditor.error)
        partly = says_right & (draws[:, 1] < auditor.partly)
        unsure = draws[:, 2] < auditor.cannot_tell
        verdict = np.select([unsure, partly, says_right], ["cannot tell", "partly right", "right"], "wrong")
        reason = np.array(WRONG_REASONS)[(draws[:, 3] * len(WRONG_REASONS)).astype(int)]
        verdicts.append(verdict)
        reasons.append(np.where(verdict == "wrong", reason, ""))
        speed = _stream(seed, _VERDICT_STREAM, index, 1).normal(0, 0.4, len(right))
        times.append(np.maximum(1, np.rint(auditor.median_ms * np.exp(speed))).astype(np.int64))
        lists_first[index] = _stream(seed, _LISTING_STREAM, index, 0).random(n_images) < lists_first_share
        found = _stream(seed, _LISTING_STREAM, index, 1).random(len(image)) < auditor.detection
        found &= ~claimed | lists_first[index, image]
        spurious = _stream(seed, _LISTING_STREAM, index, 2).poisson(auditor.spurious, n_images)
        of_image = np.concatenate([image[found], np.repeat(np.arange(n_images), spurious)])
        of_error = np.concatenate([np.flatnonzero(found), np.full(int(spurious.sum()), -1)])
        listings.append(np.stack([np.full(len(of_image), index), of_image, of_error]))
    listed = np.concatenate(listings, axis=1) if listings else np.zeros((3, 0), dtype=np.int64)
    return SimulatedAudits(
        claim=np.tile(np.arange(len(right)), len(panel)),
        auditor=np.repeat(np.arange(len(panel)), len(right)),
        verdict=_joined(verdicts, np.str_),
        reason=_joined(reasons, np.str_),
        active_ms=_joined(times, np.int64),
        listed_auditor=listed[0].astype(np.int64),
        listed_image=listed[1].astype(np.int64),
        listed_error=listed[2].astype(np.int64),
        lists_first=lists_first,
        panel=tuple(panel),
    )


def _joined(parts: Sequence[NDArray], dtype: type) -> NDArray:
    return np.concatenate(parts).astype(dtype) if parts else np.zeros(0, dtype=dtype)


def _stream(seed: int, *key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
