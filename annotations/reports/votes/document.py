"""Votes and rankings → one document, from which pages, tables, charts and LaTeX are drawn."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import exp, nan

import numpy as np

from annotations.reports.anchors import slug
from annotations.reports.documents.comparisons import ReportedInteraction
from annotations.reports.documents.preferences import (
    PreferenceCategory,
    PreferenceDocument,
    PreferenceFacet,
    PreferencePart,
    PreferenceQuestion,
    PreferenceTest,
    ReportedPair,
    ReportedStrength,
    StrengthDifference,
)
from annotations.reports.documents.provenance import MadeOfVotes
from annotations.reports.documents.supporting import ReportedExclusion, ReportedFewest
from annotations.reports.estimates import estimate, number
from annotations.reports.votes.agreement import votes_alpha
from annotations.reports.votes.fragility import reported_fewest
from annotations.reports.votes.one_form import in_one_form
from annotations.reports.votes.sentence import answer, sharing_first_figure
from annotations.stats.estimate import STATS_VERSION
from annotations.stats.preferences.by_category import (
    CategoryStrengths,
    FacetStrengths,
    strengths_by_category,
    usable_facets,
)
from annotations.stats.preferences.fragility import fewest_rankings, fewest_votes
from annotations.stats.preferences.linked import unbeaten_groups
from annotations.stats.preferences.mean_ranks import MeanRank, mean_ranks
from annotations.stats.preferences.rankings import Rankings, friedman
from annotations.stats.preferences.strengths import Strength, Strengths, elo, ranking_strengths, strengths
from annotations.stats.preferences.uncorrected import first_uncorrected
from annotations.stats.preferences.votes import TIE, Votes
from annotations.stats.preferences.win_rate import WinRate, win_rate

MOST_PAIRS = 2_000
"""The most pairs of methods that are listed; of more, that of the first two methods and those with the most votes."""


def preference_document(
    questions: Mapping[str, Votes | Rankings],
    *,
    title: str,
    code_version: str,
    made_at: str,
    n_pseudo: float = 0.0,
    n_excluded: int = 0,
    warnings: Sequence[str] = (),
    excluded_raters: Sequence[ReportedExclusion] = (),
    key: str = "",
    words: Mapping[str, str] | None = None,
) -> PreferenceDocument:
    """The whole result on votes or rankings, as `analyze --votes` and `--rankings` write it.

    questions   by name, in reading order; words: what was asked, by the same names
    n_pseudo    a prior (see `strengths`), 0 for maximum likelihood; key: names the study in labels of tables
    n_excluded  rows of files that were left out; warnings: what in them should be checked
    excluded_raters  whose votes or rankings are left out of the questions
    """
    inputs_hash = _inputs_hash(questions, n_pseudo)
    asked = words or {}
    return PreferenceDocument(
        title=title,
        key=key or f"{slug(title, 'study')}-{inputs_hash[:6]}",
        made=MadeOfVotes(
            at=made_at,
            code_version=code_version,
            stats_version=STATS_VERSION,
            inputs_hash=inputs_hash,
            prior=n_pseudo,
        ),
        n_excluded=n_excluded,
        warnings=tuple(warnings),
        excluded_raters=tuple(excluded_raters),
        preferences=tuple(
            PreferenceQuestion(
                name=name,
                question=asked.get(name, ""),
                agreement=estimate(votes_alpha(data)) if isinstance(data, Votes) else None,
                **vars(preference_part(data, n_pseudo=n_pseudo)),
            )
            for name, data in questions.items()
        ),
    )


def preference_part(data: Votes | Rankings, *, n_pseudo: float = 0.0) -> PreferencePart:
    """Everything about one question: the same whether its votes or rankings came from a file or from a study."""
    data = in_one_form(data)
    votes = data.votes() if isinstance(data, Rankings) else data
    found = (
        ranking_strengths(data, n_pseudo=n_pseudo) if isinstance(data, Rankings) else strengths(data, n_pseudo=n_pseudo)
    )
    ranks = {one.method: one for one in mean_ranks(data)} if isinstance(data, Rankings) else {}
    place = {row.method: at for at, row in enumerate(found.rows)}
    pairs = _pairs(votes, place)
    usable, left_out = usable_facets(data)
    unbeaten = () if n_pseudo else tuple(tuple(votes.methods[at] for at in one) for one in unbeaten_groups(votes))
    first = found.rows[0]
    is_ranked = first.log_worth.is_defined or len(votes.methods) == 2  # two methods are compared by their win rate
    has_leader = is_ranked and len(unbeaten) == 1 and first.method in unbeaten[0]
    part = PreferencePart(
        sentence="",
        kind=("best_worst" if data.is_best_worst else "rankings") if isinstance(data, Rankings) else "votes",
        n=data.n,
        n_methods=len(data.methods),
        n_prompts=_n(data.prompt),
        n_raters=_n(data.rater),
        n_ties=int(votes.count[votes.outcome == TIE].sum()),
        tie_kinds=_tie_kinds(votes),
        model=found.method,
        prior=found.prior,
        note=found.note,
        covers=tuple(found.covers),
        strengths=tuple(_strengths(found, ranks)),
        side=estimate(found.side) if found.side else None,
        chance=tuple(tuple(map(number, row)) for row in found.chance),
        differences=tuple(
            StrengthDifference(
                first=found.rows[one.first].method,
                second=found.rows[one.second].method,
                log_odds=estimate(one.log_odds),
                p=number(one.p),
                p_holm=number(one.p_holm),
            )
            for one in found.differences
        ),
        pairs=tuple(_pair(one, found, place) for one in pairs),
        tests=tuple(_tests(data, found)),
        unbeaten=unbeaten,
        fewest=_fewest(data) if has_leader else (),
        facets=tuple(
            _facet(name, strengths_by_category(data, data.facets[name], n_pseudo=n_pseudo)) for name in usable
        ),
        facets_left_out=left_out,
    )
    # Strengths of methods with the same counts differ only by the correction for sides or places.
    is_corrected = part.side is not None and part.side.value is not None and len(sharing_first_figure(part)) > 1
    uncorrected = tuple(first_uncorrected(data, n_pseudo=n_pseudo)) if is_corrected else ()
    if len(uncorrected) > 1:
        part = replace(part, fewest=())
    return replace(part, sentence=answer(part, uncorrected))


def _facet(name: str, found: FacetStrengths) -> PreferenceFacet:
    test = found.interaction
    return PreferenceFacet(
        facet=name,
        interaction=ReportedInteraction(
            f=number(test.f),
            df_above=number(test.df_above),
            df_below=number(test.df_below),
            p=number(test.p),
            reason=test.reason,
            left_out=test.left_out,
        ),
        categories=tuple(map(_category, found.categories)),
    )


def _category(one: CategoryStrengths) -> PreferenceCategory:
    place = {row.method: at for at, row in enumerate(one.strengths.rows)}
    return PreferenceCategory(
        category=one.category,
        n=one.n,
        n_prompts=one.n_prompts,
        covers=tuple(one.strengths.covers),
        note=one.strengths.note,
        strengths=tuple(_strengths(one.strengths, {})),
        pair=_pair(one.pair, one.strengths, place) if one.pair else None,
        p_holm=number(one.p_holm),
    )


def _fewest(data: Votes | Rankings) -> tuple[ReportedFewest, ...]:
    found = fewest_rankings(data) if isinstance(data, Rankings) else fewest_votes(data)
    names = {
        kind: [data.names[kind].get(code, "") for code in range(_n(codes))]
        for kind, codes in (("prompts", data.prompt), ("raters", data.rater))
        if kind in data.names
    }
    return reported_fewest(found, names)


def _n(codes: np.ndarray | None) -> int:
    return 0 if codes is None else len(np.unique(codes))


def _inputs_hash(questions: Mapping[str, Votes | Rankings], n_pseudo: float) -> str:
    """SHA-256 of everything that can change a figure."""
    hasher = hashlib.sha256(f"{n_pseudo!r}".encode())
    for name, data in questions.items():
        hasher.update("\0".join([name, *data.methods]).encode() + b"\1")
        fields = ("item", "rank", "shown") if isinstance(data, Rankings) else ("first", "second", "outcome", "side")
        for field in (*fields, "rater", "prompt"):
            values = getattr(data, field)
            hasher.update(field.encode())
            if values is not None:
                hasher.update(np.ascontiguousarray(values).tobytes())
        for facet, categories in sorted(data.facets.items()):
            hasher.update("\0".join([facet, *categories.names]).encode() + b"\1" + categories.code.tobytes())
    return hasher.hexdigest()


def _tie_kinds(votes: Votes) -> dict[str, int]:
    if votes.tie_kind is None:
        return {}
    return {
        kind: n
        for code, kind in enumerate(votes.tie_kinds)
        if (n := int(votes.count[(votes.outcome == TIE) & (votes.tie_kind == code)].sum()))
    }


def _pairs(votes: Votes, place: Mapping[str, int]) -> list[WinRate]:
    k = len(votes.methods)
    low, high = np.minimum(votes.first, votes.second), np.maximum(votes.first, votes.second)
    met, inverse = np.unique(low * k + high, return_inverse=True)
    count = np.bincount(inverse.ravel(), weights=votes.count, minlength=len(met))
    first_two = sorted(votes.methods.index(name) for name, at in place.items() if at < 2)
    is_first = met == (first_two[0] * k + first_two[-1] if first_two else -1)  # the sentence on top compares them
    kept = np.sort(np.argsort(np.where(is_first, -np.inf, -count), kind="stable")[:MOST_PAIRS])
    order = np.argsort(inverse.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(inverse.ravel(), minlength=len(met)))
    rows = np.split(order, ends[:-1]) if len(met) else []
    found = []
    for at in kept:
        pair = sorted((int(met[at]) // k, int(met[at]) % k), key=lambda code: place[votes.methods[code]])
        found.append(win_rate(votes.only(np.sort(rows[at])), *pair))
    return sorted(found, key=lambda one: (place[one.first], place[one.second]))


def _strengths(found: Strengths, ranks: Mapping[str, MeanRank]) -> list[ReportedStrength]:
    ranked = [row for row in found.rows if row.log_worth.is_defined]
    total = sum(exp(row.log_worth.value) for row in ranked)
    letters = dict(zip((row.method for row in ranked), found.letters, strict=False))
    return [_strength(row, total, letters.get(row.method, ""), ranks.get(row.method)) for row in found.rows]


def _strength(row: Strength, total: float, letters: str, rank: MeanRank | None) -> ReportedStrength:
    is_ranked = row.log_worth.is_defined
    return ReportedStrength(
        method=row.method,
        log_worth=estimate(row.log_worth),
        worth=exp(row.log_worth.value) / total if is_ranked else None,
        elo=elo(row.log_worth.value) if is_ranked else None,
        rank_low=row.rank_low,
        rank_high=row.rank_high,
        letters=letters,
        n=row.n,
        wins=row.n_wins,
        losses=row.n_losses,
        ties=row.n_ties,
        win_rate=number(row.win_rate),
        note=row.note,
        mean_rank=estimate(rank.mean_rank) if rank else None,
        firsts=rank.n_first if rank else None,
        n_ranked=rank.n if rank else None,
    )


def _pair(one: WinRate, found: Strengths, place: Mapping[str, int]) -> ReportedPair:
    known = max(place[one.first], place[one.second]) < len(found.chance)
    expected = float(found.chance[place[one.first], place[one.second]]) if known else float("nan")
    return ReportedPair(
        first=one.first,
        second=one.second,
        n=one.n,
        wins=one.n_wins,
        losses=one.n_losses,
        ties=one.n_ties,
        win_rate=estimate(one.win_rate),
        with_halves=estimate(one.with_halves),
        tie_share=estimate(one.ties),
        lefts=estimate(one.lefts),
        if_balanced=estimate(one.if_balanced),
        p=number(one.p),
        p_prompts=number(one.p_prompts),
        expected=number(expected),
    )


def _tests(data: Votes | Rankings, found: Strengths) -> list[PreferenceTest]:
    tests = []
    fit = found.misfit
    if fit.df > 0:
        name, note = "fit of one scale", "a small p: one scale does not describe the votes, such as circles of wins"
        note = fit.reason or f"{note}; takes votes as independent"
        tests.append(_test(name, "X2", fit.x2, fit.df, fit.p, data.n, note))
        note = "likelihood ratio, to compare with other programs; its p is unreliable where pairs have few votes"
        tests.append(_test(name, "G2", fit.deviance, fit.df, nan, data.n, note))
    if isinstance(data, Rankings):
        one = friedman(data)
        note = one.reason or "rank sums within prompts, over prompts"
        tests.append(
            _test("no difference between methods", "Friedman chi2", one.chi2, one.df, one.p, one.n_prompts, note)
        )
    return tests


def _test(hypothesis: str, name: str, value: float, df: int, p: float, n: int, note: str) -> PreferenceTest:
    return PreferenceTest(
        hypothesis=hypothesis,
        test=name,
        statistic=number(value),
        df=df,
        p=number(p),
        n=n,
        note=note,
    )
