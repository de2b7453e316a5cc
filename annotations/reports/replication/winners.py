"""Who wins by the votes or rankings of each of two studies, and whether it is the same method."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from annotations.reports.documents.preferences import PreferencePart, ReportedPair
from annotations.reports.estimates import leading
from annotations.reports.votes.document import preference_part
from annotations.stats.preferences.rankings import Rankings
from annotations.stats.preferences.votes import Votes

LEVEL = 1e-9
"""Strengths that differ by less are equal but for rounding."""


@dataclass(frozen=True)
class Leader:
    """The best method of one study, or several that are level; none if the answers do not show which is best.

    is_decided  the answers distinguish it from all others; sentence: the study's own answer
    """

    methods: tuple[str, ...]
    is_decided: bool
    sentence: str
    compared: frozenset[str]


@dataclass(frozen=True)
class Winners:
    first: Leader
    second: Leader

    @property
    def sentence(self) -> str:
        """Who wins in each, and whether it is the same, in one sentence."""
        one, other = self.first, self.second
        if not one.methods and not other.methods:
            return f"Neither study shows which method is best.{self._other_methods}"
        for which, shows, leads, leader in (("first", "second", one, other), ("second", "first", other, one)):
            if not leader.methods:
                return (
                    f"Whether the winner is the same is not known: {_said(leads, f'the {which} study')}, and the "
                    f"{shows} study does not show which method is best.{self._other_methods}"
                )
        return self._of_both + self._other_methods

    def named(self) -> tuple[tuple[str, Leader], tuple[str, Leader]]:
        return ("First", self.first), ("Second", self.second)

    @property
    def _of_both(self) -> str:
        one, other = self.first, self.second
        names = _and(one.methods)
        if set(one.methods) == set(other.methods):
            if len(one.methods) > 1:
                return f"The two studies have the same result: {names} are level in first place in both."
            if one.is_decided and other.is_decided:
                return f"The winner is the same: {names} wins in both studies."
            if not one.is_decided and not other.is_decided:
                return f"{names} is ahead in both studies, but neither decides that it wins."
            decided, open_ = ("first", "second") if one.is_decided else ("second", "first")
            return f"{names} wins in the {decided} study and is ahead in the {open_}, which does not decide."
        both = f"{_said(one, 'the first study')}, and {_said(other, 'the second')}"
        if one.is_decided and other.is_decided:
            return f"The winner is not the same: {both}."
        return f"The studies do not agree on a winner: {both}."

    @property
    def _other_methods(self) -> str:
        return "" if self.first.compared == self.second.compared else " The studies do not compare the same methods."


def winners(first: Votes | Rankings, second: Votes | Rankings) -> Winners:
    return Winners(*(leader_of(preference_part(replace(data, facets={}))) for data in (first, second)))


def leader_of(part: PreferencePart) -> Leader:
    """The best method by the part's strengths; of two methods by their share of the decided votes."""
    names, is_decided = _of_two(part.pairs[0]) if part.n_methods == 2 and part.kind == "votes" else _of_many(part)
    compared = frozenset(row.method for row in part.strengths)
    return Leader(tuple(names), is_decided, part.sentence, compared)


def _of_two(pair: ReportedPair) -> tuple[Sequence[str], bool]:
    if pair.wins == pair.losses:
        return (pair.first, pair.second), False
    better = pair.first if pair.wins > pair.losses else pair.second
    return (better,), _is_beyond_half(pair, better)


def _of_many(part: PreferencePart) -> tuple[Sequence[str], bool]:
    ranked = [row for row in part.strengths if row.log_worth.value is not None]
    has_met = {row.method for row in part.strengths if row.n}
    groups = [group for group in part.unbeaten if has_met.intersection(group)]
    if len(groups) > 1 or not (ranked or groups):
        return (), False
    if groups and not {row.method for row in ranked}.intersection(groups[0]):
        # What lost to no other has no finite strength, and comes before those that have one.
        best, *level = groups[0]
        pairs = [pair for pair in part.pairs if best in (pair.first, pair.second)]
        return groups[0], not level and bool(pairs) and all(_is_beyond_half(pair, best) for pair in pairs)
    if not ranked:
        return (), False
    most = ranked[0].log_worth.value or 0.0
    level = [row.method for row in ranked if most - (row.log_worth.value or 0.0) < LEVEL]
    return level, len(level) == 1 and ranked[0].rank_high == 1


def _is_beyond_half(pair: ReportedPair, method: str) -> bool:
    """Whether the interval of the method's share of decided votes is above a half."""
    found = leading(pair.win_rate)
    if found is None or found.bounds is None:
        return False
    low, high = found.bounds
    return low > 0.5 if pair.first == method else high < 0.5


def _said(leader: Leader, where: str) -> str:
    names = _and(leader.methods)
    if len(leader.methods) > 1:
        return f"in {where} {names} are level in first place"
    return f"in {where} {names} wins" if leader.is_decided else f"in {where} {names} is ahead without deciding it"


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
