"""Which methods are first before strengths are corrected for sides, or for places on the screen?"""

from annotations.stats.preferences import bradley_terry as model
from annotations.stats.preferences.newton import NotConverged
from annotations.stats.preferences.plackett_luce import fit_rankings
from annotations.stats.preferences.rankings import Rankings
from annotations.stats.preferences.strengths import only_among, ranked_group
from annotations.stats.preferences.votes import Votes

_LEVEL = 1e-6
"""Log-worths that differ by less are equal but for rounding."""


def first_uncorrected(data: Votes | Rankings, *, n_pseudo: float = 0.0) -> list[str]:
    """The strongest method of a fit without an effect of the side or place, with those that are level with it; empty
    where there is no such fit."""
    votes = data.votes() if isinstance(data, Rankings) else data
    group, why = ranked_group(votes, n_pseudo)
    if why:
        return []
    try:
        if isinstance(data, Rankings):
            worth = fit_rankings(data.among(group), with_place=False, n_pseudo=n_pseudo).log_worth
        else:
            worth = model.fit(only_among(votes, group), with_side=False, n_pseudo=n_pseudo).log_worth
    except NotConverged:
        return []
    return [data.methods[code] for code, own in zip(group, worth, strict=True) if worth.max() - own < _LEVEL]
