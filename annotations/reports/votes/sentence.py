"""The sentence that answers the question."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

from annotations.reports.documents.estimates import ReportedEstimate
from annotations.reports.documents.preferences import PreferencePart, ReportedPair, ReportedStrength
from annotations.reports.estimates import leading
from annotations.reports.numbers import counted, p_value

MOST_NAMED = 5
ALPHA = 0.05
_LEVEL = 1e-9
"""Strengths that differ by less are equal but for rounding."""


def answer(part: PreferencePart, uncorrected: Sequence[str] = ()) -> str:
    """Which method wins, and how certain that is: one sentence of plain text, with its full stop.

    uncorrected: the methods in first place without the correction for sides or places; empty where that is not known
    """
    if part.n_methods == 2 and part.kind == "votes":
        return _of_two(part)
    ranked = _ranked(part)
    basis = _basis(part)
    if said := _without_strength(part, ranked):
        return said
    if not ranked and not any(row.wins for row in part.strengths) and part.n_ties:
        if part.n == 1:
            them = f"{_noun(part)} {_between(part)} the {part.n_methods} methods"
            return f"The only {them} is a tie, so it gives no ranking."
        them = f"{_noun(part)}s {_between(part)} the {part.n_methods} methods"
        return f"All {part.n:,} {them} are ties, so they give no ranking."
    if not ranked:
        return f"{basis} {'does' if part.n == 1 else 'do'} not rank them: {part.note}."
    best = ranked[0]
    most = best.log_worth.value or 0.0
    level = [row.method for row in ranked if most - (row.log_worth.value or 0.0) < _LEVEL]
    first = f"{best.method} does best" if len(level) == 1 else f"{_some(level, 'methods')} are level in first place"
    if part.n_methods == len(ranked) == 2:
        first = f"{best.method} does better" if len(level) == 1 else f"{_and(level)} are level"
    figures = _figures(best, "it" if len(level) == 1 else best.method)
    alike = _not_distinguished(part, ranked)
    if len(level) < len(ranked) and (said := _level_by_figure(part, ranked, uncorrected, is_certain=not alike.n)):
        return f"{said}{_not_ranked(part, ranked)} ({basis})."
    against_next = _against_next(part, best, ranked[1], is_alone=alike.has_next) if len(level) == 1 else ""
    said = figures + against_next + _not_ranked(part, ranked)
    if best.rank_low is None:
        why = next((each.reason for each in best.log_worth.intervals if each.reason), "")
        held = f"whether this holds for other {best.log_worth.intervals[0].covers} cannot be said: {why}"
        return f"{first} in these {basis}: {said}; {held}."
    if not alike.n:
        them = "all others" if len(ranked) == part.n_methods else "all others that can be ranked"
        them = ranked[1].method if len(ranked) == 2 else them
        return f"{best.method} is preferred to {them}: {said} ({basis})."
    if len(ranked) == part.n_methods and _distinguish_none(ranked):
        them = f"{best.method} from {ranked[1].method}" if len(ranked) == 2 else f"the {len(ranked)} methods"
        return f"The {_noun(part)}s do not distinguish {them}; {first}: {said} ({basis})."
    if others := alike.others(level):
        first += f" but {'is' if len(level) == 1 else 'are'} not distinguished from {others}"
    return f"{first}: {said} ({basis})."


def _ranked(part: PreferencePart) -> list[ReportedStrength]:
    return [row for row in part.strengths if row.log_worth.value is not None]


# --- methods with the same figure ------------------------------------------------------------------------------------
def sharing_first_figure(part: PreferencePart) -> list[str]:
    """The method with the largest strength, and those with the same mean rank, or for votes the same win rate."""
    ranked = _ranked(part)
    if not ranked or (first := _counted_figure(ranked[0])) is None:
        return []
    return [row.method for row in ranked if abs((_counted_figure(row) or 0.0) - first) < _LEVEL]


def _counted_figure(row: ReportedStrength) -> float | None:
    return row.mean_rank.value if row.mean_rank else row.win_rate


def _level_by_figure(
    part: PreferencePart, ranked: Sequence[ReportedStrength], uncorrected: Sequence[str], *, is_certain: bool
) -> str:
    """That methods are level, if the best one's lead comes only from the correction for sides or places, or if all have
    the same figure and the lead is not certain; else empty."""
    best, sharing = ranked[0], sharing_first_figure(part)
    level = [name for name in sharing if name in uncorrected]
    figure = f"the mean rank of each is {best.mean_rank.value:.2f}" if best.mean_rank else ""
    figure = figure or f"each wins {best.win_rate:.0%} of its votes, ties as halves"
    corrected = ""
    if best.method in level and len(level) > 1:
        what = "sides" if part.kind == "votes" else "places on the screen"
        corrected = f"; only the correction for {what} puts {best.method} first"
    if len(sharing) == part.n_methods > 2 and (corrected or not is_certain):
        return f"All {part.n_methods} methods are level: {figure}{corrected}"
    if len(sharing) == part.n_methods and (corrected or not is_certain):
        return f"{_and(sharing)} are level: {figure}{corrected}"
    return f"{_some(level, 'methods')} are level in first place: {figure}{corrected}" if corrected else ""


# --- which methods the best one is not distinguished from ----------------------------------------------------------
@dataclass(frozen=True)
class _Alike:
    """Methods that the best one is not distinguished from: how many, their names if they are known, and whether the
    next best one is among them."""

    n: int
    names: tuple[str, ...]
    has_next: bool

    def others(self, level: Sequence[str]) -> str:
        """In words, without those that are level with the best one."""
        if not self.names:
            left = self.n - len(level) + 1
            return counted(left, "other") if left > 0 else ""
        named = [name for name in self.names if name not in level]
        return _some(named, "others") if named else ""


def _not_distinguished(part: PreferencePart, ranked: Sequence[ReportedStrength]) -> _Alike:
    """By the ranks, whose rule is Bonferroni's over the differences from the best method, or because they share a
    letter with it, whose rule is Holm's over all pairs.

    Of very many methods not every pair is compared: there are no letters, and the ranks give only the number.
    """
    best, *others = ranked
    n_by_rank = (best.rank_high or 1) - 1
    p = {one.second: one.p for one in part.differences if one.first == best.method}
    by_rank = {method for method, of_pair in p.items() if of_pair is None or of_pair * len(others) >= ALPHA}
    has_next = others[0].method in by_rank
    if len(p) < len(others):
        return _Alike(n_by_rank, (), has_next)
    letters = set(best.letters)
    names = [row.method for row in others if row.method in by_rank or letters & set(row.letters)]
    return _Alike(len(names), tuple(names), others[0].method in names)


def _distinguish_none(ranked: Sequence[ReportedStrength]) -> bool:
    """Neither ranks nor letters distinguish any two methods."""
    if any((row.rank_low, row.rank_high) != (1, len(ranked)) for row in ranked):
        return False
    return not any(row.letters for row in ranked) or bool(set.intersection(*(set(row.letters) for row in ranked)))


def _basis(part: PreferencePart) -> str:
    prior = f", with a {part.prior}" if part.prior else ""
    kind = "best–worst " if part.kind == "best_worst" else ""
    return (
        f"{counted(part.n, f'{kind}{_noun(part)}')} {_between(part)} {part.n_methods} methods{_by_raters(part)}{prior}"
    )


def _between(part: PreferencePart) -> str:
    return {"votes": "between", "rankings": "of"}.get(part.kind, "among")


# --- methods without a strength --------------------------------------------------------------------------------------
def _without_strength(part: PreferencePart, ranked: Sequence[ReportedStrength]) -> str:
    """The sentence where a method that has no strength may be the best one; empty where the strongest is the best.

    A method that lost to no other, or a group of such methods, comes before those that the model ranks.
    """
    has_met = {row.method for row in part.strengths if row.n}
    groups = [group for group in part.unbeaten if has_met.intersection(group)]
    if len(groups) > 1:
        firsts = [group[0] for group in groups]
        shown = _and(firsts) if len(firsts) <= MOST_NAMED else f"{len(firsts)} methods, such as {_and(firsts[:2])},"
        do = "does" if part.n == 1 else "do"
        why = f"nothing compares {shown} with each other, directly or through other methods"
        return f"{_basis(part)} {do} not show which method is best: {why}."
    if len(part.strengths) == len(ranked) or not groups or {row.method for row in ranked}.intersection(groups[0]):
        return ""
    if len(groups[0]) == part.n_methods:
        return ""
    if len(groups[0]) == 1:
        return _unbeaten(part, next(row for row in part.strengths if row.method == groups[0][0]))
    after = [row.method for row in part.strengths if row.method not in groups[0]]
    others = f"the other {len(after)} methods" if len(after) > 1 else after[0]
    pair = next((one for one in part.pairs if {one.first, one.second} == set(groups[0])), None)
    if len(groups[0]) == 2 and pair and pair.win_rate.value is not None:
        said = _decided(pair, part.kind, is_one_of_many=True)
        return f"{said}; both come before {others} in every comparison ({_basis(part)})."
    return f"{_and(groups[0])} come before {others} in every comparison, and are not ranked ({_basis(part)})."


def _unbeaten(part: PreferencePart, row: ReportedStrength) -> str:
    """The method that won all its votes: against which others, and what holds for other prompts and raters."""
    pairs = [one for one in part.pairs if row.method in (one.first, one.second)]
    rivals = [one.second if one.first == row.method else one.first for one in pairs]
    shown = _and(rivals) if len(rivals) <= MOST_NAMED else f"{len(rivals)} other methods"
    if part.kind == "votes":
        all_of_them = {1: "its only vote", 2: "both its votes"}.get(row.wins, f"all {row.wins:,} of its votes")
        said = f"{row.method} won {all_of_them}, against {shown}"
    else:
        said = f"{row.method} {_always_first(row.n_ranked or 0, part.kind)}"
    found = [(bounds, rival) for one, rival in zip(pairs, rivals, strict=True) if (bounds := _bounds(one, row.method))]
    if not found:
        reasons = (each.reason for one in pairs for each in one.win_rate.intervals if each.reason)
        why = next(reasons, "there is no interval")
        return f"{said}; whether this holds for other prompts and raters cannot be said: {why} ({_basis(part)})."
    (low, high, covers), rival = min(found)
    share = f"its share of those against {rival}" if part.kind == "votes" else f"how often it comes before {rival}"
    share += f" has the 95% interval {low:.0%}–{high:.0%} over {covers}"
    is_open = "" if low > 0.5 else f", so this may not hold for other {covers}"
    return f"{said}; {share}{is_open} ({_basis(part)})."


def _always_first(n: int, kind: str) -> str:
    """That a method comes first whenever it is shown, which is n times."""
    if kind == "best_worst":
        times = {1: "the only time it was shown", 2: "both times"}.get(n, f"all {n:,} times")
        return f"was chosen as the best {times}"
    those = {1: "the only ranking that includes", 2: "both rankings that include"}
    return f"is first in {those.get(n, f'all {n:,} rankings that include')} it"


def _bounds(pair: ReportedPair, method: str) -> tuple[float, float, str] | None:
    """The interval of the share of decided votes for this method of a pair, and what it covers."""
    found = leading(pair.win_rate)
    if found is None or found.bounds is None:
        return None
    low, high = found.bounds
    return (low, high, found.covers) if pair.first == method else (1 - high, 1 - low, found.covers)


def _not_ranked(part: PreferencePart, ranked: Sequence[ReportedStrength]) -> str:
    missing = [row.method for row in part.strengths if row.method not in {each.method for each in ranked}]
    if not missing:
        return ""
    shown = _and(missing) if len(missing) <= MOST_NAMED else f"{len(missing)} methods"
    return f"; {shown} {'is' if len(missing) == 1 else 'are'} not ranked"


# --- the figures -----------------------------------------------------------------------------------------------------
def _by_raters(part: PreferencePart) -> str:
    return f" by {counted(part.n_raters, 'rater')}" if part.n_raters else ""


def _against_next(part: PreferencePart, best: ReportedStrength, second: ReportedStrength, *, is_alone: bool) -> str:
    """How often the best method beats the next one by the model, and how certain that is; empty if unknown.

    The difference of two strengths is the log odds that the first wins, given that one of them does. is_alone: the
    ranks do not distinguish the two, which an interval for this pair alone may do.
    """
    pair = next((one for one in part.differences if (one.first, one.second) == (best.method, second.method)), None)
    found = leading(pair.log_odds) if pair else None
    if pair is None or pair.log_odds.value is None or found is None or found.low is None or found.high is None:
        return ""
    chance, low, high = (1 / (1 + exp(min(-odds, 700.0))) for odds in (pair.log_odds.value, found.low, found.high))
    if part.kind == "votes":
        said = f"and an estimated {chance:.0%} of decided votes against {second.method}, the next best"
    else:
        following = "" if part.n_methods == 2 else ", the next best,"
        beats, of = "is preferred to", "comparisons"
        if part.kind == "rankings":
            beats, of = "comes before", "rankings without ties"
        said = f"and it {beats} {second.method}{following} in an estimated {chance:.0%} of {of}"
    alone = " for this pair alone" if is_alone and low > 0.5 else ""
    p = _p_of(pair.log_odds, found.covers, pair.p)
    return f", {said}, 95% interval over {found.covers} {low:.0%}–{high:.0%}{p}{alone}"


def _p_of(estimate: ReportedEstimate, covers: str, p: float | None) -> str:
    """p after an interval over this population, which p is of if the estimate's first interval is."""
    return f", {p_value(p)}" if p is not None and estimate.intervals[0].covers == covers else ""


def _noun(part: PreferencePart) -> str:
    return {"votes": "vote", "rankings": "ranking"}.get(part.kind, "choice")


def _figures(best: ReportedStrength, subject: str) -> str:
    """The figures behind the best method's place."""
    rank = best.mean_rank
    if rank is None:
        return f"{subject} wins {best.win_rate:.0%} of its votes, ties as halves"
    whose = "its" if subject == "it" else f"{subject}'s"
    words = f"{whose} mean rank is {rank.value:.2f}"
    if found := leading(rank):
        words += f", 95% interval over {found.covers} {found.low:.2f}–{found.high:.2f}"
    return words


def _of_two(part: PreferencePart) -> str:
    """Two methods: the share of decided votes, its interval, and the ties."""
    pair = part.pairs[0]
    rate = pair.win_rate
    if rate.value is None:
        if pair.n == 1:
            return f"The only vote between {pair.first} and {pair.second} is a tie."
        return f"All {pair.ties:,} votes between {pair.first} and {pair.second} are ties."
    said = _decided(pair, "votes")
    first, found = rate.intervals[0] if rate.intervals else None, leading(rate)
    if found is None:
        said = f"The votes are too few to say whether {pair.first} or {pair.second} is preferred: {said}"
    if first and first is not found:
        said += f"; no interval over {first.covers}: {first.reason}"
    votes = f"{counted(pair.n, 'vote')}{_by_raters(part)}"
    if not pair.ties:
        return f"{said} ({votes}, no ties)."
    return f"{said}; {counted(pair.ties, 'tie')} ({pair.tie_share.value:.0%} of {votes})."


def _decided(pair: ReportedPair, kind: str, *, is_one_of_many: bool = False) -> str:
    """The share of decided votes for the better of two methods, with its interval, without a full stop.

    is_one_of_many: the sentence is of other methods, too, so that it names both.
    """
    rate, n = pair.win_rate, pair.wins + pair.losses
    better, worse = (pair.second, pair.first) if pair.wins < pair.losses else (pair.first, pair.second)
    most, answers = max(pair.wins, pair.losses), {"votes": "votes", "rankings": "rankings"}.get(kind, "choices")
    bounds = _bounds(pair, better)
    is_open = bounds is not None and bounds[0] <= 0.5
    if kind == "votes":
        said = f"{better} is preferred in {most / n:.0%} of {n:,} decided votes"
        said += f" against {worse}" if is_one_of_many else ""
        one, of_half = f"the only decided vote is for {better}", f"half of the {n:,} decided votes"
        half = f"each won {of_half}" if is_open or not is_one_of_many else f"{better} and {worse} each won {of_half}"
    else:
        said = f"{better} comes before {worse} in {most / n:.0%} of the {n:,} {answers} that separate them"
        one = f"the only {answers[:-1]} that separates them puts {better} before {worse}"
        of_half = f"half of the {n:,} {answers} that separate them"
        half = f"each comes first in {of_half}" if is_open else f"{better} and {worse} each come first in {of_half}"
    said = one if n == 1 else half if pair.wins == pair.losses else said
    if bounds:
        low, high, covers = bounds
        said += f", 95% interval over {covers} {low:.0%}–{high:.0%}{_p_of(rate, covers, pair.p)}"
    if is_open:
        return f"The {answers} do not distinguish {better} from {worse}: {said}"
    return f"{said[0].upper()}{said[1:]}" if is_one_of_many and n == 1 else said


def ties(part: PreferencePart) -> str:
    """How many ties there are, and of which kind: 12 of the 60 votes are ties: 7 “both good” and 5 “both bad”.

    Rankings are counted as comparisons of two methods.
    """
    named = {kind: n for kind, n in sorted(part.tie_kinds.items()) if kind != "tie" and n}
    if len(named) == 1 and (kind := next(iter(named))) and named[kind] == part.n_ties:
        return f"The only tie is “{kind}”." if part.n_ties == 1 else f"All {part.n_ties:,} ties are “{kind}”."
    what, of = "votes", part.n
    if part.kind != "votes":
        what, of = "comparisons of two methods", sum(row.n for row in part.strengths) // 2
    said = f"{part.n_ties:,} of the {of:,} {what} {'is a tie' if part.n_ties == 1 else 'are ties'}"
    if part.n_ties == of:
        said = f"All {of:,} {what} are ties" if of > 1 else "The only vote is a tie"
    kinds = [f"{n:,} “{kind}”" for kind, n in named.items()]
    return f"{said}: {_and(kinds)}." if kinds else f"{said}."


def _some(names: Sequence[str], noun: str) -> str:
    """The names, or how many there are."""
    return _and(names) if len(names) <= MOST_NAMED else f"{len(names)} {noun}"


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
