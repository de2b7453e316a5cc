"""How well raters agree in their votes on the same images."""

from dataclasses import replace

import numpy as np

from annotations.stats.agreement.alpha import krippendorff_alpha
from annotations.stats.estimate import Estimate
from annotations.stats.preferences.votes import TIE, Votes
from annotations.stats.ratings import Ratings

MOST_RATERS = 500
"""With more raters, none of them is left out in turn, and the interval is over units only."""


ANSWERS = (0, 1)
"""Levels of the answers “first” and “second”."""


def exchanged_answers(votes: Votes | None) -> tuple[int, int] | None:
    """The answers that mean other methods in other units: “first” and “second” among three or more methods.

    Which method of a pair is called the first is then up to names or rows, and agreement must not depend on it.
    """
    if votes is None:
        return None
    return ANSWERS if len(np.unique(np.concatenate([votes.first, votes.second]))) > 2 else None


def votes_alpha(votes: Votes, *, most_raters: int = MOST_RATERS) -> Estimate:
    """Krippendorff's nominal alpha of the answers first, second and tie; a unit is a pair of methods on one prompt.

    Its interval is over raters, else over units. If a rater voted several times on a unit, the first vote counts, and a
    note says so. Of three or more methods, half of each unit counts with “first” and “second” exchanged, since they
    mean other methods in other units. Undefined with a reason where raters or prompts are unknown, or no unit has votes
    of two raters. Near 0 where nearly all votes are for one of two methods: raters then agree about as often as chance
    predicts.
    """
    if votes.rater is None or votes.prompt is None:
        why = f"the votes do not say which {'rater' if votes.rater is None else 'prompt'} they belong to"
        return Estimate.undefined("krippendorff_alpha_nominal", "Krippendorff's alpha, nominal", why)
    k = len(votes.methods)
    is_turned = votes.first > votes.second
    answer = np.where(is_turned & (votes.outcome != TIE), 1 - votes.outcome, votes.outcome)
    pair = np.minimum(votes.first, votes.second) * k + np.maximum(votes.first, votes.second)
    units, unit = np.unique(np.stack([pair, votes.prompt]), axis=1, return_inverse=True)
    raters, rater = np.unique(votes.rater, return_inverse=True)
    unit = unit.ravel()
    kept = np.sort(np.unique(unit * len(raters) + rater, return_index=True)[1])
    ratings = Ratings(unit[kept], rater[kept], answer[kept], np.arange(3.0), units.shape[1], len(raters))
    rng = np.random.default_rng(0) if len(raters) <= most_raters else None
    covers = ("raters",) if rng else ("units",)
    found = krippendorff_alpha(ratings, "nominal", rng=rng, covers=covers, exchanged=exchanged_answers(votes))
    n_left_out = len(unit) - len(kept)
    return replace(found, notes=(*found.notes, f"repeated votes left out: {n_left_out:,}")) if n_left_out else found
