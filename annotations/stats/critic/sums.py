"""What accuracy is made of: sums per image of an audit, and the figures of their totals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotations.stats.arrays import FloatArray, IntArray
from annotations.stats.critic.audit import CANNOT_TELL, CRITIC, PARTLY, RIGHT, Audit, PartlyCounts, credit
from annotations.stats.critic.capture_recapture import unseen_counts
from annotations.stats.intervals.cluster_sums import ratio

CREDIT, JUDGED, FOUND, ERRORS, LISTED_FOUND, LISTED, PAIRED_FOUND, PAIRED, STRATA = range(9)
"""Columns of the sums per image. STRATA starts triples, one per number
of lists: errors only on the critic's list, only on one auditor's, and on two lists."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Errors:
    """The distinct errors of an audit, (n_errors,) each: those that a claim names, then those that were missed."""

    image: IntArray
    found: FloatArray
    """Credit of the claim that names it; 0 for a missed one."""
    by_critic: Mask
    lists: IntArray
    """How many auditors' lists contain it."""
    claim: IntArray
    """The claim that names it, among all claims; empty for missed errors."""


def errors_of(audit: Audit, partly: PartlyCounts) -> Errors:
    """One row per distinct error; of several claims that name one error of an image, the one with most credit."""
    value = credit(audit.verdict, partly)
    named = np.flatnonzero((audit.source == CRITIC) & ((audit.verdict == RIGHT) | (audit.verdict == PARTLY)))
    # A claim without an error code gets a code of its own, beyond the given ones.
    own = audit.error[named] < 0
    code = np.where(own, audit.error.max(initial=-1) + 1 + np.arange(len(named)), audit.error[named])
    order = np.lexsort((-value[named], code, audit.image[named]))
    key = np.stack([audit.image[named][order], code[order]])
    first = np.ones(len(named), bool)
    first[1:] = np.any(key[:, 1:] != key[:, :-1], axis=0)
    claim = named[order][first]
    n_missed = len(audit.missed_image)
    return Errors(
        np.concatenate([audit.image[claim], audit.missed_image]),
        np.concatenate([value[claim], np.zeros(n_missed)]),
        np.concatenate([np.ones(len(claim), bool), np.zeros(n_missed, bool)]),
        np.concatenate([audit.lists[claim], audit.missed_lists]),
        claim,
    )


def strata_of(audit: Audit) -> IntArray:
    """The numbers of lists (critic and auditors) that searched images have, where at least one auditor listed."""
    if audit.n_auditors is None:
        return np.zeros(0, np.int64)
    auditors = np.asarray(audit.n_auditors)
    return np.unique(auditors[audit.searched & (auditors > 0)]) + 1


def sums_per_image(audit: Audit, errors: Errors, *, claims: Mask, listed: Mask, partly: PartlyCounts) -> FloatArray:
    """(n_images, 8 + 3·n_strata) the columns above, over the chosen claims and the chosen errors.

    claims (n_claims,): those that count towards precision; listed (n_errors,): those that count towards recall.
    Images that nobody searched add nothing to the columns of errors.
    """
    judged = claims & (audit.verdict != CANNOT_TELL)
    value = credit(audit.verdict, partly)
    seen = listed & audit.searched[errors.image]
    auditors = np.zeros(audit.n_images, np.int64) if audit.n_auditors is None else np.asarray(audit.n_auditors)
    paired = seen & (auditors[errors.image] > 0)
    own = seen & (errors.lists > 0)

    def count(image: IntArray, weights: FloatArray | None, mask: Mask) -> FloatArray:
        return np.bincount(image[mask], None if weights is None else weights[mask], minlength=audit.n_images).astype(
            float
        )

    columns = [
        count(audit.image, value, judged),
        count(audit.image, None, judged),
        count(errors.image, errors.found, seen),
        count(errors.image, None, seen),
        count(errors.image, errors.found, own),
        count(errors.image, None, own),
        count(errors.image, errors.found, paired),
        count(errors.image, None, paired),
    ]
    captures = errors.lists + errors.by_critic
    for n_lists in strata_of(audit):
        here = paired & (auditors[errors.image] + 1 == n_lists)
        once = here & (captures == 1)
        triple = (once & errors.by_critic, once & ~errors.by_critic, here & (captures == 2))
        columns += [count(errors.image, None, mask) for mask in triple]
    return np.stack(columns, axis=1)


def precision(totals: FloatArray) -> FloatArray:
    return ratio(totals[..., CREDIT], totals[..., JUDGED])


def recall(totals: FloatArray) -> FloatArray:
    return ratio(totals[..., FOUND], totals[..., ERRORS])


def f1(totals: FloatArray) -> FloatArray:
    """Harmonic mean of precision and recall; 0 where both are 0, NaN where either is undefined."""
    p, r = precision(totals), recall(totals)
    return np.where(p + r == 0, 0.0, ratio(2 * p * r, p + r))


def recall_of_lists(totals: FloatArray) -> FloatArray:
    return ratio(totals[..., LISTED_FOUND], totals[..., LISTED])


def recall_corrected(totals: FloatArray, strata: IntArray) -> FloatArray:
    """Found / (listed + unseen), unseen by `chao_unlike` within each number of lists, added up."""
    unseen = np.zeros(totals.shape[:-1])
    for place, n_lists in enumerate(strata):
        alone, other, twice = (totals[..., STRATA + 3 * place + part] for part in range(3))
        unseen = unseen + unseen_counts(alone, other, twice, float(n_lists))
    return ratio(totals[..., PAIRED_FOUND], totals[..., PAIRED] + unseen)
