"""From auditors' answers to the form that the statistics take: settled verdicts, distinct errors, one audit per
critic."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotations.reports.critic.data import EVERY_CRITIC, NOT_STATED, ORDINARY, CriticData, Flags
from annotations.stats.arrays import IntArray
from annotations.stats.critic.audit import CANNOT_TELL, CRITIC, PARTLY, RIGHT, Audit, Settled, settle_verdicts


def settled(data: CriticData) -> Settled:
    """One verdict per claim: the vote, or the adjudicator's verdict, which replaces it."""
    verdicts = data.verdicts
    return settle_verdicts(verdicts.claim, verdicts.value, n_claims=len(data.claims), adjudicated=verdicts.adjudicated)


@dataclass(frozen=True)
class Listed:
    """The distinct errors on auditors' lists, (n_errors,): group (−1 without a group), image, auditors who listed it,
    labels."""

    group: IntArray
    image: IntArray
    n_lists: IntArray
    facets: dict[str, NDArray[np.object_]]


def distinct_errors(data: CriticData, *, own: bool) -> Listed:
    """Entries that a person matched into one group are one error; each unmatched entry is an error of its own.

    own: only errors listed before the claims were seen. An error's label is the first that any auditor gave.
    """
    lists = data.lists
    rows = np.flatnonzero(lists.is_own) if own else np.arange(len(lists.group))
    group, auditor = lists.group[rows], lists.listed_auditor[rows]
    alone = group.max(initial=-1) + 1 + np.arange(len(rows))
    key, error = np.unique(np.where(group >= 0, group, alone), return_inverse=True)
    first = np.full(len(key), -1, np.int64)
    first[error[::-1]] = np.arange(len(rows))[::-1]
    pairs = np.unique(error * max(len(data.auditors), 1) + auditor) // max(len(data.auditors), 1)
    facets = {name: _first_labels(labels[rows], error, len(key)) for name, labels in lists.facets.items()}
    return Listed(group[first], lists.listed_image[rows][first], np.bincount(pairs, minlength=len(key)), facets)


def _first_labels(labels: NDArray[np.object_], error: IntArray, n: int) -> NDArray[np.object_]:
    found = np.full(n, NOT_STATED, object)
    stated = np.flatnonzero(labels != NOT_STATED)[::-1]
    found[error[stated]] = labels[stated]
    return found


@dataclass(frozen=True)
class CriticAudit:
    """One critic's audit, and which of the study's claims and images belong to it."""

    audit: Audit
    claims: IntArray
    images: IntArray


def audit_of(
    data: CriticData,
    verdict: IntArray,
    critic: int,
    *,
    images: Flags | None = None,
    own_lists: bool = False,
    with_controls: bool = True,
    pooled_with: int | None = None,
    error_free: Flags | None = None,
) -> CriticAudit:
    """The critic's judged claims about ordinary images it was shown, and what it missed there.

    verdict      (n_claims,) settled, −1 where nobody judged: such claims are left out
    images       (n_images,) which images; all ordinary ones that the critic was shown where omitted
    own_lists    take as known errors only those on lists made before the claims were seen, with the number of such
                 lists: what capture–recapture may use. Otherwise all lists count, and it is left undefined
    pooled_with  another critic whose right claims are known errors too
    error_free   (n_images,) images known, or found, to have no errors
    """
    chosen = data.seen[critic] & (data.control == ORDINARY) if images is None else images
    kept = np.flatnonzero(chosen)
    place = np.full(len(data.images), -1, np.int64)
    place[kept] = np.arange(len(kept))
    claims, lists = data.claims, data.lists
    is_own = (claims.critic == critic) & (claims.source == CRITIC)
    is_control = (claims.source != CRITIC) & np.isin(claims.critic, (critic, EVERY_CRITIC))
    used = np.flatnonzero((is_own | (is_control & with_controls)) & (verdict >= 0) & chosen[claims.image])
    errors = distinct_errors(data, own=own_lists)
    named = np.unique(claims.group[is_own & _is_right(verdict) & (claims.group >= 0)])
    missed = np.flatnonzero(chosen[errors.image] & ~np.isin(errors.group, named))
    missed_image, missed_lists = place[errors.image[missed]], errors.n_lists[missed]
    missed_facets = {name: errors.facets[name][missed].astype(str) for name in claims.facets if name in errors.facets}
    if pooled_with is not None:
        more = _errors_of_other(data, verdict, pooled_with, chosen, named, errors.group)
        missed_image = np.concatenate([missed_image, place[more]])
        missed_lists = np.concatenate([missed_lists, np.ones(len(more), np.int64)])
        missed_facets = {}
    is_search = lists.is_first if own_lists else np.ones(len(lists.image), bool)
    searches = np.bincount(lists.image[is_search], minlength=len(data.images))[kept]
    grouped = errors.group >= 0
    by_group = np.zeros(max(claims.group.max(initial=-1), errors.group.max(initial=-1)) + 2, np.int64)
    by_group[errors.group[grouped]] = errors.n_lists[grouped]
    has_searches = bool(searches.any())
    audit = Audit(
        len(kept),
        place[claims.image[used]],
        verdict[used],
        source=claims.source[used],
        error=claims.group[used],
        lists=by_group[claims.group[used]],  # −1 reads the last entry, which is 0
        missed_image=missed_image,
        missed_lists=missed_lists,
        searched=searches > 0,
        n_auditors=searches if own_lists and has_searches else None,
        # Audit fills in omitted arrays; its field has the type that it has afterwards.
        error_free=None if error_free is None else error_free[kept],  # type: ignore[arg-type]  # None as its default
        facets={} if pooled_with is not None else {n: labels[used].astype(str) for n, labels in claims.facets.items()},
        missed_facets=missed_facets,
    )
    return CriticAudit(audit, used, kept)


def _is_right(verdict: IntArray) -> Flags:
    return (verdict == RIGHT) | (verdict == PARTLY)


def _errors_of_other(
    data: CriticData, verdict: IntArray, other: int, chosen: Flags, named: IntArray, listed: IntArray
) -> IntArray:
    """(n,) the images of the errors that another critic names rightly and neither this one nor an auditor lists."""
    claims = data.claims
    rows = np.flatnonzero(
        (claims.critic == other) & (claims.source == CRITIC) & _is_right(verdict) & chosen[claims.image]
    )
    group = claims.group[rows]
    rows = rows[(group < 0) | ~(np.isin(group, named) | np.isin(group, listed))]
    group = claims.group[rows]
    key = np.where(group >= 0, group, claims.group.max(initial=-1) + 1 + np.arange(len(rows)))
    return claims.image[rows[np.unique(key, return_index=True)[1]]]


def found_error_free(data: CriticData, verdict: IntArray) -> Flags:
    """(n_images,) ordinary images that somebody searched and in which nobody found an error.

    No list names one and no critic's claim was judged right or partly right; an open claim keeps an image out, since it
    may still turn out to be right.
    """
    claims, lists = data.claims, data.lists
    free = data.control == ORDINARY
    free &= np.bincount(lists.image, minlength=len(data.images)) > 0
    free[lists.listed_image] = False
    speaks = (claims.source == CRITIC) & (_is_right(verdict) | (verdict == CANNOT_TELL))
    free[claims.image[speaks]] = False
    return free
