"""The sentence that answers the question."""

from collections.abc import Sequence

from annotations.reports.documents.preferences import PreferencePart, ReportedPair, ReportedStrength
from annotations.reports.estimates import leading
from annotations.reports.numbers import counted

MOST_NAMED = 5


def answer(part: PreferencePart) -> str:
    """Who wins, and how sure: one sentence of plain text, with its full stop."""
    if part.n_methods == 2 and part.kind == "votes":
        return _of_two(part.pairs[0])
    ranked = [row for row in part.strengths if row.log_worth.value is not None]
    basis = f"{counted(part.n, _noun(part))} of {part.n_methods} methods"
    if not ranked:
        return f"{basis} do not rank them: {part.note}."
    best, names = ranked[0], [row.method for row in ranked if row.rank_low == 1]
    if best.rank_low is None:
        why = next((each.reason for each in best.log_worth.intervals if each.reason), "")
        return f"{best.method} does best in these {basis}; how sure that is cannot be said: {why}."
    said = _figures(best)
    if len(names) == 1:
        return f"{best.method} is preferred to all others: {said} ({basis})."
    if len(names) == len(ranked):
        return f"The votes do not distinguish the {len(ranked)} methods: {best.method} does best, {said} ({basis})."
    others = names[1:] if names[0] == best.method else [name for name in names if name != best.method]
    shown = _and(others) if len(others) <= MOST_NAMED else f"{len(others)} others"
    return f"{best.method} does best, {said}, but is not distinguished from {shown} ({basis})."


def _noun(part: PreferencePart) -> str:
    return "vote" if part.kind == "votes" else "ranking"


def _figures(best: ReportedStrength) -> str:
    """What the best method's place rests on."""
    rank = best.mean_rank
    if rank is None:
        return f"it wins {best.win_rate:.0%} of its votes, ties as halves"
    words = f"its mean rank is {rank.value:.2f}"
    if found := leading(rank):
        words += f", 95% interval over {found.covers} {found.low:.2f}–{found.high:.2f}"
    return words


def _of_two(pair: ReportedPair) -> str:
    """Two methods: the share of decided votes, its interval, and the ties."""
    rate = pair.win_rate
    if rate.value is None:
        return f"All {pair.ties:,} votes between {pair.first} and {pair.second} are ties."
    is_turned = rate.value < 0.5
    better, worse = (pair.second, pair.first) if is_turned else (pair.first, pair.second)
    share = 1 - rate.value if is_turned else rate.value
    said = f"{better} is preferred in {share:.0%} of {pair.wins + pair.losses:,} decided votes"
    first = rate.intervals[0] if rate.intervals else None
    if first and first.bounds:
        low, high = first.bounds
        low, high = (1 - high, 1 - low) if is_turned else (low, high)
        said += f", 95% interval over {first.covers} {low:.0%}–{high:.0%}"
        if low <= 0.5:
            said = f"The votes do not distinguish {better} from {worse}: {said}"
    elif first:
        said += f"; no interval over {first.covers}: {first.reason}"
    return f"{said}; {counted(pair.ties, 'tie')} ({pair.tie_share.value:.0%} of {pair.n:,} votes)."


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
