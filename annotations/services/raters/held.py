"""How many cards a rater may hold: enough to continue, even without a network, and no more than others can spare."""

from datetime import datetime

from annotations.models import Rater, Study
from annotations.models.participation import RaterPlan
from annotations.queries import rating as queries
from annotations.queries.raters import checks

FIRST_ITEMS = 2
"""How many cards are reserved for a rater who came through the invitation and has not answered yet: the item in view
and the next. Each answer lets them hold one more, up to the study's batch. So strangers who join and leave hold
little."""
CARDS_AHEAD = 20
"""How many cards a rating page holds after the one in view, so that a rater can continue without a network."""
FEW_CARDS = 5
"""A page that holds no more than this gets its next batch, even if the study has few cards left."""
AHEAD_PER_ANSWER = 10
"""By how many cards each answer of a rater who came through the invitation raises their limit for `CARDS_AHEAD`: they
reach all of it after two. A rater who only looks in holds `FIRST_ITEMS`. If a rater answers and leaves, others do not
lack the cards that they hold, because these are assigned only if the study has plenty left."""


def room_of(rater: Rater, study: Study, plan: RaterPlan, now: datetime, *, is_ahead: bool) -> int:
    """How many further cards may be reserved for this rater now."""
    left = checks.n_left(rater, plan, now)
    if not is_ahead and not rater.came_by_invitation and left is None:
        return study.batch_size
    n_held, n_answered = queries.n_held_and_answered(rater, most=max(study.batch_size, CARDS_AHEAD + 1))
    most = min(study.batch_size, FIRST_ITEMS + n_answered) if rater.came_by_invitation else study.batch_size + n_held
    if is_ahead:
        if n_held > FEW_CARDS:
            most = min(most, n_held)
        most = max(most, n_held + _room_ahead(rater, study, plan, n_held, n_answered))
    return max(0, (most if left is None else min(most, left)) - n_held)


def _room_ahead(rater: Rater, study: Study, plan: RaterPlan, n_held: int, n_answered: int) -> int:
    """How many further cards this rater's page may keep ready. None if others could lack them: besides these, as many
    places must be free as all raters hold."""
    most = CARDS_AHEAD + 1
    if rater.came_by_invitation:
        most = min(most, FIRST_ITEMS + AHEAD_PER_ANSWER * n_answered)
    if plan.shares.keys() & {"repeat", "mirror"}:
        most = min(most, n_answered)  # only what is answered can be repeated: cards given out early would hold none
    if n_held >= most:
        return 0
    wanted = max(study.batch_size, most - n_held) if most > CARDS_AHEAD else most - n_held
    return wanted if queries.has_plenty(study.pk, wanted) else 0
