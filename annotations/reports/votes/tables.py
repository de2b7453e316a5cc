"""The document's figures on votes and rankings as the tables that `analyze` writes and every page offers."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from annotations.reports.documents.estimates import ReportedEstimate
from annotations.reports.documents.preferences import (
    PreferenceDocument,
    PreferenceFacet,
    PreferencePart,
    StrengthDifference,
)
from annotations.reports.documents.study import StudyDocument
from annotations.reports.documents.supporting import ReportedFewest
from annotations.reports.estimates import ends

Row = Sequence[Any]

STRENGTHS = (
    *("method", "strength", "low", "high", "rank_low", "rank_high", "win_rate", "wins", "losses", "ties", "n", "note"),
    *("covers", "question", "worth", "elo", "letters", "mean_rank", "mean_rank_low", "mean_rank_high", "firsts"),
    *("n_ranked", "prompts_low", "prompts_high", "raters_low", "raters_high"),
)
PREFERENCES = (
    *("method_a", "method_b", "n", "wins", "losses", "ties", "win_rate", "low", "high", "p", "p_prompts"),
    *("prompts_low", "prompts_high", "raters_low", "raters_high"),
    *("win_rate_ties_half", "half_low", "half_high", "tie_share", "tie_low", "tie_high"),
    *("left_share", "left_low", "left_high", "win_rate_if_balanced", "note", "covers", "question"),
)
PAIRS = (
    *("method_a", "method_b", "n", "wins", "losses", "ties", "win_rate_ties_half", "expected", "question"),
    *("log_odds", "log_odds_low", "log_odds_high", "p", "p_holm", "covers"),
)
BY_CATEGORY = (
    *("question", "facet", "category", "method", "n_prompts", "n_in_category", "strength", "low", "high"),
    *("rank_low", "rank_high", "letters", "win_rate", "wins", "losses", "ties", "n", "covers", "note"),
    *("prompts_low", "prompts_high", "raters_low", "raters_high"),
    *("interaction_f", "interaction_df", "interaction_df_below", "interaction_p", "interaction_note"),
)
PAIR_BY_CATEGORY = (
    *("question", "facet", "category", "method_a", "method_b", "n_prompts", "n", "wins", "losses", "ties"),
    *("win_rate", "low", "high", "p", "p_holm", "p_prompts", "prompts_low", "prompts_high"),
    *("raters_low", "raters_high", "win_rate_ties_half", "half_low", "half_high", "covers", "note"),
    *("interaction_f", "interaction_df", "interaction_df_below", "interaction_p", "interaction_note"),
)
FRAGILITY = ("dimension", "baseline", "refined", "kind", "fewest", "of", "is_exact", "names")
TESTS = ("question", "hypothesis", "test", "statistic", "df", "p", "n", "note")


def parts_of(document: StudyDocument | PreferenceDocument) -> Iterator[tuple[str, PreferencePart]]:
    """Name and figures of every question about preferences, in a document of votes or of a study."""
    if isinstance(document, PreferenceDocument):
        yield from ((part.name, part) for part in document.preferences)
    else:
        yield from ((one.name, one.preferences) for one in document.dimensions if one.preferences)


def strength_rows(document: StudyDocument | PreferenceDocument) -> Iterator[Row]:
    for name, part in parts_of(document):
        for row in part.strengths:
            worth = row.log_worth
            low, high, covers, reason = first_interval(worth)
            note = "; ".join(filter(None, (row.note, reason, part.prior)))
            rank = row.mean_rank
            yield (
                *(row.method, worth.value, low, high, row.rank_low, row.rank_high),
                *(row.win_rate, row.wins, row.losses, row.ties, row.n, note, covers, name),
                *(row.worth, row.elo, row.letters),
                *((rank.value, *first_interval(rank)[:2]) if rank else (None, None, None)),
                *(row.firsts, row.n_ranked, *ends(worth, "prompts"), *ends(worth, "raters")),
            )


def preference_rows(document: StudyDocument | PreferenceDocument) -> Iterator[Row]:
    for name, part in parts_of(document):
        for pair in part.pairs:
            rate = pair.win_rate
            low, high, covers, reason = first_interval(rate)
            note = "; ".join(dict.fromkeys(filter(None, (rate.reason, reason))))
            yield (
                *(pair.first, pair.second, pair.n, pair.wins, pair.losses, pair.ties),
                *(rate.value, low, high, pair.p, pair.p_prompts),
                *ends(rate, "prompts"),
                *ends(rate, "raters"),
                *(pair.with_halves.value, *first_interval(pair.with_halves)[:2]),
                *(pair.tie_share.value, *first_interval(pair.tie_share)[:2]),
                *(pair.lefts.value, *first_interval(pair.lefts)[:2], pair.if_balanced.value),
                *(note, covers, name),
            )


def pair_rows(document: StudyDocument | PreferenceDocument) -> Iterator[Row]:
    """Every pair of methods, whether they met or not: what was observed, and what the strengths predict."""
    for name, part in parts_of(document):
        seen = {frozenset((pair.first, pair.second)): pair for pair in part.pairs}
        odds = {frozenset((each.first, each.second)): each for each in part.differences}
        chance = part.chance
        for (at, one), (beside, other) in combinations(enumerate(row.method for row in part.strengths), 2):
            pair, difference = seen.get(frozenset((one, other))), odds.get(frozenset((one, other)))
            counts = (pair.n, pair.wins, pair.losses, pair.ties) if pair else (0, 0, 0, 0)
            halves = pair.with_halves.value if pair else None
            expected = chance[at][beside] if max(at, beside) < len(chance) else None
            yield (
                *(one, other, *counts, halves, expected, name),
                *(_of_difference(difference) if difference else (None, None, None, None, None, "")),
            )


def preference_test_rows(document: StudyDocument | PreferenceDocument) -> Iterator[Row]:
    for name, part in parts_of(document):
        for one in part.tests:
            yield (name, *(getattr(one, column) for column in TESTS[1:]))


def strength_by_category_rows(document: StudyDocument | PreferenceDocument) -> Iterator[Row]:
    """Every method in every category of every facet."""
    for name, part in parts_of(document):
        for facet in part.facets:
            for one in facet.categories:
                for row in one.strengths:
                    worth = row.log_worth
                    low, high, covers, reason = first_interval(worth)
                    note = "; ".join(filter(None, (row.note, reason, part.prior)))
                    yield (
                        *(name, facet.facet, one.category, row.method, one.n_prompts, one.n, worth.value, low, high),
                        *(row.rank_low, row.rank_high, row.letters, row.win_rate, row.wins, row.losses, row.ties),
                        *(row.n, covers, note, *ends(worth, "prompts"), *ends(worth, "raters")),
                        *_of_interaction(facet),
                    )


def pair_by_category_rows(document: StudyDocument | PreferenceDocument) -> Iterator[Row]:
    """The two methods, if there are only two, in every category of every facet."""
    for name, part in parts_of(document):
        for facet in part.facets:
            for one in facet.categories:
                if (pair := one.pair) is None:
                    continue
                rate = pair.win_rate
                low, high, covers, reason = first_interval(rate)
                note = "; ".join(dict.fromkeys(filter(None, (rate.reason, reason))))
                yield (
                    *(name, facet.facet, one.category, pair.first, pair.second, one.n_prompts),
                    *(pair.n, pair.wins, pair.losses, pair.ties, rate.value, low, high),
                    *(pair.p, one.p_holm, pair.p_prompts, *ends(rate, "prompts"), *ends(rate, "raters")),
                    *(pair.with_halves.value, *first_interval(pair.with_halves)[:2], covers, note),
                    *_of_interaction(facet),
                )


def fragility_rows(document: StudyDocument | PreferenceDocument) -> Iterator[Row]:
    """How few decide who leads in each comparison, and in each question's votes or rankings, which have no pair."""
    if isinstance(document, StudyDocument):
        for dimension in document.dimensions:
            for comparison in dimension.comparisons:
                yield from _fewest((dimension.name, comparison.baseline, comparison.refined), comparison.fewest)
    for name, part in parts_of(document):
        yield from _fewest((name, "", ""), part.fewest)


def _fewest(head: Row, fewest: Sequence[ReportedFewest]) -> Iterator[Row]:
    for one in fewest:
        yield (*head, one.kind, one.n, one.of, one.is_exact, ", ".join(one.names))


def _of_interaction(facet: PreferenceFacet) -> Row:
    test = facet.interaction
    said = "; ".join(filter(None, (test.reason, *test.left_out)))
    return test.f, test.df_above, test.df_below, test.p, said


PREFERENCE_TABLES = {
    "strengths": (STRENGTHS, strength_rows),
    "preferences": (PREFERENCES, preference_rows),
    "pairs": (PAIRS, pair_rows),
    "preference_tests": (TESTS, preference_test_rows),
    "strengths_by_category": (BY_CATEGORY, strength_by_category_rows),
    "preferences_by_category": (PAIR_BY_CATEGORY, pair_by_category_rows),
    "fragility": (FRAGILITY, fragility_rows),
}
"""File name without ending → columns, and the function that makes the rows."""


def first_interval(estimate: ReportedEstimate) -> tuple[float | None, float | None, str, str]:
    """The leading interval: its ends, what it covers, and why it has no ends."""
    if not estimate.intervals:
        return None, None, "", ""
    found = estimate.intervals[0]
    return found.low, found.high, found.covers, found.reason


def _of_difference(
    difference: StrengthDifference,
) -> tuple[float | None, float | None, float | None, float | None, float | None, str]:
    low, high, covers, _reason = first_interval(difference.log_odds)
    return difference.log_odds.value, low, high, difference.p, difference.p_holm, covers
