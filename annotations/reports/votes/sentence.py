"""The sentence that answers the question."""

from collections.abc import Sequence
from math import exp

from annotations.reports.documents.preferences import PreferencePart, ReportedStrength
from annotations.reports.estimates import leading
from annotations.reports.numbers import counted

MOST_NAMED = 5


def answer(part: PreferencePart) -> str:
    """Which method wins, and how certain that is: one sentence of plain text, with its full stop."""
    if part.n_methods == 2 and part.kind == "votes":
        return _of_two(part)
    ranked = [row for row in part.strengths if row.log_worth.value is not None]
    basis = f"{counted(part.n, _noun(part))} of {part.n_methods} methods{_by_raters(part)}"
    if not ranked:
        return f"{basis} do not rank them: {part.note}."
    best, names = ranked[0], [row.method for row in ranked if row.rank_low == 1]
    said = _figures(best) + _against_next(part, best, ranked[1])
    if best.rank_low is None:
        why = next((each.reason for each in best.log_worth.intervals if each.reason), "")
        held = f"whether this holds for other {best.log_worth.intervals[0].covers} cannot be said: {why}"
        return f"{best.method} does best in these {basis}: {said}; {held}."
    if len(names) == 1:
        return f"{best.method} is preferred to all others: {said} ({basis})."
    if len(names) == len(ranked):
        them = f"The {_noun(part)}s do not distinguish the {len(ranked)} methods"
        return f"{them}; {best.method} does best: {said} ({basis})."
    others = names[1:] if names[0] == best.method else [name for name in names if name != best.method]
    shown = _and(others) if len(others) <= MOST_NAMED else f"{len(others)} others"
    return f"{best.method} does best but is not distinguished from {shown}: {said} ({basis})."


def _by_raters(part: PreferencePart) -> str:
    return f" by {counted(part.n_raters, 'rater')}" if part.n_raters else ""


def _against_next(part: PreferencePart, best: ReportedStrength, second: ReportedStrength) -> str:
    """How often the best method beats the next one by the model, and how certain that is; empty if unknown.

    The difference of two strengths is the log odds that the first wins, given that one of them does.
    """
    pair = next((one for one in part.differences if (one.first, one.second) == (best.method, second.method)), None)
    found = leading(pair.log_odds) if pair else None
    if pair is None or pair.log_odds.value is None or found is None or found.low is None or found.high is None:
        return ""
    chance, low, high = (1 / (1 + exp(min(-odds, 700.0))) for odds in (pair.log_odds.value, found.low, found.high))
    if part.kind == "votes":
        said = f"and an estimated {chance:.0%} of decided votes against {second.method}, the next best"
    else:
        said = (
            f"and it comes before {second.method}, the next best, in an estimated {chance:.0%} of rankings without ties"
        )
    return f", {said}, 95% interval over {found.covers} {low:.0%}–{high:.0%}"


def _noun(part: PreferencePart) -> str:
    return "vote" if part.kind == "votes" else "ranking"


def _figures(best: ReportedStrength) -> str:
    """The figures behind the best method's place."""
    rank = best.mean_rank
    if rank is None:
        return f"it wins {best.win_rate:.0%} of its votes, ties as halves"
    words = f"its mean rank is {rank.value:.2f}"
    if found := leading(rank):
        words += f", 95% interval over {found.covers} {found.low:.2f}–{found.high:.2f}"
    return words


def _of_two(part: PreferencePart) -> str:
    """Two methods: the share of decided votes, its interval, and the ties."""
    pair = part.pairs[0]
    rate = pair.win_rate
    if rate.value is None:
        return f"All {pair.ties:,} votes between {pair.first} and {pair.second} are ties."
    is_turned = rate.value < 0.5
    better, worse = (pair.second, pair.first) if is_turned else (pair.first, pair.second)
    share = 1 - rate.value if is_turned else rate.value
    said = f"{better} is preferred in {share:.0%} of {pair.wins + pair.losses:,} decided votes"
    first, found = rate.intervals[0] if rate.intervals else None, leading(rate)
    if found and found.bounds:
        low, high = found.bounds
        low, high = (1 - high, 1 - low) if is_turned else (low, high)
        said += f", 95% interval over {found.covers} {low:.0%}–{high:.0%}"
        if low <= 0.5:
            said = f"The votes do not distinguish {better} from {worse}: {said}"
    if first and first is not found:
        said += f"; no interval over {first.covers}: {first.reason}"
    votes = f"{counted(pair.n, 'vote')}{_by_raters(part)}"
    return f"{said}; {counted(pair.ties, 'tie')} ({pair.tie_share.value:.0%} of {votes})."


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
