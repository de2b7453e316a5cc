"""The sentence, the ranks and the letters agree on which methods the best one is not distinguished from."""

import re

import numpy as np
import pytest

from annotations.reports.documents.preferences import PreferencePart
from annotations.reports.votes.document import preference_part
from annotations.stats.preferences.rankings import Rankings
from annotations.stats.preferences.votes import Votes


def random_votes(seed: int) -> Votes:
    """Three to nine methods of random strengths; raters and prompts with tastes of their own."""
    rng = np.random.default_rng(seed)
    k, n, n_raters, n_prompts = rng.integers(3, 10), rng.integers(60, 500), rng.integers(3, 12), rng.integers(4, 30)
    worth = np.sort(rng.normal(0, rng.uniform(0.2, 1.5), k))[::-1]
    first = rng.integers(0, k, n)
    second = (first + rng.integers(1, k, n)) % k
    rater, prompt = rng.integers(0, n_raters, n), rng.integers(0, n_prompts, n)
    taste = rng.normal(0, 0.5, (n_prompts, k)) + worth
    odds = taste[prompt, first] - taste[prompt, second] + rng.logistic(size=n)
    outcome = np.where(rng.random(n) < 0.1, 2, (odds < 0).astype(int))
    return Votes([f"M{chr(65 + at)}" for at in range(k)], first, second, outcome, rater, prompt)


def random_rankings(seed: int) -> Rankings:
    rng = np.random.default_rng(seed)
    k, n_raters, n_prompts = rng.integers(3, 7), rng.integers(3, 7), rng.integers(5, 20)
    rater, prompt = np.tile(np.arange(n_raters), n_prompts), np.repeat(np.arange(n_prompts), n_raters)
    worth = rng.normal(0, rng.uniform(0.2, 1.2), k) + rng.normal(0, 0.4, (n_prompts, k))
    score = worth[prompt] + rng.gumbel(size=(len(prompt), k))
    rank = np.tile(np.arange(1, k + 1), (len(prompt), 1))
    return Rankings([f"M{chr(65 + at)}" for at in range(k)], np.argsort(-score, axis=1), rank, rater, prompt)


def claimed(part: PreferencePart) -> set[str] | int:
    """The methods that the sentence says the best one is not distinguished from, or how many they are."""
    said, best = part.sentence, part.strengths[0].method
    others = {row.method for row in part.strengths[1:] if row.log_worth.value is not None}
    if said.startswith(f"{best} is preferred to all others"):
        return set()
    if said.startswith(f"The {'vote' if part.kind == 'votes' else 'ranking'}s do not distinguish the {part.n_methods}"):
        return others
    found = re.match(rf"{best} does best but is not distinguished from ([^:]*): ", said)
    assert found, said
    if many := re.fullmatch(r"(\d+) others?", found[1]):
        return int(many[1])
    return set(re.findall(r"M[A-I]", found[1]))


def check(part: PreferencePart) -> bool:
    """Whether the part has ranks; asserts that the sentence agrees with them and with the letters."""
    ranked = [row for row in part.strengths if row.log_worth.value is not None]
    if len(ranked) < 3 or ranked[0].rank_high is None or " come before " in part.sentence or " won " in part.sentence:
        return False
    best, *others = ranked
    assert best.rank_high is not None
    named = claimed(part)
    sharing = {row.method for row in others if set(row.letters) & set(best.letters)}
    p = {one.second: one.p for one in part.differences if one.first == best.method}
    by_rank = {method for method, of_pair in p.items() if of_pair is not None and of_pair * len(others) >= 0.05}
    assert len(by_rank) == best.rank_high - 1
    expected = by_rank | sharing
    assert named == (len(expected) if isinstance(named, int) else expected)
    if part.sentence.startswith("The "):
        assert all((row.rank_low, row.rank_high) == (1, len(ranked)) for row in ranked)
        assert set.intersection(*(set(row.letters) for row in ranked))
    return True


@pytest.mark.parametrize("start", range(0, 80, 40))
def test_votes(start: int) -> None:
    assert sum(check(preference_part(random_votes(seed))) for seed in range(start, start + 40)) > 30


def test_rankings() -> None:
    assert sum(check(preference_part(random_rankings(seed))) for seed in range(30)) > 25


def test_of_seventy_methods_their_number_is_that_of_the_ranks() -> None:
    rng = np.random.default_rng(3)
    k, n = 70, 9_000
    worth = np.linspace(1.2, 0, k)
    often = rng.dirichlet(np.full(k, 2.0))  # methods with few votes have wide intervals
    first = rng.choice(k, n, p=often)
    second = (first + rng.integers(1, k, n)) % k
    outcome = (worth[first] - worth[second] + rng.logistic(size=n) < 0).astype(int)
    part = preference_part(Votes([f"m{at:02}" for at in range(k)], first, second, outcome))
    best = part.strengths[0]
    assert best.rank_high is not None
    assert 1 < best.rank_high < k
    assert best.rank_high != sum(row.rank_low == 1 for row in part.strengths)
    assert f"{best.method} does best but is not distinguished from {best.rank_high - 1} others: " in part.sentence
