"""How far a critic can be trusted: precision, recall and F1 of its claims, false alarms, and gain over a control.

Images are what was sampled, so every interval over "images" resamples whole images with all their claims and errors;
the Wilson interval next to it counts claims as if they were independent and is, as a rule, too short.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotations.stats.arrays import FloatArray
from annotations.stats.critic import sums
from annotations.stats.critic.audit import CANNOT_TELL, CRITIC, PARTLY, PLANTED, RIGHT, WRONG, Audit, PartlyCounts
from annotations.stats.critic.capture_recapture import Unseen, chao_unlike, chapman
from annotations.stats.critic.comparison import Difference, above_control
from annotations.stats.critic.sums import Errors, Mask
from annotations.stats.estimate import Estimate, seed_of
from annotations.stats.intervals.cluster_sums import (
    N_RESAMPLES,
    clustered_share,
    resample_sums,
    share_interval,
    symmetric_interval,
)
from annotations.stats.intervals.wilson import proportion, wilson


@dataclass(frozen=True, slots=True)
class CriticRow:
    """A critic's accuracy over all claims (facet and label empty) or over those with one label of a facet."""

    facet: str
    label: str
    precision: Estimate
    recall: Estimate
    """Among the errors that anybody listed. Too high, since errors that nobody listed do not count."""
    f1: Estimate
    recall_corrected: Estimate
    """Among all errors, with unlisted ones estimated by capture–recapture; still an upper bound."""
    recall_of_lists: Estimate
    """Among the errors on auditors' own lists: not biased upwards if the lists were made before the claims were
    seen."""


@dataclass(frozen=True, slots=True)
class CriticReport:
    """Everything about one critic; statistics for which the audit has no data are undefined and say why."""

    overall: CriticRow
    by_facet: tuple[CriticRow, ...]
    cannot_tell: Estimate
    """Share of the critic's claims on which no verdict could be given."""
    false_alarm_rate: Estimate
    """Share of error-free images on which the critic claims an error, whatever the verdict on the claim."""
    false_claims_per_image: Estimate
    """Mean number of claims on an error-free image."""
    unseen: tuple[Unseen, ...]
    """Errors that nobody listed, by `chao_unlike`, for each number of lists (critic and auditors) that images have."""
    unseen_two_lists: Unseen | None
    """The same by Chapman: the critic's list against all auditors' lists as one; None without separate lists."""
    above_control: Difference | None
    """Precision minus that of the same critic shown a wrong image, on the same images; None without a control."""
    planted_accepted: Estimate
    """Share of planted false claims that were judged right or partly right: how far the auditors are misled."""


@dataclass(frozen=True, slots=True)
class _Options:
    partly: PartlyCounts
    rng: np.random.Generator
    n_resamples: int
    level: float


def critic_accuracy(
    audit: Audit,
    *,
    rng: np.random.Generator,
    partly: PartlyCounts = "half",
    n_resamples: int = N_RESAMPLES,
    n_permutations: int = N_RESAMPLES - 1,
    level: float = 0.95,
) -> CriticReport:
    """All figures of one critic.

    With c the credit of a claim (right 1, wrong 0, partly right by `partly`; "cannot tell" is not a verdict):
    precision = Σ c / number of claims with a verdict; recall = Σ c over distinct errors / (distinct errors named right
    or partly right + missed ones), over searched images; F1 = 2PR/(P + R), 0 where both are 0.
    A partly right claim points at an error that exists, so under every convention that error is in recall's
    denominator. Controls and planted claims are left out of everything but `above_control` and `planted_accepted`.
    Each figure has the intervals "images" (bootstrap of whole images) and, where it is a share, "claims" or "errors"
    (Wilson). Rows of a facet come in the order of its sorted labels.
    """
    options = _Options(partly, rng, n_resamples, level)
    errors = sums.errors_of(audit, partly)
    real = audit.source == CRITIC
    everything = np.ones(len(errors.image), bool)
    clean = audit.error_free
    return CriticReport(
        _row("", "", audit, errors, real, everything, options, ""),
        tuple(row for name in audit.facets for row in _facet_rows(name, audit, errors, options)),
        clustered_share(
            "cannot_tell_share",
            (audit.verdict[real] == CANNOT_TELL).astype(float),
            audit.image[real],
            n_clusters=audit.n_images,
            rng=rng,
            items="claims",
            covers="images",
            method="claims judged 'cannot tell' over all claims of the critic",
            n_resamples=n_resamples,
            level=level,
        ),
        *_false_alarms(np.bincount(audit.image[real], minlength=audit.n_images)[clean].astype(float), options),
        _unseen(audit, errors, level),
        _two_lists(audit, errors, level),
        above_control(
            audit, partly=partly, rng=rng, n_resamples=n_resamples, n_permutations=n_permutations, level=level
        ),
        _planted(audit, options),
    )


def _facet_rows(name: str, audit: Audit, errors: Errors, options: _Options) -> list[CriticRow]:
    labels = np.asarray(audit.facets[name]).astype(str)
    real = audit.source == CRITIC
    missed = audit.missed_facets.get(name)
    reason = ""
    if missed is None and len(audit.missed_image):
        reason = f"missed errors carry no {name}"
    of_missed = np.full(len(audit.missed_image), "\0") if missed is None else np.asarray(missed).astype(str)
    of_error = np.concatenate([labels[errors.claim], of_missed])
    every = np.union1d(labels[real], of_missed[of_missed != "\0"])
    return [
        _row(name, str(label), audit, errors, real & (labels == label), of_error == label, options, reason)
        for label in every
    ]


def _row(
    facet: str, label: str, audit: Audit, errors: Errors, claims: Mask, listed: Mask, options: _Options, reason: str
) -> CriticRow:
    table = sums.sums_per_image(audit, errors, claims=claims, listed=listed, partly=options.partly)
    totals = table.sum(axis=0)
    resampled = resample_sums(table, rng=options.rng, n_resamples=options.n_resamples)
    strata = sums.strata_of(audit)
    verdicts = np.bincount(audit.verdict[claims], minlength=4)
    n = {
        "claims": int(verdicts.sum()),
        "judged": int(totals[sums.JUDGED]),
        "right": int(verdicts[RIGHT]),
        "partly": int(verdicts[PARTLY]),
        "wrong": int(verdicts[WRONG]),
        "cannot_tell": int(verdicts[CANNOT_TELL]),
        "errors": int(totals[sums.ERRORS]),
        "missed": int((listed & ~errors.by_critic & audit.searched[errors.image]).sum()),
        "images": audit.n_images,
        "searched": int(audit.searched.sum()),
    }

    def estimate(
        statistic: str,
        figure: Callable[[FloatArray], FloatArray],
        method: str,
        columns: tuple[int, ...],
        why_not: str,
        wilson_of: tuple[int, int, str] | None = None,
    ) -> Estimate:
        value = float(figure(totals))
        convention = f"{method}; a partly right claim counts as {options.partly}"
        seed = seed_of(options.rng)
        if np.isnan(value) or why_not in (reason, _NO_LISTS):
            return Estimate.undefined(statistic, convention, why_not, n, seed)
        carrying = int(np.any(table[:, columns] > 0, axis=1).sum())
        intervals = [
            share_interval(value, figure(resampled), n_clusters=carrying, covers="images", level=options.level)
        ]
        if wilson_of:
            hits, total, covers = wilson_of
            intervals.append(wilson(totals[hits], totals[total], covers=covers, level=options.level))
        return Estimate(statistic, value, convention, n, tuple(intervals), seed)

    searched = "no error was found or missed in a searched image"
    no_errors = reason or (searched if audit.searched.any() else "nobody searched for missed errors")
    no_lists = reason or (_NO_LISTS if audit.n_auditors is None else "no error is on an auditor's list")
    return CriticRow(
        facet,
        label,
        estimate(
            "critic_precision",
            sums.precision,
            "credit over claims with a verdict, 'cannot tell' left out",
            (sums.JUDGED,),
            "no claim with a verdict",
            (sums.CREDIT, sums.JUDGED, "claims"),
        ),
        estimate(
            "critic_recall",
            sums.recall,
            "credit over distinct errors that the critic or an auditor named",
            (sums.ERRORS,),
            no_errors,
            (sums.FOUND, sums.ERRORS, "errors"),
        ),
        estimate(
            "critic_f1",
            sums.f1,
            "harmonic mean of precision and recall",
            (sums.JUDGED, sums.ERRORS),
            reason or "precision or recall is undefined",
        ),
        estimate(
            "critic_recall_corrected",
            lambda totals: sums.recall_corrected(totals, strata),
            "credit over distinct errors listed plus those unseen by Chao's form for a critic unlike the auditors",
            (sums.PAIRED,),
            no_lists,
        ),
        estimate(
            "critic_recall_of_lists",
            sums.recall_of_lists,
            "credit over distinct errors on auditors' own lists",
            (sums.LISTED,),
            no_lists,
            (sums.LISTED_FOUND, sums.LISTED, "errors"),
        ),
    )


_NO_LISTS = "auditors' own lists were not kept apart from the claims"


def _false_alarms(claims: NDArray[np.float64], options: _Options) -> tuple[Estimate, Estimate]:
    """From the number of claims on each error-free image, (n_clean,)."""
    n_clean, seed = len(claims), seed_of(options.rng)
    names = ("critic_false_alarm_rate", "critic_false_claims_per_image")
    methods = (
        "error-free images with at least one claim of an error, whatever its verdict",
        "mean number of claims on an error-free image",
    )
    if n_clean == 0:
        reason = "no image is known to be free of errors"
        rate, mean = (
            Estimate.undefined(name, method, reason, {"images": 0}, seed)
            for name, method in zip(names, methods, strict=True)
        )
        return rate, mean
    alarms = int((claims > 0).sum())
    rate = proportion(names[0], alarms, n_clean, covers="images", method=methods[0], level=options.level)
    resampled = resample_sums(claims[:, None], rng=options.rng, n_resamples=options.n_resamples)[:, 0] / n_clean
    interval = symmetric_interval(
        float(claims.mean()),
        resampled,
        n_clusters=n_clean,
        covers="images",
        bounds=(0.0, np.inf),
        level=options.level,
    )
    return rate, Estimate(names[1], float(claims.mean()), methods[1], {"images": n_clean}, (interval,), seed)


def _unseen(audit: Audit, errors: Errors, level: float) -> tuple[Unseen, ...]:
    if audit.n_auditors is None:
        return ()
    lists = np.asarray(audit.n_auditors)[errors.image] + 1
    captures = errors.lists + errors.by_critic
    seen = audit.searched[errors.image]
    return tuple(
        chao_unlike(captures[here], errors.by_critic[here], n_lists=int(n_lists), level=level)
        for n_lists, here in ((each, seen & (lists == each)) for each in sums.strata_of(audit))
    )


def _two_lists(audit: Audit, errors: Errors, level: float) -> Unseen | None:
    if audit.n_auditors is None:
        return None
    seen = audit.searched[errors.image] & (np.asarray(audit.n_auditors)[errors.image] > 0)
    on_lists = seen & (errors.lists > 0)
    by_critic = seen & errors.by_critic
    return chapman(int(by_critic.sum()), int(on_lists.sum()), int((by_critic & on_lists).sum()), level=level)


def _planted(audit: Audit, options: _Options) -> Estimate:
    judged = (audit.source == PLANTED) & (audit.verdict != CANNOT_TELL)
    return clustered_share(
        "planted_claims_accepted",
        (audit.verdict[judged] != WRONG).astype(float),
        audit.image[judged],
        n_clusters=audit.n_images,
        rng=options.rng,
        items="claims",
        covers="images",
        method="planted false claims judged right or partly right, over those with a verdict",
        n_resamples=options.n_resamples,
        level=options.level,
    )
